/* Queries: WITH, set operations, VALUES, ORDER BY behind them. */
#include "sql/bind_own.h"

#include <stdio.h>

/* ---- VALUES ---- */

nrw_status bind_values(binder *b, const sql_exprs *rows, uint32_t n_rows, frame *in, plan **out,
                       nrw_error *err)
{
    selecting s = {.b = b, .frame = in, .no_aggregates = true, .clause = "VALUES"};
    uint32_t n = rows[0].n;
    plan *p;

    TRY(plan_one_row(b->a, &s.below, err));
    TRY(plan_new(b->a, PLAN_VALUES, n, NULL, NULL, &p, err));
    p->n_rows = n_rows;
    TRY(arena_alloc(b->a, (size_t)n * n_rows * sizeof *p->exprs + 1, (void **)&p->exprs, err));
    for (uint32_t r = 0; r < n_rows; r++) {
        if (rows[r].n != n)
            return query_fail(b, rows[r].n ? rows[r].at[0]->at : 0, err,
                              "rows of VALUES have unlike lengths");
        for (uint32_t c = 0; c < n; c++)
            TRY(bind_expr(&s, rows[r].at[c], &p->exprs[(size_t)r * n + c], err));
    }
    for (uint32_t c = 0; c < n; c++) {
        char name[24], *kept;
        const expr *kind = p->exprs[c];
        snprintf(name, sizeof name, "col%u", c);
        TRY(arena_strndup(b->a, name, strlen(name), &kept, err));
        p->columns[c].name = span_of(kept);
        for (uint32_t r = 0; r < n_rows; r++) { /* a constant of the common type stands for it */
            type t;
            TRY(type_common(b->a, kind, p->exprs[(size_t)r * n + c], &t, err));
            if (!type_equal(&t, &kind->type) || r == 0)
                TRY(expr_cast(b->a,
                              type_equal(&t, &kind->type) ? kind : p->exprs[(size_t)r * n + c], &t,
                              false, &kind, err));
        }
        p->columns[c].type = kind->type;
        for (uint32_t r = 0; r < n_rows; r++) {
            const expr **e = &p->exprs[(size_t)r * n + c];
            TRY(expr_cast(b->a, *e, &p->columns[c].type, false, e, err));
        }
    }
    *out = p;
    return NRW_OK;
}

/* ---- set operations ---- */

/* Text and what is not nested meet as text. */
static nrw_status united(arena *a, const expr *x, const expr *y, type *out, nrw_error *err)
{
    const type *other = x->type.id == TYPE_UTF8 ? &y->type : &x->type;
    bool text = x->type.id == TYPE_UTF8 || y->type.id == TYPE_UTF8;

    nrw_error no_common = NRW_ERROR_INIT;
    nrw_status st = type_common(a, x, y, out, &no_common);

    if (st == NRW_E_ARG && text && !type_is_nested(other)) {
        *out = type_of(TYPE_UTF8);
        return NRW_OK;
    }
    if (st < 0)
        *err = no_common;
    return st;
}

/* Both sides to common types; BY NAME puts the columns in order first. */
static nrw_status common_types(binder *b, const sql_query *q, plan **l, plan **r, nrw_error *err)
{
    type *types;

    if ((*l)->n != (*r)->n)
        return query_fail(b, q->at, err, "the sides of a set operation have %u and %u columns",
                          (*l)->n, (*r)->n);
    TRY(arena_alloc(b->a, (*l)->n * sizeof *types + 1, (void **)&types, err));
    for (uint32_t c = 0; c < (*l)->n; c++) {
        const expr *x, *y;
        TRY(expr_column(b->a, c, &(*l)->columns[c].type, &x, err));
        TRY(expr_column(b->a, c, &(*r)->columns[c].type, &y, err));
        TRY(bind_at(b, q->at, united(b->a, x, y, &types[c], err), err));
    }
    TRY(plan_cast(b->a, *l, types, l, err));
    return plan_cast(b->a, *r, types, r, err);
}

/* p's columns and behind them their number among equal rows: duplicates become different. */
static nrw_status plan_numbered(arena *a, plan *p, plan **out, nrw_error *err)
{
    window_call w = {.kind = WINDOW_ROW_NUMBER, .result = type_of(TYPE_INT64), .n_partition = p->n};

    TRY(arena_alloc(a, p->n * sizeof *w.partition + 1, (void **)&w.partition, err));
    for (uint32_t c = 0; c < p->n; c++)
        w.partition[c] = c;
    return plan_window(a, p, &w, out, err);
}

/* INTERSECT and EXCEPT are joins on all columns, nulls being equal. */
static nrw_status plan_match(binder *b, const sql_query *q, plan *l, plan *r, plan **out,
                             nrw_error *err)
{
    arena *a = b->a;
    uint32_t n = l->n;
    plan *j;
    const expr **exprs;
    span *names;

    if (q->set_all) {
        TRY(plan_numbered(a, l, &l, err));
        TRY(plan_numbered(a, r, &r, err));
    } else {
        TRY(plan_distinct(a, l, &l, err));
    }
    TRY(plan_join(a, q->set == SQL_SET_INTERSECT ? JOIN_SEMI : JOIN_ANTI, l, r, NULL, &j, err));
    j->n_join_keys = l->n;
    TRY(arena_alloc(a, l->n * sizeof *j->left_keys + 1, (void **)&j->left_keys, err));
    TRY(arena_alloc(a, l->n * sizeof *j->null_equal + 1, (void **)&j->null_equal, err));
    for (uint32_t c = 0; c < l->n; c++) {
        j->left_keys[c] = c;
        j->null_equal[c] = true;
    }
    j->right_keys = j->left_keys;
    *out = j;
    if (l->n == n)
        return NRW_OK;
    TRY(arena_alloc(a, n * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(a, n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        names[c] = j->columns[c].name;
        TRY(expr_column(a, c, &j->columns[c].type, &exprs[c], err));
    }
    return plan_project(a, j, exprs, names, n, out, err);
}

/* Where a column of that name is; -1: nowhere. */
static int32_t named(const plan *p, span name)
{
    for (uint32_t k = 0; k < p->n; k++)
        if (span_alike(name, p->columns[k].name))
            return (int32_t)k;
    return -1;
}

/* Columns of p by the names of `order`; those that it lacks are null. */
static nrw_status in_order(arena *a, plan *p, const plan_column *order, uint32_t n, plan **out,
                           nrw_error *err)
{
    const expr **exprs;
    span *names;

    TRY(arena_alloc(a, n * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(a, n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        int32_t at = named(p, order[c].name);
        names[c] = order[c].name;
        if (at < 0) {
            TRY(expr_null(a, &exprs[c], err));
            TRY(expr_cast(a, exprs[c], &order[c].type, false, &exprs[c], err));
        } else {
            TRY(expr_column(a, (uint32_t)at, &p->columns[at].type, &exprs[c], err));
        }
    }
    return plan_project(a, p, exprs, names, n, out, err);
}

/* BY NAME: the columns of the left side, then what only the right side has. */
static nrw_status by_name(binder *b, plan **l, plan **r, nrw_error *err)
{
    plan_column *order;
    uint32_t n = (*l)->n;

    TRY(arena_alloc(b->a, ((*l)->n + (*r)->n) * sizeof *order + 1, (void **)&order, err));
    memcpy(order, (*l)->columns, n * sizeof *order);
    for (uint32_t c = 0; c < (*r)->n; c++)
        if (named(*l, (*r)->columns[c].name) < 0)
            order[n++] = (*r)->columns[c];
    TRY(in_order(b->a, *l, order, n, l, err));
    return in_order(b->a, *r, order, n, r, err);
}

static nrw_status bind_set(binder *b, const sql_query *q, frame *in, plan **out, nrw_error *err)
{
    plan *l, *r;

    if (!b->outputs)
        TRY(arena_alloc(b->a, sizeof *b->outputs, (void **)&b->outputs, err));

    TRY(bind_query(b, q->left, in, &l, err));
    TRY(bind_query(b, q->right, in, &r, err));
    if (q->by_name)
        TRY(by_name(b, &l, &r, err));
    TRY(common_types(b, q, &l, &r, err));
    if (q->set != SQL_SET_UNION)
        return plan_match(b, q, l, r, out, err);
    TRY(plan_union(b->a, l, r, out, err));
    return q->set_all ? NRW_OK : plan_distinct(b->a, *out, out, err);
}

/* ORDER BY behind a set operation or VALUES: over the columns of the result. */
/* What the sides call it: a name, with its table or not, or an expression of one of their lists. */
static nrw_status output_of(binder *b, const sql_expr *e, const plan *p, bool by_name, int32_t *out,
                            nrw_error *err)
{
    const sql_names *path = &e->names;
    bool column = e->kind == SQL_EXPR_COLUMN;
    span text;

    *out = column && path->n == 1 ? named(p, path->at[0].text) : -1;
    if (*out >= 0 || !b->outputs)
        return NRW_OK;
    TRY(sql_print_expr(b->a, e, &text, err));
    for (uint32_t i = 0; i < b->outputs->n; i++) {
        const set_output *o = &b->outputs->at[i];
        bool is = column && span_alike(path->at[path->n - 1].text, o->name) &&
                  (path->n == 1 || span_alike(path->at[path->n - 2].text, o->table));
        if (is || (!column && span_alike(text, o->text))) {
            *out = by_name ? named(p, o->name) : (int32_t)o->column;
            return NRW_OK;
        }
    }
    return NRW_OK;
}

static nrw_status order_result(binder *b, const sql_query *q, frame *in, plan **out, nrw_error *err)
{
    selecting s = {
        .b = b, .frame = in, .q = q, .below = *out, .no_aggregates = true, .clause = "ORDER BY"};
    const sql_orders *from = &q->order_by;
    sort_order *orders;
    uint32_t n = from->all ? (*out)->n : from->n;

    for (uint32_t c = 0; c < (*out)->n; c++)
        TRY(scope_add(
            b->a, &s.from,
            (scope_column){{0}, (*out)->columns[c].name, (*out)->columns[c].type, c, false}, err));
    TRY(arena_alloc(b->a, n * sizeof *orders + 1, (void **)&orders, err));
    for (uint32_t i = 0; i < n; i++) {
        const sql_order *o = &from->at[from->all ? 0 : i];
        orders[i] = (sort_order){i, o->descending, o->nulls_first};
        int32_t at = -1;
        if (!from->all)
            TRY(output_of(b, o->by, *out, q->by_name, &at, err));
        if (at >= 0)
            orders[i].column = (uint32_t)at;
        else if (!from->all)
            TRY(order_column(&s, o->by, (*out)->n, &orders[i].column, err));
    }
    return bind_limits(&s, q, *out, orders, n, out, err);
}

nrw_status bind_query(binder *b, const sql_query *q, frame *in, plan **out, nrw_error *err)
{
    binder inner = *b;
    nrw_status st;

    if (q->set == SQL_SET_NONE && q->order_by.n)
        inner.outputs = NULL; /* of a side that has its own order */
    if (++inner.depth > SQL_MAX_DEPTH)
        return query_fail(b, q->at, err, "queries are nested too deeply");
    for (uint32_t i = 0; i < q->n_with; i++) {
        cte *c;
        TRY(arena_alloc(b->a, sizeof *c, (void **)&c, err));
        *c = (cte){&q->with[i], in, inner.ctes};
        inner.ctes = c;
    }
    if (q->set == SQL_SET_NONE && !q->n_rows)
        return bind_select(&inner, q, in, out, err);
    st = q->n_rows ? bind_values(&inner, q->rows, q->n_rows, in, out, err)
                   : bind_set(&inner, q, in, out, err);
    TRY(st);
    return order_result(&inner, q, in, out, err);
}

nrw_status sql_bind(const sql_bind_input *in, const sql_statement *s, plan **out, nrw_error *err)
{
    binder b = {.in = in, .a = in->a};

    TRY(bind_query(&b, s->query, NULL, out, err));
    if (s->kind == SQL_DESCRIBE)
        return plan_described(in->a, *out, out, err);
    if (s->kind == SQL_SUMMARIZE)
        TRY(bind_at(&b, s->at, plan_summarized(in->a, *out, out, err), err));
    TRY(plan_push_down(in->a, out, err));
    plan_drop_sorts(out);
    TRY(plan_prune(in->a, out, err));
    TRY(plan_split_parts(in->a, out, err));
    return plan_prune(in->a, out, err);
}
