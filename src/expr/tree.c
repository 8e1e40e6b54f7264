/* Walking, comparing, copying and printing expressions. */
#include "expr/fn_lambda.h"
#include "expr/function.h"

#include "column/print.h"

#include <ctype.h>
#include <stdio.h>

nrw_status expr_column(arena *a, uint32_t column, const type *t, const expr **out, nrw_error *err)
{
    void *p;
    expr *e;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *e, &p, err));
    e = p;
    e->kind = EXPR_COLUMN;
    e->column = column;
    e->type = *t;
    *out = e;
    return NRW_OK;
}

void expr_columns(const expr *e, void (*see)(void *self, uint32_t column), void *self)
{
    if (e->kind == EXPR_COLUMN)
        see(self, e->column);
    for (uint32_t i = 0; i < e->n_args; i++)
        expr_columns(e->args[i], see, self);
}

bool expr_grows(const expr *e)
{
    if (e->kind == EXPR_CALL && e->f && (e->f->flags & GROWS))
        return true;
    for (uint32_t i = 0; i < e->n_args; i++)
        if (expr_grows(e->args[i]))
            return true;
    return false;
}

static bool constants_equal(const expr *a, const expr *b)
{
    const vector *x = a->constant, *y = b->constant;
    span s, t;

    if (vector_is_valid(x, 0) != vector_is_valid(y, 0))
        return false;
    if (!vector_is_valid(x, 0))
        return true;
    if (type_is_nested(&a->type))
        return x == y;
    s = flat_span(x, 0);
    t = flat_span(y, 0);
    return s.len == t.len && (s.len == 0 || memcmp(s.data, t.data, s.len) == 0);
}

static bool all_equal(const expr *const *a, const expr *const *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!expr_equal(a[i], b[i]))
            return false;
    return true;
}

bool expr_equal(const expr *a, const expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->n_args != b->n_args || !type_equal(&a->type, &b->type) ||
        a->changes || b->changes)
        return false;
    if (a->kind == EXPR_COLUMN)
        return a->column == b->column;
    if (a->kind == EXPR_CONSTANT)
        return constants_equal(a, b);
    if (a->f != b->f || !lambda_equal(a, b) || a->n_written != b->n_written)
        return false;
    if (!a->f && a->kind == EXPR_CALL && cast_tries(a) != cast_tries(b))
        return false;
    if (a->n_written)
        return all_equal(a->written, b->written, a->n_written);
    return all_equal(a->args, b->args, a->n_args);
}

static nrw_status replace_all(arena *a, const expr *const *from, uint32_t n,
                              const expr *const *columns, const expr ***out, nrw_error *err)
{
    const expr **args;
    void *p;

    TRY(arena_alloc(a, n * sizeof *args, &p, err));
    *out = args = p;
    for (uint32_t i = 0; i < n; i++)
        TRY(expr_replace(a, from[i], columns, &args[i], err));
    return NRW_OK;
}

nrw_status expr_replace(arena *a, const expr *e, const expr *const *columns, const expr **out,
                        nrw_error *err)
{
    expr *copy;
    void *p;

    *out = e;
    if (e->kind == EXPR_COLUMN) {
        *out = columns[e->column];
        return NRW_OK;
    }
    if (e->n_args == 0)
        return NRW_OK;
    TRY(arena_alloc(a, sizeof *copy, &p, err));
    copy = p;
    *copy = *e;
    TRY(replace_all(a, e->args, e->n_args, columns, &copy->args, err));
    if (e->n_written)
        TRY(replace_all(a, e->written, e->n_written, columns, &copy->written, err));
    *out = copy;
    return NRW_OK;
}

/* ---- printing ---- */

typedef struct cut_text {
    char *out;
    size_t cap, len;
} cut_text;

static void put_bytes(cut_text *c, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++, c->len++)
        if (c->len + 1 < c->cap) {
            c->out[c->len] = ((const char *)p)[i];
            c->out[c->len + 1] = 0;
        }
}

static void put(cut_text *c, const char *s)
{
    put_bytes(c, s, strlen(s));
}

static void put_expr(cut_text *c, const expr *e, const schema *names);

static void put_constant(cut_text *c, const expr *e)
{
    char text[256];

    if (constant_is_null(e)) {
        put(c, "NULL");
        return;
    }
    if (type_is_nested(&e->type)) {
        put(c, "...");
        return;
    }
    print_short(&e->type, flat_span(e->constant, 0), text, sizeof text);
    if (type_is_numeric(&e->type) || e->type.id == TYPE_BOOL) {
        put(c, text);
        return;
    }
    put(c, "'");
    put(c, text);
    put(c, "'");
}

static void put_list(cut_text *c, const expr *e, const char *between, const schema *names)
{
    const expr **args = e->n_written ? e->written : e->args;
    uint32_t n = e->n_written ? e->n_written : e->n_args;

    put(c, "(");
    for (uint32_t i = 0; i < n; i++) {
        put(c, i ? between : "");
        put_expr(c, args[i], names);
    }
    put(c, ")");
}

static void put_case(cut_text *c, const expr *e, const schema *names)
{
    put(c, "CASE");
    for (uint32_t i = 0; i + 1 < e->n_args; i += 2) {
        put(c, " WHEN ");
        put_expr(c, e->args[i], names);
        put(c, " THEN ");
        put_expr(c, e->args[i + 1], names);
    }
    put(c, " ELSE ");
    put_expr(c, e->args[e->n_args - 1], names);
    put(c, " END");
}

static void put_call(cut_text *c, const expr *e, const schema *names)
{
    char type_name[128];
    const char *name = e->f ? e->f->name : "CAST";
    bool letters = isalpha((unsigned char)name[0]);

    if (!e->f) {
        type_print(&e->type, type_name, sizeof type_name);
        put(c, cast_tries(e) ? "TRY_CAST(" : "CAST(");
        put_expr(c, e->args[0], names);
        put(c, " AS ");
        put(c, type_name);
        put(c, ")");
    } else if (!letters && e->n_args == 2) {
        put(c, "(");
        put_expr(c, e->args[0], names);
        put(c, " ");
        put(c, name);
        put(c, " ");
        put_expr(c, e->args[1], names);
        put(c, ")");
    } else {
        put(c, name);
        put_list(c, e, ", ", names);
    }
}

static void put_expr(cut_text *c, const expr *e, const schema *names)
{
    char number[32];

    switch (e->kind) {
    case EXPR_COLUMN:
        if (names && e->column < names->n_fields) {
            put(c, names->fields[e->column].name);
            return;
        }
        snprintf(number, sizeof number, "#%u", e->column);
        put(c, number);
        return;
    case EXPR_CONSTANT: put_constant(c, e); return;
    case EXPR_CALL: put_call(c, e, names); return;
    case EXPR_AND: put_list(c, e, " AND ", names); return;
    case EXPR_OR: put_list(c, e, " OR ", names); return;
    case EXPR_CASE: put_case(c, e, names); return;
    case EXPR_COALESCE:
        put(c, "coalesce");
        put_list(c, e, ", ", names);
        return;
    case EXPR_TRY:
        put(c, "try");
        put_list(c, e, ", ", names);
        return;
    }
}

size_t expr_print(const expr *e, const schema *names, char *out, size_t cap)
{
    cut_text c = {out, cap, 0};

    if (cap)
        out[0] = 0;
    put_expr(&c, e, names);
    return c.len;
}

bool expr_is_call(const expr *e, const char *name)
{
    return e->kind == EXPR_CALL && e->f && strcmp(e->f->name, name) == 0;
}
