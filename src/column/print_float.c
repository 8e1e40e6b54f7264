/* Shortest decimal digits of binary floating point numbers: Schubfach (R. Giulietti, "The
 * Schubfach way to render doubles", 2020), with 128-bit powers of ten made at first use. */
#include "column/print.h"

#include <math.h>
#include <pthread.h>

#define POWER_MIN (-292)
#define POWER_MAX 324
#define POWERS    (POWER_MAX - POWER_MIN + 1)

typedef struct power {
    uint64_t hi, lo;
} power;

/* 10^k, scaled so that the highest of 128 bits is set, rounded up. */
static power powers[POWERS];
static pthread_once_t powers_made = PTHREAD_ONCE_INIT;

/* ---- exact powers: numbers of 20 and more words, lowest first ---- */

#define WORDS 40

static bool any_set(const uint32_t *x, int n)
{
    for (int i = 0; i < n; i++)
        if (x[i])
            return true;
    return false;
}

/* The highest 128 bits of x. *exact: nothing but zeros lies below them. */
static power top_bits(const uint32_t *x, int n, bool *exact)
{
    while (x[n - 1] == 0)
        n--;
    int shift = __builtin_clz(x[n - 1]);
    uint32_t top[5];
    for (int i = 0; i < 5; i++)
        top[i] = n - 1 - i >= 0 ? x[n - 1 - i] : 0;
    *exact = n <= 5 || !any_set(x, n - 5);
    uint64_t a = (uint64_t)top[0] << 32 | top[1], b = (uint64_t)top[2] << 32 | top[3], c = top[4];
    if (shift) {
        a = a << shift | b >> (64 - shift);
        b = b << shift | c >> (32 - shift);
        *exact = *exact && (uint32_t)(c << shift) == 0;
    } else {
        *exact = *exact && c == 0;
    }
    return (power){a, b};
}

static power round_up(power p, bool exact)
{
    if (!exact && ++p.lo == 0)
        p.hi++;
    return p;
}

static void make_powers(void)
{
    uint32_t up[WORDS] = {1}, down[3 * WORDS] = {0};
    bool exact;
    for (int k = 0; k <= POWER_MAX; k++) {
        power p = top_bits(up, WORDS, &exact);
        powers[k - POWER_MIN] = round_up(p, exact);
        uint64_t carry = 0;
        for (int i = 0; i < WORDS; i++) {
            carry += (uint64_t)up[i] * 10;
            up[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    /* floor(2^n / 10^k), exactly, as floors of quotients compose; n leaves 128 bits and more */
    down[3 * WORDS - 1] = 1;
    for (int k = -1; k >= POWER_MIN; k--) {
        uint64_t rest = 0;
        for (int i = 3 * WORDS - 1; i >= 0; i--) {
            rest = rest << 32 | down[i];
            down[i] = (uint32_t)(rest / 10);
            rest %= 10;
        }
        powers[k - POWER_MIN] = round_up(top_bits(down, 3 * WORDS, &exact), false);
    }
}

/* ---- the algorithm ---- */

static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

static int floor_log10_pow2(int e)
{
    return (e * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

static print_digits without_zeros(uint64_t digits, int exponent)
{
    while (digits && digits % 100 == 0) {
        digits /= 100;
        exponent += 2;
    }
    if (digits && digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (print_digits){digits, exponent};
}

/* The product's integer part; its lowest bit tells of any fraction (round to odd). */
static uint64_t product64(power g, uint64_t c)
{
    unsigned __int128 x = (unsigned __int128)g.lo * c, y = (unsigned __int128)g.hi * c;
    y += (uint64_t)(x >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

static uint64_t product32(uint64_t g, uint32_t c)
{
    unsigned __int128 p = (unsigned __int128)g * c;
    return (uint64_t)(p >> 64) | ((uint32_t)((uint64_t)p >> 32) > 1);
}

/* v, and the borders of what reads back as it, as multiples of 10^k / 4; chooses the shortest
 * number between the borders, the nearest to v among equally short ones. */
static print_digits choose(uint64_t below, uint64_t v, uint64_t above, bool even, int k)
{
    uint64_t lower = below + !even, upper = above - !even, s = v / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool up_inside = lower <= 40 * tens, down_inside = 40 * tens + 40 <= upper;
        if (up_inside != down_inside)
            return without_zeros(tens + down_inside, k + 1);
    }
    bool low_inside = lower <= 4 * s, high_inside = 4 * s + 4 <= upper;
    if (low_inside != high_inside)
        return without_zeros(s + high_inside, k);
    uint64_t middle = 4 * s + 2;
    bool up = v > middle || (v == middle && (s & 1));
    return without_zeros(s + up, k);
}

print_digits print_shortest_f64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int exponent = (int)(bits >> 52 & 2047);
    pthread_once(&powers_made, make_powers);
    if (fraction == 0 && exponent == 0)
        return (print_digits){0, 0};
    uint64_t c = exponent ? fraction | (uint64_t)1 << 52 : fraction;
    int q = exponent ? exponent - 1075 : -1074;
    bool narrow = fraction == 0 && exponent > 1; /* the neighbour below is nearer */
    int k = narrow ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    power g = powers[-k - POWER_MIN];
    return choose(product64(g, (4 * c - 2 + narrow) << h), product64(g, 4 * c << h),
                  product64(g, (4 * c + 2) << h), (c & 1) == 0, k);
}

print_digits print_shortest_f32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t fraction = bits & ((1u << 23) - 1);
    int exponent = (int)(bits >> 23 & 255);
    pthread_once(&powers_made, make_powers);
    if (fraction == 0 && exponent == 0)
        return (print_digits){0, 0};
    uint32_t c = exponent ? fraction | 1u << 23 : fraction;
    int q = exponent ? exponent - 150 : -149;
    bool narrow = fraction == 0 && exponent > 1;
    int k = narrow ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    power p = powers[-k - POWER_MIN];
    uint64_t g = p.hi + (p.lo != 0);
    return choose(product32(g, (4 * c - 2 + narrow) << h), product32(g, 4 * c << h),
                  product32(g, (4 * c + 2) << h), (c & 1) == 0, k);
}

/* ---- layouts ---- */

static size_t zeros(char *out, int n)
{
    if (n > 0)
        memset(out, '0', (size_t)n);
    return n > 0 ? (size_t)n : 0;
}

/* Plain notation: 1.0, 0.00012, 1200.0. */
static size_t lay_plain(const char *digits, int n, int exponent, char *out)
{
    size_t at = 0;
    if (exponent >= 0) {
        memcpy(out, digits, (size_t)n);
        at = (size_t)n + zeros(out + n, exponent);
        out[at++] = '.';
        out[at++] = '0';
        return at;
    }
    int whole = n + exponent; /* digits before the point */
    if (whole <= 0) {
        out[at++] = '0';
        out[at++] = '.';
        at += zeros(out + at, -whole);
        memcpy(out + at, digits, (size_t)n);
        return at + (size_t)n;
    }
    memcpy(out, digits, (size_t)whole);
    out[whole] = '.';
    memcpy(out + whole + 1, digits + whole, (size_t)(n - whole));
    return (size_t)n + 1;
}

/* 1.25e+20 (two digits of exponent and a sign) or, for JSON, 1.25e20. */
static size_t lay_scientific(const char *digits, int n, int scientific, bool json, char *out)
{
    size_t at = 0;
    out[at++] = digits[0];
    if (n > 1) {
        out[at++] = '.';
        memcpy(out + at, digits + 1, (size_t)n - 1);
        at += (size_t)n - 1;
    }
    out[at++] = 'e';
    if (scientific < 0)
        out[at++] = '-';
    else if (!json)
        out[at++] = '+';
    uint64_t e = (uint64_t)(scientific < 0 ? -scientific : scientific);
    if (e < 10 && !json)
        out[at++] = '0';
    return at + print_u64(e, out + at);
}

static size_t lay(print_digits d, bool negative, bool json, char *out)
{
    char digits[24];
    int n = (int)print_u64(d.digits, digits), scientific = n - 1 + d.exponent;
    int from = json ? -6 : -4, to = json ? 21 : 16;
    if (negative)
        *out++ = '-';
    if (scientific >= from && scientific < to)
        return (size_t)negative + lay_plain(digits, n, d.exponent, out);
    return (size_t)negative + lay_scientific(digits, n, scientific, json, out);
}

size_t print_json_digits(print_digits d, bool negative, char *out)
{
    return lay(d, negative, true, out);
}

static size_t put(char *out, bool negative, const char *text)
{
    size_t n = strlen(text);
    out[0] = '-';
    memcpy(out + negative, text, n);
    return n + negative;
}

size_t print_f64(double x, char *out)
{
    bool negative = signbit(x);
    if (!isfinite(x))
        return put(out, negative, isnan(x) ? "nan" : "inf");
    return lay(print_shortest_f64(fabs(x)), negative, false, out);
}

size_t print_f32(float x, char *out)
{
    bool negative = signbit(x);
    if (!isfinite(x))
        return put(out, negative, isnan(x) ? "nan" : "inf");
    return lay(print_shortest_f32(fabsf(x)), negative, false, out);
}

size_t print_json_f64(double x, char *out)
{
    bool negative = signbit(x);
    if (isnan(x))
        return put(out, false, "NaN");
    if (!isfinite(x))
        return put(out, negative, "Infinity");
    return lay(print_shortest_f64(fabs(x)), negative, true, out);
}
