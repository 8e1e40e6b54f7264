/* AVX2: filling, gathering, spreading and compressing. Eight mask bits become eight bytes by pdep;
 * these bytes, or the ranks that pdep and pext draw from a row of numbers, steer a permutation. */
#include "kernel/x86.h"

#ifdef __x86_64__

TARGET_AVX2 void kernel_avx2_fill_4(void *dst, uint32_t value, size_t n)
{
    const __m256i v = _mm256_set1_epi32((int)value);
    for (size_t i = 0; i < n; i += 8)
        store_256((uint8_t *)dst + i * 4, v);
}

TARGET_AVX2 void kernel_avx2_fill_8(void *dst, uint64_t value, size_t n)
{
    const __m256i v = _mm256_set1_epi64x((long long)value);
    for (size_t i = 0; i < n; i += 4)
        store_256((uint8_t *)dst + i * 8, v);
}

/* Gathers take two indices a load, and put values together in registers so that a store takes four:
 * the CPU's own gathers are slower. */
typedef struct four {
    size_t i[4];
} four;

ALWAYS four four_indices(const any_u32 *at)
{
    uint64_t a = load_u64((const uint8_t *)at), b = load_u64((const uint8_t *)at + 8);
    return (four){{(uint32_t)a, a >> 32, (uint32_t)b, b >> 32}};
}

TARGET_AVX2 void kernel_avx2_gather_4(const void *dict, const uint32_t *index, size_t n, void *dst)
{
    const any_u32 *at = (const any_u32 *)index, *from = dict;
    any_u32 *to = dst;
    for (; n >= 4; n -= 4, at += 4, to += 4) {
        four f = four_indices(at);
        __m128i v = _mm_cvtsi32_si128((int)from[f.i[0]]);
        v = _mm_insert_epi32(v, (int)from[f.i[1]], 1);
        v = _mm_insert_epi32(v, (int)from[f.i[2]], 2);
        store_128(to, _mm_insert_epi32(v, (int)from[f.i[3]], 3));
    }
    kernel_scalar_gather_4(dict, (const uint32_t *)at, n, to);
}

ALWAYS TARGET_AVX2 __m128i two_of_8(const uint8_t *from, size_t a, size_t b)
{
    __m128d low = _mm_castsi128_pd(_mm_loadl_epi64((const __m128i *)(const void *)(from + 8 * a)));
    return _mm_castpd_si128(_mm_loadh_pd(low, (const double *)(const void *)(from + 8 * b)));
}

TARGET_AVX2 void kernel_avx2_gather_8(const void *dict, const uint32_t *index, size_t n, void *dst)
{
    const any_u32 *at = (const any_u32 *)index;
    const uint8_t *from = dict;
    uint8_t *to = dst;
    for (; n >= 4; n -= 4, at += 4, to += 32) {
        four f = four_indices(at);
        __m128i a = two_of_8(from, f.i[0], f.i[1]), b = two_of_8(from, f.i[2], f.i[3]);
        store_256(to, _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1));
    }
    kernel_scalar_gather_8(dict, (const uint32_t *)at, n, to);
}

ALWAYS TARGET_AVX2 __m256i two_of_16(const uint8_t *from, size_t a, size_t b)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load_128(from + 16 * a)),
                                   load_128(from + 16 * b), 1);
}

TARGET_AVX2 void kernel_avx2_gather_16(const void *dict, const uint32_t *index, size_t n, void *dst)
{
    const any_u32 *at = (const any_u32 *)index;
    const uint8_t *from = dict;
    uint8_t *to = dst;
    for (; n >= 4; n -= 4, at += 4, to += 64) {
        four f = four_indices(at);
        store_256(to, two_of_16(from, f.i[0], f.i[1]));
        store_256(to + 32, two_of_16(from, f.i[2], f.i[3]));
    }
    kernel_scalar_gather_16(dict, (const uint32_t *)at, n, to);
}

/* Two copies that overlap make any width between their size and twice that. */
#define GATHER_PAIRS(type, load, store)                                                            \
    for (size_t i = 0; i < n; i++, to += width) {                                                  \
        const uint8_t *p = from + (size_t)at[i] * width;                                           \
        type first = load(p), second = load(p + width - sizeof(type));                             \
        store(to, first);                                                                          \
        store(to + width - sizeof(type), second);                                                  \
    }

TARGET_AVX2 void kernel_avx2_gather_any(const void *dict, size_t width, const uint32_t *index,
                                        size_t n, void *dst)
{
    const any_u32 *at = (const any_u32 *)index;
    const uint8_t *from = dict;
    uint8_t *to = dst;
    if (width < 4 || width > 32) {
        kernel_scalar_gather_any(dict, width, index, n, dst);
    } else if (width <= 8) {
        GATHER_PAIRS(uint32_t, load_u32, store_u32)
    } else if (width <= 16) {
        GATHER_PAIRS(uint64_t, load_u64, store_u64)
    } else {
        GATHER_PAIRS(__m128i, load_128, store_128)
    }
}

TARGET_AVX2 void kernel_avx2_shift_u32(const uint32_t *src, size_t n, uint32_t split,
                                       uint32_t below, uint32_t above, uint32_t *dst)
{
    const __m256i border = _mm256_set1_epi32((int)split);
    const __m256i low = _mm256_set1_epi32((int)below), high = _mm256_set1_epi32((int)above);
    for (size_t i = 0; i < n; i += 8) {
        __m256i v = load_256(src + i);
        __m256i beyond = _mm256_cmpeq_epi32(_mm256_max_epu32(v, border), v);
        store_256(dst + i, _mm256_add_epi32(v, _mm256_blendv_epi8(low, high, beyond)));
    }
}

/* -- Spread and compress ------------------------------------------------------------------------
 */

/* One byte for each of eight bits: 0 or 255. */
ALWAYS TARGET_AVX2 uint64_t mask_bytes(uint64_t bits)
{
    return _pdep_u64(bits, 0x0101010101010101u) * 255;
}

#define RANKS 0x0706050403020100u

/* Bits of values of 8 or 16 bytes as bits of their words of 4. */
ALWAYS TARGET_AVX2 uint64_t double_bits(uint64_t bits)
{
    return _pdep_u64(bits, 0x5555555555555555u) * 3;
}

/* The next words of src where bits are 1. */
ALWAYS TARGET_AVX2 size_t spread_8_words(const uint8_t *src, uint64_t bits, uint8_t *dst)
{
    uint64_t mask = mask_bytes(bits & 255);
    __m128i ranks = _mm_cvtsi64_si128((long long)_pdep_u64(RANKS, mask));
    __m256i there = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128((long long)mask));
    __m256i v = _mm256_permutevar8x32_epi32(load_256(src), _mm256_cvtepu8_epi32(ranks));
    store_256(dst, _mm256_and_si256(v, there));
    return (size_t)_mm_popcnt_u64(bits & 255);
}

ALWAYS TARGET_AVX2 size_t compress_8_words(const uint8_t *src, uint64_t bits, uint8_t *dst)
{
    uint64_t ranks = _pext_u64(RANKS, mask_bytes(bits & 255));
    __m256i from = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)ranks));
    store_256(dst, _mm256_permutevar8x32_epi32(load_256(src), from));
    return (size_t)_mm_popcnt_u64(bits & 255);
}

/* Up to 64 values whose bits are given: all of one kind are copied or cleared as a whole. */
#define DEFINE_WORDS(width, doublings)                                                             \
    ALWAYS TARGET_AVX2 size_t spread_word_##width(const uint8_t *src, uint64_t bits, size_t n,     \
                                                  uint8_t *dst)                                    \
    {                                                                                              \
        const uint8_t *start = src;                                                                \
        enum { STEP = 8 >> doublings };                                                            \
        for (size_t i = 0; i < n; i += STEP, bits >>= STEP) {                                      \
            uint64_t b = bits & ((1u << STEP) - 1);                                                \
            for (int d = 0; d < doublings; d++)                                                    \
                b = double_bits(b);                                                                \
            src += 4 * spread_8_words(src, b, dst + i * width);                                    \
        }                                                                                          \
        return (size_t)(src - start) / width;                                                      \
    }                                                                                              \
    ALWAYS TARGET_AVX2 size_t compress_word_##width(const uint8_t *src, uint64_t bits, size_t n,   \
                                                    uint8_t *dst)                                  \
    {                                                                                              \
        const uint8_t *start = dst;                                                                \
        enum { STEP = 8 >> doublings };                                                            \
        for (size_t i = 0; i < n; i += STEP, bits >>= STEP) {                                      \
            uint64_t b = bits & ((1u << STEP) - 1);                                                \
            for (int d = 0; d < doublings; d++)                                                    \
                b = double_bits(b);                                                                \
            dst += 4 * compress_8_words(src + i * width, b, dst);                                  \
        }                                                                                          \
        return (size_t)(dst - start) / width;                                                      \
    }
DEFINE_WORDS(4, 0)
DEFINE_WORDS(8, 1)
DEFINE_WORDS(16, 2)

ALWAYS TARGET_AVX2 size_t spread_word_1(const uint8_t *src, uint64_t bits, size_t n, uint8_t *dst)
{
    const uint8_t *start = src;
    for (size_t i = 0; i < n; i += 8, bits >>= 8) {
        store_u64(dst + i, _pdep_u64(load_u64(src), mask_bytes(bits & 255)));
        src += _mm_popcnt_u64(bits & 255);
    }
    return (size_t)(src - start);
}

ALWAYS TARGET_AVX2 size_t compress_word_1(const uint8_t *src, uint64_t bits, size_t n, uint8_t *dst)
{
    const uint8_t *start = dst;
    for (size_t i = 0; i < n; i += 8, bits >>= 8) {
        store_u64(dst, _pext_u64(load_u64(src + i), mask_bytes(bits & 255)));
        dst += _mm_popcnt_u64(bits & 255);
    }
    return (size_t)(dst - start);
}

ALWAYS TARGET_AVX2 uint64_t mask_halves(uint64_t bits)
{
    return _pdep_u64(bits, 0x0001000100010001u) * 65535;
}

ALWAYS TARGET_AVX2 size_t spread_word_2(const uint8_t *src, uint64_t bits, size_t n, uint8_t *dst)
{
    const uint8_t *start = src;
    for (size_t i = 0; i < n; i += 4, bits >>= 4) {
        store_u64(dst + i * 2, _pdep_u64(load_u64(src), mask_halves(bits & 15)));
        src += 2 * _mm_popcnt_u64(bits & 15);
    }
    return (size_t)(src - start) / 2;
}

ALWAYS TARGET_AVX2 size_t compress_word_2(const uint8_t *src, uint64_t bits, size_t n, uint8_t *dst)
{
    const uint8_t *start = dst;
    for (size_t i = 0; i < n; i += 4, bits >>= 4) {
        store_u64(dst, _pext_u64(load_u64(src + i * 2), mask_halves(bits & 15)));
        dst += 2 * _mm_popcnt_u64(bits & 15);
    }
    return (size_t)(dst - start) / 2;
}

#define DEFINE_SPREAD(width)                                                                       \
    TARGET_AVX2 size_t kernel_avx2_spread_##width(const void *src, const uint8_t *bits,            \
                                                  size_t off, size_t n, void *dst)                 \
    {                                                                                              \
        const uint8_t *from = src;                                                                 \
        uint8_t *to = dst;                                                                         \
        for (; n >= 64; n -= 64, off += 64, to += 64 * width) {                                    \
            uint64_t word = bits_64(bits, off);                                                    \
            if (word == UINT64_MAX) {                                                              \
                memcpy(to, from, 64 * width);                                                      \
                from += 64 * width;                                                                \
            } else if (word == 0) {                                                                \
                memset(to, 0, 64 * width);                                                         \
            } else {                                                                               \
                from += width * spread_word_##width(from, word, 64, to);                           \
            }                                                                                      \
        }                                                                                          \
        if (n > 0)                                                                                 \
            from += width * spread_word_##width(from, bits_64(bits, off) & low_bits(n), n, to);    \
        return (size_t)(from - (const uint8_t *)src) / width;                                      \
    }                                                                                              \
    TARGET_AVX2 size_t kernel_avx2_compress_##width(const void *src, const uint8_t *bits,          \
                                                    size_t off, size_t n, void *dst)               \
    {                                                                                              \
        const uint8_t *from = src;                                                                 \
        uint8_t *to = dst;                                                                         \
        for (; n >= 64; n -= 64, off += 64, from += 64 * width) {                                  \
            uint64_t word = bits_64(bits, off);                                                    \
            if (word == UINT64_MAX) {                                                              \
                memcpy(to, from, 64 * width);                                                      \
                to += 64 * width;                                                                  \
            } else if (word != 0) {                                                                \
                to += width * compress_word_##width(from, word, 64, to);                           \
            }                                                                                      \
        }                                                                                          \
        if (n > 0)                                                                                 \
            to += width * compress_word_##width(from, bits_64(bits, off) & low_bits(n), n, to);    \
        return (size_t)(to - (uint8_t *)dst) / width;                                              \
    }
DEFINE_SPREAD(1)
DEFINE_SPREAD(2)
DEFINE_SPREAD(4)
DEFINE_SPREAD(8)
DEFINE_SPREAD(16)

TARGET_AVX2 size_t kernel_avx2_equal_eight_4(const void *values, size_t n)
{
    const uint8_t *p = values;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i first = _mm256_set1_epi32((int)load_u32(p + i * 4));
        __m256i same = _mm256_cmpeq_epi32(first, load_256(p + i * 4));
        if (_mm256_movemask_epi8(same) == -1)
            break;
    }
    return i;
}

#endif
