/* Literals as values of a column's type, exactly: what falls between two values says so. */
#include "expr/own.h"

#include "base/civil.h"
#include "base/utf8.h"
#include "column/print.h"
#include "expr/bytes_text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* ---- keys ---- */

bool type_has_key(const type *t)
{
    switch (t->id) {
    case TYPE_DECIMAL: return t->width <= 8;
    case TYPE_NULL:
    case TYPE_INT128:
    case TYPE_UINT128:
    case TYPE_INTERVAL:
    case TYPE_UTF8:
    case TYPE_BINARY:
    case TYPE_FIXED:
    case TYPE_UUID:
    case TYPE_JSON:
    case TYPE_BSON:
    case TYPE_ENUM: return false;
    default: return true;
    }
}

int64_t key_of_double(double x)
{
    int64_t bits;

    if (isnan(x))
        return INT64_MAX;
    if (x == 0)
        return 0;
    memcpy(&bits, &x, sizeof bits);
    return bits >= 0 ? bits : -(bits & INT64_MAX);
}

double double_of_key(int64_t key)
{
    int64_t bits = key >= 0 ? key : -key | INT64_MIN;
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

int64_t key_of_value(const type *t, const uint8_t *p)
{
    float f;
    double d;
    int16_t i16;

    switch (t->id) {
    case TYPE_BOOL:
    case TYPE_UINT8: return *p;
    case TYPE_INT8: return (int8_t)*p;
    case TYPE_INT16: memcpy(&i16, p, 2); return i16;
    case TYPE_UINT16: memcpy(&i16, p, 2); return (uint16_t)i16;
    case TYPE_INT32:
    case TYPE_DATE: return (int32_t)load_u32(p);
    case TYPE_UINT32: return load_u32(p);
    case TYPE_UINT64: return (int64_t)(load_u64(p) ^ (uint64_t)1 << 63);
    case TYPE_FLOAT16: memcpy(&i16, p, 2); return key_of_double(print_half_to_float((uint16_t)i16));
    case TYPE_FLOAT32: memcpy(&f, p, 4); return key_of_double(f);
    case TYPE_FLOAT64: memcpy(&d, p, 8); return key_of_double(d);
    case TYPE_DECIMAL: return t->width == 4 ? (int32_t)load_u32(p) : (int64_t)load_u64(p);
    default: return (int64_t)load_u64(p);
    }
}

/* ---- numbers ---- */

/* 0.d1d2d3... * 10^point, d1 and the last digit not 0; no digits: zero. */
typedef struct number {
    bool negative, exponent; /* exponent: one was written */
    char *digits;
    size_t n;
    int64_t point;
    char *text; /* with sign, without underscores, for strtod */
} number;

/* The exponent behind e, held within +-10^6: no type reaches further. */
static bool read_exponent(span s, size_t at, int64_t *out)
{
    bool negative = at < s.len && s.data[at] == '-';
    size_t from = at += at < s.len && (s.data[at] == '-' || s.data[at] == '+');

    *out = 0;
    for (; at < s.len && s.data[at] >= '0' && s.data[at] <= '9'; at++)
        if (*out < 1000000)
            *out = *out * 10 + (s.data[at] - '0');
    *out = negative ? -*out : *out;
    return at > from && at == s.len;
}

static bool read_digits(span s, number *x)
{
    size_t n_text = strlen(x->text), seen = 0, i = 0;
    bool point = false;
    int64_t exponent = 0;

    for (; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c == '_')
            continue;
        if ((c | 32) == 'e')
            break;
        if (c == '.' ? point : c < '0' || c > '9')
            return false;
        x->text[n_text++] = (char)c;
        if (c == '.') {
            point = true;
            continue;
        }
        seen++;
        if (c != '0' || x->n)
            x->digits[x->n++] = (char)c;
        if (point ? x->n == 0 : x->n > 0)
            x->point += point ? -1 : 1;
    }
    if (i < s.len) {
        x->exponent = true;
        if (!seen || !read_exponent(s, i + 1, &exponent))
            return false;
        memcpy(x->text + n_text, s.data + i, s.len - i);
        n_text += s.len - i;
    }
    x->text[n_text] = '\0';
    while (x->n && x->digits[x->n - 1] == '0')
        x->n--;
    x->point += exponent;
    return seen > 0;
}

/* false: s is no number. */
static nrw_status read_number(arena *a, span s, bool negative, number *x, bool *is, nrw_error *err)
{
    *x = (number){.negative = negative};
    TRY(arena_alloc(a, s.len + 1, (void **)&x->digits, err));
    TRY(arena_alloc(a, s.len + 2, (void **)&x->text, err));
    if (s.len && (*s.data == '-' || *s.data == '+')) {
        x->negative ^= *s.data == '-';
        s = (span){s.data + 1, s.len - 1};
    }
    x->text[0] = x->negative ? '-' : '\0';
    *is = read_digits(s, x);
    return NRW_OK;
}

#define LIMBS       9
#define MOST_DIGITS 80 /* fewer than 2^288; no type holds more */

/* magnitude = magnitude * factor + add */
static void grow(uint32_t *magnitude, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;

    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)magnitude[i] * factor;
        magnitude[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Two's complement of `width` bytes; false: it has no room there. */
static bool store_signed(const uint32_t *magnitude, bool negative, uint32_t width, uint8_t *out)
{
    uint64_t carry = negative;
    uint32_t limbs = width / 4, top = magnitude[limbs - 1];
    bool zero_below = true;

    for (uint32_t i = limbs; i < LIMBS; i++)
        if (magnitude[i])
            return false;
    for (uint32_t i = 0; i + 1 < limbs; i++)
        zero_below &= magnitude[i] == 0;
    if (top >> 31 && !(negative && top == 1u << 31 && zero_below))
        return false;
    for (uint32_t i = 0; i < limbs; i++) {
        carry += negative ? (uint32_t)~magnitude[i] : magnitude[i];
        store_u32(out + (size_t)4 * i, (uint32_t)carry);
        carry >>= 32;
    }
    return true;
}

/* The number in units of 10^-scale as an integer of `width` bytes, rounded down. */
static place_kind whole_number(const number *x, int scale, uint32_t width, uint8_t *out)
{
    uint32_t magnitude[LIMBS] = {0};
    int64_t whole = x->point + scale; /* digits before the point */
    bool rest = x->n > 0 && (whole < 0 || (uint64_t)whole < x->n);

    if (x->n > 0 && whole > MOST_DIGITS)
        return x->negative ? PLACE_BELOW : PLACE_ABOVE;
    for (int64_t i = 0; x->n > 0 && i < whole; i++)
        grow(magnitude, 10, (size_t)i < x->n ? (uint32_t)(x->digits[i] - '0') : 0);
    if (rest && x->negative)
        grow(magnitude, 1, 1);
    if (!store_signed(magnitude, x->negative, width, out))
        return x->negative ? PLACE_BELOW : PLACE_ABOVE;
    return rest ? PLACE_BEHIND : PLACE_AT;
}

static void place_unsigned(const number *x, place *out)
{
    uint8_t wide[16];

    out->kind = whole_number(x, 0, 16, wide);
    if (out->kind >= PLACE_BELOW)
        return;
    if (load_u64(wide + 8) >> 63)
        out->kind = PLACE_BELOW;
    else if (load_u64(wide + 8))
        out->kind = PLACE_ABOVE;
    out->key = (int64_t)(load_u64(wide) ^ (uint64_t)1 << 63);
}

static void place_float(const number *x, bool narrow, place *out)
{
    double d = narrow && !x->exponent ? strtof(x->text, NULL) : strtod(x->text, NULL);

    out->kind = PLACE_AT;
    if (isinf(d)) { /* greater than all numbers, less than infinity */
        out->kind = PLACE_BEHIND;
        d = d > 0 ? DBL_MAX : d;
    }
    out->key = key_of_double(d);
}

static bool is_special(span s, double *out)
{
    static const struct {
        char text[10];
        double value;
    } specials[] = {{"nan", (double)NAN},
                    {"inf", (double)INFINITY},
                    {"infinity", (double)INFINITY},
                    {"-inf", -(double)INFINITY},
                    {"-infinity", -(double)INFINITY}};

    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (span_is_word(s, specials[i].text)) {
            *out = specials[i].value;
            return true;
        }
    return false;
}

static bool is_float(const type *t)
{
    return t->id == TYPE_FLOAT16 || t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT64;
}

/* *is: the literal is a number; of text for whole numbers a whole one. */
static nrw_status place_number(arena *a, const node *n, const type *t, place *out, bool *is,
                               nrw_error *err)
{
    uint8_t *value;
    number x;
    double special;

    *is = n->literal == LITERAL_NUMBER || n->literal == LITERAL_STRING;
    if (!*is)
        return NRW_OK;
    if (n->literal == LITERAL_STRING && is_float(t) && is_special(n->text, &special)) {
        *out = (place){.key = key_of_double(special)};
        return NRW_OK;
    }
    TRY(read_number(a, n->text, n->negative, &x, is, err));
    if (!*is)
        return NRW_OK;
    if (is_float(t)) {
        place_float(&x, t->id != TYPE_FLOAT64, out);
    } else if (t->id == TYPE_UINT64) {
        place_unsigned(&x, out);
    } else {
        uint32_t width = t->id == TYPE_DECIMAL && t->width > 8 ? t->width : 8;
        TRY(arena_alloc(a, width, (void **)&value, err));
        out->kind = whole_number(&x, t->id == TYPE_DECIMAL ? t->scale : 0, width, value);
        out->value = (span){value, width};
        out->key = (int64_t)load_u64(value);
    }
    *is = n->literal == LITERAL_NUMBER || t->id == TYPE_DECIMAL || is_float(t) ||
          out->kind != PLACE_BEHIND;
    return NRW_OK;
}

/* ---- dates and times ---- */

static bool place_date(const node *n, place *out)
{
    moment m;

    if (n->literal == LITERAL_TIMESTAMP ? !moment_parse_timestamp(n->text, &m)
                                        : !moment_parse_date(n->text, &m))
        return false;
    out->key = floor_div(m.seconds, 86400);
    out->kind = m.seconds % 86400 || m.nanos ? PLACE_BEHIND : PLACE_AT;
    return n->literal == LITERAL_STRING || n->literal == LITERAL_DATE ||
           n->literal == LITERAL_TIMESTAMP;
}

/* A moment in units of the type. */
static void place_moment(const moment *m, time_unit unit, place *out)
{
    int64_t per_second = units_per_second(unit), nanos = 1000000000 / per_second;
    __int128 v = (__int128)m->seconds * per_second + m->nanos / nanos;

    out->kind = m->nanos % nanos ? PLACE_BEHIND : PLACE_AT;
    if (v < INT64_MIN)
        out->kind = PLACE_BELOW;
    if (v > INT64_MAX)
        out->kind = PLACE_ABOVE;
    out->key = (int64_t)v;
}

static bool place_timestamp(const node *n, const type *t, place *out)
{
    moment m;

    if (n->literal != LITERAL_STRING && n->literal != LITERAL_DATE &&
        n->literal != LITERAL_TIMESTAMP)
        return false;
    if (n->literal == LITERAL_DATE ? !moment_parse_date(n->text, &m)
                                   : !moment_parse_timestamp(n->text, &m))
        return false;
    place_moment(&m, t->unit, out);
    return true;
}

static bool place_time(const node *n, const type *t, place *out)
{
    moment m;

    if ((n->literal != LITERAL_STRING && n->literal != LITERAL_TIME) ||
        !moment_parse_time(n->text, &m))
        return false;
    place_moment(&m, t->unit, out);
    return true;
}

static bool place_bool(const node *n, place *out)
{
    static const char *const words[] = {"false", "true", "f", "t", "0", "1"};

    if (n->literal == LITERAL_BOOL) {
        out->key = n->value;
        return true;
    }
    for (int i = 0; n->literal == LITERAL_STRING && i < 6; i++)
        if (span_is_word(n->text, words[i])) {
            out->key = i & 1;
            return true;
        }
    return false;
}

/* ---- bytes ---- */

static nrw_status place_binary(arena *a, const node *n, place *out, bool *is, nrw_error *err)
{
    uint8_t *to;
    size_t len;

    *is = n->literal == LITERAL_STRING;
    if (!*is)
        return NRW_OK;
    TRY(arena_alloc(a, n->text.len + 1, (void **)&to, err));
    *is = read_blob(n->text, to, &len);
    out->value = (span){to, len};
    return NRW_OK;
}

static nrw_status place_uuid(arena *a, const node *n, place *out, bool *is, nrw_error *err)
{
    uint8_t *to;

    TRY(arena_alloc(a, 16, (void **)&to, err));
    *is = n->literal == LITERAL_STRING && read_uuid(n->text, to);
    out->value = (span){to, 16};
    return NRW_OK;
}

static nrw_status find_place(arena *a, const node *n, const type *t, place *out, bool *is,
                             nrw_error *err)
{
    *out = (place){.kind = PLACE_AT};
    switch (t->id) {
    case TYPE_BOOL: *is = place_bool(n, out); return NRW_OK;
    case TYPE_DATE: *is = place_date(n, out); return NRW_OK;
    case TYPE_TIMESTAMP: *is = place_timestamp(n, t, out); return NRW_OK;
    case TYPE_TIME: *is = place_time(n, t, out); return NRW_OK;
    case TYPE_UTF8:
    case TYPE_JSON:
    case TYPE_ENUM:
        *is = n->literal == LITERAL_STRING;
        out->value = n->text;
        return NRW_OK;
    case TYPE_BINARY:
    case TYPE_BSON:
    case TYPE_FIXED: return place_binary(a, n, out, is, err);
    case TYPE_UUID: return place_uuid(a, n, out, is, err);
    default: return place_number(a, n, t, out, is, err);
    }
}

nrw_status literal_place(arena *a, const char *text, const node *n, const type *t, place *out,
                         nrw_error *err)
{
    static const char *const kinds[] = {
        [LITERAL_NULL] = "NULL",       [LITERAL_BOOL] = "a truth value",
        [LITERAL_NUMBER] = "a number", [LITERAL_STRING] = "text",
        [LITERAL_DATE] = "a date",     [LITERAL_TIMESTAMP] = "a timestamp",
        [LITERAL_TIME] = "a time"};
    char name[64];
    bool is = false;
    int len = (int)utf8_cut(n->text.data, n->text.len, 60);

    TRY(find_place(a, n, t, out, &is, err));
    if (is)
        return NRW_OK;
    type_print(t, name, sizeof name);
    if (n->literal == LITERAL_NUMBER && type_is_view(t))
        err_next(err, "text is written in quotes: '%.*s'", len, (const char *)n->text.data);
    if (n->literal == LITERAL_STRING || n->literal >= LITERAL_DATE)
        return expr_fail(text, n->at, err, "'%.*s' is not %s", len, (const char *)n->text.data,
                         name);
    return expr_fail(text, n->at, err, "%s is compared with %s", name, kinds[n->literal]);
}
