#include "column/exact.h"

#include <math.h>
#include <string.h>

typedef unsigned __int128 u128;

/* ---- magnitudes of many words, lowest first ---- */

#define WIDE_WORDS 80

typedef struct wide {
    int n; /* words in use, the highest of them is not 0 */
    uint64_t w[WIDE_WORDS];
} wide;

static void trim(wide *a)
{
    while (a->n > 0 && a->w[a->n - 1] == 0)
        a->n--;
}

static void multiply(const wide *a, const wide *b, wide *out)
{
    memset(out, 0, sizeof *out);
    for (int i = 0; i < a->n; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < b->n; j++) {
            u128 x = (u128)a->w[i] * b->w[j] + out->w[i + j] + carry;
            out->w[i + j] = (uint64_t)x;
            carry = (uint64_t)(x >> 64);
        }
        out->w[i + b->n] = carry;
    }
    out->n = a->n + b->n;
    trim(out);
}

static void multiply_small(wide *a, uint64_t by)
{
    uint64_t carry = 0;
    for (int i = 0; i < a->n; i++) {
        u128 x = (u128)a->w[i] * by + carry;
        a->w[i] = (uint64_t)x;
        carry = (uint64_t)(x >> 64);
    }
    if (carry)
        a->w[a->n++] = carry;
    trim(a);
}

/* a -= b, where a >= b. */
static void subtract(wide *a, const wide *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < a->n; i++) {
        uint64_t x = i < b->n ? b->w[i] : 0;
        u128 d = (u128)a->w[i] - x - borrow;
        a->w[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    trim(a);
}

/* The top 64 bits, rounded to odd, times 2^*exponent. */
static long double top(const wide *a, int *exponent)
{
    *exponent = 0;
    if (a->n == 0)
        return 0;
    uint64_t high = a->w[a->n - 1], low = a->n > 1 ? a->w[a->n - 2] : 0;
    int shift = __builtin_clzll(high);
    uint64_t bits = shift ? high << shift | low >> (64 - shift) : high;
    bool rest = shift ? low << shift != 0 : low != 0;
    for (int i = 0; i < a->n - 2 && !rest; i++)
        rest = a->w[i] != 0;
    *exponent = 64 * (a->n - 1) - shift;
    return (long double)(bits | rest);
}

/* sum / n, in units of 2^unit. */
static long double mean_of(const wide *sum, bool negative, uint64_t n, int unit)
{
    int exponent;
    long double m = top(sum, &exponent) / (long double)n;
    m = ldexpl(m, exponent + unit);
    return negative ? -m : m;
}

/* (n * squares - sum^2) / (n * (n - 1)), in units of 2^unit. */
static long double variance_of(const wide *sum, wide *squares, uint64_t n, int unit)
{
    wide square;
    int exponent;
    multiply(sum, sum, &square);
    multiply_small(squares, n);
    subtract(squares, &square);
    long double v = top(squares, &exponent) / (long double)n / (long double)(n - 1);
    return ldexpl(v, exponent + unit);
}

/* ---- integers ---- */

/* to[0..n) += x * count for the magnitude x[0..words). */
static void add_product(uint64_t *to, int n, const uint64_t *x, int words, uint64_t count)
{
    uint64_t carry = 0;
    for (int i = 0; i < n && (i < words || carry); i++) {
        u128 p = (u128)(i < words ? x[i] : 0) * count + to[i] + carry;
        to[i] = (uint64_t)p;
        carry = (uint64_t)(p >> 64);
    }
}

static void subtract_product(uint64_t *to, int n, const uint64_t *x, int words, uint64_t count)
{
    uint64_t carry = 0;
    for (int i = 0; i < n && (i < words || carry); i++) {
        u128 p = (u128)(i < words ? x[i] : 0) * count + carry;
        carry = (uint64_t)(p >> 64) + (to[i] < (uint64_t)p);
        to[i] -= (uint64_t)p;
    }
}

static void add_magnitude(exact_int *e, const uint64_t *x, int words, bool negative, uint64_t count)
{
    uint64_t square[8] = {0};
    for (int i = 0; i < words; i++)
        add_product(square + i, 8 - i, x, words, x[i]);
    add_product(e->squares, EXACT_INT_SQUARES, square, 2 * words, count);
    if (negative)
        subtract_product(e->sum, EXACT_INT_SUM, x, words, count);
    else
        add_product(e->sum, EXACT_INT_SUM, x, words, count);
}

void exact_int_add(exact_int *e, int64_t x, uint64_t count)
{
    uint64_t m = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    add_magnitude(e, &m, 1, x < 0, count);
}

void exact_int_add_u64(exact_int *e, uint64_t x, uint64_t count)
{
    add_magnitude(e, &x, 1, false, count);
}

void exact_int_add_wide(exact_int *e, const uint8_t *x, uint32_t width, uint64_t count)
{
    uint64_t m[4] = {0}, carry = 1;
    int words = (int)(width / 8);
    memcpy(m, x, width);
    bool negative = m[words - 1] >> 63;
    for (int i = 0; negative && i < words; i++) {
        m[i] = ~m[i] + carry;
        carry = carry && m[i] == 0;
    }
    add_magnitude(e, m, words, negative, count);
}

void exact_int_add_many(exact_int *e, const int64_t *x, size_t n)
{
    /* n < 2^32 values at a time: neither the sum nor the carries pass their words */
    __int128 sum = 0;
    u128 squares = 0;
    uint64_t carries = 0;
    for (size_t i = 0; i < n; i++) {
        u128 square = (u128)((__int128)x[i] * x[i]);
        sum += x[i];
        squares += square;
        carries += squares < square;
    }
    u128 magnitude = sum < 0 ? 0 - (u128)sum : (u128)sum;
    uint64_t s[2] = {(uint64_t)magnitude, (uint64_t)(magnitude >> 64)};
    uint64_t q[3] = {(uint64_t)squares, (uint64_t)(squares >> 64), carries};
    if (sum < 0)
        subtract_product(e->sum, EXACT_INT_SUM, s, 2, 1);
    else
        add_product(e->sum, EXACT_INT_SUM, s, 2, 1);
    add_product(e->squares, EXACT_INT_SQUARES, q, 3, 1);
}

void exact_int_merge(exact_int *e, const exact_int *other)
{
    add_product(e->sum, EXACT_INT_SUM, other->sum, EXACT_INT_SUM, 1);
    add_product(e->squares, EXACT_INT_SQUARES, other->squares, EXACT_INT_SQUARES, 1);
}

static bool int_sum(const exact_int *e, wide *out)
{
    bool negative = e->sum[EXACT_INT_SUM - 1] >> 63;
    uint64_t carry = 1;
    *out = (wide){.n = EXACT_INT_SUM};
    for (int i = 0; i < EXACT_INT_SUM; i++) {
        out->w[i] = negative ? ~e->sum[i] + carry : e->sum[i];
        carry = carry && out->w[i] == 0;
    }
    trim(out);
    return negative;
}

long double exact_int_mean(const exact_int *e, uint64_t n)
{
    wide sum;
    bool negative = int_sum(e, &sum);
    return mean_of(&sum, negative, n, 0);
}

long double exact_int_variance(const exact_int *e, uint64_t n)
{
    wide sum, squares = {.n = EXACT_INT_SQUARES};
    int_sum(e, &sum);
    memcpy(squares.w, e->squares, sizeof e->squares);
    trim(&squares);
    return variance_of(&sum, &squares, n, 0);
}

int64_t exact_int_whole_mean(const exact_int *e, uint64_t n, uint64_t factor)
{
    wide sum;
    bool negative = int_sum(e, &sum);
    uint64_t rest = 0;
    multiply_small(&sum, factor);
    for (int i = sum.n - 1; i >= 0; i--) {
        u128 x = (u128)rest << 64 | sum.w[i];
        sum.w[i] = (uint64_t)(x / n);
        rest = (uint64_t)(x % n);
    }
    trim(&sum);
    if (sum.n > 1 || (sum.n && sum.w[0] >= INT64_MAX))
        return negative ? INT64_MIN : INT64_MAX;
    int64_t q = (sum.n ? (int64_t)sum.w[0] : 0) + (rest > n - rest);
    return negative ? -q : q;
}

/* ---- floating point ---- */

#define ADDS_MAX (1u << 29) /* of up to 2^32 to a digit of 63 bits */

static void settle(int64_t *digits, int n)
{
    int64_t carry = 0;
    for (int i = 0; i < n; i++) {
        int64_t x = digits[i] + carry;
        carry = x >> 32;
        digits[i] = x & 0xffffffff;
    }
    digits[n - 1] += carry * ((int64_t)1 << 32); /* the highest digit keeps the sign */
}

/* Adds x * 2^shift, |x| < 2^96. */
static void add_at(int64_t *digits, unsigned shift, u128 x, bool negative)
{
    int64_t *at = digits + shift / 32;
    x <<= shift % 32;
    for (; x; x >>= 32)
        *at++ += negative ? -(int64_t)(uint32_t)x : (int64_t)(uint32_t)x;
}

void exact_float_add(exact_float *e, double x, uint32_t count)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bool negative = bits >> 63;
    unsigned exponent = (unsigned)(bits >> 52 & 2047);
    uint64_t m = bits & (((uint64_t)1 << 52) - 1);
    if (exponent)
        m |= (uint64_t)1 << 52;
    unsigned shift = exponent ? exponent - 1 : 0;
    u128 square = (u128)m * m;
    add_at(e->sum, shift, (u128)m * count, negative);
    add_at(e->squares, 2 * shift, (u128)(uint64_t)square * count, false);
    add_at(e->squares, 2 * shift + 64, (square >> 64) * count, false);
    if (++e->adds == ADDS_MAX / 2) {
        settle(e->sum, EXACT_FLOAT_SUM);
        settle(e->squares, EXACT_FLOAT_SQUARES);
        e->adds = 0;
    }
}

void exact_float_merge(exact_float *e, const exact_float *other)
{
    exact_float o = *other;
    settle(o.sum, EXACT_FLOAT_SUM);
    settle(o.squares, EXACT_FLOAT_SQUARES);
    settle(e->sum, EXACT_FLOAT_SUM);
    settle(e->squares, EXACT_FLOAT_SQUARES);
    for (int i = 0; i < EXACT_FLOAT_SUM; i++)
        e->sum[i] += o.sum[i];
    for (int i = 0; i < EXACT_FLOAT_SQUARES; i++)
        e->squares[i] += o.squares[i];
    e->adds = 2;
}

/* The digits as a magnitude; returns whether it is negative. */
static bool float_digits(const int64_t *from, int n, wide *out)
{
    int64_t d[EXACT_FLOAT_SQUARES];
    memcpy(d, from, (size_t)n * sizeof *d);
    settle(d, n);
    bool negative = d[n - 1] < 0;
    if (negative) {
        for (int i = 0; i < n; i++)
            d[i] = -d[i];
        settle(d, n);
    }
    *out = (wide){.n = (n + 1) / 2};
    for (int i = 0; i < n; i++)
        out->w[i / 2] |= (uint64_t)d[i] << 32 * (i % 2);
    trim(out);
    return negative;
}

long double exact_float_mean(const exact_float *e, uint64_t n)
{
    wide sum;
    bool negative = float_digits(e->sum, EXACT_FLOAT_SUM, &sum);
    return mean_of(&sum, negative, n, -1074);
}

long double exact_float_variance(const exact_float *e, uint64_t n)
{
    wide sum, squares;
    float_digits(e->sum, EXACT_FLOAT_SUM, &sum);
    float_digits(e->squares, EXACT_FLOAT_SQUARES, &squares);
    return variance_of(&sum, &squares, n, -2148);
}
