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

static inline void add(window w, double x)
{
    uint64_t bits, mantissa;
    int32_t exponent, low, top;
    unsigned __int128 wide;
    int64_t sign;

    *w.head += ONE;
    memcpy(&bits, &x, sizeof bits);
    exponent = (int32_t)(bits >> 52 & 0x7ff);
    mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 0x7ff) {
        *w.head |= (uint64_t)(mantissa ? 1 : bits >> 63 ? 4 : 2) << 8;
        return;
    }
    if (exponent)
        mantissa |= UINT64_C(1) << 52;
    else
        exponent = 1;
    if (mantissa == 0)
        return;
    sign = bits >> 63 ? -1 : 1;
    low = (exponent - 1) / DIGIT_BITS;
    wide = (unsigned __int128)mantissa << ((exponent - 1) % DIGIT_BITS);
    top = low + 3;
    if (top >= top_of(*w.head))
        raise_top(w, top);
    for (int32_t k = 0, j = top_of(*w.head) - 1 - low; k < 4; k++, j--) {
        if (j < w.n)
            w.digits[j] += sign * (int64_t)((uint64_t)wide & ((1u << DIGIT_BITS) - 1));
        wide >>= DIGIT_BITS;
    }
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

void power_sum_add_product(power_sum *s, double x, double y)
{
    double rest, p = product(x, y, &rest);

    add(WINDOW(s), p);
    add(WINDOW(s), rest);
}

void power_sum_add(power_sum *s, double x, int power)
{
    double low, square = product(x, x, &low);

    if (power == 1) {
        add(WINDOW(s), x);
    } else if (power == 3) {
        power_sum_add_product(s, square, x);
        power_sum_add_product(s, low, x);
    } else if (power == 4) {
        power_sum_add_product(s, square, square);
        power_sum_add_product(s, 2 * square, low);
        power_sum_add_product(s, low, low);
    } else {
        add(WINDOW(s), square);
        add(WINDOW(s), low);
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
