/* Subqueries as joins. What a subquery looks at outside of itself is pulled up out of its filters
 * until it stands in the join's condition; an aggregate on the way gets the column it is compared
 * with as a key. */
#include "sql/bind_own.h"

typedef struct conjuncts {
    const expr **at;
    uint32_t n, cap;
} conjuncts;

static nrw_status split(arena *a, const expr *e, conjuncts *out, nrw_error *err)
{
    if (e->kind == EXPR_AND) {
        for (uint32_t i = 0; i < e->n_args; i++)
            TRY(split(a, e->args[i], out, err));
        return NRW_OK;
    }
    LIST_ADD(a, out->at, out->n, out->cap, e, err);
    return NRW_OK;
}

static void see_outer(void *self, uint32_t c)
{
    if (c >= OUTER_BASE)
        *(bool *)self = true;
}

static bool looks_out(const expr *e)
{
    bool out = false;

    expr_columns(e, see_outer, &out);
    return out;
}

static bool plan_looks_out(const plan *p)
{
    bool out = false;

    if (!p)
        return false;
    if (p->kind == PLAN_PROJECT || p->kind == PLAN_FILTER)
        for (uint32_t i = 0; i < (p->kind == PLAN_FILTER ? 1 : p->n); i++)
            out |= looks_out(p->exprs[i]);
    if (p->kind == PLAN_JOIN && p->condition)
        out |= looks_out(p->condition);
    return out || plan_looks_out(p->left) || plan_looks_out(p->right);
}

static nrw_status refuse(nrw_error *err)
{
    return err_set(err, NRW_E_ARG,
                   "a subquery that looks at columns outside of itself like this "
                   "is not supported; write it as a join");
}

/* ---- pulling up; conditions are over the columns of *p ---- */

static nrw_status pull(arena *a, plan **p, conjuncts *up, nrw_error *err);

static nrw_status pull_filter(arena *a, plan **p, conjuncts *up, nrw_error *err)
{
    plan *f = *p, *left = f->left;
    conjuncts mine = {0};
    const expr *rest = NULL;

    TRY(pull(a, &left, up, err));
    TRY(split(a, f->exprs[0], &mine, err));
    for (uint32_t i = 0; i < mine.n; i++)
        if (looks_out(mine.at[i]))
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

static nrw_status pull_project(arena *a, plan **p, conjuncts *up, nrw_error *err)
{
    plan *f = *p, *left = f->left;
    const expr **exprs = f->exprs;
    span *names;
    uint32_t n = f->n;

    for (uint32_t i = 0; i < f->n; i++)
        if (looks_out(f->exprs[i]))
            return refuse(err);
    TRY(pull(a, &left, up, err));
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

static bool is_equality(const expr *e)
{
    return e->kind == EXPR_CALL && e->n_args == 2 && expr_is_call(e, "=");
}

/* inner = outer: the inner side becomes a key; behind the group the condition is over that key.
 * The group's own columns keep their numbers: a project puts the new keys behind them. */
static nrw_status pull_group(arena *a, plan **p, conjuncts *up, nrw_error *err)
{
    plan *g = *p, *left = g->left, *keyed, *grown;
    const expr **exprs, **outs;
    uint32_t n_keys = g->n_keys, more, at;
    span *names;
    aggregate *aggregates;

    TRY(pull(a, &left, up, err));
    more = up->n;
    /* keys, new keys, then all that was there behind the keys */
    TRY(arena_alloc(a, (left->n + more) * sizeof *exprs + 1, (void **)&exprs, err));
    for (uint32_t c = 0; c < n_keys; c++)
        TRY(expr_column(a, c, &left->columns[c].type, &exprs[c], err));
    for (uint32_t i = 0; i < more; i++) {
        const expr *e = up->at[i], *inner, *outer, *key;
        const expr *sides[2];
        if (!is_equality(e))
            return refuse(err);
        inner = looks_out(e->args[0]) ? e->args[1] : e->args[0];
        outer = looks_out(e->args[0]) ? e->args[0] : e->args[1];
        if (looks_out(inner))
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
    TRY(pull(a, &left, up, err));
    TRY(pull(a, &right, &theirs, err));
    if (left->n != n_left)
        return refuse(err); /* the right side's columns would move */
    by.by = n_left;
    for (uint32_t i = 0; i < theirs.n; i++) {
        TRY(expr_renumber(a, theirs.at[i], shift_column, &by, &theirs.at[i], err));
        LIST_ADD(a, up->at, up->n, up->cap, theirs.at[i], err);
    }
    if (j->condition)
        TRY(split(a, j->condition, &mine, err));
    for (uint32_t i = 0; i < mine.n; i++)
        if (looks_out(mine.at[i]))
            LIST_ADD(a, up->at, up->n, up->cap, mine.at[i], err);
        else
            TRY(expr_and(a, rest, mine.at[i], &rest, err));
    return plan_join(a, JOIN_INNER, left, right, rest, p, err);
}

static nrw_status pull(arena *a, plan **p, conjuncts *up, nrw_error *err)
{
    if (!plan_looks_out(*p))
        return NRW_OK;
    switch ((*p)->kind) {
    case PLAN_FILTER: return pull_filter(a, p, up, err);
    case PLAN_PROJECT: return pull_project(a, p, up, err);
    case PLAN_GROUP: return pull_group(a, p, up, err);
    case PLAN_JOIN: return pull_join(a, p, up, err);
    default: return refuse(err);
    }
}

/* ---- the value of no row ---- */

/* An aggregate without keys, maybe under projections. */
static bool is_lone_group(const plan *p)
{
    return (p->kind == PLAN_GROUP && p->n_keys == 0) ||
           (p->kind == PLAN_PROJECT && is_lone_group(p->left));
}

static void see_any(void *self, uint32_t c)
{
    (void)c;
    *(bool *)self = true;
}

/* The value of e where it looks at no column and does not fail. */
static nrw_status constant_of(arena *a, const expr *e, const expr **out, nrw_error *err)
{
    nrw_error unused = NRW_ERROR_INIT;
    bool looks = false;
    vector v;
    nrw_status st;

    *out = e;
    expr_columns(e, see_any, &looks);
    if (looks || expr_eval(e, NULL, 1, arena_mem(a), &v, &unused) < 0)
        return NRW_OK;
    st = expr_value(a, &v, 0, out, err);
    vector_release(&v);
    return st;
}

/* What column c of a plan is where its lone group is empty; NULL: null, or not known. */
static nrw_status empty_value(arena *a, const plan *p, uint32_t c, const expr **out, nrw_error *err)
{
    *out = NULL;
    if (p->kind == PLAN_GROUP && p->n_keys == 0 && aggregate_counts(&p->aggregates[c]))
        return expr_int64(a, 0, out, err);
    if (p->kind == PLAN_PROJECT && is_lone_group(p->left)) {
        const expr **below;
        TRY(arena_alloc(a, p->left->n * sizeof *below + 1, (void **)&below, err));
        for (uint32_t i = 0; i < p->left->n; i++) {
            TRY(empty_value(a, p->left, i, &below[i], err));
            if (!below[i]) {
                TRY(expr_null(a, &below[i], err));
                TRY(expr_cast(a, below[i], &p->left->columns[i].type, false, &below[i], err));
            }
        }
        if (looks_out(p->exprs[c]))
            return NRW_OK;
        TRY(expr_replace(a, p->exprs[c], below, out, err));
        TRY(constant_of(a, *out, out, err));
        if (!expr_is_constant(*out) || (*out)->constant->null_count)
            *out = NULL;
    }
    return NRW_OK;
}

/* ---- attaching ---- */

/* Numbers of the subquery's conditions: its own columns go above RIGHT_BASE, outer ones become what
 * they are outside. */
typedef struct turning {
    arena *a;
    const selecting *refs;
} turning;

static nrw_status turn_out(const turning *t, const expr *e, const expr **out, nrw_error *err);

static nrw_status turn_all(const turning *t, const expr *const *from, uint32_t n, const expr ***out,
                           nrw_error *err)
{
    TRY(arena_alloc(t->a, n * sizeof **out + 1, (void **)out, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(turn_out(t, from[i], &(*out)[i], err));
    return NRW_OK;
}

static nrw_status turn_out(const turning *t, const expr *e, const expr **out, nrw_error *err)
{
    const expr **written;
    expr *copy;

    *out = e;
    if (e->kind == EXPR_CONSTANT)
        return NRW_OK;
    if (e->kind == EXPR_COLUMN && e->column >= OUTER_BASE) {
        *out = t->refs->outer_refs[e->column - OUTER_BASE];
        return NRW_OK;
    }
    TRY(arena_alloc(t->a, sizeof *copy, (void **)&copy, err));
    *copy = *e;
    if (e->kind == EXPR_COLUMN) {
        copy->column = RIGHT_BASE + e->column;
    } else {
        TRY(turn_all(t, e->args, e->n_args, &copy->args, err));
        TRY(turn_all(t, e->written, e->n_written, &written, err));
        copy->written = written;
    }
    *out = copy;
    return NRW_OK;
}

typedef struct placing {
    uint32_t n_left;
} placing;

static uint32_t place_right(void *self, uint32_t c)
{
    return c >= RIGHT_BASE ? ((const placing *)self)->n_left + (c - RIGHT_BASE) : c;
}

/* Joins `right` to what is below; *out is the column that has the answer. */
static nrw_status attach(selecting *s, plan *right, join_kind kind, const expr *on, bool in_nulls,
                         const type *t, const expr **out, nrw_error *err)
{
    arena *a = s->b->a;

    if (s->stage == STAGE_GROUPS && !s->in_aggregate) {
        attachment at = {right, kind, in_nulls, on};
        LIST_ADD(a, s->attached, s->n_attached, s->cap_attached, at, err);
        return expr_column(a, ATTACHED_BASE + s->n_attached - 1, t, out, err);
    }
    placing p = {s->below->n};
    if (on)
        TRY(expr_renumber(a, on, place_right, &p, &on, err));
    TRY(expr_column(a, s->below->n, t, out, err));
    TRY(plan_join(a, kind, s->below, right, on, &s->below, err));
    s->below->in_nulls = in_nulls;
    return NRW_OK;
}

/* `strict`: beside a comparison whose nulls count, those of the conditions are as good as false. */
static nrw_status conditions(selecting *s, plan **right, const selecting *refs, bool strict,
                             const expr **on, nrw_error *err)
{
    turning t = {s->b->a, refs};
    conjuncts up = {0};

    TRY(pull(s->b->a, right, &up, err));
    for (uint32_t i = 0; i < up.n; i++) {
        const expr *e;
        TRY(turn_out(&t, up.at[i], &e, err));
        if (strict && !is_equality(e)) {
            const expr *args[2] = {e, NULL};
            TRY(expr_bool(s->b->a, true, &args[1], err));
            TRY(expr_call(s->b->a, "is not distinct from", args, NULL, 2, &e, err));
        }
        TRY(expr_and(s->b->a, *on, e, on, err));
    }
    return NRW_OK;
}

/* One value: null where there is no row, but for counts, which are 0 then. */
static nrw_status attach_value(selecting *s, const sql_expr *e, plan *right, const selecting *refs,
                               const expr **out, nrw_error *err)
{
    arena *a = s->b->a;
    const expr *on = NULL, *empty = NULL, *args[2];

    if (right->n != 1)
        return query_fail(s->b, e->at, err, "a subquery that stands for one value has %u columns",
                          right->n);
    if (refs->n_outer)
        TRY(empty_value(a, right, 0, &empty, err));
    TRY(conditions(s, &right, refs, false, &on, err));
    TRY(attach(s, right, JOIN_SINGLE, on, false, &right->columns[0].type, out, err));
    if (!empty)
        return NRW_OK;
    args[0] = *out;
    args[1] = empty;
    return expr_call(a, "coalesce", args, NULL, 2, out, err);
}

/* x = ANY (query), and with other comparisons. An equality is a key of the join unless there are
 * conditions beside it, for then the nulls of its two sides leave it open only where these hold. */
static nrw_status attach_any(selecting *s, const sql_expr *e, plan *right, const selecting *refs,
                             const char *compare, const expr **out, nrw_error *err)
{
    arena *a = s->b->a;
    const type boolean = type_of(TYPE_BOOL);
    const expr *on = NULL, *args[2], *test;
    bool equal = strcmp(compare, "=") == 0;

    if (right->n != 1 || e->args.at[0]->kind == SQL_EXPR_ROW)
        return query_fail(s->b, e->at, err, "a comparison takes a subquery of one column");
    TRY(bind_at(s->b, e->at, conditions(s, &right, refs, true, &on, err), err));
    TRY(bind_expr(s, e->args.at[0], &args[0], err));
    TRY(expr_column(a, RIGHT_BASE, &right->columns[0].type, &args[1], err));
    TRY(bind_at(s->b, e->at, expr_call(a, equal && on ? "<>" : compare, args, NULL, 2, &test, err),
                err));
    if (equal && on)
        TRY(expr_not(a, test, &test, err));
    TRY(expr_and(a, test, on, &on, err));
    return attach(s, right, JOIN_MARK, on, true, &boolean, out, err);
}

/* x op ALL (query) is NOT (x other op ANY (query)). */
static const char *denied(span op)
{
    static const char *const pairs[][2] = {{"=", "<>"}, {"<>", "="}, {"!=", "="}, {"<", ">="},
                                           {">=", "<"}, {">", "<="}, {"<=", ">"}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (span_equal(op, span_of(pairs[i][0])))
            return pairs[i][1];
    return NULL;
}

/* The comparison that some row has to pass. */
static const char *comparison(const sql_expr *e)
{
    const char *other = e->kind == SQL_EXPR_IN ? "=" : denied(e->name.text);

    if (e->kind == SQL_EXPR_IN || !other || e->negate)
        return other;
    return denied(span_of(other));
}

nrw_status bind_subquery(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const type boolean = type_of(TYPE_BOOL);
    selecting refs = {0};
    const expr *on = NULL;
    const char *compare;
    plan *right;

    if (e->kind == SQL_EXPR_ARRAY || !e->query)
        return query_fail(s->b, e->at, err, "this subquery is not supported");
    TRY(bind_query(s->b, e->query, s, &right, &refs, err));
    if (e->kind == SQL_EXPR_SUBQUERY)
        return bind_at(s->b, e->at, attach_value(s, e, right, &refs, out, err), err);
    if (e->kind != SQL_EXPR_EXISTS) {
        compare = comparison(e);
        if (!compare)
            return query_fail(s->b, e->at, err, "this comparison with a subquery is not supported");
        TRY(attach_any(s, e, right, &refs, compare, out, err));
        return e->negate ? expr_not(s->b->a, *out, out, err) : NRW_OK;
    }
    TRY(bind_at(s->b, e->at, conditions(s, &right, &refs, false, &on, err), err));
    TRY(attach(s, right, JOIN_MARK, on, false, &boolean, out, err));
    if (!e->negate)
        return NRW_OK;
    return expr_not(s->b->a, *out, out, err);
}
