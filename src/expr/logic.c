/* NOT, IS NULL, and the names of the forms that choose: AND, OR, CASE, IF, COALESCE, IN, TRY. */
#include "expr/fn_in.h"
#include "expr/function_sets.h"
#include "expr/order.h"

#include <stdio.h>

static nrw_status not_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(uint8_t, uint8_t, x ^ 1);
    return NRW_OK;
}

static nrw_status is_null_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const vector *v = args->at[0];
    uint8_t flip = e->f->name[3] == 'n' && e->f->name[4] == 'o';

    (void)err;
    if (v->type.id == TYPE_NULL)
        memset(out->data, !flip, args->rows);
    else
        for (uint32_t i = 0; i < args->rows; i++)
            out->data[i] = (uint8_t)(!vector_is_valid(v, i) ^ flip);
    return NRW_OK;
}

static nrw_status branch_args(binding *b, expr_kind kind, nrw_error *err)
{
    for (uint32_t i = 0; i < b->n; i++)
        TRY(expr_cast(b->a, b->args[i], &b->want[i], false, &b->args[i], err));
    return make_branch(b->a, kind, &b->result, b->args, b->n, &b->instead, err);
}

static nrw_status bind_and(binding *b, nrw_error *err)
{
    for (uint32_t i = 0; i < b->n; i++)
        b->want[i] = type_of(TYPE_BOOL);
    return branch_args(b, b->name[0] == 'a' ? EXPR_AND : EXPR_OR, err);
}

/* The type that all of args[first], args[first + step] ... have in common. */
static nrw_status common_of(binding *b, uint32_t first, uint32_t step, type *out, nrw_error *err)
{
    expr so_far = *b->args[first];

    for (uint32_t i = first + step; i < b->n; i += step) {
        type t;
        TRY(type_common(b->a, &so_far, b->args[i], &t, err));
        if (so_far.bend == BEND_NULL || !type_equal(&t, &so_far.type)) {
            so_far.bend = b->args[i]->bend == so_far.bend || so_far.bend == BEND_NULL
                              ? b->args[i]->bend
                              : BEND_NO;
            so_far.constant = b->args[i]->constant;
        } else if (b->args[i]->bend == BEND_NO) {
            so_far.bend = BEND_NO;
        }
        so_far.type = t;
    }
    *out = so_far.type;
    return NRW_OK;
}

static nrw_status bind_coalesce(binding *b, nrw_error *err)
{
    TRY(common_of(b, 0, 1, &b->result, err));
    for (uint32_t i = 0; i < b->n; i++)
        b->want[i] = b->result;
    return branch_args(b, EXPR_COALESCE, err);
}

static nrw_status add_null(binding *b, nrw_error *err)
{
    const expr **args;
    type *want;
    void *p;

    TRY(arena_alloc(b->a, (b->n + 1) * sizeof *args, &p, err));
    args = p;
    TRY(arena_alloc(b->a, (b->n + 1) * sizeof *want, &p, err));
    want = p;
    for (uint32_t i = 0; i < b->n; i++) {
        args[i] = b->args[i];
        want[i] = b->want[i];
    }
    TRY(expr_null(b->a, &args[b->n], err));
    b->args = args;
    b->want = want;
    b->n++;
    return NRW_OK;
}

/* when, then, ..., else: the values are the odd ones and the last. */
static nrw_status bind_case(binding *b, nrw_error *err)
{
    const expr *last;
    binding values = *b;
    void *p;
    uint32_t n = 0;

    if (b->n % 2 == 0)
        TRY(add_null(b, err));
    TRY(arena_alloc(b->a, (b->n / 2 + 1) * sizeof *values.args, &p, err));
    values.args = p;
    last = b->args[b->n - 1];
    for (uint32_t i = 1; i < b->n; i += 2)
        values.args[n++] = b->args[i];
    values.args[n++] = last;
    values.n = n;
    TRY(common_of(&values, 0, 1, &b->result, err));
    for (uint32_t i = 0; i < b->n; i++)
        b->want[i] = i % 2 == 0 && i + 1 < b->n ? type_of(TYPE_BOOL) : b->result;
    return branch_args(b, EXPR_CASE, err);
}

/* x in (a, b, c): x = a or x = b or x = c, all in the type they have in common. */
static nrw_status bind_in(binding *b, nrw_error *err)
{
    const expr **tests, *x;
    type t = b->args[0]->type;
    expr so_far = *b->args[0];
    bool as_set;
    void *p;

    TRY(arena_alloc(b->a, b->n * sizeof *tests, &p, err));
    tests = p;
    for (uint32_t i = 1; i < b->n; i++) {
        TRY(type_compared(b->a, &so_far, b->args[i], &t, err));
        if (!type_equal(&t, &so_far.type))
            so_far.bend = BEND_NO;
        so_far.type = t;
    }
    TRY(in_set_bind(b, &t, &as_set, err));
    if (as_set)
        return NRW_OK;
    TRY(expr_cast(b->a, b->args[0], &t, false, &x, err));
    for (uint32_t i = 1; i < b->n; i++) {
        const expr *pair[2] = {x, NULL};
        TRY(expr_cast(b->a, b->args[i], &t, false, &pair[1], err));
        TRY(expr_call(b->a, "=", pair, NULL, 2, &tests[i - 1], err));
    }
    if (b->n == 2) {
        b->instead = tests[0];
        return NRW_OK;
    }
    const type truth = type_of(TYPE_BOOL);
    return make_branch(b->a, EXPR_OR, &truth, tests, b->n - 1, &b->instead, err);
}

/* nullif(x, y): null where x = y, else x. */
static nrw_status bind_nullif(binding *b, nrw_error *err)
{
    const expr *args[3] = {NULL, NULL, b->args[0]};

    TRY(expr_call(b->a, "=", b->args, NULL, 2, &args[0], err));
    TRY(make_null(b->a, &b->args[0]->type, &args[1], err));
    return make_branch(b->a, EXPR_CASE, &b->args[0]->type, args, 3, &b->instead, err);
}

static nrw_status bind_try(binding *b, nrw_error *err)
{
    return make_branch(b->a, EXPR_TRY, &b->args[0]->type, b->args, 1, &b->instead, err);
}

static nrw_status typeof_bind(binding *b, nrw_error *err)
{
    char text[512];
    size_t n = type_print(&b->args[0]->type, text, sizeof text);

    if (b->args[0]->type.id == TYPE_NULL)
        n = (size_t)snprintf(text, sizeof text, "\"NULL\"");
    return expr_text(b->a, (span){(const uint8_t *)text, size_min(n, sizeof text - 1)}, &b->instead,
                     err);
}

static nrw_status error_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    for (uint32_t i = 0; i < args->rows; i++) {
        if (!row_valid(out, i))
            continue;
        span s = view_span(args->at[0], ROW(args, 0, i));
        return err_set(err, NRW_E_VALUE, "%.*s", (int)size_min(s.len, 200), (const char *)s.data);
    }
    return NRW_OK;
}

/* constant_or_null(x, y, ...): x where none of the others is null. */
static nrw_status bind_constant_or_null(binding *b, nrw_error *err)
{
    const expr *args[3];
    const expr **tests;
    void *p;
    const type truth = type_of(TYPE_BOOL);

    TRY(arena_alloc(b->a, b->n * sizeof *tests, &p, err));
    tests = p;
    for (uint32_t i = 1; i < b->n; i++)
        TRY(expr_call(b->a, "is not null", &b->args[i], NULL, 1, &tests[i - 1], err));
    TRY(make_branch(b->a, EXPR_AND, &truth, tests, b->n - 1, &args[0], err));
    args[1] = b->args[0];
    TRY(make_null(b->a, &b->args[0]->type, &args[2], err));
    return make_branch(b->a, EXPR_CASE, &b->args[0]->type, args, 3, &b->instead, err);
}

/* ---- greatest, least: nulls are passed over ---- */

static nrw_status extreme_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    int sign = e->f->name[0] == 'g' ? 1 : -1;
    void *p;
    uint32_t *best;
    nrw_status st = NRW_OK;
    vector all = {0}, *parts;
    size_t bytes = args->n * sizeof(vector) + args->rows * sizeof *best;

    TRY(mem_alloc(args->m, bytes, &p, err));
    parts = p;
    best = (uint32_t *)(void *)(parts + args->n);
    uint32_t base = 0;
    for (uint32_t i = 0; i < args->rows; i++)
        best[i] = VECTOR_NULL;
    for (uint32_t k = 0; k < args->n; k++)
        parts[k] = *args->at[k];
    st = vector_concat(parts, args->n, args->m, &all, err);
    for (uint32_t k = 0; k < args->n && st == NRW_OK; k++) {
        for (uint32_t i = 0; i < args->rows; i++) {
            uint32_t at = base + ROW(args, k, i);
            if (vector_is_valid(&all, at) &&
                (best[i] == VECTOR_NULL || row_order(&all, at, &all, best[i]) * sign > 0))
                best[i] = at;
        }
        base += args->at[k]->len;
    }
    if (st == NRW_OK) {
        vector_release(out);
        st = vector_pick(&all, best, args->rows, args->m, out, err);
    }
    vector_release(&all);
    mem_free(args->m, p, bytes);
    return st;
}

static nrw_status bind_extreme(binding *b, nrw_error *err)
{
    TRY(common_of(b, 0, 1, &b->result, err));
    for (uint32_t i = 0; i < b->n; i++)
        b->want[i] = b->result;
    return NRW_OK;
}

static const function rows[] = {
    {"not", "b", "b", not_eval, 0, NULL},
    {"is null", "*", "b", is_null_eval, SEES_NULLS, NULL},
    {"is not null", "*", "b", is_null_eval, SEES_NULLS, NULL},
    {"and", "*+", "b", NULL, 0, bind_and},
    {"or", "*+", "b", NULL, 0, bind_and},
    {"coalesce", "*+", "!", NULL, 0, bind_coalesce},
    {"ifnull", "**", "!", NULL, 0, bind_coalesce},
    {"case", "*+", "!", NULL, 0, bind_case},
    {"if", "***", "!", NULL, 0, bind_case},
    {"in", "**+", "b", NULL, 0, bind_in},
    {"nullif", "**", "!", NULL, 0, bind_nullif},
    {"try", "*", "!", NULL, 0, bind_try},
    {"typeof", "*", "s", NULL, 0, typeof_bind},
    {"error", "s", "s", error_eval, FAILS, NULL},
    {"constant_or_null", "**+", "!", NULL, 0, bind_constant_or_null},
    {"greatest", "*+", "!", extreme_eval, SEES_NULLS, bind_extreme},
    {"least", "*+", "!", extreme_eval, SEES_NULLS, bind_extreme},
};

const function_set functions_logic = FUNCTION_SET(rows);
