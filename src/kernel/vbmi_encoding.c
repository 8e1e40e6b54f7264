/* AVX-512 VBMI: byte stream split, big-endian numbers. One permutation of bytes brings those of a
 * step to their values. */
#include "kernel/x86.h"

#ifdef __x86_64__

/* -- Byte stream split: sixteen values a step. Sixteen bytes of each of four streams become words
 * of four bytes, a value's each; those of more streams are interleaved within lanes of sixteen
 * bytes, so the values stand in the order in which that leaves them one behind the other. --------
 */

ALWAYS TARGET_VBMI __m512i words_of(const uint8_t *src, size_t stride, __m512i order)
{
    __m512i v = _mm512_castsi128_si512(load_128(src));
    v = _mm512_inserti32x4(v, load_128(src + stride), 1);
    v = _mm512_inserti32x4(v, load_128(src + 2 * stride), 2);
    v = _mm512_inserti32x4(v, load_128(src + 3 * stride), 3);
    return _mm512_permutexvar_epi8(order, v);
}

/* From the values to the places of their bytes: of stream k at 16 * k. */
ALWAYS TARGET_VBMI __m512i order_of(__m512i values)
{
    __m512i spread = _mm512_mullo_epi32(values, _mm512_set1_epi32(0x01010101));
    return _mm512_add_epi32(spread, _mm512_set1_epi32(0x30201000));
}

ALWAYS TARGET_VBMI size_t join_all_4(const uint8_t *src, size_t stride, size_t n, uint8_t *dst)
{
    const __m512i order =
        order_of(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        store_512(dst + i * 4, words_of(src + i, stride, order));
    return i;
}

ALWAYS TARGET_VBMI size_t join_all_8(const uint8_t *src, size_t stride, size_t n, uint8_t *dst)
{
    const __m512i order =
        order_of(_mm512_setr_epi32(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i a = words_of(src + i, stride, order);
        __m512i b = words_of(src + 4 * stride + i, stride, order);
        store_512(dst + i * 8, _mm512_unpacklo_epi32(a, b));
        store_512(dst + i * 8 + 64, _mm512_unpackhi_epi32(a, b));
    }
    return i;
}

ALWAYS TARGET_VBMI size_t join_all_16(const uint8_t *src, size_t stride, size_t n, uint8_t *dst)
{
    const __m512i order =
        order_of(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    size_t i = 0;
    for (; i + 16 <= n; i += 16, dst += 256) {
        __m512i a = words_of(src + i, stride, order);
        __m512i b = words_of(src + 4 * stride + i, stride, order);
        __m512i c = words_of(src + 8 * stride + i, stride, order);
        __m512i d = words_of(src + 12 * stride + i, stride, order);
        __m512i ab = _mm512_unpacklo_epi32(a, b), cd = _mm512_unpacklo_epi32(c, d);
        store_512(dst, _mm512_unpacklo_epi64(ab, cd));
        store_512(dst + 64, _mm512_unpackhi_epi64(ab, cd));
        ab = _mm512_unpackhi_epi32(a, b);
        cd = _mm512_unpackhi_epi32(c, d);
        store_512(dst + 128, _mm512_unpacklo_epi64(ab, cd));
        store_512(dst + 192, _mm512_unpackhi_epi64(ab, cd));
    }
    return i;
}

TARGET_VBMI void kernel_vbmi_split_decode(const uint8_t *src, size_t stride, size_t width, size_t n,
                                          uint8_t *dst)
{
    size_t i = width == 4    ? join_all_4(src, stride, n, dst)
               : width == 8  ? join_all_8(src, stride, n, dst)
               : width == 16 ? join_all_16(src, stride, n, dst)
                             : 0;
    kernel_avx2_split_decode(src + i, stride, width, n - i, dst + i * width);
}

/* -- Big-endian numbers: a word's bytes to its upper end, the highest last, then down by an
 * arithmetic shift. -----------------------------------------------------------------------------
 */

ALWAYS TARGET_VBMI void turn_4(const uint8_t *src, size_t len, size_t n, uint8_t *dst)
{
    const __m512i rank = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i first = _mm512_mullo_epi32(rank, _mm512_set1_epi32((int)len * 0x01010101));
    const __m512i pick = _mm512_add_epi8(first, _mm512_set1_epi32(0x00010203));
    const __m128i down = _mm_cvtsi32_si128((int)(32 - 8 * len));
    for (size_t i = 0; i < n; i += 16, src += 16 * len) {
        __m512i v = _mm512_permutexvar_epi8(pick, load_512(src));
        store_512(dst + i * 4, _mm512_sra_epi32(v, down));
    }
}

/* Words of eight bytes, `step` values in a vector of them: where each one's bytes begin, and by how
 * much it is shifted down. */
ALWAYS TARGET_VBMI void turn_8(const uint8_t *src, size_t len, size_t n, uint8_t *dst, size_t step,
                               __m512i first, __m512i down)
{
    const __m512i spread = _mm512_mullo_epi64(first, _mm512_set1_epi64(0x0101010101010101));
    const __m512i pick = _mm512_add_epi8(spread, _mm512_set1_epi64(0x0001020304050607));
    for (size_t i = 0; i < n; i += step, src += step * len, dst += 64) {
        __m512i v = _mm512_permutexvar_epi8(pick, load_512(src));
        store_512(dst, _mm512_srav_epi64(v, down));
    }
}

/* Decimals, where they fit by their length. */
TARGET_VBMI bool kernel_vbmi_be_to_le(const uint8_t *src, size_t len, size_t n, size_t width,
                                      uint8_t *dst)
{
    if (len > width || width > 16 || len == 0)
        return kernel_scalar_be_to_le(src, len, n, width, dst);
    if (width == 4) {
        turn_4(src, len, n, dst);
    } else if (width == 8) {
        const __m512i rank = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
        const __m512i first = _mm512_mullo_epi64(rank, _mm512_set1_epi64((long long)len));
        turn_8(src, len, n, dst, 8, first, _mm512_set1_epi64((long long)(64 - 8 * len)));
    } else { /* the low word, of the last bytes, then the high one: of more, or of signs */
        const size_t above = len > 8 ? len - 8 : 0;
        const __m512i rank = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
        const __m512i begin = _mm512_mullo_epi64(rank, _mm512_set1_epi64((long long)len));
        const __m512i low = _mm512_set1_epi64((long long)above);
        const __m512i first = _mm512_mask_add_epi64(begin, 0x55, begin, low);
        const long long high_down = above ? 64 - 8 * (long long)above : 63;
        const long long low_down = above ? 0 : 64 - 8 * (long long)len;
        turn_8(src, len, n, dst, 4, first,
               _mm512_mask_set1_epi64(_mm512_set1_epi64(high_down), 0x55, low_down));
    }
    return true;
}

#endif
