/* What a subquery looks at outside of itself is pulled up out of its filters until it stands on
 * top; an aggregate on the way gets the column it is compared with as a key. */
#include "sql/bind_own.h"

static nrw_status refuse(nrw_error *err)
{
    return err_set(err, NRW_E_ARG, "the subquery looks outside of itself in more than conditions");
}

/* ---- pulling up; conditions are over the columns of *p ---- */

static nrw_status pull_filter(arena *a, plan **p, conjuncts *up, nrw_error *err)
{
    plan *f = *p, *left = f->left;
    conjuncts mine = {0};
    const expr *rest = NULL;

    TRY(plan_pull(a, &left, false, up, err));
    TRY(conjuncts_split(a, f->exprs[0], &mine, err));
    for (uint32_t i = 0; i < mine.n; i++)
        if (expr_looks_out(mine.at[i]))
            LIST_ADD(a, up->at, up->n, up->cap, mine.at[i], err);
        else
            TRY(expr_and(a, rest, mine.at[i], &rest, err));
    *p = left;
    return rest ? plan_filter(a, left, rest, p, err) : NRW_OK;
}

/* A column of the relation below, and where it comes out of the project. */
typedef struct passing {
    arena *a;
    plan *from;
    const expr **exprs;
    uint32_t n, cap;
    nrw_status st;
    nrw_error *err;
} passing;

static uint32_t pass_column(void *self, uint32_t c)
{
    passing *w = self;
    const expr *e;
    void *p = w->exprs;

    if (c >= OUTER_BASE || w->st < 0)
        return c;
    for (uint32_t i = 0; i < w->n; i++)
        if (w->exprs[i]->kind == EXPR_COLUMN && w->exprs[i]->column == c)
            return i;
    w->st = expr_column(w->a, c, &w->from->columns[c].type, &e, w->err);
    if (w->st >= 0 && w->n == w->cap) {
        w->cap = w->cap * 2 + 8;
        w->st = arena_alloc(w->a, w->cap * sizeof *w->exprs, &p, w->err);
        if (w->st >= 0) {
            if (w->n)
                memcpy(p, w->exprs, w->n * sizeof *w->exprs);
            w->exprs = p;
        }
    }
    if (w->st < 0)
        return c;
    w->exprs[w->n] = e;
    return w->n++;
}

/* The conditions over what `exprs` make of `from`, which grows by what they need. */
static nrw_status pass_all(arena *a, plan *from, const expr ***exprs, uint32_t *n, conjuncts *up,
                           nrw_error *err)
{
    passing w = {a, from, *exprs, *n, *n, NRW_OK, err};

    for (uint32_t i = 0; i < up->n; i++) {
        TRY(expr_renumber(a, up->at[i], pass_column, &w, &up->at[i], err));
        TRY(w.st);
    }
    *exprs = w.exprs;
    *n = w.n;
    return NRW_OK;
}

static nrw_status pull_project(arena *a, plan **p, bool lone, conjuncts *up, nrw_error *err)
{
    plan *f = *p, *left = f->left;
    const expr **exprs = f->exprs;
    span *names;
    uint32_t n = f->n;

    for (uint32_t i = 0; i < f->n; i++)
        if (expr_looks_out(f->exprs[i]))
            return refuse(err);
    TRY(plan_pull(a, &left, lone, up, err));
    TRY(pass_all(a, left, &exprs, &n, up, err));
    TRY(arena_alloc(a, n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t i = 0; i < f->n; i++)
        names[i] = f->columns[i].name;
    return plan_project(a, left, exprs, names, n, p, err);
}

/* Keys come first in a group: the columns of the old ones move. */
typedef struct moving {
    uint32_t keys, more;
} moving;

static uint32_t move_column(void *self, uint32_t c)
{
    const moving *m = self;

    return c >= OUTER_BASE || c < m->keys ? c : c + m->more;
}

bool pulled_is_equality(const expr *e)
{
    return e->kind == EXPR_CALL && e->n_args == 2 && expr_is_call(e, "=");
}

/* inner = outer: the inner side becomes a key; behind the group the condition is over that key.
 * The group's own columns keep their numbers: a project puts the new keys behind them. */
static nrw_status pull_group(arena *a, plan **p, bool lone, conjuncts *up, nrw_error *err)
{
    plan *g = *p, *left = g->left, *keyed, *grown;
    const expr **exprs, **outs;
    uint32_t n_keys = g->n_keys, more, at;
    span *names;
    aggregate *aggregates;

    if (n_keys == 0 && !lone)
        return refuse(err);
    TRY(plan_pull(a, &left, false, up, err));
    more = up->n;
    /* keys, new keys, then all that was there behind the keys */
    TRY(arena_alloc(a, (left->n + more) * sizeof *exprs + 1, (void **)&exprs, err));
    for (uint32_t c = 0; c < n_keys; c++)
        TRY(expr_column(a, c, &left->columns[c].type, &exprs[c], err));
    for (uint32_t i = 0; i < more; i++) {
        const expr *e = up->at[i], *inner, *outer, *key;
        const expr *sides[2];
        if (!pulled_is_equality(e))
            return refuse(err);
        inner = expr_looks_out(e->args[0]) ? e->args[1] : e->args[0];
        outer = expr_looks_out(e->args[0]) ? e->args[0] : e->args[1];
        if (expr_looks_out(inner))
            return refuse(err);
        exprs[n_keys + i] = inner;
        TRY(expr_column(a, g->n + i, &inner->type, &key, err));
        sides[0] = key;
        sides[1] = outer;
        TRY(expr_call(a, "=", sides, NULL, 2, &up->at[i], err));
    }
    at = n_keys + more;
    for (uint32_t c = n_keys; c < left->n; c++)
        TRY(expr_column(a, c, &left->columns[c].type, &exprs[at++], err));
    TRY(plan_project(a, left, exprs, NULL, at, &keyed, err));
    TRY(plan_new(a, PLAN_GROUP, g->n + more, keyed, NULL, &grown, err));
    grown->n_keys = n_keys + more;
    grown->n_aggregates = g->n_aggregates;
    TRY(arena_alloc(a, g->n_aggregates * sizeof *aggregates + 1, (void **)&aggregates, err));
    memcpy(aggregates, g->aggregates, g->n_aggregates * sizeof *aggregates);
    for (uint32_t k = 0; k < g->n_aggregates; k++) {
        moving m = {n_keys, more};
        for (uint32_t i = 0; i < aggregates[k].n_args; i++)
            TRY(expr_renumber(a, aggregates[k].args[i], move_column, &m, &aggregates[k].args[i],
                              err));
        if (aggregates[k].filter)
            TRY(expr_renumber(a, aggregates[k].filter, move_column, &m, &aggregates[k].filter,
                              err));
    }
    grown->aggregates = aggregates;
    for (uint32_t c = 0; c < grown->n; c++)
        grown->columns[c].type =
            c < n_keys + more ? exprs[c]->type : aggregates[c - n_keys - more].result;
    TRY(arena_alloc(a, grown->n * sizeof *outs, (void **)&outs, err));
    TRY(arena_alloc(a, grown->n * sizeof *names, (void **)&names, err));
    for (uint32_t c = 0; c < grown->n; c++) {
        uint32_t from = c < n_keys ? c : c < g->n ? c + more : n_keys + (c - g->n);
        names[c] = c < g->n ? g->columns[c].name : (span){0};
        TRY(expr_column(a, from, &grown->columns[from].type, &outs[c], err));
    }
    return plan_project(a, grown, outs, names, grown->n, p, err);
}

typedef struct shifting {
    uint32_t by;
} shifting;

static uint32_t shift_column(void *self, uint32_t c)
{
    return c >= OUTER_BASE ? c : c + ((const shifting *)self)->by;
}

static nrw_status pull_join(arena *a, plan **p, conjuncts *up, nrw_error *err)
{
    plan *j = *p, *left = j->left, *right = j->right;
    conjuncts theirs = {0}, mine = {0};
    const expr *rest = NULL;
    shifting by;
    uint32_t n_left = left->n;

    if (j->join != JOIN_INNER)
        return refuse(err);
    TRY(plan_pull(a, &left, false, up, err));
    TRY(plan_pull(a, &right, false, &theirs, err));
    if (left->n != n_left)
        return refuse(err); /* the right side's columns would move */
    by.by = n_left;
    for (uint32_t i = 0; i < theirs.n; i++) {
        TRY(expr_renumber(a, theirs.at[i], shift_column, &by, &theirs.at[i], err));
        LIST_ADD(a, up->at, up->n, up->cap, theirs.at[i], err);
    }
    if (j->condition)
        TRY(conjuncts_split(a, j->condition, &mine, err));
    for (uint32_t i = 0; i < mine.n; i++)
        if (expr_looks_out(mine.at[i]))
            LIST_ADD(a, up->at, up->n, up->cap, mine.at[i], err);
        else
            TRY(expr_and(a, rest, mine.at[i], &rest, err));
    return plan_join(a, JOIN_INNER, left, right, rest, p, err);
}

nrw_status plan_pull(arena *a, plan **p, bool lone, conjuncts *up, nrw_error *err)
{
    if (!plan_looks_out(*p))
        return NRW_OK;
    switch ((*p)->kind) {
    case PLAN_FILTER: return pull_filter(a, p, up, err);
    case PLAN_PROJECT: return pull_project(a, p, lone, up, err);
    case PLAN_GROUP: return pull_group(a, p, lone, up, err);
    case PLAN_JOIN: return pull_join(a, p, up, err);
    default: return refuse(err);
    }
}
