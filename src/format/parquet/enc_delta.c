/* DELTA_BINARY_PACKED: parquet-format, Encodings.md, "Delta Encoding". Header: block size,
 * miniblocks, count, first value (zigzag). A block: least difference (zigzag), a width a miniblock,
 * the differences above the least one. Differences wrap at the type's own size, so no width passes
 * it. Miniblocks behind the last value have width 0 and no bytes; the last one is filled up. */
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

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static uint8_t *put_header(uint8_t *p, size_t n, int64_t first)
{
    p += enc_varint(p, BLOCK);
    p += enc_varint(p, MINIBLOCKS);
    p += enc_varint(p, n);
    return p + enc_varint(p, zigzag(first));
}

static unsigned width_of(uint64_t bits)
{
    return bits ? 64 - (unsigned)__builtin_clzll(bits) : 0;
}

/* One block of n differences, which are overwritten. */
static uint8_t *put_block_i32(uint8_t *p, uint32_t *delta, size_t n)
{
    const kernels *k = kernels_get();
    int32_t min = 0, max;
    uint8_t *widths;

    k->minmax_i32((const int32_t *)delta, n, &min, &max);
    p += enc_varint(p, zigzag(min));
    widths = p;
    memset(widths, 0, MINIBLOCKS);
    p += MINIBLOCKS;
    for (size_t i = 0; i < n; i++)
        delta[i] -= (uint32_t)min;
    for (size_t i = n; i < (n + MINI - 1) / MINI * MINI; i++)
        delta[i] = 0;
    for (size_t b = 0; b * MINI < n; b++) {
        uint32_t bits = 0;
        for (size_t i = 0; i < MINI; i++)
            bits |= delta[b * MINI + i];
        widths[b] = (uint8_t)width_of(bits);
        k->pack_u32(delta + b * MINI, widths[b], MINI, p);
        p += MINI / 8 * widths[b];
    }
    return p;
}

static uint8_t *put_block_i64(uint8_t *p, uint64_t *delta, size_t n)
{
    const kernels *k = kernels_get();
    int64_t min = 0, max;
    uint8_t *widths;

    k->minmax_i64((const int64_t *)delta, n, &min, &max);
    p += enc_varint(p, zigzag(min));
    widths = p;
    memset(widths, 0, MINIBLOCKS);
    p += MINIBLOCKS;
    for (size_t i = 0; i < n; i++)
        delta[i] -= (uint64_t)min;
    for (size_t i = n; i < (n + MINI - 1) / MINI * MINI; i++)
        delta[i] = 0;
    for (size_t b = 0; b * MINI < n; b++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < MINI; i++)
            bits |= delta[b * MINI + i];
        widths[b] = (uint8_t)width_of(bits);
        k->pack_u64(delta + b * MINI, widths[b], MINI, p);
        p += MINI / 8 * widths[b];
    }
    return p;
}

size_t enc_delta_i32(const uint8_t *values, size_t n, uint8_t *dst)
{
    uint32_t delta[BLOCK + SLACK];
    uint8_t *p = put_header(dst, n, n ? (int32_t)load_u32(values) : 0);

    for (size_t at = 1; at < n; at += BLOCK) {
        size_t now = size_min(BLOCK, n - at);
        const uint8_t *v = values + 4 * at;
        for (size_t i = 0; i < now; i++)
            delta[i] = load_u32(v + 4 * i) - load_u32(v + 4 * i - 4);
        p = put_block_i32(p, delta, now);
    }
    return (size_t)(p - dst);
}

size_t enc_delta_i64(const uint8_t *values, size_t n, uint8_t *dst)
{
    uint64_t delta[BLOCK + SLACK];
    uint8_t *p = put_header(dst, n, n ? (int64_t)load_u64(values) : 0);

    for (size_t at = 1; at < n; at += BLOCK) {
        size_t now = size_min(BLOCK, n - at);
        const uint8_t *v = values + 8 * at;
        for (size_t i = 0; i < now; i++)
            delta[i] = load_u64(v + 8 * i) - load_u64(v + 8 * i - 8);
        p = put_block_i64(p, delta, now);
    }
    return (size_t)(p - dst);
}
