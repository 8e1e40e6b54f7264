/* Text and binary: offsets over bytes, or views over any number of buffers. */
#include "base/utf8.h"
#include "column/arrow_arrays_own.h"

static bool is_text(const type *t)
{
    return t->id == TYPE_UTF8 || t->id == TYPE_JSON || t->id == TYPE_ENUM;
}

static nrw_status bad_text(const rows *r, uint32_t i, nrw_error *err)
{
    err_at_row(err, (int64_t)(r->first + i));
    return err_set(err, NRW_E_CORRUPT, "a text is not UTF-8");
}

/* A heap of so many bytes for the vector, whose views count in 31 bits. */
static nrw_status add_heap(const rows *r, vector *out, uint64_t bytes, uint8_t **at, int32_t *index,
                           nrw_error *err)
{
    nrw_status st;
    buffer *b;

    if (bytes > INT32_MAX)
        return err_set(err, r->n > 1 ? NRW_E_MEMLIMIT : NRW_E_UNSUPPORTED,
                       "values of 2 GiB and more are not read");
    TRY(buffer_new(r->m, (size_t)bytes, &b, err));
    b->len = (size_t)bytes;
    *at = b->data;
    st = vector_add_heap(out, b, index, err);
    buffer_unref(b);
    return st;
}

/* ---- offsets ---- */

static nrw_status check_offsets(const rows *r, const uint64_t *at, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (at[i + 1] < at[i])
            return arrow_damaged(err, "offsets fall");
    return NRW_OK;
}

/* All text at once; only where that is not valid, or a value begins inside of a character, one by
 * one: what lies under nulls need not be text. */
static nrw_status check_utf8(const rows *r, const vector *out, const uint64_t *at,
                             const uint8_t *heap, nrw_error *err)
{
    const size_t all = (size_t)(at[r->n] - at[0]);
    bool sound = utf8_valid(heap, all);

    for (uint32_t i = 0; sound && i <= r->n; i++)
        sound = at[i] - at[0] >= all || (heap[at[i] - at[0]] & 0xc0) != 0x80;
    for (uint32_t i = 0; !sound && i < r->n; i++)
        if (vector_is_valid(out, i) &&
            !utf8_valid(heap + (at[i] - at[0]), (size_t)(at[i + 1] - at[i])))
            return bad_text(r, i, err);
    return NRW_OK;
}

static nrw_status read_values(const rows *r, const uint64_t *at, vector *out, nrw_error *err)
{
    view *w = (view *)(void *)out->data;
    uint8_t *heap;
    int32_t index;

    TRY(check_offsets(r, at, err));
    TRY(add_heap(r, out, at[r->n] - at[0], &heap, &index, err));
    TRY(arrow_take(r, 2, at[0], heap, (size_t)(at[r->n] - at[0]), err));
    if (is_text(&out->type))
        TRY(check_utf8(r, out, at, heap, err));
    for (uint32_t i = 0; i < r->n; i++) {
        int32_t from = (int32_t)(at[i] - at[0]);
        w[i] = vector_is_valid(out, i)
                   ? view_make(heap + from, (int32_t)(at[i + 1] - at[i]), index, from)
                   : (view){0};
    }
    return NRW_OK;
}

nrw_status arrow_read_bytes(const rows *r, vector *out, nrw_error *err)
{
    nrw_status st;
    uint64_t *at;

    TRY(arrow_take_validity(r, out, err));
    if (r->n == 0)
        return NRW_OK;
    TRY(arrow_take_numbers(r, 1, r->first, (size_t)r->n + 1, &at, err));
    st = read_values(r, at, out, err);
    mem_free(r->m, at, ((size_t)r->n + 1) * sizeof *at);
    return st;
}

/* ---- views ---- */

/* Text goes behind each other into one heap. */
typedef struct gathering {
    uint8_t *heap;
    int32_t index;
    uint64_t used;
    uint32_t n_buffers; /* that views may point into, behind the views */
} gathering;

static uint64_t long_bytes(const vector *out)
{
    const view *w = (const view *)(const void *)out->data;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < out->len; i++)
        if (vector_is_valid(out, i) && w[i].len > VIEW_INLINE)
            bytes += (uint64_t)w[i].len;
    return bytes;
}

/* One read for values that lie one behind the other. */
static uint32_t stretch(const vector *out, uint32_t i, uint64_t *bytes)
{
    const view *w = (const view *)(const void *)out->data;
    const view *first = &w[i];
    uint32_t n = 0;

    for (*bytes = 0; i < out->len; i++, n++) {
        if (!vector_is_valid(out, i) || w[i].len <= VIEW_INLINE)
            continue;
        if (w[i].heap != first->heap ||
            (uint64_t)(uint32_t)w[i].offset != (uint64_t)(uint32_t)first->offset + *bytes)
            break;
        *bytes += (uint64_t)w[i].len;
    }
    return n;
}

static nrw_status gather(const rows *r, vector *out, gathering *g, nrw_error *err)
{
    view *w = (view *)(void *)out->data;

    for (uint32_t i = 0; i < r->n;) {
        uint64_t bytes;
        uint32_t n;
        if (!vector_is_valid(out, i) || w[i].len <= VIEW_INLINE) {
            i++;
            continue;
        }
        n = stretch(out, i, &bytes);
        if (w[i].heap < 0 || (uint32_t)w[i].heap >= g->n_buffers || w[i].offset < 0)
            return arrow_damaged(err, "a view points nowhere");
        TRY(arrow_take(r, 2 + (uint32_t)w[i].heap, (uint64_t)w[i].offset, g->heap + g->used,
                       (size_t)bytes, err));
        for (; n; n--, i++) {
            if (!vector_is_valid(out, i) || w[i].len <= VIEW_INLINE)
                continue;
            w[i] = view_long(g->heap + g->used, (uint32_t)w[i].len, g->index, (int32_t)g->used);
            g->used += (uint64_t)w[i].len;
        }
    }
    return NRW_OK;
}

/* Nulls are empty, what lies behind short values is zero, lengths are not negative. */
static nrw_status clean(const rows *r, vector *out, nrw_error *err)
{
    view *w = (view *)(void *)out->data;

    for (uint32_t i = 0; i < r->n; i++) {
        if (!vector_is_valid(out, i))
            w[i] = (view){0};
        else if (w[i].len < 0)
            return arrow_damaged(err, "the length of a view is negative");
        else if (w[i].len < VIEW_INLINE)
            memset(w[i].inlined + w[i].len, 0, (size_t)(VIEW_INLINE - w[i].len));
    }
    return NRW_OK;
}

nrw_status arrow_read_views(const rows *r, vector *out, nrw_error *err)
{
    const uint32_t *before = r->s->variadic + r->l->views;
    gathering g = {.n_buffers = before[1] - before[0]};
    uint64_t bytes;

    TRY(arrow_take_validity(r, out, err));
    TRY(arrow_take(r, 1, r->first * 16, out->data, (size_t)r->n * 16, err));
    TRY(clean(r, out, err));
    bytes = long_bytes(out);
    if (bytes) {
        TRY(add_heap(r, out, bytes, &g.heap, &g.index, err));
        TRY(gather(r, out, &g, err));
    }
    for (uint32_t i = 0; is_text(&out->type) && i < r->n; i++) {
        span text = view_span(out, i);
        if (!utf8_valid(text.data, text.len))
            return bad_text(r, i, err);
    }
    return NRW_OK;
}
