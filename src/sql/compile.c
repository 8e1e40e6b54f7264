#include "sql/compile.h"

#include "exec/op_first.h"
#include "exec/op_group.h"
#include "exec/op_limit.h"
#include "exec/op_project.h"
#include "exec/op_sort.h"
#include "exec/op_where.h"
#include "exec/op_window.h"
#include "exec/source_values.h"
#include "sql/bind_own.h"
#include "sql/scan_filter.h"

/* Branches that are not ended yet, and by their places the operators that are needed until they
 * are. */
typedef struct chain {
    sql_branch *at;
    uint32_t n, cap;
    uint32_t *ops, n_ops, cap_ops;
} chain;

static nrw_status compile(sql_exec *x, const plan *p, chain *c, nrw_error *err);

/* One worker's of what is in flight, but for what is needed behind. */
static uint64_t share_of(const sql_exec *x)
{
    return x->batches / x->workers / 4 * 3;
}

static nrw_status add_op(sql_exec *x, op *o, nrw_error *err)
{
    sql_op held = {.o = o};

    LIST_ADD(x->a, x->ops, x->n_ops, x->cap_ops, held, err);
    return NRW_OK;
}

/* It will be closed behind a stage; here it is closed on failure. */
static nrw_status keep(sql_exec *x, op *o, nrw_error *err)
{
    nrw_status st = add_op(x, o, err);

    o->cancel = x->cancel;
    if (st < 0)
        op_close(o);
    return st;
}

/* Until the chain ends x->ops[at] is needed. */
static nrw_status chain_needs(const sql_exec *x, chain *c, uint32_t at, nrw_error *err)
{
    LIST_ADD(x->a, c->ops, c->n_ops, c->cap_ops, at, err);
    return NRW_OK;
}

static void link_behind(chain *c, op *o)
{
    for (uint32_t i = 0; i < c->n; i++) {
        sql_branch *b = &c->at[i];
        if (b->ends)
            continue;
        if (b->last)
            b->last->next = o;
        else
            b->first = o;
        b->last = o;
    }
}

/* Links o behind every branch. */
static nrw_status chain_add(sql_exec *x, chain *c, op *o, nrw_error *err)
{
    TRY(keep(x, o, err));
    TRY(chain_needs(x, c, x->n_ops - 1, err));
    link_behind(c, o);
    return NRW_OK;
}

static nrw_status chain_source(sql_exec *x, chain *c, source *s, const plan *scan, nrw_error *err)
{
    sql_branch b = {.source = s, .scan = scan};

    LIST_ADD(x->a, c->at, c->n, c->cap, b, err);
    return NRW_OK;
}

/* *out, which may be NULL: the stage. */
static nrw_status add_stage(sql_exec *x, chain *c, op *end, sql_stage **out, nrw_error *err)
{
    sql_stage *s;

    TRY(arena_alloc(x->a, sizeof *s, (void **)&s, err));
    *s = (sql_stage){.branches = c->at, .n = c->n, .end = end};
    *x->end = s;
    x->end = &s->next;
    for (uint32_t i = 0; i < c->n_ops; i++)
        x->ops[c->ops[i]].last = s;
    *c = (chain){0};
    if (out)
        *out = s;
    return NRW_OK;
}

/* The chain leads into `end` and is a stage; the next one needs `end`. */
static nrw_status chain_end(sql_exec *x, chain *c, op *end, sql_stage **out, nrw_error *err)
{
    uint32_t at;

    TRY(keep(x, end, err));
    at = x->n_ops - 1;
    link_behind(c, end);
    TRY(add_stage(x, c, end, out, err));
    return chain_needs(x, c, at, err);
}

/* Groups with marks: their stage runs together with the one that needs them. */
static nrw_status chain_feed(sql_exec *x, chain *c, op *end, const key_marks *marks, nrw_error *err)
{
    chain both = {.ops = c->ops, .n_ops = c->n_ops, .cap_ops = c->cap_ops};
    sql_stage *s;

    TRY(chain_end(x, c, end, &s, err));
    s->marks = marks;
    TRY(chain_needs(x, &both, c->ops[0], err));
    *c = both;
    TRY(chain_source(x, c, op_group_source(end), NULL, err));
    c->at[c->n - 1].feed = s;
    return NRW_OK;
}

static nrw_status types_of(sql_exec *x, const plan *p, type **out, nrw_error *err)
{
    TRY(arena_alloc(x->a, p->n * sizeof **out + 1, (void **)out, err));
    for (uint32_t c = 0; c < p->n; c++)
        (*out)[c] = p->columns[c].type;
    return NRW_OK;
}

static uint64_t grant_of(const sql_exec *x, const plan *p)
{
    for (uint32_t i = 0; i < x->n_grants; i++)
        if (x->grants[i].of == p)
            return x->grants[i].bytes;
    return 0;
}

/* Of PLAN_FIRST's grant what is for rows that wait. */
static uint64_t late_of(const sql_exec *x, const plan *p)
{
    for (uint32_t i = 0; i < x->n_grants; i++)
        if (x->grants[i].of == p)
            return x->grants[i].late;
    return 0;
}

/* ---- one kind each ---- */

static nrw_status compile_where(sql_exec *x, const expr *cond, uint32_t n_in, chain *c,
                                nrw_error *err)
{
    op *o;

    TRY(op_where_new(x->m, cond, n_in, x->held, share_of(x), &o, err));
    return chain_add(x, c, o, err);
}

/* What the scan's own filter can say goes there, the rest behind it. */
static nrw_status compile_scan(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    const expr *rest;

    TRY(chain_source(x, c, NULL, p, err));
    TRY(scan_filter_text(x->a, p, &c->at[c->n - 1].filter, &rest, err));
    return rest ? compile_where(x, rest, p->n, c, err) : NRW_OK;
}

static nrw_status compile_values(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    source *s;

    if (p->kind == PLAN_RANGE)
        TRY(source_range_new(x->a, p->from, p->to, p->step, &s, err));
    else
        TRY(source_values_new(x->a, p->exprs, p->n, p->n_rows, &s, err));
    return chain_source(x, c, s, NULL, err);
}

static nrw_status compile_project(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    const expr **exprs;
    void *room;
    op *o;

    TRY(compile(x, p->left, c, err));
    TRY(arena_alloc(x->a, p->n * sizeof *exprs + 1, &room, err));
    exprs = room;
    for (uint32_t i = 0; i < p->n; i++)
        TRY(expr_share(x->a, p->exprs[i], p->exprs, i, p->left->n, &exprs[i], err));
    TRY(op_project_new(x->m, exprs, p->n, p->left->n, x->held, share_of(x), &o, err));
    return chain_add(x, c, o, err);
}

static nrw_status compile_group(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    group_spec spec = {.n_keys = p->n_keys,
                       .n_aggregates = p->n_aggregates,
                       .aggregates = p->aggregates,
                       .workers = x->workers,
                       .memory = grant_of(x, p),
                       .held = x->held,
                       .marks = p->marks,
                       .marked_key = p->marked_key};
    type *types;
    op *o;

    TRY(compile(x, p->left, c, err));
    TRY(types_of(x, p, &types, err));
    spec.key_types = types;
    TRY(op_group_new(x->a, x->m, &spec, x->spill, &o, err));
    if (p->marks)
        return chain_feed(x, c, o, p->marks, err);
    TRY(chain_end(x, c, o, NULL, err));
    return chain_source(x, c, op_group_source(o), NULL, err);
}

static nrw_status compile_sort(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    sort_spec spec = {.n_columns = p->n,
                      .n_orders = p->n_orders,
                      .orders = p->orders,
                      .limit = p->limit,
                      .workers = x->workers,
                      .memory = grant_of(x, p),
                      .merging = sort_merging(grant_of(x, p)),
                      .held = x->held};
    type *types;
    op *o;

    TRY(compile(x, p->left, c, err));
    TRY(types_of(x, p, &types, err));
    spec.types = types;
    TRY(op_sort_new(x->a, x->m, &spec, x->spill, &o, err));
    TRY(chain_end(x, c, o, NULL, err));
    return chain_source(x, c, op_sort_source(o), NULL, err);
}

static nrw_status compile_limit(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    op *o;

    TRY(compile(x, p->left, c, err));
    TRY(op_limit_new(x->m, p->offset, p->limit, &o, err));
    TRY(chain_add(x, c, o, err));
    for (uint32_t i = 0; i < c->n; i++)
        if (!c->at[i].enough)
            c->at[i].enough = op_limit_reached(o);
    return NRW_OK;
}

static nrw_status compile_join(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    join_spec spec = {.kind = p->join,
                      .n_left = p->left->n,
                      .n_right = p->right->n,
                      .n_keys = p->n_join_keys,
                      .left_keys = p->left_keys,
                      .right_keys = p->right_keys,
                      .null_equal = p->null_equal,
                      .condition = p->condition,
                      .in_nulls = p->in_nulls,
                      .workers = x->workers,
                      .memory = grant_of(x, p),
                      .held = x->held};
    type *left, *right;
    chain side = {0};
    op *build, *probe;
    uint32_t at;

    TRY(types_of(x, p->left, &left, err));
    TRY(types_of(x, p->right, &right, err));
    spec.left_types = left;
    spec.right_types = right;
    TRY(op_build_new(x->a, x->m, &spec, x->spill, &build, err));
    TRY(keep(x, build, err));
    at = x->n_ops - 1;
    TRY(compile(x, p->right, &side, err));
    link_behind(&side, build);
    TRY(add_stage(x, &side, build, NULL, err));
    TRY(compile(x, p->left, c, err));
    TRY(chain_needs(x, c, at, err));
    TRY(op_probe_new(x->a, x->m, build, &probe, err));
    TRY(chain_add(x, c, probe, err));
    for (uint32_t i = 0; join_only_right(p->join) && i < c->n; i++)
        c->at[i].ends = true;
    TRY(chain_source(x, c, op_build_parts(build), NULL, err));
    c->at[c->n - 1].first = op_build_meet(build);
    c->at[c->n - 1].ends = true;
    TRY(chain_source(x, c, op_build_results(build), NULL, err));
    if (join_keeps_right(p->join))
        TRY(chain_source(x, c, op_build_rest(build), NULL, err));
    return NRW_OK;
}

static nrw_status compile_union(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    chain other = {0};

    TRY(compile(x, p->left, c, err));
    TRY(compile(x, p->right, &other, err));
    for (uint32_t i = 0; i < other.n; i++)
        LIST_ADD(x->a, c->at, c->n, c->cap, other.at[i], err);
    for (uint32_t i = 0; i < other.n_ops; i++)
        TRY(chain_needs(x, c, other.ops[i], err));
    return NRW_OK;
}

/* One operator for calls of the same partition and order. */
static nrw_status add_window(sql_exec *x, const plan *p, const type *types, uint32_t n,
                             const window_call *calls, uint32_t n_calls, chain *c, nrw_error *err)
{
    window_spec spec = {.n_columns = n,
                        .types = types,
                        .n_calls = n_calls,
                        .calls = calls,
                        .workers = x->workers,
                        .memory = grant_of(x, p),
                        .held = x->held,
                        .cancel = x->cancel};
    op *o;

    TRY(op_window_new(x->a, x->m, &spec, x->spill, &o, err));
    TRY(chain_end(x, c, o, NULL, err));
    return chain_source(x, c, op_window_source(o), NULL, err);
}

/* Calls with unlike partitions or orders are computed one set behind the other; at the end their
 * columns are put in the order of the calls. */
static nrw_status compile_window(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    uint32_t n = p->left->n, done = 0, *place;
    window_call *sets;
    const expr **exprs;
    type *types;
    bool moved = false;
    op *o;

    TRY(compile(x, p->left, c, err));
    TRY(arena_alloc(x->a, p->n * sizeof *types + 1, (void **)&types, err));
    TRY(arena_alloc(x->a, p->n_windows * sizeof *sets + 1, (void **)&sets, err));
    TRY(arena_alloc(x->a, p->n_windows * sizeof *place + 1, (void **)&place, err));
    for (uint32_t i = 0; i < n; i++)
        types[i] = p->left->columns[i].type;
    for (uint32_t i = 0; i < p->n_windows; i++)
        place[i] = UINT32_MAX;
    for (uint32_t i = 0; i < p->n_windows; i++) {
        uint32_t first = done;
        if (place[i] != UINT32_MAX)
            continue;
        for (uint32_t k = i; k < p->n_windows; k++)
            if (place[k] == UINT32_MAX && window_same_keys(&p->windows[i], &p->windows[k])) {
                place[k] = done;
                moved |= done != k;
                types[n + done] = p->windows[k].result;
                sets[done++] = p->windows[k];
            }
        TRY(add_window(x, p, types, n + first, sets + first, done - first, c, err));
    }
    if (!moved)
        return NRW_OK;
    TRY(arena_alloc(x->a, p->n * sizeof *exprs, (void **)&exprs, err));
    for (uint32_t i = 0; i < p->n; i++)
        TRY(expr_column(x->a, i < n ? i : n + place[i - n], &p->columns[i].type, &exprs[i], err));
    TRY(op_project_new(x->m, exprs, p->n, p->n, x->held, share_of(x), &o, err));
    return chain_add(x, c, o, err);
}

static nrw_status compile_first(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    first_spec spec = {.first = (uint32_t)p->limit,
                       .of = p->of,
                       .n_of = p->n_of,
                       .per = p->per,
                       .n_per = p->n_per,
                       .n_columns = p->left->n,
                       .workers = x->workers,
                       .memory = grant_of(x, p),
                       .late = late_of(x, p),
                       .held = x->held,
                       .cancel = x->cancel};
    type *types;
    op *o;

    spec.remember = (size_t)((spec.memory - spec.late) / 8);
    TRY(compile(x, p->left, c, err));
    TRY(types_of(x, p->left, &types, err));
    spec.types = types;
    TRY(op_first_new(x->a, x->m, &spec, x->spill, &o, err));
    TRY(chain_add(x, c, o, err));
    return spec.late ? chain_source(x, c, op_first_rest(o), NULL, err) : NRW_OK;
}

static nrw_status compile(sql_exec *x, const plan *p, chain *c, nrw_error *err)
{
    switch (p->kind) {
    case PLAN_SCAN: return compile_scan(x, p, c, err);
    case PLAN_VALUES:
    case PLAN_RANGE: return compile_values(x, p, c, err);
    case PLAN_PROJECT: return compile_project(x, p, c, err);
    case PLAN_FILTER:
        TRY(compile(x, p->left, c, err));
        return compile_where(x, p->exprs[0], p->left->n, c, err);
    case PLAN_GROUP: return compile_group(x, p, c, err);
    case PLAN_SORT: return compile_sort(x, p, c, err);
    case PLAN_LIMIT: return compile_limit(x, p, c, err);
    case PLAN_JOIN: return compile_join(x, p, c, err);
    case PLAN_UNION: return compile_union(x, p, c, err);
    case PLAN_WINDOW: return compile_window(x, p, c, err);
    case PLAN_FIRST: return compile_first(x, p, c, err);
    }
    return NRW_OK;
}

/* Windows: one for each set of calls of the same partition and order. */
uint32_t plan_gatherers(const plan *p)
{
    uint32_t sets = 0;

    if (p->kind != PLAN_WINDOW)
        return p->kind == PLAN_GROUP || p->kind == PLAN_SORT || p->kind == PLAN_JOIN ||
               p->kind == PLAN_FIRST;
    for (uint32_t i = 0; i < p->n_windows; i++) {
        uint32_t k = 0;
        while (!window_same_keys(&p->windows[k], &p->windows[i]))
            k++;
        sets += k == i;
    }
    return sets;
}

nrw_status sql_compile(sql_exec *x, const plan *p, nrw_error *err)
{
    chain c = {0};

    x->stages = NULL;
    x->end = &x->stages;
    TRY(compile(x, p, &c, err));
    return add_stage(x, &c, NULL, NULL, err);
}

void sql_stage_lead(sql_stage *s, op *o)
{
    link_behind(&(chain){.at = s->branches, .n = s->n}, o);
}
