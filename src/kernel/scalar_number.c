/* Scalar reference: encodings of numbers, least and greatest, hashes, conversions. */
#include "base/span.h"
#include "kernel/level.h"
#include <math.h>

#define DEFINE_DELTA_DECODE(bits)                                                                  \
    void kernel_scalar_delta_decode_i##bits(const uint##bits##_t *deltas, size_t n,                \
                                            int##bits##_t min_delta, int##bits##_t *running,       \
                                            int##bits##_t *dst)                                    \
    {                                                                                              \
        const any_u##bits *in = (const any_u##bits *)deltas;                                       \
        any_u##bits *out = (any_u##bits *)dst;                                                     \
        uint##bits##_t at = (uint##bits##_t) * running;                                            \
        for (size_t i = 0; i < n; i++) {                                                           \
            at += (uint##bits##_t)min_delta + in[i];                                               \
            out[i] = at;                                                                           \
        }                                                                                          \
        *running = (int##bits##_t)at;                                                              \
    }
DEFINE_DELTA_DECODE(32)
DEFINE_DELTA_DECODE(64)

void kernel_scalar_split_decode(const uint8_t *src, size_t stride, size_t width, size_t n,
                                uint8_t *dst)
{
    for (size_t k = 0; k < width; k++)
        for (size_t i = 0; i < n; i++)
            dst[i * width + k] = src[k * stride + i];
}

void kernel_scalar_split_encode(const uint8_t *src, size_t width, size_t n, uint8_t *dst,
                                size_t stride)
{
    for (size_t k = 0; k < width; k++)
        for (size_t i = 0; i < n; i++)
            dst[k * stride + i] = src[i * width + k];
}

#define DEFINE_MINMAX(name, type)                                                                  \
    bool kernel_scalar_minmax_##name(const type *v, size_t n, type *min, type *max)                \
    {                                                                                              \
        const any_##name *in = (const any_##name *)v;                                              \
        if (n == 0)                                                                                \
            return false;                                                                          \
        type lo = in[0], hi = in[0];                                                               \
        for (size_t i = 1; i < n; i++) {                                                           \
            lo = in[i] < lo ? in[i] : lo;                                                          \
            hi = in[i] > hi ? in[i] : hi;                                                          \
        }                                                                                          \
        *min = lo;                                                                                 \
        *max = hi;                                                                                 \
        return true;                                                                               \
    }
DEFINE_MINMAX(i8, int8_t)
DEFINE_MINMAX(i16, int16_t)
DEFINE_MINMAX(i32, int32_t)
DEFINE_MINMAX(i64, int64_t)
DEFINE_MINMAX(u8, uint8_t)
DEFINE_MINMAX(u16, uint16_t)
DEFINE_MINMAX(u32, uint32_t)
DEFINE_MINMAX(u64, uint64_t)

/* Comparisons with NaN are false, so NaN never gets in; lo > hi stays where there was no number. */
#define DEFINE_MINMAX_FLOAT(name, type)                                                            \
    bool kernel_scalar_minmax_##name(const type *v, size_t n, type *min, type *max)                \
    {                                                                                              \
        const any_##name *in = (const any_##name *)v;                                              \
        type lo = (type)INFINITY, hi = (type)-INFINITY;                                            \
        for (size_t i = 0; i < n; i++) {                                                           \
            lo = in[i] < lo ? in[i] : lo;                                                          \
            hi = in[i] > hi ? in[i] : hi;                                                          \
        }                                                                                          \
        if (lo > hi)                                                                               \
            return false;                                                                          \
        *min = lo == 0 ? (type)-0.0 : lo;                                                          \
        *max = hi == 0 ? (type)0.0 : hi;                                                           \
        return true;                                                                               \
    }
DEFINE_MINMAX_FLOAT(f32, float)
DEFINE_MINMAX_FLOAT(f64, double)

void kernel_scalar_hash_4(const void *values, size_t n, uint64_t *out)
{
    const any_u32 *in = values;
    any_u64 *to = (any_u64 *)out;
    for (size_t i = 0; i < n; i++)
        to[i] = kernel_hash_u64(in[i]);
}

void kernel_scalar_hash_8(const void *values, size_t n, uint64_t *out)
{
    const any_u64 *in = values;
    any_u64 *to = (any_u64 *)out;
    for (size_t i = 0; i < n; i++)
        to[i] = kernel_hash_u64(in[i]);
}

void kernel_scalar_hash_16(const void *values, size_t n, uint64_t *out)
{
    const any_u64 *in = values;
    any_u64 *to = (any_u64 *)out;
    for (size_t i = 0; i < n; i++)
        to[i] = kernel_hash_u128(in[2 * i], in[2 * i + 1]);
}

/* dst may be src: each value is read before its place, which never lies further, is written. */
#define DEFINE_NARROW(name, type)                                                                  \
    bool kernel_scalar_narrow_i32_##name(const int32_t *src, size_t n, type *dst)                  \
    {                                                                                              \
        const any_i32 *in = (const any_i32 *)src;                                                  \
        any_##name *out = (any_##name *)dst;                                                       \
        bool fits = true;                                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            int32_t v = in[i];                                                                     \
            fits &= (type)v == v;                                                                  \
            out[i] = (type)v;                                                                      \
        }                                                                                          \
        return fits;                                                                               \
    }
DEFINE_NARROW(i8, int8_t)
DEFINE_NARROW(i16, int16_t)
DEFINE_NARROW(u8, uint8_t)
DEFINE_NARROW(u16, uint16_t)

#define DEFINE_WIDEN(from, from_type, to, to_type)                                                 \
    void kernel_scalar_widen_##from##_##to(const from_type *src, size_t n, to_type *dst)           \
    {                                                                                              \
        const any_##from *in = (const any_##from *)src;                                            \
        any_##to *out = (any_##to *)dst;                                                           \
        for (size_t i = 0; i < n; i++)                                                             \
            out[i] = in[i];                                                                        \
    }
DEFINE_WIDEN(i8, int8_t, i32, int32_t)
DEFINE_WIDEN(i16, int16_t, i32, int32_t)
DEFINE_WIDEN(u8, uint8_t, i32, int32_t)
DEFINE_WIDEN(u16, uint16_t, i32, int32_t)
DEFINE_WIDEN(i32, int32_t, i64, int64_t)
DEFINE_WIDEN(u32, uint32_t, u64, uint64_t)

bool kernel_scalar_mul_i64(const int64_t *src, size_t n, int64_t factor, int64_t *dst)
{
    const any_i64 *in = (const any_i64 *)src;
    any_i64 *out = (any_i64 *)dst;
    bool over = false;
    for (size_t i = 0; i < n; i++) {
        int64_t v;
        over |= __builtin_mul_overflow(in[i], factor, &v);
        out[i] = v;
    }
    return !over;
}

void kernel_scalar_products_i64(const int64_t *x, const int64_t *y, size_t n, int64_t *dst,
                                uint64_t seen[2])
{
    const any_i64 *a = (const any_i64 *)x, *b = (const any_i64 *)y;
    any_i64 *out = (any_i64 *)dst;
    uint64_t of_x = 0, of_y = 0;
    for (size_t i = 0; i < n; i++) {
        of_x |= (uint64_t)(a[i] ^ a[i] >> 63);
        of_y |= (uint64_t)(b[i] ^ b[i] >> 63);
        out[i] = (int64_t)(int32_t)a[i] * (int32_t)b[i];
    }
    seen[0] = of_x;
    seen[1] = of_y;
}

bool kernel_scalar_be_to_le(const uint8_t *src, size_t len, size_t n, size_t width, uint8_t *dst)
{
    bool fits = true;
    for (size_t i = 0; i < n; i++, src += len, dst += width) {
        uint8_t sign = src[0] & 0x80 ? 0xff : 0;
        for (size_t k = 0; k < width; k++)
            dst[k] = k < len ? src[len - 1 - k] : sign;
        for (size_t k = width; k < len; k++)
            fits &= src[len - 1 - k] == sign;
        fits &= ((dst[width - 1] ^ sign) & 0x80) == 0;
    }
    return fits;
}

bool kernel_scalar_le_to_be(const uint8_t *src, size_t width, size_t n, size_t len, uint8_t *dst)
{
    bool fits = true;
    for (size_t i = 0; i < n; i++, src += width, dst += len) {
        uint8_t sign = src[width - 1] & 0x80 ? 0xff : 0;
        for (size_t k = 0; k < len; k++)
            dst[len - 1 - k] = k < width ? src[k] : sign;
        for (size_t k = len; k < width; k++)
            fits &= src[k] == sign;
        fits &= ((dst[0] ^ sign) & 0x80) == 0;
    }
    return fits;
}
