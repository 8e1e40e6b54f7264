/* DELTA_BINARY_PACKED (Encodings.md, "Delta Encoding"): blocks of miniblocks, each of its own bit
 * width. Miniblocks of one block that follow each other with the same width lie without a gap, so
 * they are unpacked as one. */
#include "format/parquet/dec.h"

#include "base/varint.h"
#include "kernel/kernel.h"

nrw_status delta_open(delta *d, mem *m, const body *b, size_t from, size_t to, uint64_t most,
                      nrw_error *err)
{
    uint64_t block, minis, total, first;

    if (from > to)
        return err_set(err, NRW_E_CORRUPT, "the page ends before its values");
    cursor_open(&d->c, m, b, from, to);
    TRY(cursor_varint(&d->c, &block, err));
    TRY(cursor_varint(&d->c, &minis, err));
    TRY(cursor_varint(&d->c, &total, err));
    TRY(cursor_varint(&d->c, &first, err));
    if (minis == 0 || minis > sizeof d->widths || block == 0 || block > (1u << 30) ||
        block % minis || block / minis % 8)
        return err_set(err, NRW_E_CORRUPT, "delta blocks of %llu values in %llu miniblocks",
                       (unsigned long long)block, (unsigned long long)minis);
    if (total > most)
        return err_set(err, NRW_E_CORRUPT, "%llu delta values in a page of %llu rows",
                       (unsigned long long)total, (unsigned long long)most);
    d->per_mini = (uint32_t)(block / minis);
    d->n_minis = (uint32_t)minis;
    d->left = total;
    d->last = unzigzag(first);
    d->first = true;
    d->mini = d->n_minis;
    d->mini_left = 0;
    d->pend_at = d->pend_n = 0;
    return NRW_OK;
}

static nrw_status block_header(delta *d, nrw_error *err)
{
    uint64_t min;

    TRY(cursor_varint(&d->c, &min, err));
    d->min_delta = unzigzag(min);
    TRY(cursor_copy(&d->c, d->widths, d->n_minis, err));
    d->mini = 0;
    return NRW_OK;
}

static nrw_status next_stretch(delta *d, nrw_error *err)
{
    if (d->mini == d->n_minis)
        TRY(block_header(d, err));
    d->width = d->widths[d->mini++];
    if (d->width > 64)
        return err_set(err, NRW_E_CORRUPT, "a miniblock of %u bits", d->width);
    d->mini_left = d->per_mini;
    while (d->mini < d->n_minis && d->widths[d->mini] == d->width && d->mini_left < (1u << 29)) {
        d->mini_left += d->per_mini;
        d->mini++;
    }
    return NRW_OK;
}

/* k values (k <= 8 or a multiple of 8) at the start of what is left of the stretch. */
static nrw_status stretch_bytes(delta *d, uint32_t *k, nrw_error *err)
{
    size_t bytes;

    if (d->width == 0)
        return NRW_OK;
    if (*k > CURSOR_NEED_MAX / d->width * 8)
        *k = CURSOR_NEED_MAX / d->width * 8;
    bytes = ((size_t)*k * d->width + 7) / 8;
    TRY(cursor_need(&d->c, bytes, err));
    if (cursor_at_hand(&d->c) < bytes)
        return err_set(err, NRW_E_CORRUPT, "a miniblock is cut off");
    return NRW_OK;
}

/* Passes k values; the last miniblock may have been written without its padding. */
static void pass(delta *d, uint32_t k)
{
    size_t bytes = (size_t)(k + 7) / 8 * d->width;

    d->c.p += size_min(bytes, cursor_at_hand(&d->c));
    d->mini_left -= (k + 7) & ~7u;
}

/* Fewer than eight values are asked for, or left: eight are decoded, the rest waits. */
static nrw_status pend(delta *d, nrw_error *err)
{
    uint32_t k = d->left < 8 ? (uint32_t)d->left : 8;
    const kernels *kn = kernels_get();

    TRY(stretch_bytes(d, &k, err));
    kn->unpack_u64(d->c.p, d->width, k, (uint64_t *)d->pend);
    kn->delta_decode_i64((uint64_t *)d->pend, k, d->min_delta, &d->last, d->pend);
    pass(d, k);
    d->pend_at = 0;
    d->pend_n = k;
    return NRW_OK;
}

static nrw_status check_left(const delta *d, uint32_t n, nrw_error *err)
{
    if (n <= d->left)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT, "%u delta values are due, the page has %llu left", n,
                   (unsigned long long)d->left);
}

nrw_status delta_read_i64(delta *d, uint32_t n, int64_t *dst, nrw_error *err)
{
    const kernels *kn = kernels_get();

    TRY(check_left(d, n, err));
    if (n && d->first) {
        *dst++ = d->last;
        d->first = false;
        d->left--;
        n--;
    }
    while (n) {
        uint32_t k;
        if (d->pend_at < d->pend_n) {
            k = d->pend_n - d->pend_at < n ? d->pend_n - d->pend_at : n;
            memcpy(dst, d->pend + d->pend_at, k * sizeof *dst);
            d->pend_at += k;
        } else if (d->mini_left == 0) {
            TRY(next_stretch(d, err));
            continue;
        } else if (n < 8) {
            TRY(pend(d, err));
            continue;
        } else {
            k = n < d->mini_left ? n & ~7u : d->mini_left;
            TRY(stretch_bytes(d, &k, err));
            kn->unpack_u64(d->c.p, d->width, k, (uint64_t *)dst);
            kn->delta_decode_i64((uint64_t *)dst, k, d->min_delta, &d->last, dst);
            pass(d, k);
        }
        dst += k;
        n -= k;
        d->left -= k;
    }
    return NRW_OK;
}

nrw_status delta_read_i32(delta *d, uint32_t n, int32_t *dst, nrw_error *err)
{
    const kernels *kn = kernels_get();

    TRY(check_left(d, n, err));
    if (n && d->first) {
        /* Deltas may wrap, the first value may not; unsigned ones come without a sign, too. */
        if (d->last < INT32_MIN || d->last > UINT32_MAX)
            return err_set(err, NRW_E_CORRUPT, "the first delta value, %lld, has more than 32 bits",
                           (long long)d->last);
        *dst++ = (int32_t)d->last;
        d->first = false;
        d->left--;
        n--;
    }
    while (n) {
        uint32_t k;
        if (d->pend_at < d->pend_n) {
            k = d->pend_n - d->pend_at < n ? d->pend_n - d->pend_at : n;
            for (uint32_t i = 0; i < k; i++)
                dst[i] = (int32_t)d->pend[d->pend_at + i];
            d->pend_at += k;
        } else if (d->mini_left == 0) {
            TRY(next_stretch(d, err));
            continue;
        } else if (n < 8 || d->width > 32) {
            /* More than 32 bits: deltas that wrap, as some writers have them. */
            TRY(pend(d, err));
            continue;
        } else {
            int32_t last = (int32_t)d->last;
            k = n < d->mini_left ? n & ~7u : d->mini_left;
            TRY(stretch_bytes(d, &k, err));
            kn->unpack_u32(d->c.p, d->width, k, (uint32_t *)dst);
            kn->delta_decode_i32((uint32_t *)dst, k, (int32_t)d->min_delta, &last, dst);
            d->last = last;
            pass(d, k);
        }
        dst += k;
        n -= k;
        d->left -= k;
    }
    return NRW_OK;
}

nrw_status delta_end(const delta *d, mem *m, size_t *end, nrw_error *err)
{
    delta walk = {0};
    uint64_t left = d->left ? d->left - 1 : 0;
    nrw_status st = NRW_OK;

    walk.n_minis = d->n_minis;
    cursor_open(&walk.c, m, d->c.b, cursor_pos(&d->c), d->c.limit);
    while (left) {
        TRY_OUT(block_header(&walk, err));
        for (uint32_t i = 0; i < d->n_minis && left; i++) {
            uint64_t bytes = (uint64_t)d->per_mini / 8 * walk.widths[i];
            if (bytes > cursor_left(&walk.c)) {
                st = err_set(err, NRW_E_CORRUPT, "the delta lengths pass the end of the page");
                goto out;
            }
            TRY_OUT(cursor_skip(&walk.c, bytes, err));
            left -= left < d->per_mini ? left : d->per_mini;
        }
    }
    *end = cursor_pos(&walk.c);
out:
    cursor_close(&walk.c);
    return st;
}

/* ---- integers ---- */

static nrw_status int_begin(decoder *d, nrw_error *err)
{
    return delta_open(&d->u.delta, d->m, d->b, d->from, d->b->len, d->most, err);
}

static nrw_status int_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    if (d->width == 4)
        return delta_read_i32(&d->u.delta, n, (int32_t *)(void *)dst, err);
    return delta_read_i64(&d->u.delta, n, (int64_t *)(void *)dst, err);
}

static nrw_status int_skip(decoder *d, uint64_t n, nrw_error *err)
{
    int64_t v[256 + 8];

    while (n) {
        uint32_t k = n < 256 ? (uint32_t)n : 256;
        TRY(delta_read_i64(&d->u.delta, k, v, err));
        n -= k;
    }
    return NRW_OK;
}

static size_t int_cursors(decoder *d, cursor *out[DEC_CURSORS])
{
    out[0] = &d->u.delta.c;
    return 1;
}

const dec_class dec_delta = {
    .begin = int_begin, .fixed = int_fixed, .skip = int_skip, .cursors = int_cursors};
