/* Function calls: arguments, ORDER BY among them, FILTER, OVER. */
#include "sql/own.h"

/* name := value, name => value: gives every argument so far a name that is empty. */
static nrw_status argument_name(sql_parser *p, sql_expr *call, nrw_error *err)
{
    sql_name name;

    TRY(sql_take_name(p, SQL_PLACE_FUNCTION, "a parameter", &name, err));
    p->i++;
    while (call->arg_names.n < call->args.n)
        TRY(sql_add_name(p, &call->arg_names, (sql_name){0}, err));
    return sql_add_name(p, &call->arg_names, name, err);
}

static nrw_status argument(sql_parser *p, sql_expr *call, nrw_error *err)
{
    bool is_named = sql_sign_at(p, 1, ":=") || sql_sign_at(p, 1, "=>");

    if (is_named)
        TRY(argument_name(p, call, err));
    else if (call->arg_names.n)
        TRY(sql_add_name(p, &call->arg_names, (sql_name){0}, err));
    return sql_expr_into(p, &call->args, err);
}

/* f(*): a lone star is no argument. */
static bool is_plain_star(const sql_expr *e)
{
    return e->kind == SQL_EXPR_STAR && !e->args.n && !e->names.n && !e->exclude.n &&
           !e->replace.n && !e->rename_from.n;
}

static nrw_status arguments(sql_parser *p, sql_expr *call, nrw_error *err)
{
    uint32_t before = call->args.n;

    TRY(sql_want_sign(p, "(", err));
    call->distinct = sql_take_word(p, "distinct");
    if (!call->distinct)
        sql_take_word(p, "all");
    if (!sql_sign_at(p, 0, ")") && !sql_word_at(p, 0, "order")) {
        do
            TRY(argument(p, call, err));
        while (sql_more(p));
    }
    if (call->args.n == before + 1 && is_plain_star(call->args.at[before])) {
        call->star = true;
        call->args.n = before;
    }
    if (sql_take_words(p, "order", "by"))
        TRY(sql_order_list(p, &call->order_by, err));
    call->ignore_nulls = sql_take_words(p, "ignore", "nulls");
    if (!call->ignore_nulls)
        sql_take_words(p, "respect", "nulls");
    return sql_want_sign(p, ")", err);
}

static nrw_status within_group(sql_parser *p, sql_expr *call, nrw_error *err)
{
    if (call->order_by.n)
        return sql_fail_at(p, sql_peek(p, 0)->at, err, "ORDER BY comes twice in one call");
    p->i += 2;
    call->within_group = true;
    TRY(sql_want_sign(p, "(", err));
    TRY(sql_want_word(p, "order", err));
    TRY(sql_want_word(p, "by", err));
    TRY(sql_order_list(p, &call->order_by, err));
    return sql_want_sign(p, ")", err);
}

static nrw_status filter(sql_parser *p, sql_expr *call, nrw_error *err)
{
    p->i += 2;
    sql_take_word(p, "where");
    TRY(sql_expr_any(p, &call->filter, err));
    return sql_want_sign(p, ")", err);
}

nrw_status sql_call(sql_parser *p, sql_expr *call, nrw_error *err)
{
    TRY(arguments(p, call, err));
    if (sql_words_at(p, "within", "group"))
        TRY(within_group(p, call, err));
    if (sql_word_at(p, 0, "filter") && sql_sign_at(p, 1, "("))
        TRY(filter(p, call, err));
    if (sql_take_word(p, "over"))
        TRY(sql_over(p, call, err));
    return sql_close(p, call, err);
}
