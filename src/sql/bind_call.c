/* Calls: functions go to the expressions' layer; aggregates and windows are taken out, and a column
 * of what will compute them stands in their place. */
#include "sql/bind_own.h"

#include <strings.h>

static nrw_status chars(arena *a, span s, char **out, nrw_error *err)
{
    return arena_strndup(a, (const char *)s.data, s.len, out, err);
}

/* ---- aggregates ---- */

static bool same_aggregate(const aggregate *x, const aggregate *y)
{
    if (x->class != y->class || x->n_args != y->n_args || x->distinct != y->distinct ||
        x->descending != y->descending || x->data != y->data || !x->filter != !y->filter ||
        (x->filter && !expr_equal(x->filter, y->filter)))
        return false;
    for (uint32_t i = 0; i < x->n_args; i++)
        if (!expr_equal(x->args[i], y->args[i]))
            return false;
    return true;
}

/* ORDER BY inside of the call; args as they were written. */
static nrw_status order_aggregate(selecting *s, const sql_expr *e, const expr *const *args,
                                  aggregate *g, nrw_error *err)
{
    uint32_t n = e->order_by.n, n_args = e->args.n;
    const expr **by;
    sort_order *orders;

    TRY(arena_alloc(s->b->a, (n + 1) * sizeof *by, (void **)&by, err));
    TRY(arena_alloc(s->b->a, (n + 1) * sizeof *orders, (void **)&orders, err));
    for (uint32_t i = 0; i < n; i++) {
        const sql_order *o = &e->order_by.at[i];
        bool is_arg = !e->distinct;
        TRY(bind_expr(s, o->by, &by[i], err));
        orders[i] = (sort_order){0, o->descending, o->nulls_first};
        for (uint32_t k = 0; !is_arg && k < n_args; k++)
            is_arg = expr_equal(args[k], by[i]);
        if (!is_arg)
            return query_fail(s->b, e->at, err,
                              "an aggregate with DISTINCT can be ordered by its arguments only");
    }
    return bind_at(s->b, e->at, aggregate_make_ordered(s->b->a, g, by, orders, n, err), err);
}

/* percentile_cont(f) WITHIN GROUP (ORDER BY x) is quantile_cont(x, f). */
static nrw_status within_group(selecting *s, const sql_expr *e, const expr **args, char **name,
                               aggregate *g, nrw_error *err)
{
    static const char *const names[][2] = {{"percentile_cont", "quantile_cont"},
                                           {"percentile_disc", "quantile_disc"}};

    if (e->order_by.n != 1)
        return query_fail(s->b, e->at, err, "WITHIN GROUP takes one expression");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(*name, names[i][0]) == 0)
            *name = (char *)(uintptr_t)names[i][1];
    memmove(args + 1, args, e->args.n * sizeof *args);
    TRY(bind_expr(s, e->order_by.at[0].by, &args[0], err));
    TRY(bind_at(s->b, e->at, aggregate_bind(s->b->a, *name, args, e->args.n + 1, g, err), err));
    g->descending = e->order_by.at[0].descending;
    return NRW_OK;
}

/* The bound aggregate of a call, its arguments over the rows. */
static nrw_status aggregate_of(selecting *s, const sql_expr *e, aggregate *g, nrw_error *err)
{
    const expr **args;
    char *name;
    uint32_t n = e->star ? 0 : e->args.n;

    TRY(arena_alloc(s->b->a, (n + 2) * sizeof *args, (void **)&args, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(bind_expr(s, e->args.at[i], &args[i], err));
    TRY(chars(s->b->a, e->name.text, &name, err));
    if (e->within_group) {
        TRY(within_group(s, e, args, &name, g, err));
    } else {
        TRY(bind_at(s->b, e->at, aggregate_bind(s->b->a, name, args, n, g, err), err));
        if (e->order_by.n)
            TRY(order_aggregate(s, e, args, g, err));
    }
    g->distinct = e->distinct;
    if (e->filter)
        TRY(bind_boolean(s, e->filter, &g->filter, err));
    return NRW_OK;
}

typedef struct columns_seen {
    bool here, outside;
} columns_seen;

static void see_columns(const selecting *s, const sql_expr *e, columns_seen *seen)
{
    nrw_error twice = NRW_ERROR_INIT;
    uint32_t used;
    int32_t found = -1;

    if (!e)
        return;
    seen->here |= e->query != NULL; /* whose columns are not known yet */
    if (e->kind == SQL_EXPR_COLUMN) {
        bool here = e->place ||
                    scope_find(s->b, &s->from, &e->names, e->at, &used, &found, &twice) < 0 ||
                    found >= 0;
        *(here ? &seen->here : &seen->outside) = true;
    }
    for (uint32_t i = 0; i < e->args.n; i++)
        see_columns(s, e->args.at[i], seen);
    for (uint32_t i = 0; i < e->order_by.n; i++)
        see_columns(s, e->order_by.at[i].by, seen);
    see_columns(s, e->filter, seen);
}

bool aggregate_is_outside(const selecting *s, const sql_expr *e)
{
    columns_seen seen = {0};

    if (s->frame)
        see_columns(s, e, &seen);
    return seen.outside && !seen.here;
}

/* An aggregate of the query around, of which this one sees the result. */
static nrw_status outer_aggregate(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr *theirs;

    TRY(bind_call(s->frame->outer, e, &theirs, err));
    return frame_ref(s->b->a, s->frame, theirs, out, err);
}

static nrw_status bind_aggregate(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    aggregate g = {0};
    nrw_status st;
    uint32_t i;

    if (aggregate_is_outside(s, e))
        return outer_aggregate(s, e, out, err);
    if (s->no_aggregates || s->stage == STAGE_ROWS)
        return query_fail(s->b, e->at, err, "an aggregate function cannot stand in %s",
                          s->clause ? s->clause : "this place");
    if (s->in_aggregate || s->lambdas)
        return query_fail(s->b, e->at, err, "an aggregate function inside of %s",
                          s->lambdas ? "a lambda" : "another one");
    s->in_aggregate = true;
    st = aggregate_of(s, e, &g, err);
    s->in_aggregate = false;
    TRY(st);
    for (i = 0; i < s->n_aggregates; i++)
        if (same_aggregate(&s->aggregates[i], &g))
            break;
    if (i == s->n_aggregates)
        LIST_ADD(s->b->a, s->aggregates, s->n_aggregates, s->cap_aggregates, g, err);
    return expr_column(s->b->a, AGGREGATE_BASE + i, &g.result, out, err);
}

/* ---- windows ---- */

typedef struct window_name {
    const char *name;
    window_kind kind;
    uint8_t min_args, max_args;
} window_name;

static const window_name window_names[] = {
    {"row_number", WINDOW_ROW_NUMBER, 0, 0},
    {"rank", WINDOW_RANK, 0, 0},
    {"dense_rank", WINDOW_DENSE_RANK, 0, 0},
    {"rank_dense", WINDOW_DENSE_RANK, 0, 0},
    {"percent_rank", WINDOW_PERCENT_RANK, 0, 0},
    {"cume_dist", WINDOW_CUME_DIST, 0, 0},
    {"ntile", WINDOW_NTILE, 1, 1},
    {"lag", WINDOW_LAG, 1, 3},
    {"lead", WINDOW_LEAD, 1, 3},
    {"first_value", WINDOW_FIRST_VALUE, 1, 1},
    {"first", WINDOW_FIRST_VALUE, 1, 1},
    {"last_value", WINDOW_LAST_VALUE, 1, 1},
    {"last", WINDOW_LAST_VALUE, 1, 1},
    {"nth_value", WINDOW_NTH_VALUE, 2, 2},
};

static const window_name *window_called(const sql_expr *e)
{
    for (size_t i = 0; i < sizeof window_names / sizeof *window_names; i++)
        if (span_is_word(e->name.text, window_names[i].name))
            return &window_names[i];
    return NULL;
}

static frame_bound bound_of(sql_bound_kind k)
{
    switch (k) {
    case SQL_BOUND_UNBOUNDED_PRECEDING: return FRAME_UNBOUNDED_PRECEDING;
    case SQL_BOUND_PRECEDING: return FRAME_PRECEDING;
    case SQL_BOUND_FOLLOWING: return FRAME_FOLLOWING;
    case SQL_BOUND_UNBOUNDED_FOLLOWING: return FRAME_UNBOUNDED_FOLLOWING;
    default: return FRAME_CURRENT;
    }
}

static nrw_status constant_offset(selecting *s, const sql_expr *e, int64_t *out, nrw_error *err)
{
    const type bigint = type_of(TYPE_INT64);
    const expr *x;

    *out = 0;
    if (!e)
        return NRW_OK;
    TRY(bind_expr(s, e, &x, err));
    TRY(bind_at(s->b, e->at, expr_cast(s->b->a, x, &bigint, false, &x, err), err));
    if (!expr_is_constant(x) || x->constant->null_count)
        return query_fail(s->b, e->at, err, "the bound of a frame must be a constant");
    memcpy(out, x->constant->data, sizeof *out);
    if (*out < 0)
        return query_fail(s->b, e->at, err, "the bound of a frame cannot be negative");
    return NRW_OK;
}

/* A column of the window's input for e: numbered by its place among what the windows look at. */
static nrw_status window_column(selecting *s, const expr *e, uint32_t *out, nrw_error *err)
{
    for (uint32_t i = 0; i < s->n_window_inputs; i++)
        if (expr_equal(s->window_inputs[i], e)) {
            *out = i;
            return NRW_OK;
        }
    *out = s->n_window_inputs;
    LIST_ADD(s->b->a, s->window_inputs, s->n_window_inputs, s->cap_window_inputs, e, err);
    return NRW_OK;
}

static nrw_status window_frame(selecting *s, const sql_expr *e, window_call *w, nrw_error *err)
{
    const sql_window *over = e->over;

    w->from = FRAME_UNBOUNDED_PRECEDING;
    w->to = over->order_by.n ? FRAME_CURRENT : FRAME_UNBOUNDED_FOLLOWING;
    if (over->frame == SQL_FRAME_NONE)
        return NRW_OK;
    if (over->exclude != SQL_EXCLUDE_NONE)
        return query_fail(s->b, e->at, err, "EXCLUDE in a frame is not supported");
    w->by_rows = over->frame == SQL_FRAME_ROWS;
    w->from = bound_of(over->from);
    w->to = bound_of(over->to);
    if (!w->by_rows && (over->from_offset || over->to_offset))
        return query_fail(s->b, e->at, err,
                          "frames by RANGE or GROUPS with an offset are not "
                          "supported");
    if (over->frame == SQL_FRAME_GROUPS)
        return query_fail(s->b, e->at, err, "frames by GROUPS are not supported");
    TRY(constant_offset(s, over->from_offset, &w->from_offset, err));
    return constant_offset(s, over->to_offset, &w->to_offset, err);
}

static nrw_status window_keys(selecting *s, const sql_window *over, window_call *w, nrw_error *err)
{
    const expr *x;

    w->n_partition = over->partition_by.n;
    w->n_orders = over->order_by.n;
    TRY(arena_alloc(s->b->a, w->n_partition * sizeof *w->partition + 1, (void **)&w->partition,
                    err));
    TRY(arena_alloc(s->b->a, w->n_orders * sizeof *w->orders + 1, (void **)&w->orders, err));
    for (uint32_t i = 0; i < w->n_partition; i++) {
        TRY(bind_expr(s, over->partition_by.at[i], &x, err));
        TRY(window_column(s, x, &w->partition[i], err));
    }
    for (uint32_t i = 0; i < w->n_orders; i++) {
        const sql_order *o = &over->order_by.at[i];
        TRY(bind_expr(s, o->by, &x, err));
        TRY(window_column(s, x, &w->orders[i].column, err));
        w->orders[i].descending = o->descending;
        w->orders[i].nulls_first = o->nulls_first;
    }
    return NRW_OK;
}

/* Arguments of a window function that is not an aggregate. */
static nrw_status window_args(selecting *s, const sql_expr *e, const window_name *n, window_call *w,
                              nrw_error *err)
{
    const type bigint = type_of(TYPE_INT64);
    bool shift = n->kind == WINDOW_LAG || n->kind == WINDOW_LEAD;
    const expr *x;

    w->kind = n->kind;
    w->ignore_nulls = e->ignore_nulls;
    if (e->args.n < n->min_args || e->args.n > n->max_args || e->distinct || e->filter)
        return query_fail(s->b, e->at, err, "%s is not called like this", n->name);
    w->n_args = e->args.n;
    w->result = type_of(n->kind == WINDOW_PERCENT_RANK || n->kind == WINDOW_CUME_DIST ? TYPE_FLOAT64
                                                                                      : TYPE_INT64);
    for (uint32_t i = 0; i < 3; i++)
        w->args[i] = UINT32_MAX;
    for (uint32_t i = 0; i < e->args.n; i++) {
        TRY(bind_expr(s, e->args.at[i], &x, err));
        if (i == 1 || n->kind == WINDOW_NTILE)
            TRY(bind_at(s->b, e->at, expr_cast(s->b->a, x, &bigint, false, &x, err), err));
        else if (i == 0)
            w->result = x->type;
        else if (shift)
            TRY(bind_at(s->b, e->at, expr_cast(s->b->a, x, &w->result, false, &x, err), err));
        TRY(window_column(s, x, &w->args[i], err));
    }
    if (n->kind == WINDOW_NTILE)
        w->result = bigint;
    return NRW_OK;
}

static nrw_status window_aggregate(selecting *s, const sql_expr *e, window_call *w, nrw_error *err)
{
    uint32_t at;

    w->kind = WINDOW_AGGREGATE;
    TRY(aggregate_of(s, e, &w->aggregate, err));
    for (uint32_t i = 0; i < w->aggregate.n_args; i++) {
        const expr *x = w->aggregate.args[i];
        TRY(window_column(s, x, &at, err));
        TRY(expr_column(s->b->a, at, &x->type, &w->aggregate.args[i], err));
    }
    if (w->aggregate.filter) {
        const expr *x = w->aggregate.filter;
        TRY(window_column(s, x, &at, err));
        TRY(expr_column(s->b->a, at, &x->type, &w->aggregate.filter, err));
    }
    w->result = w->aggregate.result;
    return NRW_OK;
}

static nrw_status bind_window(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const window_name *n = window_called(e);
    window_call w = {0};
    nrw_status st = NRW_OK;

    if (s->lambdas)
        return query_fail(s->b, e->at, err, "a window function cannot stand in a lambda");
    if (s->no_aggregates || s->in_aggregate || s->in_window)
        return query_fail(s->b, e->at, err, "a window function cannot stand in %s",
                          s->in_window || s->in_aggregate ? "another function"
                          : s->clause                     ? s->clause
                                                          : "this place");
    s->in_window = true;
    if (n)
        st = window_args(s, e, n, &w, err);
    else if (aggregate_is_span(e->name.text))
        st = window_aggregate(s, e, &w, err);
    else
        st = query_fail(s->b, e->at, err, "%.*s is not a window function", (int)e->name.text.len,
                        (const char *)e->name.text.data);
    if (st >= 0)
        st = window_keys(s, e->over, &w, err);
    if (st >= 0)
        st = window_frame(s, e, &w, err);
    s->in_window = false;
    TRY(st);
    LIST_ADD(s->b->a, s->windows, s->n_windows, s->cap_windows, w, err);
    return expr_column(s->b->a, WINDOW_BASE + s->n_windows - 1, &w.result, out, err);
}

/* ---- functions ---- */

bool aggregate_is_span(span name)
{
    char text[64];

    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = 0;
    return aggregate_is(text);
}

nrw_status bind_call(selecting *s, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr **args;
    span *names = NULL;
    char *name;
    uint32_t self = 0;

    if (e->over)
        return bind_window(s, e, out, err);
    if (!e->is_operator && !e->names.n &&
        (span_is_word(e->name.text, "grouping") || span_is_word(e->name.text, "grouping_id")))
        return bind_grouping(s, e, out, err);
    if (!e->is_operator && (e->within_group || aggregate_is_span(e->name.text)))
        return bind_aggregate(s, e, out, err);
    if (e->distinct || e->filter || e->order_by.n || e->star)
        return query_fail(s->b, e->at, err, "%.*s is not an aggregate function",
                          (int)e->name.text.len, (const char *)e->name.text.data);
    TRY(chars(s->b->a, e->name.text, &name, err));
    if (!e->names.n && expr_takes_lambda(name))
        return bind_lambda_call(s, e, name, out, err);
    TRY(arena_alloc(s->b->a, (e->args.n + 1) * sizeof *args, (void **)&args, err));
    if (e->names.n) { /* x.f(y) is f(x, y) */
        sql_expr column = {.kind = SQL_EXPR_COLUMN, .at = e->at, .names = e->names};
        TRY(bind_expr(s, &column, &args[self++], err));
    }
    for (uint32_t i = 0; i < e->args.n; i++)
        TRY(bind_expr(s, e->args.at[i], &args[self + i], err));
    if (e->arg_names.n) {
        TRY(arena_alloc(s->b->a, (e->args.n + 1) * sizeof *names, (void **)&names, err));
        for (uint32_t i = 0; i < e->args.n; i++)
            names[self + i] = e->arg_names.at[i].text;
    }
    return bind_at(s->b, e->at, expr_call(s->b->a, name, args, names, self + e->args.n, out, err),
                   err);
}
