/* Which stages a step takes memory in, as compile.c will make them: beforehand, for the plan. */
#include "sql/compile.h"
#include "sql/estimate.h"

/* The branches that lead up from e end in stage s. */
static void ends_in(plan_estimate *e, uint32_t s)
{
    const plan *p = e->of;

    e->to = s;
    if (p->kind == PLAN_SCAN || p->kind == PLAN_FIRST || (p->kind == PLAN_GROUP && p->marks))
        e->from = s;
    if (p->kind == PLAN_SORT || p->kind == PLAN_WINDOW || (p->kind == PLAN_GROUP && !p->marks))
        return; /* what is below has ended there */
    if (e->left)
        ends_in(e->left, s);
    if (p->kind == PLAN_UNION)
        ends_in(e->right, s);
}

static void number(plan_estimate *e, uint32_t *n)
{
    const plan *p = e->of;

    if (p->kind == PLAN_JOIN) {
        number(e->right, n);
        e->from = *n;
        ends_in(e->right, (*n)++);
    }
    if (e->left)
        number(e->left, n);
    if (p->kind == PLAN_UNION)
        number(e->right, n);
    if (p->kind == PLAN_SORT || p->kind == PLAN_WINDOW || (p->kind == PLAN_GROUP && !p->marks)) {
        e->from = *n;
        ends_in(e->left, *n);
        *n += plan_gatherers(p);
    }
}

uint32_t plan_stages(plan_estimate *e)
{
    uint32_t n = 0;

    number(e, &n);
    ends_in(e, n);
    return n + 1;
}
