/* AVX2: levels, a byte each, and text. */
#include "kernel/x86.h"

#ifdef __x86_64__

/* Eight values are `width` bytes: pdep lays each into a byte of its own. */
TARGET_AVX2 void kernel_avx2_unpack_u8(const uint8_t *src, unsigned width, size_t n, uint8_t *dst)
{
    const uint64_t places = ((1u << width) - 1) * 0x0101010101010101u;
    for (size_t i = 0; i < n; i += 8, src += width)
        store_u64(dst + i, _pdep_u64(load_u64(src), places));
}

/* Bytes of v that are at least those of `least`, as bits. */
ALWAYS TARGET_AVX2 uint32_t from_bits(__m256i v, __m256i least)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(v, least), v));
}

TARGET_AVX2 size_t kernel_avx2_levels_from_u8(const uint8_t *levels, size_t n, uint8_t least,
                                              uint8_t *dst)
{
    const __m256i from = _mm256_set1_epi8((char)least);
    size_t i = 0, count = 0;
    for (; i + 32 <= n; i += 32) {
        uint32_t word = from_bits(load_256(levels + i), from);
        store_u32(dst + i / 8, word);
        count += (size_t)_mm_popcnt_u32(word);
    }
    return count + kernel_scalar_levels_from_u8(levels + i, n - i, least, dst + i / 8);
}

TARGET_AVX2 size_t kernel_avx2_level_entries_u8(const uint8_t *levels, size_t n, uint8_t least,
                                                uint8_t max, uint8_t *dst)
{
    const __m256i from = _mm256_set1_epi8((char)least), top = _mm256_set1_epi8((char)max);
    uint64_t word = 0; /* bits from byte k / 8 of dst on */
    size_t k = 0;
    for (size_t i = 0; i < n; i += 32) {
        __m256i v = load_256(levels + i);
        uint32_t entry = from_bits(v, from);
        if (n - i < 32)
            entry &= (uint32_t)low_bits(n - i);
        uint64_t full = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, top));
        unsigned open = k & 7, more = (unsigned)_mm_popcnt_u32(entry);
        word |= _pext_u64(full, entry) << open;
        store_u64(dst + k / 8, word);
        word >>= (open + more) & ~7u;
        k += more;
    }
    return k;
}

TARGET_AVX2 bool kernel_avx2_levels_agree_u8(const uint8_t *a, const uint8_t *b, size_t n,
                                             uint8_t top)
{
    const __m256i most = _mm256_set1_epi8((char)top);
    __m256i differ = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i x = _mm256_min_epu8(load_256(a + i), most);
        __m256i y = _mm256_min_epu8(load_256(b + i), most);
        differ = _mm256_or_si256(differ, _mm256_xor_si256(x, y));
    }
    return _mm256_testz_si256(differ, differ) &&
           kernel_scalar_levels_agree_u8(a + i, b + i, n - i, top);
}

TARGET_AVX2 bool kernel_avx2_ascii(const uint8_t *text, size_t n)
{
    __m256i seen = _mm256_setzero_si256(), more = seen;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        seen = _mm256_or_si256(seen, load_256(text + i));
        more = _mm256_or_si256(more, load_256(text + i + 32));
    }
    return _mm256_movemask_epi8(_mm256_or_si256(seen, more)) == 0 &&
           kernel_scalar_ascii(text + i, n - i);
}

#endif
