#include "format/arrow/write_entries.h"

#include "base/hash.h"

static span key_at(const ipc_entries *e, uint32_t i)
{
    uint64_t from = i ? e->end[i - 1] : 0;

    return (span){e->keys.data + from, (size_t)(e->end[i] - from)};
}

static uint32_t slot_of(const ipc_entries *e, span key)
{
    uint32_t mask = e->n_slots - 1, at = (uint32_t)hash_bytes(key.data, key.len) & mask;

    while (e->slots[at] && !span_equal(key_at(e, e->slots[at] - 1), key))
        at = (at + 1) & mask;
    return at;
}

static nrw_status grow_slots(ipc_entries *e, nrw_error *err)
{
    uint32_t n = e->n_slots ? e->n_slots * 2 : 64;
    void *p;

    if (e->n > UINT32_MAX / 4)
        return err_set(err, NRW_E_UNSUPPORTED, "a dictionary of %u entries", e->n);
    TRY(mem_zalloc(e->m, n * sizeof *e->slots, &p, err));
    mem_free(e->m, e->slots, e->n_slots * sizeof *e->slots);
    e->slots = p;
    e->n_slots = n;
    for (uint32_t i = 0; i < e->n; i++)
        e->slots[slot_of(e, key_at(e, i))] = i + 1;
    return NRW_OK;
}

static nrw_status add_key(ipc_entries *e, span key, nrw_error *err)
{
    if (e->n == e->cap) {
        uint32_t cap = e->cap ? e->cap * 2 : 32;
        void *p = e->end;
        TRY(mem_realloc(e->m, &p, e->cap * sizeof *e->end, cap * sizeof *e->end, err));
        e->end = p;
        e->cap = cap;
    }
    TRY(bytes_append(&e->keys, key.data, key.len, err));
    e->end[e->n++] = e->keys.len;
    return NRW_OK;
}

static nrw_status find(ipc_entries *e, span key, uint32_t *out, nrw_error *err)
{
    uint32_t at;

    if (e->n >= e->n_slots / 2)
        TRY(grow_slots(e, err));
    at = slot_of(e, key);
    if (!e->slots[at]) {
        TRY(add_key(e, key, err));
        e->slots[at] = e->n;
    }
    *out = e->slots[at] - 1;
    return NRW_OK;
}

static void drop_map(ipc_entries *e)
{
    mem_free(e->m, e->map, e->map_len * sizeof *e->map);
    e->map = NULL;
    e->map_len = 0;
    e->dict_id = 0;
}

static nrw_status take_map(ipc_entries *e, const dict *d, nrw_error *err)
{
    void *p;

    if (e->dict_id == d->id)
        return NRW_OK;
    drop_map(e);
    TRY(mem_zalloc(e->m, d->values.len * sizeof *e->map, &p, err));
    e->map = p;
    e->map_len = d->values.len;
    e->dict_id = d->id;
    return NRW_OK;
}

static nrw_status index_dict(ipc_entries *e, const vector *v, uint32_t first, uint32_t n,
                             uint32_t *out, nrw_error *err)
{
    const uint32_t *at = (const uint32_t *)(const void *)v->data + first;

    TRY(take_map(e, v->dict, err));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t found;
        out[i] = 0;
        if (!vector_is_valid(v, first + i))
            continue;
        if (!e->map[at[i]]) {
            TRY(find(e, flat_span(&v->dict->values, at[i]), &found, err));
            e->map[at[i]] = found + 1;
        }
        out[i] = e->map[at[i]] - 1;
    }
    return NRW_OK;
}

static nrw_status index_rows(arrow_indexer *self, const vector *v, uint32_t first, uint32_t n,
                             uint32_t *out, nrw_error *err)
{
    ipc_entries *e = (ipc_entries *)self;

    if (v->form == VECTOR_DICT)
        return index_dict(e, v, first, n, out, err);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = 0;
        if (vector_is_valid(v, first + i))
            TRY(find(e, flat_span(v, first + i), &out[i], err));
    }
    return NRW_OK;
}

void ipc_entries_init(ipc_entries *e, mem *m, const type *t)
{
    *e = (ipc_entries){.base = {index_rows}, .m = m, .type = *t};
    e->keys = bytes_init(m, (size_t)1 << 40);
}

void ipc_entries_clear(ipc_entries *e)
{
    drop_map(e);
    bytes_clear(&e->keys);
    e->n = e->sent = 0;
    memset(e->slots, 0, e->n_slots * sizeof *e->slots);
}

void ipc_entries_release(ipc_entries *e)
{
    drop_map(e);
    bytes_release(&e->keys);
    mem_free(e->m, e->end, e->cap * sizeof *e->end);
    mem_free(e->m, e->slots, e->n_slots * sizeof *e->slots);
    *e = (ipc_entries){0};
}

/* ---- as values ---- */

static nrw_status fill(const ipc_entries *e, uint32_t first, uint32_t n, vector *v, nrw_error *err)
{
    view *w = (view *)(void *)v->data;
    buffer *heap = NULL;
    uint64_t from = first ? e->end[first - 1] : 0;
    size_t bytes = (size_t)(e->end[first + n - 1] - from);
    int32_t index = 0;
    nrw_status st;

    v->len = n;
    if (!type_is_view(&v->type)) {
        memcpy(v->data, e->keys.data + from, bytes);
        return NRW_OK;
    }
    if (bytes > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a dictionary of more than 2 GiB");
    TRY(buffer_new(e->m, bytes, &heap, err));
    if (bytes)
        memcpy(heap->data, e->keys.data + from, bytes);
    st = vector_add_heap(v, heap, &index, err);
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        span key = key_at(e, first + i);
        uint64_t at = e->end[first + i] - key.len - from;
        w[i] = view_make(heap->data + at, (int32_t)key.len, index, (int32_t)at);
    }
    buffer_unref(heap);
    return st;
}

nrw_status ipc_entries_build(const ipc_entries *e, uint32_t first, arrow_builder *out,
                             nrw_error *err)
{
    const uint32_t n = e->n - first;
    nrw_status st;
    vector v;

    if (!n)
        return NRW_OK;
    TRY(vector_flat(e->m, &e->type, n, &v, err));
    st = fill(e, first, n, &v, err);
    if (st >= 0)
        st = arrow_build(out, &v, 0, n, err);
    vector_release(&v);
    return st;
}
