/* Scalar reference: bit packing and bitmaps. */
#include "base/span.h"
#include "kernel/level.h"

void kernel_scalar_unpack_u32(const uint8_t *src, unsigned width, size_t n, uint32_t *dst)
{
    any_u32 *out = (any_u32 *)dst;
    uint64_t mask = ((uint64_t)1 << width) - 1;
    size_t at = 0;
    for (size_t i = 0; i < n; i++, at += width)
        out[i] = (uint32_t)(load_u64(src + (at >> 3)) >> (at & 7) & mask);
}

void kernel_scalar_unpack_u64(const uint8_t *src, unsigned width, size_t n, uint64_t *dst)
{
    any_u64 *out = (any_u64 *)dst;
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    size_t at = 0;
    for (size_t i = 0; i < n; i++, at += width) {
        const uint8_t *p = src + (at >> 3);
        unsigned shift = at & 7;
        uint64_t v = load_u64(p) >> shift;
        if (shift + width > 64)
            v |= (uint64_t)p[8] << (64 - shift);
        out[i] = v & mask;
    }
}

void kernel_scalar_pack_u32(const uint32_t *values, unsigned width, size_t n, uint8_t *dst)
{
    const any_u32 *in = (const any_u32 *)values;
    uint64_t mask = ((uint64_t)1 << width) - 1, word = 0;
    unsigned fill = 0;
    for (size_t i = 0; i < n; i++) {
        word |= (in[i] & mask) << fill;
        fill += width;
        if (fill >= 32) {
            store_u32(dst, (uint32_t)word);
            dst += 4;
            word >>= 32;
            fill -= 32;
        }
    }
    for (; fill > 0; fill = fill > 8 ? fill - 8 : 0, word >>= 8)
        *dst++ = (uint8_t)word;
}

void kernel_scalar_pack_u64(const uint64_t *values, unsigned width, size_t n, uint8_t *dst)
{
    const any_u64 *in = (const any_u64 *)values;
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1, word = 0;
    unsigned fill = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = in[i] & mask;
        word |= v << fill;
        fill += width;
        if (fill >= 64) {
            store_u64(dst, word);
            dst += 8;
            fill -= 64;
            word = fill ? v >> (width - fill) : 0;
        }
    }
    for (; fill > 0; fill = fill > 8 ? fill - 8 : 0, word >>= 8)
        *dst++ = (uint8_t)word;
}

/* 1 <= n <= 64 bits from bit `off` on. */
static uint64_t bits_at(const uint8_t *bits, size_t off, size_t n)
{
    unsigned shift = off & 7;
    uint64_t w = load_u64(bits + (off >> 3)) >> shift;
    if (shift + n > 64)
        w |= (uint64_t)bits[(off >> 3) + 8] << (64 - shift);
    return n == 64 ? w : w & (((uint64_t)1 << n) - 1);
}

size_t kernel_scalar_popcount_bits(const uint8_t *bits, size_t off, size_t n)
{
    size_t count = 0;
    for (; n >= 64; n -= 64, off += 64)
        count += (size_t)__builtin_popcountll(bits_at(bits, off, 64));
    return n ? count + (size_t)__builtin_popcountll(bits_at(bits, off, n)) : count;
}

/* Bits [off, off + n) of one byte become those of v. */
static void put_byte_bits(uint8_t *byte, unsigned off, size_t n, uint64_t v)
{
    uint64_t mask = (((uint64_t)1 << n) - 1) << off;
    *byte = (uint8_t)((*byte & ~mask) | (v << off & mask));
}

void kernel_scalar_fill_bits(uint8_t *bits, size_t off, size_t n, bool value)
{
    uint8_t *p = bits + (off >> 3), all = value ? 0xff : 0;
    unsigned skip = off & 7;
    if (n == 0)
        return;
    if (skip) {
        size_t head = size_min(8 - skip, n);
        put_byte_bits(p++, skip, head, all);
        n -= head;
    }
    memset(p, all, n >> 3);
    if (n & 7)
        put_byte_bits(p + (n >> 3), 0, n & 7, all);
}

void kernel_scalar_copy_bits(const uint8_t *src, size_t src_off, uint8_t *dst, size_t dst_off,
                             size_t n)
{
    uint8_t *p = dst + (dst_off >> 3);
    unsigned skip = dst_off & 7;
    if (n == 0)
        return;
    if (skip) {
        size_t head = size_min(8 - skip, n);
        put_byte_bits(p++, skip, head, bits_at(src, src_off, head));
        src_off += head;
        n -= head;
    }
    if ((src_off & 7) == 0) {
        memcpy(p, src + (src_off >> 3), n >> 3);
        p += n >> 3;
        src_off += n & ~(size_t)7;
        n &= 7;
    }
    for (; n >= 64; n -= 64, src_off += 64, p += 8)
        store_u64(p, bits_at(src, src_off, 64));
    for (; n >= 8; n -= 8, src_off += 8)
        *p++ = (uint8_t)bits_at(src, src_off, 8);
    if (n)
        put_byte_bits(p, 0, n, bits_at(src, src_off, n));
}

size_t kernel_scalar_ranks(const uint8_t *at, const uint8_t *of, size_t n, uint32_t first,
                           uint32_t *dst)
{
    any_u32 *out = (any_u32 *)dst;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (at[i >> 3] >> (i & 7) & 1)
            out[k++] = first;
        first += of[i >> 3] >> (i & 7) & 1;
    }
    return k;
}

void kernel_scalar_bits_to_bytes(const uint8_t *bits, size_t off, size_t n, uint8_t *dst)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = bits[(off + i) >> 3] >> ((off + i) & 7) & 1;
}

void kernel_scalar_bytes_to_bits(const uint8_t *src, size_t n, uint8_t *dst)
{
    for (size_t i = 0; i < n; i += 8) {
        unsigned byte = 0;
        for (size_t k = 0; k < size_min(8, n - i); k++)
            byte |= (unsigned)(src[i + k] != 0) << k;
        dst[i >> 3] = (uint8_t)byte;
    }
}

void kernel_scalar_bits_of_256(const uint8_t *set, const uint32_t *index, size_t n, uint8_t *dst)
{
    for (size_t i = 0; i < n; i += 8) {
        unsigned byte = 0;
        for (size_t k = 0; k < size_min(8, n - i); k++)
            byte |= (set[index[i + k] >> 3] >> (index[i + k] & 7) & 1u) << k;
        dst[i >> 3] = (uint8_t)byte;
    }
}

#define DEFINE_LEVELS_TO_BITS(name, type, any)                                                     \
    size_t kernel_scalar_levels_to_bits_##name(const type *levels, size_t n, type max,             \
                                               uint8_t *dst)                                       \
    {                                                                                              \
        const any *in = (const any *)levels;                                                       \
        size_t count = 0;                                                                          \
        for (size_t i = 0; i < n; i += 8) {                                                        \
            unsigned byte = 0;                                                                     \
            for (size_t k = 0; k < size_min(8, n - i); k++)                                        \
                byte |= (unsigned)(in[i + k] == max) << k;                                         \
            dst[i >> 3] = (uint8_t)byte;                                                           \
            count += (size_t)__builtin_popcount(byte);                                             \
        }                                                                                          \
        return count;                                                                              \
    }
DEFINE_LEVELS_TO_BITS(u8, uint8_t, any_u8)
DEFINE_LEVELS_TO_BITS(u32, uint32_t, any_u32)
