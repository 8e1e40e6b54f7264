/* AVX-512: filling, gathering, spreading and compressing, the last two by masks. */
#include "kernel/x86.h"

#ifdef __x86_64__

TARGET_AVX512 void kernel_avx512_fill_4(void *dst, uint32_t value, size_t n)
{
    const __m512i v = _mm512_set1_epi32((int)value);
    for (size_t i = 0; i < n; i += 16)
        store_512((uint8_t *)dst + i * 4, v);
}

TARGET_AVX512 void kernel_avx512_fill_8(void *dst, uint64_t value, size_t n)
{
    const __m512i v = _mm512_set1_epi64((long long)value);
    for (size_t i = 0; i < n; i += 8)
        store_512((uint8_t *)dst + i * 8, v);
}

TARGET_AVX512 void kernel_avx512_gather_4(const void *dict, const uint32_t *index, size_t n,
                                          void *dst)
{
    const uint8_t *at = (const uint8_t *)index;
    uint8_t *to = dst;
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        store_512(to + i * 4, _mm512_i32gather_epi32(load_512(at + i * 4), dict, 4));
    if (i < n) {
        __mmask16 rest = (__mmask16)low_bits(n - i);
        __m512i from = _mm512_maskz_loadu_epi32(rest, at + i * 4);
        __m512i v = _mm512_mask_i32gather_epi32(from, rest, from, dict, 4);
        _mm512_mask_storeu_epi32(to + i * 4, rest, v);
    }
}

TARGET_AVX512 void kernel_avx512_gather_8(const void *dict, const uint32_t *index, size_t n,
                                          void *dst)
{
    const uint8_t *at = (const uint8_t *)index;
    uint8_t *to = dst;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        store_512(to + i * 8, _mm512_i32gather_epi64(load_256(at + i * 4), dict, 8));
    if (i < n) {
        __mmask8 rest = (__mmask8)low_bits(n - i);
        __m256i from = _mm256_maskz_loadu_epi32(rest, at + i * 4);
        __m512i v = _mm512_mask_i32gather_epi64(_mm512_setzero_si512(), rest, from, dict, 8);
        _mm512_mask_storeu_epi64(to + i * 8, rest, v);
    }
}

/* So many entries fit four registers. */
#define IN_REGISTERS 64

ALWAYS TARGET_AVX512 __m512i look_up_16(const __m512i *table, __m512i at)
{
    __m512i low = _mm512_permutex2var_epi32(table[0], at, table[1]);
    __m512i high = _mm512_permutex2var_epi32(table[2], at, table[3]);
    return _mm512_mask_mov_epi32(low, _mm512_test_epi32_mask(at, _mm512_set1_epi32(32)), high);
}

TARGET_AVX512 void kernel_avx512_look_up_4(const void *dict, size_t entries, const uint32_t *index,
                                           size_t n, void *dst)
{
    const uint8_t *at = (const uint8_t *)index;
    uint8_t *to = dst;
    __m512i table[IN_REGISTERS / 16];
    size_t i = 0;
    if (entries > IN_REGISTERS || n < 16) {
        kernel_avx512_gather_4(dict, index, n, dst);
        return;
    }
    for (size_t t = 0; t < IN_REGISTERS / 16; t++) {
        size_t there = entries > t * 16 ? entries - t * 16 : 0;
        __mmask16 m = there < 16 ? (__mmask16)low_bits(there) : 0xffff;
        table[t] = _mm512_maskz_loadu_epi32(m, (const uint8_t *)dict + t * 64);
    }
    for (; i + 16 <= n; i += 16)
        store_512(to + i * 4, look_up_16(table, load_512(at + i * 4)));
    if (i < n) {
        __mmask16 rest = (__mmask16)low_bits(n - i);
        __m512i v = look_up_16(table, _mm512_maskz_loadu_epi32(rest, at + i * 4));
        _mm512_mask_storeu_epi32(to + i * 4, rest, v);
    }
}

TARGET_AVX512 void kernel_avx512_take_4(const void *src, const uint16_t *sel, size_t n, void *dst)
{
    const uint8_t *at = (const uint8_t *)sel;
    uint8_t *to = dst;
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 there = n - i < 16 ? (__mmask16)low_bits(n - i) : 0xffff;
        __m512i from = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(there, at + i * 2));
        __m512i v = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), there, from, src, 4);
        store_512(to + i * 4, v);
    }
}

TARGET_AVX512 void kernel_avx512_take_8(const void *src, const uint16_t *sel, size_t n, void *dst)
{
    const uint8_t *at = (const uint8_t *)sel;
    uint8_t *to = dst;
    for (size_t i = 0; i < n; i += 8) {
        __mmask8 there = n - i < 8 ? (__mmask8)low_bits(n - i) : 0xff;
        __m256i from = _mm256_cvtepu16_epi32(_mm_maskz_loadu_epi16(there, at + i * 2));
        __m512i v = _mm512_mask_i32gather_epi64(_mm512_setzero_si512(), there, from, src, 8);
        store_512(to + i * 8, v);
    }
}

/* -- Spread and compress ------------------------------------------------------------------------
 */

/* A step of one vector: width, values in it, the intrinsics' suffix, and how often bits are doubled
 * to become those of words of 8. */
ALWAYS TARGET_AVX512 uint64_t bits_of_words(uint64_t bits, bool twice)
{
    return twice ? _pdep_u64(bits, 0x55) * 3 : bits;
}

#define DEFINE_SPREAD(target, level, width, step, suffix, mask_type, twice)                        \
    ALWAYS target size_t spread_step_##width(const uint8_t *from, uint64_t bits, uint8_t *to)      \
    {                                                                                              \
        mask_type mask = (mask_type)bits_of_words(bits, twice);                                    \
        store_512(to, _mm512_maskz_expand_##suffix(mask, load_512(from)));                         \
        return (size_t)_mm_popcnt_u64(bits) * width;                                               \
    }                                                                                              \
    ALWAYS target size_t compress_step_##width(const uint8_t *from, uint64_t bits, uint8_t *to)    \
    {                                                                                              \
        mask_type mask = (mask_type)bits_of_words(bits, twice);                                    \
        store_512(to, _mm512_maskz_compress_##suffix(mask, load_512(from)));                       \
        return (size_t)_mm_popcnt_u64(bits) * width;                                               \
    }                                                                                              \
    target size_t kernel_##level##_spread_##width(const void *src, const uint8_t *bits,            \
                                                  size_t off, size_t n, void *dst)                 \
    {                                                                                              \
        const uint8_t *from = src;                                                                 \
        uint8_t *to = dst;                                                                         \
        for (size_t i = 0; i < n; i += 64) {                                                       \
            uint64_t word = bits_64(bits, off + i);                                                \
            size_t some = size_min(64, n - i);                                                     \
            if (some < 64)                                                                         \
                word &= low_bits(some);                                                            \
            for (size_t k = 0; k < some; k += step, to += 64) {                                    \
                from += spread_step_##width(from, word & low_##step, to);                          \
                word = word >> (step - 1) >> 1;                                                    \
            }                                                                                      \
        }                                                                                          \
        return (size_t)(from - (const uint8_t *)src) / width;                                      \
    }                                                                                              \
    target size_t kernel_##level##_compress_##width(const void *src, const uint8_t *bits,          \
                                                    size_t off, size_t n, void *dst)               \
    {                                                                                              \
        const uint8_t *from = src;                                                                 \
        uint8_t *to = dst;                                                                         \
        for (size_t i = 0; i < n; i += 64) {                                                       \
            uint64_t word = bits_64(bits, off + i);                                                \
            size_t some = size_min(64, n - i);                                                     \
            if (some < 64)                                                                         \
                word &= low_bits(some);                                                            \
            for (size_t k = 0; k < some; k += step, from += 64) {                                  \
                to += compress_step_##width(from, word & low_##step, to);                          \
                word = word >> (step - 1) >> 1;                                                    \
            }                                                                                      \
        }                                                                                          \
        return (size_t)(to - (uint8_t *)dst) / width;                                              \
    }

#define low_4  ((uint64_t)0xf)
#define low_8  ((uint64_t)0xff)
#define low_16 ((uint64_t)0xffff)
#define low_32 ((uint64_t)0xffffffff)
#define low_64 UINT64_MAX

DEFINE_SPREAD(TARGET_AVX512, avx512, 4, 16, epi32, __mmask16, false)
DEFINE_SPREAD(TARGET_AVX512, avx512, 8, 8, epi64, __mmask8, false)
DEFINE_SPREAD(TARGET_AVX512, avx512, 16, 4, epi64, __mmask8, true)
DEFINE_SPREAD(TARGET_VBMI, vbmi, 1, 64, epi8, __mmask64, false)
DEFINE_SPREAD(TARGET_VBMI, vbmi, 2, 32, epi16, __mmask32, false)

#endif
