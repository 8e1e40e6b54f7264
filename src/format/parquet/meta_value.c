/* Values of statistics: as text, and which of two is the smaller. */
#include "base/civil.h"
#include "column/print.h"
#include "format/parquet/meta_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { DECIMAL_MOST = 64, DIGITS = 160 };

static size_t printed(int n)
{
    return n < 0 ? 0 : (size_t)n;
}

static size_t put_text(span v, char *out, size_t cap)
{
    if (cap) {
        size_t n = size_min(v.len, cap - 1);
        if (n)
            memcpy(out, v.data, n);
        out[n] = 0;
    }
    return v.len;
}

static size_t put_hex(span v, char *out, size_t cap)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < 2 + 2 * v.len && n + 1 < cap; i++, n++) {
        uint8_t b = i < 2 ? 0 : v.data[(i - 2) / 2];
        out[n] = i == 0 ? '0' : i == 1 ? 'x' : digits[i % 2 ? b & 15 : b >> 4];
    }
    if (cap)
        out[n] = 0;
    return 2 + 2 * v.len;
}

/* The shortest decimal that gives the number back. */
static size_t put_double(double d, char *out, size_t cap)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    return printed(snprintf(out, cap, "%s", text));
}

static size_t put_float(float f, char *out, size_t cap)
{
    char text[40];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)f);
        if (strtof(text, NULL) == f)
            break;
    }
    return printed(snprintf(out, cap, "%s", text));
}

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
static double half_value(const uint8_t *p)
{
    unsigned bits = p[0] | (unsigned)p[1] << 8, exponent = bits >> 10 & 31;
    double fraction = bits & 1023, v;
    if (exponent == 31)
        v = fraction != 0 ? __builtin_nan("") : __builtin_inf();
    else
        v = exponent ? __builtin_ldexp(fraction + 1024, (int)exponent - 25)
                     : __builtin_ldexp(fraction, -24);
    return bits & 0x8000 ? -v : v;
}

static float float_value(const uint8_t *p)
{
    float f;
    memcpy(&f, p, sizeof f);
    return f;
}

static double double_value(const uint8_t *p)
{
    double d;
    memcpy(&d, p, sizeof d);
    return d;
}

/* INT32 and INT64 as a number; the caller knows the width is right. */
static int64_t integer_value(const pq_leaf *l, span v)
{
    return l->physical == PQ_INT32 ? (int32_t)load_u32(v.data) : (int64_t)load_u64(v.data);
}

static uint64_t unsigned_value(const pq_leaf *l, span v)
{
    return l->physical == PQ_INT32 ? load_u32(v.data) : load_u64(v.data);
}

/* ---- decimals ---- */
/* Big-endian two's complement, whatever the physical type. */
static span decimal_bytes(const pq_leaf *l, span v, uint8_t swapped[8])
{
    if (l->physical != PQ_INT32 && l->physical != PQ_INT64)
        return v;
    for (size_t i = 0; i < v.len; i++)
        swapped[i] = v.data[v.len - 1 - i];
    return (span){swapped, v.len};
}

/* Digits of the magnitude, lowest first; divides in place. */
static size_t decimal_digits(uint8_t *magnitude, size_t len, char digits[DIGITS])
{
    size_t n = 0;
    for (bool more = len > 0; more && n < DIGITS;) {
        unsigned rest = 0;
        more = false;
        for (size_t i = 0; i < len; i++) {
            unsigned part = rest << 8 | magnitude[i];
            magnitude[i] = (uint8_t)(part / 10);
            rest = part % 10;
            more = more || magnitude[i];
        }
        digits[n++] = (char)('0' + rest);
    }
    return n;
}

static size_t put_decimal(const pq_leaf *l, span v, char *out, size_t cap)
{
    uint8_t swapped[8], magnitude[DECIMAL_MOST];
    char digits[DIGITS] = {0}, text[DIGITS + 80];
    v = decimal_bytes(l, v, swapped);
    if (v.len > DECIMAL_MOST || v.len == 0)
        return put_hex(v, out, cap);
    bool negative = v.data[0] & 0x80;
    unsigned carry = 1;
    for (size_t i = v.len; i-- > 0;) {
        unsigned b = negative ? (uint8_t)~v.data[i] + carry : v.data[i];
        carry = negative && b > 255;
        magnitude[i] = (uint8_t)b;
    }
    size_t n = decimal_digits(magnitude, v.len, digits), to = 0;
    size_t scale = (size_t)l->field.type.scale;
    while (n < scale + 1 && n < DIGITS)
        digits[n++] = '0';
    if (negative)
        text[to++] = '-';
    while (n > 0) {
        text[to++] = digits[--n];
        if (n == scale && n)
            text[to++] = '.';
    }
    return put_text((span){(uint8_t *)text, to}, out, cap);
}

/* ---- dates and times ---- */
static int print_days(int64_t days, char *out, size_t cap)
{
    civil c = civil_of_days(days);
    return snprintf(out, cap, "%04lld-%02d-%02d", (long long)c.year, c.month, c.day);
}

/* Units since midnight; the fraction without trailing zeros. */
static int print_clock(int64_t v, time_unit unit, char *out, size_t cap)
{
    static const int places[] = {0, 0, 3, 6, 9};
    static const int64_t per_second[] = {1, 1, 1000, 1000000, 1000000000};
    int64_t seconds = v / per_second[unit], fraction = v % per_second[unit];
    int n = places[unit];
    for (; n > 0 && fraction % 10 == 0; n--)
        fraction /= 10;
    int hours = (int)(seconds / 3600), minutes = (int)(seconds / 60 % 60);
    if (n == 0)
        return snprintf(out, cap, "%02d:%02d:%02d", hours, minutes, (int)(seconds % 60));
    return snprintf(out, cap, "%02d:%02d:%02d.%0*lld", hours, minutes, (int)(seconds % 60), n,
                    (long long)fraction);
}

static int64_t day_units(time_unit unit)
{
    static const int64_t per_day[] = {86400, 86400, 86400000, 86400000000, 86400000000000};
    return per_day[unit];
}

static size_t put_time(const type *t, int64_t v, char *out, size_t cap)
{
    char text[64];
    if (v < 0 || v > day_units(t->unit))
        return printed(snprintf(out, cap, "%lld", (long long)v));
    print_clock(v, t->unit, text, sizeof text);
    return printed(snprintf(out, cap, "%s%s", text, t->utc ? "+00" : ""));
}

static size_t put_timestamp(const type *t, int64_t v, char *out, size_t cap)
{
    char date[40], clock[40];
    int64_t per_day = day_units(t->unit), days = v / per_day, rest = v % per_day;
    if (rest < 0) {
        rest += per_day;
        days--;
    }
    print_days(days, date, sizeof date);
    print_clock(rest, t->unit, clock, sizeof clock);
    return printed(snprintf(out, cap, "%s %s%s", date, clock, t->utc ? "+00" : ""));
}

static size_t put_uuid(span v, char *out, size_t cap)
{
    char text[40];
    size_t n = 0;
    for (size_t i = 0; i < 16; i++)
        n += printed(snprintf(text + n, sizeof text - n, "%s%02x",
                              i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", v.data[i]));
    return put_text((span){(uint8_t *)text, n}, out, cap);
}

size_t pq_value_width(const pq_leaf *l)
{
    switch (l->physical) {
    case PQ_BOOLEAN: return 1;
    case PQ_INT32:
    case PQ_FLOAT: return 4;
    case PQ_INT64:
    case PQ_DOUBLE: return 8;
    case PQ_INT96: return 12;
    case PQ_FIXED_LEN_BYTE_ARRAY: {
        /* Raw bytes and decimals compare and print at any length. */
        type_id id = l->field.type.id;
        return id == TYPE_FIXED || id == TYPE_DECIMAL ? 0 : l->type_length;
    }
    default: return 0;
    }
}

size_t pq_value_print(const pq_leaf *l, span v, char *out, size_t cap)
{
    const type *t = &l->field.type;
    size_t width = pq_value_width(l);
    if (l->physical == PQ_INT96 || (width && v.len != width))
        return put_hex(v, out, cap);
    switch (t->id) {
    case TYPE_BOOL: return printed(snprintf(out, cap, "%s", v.data[0] ? "true" : "false"));
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64: return printed(snprintf(out, cap, "%lld", (long long)integer_value(l, v)));
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64:
        return printed(snprintf(out, cap, "%llu", (unsigned long long)unsigned_value(l, v)));
    case TYPE_FLOAT16: return put_float((float)half_value(v.data), out, cap);
    case TYPE_FLOAT32: return put_float(float_value(v.data), out, cap);
    case TYPE_FLOAT64: return put_double(double_value(v.data), out, cap);
    case TYPE_DECIMAL: return put_decimal(l, v, out, cap);
    case TYPE_DATE: return printed(print_days(integer_value(l, v), out, cap));
    case TYPE_TIME: return put_time(t, integer_value(l, v), out, cap);
    case TYPE_TIMESTAMP: return put_timestamp(t, integer_value(l, v), out, cap);
    case TYPE_DURATION: {
        char text[PRINT_MAX];
        size_t n = print_fixed(t, v.data, text);
        return put_text((span){(uint8_t *)text, n}, out, cap);
    }
    case TYPE_UTF8:
    case TYPE_JSON:
    case TYPE_ENUM: return put_text(v, out, cap);
    case TYPE_UUID: return put_uuid(v, out, cap);
    default: return put_hex(v, out, cap);
    }
}

/* ---- order ---- */
/* Big-endian two's complement of maybe different lengths. */
static int compare_decimals(span a, span b)
{
    uint8_t fill_a = a.len && a.data[0] & 0x80 ? 0xff : 0;
    uint8_t fill_b = b.len && b.data[0] & 0x80 ? 0xff : 0;
    if (fill_a != fill_b)
        return fill_a ? -1 : 1;
    size_t n = size_max(a.len, b.len);
    for (size_t i = 0; i < n; i++) {
        uint8_t x = i + a.len < n ? fill_a : a.data[i + a.len - n];
        uint8_t y = i + b.len < n ? fill_b : b.data[i + b.len - n];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static int compare_doubles(double a, double b)
{
    return (a > b) - (a < b);
}

int pq_value_compare(const pq_leaf *l, span a, span b)
{
    size_t width = pq_value_width(l);
    if (width && (a.len != width || b.len != width))
        return span_compare(a, b);
    switch (l->field.type.id) {
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64: {
        uint64_t x = unsigned_value(l, a), y = unsigned_value(l, b);
        return (x > y) - (x < y);
    }
    case TYPE_FLOAT16: return compare_doubles(half_value(a.data), half_value(b.data));
    case TYPE_FLOAT32: return compare_doubles(float_value(a.data), float_value(b.data));
    case TYPE_FLOAT64: return compare_doubles(double_value(a.data), double_value(b.data));
    default: break;
    }
    if (l->physical == PQ_INT32 || l->physical == PQ_INT64) {
        int64_t x = integer_value(l, a), y = integer_value(l, b);
        return (x > y) - (x < y);
    }
    return l->field.type.id == TYPE_DECIMAL ? compare_decimals(a, b) : span_compare(a, b);
}
