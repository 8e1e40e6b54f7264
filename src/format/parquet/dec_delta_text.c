/* DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. DELTA_BYTE_ARRAY: lengths of prefixes
 * shared with the value before, then the suffixes as DELTA_LENGTH_BYTE_ARRAY (Encodings.md). */
#include "format/parquet/dec.h"

#include "kernel/kernel.h"

/* Up to n lengths at *out, to be passed with lengths_take. */
static nrw_status lengths_peek(delta_lengths *l, uint32_t n, const int32_t **out, uint32_t *got,
                               nrw_error *err)
{
    if (l->at == l->n) {
        uint32_t k = n < DELTA_LENGTHS ? n : DELTA_LENGTHS;
        int32_t low = 0;
        l->at = l->n = 0;
        TRY(delta_read_i32(&l->d, k, l->v, err));
        for (uint32_t i = 0; i < k; i++)
            low |= l->v[i];
        if (low < 0)
            return err_set(err, NRW_E_CORRUPT, "a value's length is negative");
        l->n = k;
    }
    *out = l->v + l->at;
    *got = l->n - l->at < n ? l->n - l->at : n;
    return NRW_OK;
}

/* The lengths of the next value. */
static inline nrw_status lengths_one(delta_lengths *l, uint64_t want, uint32_t *out, nrw_error *err)
{
    const int32_t *v;
    uint32_t got;

    if (l->at == l->n)
        TRY(lengths_peek(l, want < DELTA_LENGTHS ? (uint32_t)want : DELTA_LENGTHS, &v, &got, err));
    *out = (uint32_t)l->v[l->at++];
    return NRW_OK;
}

static void lengths_open(delta_lengths *l)
{
    l->at = l->n = 0;
}

/* ---- lengths, then bytes ---- */

static nrw_status length_begin(decoder *d, nrw_error *err)
{
    delta_lengths *l = &d->u.text.suffix;
    size_t end;

    TRY(delta_open(&l->d, d->m, d->b, d->from, d->b->len, d->most, err));
    TRY(delta_end(&l->d, d->m, &end, err));
    lengths_open(l);
    cursor_open(&d->c, d->m, d->b, end, d->b->len);
    return NRW_OK;
}

static nrw_status value_cut(const decoder *d, uint32_t len, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a value has %u bytes, %zu are left in the page", len,
                   cursor_left(&d->c));
}

/* One block of lengths whose bytes all lie in memory and are pinned. */
static nrw_status pinned_block(decoder *d, const int32_t *len, uint32_t n, view_sink *s, view *dst,
                               uint32_t *got, nrw_error *err)
{
    const uint8_t *p = d->c.p, *base = d->b->buf->data;
    size_t most = s->max_bytes > s->bytes ? s->max_bytes - s->bytes : 0, bytes = 0;
    int32_t heap;
    uint32_t i = 0;

    TRY(sink_pin(s, d->b->buf, &heap, err));
    do {
        if ((uint32_t)len[i] > (size_t)(d->c.end - p))
            return value_cut(d, (uint32_t)len[i], err);
        dst[i] = view_over(p, (uint32_t)len[i], heap, (size_t)(p - base));
        p += len[i];
        bytes += (uint32_t)len[i] + sizeof(view);
        i++;
    } while (i < n && bytes < most);
    s->ascii = s->ascii && kernels_get()->ascii(d->c.p, (size_t)(p - d->c.p));
    d->c.p = p;
    s->bytes += bytes;
    *got = i;
    return NRW_OK;
}

static nrw_status copied_block(decoder *d, const int32_t *len, uint32_t n, view_sink *s, view *dst,
                               uint32_t *got, nrw_error *err)
{
    uint32_t i = 0;

    do {
        TRY(sink_from(s, &d->c, (uint32_t)len[i], dst + i, err));
        s->bytes += (uint32_t)len[i] + sizeof(view);
        i++;
    } while (i < n && !sink_full(s));
    *got = i;
    return NRW_OK;
}

static nrw_status length_views(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got,
                               nrw_error *err)
{
    delta_lengths *l = &d->u.text.suffix;
    bool pinned = d->b->kind == BODY_MEMORY && !s->copy;
    uint32_t done = 0;

    s->ascii = leaf_is_text(d->leaf) && pinned;
    do {
        const int32_t *len;
        uint32_t k, took = 0;
        TRY(lengths_peek(l, n - done, &len, &k, err));
        if (pinned)
            TRY(pinned_block(d, len, k, s, dst + done, &took, err));
        else
            TRY(copied_block(d, len, k, s, dst + done, &took, err));
        l->at += took;
        done += took;
    } while (done < n && !sink_full(s));
    *got = done;
    return NRW_OK;
}

static nrw_status length_skip(decoder *d, uint64_t n, nrw_error *err)
{
    delta_lengths *l = &d->u.text.suffix;

    while (n) {
        const int32_t *len;
        uint32_t k;
        uint64_t sum = 0;
        TRY(lengths_peek(l, n < DELTA_LENGTHS ? (uint32_t)n : DELTA_LENGTHS, &len, &k, err));
        for (uint32_t i = 0; i < k; i++)
            sum += (uint32_t)len[i];
        TRY(cursor_skip(&d->c, sum, err));
        l->at += k;
        n -= k;
    }
    return NRW_OK;
}

static size_t text_cursors(decoder *d, cursor *out[DEC_CURSORS])
{
    out[0] = &d->u.text.prefix.d.c;
    out[1] = &d->u.text.suffix.d.c;
    return 2;
}

static void text_close(decoder *d)
{
    if (d->u.text.last.m)
        bytes_release(&d->u.text.last);
}

const dec_class dec_delta_length = {.begin = length_begin,
                                    .views = length_views,
                                    .skip = length_skip,
                                    .cursors = text_cursors,
                                    .close = text_close};

/* ---- prefixes and suffixes ---- */

static nrw_status prefix_begin(decoder *d, nrw_error *err)
{
    delta_lengths *pre = &d->u.text.prefix, *suf = &d->u.text.suffix;
    size_t end;

    TRY(delta_open(&pre->d, d->m, d->b, d->from, d->b->len, d->most, err));
    TRY(delta_end(&pre->d, d->m, &end, err));
    TRY(delta_open(&suf->d, d->m, d->b, end, d->b->len, d->most, err));
    TRY(delta_end(&suf->d, d->m, &end, err));
    lengths_open(pre);
    lengths_open(suf);
    cursor_open(&d->c, d->m, d->b, end, d->b->len);
    if (!d->u.text.last.m)
        d->u.text.last = bytes_init(d->m, INT32_MAX);
    bytes_clear(&d->u.text.last);
    d->u.text.ascii = leaf_is_text(d->leaf);
    return NRW_OK;
}

/* The next value is then in `last`. */
static nrw_status next_value(decoder *d, uint64_t want, nrw_error *err)
{
    bytes *last = &d->u.text.last;
    uint32_t pre, suf;

    d->u.text.ascii = false;
    TRY(lengths_one(&d->u.text.prefix, want, &pre, err));
    TRY(lengths_one(&d->u.text.suffix, want, &suf, err));
    if (pre > last->len)
        return err_set(err, NRW_E_CORRUPT, "a prefix of %u bytes of a value that has %zu", pre,
                       last->len);
    if (suf > cursor_left(&d->c))
        return value_cut(d, suf, err);
    last->len = pre;
    if (last->cap - last->len < suf) {
        nrw_status st = bytes_reserve(last, suf, err);
        if (st < 0)
            return err_wrap(err, st, "a value of %llu bytes", (unsigned long long)pre + suf);
    }
    if (suf)
        TRY(cursor_copy(&d->c, last->data + pre, suf, err));
    last->len = (size_t)pre + suf;
    return NRW_OK;
}

/* The next values as long as their lengths and the bytes of their suffixes are at hand. */
typedef struct prefix_block {
    const int32_t *pre, *suf;
    const uint8_t *src; /* the next suffix */
    uint32_t n;
    size_t bytes; /* of all values */
} prefix_block;

/* Blocks of more bytes go value by value. */
#define PREFIX_BLOCK_BYTES ((size_t)16 << 10)

/* n is 0 where the block must go value by value. */
static nrw_status block_peek(decoder *d, uint32_t want, prefix_block *b, nrw_error *err)
{
    uint32_t pre, suf;
    uint64_t suffixes = 0, all = 0;

    TRY(lengths_peek(&d->u.text.prefix, want, &b->pre, &pre, err));
    TRY(lengths_peek(&d->u.text.suffix, want, &b->suf, &suf, err));
    b->n = pre < suf ? pre : suf;
    for (uint32_t i = 0; i < b->n; i++) {
        suffixes += (uint32_t)b->suf[i];
        all += (uint32_t)b->pre[i];
    }
    all += suffixes;
    b->src = d->c.p;
    b->bytes = (size_t)all;
    if (all > PREFIX_BLOCK_BYTES || suffixes > cursor_at_hand(&d->c))
        b->n = 0;
    return NRW_OK;
}

/* n values of the block were used, the last of which lies at p. */
static nrw_status block_take(decoder *d, const prefix_block *b, uint32_t n, const uint8_t *p,
                             size_t len, nrw_error *err)
{
    bytes *last = &d->u.text.last;

    if (n == 0)
        return NRW_OK;
    bytes_clear(last);
    TRY(bytes_append(last, p, len, err));
    d->u.text.ascii = d->u.text.ascii && kernels_get()->ascii(d->c.p, (size_t)(b->src - d->c.p));
    d->c.p = b->src;
    d->u.text.prefix.at += n;
    d->u.text.suffix.at += n;
    return NRW_OK;
}

/* n bytes in steps of sixteen: up to fifteen more are read and written, over the value behind src
 * that dst may be. */
static inline void copy_wide(uint8_t *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        memmove(dst + i, src + i, 16);
}

/* Value i of the block to `to`, behind the one before at `prev` or in its place. False: it has
 * less than the prefix. */
static inline bool block_value(prefix_block *b, uint32_t i, uint8_t *to, const uint8_t *prev,
                               size_t prev_len)
{
    uint32_t pre = (uint32_t)b->pre[i], suf = (uint32_t)b->suf[i];

    if (pre > prev_len)
        return false;
    if (to != prev)
        copy_wide(to, prev, pre);
    copy_wide(to + pre, b->src, suf);
    b->src += suf;
    return true;
}

/* What of the value before the block is its first one's prefix comes to lie at `to`. */
static size_t block_begin(const decoder *d, const prefix_block *b, uint8_t *to)
{
    const bytes *last = &d->u.text.last;
    size_t n = b->n ? size_min(last->len, (uint32_t)b->pre[0]) : 0;

    if (n)
        memcpy(to, last->data, n);
    return n;
}

/* Values of a block, each built where its view points to; an inlined one is overwritten by the
 * next. *got may be 0: the next value then needs a look of its own. */
static nrw_status block_views(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got,
                              nrw_error *err)
{
    prefix_block b;
    int32_t heap, offset;
    uint8_t *p, *value;
    size_t len;
    uint32_t i = 0;

    *got = 0;
    TRY(block_peek(d, n, &b, err));
    if (b.n == 0)
        return NRW_OK;
    TRY(sink_room(s, b.bytes, &p, &heap, &offset, err));
    value = p;
    len = block_begin(d, &b, p);
    while (i < b.n && !sink_full(s) && block_value(&b, i, p, value, len)) {
        len = (size_t)b.pre[i] + (size_t)b.suf[i];
        dst[i++] = view_over(p, (uint32_t)len, heap, (size_t)(p - s->open->data));
        s->bytes += len + sizeof(view);
        value = p;
        p += len > VIEW_INLINE ? len : 0;
    }
    s->open->len = (size_t)(p - s->open->data);
    *got = i;
    return block_take(d, &b, i, value, len, err);
}

static nrw_status one_view(decoder *d, uint32_t want, view_sink *s, view *dst, nrw_error *err)
{
    const bytes *last = &d->u.text.last;

    TRY(next_value(d, want, err));
    TRY(sink_bytes(s, last->data ? last->data : (const uint8_t *)"", last->len, dst, err));
    s->bytes += last->len + sizeof(view);
    return NRW_OK;
}

static nrw_status prefix_views(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got,
                               nrw_error *err)
{
    uint32_t i = 0, k;

    do {
        TRY(block_views(d, n - i, s, dst + i, &k, err));
        if (k == 0) {
            TRY(one_view(d, n - i, s, dst + i, err));
            k = 1;
        }
        i += k;
    } while (i < n && !sink_full(s));
    s->ascii = d->u.text.ascii;
    *got = i;
    return NRW_OK;
}

/* As block_views, of values of `width` bytes. */
static nrw_status block_fixed(decoder *d, uint32_t n, uint8_t *dst, uint32_t *got, nrw_error *err)
{
    size_t width = d->width, len;
    const uint8_t *value = dst;
    prefix_block b;
    uint32_t i = 0;

    *got = 0;
    TRY(block_peek(d, n, &b, err));
    if (b.n == 0)
        return NRW_OK;
    len = block_begin(d, &b, dst);
    for (; i < b.n && (size_t)b.pre[i] + (size_t)b.suf[i] == width; i++) {
        uint8_t *to = dst + i * width;
        if (!block_value(&b, i, to, value, len))
            break;
        value = to;
        len = width;
    }
    *got = i;
    return block_take(d, &b, i, value, len, err);
}

static nrw_status one_fixed(decoder *d, uint32_t want, uint8_t *dst, nrw_error *err)
{
    const bytes *last = &d->u.text.last;

    TRY(next_value(d, want, err));
    if (last->len != d->width)
        return err_set(err, NRW_E_CORRUPT, "a value of %zu bytes in a column of %u-byte values",
                       last->len, d->width);
    if (d->width)
        memcpy(dst, last->data, d->width);
    return NRW_OK;
}

static nrw_status prefix_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err)
{
    for (uint32_t k; n; n -= k) {
        TRY(block_fixed(d, n, dst, &k, err));
        if (k == 0) {
            TRY(one_fixed(d, n, dst, err));
            k = 1;
        }
        dst += (size_t)k * d->width;
    }
    return NRW_OK;
}

static nrw_status prefix_skip(decoder *d, uint64_t n, nrw_error *err)
{
    for (; n; n--)
        TRY(next_value(d, n, err));
    return NRW_OK;
}

const dec_class dec_delta_bytes = {.begin = prefix_begin,
                                   .fixed = prefix_fixed,
                                   .views = prefix_views,
                                   .skip = prefix_skip,
                                   .cursors = text_cursors,
                                   .close = text_close};
