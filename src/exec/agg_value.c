#include "exec/agg_value.h"

static void free_block(value_state *s, mem *m)
{
    if (s->len > VALUE_INLINE)
        mem_free(m, s->block, s->len);
    s->len = 0;
}

nrw_status value_set(value_state *s, span value, mem *m, nrw_error *err)
{
    void *block;

    if (value.len <= VALUE_INLINE) {
        uint8_t copy[VALUE_INLINE];
        memcpy(copy, value.data, value.len); /* which may lie in the block */
        free_block(s, m);
        memcpy(s->inlined, copy, value.len);
    } else {
        TRY(mem_alloc(m, value.len, &block, err));
        memcpy(block, value.data, value.len);
        free_block(s, m);
        s->block = block;
    }
    s->len = (uint32_t)value.len;
    s->there = 1;
    return NRW_OK;
}

void value_drop(const aggregate *g, uint8_t *state, mem *m)
{
    (void)g;
    free_block((value_state *)(void *)state, m);
}

nrw_status value_save(const aggregate *g, const uint8_t *state, bytes *out, nrw_error *err)
{
    const value_state *s = (const value_state *)(const void *)state;
    span v = value_of(s);

    (void)g;
    TRY(bytes_append(out, &s->there, 1, err));
    TRY(bytes_append(out, &s->ordinal, sizeof s->ordinal, err));
    return bytes_append(out, v.data, v.len, err);
}

nrw_status value_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err)
{
    value_state *s = (value_state *)(void *)state;

    (void)g;
    if (saved.len < 9)
        return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
    TRY(value_set(s, (span){saved.data + 9, saved.len - 9}, m, err));
    s->there = saved.data[0];
    memcpy(&s->ordinal, saved.data + 1, sizeof s->ordinal);
    return NRW_OK;
}

static nrw_status finish_text(uint8_t *const *states, uint32_t n, vector *out, nrw_error *err)
{
    view *views = (view *)(void *)out->data;
    size_t bytes = 0, at = 0;
    int32_t heap;
    buffer *b;
    nrw_status st;

    for (uint32_t i = 0; i < n; i++) {
        const value_state *s = (const value_state *)(const void *)states[i];
        bytes += s->there == 1 ? s->len : 0;
    }
    if (bytes > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "more than 2 GiB of text in one batch");
    TRY(buffer_new(out->m, bytes, &b, err));
    b->len = bytes;
    st = vector_add_heap(out, b, &heap, err);
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        const value_state *s = (const value_state *)(const void *)states[i];
        span v = value_of(s);
        views[i] = (view){0};
        if (s->there != 1)
            continue;
        memcpy(b->data + at, v.data, v.len);
        views[i] = view_make(b->data + at, (int32_t)v.len, heap, (int32_t)at);
        at += v.len;
    }
    buffer_unref(b);
    return st;
}

nrw_status value_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                        nrw_error *err)
{
    uint32_t width = g->result.width;

    for (uint32_t i = 0; i < n; i++) {
        const value_state *s = (const value_state *)(const void *)states[i];
        if (s->there != 1)
            bit_clear(out->validity, i);
    }
    if (type_is_view(&g->result))
        return finish_text(states, n, out, err);
    memset(out->data, 0, (size_t)n * width);
    for (uint32_t i = 0; i < n; i++) {
        const value_state *s = (const value_state *)(const void *)states[i];
        if (s->there == 1)
            memcpy(out->data + (size_t)i * width, value_of(s).data, width);
    }
    return NRW_OK;
}
