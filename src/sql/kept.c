/* How much of a table conditions keep: by the column's bounds, as if its values lay evenly between
 * them, by how many values it has, else by the form of the condition. */
#include "sql/bind_own.h"

#define KEPT_EQUAL   0.05
#define KEPT_ORDERED 0.3
#define KEPT_OTHER   0.5
#define KEPT_LEAST   1e-6
/* Of more files than these nobody asks for bounds: each would be opened again. */
#define FEW_FILES 4

static bool is_ordered(const expr *e)
{
    return expr_is_call(e, "<") || expr_is_call(e, ">") || expr_is_call(e, "<=") ||
           expr_is_call(e, ">=");
}

double expr_kept(const expr *e)
{
    double kept = e->kind == EXPR_AND ? 1 : 0;

    if (e->kind == EXPR_AND || e->kind == EXPR_OR) {
        for (uint32_t i = 0; i < e->n_args; i++)
            kept =
                e->kind == EXPR_AND ? kept * expr_kept(e->args[i]) : kept + expr_kept(e->args[i]);
        return kept < 1 ? kept : 1;
    }
    if (expr_is_call(e, "=") || expr_is_call(e, "is null") || expr_is_call(e, "~~"))
        return KEPT_EQUAL;
    if (expr_is_call(e, "in")) {
        kept = KEPT_EQUAL * (e->n_args ? e->n_args - 1 : 1);
        return kept < KEPT_OTHER ? kept : KEPT_OTHER;
    }
    return is_ordered(e) ? KEPT_ORDERED : KEPT_OTHER;
}

/* ---- a column compared with a constant ---- */

typedef struct comparison {
    uint32_t column;
    const expr *constant;
    double unit;       /* the constant is in that part of the column's */
    bool equal, below; /* below: the values that are less */
} comparison;

/* A column, or one of dates as moments: so it is compared with a date and an interval. */
static const expr *bare(const expr *e, double *unit)
{
    *unit = 1;
    if (!expr_is_cast(e) || e->type.id != TYPE_TIMESTAMP || e->type.utc ||
        e->args[0]->type.id != TYPE_DATE)
        return e;
    *unit = 86400 * (double)units_per_second(e->type.unit);
    return e->args[0];
}

static bool is_comparison(const expr *e, comparison *out)
{
    bool equal = expr_is_call(e, "="), turned;
    const expr *column;
    double unit;

    if ((!equal && !is_ordered(e)) || e->n_args != 2)
        return false;
    turned = e->args[0]->kind == EXPR_CONSTANT;
    column = bare(e->args[turned], &unit);
    if (column->kind != EXPR_COLUMN || e->args[!turned]->kind != EXPR_CONSTANT ||
        e->args[!turned]->constant->null_count || !type_equal(&e->args[0]->type, &e->args[1]->type))
        return false;
    *out = (comparison){.column = column->column,
                        .constant = e->args[!turned],
                        .unit = unit,
                        .equal = equal,
                        .below = (expr_is_call(e, "<") || expr_is_call(e, "<=")) != turned};
    return true;
}

static double kept_of_equal(const plan_estimate *e, uint32_t column)
{
    uint64_t n = e->distinct[column];

    return n == UNKNOWN ? KEPT_EQUAL : n ? 1 / (double)n : 1;
}

static double kept_by_values(const plan_estimate *e, const expr *on)
{
    bool all = on->kind == EXPR_AND;
    double kept = all ? 1 : 0;
    comparison x;

    if (on->kind != EXPR_AND && on->kind != EXPR_OR)
        return is_comparison(on, &x) && x.equal ? kept_of_equal(e, x.column) : expr_kept(on);
    for (uint32_t i = 0; i < on->n_args; i++) {
        double part = kept_by_values(e, on->args[i]);
        kept = all ? kept * part : kept + part;
    }
    return kept < 1 ? kept : 1;
}

/* Whether e asks for one of some constants: of how many. Many of them the call has as a table. */
static bool is_named(const expr *e, uint32_t *column, uint32_t *of)
{
    const expr *const *list = e->n_written ? e->written : e->args;
    uint32_t n = e->n_written ? e->n_written : e->n_args;
    comparison x;

    if (is_comparison(e, &x) && x.equal) {
        *column = x.column;
        *of = 1;
        return true;
    }
    if (!expr_is_call(e, "in") || n < 2 || e->args[0]->kind != EXPR_COLUMN)
        return false;
    for (uint32_t i = 1; i < n; i++)
        if (list[i]->kind != EXPR_CONSTANT)
            return false;
    *column = e->args[0]->column;
    *of = n - 1;
    return true;
}

double expr_named(const plan_estimate *e, const expr *on, uint32_t *column)
{
    bool all = on->kind == EXPR_AND;
    double kept = all ? 1 : 0;
    uint32_t of;

    *column = UINT32_MAX;
    if (is_named(on, column, &of)) {
        uint64_t n = e->distinct[*column];
        return n == UNKNOWN || n <= of ? 1 : of / (double)n;
    }
    if (on->kind != EXPR_AND && on->kind != EXPR_OR)
        return 1;
    for (uint32_t i = 0; i < on->n_args; i++) {
        double part = expr_named(e, on->args[i], &of);
        kept = all ? kept * part : kept + part;
    }
    return kept < 1 ? kept : 1;
}

/* ---- bounds ---- */

/* Of types of at most 8 bytes that are whole numbers inside. */
static bool as_number(const type *t, span v, double *out)
{
    uint64_t bits = 0;

    if (type_is_view(t) || type_is_nested(t) || t->width == 0 || t->width > 8 || !v.data ||
        v.len != t->width || t->id == TYPE_FLOAT16 || t->id == TYPE_FLOAT32 ||
        t->id == TYPE_FLOAT64 || t->id == TYPE_FIXED)
        return false;
    memcpy(&bits, v.data, v.len);
    if (t->id == TYPE_BOOL || (t->id >= TYPE_UINT8 && t->id <= TYPE_UINT64))
        *out = (double)bits;
    else
        *out = (double)((int64_t)(bits << (64 - 8 * t->width)) >> (64 - 8 * t->width));
    return true;
}

typedef struct interval {
    double from, to;
    bool known;
} interval;

static nrw_status bounds_of(arena *a, const sql_catalog *c, const plan *p, uint32_t column,
                            interval *out, nrw_error *err)
{
    column_total t = {
        .column = p->table_columns[column], .type = p->columns[column].type, .extremes = true};
    bool known = p->table->files <= FEW_FILES;

    if (known)
        TRY(c->totals(c->self, p->table, &t, 1, a, &known, err));
    out->known = known && as_number(&t.type, t.least, &out->from) &&
                 as_number(&t.type, t.greatest, &out->to);
    return NRW_OK;
}

static void clip(interval *v, const comparison *x)
{
    double at;

    if (!as_number(&x->constant->type, flat_span(x->constant->constant, 0), &at))
        return;
    at /= x->unit;
    if (x->below && at < v->to)
        v->to = at;
    if (!x->below && at > v->from)
        v->from = at;
}

/* What the conditions from pushed[i] on leave that compare the column with more or less. */
static nrw_status kept_by_bounds(arena *a, const sql_catalog *c, const plan *p, uint32_t i,
                                 uint32_t column, part_kept *out, nrw_error *err)
{
    interval all, part;
    double told = 1;

    TRY(bounds_of(a, c, p, column, &all, err));
    part = all;
    for (; i < p->n_pushed; i++) {
        comparison x;
        if (!is_comparison(p->pushed[i], &x) || x.equal || x.column != column)
            continue;
        if (all.known)
            clip(&part, &x);
        else
            out->guessed *= KEPT_ORDERED;
    }
    if (all.known && part.to < part.from)
        told = 0;
    else if (all.known && all.to > all.from)
        told = (part.to - part.from) / (all.to - all.from);
    out->told *= told > KEPT_LEAST ? told : KEPT_LEAST;
    return NRW_OK;
}

static bool was_compared(const plan *p, uint32_t n, uint32_t column)
{
    comparison x;

    for (uint32_t i = 0; i < n; i++)
        if (is_comparison(p->pushed[i], &x) && !x.equal && x.column == column)
            return true;
    return false;
}

nrw_status scan_kept(arena *a, const sql_catalog *c, const plan_estimate *e, part_kept *out,
                     double *columns, nrw_error *err)
{
    const plan *p = e->of;
    uint32_t of;

    *out = (part_kept){1, 1, 1};
    for (uint32_t i = 0; i < p->n_pushed; i++) {
        comparison x;
        bool by_bounds = is_comparison(p->pushed[i], &x) && !x.equal;
        double named = expr_named(e, p->pushed[i], &of), told = out->told;
        out->named *= named;
        if (!by_bounds)
            out->guessed *= kept_by_values(e, p->pushed[i]);
        else if (!was_compared(p, i, x.column))
            TRY(kept_by_bounds(a, c, p, i, x.column, out, err));
        if (columns && by_bounds)
            columns[x.column] *= out->told / told;
        else if (columns && of != UINT32_MAX)
            columns[of] *= named;
    }
    return NRW_OK;
}
