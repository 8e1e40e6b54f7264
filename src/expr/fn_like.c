/* LIKE, ILIKE, GLOB: patterns over characters. */
#include "expr/function_sets.h"
#include "expr/text.h"

/* Goes forward; at a mismatch the last % takes one character more. `escape` is NO_ESCAPE or a
 * character. */
#define NO_ESCAPE UINT32_MAX
static bool like(span s, span p, uint32_t escape)
{
    size_t i = 0, j = 0, star = SIZE_MAX, from = 0;

    while (j < s.len) {
        span c = text_from(s, j);
        bool literal = false;
        size_t at = i, n;
        if (i < p.len && escape != NO_ESCAPE && char_code(text_from(p, i)) == escape) {
            at += char_len(text_from(p, i));
            literal = true;
        }
        n = at < p.len ? char_len(text_from(p, at)) : 0;
        if (n && !literal && p.data[at] == '%') {
            star = ++i;
            from = j;
        } else if (n && !literal && p.data[at] == '_') {
            i = at + 1;
            j += char_len(c);
        } else if (n && n == char_len(c) && memcmp(p.data + at, c.data, n) == 0) {
            i = at + n;
            j += n;
        } else if (star != SIZE_MAX) {
            i = star;
            j = from += char_len(text_from(s, from));
        } else {
            return false;
        }
    }
    while (i < p.len && p.data[i] == '%')
        i++;
    return i == p.len;
}

/* A constant pattern, seen through once: whole, %whole%, whole%, %whole or all else. */
typedef struct like_plan {
    enum { PLAN_ANY, PLAN_EQUAL, PLAN_STARTS, PLAN_ENDS, PLAN_CONTAINS } kind;
    span text;
} like_plan;

static like_plan plan_of(span p)
{
    like_plan plan = {PLAN_ANY, p};
    bool front = p.len && p.data[0] == '%', back;
    span rest = front ? text_from(p, 1) : p;

    back = rest.len && rest.data[rest.len - 1] == '%';
    rest.len -= back;
    for (size_t i = 0; i < rest.len; i++)
        if (rest.data[i] == '%' || rest.data[i] == '_')
            return plan;
    plan.text = rest;
    plan.kind = front ? (back ? PLAN_CONTAINS : PLAN_ENDS) : back ? PLAN_STARTS : PLAN_EQUAL;
    return plan;
}

static bool plan_matches(const like_plan *plan, span s)
{
    span t = plan->text;

    switch (plan->kind) {
    case PLAN_EQUAL: return span_equal(s, t);
    case PLAN_STARTS: return s.len >= t.len && memcmp(s.data, t.data, t.len) == 0;
    case PLAN_ENDS: return s.len >= t.len && memcmp(s.data + s.len - t.len, t.data, t.len) == 0;
    case PLAN_CONTAINS: return text_find(s, t) != SIZE_MAX;
    default: return like(s, t, NO_ESCAPE);
    }
}

static nrw_status like_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    uint8_t flip = e->f->name[0] == '!';
    like_plan plan = {PLAN_ANY, {0}};

    (void)err;
    if (args->constant[1])
        plan = plan_of(flat_span(args->at[1], 0));
    for (uint32_t i = 0; i < args->rows; i++) {
        if (!row_valid(out, i))
            continue;
        if (!args->constant[1])
            plan = plan_of(TEXT(1));
        out->data[i] = (uint8_t)plan_matches(&plan, TEXT(0)) ^ flip;
    }
    return NRW_OK;
}

static nrw_status like_escape_eval(const expr *e, const scalar_args *args, vector *out,
                                   nrw_error *err)
{
    uint8_t flip = e->f->name[0] == 'n';

    for (uint32_t i = 0; i < args->rows; i++) {
        if (!row_valid(out, i))
            continue;
        span escape = TEXT(2);
        if (escape.len && char_len(escape) != escape.len)
            return err_set(err, NRW_E_VALUE, "LIKE: an escape is one character");
        out->data[i] =
            (uint8_t)like(TEXT(0), TEXT(1), escape.len ? char_code(escape) : NO_ESCAPE) ^ flip;
    }
    return NRW_OK;
}

/* ILIKE: both sides in lower case. */
static nrw_status bind_ilike(binding *b, nrw_error *err)
{
    static const char *const same[][2] = {{"~~*", "~~"},
                                          {"!~~*", "!~~"},
                                          {"ilike_escape", "like_escape"},
                                          {"not_ilike_escape", "not_like_escape"}};
    const expr *args[3] = {NULL};
    const char *name = NULL;

    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(same[i][0], b->name) == 0)
            name = same[i][1];
    for (uint32_t i = 0; i < 2; i++)
        TRY(expr_call(b->a, "lower", &b->args[i], NULL, 1, &args[i], err));
    if (b->n > 2)
        args[2] = b->args[2];
    return expr_call(b->a, name, args, NULL, b->n, &b->instead, err);
}

/* ---- GLOB: * any text, ? one character, [a-z], [!a-z]; \ takes away a meaning ---- */

/* Whether c is in the class at p (behind the bracket); *end is behind its closing one, 0 where it
 * does not close. */
static bool in_class(span p, uint32_t c, size_t *end)
{
    size_t i = 0;
    bool negate = p.len && p.data[0] == '!', in = false, first = true;

    i += negate;
    for (*end = 0; i < p.len; first = false) {
        uint32_t low = char_code(text_from(p, i)), high = low;
        if (low == ']' && !first) {
            *end = i + 1;
            return in != negate;
        }
        i += char_len(text_from(p, i));
        if (i + 1 < p.len && p.data[i] == '-' && p.data[i + 1] != ']') {
            high = char_code(text_from(p, i + 1));
            i += 1 + char_len(text_from(p, i + 1));
        }
        in |= c >= low && c <= high;
    }
    return false;
}

static bool glob(span s, span p)
{
    size_t i = 0, j = 0, star = SIZE_MAX, from = 0, end;

    while (j < s.len) {
        span c = text_from(s, j);
        uint8_t sign = i < p.len ? p.data[i] : 0;
        size_t at = i + (sign == '\\' && i + 1 < p.len);
        if (sign == '*') {
            star = ++i;
            from = j;
            continue;
        }
        if (sign == '?') {
            i++;
            j += char_len(c);
            continue;
        }
        if (sign == '[' && in_class(text_from(p, i + 1), char_code(c), &end)) {
            i += 1 + end;
            j += char_len(c);
            continue;
        }
        if (i < p.len && sign != '[' && p.data[at] == c.data[0]) {
            i = at + 1;
            j++;
            continue;
        }
        if (star == SIZE_MAX)
            return false;
        i = star;
        j = from += char_len(text_from(s, from));
    }
    while (i < p.len && p.data[i] == '*')
        i++;
    return i == p.len;
}

VALUE_FUNCTION(glob_eval, uint8_t, glob(TEXT(0), TEXT(1)))

static const function rows[] = {
    {"~~", "ss", "b", like_eval, 0, NULL},
    {"!~~", "ss", "b", like_eval, 0, NULL},
    {"~~*", "ss", "b", NULL, 0, bind_ilike},
    {"!~~*", "ss", "b", NULL, 0, bind_ilike},
    {"like_escape", "sss", "b", like_escape_eval, FAILS, NULL},
    {"not_like_escape", "sss", "b", like_escape_eval, FAILS, NULL},
    {"ilike_escape", "sss", "b", NULL, FAILS, bind_ilike},
    {"not_ilike_escape", "sss", "b", NULL, FAILS, bind_ilike},
    {"~~~", "ss", "b", glob_eval, 0, NULL},
};

const function_set functions_like = FUNCTION_SET(rows);
