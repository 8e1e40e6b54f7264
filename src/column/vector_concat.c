#include "column/vector_part.h"

/* The one dictionary that all parts lie over, or NULL. */
static dict *common_dict(const vector *parts, uint32_t n)
{
    dict *d = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const vector *v = parts[i].form == VECTOR_RUNS ? parts[i].values : &parts[i];
        if (parts[i].len == 0)
            continue;
        if (v->form != VECTOR_DICT || (d && v->dict != d))
            return NULL;
        d = v->dict;
    }
    return d;
}

/* Views keep pointing where they did: `v`'s heaps become heaps [base, ...) of out. */
static nrw_status add_heaps(const vector *v, vector *out, int32_t *base, nrw_error *err)
{
    *base = (int32_t)out->heaps.n;
    if (out->heaps.n == 0) {
        vector_share_heaps(v, out);
        return NRW_OK;
    }
    if (v->heaps.at == out->heaps.at) {
        *base = 0;
        return NRW_OK;
    }
    for (uint32_t i = 0; i < v->heaps.n; i++) {
        int32_t index;
        TRY(vector_add_heap(out, v->heaps.at[i], &index, err));
    }
    return NRW_OK;
}

/* Appends flat or dict rows to `out`, which has the same form and room. */
static nrw_status append(const vector *v, vector *out, nrw_error *err)
{
    uint32_t width = part_width(out);
    int32_t base = 0;
    if (v->heaps.n)
        TRY(add_heaps(v, out, &base, err));
    if (width)
        memcpy(out->data + (size_t)out->len * width, v->data, (size_t)v->len * width);
    if (base) {
        view *w = (view *)out->data + out->len;
        for (uint32_t i = 0; i < v->len; i++)
            if (w[i].len > VIEW_INLINE)
                w[i].heap += base;
    }
    if (v->validity && !out->validity) {
        TRY(vector_add_validity(out, err));
    }
    if (v->validity)
        part_copy_bits(out->validity, out->len, v->validity, 0, v->len);
    else if (out->validity)
        part_set_bits(out->validity, out->len, v->len, true);
    out->len += v->len;
    out->null_count += v->null_count;
    return NRW_OK;
}

/* Brings a part into the form of the result (flat, or dict over d), then appends it. */
static nrw_status append_any(const vector *v, dict *d, mem *m, vector *out, nrw_error *err)
{
    vector w;
    if (v->len == 0)
        return NRW_OK;
    if (v->form == (d ? VECTOR_DICT : VECTOR_FLAT))
        return append(v, out, err);
    if (d)
        TRY(vector_expand(v, m, &w, err));
    else
        TRY(vector_flatten(v, m, &w, err));
    nrw_status st = append(&w, out, err);
    vector_release(&w);
    return st;
}

static nrw_status concat_plain(const vector *parts, uint32_t n, uint32_t rows, dict *d, mem *m,
                               vector *out, nrw_error *err)
{
    if (d)
        TRY(vector_dict(m, &parts[0].type, d, rows, out, err));
    else
        TRY(vector_flat(m, &parts[0].type, rows, out, err));
    for (uint32_t i = 0; i < n; i++) {
        nrw_status st = append_any(&parts[i], d, m, out, err);
        if (st < 0) {
            vector_release(out);
            return st;
        }
    }
    part_trim_validity(out);
    return NRW_OK;
}

/* All parts are runs, over one dictionary or all flat. */
static bool all_runs(const vector *parts, uint32_t n, const dict *d)
{
    for (uint32_t i = 0; i < n; i++)
        if (parts[i].len &&
            (parts[i].form != VECTOR_RUNS || (!d && parts[i].values->form != VECTOR_FLAT)))
            return false;
    return true;
}

static nrw_status concat_runs(const vector *parts, uint32_t n, uint32_t rows, dict *d, mem *m,
                              vector *out, nrw_error *err)
{
    vector values;
    uint32_t n_runs = 0, run = 0, start = 0;
    for (uint32_t i = 0; i < n; i++)
        n_runs += parts[i].len ? parts[i].n_runs : 0;
    if (d)
        TRY(vector_dict(m, &parts[0].type, d, n_runs, &values, err));
    else
        TRY(vector_flat(m, &parts[0].type, n_runs, &values, err));
    for (uint32_t i = 0; i < n; i++) {
        nrw_status st = parts[i].len ? append(parts[i].values, &values, err) : NRW_OK;
        if (st < 0) {
            vector_release(&values);
            return st;
        }
    }
    part_trim_validity(&values);
    TRY(vector_runs(m, &values, rows, out, err));
    uint32_t *ends = (uint32_t *)out->data;
    for (uint32_t i = 0; i < n; start += parts[i++].len)
        for (uint32_t k = 0; parts[i].len && k < parts[i].n_runs; k++)
            ends[run++] = start + ((const uint32_t *)parts[i].data)[k];
    vector_count_nulls(out);
    return NRW_OK;
}

nrw_status vector_concat(const vector *parts, uint32_t n, mem *m, vector *out, nrw_error *err)
{
    uint32_t rows = 0;
    *out = (vector){0};
    if (n == 1)
        return vector_share(parts, out, err);
    for (uint32_t i = 0; i < n; i++)
        if (__builtin_add_overflow(rows, parts[i].len, &rows))
            return err_set(err, NRW_E_UNSUPPORTED, "more rows than one vector holds");
    if (type_is_nested(&parts[0].type))
        return part_concat_nested(parts, n, rows, m, out, err);
    dict *d = common_dict(parts, n);
    if (rows && all_runs(parts, n, d))
        return concat_runs(parts, n, rows, d, m, out, err);
    return concat_plain(parts, n, rows, d, m, out, err);
}

/* ---- compaction ---- */

#define COMPACT_SHARE 4

static nrw_status compact_flat(vector *v, mem *m, nrw_error *err)
{
    vector w;
    buffer *heap;
    uint64_t pinned = 0;
    size_t live = 0;
    view *from = (view *)v->data;
    for (uint32_t i = 0; i < v->heaps.n; i++)
        pinned += v->heaps.at[i]->cap;
    for (uint32_t i = 0; i < v->len; i++)
        live += from[i].len > VIEW_INLINE ? (size_t)from[i].len : 0;
    if (live >= pinned / COMPACT_SHARE || live > INT32_MAX)
        return NRW_OK;
    TRY(vector_flat(m, &v->type, v->len, &w, err));
    int32_t index = 0;
    nrw_status st = NRW_OK;
    if (live) {
        st = buffer_new(m, live, &heap, err);
        if (st == NRW_OK) {
            st = vector_add_heap(&w, heap, &index, err);
            buffer_unref(heap);
        }
    }
    if (st < 0) {
        vector_release(&w);
        return st;
    }
    view *to = (view *)w.data;
    size_t at = 0;
    for (uint32_t i = 0; i < v->len; i++) {
        span text = view_span(v, i);
        to[i] = from[i];
        if (text.len <= VIEW_INLINE)
            continue;
        memcpy(w.heaps.at[index]->data + at, text.data, text.len);
        to[i].heap = index;
        to[i].offset = (int32_t)at;
        at += text.len;
    }
    if (live)
        w.heaps.at[index]->len = at;
    w.len = v->len;
    w.null_count = v->null_count;
    w.validity = v->validity;
    w.validity_buf = v->validity_buf;
    v->validity_buf = NULL;
    vector_release(v);
    *v = w;
    return NRW_OK;
}

nrw_status vector_compact(vector *v, mem *m, nrw_error *err)
{
    for (uint32_t i = 0; i < v->n_children; i++)
        TRY(vector_compact(&v->children[i], m, err));
    if (v->form == VECTOR_RUNS)
        v = v->values;
    if (v->form != VECTOR_FLAT || !type_is_view(&v->type) || v->heaps.n == 0)
        return NRW_OK;
    return compact_flat(v, m, err);
}
