/* bool_and(x), bool_or(x). */
#include "exec/aggregate_own.h"

static nrw_status bool_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type boolean = type_of(TYPE_BOOL);

    out->result = boolean;
    out->state_bytes = 8;
    return expr_cast(a, args[0], &boolean, false, &args[0], err);
}

/* Byte 0: a value was there, byte 1: one of them was false, byte 2: one was true. */
static nrw_status bool_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    (void)g;
    (void)err;
    for (uint32_t i = 0; i < r->n; i++) {
        bool null;
        span v = vector_value(r->args[0], i, &null);
        uint8_t *s = agg_state(r, i);
        if (null)
            continue;
        s[0] = 1;
        s[v.data[0] ? 2 : 1] = 1;
    }
    return NRW_OK;
}

static nrw_status bool_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                             nrw_error *err)
{
    (void)g;
    (void)m;
    (void)err;
    store_u64(into, load_u64(into) | load_u64(from));
    return NRW_OK;
}

static nrw_status bool_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                              nrw_error *err)
{
    bool all = g->class->names[6] == 'a';

    (void)err;
    for (uint32_t i = 0; i < n; i++) {
        out->data[i] = states[i][0] && (all ? !states[i][1] : states[i][2]);
        if (!states[i][0])
            bit_clear(out->validity, i);
    }
    return NRW_OK;
}

static const aggregate_class classes[] = {
    {" bool_and ", 1, 1, AGG_SHARED, bool_bind, bool_add, bool_merge, bool_finish, AGG_PLAIN},
    {" bool_or ", 1, 1, AGG_SHARED, bool_bind, bool_add, bool_merge, bool_finish, AGG_PLAIN},
};

const aggregate_table agg_bool_table = {classes, sizeof classes / sizeof *classes};
