/* Queries as DuckDB prints them: subqueries are part of the names of columns. */
#include "sql/own.h"

static nrw_status text_and(bytes *b, const char *text, const sql_expr *e, nrw_error *err)
{
    if (!e)
        return NRW_OK;
    TRY(sql_print_text(b, text, err));
    return sql_print(b, e, err);
}

/* ---- FROM ---- */

static nrw_status rows(bytes *b, uint32_t n_rows, const sql_exprs *at, nrw_error *err)
{
    TRY(sql_print_text(b, "SELECT * FROM (VALUES ", err));
    for (uint32_t i = 0; i < n_rows; i++) {
        TRY(sql_print_text(b, i ? ", (" : "(", err));
        TRY(sql_print_list(b, &at[i], err));
        TRY(sql_print_text(b, ")", err));
    }
    return sql_print_text(b, ") AS valueslist", err);
}

static nrw_status from(bytes *b, const sql_from *f, nrw_error *err);

static nrw_status join(bytes *b, const sql_from *f, nrw_error *err)
{
    static const char *const kinds[] = {"CROSS", "INNER", "LEFT", "RIGHT",
                                        "FULL",  "SEMI",  "ANTI", "POSITIONAL"};

    TRY(sql_print_text(b, f->comma ? "" : "(", err));
    TRY(from(b, f->left, err));
    if (f->comma) {
        TRY(sql_print_text(b, " , ", err));
        return from(b, f->right, err);
    }
    TRY(sql_print_text(b, f->natural ? " NATURAL " : f->asof ? " ASOF " : " ", err));
    TRY(sql_print_text(b, kinds[f->join], err));
    TRY(sql_print_text(b, " JOIN ", err));
    TRY(from(b, f->right, err));
    if (f->on) {
        TRY(text_and(b, " ON (", f->on, err));
        TRY(sql_print_text(b, ")", err));
    } else if (f->using.n) {
        TRY(sql_print_text(b, " USING (", err));
        TRY(sql_print_names(b, &f->using, err));
        TRY(sql_print_text(b, ")", err));
    }
    return sql_print_text(b, ")", err);
}

static nrw_status source(bytes *b, const sql_from *f, nrw_error *err)
{
    switch (f->kind) {
    case SQL_FROM_TABLE: return sql_print_path(b, &f->path, err);
    case SQL_FROM_FUNCTION: return sql_print(b, f->call, err);
    case SQL_FROM_VALUES:
        TRY(sql_print_text(b, "(", err));
        TRY(rows(b, f->n_rows, f->rows, err));
        return sql_print_text(b, ")", err);
    case SQL_FROM_JOIN: return join(b, f, err);
    case SQL_FROM_QUERY:
        TRY(sql_print_text(b, "(", err));
        TRY(sql_print_query(b, f->query, err));
        return sql_print_text(b, ")", err);
    }
    return NRW_OK;
}

static nrw_status from(bytes *b, const sql_from *f, nrw_error *err)
{
    TRY(source(b, f, err));
    if (f->alias.text.len) {
        TRY(sql_print_text(b, " AS ", err));
        TRY(sql_print_name(b, f->alias.text, err));
    }
    if (!f->column_aliases.n)
        return NRW_OK;
    TRY(sql_print_text(b, "(", err));
    TRY(sql_print_names(b, &f->column_aliases, err));
    return sql_print_text(b, ")", err);
}

/* ---- SELECT ---- */

static nrw_status distinct(bytes *b, const sql_query *q, nrw_error *err)
{
    if (!q->distinct)
        return NRW_OK;
    TRY(sql_print_text(b, "DISTINCT ", err));
    if (!q->distinct_on.n)
        return NRW_OK;
    TRY(sql_print_text(b, "ON (", err));
    TRY(sql_print_list(b, &q->distinct_on, err));
    return sql_print_text(b, ") ", err);
}

static nrw_status items(bytes *b, const sql_query *q, nrw_error *err)
{
    if (!q->n_items)
        return sql_print_text(b, "*", err);
    for (uint32_t i = 0; i < q->n_items; i++) {
        TRY(text_and(b, i ? ", " : "", q->items[i].expr, err));
        if (q->items[i].alias.text.len) {
            TRY(sql_print_text(b, " AS ", err));
            TRY(sql_print_name(b, q->items[i].alias.text, err));
        }
    }
    return NRW_OK;
}

static nrw_status group_sets(bytes *b, const sql_group_by *g, nrw_error *err)
{
    TRY(sql_print_text(b, "GROUPING SETS (", err));
    for (uint32_t i = 0; i < g->n_sets; i++) {
        TRY(sql_print_text(b, i ? ",(" : "(", err));
        for (uint32_t k = 0; k < g->sets[i].n; k++)
            TRY(text_and(b, k ? ", " : "", g->exprs.at[g->sets[i].at[k]], err));
        TRY(sql_print_text(b, ")", err));
    }
    return sql_print_text(b, ")", err);
}

static nrw_status group_by(bytes *b, const sql_group_by *g, nrw_error *err)
{
    if (!g->there)
        return NRW_OK;
    TRY(sql_print_text(b, " GROUP BY ", err));
    if (g->all)
        return sql_print_text(b, "ALL", err);
    if (g->n_sets == 1 && !g->exprs.n)
        return sql_print_text(b, "()", err);
    return g->n_sets == 1 ? sql_print_list(b, &g->exprs, err) : group_sets(b, g, err);
}

static nrw_status select(bytes *b, const sql_query *q, nrw_error *err)
{
    TRY(sql_print_text(b, "SELECT ", err));
    TRY(distinct(b, q, err));
    TRY(items(b, q, err));
    if (q->from) {
        TRY(sql_print_text(b, " FROM ", err));
        TRY(from(b, q->from, err));
    }
    TRY(text_and(b, " WHERE ", q->where, err));
    TRY(group_by(b, &q->group_by, err));
    TRY(text_and(b, " HAVING ", q->having, err));
    return text_and(b, " QUALIFY ", q->qualify, err);
}

/* ---- all of it ---- */

static nrw_status with(bytes *b, const sql_query *q, nrw_error *err)
{
    for (uint32_t i = 0; i < q->n_with; i++) {
        const sql_with *w = &q->with[i];
        TRY(sql_print_text(b, i ? ", " : w->recursive ? "WITH RECURSIVE " : "WITH ", err));
        TRY(sql_print_name(b, w->name.text, err));
        if (w->columns.n) {
            TRY(sql_print_text(b, " (", err));
            TRY(sql_print_names(b, &w->columns, err));
            TRY(sql_print_text(b, ")", err));
        }
        TRY(sql_print_text(b,
                           w->not_materialized ? " AS NOT MATERIALIZED ("
                           : w->materialized   ? " AS MATERIALIZED ("
                                               : " AS (",
                           err));
        TRY(sql_print_query(b, w->query, err));
        TRY(sql_print_text(b, ")", err));
    }
    return sql_print_text(b, q->n_with ? " " : "", err);
}

/* Unions of one kind are printed as one, without a blank before the third and all behind it. */
static bool goes_on(const sql_query *q)
{
    const sql_query *left = q->left;

    return q->set == SQL_SET_UNION && left->set == SQL_SET_UNION && left->set_all == q->set_all &&
           left->by_name == q->by_name && !left->order_by.n && !left->limit && !left->offset &&
           !left->n_with;
}

static nrw_status set(bytes *b, const sql_query *q, nrw_error *err)
{
    static const char *const kinds[] = {"", ") UNION ", ") INTERSECT ", ") EXCEPT "};

    if (goes_on(q)) {
        TRY(set(b, q->left, err));
        TRY(sql_print_text(b, "UNION ", err));
    } else {
        TRY(sql_print_text(b, "(", err));
        TRY(sql_print_query(b, q->left, err));
        TRY(sql_print_text(b, kinds[q->set], err));
    }
    TRY(sql_print_text(b, q->set_all ? "ALL " : "", err));
    TRY(sql_print_text(b, q->by_name ? "BY NAME (" : "(", err));
    TRY(sql_print_query(b, q->right, err));
    return sql_print_text(b, ")", err);
}

static nrw_status body(bytes *b, const sql_query *q, nrw_error *err)
{
    if (q->set)
        return set(b, q, err);
    return q->n_rows ? rows(b, q->n_rows, q->rows, err) : select(b, q, err);
}

nrw_status sql_print_query(bytes *b, const sql_query *q, nrw_error *err)
{
    TRY(with(b, q, err));
    TRY(body(b, q, err));
    if (q->order_by.n) {
        TRY(sql_print_text(b, " ", err));
        TRY(sql_print_order(b, &q->order_by, err));
    }
    TRY(text_and(b, q->limit_percent ? " LIMIT (" : " LIMIT ", q->limit, err));
    TRY(sql_print_text(b, q->limit_percent ? ") %" : "", err));
    return text_and(b, " OFFSET ", q->offset, err);
}
