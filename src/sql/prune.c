/* Columns that nobody looks at are not read and not computed. */
#include "sql/bind_own.h"

#define GONE UINT32_MAX

typedef struct pruner {
    arena *a;
    nrw_error *err;
} pruner;

/* p with at least the columns that `need` names; map[c] is where column c went. */
static nrw_status prune(pruner *w, plan *p, bool *need, plan **out, uint32_t *map);

static void mark(void *self, uint32_t c)
{
    ((bool *)self)[c] = true;
}

static uint32_t mapped(void *self, uint32_t c)
{
    return ((const uint32_t *)self)[c];
}

static nrw_status renumber(pruner *w, const expr **e, uint32_t *map)
{
    return expr_renumber(w->a, *e, mapped, map, e, w->err);
}

static nrw_status sides(pruner *w, uint32_t n, bool **need, uint32_t **map)
{
    TRY(arena_alloc(w->a, n * sizeof **need + 1, (void **)need, w->err));
    return arena_alloc(w->a, n * sizeof **map + 1, (void **)map, w->err);
}

/* A copy of p for other columns: n of them. */
static nrw_status copy_of(pruner *w, const plan *p, uint32_t n, plan *left, plan *right, plan **out)
{
    plan_column *columns;

    TRY(plan_new(w->a, p->kind, n, left, right, out, w->err));
    columns = (*out)->columns;
    **out = *p;
    (*out)->columns = columns;
    (*out)->n = n;
    (*out)->left = left;
    (*out)->right = right;
    return NRW_OK;
}

static nrw_status prune_scan(pruner *w, plan *p, bool *need, plan **out, uint32_t *map)
{
    uint32_t n = 0;
    const expr **pushed;

    for (uint32_t i = 0; i < p->n_pushed; i++)
        expr_columns(p->pushed[i], mark, need);
    TRY(copy_of(w, p, p->n, NULL, NULL, out));
    TRY(arena_alloc(w->a, p->n * sizeof *p->table_columns + 1, (void **)&(*out)->table_columns,
                    w->err));
    for (uint32_t c = 0; c < p->n; c++) {
        map[c] = need[c] ? n : GONE;
        if (!need[c])
            continue;
        (*out)->table_columns[n] = p->table_columns[c];
        (*out)->columns[n++] = p->columns[c];
    }
    (*out)->n = n;
    TRY(arena_alloc(w->a, p->n_pushed * sizeof *pushed + 1, (void **)&pushed, w->err));
    for (uint32_t i = 0; i < p->n_pushed; i++) {
        pushed[i] = p->pushed[i];
        TRY(renumber(w, &pushed[i], map));
    }
    (*out)->pushed = pushed;
    return NRW_OK;
}

static nrw_status prune_values(pruner *w, plan *p, const bool *need, plan **out, uint32_t *map)
{
    uint32_t n = 0;

    TRY(copy_of(w, p, p->n, NULL, NULL, out));
    for (uint32_t c = 0; c < p->n; c++) {
        map[c] = need[c] ? n : GONE;
        if (need[c])
            (*out)->columns[n++] = p->columns[c];
    }
    (*out)->n = n;
    TRY(arena_alloc(w->a, n * p->n_rows * sizeof *p->exprs + 1, (void **)&(*out)->exprs, w->err));
    for (uint64_t r = 0; r < p->n_rows; r++)
        for (uint32_t c = 0; c < p->n; c++)
            if (need[c])
                (*out)->exprs[r * n + map[c]] = p->exprs[r * p->n + c];
    return NRW_OK;
}

static nrw_status prune_project(pruner *w, plan *p, const bool *need, plan **out, uint32_t *map)
{
    bool *below;
    uint32_t *from, n = 0;
    plan *left;

    TRY(sides(w, p->left->n, &below, &from));
    for (uint32_t c = 0; c < p->n; c++)
        if (need[c])
            expr_columns(p->exprs[c], mark, below);
    TRY(prune(w, p->left, below, &left, from));
    TRY(copy_of(w, p, p->n, left, NULL, out));
    TRY(arena_alloc(w->a, p->n * sizeof *p->exprs + 1, (void **)&(*out)->exprs, w->err));
    for (uint32_t c = 0; c < p->n; c++) {
        map[c] = need[c] ? n : GONE;
        if (!need[c])
            continue;
        (*out)->exprs[n] = p->exprs[c];
        TRY(renumber(w, &(*out)->exprs[n], from));
        (*out)->columns[n++] = p->columns[c];
    }
    (*out)->n = n;
    return NRW_OK;
}

/* FILTER, SORT, LIMIT, FIRST: the columns of what is below. */
static nrw_status prune_rows(pruner *w, plan *p, bool *need, plan **out, uint32_t *map)
{
    plan *left;

    if (p->kind == PLAN_FILTER)
        expr_columns(p->exprs[0], mark, need);
    for (uint32_t i = 0; i < p->n_orders; i++)
        need[p->orders[i].column] = true;
    for (uint32_t i = 0; i < p->n_of; i++)
        need[p->of[i]] = true;
    for (uint32_t i = 0; i < p->n_per; i++)
        need[p->per[i]] = true;
    TRY(prune(w, p->left, need, &left, map));
    TRY(copy_of(w, p, left->n, left, NULL, out));
    memcpy((*out)->columns, left->columns, left->n * sizeof *left->columns);
    if (p->kind == PLAN_FILTER) {
        TRY(arena_alloc(w->a, sizeof *p->exprs, (void **)&(*out)->exprs, w->err));
        (*out)->exprs[0] = p->exprs[0];
        TRY(renumber(w, &(*out)->exprs[0], map));
    }
    TRY(arena_alloc(w->a, p->n_orders * sizeof *p->orders + 1, (void **)&(*out)->orders, w->err));
    for (uint32_t i = 0; i < p->n_orders; i++) {
        (*out)->orders[i] = p->orders[i];
        (*out)->orders[i].column = map[p->orders[i].column];
    }
    TRY(arena_alloc(w->a, (p->n_of + 1) * sizeof *p->of, (void **)&(*out)->of, w->err));
    TRY(arena_alloc(w->a, (p->n_per + 1) * sizeof *p->per, (void **)&(*out)->per, w->err));
    for (uint32_t i = 0; i < p->n_of; i++)
        (*out)->of[i] = map[p->of[i]];
    for (uint32_t i = 0; i < p->n_per; i++)
        (*out)->per[i] = map[p->per[i]];
    return NRW_OK;
}

static nrw_status prune_aggregate(pruner *w, aggregate *g, uint32_t *map)
{
    for (uint32_t i = 0; i < g->n_args; i++)
        TRY(renumber(w, &g->args[i], map));
    return g->filter ? renumber(w, &g->filter, map) : NRW_OK;
}

static void mark_aggregate(const aggregate *g, bool *need)
{
    for (uint32_t i = 0; i < g->n_args; i++)
        expr_columns(g->args[i], mark, need);
    if (g->filter)
        expr_columns(g->filter, mark, need);
}

static nrw_status prune_group(pruner *w, plan *p, const bool *need, plan **out, uint32_t *map)
{
    bool *below;
    uint32_t *from, n = p->n_keys;
    aggregate *kept;
    plan *left;

    TRY(sides(w, p->left->n, &below, &from));
    for (uint32_t k = 0; k < p->n_keys; k++)
        below[k] = true;
    for (uint32_t k = 0; k < p->n_aggregates; k++)
        if (need[p->n_keys + k])
            mark_aggregate(&p->aggregates[k], below);
    TRY(prune(w, p->left, below, &left, from));
    TRY(copy_of(w, p, p->n, left, NULL, out));
    TRY(arena_alloc(w->a, p->n_aggregates * sizeof *kept + 1, (void **)&kept, w->err));
    for (uint32_t c = 0; c < p->n_keys; c++) {
        map[c] = c;
        (*out)->columns[c] = p->columns[c];
    }
    for (uint32_t k = 0; k < p->n_aggregates; k++) {
        uint32_t c = p->n_keys + k;
        map[c] = need[c] ? n : GONE;
        if (!need[c])
            continue;
        kept[n - p->n_keys] = p->aggregates[k];
        TRY(prune_aggregate(w, &kept[n - p->n_keys], from));
        (*out)->columns[n++] = p->columns[c];
    }
    (*out)->aggregates = kept;
    (*out)->n_aggregates = n - p->n_keys;
    (*out)->n = n;
    return NRW_OK;
}

/* Exactly the columns of `need`, in their order. */
static nrw_status exactly(pruner *w, plan *p, bool *need, plan **out, uint32_t *map)
{
    uint32_t n = 0;
    const expr **exprs;
    span *names;
    bool *kept;

    TRY(arena_alloc(w->a, p->n * sizeof *kept + 1, (void **)&kept, w->err));
    memcpy(kept, need, p->n * sizeof *kept);
    TRY(prune(w, p, need, out, map));
    TRY(arena_alloc(w->a, p->n * sizeof *exprs + 1, (void **)&exprs, w->err));
    TRY(arena_alloc(w->a, p->n * sizeof *names + 1, (void **)&names, w->err));
    for (uint32_t c = 0; c < p->n; c++) {
        if (!kept[c]) {
            map[c] = GONE;
            continue;
        }
        names[n] = p->columns[c].name;
        TRY(expr_column(w->a, map[c], &p->columns[c].type, &exprs[n], w->err));
        map[c] = n++;
    }
    return n == (*out)->n ? NRW_OK : plan_project(w->a, *out, exprs, names, n, out, w->err);
}

/* What is kept has no columns for nothing: the right side, the left one where it may be turned. */
static nrw_status prune_join(pruner *w, plan *p, const bool *need, plan **out, uint32_t *map)
{
    uint32_t nl = p->left->n, nr = p->right->n, *from, n = 0;
    bool both = p->join != JOIN_SEMI && p->join != JOIN_ANTI && p->join != JOIN_MARK;
    bool turns = !both || p->join == JOIN_LEFT;
    plan *left, *right;
    uint32_t *lk, *rk;
    bool *below;

    TRY(sides(w, nl + nr, &below, &from));
    for (uint32_t c = 0; c < (both ? nl + nr : nl); c++)
        below[c] = need[c];
    for (uint32_t k = 0; k < p->n_join_keys; k++)
        below[p->left_keys[k]] = below[nl + p->right_keys[k]] = true;
    if (p->condition)
        expr_columns(p->condition, mark, below);
    if (turns)
        TRY(exactly(w, p->left, below, &left, from));
    else
        TRY(prune(w, p->left, below, &left, from));
    TRY(exactly(w, p->right, below + nl, &right, from + nl));
    for (uint32_t c = nl; c < nl + nr; c++)
        from[c] = from[c] == GONE ? GONE : from[c] + left->n;
    n = left->n + (both ? right->n : p->join == JOIN_MARK);
    TRY(copy_of(w, p, n, left, right, out));
    memcpy((*out)->columns, left->columns, left->n * sizeof *left->columns);
    if (both)
        memcpy((*out)->columns + left->n, right->columns, right->n * sizeof *right->columns);
    else if (p->join == JOIN_MARK)
        (*out)->columns[left->n] = p->columns[nl];
    for (uint32_t c = 0; c < p->n; c++)
        map[c] = c < nl || both ? from[c] : left->n;
    if (p->condition)
        TRY(renumber(w, &(*out)->condition, from));
    TRY(arena_alloc(w->a, p->n_join_keys * sizeof *lk + 1, (void **)&lk, w->err));
    TRY(arena_alloc(w->a, p->n_join_keys * sizeof *rk + 1, (void **)&rk, w->err));
    for (uint32_t k = 0; k < p->n_join_keys; k++) {
        lk[k] = from[p->left_keys[k]];
        rk[k] = from[nl + p->right_keys[k]] - left->n;
    }
    (*out)->left_keys = lk;
    (*out)->right_keys = rk;
    return NRW_OK;
}

static nrw_status prune_union(pruner *w, plan *p, bool *need, plan **out, uint32_t *map)
{
    plan *left, *right;
    bool *again;

    TRY(arena_alloc(w->a, p->n * sizeof *again + 1, (void **)&again, w->err));
    memcpy(again, need, p->n * sizeof *again);
    TRY(exactly(w, p->left, need, &left, map));
    TRY(exactly(w, p->right, again, &right, map));
    TRY(copy_of(w, p, left->n, left, right, out));
    memcpy((*out)->columns, left->columns, left->n * sizeof *left->columns);
    return NRW_OK;
}

static nrw_status one_column(pruner *w, plan **p)
{
    const expr **exprs;

    TRY(arena_alloc(w->a, sizeof *exprs, (void **)&exprs, w->err));
    TRY(expr_bool(w->a, true, &exprs[0], w->err));
    return plan_project(w->a, *p, exprs, NULL, 1, p, w->err);
}

static nrw_status prune_window(pruner *w, plan *p, const bool *need, plan **out, uint32_t *map)
{
    uint32_t n_left = p->left->n, *from;
    window_call *calls;
    bool *below;
    plan *left;

    TRY(sides(w, n_left, &below, &from));
    memcpy(below, need, n_left * sizeof *below);
    for (uint32_t i = 0; i < p->n_windows; i++) {
        const window_call *x = &p->windows[i];
        for (uint32_t k = 0; k < x->n_partition; k++)
            below[x->partition[k]] = true;
        for (uint32_t k = 0; k < x->n_orders; k++)
            below[x->orders[k].column] = true;
        for (uint32_t k = 0; k < 3 && x->kind != WINDOW_AGGREGATE; k++)
            if (k < x->n_args)
                below[x->args[k]] = true;
        if (x->kind == WINDOW_AGGREGATE)
            mark_aggregate(&x->aggregate, below);
    }
    TRY(prune(w, p->left, below, &left, from));
    if (left->n == 0)
        TRY(one_column(w, &left)); /* rows are gathered by what they hold */
    TRY(copy_of(w, p, left->n + p->n_windows, left, NULL, out));
    memcpy((*out)->columns, left->columns, left->n * sizeof *left->columns);
    TRY(arena_alloc(w->a, p->n_windows * sizeof *calls + 1, (void **)&calls, w->err));
    for (uint32_t i = 0; i < p->n_windows; i++) {
        window_call *x = &calls[i];
        uint32_t *partition;
        sort_order *orders;
        *x = p->windows[i];
        TRY(arena_alloc(w->a, x->n_partition * sizeof *partition + 1, (void **)&partition, w->err));
        TRY(arena_alloc(w->a, x->n_orders * sizeof *orders + 1, (void **)&orders, w->err));
        for (uint32_t k = 0; k < x->n_partition; k++)
            partition[k] = from[x->partition[k]];
        for (uint32_t k = 0; k < x->n_orders; k++) {
            orders[k] = x->orders[k];
            orders[k].column = from[x->orders[k].column];
        }
        for (uint32_t k = 0; k < 3 && x->kind != WINDOW_AGGREGATE; k++)
            if (k < x->n_args)
                x->args[k] = from[x->args[k]];
        if (x->kind == WINDOW_AGGREGATE)
            TRY(prune_aggregate(w, &x->aggregate, from));
        x->partition = partition;
        x->orders = orders;
        (*out)->columns[left->n + i] = p->columns[n_left + i];
        map[n_left + i] = left->n + i;
    }
    (*out)->windows = calls;
    memcpy(map, from, n_left * sizeof *map);
    return NRW_OK;
}

static nrw_status prune(pruner *w, plan *p, bool *need, plan **out, uint32_t *map)
{
    switch (p->kind) {
    case PLAN_SCAN: return prune_scan(w, p, need, out, map);
    case PLAN_VALUES: return prune_values(w, p, need, out, map);
    case PLAN_RANGE:
        map[0] = 0;
        *out = p;
        return NRW_OK;
    case PLAN_PROJECT: return prune_project(w, p, need, out, map);
    case PLAN_GROUP: return prune_group(w, p, need, out, map);
    case PLAN_JOIN: return prune_join(w, p, need, out, map);
    case PLAN_UNION: return prune_union(w, p, need, out, map);
    case PLAN_WINDOW: return prune_window(w, p, need, out, map);
    default: return prune_rows(w, p, need, out, map);
    }
}

nrw_status plan_prune(arena *a, plan **p, nrw_error *err)
{
    pruner w = {a, err};
    uint32_t *map;
    bool *need;

    TRY(sides(&w, (*p)->n, &need, &map));
    memset(need, true, (*p)->n);
    return exactly(&w, *p, need, p, map);
}
