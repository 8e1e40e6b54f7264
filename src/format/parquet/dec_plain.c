/* PLAIN (Encodings.md, "Plain") and the run-length form of booleans. */
#include "format/parquet/dec.h"

#include "kernel/kernel.h"

static nrw_status plain_begin(decoder *d, nrw_error *err)
{
    (void)err;
    cursor_open(&d->c, d->m, d->b, d->from, d->b->len);
    d->u.bit = 0;
    return NRW_OK;
}

/* ---- fixed width ---- */

static nrw_status too_few(const decoder *d, uint64_t n, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT,
                   "%llu values of %u bytes are due, the page has %zu bytes left",
                   (unsigned long long)n, d->width, cursor_left(&d->c));
}

static nrw_status plain_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    size_t bytes;

    if (!size_mul(n, d->width, &bytes) || bytes > cursor_left(&d->c))
        return too_few(d, n, err);
    return cursor_copy(&d->c, dst, bytes, err);
}

static const uint8_t *plain_direct(decoder *d, uint32_t n)
{
    const uint8_t *p = d->c.p;
    size_t bytes;

    if (!size_mul(n, d->width, &bytes) || bytes > cursor_at_hand(&d->c) ||
        d->b->kind != BODY_MEMORY)
        return NULL;
    d->c.p += bytes;
    return p;
}

static nrw_status plain_skip(decoder *d, uint64_t n, nrw_error *err)
{
    size_t bytes;

    if (!size_mul((size_t)n, d->width, &bytes) || bytes > cursor_left(&d->c))
        return too_few(d, n, err);
    return cursor_skip(&d->c, bytes, err);
}

const dec_class dec_plain_fixed = {
    .begin = plain_begin, .fixed = plain_fixed, .direct = plain_direct, .skip = plain_skip};

/* ---- booleans: bits, least significant first ---- */

static nrw_status bool_left(const decoder *d, uint64_t n, nrw_error *err)
{
    uint64_t left = (uint64_t)cursor_left(&d->c) * 8 - d->u.bit;

    if (n <= left)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT, "%llu booleans are due, the page has %llu left",
                   (unsigned long long)n, (unsigned long long)left);
}

static nrw_status bool_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    TRY(bool_left(d, n, err));
    while (n) {
        size_t k;
        TRY(cursor_need(&d->c, CURSOR_NEED_MAX, err));
        k = size_min(n, cursor_at_hand(&d->c) * 8 - d->u.bit);
        kernels_get()->bits_to_bytes(d->c.p, d->u.bit, k, dst);
        d->c.p += (d->u.bit + k) / 8;
        d->u.bit = (d->u.bit + k) % 8;
        dst += k;
        n -= (uint32_t)k;
    }
    return NRW_OK;
}

static nrw_status bool_skip(decoder *d, uint64_t n, nrw_error *err)
{
    uint64_t bit = d->u.bit + n;

    TRY(bool_left(d, n, err));
    d->u.bit = bit % 8;
    return cursor_skip(&d->c, bit / 8, err);
}

const dec_class dec_plain_bool = {.begin = plain_begin, .fixed = bool_fixed, .skip = bool_skip};

/* ---- booleans in runs, with their length in four bytes before them ---- */

static nrw_status rle_begin(decoder *d, nrw_error *err)
{
    uint8_t head[4];
    uint32_t len;

    TRY(body_read(d->b, d->from, head, 4, err));
    len = load_u32(head);
    if (len > d->b->len - d->from - 4)
        return err_set(err, NRW_E_CORRUPT, "the runs have %u bytes, the page has %zu left", len,
                       d->b->len - d->from - 4);
    rle_open(&d->u.rle, d->m, d->b, d->from + 4, d->from + 4 + len, 1);
    return NRW_OK;
}

static nrw_status rle_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    uint8_t bits[256 + BUFFER_SLACK];

    while (n) {
        uint32_t ones = 0, k = n < 2048 ? n : 2048;
        TRY(rle_read_bits(&d->u.rle, k, bits, 0, &ones, err));
        kernels_get()->bits_to_bytes(bits, 0, k, dst);
        dst += k;
        n -= k;
    }
    return NRW_OK;
}

static nrw_status rle_skip_bools(decoder *d, uint64_t n, nrw_error *err)
{
    return rle_skip(&d->u.rle, n, err);
}

static size_t rle_cursors(decoder *d, cursor *out[DEC_CURSORS])
{
    out[0] = &d->u.rle.c;
    return 1;
}

const dec_class dec_rle_bool = {
    .begin = rle_begin, .fixed = rle_fixed, .skip = rle_skip_bools, .cursors = rle_cursors};

/* ---- BYTE_ARRAY: four bytes of length before each value ---- */

static nrw_status value_cut(const decoder *d, uint32_t len, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a value of %u bytes passes the end of the page by %zu", len,
                   len - size_min(len, cursor_left(&d->c)));
}

/* All in memory: views into the page itself, which is pinned once the first long value is met. */
static nrw_status views_pinned(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got,
                               nrw_error *err)
{
    const uint8_t *p = d->c.p, *end = d->c.end;
    const uint8_t *base = d->b->buf->data;
    int32_t heap = -1;
    size_t most = s->max_bytes > s->bytes ? s->max_bytes - s->bytes : 0, bytes = 0;
    uint32_t i = 0;

    do {
        uint32_t len;
        if ((size_t)(end - p) < 4 || (len = load_u32(p)) > (size_t)(end - p) - 4) {
            d->c.p = p;
            return err_set(err, NRW_E_CORRUPT, "value %u passes the end of the page", i);
        }
        p += 4;
        __builtin_prefetch(p + 512);
        if (len > VIEW_INLINE && heap < 0)
            TRY(sink_pin(s, d->b->buf, &heap, err));
        dst[i] = view_over(p, len, heap, (size_t)(p - base));
        p += len;
        bytes += len + sizeof(view);
        i++;
    } while (i < n && bytes < most);
    /* the lengths are looked at along with the values: those below 128 are as good as ASCII */
    s->ascii = leaf_is_text(d->leaf) && kernels_get()->ascii(d->c.p, (size_t)(p - d->c.p));
    d->c.p = p;
    s->bytes += bytes;
    *got = i;
    return NRW_OK;
}

static nrw_status bytes_views(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got,
                              nrw_error *err)
{
    uint32_t i = 0;

    if (d->b->kind == BODY_MEMORY && !s->copy)
        return views_pinned(d, n, s, dst, got, err);
    do {
        uint32_t len;
        TRY(cursor_need(&d->c, 4 + VIEW_INLINE, err));
        if (cursor_at_hand(&d->c) < 4)
            return value_cut(d, 4, err);
        len = load_u32(d->c.p);
        d->c.p += 4;
        if (len > cursor_left(&d->c))
            return value_cut(d, len, err);
        TRY(sink_from(s, &d->c, len, dst + i, err));
        s->bytes += len + sizeof(view);
        i++;
    } while (i < n && !sink_full(s));
    *got = i;
    return NRW_OK;
}

static nrw_status bytes_skip(decoder *d, uint64_t n, nrw_error *err)
{
    for (; n; n--) {
        uint32_t len;
        TRY(cursor_need(&d->c, 4, err));
        if (cursor_at_hand(&d->c) < 4)
            return value_cut(d, 4, err);
        len = load_u32(d->c.p);
        d->c.p += 4;
        if (len <= cursor_at_hand(&d->c))
            d->c.p += len;
        else
            TRY(cursor_skip(&d->c, len, err));
    }
    return NRW_OK;
}

const dec_class dec_plain_bytes = {.begin = plain_begin, .views = bytes_views, .skip = bytes_skip};
