/* To text: as values are printed; from text: numbers, truth values, bytes, UUIDs. */
#include "expr/cast_own.h"

#include "base/text.h"
#include "column/print.h"
#include "expr/bytes_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

/* ---- to text ---- */

static nrw_status print_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const vector *v = args->at[0];
    text_out t = {.out = out};
    nrw_status st = NRW_OK;
    char text[PRINT_MAX];

    (void)e;
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++)
        if (row_valid(out, i)) {
            size_t n = print_fixed(&v->type, v->data + (size_t)i * v->type.width, text);
            st = text_put(&t, i, text, n, err);
        }
    text_end(&t);
    return st;
}

static nrw_status blob_to_text(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    text_out t = {.out = out};
    nrw_status st = NRW_OK;
    uint8_t *at;

    (void)e;
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        if (!row_valid(out, i))
            continue;
        span s = flat_span(args->at[0], i);
        st = text_room(&t, 4 * s.len, &at, err);
        if (st == NRW_OK)
            text_done(&t, i, print_blob(s.data, s.len, (char *)at));
    }
    text_end(&t);
    return st;
}

scalar_eval cast_to_text_kernel(const type *from, const type *to)
{
    if (to->id != TYPE_UTF8 || type_is_nested(from) || type_is_text(from))
        return NULL;
    if (from->id == TYPE_BINARY || from->id == TYPE_BSON || from->id == TYPE_FIXED)
        return blob_to_text;
    return print_eval;
}

/* ---- numbers ---- */

span trim_blanks(span s)
{
    while (s.len && isspace(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && isspace(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* What a number in decimal digits is made of; the digits without zeros in front. */
typedef struct digits {
    bool negative;
    char at[64];  /* the first of them; more are only counted */
    int n, whole; /* digits kept; digits before the point, negative where zeros follow it */
    int64_t exponent;
} digits;

/* One run of digits with single underscores between them. False: an underscore stands elsewhere. */
static bool take_digits(span s, size_t *at, digits *d, bool whole, bool *any)
{
    bool digit_before = false;

    for (; *at < s.len; (*at)++) {
        uint8_t c = s.data[*at];
        if (c == '_') {
            if (!digit_before || *at + 1 == s.len || !isdigit(s.data[*at + 1]))
                return false;
            digit_before = false;
            continue;
        }
        if (!isdigit(c))
            break;
        digit_before = *any = true;
        if (d->n == 0 && c == '0') {
            d->whole -= !whole;
            continue;
        }
        if (d->n < (int)sizeof d->at)
            d->at[d->n++] = (char)c;
        d->whole += whole;
    }
    return true;
}

static bool take_exponent(span s, size_t *at, digits *d)
{
    bool minus = false, any = false;

    if (*at == s.len || (s.data[*at] != 'e' && s.data[*at] != 'E'))
        return true;
    (*at)++;
    if (*at < s.len && (s.data[*at] == '+' || s.data[*at] == '-'))
        minus = s.data[(*at)++] == '-';
    for (; *at < s.len && isdigit(s.data[*at]); (*at)++) {
        any = true;
        if (d->exponent < 1000000)
            d->exponent = d->exponent * 10 + (s.data[*at] - '0');
    }
    d->exponent = minus ? -d->exponent : d->exponent;
    return any;
}

static bool parse_digits(span s, digits *d)
{
    size_t at = 0;
    bool any = false;

    *d = (digits){0};
    if (at < s.len && (s.data[at] == '-' || s.data[at] == '+'))
        d->negative = s.data[at++] == '-';
    if (!take_digits(s, &at, d, true, &any))
        return false;
    if (at < s.len && s.data[at] == '.') {
        at++;
        if (!take_digits(s, &at, d, false, &any))
            return false;
    }
    return any && take_exponent(s, &at, d) && at == s.len;
}

bool parse_scaled(span s, int scale, i128 *out, bool *beyond)
{
    digits d;
    i128 x = 0;
    int64_t keep;

    *out = 0;
    *beyond = false;
    if (!parse_digits(trim_blanks(s), &d))
        return false;
    keep = d.whole + d.exponent + scale;
    if (d.n == 0 || keep < 0)
        return true;
    if (keep > 39) {
        *beyond = true;
        return true;
    }
    for (int64_t i = 0; i < keep; i++) {
        unsigned digit = i < d.n ? (unsigned)(d.at[i] - '0') : 0;
        if (__builtin_mul_overflow(x, (i128)10, &x) ||
            __builtin_sub_overflow(x, (i128)digit, &x)) /* below 0 there is one number more */
            *beyond = true;
    }
    if (keep < d.n && d.at[keep] >= '5')
        *beyond |= __builtin_sub_overflow(x, (i128)1, &x);
    if (!d.negative)
        *beyond |= __builtin_sub_overflow((i128)0, x, &x);
    *out = x;
    return true;
}

/* 0x1F, 0b101 */
static bool parse_prefixed(span s, u128 *out)
{
    unsigned base = 0;

    *out = 0;
    if (s.len < 3 || s.data[0] != '0')
        return false;
    base = (s.data[1] | 32) == 'x' ? 16 : (s.data[1] | 32) == 'b' ? 2 : 0;
    for (size_t i = 2; base && i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c == '_' && i > 2 && i + 1 < s.len && s.data[i - 1] != '_')
            continue;
        int digit = text_hex_digit(c);
        if (digit < 0 || (unsigned)digit >= base || *out > ((u128)-1 - (unsigned)digit) / base)
            return false;
        *out = *out * base + (unsigned)digit;
    }
    return base != 0;
}

static bool parse_u128(span s, u128 *out)
{
    digits d;

    *out = 0;
    if (!parse_digits(s, &d) || d.negative || d.whole + d.exponent > 39)
        return false;
    for (int64_t i = 0; i < d.whole + d.exponent; i++) {
        unsigned digit = i < d.n ? (unsigned)(d.at[i] - '0') : 0;
        if (*out > ((u128)-1 - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return true;
}

static bool parse_int(span s, const type *t, uint8_t *out)
{
    u128 u;
    i128 x;
    bool beyond;

    s = trim_blanks(s);
    if (parse_prefixed(s, &u))
        return u <= (u128)-1 >> 1 && store_int(t, (i128)u, out);
    if (parse_scaled(s, 0, &x, &beyond) && !beyond)
        return store_int(t, x, out);
    if (t->id != TYPE_UINT128 || !parse_u128(s, &u))
        return false;
    memcpy(out, &u, sizeof u);
    return true;
}

/* One digit after the other, as most are; false where there is anything else. */
static bool parse_plain(span s, int64_t *out)
{
    int64_t x = 0;
    bool minus = s.len && s.data[0] == '-';

    if (s.len == minus || s.len > 18)
        return false;
    for (size_t i = minus; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        x = x * 10 + (s.data[i] - '0');
    }
    *out = minus ? -x : x;
    return true;
}

static nrw_status text_to_int(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    uint32_t width = out->type.width;
    int64_t x;

    memset(out->data, 0, (size_t)args->rows * width);
    for (uint32_t i = 0; i < args->rows; i++) {
        if (!row_valid(out, i))
            continue;
        span s = view_span(args->at[0], i);
        uint8_t *z = out->data + (size_t)i * width;
        if (!(parse_plain(s, &x) ? store_int(&out->type, x, z) : parse_int(s, &out->type, z)))
            TRY(cast_fail(e, out, i, args->at[0], i, err));
    }
    return NRW_OK;
}

static nrw_status text_to_decimal(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    uint32_t width = out->type.width;
    i128 x;
    bool beyond;

    memset(out->data, 0, (size_t)args->rows * width);
    for (uint32_t i = 0; i < args->rows; i++) {
        if (!row_valid(out, i))
            continue;
        if (!parse_scaled(view_span(args->at[0], i), out->type.scale, &x, &beyond) || beyond ||
            beyond_digits(x, out->type.precision))
            TRY(cast_fail(e, out, i, args->at[0], i, err));
        else
            memcpy(out->data + (size_t)i * width, &x, width);
    }
    return NRW_OK;
}

/* Digits without underscores, for strtod; false where it is no number. */
static bool clean_number(span s, char *out, size_t cap)
{
    digits d;
    size_t n = 0;

    if (s.len >= cap || !parse_digits(s, &d))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != '_')
            out[n++] = (char)s.data[i];
    out[n] = 0;
    return true;
}

static bool parse_special(span s, double *out)
{
    bool minus = s.len && s.data[0] == '-';

    if (s.len && (s.data[0] == '-' || s.data[0] == '+'))
        s = (span){s.data + 1, s.len - 1};
    if (span_is_word(s, "nan"))
        *out = (double)NAN;
    else if (span_is_word(s, "inf") || span_is_word(s, "infinity"))
        *out = (double)INFINITY;
    else
        return false;
    *out = minus ? -*out : *out;
    return true;
}

bool parse_double(span s, double *out)
{
    char text[512];

    s = trim_blanks(s);
    if (parse_special(s, out))
        return true;
    if (!clean_number(s, text, sizeof text))
        return false;
    *out = strtod(text, NULL);
    return true;
}

bool parse_float(span s, float *out)
{
    char text[512];
    double d;

    s = trim_blanks(s);
    if (parse_special(s, &d)) {
        *out = (float)d;
        return true;
    }
    if (!clean_number(s, text, sizeof text))
        return false;
    *out = strtof(text, NULL);
    return true;
}

#define TEXT_TO(name, T, parse)                                                                    \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        for (uint32_t i = 0; i < args->rows; i++)                                                  \
            if (row_valid(out, i) && !parse(view_span(args->at[0], i), &OUT(T, out)[i]))           \
                TRY(cast_fail(e, out, i, args->at[0], i, err));                                    \
        return NRW_OK;                                                                             \
    }

static bool parse_bool(span s, uint8_t *out)
{
    *out = span_is_word(s, "true") || span_is_word(s, "t") || span_is_word(s, "yes") ||
           span_is_word(s, "y") || span_is_word(s, "1");
    return *out || span_is_word(s, "false") || span_is_word(s, "f") || span_is_word(s, "no") ||
           span_is_word(s, "n") || span_is_word(s, "0");
}

typedef struct uuid {
    uint8_t at[16];
} uuid;

/* Braces may stand around. */
static bool parse_uuid(span s, uuid *out)
{
    if (s.len >= 2 && s.data[0] == '{' && s.data[s.len - 1] == '}')
        s = (span){s.data + 1, s.len - 2};
    return read_uuid(s, out->at);
}

TEXT_TO(text_to_double, double, parse_double)
TEXT_TO(text_to_float, float, parse_float)
TEXT_TO(text_to_bool, uint8_t, parse_bool)
TEXT_TO(text_to_uuid, uuid, parse_uuid)

/* ---- bytes ---- */

static nrw_status text_to_blob(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    text_out t = {.out = out};
    nrw_status st = NRW_OK;
    uint8_t *at;
    size_t n;

    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        if (!row_valid(out, i))
            continue;
        span s = view_span(args->at[0], i);
        st = text_room(&t, s.len, &at, err);
        if (st == NRW_OK && read_blob(s, at, &n))
            text_done(&t, i, n);
        else if (st == NRW_OK)
            st = cast_fail(e, out, i, args->at[0], i, err);
    }
    text_end(&t);
    return st;
}

scalar_eval cast_from_text_kernel(const type *from, const type *to)
{
    if (!type_is_text(from))
        return NULL;
    if (type_is_integer(to))
        return text_to_int;
    switch (to->id) {
    case TYPE_DECIMAL: return to->precision <= 38 ? text_to_decimal : NULL;
    case TYPE_FLOAT64: return text_to_double;
    case TYPE_FLOAT32: return text_to_float;
    case TYPE_BOOL: return text_to_bool;
    case TYPE_UUID: return text_to_uuid;
    case TYPE_BINARY: return text_to_blob;
    default: return NULL;
    }
}
