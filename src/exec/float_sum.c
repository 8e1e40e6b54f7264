#include "exec/aggregate_own.h"

#include <math.h>

#define DIGIT_BITS 24
#define DIGITS     5

/* Makes `top` the window's first digit. */
static void raise_top(float_sum *s, int32_t top)
{
    int32_t by = top - (s->top - 1);

    if (s->top == 0) {
        s->top = top + 1;
        return;
    }
    for (int32_t j = DIGITS - 1; j >= 0; j--)
        s->digits[j] = j >= by ? s->digits[j - by] : 0;
    s->top = top + 1;
}

void float_sum_add(float_sum *s, double x)
{
    uint64_t bits, mantissa;
    int32_t exponent, low, top;
    unsigned __int128 wide;
    int64_t sign;

    memcpy(&bits, &x, sizeof bits);
    exponent = (int32_t)(bits >> 52 & 0x7ff);
    mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 0x7ff) {
        s->odd |= mantissa ? 1 : bits >> 63 ? 4 : 2;
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
    if (top >= s->top)
        raise_top(s, top);
    for (int32_t k = 0, j = s->top - 1 - low; k < 4; k++, j--) {
        if (j < DIGITS)
            s->digits[j] += sign * (int64_t)((uint64_t)wide & ((1u << DIGIT_BITS) - 1));
        wide >>= DIGIT_BITS;
    }
}

void float_sum_merge(float_sum *into, const float_sum *from)
{
    into->odd |= from->odd;
    if (from->top == 0)
        return;
    if (from->top > into->top)
        raise_top(into, from->top - 1);
    for (int32_t j = 0; j < DIGITS; j++) {
        int32_t to = j + (into->top - from->top);
        if (to < DIGITS)
            into->digits[to] += from->digits[j];
    }
}

double float_sum_value(const float_sum *s)
{
    long double sum = 0;

    if (s->odd & 1 || (s->odd & 6) == 6)
        return NAN;
    if (s->odd)
        return s->odd & 2 ? INFINITY : -INFINITY;
    for (int32_t j = DIGITS - 1; s->top && j >= 0; j--)
        sum += ldexpl((long double)s->digits[j], (s->top - 1 - j) * DIGIT_BITS - 1074);
    return (double)sum;
}
