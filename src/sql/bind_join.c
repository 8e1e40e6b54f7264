/* Joins: what both sides are called, USING, ON with and without subqueries, and right sides that
 * look at the left one. */
#include "sql/unnest.h"

static join_kind kind_of(sql_join_kind k)
{
    switch (k) {
    case SQL_JOIN_LEFT: return JOIN_LEFT;
    case SQL_JOIN_RIGHT: return JOIN_RIGHT;
    case SQL_JOIN_FULL: return JOIN_FULL;
    case SQL_JOIN_SEMI: return JOIN_SEMI;
    case SQL_JOIN_ANTI: return JOIN_ANTI;
    default: return JOIN_INNER;
    }
}

/* The columns that both sides have, for NATURAL. */
static nrw_status common_names(selecting *s, const scope *l, const scope *r, size_t at,
                               sql_names *out, nrw_error *err)
{
    sql_name *names = NULL;
    uint32_t n = 0, cap = 0;

    for (uint32_t i = 0; i < l->n; i++)
        for (uint32_t k = 0; k < r->n; k++)
            if (!l->at[i].hidden && !r->at[k].hidden && span_alike(l->at[i].name, r->at[k].name)) {
                sql_name name = {l->at[i].name, true, at};
                LIST_ADD(s->b->a, names, n, cap, name, err);
                break;
            }
    if (n == 0)
        return query_fail(s->b, at, err, "a NATURAL JOIN of tables without columns in common");
    *out = (sql_names){n, names};
    return NRW_OK;
}

typedef struct merged {
    uint32_t left, right; /* in the joined scope */
} merged;

/* One column of USING: an equality, and the right one steps back. */
static nrw_status use_column(selecting *s, scope *sc, uint32_t n_left, sql_name name,
                             const expr **on, merged *m, nrw_error *err)
{
    scope l = {sc->at, n_left, n_left}, r = {sc->at + n_left, sc->n - n_left, sc->n - n_left};
    int32_t i, k;
    const expr *args[2], *equal;

    TRY(scope_named(s->b, &l, NULL, name, name.at, &i, err));
    TRY(scope_named(s->b, &r, NULL, name, name.at, &k, err));
    if (i < 0 || k < 0)
        return query_fail(s->b, name.at, err, "USING: column %.*s is not on both sides of the join",
                          (int)name.text.len, (const char *)name.text.data);
    *m = (merged){(uint32_t)i, n_left + (uint32_t)k};
    TRY(expr_column(s->b->a, l.at[i].column, &l.at[i].type, &args[0], err));
    TRY(expr_column(s->b->a, r.at[k].column, &r.at[k].type, &args[1], err));
    TRY(bind_at(s->b, name.at, expr_call(s->b->a, "=", args, NULL, 2, &equal, err), err));
    return expr_and(s->b->a, *on, equal, on, err);
}

/* Behind a FULL or RIGHT join the column of USING is whichever side has it. */
static nrw_status merge_columns(selecting *s, sql_join_kind kind, scope *sc, const merged *m,
                                uint32_t n, plan **p, nrw_error *err)
{
    arena *a = s->b->a;
    const expr **exprs;
    span *names;
    uint32_t all = (*p)->n;

    if (kind == SQL_JOIN_RIGHT) {
        for (uint32_t i = 0; i < n; i++) {
            sc->at[m[i].left].hidden = true;
            /* it stands where the left one stood */
            scope_column right = sc->at[m[i].right];
            right.hidden = false;
            sc->at[m[i].right].hidden = true;
            TRY(scope_add(a, sc, sc->at[m[i].left], err));
            right.name = sc->at[m[i].left].name;
            sc->at[m[i].left] = right;
        }
        return NRW_OK;
    }
    if (kind != SQL_JOIN_FULL) {
        for (uint32_t i = 0; i < n; i++)
            sc->at[m[i].right].hidden = true;
        return NRW_OK;
    }
    TRY(arena_alloc(a, (all + n) * sizeof *exprs, (void **)&exprs, err));
    TRY(arena_alloc(a, (all + n) * sizeof *names, (void **)&names, err));
    for (uint32_t c = 0; c < all; c++) {
        TRY(expr_column(a, c, &(*p)->columns[c].type, &exprs[c], err));
        names[c] = (*p)->columns[c].name;
    }
    for (uint32_t i = 0; i < n; i++) {
        const expr *args[2] = {exprs[sc->at[m[i].left].column], exprs[sc->at[m[i].right].column]};
        scope_column left = sc->at[m[i].left];
        TRY(expr_call(a, "coalesce", args, NULL, 2, &exprs[all + i], err));
        names[all + i] = left.name;
        sc->at[m[i].right].hidden = true;
        left.hidden = true;
        TRY(scope_add(a, sc, left, err));
        sc->at[m[i].left].column = all + i;
        sc->at[m[i].left].table = (span){0};
        sc->at[m[i].left].type = exprs[all + i]->type;
    }
    return plan_project(a, *p, exprs, names, all + n, p, err);
}

static bool has_subquery(const sql_expr *e)
{
    if (e->query)
        return true;
    for (uint32_t i = 0; i < e->args.n; i++)
        if (e->args.at[i] && has_subquery(e->args.at[i]))
            return true;
    return false;
}

/* ---- ON ---- */

/* A join that is being bound: its sides, and ON as far as it is a condition of the join. */
typedef struct joining {
    selecting *s;
    const sql_from *f;
    join_kind kind;
    plan *left, *right;
    const expr *on;
} joining;

/* The parts of ON, taken apart at its ANDs, with or without subqueries. */
static nrw_status bind_parts(selecting *in, const sql_expr *e, bool subqueries, const expr **on,
                             nrw_error *err)
{
    const expr *x;

    if (e->kind == SQL_EXPR_AND) {
        for (uint32_t i = 0; i < e->args.n; i++)
            TRY(bind_parts(in, e->args.at[i], subqueries, on, err));
        return NRW_OK;
    }
    if (has_subquery(e) != subqueries)
        return NRW_OK;
    TRY(bind_boolean(in, e, &x, err));
    return expr_and(in->b->a, *on, x, on, err);
}

/* Columns [x, x + n) and [y, y + m) of p. */
static nrw_status two_ranges(arena *a, plan *p, uint32_t x, uint32_t n, uint32_t y, uint32_t m,
                             plan **out, nrw_error *err)
{
    const expr **exprs;
    span *names;

    TRY(arena_alloc(a, (n + m) * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(a, (n + m) * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n + m; c++) {
        uint32_t from = c < n ? x + c : y + (c - n);
        names[c] = p->columns[from].name;
        TRY(expr_column(a, from, &p->columns[from].type, &exprs[c], err));
    }
    return plan_project(a, p, exprs, names, n + m, out, err);
}

/* p joined to q where column x of the one is column y of the other. */
static nrw_status join_equal(arena *a, join_kind kind, plan *p, uint32_t x, plan *q, uint32_t y,
                             plan **out, nrw_error *err)
{
    const expr *args[2], *same;

    TRY(expr_column(a, x, &p->columns[x].type, &args[0], err));
    TRY(expr_column(a, p->n + y, &q->columns[y].type, &args[1], err));
    TRY(expr_call(a, "=", args, NULL, 2, &same, err));
    return plan_join(a, kind, p, q, same, out, err);
}

/* ---- what the right side sees of the left one ---- */

static uint32_t passed_on(void *self, uint32_t c)
{
    const frame *f = self;

    return c >= OUTER_BASE ? f->refs[c - OUTER_BASE]->column : c;
}

/* The right side looked at columns of `seen`: it is answered for each of their values, *on is where
 * these are the left row's. What only passes through to queries further outside is theirs. */
static nrw_status look_left(joining *w, frame *seen, nrw_error *err)
{
    arena *a = w->s->b->a;
    bool passes = true;
    domain d;
    uint32_t n = w->right->n;

    if (!plan_looks_out(w->right))
        return NRW_OK;
    for (uint32_t i = 0; i < seen->n; i++)
        passes &= seen->refs[i]->kind == EXPR_COLUMN && seen->refs[i]->column >= OUTER_BASE;
    if (passes)
        return plan_renumbered(a, w->right, passed_on, seen, &w->right, err);
    if (w->kind == JOIN_RIGHT || w->kind == JOIN_FULL)
        return query_fail(w->s->b, w->f->at, err,
                          "the right side of this join cannot look at columns of the left one");
    TRY(bind_at(w->s->b, w->f->at, domain_make(a, w->left, seen->refs, seen->n, w->right, &d, err),
                err));
    TRY(bind_at(w->s->b, w->f->at, unnest(&d, &w->right, err), err));
    return domain_match(&d, w->left->n + n, &w->on, err);
}

/* ---- ON with subqueries ---- */

/* The side that outer joins keep sees ON as the other side's own condition, which looks at it.
 * `own` are the columns of `other`, `kept` those that it looks at. */
static nrw_status filter_other(joining *w, const scope *kept, const scope *own, plan **other,
                               plan *left, nrw_error *err)
{
    selecting outer = {.b = w->s->b, .frame = w->s->frame, .from = *kept, .below = left};
    selecting in = {.b = w->s->b, .from = *own, .below = *other, .no_aggregates = true};
    frame seen = {.outer = &outer};
    const expr *cond = NULL;
    joining turned = *w;

    in.clause = "ON";
    in.frame = &seen;
    TRY(bind_parts(&in, w->f->on, false, &cond, err));
    TRY(bind_parts(&in, w->f->on, true, &cond, err));
    TRY(plan_filter(w->s->b->a, in.below, cond, &turned.right, err));
    turned.left = left;
    if (turned.kind != JOIN_SEMI && turned.kind != JOIN_ANTI)
        turned.kind = JOIN_LEFT;
    TRY(look_left(&turned, &seen, err));
    *other = turned.right;
    w->on = turned.on;
    return NRW_OK;
}

static nrw_status join_full(joining *w, const scope *l, const scope *r, plan **out, nrw_error *err)
{
    arena *a = w->s->b->a;
    const window_call number = {.kind = WINDOW_ROW_NUMBER, .result = type_of(TYPE_INT64)};
    uint32_t nl = w->left->n, nr = w->right->n;
    plan *met, *again;

    TRY(plan_window(a, w->right, &number, &met, err));
    TRY(bind_at(w->s->b, w->f->on->at, plan_copy(a, met, &again, err), err));
    TRY(filter_other(w, l, r, &met, w->left, err));
    TRY(plan_join(a, JOIN_LEFT, w->left, met, w->on, &met, err));
    TRY(join_equal(a, JOIN_FULL, met, nl + nr, again, nr, out, err));
    return two_ranges(a, *out, 0, nl, met->n, nr, out, err);
}

/* A filter behind an inner join; what other joins keep of one side is joined to what passes of the
 * other one, which a full join's numbers tell from what did not. */
static nrw_status join_on_subqueries(joining *w, const scope *sc, uint32_t n_left, plan **out,
                                     nrw_error *err)
{
    arena *a = w->s->b->a;
    selecting in = {.b = w->s->b, .frame = w->s->frame, .from = *sc, .no_aggregates = true};
    scope l = {sc->at, n_left, n_left}, r = {0};
    uint32_t nl = w->left->n, nr = w->right->n;
    const expr *cond = NULL;

    in.clause = "ON";
    TRY(plan_join(a, JOIN_INNER, w->left, w->right, NULL, &in.below, err));
    TRY(bind_parts(&in, w->f->on, false, &in.below->condition, err));
    TRY(bind_parts(&in, w->f->on, true, &cond, err)); /* names that are on both sides are errors */
    if (w->kind == JOIN_INNER)
        return plan_filter(a, in.below, cond, out, err);
    for (uint32_t i = n_left; i < sc->n; i++) {
        scope_column c = sc->at[i];
        c.column -= nl;
        TRY(scope_add(a, &r, c, err));
    }
    if (w->kind == JOIN_FULL)
        return join_full(w, &l, &r, out, err);
    if (w->kind == JOIN_RIGHT) {
        TRY(filter_other(w, &r, &l, &w->left, w->right, err));
        TRY(plan_join(a, JOIN_LEFT, w->right, w->left, w->on, out, err));
        return two_ranges(a, *out, nr, nl, 0, nr, out, err);
    }
    TRY(filter_other(w, &l, &r, &w->right, w->left, err));
    return plan_join(a, w->kind, w->left, w->right, w->on, out, err);
}

/* ---- joins ---- */

static nrw_status bind_sides(joining *w, scope *sc, scope *right, nrw_error *err)
{
    arena *a = w->s->b->a;
    const bool unfiltered = w->s->unfiltered;
    selecting seen, in;

    w->s->unfiltered = unfiltered || w->kind == JOIN_RIGHT || w->kind == JOIN_FULL;
    TRY(bind_from(w->s, w->f->left, sc, &w->left, err));
    w->s->unfiltered = unfiltered || w->kind != JOIN_INNER || w->f->natural || w->f->using.n;
    in = *w->s;
    w->s->unfiltered = unfiltered;
    seen = (selecting){.b = w->s->b, .frame = w->s->frame, .from = *sc, .below = w->left};
    seen.no_aggregates = true;
    seen.clause = "FROM";
    TRY(arena_alloc(a, sizeof *in.frame, (void **)&in.frame, err));
    in.frame->outer = &seen;
    TRY(bind_from(&in, w->f->right, right, &w->right, err));
    return look_left(w, in.frame, err);
}

nrw_status bind_join(selecting *s, const sql_from *f, scope *sc, plan **out, nrw_error *err)
{
    arena *a = s->b->a;
    joining w = {.s = s, .f = f, .kind = kind_of(f->join)};
    scope right = {0};
    sql_names using = f->using;
    merged *m;
    uint32_t n_left;

    if (f->join == SQL_JOIN_POSITIONAL || f->asof)
        return query_fail(s->b, f->at, err, "%s joins are not supported",
                          f->asof ? "ASOF" : "POSITIONAL");
    TRY(bind_sides(&w, sc, &right, err));
    n_left = sc->n;
    for (uint32_t i = 0; i < right.n; i++) {
        scope_column c = right.at[i];
        c.column += w.left->n;
        TRY(scope_add(a, sc, c, err));
    }
    if (f->natural) {
        scope left = {sc->at, n_left, n_left};
        TRY(common_names(s, &left, &right, f->at, &using, err));
    }
    TRY(arena_alloc(a, using.n * sizeof *m + 1, (void **)&m, err));
    for (uint32_t i = 0; i < using.n; i++)
        TRY(use_column(s, sc, n_left, using.at[i], &w.on, &m[i], err));
    if (f->on && has_subquery(f->on)) {
        if (w.on)
            return query_fail(s->b, f->on->at, err,
                              "a subquery in ON beside a right side that looks at the left one is "
                              "not supported");
        TRY(join_on_subqueries(&w, sc, n_left, out, err));
    } else {
        selecting in = {
            .b = s->b, .frame = s->frame, .from = *sc, .no_aggregates = true, .clause = "ON"};
        if (f->on)
            TRY(bind_parts(&in, f->on, false, &w.on, err));
        TRY(plan_join(a, w.kind, w.left, w.right, w.on, out, err));
    }
    if (w.kind == JOIN_SEMI || w.kind == JOIN_ANTI)
        sc->n = n_left;
    else
        TRY(merge_columns(s, f->join, sc, m, using.n, out, err));
    return NRW_OK;
}
