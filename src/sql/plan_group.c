/* Plans of GROUP BY: keys and what aggregates look at are computed, then grouped.
 *
 * DISTINCT inside of aggregates takes a set in each state. Where all such aggregates look at the
 * same values, and what stands beside them can be combined, combinations of keys and values become
 * groups of their own first, which costs less: GROUP k: count(DISTINCT x), sum(y)  =  GROUP k:
 * count(x), sum(s) of GROUP k, x: sum(y) AS s */
#include "sql/bind_own.h"

/* ---- columns ---- */

typedef struct inputs {
    const expr **exprs;
    uint32_t n, cap, n_keys;
} inputs;

/* What x looks at becomes columns of its own, each once. */
static nrw_status take_inputs(arena *a, inputs *in, aggregate *x, nrw_error *err)
{
    for (uint32_t i = 0; i <= x->n_args; i++) {
        const expr **slot = i < x->n_args ? &x->args[i] : &x->filter;
        uint32_t at;
        if (!*slot)
            continue;
        for (at = in->n_keys; at < in->n; at++)
            if (expr_equal(in->exprs[at], *slot))
                break;
        if (at == in->n)
            LIST_ADD(a, in->exprs, in->n, in->cap, *slot, err);
        TRY(expr_column(a, at, &in->exprs[at]->type, slot, err));
    }
    return NRW_OK;
}

static nrw_status grouped(arena *a, plan *p, uint32_t n_keys, aggregate *aggregates,
                          uint32_t n_aggregates, plan **out, nrw_error *err)
{
    TRY(plan_new(a, PLAN_GROUP, n_keys + n_aggregates, p, NULL, out, err));
    (*out)->n_keys = n_keys;
    (*out)->n_aggregates = n_aggregates;
    (*out)->aggregates = aggregates;
    for (uint32_t c = 0; c < (*out)->n; c++)
        (*out)->columns[c].type = c < n_keys ? p->columns[c].type : aggregates[c - n_keys].result;
    return NRW_OK;
}

/* ---- DISTINCT as groups ---- */

/* The function that makes of its results for parts of the rows that for all; NULL: there is none.
 */
static const char *combining(const aggregate *x)
{
    if (aggregate_has_name(x, "count") ||
        (aggregate_has_name(x, "sum") &&
         (x->result.id == TYPE_INT128 || x->result.id == TYPE_DECIMAL)))
        return "sum";
    if (x->n_args == 1 && aggregate_has_name(x, "min"))
        return "min";
    return x->n_args == 1 && aggregate_has_name(x, "max") ? "max" : NULL;
}

static bool same_values(const aggregate *x, const aggregate *y)
{
    for (uint32_t i = 0; i < x->n_args; i++)
        if (x->args[i]->column != y->args[i]->column)
            return false;
    return x->n_args == y->n_args;
}

/* Of x, which is distinct: whether groups of its values will do. */
static bool may_be_groups(const aggregate *x, uint32_t n_keys)
{
    for (uint32_t i = 0; i < x->n_args; i++)
        if (type_is_nested(&x->args[i]->type) || x->args[i]->column != n_keys + i)
            return false;
    return !x->filter && !(x->class->traits & (AGG_ORDERED | AGG_NULLS));
}

/* A distinct one of `aggregates`, whose values become keys; NULL: all are better left as they are.
 */
static const aggregate *values_of(const aggregate *aggregates, uint32_t n, uint32_t n_keys)
{
    const aggregate *values = NULL;

    for (uint32_t k = 0; k < n; k++) {
        const aggregate *x = &aggregates[k];
        if (!x->distinct) {
            if (!combining(x))
                return NULL;
            continue;
        }
        if (!may_be_groups(x, n_keys) || (values && !same_values(values, x)))
            return NULL;
        values = x;
    }
    return values;
}

/* What counts is not null where there are no rows, and of the type it had. */
static nrw_status as_it_was(arena *a, const aggregate *x, const expr **e, nrw_error *err)
{
    const expr *zero;

    TRY(expr_cast(a, *e, &x->result, false, e, err));
    if (!aggregate_counts(x))
        return NRW_OK;
    TRY(expr_int64(a, 0, &zero, err));
    return expr_call(a, "coalesce", (const expr *[]){*e, zero}, NULL, 2, e, err);
}

static nrw_status group_values(arena *a, plan *p, uint32_t n_keys, uint32_t n_values,
                               aggregate *aggregates, uint32_t n, plan **out, nrw_error *err)
{
    aggregate *parts, *wholes;
    const expr **exprs, *column;
    uint32_t n_parts = 0;
    plan *inner;

    TRY(arena_alloc(a, n * sizeof *parts, (void **)&parts, err));
    TRY(arena_alloc(a, n * sizeof *wholes, (void **)&wholes, err));
    TRY(arena_alloc(a, (n_keys + n) * sizeof *exprs, (void **)&exprs, err));
    for (uint32_t k = 0; k < n; k++)
        if (!aggregates[k].distinct)
            parts[n_parts++] = aggregates[k];
    TRY(grouped(a, p, n_keys + n_values, parts, n_parts, &inner, err));
    n_parts = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t at = n_keys + n_values + n_parts;
        wholes[k] = aggregates[k];
        wholes[k].distinct = false;
        if (aggregates[k].distinct)
            continue;
        TRY(expr_column(a, at, &inner->columns[at].type, &column, err));
        TRY(aggregate_bind(a, combining(&aggregates[k]), &column, 1, &wholes[k], err));
        n_parts++;
    }
    TRY(grouped(a, inner, n_keys, wholes, n, out, err));
    for (uint32_t c = 0; c < n_keys + n; c++) {
        TRY(expr_column(a, c, &(*out)->columns[c].type, &exprs[c], err));
        if (c >= n_keys)
            TRY(as_it_was(a, &aggregates[c - n_keys], &exprs[c], err));
    }
    return n_parts ? plan_project(a, *out, exprs, NULL, n_keys + n, out, err) : NRW_OK;
}

nrw_status plan_grouped(arena *a, plan *p, const expr *const *keys, uint32_t n_keys,
                        aggregate *aggregates, uint32_t n_aggregates, plan **out, nrw_error *err)
{
    inputs in = {.n_keys = n_keys};
    const aggregate *values;

    for (uint32_t k = 0; k < n_keys; k++)
        LIST_ADD(a, in.exprs, in.n, in.cap, keys[k], err);
    for (uint32_t k = 0; k < n_aggregates; k++) /* the least of all is the least of each once */
        if (aggregate_has_name(&aggregates[k], "min") || aggregate_has_name(&aggregates[k], "max"))
            aggregates[k].distinct = false;
    for (int distinct = 1; distinct >= 0; distinct--)
        for (uint32_t k = 0; k < n_aggregates; k++)
            if (aggregates[k].distinct == (bool)distinct)
                TRY(take_inputs(a, &in, &aggregates[k], err));
    TRY(plan_project(a, p, in.exprs, NULL, in.n, &p, err));
    values = values_of(aggregates, n_aggregates, n_keys);
    if (values)
        return group_values(a, p, n_keys, values->n_args, aggregates, n_aggregates, out, err);
    for (uint32_t k = 0; k < n_aggregates; k++)
        if (aggregates[k].distinct)
            TRY(aggregate_make_distinct(a, &aggregates[k], err));
    return grouped(a, p, n_keys, aggregates, n_aggregates, out, err);
}
