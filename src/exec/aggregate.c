#include "exec/aggregate.h"

#include <ctype.h>
#include <string.h>

/* ---- count ---- */
static nrw_status count_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    (void)a;
    (void)args;
    (void)err;
    out->result = type_of(TYPE_INT64);
    out->state_bytes = 8;
    return NRW_OK;
}

static nrw_status count_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < r->n; i++) {
        uint8_t *s = r->states[r->one ? 0 : i];
        bool null = false;
        if (g->n_args)
            vector_value(r->args[0], i, &null);
        store_u64(s, load_u64(s) + !null);
    }
    return NRW_OK;
}

static nrw_status count_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                              nrw_error *err)
{
    (void)g;
    (void)m;
    (void)err;
    store_u64(into, load_u64(into) + load_u64(from));
    return NRW_OK;
}

static nrw_status count_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                               nrw_error *err)
{
    (void)g;
    (void)err;
    for (uint32_t i = 0; i < n; i++)
        memcpy(out->data + i * 8, states[i], 8);
    return NRW_OK;
}

static const aggregate_class count_class = {
    " count ", 0, 1, false, count_bind, count_add, count_merge, count_finish, NULL, NULL, NULL};

bool aggregate_is(const char *name)
{
    return strcasecmp(name, "count") == 0;
}

nrw_status aggregate_bind(arena *a, const char *name, const expr *const *args, uint32_t n,
                          aggregate *out, nrw_error *err)
{
    (void)name;
    *out = (aggregate){.class = &count_class, .n_args = n};
    for (uint32_t i = 0; i < n && i < 3; i++)
        out->args[i] = args[i];
    return count_bind(a, out->args, out, err);
}

bool aggregate_counts(const aggregate *g)
{
    return g->class == &count_class;
}

nrw_status aggregate_make_distinct(arena *a, aggregate *g, nrw_error *err)
{
    (void)a;
    (void)g;
    return err_set(err, NRW_E_ARG, "DISTINCT");
}
