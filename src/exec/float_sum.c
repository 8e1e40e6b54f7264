#include "exec/aggregate_own.h"

#include <math.h>

#define DIGIT_BITS 24
#define DIGIT      0x1p24L

/* Either kind of sum: its digits lie behind one head. */
typedef struct window {
    uint64_t *head;
    int64_t *digits;
    int32_t n;
} window;

#define WINDOW(s) ((window){&(s)->head, (s)->digits, sizeof(s)->digits / 8})
#define ONE       (UINT64_C(1) << 16)

/* For the number of digits to be a constant. */
#define INNER static inline __attribute__((always_inline))

static inline int32_t top_of(uint64_t head)
{
    return (int32_t)(head & 0xff);
}

/* Makes `top` the window's first digit. */
static inline void raise_top(window w, int32_t top)
{
    int32_t by = top - (top_of(*w.head) - 1);

    for (int32_t j = w.n - 1; top_of(*w.head) && j >= 0; j--)
        w.digits[j] = j >= by ? w.digits[j - by] : 0;
    *w.head = (*w.head & ~UINT64_C(0xff)) | (uint64_t)(top + 1);
}

/* Where the digit numbered `low` is in the window that has at least `top` as its first one. */
INNER int32_t place_of(window w, int32_t low, int32_t top)
{
    if (top >= top_of(*w.head))
        raise_top(w, top);
    return top_of(*w.head) - 1 - low;
}

/* n digits, of which the lowest is at j. */
INNER void put_digits(window w, int32_t j, int32_t n, unsigned __int128 wide, int64_t sign)
{
    for (int32_t k = 0; k < n; k++, j--) {
        if (j < w.n)
            w.digits[j] += sign * (int64_t)((uint64_t)wide & ((1u << DIGIT_BITS) - 1));
        wide >>= DIGIT_BITS;
    }
}

#define MANTISSA 52

static inline int32_t exponent_of(uint64_t bits)
{
    return (int32_t)(bits >> MANTISSA & 0x7ff);
}

/* A number neither zero nor tiny nor special, all of whose digits lie in the window: true, and it
 * was added; as most are, without a branch but that one. */
INNER bool add_within(window w, uint64_t bits)
{
    const uint64_t mantissa = (bits & ((UINT64_C(1) << MANTISSA) - 1)) | UINT64_C(1) << MANTISSA,
                   mask = (UINT64_C(1) << DIGIT_BITS) - 1, sign = 0 - (bits >> 63);
    const uint32_t power = (uint32_t)exponent_of(bits) - 1, in = power % DIGIT_BITS,
                   j = (uint32_t)top_of(*w.head) - 1 - power / DIGIT_BITS,
                   over = 3 * DIGIT_BITS - in;
    uint64_t *at;

    if (power >= 0x7fe || j - 3 > (uint32_t)w.n - 4)
        return false;
    at = (uint64_t *)(void *)w.digits + j;
    at[0] += ((mantissa << in & mask) ^ sign) - sign;
    at[-1] += ((mantissa << in >> DIGIT_BITS & mask) ^ sign) - sign;
    at[-2] += ((mantissa >> (2 * DIGIT_BITS - in) & mask) ^ sign) - sign;
    at[-3] += ((mantissa >> (over < 63 ? over : 63)) ^ sign) - sign;
    return true;
}

static void add_any(window w, uint64_t bits)
{
    uint64_t mantissa;
    int32_t exponent, low;

    exponent = exponent_of(bits);
    mantissa = bits & ((UINT64_C(1) << MANTISSA) - 1);
    if (exponent == 0x7ff) {
        *w.head |= (uint64_t)(mantissa ? 1 : bits >> 63 ? 4 : 2) << 8;
        return;
    }
    if (exponent)
        mantissa |= UINT64_C(1) << MANTISSA;
    else
        exponent = 1;
    if (mantissa == 0)
        return;
    low = (exponent - 1) / DIGIT_BITS;
    put_digits(w, place_of(w, low, low + 3), 4,
               (unsigned __int128)mantissa << ((exponent - 1) % DIGIT_BITS), bits >> 63 ? -1 : 1);
}

INNER void add(window w, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    *w.head += ONE;
    if (!add_within(w, bits))
        add_any(w, bits);
}

static inline void merge(window into, window from)
{
    int32_t top = top_of(*from.head);

    *into.head += *from.head >> 16 << 16;
    *into.head |= (uint64_t)sum_odd(*from.head) << 8;
    if (top == 0)
        return;
    if (top > top_of(*into.head))
        raise_top(into, top - 1);
    for (int32_t j = 0; j < into.n; j++) {
        int32_t to = j + (top_of(*into.head) - top);
        if (to < into.n)
            into.digits[to] += from.digits[j];
    }
}

static bool is_odd(uint32_t odd, long double *value)
{
    *value = odd & 1 || (odd & 6) == 6 ? NAN : odd & 2 ? INFINITY : -INFINITY;
    return odd != 0;
}

static wide_float value(window w)
{
    long double special, scale;
    wide_float sum = 0;

    if (is_odd(sum_odd(*w.head), &special))
        return special;
    if (top_of(*w.head) == 0)
        return 0;
    scale = ldexpl(1, (top_of(*w.head) - w.n) * DIGIT_BITS - 1074);
    for (int32_t j = w.n - 1; j >= 0; j--, scale *= DIGIT)
        if (w.digits[j]) /* a product with a power of two is exact */
            sum += (wide_float)((long double)w.digits[j] * scale);
    return sum;
}

void float_sum_add(float_sum *s, double x)
{
    add(WINDOW(s), x);
}

void float_sum_add_each(const double *x, uint32_t n, uint8_t *const *states)
{
    for (uint32_t i = 0; i < n; i++)
        add(WINDOW((float_sum *)(void *)states[i]), x[i]);
}

void float_sum_add_coded(const double *x, uint32_t n, uint8_t *const *states, const uint32_t *codes)
{
    for (uint32_t i = 0; i < n; i++)
        add(WINDOW((float_sum *)(void *)states[codes[i]]), x[i]);
}

void float_sum_merge(float_sum *into, const float_sum *from)
{
    float_sum copy = *from;

    merge(WINDOW(into), WINDOW(&copy));
}

/* A power of two that is a double of full precision; false: it is not one. */
static bool power_of_two(int32_t power, double *out)
{
    uint64_t bits = (uint64_t)(power + 1023) << 52;

    memcpy(out, &bits, sizeof bits);
    return power >= -900 && power <= 900;
}

/* Of few additions digits are short, and fit in one word together. */
static bool short_value(const float_sum *s, int32_t power, double *out)
{
    __int128 sum = 0;
    uint64_t long_ones = 0;
    double scale;

    for (int32_t j = 0; j < 5; j++) {
        long_ones |= (uint64_t)(s->digits[j] + (INT64_C(1) << 29)) >> 30;
        sum = (__int128)((unsigned __int128)sum << DIGIT_BITS) + s->digits[j];
    }
    if (long_ones || !power_of_two(power, &scale))
        return false;
    *out = (double)sum * scale;
    return true;
}

double float_sum_value(const float_sum *s)
{
    int32_t power = (top_of(s->head) - 5) * DIGIT_BITS - 1074;
    long double sum = 0, scale;
    double value;

    if (is_odd(sum_odd(s->head), &sum))
        return (double)sum;
    if (top_of(s->head) == 0)
        return 0;
    if (short_value(s, power, &value))
        return value;
    sum = 0;
    scale = ldexpl(1, power);
    for (int32_t j = 4; j >= 0; j--, scale *= DIGIT)
        if (s->digits[j]) /* a product with a power of two is exact */
            sum += (long double)s->digits[j] * scale;
    return (double)sum;
}

wide_float float_sum_wide(const float_sum *s)
{
    float_sum copy = *s;

    return value(WINDOW(&copy));
}

/* ---- powers and products ---- */

/* x * y as p + *rest; the rest is zero where p is not finite. */
static inline double product(double x, double y, double *rest)
{
    double p = x * y;

    *rest = isfinite(p) ? fma(x, y, -p) : 0;
    return p;
}

/* Neither tiny nor huge: all bits of a product of two are numbered from 2^-1074 on. */
static inline bool is_plain(uint64_t bits)
{
    return (uint32_t)exponent_of(bits) - 600 <= 900;
}

/* 106 bits, `in` places into the digit at `low`, all of whose digits are there; sign: all ones
 * where it is negative. */
INNER void put_six(int64_t *low, unsigned __int128 wide, uint32_t in, uint64_t sign)
{
    const uint64_t mask = (UINT64_C(1) << DIGIT_BITS) - 1;
    const unsigned __int128 rest = wide >> (DIGIT_BITS - in);
    const uint64_t near = (uint64_t)rest, far = (uint64_t)(rest >> 64);
    uint64_t *at = (uint64_t *)(void *)low;

    at[0] += (((uint64_t)wide << in & mask) ^ sign) - sign;
    at[-1] += ((near & mask) ^ sign) - sign;
    at[-2] += ((near >> 24 & mask) ^ sign) - sign;
    at[-3] += (((near >> 48 | far << 16) & mask) ^ sign) - sign;
    at[-4] += ((far >> 8 & mask) ^ sign) - sign;
    at[-5] += ((far >> 32) ^ sign) - sign;
}

/* The product of two plain numbers, whose bits these are, as one number of 106 bits. */
static inline void add_plain(window w, uint64_t x, uint64_t y)
{
    const uint64_t one = UINT64_C(1) << MANTISSA;
    const unsigned __int128 wide =
        (unsigned __int128)((x & (one - 1)) | one) * ((y & (one - 1)) | one);
    const int32_t at = exponent_of(x) + exponent_of(y) - 2 - 1074, low = at / DIGIT_BITS,
                  in = at % DIGIT_BITS, j = place_of(w, low, low + 5);
    *w.head += ONE;
    if (j >= 5 && j < w.n) {
        put_six(w.digits + j, wide, (uint32_t)in, 0 - ((x ^ y) >> 63));
    } else {
        const int64_t sign = (x ^ y) >> 63 ? -1 : 1;
        put_digits(w, j, 1, (uint64_t)wide << in, sign);
        put_digits(w, j - 1, 5, wide >> (DIGIT_BITS - in), sign);
    }
}

static void add_two_parts(power_sum *s, double x, double y)
{
    double rest, p = product(x, y, &rest);

    add(WINDOW(s), p);
    add(WINDOW(s), rest);
}

void power_sum_add_product(power_sum *s, double x, double y)
{
    uint64_t a, b;

    memcpy(&a, &x, sizeof a);
    memcpy(&b, &y, sizeof b);
    if (is_plain(a) && is_plain(b))
        add_plain(WINDOW(s), a, b);
    else
        add_two_parts(s, x, y);
}

void power_sum_add(power_sum *s, double x, int power)
{
    double low, square;

    if (power == 1) {
        add(WINDOW(s), x);
        return;
    }
    if (power == 2) {
        power_sum_add_product(s, x, x);
        return;
    }
    square = product(x, x, &low);
    if (power == 3) {
        power_sum_add_product(s, square, x);
        power_sum_add_product(s, low, x);
    } else {
        power_sum_add_product(s, square, square);
        power_sum_add_product(s, 2 * square, low);
        power_sum_add_product(s, low, low);
    }
}

void power_sum_merge(power_sum *into, const power_sum *from)
{
    power_sum copy = *from;

    merge(WINDOW(into), WINDOW(&copy));
}

wide_float power_sum_wide(const power_sum *s)
{
    power_sum copy = *s;

    return value(WINDOW(&copy));
}
