/* What a column writer made, taken apart again and compared with the rows. */
#ifndef COLUMN_CHECK_H
#define COLUMN_CHECK_H

#include "column_rows.h"
#include "decode_reference.h"
#include "testing.h"

#include "format/parquet/column_write.h"
#include "format/parquet/written_type.h"

/* Everything a writer handed out for one chunk. */
typedef struct chunk_out {
    pq_page_list pages;
    pq_chunk_stats stats;
} chunk_out;

static inline void chunk_release(chunk_out *c)
{
    pq_page_list_release(&c->pages);
    if (c->stats.has_bounds) {
        bytes_release(&c->stats.min);
        bytes_release(&c->stats.max);
    }
}

static inline void check_bytes_equal(const bytes *a, const bytes *b)
{
    assert_int_equal(a->len, b->len);
    if (a->len)
        assert_memory_equal(a->data, b->data, a->len);
}

static inline void check_same(const chunk_out *a, const chunk_out *b)
{
    assert_int_equal(a->pages.n, b->pages.n);
    for (uint32_t i = 0; i < a->pages.n; i++) {
        const pq_page_out *p = &a->pages.at[i], *q = &b->pages.at[i];
        assert_int_equal(p->type, q->type);
        assert_int_equal(p->encoding, q->encoding);
        assert_int_equal(p->rows, q->rows);
        assert_int_equal(p->nulls, q->nulls);
        assert_int_equal(p->levels_len, q->levels_len);
        assert_int_equal(p->body->len, q->body->len);
        if (p->body->len)
            assert_memory_equal(p->body->data, q->body->data, p->body->len);
        assert_int_equal(p->has_bounds, q->has_bounds);
        if (p->has_bounds) {
            check_bytes_equal(&p->min, &q->min);
            check_bytes_equal(&p->max, &q->max);
        }
    }
    assert_int_equal(a->stats.rows, b->stats.rows);
    assert_int_equal(a->stats.nulls, b->stats.nulls);
    assert_int_equal(a->stats.distinct, b->stats.distinct);
    assert_int_equal(a->stats.has_bounds, b->stats.has_bounds);
    if (a->stats.has_bounds) {
        check_bytes_equal(&a->stats.min, &b->stats.min);
        check_bytes_equal(&a->stats.max, &b->stats.max);
    }
}

/* Value `vid` as the file holds it, by the plain words of the format. */
static inline size_t stored_value(const rows *r, int32_t vid, uint8_t *out)
{
    const type *t = &r->f.type;
    const uint8_t *v = r->value[vid];
    pq_written_type w = pq_written_type_of(t);
    int64_t wide = 0;

    if (w.physical == PQ_BYTE_ARRAY) {
        memcpy(out, v, r->len[vid]);
        return r->len[vid];
    }
    if (w.physical == PQ_FIXED_LEN_BYTE_ARRAY && t->id == TYPE_DECIMAL) {
        for (uint32_t i = 0; i < w.length; i++)
            out[i] = v[w.length - 1 - i];
        return w.length;
    }
    if (w.physical == PQ_FIXED_LEN_BYTE_ARRAY || w.physical == PQ_BOOLEAN ||
        w.physical == PQ_FLOAT || w.physical == PQ_DOUBLE) {
        memcpy(out, v, t->width);
        return t->width;
    }
    memcpy(&wide, v, t->width);
    if (t->id == TYPE_INT8)
        wide = (int8_t)wide;
    if (t->id == TYPE_INT16)
        wide = (int16_t)wide;
    wide *= w.factor;
    memcpy(out, &wide, 8);
    return w.physical == PQ_INT32 ? 4 : 8;
}

/* The decoder's side: values of a page one after the other. */
typedef struct page_values {
    uint32_t n;
    uint8_t (*v)[256];
    size_t *len;
} page_values;

static inline void take_value(page_values *o, uint32_t i, ref_in *in, size_t len)
{
    assert_true(len <= 256);
    memcpy(o->v[i], ref_take(in, len), len);
    o->len[i] = len;
}

static inline void decode_plain(page_values *o, ref_in *in, pq_written_type w)
{
    for (uint32_t i = 0; i < o->n; i++) {
        size_t len = w.length;
        uint32_t text;
        if (w.physical == PQ_BOOLEAN) {
            o->v[i][0] = in->at[i / 8] >> (i % 8) & 1;
            o->len[i] = 1;
            continue;
        }
        if (w.physical == PQ_BYTE_ARRAY) {
            memcpy(&text, ref_take(in, 4), 4);
            len = text;
        } else if (w.physical != PQ_FIXED_LEN_BYTE_ARRAY) {
            len = w.physical == PQ_INT32 || w.physical == PQ_FLOAT ? 4 : 8;
        }
        take_value(o, i, in, len);
    }
    if (w.physical == PQ_BOOLEAN)
        ref_take(in, (o->n + 7) / 8);
}

static inline void decode_delta(page_values *o, ref_in *in, pq_written_type w, pq_encoding e)
{
    int64_t *a = calloc(o->n + 1, sizeof *a), *b = calloc(o->n + 1, sizeof *b);

    if (e == PQ_DELTA_BINARY_PACKED) {
        size_t width = w.physical == PQ_INT32 ? 4 : 8;
        ref_delta(in, (unsigned)width, o->n, a);
        for (uint32_t i = 0; i < o->n; i++) {
            memcpy(o->v[i], &a[i], width);
            o->len[i] = width;
        }
    } else {
        if (e == PQ_DELTA_BYTE_ARRAY)
            ref_delta(in, 4, o->n, a);
        ref_delta(in, 4, o->n, b);
        for (uint32_t i = 0; i < o->n; i++) {
            if (a[i])
                memcpy(o->v[i], o->v[i - 1], (size_t)a[i]);
            memcpy(o->v[i] + a[i], ref_take(in, (size_t)b[i]), (size_t)b[i]);
            o->len[i] = (size_t)(a[i] + b[i]);
        }
    }
    free(a);
    free(b);
}

static inline void decode_split(page_values *o, ref_in *in, pq_written_type w)
{
    size_t width = w.length ? w.length : w.physical == PQ_INT32 || w.physical == PQ_FLOAT ? 4 : 8;
    const uint8_t *p = ref_take(in, width * o->n);

    for (uint32_t i = 0; i < o->n; i++) {
        for (size_t k = 0; k < width; k++)
            o->v[i][k] = p[k * o->n + i];
        o->len[i] = width;
    }
}

static inline void decode_indices(page_values *o, ref_in *in, const page_values *dict,
                                  pq_encoding e, pq_written_type w)
{
    uint32_t *index = calloc(o->n + 1, sizeof *index), len;

    if (w.physical == PQ_BOOLEAN) { /* RLE, behind its length */
        assert_int_equal(e, PQ_RLE);
        memcpy(&len, ref_take(in, 4), 4);
        assert_int_equal(len, in->end - in->at);
        ref_rle(*in, 1, o->n, index);
    } else {
        unsigned width = ref_byte(in);
        ref_rle(*in, width, o->n, index);
    }
    for (uint32_t i = 0; i < o->n; i++) {
        if (w.physical == PQ_BOOLEAN) {
            o->v[i][0] = (uint8_t)index[i];
            o->len[i] = 1;
            continue;
        }
        assert_true(index[i] < dict->n);
        memcpy(o->v[i], dict->v[index[i]], 256);
        o->len[i] = dict->len[index[i]];
    }
    in->at = in->end;
    free(index);
}

static inline page_values values_new(uint32_t n)
{
    page_values o = {.n = n};

    o.v = calloc(n + 1, sizeof *o.v);
    o.len = calloc(n + 1, sizeof *o.len);
    return o;
}

static inline void values_free(page_values *o)
{
    free(o->v);
    free(o->len);
}

static inline page_values decode_page(const pq_page_out *p, ref_in in, pq_written_type w,
                                      const page_values *dict)
{
    page_values o = values_new(p->type == PQ_DICTIONARY_PAGE ? p->rows : p->rows - p->nulls);

    switch (p->encoding) {
    case PQ_PLAIN: decode_plain(&o, &in, w); break;
    case PQ_BYTE_STREAM_SPLIT: decode_split(&o, &in, w); break;
    case PQ_RLE:
    case PQ_RLE_DICTIONARY: decode_indices(&o, &in, dict, p->encoding, w); break;
    default: decode_delta(&o, &in, w, p->encoding);
    }
    assert_true(in.at == in.end);
    return o;
}

/* Levels off the front of a body; there[i]: row i is not null. */
static inline void decode_levels(const pq_page_out *p, bool nullable, ref_in *in, uint32_t *there)
{
    uint32_t len = p->levels_len;

    for (uint32_t i = 0; i < p->rows; i++)
        there[i] = 1;
    if (!nullable)
        return;
    if (p->type == PQ_DATA_PAGE)
        memcpy(&len, ref_take(in, 4), 4);
    const uint8_t *levels = ref_take(in, len);
    ref_rle((ref_in){levels, levels + len}, 1, p->rows, there);
}

/* Bounds found one by one. */
typedef struct slow_bounds {
    bool any;
    uint8_t min[256], max[256];
    size_t min_len, max_len;
} slow_bounds;

static inline bool is_nan(pq_order o, const uint8_t *v)
{
    double d;
    float f;
    uint16_t h;

    memcpy(&d, v, 8);
    memcpy(&f, v, 4);
    memcpy(&h, v, 2);
    return (o == PQ_ORDER_DOUBLE && d != d) || (o == PQ_ORDER_FLOAT && f != f) ||
           (o == PQ_ORDER_FLOAT16 && (h & 0x7fff) > 0x7c00);
}

static inline void slow_add(slow_bounds *b, pq_order o, const uint8_t *v, size_t len)
{
    if (o == PQ_ORDER_NONE || is_nan(o, v))
        return;
    if (!b->any || pq_order_compare(o, (span){v, len}, (span){b->min, b->min_len}) < 0) {
        memcpy(b->min, v, len);
        b->min_len = len;
    }
    if (!b->any || pq_order_compare(o, (span){v, len}, (span){b->max, b->max_len}) > 0) {
        memcpy(b->max, v, len);
        b->max_len = len;
    }
    b->any = true;
}

/* Zeros get the sign that keeps both of them inside. */
static inline void slow_zeros(slow_bounds *b, pq_order o)
{
    static const uint8_t zero[8];
    size_t len = b->min_len;

    if (!b->any || (o != PQ_ORDER_DOUBLE && o != PQ_ORDER_FLOAT && o != PQ_ORDER_FLOAT16))
        return;
    if (pq_order_compare(o, (span){b->min, len}, (span){zero, len}) == 0) {
        memset(b->min, 0, len);
        b->min[len - 1] = 0x80;
    }
    if (pq_order_compare(o, (span){b->max, len}, (span){zero, len}) == 0)
        memset(b->max, 0, len);
}

static inline void check_bounds(slow_bounds *b, pq_order o, bool has, const bytes *min,
                                const bytes *max, size_t keep)
{
    slow_zeros(b, o);
    assert_int_equal(has, b->any);
    if (!has)
        return;
    assert_int_equal(min->len, size_min(b->min_len, keep));
    assert_int_equal(max->len, size_min(b->max_len, keep));
    if (min->len)
        assert_memory_equal(min->data, b->min, min->len);
    if (max->len)
        assert_memory_equal(max->data, b->max, max->len);
}

/* Every page against the rows it must hold. */
static inline void check_chunk(const chunk_out *c, const rows *r, const pq_write_options *opts,
                               const pq_column_options *col)
{
    pq_written_type w = pq_written_type_of(&r->f.type);
    pq_order order = col->statistics ? pq_order_of(&r->f.type) : PQ_ORDER_NONE;
    size_t keep =
        opts->statistics_truncate ? size_max(opts->statistics_truncate, 32) + 8 : SIZE_MAX;
    slow_bounds all = {0};
    page_values dict = {0};
    uint32_t row = 0, n = c->pages.n, *there = calloc(r->n + 1, sizeof *there);
    uint8_t want[256 + 8];

    if (n && c->pages.at[n - 1].type == PQ_DICTIONARY_PAGE) {
        const pq_page_out *p = &c->pages.at[--n];
        assert_true(p->body->len <= opts->dictionary_bytes);
        dict = decode_page(p, (ref_in){p->body->data, p->body->data + p->body->len}, w, NULL);
    }
    for (uint32_t i = 0; i < n; i++) {
        const pq_page_out *p = &c->pages.at[i];
        ref_in in = {p->body->data, p->body->data + p->body->len};
        slow_bounds page = {0};
        uint32_t k = 0;
        uint32_t most = opts->page_rows, indices = opts->page_bytes / 2;
        if ((p->encoding == PQ_RLE_DICTIONARY || p->nulls == p->rows) && indices > most)
            most = indices < 65536 ? indices : 65536;
        assert_true(p->rows > 0 && p->rows <= most && row + p->rows <= r->n);
        decode_levels(p, r->f.nullable, &in, there);
        page_values v = decode_page(p, in, w, &dict);
        for (uint32_t j = 0; j < p->rows; j++, row++) {
            assert_int_equal(there[j], r->vid[row] >= 0);
            if (!there[j])
                continue;
            size_t len = stored_value(r, r->vid[row], want);
            assert_int_equal(v.len[k], len);
            assert_memory_equal(v.v[k], want, len);
            slow_add(&page, order, want, len);
            slow_add(&all, order, want, len);
            k++;
        }
        assert_int_equal(k, v.n);
        check_bounds(&page, order, p->has_bounds, &p->min, &p->max, keep);
        values_free(&v);
    }
    assert_int_equal(row, r->n);
    assert_int_equal(c->stats.rows, r->n);
    check_bounds(&all, order, c->stats.has_bounds, &c->stats.min, &c->stats.max, keep);
    if (dict.v)
        values_free(&dict);
    free(there);
}

#endif
