/* Constants: literals as written, values of vectors. */
#include "expr/function.h"

#include "column/print.h"

#include <math.h>
#include <stdlib.h>

nrw_status make_constant(arena *a, const vector *v, literal_bend bend, const expr **out,
                         nrw_error *err)
{
    void *p, *q;
    expr *e;

    *out = NULL;
    TRY(arena_alloc(a, sizeof(expr), &p, err));
    TRY(arena_alloc(a, sizeof(vector), &q, err));
    TRY(vector_constant(v, 0, a, NULL, q, err));
    e = p;
    e->kind = EXPR_CONSTANT;
    e->bend = (uint8_t)bend;
    e->type = v->type;
    e->constant = q;
    *out = e;
    return NRW_OK;
}

nrw_status expr_value(arena *a, const vector *v, uint32_t row, const expr **out, nrw_error *err)
{
    vector one;
    nrw_status st;

    *out = NULL;
    TRY(vector_pick(v, &row, 1, arena_mem(a), &one, err));
    st = make_constant(a, &one, BEND_NO, out, err);
    vector_release(&one);
    return st;
}

/* A constant of a type without text: its bytes. */
static nrw_status fixed(arena *a, const type *t, const void *value, literal_bend bend,
                        const expr **out, nrw_error *err)
{
    vector v = {.type = *t, .len = 1, .data = (uint8_t *)(uintptr_t)value, .m = arena_mem(a)};

    return make_constant(a, &v, bend, out, err);
}

nrw_status make_null(arena *a, const type *t, const expr **out, nrw_error *err)
{
    vector v;
    nrw_status st;

    *out = NULL;
    TRY(vector_nulls(arena_mem(a), t, 1, &v, err));
    st = make_constant(a, &v, t->id == TYPE_NULL ? BEND_NULL : BEND_NO, out, err);
    vector_release(&v);
    return st;
}

nrw_status expr_null(arena *a, const expr **out, nrw_error *err)
{
    const type t = type_of(TYPE_NULL);

    return make_null(a, &t, out, err);
}

nrw_status expr_bool(arena *a, bool x, const expr **out, nrw_error *err)
{
    const type t = type_of(TYPE_BOOL);
    uint8_t value = x;

    return fixed(a, &t, &value, BEND_NO, out, err);
}

nrw_status expr_int64(arena *a, int64_t x, const expr **out, nrw_error *err)
{
    const type t = type_of(TYPE_INT64);

    return fixed(a, &t, &x, BEND_NO, out, err);
}

static nrw_status viewed(arena *a, const type *t, span s, literal_bend bend, const expr **out,
                         nrw_error *err)
{
    text_out text = {0};
    vector v;
    nrw_status st;

    *out = NULL;
    if (s.len > INT32_MAX)
        return err_set(err, NRW_E_ARG, "a text of %zu bytes is too long", s.len);
    TRY(vector_flat(arena_mem(a), t, 1, &v, err));
    v.len = 1;
    text.out = &v;
    st = text_put(&text, 0, s.data, s.len, err);
    text_end(&text);
    if (st == NRW_OK)
        st = make_constant(a, &v, bend, out, err);
    vector_release(&v);
    return st;
}

nrw_status expr_text(arena *a, span text, const expr **out, nrw_error *err)
{
    const type t = type_of(TYPE_UTF8);

    return viewed(a, &t, text, BEND_STRING, out, err);
}

nrw_status expr_blob(arena *a, span bytes, const expr **out, nrw_error *err)
{
    const type t = type_of(TYPE_BINARY);

    return viewed(a, &t, bytes, BEND_NO, out, err);
}

nrw_status expr_flat(arena *a, const type *t, span value, const expr **out, nrw_error *err)
{
    return type_is_view(t) ? viewed(a, t, value, BEND_NO, out, err)
                           : fixed(a, t, value.data, BEND_NO, out, err);
}

/* ---- numbers ---- */

/* Digits without point or exponent: the narrowest of INTEGER, BIGINT, HUGEINT and UHUGEINT. */
static bool whole_number(arena *a, const char *s, size_t n, const expr **out, nrw_status *st,
                         nrw_error *err)
{
    u128 x = 0;
    type t;

    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned)(s[i] - '0');
        if (x > ((u128)-1 - digit) / 10)
            return false;
        x = x * 10 + digit;
    }
    t = type_of(x <= INT32_MAX         ? TYPE_INT32
                : x <= INT64_MAX       ? TYPE_INT64
                : x <= ((u128)-1 >> 1) ? TYPE_INT128
                                       : TYPE_UINT128);
    *st = fixed(a, &t, &x, BEND_INTEGER, out, err);
    return true;
}

static nrw_status double_number(arena *a, const char *s, const expr **out, nrw_error *err)
{
    const type t = type_of(TYPE_FLOAT64);
    double d = strtod(s, NULL);

    return fixed(a, &t, &d, BEND_NO, out, err);
}

/* Digits with a point: as many as were written, zeros in front too; more than 38 are a double. */
static nrw_status decimal_number(arena *a, const char *s, const expr **out, nrw_error *err)
{
    const char *point = strchr(s, '.');
    int scale = (int)strlen(point + 1), digits = 0;
    u128 x = 0;
    type t;

    for (const char *p = s; *p; p++) {
        if (*p == '.')
            continue;
        if (++digits > 38)
            return double_number(a, s, out, err);
        x = x * 10 + (unsigned)(*p - '0');
    }
    t = type_decimal(digits, scale);
    return fixed(a, &t, &x, BEND_NO, out, err);
}

nrw_status expr_number(arena *a, span digits, const expr **out, nrw_error *err)
{
    nrw_status st = NRW_OK;
    char *s;

    *out = NULL;
    TRY(arena_strndup(a, (const char *)digits.data, digits.len, &s, err));
    if (strspn(s, "0123456789") == digits.len) {
        if (whole_number(a, s, digits.len, out, &st, err))
            return st;
        return double_number(a, s, out, err);
    }
    if (strspn(s, "0123456789.") == digits.len)
        return decimal_number(a, s, out, err);
    return double_number(a, s, out, err);
}

/* ---- looking at constants ---- */

bool constant_is_null(const expr *e)
{
    return e->kind == EXPR_CONSTANT &&
           (e->type.id == TYPE_NULL || !vector_is_valid(e->constant, 0));
}

bool constant_text(const expr *e, span *out)
{
    if (e->kind != EXPR_CONSTANT || !type_is_view(&e->type) || constant_is_null(e))
        return false;
    *out = view_span(e->constant, 0);
    return true;
}

bool constant_int(const expr *e, int64_t *out)
{
    const uint8_t *p;

    if (e->kind != EXPR_CONSTANT || !type_is_integer(&e->type) || constant_is_null(e))
        return false;
    p = e->constant->data;
    switch (e->type.id) {
    case TYPE_INT8: *out = (int8_t)*p; return true;
    case TYPE_UINT8: *out = *p; return true;
    case TYPE_INT16: *out = (int16_t)(p[0] | p[1] << 8); return true;
    case TYPE_UINT16: *out = (uint16_t)(p[0] | p[1] << 8); return true;
    case TYPE_INT32: *out = (int32_t)load_u32(p); return true;
    case TYPE_UINT32: *out = load_u32(p); return true;
    case TYPE_INT64: *out = (int64_t)load_u64(p); return true;
    default: return false;
    }
}
