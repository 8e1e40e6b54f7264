/* first(x), last(x), any_value(x): by the order of the input. */
#include "exec/agg_value.h"

static nrw_status first_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return err_set(err, NRW_E_ARG, "first and last of nested values are not supported");
    out->result = args[0]->type;
    out->state_bytes = sizeof(value_state);
    return NRW_OK;
}

static bool is_last(const aggregate *g)
{
    return g->class->names[1] == 'l';
}

static bool goes_before(const aggregate *g, const value_state *s, uint64_t ordinal)
{
    return !s->there || (is_last(g) ? ordinal > s->ordinal : ordinal < s->ordinal);
}

static nrw_status take(value_state *s, span v, bool null, uint64_t ordinal, mem *m, nrw_error *err)
{
    TRY(value_set(s, v, m, err));
    s->there = null ? 2 : 1;
    s->ordinal = ordinal;
    return NRW_OK;
}

static nrw_status first_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        value_state *s = (value_state *)(void *)agg_state(r, i);
        bool null;
        span v;
        if (!goes_before(g, s, r->ordinals[i]))
            continue;
        v = vector_value(r->args[0], i, &null);
        if (null && !(g->class->traits & AGG_NULLS))
            continue;
        TRY(take(s, null ? (span){(const uint8_t *)"", 0} : v, null, r->ordinals[i], r->m, err));
    }
    return NRW_OK;
}

static nrw_status first_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                              nrw_error *err)
{
    value_state *x = (value_state *)(void *)from, *s = (value_state *)(void *)into;

    (void)m;
    (void)err;
    if (x->there && goes_before(g, s, x->ordinal))
        value_move(s, x);
    return NRW_OK;
}

static const aggregate_class classes[] = {
    {" first arbitrary ", 1, 1, AGG_ORDERED | AGG_NULLS, first_bind, first_add, first_merge,
     value_finish, value_drop, value_save, value_load, value_bulk},
    {" last ", 1, 1, AGG_ORDERED | AGG_NULLS, first_bind, first_add, first_merge, value_finish,
     value_drop, value_save, value_load, value_bulk},
    {" any_value ", 1, 1, AGG_ORDERED, first_bind, first_add, first_merge, value_finish, value_drop,
     value_save, value_load, value_bulk},
};

const aggregate_table agg_first_table = {classes, sizeof classes / sizeof *classes};
