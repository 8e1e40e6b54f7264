/* Operands: literals, names, what is in parentheses, CASE, CAST, EXISTS, INTERVAL, LAMBDA. */
#include "sql/own.h"

#include "base/text.h"

/* ---- literals ---- */

static nrw_status literal(sql_parser *p, sql_literal kind, span text, sql_expr **out,
                          nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_LITERAL, sql_peek(p, 0)->at, out, err));
    (*out)->literal = kind;
    (*out)->text = text;
    p->i++;
    return sql_close(p, *out, err);
}

static nrw_status number(sql_parser *p, sql_expr **out, nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);
    span digits = t->text;
    uint8_t *plain;
    size_t n = 0;

    if (memchr(digits.data, '_', digits.len)) {
        TRY(arena_alloc(p->a, digits.len, (void **)&plain, err));
        for (size_t i = 0; i < digits.len; i++)
            if (digits.data[i] != '_')
                plain[n++] = digits.data[i];
        digits = (span){plain, n};
    }
    TRY(literal(p, SQL_NUMBER, digits, out, err));
    (*out)->name = (sql_name){.text = t->text, .at = t->at};
    return NRW_OK;
}

static nrw_status blob(sql_parser *p, sql_expr **out, nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);
    uint8_t *data;

    TRY(arena_alloc(p->a, t->text.len / 2 + 1, (void **)&data, err));
    for (size_t i = 0; i < t->text.len; i++) {
        int d = text_hex_digit(t->text.data[i]);
        if (d < 0 || t->text.len % 2)
            return sql_fail_at(p, t->at, err, "x'..' holds pairs of the digits 0-9 and a-f");
        data[i / 2] = (uint8_t)(data[i / 2] << 4 | d);
    }
    TRY(literal(p, SQL_BLOB, (span){data, t->text.len / 2}, out, err));
    (*out)->name = (sql_name){.text = t->text, .at = t->at};
    return NRW_OK;
}

static nrw_status param(sql_parser *p, sql_expr **out, nrw_error *err)
{
    const sql_token *t = sql_peek(p, 0);

    TRY(sql_new(p, SQL_EXPR_PARAM, t->at, out, err));
    (*out)->name = (sql_name){.text = t->text, .at = t->at};
    p->i++;
    return sql_close(p, *out, err);
}

static nrw_status position(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_POSITION, sql_peek(p, 0)->at, out, err));
    p->i++;
    (*out)->name = (sql_name){.text = sql_peek(p, 0)->text, .at = sql_peek(p, 0)->at};
    p->i++;
    return sql_close(p, *out, err);
}

/* DATE '2020-01-01' and so on: a cast. */
static nrw_status typed_literal(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_expr *text;

    TRY(sql_new(p, SQL_EXPR_CAST, sql_peek(p, 0)->at, out, err));
    TRY(sql_take_type(p, &(*out)->type, err));
    TRY(literal(p, SQL_STRING, sql_peek(p, 0)->text, &text, err));
    TRY(sql_add(p, &(*out)->args, text, err));
    return sql_close(p, *out, err);
}

/* INTERVAL '1 day', INTERVAL 5 DAY, INTERVAL (x) MONTH. */
static nrw_status interval(sql_parser *p, sql_expr **out, nrw_error *err)
{
    const char *unit;
    sql_expr *amount;

    TRY(sql_new(p, SQL_EXPR_INTERVAL, sql_peek(p, 0)->at, out, err));
    p->i++;
    TRY(sql_primary(p, &amount, err));
    TRY(sql_add(p, &(*out)->args, amount, err));
    unit = sql_unit_at(p, 0);
    if (unit) {
        (*out)->name = sql_name_of(unit, sql_peek(p, 0)->at);
        p->i++;
        if (sql_word_at(p, 0, "to"))
            return sql_fail_at(p, sql_peek(p, 0)->at, err,
                               "an interval has one unit; INTERVAL '1 day 2 hours' has several");
    } else if (amount->kind != SQL_EXPR_LITERAL || amount->literal != SQL_STRING) {
        return sql_expected(p, "a unit: YEAR, MONTH, DAY, HOUR ...", err);
    }
    return sql_close(p, *out, err);
}

/* ---- words that begin something ---- */

static nrw_status case_when(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_CASE, sql_peek(p, 0)->at, out, err));
    p->i++;
    (*out)->operand = !sql_word_at(p, 0, "when");
    if ((*out)->operand)
        TRY(sql_expr_into(p, &(*out)->args, err));
    do {
        TRY(sql_want_word(p, "when", err));
        TRY(sql_expr_into(p, &(*out)->args, err));
        TRY(sql_want_word(p, "then", err));
        TRY(sql_expr_into(p, &(*out)->args, err));
    } while (sql_word_at(p, 0, "when"));
    if (sql_take_word(p, "else"))
        TRY(sql_expr_into(p, &(*out)->args, err));
    TRY(sql_want_word(p, "end", err));
    return sql_close(p, *out, err);
}

static nrw_status cast(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_CAST, sql_peek(p, 0)->at, out, err));
    (*out)->try = sql_word_at(p, 0, "try_cast");
    p->i += 2;
    TRY(sql_expr_into(p, &(*out)->args, err));
    TRY(sql_want_word(p, "as", err));
    TRY(sql_take_type(p, &(*out)->type, err));
    TRY(sql_want_sign(p, ")", err));
    return sql_close(p, *out, err);
}

static nrw_status with_query(sql_parser *p, sql_expr_kind kind, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, kind, sql_peek(p, 0)->at, out, err));
    p->i += 2;
    TRY(sql_query_any(p, &(*out)->query, err));
    TRY(sql_want_sign(p, ")", err));
    return sql_close(p, *out, err);
}

static nrw_status exists(sql_parser *p, sql_expr **out, nrw_error *err)
{
    return with_query(p, SQL_EXPR_EXISTS, out, err);
}

static nrw_status array(sql_parser *p, sql_expr **out, nrw_error *err)
{
    if (sql_sign_at(p, 1, "("))
        return with_query(p, SQL_EXPR_ARRAY, out, err);
    p->i++;
    TRY(sql_list_literal(p, out, err));
    (*out)->is_operator = true;
    return NRW_OK;
}

static nrw_status row(sql_parser *p, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_ROW, sql_peek(p, 0)->at, out, err));
    p->i += 2;
    if (!sql_take_sign(p, ")"))
        TRY(sql_expr_arguments(p, &(*out)->args, err));
    return sql_close(p, *out, err);
}

/* LAMBDA x, y: x + y */
static nrw_status lambda(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_name name;

    TRY(sql_new(p, SQL_EXPR_LAMBDA, sql_peek(p, 0)->at, out, err));
    p->i++;
    do {
        TRY(sql_take_name_or_string(p, SQL_PLACE_COLUMN, "a parameter", &name, err));
        TRY(sql_add_name(p, &(*out)->names, name, err));
    } while (sql_take_sign(p, ","));
    TRY(sql_want_sign(p, ":", err));
    TRY(sql_expr_into(p, &(*out)->args, err));
    return sql_close(p, *out, err);
}

static nrw_status constant(sql_parser *p, sql_expr **out, nrw_error *err)
{
    sql_literal kind = sql_word_at(p, 0, "null")   ? SQL_NULL
                       : sql_word_at(p, 0, "true") ? SQL_TRUE
                                                   : SQL_FALSE;
    return literal(p, kind, (span){0}, out, err);
}

/* `before`: signs of which one follows the word where it begins this; NULL: always. */
static const struct {
    const char *word, *before;
    nrw_status (*parse)(sql_parser *, sql_expr **, nrw_error *);
} beginnings[] = {
    {"null", NULL, constant},      {"true", NULL, constant}, {"false", NULL, constant},
    {"case", NULL, case_when},     {"cast", "(", cast},      {"try_cast", "(", cast},
    {"exists", "(", exists},       {"array", "([", array},   {"row", "(", row},
    {"map", "{", sql_map_literal}, {"lambda", NULL, lambda}, {"columns", "(", sql_columns}};

static nrw_status beginning(sql_parser *p, sql_expr **out, bool *took, nrw_error *err)
{
    const sql_token *behind = sql_peek(p, 1);

    *took = true;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (!sql_word_at(p, 0, beginnings[i].word))
            continue;
        if (!beginnings[i].before || (behind->kind == SQL_TOKEN_SIGN && behind->text.len == 1 &&
                                      strchr(beginnings[i].before, behind->text.data[0])))
            return beginnings[i].parse(p, out, err);
    }
    if (sql_word_at(p, 0, "interval") &&
        (behind->kind == SQL_TOKEN_STRING || behind->kind == SQL_TOKEN_NUMBER ||
         behind->kind == SQL_TOKEN_PARAM || sql_sign_at(p, 1, "(")))
        return interval(p, out, err);
    if (sql_typed_literal_at(p))
        return typed_literal(p, out, err);
    return sql_special(p, out, took, err);
}

/* ---- names ---- */

/* a, a.b.c, a.b.*, f(..), a.f(..). */
static nrw_status named(sql_parser *p, sql_expr **out, nrw_error *err)
{
    size_t at = sql_peek(p, 0)->at;
    bool call = sql_sign_at(p, 1, "(");
    sql_names path = {0};
    sql_name name;

    TRY(sql_take_name(p, call ? SQL_PLACE_FUNCTION : SQL_PLACE_COLUMN, "an expression", &name,
                      err));
    while (!call && sql_sign_at(p, 0, ".")) {
        TRY(sql_add_name(p, &path, name, err));
        p->i++;
        if (sql_sign_at(p, 0, "*"))
            return sql_star(p, path, at, out, err);
        call = sql_sign_at(p, 1, "(");
        TRY(sql_take_name(p, SQL_PLACE_LABEL, "a name or *", &name, err));
    }
    TRY(sql_new(p, call ? SQL_EXPR_CALL : SQL_EXPR_COLUMN, at, out, err));
    (*out)->names = path;
    if (call) {
        (*out)->name = name;
        return sql_call(p, *out, err);
    }
    TRY(sql_add_name(p, &(*out)->names, name, err));
    return sql_close(p, *out, err);
}

/* ---- parentheses ---- */

static nrw_status subquery(sql_parser *p, size_t at, sql_expr **out, nrw_error *err)
{
    TRY(sql_new(p, SQL_EXPR_SUBQUERY, at, out, err));
    TRY(sql_query_any(p, &(*out)->query, err));
    TRY(sql_want_sign(p, ")", err));
    return sql_close(p, *out, err);
}

/* (a), (a, b), (SELECT ..). */
static nrw_status parentheses(sql_parser *p, sql_expr **out, nrw_error *err)
{
    size_t at = sql_peek(p, 0)->at;
    sql_expr *first, *tuple;

    p->i++;
    if (sql_query_at(p, 0))
        return subquery(p, at, out, err);
    TRY(sql_new(p, SQL_EXPR_ROW, at, &tuple, err));
    if (!sql_take_sign(p, ")")) {
        TRY(sql_expr_any(p, &first, err));
        *out = first;
        if (sql_take_sign(p, ")"))
            return NRW_OK;
        TRY(sql_add(p, &tuple->args, first, err));
        if (sql_more(p))
            TRY(sql_expr_list(p, &tuple->args, err));
        TRY(sql_want_sign(p, ")", err));
    }
    *out = tuple;
    return sql_close(p, tuple, err);
}

static nrw_status sign(sql_parser *p, sql_expr **out, nrw_error *err)
{
    if (sql_sign_at(p, 0, "("))
        return parentheses(p, out, err);
    if (sql_sign_at(p, 0, "["))
        return sql_list_literal(p, out, err);
    if (sql_sign_at(p, 0, "{"))
        return sql_struct_literal(p, out, err);
    if (sql_sign_at(p, 0, "#") && sql_peek(p, 1)->kind == SQL_TOKEN_NUMBER)
        return position(p, out, err);
    if (sql_sign_at(p, 0, "*"))
        return sql_word_at(p, 1, "columns") && sql_sign_at(p, 2, "(")
                   ? sql_columns(p, out, err)
                   : sql_star(p, (sql_names){0}, sql_peek(p, 0)->at, out, err);
    return sql_expected(p, "an expression", err);
}

nrw_status sql_primary(sql_parser *p, sql_expr **out, nrw_error *err)
{
    bool took;

    switch (sql_peek(p, 0)->kind) {
    case SQL_TOKEN_NUMBER: return number(p, out, err);
    case SQL_TOKEN_STRING: return literal(p, SQL_STRING, sql_peek(p, 0)->text, out, err);
    case SQL_TOKEN_BLOB: return blob(p, out, err);
    case SQL_TOKEN_PARAM: return param(p, out, err);
    case SQL_TOKEN_SIGN: return sign(p, out, err);
    case SQL_TOKEN_END: return sql_expected(p, "an expression", err);
    case SQL_TOKEN_WORD:
        TRY(beginning(p, out, &took, err));
        if (took)
            return NRW_OK;
        break;
    case SQL_TOKEN_QUOTED: break;
    }
    return named(p, out, err);
}
