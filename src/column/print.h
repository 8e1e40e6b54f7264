/* Values as text, spelled as DuckDB spells them: VARCHAR casts, and numbers for JSON. */
#ifndef COLUMN_PRINT_H
#define COLUMN_PRINT_H

#include "base/buffer.h"
#include "column/type.h"

/* No value of a fixed-width type but TYPE_FIXED is longer than this. */
#define PRINT_MAX 192

/* All of these write at `out` (room for PRINT_MAX, no terminating zero) and return the length. */
size_t print_u64(uint64_t x, char *out);
size_t print_i64(int64_t x, char *out);
/* The shortest digits that read back as the same number: 1.0, 1e+20, -0.0, nan, inf. */
size_t print_f64(double x, char *out);
size_t print_f32(float x, char *out);
/* The same digits as a JSON number: 1.0, 1e21, 0.000001; NaN and Infinity, as DuckDB has them. */
size_t print_json_f64(double x, char *out);
/* Little-endian two's complement of `width` bytes (4, 8, 16, 32). */
size_t print_decimal(const uint8_t *value, uint32_t width, int scale, char *out);
/* 16 bytes, little-endian, without sign. */
size_t print_u128(const uint8_t *value, char *out);
size_t print_date(int32_t days, char *out);

/* A value of a fixed-width type other than TYPE_FIXED, as flat vectors hold it. */
size_t print_fixed(const type *t, const uint8_t *value, char *out);

/* Bytes as DuckDB casts BLOB to text: printable ASCII as it is, quotes, backslash and all else
 * as \xAA. `out` has room for 4 * n. */
size_t print_blob(const uint8_t *p, size_t n, char *out);

/* Any value (a view's bytes, else the type's width) appended to `out`: text as it is. */
nrw_status print_value(const type *t, span value, bytes *out, nrw_error *err);

/* The same into a short buffer, for messages and statistics: cut with "..." at a character
 * where it does not fit, always terminated. cap >= 8. Returns the length written. */
size_t print_short(const type *t, span value, char *out, size_t cap);

static inline float print_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, frac = h & 1023, bits;
    float f;
    if (exp == 31) {
        bits = sign | 0x7f800000u | frac << 13;
    } else if (exp) {
        bits = sign | (exp + 112) << 23 | frac << 13;
    } else {
        f = (float)frac * 0x1p-24f;
        return sign ? -f : f;
    }
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Decimal digits of the shortest number that reads back: value = digits * 10^exponent, without
 * trailing zeros (0 is 0). For finite, positive numbers. */
typedef struct print_digits {
    uint64_t digits;
    int exponent;
} print_digits;
print_digits print_shortest_f64(double x);
print_digits print_shortest_f32(float x);
/* Such digits, laid out as a JSON number. */
size_t print_json_digits(print_digits d, bool negative, char *out);

#endif
