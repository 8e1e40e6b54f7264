/* AVX2: bit packing. Eight values take exactly `width` bytes, so every step of eight starts at a
 * byte. */
#include "kernel/x86.h"

#ifdef __x86_64__

/* Where the eight values of a step lie: values 0 to 3 are picked from 16 bytes at the step's start,
 * 4 to 7 from 16 bytes at `second` (which may begin in the middle of a value's byte). */
typedef struct layout {
    size_t second;
    __m256i pick;  /* pshufb: the four bytes in which a value begins */
    __m256i fifth; /* pshufb: the byte behind them */
    __m256i shift; /* bits before the value in its first byte */
    __m256i mask;
} layout;

ALWAYS TARGET_AVX2 layout layout_of(unsigned width)
{
    const __m256i rank = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    layout l = {.second = width / 2};
    unsigned skipped = (unsigned)l.second * 8;
    __m256i at = _mm256_mullo_epi32(rank, _mm256_set1_epi32((int)width));
    at = _mm256_sub_epi32(
        at, _mm256_inserti128_si256(_mm256_setzero_si256(), _mm_set1_epi32((int)skipped), 1));
    __m256i first = _mm256_mullo_epi32(_mm256_srli_epi32(at, 3), _mm256_set1_epi32(0x01010101));
    l.pick = _mm256_add_epi32(first, _mm256_set1_epi32(0x03020100));
    /* Behind byte 15 of a lane lies no bit of its four values: zero then. */
    __m256i fifth = _mm256_add_epi32(_mm256_srli_epi32(at, 3), _mm256_set1_epi32(4));
    __m256i outside = _mm256_cmpgt_epi32(fifth, _mm256_set1_epi32(15));
    l.fifth = _mm256_or_si256(fifth, _mm256_or_si256(outside, _mm256_set1_epi32((int)0x80808000)));
    l.shift = _mm256_and_si256(at, _mm256_set1_epi32(7));
    l.mask = _mm256_set1_epi32((int)(uint32_t)low_bits(width));
    return l;
}

ALWAYS TARGET_AVX2 __m256i unpack_8(const uint8_t *src, const layout *l)
{
    __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(load_128(src)),
                                           load_128(src + l->second), 1);
    __m256i v = _mm256_srlv_epi32(_mm256_shuffle_epi8(both, l->pick), l->shift);
    return _mm256_and_si256(v, l->mask);
}

/* Above 25 bits a value may reach into a fifth byte. */
ALWAYS TARGET_AVX2 __m256i unpack_8_wide(const uint8_t *src, const layout *l)
{
    __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(load_128(src)),
                                           load_128(src + l->second), 1);
    __m256i v = _mm256_srlv_epi32(_mm256_shuffle_epi8(both, l->pick), l->shift);
    __m256i up = _mm256_sub_epi32(_mm256_set1_epi32(32), l->shift);
    __m256i high = _mm256_sllv_epi32(_mm256_shuffle_epi8(both, l->fifth), up);
    return _mm256_and_si256(_mm256_or_si256(v, high), l->mask);
}

TARGET_AVX2 void kernel_avx2_unpack_u32(const uint8_t *src, unsigned width, size_t n, uint32_t *dst)
{
    uint8_t *out = (uint8_t *)dst;
    if (width == 0 || width == 32) {
        if (n > 0 && width == 0)
            memset(dst, 0, n * 4);
        else if (n > 0)
            memcpy(dst, src, n * 4);
        return;
    }
    layout l = layout_of(width);
    if (width <= 25)
        for (size_t i = 0; i < n; i += 8, src += width)
            store_256(out + i * 4, unpack_8(src, &l));
    else
        for (size_t i = 0; i < n; i += 8, src += width)
            store_256(out + i * 4, unpack_8_wide(src, &l));
}

/* Through 32 bits in pieces that stay in the first cache. */
#define PIECE ((size_t)512)

TARGET_AVX2 void kernel_avx2_unpack_u64(const uint8_t *src, unsigned width, size_t n, uint64_t *dst)
{
    uint32_t narrow[PIECE + 16];
    if (width > 32) {
        kernel_scalar_unpack_u64(src, width, n, dst);
        return;
    }
    for (size_t i = 0; i < n; i += PIECE, src += PIECE / 8 * width) {
        size_t piece = size_min(PIECE, n - i);
        uint8_t *out = (uint8_t *)dst + i * 8;
        kernel_avx2_unpack_u32(src, width, piece, narrow);
        for (size_t k = 0; k < piece; k += 4)
            store_256(out + k * 8, _mm256_cvtepu32_epi64(load_128(narrow + k)));
    }
}

/* -- Packing ----------------------------------------------------------------------------------- */

/* Neighbours joined: four times 2 * width bits. */
ALWAYS TARGET_AVX2 __m256i join_pairs(__m256i v, __m128i width)
{
    __m256i low = _mm256_and_si256(v, _mm256_set1_epi64x(0xffffffff));
    return _mm256_or_si256(low, _mm256_sll_epi64(_mm256_srli_epi64(v, 32), width));
}

/* width <= 16: eight values as two words of 4 * width bits. */
ALWAYS TARGET_AVX2 void pack_8(uint8_t *dst, unsigned width, __m256i pairs)
{
    __m128i twice = _mm_cvtsi32_si128((int)width * 2);
    __m256i high = _mm256_sll_epi64(_mm256_unpackhi_epi64(pairs, pairs), twice);
    __m256i quads = _mm256_or_si256(pairs, high);
    uint64_t a = (uint64_t)_mm256_extract_epi64(quads, 0);
    uint64_t b = (uint64_t)_mm256_extract_epi64(quads, 2);
    unsigned half = 4 * width;
    if (width <= 8) {
        store_u64(dst, a | b << half);
    } else if (half & 7) { /* b begins in the middle of a's last byte */
        store_u64(dst, a);
        store_u64(dst + half / 8, b << 4 | a >> (half - 4));
    } else {
        store_u64(dst, a);
        store_u64(dst + half / 8, b);
    }
}

/* width > 16: four words of 34 to 64 bits, one behind the other. */
ALWAYS TARGET_AVX2 void pack_8_wide(uint8_t *dst, unsigned width, __m256i pairs)
{
    uint64_t w[4], word = 0;
    unsigned fill = 0, bits = 2 * width;
    store_256(w, pairs);
    for (int i = 0; i < 4; i++) {
        word |= w[i] << fill;
        if (fill + bits < 64) {
            fill += bits;
            continue;
        }
        store_u64(dst, word);
        dst += 8;
        word = fill ? w[i] >> (64 - fill) : 0;
        fill = fill + bits - 64;
    }
    store_u64(dst, word);
}

TARGET_AVX2 void kernel_avx2_pack_u32(const uint32_t *values, unsigned width, size_t n,
                                      uint8_t *dst)
{
    const uint8_t *in = (const uint8_t *)values;
    size_t i = 0;
    if (width == 0)
        return;
    __m256i mask = _mm256_set1_epi32((int)(uint32_t)low_bits(width));
    __m128i by = _mm_cvtsi32_si128((int)width);
    for (; i + 8 <= n; i += 8, dst += width) {
        __m256i pairs = join_pairs(_mm256_and_si256(load_256(in + i * 4), mask), by);
        if (width <= 16)
            pack_8(dst, width, pairs);
        else
            pack_8_wide(dst, width, pairs);
    }
    kernel_scalar_pack_u32(values + i, width, n - i, dst);
}

TARGET_AVX2 void kernel_avx2_pack_u64(const uint64_t *values, unsigned width, size_t n,
                                      uint8_t *dst)
{
    uint32_t narrow[PIECE + 16];
    const uint8_t *in = (const uint8_t *)values;
    const __m256i low = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    if (width > 32) {
        kernel_scalar_pack_u64(values, width, n, dst);
        return;
    }
    for (size_t i = 0; i < n; i += PIECE, dst += PIECE / 8 * width) {
        size_t piece = size_min(PIECE, n - i);
        for (size_t k = 0; k < piece; k += 4) {
            __m256i v = _mm256_permutevar8x32_epi32(load_256(in + (i + k) * 8), low);
            store_128(narrow + k, _mm256_castsi256_si128(v));
        }
        kernel_avx2_pack_u32(narrow, width, piece, dst);
    }
}

#endif
