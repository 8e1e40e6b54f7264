/* A plan once more, for where its rows are needed twice; and what plans look at outside. */
#include "sql/bind_own.h"

#define MAX_PLAN 4000u /* relations: subqueries in one another copy what is around them */

typedef struct copying {
    arena *a;
    uint32_t (*number)(void *self, uint32_t c);
    void *self;
    uint32_t left; /* relations that may still be copied */
    nrw_error *err;
} copying;

static void see_outer(void *self, uint32_t c)
{
    if (c >= OUTER_BASE)
        *(bool *)self = true;
}

bool expr_looks_out(const expr *e)
{
    bool out = false;

    expr_columns(e, see_outer, &out);
    return out;
}

static uint64_t plan_exprs(const plan *p)
{
    switch (p->kind) {
    case PLAN_PROJECT: return p->n;
    case PLAN_FILTER: return 1;
    case PLAN_VALUES: return p->n * p->n_rows;
    default: return 0;
    }
}

void plan_see(const plan *p, void (*see)(void *self, const expr *e), void *self)
{
    uint64_t n;

    if (!p)
        return;
    n = plan_exprs(p);
    for (uint64_t i = 0; i < n; i++)
        see(self, p->exprs[i]);
    if (p->kind == PLAN_JOIN && p->condition)
        see(self, p->condition);
    plan_see(p->left, see, self);
    plan_see(p->right, see, self);
}

static void see_expr(void *self, const expr *e)
{
    *(bool *)self |= expr_looks_out(e);
}

bool plan_looks_out(const plan *p)
{
    bool out = false;

    plan_see(p, see_expr, &out);
    return out;
}

static nrw_status copy_expr(const copying *w, const expr **e)
{
    return w->number ? expr_renumber(w->a, *e, w->number, w->self, e, w->err) : NRW_OK;
}

static nrw_status copy_windows(const copying *w, plan *p)
{
    const window_call *from = p->windows;

    TRY(arena_alloc(w->a, p->n_windows * sizeof *from + 1, (void **)&p->windows, w->err));
    for (uint32_t i = 0; i < p->n_windows; i++)
        p->windows[i] = from[i];
    return NRW_OK;
}

static nrw_status copy(copying *w, const plan *p, plan **out)
{
    plan_column *columns;
    uint64_t n;
    plan *to;

    *out = NULL;
    if (!p)
        return NRW_OK;
    if (w->left-- == 0)
        return err_set(w->err, NRW_E_ARG,
                       "subqueries in one another make this query too large; write it as joins");
    TRY(plan_new(w->a, p->kind, p->n, NULL, NULL, &to, w->err));
    n = plan_exprs(p);
    columns = to->columns;
    *to = *p;
    to->columns = columns;
    memcpy(to->columns, p->columns, p->n * sizeof *columns);
    if (n) {
        TRY(arena_alloc(w->a, n * sizeof *to->exprs, (void **)&to->exprs, w->err));
        for (uint64_t i = 0; i < n; i++) {
            to->exprs[i] = p->exprs[i];
            TRY(copy_expr(w, &to->exprs[i]));
        }
    }
    if (p->condition)
        TRY(copy_expr(w, &to->condition));
    TRY(copy_windows(w, to));
    TRY(copy(w, p->left, &to->left));
    TRY(copy(w, p->right, &to->right));
    *out = to;
    return NRW_OK;
}

nrw_status plan_renumbered(arena *a, const plan *p, uint32_t (*number)(void *self, uint32_t c),
                           void *self, plan **out, nrw_error *err)
{
    copying w = {a, number, self, MAX_PLAN, err};

    return copy(&w, p, out);
}

static void see_change(void *self, const expr *e)
{
    *(bool *)self |= e->changes;
    for (uint32_t i = 0; i < e->n_args; i++)
        see_change(self, e->args[i]);
}

nrw_status plan_copy(arena *a, const plan *p, plan **out, nrw_error *err)
{
    bool changes = false;

    plan_see(p, see_change, &changes);
    if (changes)
        return err_set(err, NRW_E_ARG,
                       "a subquery that looks at columns beside random values is not supported");
    return plan_renumbered(a, p, NULL, NULL, out, err);
}
