/* Text functions that cut: substring, left, right, trim, split_part. Results share the argument. */
#include "expr/function_sets.h"
#include "expr/text.h"

/* Characters [from, from + n) counted from 1; a negative start counts from the end, a negative
 * length goes backwards. (DuckDB's substring.) */
static span substring(span s, int64_t from, int64_t n)
{
    int64_t total = (int64_t)text_chars(s), end;

    if (from < 0)
        from = from < -total ? (n += n > 0 ? from + total : 0, n = n < 0 ? 0 : n, 0) : total + from;
    else if (from > 0)
        from--;
    else if (n > 0) /* before the first character there is one place */
        n--;
    if (n < 0) {
        end = from;
        from = n < -from ? 0 : from + n;
    } else {
        end = n > total - from ? total : from + n;
    }
    from = from > total ? total : from;
    end = end > total ? total : end < from ? from : end;
    size_t first = text_byte_of(s, (size_t)from);
    span rest = text_from(s, first);
    return (span){rest.data, text_byte_of(rest, (size_t)(end - from))};
}

static span left(span s, int64_t n)
{
    int64_t total;

    if (n < 0) {
        total = (int64_t)text_chars(s);
        n = total + n < 0 ? 0 : total + n;
    }
    return (span){s.data, text_byte_of(s, (size_t)n)};
}

static span right(span s, int64_t n)
{
    int64_t total = (int64_t)text_chars(s);
    int64_t skip = n < 0 ? (n < -total ? total : -n) : n > total ? 0 : total - n;

    return text_from(s, text_byte_of(s, (size_t)skip));
}

PART_FUNCTION(substring_eval, substring(TEXT(0), BIG(1), INT32_MAX))
PART_FUNCTION(substring_n_eval, substring(TEXT(0), BIG(1), BIG(2)))
PART_FUNCTION(left_eval, left(TEXT(0), BIG(1)))
PART_FUNCTION(right_eval, right(TEXT(0), BIG(1)))

/* ---- trim ---- */

static bool is_in(span set, span c)
{
    for (size_t at = 0; at < set.len;) {
        size_t n = char_len(text_from(set, at));
        if (n == c.len && memcmp(set.data + at, c.data, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static span trim(span s, span set, bool front, bool back)
{
    while (front && s.len) {
        size_t n = char_len(s);
        if (!is_in(set, (span){s.data, n}))
            break;
        s = text_from(s, n);
    }
    while (back && s.len) {
        size_t at = s.len - 1;
        while (at && (s.data[at] & 0xc0) == 0x80)
            at--;
        if (!is_in(set, text_from(s, at)))
            break;
        s.len = at;
    }
    return s;
}

#define BLANK ((span){(const uint8_t *)" ", 1})
PART_FUNCTION(trim_eval, trim(TEXT(0), args->n > 1 ? TEXT(1) : BLANK, true, true))
PART_FUNCTION(ltrim_eval, trim(TEXT(0), args->n > 1 ? TEXT(1) : BLANK, true, false))
PART_FUNCTION(rtrim_eval, trim(TEXT(0), args->n > 1 ? TEXT(1) : BLANK, false, true))

/* ---- split_part ---- */

/* Part n of s, counted from 1, or from the end by negative numbers; there is no part 0. */
static span split_part(span s, span by, int64_t n)
{
    int64_t parts = 1, at = 0;
    size_t found;
    span empty = {s.data, 0}, rest = s;

    if (by.len == 0) /* each character is a part */
        return n == 0 ? substring(s, 1, 1) : substring(s, n, 1);
    while ((found = text_find(rest, by)) != SIZE_MAX) {
        parts++;
        rest = text_from(rest, found + by.len);
    }
    n = n < 0 ? parts + n + 1 : n;
    if (n < 1 || n > parts)
        return empty;
    for (rest = s, at = 1; at < n; at++)
        rest = text_from(rest, text_find(rest, by) + by.len);
    found = text_find(rest, by);
    return (span){rest.data, found == SIZE_MAX ? rest.len : found};
}

PART_FUNCTION(split_part_eval, split_part(TEXT(0), TEXT(1), BIG(2)))

static const function rows[] = {
    {"substring", "s8", "s", substring_eval, 0, NULL},
    {"substring", "s88", "s", substring_n_eval, 0, NULL},
    {"substr", "s8", "s", substring_eval, 0, NULL},
    {"substr", "s88", "s", substring_n_eval, 0, NULL},
    {"left", "s8", "s", left_eval, 0, NULL},
    {"right", "s8", "s", right_eval, 0, NULL},
    {"trim", "ss?", "s", trim_eval, 0, NULL},
    {"ltrim", "ss?", "s", ltrim_eval, 0, NULL},
    {"rtrim", "ss?", "s", rtrim_eval, 0, NULL},
    {"split_part", "ss8", "s", split_part_eval, 0, NULL},
};

const function_set functions_text_part = FUNCTION_SET(rows);
