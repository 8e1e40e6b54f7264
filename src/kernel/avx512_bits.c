/* AVX-512: bitmaps, which are masks here. */
#include "kernel/x86.h"

#ifdef __x86_64__

TARGET_AVX512 void kernel_avx512_bits_to_bytes(const uint8_t *bits, size_t off, size_t n,
                                               uint8_t *dst)
{
    for (size_t i = 0; i < n; i += 64)
        store_512(dst + i, _mm512_maskz_set1_epi8(bits_64(bits, off + i), 1));
}

TARGET_AVX512 void kernel_avx512_bytes_to_bits(const uint8_t *src, size_t n, uint8_t *dst)
{
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        __m512i v = load_512(src + i);
        store_u64(dst + i / 8, _mm512_test_epi8_mask(v, v));
    }
    if (i < n) { /* what lies behind the input counts as zero */
        __m512i v = load_512(src + i);
        store_u64(dst + i / 8, _mm512_test_epi8_mask(v, v) & low_bits(n - i));
    }
}

TARGET_AVX512 size_t kernel_avx512_levels_to_bits_u8(const uint8_t *levels, size_t n, uint8_t max,
                                                     uint8_t *dst)
{
    const __m512i want = _mm512_set1_epi8((char)max);
    size_t i = 0, count = 0;
    for (; i < n; i += 64) {
        uint64_t word = _mm512_cmpeq_epi8_mask(load_512(levels + i), want);
        if (n - i < 64)
            word &= low_bits(n - i);
        store_u64(dst + i / 8, word);
        count += (size_t)_mm_popcnt_u64(word);
    }
    return count;
}

TARGET_AVX512 size_t kernel_avx512_levels_to_bits_u32(const uint32_t *levels, size_t n,
                                                      uint32_t max, uint8_t *dst)
{
    const uint8_t *in = (const uint8_t *)levels;
    const __m512i want = _mm512_set1_epi32((int)max);
    size_t i = 0, count = 0;
    for (; i < n; i += 16) {
        unsigned word = _mm512_cmpeq_epi32_mask(load_512(in + i * 4), want);
        if (n - i < 16)
            word &= (unsigned)low_bits(n - i);
        dst[i / 8] = (uint8_t)word;
        dst[i / 8 + 1] = (uint8_t)(word >> 8);
        count += (size_t)_mm_popcnt_u32(word);
    }
    return count;
}

#endif
