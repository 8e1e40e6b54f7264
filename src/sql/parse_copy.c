/* COPY query TO 'target' (options). */
#include "sql/own.h"

/* ---- options ---- */

/* A word that is all of a value, keyword or not, is a name: COMPRESSION none, FORMAT csv. */
static nrw_status value(sql_parser *p, sql_option *o, nrw_error *err)
{
    bool alone = sql_sign_at(p, 1, ",") || sql_sign_at(p, 1, ")");
    sql_name alias = {0}, word;
    sql_expr *e;

    if (alone && sql_name_at(p, 0, SQL_PLACE_LABEL) && !sql_word_at(p, 0, "true") &&
        !sql_word_at(p, 0, "false") && !sql_word_at(p, 0, "null")) {
        TRY(sql_new(p, SQL_EXPR_COLUMN, sql_peek(p, 0)->at, &e, err));
        TRY(sql_take_name(p, SQL_PLACE_LABEL, "a value", &word, err));
        TRY(sql_add_name(p, &e->names, word, err));
        TRY(sql_close(p, e, err));
    } else {
        TRY(sql_expr_any(p, &e, err));
        if (o->list && sql_take_word(p, "as"))
            TRY(sql_take_name_or_string(p, SQL_PLACE_LABEL, "a name", &alias, err));
    }
    TRY(sql_add_name(p, &o->aliases, alias, err));
    return sql_add(p, &o->values, e, err);
}

/* NAME, NAME value, NAME (value, ...). */
static nrw_status option(sql_parser *p, sql_option *o, nrw_error *err)
{
    TRY(sql_take_name(p, SQL_PLACE_LABEL, "an option", &o->name, err));
    if (sql_sign_at(p, 0, ",") || sql_sign_at(p, 0, ")"))
        return NRW_OK;
    o->list = sql_take_sign(p, "(");
    if (!o->list)
        return value(p, o, err);
    do
        TRY(value(p, o, err));
    while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

static nrw_status new_option(sql_parser *p, sql_statement *s, sql_option **out, nrw_error *err)
{
    return sql_push(p, &s->options, &s->n_options, sizeof **out, out, err);
}

/* The older form without parentheses: CSV HEADER DELIMITER '|'. */
static nrw_status old_options(sql_parser *p, sql_statement *s, nrw_error *err)
{
    sql_option *o;

    while (sql_peek(p, 0)->kind == SQL_TOKEN_WORD) {
        TRY(new_option(p, s, &o, err));
        TRY(sql_take_name(p, SQL_PLACE_LABEL, "an option", &o->name, err));
        sql_take_word(p, "as");
        if (sql_peek(p, 0)->kind == SQL_TOKEN_STRING)
            TRY(value(p, o, err));
    }
    return NRW_OK;
}

static nrw_status options(sql_parser *p, sql_statement *s, nrw_error *err)
{
    sql_option *o;

    sql_take_word(p, "with");
    if (!sql_take_sign(p, "("))
        return old_options(p, s, err);
    do {
        TRY(new_option(p, s, &o, err));
        TRY(option(p, o, err));
    } while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

/* ---- what is copied ---- */

static nrw_status columns(sql_parser *p, sql_query *q, nrw_error *err)
{
    sql_names names = {0};
    sql_item *item;

    TRY(sql_take_names(p, "a column", &names, err));
    for (uint32_t i = 0; i < names.n; i++) {
        TRY(sql_push(p, &q->items, &q->n_items, sizeof *item, &item, err));
        TRY(sql_new(p, SQL_EXPR_COLUMN, names.at[i].at, &item->expr, err));
        TRY(sql_add_name(p, &item->expr->names, names.at[i], err));
        TRY(sql_close(p, item->expr, err));
    }
    return NRW_OK;
}

/* COPY table [(columns)]: a query of it. */
static nrw_status table(sql_parser *p, sql_query **out, nrw_error *err)
{
    sql_from *from;

    TRY(sql_table_path(p, &from, err));
    TRY(sql_query_over(p, from, out, err));
    (*out)->height = 2;
    return sql_sign_at(p, 0, "(") ? columns(p, *out, err) : NRW_OK;
}

nrw_status sql_copy_statement(sql_parser *p, sql_statement *s, nrw_error *err)
{
    const sql_token *t;

    s->kind = SQL_COPY;
    if (sql_take_sign(p, "(")) {
        TRY(sql_query_any(p, &s->query, err));
        TRY(sql_want_sign(p, ")", err));
    } else if (!sql_word_at(p, 0, "from")) {
        TRY(table(p, &s->query, err));
    }
    t = sql_peek(p, 0);
    if (sql_word_at(p, 0, "from"))
        return sql_fail_at(p, t->at, err, "COPY .. FROM is not supported; COPY .. TO is");
    TRY(sql_want_word(p, "to", err));
    t = sql_peek(p, 0);
    if (t->kind != SQL_TOKEN_STRING)
        return sql_expected(p, "the target in single quotes", err);
    s->target = t->text;
    p->i++;
    return options(p, s, err);
}
