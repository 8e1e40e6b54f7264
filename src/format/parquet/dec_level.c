#include "format/parquet/dec_level.h"

#include "kernel/kernel.h"

#define STEP 512

static nrw_status too_high(const level_in *l, uint32_t level, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a level of %u, the schema has %u", level, l->max);
}

static nrw_status narrow(const level_in *l, const uint32_t *src, uint32_t n, uint8_t *dst,
                         nrw_error *err)
{
    uint32_t most = kernels_get()->max_u32(src, n);
    if (most > l->max)
        return too_high(l, most, err);
    kernels_get()->narrow_i32_u8((const int32_t *)src, n, dst);
    return NRW_OK;
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

nrw_status level_read(level_in *l, uint32_t n, uint8_t *dst, nrw_error *err)
{
    uint32_t block[STEP + 16];
    if (l->constant) {
        memset(dst, l->max, n);
        return NRW_OK;
    }
    if (l->unpacked)
        return read_unpacked(l, n, dst, err);
    while (n) {
        uint32_t k = n < STEP ? n : STEP;
        TRY(rle_run(&l->r, err));
        if (l->r.packed) {
            if (k > l->r.left)
                k = (uint32_t)l->r.left;
            TRY(rle_read(&l->r, k, block, err));
            TRY(narrow(l, block, k, dst, err));
        } else {
            k = l->r.left < n ? (uint32_t)l->r.left : n;
            if (l->r.value > l->max)
                return too_high(l, l->r.value, err);
            memset(dst, (int)l->r.value, k);
            l->r.left -= k;
        }
        dst += k;
        n -= k;
    }
    return NRW_OK;
}

#define ONES 0x0101010101010101u

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
