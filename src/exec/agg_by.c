/* arg_min(x, by), arg_max(x, by) and their kin: x of the row where `by` is least or greatest; of
 * several such rows, the first. */
#include "column/compare.h"
#include "exec/agg_value.h"

typedef struct by_state {
    value_state by; /* its ordinal is the row's */
    value_state x;
} by_state;

static by_state *by_of(uint8_t *state)
{
    return (by_state *)(void *)state;
}

static nrw_status by_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    for (uint32_t k = 0; k < 2; k++) {
        TRY(agg_any(a, &args[k], err));
        if (type_is_nested(&args[k]->type))
            return agg_refuse(out, "of nested values is not supported", NULL, err);
    }
    out->result = args[0]->type;
    out->state_bytes = sizeof(by_state);
    return NRW_OK;
}

static bool is_max(const aggregate *g)
{
    return g->class->names[6] == 'a';
}

static bool goes_before(const aggregate *g, const by_state *s, span by, uint64_t ordinal)
{
    int c;

    if (!s->by.there)
        return true;
    c = value_compare(&g->args[1]->type, by, value_of(&s->by));
    return c == 0 ? ordinal < s->by.ordinal : (c > 0) == is_max(g);
}

static nrw_status take(by_state *s, span x, bool null, span by, uint64_t ordinal, mem *m,
                       nrw_error *err)
{
    TRY(value_set(&s->by, by, m, err));
    s->by.ordinal = ordinal;
    TRY(value_set(&s->x, null ? (span){(const uint8_t *)"", 0} : x, m, err));
    s->x.there = null ? 2 : 1;
    return NRW_OK;
}

static nrw_status by_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        by_state *s = by_of(agg_state(r, i));
        bool no_by, no_x;
        span by = vector_value(r->args[1], i, &no_by), x = vector_value(r->args[0], i, &no_x);
        if (no_by || (no_x && !(g->class->traits & AGG_NULLS)) ||
            !goes_before(g, s, by, r->ordinals[i]))
            continue;
        TRY(take(s, x, no_x, by, r->ordinals[i], r->m, err));
    }
    return NRW_OK;
}

static nrw_status by_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m, nrw_error *err)
{
    by_state *s = by_of(into), *x = by_of(from);

    (void)m;
    (void)err;
    if (!x->by.there || !goes_before(g, s, value_of(&x->by), x->by.ordinal))
        return NRW_OK;
    value_move(&s->by, &x->by);
    value_move(&s->x, &x->x);
    return NRW_OK;
}

static nrw_status by_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                            nrw_error *err)
{
    uint8_t **values;
    nrw_status st;

    TRY(mem_alloc(out->m, n * sizeof *values, (void **)&values, err));
    for (uint32_t i = 0; i < n; i++)
        values[i] = states[i] + offsetof(by_state, x);
    st = value_finish(g, values, n, out, err);
    mem_free(out->m, values, n * sizeof *values);
    return st;
}

static void by_drop(const aggregate *g, uint8_t *state, mem *m)
{
    value_drop(g, state + offsetof(by_state, by), m);
    value_drop(g, state + offsetof(by_state, x), m);
}

/* The length of the first value, then both. */
static nrw_status by_save(const aggregate *g, uint8_t *state, size_t most, bytes *out, bool *more,
                          nrw_error *err)
{
    const uint8_t zeros[8] = {0};
    size_t from = out->len;

    TRY(bytes_append(out, zeros, 8, err));
    TRY(value_save(g, state + offsetof(by_state, by), most, out, more, err));
    store_u64(out->data + from, out->len - from - 8);
    return value_save(g, state + offsetof(by_state, x), most, out, more, err);
}

static nrw_status by_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err)
{
    uint64_t len = saved.len < 8 ? UINT64_MAX : load_u64(saved.data);

    if (saved.len < 8 || len > saved.len - 8)
        return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
    TRY(value_load(g, (span){saved.data + 8, len}, state + offsetof(by_state, by), m, err));
    return value_load(g, (span){saved.data + 8 + len, saved.len - 8 - len},
                      state + offsetof(by_state, x), m, err);
}

static uint64_t by_bulk(const aggregate *g, const uint8_t *state)
{
    return value_bulk(g, state + offsetof(by_state, x));
}

#define BY(names, traits)                                                                          \
    {                                                                                              \
        names, 2, 2, traits, by_bind, by_add, by_merge, by_finish, by_drop, by_save, by_load,      \
            by_bulk                                                                                \
    }

static const aggregate_class classes[] = {
    BY(" arg_min argmin min_by ", AGG_ORDERED),
    BY(" arg_max argmax max_by ", AGG_ORDERED),
    BY(" arg_min_null ", AGG_ORDERED | AGG_NULLS),
    BY(" arg_max_null ", AGG_ORDERED | AGG_NULLS),
};

const aggregate_table agg_by_table = {classes, sizeof classes / sizeof *classes};
