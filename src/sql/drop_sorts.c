/* Sorts whose order nobody sees are dropped: those below groups whose aggregates do not look at it,
 * and of what is only looked up (semi, anti and mark joins). Ties keep the order they came in, so
 * below another sort, a window or a limit an order is seen. */
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

static void drop_sorts(plan **p, bool seen)
{
    while ((*p)->kind == PLAN_SORT && !seen && (*p)->limit == UINT64_MAX)
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
