/* BYTE_STREAM_SPLIT (Encodings.md): byte k of all values, for each k. In memory the streams are
 * joined where they lie; of other bodies a stretch of each is fetched first. */
#include "format/parquet/dec.h"

#include "kernel/kernel.h"

static nrw_status split_begin(decoder *d, nrw_error *err)
{
    size_t len = d->b->len - d->from;

    if (d->width == 0 || len % d->width)
        return err_set(err, NRW_E_CORRUPT, "%zu bytes are not streams of %u-byte values", len,
                       d->width);
    d->u.split.n = len / d->width;
    d->u.split.at = 0;
    return NRW_OK;
}

static nrw_status check(const decoder *d, uint64_t n, nrw_error *err)
{
    size_t left = d->u.split.n - d->u.split.at;

    if (n <= left)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT, "%llu values are due, the page has %zu left",
                   (unsigned long long)n, left);
}

#define STRETCH_BYTES ((size_t)16 << 10)

static nrw_status fetched(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    size_t width = d->width, stretch = size_max(STRETCH_BYTES / width, 16);

    if (!d->u.split.scratch) {
        void *p;
        size_t len;
        if (!size_mul(stretch, width, &len))
            return err_set(err, NRW_E_UNSUPPORTED, "values of %zu bytes", width);
        TRY(mem_alloc(d->m, len + BUFFER_SLACK, &p, err));
        memset(p, 0, len + BUFFER_SLACK);
        d->u.split.scratch = p;
        d->u.split.scratch_len = len;
    }
    while (n) {
        size_t k = size_min(n, stretch);
        for (size_t b = 0; b < width; b++)
            TRY(body_read(d->b, d->from + b * d->u.split.n + d->u.split.at,
                          d->u.split.scratch + b * k, k, err));
        kernels_get()->split_decode(d->u.split.scratch, k, width, k, dst);
        d->u.split.at += k;
        dst += k * width;
        n -= (uint32_t)k;
    }
    return NRW_OK;
}

static nrw_status split_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    TRY(check(d, n, err));
    if (d->b->kind != BODY_MEMORY)
        return fetched(d, n, dst, err);
    kernels_get()->split_decode(d->b->data + d->from + d->u.split.at, d->u.split.n, d->width, n,
                                dst);
    d->u.split.at += n;
    return NRW_OK;
}

static nrw_status split_skip(decoder *d, uint64_t n, nrw_error *err)
{
    TRY(check(d, n, err));
    d->u.split.at += (size_t)n;
    return NRW_OK;
}

static void split_free(decoder *d)
{
    if (d->u.split.scratch)
        mem_free(d->m, d->u.split.scratch, d->u.split.scratch_len + BUFFER_SLACK);
    d->u.split.scratch = NULL;
}

const dec_class dec_split = {.begin = split_begin,
                             .fixed = split_fixed,
                             .skip = split_skip,
                             .sleep = split_free,
                             .close = split_free};
