/* * and t.*, with what they leave out or put in place; COLUMNS(..). */
#include "sql/own.h"

/* A column, and the table in front of it, if there is one. */
static nrw_status column_of(sql_parser *p, sql_name *table, sql_name *out, nrw_error *err)
{
    *table = (sql_name){0};
    TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a column", out, err));
    while (sql_take_sign(p, ".")) {
        *table = *out;
        TRY(sql_take_name(p, SQL_PLACE_LABEL, "a column", out, err));
    }
    return NRW_OK;
}

static nrw_status column(sql_parser *p, sql_name *out, nrw_error *err)
{
    sql_name table; /* the star says it */

    return column_of(p, &table, out, err);
}

static nrw_status excluded(sql_parser *p, sql_expr *star, nrw_error *err)
{
    sql_name name, table, *other;

    TRY(column_of(p, &table, &name, err));
    for (uint32_t i = 0; i < star->exclude.n; i++) {
        other = &star->exclude_tables.at[i];
        if (span_alike(star->exclude.at[i].text, name.text) &&
            (!table.text.len || !other->text.len || span_alike(table.text, other->text)))
            return sql_fail_at(p, name.at, err, "%.*s comes twice in EXCLUDE",
                               (int)size_min(name.text.len, 60), (const char *)name.text.data);
    }
    TRY(sql_add_name(p, &star->exclude_tables, table, err));
    return sql_add_name(p, &star->exclude, name, err);
}

static nrw_status replaced(sql_parser *p, sql_expr *star, nrw_error *err)
{
    sql_name name;

    TRY(sql_expr_into(p, &star->replace, err));
    TRY(sql_want_word(p, "as", err));
    TRY(column(p, &name, err));
    return sql_add_name(p, &star->replace_names, name, err);
}

static nrw_status renamed(sql_parser *p, sql_expr *star, nrw_error *err)
{
    sql_name from, to;

    TRY(column(p, &from, err));
    TRY(sql_want_word(p, "as", err));
    TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a name", &to, err));
    TRY(sql_add_name(p, &star->rename_from, from, err));
    return sql_add_name(p, &star->rename_to, to, err);
}

/* One entry, or several in parentheses. */
static nrw_status entries(sql_parser *p, sql_expr *star,
                          nrw_status (*entry)(sql_parser *, sql_expr *, nrw_error *),
                          nrw_error *err)
{
    if (!sql_take_sign(p, "("))
        return entry(p, star, err);
    do
        TRY(entry(p, star, err));
    while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

/* EXCEPT begins a set operation, too. */
static bool takes_exclude(sql_parser *p)
{
    bool except =
        sql_word_at(p, 0, "except") && !sql_query_at(p, 1) &&
        (sql_sign_at(p, 1, "(") ? !sql_query_at(p, 2) : sql_name_at(p, 1, SQL_PLACE_COLUMN));

    if (except)
        p->i++;
    return except || sql_take_word(p, "exclude");
}

nrw_status sql_star(sql_parser *p, sql_names table, size_t at, sql_expr **out, nrw_error *err)
{
    sql_expr *star;

    TRY(sql_new(p, SQL_EXPR_STAR, at, &star, err));
    star->names = table;
    p->i++;
    if (takes_exclude(p))
        TRY(entries(p, star, excluded, err));
    if (sql_take_word(p, "replace"))
        TRY(entries(p, star, replaced, err));
    if (sql_take_word(p, "rename"))
        TRY(entries(p, star, renamed, err));
    *out = star;
    return sql_close(p, star, err);
}

nrw_status sql_columns(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_expr *star, *which;

    TRY(sql_new(p, SQL_EXPR_STAR, sql_peek(p, 0)->at, &star, err));
    star->unpack = sql_take_sign(p, "*");
    p->i += 2;
    TRY(sql_expr_any(p, &which, err));
    TRY(sql_add(p, &star->args, which, err));
    if (which->kind == SQL_EXPR_LITERAL && which->literal == SQL_STRING)
        star->text = which->text;
    TRY(sql_want_sign(p, ")", err));
    *out = star;
    return sql_close(p, star, err);
}
