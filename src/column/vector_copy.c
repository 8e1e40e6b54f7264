/* Single rows that stand on their own, and rows in any order. */
#include "column/vector_part.h"

/* ---- one row, copied with all that it points to ---- */

typedef struct maker {
    arena *a; /* or NULL */
    mem *m;
} maker;

/* In an arena the buffer's own reference is never given up, so that nobody frees it. */
static nrw_status make_buffer(const maker *k, size_t n, buffer **out, nrw_error *err)
{
    void *p;

    if (!k->a)
        return buffer_new(k->m, n, out, err);
    TRY(arena_alloc(k->a, sizeof(buffer), &p, err));
    *out = p;
    atomic_init(&(*out)->refs, 1);
    (*out)->cap = n;
    (*out)->m = k->m;
    TRY(arena_alloc(k->a, n + BUFFER_SLACK, &p, err));
    (*out)->data = p;
    return NRW_OK;
}

static nrw_status copy_bytes(const maker *k, const void *from, size_t n, buffer **out,
                             nrw_error *err)
{
    TRY(make_buffer(k, n, out, err));
    if (n)
        memcpy((*out)->data, from, n);
    (*out)->len = n;
    return NRW_OK;
}

/* All text of the n rows in one heap. */
static nrw_status copy_views(const maker *k, const vector *v, uint32_t n, vector *out,
                             nrw_error *err)
{
    size_t bytes = 0, at = 0;
    int32_t heap = 0;
    buffer *b;
    nrw_status st;

    for (uint32_t i = 0; i < n; i++) {
        span s = view_span(v, i);
        bytes += s.len > VIEW_INLINE ? s.len : 0;
    }
    if (bytes == 0)
        return NRW_OK;
    if (bytes > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a constant of %zu bytes", bytes);
    TRY(make_buffer(k, bytes, &b, err));
    b->len = bytes;
    if (k->a) {
        st = heaps_in_arena(k->a, b, &out->heaps, err);
    } else {
        st = vector_add_heap(out, b, &heap, err);
        buffer_unref(b);
    }
    TRY(st);
    for (uint32_t i = 0; i < n; i++) {
        span s = view_span(v, i);
        if (s.len <= VIEW_INLINE || s.len > bytes - at)
            continue;
        memcpy(b->data + at, s.data, s.len);
        ((view *)(void *)out->data)[i] =
            view_long(b->data + at, (uint32_t)s.len, heap, (int32_t)at);
        at += s.len;
    }
    return NRW_OK;
}

/* The first n rows of a flat vector. */
static nrw_status copy_flat(const maker *k, const vector *v, uint32_t n, vector *out,
                            nrw_error *err);

static nrw_status copy_children(const maker *k, const vector *v, uint32_t n, vector *out,
                                nrw_error *err)
{
    uint32_t rows = v->type.id == TYPE_STRUCT ? n : vector_offsets(v)[n];
    size_t bytes = v->n_children * sizeof(vector);
    nrw_status st = NRW_OK;
    void *p;

    if (v->n_children == 0)
        return NRW_OK;
    if (k->a)
        TRY(arena_alloc(k->a, bytes, &p, err));
    else
        TRY(mem_zalloc(k->m, bytes, &p, err));
    out->children = p;
    out->n_children = v->n_children;
    for (uint32_t c = 0; c < v->n_children && st == NRW_OK; c++) {
        vector flat;
        TRY(vector_flatten(&v->children[c], k->m, &flat, err));
        st = copy_flat(k, &flat, rows, &out->children[c], err);
        vector_release(&flat);
    }
    return st;
}

static nrw_status copy_flat(const maker *k, const vector *v, uint32_t n, vector *out,
                            nrw_error *err)
{
    bool list = type_is_nested(&v->type) && v->type.id != TYPE_STRUCT;
    size_t bytes = v->type.id == TYPE_STRUCT ? 1 : ((size_t)n + list) * v->type.width;

    *out = (vector){.type = v->type, .len = n, .m = k->m};
    TRY(copy_bytes(k, v->data, v->type.id == TYPE_STRUCT ? 0 : bytes, &out->data_buf, err));
    out->data = out->data_buf->data;
    if (v->validity) {
        TRY(copy_bytes(k, v->validity, ((size_t)n + 7) / 8, &out->validity_buf, err));
        out->validity = out->validity_buf->data;
        for (uint32_t i = 0; i < n; i++)
            out->null_count += !bit_get(v->validity, i);
    }
    if (type_is_view(&v->type))
        return copy_views(k, v, n, out, err);
    return copy_children(k, v, n, out, err);
}

nrw_status vector_constant(const vector *v, uint32_t row, arena *a, mem *m, vector *out,
                           nrw_error *err)
{
    maker k = {a, a ? arena_mem(a) : m};
    vector one;
    nrw_status st;

    *out = (vector){0};
    TRY(vector_pick(v, &row, 1, k.m, &one, err));
    st = copy_flat(&k, &one, 1, out, err);
    vector_release(&one);
    if (st < 0 && !a)
        vector_release(out);
    if (st < 0)
        *out = (vector){0};
    return st;
}

/* ---- rows in any order ---- */

#define PICK(type_)                                                                                \
    do {                                                                                           \
        const type_ *x = (const type_ *)(const void *)v->data;                                     \
        type_ *z = (type_ *)(void *)out->data;                                                     \
        for (uint32_t i = 0; i < n; i++)                                                           \
            z[i] = idx[i] == VECTOR_NULL ? (type_){0} : x[idx[i]];                                 \
    } while (0)

typedef struct wide16 {
    uint64_t at[2];
} wide16;

static void pick_values(const vector *v, const uint32_t *idx, uint32_t n, vector *out)
{
    size_t width = v->type.width;

    switch (width) {
    case 0: return;
    case 1: PICK(uint8_t); return;
    case 2: PICK(uint16_t); return;
    case 4: PICK(uint32_t); return;
    case 8: PICK(uint64_t); return;
    case 16: PICK(wide16); return;
    default: break;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (idx[i] == VECTOR_NULL)
            memset(out->data + i * width, 0, width);
        else
            memcpy(out->data + i * width, v->data + idx[i] * width, width);
    }
}

static nrw_status pick_validity(const vector *v, const uint32_t *idx, uint32_t n, vector *out,
                                nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        if (idx[i] != VECTOR_NULL && vector_is_valid(v, idx[i]))
            continue;
        if (!out->validity)
            TRY(vector_add_validity(out, err));
        bit_clear(out->validity, i);
        out->null_count++;
    }
    return NRW_OK;
}

static nrw_status pick_elements(const vector *v, const uint32_t *idx, uint32_t n, mem *m,
                                vector *out, nrw_error *err)
{
    const uint32_t *from = vector_offsets(v);
    uint32_t *to = (uint32_t *)(void *)out->data, *rows, at = 0;
    size_t total = 0;
    nrw_status st = NRW_OK;
    void *p;

    for (uint32_t i = 0; i < n; i++) {
        to[i] = (uint32_t)total;
        total += idx[i] == VECTOR_NULL ? 0 : from[idx[i] + 1] - from[idx[i]];
        if (total >= VECTOR_NULL)
            return err_set(err, NRW_E_UNSUPPORTED, "lists of %zu elements in a batch", total);
    }
    to[n] = (uint32_t)total;
    TRY(mem_alloc(m, total * sizeof *rows, &p, err));
    rows = p;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = idx[i] == VECTOR_NULL ? 0 : from[idx[i]];
             idx[i] != VECTOR_NULL && k < from[idx[i] + 1]; k++)
            rows[at++] = k;
    for (uint32_t c = 0; c < v->n_children && st == NRW_OK; c++)
        st = vector_pick(&v->children[c], rows, (uint32_t)total, m, &out->children[c], err);
    mem_free(m, rows, total * sizeof *rows);
    return st;
}

static nrw_status pick_flat(const vector *v, const uint32_t *idx, uint32_t n, mem *m, vector *out,
                            nrw_error *err)
{
    nrw_status st = NRW_OK;

    out->len = n;
    TRY(pick_validity(v, idx, n, out, err));
    if (v->type.id == TYPE_STRUCT) {
        for (uint32_t c = 0; c < v->n_children && st == NRW_OK; c++)
            st = vector_pick(&v->children[c], idx, n, m, &out->children[c], err);
        return st;
    }
    if (type_is_nested(&v->type))
        return pick_elements(v, idx, n, m, out, err);
    pick_values(v, idx, n, out);
    if (type_is_view(&v->type))
        vector_share_heaps(v, out);
    return NRW_OK;
}

nrw_status vector_pick(const vector *v, const uint32_t *idx, uint32_t n, mem *m, vector *out,
                       nrw_error *err)
{
    vector flat = {0};
    nrw_status st;

    *out = (vector){0};
    if (v->form != VECTOR_FLAT) {
        TRY(vector_flatten(v, m, &flat, err));
        v = &flat;
    }
    st = vector_flat(m, &v->type, n, out, err);
    if (st == NRW_OK)
        st = pick_flat(v, idx, n, m, out, err);
    if (st < 0)
        vector_release(out);
    vector_release(&flat);
    return st;
}

static uint64_t view_bytes(const vector *v, uint32_t i)
{
    return (uint32_t)((const view *)(const void *)v->data)[i].len;
}

uint64_t vector_text_bytes(const vector *v)
{
    const uint32_t *at = (const uint32_t *)(const void *)v->data;
    uint64_t sum = 0;

    for (uint32_t i = 0; v->form == VECTOR_FLAT && i < v->len; i++)
        sum += view_bytes(v, i);
    for (uint32_t i = 0; v->form == VECTOR_DICT && v->dict->values.len && i < v->len; i++)
        sum += vector_is_valid(v, i) ? view_bytes(&v->dict->values, at[i]) : 0;
    for (uint32_t i = 0, from = 0; v->form == VECTOR_RUNS && i < v->n_runs; from = at[i++]) {
        bool null;
        sum += (at[i] - from) * vector_value(v->values, i, &null).len;
    }
    return sum;
}
