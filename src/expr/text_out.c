/* Text results: heaps that fill up row by row. */
#include "expr/function.h"

#define HEAP_LEAST 4096
#define HEAP_MOST  ((size_t)1 << 20)

nrw_status text_room(text_out *t, size_t n, uint8_t **at, nrw_error *err)
{
    size_t cap;

    if (t->b && t->b->cap - t->b->len >= n) {
        *at = t->b->data + t->b->len;
        return NRW_OK;
    }
    if (n > INT32_MAX)
        return err_set(err, NRW_E_ARG, "a text of %zu bytes is too long", n);
    cap = t->b ? size_min(2 * t->b->cap, HEAP_MOST) : HEAP_LEAST;
    text_end(t);
    TRY(buffer_new(t->out->m, size_max(cap, n), &t->b, err));
    TRY(vector_add_heap(t->out, t->b, &t->heap, err));
    *at = t->b->data;
    return NRW_OK;
}

void text_done(text_out *t, uint32_t i, size_t n)
{
    int32_t at = (int32_t)t->b->len;

    OUT(view, t->out)[i] = view_make(t->b->data + at, (int32_t)n, t->heap, at);
    if (n > VIEW_INLINE)
        t->b->len += n;
}

nrw_status text_put(text_out *t, uint32_t i, const void *p, size_t n, nrw_error *err)
{
    uint8_t *at;

    if (n <= VIEW_INLINE) {
        OUT(view, t->out)[i] = view_make(n ? p : (const void *)"", (int32_t)n, 0, 0);
        return NRW_OK;
    }
    TRY(text_room(t, n, &at, err));
    memcpy(at, p, n);
    text_done(t, i, n);
    return NRW_OK;
}

void text_end(text_out *t)
{
    buffer_unref(t->b);
    t->b = NULL;
}

void text_part(vector *out, uint32_t i, const vector *v, uint32_t row, span part)
{
    const view *w = (const view *)(const void *)v->data + row;
    int32_t offset = 0, heap = 0;

    if (w->len > VIEW_INLINE) {
        heap = w->heap;
        offset = (int32_t)(part.data - v->heaps.at[heap]->data);
    }
    OUT(view, out)[i] = view_make(part.data, (int32_t)part.len, heap, offset);
}
