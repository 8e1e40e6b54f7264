/* Conditions taken apart. */
#include "sql/bind_own.h"

static bool among(const conjuncts *c, const expr *e)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (expr_equal(c->at[i], e))
            return true;
    return false;
}

/* (a AND b) OR (a AND c) as a, which is added to out, and (b OR c), *rest; NULL: a alone is left.
 */
static nrw_status take_common(arena *a, const expr *e, conjuncts *out, const expr **rest,
                              nrw_error *err)
{
    conjuncts *branches, common = {0};

    *rest = e;
    TRY(arena_alloc(a, e->n_args * sizeof *branches, (void **)&branches, err));
    for (uint32_t i = 0; i < e->n_args; i++) {
        branches[i] = (conjuncts){0};
        TRY(conjuncts_split(a, e->args[i], &branches[i], err));
    }
    for (uint32_t k = 0; k < branches[0].n; k++) {
        bool all = !branches[0].at[k]->changes;
        for (uint32_t i = 1; i < e->n_args; i++)
            all &= among(&branches[i], branches[0].at[k]);
        if (all)
            LIST_ADD(a, common.at, common.n, common.cap, branches[0].at[k], err);
    }
    if (common.n == 0)
        return NRW_OK;
    for (uint32_t k = 0; k < common.n; k++)
        LIST_ADD(a, out->at, out->n, out->cap, common.at[k], err);
    *rest = NULL;
    for (uint32_t i = 0; i < e->n_args; i++) {
        const expr *left = NULL;
        for (uint32_t k = 0; k < branches[i].n; k++)
            if (!among(&common, branches[i].at[k]))
                TRY(expr_and(a, left, branches[i].at[k], &left, err));
        if (!left) {
            *rest = NULL;
            return NRW_OK;
        }
        TRY(expr_or(a, *rest, left, rest, err));
    }
    return NRW_OK;
}

nrw_status conjuncts_split(arena *a, const expr *e, conjuncts *out, nrw_error *err)
{
    if (e->kind == EXPR_AND) {
        for (uint32_t i = 0; i < e->n_args; i++)
            TRY(conjuncts_split(a, e->args[i], out, err));
        return NRW_OK;
    }
    if (e->kind == EXPR_OR && !e->changes)
        TRY(take_common(a, e, out, &e, err));
    if (e)
        LIST_ADD(a, out->at, out->n, out->cap, e, err);
    return NRW_OK;
}
