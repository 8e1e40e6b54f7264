/* Casts: which kernel, and what is done with values that do not fit. */
#include "expr/cast_own.h"

#include "column/print.h"

nrw_status cast_fail(const expr *call, vector *out, uint32_t i, const vector *from, uint32_t row,
                     nrw_error *err)
{
    char text[80] = "a value", name[96];

    if (cast_tries(call))
        return row_null(out, i, err);
    if (!type_is_nested(&from->type))
        print_short(&from->type, flat_span(from, row), text, sizeof text);
    type_print(&call->type, name, sizeof name);
    if (type_is_text(&from->type))
        return err_set(err, NRW_E_VALUE, "'%s' is not a value of %s", text, name);
    return err_set(err, NRW_E_VALUE, "%s is out of the range of %s", text, name);
}

/* Values whose bytes mean the same in both types. */
static nrw_status share_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    memcpy(out->data, args->at[0]->data, (size_t)args->rows * out->type.width);
    if (type_is_view(&out->type))
        vector_share_heaps(args->at[0], out);
    return NRW_OK;
}

static nrw_status null_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)args;
    (void)out;
    (void)err;
    return NRW_OK;
}

static bool is_bytes(const type *t)
{
    return t->id == TYPE_BINARY || t->id == TYPE_BSON;
}

static bool same_bytes(const type *from, const type *to)
{
    if (type_is_text(from) && type_is_text(to))
        return to->id != TYPE_JSON;
    if (is_bytes(from) && is_bytes(to))
        return true;
    return from->id == TYPE_FIXED && to->id == TYPE_FIXED && from->width == to->width;
}

scalar_eval cast_between(const type *from, const type *to)
{
    static scalar_eval (*const families[])(const type *, const type *) = {
        cast_int_kernel,    cast_float_kernel,   cast_decimal_kernel,  cast_moment_kernel,
        cast_nested_kernel, cast_to_text_kernel, cast_from_text_kernel};

    if (from->id == TYPE_NULL)
        return null_eval;
    if (same_bytes(from, to))
        return share_eval;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        scalar_eval eval = families[i](from, to);
        if (eval)
            return eval;
    }
    return NULL;
}

bool expr_is_cast(const expr *e)
{
    return e->kind == EXPR_CALL && !e->f && e->n_args == 1 &&
           e->eval == cast_between(&e->args[0]->type, &e->type);
}

nrw_status expr_cast(arena *a, const expr *e, const type *to, bool try, const expr **out,
                     nrw_error *err)
{
    binding b = {.a = a, .name = "cast", .n = 1, .result = *to, .fails = !try};
    char x[96], y[96];
    cast_spec *spec;
    const expr **args;
    void *p;

    *out = e;
    if (type_equal(&e->type, to)) {
        if (e->bend == BEND_NO)
            return NRW_OK;
        return e->bend == BEND_NULL ? make_null(a, to, out, err)
                                    : make_constant(a, e->constant, BEND_NO, out, err);
    }
    if (constant_is_null(e)) {
        if (to->id == TYPE_NULL)
            return NRW_OK;
        return make_null(a, to, out, err);
    }
    b.eval = cast_between(&e->type, to);
    if (!b.eval && try && !type_is_nested(&e->type) && !type_is_nested(to))
        return make_null(a, to, out, err); /* no value of the one is one of the other */
    if (!b.eval) {
        type_print(&e->type, x, sizeof x);
        type_print(to, y, sizeof y);
        return bind_fail(err, "%s does not cast to %s", x, y);
    }
    TRY(arena_alloc(a, sizeof *spec, &p, err));
    spec = p;
    spec->try = try;
    TRY(cast_nested_spec(a, &e->type, to, try, spec, err));
    TRY(arena_alloc(a, sizeof *args, &p, err));
    args = p;
    args[0] = e;
    b.args = args;
    b.data = spec;
    return make_call(&b, out, err);
}
