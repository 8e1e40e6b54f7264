#include "format/parquet/dec_level.h"

#include "kernel/kernel.h"

#define STEP 512
#define ONES 0x0101010101010101u

static nrw_status too_high(const level_in *l, uint32_t level, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a level of %u, the schema has %u", level, l->max);
}

/* A level takes as few bits as the greatest one; only where that one is not all ones can there be
 * greater ones. */
static nrw_status check_levels(const level_in *l, const uint8_t *levels, uint32_t n, nrw_error *err)
{
    uint8_t min, max = 0;
    if ((l->max & (l->max + 1)) == 0)
        return NRW_OK;
    kernels_get()->minmax_u8(levels, n, &min, &max);
    return max <= l->max ? NRW_OK : too_high(l, max, err);
}

/* Eight levels of `width` bits each, most significant bit first. */
static void unpack_eight(const uint8_t *p, uint32_t width, uint8_t *dst)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < width; i++)
        bits = bits << 8 | p[i];
    for (uint32_t i = 0; i < 8; i++)
        dst[i] = (uint8_t)(bits >> (7 - i) * width & ((1u << width) - 1));
}

static nrw_status read_unpacked(level_in *l, uint32_t n, uint8_t *dst, nrw_error *err)
{
    cursor *c = &l->r.c;
    uint32_t width = level_width(l->max);
    for (uint32_t i = 0; i < n; i += 8) {
        uint8_t eight[8];
        uint32_t k = n - i < 8 ? n - i : 8;
        TRY(cursor_need(c, width, err));
        size_t bytes = size_min(cursor_at_hand(c), width);
        if (bytes * 8 < (size_t)k * width)
            return err_set(err, NRW_E_CORRUPT, "the levels end before the page's values do");
        unpack_eight(c->p, width, eight); /* bytes behind the end are slack */
        c->p += bytes;
        for (uint32_t j = 0; j < k; j++)
            if (eight[j] > l->max)
                return too_high(l, eight[j], err);
        memcpy(dst + i, eight, k);
    }
    return NRW_OK;
}

/* Whole runs with headers of one byte, as nested data have them by the thousand: some levels each.
 * Stops before any other run, and before one that reaches past n; returns how many levels. */
static uint32_t short_runs(rle *r, uint32_t n, uint8_t *dst)
{
    const kernels *kn = kernels_get();
    const uint8_t *p = r->c.p, *end = r->c.end;
    uint32_t done = 0;

    while (end - p >= 2 && *p < 0x80 && r->width) {
        bool packed = *p & 1;
        uint32_t k = packed ? *p / 2 * 8 : *p / 2;
        size_t bytes = packed ? (size_t)k / 8 * r->width : 1;
        if (k == 0 || k > n - done || bytes >= (size_t)(end - p))
            break;
        if (packed)
            kn->unpack_u8(p + 1, r->width, k, dst + done);
        else if (p[1] >> r->width)
            break;
        else
            for (uint32_t i = 0; i < k; i += 8)
                store_u64(dst + done + i, p[1] * ONES);
        p += 1 + bytes;
        done += k;
    }
    r->c.p = p;
    return done;
}

/* The next levels of the run at hand. */
static nrw_status read_run(level_in *l, uint32_t n, uint8_t *dst, uint32_t *got, nrw_error *err)
{
    uint32_t block[STEP + 16];
    rle *r = &l->r;

    TRY(rle_run(r, err));
    *got = r->left < n ? (uint32_t)r->left : n;
    if (!r->packed) {
        memset(dst, (int)r->value, *got);
        r->left -= *got;
        return NRW_OK;
    }
    if (*got > STEP)
        *got = STEP;
    TRY(rle_read(r, *got, block, err));
    kernels_get()->narrow_i32_u8((const int32_t *)block, *got, dst);
    return NRW_OK;
}

nrw_status level_read(level_in *l, uint32_t n, uint8_t *dst, nrw_error *err)
{
    if (l->constant) {
        memset(dst, l->max, n);
        return NRW_OK;
    }
    if (l->unpacked)
        return read_unpacked(l, n, dst, err);
    for (uint32_t done = 0, k; done < n; done += k) {
        if (l->r.left == 0) {
            done += short_runs(&l->r, n - done, dst + done);
            if (done == n)
                break;
        }
        TRY(read_run(l, n - done, dst + done, &k, err));
    }
    return check_levels(l, dst, n, err);
}

/* Bytes of x that are zero, as 1 in each byte. */
static uint64_t zero_bytes(uint64_t x)
{
    uint64_t low = (x & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu;
    return ~(low | x | 0x7f7f7f7f7f7f7f7fu) >> 7;
}

uint32_t level_count(const uint8_t *p, uint32_t n, uint8_t x)
{
    uint32_t count = 0, i = 0;
    while (i + 8 <= n) {
        uint64_t sums = 0;
        uint32_t end = i + 8 * 255 < n ? i + 8 * 255 : n;
        for (; i + 8 <= end; i += 8)
            sums += zero_bytes(load_u64(p + i) ^ x * ONES);
        for (uint32_t k = 0; k < 8; k++)
            count += (uint32_t)(sums >> 8 * k & 255);
        if (end == n)
            break;
    }
    for (; i < n; i++)
        count += p[i] == x;
    return count;
}

bool level_all(const uint8_t *p, uint32_t n, uint8_t x)
{
    uint64_t other = 0;
    uint32_t i = 0;
    for (; i + 8 <= n; i += 8)
        other |= load_u64(p + i) ^ x * ONES;
    for (; i < n; i++)
        other |= (uint64_t)(p[i] ^ x);
    return other == 0;
}
