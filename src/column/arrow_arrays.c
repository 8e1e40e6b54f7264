/* A range of rows goes down through all levels: lists turn it into a range of elements. So a batch
 * of any size is read in pieces, and each buffer's part of a piece is read on its own. */
#include "column/arrow_arrays.h"

#include "column/arrow_arrays_own.h"
#include "column/vector_part.h"

nrw_status arrow_take(const rows *r, uint32_t k, uint64_t at, void *dst, size_t n, nrw_error *err)
{
    uint64_t len;

    if (!n)
        return NRW_OK;
    TRY(r->s->length(r->s, r->buffer + k, &len, err));
    if (at > len || n > len - at)
        return arrow_damaged(err, "a buffer is shorter than its rows");
    return r->s->read(r->s, r->buffer + k, at, dst, n, err);
}

nrw_status arrow_take_bits(const rows *r, uint32_t k, uint8_t *dst, uint32_t *zeros, nrw_error *err)
{
    const uint64_t from = r->first / 8;
    const size_t bytes = (size_t)((r->first + r->n + 7) / 8 - from);
    buffer *b;
    nrw_status st;

    *zeros = 0;
    TRY(buffer_new(r->m, bytes, &b, err));
    st = arrow_take(r, k, from, b->data, bytes, err);
    if (st >= 0)
        *zeros = part_copy_bits(dst, 0, b->data, r->first % 8, r->n);
    buffer_unref(b);
    return st;
}

nrw_status arrow_take_validity(const rows *r, vector *out, nrw_error *err)
{
    uint64_t len;

    if (r->nulls == 0 || r->n == 0)
        return NRW_OK;
    TRY(r->s->length(r->s, r->buffer, &len, err));
    if (len == 0 && r->nulls < 0)
        return NRW_OK;
    TRY(vector_add_validity(out, err));
    TRY(arrow_take_bits(r, 0, out->validity, &out->null_count, err));
    part_trim_validity(out);
    return NRW_OK;
}

nrw_status arrow_take_numbers(const rows *r, uint32_t k, uint64_t i, size_t n, uint64_t **out,
                              nrw_error *err)
{
    const uint32_t bytes = r->l->offset_bytes;
    nrw_status st;
    size_t size;
    void *p;

    *out = NULL;
    if (!size_mul(n, 8, &size))
        return err_set(err, NRW_E_MEMLIMIT, "%zu offsets are too many", n);
    TRY(mem_alloc(r->m, size, &p, err));
    /* narrow ones lie at the end, and are widened from there */
    int32_t *narrow = (int32_t *)((uint8_t *)p + size - n * bytes);
    uint64_t *wide = p;
    st = arrow_take(r, k, i * bytes, narrow, n * bytes, err);
    for (size_t j = 0; st >= 0 && bytes == 4 && j < n; j++)
        wide[j] = (uint64_t)(int64_t)narrow[j];
    for (size_t j = 0; st >= 0 && j < n; j++)
        if (wide[j] > INT64_MAX)
            st = arrow_damaged(err, "an offset or size is negative");
    if (st < 0)
        mem_free(r->m, p, size);
    else
        *out = wide;
    return st;
}

/* ---- values of a fixed width ---- */

static nrw_status read_bits(const rows *r, vector *out, nrw_error *err)
{
    const size_t bytes = ((size_t)r->n + 7) / 8;
    nrw_status st;
    uint32_t zeros;
    buffer *b;

    TRY(arrow_take_validity(r, out, err));
    TRY(buffer_new(r->m, bytes, &b, err));
    st = arrow_take_bits(r, 1, b->data, &zeros, err);
    for (uint32_t i = 0; st >= 0 && i < r->n; i++)
        out->data[i] = bit_get(b->data, i) && vector_is_valid(out, i);
    buffer_unref(b);
    return st;
}

static nrw_status read_changed(const rows *r, vector *out, nrw_error *err)
{
    const size_t bytes = (size_t)r->n * r->l->width;
    nrw_status st;
    buffer *b;

    TRY(buffer_new(r->m, bytes, &b, err));
    st = arrow_take(r, 1, r->first * r->l->width, b->data, bytes, err);
    if (st >= 0)
        st = arrow_change_values(r, b->data, out, err);
    buffer_unref(b);
    return st;
}

static nrw_status read_fixed(const rows *r, vector *out, nrw_error *err)
{
    const uint32_t width = r->l->width;

    TRY(arrow_take_validity(r, out, err));
    if (r->l->change != CHANGE_NONE)
        return read_changed(r, out, err);
    TRY(arrow_take(r, 1, r->first * width, out->data, (size_t)r->n * width, err));
    if (out->validity)
        part_clear_nulls(out->data, out->validity, r->n, width);
    return NRW_OK;
}

/* ---- any ---- */

static nrw_status read_kind(const rows *r, vector *out, nrw_error *err)
{
    switch (r->l->kind) {
    case LAID_BITS: return read_bits(r, out, err);
    case LAID_FIXED: return read_fixed(r, out, err);
    case LAID_BYTES: return arrow_read_bytes(r, out, err);
    case LAID_VIEWS: return arrow_read_views(r, out, err);
    case LAID_LIST: return arrow_read_list(r, out, err);
    case LAID_LIST_VIEW: return arrow_read_list_view(r, out, err);
    case LAID_FIXED_LIST: return arrow_read_fixed_list(r, out, err);
    case LAID_STRUCT: return arrow_read_struct(r, out, err);
    case LAID_NULL:
    case LAID_RUNS:
    case LAID_UNION: break;
    }
    return err_set(err, NRW_E_UNSUPPORTED, "%s has no counterpart here", r->l->why);
}

static nrw_status read_flat(const rows *r, vector *out, nrw_error *err)
{
    nrw_status st;

    TRY(vector_flat(r->m, &r->l->f->type, r->n, out, err));
    out->len = r->n;
    st = read_kind(r, out, err);
    if (st < 0)
        vector_release(out);
    return st;
}

nrw_status arrow_read(arrow_arrays *s, const arrow_layout *l, uint64_t first, uint32_t n, mem *m,
                      vector *out, nrw_error *err)
{
    const uint32_t shift = l->dictionary ? l->index_views : l->views;
    rows r = {.s = s, .l = l, .n = n, .m = m};
    arrow_node node;

    *out = (vector){0};
    if (l->change == CHANGE_NO_TYPE)
        return err_set(err, NRW_E_UNSUPPORTED, "%s has no counterpart here", l->why);
    TRY(s->node(s, l->dictionary ? l->index_node : l->node, &node, err));
    if (node.length < 0 || node.offset < 0 || node.nulls > node.length ||
        node.offset > INT64_MAX - node.length || first > (uint64_t)node.length ||
        n > (uint64_t)node.length - first)
        return arrow_damaged(err, "it has fewer rows than what it belongs to");
    r.buffer =
        (l->dictionary ? l->index_buffer : l->buffer) + (s->variadic ? s->variadic[shift] : 0);
    r.first = first + (uint64_t)node.offset;
    r.nulls = node.nulls;
    if (r.first > (uint64_t)INT64_MAX / 64)
        return arrow_damaged(err, "it has more rows than there can be");
    if (l->dictionary)
        return arrow_read_indices(&r, out, err);
    if (l->kind == LAID_RUNS)
        return arrow_read_runs(&r, out, err);
    if (l->kind == LAID_NULL)
        return vector_nulls(m, &l->f->type, n, out, err);
    return read_flat(&r, out, err);
}

/* ---- dictionaries ---- */

nrw_status arrow_entries_new(mem *m, vector *values, arrow_entries *out, nrw_error *err)
{
    nrw_status st = vector_flatten(values, m, &out->values, err);
    vector plain;

    out->d = NULL;
    vector_release(values);
    if (st < 0 || type_is_nested(&out->values.type) || out->values.type.id == TYPE_NULL)
        return st;
    st = vector_share(&out->values, &plain, err);
    if (st >= 0) {
        plain.null_count = 0;
        part_trim_validity(&plain);
        st = dict_new(m, &plain, &out->d, err);
    }
    if (st < 0)
        arrow_entries_release(out);
    return st;
}

void arrow_entries_release(arrow_entries *e)
{
    dict_unref(e->d);
    vector_release(&e->values);
    *e = (arrow_entries){0};
}
