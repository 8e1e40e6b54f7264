/* Regular expressions, by PCRE2. DuckDB's are RE2's: what that library does not know (look-around,
 * back references in a pattern) is refused, so that a pattern means the same here and there. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "expr/function_sets.h"
#include "expr/list_out.h"
#include "expr/text.h"

#include <pcre2.h>

/* PCRE2's memory comes from the account of the call, the size in front of each block. */
static void *regexp_alloc(PCRE2_SIZE n, void *m)
{
    size_t *p = mem_try_alloc(m, n + 16);

    if (!p)
        return NULL;
    *p = n + 16;
    return p + 2;
}

static void regexp_free(void *p, void *m)
{
    size_t *block = p ? (size_t *)p - 2 : NULL;

    if (block)
        mem_free(m, block, *block);
}

typedef struct regexp {
    pcre2_general_context *memory;
    pcre2_code *code;
    pcre2_match_data *match;
    bool global;
    bool keep; /* what does not match stays, as a whole */
} regexp;

#define KEEPS 0x10000000u /* beside PCRE2's options: the letter k is one here */

/* One for each evaluation: PCRE2's own memory is a few KiB, freed at its end. */
static void regexp_end(regexp *r)
{
    pcre2_match_data_free(r->match);
    pcre2_code_free(r->code);
    pcre2_general_context_free(r->memory);
    *r = (regexp){0};
}

static nrw_status no_memory(nrw_error *err)
{
    return err_set(err, NRW_E_MEMLIMIT, "no memory for a regular expression");
}

/* RE2 has neither look-around nor back references nor possessive or atomic groups. */
static bool is_foreign(span p)
{
    for (size_t i = 0; i + 1 < p.len; i++) {
        if (p.data[i] == '\\') {
            if (p.data[i + 1] >= '1' && p.data[i + 1] <= '9')
                return true;
            i++;
            continue;
        }
        if (p.data[i] != '(' || p.data[i + 1] != '?' || i + 2 >= p.len)
            continue;
        uint8_t c = p.data[i + 2], d = i + 3 < p.len ? p.data[i + 3] : 0;
        if (c == '=' || c == '!' || c == '>' || c == '|' || c == '(' || c == 'R' || c == '&' ||
            (c == '<' && (d == '=' || d == '!')))
            return true;
    }
    return false;
}

/* The letters behind a pattern: c i l m n p s g, and k of regexp_extract. */
static nrw_status flags_of(span letters, uint32_t *options, regexp *r, nrw_error *err)
{
    bool keeps = *options & KEEPS;

    *options &= ~KEEPS;
    for (size_t i = 0; i < letters.len; i++)
        switch (letters.data[i]) {
        case 'c': *options &= ~(uint32_t)PCRE2_CASELESS; break;
        case 'i': *options |= PCRE2_CASELESS; break;
        case 'l': *options |= PCRE2_LITERAL; break;
        case 'm':
        case 'n':
        case 'p': *options &= ~(uint32_t)PCRE2_DOTALL; break;
        case 's': *options |= PCRE2_DOTALL; break;
        case 'g': r->global = true; break;
        case ' ':
        case '\t':
        case '\n': break;
        case 'k':
            if (!keeps)
                return err_set(err, NRW_E_VALUE,
                               "option 'k' of a regular expression is for regexp_extract alone");
            r->keep = true;
            break;
        default:
            return err_set(err, NRW_E_VALUE, "'%c' is no option of a regular expression",
                           letters.data[i]);
        }
    return NRW_OK;
}

static nrw_status compile(span pattern, uint32_t options, regexp *r, nrw_error *err)
{
    pcre2_compile_context *how = pcre2_compile_context_create(r->memory);
    PCRE2_SIZE at;
    PCRE2_UCHAR text[128];
    int code;

    if (!how)
        return no_memory(err);
    pcre2_set_newline(how, PCRE2_NEWLINE_LF); /* what . does not stand for */
    r->code = pcre2_compile(pattern.data ? pattern.data : (const uint8_t *)"", pattern.len, options,
                            &code, &at, how);
    pcre2_compile_context_free(how);
    if (!r->code && code == PCRE2_ERROR_HEAP_FAILED)
        return no_memory(err);
    if (!r->code) {
        pcre2_get_error_message(code, text, sizeof text);
        return err_set(err, NRW_E_VALUE, "regular expression, character %zu: %s", at + 1,
                       (const char *)text);
    }
    r->match = pcre2_match_data_create_from_pattern(r->code, r->memory);
    if (!r->match)
        return no_memory(err);
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
    return NRW_OK;
}

static nrw_status regexp_new(span pattern, span letters, uint32_t options, mem *m, regexp *r,
                             nrw_error *err)
{
    nrw_status st;

    *r = (regexp){0};
    options |= PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NO_UTF_CHECK;
    TRY(flags_of(letters, &options, r, err));
    if (options & PCRE2_LITERAL)
        options &= ~(uint32_t)(PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY);
    else if (is_foreign(pattern))
        return err_set(
            err, NRW_E_VALUE,
            "the regular expression looks around or refers back, which is not supported");
    r->memory = pcre2_general_context_create(regexp_alloc, regexp_free, m);
    if (!r->memory)
        return no_memory(err);
    st = compile(pattern, options, r, err);
    if (st < 0)
        regexp_end(r);
    return st;
}

/* Whether it matches from byte `from` on; *n groups, whose ends are in the ovector. */
static nrw_status run(const regexp *r, span s, size_t from, uint32_t options, bool *hit,
                      uint32_t *n, nrw_error *err)
{
    int rc = pcre2_match(r->code, s.data ? s.data : (const uint8_t *)"", s.len, from,
                         options | PCRE2_NO_UTF_CHECK, r->match, NULL);

    *hit = rc >= 0;
    *n = rc > 0 ? (uint32_t)rc : 0;
    if (rc == PCRE2_ERROR_NOMEMORY)
        return no_memory(err);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        return err_set(err, NRW_E_VALUE, "a regular expression needs too many steps for a text");
    return NRW_OK;
}

static span group(const regexp *r, span s, uint32_t k, uint32_t n)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->match);

    if (k >= n || at[2 * k] == PCRE2_UNSET)
        return (span){s.data, 0};
    return (span){s.data + at[2 * k], at[2 * k + 1] - at[2 * k]};
}

/* The regular expression of row i: compiled once where pattern and options are constants. */
static nrw_status regexp_at(const scalar_args *args, uint32_t i, uint32_t letters_at,
                            uint32_t options, regexp *r, nrw_error *err)
{
    bool constant = args->constant[1] && (letters_at >= args->n || args->constant[letters_at]);

    if (r->code && constant)
        return NRW_OK;
    regexp_end(r);
    return regexp_new(TEXT(1), letters_at < args->n ? TEXT(letters_at) : (span){0}, options,
                      args->m, r, err);
}

/* ---- matching ---- */

static nrw_status matches_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    uint32_t whole = e->f->name[7] == 'f' ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0, n;
    regexp r = {0};
    nrw_status st = NRW_OK;
    bool hit;

    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        if (!row_valid(out, i))
            continue;
        st = regexp_at(args, i, 2, 0, &r, err);
        if (st == NRW_OK)
            st = run(&r, TEXT(0), 0, whole, &hit, &n, err);
        if (st == NRW_OK)
            out->data[i] = hit;
    }
    regexp_end(&r);
    return st;
}

/* ---- extracting one group ---- */

static nrw_status extract_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    regexp r = {0};
    nrw_status st = NRW_OK;
    bool hit;
    uint32_t n;

    (void)e;
    vector_share_heaps(args->at[0], out);
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        int64_t which = args->n > 2 ? ARG(int32_t, args, 2)[ROW(args, 2, i)] : 0;
        if (!row_valid(out, i))
            continue;
        st = regexp_at(args, i, 3, KEEPS, &r, err);
        if (st == NRW_OK)
            st = run(&r, TEXT(0), 0, 0, &hit, &n, err);
        if (st == NRW_OK)
            text_part(out, i, args->at[0], ROW(args, 0, i),
                      !hit && r.keep      ? TEXT(0)
                      : hit && which >= 0 ? group(&r, TEXT(0), (uint32_t)which, n)
                                          : (span){TEXT(0).data, 0});
    }
    regexp_end(&r);
    return st;
}

/* A group that is null finds nothing: the empty text. */
static nrw_status bind_extract(binding *b, nrw_error *err)
{
    const expr *args[4];

    if (b->n < 3 || b->args[2]->kind != EXPR_CONSTANT || !constant_is_null(b->args[2]))
        return NRW_OK;
    for (uint32_t i = 0; i < b->n; i++)
        args[i] = b->args[i];
    TRY(expr_number(b->a, (span){(const uint8_t *)"9999", 4}, &args[2], err));
    return expr_call(b->a, b->name, args, NULL, b->n, &b->instead, err);
}

/* ---- replacing ---- */

/* Appends `with`, in which \0 .. \9 are groups and \\ a backslash. */
static nrw_status add_rewritten(bytes *to, span with, const regexp *r, span s, uint32_t n,
                                nrw_error *err)
{
    for (size_t i = 0; i < with.len; i++) {
        uint8_t next = i + 1 < with.len ? with.data[i + 1] : 0;
        span g;
        if (with.data[i] != '\\') {
            TRY(bytes_append(to, with.data + i, 1, err));
            continue;
        }
        i++;
        if (next == '\\') {
            TRY(bytes_append(to, "\\", 1, err));
            continue;
        }
        if (next < '0' || next > '9')
            return err_set(err, NRW_E_VALUE,
                           "a backslash in the replacement of a regular "
                           "expression stands before a digit or another one");
        g = group(r, s, (uint32_t)(next - '0'), n);
        TRY(bytes_append(to, g.data ? g.data : (const uint8_t *)"", g.len, err));
    }
    return NRW_OK;
}

static nrw_status replace_row(const regexp *r, span s, span with, bytes *to, nrw_error *err)
{
    size_t from = 0, copied = 0;
    bool hit, any = false;
    uint32_t n;

    bytes_clear(to);
    while (from <= s.len) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->match);
        TRY(run(r, s, from, 0, &hit, &n, err));
        if (!hit)
            break;
        if (any && at[1] == copied) { /* nothing, right behind what was replaced */
            from += from < s.len ? char_len(text_from(s, from)) : 1;
            continue;
        }
        TRY(bytes_append(to, s.data + copied, at[0] - copied, err));
        TRY(add_rewritten(to, with, r, s, n, err));
        copied = at[1];
        from = at[1];
        any = true;
        if (at[1] == at[0]) /* nothing was taken: go on behind the next character */
            from += from < s.len ? char_len(text_from(s, from)) : 1;
        if (!r->global)
            break;
    }
    return s.len > copied ? bytes_append(to, s.data + copied, s.len - copied, err) : NRW_OK;
}

static nrw_status replace_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bytes row = bytes_init(args->m, INT32_MAX);
    text_out t = {.out = out};
    regexp r = {0};
    nrw_status st = NRW_OK;

    (void)e;
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        if (!row_valid(out, i))
            continue;
        st = regexp_at(args, i, 3, 0, &r, err);
        if (st == NRW_OK)
            st = replace_row(&r, TEXT(0), TEXT(2), &row, err);
        if (st == NRW_OK)
            st = text_put(&t, i, row.data, row.len, err);
    }
    text_end(&t);
    bytes_release(&row);
    regexp_end(&r);
    return st;
}

/* ---- lists of matches and of what is between them ---- */

static nrw_status list_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bool split = strstr(e->f->name, "split") != NULL, hit;
    list_out l;
    regexp r = {0};
    nrw_status st = list_begin(&l, out, args->m, err);
    uint32_t n;

    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        span s = TEXT(0);
        size_t from = 0, start = 0;
        int64_t which = !split && args->n > 2 ? ARG(int32_t, args, 2)[ROW(args, 2, i)] : 0;
        if (!row_valid(out, i)) {
            list_end_row(&l, i);
            continue;
        }
        st = regexp_at(args, i, split ? 2 : 3, 0, &r, err);
        while (st == NRW_OK && from <= s.len) {
            st = run(&r, s, from, 0, &hit, &n, err);
            if (st < 0 || !hit)
                break;
            const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r.match);
            bool empty = at[1] == at[0];
            if (!split)
                st = list_text(&l, group(&r, s, (uint32_t)which, n), err);
            else if (!empty || (at[0] > start && at[0] < s.len))
                st = list_text(&l, (span){s.data + start, at[0] - start}, err);
            if (!empty || at[0] > start)
                start = at[1];
            from = at[1];
            if (empty)
                from += from < s.len ? char_len(text_from(s, from)) : 1;
        }
        if (st == NRW_OK && split)
            st = list_text(&l, text_from(s, start), err);
        list_end_row(&l, i);
    }
    regexp_end(&r);
    return list_finish(&l, st);
}

static nrw_status bind_list(binding *b, nrw_error *err)
{
    const type text = type_of(TYPE_UTF8);

    return type_list(b->a, &text, &b->result, err);
}

static nrw_status put_escaped(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                              nrw_error *err)
{
    span s = TEXT(0);
    uint8_t *at;
    size_t n = 0;

    (void)e;
    TRY(text_room(t, 2 * s.len, &at, err));
    for (size_t k = 0; k < s.len; k++) {
        uint8_t c = s.data[k];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            c != '_' && c < 128)
            at[n++] = '\\';
        at[n++] = c;
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(escape_eval, put_escaped)

static const function rows[] = {
    {"regexp_matches", "sss?", "b", matches_eval, FAILS, NULL},
    {"regexp_full_match", "sss?", "b", matches_eval, FAILS, NULL},
    {"regexp_extract", "ss", "s", extract_eval, FAILS, NULL},
    {"regexp_extract", "ss4s?", "s", extract_eval, FAILS, bind_extract},
    {"regexp_replace", "ssss?", "s", replace_eval, FAILS, NULL},
    {"regexp_extract_all", "ss", "!", list_eval, FAILS, bind_list},
    {"regexp_extract_all", "ss4s?", "!", list_eval, FAILS, bind_list},
    {"regexp_split_to_array", "sss?", "!", list_eval, FAILS, bind_list},
    {"string_split_regex", "sss?", "!", list_eval, FAILS, bind_list},
    {"str_split_regex", "sss?", "!", list_eval, FAILS, bind_list},
    {"regexp_escape", "s", "s", escape_eval, 0, NULL},
};

const function_set functions_regexp = FUNCTION_SET(rows);
