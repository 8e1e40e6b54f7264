/* Text functions that look and that write. */
#include "base/utf8.h"
#include "expr/function_sets.h"
#include "expr/text.h"

#include <utf8proc.h>

/* ---- looking ---- */

static int64_t position(span s, span needle)
{
    size_t at = text_find(s, needle);

    return at == SIZE_MAX ? 0 : (int64_t)text_chars((span){s.data, at}) + 1;
}

static bool starts_with(span s, span with)
{
    return s.len >= with.len && memcmp(s.data, with.data, with.len) == 0;
}

static bool ends_with(span s, span with)
{
    return s.len >= with.len && memcmp(s.data + s.len - with.len, with.data, with.len) == 0;
}

static int32_t first_code(span s)
{
    return s.len ? (int32_t)char_code(s) : -1;
}

VALUE_FUNCTION(length_eval, int64_t, text_chars(TEXT(0)))
VALUE_FUNCTION(bytes_eval, int64_t, TEXT(0).len)
VALUE_FUNCTION(bits_eval, int64_t, TEXT(0).len * 8)
VALUE_FUNCTION(position_eval, int64_t, position(TEXT(0), TEXT(1)))
VALUE_FUNCTION(starts_with_eval, uint8_t, starts_with(TEXT(0), TEXT(1)))
VALUE_FUNCTION(ends_with_eval, uint8_t, ends_with(TEXT(0), TEXT(1)))
VALUE_FUNCTION(contains_eval, uint8_t, text_find(TEXT(0), TEXT(1)) != SIZE_MAX)
VALUE_FUNCTION(ascii_eval, int32_t, TEXT(0).len ? first_code(TEXT(0)) : 0)
VALUE_FUNCTION(unicode_eval, int32_t, first_code(TEXT(0)))

/* ---- case ---- */

static nrw_status put_case(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                           nrw_error *err)
{
    bool upper = e->f->name[0] == 'u';
    span s = TEXT(0);
    uint8_t *at;
    size_t n = 0;

    TRY(text_room(t, 4 * s.len, &at, err)); /* no simple mapping is longer than 4 bytes */
    for (size_t k = 0; k < s.len;) {
        span rest = text_from(s, k);
        size_t len = char_len(rest);
        if (len == 1) {
            uint8_t c = s.data[k];
            at[n++] = upper ? (uint8_t)(c - 32 * (c >= 'a' && c <= 'z'))
                            : (uint8_t)(c + 32 * (c >= 'A' && c <= 'Z'));
        } else {
            utf8proc_int32_t c = (utf8proc_int32_t)char_code(rest);
            n += utf8_put((uint32_t)(upper ? utf8proc_toupper(c) : utf8proc_tolower(c)), at + n);
        }
        k += len;
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(case_eval, put_case)

/* ---- writing ---- */

static nrw_status put_reverse(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                              nrw_error *err)
{
    span s = TEXT(0);
    uint8_t *at;
    size_t end = s.len;

    (void)e;
    TRY(text_room(t, s.len, &at, err));
    for (size_t k = 0; k < s.len;) {
        span rest = text_from(s, k);
        utf8proc_int32_t state = 0;
        size_t len = char_len(rest); /* marks stay with what they are on */
        while (k + len < s.len) {
            span next = text_from(s, k + len);
            if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)char_code(rest),
                                                 (utf8proc_int32_t)char_code(next), &state))
                break;
            rest = next;
            len += char_len(next);
        }
        end -= len;
        memcpy(at + end, s.data + k, len);
        k += len;
    }
    text_done(t, i, s.len);
    return NRW_OK;
}
PUT_FUNCTION(reverse_eval, put_reverse)

static nrw_status too_long(const expr *e, nrw_error *err)
{
    return err_set(err, NRW_E_VALUE, "%s: the text would be longer than 2 GiB", e->f->name);
}

static nrw_status put_repeat(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                             nrw_error *err)
{
    span s = TEXT(0);
    int64_t times = BIG(1) > 0 ? BIG(1) : 0;
    size_t total;
    uint8_t *at;

    if (!size_mul(s.len, (size_t)times, &total) || total > INT32_MAX)
        return too_long(e, err);
    TRY(text_room(t, total, &at, err));
    for (size_t k = 0; k < total; k += s.len)
        memcpy(at + k, s.data, s.len);
    text_done(t, i, total);
    return NRW_OK;
}
PUT_FUNCTION(repeat_eval, put_repeat)

static nrw_status put_replace(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                              nrw_error *err)
{
    span s = TEXT(0), from = TEXT(1), to = TEXT(2);
    size_t found, total, n = 0;
    uint8_t *at;

    if (from.len == 0)
        return text_put(t, i, s.data, s.len, err);
    total = s.len;
    for (span rest = s; (found = text_find(rest, from)) != SIZE_MAX;
         rest = text_from(rest, found + from.len))
        total += to.len - from.len;
    if (total > INT32_MAX)
        return too_long(e, err);
    TRY(text_room(t, total, &at, err));
    while ((found = text_find(s, from)) != SIZE_MAX) {
        memcpy(at + n, s.data, found);
        memcpy(at + n + found, to.data, to.len);
        n += found + to.len;
        s = text_from(s, found + from.len);
    }
    memcpy(at + n, s.data, s.len);
    text_done(t, i, total);
    return NRW_OK;
}
PUT_FUNCTION(replace_eval, put_replace)

/* Filled up with the characters of `with` to n characters, or cut down to them. */
static nrw_status put_pad(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                          nrw_error *err)
{
    span s = TEXT(0), with = TEXT(2);
    int64_t want = ARG(int32_t, args, 1)[ROW(args, 1, i)];
    size_t have = text_chars(s), fill, bytes = 0, n = 0;
    bool before = e->f->name[0] == 'l';
    uint8_t *at;

    want = want < 0 ? 0 : want;
    if ((size_t)want <= have)
        return text_put(t, i, s.data, text_byte_of(s, (size_t)want), err);
    if (with.len == 0)
        return err_set(err, NRW_E_VALUE, "%s: there is nothing to fill up with", e->f->name);
    fill = (size_t)want - have;
    if (!size_mul(fill, 4, &bytes) || bytes + s.len > INT32_MAX)
        return too_long(e, err);
    TRY(text_room(t, bytes + s.len, &at, err));
    if (!before)
        memcpy(at, s.data, n = s.len);
    for (size_t k = 0; fill > 0; fill--) {
        size_t len = char_len(text_from(with, k));
        memcpy(at + n, with.data + k, len);
        n += len;
        k = k + len < with.len ? k + len : 0;
    }
    if (before) {
        memcpy(at + n, s.data, s.len);
        n += s.len;
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(pad_eval, put_pad)

static nrw_status put_chr(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                          nrw_error *err)
{
    int32_t c = ARG(int32_t, args, 0)[ROW(args, 0, i)];
    uint8_t room[4];

    (void)e;
    if (c < 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return err_set(err, NRW_E_VALUE, "chr: %d is no character", c);
    return text_put(t, i, room, utf8_put((uint32_t)c, room), err);
}
PUT_FUNCTION(chr_eval, put_chr)

/* Characters of the second argument become those of the third at the same place, or nothing. */
static nrw_status put_translate(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                                nrw_error *err)
{
    span s = TEXT(0), from = TEXT(1), to = TEXT(2);
    uint8_t *at;
    size_t n = 0;

    (void)e;
    TRY(text_room(t, 4 * s.len, &at, err));
    for (size_t k = 0; k < s.len;) {
        size_t len = char_len(text_from(s, k)), place = 0, j = 0, step = 0;
        for (; j < from.len; j += step, place++) {
            step = char_len(text_from(from, j));
            if (step == len && memcmp(from.data + j, s.data + k, len) == 0)
                break;
        }
        if (j == from.len) {
            memcpy(at + n, s.data + k, len);
            n += len;
        } else {
            size_t b = text_byte_of(to, place);
            size_t w = b < to.len ? char_len(text_from(to, b)) : 0;
            memcpy(at + n, to.data + b, w);
            n += w;
        }
        k += len;
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(translate_eval, put_translate)

/* `with` in place of n characters (as many as it has, where n is not said or negative) from `from`
 * on, which may lie before the text. */
static nrw_status put_overlay(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                              nrw_error *err)
{
    span s = TEXT(0), with = TEXT(1);
    int64_t from = BIG(2), n = args->n > 3 ? BIG(3) : -1, end;
    size_t front, back;
    uint8_t *at;

    if (n < 0)
        n = (int64_t)text_chars(with);
    if (__builtin_add_overflow(from, n, &end))
        end = from < 0 ? 0 : INT64_MAX;
    if (s.len + with.len > INT32_MAX)
        return too_long(e, err);
    front = from > 1 ? text_byte_of(s, (size_t)(from - 1)) : 0;
    back = end > 1 ? text_byte_of(s, (size_t)(end - 1)) : 0;
    TRY(text_room(t, s.len + with.len, &at, err));
    memcpy(at, s.data, front);
    memcpy(at + front, with.data, with.len);
    memcpy(at + front + with.len, s.data + back, s.len - back);
    text_done(t, i, front + with.len + s.len - back);
    return NRW_OK;
}
PUT_FUNCTION(overlay_eval, put_overlay)

/* ---- concatenation ---- */

static nrw_status put_joined(const scalar_args *args, uint32_t i, uint32_t first, span between,
                             text_out *t, nrw_error *err)
{
    size_t total = 0, n = 0;
    bool any = false;
    uint8_t *at;

    for (uint32_t k = first; k < args->n; k++)
        total += TEXT(k).len + between.len;
    if (total > INT32_MAX)
        return err_set(err, NRW_E_VALUE, "the text would be longer than 2 GiB");
    TRY(text_room(t, total, &at, err));
    for (uint32_t k = first; k < args->n; k++) {
        span s = TEXT(k);
        if (!vector_is_valid(args->at[k], ROW(args, k, i)))
            continue;
        if (any && between.len)
            memcpy(at + n, between.data, between.len);
        n += any ? between.len : 0;
        if (s.len)
            memcpy(at + n, s.data, s.len);
        n += s.len;
        any = true;
    }
    text_done(t, i, n);
    return NRW_OK;
}

static nrw_status put_concat(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                             nrw_error *err)
{
    (void)e;
    return put_joined(args, i, 0, (span){0}, t, err);
}
PUT_FUNCTION(concat_eval, put_concat)

static nrw_status put_concat_ws(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                                nrw_error *err)
{
    (void)e;
    if (!vector_is_valid(args->at[0], ROW(args, 0, i)))
        return row_null(t->out, i, err);
    return put_joined(args, i, 1, TEXT(0), t, err);
}
PUT_FUNCTION(concat_ws_eval, put_concat_ws)

/* All but lists go as text. */
static nrw_status bind_concat(binding *b, nrw_error *err)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (type_is_nested(&b->args[i]->type))
            return bind_fail(err, "%s of lists and text at once is not supported", b->name);
        b->want[i] = type_of(TYPE_UTF8);
    }
    return NRW_OK;
}

/* x || y: of bytes bytes, of all else text; null where either is. */
static nrw_status bind_join(binding *b, nrw_error *err)
{
    if (b->args[0]->type.id == TYPE_BINARY && b->args[1]->type.id == TYPE_BINARY) {
        b->result = b->want[0];
        return NRW_OK;
    }
    b->result = type_of(TYPE_UTF8);
    return bind_concat(b, err);
}

static const function rows[] = {
    {"length", "s", "8", length_eval, 0, NULL},
    {"char_length", "s", "8", length_eval, 0, NULL},
    {"character_length", "s", "8", length_eval, 0, NULL},
    {"len", "s", "8", length_eval, 0, NULL},
    {"strlen", "s", "8", bytes_eval, 0, NULL},
    {"octet_length", "x", "8", bytes_eval, 0, NULL},
    {"bit_length", "s", "8", bits_eval, 0, NULL},
    {"instr", "ss", "8", position_eval, 0, NULL},
    {"strpos", "ss", "8", position_eval, 0, NULL},
    {"position", "ss", "8", position_eval, 0, NULL},
    {"starts_with", "ss", "b", starts_with_eval, 0, NULL},
    {"prefix", "ss", "b", starts_with_eval, 0, NULL},
    {"^@", "ss", "b", starts_with_eval, 0, NULL},
    {"ends_with", "ss", "b", ends_with_eval, 0, NULL},
    {"suffix", "ss", "b", ends_with_eval, 0, NULL},
    {"contains", "ss", "b", contains_eval, 0, NULL},
    {"ascii", "s", "4", ascii_eval, 0, NULL},
    {"unicode", "s", "4", unicode_eval, 0, NULL},
    {"ord", "s", "4", unicode_eval, 0, NULL},
    {"upper", "s", "s", case_eval, 0, NULL},
    {"ucase", "s", "s", case_eval, 0, NULL},
    {"lower", "s", "s", case_eval, 0, NULL},
    {"lcase", "s", "s", case_eval, 0, NULL},
    {"reverse", "s", "s", reverse_eval, 0, NULL},
    {"repeat", "s8", "s", repeat_eval, FAILS | GROWS, NULL},
    {"repeat", "x8", "x", repeat_eval, FAILS | GROWS, NULL},
    {"replace", "sss", "s", replace_eval, FAILS, NULL},
    {"lpad", "s4s", "s", pad_eval, FAILS | GROWS, NULL},
    {"rpad", "s4s", "s", pad_eval, FAILS | GROWS, NULL},
    {"chr", "4", "s", chr_eval, FAILS, NULL},
    {"overlay", "ss88?", "s", overlay_eval, FAILS, NULL},
    {"translate", "sss", "s", translate_eval, 0, NULL},
    {"concat", "*+", "s", concat_eval, SEES_NULLS | FAILS, bind_concat},
    {"concat_ws", "s*+", "s", concat_ws_eval, SEES_NULLS | FAILS, bind_concat},
    {"||", "**", "!", concat_eval, FAILS, bind_join},
};

const function_set functions_text = FUNCTION_SET(rows);
