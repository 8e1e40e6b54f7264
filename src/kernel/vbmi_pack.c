/* AVX-512 VBMI: bit unpacking. A step of 16 values (8 of 64 bits) starts at a byte and fits one
 * load; one permutation brings each value's bytes into its lane. */
#include "kernel/x86.h"

#ifdef __x86_64__

/* Above 25 bits a value may reach into a fifth byte. */
ALWAYS TARGET_VBMI void unpack_wide_32(const uint8_t *src, unsigned width, size_t n, uint8_t *out,
                                       __m512i pick, __m512i shift, __m512i mask)
{
    const __m512i fifth = _mm512_add_epi8(_mm512_srli_epi32(pick, 24), _mm512_set1_epi32(1));
    const __m512i up = _mm512_sub_epi32(_mm512_set1_epi32(32), shift);
    for (size_t i = 0; i < n; i += 16, src += 2 * width) {
        __m512i all = load_512(src);
        __m512i v = _mm512_srlv_epi32(_mm512_permutexvar_epi8(pick, all), shift);
        __m512i high = _mm512_sllv_epi32(_mm512_permutexvar_epi8(fifth, all), up);
        /* (v | high) & mask */
        store_512(out + i * 4, _mm512_ternarylogic_epi32(v, high, mask, 0xa8));
    }
}

TARGET_VBMI void kernel_vbmi_unpack_u32(const uint8_t *src, unsigned width, size_t n, uint32_t *dst)
{
    uint8_t *out = (uint8_t *)dst;
    if (width == 0 || width == 32) {
        if (n > 0 && width == 0)
            memset(dst, 0, n * 4);
        else if (n > 0)
            memcpy(dst, src, n * 4);
        return;
    }
    const __m512i rank = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_mullo_epi32(rank, _mm512_set1_epi32((int)width));
    const __m512i first = _mm512_shuffle_epi8(
        _mm512_srli_epi32(at, 3),
        _mm512_set_epi8(12, 12, 12, 12, 8, 8, 8, 8, 4, 4, 4, 4, 0, 0, 0, 0, 12, 12, 12, 12, 8, 8, 8,
                        8, 4, 4, 4, 4, 0, 0, 0, 0, 12, 12, 12, 12, 8, 8, 8, 8, 4, 4, 4, 4, 0, 0, 0,
                        0, 12, 12, 12, 12, 8, 8, 8, 8, 4, 4, 4, 4, 0, 0, 0, 0));
    const __m512i pick = _mm512_add_epi8(first, _mm512_set1_epi32(0x03020100));
    const __m512i shift = _mm512_and_si512(at, _mm512_set1_epi32(7));
    const __m512i mask = _mm512_set1_epi32((int)(uint32_t)low_bits(width));
    if (width > 25) {
        unpack_wide_32(src, width, n, out, pick, shift, mask);
        return;
    }
    for (size_t i = 0; i < n; i += 16, src += 2 * width) {
        __m512i v = _mm512_permutexvar_epi8(pick, load_512(src));
        store_512(out + i * 4, _mm512_and_si512(_mm512_srlv_epi32(v, shift), mask));
    }
}

TARGET_VBMI void kernel_vbmi_unpack_u64(const uint8_t *src, unsigned width, size_t n, uint64_t *dst)
{
    uint8_t *out = (uint8_t *)dst;
    if (width == 0 || width == 64) {
        if (n > 0 && width == 0)
            memset(dst, 0, n * 8);
        else if (n > 0)
            memcpy(dst, src, n * 8);
        return;
    }
    const __m512i rank = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i at = _mm512_mullo_epi64(rank, _mm512_set1_epi64(width));
    const __m512i byte = _mm512_srli_epi64(at, 3);
    const __m512i pick =
        _mm512_add_epi8(_mm512_mullo_epi64(byte, _mm512_set1_epi64(0x0101010101010101)),
                        _mm512_set1_epi64(0x0706050403020100));
    const __m512i shift = _mm512_and_si512(at, _mm512_set1_epi64(7));
    const __m512i mask = _mm512_set1_epi64((long long)low_bits(width));
    if (width <= 57) {
        for (size_t i = 0; i < n; i += 8, src += width) {
            __m512i v = _mm512_permutexvar_epi8(pick, load_512(src));
            store_512(out + i * 8, _mm512_and_si512(_mm512_srlv_epi64(v, shift), mask));
        }
        return;
    }
    const __m512i ninth = _mm512_add_epi64(byte, _mm512_set1_epi64(8));
    const __m512i up = _mm512_sub_epi64(_mm512_set1_epi64(64), shift);
    for (size_t i = 0; i < n; i += 8, src += width) {
        __m512i all = load_512(src);
        __m512i v = _mm512_srlv_epi64(_mm512_permutexvar_epi8(pick, all), shift);
        __m512i high = _mm512_sllv_epi64(_mm512_permutexvar_epi8(ninth, all), up);
        store_512(out + i * 8, _mm512_ternarylogic_epi64(v, high, mask, 0xa8));
    }
}

#endif
