#include "sql/bind_own.h"

#define KEPT_EQUAL   0.05
#define KEPT_ORDERED 0.3
#define KEPT_OTHER   0.5

double expr_kept(const expr *e)
{
    double kept = e->kind == EXPR_AND ? 1 : 0;

    if (e->kind == EXPR_AND || e->kind == EXPR_OR) {
        for (uint32_t i = 0; i < e->n_args; i++)
            kept =
                e->kind == EXPR_AND ? kept * expr_kept(e->args[i]) : kept + expr_kept(e->args[i]);
        return kept < 1 ? kept : 1;
    }
    if (expr_is_call(e, "=") || expr_is_call(e, "is null") || expr_is_call(e, "~~"))
        return KEPT_EQUAL;
    if (expr_is_call(e, "in")) {
        kept = KEPT_EQUAL * (e->n_args ? e->n_args - 1 : 1);
        return kept < KEPT_OTHER ? kept : KEPT_OTHER;
    }
    if (expr_is_call(e, "<") || expr_is_call(e, ">") || expr_is_call(e, "<=") ||
        expr_is_call(e, ">="))
        return KEPT_ORDERED;
    return KEPT_OTHER;
}
