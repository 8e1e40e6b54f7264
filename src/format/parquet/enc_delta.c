/* DELTA_BINARY_PACKED: parquet-format, Encodings.md, "Delta Encoding". Header: block size,
 * miniblocks, count, first value (zigzag). A block: least difference (zigzag), a width a miniblock,
 * the differences above the least one. Differences wrap at the type's own size, so no width passes
 * it. Miniblocks behind the last value have width 0 and no bytes; the last one is filled up. */
#include "base/varint.h"
#include "format/parquet/enc_page.h"
#include "kernel/kernel.h"

#define BLOCK      128
#define MINIBLOCKS 4
#define MINI       (BLOCK / MINIBLOCKS)
#define SLACK      16

size_t enc_delta_bound(size_t n, unsigned width)
{
    size_t blocks = n / BLOCK + 1;

    return 32 + blocks * (10 + MINIBLOCKS + (size_t)BLOCK * width);
}

static uint8_t *put_header(uint8_t *p, size_t n, int64_t first)
{
    p += varint_put(p, BLOCK);
    p += varint_put(p, MINIBLOCKS);
    p += varint_put(p, n);
    return p + varint_put(p, zigzag(first));
}

static unsigned width_of(uint64_t bits)
{
    return bits ? 64 - (unsigned)__builtin_clzll(bits) : 0;
}

/* One block: `last` and the n values behind it. Inlined twice, for whole blocks and for the last
 * one, so that the loops of whole blocks have a fixed length. */
#define PUT_BLOCK(bits)                                                                            \
    static inline __attribute__((always_inline))                                                   \
    uint8_t *block_##bits(const kernels *k, uint8_t *p, const uint8_t *v, size_t n)                \
    {                                                                                              \
        enum { W = bits / 8 };                                                                     \
        uint##bits##_t delta[BLOCK + SLACK];                                                       \
        int##bits##_t min = 0, max;                                                                \
        uint8_t *widths;                                                                           \
        for (size_t i = 0; i < n; i++)                                                             \
            delta[i] = load_u##bits(v + W * i) - load_u##bits(v + W * i - W);                      \
        k->minmax_i##bits((const int##bits##_t *)delta, n, &min, &max);                            \
        p += varint_put(p, zigzag(min));                                                           \
        widths = p;                                                                                \
        memset(widths, 0, MINIBLOCKS);                                                             \
        p += MINIBLOCKS;                                                                           \
        for (size_t i = 0; i < n; i++)                                                             \
            delta[i] -= (uint##bits##_t)min;                                                       \
        for (size_t i = n; i % MINI; i++)                                                          \
            delta[i] = 0;                                                                          \
        for (size_t b = 0; b * MINI < n; b++) {                                                    \
            const uint##bits##_t *mini = delta + b * MINI;                                         \
            uint##bits##_t all = 0;                                                                \
            for (size_t i = 0; i < MINI; i++)                                                      \
                all |= mini[i];                                                                    \
            widths[b] = (uint8_t)width_of(all);                                                    \
            k->pack_u##bits(mini, widths[b], MINI, p);                                             \
            p += MINI / 8 * widths[b];                                                             \
        }                                                                                          \
        return p;                                                                                  \
    }
PUT_BLOCK(32)
PUT_BLOCK(64)

size_t enc_delta_i32(const uint8_t *values, size_t n, uint8_t *dst)
{
    const kernels *k = kernels_get();
    uint8_t *p = put_header(dst, n, n ? (int32_t)load_u32(values) : 0);
    size_t at = 1;

    for (; at + BLOCK <= n; at += BLOCK)
        p = block_32(k, p, values + 4 * at, BLOCK);
    if (at < n)
        p = block_32(k, p, values + 4 * at, n - at);
    return (size_t)(p - dst);
}

size_t enc_delta_i64(const uint8_t *values, size_t n, uint8_t *dst)
{
    const kernels *k = kernels_get();
    uint8_t *p = put_header(dst, n, n ? (int64_t)load_u64(values) : 0);
    size_t at = 1;

    for (; at + BLOCK <= n; at += BLOCK)
        p = block_64(k, p, values + 8 * at, BLOCK);
    if (at < n)
        p = block_64(k, p, values + 8 * at, n - at);
    return (size_t)(p - dst);
}
