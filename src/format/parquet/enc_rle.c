/* RLE / bit-packing hybrid: parquet-format, Encodings.md, "RLE = 3". A run is a varint
 * (count << 1) and the value in whole bytes; bit-packed groups are a varint (groups << 1 | 1) and
 * `width` bytes a group. */
#include "base/varint.h"
#include "format/parquet/enc_page.h"
#include "kernel/kernel.h"

#define GROUP 8
/* Packed groups are written in pieces, so that the runs' encoder needs no array of its own. */
#define PIECE 256

unsigned enc_width(uint32_t max)
{
    return max ? 32 - (unsigned)__builtin_clz(max) : 0;
}

/* A run costs its header, its value and the header of the groups behind it. */
static size_t rle_least(unsigned width)
{
    return width <= 1 ? 32 : width <= 3 ? 16 : 8;
}

size_t enc_rle_bound(size_t n, unsigned width)
{
    size_t groups = n / GROUP + 1;

    return groups * width + (groups / 2 + 1) * (5 + 5 + 4);
}

size_t enc_rle_runs_bound(size_t n_runs, unsigned width)
{
    return (n_runs + 1) * (5 + 5 + 4 + (size_t)5 * width);
}

static uint8_t *put_run(uint8_t *p, uint32_t value, size_t count, unsigned width)
{
    p += varint_put(p, (uint64_t)count << 1);
    for (unsigned bits = 0; bits < width; bits += 8)
        *p++ = (uint8_t)(value >> bits);
    return p;
}

size_t enc_rle_u32(const uint32_t *values, size_t n, unsigned width, uint8_t *dst)
{
    const kernels *k = kernels_get();
    size_t least = rle_least(width), at = 0;
    uint8_t *p = dst;

    while (at < n) {
        size_t first = at, run = 0, packed;
        for (; n - at >= GROUP; at += GROUP) {
            at += k->equal_eight_4(values + at, n - at);
            if (n - at < GROUP)
                break;
            run = k->equal_prefix_4(values + at, n - at);
            if (run >= least || (run == n - at && at == first))
                break;
            run = 0;
        }
        if (!run && at < n) { /* the last, incomplete group */
            if (at == first && k->equal_prefix_4(values + at, n - at) == n - at)
                run = n - at;
            else
                at = n;
        }
        packed = at - first;
        if (packed) {
            size_t groups = (packed + GROUP - 1) / GROUP;
            p += varint_put(p, (uint64_t)groups << 1 | 1);
            k->pack_u32(values + first, width, packed, p);
            memset(p + (packed * width + 7) / 8, 0, groups * width - (packed * width + 7) / 8);
            p += groups * width;
        }
        if (run)
            p = put_run(p, values[at], run, width);
        at += run;
    }
    return (size_t)(p - dst);
}

/* ---- bytes ---- */

static bool bytes_are_equal(const uint8_t *v)
{
    return load_u64(v) == v[0] * UINT64_C(0x0101010101010101);
}

/* Bytes at the start of v[0..n) that equal the first. */
static size_t equal_bytes(const uint8_t *v, size_t n)
{
    uint64_t eight = v[0] * UINT64_C(0x0101010101010101);
    size_t at = 1;

    while (at + 8 <= n && load_u64(v + at) == eight)
        at += 8;
    while (at < n && v[at] == v[0])
        at++;
    return at;
}

/* Eight values side by side, `width` bits each: bytes to pairs, to fours, to eight. */
static uint64_t pack_bytes(uint64_t v, unsigned width)
{
    const uint64_t low8 = UINT64_C(0x00ff00ff00ff00ff), low16 = UINT64_C(0x0000ffff0000ffff);

    v = (v & low8) | (v >> 8 & low8) << width;
    v = (v & low16) | (v >> 16 & low16) << 2 * width;
    return (v & UINT32_MAX) | v >> 32 << 4 * width;
}

static uint8_t *put_bytes(uint8_t *p, const uint8_t *v, size_t n, unsigned width)
{
    size_t groups = (n + GROUP - 1) / GROUP;

    p += varint_put(p, (uint64_t)groups << 1 | 1);
    for (; n >= GROUP; n -= GROUP, v += GROUP, p += width)
        store_u64(p, pack_bytes(load_u64(v), width));
    if (n) {
        uint8_t last[GROUP] = {0};
        memcpy(last, v, n);
        store_u64(p, pack_bytes(load_u64(last), width));
        p += width;
    }
    return p;
}

size_t enc_rle_u8(const uint8_t *values, size_t n, unsigned width, uint8_t *dst)
{
    size_t least = rle_least(width), at = 0;
    uint8_t *p = dst;

    while (at < n) {
        size_t first = at, run = 0;
        for (; n - at >= GROUP; at += GROUP)
            if (bytes_are_equal(values + at)) {
                run = equal_bytes(values + at, n - at);
                if (run >= least || (run == n - at && at == first))
                    break;
                run = 0;
            }
        if (!run && at < n) { /* the last, incomplete group */
            if (at == first && equal_bytes(values + at, n - at) == n - at)
                run = n - at;
            else
                at = n;
        }
        if (at > first)
            p = put_bytes(p, values + first, at - first, width);
        if (run)
            p = put_run(p, values[at], run, width);
        at += run;
    }
    return (size_t)(p - dst);
}

size_t enc_rle_repeat(uint32_t value, size_t n, unsigned width, uint8_t *dst)
{
    return n ? (size_t)(put_run(dst, value, n, width) - dst) : 0;
}

/* ---- runs ---- */

/* Where the runs' encoder stands: `left` of run `i` are not yet written. */
typedef struct run_cursor {
    const enc_run *runs;
    size_t n, i;
    uint32_t left;
} run_cursor;

static void cursor_skip(run_cursor *c, uint32_t count)
{
    c->left -= count;
    if (!c->left && ++c->i < c->n)
        c->left = c->runs[c->i].count;
}

/* The next group's values; fewer than eight at the end. */
static size_t cursor_group(run_cursor *c, uint32_t *out)
{
    size_t n = 0;

    while (n < GROUP && c->i < c->n) {
        uint32_t take = c->left < GROUP - n ? c->left : (uint32_t)(GROUP - n);
        uint32_t value = c->runs[c->i].value;
        for (uint32_t i = 0; i < take; i++)
            out[n++] = value;
        cursor_skip(c, take);
    }
    return n;
}

static bool cursor_at_run(const run_cursor *c, size_t least, bool first)
{
    return c->left >= least || (first && c->i + 1 == c->n);
}

/* How many groups lie before the next run: a dry walk, for their header stands in front. */
static size_t count_groups(run_cursor c, size_t least)
{
    size_t groups = 0;
    uint32_t none[GROUP];

    while (c.i < c.n && !cursor_at_run(&c, least, groups == 0)) {
        cursor_group(&c, none);
        groups++;
    }
    return groups;
}

static uint8_t *put_groups(uint8_t *p, run_cursor *c, size_t groups, unsigned width)
{
    const kernels *k = kernels_get();
    uint32_t piece[PIECE + 16]; /* slack, as kernels ask */

    p += varint_put(p, (uint64_t)groups << 1 | 1);
    while (groups) {
        size_t now = size_min(groups, PIECE / GROUP), n = 0;
        for (size_t g = 0; g < now; g++)
            n += cursor_group(c, piece + n);
        memset(piece + n, 0, (now * GROUP - n) * sizeof *piece);
        k->pack_u32(piece, width, now * GROUP, p);
        p += now * width;
        groups -= now;
    }
    return p;
}

size_t enc_rle_runs(const enc_run *runs, size_t n_runs, unsigned width, uint8_t *dst)
{
    run_cursor c = {.runs = runs, .n = n_runs, .left = n_runs ? runs[0].count : 0};
    size_t least = rle_least(width);
    uint8_t *p = dst;

    while (c.i < c.n) {
        size_t groups = count_groups(c, least);
        if (groups)
            p = put_groups(p, &c, groups, width);
        if (c.i < c.n) {
            p = put_run(p, c.runs[c.i].value, c.left, width);
            cursor_skip(&c, c.left);
        }
    }
    return (size_t)(p - dst);
}

/* ---- bitmaps ---- */

#define BITS_LEAST 4 /* bytes: 32 rows, as rle_least(1) */

size_t enc_rle_bits_bound(size_t n)
{
    return 2 * (n / 8 + 1) + 16;
}

size_t enc_rle_ones(size_t n, uint8_t *dst)
{
    return n ? (size_t)(put_run(dst, 1, n, 1) - dst) : 0;
}

/* Byte i, bits behind the end as `fill` has them. */
static uint8_t byte_at(const uint8_t *bits, size_t n, size_t i, uint8_t fill)
{
    uint8_t known = (n - i * 8 >= 8) ? 0xff : (uint8_t)((1u << (n & 7)) - 1);

    return (uint8_t)((bits[i] & known) | (fill & ~known));
}

/* Bytes at the start of [i, end) that are all `fill`. */
static size_t bytes_of(const uint8_t *bits, size_t n, size_t i, size_t end, uint8_t fill)
{
    uint64_t eight = fill ? UINT64_MAX : 0;
    size_t at = i;

    while (at + 9 <= end && load_u64(bits + at) == eight)
        at += 8;
    while (at < end && byte_at(bits, n, at, fill) == fill)
        at++;
    return at - i;
}

size_t enc_rle_bits(const uint8_t *bits, size_t n, uint8_t *dst)
{
    size_t end = (n + 7) / 8, at = 0;
    uint8_t *p = dst;

    while (at < end) {
        size_t first = at, run = 0;
        uint8_t fill = 0;
        for (; at < end; at += run) {
            fill = bits[at] & 1 ? 0xff : 0;
            run = bytes_of(bits, n, at, end, fill);
            if (run >= BITS_LEAST || (run && at == first && run == end - at))
                break;
            run = run ? run : 1;
        }
        if (at > first) {
            p += varint_put(p, (uint64_t)(at - first) << 1 | 1);
            memcpy(p, bits + first, at - first);
            p += at - first;
            if (at == end)
                p[-1] = byte_at(bits, n, end - 1, 0);
        }
        if (at < end) {
            p = put_run(p, fill & 1, size_min(n, (at + run) * 8) - at * 8, 1);
            at += run;
        }
    }
    return (size_t)(p - dst);
}
