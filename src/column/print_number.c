#include "column/print.h"

#include "base/power.h"

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static unsigned digits_of(uint64_t x)
{
    /* bits * log10(2), then one look whether that is one too few */
    unsigned n = (64 - (unsigned)__builtin_clzll(x | 1)) * 1233 >> 12;
    return n + ((x | 1) >= (uint64_t)powers_of_ten[n]); /* zero has a digit, too */
}

/* The lowest n digits of x, n places wide. */
static void put_digits(uint64_t x, unsigned n, char *out)
{
    while (n >= 2) {
        n -= 2;
        memcpy(out + n, pairs + 2 * (x % 100), 2);
        x /= 100;
    }
    if (n)
        out[0] = (char)('0' + x % 10);
}

size_t print_u64(uint64_t x, char *out)
{
    unsigned n = digits_of(x);
    put_digits(x, n, out);
    return n;
}

size_t print_i64(int64_t x, char *out)
{
    if (x >= 0)
        return print_u64((uint64_t)x, out);
    *out = '-';
    return 1 + print_u64(0 - (uint64_t)x, out + 1);
}

/* ---- decimals ---- */

#define CHUNK        10000000000000000000u /* 10^19 */
#define CHUNK_DIGITS 19

/* Divides the number of n words (lowest first) by 10^19; returns the rest. */
static uint64_t divide(uint64_t *words, int n)
{
    uint64_t rest = 0;
    for (int i = n - 1; i >= 0; i--) {
        unsigned __int128 x = (unsigned __int128)rest << 64 | words[i];
        words[i] = (uint64_t)(x / CHUNK);
        rest = (uint64_t)(x % CHUNK);
    }
    return rest;
}

/* Sign and digits (without leading zeros, "0" for zero) of a two's complement number. */
static unsigned integer_digits(const uint8_t *value, uint32_t width, bool *negative, char *out)
{
    uint64_t words[4] = {0}, chunks[5];
    int n = width <= 8 ? 1 : (int)(width / 8), chunk = 0;
    if (width == 4) {
        int32_t x;
        memcpy(&x, value, 4);
        words[0] = (uint64_t)(int64_t)x;
    } else {
        memcpy(words, value, width);
    }
    *negative = words[n - 1] >> 63;
    if (*negative) {
        uint64_t carry = 1;
        for (int i = 0; i < n; i++) {
            words[i] = ~words[i] + carry;
            carry = carry && words[i] == 0;
        }
    }
    while (n > 1 && words[n - 1] == 0)
        n--;
    while (n > 1 || words[0] >= CHUNK) {
        chunks[chunk++] = divide(words, n);
        while (n > 1 && words[n - 1] == 0)
            n--;
    }
    unsigned len = (unsigned)print_u64(words[0], out);
    while (chunk > 0) {
        put_digits(chunks[--chunk], CHUNK_DIGITS, out + len);
        len += CHUNK_DIGITS;
    }
    return len;
}

size_t print_u128(const uint8_t *value, char *out)
{
    uint8_t wide[32] = {0};

    memcpy(wide, value, 16);
    return print_decimal(wide, sizeof wide, 0, out);
}

size_t print_decimal(const uint8_t *value, uint32_t width, int scale, char *out)
{
    char digits[96];
    bool negative;
    unsigned n = integer_digits(value, width, &negative, digits);
    size_t at = 0;
    if (negative)
        out[at++] = '-';
    if (scale <= 0) {
        memcpy(out + at, digits, n);
        return at + n;
    }
    unsigned fraction = (unsigned)scale;
    if (n > fraction) {
        memcpy(out + at, digits, n - fraction);
        at += n - fraction;
        out[at++] = '.';
        memcpy(out + at, digits + n - fraction, fraction);
        return at + fraction;
    }
    out[at++] = '0';
    out[at++] = '.';
    memset(out + at, '0', fraction - n);
    memcpy(out + at + fraction - n, digits, n);
    return at + fraction;
}
