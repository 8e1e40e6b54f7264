/* Expressions from SQL text, for tests: literals, operators, calls, CASE, casts, lists, structs.
 * The names x and y are columns 0 and 1. Text that does not parse, or has a form that is not known
 * here, fails the test: an error is the expression's own. */
#ifndef SCALAR_SQL_H
#define SCALAR_SQL_H

#include "expr/scalar.h"
#include "sql/parse.h"
#include "testing.h"

typedef struct sql_binder {
    arena *a;
    const type *columns; /* of x and y; NULL: there are none */
} sql_binder;

static nrw_status sql_bind(const sql_binder *b, const sql_expr *e, const expr **out,
                           nrw_error *err);

static char *sql_text(const sql_binder *b, span s)
{
    char *text = NULL;
    nrw_error err = NRW_ERROR_INIT;

    return arena_strndup(b->a, (const char *)s.data, s.len, &text, &err) < 0 ? NULL : text;
}

/* INTEGER[] and the like; INTERVAL is SQL's. */
static nrw_status sql_type_of(const sql_binder *b, span s, type *out, nrw_error *err)
{
    void *p;
    field *f;

    if (s.len > 2 && s.data[s.len - 1] == ']' && s.data[s.len - 2] == '[') {
        TRY(arena_alloc(b->a, sizeof *f, &p, err));
        f = p;
        *f = (field){.name = "element", .nullable = true, .field_id = -1};
        TRY(sql_type_of(b, (span){s.data, s.len - 2}, &f->type, err));
        *out = type_nested(TYPE_LIST, f, 1);
        return NRW_OK;
    }
    assert_ok(type_parse(sql_text(b, s), out, err), err);
    if (out->id == TYPE_INTERVAL)
        *out = type_interval(UNIT_US);
    return NRW_OK;
}

static nrw_status sql_bind_case(const sql_binder *b, const sql_expr *e, const expr *const *args,
                                const expr **out, nrw_error *err)
{
    const expr *flat[32];
    uint32_t n = 0;

    if (!e->operand)
        return expr_call(b->a, "case", args, NULL, e->args.n, out, err);
    for (uint32_t i = 1; i < e->args.n; i++) {
        const expr *pair[2] = {args[0], args[i]};
        if (i % 2 == 0 || i + 1 == e->args.n)
            flat[n++] = args[i];
        else
            TRY(expr_call(b->a, "=", pair, NULL, 2, &flat[n++], err));
    }
    return expr_call(b->a, "case", flat, NULL, n, out, err);
}

static nrw_status sql_bind_literal(const sql_binder *b, const sql_expr *e, const expr **out,
                                   nrw_error *err)
{
    switch (e->literal) {
    case SQL_NULL: return expr_null(b->a, out, err);
    case SQL_TRUE: return expr_bool(b->a, true, out, err);
    case SQL_FALSE: return expr_bool(b->a, false, out, err);
    case SQL_NUMBER: return expr_number(b->a, e->text, out, err);
    case SQL_STRING: return expr_text(b->a, e->text, out, err);
    default: return expr_blob(b->a, e->text, out, err);
    }
}

/* The function that a form stands for; NULL: another way. */
static const char *sql_function_of(const sql_binder *b, const sql_expr *e)
{
    switch (e->kind) {
    case SQL_EXPR_CALL:
    case SQL_EXPR_COMPARE: return sql_text(b, e->name.text);
    case SQL_EXPR_AND: return "and";
    case SQL_EXPR_OR: return "or";
    case SQL_EXPR_NOT: return "not";
    case SQL_EXPR_IN: return "in";
    case SQL_EXPR_LIKE:
        return e->args.n > 2 ? (e->no_case ? "ilike_escape" : "like_escape")
                             : (e->no_case ? "~~*" : "~~");
    case SQL_EXPR_IS_NULL: return "is null";
    case SQL_EXPR_LIST: return "list_value";
    case SQL_EXPR_STRUCT: return "struct_pack";
    case SQL_EXPR_INDEX: return "array_extract";
    default: return NULL;
    }
}

static nrw_status sql_bind(const sql_binder *b, const sql_expr *e, const expr **out, nrw_error *err)
{
    const expr *args[32];
    span names[32];
    const char *name;
    type t;

    if (e->args.n > 31)
        fail_msg("more arguments than these tests know");
    if (e->kind == SQL_EXPR_LITERAL)
        return sql_bind_literal(b, e, out, err);
    if (e->kind == SQL_EXPR_COLUMN && b->columns) {
        uint32_t c = e->names.at[0].text.data[0] == 'y';
        return expr_column(b->a, c, &b->columns[c], out, err);
    }
    for (uint32_t i = 0; i < e->args.n; i++) {
        TRY(sql_bind(b, e->args.at[i], &args[i], err));
        names[i] = i < e->names.n ? e->names.at[i].text : (span){0};
    }
    if (e->kind == SQL_EXPR_CAST || (e->kind == SQL_EXPR_INTERVAL && !e->name.text.len)) {
        span text =
            e->kind == SQL_EXPR_CAST ? e->type.text : (span){(const uint8_t *)"interval", 8};
        TRY(sql_type_of(b, text, &t, err));
        return expr_cast(b->a, args[0], &t, e->try, out, err);
    }
    if (e->kind == SQL_EXPR_CASE)
        return sql_bind_case(b, e, args, out, err);
    name = sql_function_of(b, e);
    if (!name)
        fail_msg("a form that these tests do not know: %d", (int)e->kind);
    TRY(expr_call(b->a, name, args, e->names.n ? names : NULL, e->args.n, out, err));
    args[0] = *out;
    return e->negate ? expr_call(b->a, "not", args, NULL, 1, out, err) : NRW_OK;
}

static nrw_status sql_expression(const sql_binder *b, const char *text, const expr **out,
                                 nrw_error *err)
{
    sql_expr *e;

    *out = NULL;
    assert_ok(sql_parse_expr(b->a, span_of(text), &e, err), err);
    return sql_bind(b, e, out, err);
}

#endif
