/* Common sub-expressions. What is shared was evaluated before, for all rows: so nothing fails that
 * would not have failed already, whether it stands in a CASE or not. */
#include "expr/scalar.h"

static bool is_computed(const expr *e)
{
    return e->kind != EXPR_COLUMN && e->kind != EXPR_CONSTANT && !e->changes;
}

static bool is_known(const expr *e, const expr *const *known, uint32_t n, uint32_t *at)
{
    for (*at = 0; is_computed(e) && *at < n; ++*at)
        if (is_computed(known[*at]) && expr_equal(e, known[*at]))
            return true;
    return false;
}

nrw_status expr_share(arena *a, const expr *e, const expr *const *known, uint32_t n, uint32_t first,
                      const expr **out, nrw_error *err)
{
    const expr **args;
    expr *copy;
    uint32_t at;
    bool same = true;
    void *p;

    *out = e;
    if (is_known(e, known, n, &at))
        return expr_column(a, first + at, &e->type, out, err);
    if (e->n_args == 0)
        return NRW_OK;
    TRY(arena_alloc(a, sizeof *copy + e->n_args * sizeof *args, &p, err));
    copy = p;
    args = (const expr **)(void *)(copy + 1);
    for (uint32_t i = 0; i < e->n_args; i++) {
        TRY(expr_share(a, e->args[i], known, n, first, &args[i], err));
        same &= args[i] == e->args[i];
    }
    *copy = *e;
    copy->args = args;
    *out = same ? e : copy;
    return NRW_OK;
}
