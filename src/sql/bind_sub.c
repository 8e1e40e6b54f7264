/* Subqueries as joins. What they look at outside of themselves becomes the join's condition: pulled
 * out of their filters (bind_pull.c), or brought into them (unnest.c). */
#include "sql/bind_own.h"

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
    if (looks)
        return NRW_OK;
    st = expr_eval(e, NULL, 1, arena_mem(a), &v, &unused);
    if (st < 0)
        return only_memory(st, &unused, err);
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
        if (expr_looks_out(p->exprs[c]))
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
    const frame *refs;
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
        *out = t->refs->refs[e->column - OUTER_BASE];
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

/* Joins the subquery to what is below; *out is the column that has the answer. */
static nrw_status attach(selecting *s, attachment x, const type *t, const expr **out,
                         nrw_error *err)
{
    arena *a = s->b->a;

    if (s->stage == STAGE_GROUPS && !s->in_aggregate) {
        LIST_ADD(a, s->attached, s->n_attached, s->cap_attached, x, err);
        return expr_column(a, ATTACHED_BASE + s->n_attached - 1, t, out, err);
    }
    TRY(expr_column(a, s->below->n, t, out, err));
    return join_attached(s, &x, err);
}

/* Conditions that were pulled up as the join's. `strict`: beside a comparison whose nulls count,
 * theirs are as good as false. */
static nrw_status conditions(selecting *s, const conjuncts *up, const frame *refs, bool strict,
                             const expr **on, nrw_error *err)
{
    turning t = {s->b->a, refs};

    for (uint32_t i = 0; i < up->n; i++) {
        const expr *e;
        TRY(turn_out(&t, up->at[i], &e, err));
        if (strict && !pulled_is_equality(e)) {
            const expr *args[2] = {e, NULL};
            TRY(expr_bool(s->b->a, true, &args[1], err));
            TRY(expr_call(s->b->a, "is not distinct from", args, NULL, 2, &e, err));
        }
        TRY(expr_and(s->b->a, *on, e, on, err));
    }
    return NRW_OK;
}

/* What x->right looks at outside: conditions where it can be, else it is left to unnest.c. */
static nrw_status look_out(selecting *s, attachment *x, const frame *refs, bool lone, bool strict,
                           nrw_error *err)
{
    nrw_error not_simple = NRW_ERROR_INIT;
    plan *right = x->right;
    conjuncts up = {0};

    if (!plan_looks_out(right))
        return NRW_OK;
    nrw_status st = plan_pull(s->b->a, &right, lone, &up, &not_simple);
    if (st == NRW_E_ARG) {
        x->refs = refs;
        return NRW_OK;
    }
    if (st < 0) {
        *err = not_simple;
        return st;
    }
    x->right = right;
    return conditions(s, &up, refs, strict, &x->on, err);
}

/* A count, which is never null where there are rows. */
static bool is_count(const plan *p, uint32_t c)
{
    if (p->kind == PLAN_PROJECT)
        return p->exprs[c]->kind == EXPR_COLUMN && is_count(p->left, p->exprs[c]->column);
    return p->kind == PLAN_GROUP && c >= p->n_keys && aggregate_counts(&p->aggregates[c]);
}

/* SELECT without a FROM: the subquery is its expression. */
static bool is_expression(const plan *p)
{
    return p->kind == PLAN_PROJECT && p->left->kind == PLAN_VALUES && p->left->n == 0 &&
           p->left->n_rows == 1 && !p->exprs[0]->changes;
}

/* One value: null where there is no row, but for counts, which are 0 then. */
static nrw_status attach_value(selecting *s, const sql_expr *e, plan *right, const frame *refs,
                               const expr **out, nrw_error *err)
{
    arena *a = s->b->a;
    const expr *empty = NULL, *args[2];
    attachment x = {.right = right, .kind = JOIN_SINGLE};
    bool lone = is_lone_group(right);

    if (right->n != 1)
        return query_fail(s->b, e->at, err, "a subquery that stands for one value has %u columns",
                          right->n);
    if (is_expression(right)) {
        turning t = {a, refs};
        return turn_out(&t, right->exprs[0], out, err);
    }
    if (lone) {
        TRY(empty_value(a, right, 0, &empty, err));
        lone = !empty || is_count(right, 0);
    }
    TRY(look_out(s, &x, refs, lone, false, err));
    TRY(attach(s, x, &right->columns[0].type, out, err));
    if (!empty || x.refs || x.right == right)
        return NRW_OK;
    args[0] = *out;
    args[1] = empty;
    return expr_call(a, "coalesce", args, NULL, 2, out, err);
}

/* Columns of the subquery that is being attached. */
static nrw_status right_columns(arena *a, const plan *right, const expr ***out, nrw_error *err)
{
    TRY(arena_alloc(a, right->n * sizeof **out + 1, (void **)out, err));
    for (uint32_t c = 0; c < right->n; c++)
        TRY(expr_column(a, RIGHT_BASE + c, &right->columns[c].type, &(*out)[c], err));
    return NRW_OK;
}

/* (a, b) op a row of the subquery: equal where all columns are, null where that leaves it open;
 * rows are ordered as structs are. */
static nrw_status compare_rows(selecting *s, const sql_expr *e, const plan *right,
                               const char *compare, const expr **out, nrw_error *err)
{
    arena *a = s->b->a;
    bool equal = strcmp(compare, "=") == 0;
    const sql_exprs *row = &e->args.at[0]->args;
    const expr **theirs, *args[2];

    TRY(right_columns(a, right, &theirs, err));
    *out = NULL;
    if (!equal && strcmp(compare, "<>") != 0) {
        TRY(bind_expr(s, e->args.at[0], &args[0], err));
        TRY(expr_call(a, "row", theirs, NULL, right->n, &args[1], err));
        return expr_call(a, compare, args, NULL, 2, out, err);
    }
    for (uint32_t c = 0; c < right->n; c++) {
        const expr *same;
        TRY(bind_expr(s, row->at[c], &args[0], err));
        args[1] = theirs[c];
        TRY(expr_call(a, "=", args, NULL, 2, &same, err));
        TRY(expr_not_a_key(a, same, &same, err)); /* the nulls of one are not all there is to it */
        TRY(expr_and(a, *out, same, out, err));
    }
    return equal ? NRW_OK : expr_not(a, *out, out, err);
}

/* x op a value of the subquery. */
static nrw_status compare_with(selecting *s, const sql_expr *e, const plan *right,
                               const char *compare, const expr **out, nrw_error *err)
{
    const sql_expr *left = e->args.at[0];
    const expr *args[2], **theirs;

    if (right->n > 1 && left->kind == SQL_EXPR_ROW && left->args.n == right->n)
        return compare_rows(s, e, right, compare, out, err);
    if (right->n != 1)
        return query_fail(s->b, e->at, err, "a comparison of %u columns with a subquery of %u",
                          left->kind == SQL_EXPR_ROW ? left->args.n : 1, right->n);
    TRY(bind_expr(s, left, &args[0], err));
    TRY(right_columns(s->b->a, right, &theirs, err));
    args[1] = theirs[0];
    return expr_call(s->b->a, compare, args, NULL, 2, out, err);
}

/* x = ANY (query), and with other comparisons. An equality is a key of the join unless there are
 * conditions beside it, for then the nulls of its two sides leave it open only where these hold. */
static nrw_status attach_any(selecting *s, const sql_expr *e, plan *right, const frame *refs,
                             const char *compare, const expr **out, nrw_error *err)
{
    arena *a = s->b->a;
    const type boolean = type_of(TYPE_BOOL);
    attachment x = {.right = right, .kind = JOIN_MARK, .in_nulls = true};
    const expr *test;

    TRY(bind_at(s->b, e->at, look_out(s, &x, refs, false, true, err), err));
    TRY(bind_at(s->b, e->at, compare_with(s, e, right, compare, &test, err), err));
    if (x.on || x.refs)
        TRY(expr_not_a_key(a, test, &test, err));
    TRY(expr_and(a, test, x.on, &x.on, err));
    return attach(s, x, &boolean, out, err);
}

/* x op ALL (query) is NOT (x other op ANY (query)). */
static const char *denied(span op)
{
    static const char *const pairs[][2] = {{"=", "<>"}, {"<>", "="}, {"!=", "="}, {"<", ">="},
                                           {">=", "<"}, {">", "<="}, {"<=", ">"}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (span_is(op, pairs[i][0]))
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
    const char *compare;
    attachment x = {.kind = JOIN_MARK};
    frame *refs;

    if (s->lambdas)
        return query_fail(s->b, e->at, err, "a subquery cannot stand in a lambda");
    if (e->kind == SQL_EXPR_ARRAY || !e->query)
        return query_fail(s->b, e->at, err, "this subquery is not supported");
    TRY(arena_alloc(s->b->a, sizeof *refs, (void **)&refs, err));
    refs->outer = s;
    TRY(bind_query(s->b, e->query, refs, &x.right, err));
    if (e->kind == SQL_EXPR_SUBQUERY)
        return bind_at(s->b, e->at, attach_value(s, e, x.right, refs, out, err), err);
    if (e->kind != SQL_EXPR_EXISTS) {
        compare = comparison(e);
        if (!compare)
            return query_fail(s->b, e->at, err, "this comparison with a subquery is not supported");
        TRY(attach_any(s, e, x.right, refs, compare, out, err));
        return e->negate ? expr_not(s->b->a, *out, out, err) : NRW_OK;
    }
    TRY(bind_at(s->b, e->at, look_out(s, &x, refs, false, false, err), err));
    TRY(bind_at(s->b, e->at, attach(s, x, &boolean, out, err), err));
    return e->negate ? expr_not(s->b->a, *out, out, err) : NRW_OK;
}
