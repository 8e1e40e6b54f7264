/* CRC-32 by folding: bytes are multiplied by the power of x that they are ahead, modulo the
 * polynomial, and added to those that lie there. Method: Gopal and others, Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ, 2009. */
#include "kernel/x86.h"

#ifdef __x86_64__

#define TARGET_FOLD                                                                                \
    __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,pclmul,"        \
                          "vpclmulqdq")))

/* Powers of x modulo the polynomial, the lowest bit being the highest power, which the lower and
 * the upper word of 16 bytes are multiplied by to be added so many bytes further on. The lower word
 * is 64 ahead of the upper; a product of a word and these 33 bits is by 32 too high. */
typedef struct factors {
    int64_t low, high;
} factors;
static const factors ahead_256 = {0x11542778a, 0x1322d1430}; /* x^2080, x^2016 */
static const factors ahead_64 = {0x154442bd4, 0x1c6e41596};  /* x^544, x^480 */
static const factors ahead_16 = {0x1751997d0, 0x0ccaa009e};  /* x^160, x^96 */
static const int64_t ahead_4 = 0x163cd6124;                  /* of four bytes: x^64 */
/* The polynomial, and x^64 divided by it. */
static const factors division = {0x1db710641, 0x1f7011641};

ALWAYS TARGET_FOLD __m128i both(factors f)
{
    return _mm_set_epi64x(f.high, f.low);
}

ALWAYS TARGET_FOLD __m512i fold_64(__m512i a, __m512i by, __m512i onto)
{
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(a, by, 0x00),
                                     _mm512_clmulepi64_epi128(a, by, 0x11), onto, 0x96);
}

ALWAYS TARGET_FOLD __m128i fold_16(__m128i a, __m128i by, __m128i onto)
{
    return _mm_ternarylogic_epi64(_mm_clmulepi64_si128(a, by, 0x00),
                                  _mm_clmulepi64_si128(a, by, 0x11), onto, 0x96);
}

ALWAYS TARGET_FOLD __m128i lowest(__m128i a)
{
    return _mm_cvtsi32_si128(_mm_cvtsi128_si32(a));
}

/* The remainder of 16 bytes with four of zero behind them: eight of them onto the others, four onto
 * the rest, and the last eight divided. */
ALWAYS TARGET_FOLD uint32_t remainder_of(__m128i a)
{
    const __m128i by = both(division);
    const __m128i b = _mm_clmulepi64_si128(a, both(ahead_16), 0x10) ^ _mm_bsrli_si128(a, 8);
    const __m128i c =
        _mm_clmulepi64_si128(lowest(b), _mm_cvtsi64_si128(ahead_4), 0x00) ^ _mm_bsrli_si128(b, 4);
    const __m128i quotient = _mm_clmulepi64_si128(lowest(c), by, 0x10);

    return (uint32_t)_mm_extract_epi32(c ^ _mm_clmulepi64_si128(lowest(quotient), by, 0x00), 1);
}

TARGET_FOLD uint32_t kernel_vbmi_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    const __m512i by = _mm512_broadcast_i32x4(both(ahead_64));
    const __m512i far = _mm512_broadcast_i32x4(both(ahead_256));
    const __m128i near = both(ahead_16);
    const __m512i begin = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc));
    __m512i a, b, c, d;
    __m128i e;

    if (n == 0)
        return crc;
    a = _mm512_xor_si512(load_512(p), begin);
    if (n < 256) {
        p += 64, n -= 64;
    } else {
        b = load_512(p + 64);
        c = load_512(p + 128);
        d = load_512(p + 192);
        for (p += 256, n -= 256; n >= 256; p += 256, n -= 256) {
            a = fold_64(a, far, load_512(p));
            b = fold_64(b, far, load_512(p + 64));
            c = fold_64(c, far, load_512(p + 128));
            d = fold_64(d, far, load_512(p + 192));
        }
        a = fold_64(fold_64(fold_64(a, by, b), by, c), by, d);
    }
    for (; n > 0; p += 64, n -= 64)
        a = fold_64(a, by, load_512(p));
    e = fold_16(_mm512_castsi512_si128(a), near, _mm512_extracti32x4_epi32(a, 1));
    e = fold_16(e, near, _mm512_extracti32x4_epi32(a, 2));
    e = fold_16(e, near, _mm512_extracti32x4_epi32(a, 3));
    return ~remainder_of(e);
}

#endif
