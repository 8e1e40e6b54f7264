/* Calls by name: which overload, what its arguments are cast to, and folding. */
#include "expr/function.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

nrw_status bind_fail(nrw_error *err, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_set(err, NRW_E_ARG, "%s", text);
}

void call_print(const char *name, const expr *const *args, uint32_t n, char *out, size_t cap)
{
    size_t at = (size_t)snprintf(out, cap, "%s(", name);

    for (uint32_t i = 0; i < n && at + 4 < cap; i++) {
        at += (size_t)snprintf(out + at, cap - at, i ? ", " : "");
        if (at < cap)
            at += type_print(&args[i]->type, out + at, cap - at);
    }
    if (at + 1 < cap)
        snprintf(out + at, cap - at, ")");
}

/* ---- nodes ---- */

static bool any_fails(const expr *const *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (args[i]->fails)
            return true;
    return false;
}

static bool any_changes(const expr *const *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (args[i]->changes)
            return true;
    return false;
}

static nrw_status new_node(arena *a, expr_kind kind, const type *t, const expr *const *args,
                           uint32_t n, expr **out, nrw_error *err)
{
    void *p;

    *out = NULL;
    TRY(arena_alloc(a, sizeof(expr), &p, err));
    *out = p;
    (*out)->kind = kind;
    (*out)->type = *t;
    (*out)->n_args = n;
    (*out)->fails = any_fails(args, n);
    (*out)->changes = any_changes(args, n);
    TRY(arena_alloc(a, (n + 1) * sizeof *args, &p, err));
    (*out)->args = p;
    for (uint32_t i = 0; i < n; i++)
        (*out)->args[i] = args[i];
    return NRW_OK;
}

nrw_status fold(arena *a, const expr *e, const expr **out, nrw_error *err)
{
    nrw_error unused = {0};
    vector v;
    nrw_status st;

    *out = e;
    if (e->changes || e->kind == EXPR_CONSTANT || e->kind == EXPR_COLUMN)
        return NRW_OK;
    for (uint32_t i = 0; i < e->n_args; i++)
        if (e->args[i]->kind != EXPR_CONSTANT)
            return NRW_OK;
    st = expr_eval(e, NULL, 1, arena_mem(a), &v, &unused);
    if (st == NRW_E_NOMEM || st == NRW_E_MEMLIMIT)
        return err_set(err, st, "%s", unused.message);
    if (st < 0)
        return NRW_OK; /* fails where it is evaluated, if it ever is */
    st = expr_value(a, &v, 0, out, err);
    vector_release(&v);
    return st;
}

nrw_status make_call(const binding *b, const expr **out, nrw_error *err)
{
    expr *e;

    *out = NULL;
    for (uint32_t i = 0; i < b->n && !b->sees_nulls && !b->changes; i++)
        if (constant_is_null(b->args[i]))
            return make_null(b->a, &b->result, out, err);
    TRY(new_node(b->a, EXPR_CALL, &b->result, b->args, b->n, &e, err));
    e->f = b->f;
    e->eval = b->eval;
    e->data = b->data;
    e->sees_nulls = b->sees_nulls;
    if (b->n_written != b->n) {
        e->n_written = b->n_written;
        e->written = b->written;
    }
    e->fails |= b->fails;
    e->changes |= b->changes;
    return fold(b->a, e, out, err);
}

nrw_status make_branch(arena *a, expr_kind kind, const type *t, const expr *const *args, uint32_t n,
                       const expr **out, nrw_error *err)
{
    expr *e;

    *out = NULL;
    TRY(new_node(a, kind, t, args, n, &e, err));
    if (kind == EXPR_TRY)
        e->fails = false;
    return fold(a, e, out, err);
}

/* ---- overloads ---- */

/* The letter of parameter i of `n` arguments; 0 where there is none. */
static char letter_at(const char *params, uint32_t i)
{
    size_t n = strlen(params);

    if (n && params[n - 1] == '+')
        return params[i < n - 2 ? i : n - 2];
    if (n && params[n - 1] == '?')
        n--;
    return i < n ? params[i] : 0;
}

static bool takes(const char *params, uint32_t n)
{
    size_t len = strlen(params);

    if (len && params[len - 1] == '+')
        return n + 2 >= len;
    if (len && params[len - 1] == '?')
        return n + 1 == len || n + 2 == len;
    return n == len;
}

static bool letter_is_any(char c, const expr *e, uint32_t *cost)
{
    *cost = c == '*' ? 5 : 4; /* what says more is nearer */
    switch (c) {
    case '*': return true;
    case 'L': return e->type.id == TYPE_LIST || e->type.id == TYPE_NULL;
    case 'R': return e->type.id == TYPE_STRUCT || e->type.id == TYPE_NULL;
    case 'P': return e->type.id == TYPE_MAP || e->type.id == TYPE_NULL;
    default: return false;
    }
}

static bool casts_to_decimal(const expr *e, uint32_t *cost)
{
    const type t = type_of(TYPE_DECIMAL);

    if (e->type.id == TYPE_DECIMAL) {
        *cost = 0;
        return true;
    }
    return type_casts(e, &t, cost);
}

/* What it costs to call with these parameters; false where it cannot be. */
static bool call_cost(const char *params, const expr *const *args, uint32_t n, uint32_t *cost)
{
    uint32_t one;
    type t;

    *cost = 0;
    if (!takes(params, n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        char c = letter_at(params, i);
        if (letter_is_any(c, args[i], &one)) {
            *cost += one;
            continue;
        }
        if (c == 'n' ? !casts_to_decimal(args[i], &one)
                     : !type_of_letter(c, &t) || !type_casts(args[i], &t, &one))
            return false;
        *cost += one;
    }
    return true;
}

static const function *find_overload(const char *name, const expr *const *args, uint32_t n,
                                     bool *known)
{
    const function *best = NULL;
    uint32_t least = UINT32_MAX, cost;

    *known = false;
    for (uint32_t t = 0; t < n_function_tables; t++)
        for (uint32_t i = 0; i < function_tables[t]->n; i++) {
            const function *f = &function_tables[t]->at[i];
            if (strcmp(f->name, name) != 0)
                continue;
            *known = true;
            if (call_cost(f->params, args, n, &cost) && cost < least) {
                least = cost;
                best = f;
            }
        }
    return best;
}

static bool lower(const char *name, char *out, size_t cap)
{
    size_t n = strlen(name);

    if (n >= cap)
        return false;
    for (size_t i = 0; i <= n; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    return true;
}

/* ---- binding ---- */

/* What the parameters say the arguments are cast to. */
static void wanted(const function *f, const expr *const *args, uint32_t n, type *want)
{
    for (uint32_t i = 0; i < n; i++) {
        char c = letter_at(f->params, i);
        if (c == 'n')
            want[i] =
                args[i]->type.id == TYPE_NULL ? type_decimal(18, 3) : decimal_of(&args[i]->type);
        else if (!type_of_letter(c, &want[i]))
            want[i] = args[i]->type;
    }
}

static nrw_status bind_call(binding *b, nrw_error *err)
{
    const function *f = b->f;
    void *p;

    TRY(arena_alloc(b->a, (b->n + 1) * sizeof(type), &p, err));
    b->want = p;
    wanted(f, b->args, b->n, b->want);
    b->eval = f->eval;
    b->fails = f->flags & FAILS;
    b->changes = f->flags & CHANGES;
    b->sees_nulls = f->flags & SEES_NULLS;
    if (f->result[0] == '=')
        b->result = b->n ? b->want[0] : type_of(TYPE_NULL);
    else if (f->result[0] != '!')
        type_of_letter(f->result[0], &b->result);
    return f->bind ? f->bind(b, err) : NRW_OK;
}

static nrw_status finish_call(binding *b, const expr **out, nrw_error *err)
{
    if (b->instead) {
        *out = b->instead;
        return NRW_OK;
    }
    for (uint32_t i = 0; i < b->n; i++)
        TRY(expr_cast(b->a, b->args[i], &b->want[i], false, &b->args[i], err));
    return make_call(b, out, err);
}

nrw_status expr_call(arena *a, const char *name, const expr *const *args, const span *names,
                     uint32_t n, const expr **out, nrw_error *err)
{
    binding b = {.a = a, .n = n, .names = names};
    char low[64], text[256];
    bool known = false;
    void *p;

    *out = NULL;
    if (lower(name, low, sizeof low))
        b.f = find_overload(low, args, n, &known);
    if (!known)
        return bind_fail(err, "there is no function %.100s", name);
    if (!b.f) {
        call_print(low, args, n, text, sizeof text);
        return bind_fail(err, "%s: there is no such function of these types", text);
    }
    b.name = b.f->name;
    TRY(arena_alloc(a, (2 * (size_t)n + 1) * sizeof *args, &p, err));
    b.args = p;
    b.written = b.args + n;
    b.n_written = n;
    for (uint32_t i = 0; i < n; i++)
        b.args[i] = b.written[i] = args[i];
    TRY(bind_call(&b, err));
    return finish_call(&b, out, err);
}
