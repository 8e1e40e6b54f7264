/* AVX2: least and greatest, runs, conversions of integers. */
#include "kernel/x86.h"
#include <math.h>

#ifdef __x86_64__

typedef __m256i v_int;
typedef __m256 v_f32;
typedef __m256d v_f64;

#define FN(name) kernel_avx2_##name
#define V_TARGET TARGET_AVX2
#define V_BYTES  32
#define v_load   load_256
#define v_store  store_256

#define v_min_i8  _mm256_min_epi8
#define v_max_i8  _mm256_max_epi8
#define v_min_i16 _mm256_min_epi16
#define v_max_i16 _mm256_max_epi16
#define v_min_i32 _mm256_min_epi32
#define v_max_i32 _mm256_max_epi32
#define v_min_u8  _mm256_min_epu8
#define v_max_u8  _mm256_max_epu8
#define v_min_u16 _mm256_min_epu16
#define v_max_u16 _mm256_max_epu16
#define v_min_u32 _mm256_min_epu32
#define v_max_u32 _mm256_max_epu32
#define v_min_f32 _mm256_min_ps
#define v_max_f32 _mm256_max_ps
#define v_min_f64 _mm256_min_pd
#define v_max_f64 _mm256_max_pd

ALWAYS TARGET_AVX2 __m256i v_min_i64(__m256i a, __m256i b)
{
    return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
}
ALWAYS TARGET_AVX2 __m256i v_max_i64(__m256i a, __m256i b)
{
    return _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b));
}
ALWAYS TARGET_AVX2 __m256i above_u64(__m256i a, __m256i b)
{
    const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
    return _mm256_cmpgt_epi64(_mm256_xor_si256(a, sign), _mm256_xor_si256(b, sign));
}
ALWAYS TARGET_AVX2 __m256i v_min_u64(__m256i a, __m256i b)
{
    return _mm256_blendv_epi8(a, b, above_u64(a, b));
}
ALWAYS TARGET_AVX2 __m256i v_max_u64(__m256i a, __m256i b)
{
    return _mm256_blendv_epi8(b, a, above_u64(a, b));
}

#define v_splat_f32 _mm256_set1_ps
#define v_splat_f64 _mm256_set1_pd
ALWAYS TARGET_AVX2 __m256 v_f32_load(const void *p)
{
    return _mm256_loadu_ps(p);
}
ALWAYS TARGET_AVX2 void v_f32_store(float *p, __m256 v)
{
    _mm256_storeu_ps(p, v);
}
ALWAYS TARGET_AVX2 __m256d v_f64_load(const void *p)
{
    return _mm256_loadu_pd(p);
}
ALWAYS TARGET_AVX2 void v_f64_store(double *p, __m256d v)
{
    _mm256_storeu_pd(p, v);
}

ALWAYS TARGET_AVX2 unsigned v_differ_4(__m256i a, __m256i b)
{
    __m256i same = _mm256_cmpeq_epi32(a, b);
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same)) ^ 0xff;
}
ALWAYS TARGET_AVX2 unsigned v_differ_8(__m256i a, __m256i b)
{
    __m256i same = _mm256_cmpeq_epi64(a, b);
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(same)) ^ 0xf;
}

#define v_or      _mm256_or_si256
#define v_product _mm256_mul_epi32
ALWAYS TARGET_AVX2 __m256i v_magnitude(__m256i a)
{
    return _mm256_xor_si256(a, _mm256_cmpgt_epi64(_mm256_setzero_si256(), a));
}

ALWAYS TARGET_AVX2 __m256i v_swap(__m256i a, unsigned part)
{
    const __m256i place = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    if (part == 16)
        return _mm256_permute2x128_si256(a, a, 1);
    return _mm256_shuffle_epi8(a, _mm256_xor_si256(place, _mm256_set1_epi8((char)part)));
}
ALWAYS TARGET_AVX2 int64_t v_low(__m256i a)
{
    return _mm_cvtsi128_si64(_mm256_castsi256_si128(a));
}

#include "kernel/number_template.h"

/* -- Conversions --------------------------------------------------------------------------------
 */

/* A step of eight values: the source's load and the widening. */
#define DEFINE_WIDEN(name, from, to, step, load, widen)                                            \
    TARGET_AVX2 void kernel_avx2_widen_##name(const from *src, size_t n, to *dst)                  \
    {                                                                                              \
        const uint8_t *in = (const uint8_t *)src;                                                  \
        uint8_t *out = (uint8_t *)dst;                                                             \
        for (size_t i = 0; i < n; i += step)                                                       \
            store_256(out + i * sizeof(to), widen(load(in + i * sizeof(from))));                   \
    }
ALWAYS TARGET_AVX2 __m128i load_64(const void *p)
{
    return _mm_loadl_epi64((const __m128i *)p);
}
DEFINE_WIDEN(i8_i32, int8_t, int32_t, 8, load_64, _mm256_cvtepi8_epi32)
DEFINE_WIDEN(u8_i32, uint8_t, int32_t, 8, load_64, _mm256_cvtepu8_epi32)
DEFINE_WIDEN(i16_i32, int16_t, int32_t, 8, load_128, _mm256_cvtepi16_epi32)
DEFINE_WIDEN(u16_i32, uint16_t, int32_t, 8, load_128, _mm256_cvtepu16_epi32)
DEFINE_WIDEN(i32_i64, int32_t, int64_t, 4, load_128, _mm256_cvtepi32_epi64)
DEFINE_WIDEN(u32_u64, uint32_t, uint64_t, 4, load_128, _mm256_cvtepu32_epi64)

/* Eight values of 32 bits to their low halves. */
ALWAYS TARGET_AVX2 __m128i low_halves(__m256i v)
{
    v = _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
    v = _mm256_permute4x64_epi64(_mm256_packus_epi32(v, v), 0x08);
    return _mm256_castsi256_si128(v);
}
ALWAYS TARGET_AVX2 __m128i low_quarters(__m256i v)
{
    __m128i h = low_halves(_mm256_and_si256(v, _mm256_set1_epi32(0xff)));
    return _mm_packus_epi16(h, h);
}

/* The result of a step is stored only after its source was read, and lies before it. */
#define DEFINE_NARROW(name, type, narrow, widen)                                                   \
    TARGET_AVX2 bool kernel_avx2_narrow_i32_##name(const int32_t *src, size_t n, type *dst)        \
    {                                                                                              \
        const uint8_t *in = (const uint8_t *)src;                                                  \
        uint8_t *out = (uint8_t *)dst;                                                             \
        __m256i wrong = _mm256_setzero_si256();                                                    \
        size_t i = 0;                                                                              \
        for (; i + 8 <= n; i += 8) {                                                               \
            __m256i v = load_256(in + i * 4);                                                      \
            __m128i r = narrow(v);                                                                 \
            wrong = _mm256_or_si256(wrong, _mm256_xor_si256(widen(r), v));                         \
            if (sizeof(type) == 1)                                                                 \
                _mm_storel_epi64((__m128i *)(void *)(out + i), r);                                 \
            else                                                                                   \
                store_128(out + i * sizeof(type), r);                                              \
        }                                                                                          \
        bool fits = _mm256_testz_si256(wrong, wrong);                                              \
        return kernel_scalar_narrow_i32_##name((const int32_t *)(const void *)(in + i * 4), n - i, \
                                               (type *)(void *)(out + i * sizeof(type))) &&        \
               fits;                                                                               \
    }
DEFINE_NARROW(i8, int8_t, low_quarters, _mm256_cvtepi8_epi32)
DEFINE_NARROW(u8, uint8_t, low_quarters, _mm256_cvtepu8_epi32)
DEFINE_NARROW(i16, int16_t, low_halves, _mm256_cvtepi16_epi32)
DEFINE_NARROW(u16, uint16_t, low_halves, _mm256_cvtepu16_epi32)

/* -- Big-endian numbers -------------------------------------------------------------------------
 */

/* The len <= 8 bytes from p on, big-endian, sign-extended; reads 8 bytes. */
ALWAYS int64_t big_endian(const uint8_t *p, size_t len)
{
    return (int64_t)__builtin_bswap64(load_u64(p)) >> (64 - 8 * len);
}

/* Decimals: up to 8 bytes to 8 (or 4, where they fit by their length), up to 16 to 16. */
TARGET_AVX2 bool kernel_avx2_be_to_le(const uint8_t *src, size_t len, size_t n, size_t width,
                                      uint8_t *dst)
{
    if (len > width || width > 16 || len == 0)
        return kernel_scalar_be_to_le(src, len, n, width, dst);
    if (width == 4) {
        for (size_t i = 0; i < n; i++, src += len)
            store_u32(dst + i * 4, (uint32_t)big_endian(src, len));
    } else if (width == 8) {
        for (size_t i = 0; i < n; i++, src += len)
            store_u64(dst + i * 8, (uint64_t)big_endian(src, len));
    } else if (len <= 8) {
        for (size_t i = 0; i < n; i++, src += len) {
            int64_t v = big_endian(src, len);
            store_u64(dst + i * 16, (uint64_t)v);
            store_u64(dst + i * 16 + 8, (uint64_t)(v >> 63));
        }
    } else {
        for (size_t i = 0; i < n; i++, src += len) {
            store_u64(dst + i * 16, __builtin_bswap64(load_u64(src + len - 8)));
            store_u64(dst + i * 16 + 8, (uint64_t)big_endian(src, len - 8));
        }
    }
    return true;
}

/* The low len <= 8 bytes of v, big-endian; writes 8. */
ALWAYS void put_big_endian(uint8_t *p, int64_t v, size_t len)
{
    store_u64(p, __builtin_bswap64((uint64_t)v << (64 - 8 * len)));
}

ALWAYS bool fits_bytes(int64_t v, size_t len)
{
    return v >> (8 * len - 1) == v >> 63;
}

TARGET_AVX2 bool kernel_avx2_le_to_be(const uint8_t *src, size_t width, size_t n, size_t len,
                                      uint8_t *dst)
{
    bool fits = true;
    if (len == 0 || width > 16 || (width <= 8 && len > 8) || (width == 16 && (len < 9 || len > 16)))
        return kernel_scalar_le_to_be(src, width, n, len, dst);
    for (size_t i = 0; i < n; i++, dst += len) {
        if (width == 16) { /* the low word last: it overwrites what the high one put there */
            int64_t high = (int64_t)load_u64(src + i * 16 + 8);
            put_big_endian(dst, high, len - 8);
            store_u64(dst + len - 8, __builtin_bswap64(load_u64(src + i * 16)));
            fits &= fits_bytes(high, len - 8);
        } else {
            int64_t v =
                width == 8 ? (int64_t)load_u64(src + i * 8) : (int32_t)load_u32(src + i * 4);
            put_big_endian(dst, v, len);
            fits &= fits_bytes(v, len);
        }
    }
    return fits;
}

#endif
