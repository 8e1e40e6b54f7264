/* One SELECT, in the order it is meant: FROM, WHERE, GROUP BY, the list, HAVING, windows, QUALIFY,
 * DISTINCT, ORDER BY, LIMIT. */
#include "sql/unnest.h"

/* ---- which selects are grouped ---- */

static bool is_grouped(const selecting *s)
{
    const sql_query *q = s->q;

    if (q->group_by.there || q->having)
        return true;
    for (uint32_t i = 0; i < s->n_items; i++)
        if (has_aggregate(s, s->items[i].expr))
            return true;
    for (uint32_t i = 0; i < q->order_by.n; i++)
        if (has_aggregate(s, q->order_by.at[i].by))
            return true;
    return has_aggregate(s, q->qualify);
}

/* ---- WHERE ---- */

static nrw_status bind_where(selecting *s, const sql_expr *e, const expr **cond, nrw_error *err)
{
    const expr *x;

    if (e->kind == SQL_EXPR_AND) {
        for (uint32_t i = 0; i < e->args.n; i++)
            TRY(bind_where(s, e->args.at[i], cond, err));
        return NRW_OK;
    }
    TRY(bind_boolean(s, e, &x, err));
    return expr_and(s->b->a, *cond, x, cond, err);
}

/* ---- final numbers ---- */

/* Where the columns of the several kinds stand in the plan so far. */
static uint32_t final_number(void *self, uint32_t c)
{
    const selecting *s = self;

    if (c >= OUTER_BASE)
        return c;
    if (c >= WINDOW_BASE)
        return s->windows_at + (c - WINDOW_BASE);
    if (c >= ATTACHED_BASE) {
        uint32_t at = s->n_keys + s->n_aggregates;
        for (uint32_t i = 0; i < c - ATTACHED_BASE; i++)
            at += s->attached[i].kind == JOIN_MARK ? 1 : s->attached[i].right->n;
        return at;
    }
    if (c >= AGGREGATE_BASE)
        return s->n_keys + (c - AGGREGATE_BASE);
    return c;
}

static nrw_status settle(selecting *s, const expr **e, nrw_error *err)
{
    return expr_renumber(s->b->a, *e, final_number, s, e, err);
}

/* ---- the plan ---- */

typedef struct numbering {
    selecting *s;
    uint32_t n_left;
} numbering;

static uint32_t attached_number(void *self, uint32_t c)
{
    const numbering *n = self;

    return c >= RIGHT_BASE ? n->n_left + (c - RIGHT_BASE) : final_number(n->s, c);
}

/* What the subquery looks at outside of itself becomes columns of its own, which the join compares.
 */
static nrw_status unnest_attached(selecting *s, attachment *x, const expr **on, nrw_error *err)
{
    const expr **refs;
    domain d;
    uint32_t n = x->right->n;

    TRY(arena_alloc(s->b->a, x->refs->n * sizeof *refs + 1, (void **)&refs, err));
    for (uint32_t i = 0; i < x->refs->n; i++) {
        refs[i] = x->refs->refs[i];
        TRY(settle(s, &refs[i], err));
    }
    TRY(domain_make(s->b->a, s->below, refs, x->refs->n, x->right, &d, err));
    TRY(unnest(&d, &x->right, err));
    return domain_match(&d, RIGHT_BASE + n, on, err);
}

nrw_status join_attached(selecting *s, attachment *x, nrw_error *err)
{
    numbering n = {s, s->below->n};
    const expr *on = x->on;

    if (x->refs)
        TRY(unnest_attached(s, x, &on, err));
    if (on)
        TRY(expr_renumber(s->b->a, on, attached_number, &n, &on, err));
    TRY(plan_join(s->b->a, x->kind, s->below, x->right, on, &s->below, err));
    s->below->in_nulls = x->in_nulls;
    return NRW_OK;
}

static nrw_status plan_attached(selecting *s, nrw_error *err)
{
    for (uint32_t i = 0; i < s->n_attached; i++)
        TRY(join_attached(s, &s->attached[i], err));
    return NRW_OK;
}

static uint32_t place_of(void *self, uint32_t c)
{
    return ((const uint32_t *)self)[c];
}

/* What the windows look at: a column that is there, or one that is computed behind those. Where
 * each of it is goes to place. */
static nrw_status plan_window_inputs(selecting *s, uint32_t *place, plan **out, nrw_error *err)
{
    arena *a = s->b->a;
    uint32_t n = s->below->n;
    const expr **exprs;

    TRY(arena_alloc(a, (n + s->n_window_inputs) * sizeof *exprs + 1, (void **)&exprs, err));
    for (uint32_t c = 0; c < n; c++)
        TRY(expr_column(a, c, &s->below->columns[c].type, &exprs[c], err));
    for (uint32_t i = 0; i < s->n_window_inputs; i++) {
        const expr *e = s->window_inputs[i];
        TRY(settle(s, &e, err));
        place[i] = e->kind == EXPR_COLUMN ? e->column : n;
        if (place[i] == n)
            exprs[n++] = e;
    }
    if (n > s->below->n)
        return plan_project(a, s->below, exprs, NULL, n, out, err);
    *out = s->below;
    return NRW_OK;
}

static nrw_status place_window(arena *a, window_call *x, uint32_t *place, nrw_error *err)
{
    for (uint32_t k = 0; k < x->n_args && x->kind != WINDOW_AGGREGATE; k++)
        x->args[k] = place[x->args[k]];
    for (uint32_t k = 0; k < x->n_partition; k++)
        x->partition[k] = place[x->partition[k]];
    for (uint32_t k = 0; k < x->n_orders; k++)
        x->orders[k].column = place[x->orders[k].column];
    for (uint32_t k = 0; k < x->aggregate.n_args; k++)
        TRY(expr_renumber(a, x->aggregate.args[k], place_of, place, &x->aggregate.args[k], err));
    if (x->aggregate.filter)
        TRY(expr_renumber(a, x->aggregate.filter, place_of, place, &x->aggregate.filter, err));
    return plan_window_orders(a, x, err);
}

static nrw_status plan_windows(selecting *s, nrw_error *err)
{
    arena *a = s->b->a;
    uint32_t *place;
    plan *p, *w;

    TRY(arena_alloc(a, s->n_window_inputs * sizeof *place + 1, (void **)&place, err));
    TRY(plan_window_inputs(s, place, &p, err));
    TRY(plan_new(a, PLAN_WINDOW, p->n + s->n_windows, p, NULL, &w, err));
    memcpy(w->columns, p->columns, p->n * sizeof *p->columns);
    w->windows = s->windows;
    w->n_windows = s->n_windows;
    for (uint32_t i = 0; i < s->n_windows; i++) {
        w->columns[p->n + i].type = s->windows[i].result;
        TRY(place_window(a, &s->windows[i], place, err));
    }
    s->windows_at = p->n;
    s->below = w;
    return NRW_OK;
}

/* DISTINCT ON: of each group of equal values the first row, by ORDER BY. */
static nrw_status plan_distinct_on(selecting *s, const ordering *o, nrw_error *err)
{
    arena *a = s->b->a;
    window_call w = {.kind = WINDOW_ROW_NUMBER, .result = type_of(TYPE_INT64)};
    const expr *one, *number, *cond;
    plan *p;

    w.n_partition = s->n_on;
    w.n_orders = o->n;
    w.orders = o->at;
    w.partition = s->on_at;
    TRY(plan_window(a, s->below, &w, &p, err));
    TRY(expr_int64(a, 1, &one, err));
    TRY(expr_column(a, s->below->n, &w.result, &number, err));
    TRY(expr_call(a, "=", (const expr *[]){number, one}, NULL, 2, &cond, err));
    return plan_filter(a, p, cond, &s->below, err);
}

static nrw_status item_name(selecting *s, const sql_item *item, span *out, nrw_error *err)
{
    *out = item->alias.text;
    if (item->alias.text.len)
        return NRW_OK;
    if (item->expr->kind == SQL_EXPR_COLUMN) {
        int32_t found = -1;
        uint32_t used;
        *out = item->expr->names.at[item->expr->names.n - 1].text;
        TRY(scope_find(s->b, &s->from, &item->expr->names, item->expr->at, &used, &found, err));
        if (found >= 0 && used == item->expr->names.n) /* as the table spells it */
            *out = s->from.at[found].name;
        return NRW_OK;
    }
    return sql_print_expr(s->b->a, item->expr, out, err);
}

/* The place of e among n expressions, or n. */
static uint32_t place_among(const expr *const *exprs, uint32_t n, const expr *e)
{
    uint32_t i = 0;

    while (i < n && !expr_equal(exprs[i], e))
        i++;
    return i;
}

/* The list, what orders and what DISTINCT ON looks at, whose places in the list go to on_at. */
static nrw_status plan_list(selecting *s, const ordering *o, const expr **on, nrw_error *err)
{
    const uint32_t shown = s->n_items + o->n_hidden;
    const expr **exprs;
    uint32_t n = shown;
    span *names;

    TRY(arena_alloc(s->b->a, (n + s->n_on) * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(s->b->a, (n + s->n_on) * sizeof *names + 1, (void **)&names, err));
    TRY(arena_alloc(s->b->a, s->n_on * sizeof *s->on_at + 1, (void **)&s->on_at, err));
    for (uint32_t i = 0; i < shown; i++)
        exprs[i] = i < s->n_items ? s->bound[i] : o->hidden[i - s->n_items];
    for (uint32_t i = 0; i < s->n_on; i++) {
        s->on_at[i] = place_among(exprs, n, on[i]);
        if (s->on_at[i] == n)
            exprs[n++] = on[i];
    }
    for (uint32_t i = 0; i < n; i++)
        TRY(settle(s, &exprs[i], err));
    for (uint32_t i = 0; i < s->n_items; i++)
        TRY(item_name(s, &s->items[i], &names[i], err));
    return plan_project(s->b->a, s->below, exprs, names, n, &s->below, err);
}

static nrw_status bind_rows(selecting *s, nrw_error *err)
{
    const sql_query *q = s->q;
    const expr *cond = NULL;

    if (q->from) {
        TRY(bind_from(s, q->from, &s->from, &s->below, err));
    } else {
        TRY(plan_one_row(s->b->a, &s->below, err));
    }
    TRY(bind_stars(s, q, err));
    s->aliases = true;
    if (!q->where)
        return NRW_OK;
    s->no_aggregates = true;
    s->clause = "WHERE";
    TRY(bind_where(s, q->where, &cond, err));
    s->no_aggregates = false;
    s->clause = NULL;
    return plan_filter(s->b->a, s->below, cond, &s->below, err);
}

/* What the list's columns are called here, for ORDER BY behind a set operation. */
static nrw_status note_outputs(selecting *s, set_outputs *out, nrw_error *err)
{
    for (uint32_t i = 0; out && i < s->n_items; i++) {
        const sql_expr *e = s->items[i].expr;
        set_output o = {.column = i};
        TRY(item_name(s, &s->items[i], &o.name, err));
        TRY(sql_print_expr(s->b->a, e, &o.text, err));
        if (e->kind == SQL_EXPR_COLUMN) {
            int32_t found = (int32_t)e->place - 1;
            uint32_t used;
            if (found < 0)
                TRY(scope_find(s->b, &s->from, &e->names, e->at, &used, &found, err));
            if (found >= 0)
                o.table = s->from.at[found].table;
        }
        LIST_ADD(s->b->a, out->at, out->n, out->cap, o, err);
    }
    return NRW_OK;
}

static nrw_status bind_items(selecting *s, const expr ***on, const expr **having,
                             const expr **qualify, ordering *o, nrw_error *err)
{
    const sql_query *q = s->q;

    *having = *qualify = NULL;
    TRY(arena_alloc(s->b->a, s->n_items * sizeof *s->bound + 1, (void **)&s->bound, err));
    for (uint32_t i = 0; i < s->n_items; i++)
        TRY(bind_expr(s, s->items[i].expr, &s->bound[i], err));
    if (q->having)
        TRY(bind_boolean(s, q->having, having, err));
    if (q->qualify && !s->arrival)
        TRY(bind_boolean(s, q->qualify, qualify, err));
    s->n_on = q->distinct_on.n;
    TRY(arena_alloc(s->b->a, s->n_on * sizeof **on + 1, (void **)on, err));
    for (uint32_t i = 0; i < s->n_on; i++) {
        uint32_t at;
        TRY(bind_position(s, q->distinct_on.at[i], s->n_items, &at, err));
        if (at)
            (*on)[i] = s->bound[at - 1];
        else
            TRY(bind_expr(s, q->distinct_on.at[i], &(*on)[i], err));
    }
    return bind_orders(s, o, err);
}

nrw_status bind_select(binder *b, const sql_query *q, frame *in, plan **out, nrw_error *err)
{
    selecting s = {.b = b, .frame = in, .q = q};
    const expr *having, *qualify, **on;
    set_outputs *outputs = b->outputs;
    ordering o = {0};
    bool grouped;

    b->outputs = NULL; /* of this select alone, not of those in it */
    TRY(bind_rows(&s, err));
    TRY(note_outputs(&s, outputs, err));
    TRY(bind_arrival(&s, err));
    grouped = is_grouped(&s);
    if (grouped) {
        TRY(bind_keys(&s, err));
        s.stage = STAGE_GROUPS;
    }
    TRY(bind_items(&s, &on, &having, &qualify, &o, err));
    if (grouped) {
        TRY(plan_groups(&s, err));
        TRY(plan_attached(&s, err));
    }
    if (having) {
        TRY(settle(&s, &having, err));
        TRY(plan_filter(b->a, s.below, having, &s.below, err));
    }
    if (s.n_windows)
        TRY(plan_windows(&s, err));
    if (qualify) {
        TRY(settle(&s, &qualify, err));
        TRY(plan_filter(b->a, s.below, qualify, &s.below, err));
    }
    TRY(plan_list(&s, &o, on, err));
    if (s.n_on)
        TRY(plan_distinct_on(&s, &o, err));
    else if (q->distinct)
        TRY(plan_distinct(b->a, s.below, &s.below, err));
    TRY(bind_limits(&s, q, s.below, o.at, o.n, out, err));
    return plan_first_columns(b->a, *out, s.n_items, out, err);
}
