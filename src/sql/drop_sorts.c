/* Sorts whose order nobody sees are dropped: those below groups whose aggregates do not look at it,
 * and of what is only looked up (semi, anti and mark joins). Ties keep the order they came in, so
 * below another sort, a window or a limit an order is seen. And those by what rows of a window are
 * in order of anyway: its partition, then its order. */
#include "sql/bind_own.h"

static bool any_changes(const plan *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->exprs[i]->changes)
            return true;
    return false;
}

static bool aggregates_look(const plan *p)
{
    for (uint32_t k = 0; k < p->n_aggregates; k++)
        if (!(p->aggregates[k].class->traits & AGG_UNPLACED))
            return true;
    return false;
}

bool plan_sees(const plan *p, bool right, bool seen)
{
    switch (p->kind) {
    case PLAN_GROUP: return aggregates_look(p);
    case PLAN_FILTER: return seen || p->exprs[0]->changes;
    case PLAN_PROJECT: return seen || any_changes(p);
    case PLAN_UNION: return seen;
    case PLAN_JOIN:
        return seen &&
               !(right && (p->join == JOIN_SEMI || p->join == JOIN_ANTI || p->join == JOIN_MARK));
    default: return true;
    }
}

/* The window below that gives rows in the order it has them in, and what *column is of it; NULL:
 * there is none. */
static const plan *window_below(const plan *p, uint32_t *column)
{
    for (; p->kind != PLAN_WINDOW; p = p->left) {
        if (p->kind == PLAN_PROJECT && p->exprs[*column]->kind == EXPR_COLUMN)
            *column = p->exprs[*column]->column;
        else if (p->kind != PLAN_FILTER)
            return NULL;
    }
    for (uint32_t i = 1; i < p->n_windows; i++)
        if (!window_same_keys(&p->windows[0], &p->windows[i]))
            return NULL;
    return p;
}

/* Key k of the window's rows. */
static sort_order window_key(const window_call *w, uint32_t k)
{
    if (k < w->n_partition)
        return (sort_order){.column = w->partition[k]};
    return w->orders[k - w->n_partition];
}

static bool is_sorted(const plan *p)
{
    for (uint32_t k = 0; k < p->n_orders; k++) {
        sort_order o = p->orders[k], key;
        const plan *w = window_below(p->left, &o.column);
        if (!w || k >= w->windows[0].n_partition + w->windows[0].n_orders)
            return false;
        key = window_key(&w->windows[0], k);
        if (key.column != o.column || key.descending != o.descending ||
            key.nulls_first != o.nulls_first)
            return false;
    }
    return true;
}

static void drop_sorts(plan **p, bool seen)
{
    while ((*p)->kind == PLAN_SORT && (*p)->limit == UINT64_MAX && (!seen || is_sorted(*p)))
        *p = (*p)->left;
    if ((*p)->left)
        drop_sorts(&(*p)->left, plan_sees(*p, false, seen));
    if ((*p)->right)
        drop_sorts(&(*p)->right, plan_sees(*p, true, seen));
}

void plan_drop_sorts(plan **p)
{
    drop_sorts(p, true);
}
