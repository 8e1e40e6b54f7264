/* sum(x), avg(x) and their kin of DOUBLE alone. */
#include "base/power.h"
#include "exec/agg_whole.h"

static bool is_float(const type *t)
{
    return t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT64 || t->id == TYPE_FLOAT16;
}

static bool is_whole(const type *t)
{
    return t->id == TYPE_BOOL || (t->id >= TYPE_INT8 && t->id <= TYPE_UINT64) ||
           t->id == TYPE_INT128;
}

/* Of up to 32 bits. */
static bool is_short(const type *t)
{
    return t->id == TYPE_BOOL || (is_whole(t) && t->width <= 4);
}

/* What is added: BIGINT or HUGEINT, a decimal of 18 or 38 digits, DOUBLE. */
static nrw_status sum_args(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type *t = &args[0]->type;
    const bool shorts = is_short(t);
    type to;

    if (is_whole(t))
        to = type_of(t->id == TYPE_UINT64 || t->id == TYPE_INT128 ? TYPE_INT128 : TYPE_INT64);
    else if (t->id == TYPE_DECIMAL && t->width == 8)
        to = *t;
    else if (t->id == TYPE_DECIMAL && t->precision <= 38)
        to = type_decimal(t->precision <= 18 ? 18 : 38, t->scale);
    else if (is_float(t) || args[0]->bend == BEND_NULL)
        to = type_of(TYPE_FLOAT64);
    else
        return agg_refuse(out, "takes numbers, not", t, err);
    TRY(expr_cast(a, args[0], &to, false, &args[0], err));
    out->state_bytes = to.id == TYPE_FLOAT64 ? sizeof(float_sum)
                       : shorts              ? WHOLE_NARROW
                                             : sizeof(whole_state);
    return NRW_OK;
}

static nrw_status sum_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type *t;

    TRY(sum_args(a, args, out, err));
    t = &args[0]->type;
    out->result = t->id == TYPE_DECIMAL   ? type_decimal(38, t->scale)
                  : t->id == TYPE_FLOAT64 ? *t
                                          : type_of(TYPE_INT128);
    return NRW_OK;
}

/* Of DOUBLE whatever comes. */
static nrw_status float_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type number = type_of(TYPE_FLOAT64);

    (void)args;
    out->result = number;
    out->state_bytes = sizeof(float_sum);
    return agg_cast(a, out, 0, &number, err);
}

static bool is_moment(const type *t)
{
    return t->id == TYPE_TIMESTAMP || t->id == TYPE_TIME;
}

static nrw_status avg_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type timestamp = type_timestamp(UNIT_US, false);

    if (args[0]->type.id == TYPE_DATE)
        TRY(expr_cast(a, args[0], &timestamp, false, &args[0], err));
    if (is_moment(&args[0]->type)) {
        out->result = args[0]->type;
        out->state_bytes = sizeof(whole_state);
        return NRW_OK;
    }
    TRY(sum_args(a, args, out, err));
    out->result = type_of(TYPE_FLOAT64);
    return NRW_OK;
}

/* ---- adding ---- */

static void add_floats(const vector *v, const aggregate_rows *r)
{
    const double *x = (const double *)(const void *)v->data;

    if (!v->validity && r->n_few)
        float_sum_add_coded(x, r->n, r->few, r->codes);
    else if (!v->validity && !r->one)
        float_sum_add_each(x, r->n, r->states);
    else
        for (uint32_t i = 0; i < r->n; i++)
            if (vector_is_valid(v, i))
                float_sum_add((float_sum *)(void *)agg_state(r, i), x[i]);
}

static void add_float_runs(const vector *v, const aggregate_rows *r)
{
    const double *x = (const double *)(const void *)v->data;

    for (uint32_t k = 0, i = 0; k < r->n_runs; k++)
        for (; i < r->ends[k]; i++)
            if (vector_is_valid(v, i))
                float_sum_add((float_sum *)(void *)r->states[k], x[i]);
}

static nrw_status sum_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    vector flat;

    if (g->args[0]->type.id != TYPE_FLOAT64)
        return whole_add(g, r, err);
    TRY(agg_flat(r, 0, &flat, err));
    if (r->n_runs)
        add_float_runs(&flat, r);
    else
        add_floats(&flat, r);
    vector_release(&flat);
    return NRW_OK;
}

static nrw_status sum_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                            nrw_error *err)
{
    bool narrow = whole_is_narrow(g);

    (void)m;
    (void)err;
    if (g->args[0]->type.id == TYPE_FLOAT64) {
        float_sum_merge((float_sum *)(void *)into, (const float_sum *)(const void *)from);
    } else {
        whole_state x = whole_load(into, narrow), y = whole_load(from, narrow);
        x.overflow |= y.overflow | __builtin_add_overflow(x.sum, y.sum, &x.sum);
        x.n += y.n;
        whole_store(into, &x, narrow);
    }
    return NRW_OK;
}

/* ---- results ---- */

static nrw_status overflow(const aggregate *g, nrw_error *err)
{
    char text[64];

    type_print(&g->result, text, sizeof text);
    return err_set(err, NRW_E_ARG, "a sum is out of the range of %s", text);
}

static nrw_status sum_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                             nrw_error *err)
{
    bool decimal = g->result.id == TYPE_DECIMAL;

    for (uint32_t i = 0; i < n; i++) {
        if (g->result.id == TYPE_FLOAT64) {
            const float_sum *s = (const float_sum *)(const void *)states[i];
            double x = float_sum_value(s);
            if (float_sum_n(s))
                memcpy(out->data + (size_t)i * 8, &x, 8);
            else
                agg_put_null(out, i);
            continue;
        }
        whole_state s = whole_load(states[i], whole_is_narrow(g));
        if (s.overflow || (decimal && beyond_digits(s.sum, 38)))
            return overflow(g, err);
        if (s.n)
            memcpy(out->data + (size_t)i * 16, &s.sum, 16);
        else
            agg_put_null(out, i);
    }
    return NRW_OK;
}

static nrw_status avg_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                             nrw_error *err)
{
    const type *t = &g->args[0]->type;
    long double scale = 1;

    for (int i = 0; t->id == TYPE_DECIMAL && i < t->scale; i++)
        scale *= 10;
    for (uint32_t i = 0; i < n; i++) {
        double x;
        uint64_t rows;
        if (t->id == TYPE_FLOAT64) {
            const float_sum *s = (const float_sum *)(const void *)states[i];
            rows = float_sum_n(s);
            x = rows ? float_sum_value(s) / (double)rows : 0;
        } else {
            whole_state s = whole_load(states[i], whole_is_narrow(g));
            if (s.overflow)
                return overflow(g, err);
            rows = s.n;
            if (rows && is_moment(t)) {
                int64_t moment = (int64_t)(s.sum / (i128)rows);
                moment += s.sum % (i128)rows > (i128)(rows / 2);
                memcpy(out->data + (size_t)i * 8, &moment, 8);
                continue;
            }
            x = rows ? (double)((long double)s.sum / (scale * (long double)rows)) : 0;
        }
        memcpy(out->data + (size_t)i * 8, &x, 8);
        if (!rows)
            agg_put_null(out, i);
    }
    return NRW_OK;
}

#define SUM_TRAITS (AGG_SHARED | AGG_UNPLACED | AGG_RUNS)

static const aggregate_class classes[] = {
    {" sum ", 1, 1, SUM_TRAITS, sum_bind, sum_add, sum_merge, sum_finish, AGG_PLAIN},
    {" avg mean ", 1, 1, SUM_TRAITS, avg_bind, sum_add, sum_merge, avg_finish, AGG_PLAIN},
    {" fsum kahan_sum sumkahan ", 1, 1, SUM_TRAITS, float_bind, sum_add, sum_merge, sum_finish,
     AGG_PLAIN},
    {" favg ", 1, 1, SUM_TRAITS, float_bind, sum_add, sum_merge, avg_finish, AGG_PLAIN},
};

const aggregate_table agg_sum_table = {classes, sizeof classes / sizeof *classes};
