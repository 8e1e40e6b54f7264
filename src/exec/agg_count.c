/* count(x), count(*), count_if(x). */
#include "exec/aggregate_own.h"

static nrw_status count_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    (void)a;
    (void)args;
    (void)err;
    out->result = type_of(TYPE_INT64);
    out->state_bytes = 8;
    return NRW_OK;
}

static nrw_status count_if_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type boolean = type_of(TYPE_BOOL);

    TRY(count_bind(a, args, out, err));
    out->result = type_of(TYPE_INT128);
    return expr_cast(a, args[0], &boolean, false, &args[0], err);
}

static inline void more(uint8_t *state, uint64_t n)
{
    store_u64(state, load_u64(state) + n);
}

/* Of a column with nulls. */
static uint64_t count_between(const vector *v, uint32_t from, uint32_t to)
{
    uint64_t n = 0;

    for (uint32_t i = from; i < to; i++) {
        bool null;
        vector_value(v, i, &null);
        n += !null;
    }
    return n;
}

static void count_runs(const aggregate_rows *r, const vector *v)
{
    uint32_t from = 0;

    for (uint32_t k = 0; k < r->n_runs; from = r->ends[k++])
        more(r->states[k], v ? count_between(v, from, r->ends[k]) : r->ends[k] - from);
}

static nrw_status count_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    const vector *v = g->n_args ? r->args[0] : NULL;

    (void)err;
    if (r->n_runs) {
        count_runs(r, v && v->null_count ? v : NULL);
        return NRW_OK;
    }
    if (r->one) {
        more(r->states[0], r->n - (v ? v->null_count : 0));
        return NRW_OK;
    }
    if (r->n_few && (!v || v->null_count == 0)) {
        for (uint32_t k = 0; k < r->n_few; k++)
            more(r->few[k], r->few_rows[k]);
        return NRW_OK;
    }
    if (!v || v->null_count == 0) {
        for (uint32_t i = 0; i < r->n; i++)
            more(agg_state(r, i), 1);
        return NRW_OK;
    }
    for (uint32_t i = 0; i < r->n; i++)
        more(agg_state(r, i), count_between(v, i, i + 1));
    return NRW_OK;
}

static nrw_status count_if_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    (void)g;
    (void)err;
    for (uint32_t i = 0; i < r->n; i++) {
        bool null;
        span x = vector_value(r->args[0], i, &null);
        more(agg_state(r, i), !null && x.data[0]);
    }
    return NRW_OK;
}

static nrw_status count_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                              nrw_error *err)
{
    (void)g;
    (void)m;
    (void)err;
    more(into, load_u64(from));
    return NRW_OK;
}

static nrw_status count_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                               nrw_error *err)
{
    uint32_t width = g->result.width;

    (void)err;
    memset(out->data, 0, (size_t)n * width);
    for (uint32_t i = 0; i < n; i++)
        memcpy(out->data + (size_t)i * width, states[i], 8);
    return NRW_OK;
}

static const aggregate_class classes[] = {
    {" count ", 0, 1, AGG_UNPLACED | AGG_RUNS, count_bind, count_add, count_merge, count_finish,
     AGG_PLAIN},
    {" count_star ", 0, 0, AGG_UNPLACED | AGG_RUNS, count_bind, count_add, count_merge,
     count_finish, AGG_PLAIN},
    {" count_if countif ", 1, 1, AGG_UNPLACED, count_if_bind, count_if_add, count_merge,
     count_finish, AGG_PLAIN},
};

const aggregate_table agg_count_table = {classes, sizeof classes / sizeof *classes};
