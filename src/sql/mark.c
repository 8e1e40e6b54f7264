/* Which groups are complete before all rows came: a key that goes straight from a table's column
 * into GROUP BY, by way of filters and other columns, where the table's metadata give marks. */
#include "sql/plan.h"

#include "column/compare.h"

/* What the rows of one group come to is small where marks are no more rows apart. */
#define GATHERED_ROWS ((int64_t)1 << 18)

/* The scan whose column comes out of p as column *c; NULL: it is computed, or its rows are not the
 * scan's in their order. */
static const plan *scan_below(const plan *p, uint32_t *c)
{
    for (; p->kind == PLAN_PROJECT || p->kind == PLAN_FILTER; p = p->left) {
        if (p->kind == PLAN_FILTER)
            continue;
        if (p->exprs[*c]->kind != EXPR_COLUMN)
            return NULL;
        *c = p->exprs[*c]->column;
    }
    return p->kind == PLAN_SCAN ? p : NULL;
}

/* Whether a group may gather more than there is room for between marks: it is longer than a few
 * rows, or than what lies between two of them. Without marks such a group may be of any size. */
static bool gathers_much(const plan *p, const key_marks *m)
{
    bool gathers = false, much = m->most > GATHERED_ROWS;

    for (uint32_t i = 0; i < p->n_aggregates; i++)
        gathers |= aggregate_gathers(&p->aggregates[i]);
    for (uint32_t i = 1; gathers && !much && i < m->n; i++)
        much = value_compare(&m->type, m->at[i - 1].key, m->at[i].key) == 0;
    return gathers && much;
}

static nrw_status mark_group(arena *a, const sql_catalog *catalog, plan *p, nrw_error *err)
{
    for (uint32_t k = 0; k < p->n_keys && !p->marks; k++) {
        uint32_t c = k;
        const plan *scan = scan_below(p->left, &c);
        key_marks *marks;
        if (!scan)
            continue;
        TRY(arena_alloc(a, sizeof *marks, (void **)&marks, err));
        marks->strict = p->n_keys > 1; /* else one group at most goes on behind a mark */
        TRY(catalog->marks(catalog->self, scan->table, scan->table_columns[c], a, marks, err));
        p->marked_key = k;
        p->marks = marks->n && !gathers_much(p, marks) ? marks : NULL;
    }
    return NRW_OK;
}

nrw_status plan_mark(arena *a, const sql_catalog *c, plan *p, nrw_error *err)
{
    if (p->left)
        TRY(plan_mark(a, c, p->left, err));
    if (p->right)
        TRY(plan_mark(a, c, p->right, err));
    return p->kind == PLAN_GROUP ? mark_group(a, c, p, err) : NRW_OK;
}
