/* AVX2 and AVX-512: prefix sums of delta encodings, byte stream split. */
#include "kernel/x86.h"

#ifdef __x86_64__

/* -- Prefix sums: within a vector by shifting by one, two, four ... lanes; the carry is the last
 * lane of the sums before. ----------------------------------------------------------------------
 */

TARGET_AVX2 void kernel_avx2_delta_decode_i32(const uint32_t *deltas, size_t n, int32_t min_delta,
                                              int32_t *running, int32_t *dst)
{
    const uint8_t *in = (const uint8_t *)deltas;
    uint8_t *out = (uint8_t *)dst;
    const __m256i least = _mm256_set1_epi32(min_delta), last = _mm256_set1_epi32(7);
    __m256i carry = _mm256_set1_epi32(*running);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i v = _mm256_add_epi32(load_256(in + i * 4), least);
        v = _mm256_add_epi32(v, _mm256_slli_si256(v, 4));
        v = _mm256_add_epi32(v, _mm256_slli_si256(v, 8));
        /* the lower half's sum for all of the upper half */
        __m256i low = _mm256_permute2x128_si256(v, v, 0x08);
        v = _mm256_add_epi32(v, _mm256_shuffle_epi32(low, 0xff));
        store_256(out + i * 4, _mm256_add_epi32(v, carry));
        carry = _mm256_add_epi32(carry, _mm256_permutevar8x32_epi32(v, last));
    }
    *running = _mm_cvtsi128_si32(_mm256_castsi256_si128(carry));
    kernel_scalar_delta_decode_i32((const uint32_t *)(const void *)(in + i * 4), n - i, min_delta,
                                   running, (int32_t *)(void *)(out + i * 4));
}

TARGET_AVX2 void kernel_avx2_delta_decode_i64(const uint64_t *deltas, size_t n, int64_t min_delta,
                                              int64_t *running, int64_t *dst)
{
    const uint8_t *in = (const uint8_t *)deltas;
    uint8_t *out = (uint8_t *)dst;
    const __m256i least = _mm256_set1_epi64x(min_delta);
    __m256i carry = _mm256_set1_epi64x(*running);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        __m256i v = _mm256_add_epi64(load_256(in + i * 8), least);
        v = _mm256_add_epi64(v, _mm256_slli_si256(v, 8));
        __m256i low = _mm256_permute2x128_si256(v, v, 0x08);
        v = _mm256_add_epi64(v, _mm256_unpackhi_epi64(low, low));
        store_256(out + i * 8, _mm256_add_epi64(v, carry));
        carry = _mm256_add_epi64(carry, _mm256_permute4x64_epi64(v, 0xff));
    }
    *running = _mm_cvtsi128_si64(_mm256_castsi256_si128(carry));
    kernel_scalar_delta_decode_i64((const uint64_t *)(const void *)(in + i * 8), n - i, min_delta,
                                   running, (int64_t *)(void *)(out + i * 8));
}

TARGET_AVX512 void kernel_avx512_delta_decode_i32(const uint32_t *deltas, size_t n,
                                                  int32_t min_delta, int32_t *running, int32_t *dst)
{
    const uint8_t *in = (const uint8_t *)deltas;
    uint8_t *out = (uint8_t *)dst;
    const __m512i least = _mm512_set1_epi32(min_delta), zero = _mm512_setzero_si512();
    const __m512i last = _mm512_set1_epi32(15);
    __m512i carry = _mm512_set1_epi32(*running);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i v = _mm512_add_epi32(load_512(in + i * 4), least);
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
        store_512(out + i * 4, _mm512_add_epi32(v, carry));
        carry = _mm512_add_epi32(carry, _mm512_permutexvar_epi32(last, v));
    }
    *running = _mm_cvtsi128_si32(_mm512_castsi512_si128(carry));
    kernel_avx2_delta_decode_i32((const uint32_t *)(const void *)(in + i * 4), n - i, min_delta,
                                 running, (int32_t *)(void *)(out + i * 4));
}

TARGET_AVX512 void kernel_avx512_delta_decode_i64(const uint64_t *deltas, size_t n,
                                                  int64_t min_delta, int64_t *running, int64_t *dst)
{
    const uint8_t *in = (const uint8_t *)deltas;
    uint8_t *out = (uint8_t *)dst;
    const __m512i least = _mm512_set1_epi64(min_delta), zero = _mm512_setzero_si512();
    const __m512i last = _mm512_set1_epi64(7);
    __m512i carry = _mm512_set1_epi64(*running);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m512i v = _mm512_add_epi64(load_512(in + i * 8), least);
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 7));
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 6));
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 4));
        store_512(out + i * 8, _mm512_add_epi64(v, carry));
        carry = _mm512_add_epi64(carry, _mm512_permutexvar_epi64(last, v));
    }
    *running = _mm_cvtsi128_si64(_mm512_castsi512_si128(carry));
    kernel_avx2_delta_decode_i64((const uint64_t *)(const void *)(in + i * 8), n - i, min_delta,
                                 running, (int64_t *)(void *)(out + i * 8));
}

/* -- Byte stream split: sixteen values a step, transposed by interleaving bytes, then pairs ------
 */

ALWAYS TARGET_AVX2 void join_2(const uint8_t *src, size_t stride, uint8_t *dst)
{
    __m128i a = load_128(src), b = load_128(src + stride);
    store_128(dst, _mm_unpacklo_epi8(a, b));
    store_128(dst + 16, _mm_unpackhi_epi8(a, b));
}

ALWAYS TARGET_AVX2 void join_4(const uint8_t *src, size_t stride, uint8_t *dst)
{
    __m128i a = load_128(src), b = load_128(src + stride);
    __m128i c = load_128(src + 2 * stride), d = load_128(src + 3 * stride);
    __m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
    store_128(dst, _mm_unpacklo_epi16(ab, cd));
    store_128(dst + 16, _mm_unpackhi_epi16(ab, cd));
    ab = _mm_unpackhi_epi8(a, b);
    cd = _mm_unpackhi_epi8(c, d);
    store_128(dst + 32, _mm_unpacklo_epi16(ab, cd));
    store_128(dst + 48, _mm_unpackhi_epi16(ab, cd));
}

/* Four vectors of byte pairs: one after the other of eight values. */
ALWAYS TARGET_AVX2 void store_joined_8(__m128i ab, __m128i cd, __m128i ef, __m128i gh, uint8_t *dst)
{
    __m128i low = _mm_unpacklo_epi16(ab, cd), high = _mm_unpacklo_epi16(ef, gh);
    store_128(dst, _mm_unpacklo_epi32(low, high));
    store_128(dst + 16, _mm_unpackhi_epi32(low, high));
    low = _mm_unpackhi_epi16(ab, cd);
    high = _mm_unpackhi_epi16(ef, gh);
    store_128(dst + 32, _mm_unpacklo_epi32(low, high));
    store_128(dst + 48, _mm_unpackhi_epi32(low, high));
}

ALWAYS TARGET_AVX2 void join_8(const uint8_t *src, size_t stride, uint8_t *dst)
{
    __m128i a = load_128(src), b = load_128(src + stride);
    __m128i c = load_128(src + 2 * stride), d = load_128(src + 3 * stride);
    __m128i e = load_128(src + 4 * stride), f = load_128(src + 5 * stride);
    __m128i g = load_128(src + 6 * stride), h = load_128(src + 7 * stride);
    store_joined_8(_mm_unpacklo_epi8(a, b), _mm_unpacklo_epi8(c, d), _mm_unpacklo_epi8(e, f),
                   _mm_unpacklo_epi8(g, h), dst);
    store_joined_8(_mm_unpackhi_epi8(a, b), _mm_unpackhi_epi8(c, d), _mm_unpackhi_epi8(e, f),
                   _mm_unpackhi_epi8(g, h), dst + 64);
}

/* Eight vectors of byte pairs of sixteen values, a half of them: words of eight bytes, a value's
 * each. */
ALWAYS TARGET_AVX2 void store_words_8(__m128i ab, __m128i cd, __m128i ef, __m128i gh, uint8_t *dst,
                                      size_t width)
{
    __m128i low = _mm_unpacklo_epi16(ab, cd), high = _mm_unpacklo_epi16(ef, gh);
    __m128i first = _mm_unpacklo_epi32(low, high), second = _mm_unpackhi_epi32(low, high);
    low = _mm_unpackhi_epi16(ab, cd);
    high = _mm_unpackhi_epi16(ef, gh);
    __m128i third = _mm_unpacklo_epi32(low, high), fourth = _mm_unpackhi_epi32(low, high);
    const __m128i all[4] = {first, second, third, fourth};
    for (size_t i = 0; i < 4; i++) {
        store_u64(dst + 2 * i * width, (uint64_t)_mm_cvtsi128_si64(all[i]));
        store_u64(dst + (2 * i + 1) * width, (uint64_t)_mm_extract_epi64(all[i], 1));
    }
}

/* Eight streams of sixteen values of any width from eight bytes on. */
ALWAYS TARGET_AVX2 void join_part(const uint8_t *src, size_t stride, uint8_t *dst, size_t width)
{
    __m128i a = load_128(src), b = load_128(src + stride);
    __m128i c = load_128(src + 2 * stride), d = load_128(src + 3 * stride);
    __m128i e = load_128(src + 4 * stride), f = load_128(src + 5 * stride);
    __m128i g = load_128(src + 6 * stride), h = load_128(src + 7 * stride);
    store_words_8(_mm_unpacklo_epi8(a, b), _mm_unpacklo_epi8(c, d), _mm_unpacklo_epi8(e, f),
                  _mm_unpacklo_epi8(g, h), dst, width);
    store_words_8(_mm_unpackhi_epi8(a, b), _mm_unpackhi_epi8(c, d), _mm_unpackhi_epi8(e, f),
                  _mm_unpackhi_epi8(g, h), dst + 8 * width, width);
}

/* Wider values: eight streams at a time, the last eight once more where they are fewer. */
ALWAYS TARGET_AVX2 void join_wide(const uint8_t *src, size_t stride, size_t width, uint8_t *dst)
{
    size_t k = 0;
    for (; k + 8 <= width; k += 8)
        join_part(src + k * stride, stride, dst + k, width);
    if (k < width)
        join_part(src + (width - 8) * stride, stride, dst + width - 8, width);
}

/* A step may read and write up to fifteen values too many, more than the slack of wide ones, so
 * what is left over goes value by value. */
TARGET_AVX2 void kernel_avx2_split_decode(const uint8_t *src, size_t stride, size_t width, size_t n,
                                          uint8_t *dst)
{
    size_t i = 0;
    if (width == 2)
        for (; i + 16 <= n; i += 16)
            join_2(src + i, stride, dst + i * 2);
    else if (width == 4)
        for (; i + 16 <= n; i += 16)
            join_4(src + i, stride, dst + i * 4);
    else if (width == 8)
        for (; i + 16 <= n; i += 16)
            join_8(src + i, stride, dst + i * 8);
    else if (width > 8)
        for (; i + 16 <= n; i += 16)
            join_wide(src + i, stride, width, dst + i * width);
    kernel_scalar_split_decode(src + i, stride, width, n - i, dst + i * width);
}

ALWAYS TARGET_AVX2 void part_4(const uint8_t *src, uint8_t *dst, size_t stride)
{
    const __m128i group = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m128i a = _mm_shuffle_epi8(load_128(src), group);
    __m128i b = _mm_shuffle_epi8(load_128(src + 16), group);
    __m128i c = _mm_shuffle_epi8(load_128(src + 32), group);
    __m128i d = _mm_shuffle_epi8(load_128(src + 48), group);
    __m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
    store_128(dst, _mm_unpacklo_epi64(ab, cd));
    store_128(dst + stride, _mm_unpackhi_epi64(ab, cd));
    ab = _mm_unpackhi_epi32(a, b);
    cd = _mm_unpackhi_epi32(c, d);
    store_128(dst + 2 * stride, _mm_unpacklo_epi64(ab, cd));
    store_128(dst + 3 * stride, _mm_unpackhi_epi64(ab, cd));
}

/* Two values of eight bytes as eight pairs of equal bytes, four such to quadruples: the low ones of
 * the bytes 0 to 3, the high ones of 4 to 7. */
typedef struct quads {
    __m128i low, high;
} quads;

ALWAYS TARGET_AVX2 quads quads_of(const uint8_t *src)
{
    const __m128i group = _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    __m128i a = _mm_shuffle_epi8(load_128(src), group);
    __m128i b = _mm_shuffle_epi8(load_128(src + 16), group);
    return (quads){_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b)};
}

ALWAYS TARGET_AVX2 void store_quads(__m128i a, __m128i b, __m128i c, __m128i d, uint8_t *dst,
                                    size_t stride)
{
    __m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
    store_128(dst, _mm_unpacklo_epi64(ab, cd));
    store_128(dst + stride, _mm_unpackhi_epi64(ab, cd));
    ab = _mm_unpackhi_epi32(a, b);
    cd = _mm_unpackhi_epi32(c, d);
    store_128(dst + 2 * stride, _mm_unpacklo_epi64(ab, cd));
    store_128(dst + 3 * stride, _mm_unpackhi_epi64(ab, cd));
}

ALWAYS TARGET_AVX2 void part_8(const uint8_t *src, uint8_t *dst, size_t stride)
{
    quads a = quads_of(src), b = quads_of(src + 32);
    quads c = quads_of(src + 64), d = quads_of(src + 96);
    store_quads(a.low, b.low, c.low, d.low, dst, stride);
    store_quads(a.high, b.high, c.high, d.high, dst + 4 * stride, stride);
}

ALWAYS TARGET_AVX2 void part_2(const uint8_t *src, uint8_t *dst, size_t stride)
{
    const __m128i group = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    __m128i a = _mm_shuffle_epi8(load_128(src), group);
    __m128i b = _mm_shuffle_epi8(load_128(src + 16), group);
    store_128(dst, _mm_unpacklo_epi64(a, b));
    store_128(dst + stride, _mm_unpackhi_epi64(a, b));
}

TARGET_AVX2 void kernel_avx2_split_encode(const uint8_t *src, size_t width, size_t n, uint8_t *dst,
                                          size_t stride)
{
    size_t i = 0;
    if (width == 2)
        for (; i + 16 <= n; i += 16)
            part_2(src + i * 2, dst + i, stride);
    else if (width == 8)
        for (; i + 16 <= n; i += 16)
            part_8(src + i * 8, dst + i, stride);
    else if (width == 4)
        for (; i + 16 <= n; i += 16)
            part_4(src + i * 4, dst + i, stride);
    kernel_scalar_split_encode(src + i * width, width, n - i, dst + i, stride);
}

#endif
