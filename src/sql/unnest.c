/* A subquery that looks at columns outside of itself, as a plan that does not: it is answered for
 * every combination of values that those columns have (the domain), at once. The domain goes down
 * through the subquery's plan to the relations that need it, and its columns come up again behind
 * theirs; a join with the rows outside then gives each row its answer.
 *
 * Source: T. Neumann, A. Kemper: "Unnesting Arbitrary Queries" (BTW 2015). */
#include "sql/unnest.h"

/* ---- frames ---- */

static void see_window(void *self, uint32_t c)
{
    if (c >= WINDOW_BASE && c < OUTER_BASE)
        *(bool *)self = true;
}

nrw_status frame_ref(arena *a, frame *f, const expr *theirs, const expr **out, nrw_error *err)
{
    bool window = false;
    uint32_t i;

    *out = NULL;
    expr_columns(theirs, see_window, &window);
    if (window) /* it is computed behind the subqueries */
        return NRW_OK;
    for (i = 0; i < f->n; i++)
        if (expr_equal(f->refs[i], theirs))
            break;
    if (i == f->n)
        LIST_ADD(a, f->refs, f->n, f->cap, theirs, err);
    return expr_column(a, OUTER_BASE + i, &theirs->type, out, err);
}

/* Column OUTER_BASE + i of frame `from`, looked at in a subquery further inside. */
static nrw_status lift(arena *a, const frame *from, frame *to, uint32_t i, const expr **out,
                       nrw_error *err)
{
    if (to == from)
        return expr_column(a, OUTER_BASE + i, &from->refs[i]->type, out, err);
    TRY(lift(a, from, to->outer->frame, i, out, err));
    return frame_ref(a, to, *out, out, err);
}

static uint32_t lifted(void *self, uint32_t c)
{
    const expr *const *at = self;

    return c >= OUTER_BASE ? at[c - OUTER_BASE]->column : c;
}

nrw_status frame_lift(arena *a, const frame *from, frame *to, plan **p, nrw_error *err)
{
    const expr **at;

    if (!from || !plan_looks_out(*p))
        return NRW_OK;
    TRY(arena_alloc(a, from->n * sizeof *at + 1, (void **)&at, err));
    for (uint32_t i = 0; i < from->n; i++)
        TRY(lift(a, from, to, i, &at[i], err));
    return plan_renumbered(a, *p, lifted, at, p, err);
}

/* ---- the domain ---- */

static void see_used(void *self, uint32_t c)
{
    if (c >= OUTER_BASE)
        ((uint32_t *)self)[c - OUTER_BASE] = 1;
}

static void see_expr(void *self, const expr *e)
{
    expr_columns(e, see_used, self);
}

static void see_most(void *self, uint32_t c)
{
    uint32_t *most = self;

    if (c < OUTER_BASE && c > *most)
        *most = c;
}

/* Below joins that keep every left row the same values are found. */
static const plan *source_of(const plan *p, const domain *d)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < d->n; i++)
        expr_columns(d->refs[i], see_most, &most);
    while (p->kind == PLAN_JOIN && most < p->left->n &&
           (p->join == JOIN_LEFT || p->join == JOIN_SINGLE || p->join == JOIN_MARK))
        p = p->left;
    return p;
}

nrw_status domain_make(arena *a, const plan *outer, const expr *const *refs, uint32_t n,
                       const plan *inner, domain *d, nrw_error *err)
{
    const expr **exprs;
    plan *from;

    *d = (domain){.a = a};
    TRY(arena_alloc(a, n * sizeof *d->place + 1, (void **)&d->place, err));
    TRY(arena_alloc(a, n * sizeof *d->refs + 1, (void **)&d->refs, err));
    TRY(arena_alloc(a, n * sizeof *exprs + 1, (void **)&exprs, err));
    plan_see(inner, see_expr, d->place);
    for (uint32_t i = 0; i < n; i++)
        if (d->place[i]) {
            d->place[i] = d->n;
            exprs[d->n] = d->refs[d->n] = refs[i];
            d->n++;
        }
    TRY(plan_copy(a, source_of(outer, d), &from, err));
    TRY(plan_project(a, from, exprs, NULL, d->n, &from, err));
    return plan_distinct(a, from, &d->rows, err);
}

nrw_status domain_match(const domain *d, uint32_t base, const expr **on, nrw_error *err)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const expr *args[2] = {d->refs[i], NULL}, *same;
        TRY(expr_column(d->a, base + i, &d->refs[i]->type, &args[1], err));
        TRY(expr_call(d->a, "is not distinct from", args, NULL, 2, &same, err));
        TRY(expr_and(d->a, *on, same, on, err));
    }
    return NRW_OK;
}

/* ---- going down ---- */

/* Outer columns become those of the domain, which begin at `base`; columns from `from` on move. */
typedef struct settling {
    const domain *d;
    uint32_t base, from, more;
} settling;

static uint32_t settled(void *self, uint32_t c)
{
    const settling *s = self;

    if (c >= OUTER_BASE)
        return s->base + s->d->place[c - OUTER_BASE];
    return c < s->from ? c : c + s->more;
}

static nrw_status settle(const domain *d, uint32_t base, uint32_t from, uint32_t more,
                         const expr **e, nrw_error *err)
{
    settling s = {d, base, from, more};

    return expr_renumber(d->a, *e, settled, &s, e, err);
}

/* Columns of p by their numbers, under the names of `like` where it has them. */
static nrw_status pick(const domain *d, plan *p, const uint32_t *from, uint32_t n, const plan *like,
                       plan **out, nrw_error *err)
{
    const expr **exprs;
    span *names;

    TRY(arena_alloc(d->a, n * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(d->a, n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        names[c] = c < like->n ? like->columns[c].name : (span){0};
        TRY(expr_column(d->a, from[c], &p->columns[from[c]].type, &exprs[c], err));
    }
    return plan_project(d->a, p, exprs, names, n, out, err);
}

static nrw_status numbers(const domain *d, uint32_t n, uint32_t **out, nrw_error *err)
{
    TRY(arena_alloc(d->a, n * sizeof **out + 1, (void **)out, err));
    for (uint32_t c = 0; c < n; c++)
        (*out)[c] = c;
    return NRW_OK;
}

/* A relation that looks at nothing outside: every row with all of the domain. */
static nrw_status unnest_leaf(const domain *d, plan **p, nrw_error *err)
{
    plan *rows;

    TRY(plan_copy(d->a, d->rows, &rows, err));
    return plan_join(d->a, JOIN_INNER, *p, rows, NULL, p, err);
}

static nrw_status unnest_filter(const domain *d, plan **p, nrw_error *err)
{
    plan *left = (*p)->left;
    const expr *e = (*p)->exprs[0];
    uint32_t n = left->n;

    TRY(unnest(d, &left, err));
    TRY(settle(d, n, UINT32_MAX, 0, &e, err));
    return plan_filter(d->a, left, e, p, err);
}

static nrw_status unnest_project(const domain *d, plan **p, nrw_error *err)
{
    plan *left = (*p)->left;
    uint32_t n = (*p)->n, below = left->n;
    const expr **exprs;
    span *names;

    TRY(unnest(d, &left, err));
    TRY(arena_alloc(d->a, (n + d->n) * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(d->a, (n + d->n) * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        exprs[c] = (*p)->exprs[c];
        names[c] = (*p)->columns[c].name;
        TRY(settle(d, below, UINT32_MAX, 0, &exprs[c], err));
    }
    for (uint32_t i = 0; i < d->n; i++)
        TRY(expr_column(d->a, below + i, &d->refs[i]->type, &exprs[n + i], err));
    return plan_project(d->a, left, exprs, names, n + d->n, p, err);
}

/* ---- groups ---- */

/* Without keys there is a row for every one of the domain, and counts are 0 where there was none.
 */
static nrw_status unnest_lone(const domain *d, plan *group, const plan *like, plan **p,
                              nrw_error *err)
{
    plan *rows, *j;
    const expr **exprs, *on = NULL;
    span *names;
    uint32_t n = like->n;

    TRY(plan_copy(d->a, d->rows, &rows, err));
    for (uint32_t i = 0; i < d->n; i++) {
        const expr *args[2], *same;
        TRY(expr_column(d->a, i, &d->refs[i]->type, &args[0], err));
        TRY(expr_column(d->a, d->n + i, &d->refs[i]->type, &args[1], err));
        TRY(expr_call(d->a, "is not distinct from", args, NULL, 2, &same, err));
        TRY(expr_and(d->a, on, same, &on, err));
    }
    TRY(plan_join(d->a, JOIN_LEFT, rows, group, on, &j, err));
    TRY(arena_alloc(d->a, (n + d->n) * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(d->a, (n + d->n) * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        const type *t = &like->columns[c].type;
        names[c] = like->columns[c].name;
        TRY(expr_column(d->a, 2 * d->n + c, t, &exprs[c], err));
        if (aggregate_counts(&like->aggregates[c])) {
            const expr *args[2] = {exprs[c], NULL};
            TRY(expr_int64(d->a, 0, &args[1], err));
            TRY(expr_cast(d->a, args[1], t, false, &args[1], err));
            TRY(expr_call(d->a, "coalesce", args, NULL, 2, &exprs[c], err));
        }
    }
    for (uint32_t i = 0; i < d->n; i++)
        TRY(expr_column(d->a, i, &d->refs[i]->type, &exprs[n + i], err));
    return plan_project(d->a, j, exprs, names, n + d->n, p, err);
}

static nrw_status unnest_group(const domain *d, plan **p, nrw_error *err)
{
    plan *g = *p, *left = g->left, *keyed, *grown;
    uint32_t keys = g->n_keys, all = keys + d->n, below = left->n, *from;
    aggregate *x;

    TRY(unnest(d, &left, err));
    TRY(numbers(d, left->n, &from, err)); /* keys, the domain, then what aggregates look at */
    for (uint32_t i = 0; i < d->n; i++)
        from[keys + i] = below + i;
    for (uint32_t c = keys; c < below; c++)
        from[d->n + c] = c;
    TRY(pick(d, left, from, left->n, left, &keyed, err));
    TRY(plan_new(d->a, PLAN_GROUP, g->n + d->n, keyed, NULL, &grown, err));
    grown->n_keys = all;
    grown->n_aggregates = g->n_aggregates;
    TRY(arena_alloc(d->a, g->n_aggregates * sizeof *x + 1, (void **)&x, err));
    for (uint32_t k = 0; k < g->n_aggregates; k++) {
        x[k] = g->aggregates[k];
        for (uint32_t i = 0; i < x[k].n_args; i++)
            TRY(settle(d, keys, keys, d->n, &x[k].args[i], err));
        if (x[k].filter)
            TRY(settle(d, keys, keys, d->n, &x[k].filter, err));
    }
    grown->aggregates = x;
    TRY(numbers(d, grown->n, &from, err)); /* the domain goes behind again */
    for (uint32_t c = 0; c < grown->n; c++) {
        grown->columns[c].type = c < all ? keyed->columns[c].type : x[c - all].result;
        from[c] = c < keys ? c : c < g->n ? c + d->n : keys + (c - g->n);
    }
    if (keys == 0)
        return unnest_lone(d, grown, g, p, err);
    return pick(d, grown, from, grown->n, g, p, err);
}

/* ---- rows in order ---- */

static nrw_status unnest_sort(const domain *d, plan **p, nrw_error *err)
{
    plan *s = *p, *left = s->left;

    TRY(unnest(d, &left, err));
    return plan_sorted(d->a, left, s->orders, s->n_orders, UINT64_MAX, 0, p, err);
}

/* LIMIT: rows are numbered for each of the domain, in the order of the sort below. */
static nrw_status unnest_limit(const domain *d, plan **p, nrw_error *err)
{
    plan *l = *p, *left = l->left, *w;
    window_call call = {.kind = WINDOW_ROW_NUMBER, .result = type_of(TYPE_INT64)};
    const expr *number, *cond = NULL;
    uint32_t n = l->n, *from;

    if (left->kind == PLAN_SORT) {
        call.n_orders = left->n_orders;
        call.orders = left->orders;
        left = left->left;
    }
    TRY(unnest(d, &left, err));
    TRY(numbers(d, d->n, &call.partition, err));
    call.n_partition = d->n;
    for (uint32_t i = 0; i < d->n; i++)
        call.partition[i] += n;
    TRY(plan_window(d->a, left, &call, &w, err));
    TRY(expr_column(d->a, left->n, &call.result, &number, err));
    for (int i = 0; i < 2; i++) {
        uint64_t end =
            i ? (l->limit > INT64_MAX - l->offset ? INT64_MAX : l->limit + l->offset) : l->offset;
        const expr *args[2] = {number, NULL}, *e;
        TRY(expr_int64(d->a, end > INT64_MAX ? INT64_MAX : (int64_t)end, &args[1], err));
        TRY(expr_call(d->a, i ? "<=" : ">", args, NULL, 2, &e, err));
        TRY(expr_and(d->a, cond, e, &cond, err));
    }
    TRY(plan_filter(d->a, w, cond, &w, err));
    TRY(numbers(d, left->n, &from, err));
    return pick(d, w, from, left->n, l, p, err);
}

static nrw_status unnest_window(const domain *d, plan **p, nrw_error *err)
{
    plan *w = *p, *left = w->left, *made;
    uint32_t n = left->n, *from;

    TRY(unnest(d, &left, err));
    TRY(plan_new(d->a, PLAN_WINDOW, w->n + d->n, left, NULL, &made, err));
    memcpy(made->columns, left->columns, left->n * sizeof *left->columns);
    memcpy(made->columns + left->n, w->columns + n, w->n_windows * sizeof *w->columns);
    TRY(arena_alloc(d->a, w->n_windows * sizeof *w->windows + 1, (void **)&made->windows, err));
    made->n_windows = w->n_windows;
    for (uint32_t i = 0; i < w->n_windows; i++) {
        window_call *x = &made->windows[i];
        *x = w->windows[i];
        TRY(numbers(d, x->n_partition + d->n, &x->partition, err));
        memcpy(x->partition, w->windows[i].partition, x->n_partition * sizeof *x->partition);
        for (uint32_t k = 0; k < d->n; k++)
            x->partition[x->n_partition + k] = n + k;
        x->n_partition += d->n;
    }
    TRY(numbers(d, made->n, &from, err));
    for (uint32_t c = n; c < made->n; c++)
        from[c] = c < w->n ? c + d->n : n + (c - w->n);
    return pick(d, made, from, made->n, w, p, err);
}

static nrw_status unnest_first(const domain *d, plan **p, nrw_error *err)
{
    plan *f = *p, *left = f->left, *made;

    TRY(unnest(d, &left, err));
    TRY(plan_new(d->a, PLAN_FIRST, left->n, left, NULL, &made, err));
    memcpy(made->columns, left->columns, left->n * sizeof *left->columns);
    made->limit = f->limit;
    made->of = f->of;
    made->n_of = f->n_of;
    TRY(numbers(d, f->n_per + d->n, &made->per, err));
    memcpy(made->per, f->per, f->n_per * sizeof *f->per);
    for (uint32_t i = 0; i < d->n; i++)
        made->per[f->n_per + i] = f->n + i;
    made->n_per = f->n_per + d->n;
    *p = made;
    return NRW_OK;
}

static nrw_status unnest_union(const domain *d, plan **p, nrw_error *err)
{
    plan *l = (*p)->left, *r = (*p)->right;

    TRY(unnest(d, &l, err));
    TRY(unnest(d, &r, err));
    return plan_union(d->a, l, r, p, err);
}

nrw_status unnest(const domain *d, plan **p, nrw_error *err)
{
    if (!plan_looks_out(*p))
        return unnest_leaf(d, p, err);
    switch ((*p)->kind) {
    case PLAN_FILTER: return unnest_filter(d, p, err);
    case PLAN_PROJECT: return unnest_project(d, p, err);
    case PLAN_GROUP: return unnest_group(d, p, err);
    case PLAN_SORT: return unnest_sort(d, p, err);
    case PLAN_LIMIT: return unnest_limit(d, p, err);
    case PLAN_WINDOW: return unnest_window(d, p, err);
    case PLAN_FIRST: return unnest_first(d, p, err);
    case PLAN_UNION: return unnest_union(d, p, err);
    case PLAN_JOIN: return unnest_join(d, p, err);
    case PLAN_SCAN:
    case PLAN_VALUES:
    case PLAN_RANGE: break;
    }
    return err_set(err, NRW_E_ARG, "a column of the query around cannot stand here");
}
