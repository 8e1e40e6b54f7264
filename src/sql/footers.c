/* What footers answer: of all rows of a table how many there are, how many of a column are not
 * null, its least and greatest value. Such a group becomes the one row that it would give. */
#include "sql/plan.h"

/* How one aggregate is answered. */
typedef struct answer {
    enum { ALL_ROWS, NOT_NULL, LEAST, GREATEST } kind;
    uint32_t total; /* of all but ALL_ROWS: which of the totals */
} answer;

typedef struct answering {
    arena *a;
    const plan *scan;
    column_total *totals;
    answer *answers;
    uint32_t n_totals;
} answering;

/* Where all columns of p are columns of one scan or constants: that scan. */
static const plan *scan_below(const plan *p)
{
    while (p->kind == PLAN_PROJECT)
        p = p->left;
    return p->kind == PLAN_SCAN && p->n_pushed == 0 ? p : NULL;
}

/* What column c of p is, over the scan: a column of it or a constant; NULL: computed. */
static const expr *source_of(const plan *p, uint32_t c)
{
    const expr *e = NULL;

    for (; p->kind == PLAN_PROJECT; p = p->left) {
        e = p->exprs[c];
        if (e->kind != EXPR_COLUMN)
            return e->kind == EXPR_CONSTANT ? e : NULL;
        c = e->column;
    }
    return e;
}

static bool take(answering *w, const plan *g, const aggregate *x, answer *out)
{
    const bool least = aggregate_has_name(x, "min"), greatest = aggregate_has_name(x, "max");
    column_total *t = &w->totals[w->n_totals];
    const expr *e;

    if (x->filter || x->distinct || x->n_args > 1 ||
        !(least || greatest || aggregate_has_name(x, "count")))
        return false;
    *out = (answer){.kind = ALL_ROWS};
    if (x->n_args == 0)
        return !least && !greatest;
    if (x->args[0]->kind != EXPR_COLUMN)
        return false;
    if (g->left->kind == PLAN_SCAN)
        e = x->args[0];
    else
        e = source_of(g->left, x->args[0]->column);
    if (!e || e->kind == EXPR_CONSTANT)
        return e && !least && !greatest && e->constant->null_count == 0;
    if ((least || greatest) && !type_equal(&x->result, &e->type))
        return false;
    *t = (column_total){.column = w->scan->table_columns[e->column],
                        .type = e->type,
                        .extremes = least || greatest};
    *out = (answer){least ? LEAST : greatest ? GREATEST : NOT_NULL, w->n_totals++};
    return true;
}

static bool take_all(answering *w, const plan *g)
{
    for (uint32_t k = 0; k < g->n_aggregates; k++)
        if (!take(w, g, &g->aggregates[k], &w->answers[k]))
            return false;
    return true;
}

static nrw_status value(const answering *w, const answer *x, const type *t, const expr **out,
                        nrw_error *err)
{
    const column_total *of = &w->totals[x->total];
    const int64_t rows = w->scan->table->rows;
    span found;

    if (x->kind == ALL_ROWS || x->kind == NOT_NULL)
        return expr_int64(w->a, x->kind == ALL_ROWS ? rows : rows - of->nulls, out, err);
    found = x->kind == LEAST ? of->least : of->greatest;
    if (found.data)
        return expr_flat(w->a, t, found, out, err);
    TRY(expr_null(w->a, out, err));
    return expr_cast(w->a, *out, t, false, out, err);
}

/* *slot becomes the row of its answers. */
static nrw_status put(const answering *w, plan **slot, nrw_error *err)
{
    const plan *g = *slot;
    plan *row;

    TRY(plan_new(w->a, PLAN_VALUES, g->n, NULL, NULL, &row, err));
    memcpy(row->columns, g->columns, g->n * sizeof *g->columns);
    TRY(arena_alloc(w->a, g->n * sizeof *row->exprs + 1, (void **)&row->exprs, err));
    for (uint32_t k = 0; k < g->n; k++)
        TRY(value(w, &w->answers[k], &g->columns[k].type, &row->exprs[k], err));
    row->n_rows = 1;
    row->table = w->scan->table;
    *slot = row;
    return NRW_OK;
}

static nrw_status answer_group(arena *a, const sql_catalog *c, plan **slot, nrw_error *err)
{
    const plan *g = *slot;
    answering w = {.a = a, .scan = scan_below(g->left)};
    bool known;

    if (g->n_keys > 0 || !w.scan)
        return NRW_OK;
    TRY(arena_alloc(a, g->n_aggregates * sizeof *w.totals + 1, (void **)&w.totals, err));
    TRY(arena_alloc(a, g->n_aggregates * sizeof *w.answers + 1, (void **)&w.answers, err));
    if (!take_all(&w, g))
        return NRW_OK;
    TRY(c->totals(c->self, w.scan->table, w.totals, w.n_totals, a, &known, err));
    return known ? put(&w, slot, err) : NRW_OK;
}

nrw_status plan_take_footers(arena *a, const sql_catalog *c, plan **p, nrw_error *err)
{
    if ((*p)->left)
        TRY(plan_take_footers(a, c, &(*p)->left, err));
    if ((*p)->right)
        TRY(plan_take_footers(a, c, &(*p)->right, err));
    return (*p)->kind == PLAN_GROUP ? answer_group(a, c, p, err) : NRW_OK;
}
