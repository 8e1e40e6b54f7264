/* Walking, comparing and copying expressions. */
#include "expr/fn_lambda.h"
#include "expr/function.h"

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

bool expr_is_call(const expr *e, const char *name)
{
    return e->kind == EXPR_CALL && e->f && strcmp(e->f->name, name) == 0;
}
