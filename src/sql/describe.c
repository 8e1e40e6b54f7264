/* DESCRIBE and SUMMARIZE as plans: of a query's columns a row each. */
#include "sql/bind_own.h"

/* ---- DESCRIBE ---- */

/* The column's type as DuckDB writes it. */
static nrw_status type_text(arena *a, const type *t, const expr **out, nrw_error *err)
{
    const expr *column;

    TRY(expr_column(a, 0, t, &column, err));
    return expr_call(a, "typeof", &column, NULL, 1, out, err);
}

static nrw_status null_text(arena *a, const expr **out, nrw_error *err)
{
    const type text = type_of(TYPE_UTF8);

    TRY(expr_null(a, out, err));
    return expr_cast(a, *out, &text, false, out, err);
}

nrw_status plan_described(arena *a, const plan *p, plan **out, nrw_error *err)
{
    static const char *const names[] = {"column_name", "column_type", "null",
                                        "key",         "default",     "extra"};
    const expr **row;

    TRY(plan_new(a, PLAN_VALUES, 6, NULL, NULL, out, err));
    (*out)->n_rows = p->n;
    for (uint32_t c = 0; c < 6; c++)
        (*out)->columns[c] = (plan_column){span_of(names[c]), type_of(TYPE_UTF8)};
    TRY(arena_alloc(a, p->n * 6 * sizeof *row + 1, (void **)&(*out)->exprs, err));
    for (uint32_t c = 0; c < p->n; c++) {
        row = (*out)->exprs + c * 6;
        TRY(expr_text(a, p->columns[c].name, &row[0], err));
        TRY(type_text(a, &p->columns[c].type, &row[1], err));
        TRY(expr_text(a, span_of("YES"), &row[2], err));
        for (uint32_t k = 3; k < 6; k++)
            TRY(null_text(a, &row[k], err));
    }
    return NRW_OK;
}

/* ---- SUMMARIZE ---- */

typedef enum summary_part { PART_ANY, PART_MOMENT, PART_NUMBER } summary_part;

/* The columns of a summary; those with an aggregate are asked of columns of some types alone. */
static const struct {
    const char *name, *aggregate;
    summary_part of;
    const char *fraction;
} parts[] = {{"min", "min", PART_ANY, NULL},
             {"max", "max", PART_ANY, NULL},
             {"approx_unique", "approx_count_distinct", PART_ANY, NULL},
             {"avg", "avg", PART_MOMENT, NULL},
             {"std", "stddev", PART_NUMBER, NULL},
             {"q25", "approx_quantile", PART_MOMENT, "0.25"},
             {"q50", "approx_quantile", PART_MOMENT, "0.5"},
             {"q75", "approx_quantile", PART_MOMENT, "0.75"},
             {"count", "count", PART_ANY, NULL}};
#define N_PARTS ((uint32_t)(sizeof parts / sizeof *parts))

static bool is_number(const type *t)
{
    return (t->id >= TYPE_INT8 && t->id <= TYPE_UINT128) || t->id == TYPE_FLOAT16 ||
           t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT64 || t->id == TYPE_DECIMAL;
}

static bool has_part(const type *t, summary_part of)
{
    switch (t->id) {
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP: return of != PART_NUMBER;
    default: return of == PART_ANY || is_number(t);
    }
}

/* Part k of column c; what is not asked of its type is counted, and not looked at. */
static nrw_status bind_part(arena *a, const plan *p, uint32_t c, uint32_t k, aggregate *out,
                            nrw_error *err)
{
    const type *t = &p->columns[c].type;
    bool asked = has_part(t, parts[k].of);
    const expr *args[2];
    uint32_t n = 1;

    TRY(expr_column(a, c, t, &args[0], err));
    if (asked && parts[k].fraction)
        TRY(expr_number(a, span_of(parts[k].fraction), &args[n++], err));
    return aggregate_bind(a, asked ? parts[k].aggregate : "count", args, n, out, err);
}

/* One row: for each column each of its parts, behind them the number of rows. */
static nrw_status summary_group(arena *a, plan *p, plan **out, nrw_error *err)
{
    uint32_t n = p->n * N_PARTS + 1;
    aggregate *all;

    TRY(arena_alloc(a, n * sizeof *all, (void **)&all, err));
    for (uint32_t i = 0; i + 1 < n; i++)
        TRY(bind_part(a, p, i / N_PARTS, i % N_PARTS, &all[i], err));
    TRY(aggregate_bind(a, "count_star", NULL, 0, &all[n - 1], err));
    return plan_grouped(a, p, NULL, 0, all, n, out, err);
}

/* The group's columns stand behind the number of the row. */
static nrw_status group_column(arena *a, const plan *g, uint32_t at, const expr **out,
                               nrw_error *err)
{
    return expr_column(a, 1 + at, &g->columns[at].type, out, err);
}

/* Part k of column c, of the group's row; counts are numbers, all else is text. */
static nrw_status summary_value(arena *a, const plan *p, const plan *g, uint32_t c, uint32_t k,
                                const expr **out, nrw_error *err)
{
    const type text = type_of(TYPE_UTF8);
    uint32_t at = c * N_PARTS + k;

    if (!has_part(&p->columns[c].type, parts[k].of))
        return null_text(a, out, err);
    TRY(group_column(a, g, at, out, err));
    return aggregate_counts(&g->aggregates[at]) ? NRW_OK
                                                : expr_cast(a, *out, &text, false, out, err);
}

/* 100 * (all - present) / all, to two digits behind the point; null where there is no row. */
static nrw_status null_part(arena *a, const expr *present, const expr *all, const expr **out,
                            nrw_error *err)
{
    const type real = type_of(TYPE_FLOAT64), percent = type_decimal(9, 2);
    const expr *args[2] = {all, present}, *x, *rows;

    TRY(expr_call(a, "-", args, NULL, 2, &x, err));
    TRY(expr_cast(a, x, &real, false, &args[0], err));
    TRY(expr_number(a, span_of("100"), &args[1], err));
    TRY(expr_call(a, "*", args, NULL, 2, &x, err));
    args[0] = all;
    TRY(expr_int64(a, 0, &args[1], err));
    TRY(expr_call(a, "nullif", args, NULL, 2, &rows, err));
    args[0] = x;
    args[1] = rows;
    TRY(expr_call(a, "/", args, NULL, 2, &x, err));
    return expr_cast(a, x, &percent, false, out, err);
}

/* What the summary says of column c. */
static nrw_status summary_row(arena *a, const plan *p, const plan *g, uint32_t c, const expr **row,
                              nrw_error *err)
{
    uint32_t last = 2 + N_PARTS;
    const expr *present;

    TRY(expr_text(a, p->columns[c].name, &row[0], err));
    TRY(type_text(a, &p->columns[c].type, &row[1], err));
    for (uint32_t k = 0; k < N_PARTS; k++)
        TRY(summary_value(a, p, g, c, k, &row[2 + k], err));
    present = row[last - 1];
    TRY(group_column(a, g, g->n - 1, &row[last - 1], err));
    return null_part(a, present, row[last - 1], &row[last], err);
}

/* 0, 1, .. n - 1, each with the group's row. */
static nrw_status numbered_rows(arena *a, plan *g, uint32_t n, plan **out, nrw_error *err)
{
    plan *rows;

    TRY(plan_new(a, PLAN_RANGE, 1, NULL, NULL, &rows, err));
    rows->columns[0].type = type_of(TYPE_INT64);
    rows->to = n;
    rows->step = 1;
    return plan_join(a, JOIN_INNER, rows, g, NULL, out, err);
}

static nrw_status none_is_nested(const plan *p, nrw_error *err)
{
    for (uint32_t c = 0; c < p->n; c++)
        if (type_is_nested(&p->columns[c].type))
            return err_set(
                err, NRW_E_ARG,
                "column %.*s has nested values, which SUMMARIZE does not support; leave "
                "it out, as in SUMMARIZE SELECT * EXCLUDE (%.*s) FROM ..",
                (int)size_min(p->columns[c].name.len, 60), (const char *)p->columns[c].name.data,
                (int)size_min(p->columns[c].name.len, 60), (const char *)p->columns[c].name.data);
    return NRW_OK;
}

nrw_status plan_summarized(arena *a, plan *p, plan **out, nrw_error *err)
{
    uint32_t n = N_PARTS + 3;
    const expr **rows, **outs, **args, *number;
    const type bigint = type_of(TYPE_INT64);
    span *names;
    plan *g;

    TRY(none_is_nested(p, err));
    TRY(summary_group(a, p, &g, err));
    TRY(arena_alloc(a, (size_t)p->n * n * sizeof *rows + 1, (void **)&rows, err));
    TRY(arena_alloc(a, n * sizeof *outs, (void **)&outs, err));
    TRY(arena_alloc(a, n * sizeof *names, (void **)&names, err));
    TRY(arena_alloc(a, (2 * (size_t)p->n + 1) * sizeof *args, (void **)&args, err));
    TRY(expr_column(a, 0, &bigint, &number, err));
    for (uint32_t c = 0; c < p->n; c++)
        TRY(summary_row(a, p, g, c, rows + (size_t)c * n, err));
    for (uint32_t k = 0; k < n; k++) {
        names[k] = span_of(k == 0       ? "column_name"
                           : k == 1     ? "column_type"
                           : k == n - 1 ? "null_percentage"
                                        : parts[k - 2].name);
        for (uint32_t c = 0; c < p->n; c++) {
            const expr *is[2] = {number, NULL};
            TRY(expr_int64(a, c, &is[1], err));
            TRY(expr_call(a, "=", is, NULL, 2, &args[2 * c], err));
            args[2 * c + 1] = rows[(size_t)c * n + k];
        }
        args[2 * p->n - 2] = args[2 * p->n - 1]; /* the last one is ELSE */
        TRY(expr_call(a, "case", args, NULL, 2 * p->n - 1, &outs[k], err));
    }
    TRY(numbered_rows(a, g, p->n, out, err));
    return plan_project(a, *out, outs, names, n, out, err);
}

/* ---- lines ---- */

nrw_status sql_lines(arena *a, span text, const char *name, plan **out, nrw_error *err)
{
    size_t n = text.len > 0, at = 0;

    for (size_t i = 0; i + 1 < text.len; i++)
        n += text.data[i] == '\n';
    TRY(plan_new(a, PLAN_VALUES, 1, NULL, NULL, out, err));
    (*out)->columns[0] = (plan_column){span_of(name), type_of(TYPE_UTF8)};
    (*out)->n_rows = n;
    TRY(arena_alloc(a, n * sizeof(expr *) + 1, (void **)&(*out)->exprs, err));
    for (size_t i = 0; i < n; i++) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end ? (size_t)(end - text.data) - at : text.len - at;
        TRY(expr_text(a, (span){text.data + at, len}, &(*out)->exprs[i], err));
        at += len + 1;
    }
    return NRW_OK;
}
