/* DISTINCT: a set of the arguments hangs from each state; the aggregate proper sees them once, in
 * the order of their bytes, when it is finished. */
#include "base/hash.h"
#include "base/piece.h"
#include "column/key.h"
#include "exec/aggregate_own.h"

#include <stdlib.h>

/* The keys of column/key.h one behind the other, each with its length before it, ... */
typedef struct key_bytes {
    uint16_t place; /* base/piece.h's */
    uint8_t data[];
} key_bytes;

/* ... and where each begins by its hash: its offset plus 1; 0: empty. */
typedef struct key_slots {
    uint16_t place;
    uint32_t at[];
} key_slots;

typedef struct key_set {
    uint16_t place;
    key_bytes *keys;
    key_slots *slots;
    uint32_t len, cap; /* of keys' data */
    uint32_t n_slots, n;
    uint32_t saved; /* so many bytes of keys are; there are no slots then */
} key_set;

#define FIRST_SLOTS 8u

typedef struct distinct_data {
    aggregate inner;
} distinct_data;

static key_set **set_of(uint8_t *state)
{
    return (key_set **)(void *)state;
}

static span key_at(const key_set *s, uint32_t at)
{
    return (span){s->keys->data + at + 4, load_u32(s->keys->data + at)};
}

static uint32_t *slot_of(const key_set *s, key_slots *slots, uint32_t n_slots, span key)
{
    uint32_t i = (uint32_t)hash_bytes(key.data, key.len) & (n_slots - 1);

    for (; slots->at[i]; i = (i + 1) & (n_slots - 1)) {
        span have = key_at(s, slots->at[i] - 1);
        if (have.len == key.len && memcmp(have.data, key.data, key.len) == 0)
            break;
    }
    return &slots->at[i];
}

static nrw_status more_slots(key_set *s, mem *m, nrw_error *err)
{
    uint32_t n = s->n_slots ? s->n_slots * 2 : FIRST_SLOTS;
    key_slots *slots;

    TRY(piece_new(m, sizeof *slots + n * sizeof *slots->at, (void **)&slots, err));
    memset(slots->at, 0, n * sizeof *slots->at);
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots->at[i])
            *slot_of(s, slots, n, key_at(s, s->slots->at[i] - 1)) = s->slots->at[i];
    piece_free(s->slots);
    s->slots = slots;
    s->n_slots = n;
    return NRW_OK;
}

/* Room for a key of so many bytes. */
static nrw_status more_keys(key_set *s, size_t len, mem *m, nrw_error *err)
{
    size_t want = sizeof *s->keys + s->len + 4 + len, had = sizeof *s->keys + s->cap;
    void *p = s->keys;

    if (want <= had)
        return NRW_OK;
    want = piece_room(want > had / 2 * 3 ? want : had / 2 * 3);
    if (want >= UINT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a set of DISTINCT values of more than 4 GiB");
    TRY(piece_resize(m, &p, had, want, err));
    s->keys = p;
    s->cap = (uint32_t)(want - sizeof *s->keys);
    return NRW_OK;
}

static nrw_status set_put(key_set **at, span key, mem *m, nrw_error *err)
{
    key_set *s = *at;
    uint32_t *slot;

    if (!s) {
        TRY(piece_new(m, sizeof *s, (void **)&s, err));
        *s = (key_set){.place = s->place};
        *at = s;
    }
    if (s->n >= s->n_slots / 2)
        TRY(more_slots(s, m, err));
    slot = slot_of(s, s->slots, s->n_slots, key);
    if (*slot)
        return NRW_OK;
    TRY(more_keys(s, key.len, m, err));
    *slot = s->len + 1;
    store_u32(s->keys->data + s->len, (uint32_t)key.len);
    memcpy(s->keys->data + s->len + 4, key.data, key.len);
    s->len += 4 + (uint32_t)key.len;
    s->n++;
    return NRW_OK;
}

static void set_free(key_set *s)
{
    if (!s)
        return;
    piece_free(s->slots);
    piece_free(s->keys);
    piece_free(s);
}

/* ---- the aggregate's functions ---- */

/* Rows of which an argument is null are left out where the aggregate proper does. */
static nrw_status distinct_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    vector flat[AGGREGATE_ARGS] = {0};
    bytes key = bytes_init(r->m, UINT32_MAX);
    bool nulls = ((const distinct_data *)g->data)->inner.class->traits & AGG_NULLS;
    nrw_status st = NRW_OK;

    for (uint32_t k = 0; st >= 0 && k < g->n_args; k++)
        st = vector_expand(r->args[k], r->scratch, &flat[k], err);
    for (uint32_t i = 0; st >= 0 && i < r->n; i++) {
        bool null = false;
        key.len = 0;
        for (uint32_t k = 0; !nulls && k < g->n_args; k++)
            null |= !vector_is_valid(&flat[k], i);
        for (uint32_t k = 0; !null && st >= 0 && k < g->n_args; k++)
            st = key_append(&key, &flat[k], i, err);
        if (!null && st >= 0)
            st = set_put(set_of(agg_state(r, i)), (span){key.data, key.len}, r->m, err);
    }
    for (uint32_t k = 0; k < g->n_args; k++)
        vector_release(&flat[k]);
    bytes_release(&key);
    return st;
}

static nrw_status distinct_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                                 nrw_error *err)
{
    key_set *s = *set_of(from);

    (void)g;
    if (!*set_of(into)) {
        *set_of(into) = s;
        *set_of(from) = NULL;
        return NRW_OK;
    }
    for (size_t at = 0; s && at < s->len; at += 4 + key_at(s, (uint32_t)at).len)
        TRY(set_put(set_of(into), key_at(s, (uint32_t)at), m, err));
    return NRW_OK;
}

static void distinct_drop(const aggregate *g, uint8_t *state, mem *m)
{
    (void)g;
    (void)m;
    set_free(*set_of(state));
}

static nrw_status distinct_save(const aggregate *g, uint8_t *state, size_t most, bytes *out,
                                bool *more, nrw_error *err)
{
    key_set *s = *set_of(state);
    uint32_t end;

    (void)g;
    *more = false;
    if (!s || s->saved == s->len)
        return NRW_OK;
    piece_free(s->slots);
    s->slots = NULL;
    for (end = s->saved; end < s->len; end += 4 + (uint32_t)key_at(s, end).len)
        if (end > s->saved && end - s->saved + 4 + key_at(s, end).len > most)
            break;
    TRY(bytes_append(out, s->keys->data + s->saved, end - s->saved, err));
    s->saved = end;
    *more = end < s->len;
    return NRW_OK;
}

static uint64_t distinct_bulk(const aggregate *g, const uint8_t *state)
{
    const key_set *s = *(key_set *const *)(const void *)state;
    const aggregate *inner = &((const distinct_data *)g->data)->inner;

    return s && inner->class->bulk ? s->len + s->n * (3 * sizeof(void *) + sizeof(view)) * 2 : 0;
}

static nrw_status distinct_load(const aggregate *g, span saved, uint8_t *state, mem *m,
                                nrw_error *err)
{
    (void)g;
    for (size_t at = 0; at + 4 <= saved.len;) {
        uint32_t n = load_u32(saved.data + at);
        if (n > saved.len - at - 4)
            return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
        TRY(set_put(set_of(state), (span){saved.data + at + 4, n}, m, err));
        at += 4 + n;
    }
    return NRW_OK;
}

/* ---- feeding the aggregate proper ---- */

static int by_bytes(const void *a, const void *b, void *set)
{
    return span_compare(key_at(set, *(const uint32_t *)a), key_at(set, *(const uint32_t *)b));
}

/* The values of the keys at[0..n) as columns. A key is a mark, then the value, text with its
 * length before it. */
static nrw_status decode(const aggregate *g, const key_set *s, const uint32_t *at, uint32_t n,
                         mem *m, vector *out, nrw_error *err)
{
    uint32_t skip[n];

    memset(skip, 0, sizeof skip);
    for (uint32_t k = 0; k < g->n_args; k++) {
        const type *t = &g->args[k]->type;
        buffer *b = NULL;
        int32_t heap = 0;
        nrw_status st;
        TRY(vector_flat(m, t, n, &out[k], err));
        out[k].len = n;
        if (type_is_view(t)) {
            TRY(buffer_new(m, s->len, &b, err));
            memcpy(b->data, s->keys->data, s->len);
            b->len = s->len;
            st = vector_add_heap(&out[k], b, &heap, err);
            buffer_unref(b);
            TRY(st);
        }
        for (uint32_t i = 0; i < n; i++) {
            span key = key_at(s, at[i]);
            const uint8_t *p = key.data + skip[i] + 1;
            if (p[-1] == 0) {
                if (!out[k].validity)
                    TRY(vector_add_validity(&out[k], err));
                agg_put_null(&out[k], i);
                out[k].null_count++;
                skip[i]++;
            } else if (type_is_view(t)) {
                uint32_t len = load_u32(p);
                ((view *)(void *)out[k].data)[i] =
                    view_make(p + 4, (int32_t)len, heap, (int32_t)(p + 4 - s->keys->data));
                skip[i] += 5 + len;
            } else {
                memcpy(out[k].data + (size_t)i * t->width, p, t->width);
                skip[i] += 1 + t->width;
            }
        }
    }
    return NRW_OK;
}

static nrw_status feed(const aggregate *g, const aggregate *inner, const key_set *s, uint32_t *at,
                       uint8_t *state, mem *m, nrw_error *err)
{
    for (uint32_t from = 0; from < s->n; from += AGG_FEED) {
        uint32_t n = s->n - from < AGG_FEED ? s->n - from : AGG_FEED;
        vector columns[AGGREGATE_ARGS] = {0};
        nrw_status st = decode(g, s, at + from, n, m, columns, err);
        if (st >= 0)
            st = agg_feed(inner, columns, n, from, state, m, err);
        for (uint32_t k = 0; k < g->n_args; k++)
            vector_release(&columns[k]);
        TRY(st);
    }
    return NRW_OK;
}

/* One state's set, in order, into a fresh state of the aggregate proper. */
static nrw_status fill(const aggregate *g, const aggregate *inner, uint8_t *from, uint8_t *state,
                       mem *m, nrw_error *err)
{
    const key_set *s = *set_of(from);
    uint32_t *at, n = 0;
    nrw_status st;

    if (!s)
        return NRW_OK;
    TRY(mem_alloc(m, s->n * sizeof *at, (void **)&at, err));
    for (size_t i = 0; i < s->len; i += 4 + key_at(s, (uint32_t)i).len)
        at[n++] = (uint32_t)i;
    qsort_r(at, n, sizeof *at, by_bytes, (void *)(uintptr_t)s);
    st = feed(g, inner, s, at, state, m, err);
    mem_free(m, at, s->n * sizeof *at);
    return st;
}

static nrw_status distinct_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                  vector *out, nrw_error *err)
{
    return agg_finish_fed(g, &((const distinct_data *)g->data)->inner, fill, states, n, out, err);
}

static const aggregate_class distinct_class = {" ",
                                               0,
                                               AGGREGATE_ARGS,
                                               AGG_COPIES,
                                               NULL,
                                               distinct_add,
                                               distinct_merge,
                                               distinct_finish,
                                               distinct_drop,
                                               distinct_save,
                                               distinct_load,
                                               distinct_bulk};

const aggregate *agg_proper(const aggregate *g)
{
    return g->class == &distinct_class ? &((const distinct_data *)g->data)->inner : g;
}

nrw_status aggregate_make_distinct(arena *a, aggregate *g, nrw_error *err)
{
    static const char *const same[] = {"min", "max", "any_value", "bool_and", "bool_or"};
    distinct_data *d;

    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (aggregate_has_name(g, same[i])) {
            g->distinct = false;
            return NRW_OK;
        }
    for (uint32_t k = 0; k < g->n_args; k++)
        if (type_is_nested(&g->args[k]->type))
            return err_set(err, NRW_E_ARG, "DISTINCT of nested values is not supported");
    TRY(arena_alloc(a, sizeof *d, (void **)&d, err));
    d->inner = *g;
    d->inner.filter = NULL;
    g->class = &distinct_class;
    g->data = d;
    g->state_bytes = sizeof(key_set *);
    return NRW_OK;
}
