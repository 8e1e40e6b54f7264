#include "exec/agg_value.h"
#include "exec/aggregate_own.h"

#include <ctype.h>
#include <string.h>

static const aggregate_table *const tables[] = {
    &agg_count_table,  &agg_sum_table,   &agg_extreme_table, &agg_first_table,    &agg_bool_table,
    &agg_moment_table, &agg_pair_table,  &agg_list_table,    &agg_quantile_table, &agg_by_table,
    &agg_bits_table,   &agg_tally_table, &agg_sketch_table};

/* " sum fsum " holds the name between blanks. */
static bool has_name(const char *names, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = names; (at = strstr(at, name)); at++)
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

static bool lower(const char *name, char *out, size_t cap)
{
    size_t n = strlen(name);

    if (n >= cap || n == 0)
        return false;
    for (size_t i = 0; i <= n; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    return !strchr(out, ' ');
}

static const aggregate_class *find(const char *name, uint32_t n_args, bool *known)
{
    char low[64];

    *known = false;
    if (!lower(name, low, sizeof low))
        return NULL;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (uint32_t i = 0; i < tables[t]->n; i++) {
            const aggregate_class *c = &tables[t]->at[i];
            if (!has_name(c->names, low))
                continue;
            *known = true;
            if (n_args >= c->min_args && n_args <= c->max_args)
                return c;
        }
    return NULL;
}

bool aggregate_is(const char *name)
{
    bool known;

    find(name, 0, &known);
    return known;
}

nrw_status aggregate_bind(arena *a, const char *name, const expr *const *args, uint32_t n,
                          aggregate *out, nrw_error *err)
{
    bool known;
    const aggregate_class *c = find(name, n, &known);

    *out = (aggregate){.class = c, .n_args = n};
    if (!c)
        return err_set(
            err, NRW_E_ARG,
            known ? "%s does not take %u arguments" : "there is no aggregate function %s", name, n);
    for (uint32_t i = 0; i < n && i < AGGREGATE_ARGS; i++)
        out->args[i] = args[i];
    return c->bind(a, out->args, out, err);
}

nrw_status agg_refuse(const aggregate *g, const char *what, const type *t, nrw_error *err)
{
    const char *name = g->class->names + 1;
    char text[64] = "";

    if (t)
        type_print(t, text, sizeof text);
    return err_set(err, NRW_E_ARG, "%.*s %s%s%s", (int)strcspn(name, " "), name, what, t ? " " : "",
                   text);
}

nrw_status agg_any(arena *a, const expr **arg, nrw_error *err)
{
    const type integer = type_of(TYPE_INT32);

    return (*arg)->bend == BEND_NULL ? expr_cast(a, *arg, &integer, false, arg, err) : NRW_OK;
}

nrw_status agg_cast(arena *a, aggregate *g, uint32_t k, const type *to, nrw_error *err)
{
    const expr *x = g->args[k];
    uint32_t distance;

    if (x->bend != BEND_NULL && !type_casts(x, to, &distance))
        return agg_refuse(g, "does not take", &x->type, err);
    return expr_cast(a, x, to, false, &g->args[k], err);
}

void agg_put_null(vector *out, uint32_t i)
{
    bit_clear(out->validity, i);
    memset(out->data + (size_t)i * out->type.width, 0, out->type.width);
}

bool aggregate_has_name(const aggregate *g, const char *name)
{
    return has_name(g->class->names, name);
}

bool aggregate_gathers(const aggregate *g)
{
    return g->class->drop && g->class->drop != value_drop;
}

bool aggregate_counts(const aggregate *g)
{
    const char *names = agg_proper(g)->class->names;

    return has_name(names, "count") || has_name(names, "count_if") ||
           has_name(names, "regr_count") || has_name(names, "approx_count_distinct");
}

static nrw_status begin_results(const aggregate *g, uint32_t n, mem *m, vector *out, nrw_error *err)
{
    TRY(vector_flat(m, &g->result, n, out, err));
    out->len = n;
    return vector_add_validity(out, err);
}

static nrw_status end_results(nrw_status st, uint32_t n, vector *out)
{
    if (st < 0) {
        vector_release(out);
        return st;
    }
    out->null_count = 0;
    for (uint32_t i = 0; i < n; i++)
        out->null_count += !bit_get(out->validity, i);
    return NRW_OK;
}

nrw_status aggregate_finish(const aggregate *g, uint8_t *const *states, uint32_t n, mem *m,
                            vector *out, nrw_error *err)
{
    nrw_status st = begin_results(g, n, m, out, err);

    if (st >= 0)
        st = g->class->finish(g, states, n, out, err);
    return end_results(st, n, out);
}

nrw_status aggregate_finish_saved(const aggregate *g, agg_saved *saved, mem *m, vector *out,
                                  nrw_error *err)
{
    nrw_status st = begin_results(g, 1, m, out, err);

    if (st >= 0)
        st = g->class->finish_saved(g, saved, out, err);
    return end_results(st, 1, out);
}

nrw_status agg_flat(const aggregate_rows *r, uint32_t k, vector *own, nrw_error *err)
{
    return vector_flatten(r->args[k], r->scratch, own, err);
}
