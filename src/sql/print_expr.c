/* Expressions as DuckDB prints them where a column has no alias. */
#include "sql/own.h"

#include <stdarg.h>

#define PRINT_MAX (1 << 20)

/* ---- pieces ---- */

nrw_status sql_print_text(bytes *b, const char *text, nrw_error *err)
{
    return bytes_append(b, text, strlen(text), err);
}

/* The form, with an expression for each $ in it. */
static nrw_status form(bytes *b, nrw_error *err, const char *text, ...)
{
    nrw_status st = NRW_OK;
    va_list ap;

    va_start(ap, text);
    while (*text && st == NRW_OK) {
        size_t n = strcspn(text, "$");
        st = bytes_append(b, text, n, err);
        text += n;
        if (*text == '$' && st == NRW_OK) {
            st = sql_print(b, va_arg(ap, const sql_expr *), err);
            text++;
        }
    }
    va_end(ap);
    return st;
}

nrw_status sql_print_name(bytes *b, span name, nrw_error *err)
{
    bool plain = keyword_kind_of(name) == KEYWORD_NONE && name.len;

    for (size_t i = 0; i < name.len && plain; i++) {
        uint8_t c = ascii_lower(name.data[i]);
        plain = c == '_' || (c >= 'a' && c <= 'z') || (i && c >= '0' && c <= '9');
    }
    if (plain)
        return bytes_append(b, name.data, name.len, err);
    return bytes_quote(b, name, '"', err);
}

nrw_status sql_print_names(bytes *b, const sql_names *names, nrw_error *err)
{
    for (uint32_t i = 0; i < names->n; i++) {
        if (i)
            TRY(sql_print_text(b, ", ", err));
        TRY(sql_print_name(b, names->at[i].text, err));
    }
    return NRW_OK;
}

nrw_status sql_print_path(bytes *b, const sql_names *path, nrw_error *err)
{
    for (uint32_t i = 0; i < path->n; i++) {
        if (i)
            TRY(sql_print_text(b, ".", err));
        TRY(sql_print_name(b, path->at[i].text, err));
    }
    return NRW_OK;
}

nrw_status sql_print_list(bytes *b, const sql_exprs *list, nrw_error *err)
{
    for (uint32_t i = 0; i < list->n; i++)
        TRY(form(b, err, i ? ", $" : "$", list->at[i]));
    return NRW_OK;
}

/* ---- operators ---- */

static nrw_status literal(bytes *b, const sql_expr *e, nrw_error *err)
{
    switch (e->literal) {
    case SQL_NULL: return sql_print_text(b, "NULL", err);
    case SQL_TRUE: return sql_print_text(b, "true", err);
    case SQL_FALSE: return sql_print_text(b, "false", err);
    case SQL_NUMBER: return bytes_append(b, e->name.text.data, e->name.text.len, err);
    case SQL_STRING: return bytes_quote(b, e->text, '\'', err);
    case SQL_BLOB: TRY(sql_print_text(b, "X", err)); return bytes_quote(b, e->name.text, '\'', err);
    }
    return NRW_OK;
}

static bool is_minus(const sql_expr *e)
{
    return e->kind == SQL_EXPR_CALL && e->is_operator && e->args.n == 1 &&
           span_is(e->name.text, "-");
}

/* Minus in front of a number is part of it, and two of them are none. */
static nrw_status prefix(bytes *b, const sql_expr *e, nrw_error *err)
{
    const sql_expr *inner = e;
    bool negative = false;

    while (is_minus(inner)) {
        inner = inner->args.at[0];
        negative = !negative;
    }
    if (inner->kind == SQL_EXPR_LITERAL && inner->literal == SQL_NUMBER && inner != e)
        return form(b, err, negative ? "-$" : "$", inner);
    TRY(sql_print_text(b, "(", err));
    TRY(bytes_append(b, e->name.text.data, e->name.text.len, err));
    return form(b, err, "($))", e->args.at[0]);
}

static nrw_status infix(bytes *b, const sql_expr *left, span op, const sql_expr *right,
                        nrw_error *err)
{
    TRY(form(b, err, "($ ", left));
    if (span_is(op, "<>"))
        TRY(sql_print_text(b, "!=", err));
    else
        TRY(bytes_append(b, op.data, op.len, err));
    return form(b, err, " $)", right);
}

static nrw_status call(bytes *b, const sql_expr *e, nrw_error *err)
{
    if (!e->is_operator)
        return sql_print_call(b, e, err);
    return e->args.n == 1 ? prefix(b, e, err)
                          : infix(b, e->args.at[0], e->name.text, e->args.at[1], err);
}

static nrw_status junction(bytes *b, const sql_expr *e, nrw_error *err)
{
    const char *between = e->kind == SQL_EXPR_AND ? " AND $" : " OR $";

    for (uint32_t i = 0; i < e->args.n; i++)
        TRY(form(b, err, i ? between : "($", e->args.at[i]));
    return sql_print_text(b, ")", err);
}

/* ---- predicates ---- */

static nrw_status in(bytes *b, const sql_expr *e, nrw_error *err)
{
    if (e->query) {
        TRY(form(b, err, "($ = ANY(", e->args.at[0]));
        TRY(sql_print_query(b, e->query, err));
    } else {
        sql_exprs rest = {e->args.n - 1, e->args.at + 1};
        TRY(form(b, err, "($ IN (", e->args.at[0]));
        TRY(sql_print_list(b, &rest, err));
    }
    return sql_print_text(b, "))", err);
}

static nrw_status like(bytes *b, const sql_expr *e, nrw_error *err)
{
    sql_expr *const *a = e->args.at;

    if (e->args.n == 3)
        return form(b, err, e->no_case ? "ilike_escape($, $, $)" : "like_escape($, $, $)", a[0],
                    a[1], a[2]);
    TRY(form(b, err, e->negate ? "($ !~~" : "($ ~~", a[0]));
    return form(b, err, e->no_case ? "* $)" : " $)", a[1]);
}

/* a > ALL (..) is NOT a <= ANY (..). */
static nrw_status any(bytes *b, const sql_expr *e, nrw_error *err)
{
    static const char *const opposites[][2] = {{"=", "!="}, {"<>", "="}, {"<", ">="},
                                               {">=", "<"}, {">", "<="}, {"<=", ">"}};
    const char *op = NULL;

    for (size_t i = 0; i < sizeof opposites / sizeof *opposites; i++)
        if (span_is(e->name.text, opposites[i][0]))
            op = e->negate ? opposites[i][1] : i == 1 ? "!=" : opposites[i][0];
    TRY(form(b, err, "($ ", e->args.at[0]));
    TRY(sql_print_text(b, op ? op : "=", err));
    TRY(sql_print_text(b, " ANY(", err));
    if (e->query)
        TRY(sql_print_query(b, e->query, err));
    else
        TRY(form(b, err, "SELECT unnest($)", e->args.at[1]));
    return sql_print_text(b, "))", err);
}

static nrw_status is_true(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(form(b, err, "(CAST($ AS BOOLEAN) IS ", e->args.at[0]));
    TRY(sql_print_text(b, e->negate ? "DISTINCT FROM " : "NOT DISTINCT FROM ", err));
    return sql_print_text(b, e->literal == SQL_TRUE ? "true)" : "false)", err);
}

/* Whether its negation is printed as NOT around it. */
static bool wears_not(const sql_expr *e)
{
    return e->negate && (e->kind == SQL_EXPR_BETWEEN || e->kind == SQL_EXPR_IN ||
                         e->kind == SQL_EXPR_ANY || (e->kind == SQL_EXPR_LIKE && e->args.n == 3));
}

/* ---- other forms ---- */

static nrw_status case_when(bytes *b, const sql_expr *e, nrw_error *err)
{
    uint32_t i = e->operand;

    TRY(sql_print_text(b, "CASE ", err));
    for (; i + 1 < e->args.n; i += 2) {
        if (e->operand)
            TRY(form(b, err, " WHEN (($ = $))", e->args.at[0], e->args.at[i]));
        else
            TRY(form(b, err, " WHEN ($)", e->args.at[i]));
        TRY(form(b, err, " THEN ($)", e->args.at[i + 1]));
    }
    return i < e->args.n ? form(b, err, " ELSE $ END", e->args.at[i])
                         : sql_print_text(b, " ELSE NULL END", err);
}

static nrw_status cast(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(form(b, err, e->try ? "TRY_CAST($ AS " : "CAST($ AS ", e->args.at[0]));
    TRY(bytes_append(b, e->type.text.data, e->type.text.len, err));
    return sql_print_text(b, ")", err);
}

static nrw_status interval(bytes *b, const sql_expr *e, nrw_error *err)
{
    static const char *const units[][2] = {
        {"YEAR", "to_years(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"},
        {"MONTH", "to_months(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"},
        {"DAY", "to_days(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"},
        {"HOUR", "to_hours(CAST(trunc(CAST($ AS DOUBLE)) AS BIGINT))"},
        {"MINUTE", "to_minutes(CAST(trunc(CAST($ AS DOUBLE)) AS BIGINT))"},
        {"SECOND", "to_seconds(CAST($ AS DOUBLE))"},
        {"MILLISECONDS", "to_milliseconds(CAST($ AS DOUBLE))"},
        {"MICROSECONDS", "to_microseconds(CAST(trunc(CAST($ AS DOUBLE)) AS BIGINT))"},
        {"WEEK", "to_weeks(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"},
        {"QUARTER", "to_quarters(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"},
        {"DECADE", "to_decades(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"},
        {"CENTURY", "to_centuries(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"},
        {"MILLENNIUM", "to_millennia(CAST(trunc(CAST($ AS DOUBLE)) AS INTEGER))"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (span_is(e->name.text, units[i][0]))
            return form(b, err, units[i][1], e->args.at[0]);
    return form(b, err, "CAST($ AS INTERVAL)", e->args.at[0]);
}

static nrw_status extract(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(sql_print_text(b, "date_part(", err));
    TRY(bytes_quote(b, e->name.text, '\'', err));
    return form(b, err, ", $)", e->args.at[0]);
}

static nrw_status with_query(bytes *b, const sql_expr *e, const char *before, const char *behind,
                             nrw_error *err)
{
    TRY(sql_print_text(b, before, err));
    TRY(sql_print_query(b, e->query, err));
    return sql_print_text(b, behind, err);
}

static nrw_status array(bytes *b, const sql_expr *e, nrw_error *err)
{
    return with_query(b, e,
                      "(SELECT CASE  WHEN ((array_agg(#1) IS NULL)) THEN (list_value()) ELSE "
                      "array_agg(#1) END FROM (",
                      "))", err);
}

static nrw_status listed(bytes *b, const sql_expr *e, const char *before, const char *behind,
                         nrw_error *err)
{
    TRY(sql_print_text(b, before, err));
    TRY(sql_print_list(b, &e->args, err));
    return sql_print_text(b, behind, err);
}

static nrw_status fields(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(sql_print_text(b, "struct_pack(", err));
    for (uint32_t i = 0; i < e->args.n; i++) {
        TRY(sql_print_text(b, i ? ", " : "", err));
        TRY(sql_print_name(b, e->names.at[i].text, err));
        TRY(form(b, err, " := $", e->args.at[i]));
    }
    return sql_print_text(b, ")", err);
}

static nrw_status map(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(sql_print_text(b, "\"map\"(list_value(", err));
    for (uint32_t i = 0; i < e->args.n; i += 2)
        TRY(form(b, err, i ? ", $" : "$", e->args.at[i]));
    TRY(sql_print_text(b, "), list_value(", err));
    for (uint32_t i = 1; i < e->args.n; i += 2)
        TRY(form(b, err, i > 1 ? ", $" : "$", e->args.at[i]));
    return sql_print_text(b, "))", err);
}

static nrw_status slice(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(form(b, err, "$[", e->args.at[0]));
    for (uint32_t i = 1; i < e->args.n; i++) {
        if (i > 1)
            TRY(sql_print_text(b, ":", err));
        if (e->args.at[i])
            TRY(form(b, err, "$", e->args.at[i]));
        else if (i == 2 && e->args.n == 4)
            TRY(sql_print_text(b, "-", err));
    }
    return sql_print_text(b, "]", err);
}

static nrw_status field(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(form(b, err, "($).", e->args.at[0]));
    return sql_print_name(b, e->name.text, err);
}

static nrw_status lambda(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(sql_print_text(b, "(lambda ", err));
    TRY(sql_print_names(b, &e->names, err));
    return form(b, err, ": $)", e->args.at[0]);
}

/* A collation of several parts is one name. */
static nrw_status collate(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(form(b, err, "$ COLLATE ", e->args.at[0]));
    if (e->names.n == 1)
        return sql_print_path(b, &e->names, err);
    for (uint32_t i = 0; i < e->names.n; i++) {
        TRY(sql_print_text(b, i ? "." : "\"", err));
        TRY(bytes_append(b, e->names.at[i].text.data, e->names.at[i].text.len, err));
    }
    return sql_print_text(b, "\"", err);
}

/* $name, ?, #1 */
static nrw_status marked(bytes *b, const sql_expr *e, nrw_error *err)
{
    const char *mark = e->kind == SQL_EXPR_POSITION ? "#" : e->name.text.len ? "$" : "?";

    TRY(sql_print_text(b, mark, err));
    return bytes_append(b, e->name.text.data, e->name.text.len, err);
}

/* ---- all kinds ---- */

static nrw_status print_kind(bytes *b, const sql_expr *e, nrw_error *err)
{
    sql_expr *const *a = e->args.at;

    switch (e->kind) {
    case SQL_EXPR_LITERAL: return literal(b, e, err);
    case SQL_EXPR_PARAM:
    case SQL_EXPR_POSITION: return marked(b, e, err);
    case SQL_EXPR_COLUMN: return sql_print_path(b, &e->names, err);
    case SQL_EXPR_STAR: return sql_print_star(b, e, err);
    case SQL_EXPR_CALL: return call(b, e, err);
    case SQL_EXPR_AND:
    case SQL_EXPR_OR: return junction(b, e, err);
    case SQL_EXPR_NOT: return form(b, err, "(NOT $)", a[0]);
    case SQL_EXPR_COMPARE: return infix(b, a[0], e->name.text, a[1], err);
    case SQL_EXPR_BETWEEN: return form(b, err, "($ BETWEEN $ AND $)", a[0], a[1], a[2]);
    case SQL_EXPR_IN: return in(b, e, err);
    case SQL_EXPR_LIKE: return like(b, e, err);
    case SQL_EXPR_IS_NULL: return form(b, err, e->negate ? "($ IS NOT NULL)" : "($ IS NULL)", a[0]);
    case SQL_EXPR_IS_TRUE: return is_true(b, e, err);
    case SQL_EXPR_CASE: return case_when(b, e, err);
    case SQL_EXPR_CAST: return cast(b, e, err);
    case SQL_EXPR_INTERVAL: return interval(b, e, err);
    case SQL_EXPR_EXTRACT: return extract(b, e, err);
    case SQL_EXPR_SUBQUERY: return with_query(b, e, "(", ")", err);
    case SQL_EXPR_EXISTS: return with_query(b, e, "EXISTS(", ")", err);
    case SQL_EXPR_ANY: return any(b, e, err);
    case SQL_EXPR_ARRAY: return array(b, e, err);
    case SQL_EXPR_ROW: return listed(b, e, "\"row\"(", ")", err);
    case SQL_EXPR_LIST:
        return e->is_operator ? listed(b, e, "(ARRAY[", "])", err)
                              : listed(b, e, "list_value(", ")", err);
    case SQL_EXPR_STRUCT: return fields(b, e, err);
    case SQL_EXPR_MAP: return map(b, e, err);
    case SQL_EXPR_INDEX:
    case SQL_EXPR_SLICE: return slice(b, e, err);
    case SQL_EXPR_FIELD: return field(b, e, err);
    case SQL_EXPR_LAMBDA: return lambda(b, e, err);
    case SQL_EXPR_COLLATE: return collate(b, e, err);
    }
    return NRW_OK;
}

nrw_status sql_print(bytes *b, const sql_expr *e, nrw_error *err)
{
    if (!wears_not(e))
        return print_kind(b, e, err);
    TRY(sql_print_text(b, "(NOT ", err));
    TRY(print_kind(b, e, err));
    return sql_print_text(b, ")", err);
}

nrw_status sql_print_whole(arena *a, const sql_expr *e, span *out, nrw_error *err)
{
    bytes b = bytes_init(arena_mem(a), PRINT_MAX);
    char *text = NULL;
    nrw_status st = sql_print(&b, e, err);

    if (st == NRW_OK)
        st = arena_strndup(a, (const char *)b.data, b.len, &text, err);
    *out = (span){(const uint8_t *)text, st == NRW_OK ? b.len : 0};
    if (st < 0 && (b.len > PRINT_MAX / 2 || e->end - e->at > PRINT_MAX / 2))
        st = err_set(err, NRW_E_ARG, "an expression is too long for a name; give it an alias");
    bytes_release(&b);
    return st;
}

nrw_status sql_print_expr(arena *a, const sql_expr *e, span *out, nrw_error *err)
{
    if (e->kind != SQL_EXPR_COLUMN)
        return sql_print_whole(a, e, out, err);
    *out = e->names.at[e->names.n - 1].text;
    return NRW_OK;
}
