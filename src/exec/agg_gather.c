#include "exec/agg_gather.h"

#include "base/fetch.h"
#include "base/piece.h"
#include "column/compare.h"

#define HEAD   GATHER_HEAD
#define NULLED GATHER_NULL
#define AHEAD  16u

/* Chunks of a piece's bytes: the next one is half as long again. */
#define CHUNK_LEAST 48u
#define CHUNK_MOST  2048u

nrw_status gather_grow(gather_state *s, size_t bytes, mem *m, nrw_error *err)
{
    size_t had = s->last ? (size_t)(s->end - (uint8_t *)s->last) : 0,
           least = sizeof *s->last + bytes;
    size_t want = had / 2 * 3 < CHUNK_LEAST ? CHUNK_LEAST : had / 2 * 3;
    gather_chunk *c;

    want = want < CHUNK_MOST ? want : CHUNK_MOST;
    want = want < least ? least : want;
    TRY(piece_some(m, &want, least < CHUNK_LEAST ? CHUNK_LEAST : least, (void **)&c, err));
    c->next = NULL;
    if (s->last) {
        s->last->len = gather_len(s, s->last);
        s->last->next = c;
    } else {
        s->first = c;
    }
    s->last = c;
    s->at = c->data;
    s->end = (uint8_t *)c + want;
    return NRW_OK;
}

/* States of rows further on, and where they are about to write, come into the cache. */
FETCHES expect_state(const aggregate_rows *r, uint32_t i)
{
    if (r->one)
        return;
    if (i + 2 * AHEAD < r->n)
        fetch_bytes(agg_state(r, i + 2 * AHEAD), sizeof(gather_state));
    if (i + AHEAD < r->n)
        __builtin_prefetch(gather_of(agg_state(r, i + AHEAD))->at, 1);
}

/* `width` is a constant where it is inlined, so that a value is a store. */
static inline __attribute__((always_inline)) nrw_status
add_width(const vector *v, const aggregate_rows *r, uint32_t width, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        expect_state(r, i);
        if (vector_is_valid(v, i))
            TRY(gather_put_bare(gather_of(agg_state(r, i)), v->data + (size_t)i * width, width,
                                r->m, err));
    }
    return NRW_OK;
}

nrw_status gather_add_bare(const aggregate_rows *r, nrw_error *err)
{
    vector v;
    nrw_status st;

    TRY(agg_flat(r, 0, &v, err));
    if (v.type.width == 4)
        st = add_width(&v, r, 4, err);
    else if (v.type.width == 8)
        st = add_width(&v, r, 8, err);
    else
        st = add_width(&v, r, v.type.width, err);
    vector_release(&v);
    return st;
}

nrw_status gather_put(gather_state *s, uint64_t ordinal, span value, bool null, mem *m,
                      nrw_error *err)
{
    size_t len = null ? 0 : value.len;

    if ((size_t)(s->end - s->at) < HEAD + len)
        TRY(gather_grow(s, HEAD + len, m, err));
    memcpy(s->at, &ordinal, 8);
    store_u32(s->at + 8, null ? NULLED : (uint32_t)len);
    if (len)
        memcpy(s->at + HEAD, value.data, len);
    s->at += HEAD + len;
    s->n++;
    return NRW_OK;
}

nrw_status gather_add(const aggregate_rows *r, bool nulls, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        bool null;
        span v = vector_value(r->args[0], i, &null);
        expect_state(r, i);
        if (!null || nulls)
            TRY(gather_put(gather_of(agg_state(r, i)), r->ordinals ? r->ordinals[i] : 0, v, null,
                           r->m, err));
    }
    return NRW_OK;
}

nrw_status gather_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m, nrw_error *err)
{
    gather_state *s = gather_of(into), *x = gather_of(from);

    (void)g;
    (void)m;
    (void)err;
    if (!x->first)
        return NRW_OK;
    if (s->last) {
        s->last->len = gather_len(s, s->last);
        s->last->next = x->first;
    } else {
        s->first = x->first;
    }
    s->last = x->last;
    s->at = x->at;
    s->end = x->end;
    s->n += x->n;
    *x = (gather_state){0};
    return NRW_OK;
}

void gather_drop(const aggregate *g, uint8_t *state, mem *m)
{
    gather_state *s = gather_of(state);

    (void)g;
    (void)m;
    for (gather_chunk *c = s->first, *next; c; c = next) {
        next = c->next;
        piece_free(c);
    }
    *s = (gather_state){0};
}

/* How many bytes of data[0..len) are whole values and at most `most`, but one value at least; *n:
 * how many values. */
static uint32_t values_within(const uint8_t *data, uint32_t len, uint32_t width, size_t most,
                              uint64_t *n)
{
    uint32_t at = 0;

    if (width) {
        *n = len / width < most / width ? len / width : most / width;
        *n = *n ? *n : 1;
        return (uint32_t)*n * width;
    }
    for (*n = 0; at < len; ++*n) {
        uint32_t value = load_u32(data + at + 8), bytes = HEAD + (value == NULLED ? 0 : value);
        if (*n && at + bytes > most)
            break;
        at += bytes;
    }
    return at;
}

/* The first `bytes` of the first chunk are gone. */
static void take_off(gather_state *s, uint32_t bytes)
{
    gather_chunk *c = s->first;
    uint32_t left = gather_len(s, c) - bytes;

    memmove(c->data, c->data + bytes, left);
    if (c == s->last)
        s->at = c->data + left;
    else
        c->len = left;
    if (left)
        return;
    s->first = c->next;
    if (c == s->last) {
        s->last = NULL;
        s->at = s->end = NULL;
    }
    piece_free(c);
}

/* width 0: rows */
static nrw_status save_some(gather_state *s, uint32_t width, size_t most, bytes *out, bool *more,
                            nrw_error *err)
{
    const size_t from = out->len;
    uint64_t n = 0, some;

    TRY(bytes_append(out, &n, sizeof n, err));
    while (s->first) {
        size_t have = out->len - from, room = most > have ? most - have : 0;
        uint32_t len = gather_len(s, s->first), bytes;
        bytes = len ? values_within(s->first->data, len, width, room, &some) : 0;
        if (n && bytes > room)
            break;
        TRY(bytes_append(out, s->first->data, bytes, err));
        take_off(s, bytes);
        n += len ? some : 0;
    }
    store_u64(out->data + from, n);
    s->n -= n;
    *more = s->first != NULL;
    return NRW_OK;
}

nrw_status gather_save(const aggregate *g, uint8_t *state, size_t most, bytes *out, bool *more,
                       nrw_error *err)
{
    (void)g;
    return save_some(gather_of(state), 0, most, out, more, err);
}

nrw_status gather_save_bare(uint8_t *state, uint32_t width, size_t most, bytes *out, bool *more,
                            nrw_error *err)
{
    return save_some(gather_of(state), width, most, out, more, err);
}

uint64_t gather_bulk(const aggregate *g, const uint8_t *state)
{
    const gather_state *s = (const gather_state *)(const void *)state;
    uint64_t bytes = 0;

    (void)g;
    for (const gather_chunk *c = s->first; c; c = c->next)
        bytes += gather_len(s, c);
    return bytes + s->n * (2 * sizeof(gathered) + sizeof(view));
}

nrw_status gather_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err)
{
    gather_state *s = gather_of(state);
    size_t len = saved.len - sizeof s->n;

    (void)g;
    if (saved.len < sizeof s->n)
        return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
    if (len == 0)
        return NRW_OK;
    TRY(gather_grow(s, len, m, err));
    memcpy(s->at, saved.data + sizeof s->n, len);
    s->at += len;
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
    uint64_t i = 0;

    for (const gather_chunk *c = s->first; c; c = c->next)
        for (const uint8_t *p = c->data, *end = p + gather_len(s, c); p < end;) {
            uint32_t len = load_u32(p + 8);
            bool null = len == NULLED;
            at[i] = (gathered){load_u64(p), p + HEAD, null ? 0 : len, null};
            p += HEAD + at[i++].len;
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
