/* How many groups may be asked for by a sum or by how many rows they have: a group of which more
 * than so much is asked has some rows for it, and there are no more rows than there are. */
#include "exec/room.h"
#include "sql/estimate.h"

#include <math.h>

/* A whole number or a decimal of at most 16 bytes. */
static bool number_of(const type *t, span v, double *out)
{
    const bool decimal = t->id == TYPE_DECIMAL;
    __int128 x = 0;

    if ((!decimal && !(t->id >= TYPE_INT8 && t->id <= TYPE_INT128)) || t->width > sizeof x ||
        v.len != t->width)
        return false;
    memcpy(&x, v.data, v.len);
    x = (__int128)((unsigned __int128)x << (128 - 8 * t->width)) >> (128 - 8 * t->width);
    *out = decimal ? (double)x / pow(10, t->scale) : (double)x;
    return true;
}

/* The group that column *c of e comes from, as it is; *c becomes its column. NULL: it does not. */
static const plan_estimate *group_of(const plan_estimate *e, uint32_t *c)
{
    for (; e->of->kind == PLAN_PROJECT || e->of->kind == PLAN_FILTER; e = e->left) {
        const expr *x = e->of->kind == PLAN_PROJECT ? e->of->exprs[*c] : NULL;
        if (x && x->kind != EXPR_COLUMN)
            return NULL;
        *c = x ? x->column : *c;
    }
    return e->of->kind == PLAN_GROUP && *c >= e->of->n_keys ? e : NULL;
}

/* The most that a row adds to an aggregate; 0: nobody knows. */
static double most_of_a_row(const plan_estimate *g, const aggregate *x)
{
    const expr *arg = x->n_args == 1 ? plan_same_number(x->args[0]) : NULL;
    const value_bounds *b;

    if (aggregate_has_name(x, "count"))
        return 1;
    if (!aggregate_has_name(x, "sum") || !arg || arg->kind != EXPR_COLUMN)
        return 0;
    b = &g->left->bounds[arg->column];
    if (!b->known || b->greatest <= 0)
        return 0;
    return (double)b->greatest / (arg->type.id == TYPE_DECIMAL ? pow(10, arg->type.scale) : 1);
}

/* Groups of which a value more than some number, or as much, is asked. */
static uint64_t groups_above(const plan_estimate *e, const expr *value, const expr *than)
{
    const plan_estimate *g;
    uint32_t c;
    double number, row, most;

    if (value->kind != EXPR_COLUMN || than->kind != EXPR_CONSTANT || than->constant->null_count ||
        !number_of(&than->type, flat_span(than->constant, 0), &number) || number <= 0)
        return UNKNOWN;
    c = value->column;
    g = group_of(e, &c);
    if (!g || g->left->most == UNKNOWN)
        return UNKNOWN;
    row = most_of_a_row(g, &g->of->aggregates[c - g->of->n_keys]);
    most = (double)g->left->most * (row / number);
    return row > 0 && most < (double)(UINT64_MAX / 2) ? (uint64_t)most + 1 : UNKNOWN;
}

uint64_t plan_groups_asked(const plan_estimate *e, const expr *on)
{
    uint64_t most = UNKNOWN;

    if (on->kind == EXPR_AND)
        for (uint32_t i = 0; i < on->n_args; i++)
            most = room_at_most(plan_groups_asked(e, on->args[i]), most);
    if (expr_is_call(on, ">") || expr_is_call(on, ">="))
        most = groups_above(e, on->args[0], on->args[1]);
    if (expr_is_call(on, "<") || expr_is_call(on, "<="))
        most = groups_above(e, on->args[1], on->args[0]);
    return most;
}
