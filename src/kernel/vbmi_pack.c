/* AVX-512 VBMI: bit packing and unpacking. A step of 16 values (8 of 64 bits) starts at a byte and
 * fits one load; one permutation brings each value's bytes into its lane. */
#include "kernel/x86.h"

#ifdef __x86_64__

/* The first 16 or 32 bytes of a step, where it has no more: loads of 64 would nearly all cross a
 * cache line. What the permutation takes from behind them is masked away. */
ALWAYS TARGET_VBMI __m512i load_quarter(const uint8_t *p)
{
    return _mm512_castsi128_si512(load_128(p));
}
ALWAYS TARGET_VBMI __m512i load_half(const uint8_t *p)
{
    return _mm512_castsi256_si512(load_256(p));
}

/* All steps of values of BITS bits, of BYTES bytes each. */
#define UNPACK_STEPS(BITS, BYTES, load)                                                            \
    for (size_t i = 0; i < n; i += 512 / BITS, src += BYTES) {                                     \
        __m512i v = _mm512_permutexvar_epi8(pick, load(src));                                      \
        v = _mm512_and_si512(_mm512_srlv_epi##BITS(v, shift), mask);                               \
        store_512(out + i * (BITS / 8), v);                                                        \
    }

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
    if (width <= 8)
        UNPACK_STEPS(32, 2 * width, load_quarter)
    else if (width <= 16)
        UNPACK_STEPS(32, 2 * width, load_half)
    else
        UNPACK_STEPS(32, 2 * width, load_512)
}

/* Above 57 bits a value may reach into a ninth byte. */
ALWAYS TARGET_VBMI void unpack_wide_64(const uint8_t *src, unsigned width, size_t n, uint8_t *out,
                                       __m512i pick, __m512i shift, __m512i mask)
{
    const __m512i ninth = _mm512_add_epi8(_mm512_srli_epi64(pick, 56), _mm512_set1_epi64(1));
    const __m512i up = _mm512_sub_epi64(_mm512_set1_epi64(64), shift);
    for (size_t i = 0; i < n; i += 8, src += width) {
        __m512i all = load_512(src);
        __m512i v = _mm512_srlv_epi64(_mm512_permutexvar_epi8(pick, all), shift);
        __m512i high = _mm512_sllv_epi64(_mm512_permutexvar_epi8(ninth, all), up);
        store_512(out + i * 8, _mm512_ternarylogic_epi64(v, high, mask, 0xa8));
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
    const __m512i pick = _mm512_add_epi8(
        _mm512_mullo_epi64(_mm512_srli_epi64(at, 3), _mm512_set1_epi64(0x0101010101010101)),
        _mm512_set1_epi64(0x0706050403020100));
    const __m512i shift = _mm512_and_si512(at, _mm512_set1_epi64(7));
    const __m512i mask = _mm512_set1_epi64((long long)low_bits(width));
    if (width > 57) {
        unpack_wide_64(src, width, n, out, pick, shift, mask);
        return;
    }
    if (width <= 16)
        UNPACK_STEPS(64, width, load_quarter)
    else if (width <= 32)
        UNPACK_STEPS(64, width, load_half)
    else
        UNPACK_STEPS(64, width, load_512)
}

/* -- Packing: eight words of two values each, every other one of which touches bytes of its own -
 */

enum { NARROWEST = 4, WIDEST = 28 }; /* a word fills a byte; with the bits before it fits 64 */

/* Which byte of which word comes to each byte of the result. */
typedef struct placing {
    __m512i at;
    __mmask64 there;
} placing;

typedef struct placing_half {
    __m256i at;
    __mmask32 there;
} placing_half;

/* Of the words in which byte's first and last bit lie: that of this parity, if one is. */
ALWAYS TARGET_VBMI placing_half half_of(__m512i byte, unsigned bits, unsigned parity)
{
    const __m512i one = _mm512_set1_epi16(1);
    const __m512i inverse =
        _mm512_set1_epi16((short)((65536 + bits - 1) / bits)); /* exact to 511 */
    __m512i bit = _mm512_slli_epi16(byte, 3);
    __m512i first = _mm512_mulhi_epu16(bit, inverse);
    __m512i last = _mm512_mulhi_epu16(_mm512_add_epi16(bit, _mm512_set1_epi16(7)), inverse);
    __m512i wanted = _mm512_set1_epi16((short)parity);
    __mmask32 is_first = _mm512_cmpeq_epi16_mask(_mm512_and_si512(first, one), wanted);
    __m512i word = _mm512_mask_mov_epi16(last, is_first, first);
    __m512i start = _mm512_srli_epi16(_mm512_mullo_epi16(word, _mm512_set1_epi16((short)bits)), 3);
    __m512i at = _mm512_add_epi16(_mm512_slli_epi16(word, 3), _mm512_sub_epi16(byte, start));
    return (placing_half){_mm512_cvtepi16_epi8(at),
                          _mm512_cmpeq_epi16_mask(_mm512_and_si512(word, one), wanted)};
}

ALWAYS TARGET_VBMI placing placing_of(unsigned width, unsigned parity)
{
    const __m512i low = _mm512_cvtepu8_epi16(
        _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                         21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31));
    placing_half a = half_of(low, 2 * width, parity);
    placing_half b = half_of(_mm512_add_epi16(low, _mm512_set1_epi16(32)), 2 * width, parity);
    return (placing){_mm512_inserti64x4(_mm512_castsi256_si512(a.at), b.at, 1),
                     (__mmask64)b.there << 32 | a.there};
}

TARGET_VBMI void kernel_vbmi_pack_u32(const uint32_t *values, unsigned width, size_t n,
                                      uint8_t *dst)
{
    const uint8_t *in = (const uint8_t *)values;
    size_t i = 0;
    if (width < NARROWEST || width > WIDEST || n < 64) {
        kernel_avx2_pack_u32(values, width, n, dst);
        return;
    }
    const placing even = placing_of(width, 0), odd = placing_of(width, 1);
    const __m512i mask = _mm512_set1_epi32((int)(uint32_t)low_bits(width));
    const __m512i rank = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i shift = _mm512_and_si512(_mm512_mullo_epi64(rank, _mm512_set1_epi64(2 * width)),
                                           _mm512_set1_epi64(7));
    const __m128i by = _mm_cvtsi32_si128((int)width);
    for (; i + 16 <= n; i += 16, dst += 2 * width) {
        __m512i v = _mm512_and_si512(load_512(in + i * 4), mask);
        __m512i first = _mm512_and_si512(v, _mm512_set1_epi64(0xffffffff));
        __m512i second = _mm512_sll_epi64(_mm512_srli_epi64(v, 32), by);
        __m512i words = _mm512_sllv_epi64(_mm512_or_si512(first, second), shift);
        __m512i a = _mm512_maskz_permutexvar_epi8(even.there, even.at, words);
        __m512i b = _mm512_maskz_permutexvar_epi8(odd.there, odd.at, words);
        store_512(dst, _mm512_or_si512(a, b));
    }
    kernel_avx2_pack_u32((const uint32_t *)(const void *)(in + i * 4), width, n - i, dst);
}

#endif
