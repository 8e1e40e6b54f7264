/* AVX2: bitmaps. */
#include "kernel/x86.h"

#ifdef __x86_64__

TARGET_AVX2 size_t kernel_avx2_popcount_bits(const uint8_t *bits, size_t off, size_t n)
{
    uint64_t count = 0;
    for (; n >= 64; n -= 64, off += 64)
        count += (uint64_t)_mm_popcnt_u64(bits_64(bits, off));
    if (n > 0)
        count += (uint64_t)_mm_popcnt_u64(bits_64(bits, off) & low_bits(n));
    return count;
}

TARGET_AVX2 size_t kernel_avx2_ranks(const uint8_t *at, const uint8_t *of, size_t n, uint32_t first,
                                     uint32_t *dst)
{
    any_u32 *out = (any_u32 *)dst;
    size_t k = 0;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t ones = load_u64(at + i / 8), all = load_u64(of + i / 8);
        if (n - i < 64)
            ones &= low_bits(n - i);
        for (; ones; ones = _blsr_u64(ones))
            out[k++] = first + (uint32_t)_mm_popcnt_u64(all & (_blsmsk_u64(ones) >> 1));
        first += (uint32_t)_mm_popcnt_u64(all);
    }
    return k;
}

TARGET_AVX2 void kernel_avx2_bits_to_bytes(const uint8_t *bits, size_t off, size_t n, uint8_t *dst)
{
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                            2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i one_of_8 = _mm256_set1_epi64x((long long)0x8040201008040201u);
    const __m256i one = _mm256_set1_epi8(1);
    for (size_t i = 0; i < n; i += 32) {
        __m256i word = _mm256_set1_epi32((int)(uint32_t)bits_64(bits, off + i));
        __m256i bit = _mm256_and_si256(_mm256_shuffle_epi8(word, spread), one_of_8);
        store_256(dst + i, _mm256_min_epu8(bit, one));
    }
}

TARGET_AVX2 void kernel_avx2_bytes_to_bits(const uint8_t *src, size_t n, uint8_t *dst)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i zero = _mm256_cmpeq_epi8(load_256(src + i), _mm256_setzero_si256());
        store_u32(dst + i / 8, ~(uint32_t)_mm256_movemask_epi8(zero));
    }
    kernel_scalar_bytes_to_bits(src + i, n - i, dst + i / 8);
}

TARGET_AVX2 void kernel_avx2_bits_of_256(const uint8_t *set, const uint32_t *index, size_t n,
                                         uint8_t *dst)
{
    const __m256i words = load_256(set), low = _mm256_set1_epi32(31);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i at = load_256(index + i);
        __m256i word = _mm256_permutevar8x32_epi32(words, _mm256_srli_epi32(at, 5));
        /* the bit goes to the sign: by 31 - at, which is ~at in the low bits */
        __m256i sign = _mm256_sllv_epi32(word, _mm256_andnot_si256(at, low));
        dst[i / 8] = (uint8_t)_mm256_movemask_ps(_mm256_castsi256_ps(sign));
    }
    kernel_scalar_bits_of_256(set, index + i, n - i, dst + i / 8);
}

TARGET_AVX2 size_t kernel_avx2_levels_to_bits_u8(const uint8_t *levels, size_t n, uint8_t max,
                                                 uint8_t *dst)
{
    const __m256i want = _mm256_set1_epi8((char)max);
    size_t i = 0, count = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i hit = _mm256_cmpeq_epi8(load_256(levels + i), want);
        uint32_t word = (uint32_t)_mm256_movemask_epi8(hit);
        store_u32(dst + i / 8, word);
        count += (size_t)_mm_popcnt_u32(word);
    }
    return count + kernel_scalar_levels_to_bits_u8(levels + i, n - i, max, dst + i / 8);
}

TARGET_AVX2 size_t kernel_avx2_levels_to_bits_u32(const uint32_t *levels, size_t n, uint32_t max,
                                                  uint8_t *dst)
{
    const uint8_t *in = (const uint8_t *)levels;
    const __m256i want = _mm256_set1_epi32((int)max);
    size_t i = 0, count = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i hit = _mm256_cmpeq_epi32(load_256(in + i * 4), want);
        unsigned byte = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(hit));
        dst[i / 8] = (uint8_t)byte;
        count += (size_t)_mm_popcnt_u32(byte);
    }
    return count + kernel_scalar_levels_to_bits_u32((const uint32_t *)(const void *)(in + i * 4),
                                                    n - i, max, dst + i / 8);
}

#endif
