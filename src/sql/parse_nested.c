/* Literals of lists, structs and maps; list comprehensions, which are calls in other words. */
#include "sql/own.h"

static nrw_status call_of(sql_parser *p, const char *name, size_t at, sql_expr *first,
                          sql_expr *second, sql_expr **out, nrw_error *err)
{
    return sql_node(p, SQL_EXPR_CALL, name, at, first, second, out, err);
}

static nrw_status lambda_of(sql_parser *p, const sql_names *names, sql_expr *body, sql_expr **out,
                            nrw_error *err)
{
    TRY(sql_node(p, SQL_EXPR_LAMBDA, "->", body->at, body, NULL, out, err));
    (*out)->names = *names;
    return NRW_OK;
}

/* struct_extract(elem, 'field') as a lambda of elem. */
static nrw_status field_lambda(sql_parser *p, const char *field, size_t at, sql_expr **out,
                               nrw_error *err)
{
    sql_expr *column, *key, *call;
    sql_names names = {0};

    TRY(sql_add_name(p, &names, sql_name_of("elem", at), err));
    TRY(sql_new(p, SQL_EXPR_COLUMN, at, &column, err));
    column->names = names;
    TRY(sql_close(p, column, err));
    TRY(sql_new(p, SQL_EXPR_LITERAL, at, &key, err));
    key->literal = SQL_STRING;
    key->text = sql_name_of(field, at).text;
    TRY(sql_close(p, key, err));
    TRY(call_of(p, "struct_extract", at, column, key, &call, err));
    return lambda_of(p, &names, call, out, err);
}

/* [result FOR x IN list IF filter]: both are computed for each element, then those whose filter is
 * true are taken. */
static nrw_status filtered(sql_parser *p, const sql_names *names, sql_expr *list, sql_expr *result,
                           sql_expr *filter, sql_expr **out, nrw_error *err)
{
    sql_expr *pair, *lambda;
    size_t at = result->at;

    TRY(call_of(p, "struct_pack", at, filter, result, &pair, err));
    TRY(sql_add_name(p, &pair->arg_names, sql_name_of("filter", at), err));
    TRY(sql_add_name(p, &pair->arg_names, sql_name_of("result", at), err));
    TRY(lambda_of(p, names, pair, &lambda, err));
    TRY(call_of(p, "list_apply", at, list, lambda, out, err));
    TRY(field_lambda(p, "filter", at, &lambda, err));
    TRY(call_of(p, "list_filter", at, *out, lambda, out, err));
    TRY(field_lambda(p, "result", at, &lambda, err));
    return call_of(p, "list_apply", at, *out, lambda, out, err);
}

/* Behind the FOR of [result FOR x IN list [IF filter]]. */
static nrw_status comprehension(sql_parser *p, sql_expr *result, sql_expr **out, nrw_error *err)
{
    sql_names names = {0};
    sql_name name;
    sql_expr *list, *filter = NULL, *lambda;

    do {
        TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a name", &name, err));
        TRY(sql_add_name(p, &names, name, err));
    } while (sql_take_sign(p, ","));
    TRY(sql_want_word(p, "in", err));
    TRY(sql_expr_any(p, &list, err));
    if (sql_take_word(p, "if"))
        TRY(sql_expr_any(p, &filter, err));
    TRY(sql_want_sign(p, "]", err));
    if (filter)
        return filtered(p, &names, list, result, filter, out, err);
    TRY(lambda_of(p, &names, result, &lambda, err));
    return call_of(p, "list_apply", result->at, list, lambda, out, err);
}

nrw_status sql_list_literal(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_expr *list, *item;

    TRY(sql_new(p, SQL_EXPR_LIST, sql_peek(p, 0)->at, &list, err));
    TRY(sql_want_sign(p, "[", err));
    if (!sql_sign_at(p, 0, "]")) {
        TRY(sql_expr_any(p, &item, err));
        if (sql_take_word(p, "for"))
            return comprehension(p, item, out, err);
        TRY(sql_add(p, &list->args, item, err));
        if (sql_more(p))
            TRY(sql_expr_list(p, &list->args, err));
    }
    TRY(sql_want_sign(p, "]", err));
    *out = list;
    return sql_close(p, list, err);
}

nrw_status sql_struct_literal(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_name name;

    TRY(sql_new(p, SQL_EXPR_STRUCT, sql_peek(p, 0)->at, out, err));
    TRY(sql_want_sign(p, "{", err));
    do {
        TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a field's name", &name, err));
        TRY(sql_want_sign(p, ":", err));
        TRY(sql_add_name(p, &(*out)->names, name, err));
        TRY(sql_expr_into(p, &(*out)->args, err));
    } while (sql_more(p));
    TRY(sql_want_sign(p, "}", err));
    return sql_close(p, *out, err);
}

nrw_status sql_map_literal(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_MAP, sql_peek(p, 0)->at, out, err));
    p->i += 2;
    while (!sql_sign_at(p, 0, "}")) {
        TRY(sql_expr_into(p, &(*out)->args, err));
        TRY(sql_want_sign(p, ":", err));
        TRY(sql_expr_into(p, &(*out)->args, err));
        if (!sql_more(p))
            break;
    }
    TRY(sql_want_sign(p, "}", err));
    return sql_close(p, *out, err);
}
