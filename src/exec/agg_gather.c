#include "exec/agg_gather.h"

#include "column/compare.h"

#define HEAD 16u

nrw_status gather_put_bare(gather_state *s, span value, mem *m, nrw_error *err)
{
    if (!s->data.m)
        s->data = bytes_init(m, SIZE_MAX / 2);
    s->n++;
    return bytes_append(&s->data, value.data, value.len, err);
}

nrw_status gather_put(gather_state *s, uint64_t ordinal, span value, bool null, mem *m,
                      nrw_error *err)
{
    uint8_t head[HEAD];

    if (null)
        value.len = 0;
    memcpy(head, &ordinal, 8);
    store_u32(head + 8, (uint32_t)value.len);
    store_u32(head + 12, null);
    TRY(gather_put_bare(s, (span){head, HEAD}, m, err));
    return value.len ? bytes_append(&s->data, value.data, value.len, err) : NRW_OK;
}

nrw_status gather_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m, nrw_error *err)
{
    gather_state *s = gather_of(into), *x = gather_of(from);

    (void)g;
    (void)m;
    if (x->n == 0)
        return NRW_OK;
    if (s->n == 0) {
        gather_state empty = *s;
        *s = *x;
        *x = empty;
        return NRW_OK;
    }
    s->n += x->n;
    return bytes_append(&s->data, x->data.data, x->data.len, err);
}

void gather_drop(const aggregate *g, uint8_t *state, mem *m)
{
    (void)g;
    (void)m;
    bytes_release(&gather_of(state)->data);
}

nrw_status gather_save(const aggregate *g, const uint8_t *state, bytes *out, nrw_error *err)
{
    const gather_state *s = (const gather_state *)(const void *)state;

    (void)g;
    TRY(bytes_append(out, &s->n, sizeof s->n, err));
    return s->n ? bytes_append(out, s->data.data, s->data.len, err) : NRW_OK;
}

nrw_status gather_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err)
{
    gather_state *s = gather_of(state);

    (void)g;
    if (saved.len < sizeof s->n)
        return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
    if (saved.len == sizeof s->n)
        return NRW_OK;
    TRY(gather_put_bare(s, (span){saved.data + sizeof s->n, saved.len - sizeof s->n}, m, err));
    s->n = load_u64(saved.data);
    return NRW_OK;
}

/* ---- in order ---- */

typedef struct ordering {
    gather_compare compare;
    const void *context;
} ordering;

static bool is_after(const ordering *o, const gathered *x, const gathered *y)
{
    int c = o->compare ? o->compare(x, y, o->context) : 0;

    return c ? c > 0 : x->ordinal > y->ordinal;
}

static void merge_runs(const ordering *o, const gathered *from, uint64_t middle, uint64_t n,
                       gathered *to)
{
    for (uint64_t i = 0, j = middle, k = 0; k < n; k++) {
        bool second = i == middle || (j < n && is_after(o, &from[i], &from[j]));
        to[k] = from[second ? j++ : i++];
    }
}

static nrw_status sort(const ordering *o, gathered *at, uint64_t n, mem *m, nrw_error *err)
{
    gathered *from = at, *to, *room;
    uint64_t i = 1;

    while (i < n && !is_after(o, &at[i - 1], &at[i]))
        i++;
    if (i >= n)
        return NRW_OK;
    TRY(mem_alloc(m, n * sizeof *room, (void **)&room, err));
    to = room;
    for (uint64_t run = 1; run < n; run *= 2) {
        gathered *swap = from;
        for (uint64_t first = 0; first < n; first += 2 * run) {
            uint64_t left = n - first, middle = run < left ? run : left;
            merge_runs(o, from + first, middle, 2 * run < left ? 2 * run : left, to + first);
        }
        from = to;
        to = swap;
    }
    if (from != at)
        memcpy(at, from, n * sizeof *at);
    mem_free(m, room, n * sizeof *room);
    return NRW_OK;
}

nrw_status gather_sorted(const gather_state *s, gather_compare compare, const void *context, mem *m,
                         gathered *at, nrw_error *err)
{
    const ordering o = {compare, context};
    const uint8_t *p = s->data.data;

    for (uint64_t i = 0; i < s->n; i++) {
        at[i] = (gathered){load_u64(p), p + HEAD, load_u32(p + 8), load_u32(p + 12) != 0};
        p += HEAD + at[i].len;
    }
    return sort(&o, at, s->n, m, err);
}

int gather_by_value(const gathered *x, const gathered *y, const void *t)
{
    return value_compare(t, (span){x->data, x->len}, (span){y->data, y->len});
}

/* ---- as a column ---- */

static nrw_status put_text(const gathered *at, uint32_t n, vector *out, nrw_error *err)
{
    view *views = (view *)(void *)out->data;
    size_t bytes = 0, to = 0;
    int32_t heap;
    buffer *b;
    nrw_status st;

    for (uint32_t i = 0; i < n; i++)
        bytes += at[i].len;
    if (bytes > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "more than 2 GiB of text in one batch");
    TRY(buffer_new(out->m, bytes, &b, err));
    b->len = bytes;
    st = vector_add_heap(out, b, &heap, err);
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        memcpy(b->data + to, at[i].data, at[i].len);
        views[i] = view_make(b->data + to, (int32_t)at[i].len, heap, (int32_t)to);
        to += at[i].len;
    }
    buffer_unref(b);
    return st;
}

nrw_status gather_column(const gathered *at, uint32_t n, vector *out, nrw_error *err)
{
    uint32_t width = out->type.width;

    out->len = n;
    out->null_count = 0;
    for (uint32_t i = 0; i < n; i++)
        out->null_count += at[i].null;
    if (out->null_count && !out->validity)
        TRY(vector_add_validity(out, err));
    for (uint32_t i = 0; out->null_count && i < n; i++)
        if (at[i].null)
            bit_clear(out->validity, i);
    if (type_is_view(&out->type))
        return put_text(at, n, out, err);
    memset(out->data, 0, (size_t)n * width);
    for (uint32_t i = 0; i < n; i++)
        if (!at[i].null)
            memcpy(out->data + (size_t)i * width, at[i].data, width);
    return NRW_OK;
}
