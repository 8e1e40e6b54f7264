/* min(x), max(x), of any type with an order. */
#include "column/compare.h"
#include "exec/agg_value.h"

static nrw_status extreme_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return err_set(err, NRW_E_ARG, "min and max of nested values are not supported");
    out->result = args[0]->type;
    out->state_bytes = sizeof(value_state);
    return NRW_OK;
}

static bool is_max(const aggregate *g)
{
    return g->class->names[2] == 'a';
}

static nrw_status take(const aggregate *g, value_state *s, span v, mem *m, nrw_error *err)
{
    int c;

    if (s->there) {
        c = value_compare(&g->result, v, value_of(s));
        if (is_max(g) ? c <= 0 : c >= 0)
            return NRW_OK;
    }
    return value_set(s, v, m, err);
}

/* The extreme of one batch goes to the state alone. */
static nrw_status add_one_group(const aggregate *g, const aggregate_rows *r, const vector *v,
                                uint32_t n, nrw_error *err)
{
    span best = {0};
    bool any = false;

    for (uint32_t i = 0; i < n; i++) {
        span x;
        int c = 0;
        if (!vector_is_valid(v, i))
            continue;
        x = flat_span(v, i);
        if (any)
            c = value_compare(&g->result, x, best);
        if (!any || (is_max(g) ? c > 0 : c < 0))
            best = x;
        any = true;
    }
    return any ? take(g, (value_state *)(void *)r->states[0], best, r->m, err) : NRW_OK;
}

static nrw_status extreme_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    const vector *v = r->args[0];
    vector flat;
    nrw_status st = NRW_OK;

    if (r->one && v->form == VECTOR_RUNS && v->values->form == VECTOR_FLAT)
        return add_one_group(g, r, v->values, v->n_runs, err);
    TRY(agg_flat(r, 0, &flat, err));
    if (r->one)
        st = add_one_group(g, r, &flat, r->n, err);
    for (uint32_t i = 0; st >= 0 && !r->one && i < r->n; i++)
        if (vector_is_valid(&flat, i))
            st = take(g, (value_state *)(void *)agg_state(r, i), flat_span(&flat, i), r->m, err);
    vector_release(&flat);
    return st;
}

static nrw_status extreme_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                                nrw_error *err)
{
    const value_state *s = (const value_state *)(const void *)from;

    return s->there ? take(g, (value_state *)(void *)into, value_of(s), m, err) : NRW_OK;
}

static const aggregate_class classes[] = {
    {" min ", 1, 1, 0, extreme_bind, extreme_add, extreme_merge, value_finish, value_drop,
     value_save, value_load},
    {" max ", 1, 1, 0, extreme_bind, extreme_add, extreme_merge, value_finish, value_drop,
     value_save, value_load},
};

const aggregate_table agg_extreme_table = {classes, sizeof classes / sizeof *classes};
