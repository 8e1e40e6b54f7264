/* GROUP BY: keys, and the sets of them that ROLLUP, CUBE and GROUPING SETS stand for. Of several
 * sets every row is grouped once for each, under the set's number; keys that are not in it are
 * null. */
#include "sql/bind_own.h"

bool has_aggregate(const selecting *s, const sql_expr *e)
{
    if (!e)
        return false;
    if (e->kind == SQL_EXPR_CALL && !e->over && !e->is_operator &&
        (e->within_group || aggregate_is_span(e->name.text)) && !aggregate_is_outside(s, e))
        return true;
    for (uint32_t i = 0; i < e->args.n; i++)
        if (has_aggregate(s, e->args.at[i]))
            return true;
    if (e->over) {
        for (uint32_t i = 0; i < e->over->partition_by.n; i++)
            if (has_aggregate(s, e->over->partition_by.at[i]))
                return true;
        for (uint32_t i = 0; i < e->over->order_by.n; i++)
            if (has_aggregate(s, e->over->order_by.at[i].by))
                return true;
    }
    return false;
}

static nrw_status add_key(selecting *s, const sql_expr *e, uint32_t *place, nrw_error *err)
{
    const expr *key;

    TRY(bind_expr(s, e, &key, err));
    for (*place = 0; *place < s->n_keys; ++*place)
        if (expr_equal(s->keys[*place], key))
            return NRW_OK;
    LIST_ADD(s->b->a, s->keys, s->n_keys, s->cap_keys, key, err);
    return NRW_OK;
}

/* Columns of HAVING outside of aggregates are keys of GROUP BY ALL. */
static nrw_status add_columns(selecting *s, const sql_expr *e, nrw_error *err)
{
    uint32_t place;

    if (!e || (e->kind == SQL_EXPR_CALL && !e->is_operator && aggregate_is_span(e->name.text)))
        return NRW_OK;
    if (e->kind == SQL_EXPR_COLUMN)
        return add_key(s, e, &place, err);
    for (uint32_t i = 0; i < e->args.n; i++)
        TRY(add_columns(s, e->args.at[i], err));
    return NRW_OK;
}

nrw_status bind_keys(selecting *s, nrw_error *err)
{
    const sql_group_by *g = &s->q->group_by;
    uint32_t place;

    s->no_aggregates = true;
    s->clause = "GROUP BY";
    for (uint32_t i = 0; g->all && i < s->n_items; i++)
        if (!has_aggregate(s, s->items[i].expr))
            TRY(add_key(s, s->items[i].expr, &place, err));
    if (g->all)
        TRY(add_columns(s, s->q->having, err));
    TRY(arena_alloc(s->b->a, g->exprs.n * sizeof *s->key_places + 1, (void **)&s->key_places, err));
    for (uint32_t i = 0; i < g->exprs.n; i++) {
        const sql_expr *e = g->exprs.at[i];
        uint32_t at;
        TRY(bind_position(s, e, s->n_items, &at, err));
        TRY(add_key(s, at ? s->items[at - 1].expr : e, &s->key_places[i], err));
    }
    s->no_aggregates = false;
    s->clause = NULL;
    return NRW_OK;
}

/* ---- sets ---- */

static bool in_set(const selecting *s, uint32_t set, uint32_t key)
{
    const sql_group_set *g = &s->q->group_by.sets[set];

    for (uint32_t i = 0; i < g->n; i++)
        if (s->key_places[g->at[i]] == key)
            return true;
    return false;
}

static bool has_sets(const selecting *s)
{
    return s->q->group_by.n_sets > 1;
}

/* The set's number, which stands behind the keys, is one of those for which wanted() holds. */
static nrw_status set_is(selecting *s, const expr *number, uint32_t key, bool inside,
                         const expr **out, nrw_error *err)
{
    arena *a = s->b->a;
    uint32_t n_sets = s->q->group_by.n_sets, n = 1;
    const expr **args;

    TRY(arena_alloc(a, (n_sets + 1) * sizeof *args, (void **)&args, err));
    args[0] = number;
    for (uint32_t i = 0; i < n_sets; i++)
        if (in_set(s, i, key) == inside)
            TRY(expr_int64(a, i, &args[n++], err));
    if (n == 1)
        return expr_bool(a, false, out, err);
    return expr_call(a, "in", args, NULL, n, out, err);
}

nrw_status bind_grouping(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    arena *a = s->b->a;
    const type bigint = type_of(TYPE_INT64);
    const expr *number, *key;

    if (s->stage != STAGE_GROUPS || s->in_aggregate || e->args.n == 0 || e->args.n > 60)
        return query_fail(s->b, e->at, err, "GROUPING takes keys of GROUP BY");
    TRY(expr_int64(a, 0, out, err));
    TRY(expr_column(a, s->n_keys, &bigint, &number, err));
    for (uint32_t i = 0; i < e->args.n; i++) {
        const expr *args[3], *bit;
        TRY(bind_expr(s, e->args.at[i], &key, err));
        if (key->kind != EXPR_COLUMN || key->column >= s->n_keys)
            return query_fail(s->b, e->args.at[i]->at, err, "GROUPING takes keys of GROUP BY");
        if (!has_sets(s))
            continue;
        TRY(set_is(s, number, key->column, false, &args[0], err));
        TRY(expr_int64(a, (int64_t)1 << (e->args.n - 1 - i), &args[1], err));
        TRY(expr_int64(a, 0, &args[2], err));
        TRY(expr_call(a, "case", args, NULL, 3, &bit, err));
        args[0] = *out;
        args[1] = bit;
        TRY(expr_call(a, "+", args, NULL, 2, out, err));
    }
    return NRW_OK;
}

/* One column with the numbers of all sets, or of those without keys. */
static nrw_status set_numbers(selecting *s, bool empty, plan **out, nrw_error *err)
{
    arena *a = s->b->a;
    uint32_t n_sets = s->q->group_by.n_sets;
    plan *p;

    TRY(plan_new(a, PLAN_VALUES, 1, NULL, NULL, &p, err));
    p->columns[0].type = type_of(TYPE_INT64);
    TRY(arena_alloc(a, n_sets * sizeof *p->exprs, (void **)&p->exprs, err));
    for (uint32_t i = 0; i < n_sets; i++)
        if (!empty || s->q->group_by.sets[i].n == 0)
            TRY(expr_int64(a, i, &p->exprs[p->n_rows++], err));
    *out = p;
    return NRW_OK;
}

/* Every row once for each set. */
static nrw_status expand(selecting *s, nrw_error *err)
{
    arena *a = s->b->a;
    const type bigint = type_of(TYPE_INT64);
    const expr *number, *args[3];
    plan *sets;

    TRY(set_numbers(s, false, &sets, err));
    TRY(expr_column(a, s->below->n, &bigint, &number, err));
    TRY(plan_join(a, JOIN_INNER, s->below, sets, NULL, &s->below, err));
    for (uint32_t k = 0; k < s->n_keys; k++) {
        TRY(set_is(s, number, k, true, &args[0], err));
        args[1] = s->keys[k];
        TRY(expr_null(a, &args[2], err));
        TRY(expr_cast(a, args[2], &s->keys[k]->type, false, &args[2], err));
        TRY(expr_call(a, "case", args, NULL, 3, &s->keys[k], err));
    }
    LIST_ADD(a, s->keys, s->n_keys, s->cap_keys, number, err);
    return NRW_OK;
}

/* A set without keys has a row though there is nothing to group. */
static nrw_status add_empty(selecting *s, nrw_error *err)
{
    arena *a = s->b->a;
    plan *g = s->below, *sets;
    uint32_t n = g->n, at = s->n_keys - 1;
    const expr *args[2], *on, **exprs;

    TRY(set_numbers(s, true, &sets, err));
    if (sets->n_rows == 0)
        return NRW_OK;
    TRY(expr_column(a, at, &g->columns[at].type, &args[0], err));
    TRY(expr_column(a, n, &g->columns[at].type, &args[1], err));
    TRY(expr_call(a, "=", args, NULL, 2, &on, err));
    TRY(plan_join(a, JOIN_FULL, g, sets, on, &s->below, err));
    TRY(arena_alloc(a, n * sizeof *exprs, (void **)&exprs, err));
    for (uint32_t c = 0; c < n; c++) {
        bool counts = c >= s->n_keys && aggregate_counts(&s->aggregates[c - s->n_keys]);
        TRY(expr_column(a, c, &g->columns[c].type, &exprs[c], err));
        if (c != at && !counts)
            continue;
        args[0] = exprs[c];
        if (counts)
            TRY(expr_int64(a, 0, &args[1], err));
        TRY(expr_call(a, "coalesce", args, NULL, 2, &exprs[c], err));
    }
    return plan_project(a, s->below, exprs, NULL, n, &s->below, err);
}

nrw_status plan_groups(selecting *s, nrw_error *err)
{
    if (has_sets(s))
        TRY(expand(s, err));
    TRY(plan_grouped(s->b->a, s->below, s->keys, s->n_keys, s->aggregates, s->n_aggregates,
                     &s->below, err));
    return has_sets(s) ? add_empty(s, err) : NRW_OK;
}
