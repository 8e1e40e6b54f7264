/* AVX-512: least and greatest, runs, hashes, conversions of integers. */
#include "kernel/x86.h"
#include <math.h>

#ifdef __x86_64__

typedef __m512i v_int;
typedef __m512 v_f32;
typedef __m512d v_f64;

#define FN(name) kernel_avx512_##name
#define V_TARGET TARGET_AVX512
#define V_BYTES  64
#define v_load   load_512
#define v_store  store_512

#define v_min_i8  _mm512_min_epi8
#define v_max_i8  _mm512_max_epi8
#define v_min_i16 _mm512_min_epi16
#define v_max_i16 _mm512_max_epi16
#define v_min_i32 _mm512_min_epi32
#define v_max_i32 _mm512_max_epi32
#define v_min_i64 _mm512_min_epi64
#define v_max_i64 _mm512_max_epi64
#define v_min_u8  _mm512_min_epu8
#define v_max_u8  _mm512_max_epu8
#define v_min_u16 _mm512_min_epu16
#define v_max_u16 _mm512_max_epu16
#define v_min_u32 _mm512_min_epu32
#define v_max_u32 _mm512_max_epu32
#define v_min_u64 _mm512_min_epu64
#define v_max_u64 _mm512_max_epu64
#define v_min_f32 _mm512_min_ps
#define v_max_f32 _mm512_max_ps
#define v_min_f64 _mm512_min_pd
#define v_max_f64 _mm512_max_pd

#define v_splat_f32 _mm512_set1_ps
#define v_splat_f64 _mm512_set1_pd
#define v_f32_load  _mm512_loadu_ps
#define v_f32_store _mm512_storeu_ps
#define v_f64_load  _mm512_loadu_pd
#define v_f64_store _mm512_storeu_pd

#define v_differ_4(a, b) ((unsigned)_mm512_cmpneq_epi32_mask(a, b))
#define v_differ_8(a, b) ((unsigned)_mm512_cmpneq_epi64_mask(a, b))

#define v_or           _mm512_or_si512
#define v_product      _mm512_mul_epi32
#define v_magnitude(a) _mm512_xor_si512(a, _mm512_srai_epi64(a, 63))

ALWAYS TARGET_AVX512 __m512i v_swap(__m512i a, unsigned part)
{
    const __m512i place =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    if (part == 32)
        return _mm512_shuffle_i64x2(a, a, 0x4e);
    if (part == 16)
        return _mm512_shuffle_i64x2(a, a, 0xb1);
    return _mm512_shuffle_epi8(a, _mm512_xor_si512(place, _mm512_set1_epi8((char)part)));
}
ALWAYS TARGET_AVX512 int64_t v_low(__m512i a)
{
    return _mm_cvtsi128_si64(_mm512_castsi512_si128(a));
}

#include "kernel/number_template.h"

/* -- Hashes: kernel_hash_u64 in eight lanes ------------------------------------------------------
 */

ALWAYS TARGET_AVX512 __m512i hash_lanes(__m512i x)
{
    x = _mm512_xor_si512(x, _mm512_srli_epi64(x, 32));
    x = _mm512_mullo_epi64(x, _mm512_set1_epi64((long long)0x9fb21c651e98df25u));
    x = _mm512_xor_si512(x, _mm512_srli_epi64(x, 29));
    x = _mm512_mullo_epi64(x, _mm512_set1_epi64((long long)0xd1342543de82ef95u));
    return _mm512_xor_si512(x, _mm512_srli_epi64(x, 32));
}

TARGET_AVX512 void kernel_avx512_hash_4(const void *values, size_t n, uint64_t *out)
{
    const uint8_t *in = values;
    uint8_t *to = (uint8_t *)out;
    for (size_t i = 0; i < n; i += 8)
        store_512(to + i * 8, hash_lanes(_mm512_cvtepu32_epi64(load_256(in + i * 4))));
}

TARGET_AVX512 void kernel_avx512_hash_8(const void *values, size_t n, uint64_t *out)
{
    const uint8_t *in = values;
    uint8_t *to = (uint8_t *)out;
    for (size_t i = 0; i < n; i += 8)
        store_512(to + i * 8, hash_lanes(load_512(in + i * 8)));
}

TARGET_AVX512 void kernel_avx512_hash_16(const void *values, size_t n, uint64_t *out)
{
    const uint8_t *in = values;
    uint8_t *to = (uint8_t *)out;
    const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    const __m512i by = _mm512_set1_epi64((long long)0x9e3779b97f4a7c15u);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m512i a = load_512(in + i * 16), b = load_512(in + i * 16 + 64);
        __m512i lo = _mm512_permutex2var_epi64(a, even, b);
        __m512i hi = _mm512_permutex2var_epi64(a, odd, b);
        lo = _mm512_add_epi64(hash_lanes(lo), _mm512_mullo_epi64(hi, by));
        store_512(to + i * 8, hash_lanes(lo));
    }
    kernel_scalar_hash_16(in + i * 16, n - i, (uint64_t *)(void *)(to + i * 8));
}

/* -- Conversions --------------------------------------------------------------------------------
 */

#define DEFINE_WIDEN(name, from, to, step, load, widen)                                            \
    TARGET_AVX512 void kernel_avx512_widen_##name(const from *src, size_t n, to *dst)              \
    {                                                                                              \
        const uint8_t *in = (const uint8_t *)src;                                                  \
        uint8_t *out = (uint8_t *)dst;                                                             \
        for (size_t i = 0; i < n; i += step)                                                       \
            store_512(out + i * sizeof(to), widen(load(in + i * sizeof(from))));                   \
    }
DEFINE_WIDEN(i8_i32, int8_t, int32_t, 16, load_128, _mm512_cvtepi8_epi32)
DEFINE_WIDEN(u8_i32, uint8_t, int32_t, 16, load_128, _mm512_cvtepu8_epi32)
DEFINE_WIDEN(i16_i32, int16_t, int32_t, 16, load_256, _mm512_cvtepi16_epi32)
DEFINE_WIDEN(u16_i32, uint16_t, int32_t, 16, load_256, _mm512_cvtepu16_epi32)
DEFINE_WIDEN(i32_i64, int32_t, int64_t, 8, load_256, _mm512_cvtepi32_epi64)
DEFINE_WIDEN(u32_u64, uint32_t, uint64_t, 8, load_256, _mm512_cvtepu32_epi64)

#define DEFINE_NARROW(name, type, narrow, widen, store)                                            \
    TARGET_AVX512 bool kernel_avx512_narrow_i32_##name(const int32_t *src, size_t n, type *dst)    \
    {                                                                                              \
        const uint8_t *in = (const uint8_t *)src;                                                  \
        uint8_t *out = (uint8_t *)dst;                                                             \
        __m512i wrong = _mm512_setzero_si512();                                                    \
        size_t i = 0;                                                                              \
        for (; i + 16 <= n; i += 16) {                                                             \
            __m512i v = load_512(in + i * 4);                                                      \
            wrong = _mm512_or_si512(wrong, _mm512_xor_si512(widen(narrow(v)), v));                 \
            store(out + i * sizeof(type), narrow(v));                                              \
        }                                                                                          \
        bool fits = _mm512_test_epi32_mask(wrong, wrong) == 0;                                     \
        return kernel_scalar_narrow_i32_##name((const int32_t *)(const void *)(in + i * 4), n - i, \
                                               (type *)(void *)(out + i * sizeof(type))) &&        \
               fits;                                                                               \
    }
DEFINE_NARROW(i8, int8_t, _mm512_cvtepi32_epi8, _mm512_cvtepi8_epi32, store_128)
DEFINE_NARROW(u8, uint8_t, _mm512_cvtepi32_epi8, _mm512_cvtepu8_epi32, store_128)
DEFINE_NARROW(i16, int16_t, _mm512_cvtepi32_epi16, _mm512_cvtepi16_epi32, store_256)
DEFINE_NARROW(u16, uint16_t, _mm512_cvtepi32_epi16, _mm512_cvtepu16_epi32, store_256)

/* dst may be src, so nothing is stored beyond the end. */
TARGET_AVX512 bool kernel_avx512_mul_i64(const int64_t *src, size_t n, int64_t factor, int64_t *dst)
{
    const uint8_t *in = (const uint8_t *)src;
    uint8_t *out = (uint8_t *)dst;
    const __m512i most = _mm512_set1_epi64(INT64_MAX / factor);
    const __m512i least = _mm512_set1_epi64(INT64_MIN / factor);
    const __m512i by = _mm512_set1_epi64(factor);
    unsigned over = 0;
    for (size_t i = 0; i < n; i += 8) {
        __mmask8 there = n - i < 8 ? (__mmask8)low_bits(n - i) : 0xff;
        __m512i v = _mm512_maskz_loadu_epi64(there, in + i * 8);
        over |= _mm512_cmpgt_epi64_mask(v, most) | _mm512_cmplt_epi64_mask(v, least);
        _mm512_mask_storeu_epi64(out + i * 8, there, _mm512_mullo_epi64(v, by));
    }
    return over == 0;
}

#endif
