#include "sql/bind_own.h"

nrw_status plan_new(arena *a, plan_kind kind, uint32_t n, plan *left, plan *right, plan **out,
                    nrw_error *err)
{
    plan *p;

    TRY(arena_alloc(a, sizeof *p, (void **)&p, err));
    *p = (plan){.kind = kind, .n = n, .left = left, .right = right, .limit = UINT64_MAX};
    TRY(arena_alloc(a, n * sizeof *p->columns + 1, (void **)&p->columns, err));
    *out = p;
    return NRW_OK;
}

nrw_status plan_project(arena *a, plan *left, const expr **exprs, const span *names, uint32_t n,
                        plan **out, nrw_error *err)
{
    TRY(plan_new(a, PLAN_PROJECT, n, left, NULL, out, err));
    (*out)->exprs = exprs;
    for (uint32_t i = 0; i < n; i++)
        (*out)->columns[i] = (plan_column){names ? names[i] : (span){0}, exprs[i]->type};
    return NRW_OK;
}

nrw_status plan_filter(arena *a, plan *left, const expr *condition, plan **out, nrw_error *err)
{
    TRY(plan_new(a, PLAN_FILTER, left->n, left, NULL, out, err));
    memcpy((*out)->columns, left->columns, left->n * sizeof *left->columns);
    TRY(arena_alloc(a, sizeof(expr *), (void **)&(*out)->exprs, err));
    (*out)->exprs[0] = condition;
    return NRW_OK;
}

nrw_status plan_join(arena *a, join_kind kind, plan *left, plan *right, const expr *on, plan **out,
                     nrw_error *err)
{
    bool only_right = join_only_right(kind);
    const plan *first = only_right ? right : left;
    bool both = !only_right && kind != JOIN_SEMI && kind != JOIN_ANTI && kind != JOIN_MARK;
    bool mark = kind == JOIN_MARK || kind == JOIN_RIGHT_MARK;
    uint32_t n = first->n + (both ? right->n : mark);

    TRY(plan_new(a, PLAN_JOIN, n, left, right, out, err));
    memcpy((*out)->columns, first->columns, first->n * sizeof *first->columns);
    if (both)
        memcpy((*out)->columns + left->n, right->columns, right->n * sizeof *right->columns);
    else if (mark)
        (*out)->columns[first->n] = (plan_column){.type = type_of(TYPE_BOOL)};
    (*out)->join = kind;
    (*out)->condition = on;
    return NRW_OK;
}

nrw_status plan_cast(arena *a, plan *p, const type *types, plan **out, nrw_error *err)
{
    const expr **exprs;
    span *names;
    bool same = true;

    for (uint32_t c = 0; c < p->n; c++)
        same &= type_equal(&p->columns[c].type, &types[c]);
    *out = p;
    if (same)
        return NRW_OK;
    TRY(arena_alloc(a, p->n * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(a, p->n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < p->n; c++) {
        names[c] = p->columns[c].name;
        TRY(expr_column(a, c, &p->columns[c].type, &exprs[c], err));
        TRY(expr_cast(a, exprs[c], &types[c], false, &exprs[c], err));
    }
    return plan_project(a, p, exprs, names, p->n, out, err);
}

nrw_status plan_union(arena *a, plan *l, plan *r, plan **out, nrw_error *err)
{
    TRY(plan_new(a, PLAN_UNION, l->n, l, r, out, err));
    memcpy((*out)->columns, l->columns, l->n * sizeof *l->columns);
    return NRW_OK;
}

static bool is_constant(const window_call *w, uint32_t n_orders, uint32_t column)
{
    for (uint32_t i = 0; i < w->n_partition; i++)
        if (w->partition[i] == column)
            return true;
    for (uint32_t i = 0; i < n_orders; i++)
        if (w->orders[i].column == column)
            return true;
    return false;
}

nrw_status plan_window_orders(arena *a, window_call *w, nrw_error *err)
{
    const sort_order *all = w->orders;
    const uint32_t n = w->n_orders;

    TRY(arena_alloc(a, n * sizeof *w->orders + 1, (void **)&w->orders, err));
    w->n_orders = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!is_constant(w, w->n_orders, all[i].column))
            w->orders[w->n_orders++] = all[i];
    return NRW_OK;
}

nrw_status plan_window(arena *a, plan *left, const window_call *call, plan **out, nrw_error *err)
{
    TRY(plan_new(a, PLAN_WINDOW, left->n + 1, left, NULL, out, err));
    memcpy((*out)->columns, left->columns, left->n * sizeof *left->columns);
    (*out)->columns[left->n].type = call->result;
    TRY(arena_alloc(a, sizeof *call, (void **)&(*out)->windows, err));
    (*out)->windows[0] = *call;
    (*out)->n_windows = 1;
    return plan_window_orders(a, &(*out)->windows[0], err);
}

nrw_status plan_one_row(arena *a, plan **out, nrw_error *err)
{
    TRY(plan_new(a, PLAN_VALUES, 0, NULL, NULL, out, err));
    (*out)->n_rows = 1;
    return NRW_OK;
}

nrw_status plan_first_columns(arena *a, plan *p, uint32_t n, plan **out, nrw_error *err)
{
    const expr **exprs;
    span *names;

    *out = p;
    if (p->n == n)
        return NRW_OK;
    TRY(arena_alloc(a, n * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(a, n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        names[c] = p->columns[c].name;
        TRY(expr_column(a, c, &p->columns[c].type, &exprs[c], err));
    }
    return plan_project(a, p, exprs, names, n, out, err);
}

nrw_status plan_distinct(arena *a, plan *p, plan **out, nrw_error *err)
{
    TRY(plan_new(a, PLAN_GROUP, p->n, p, NULL, out, err));
    memcpy((*out)->columns, p->columns, p->n * sizeof *p->columns);
    (*out)->n_keys = p->n;
    return NRW_OK;
}

nrw_status expr_and(arena *a, const expr *x, const expr *y, const expr **out, nrw_error *err)
{
    *out = x ? x : y;
    if (!x || !y)
        return NRW_OK;
    return expr_call(a, "and", (const expr *[]){x, y}, NULL, 2, out, err);
}

nrw_status expr_or(arena *a, const expr *x, const expr *y, const expr **out, nrw_error *err)
{
    *out = x ? x : y;
    if (!x || !y)
        return NRW_OK;
    return expr_call(a, "or", (const expr *[]){x, y}, NULL, 2, out, err);
}

nrw_status expr_not(arena *a, const expr *x, const expr **out, nrw_error *err)
{
    return expr_call(a, "not", &x, NULL, 1, out, err);
}

nrw_status expr_not_a_key(arena *a, const expr *e, const expr **out, nrw_error *err)
{
    *out = e;
    if (!pulled_is_equality(e))
        return NRW_OK;
    TRY(expr_call(a, "<>", e->args, NULL, 2, out, err));
    return expr_not(a, *out, out, err);
}

static nrw_status renumber_all(arena *a, const expr *const *from, uint32_t n,
                               uint32_t (*number)(void *self, uint32_t c), void *self,
                               const expr ***out, nrw_error *err)
{
    TRY(arena_alloc(a, n * sizeof **out + 1, (void **)out, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(expr_renumber(a, from[i], number, self, &(*out)[i], err));
    return NRW_OK;
}

nrw_status expr_renumber(arena *a, const expr *e, uint32_t (*number)(void *self, uint32_t c),
                         void *self, const expr **out, nrw_error *err)
{
    const expr **written;
    expr *copy;

    *out = e;
    if (e->kind == EXPR_CONSTANT)
        return NRW_OK;
    TRY(arena_alloc(a, sizeof *copy, (void **)&copy, err));
    *copy = *e;
    if (e->kind == EXPR_COLUMN) {
        copy->column = number(self, e->column);
    } else {
        TRY(renumber_all(a, e->args, e->n_args, number, self, &copy->args, err));
        TRY(renumber_all(a, e->written, e->n_written, number, self, &written, err));
        copy->written = written;
    }
    *out = copy;
    return NRW_OK;
}
