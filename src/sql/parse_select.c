/* SELECT with its clauses, FROM first or not; VALUES; the lists of items and of ORDER BY. */
#include "sql/own.h"

/* ---- items ---- */

static nrw_status alias(sql_parser *p, sql_item *item, nrw_error *err)
{
    const sql_token *t;

    if (sql_take_word(p, "as"))
        return sql_take_name_or_string(p, SQL_PLACE_LABEL, "a name", &item->alias, err);
    t = sql_peek(p, 0);
    if (t->kind == SQL_TOKEN_QUOTED ||
        (t->kind == SQL_TOKEN_WORD && keyword_is_bare_alias(t->text)))
        return sql_take_name(p, SQL_PLACE_LABEL, "a name", &item->alias, err);
    return NRW_OK;
}

static nrw_status one_item(sql_parser *p, sql_item *item, nrw_error *err)
{
    if (sql_name_at(p, 0, SQL_PLACE_COLUMN) && sql_sign_at(p, 1, ":")) {
        TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a name", &item->alias, err));
        p->i++;
        return sql_expr_any(p, &item->expr, err);
    }
    TRY(sql_expr_any(p, &item->expr, err));
    return alias(p, item, err);
}

static nrw_status item_list(sql_parser *p, sql_query *q, nrw_error *err)
{
    sql_item *item;

    do {
        TRY(sql_push(p, &q->items, &q->n_items, sizeof *item, &item, err));
        TRY(one_item(p, item, err));
    } while (sql_more(p));
    return NRW_OK;
}

/* ---- ORDER BY ---- */

static nrw_status direction(sql_parser *p, sql_order *o, nrw_error *err)
{
    o->descending = sql_take_word(p, "desc") || sql_take_word(p, "descending");
    if (!o->descending)
        o->ascending = sql_take_word(p, "asc") || sql_take_word(p, "ascending");
    if (!sql_take_word(p, "nulls"))
        return NRW_OK;
    o->nulls_first = sql_take_word(p, "first");
    o->nulls_last = !o->nulls_first;
    return o->nulls_first || sql_take_word(p, "last") ? NRW_OK
                                                      : sql_expected(p, "FIRST or LAST", err);
}

/* ALL, or a lone * for it. */
bool sql_take_all(sql_parser *p)
{
    return sql_take_word(p, "all") || (!sql_word_at(p, 1, "columns") && sql_take_sign(p, "*"));
}

nrw_status sql_order_list(sql_parser *p, sql_orders *out, nrw_error *err)
{
    sql_order *o;

    out->all = sql_take_all(p);
    do {
        TRY(sql_push(p, &out->at, &out->n, sizeof *o, &o, err));
        if (!out->all)
            TRY(sql_expr_any(p, &o->by, err));
        TRY(direction(p, o, err));
    } while (!out->all && sql_more(p));
    return NRW_OK;
}

/* ---- VALUES ---- */

nrw_status sql_values(sql_parser *p, uint32_t *n_rows, sql_exprs **rows, nrw_error *err)
{
    sql_exprs *row;
    size_t at;

    do {
        at = sql_peek(p, 0)->at;
        TRY(sql_push(p, rows, n_rows, sizeof *row, &row, err));
        TRY(sql_want_sign(p, "(", err));
        TRY(sql_expr_arguments(p, row, err));
        if (row->n != (*rows)[0].n)
            return sql_fail_at(p, at, err, "this row of VALUES has %u values, the first one has %u",
                               row->n, (*rows)[0].n);
    } while (sql_more(p));
    return NRW_OK;
}

/* ---- SELECT ---- */

static nrw_status distinct(sql_parser *p, sql_query *q, nrw_error *err)
{
    q->distinct = sql_take_word(p, "distinct");
    if (!q->distinct)
        sql_take_word(p, "all");
    else if (sql_take_word(p, "on")) {
        TRY(sql_want_sign(p, "(", err));
        return sql_expr_arguments(p, &q->distinct_on, err);
    }
    return NRW_OK;
}

static nrw_status select_list(sql_parser *p, sql_query *q, nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);

    p->i++;
    TRY(distinct(p, q, err));
    if (sql_word_at(p, 0, "from") || sql_peek(p, 0)->kind == SQL_TOKEN_END ||
        sql_sign_at(p, 0, ")") || sql_sign_at(p, 0, ";"))
        return sql_fail_at(p, t->at, err, "SELECT without a list of what to select; * is all");
    TRY(item_list(p, q, err));
    if (sql_word_at(p, 0, "into"))
        return sql_fail_at(p, sql_peek(p, 0)->at, err, "SELECT INTO is not supported; COPY is");
    return NRW_OK;
}

static nrw_status lists(sql_parser *p, sql_query *q, nrw_error *err)
{
    if (sql_word_at(p, 0, "select")) {
        TRY(select_list(p, q, err));
        return sql_take_word(p, "from") ? sql_from_list(p, &q->from, err) : NRW_OK;
    }
    p->i++;
    TRY(sql_from_list(p, &q->from, err));
    return sql_word_at(p, 0, "select") ? select_list(p, q, err) : NRW_OK;
}

static nrw_status not_sampled(const sql_parser *p, nrw_error *err)
{
    if (!sql_words_at(p, "using", "sample"))
        return NRW_OK;
    return sql_fail_at(p, sql_peek(p, 0)->at, err, "USING SAMPLE is not supported");
}

static nrw_status clauses(sql_parser *p, sql_query *q, nrw_error *err)
{
    if (sql_take_word(p, "where"))
        TRY(sql_expr_any(p, &q->where, err));
    if (sql_take_words(p, "group", "by"))
        TRY(sql_group_clause(p, &q->group_by, err));
    if (sql_take_word(p, "having"))
        TRY(sql_expr_any(p, &q->having, err));
    if (sql_take_word(p, "window"))
        TRY(sql_window_clause(p, q, err));
    if (sql_take_word(p, "qualify"))
        TRY(sql_expr_any(p, &q->qualify, err));
    return not_sampled(p, err);
}

nrw_status sql_select(sql_parser *p, sql_query *q, nrw_error *err)
{
    sql_window **outside = p->open;
    uint32_t n_outside = p->n_open;

    p->open = NULL;
    p->n_open = 0;
    TRY(lists(p, q, err));
    TRY(clauses(p, q, err));
    TRY(sql_windows_end(p, q, err));
    p->open = outside;
    p->n_open = n_outside;
    return NRW_OK;
}
