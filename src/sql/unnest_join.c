/* The domain of a subquery in its joins: on the side that keeps its rows, and on any that looks
 * outside. */
#include "sql/unnest.h"

typedef struct sides {
    bool left, right;         /* has the domain */
    uint32_t n_left, n_right; /* columns without it */
} sides;

static sides sides_of(const plan *j)
{
    bool l = plan_looks_out(j->left), r = plan_looks_out(j->right);
    sides s = {l, r, j->left->n, j->right->n};

    switch (j->join) {
    case JOIN_INNER: s.left = l || !r; break;
    case JOIN_RIGHT: s.right = true; break;
    case JOIN_FULL: s.left = s.right = true; break;
    default: s.left = true; break;
    }
    return s;
}

typedef struct joining {
    const domain *d;
    sides s;
} joining;

static uint32_t joined(void *self, uint32_t c)
{
    const joining *w = self;
    uint32_t n_left = w->s.n_left, more = w->s.left ? w->d->n : 0;

    if (c >= OUTER_BASE)
        return n_left + (w->s.left ? 0 : w->s.n_right) + w->d->place[c - OUTER_BASE];
    return c < n_left ? c : c + more;
}

/* Both sides have the domain: they meet where it is the same. */
static nrw_status match_sides(const domain *d, const sides *s, const expr **on, nrw_error *err)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const expr *args[2], *same;
        TRY(expr_column(d->a, s->n_left + i, &d->refs[i]->type, &args[0], err));
        TRY(expr_column(d->a, s->n_left + d->n + s->n_right + i, &d->refs[i]->type, &args[1], err));
        TRY(expr_call(d->a, "is not distinct from", args, NULL, 2, &same, err));
        TRY(expr_and(d->a, *on, same, on, err));
    }
    return NRW_OK;
}

/* The columns of `like`, then the domain. */
static nrw_status in_order(const domain *d, const sides *s, plan *j, const plan *like, plan **out,
                           nrw_error *err)
{
    bool both = like->n == s->n_left + s->n_right;
    uint32_t n = like->n, more = s->left ? d->n : 0;
    const expr **exprs;
    span *names;

    TRY(arena_alloc(d->a, (n + d->n) * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(d->a, (n + d->n) * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        uint32_t from = c < s->n_left ? c : c + more;
        names[c] = like->columns[c].name;
        TRY(expr_column(d->a, from, &j->columns[from].type, &exprs[c], err));
    }
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t l = s->n_left + i, r = s->n_left + more + s->n_right + i;
        const type *t = &d->refs[i]->type;
        bool full = like->join == JOIN_FULL, right = !s->left || like->join == JOIN_RIGHT;
        const expr *args[2];
        TRY(expr_column(d->a, right && both ? r : l, t, &exprs[n + i], err));
        if (!full)
            continue;
        args[0] = exprs[n + i];
        TRY(expr_column(d->a, r, t, &args[1], err));
        TRY(expr_call(d->a, "coalesce", args, NULL, 2, &exprs[n + i], err));
    }
    return plan_project(d->a, j, exprs, names, n + d->n, out, err);
}

nrw_status unnest_join(const domain *d, plan **p, nrw_error *err)
{
    plan *j = *p, *left = j->left, *right = j->right, *made;
    joining w = {d, sides_of(j)};
    const expr *on = j->condition;

    if (w.s.left)
        TRY(unnest(d, &left, err));
    if (w.s.right)
        TRY(unnest(d, &right, err));
    if (on)
        TRY(expr_renumber(d->a, on, joined, &w, &on, err));
    if (w.s.left && w.s.right) {
        if (on && j->in_nulls) /* a null leaves it open only where the domain is the same */
            TRY(expr_not_a_key(d->a, on, &on, err));
        TRY(match_sides(d, &w.s, &on, err));
    }
    TRY(plan_join(d->a, j->join, left, right, on, &made, err));
    made->n_join_keys = j->n_join_keys;
    made->left_keys = j->left_keys;
    made->right_keys = j->right_keys;
    made->null_equal = j->null_equal;
    made->in_nulls = j->in_nulls;
    return in_order(d, &w.s, made, j, p, err);
}
