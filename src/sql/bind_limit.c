/* LIMIT and OFFSET: constants are a limit of the plan; what is known when the query runs, and parts
 * of the rows, become a filter over the rows' numbers. */
#include "sql/bind_own.h"

nrw_status plan_sorted(arena *a, plan *p, sort_order *orders, uint32_t n, uint64_t limit,
                       uint64_t offset, plan **out, nrw_error *err)
{
    *out = p;
    if (n) {
        TRY(plan_new(a, PLAN_SORT, p->n, p, NULL, out, err));
        memcpy((*out)->columns, p->columns, p->n * sizeof *p->columns);
        (*out)->orders = orders;
        (*out)->n_orders = n;
        (*out)->limit = limit > UINT64_MAX - offset ? UINT64_MAX : limit + offset;
    }
    if (limit == UINT64_MAX && offset == 0)
        return NRW_OK;
    p = *out;
    TRY(plan_new(a, PLAN_LIMIT, p->n, p, NULL, out, err));
    memcpy((*out)->columns, p->columns, p->n * sizeof *p->columns);
    (*out)->limit = limit;
    (*out)->offset = offset;
    return NRW_OK;
}

/* The value of a LIMIT or OFFSET, which looks at no column of the query. */
static nrw_status bound(selecting *s, const sql_expr *e, bool percent, const expr **out,
                        nrw_error *err)
{
    const type to = type_of(percent ? TYPE_FLOAT64 : TYPE_INT64), real = type_of(TYPE_FLOAT64);

    TRY(bind_expr(s, e, out, err));
    if (!percent && !expr_is_constant(*out) && (*out)->type.id == TYPE_DECIMAL)
        TRY(expr_cast(s->b->a, *out, &real, false, out, err)); /* as DuckDB, so 2.5 is 2 here */
    return bind_at(s->b, e->at, expr_cast(s->b->a, *out, &to, false, out, err), err);
}

static nrw_status constant_bound(selecting *s, const sql_expr *e, const expr *x, uint64_t *out,
                                 nrw_error *err)
{
    int64_t n;

    if (x->constant->null_count)
        return NRW_OK;
    memcpy(&n, x->constant->data, sizeof n);
    if (n < 0)
        return query_fail(s->b, e->at, err, "LIMIT and OFFSET cannot be negative");
    *out = (uint64_t)n;
    return NRW_OK;
}

/* x, which is an error outside of [low, high]; nulls are `none`. */
static nrw_status checked(arena *a, const expr *x, const expr *low, const expr *high,
                          const char *said, const expr *none, const expr **out, nrw_error *err)
{
    const expr *args[3] = {x, low, x}, *bad, *above, *text;

    TRY(expr_call(a, "<", args, NULL, 2, &bad, err));
    if (high) {
        args[1] = high;
        TRY(expr_call(a, ">", args, NULL, 2, &above, err));
        TRY(expr_call(a, "or", (const expr *[]){bad, above}, NULL, 2, &bad, err));
    }
    args[0] = bad;
    TRY(expr_text(a, span_of(said), &text, err));
    TRY(expr_call(a, "error", &text, NULL, 1, &args[1], err));
    TRY(expr_cast(a, args[1], &x->type, false, &args[1], err));
    TRY(expr_call(a, "case", args, NULL, 3, out, err));
    args[0] = *out;
    args[1] = none;
    return expr_call(a, "coalesce", args, NULL, 2, out, err);
}

/* Percent of `count` rows, rounded down. */
static nrw_status part_of(arena *a, const expr *percent, const expr *count, const expr **out,
                          nrw_error *err)
{
    const type real = type_of(TYPE_FLOAT64), whole = type_of(TYPE_INT64);
    const expr *args[2], *low, *high, *part;

    TRY(expr_number(a, span_of("0.0"), &low, err));
    TRY(expr_cast(a, low, &real, false, &low, err));
    TRY(expr_number(a, span_of("100.0"), &high, err));
    TRY(expr_cast(a, high, &real, false, &high, err));
    TRY(checked(a, percent, low, high, "a percentage of LIMIT is between 0 and 100", high, &args[0],
                err));
    args[1] = high;
    TRY(expr_call(a, "/", args, NULL, 2, &part, err));
    args[0] = part;
    TRY(expr_cast(a, count, &real, false, &args[1], err));
    TRY(expr_call(a, "*", args, NULL, 2, &part, err));
    TRY(expr_call(a, "floor", &part, NULL, 1, out, err));
    return expr_cast(a, *out, &whole, false, out, err);
}

static nrw_status whole_bound(arena *a, const expr *x, const expr *none, const expr **out,
                              nrw_error *err)
{
    const expr *zero;

    TRY(expr_int64(a, 0, &zero, err));
    return checked(a, x, zero, NULL, "LIMIT and OFFSET cannot be negative", none, out, err);
}

/* The rows of p with their numbers in order and, for percentages, how many there are. */
static nrw_status numbered(arena *a, plan *p, sort_order *orders, uint32_t n, bool count,
                           plan **out, nrw_error *err)
{
    const window_call number = {
        .kind = WINDOW_ROW_NUMBER, .result = type_of(TYPE_INT64), .n_orders = n, .orders = orders};
    window_call all = {.kind = WINDOW_AGGREGATE,
                       .from = FRAME_UNBOUNDED_PRECEDING,
                       .to = FRAME_UNBOUNDED_FOLLOWING};

    TRY(plan_window(a, p, &number, out, err));
    if (!count)
        return NRW_OK;
    TRY(aggregate_bind(a, "count_star", NULL, 0, &all.aggregate, err));
    all.result = all.aggregate.result;
    return plan_window(a, *out, &all, out, err);
}

static nrw_status limit_by_number(selecting *s, const sql_query *q, plan *p, sort_order *orders,
                                  uint32_t n, plan **out, nrw_error *err)
{
    arena *a = s->b->a;
    selecting in = {.b = s->b, .frame = s->frame, .no_aggregates = true, .clause = "LIMIT"};
    const expr *number, *count, *low, *high, *none, *args[2], *cond, *e;
    uint32_t columns = p->n;
    const type bigint = type_of(TYPE_INT64);

    TRY(numbered(a, p, orders, n, q->limit_percent, &in.below, err));
    TRY(expr_column(a, columns, &bigint, &number, err));
    TRY(expr_column(a, columns + 1, &bigint, &count, err));
    TRY(expr_int64(a, 0, &low, err));
    TRY(expr_int64(a, INT64_MAX, &high, err));
    if (q->offset) {
        TRY(bound(&in, q->offset, false, &e, err));
        TRY(whole_bound(a, e, low, &low, err));
    }
    none = high;
    if (q->limit) {
        TRY(bound(&in, q->limit, q->limit_percent, &e, err));
        TRY(q->limit_percent ? part_of(a, e, count, &high, err)
                             : whole_bound(a, e, none, &high, err));
    }
    /* low < number and number - low <= high */
    args[0] = low;
    args[1] = number;
    TRY(expr_call(a, "<", args, NULL, 2, &cond, err));
    TRY(expr_call(a, "-", (const expr *[]){number, low}, NULL, 2, &args[0], err));
    args[1] = high;
    TRY(expr_call(a, "<=", args, NULL, 2, &e, err));
    TRY(expr_and(a, cond, e, &cond, err));
    TRY(plan_filter(a, in.below, cond, out, err));
    TRY(plan_sorted(a, *out, orders, n, UINT64_MAX, 0, out, err));
    return plan_first_columns(a, *out, columns, out, err);
}

nrw_status bind_limits(selecting *s, const sql_query *q, plan *p, sort_order *orders, uint32_t n,
                       plan **out, nrw_error *err)
{
    selecting in = {.b = s->b, .frame = s->frame, .no_aggregates = true, .clause = "LIMIT"};
    uint64_t limit = UINT64_MAX, offset = 0;
    bool constant = !q->limit_percent;

    TRY(plan_one_row(s->b->a, &in.below, err));
    for (int i = 0; constant && i < 2; i++) {
        const sql_expr *e = i ? q->offset : q->limit;
        const expr *x;
        if (!e)
            continue;
        TRY(bound(&in, e, false, &x, err));
        constant = expr_is_constant(x);
        if (constant)
            TRY(constant_bound(s, e, x, i ? &offset : &limit, err));
    }
    if (!constant)
        return limit_by_number(s, q, p, orders, n, out, err);
    return plan_sorted(s->b->a, p, orders, n, limit, offset, out, err);
}
