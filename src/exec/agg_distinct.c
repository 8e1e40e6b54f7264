/* DISTINCT: a set of the arguments hangs from each state; the aggregate proper sees them once, in
 * the order of their bytes, when it is finished. */
#include "exec/agg_set.h"

#include <stdlib.h>

typedef struct distinct_data {
    aggregate inner;
    bool nulls; /* it looks at rows of which an argument is null */
    agg_set_kind kind;
} distinct_data;

static const distinct_data *data_of(const aggregate *g)
{
    return g->data;
}

static const aggregate *inner_of(const aggregate *g)
{
    return &data_of(g)->inner;
}

static const agg_set_kind *kind_of(const aggregate *g)
{
    return &data_of(g)->kind;
}

/* ---- the aggregate's functions ---- */

/* Rows of which an argument is null are left out where the aggregate proper does. */
static nrw_status distinct_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    return agg_set_add(g, kind_of(g), r, data_of(g)->nulls, NULL, err);
}

static nrw_status distinct_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                                 nrw_error *err)
{
    return agg_set_merge(kind_of(g), agg_set_of(into), agg_set_of(from), m, err);
}

static nrw_status distinct_save(const aggregate *g, uint8_t *state, size_t most, bytes *out,
                                bool *more, nrw_error *err)
{
    return agg_set_save(kind_of(g), *agg_set_of(state), most, out, more, err);
}

static uint64_t distinct_bulk(const aggregate *g, const uint8_t *state)
{
    const agg_set *s = agg_set_in(state);

    if (!inner_of(g)->class->bulk)
        return 0;
    return agg_set_bytes(s) + agg_set_n(s) * (uint64_t)(3 * sizeof(void *) + sizeof(view)) * 2;
}

static nrw_status distinct_load(const aggregate *g, span saved, uint8_t *state, mem *m,
                                nrw_error *err)
{
    return agg_set_load(kind_of(g), saved, agg_set_of(state), m, err);
}

/* ---- feeding the aggregate proper ---- */

#define FEED_BYTES (256u << 10) /* of keys at a time, about */

/* The texts of column k of some keys, at skip[i] of each, into a heap of their own. */
static nrw_status decode_texts(const span *keys, const uint32_t *skip, uint32_t n, vector *out,
                               int32_t *heap, buffer **b, nrw_error *err)
{
    size_t bytes = 0;
    nrw_status st;

    for (uint32_t i = 0; i < n; i++)
        bytes += keys[i].data[skip[i]] ? load_u32(keys[i].data + skip[i] + 1) : 0;
    TRY(buffer_new(out->m, bytes, b, err));
    (*b)->len = bytes;
    st = vector_add_heap(out, *b, heap, err);
    buffer_unref(*b); /* the vector has it */
    return st;
}

/* Column k of the keys: a mark, then the value, text with its length before it. skip[] moves on. */
static nrw_status decode_column(const span *keys, uint32_t *skip, uint32_t n, vector *out,
                                nrw_error *err)
{
    const type *t = &out->type;
    const bool text = type_is_view(t);
    buffer *b = NULL;
    int32_t heap = 0;
    size_t at = 0;

    out->len = n;
    if (text)
        TRY(decode_texts(keys, skip, n, out, &heap, &b, err));
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = keys[i].data + skip[i] + 1;
        uint32_t len = p[-1] && text ? load_u32(p) : t->width;
        skip[i] += p[-1] ? 1 + (text ? 4 : 0) + len : 1;
        if (p[-1] == 0) {
            if (!out->validity)
                TRY(vector_add_validity(out, err));
            agg_put_null(out, i);
            out->null_count++;
        } else if (text) {
            memcpy(b->data + at, p + 4, len);
            ((view *)(void *)out->data)[i] =
                view_make(b->data + at, (int32_t)len, heap, (int32_t)at);
            at += len;
        } else {
            memcpy(out->data + (size_t)i * len, p, len);
        }
    }
    return NRW_OK;
}

/* An inner aggregate that is fed. */
typedef struct feeding {
    const aggregate *g;
    mem *m;
    uint8_t *state;
    uint64_t first; /* as many were fed before */
} feeding;

static nrw_status feed_keys(feeding *f, const span *keys, uint32_t n, nrw_error *err)
{
    vector columns[AGGREGATE_ARGS] = {0};
    uint32_t skip[AGG_FEED] = {0};
    nrw_status st = NRW_OK;

    for (uint32_t k = 0; st >= 0 && k < f->g->n_args; k++) {
        st = vector_flat(f->m, &f->g->args[k]->type, n, &columns[k], err);
        if (st >= 0)
            st = decode_column(keys, skip, n, &columns[k], err);
    }
    if (st >= 0)
        st = agg_feed(inner_of(f->g), columns, n, f->first, f->state, f->m, err);
    f->first += n;
    for (uint32_t k = 0; k < f->g->n_args; k++)
        vector_release(&columns[k]);
    return st;
}

/* A set's values in any order. */
static nrw_status feed_any(void *self, const agg_set *s, nrw_error *err)
{
    const agg_set_kind *k = kind_of(((const feeding *)self)->g);
    span keys[AGG_FEED];
    size_t at = 0, bytes = 0;
    uint32_t n = 0;
    agg_entry e;

    while (agg_set_next(k, s, &at, &e)) {
        keys[n++] = e.key;
        bytes += e.key.len;
        if (n == AGG_FEED || bytes > FEED_BYTES) {
            TRY(feed_keys(self, keys, n, err));
            n = 0;
            bytes = 0;
        }
    }
    return n ? feed_keys(self, keys, n, err) : NRW_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return span_compare(*(const span *)a, *(const span *)b);
}

static nrw_status feed_in_order(feeding *f, const agg_set *s, nrw_error *err)
{
    const agg_set_kind *k = kind_of(f->g);
    const uint32_t all = agg_set_n(s);
    span *keys;
    uint32_t n = 0;
    size_t at = 0;
    agg_entry e;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(f->m, all * sizeof *keys, (void **)&keys, err));
    while (agg_set_next(k, s, &at, &e))
        keys[n++] = e.key;
    qsort(keys, n, sizeof *keys, by_bytes);
    for (uint32_t i = 0; st >= 0 && i < n; i += AGG_FEED)
        st = feed_keys(f, keys + i, n - i < AGG_FEED ? n - i : AGG_FEED, err);
    mem_free(f->m, keys, all * sizeof *keys);
    return st;
}

/* Whether what it gives does not follow from the order of its values. */
static bool takes_any_order(const aggregate *inner)
{
    return !(inner->class->traits & AGG_ORDERED) && !inner->class->drop;
}

/* One state's set into a fresh state of the aggregate proper. */
static nrw_status fill(const aggregate *g, const aggregate *inner, uint8_t *from, uint8_t *state,
                       mem *m, nrw_error *err)
{
    feeding f = {g, m, state, 0};
    const agg_set *s = agg_set_in(from);

    if (!s)
        return NRW_OK;
    return takes_any_order(inner) ? feed_any(&f, s, err) : feed_in_order(&f, s, err);
}

static nrw_status distinct_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                  vector *out, nrw_error *err)
{
    return agg_finish_fed(g, inner_of(g), fill, states, n, out, err);
}

static nrw_status distinct_finish_saved(const aggregate *g, agg_saved *saved, vector *out,
                                        nrw_error *err)
{
    const aggregate *inner = inner_of(g);
    feeding f = {.g = g, .m = out->m};
    nrw_status st;

    TRY(mem_zalloc(out->m, aggregate_room(inner) + 8, (void **)&f.state, err));
    st = agg_set_deal(kind_of(g), saved, feed_any, &f, err);
    if (st >= 0)
        st = inner->class->finish(inner, &f.state, 1, out, err);
    mem_free(out->m, f.state, aggregate_room(inner) + 8);
    return st;
}

#define DISTINCT(finish_saved)                                                                     \
    {                                                                                              \
        " ", 0, AGGREGATE_ARGS, AGG_COPIES, NULL, distinct_add, distinct_merge, distinct_finish,   \
            agg_set_drop, distinct_save, distinct_load, distinct_bulk, finish_saved                \
    }

/* The first one's aggregates take values in any order. */
static const aggregate_class distinct_class = DISTINCT(distinct_finish_saved),
                             distinct_ordered_class = DISTINCT(NULL);

const aggregate *agg_proper(const aggregate *g)
{
    return g->class == &distinct_class || g->class == &distinct_ordered_class ? inner_of(g) : g;
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
    d->nulls = d->inner.class->traits & AGG_NULLS;
    d->kind = (agg_set_kind){.key = g->n_args == 1 && !d->nulls ? agg_set_key_of(&g->args[0]->type)
                                                                : AGG_KEY_ANY};
    g->class = takes_any_order(&d->inner) ? &distinct_class : &distinct_ordered_class;
    g->data = d;
    g->state_bytes = sizeof(agg_set *);
    return NRW_OK;
}
