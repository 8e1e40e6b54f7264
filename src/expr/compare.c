/* Comparisons. Each is "equal" or "less", maybe with its sides changed and its answer turned. NaN
 * equals itself and is greater than all other numbers; inside of lists and structs nulls are equal
 * and greater than all else. */
#include "expr/function_sets.h"

#include "column/compare.h"
#include "expr/order.h"

typedef struct comparison {
    const char *name;
    bool equal, swap, negate;
} comparison;

static const comparison comparisons[] = {
    {"=", true, false, false},  {"<>", true, false, true}, {"<", false, false, false},
    {">=", false, false, true}, {">", false, true, false}, {"<=", false, true, true},
};

/* ---- values of one width ---- */

#define EQ_INT(x, y) ((x) == (y))
#define LT_INT(x, y) ((x) < (y))
#define EQ_FLT(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define LT_FLT(x, y) (((x) < (y)) | (((y) != (y)) & ((x) == (x))))

typedef struct sides {
    const void *x, *y;
    bool x_one, y_one;
    uint32_t rows;
    uint8_t flip;
} sides;

#define COMPARE_LOOP(type_, test, xi, yi)                                                          \
    for (size_t i = 0; i < s->rows; i++)                                                           \
    z[i] = (uint8_t)((uint8_t)(test(x[xi], y[yi])) ^ flip)

#define COMPARE_KERNEL(name, type_, test)                                                          \
    static void name(const sides *s, uint8_t *restrict z)                                          \
    {                                                                                              \
        const type_ *restrict x = s->x;                                                            \
        const type_ *restrict y = s->y;                                                            \
        const uint8_t flip = s->flip;                                                              \
        if (s->x_one)                                                                              \
            COMPARE_LOOP(type_, test, 0, i);                                                       \
        else if (s->y_one)                                                                         \
            COMPARE_LOOP(type_, test, i, 0);                                                       \
        else                                                                                       \
            COMPARE_LOOP(type_, test, i, i);                                                       \
    }

#define COMPARE_KERNELS(suffix, type_, eq, lt)                                                     \
    COMPARE_KERNEL(equal_##suffix, type_, eq)                                                      \
    COMPARE_KERNEL(less_##suffix, type_, lt)

COMPARE_KERNELS(i8, int8_t, EQ_INT, LT_INT)
COMPARE_KERNELS(u8, uint8_t, EQ_INT, LT_INT)
COMPARE_KERNELS(i16, int16_t, EQ_INT, LT_INT)
COMPARE_KERNELS(u16, uint16_t, EQ_INT, LT_INT)
COMPARE_KERNELS(i32, int32_t, EQ_INT, LT_INT)
COMPARE_KERNELS(u32, uint32_t, EQ_INT, LT_INT)
COMPARE_KERNELS(i64, int64_t, EQ_INT, LT_INT)
COMPARE_KERNELS(u64, uint64_t, EQ_INT, LT_INT)
COMPARE_KERNELS(i128, i128, EQ_INT, LT_INT)
COMPARE_KERNELS(u128, u128, EQ_INT, LT_INT)
COMPARE_KERNELS(f32, float, EQ_FLT, LT_FLT)
COMPARE_KERNELS(f64, double, EQ_FLT, LT_FLT)

typedef void (*compare_kernel)(const sides *s, uint8_t *z);

static compare_kernel kernel_of(const type *t, bool equal)
{
#define KERNEL(suffix) (equal ? equal_##suffix : less_##suffix)
    switch (t->id) {
    case TYPE_BOOL:
    case TYPE_UINT8: return KERNEL(u8);
    case TYPE_INT8: return KERNEL(i8);
    case TYPE_INT16: return KERNEL(i16);
    case TYPE_UINT16: return KERNEL(u16);
    case TYPE_INT32:
    case TYPE_DATE: return KERNEL(i32);
    case TYPE_UINT32: return KERNEL(u32);
    case TYPE_INT64:
    case TYPE_TIME:
    case TYPE_TIMESTAMP: return KERNEL(i64);
    case TYPE_UINT64: return KERNEL(u64);
    case TYPE_INT128: return KERNEL(i128);
    case TYPE_UINT128: return KERNEL(u128);
    case TYPE_FLOAT32: return KERNEL(f32);
    case TYPE_FLOAT64: return KERNEL(f64);
    case TYPE_DECIMAL:
        return t->width == 4    ? KERNEL(i32)
               : t->width == 8  ? KERNEL(i64)
               : t->width == 16 ? KERNEL(i128)
                                : NULL;
    default: return NULL;
    }
#undef KERNEL
}

/* ---- text ---- */

static bool views_equal(const vector *v, uint32_t i, const vector *w, uint32_t j)
{
    const view *a = (const view *)(const void *)v->data + i;
    const view *b = (const view *)(const void *)w->data + j;
    span s, t;

    if (load_u64(a) != load_u64(b)) /* length and the first four bytes */
        return false;
    s = view_span(v, i);
    t = view_span(w, j);
    return memcmp(s.data, t.data, s.len) == 0;
}

/* ---- nested ---- */

static int order_lists(const vector *a, uint32_t i, const vector *b, uint32_t j)
{
    const uint32_t *x = vector_offsets(a), *y = vector_offsets(b);
    uint32_t n = x[i + 1] - x[i], m = y[j + 1] - y[j];

    for (uint32_t k = 0; k < n && k < m; k++)
        for (uint32_t c = 0; c < a->n_children; c++) {
            int order = row_order(&a->children[c], x[i] + k, &b->children[c], y[j] + k);
            if (order)
                return order;
        }
    return (n > m) - (n < m);
}

static int order_structs(const vector *a, uint32_t i, const vector *b, uint32_t j)
{
    for (uint32_t c = 0; c < a->n_children; c++) {
        int order = row_order(&a->children[c], i, &b->children[c], j);
        if (order)
            return order;
    }
    return 0;
}

int row_order(const vector *a, uint32_t i, const vector *b, uint32_t j)
{
    bool null_a, null_b;
    span x = vector_value(a, i, &null_a), y = vector_value(b, j, &null_b);

    if (null_a || null_b)
        return null_a - null_b;
    if (a->type.id == TYPE_STRUCT)
        return order_structs(a, i, b, j);
    if (type_is_nested(&a->type))
        return order_lists(a, i, b, j);
    return value_compare(&a->type, x, y);
}

/* ---- evaluating ---- */

/* One row; what both are is not null. */
static bool compare_row(const comparison *c, const vector *x, uint32_t i, const vector *y,
                        uint32_t j)
{
    if (type_is_view(&x->type) && c->equal)
        return views_equal(x, i, y, j) != c->negate;
    int order = row_order(x, i, y, j);
    return (c->equal ? order == 0 : order < 0) != c->negate;
}

static void compare_values(const comparison *c, const scalar_args *args, vector *out)
{
    uint32_t a = c->swap, b = !c->swap;
    const vector *x = args->at[a], *y = args->at[b];
    compare_kernel k = kernel_of(&x->type, c->equal);
    sides s = {x->data, y->data, args->constant[a], args->constant[b], args->rows, c->negate};

    if (k) {
        k(&s, out->data);
        return;
    }
    for (uint32_t i = 0; i < args->rows; i++)
        out->data[i] = row_valid(out, i) && compare_row(c, x, ROW(args, a, i), y, ROW(args, b, i));
}

static nrw_status compare_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)err;
    compare_values(e->data, args, out);
    return NRW_OK;
}

static bool arg_null(const scalar_args *args, uint32_t k, uint32_t i)
{
    return !vector_is_valid(args->at[k], ROW(args, k, i));
}

static nrw_status distinct_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const comparison *c = e->data;

    (void)err;
    if (kernel_of(&args->at[0]->type, true))
        compare_values(c, args, out);
    for (uint32_t i = 0; i < args->rows; i++) {
        bool x = arg_null(args, 0, i), y = arg_null(args, 1, i);
        if (x || y)
            out->data[i] = (uint8_t)((x && y) != c->negate);
        else if (!kernel_of(&args->at[0]->type, true))
            out->data[i] =
                compare_row(c, args->at[0], ROW(args, 0, i), args->at[1], ROW(args, 1, i));
    }
    return NRW_OK;
}

/* Where only sameness is asked for, truth values are numbers, and zones are looked past. */
static bool same_only(const type *x, const type *y, type *out)
{
    if (x->id == TYPE_BOOL && (type_is_float(y) || y->id == TYPE_DECIMAL)) {
        *out = *y;
        return true;
    }
    if (x->id == TYPE_TIMESTAMP && y->id == TYPE_TIMESTAMP && x->utc && y->unit == UNIT_NS) {
        *out = *x;
        return true;
    }
    return false;
}

static nrw_status bind_sides(binding *b, bool same, nrw_error *err)
{
    const type *x = &b->args[0]->type, *y = &b->args[1]->type;

    if (!same || (!same_only(x, y, &b->want[0]) && !same_only(y, x, &b->want[0])))
        TRY(type_compared(b->a, b->args[0], b->args[1], &b->want[0], err));
    b->want[1] = b->want[0];
    return NRW_OK;
}

static nrw_status bind_compare(binding *b, nrw_error *err)
{
    const char *name = strcmp(b->name, "!=") == 0   ? "<>"
                       : strcmp(b->name, "==") == 0 ? "="
                                                    : b->name;

    TRY(bind_sides(b, name[0] == '=' || name[1] == '>', err));
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (strcmp(comparisons[i].name, name) == 0)
            b->data = &comparisons[i];
    return NRW_OK;
}

static nrw_status bind_distinct(binding *b, nrw_error *err)
{
    TRY(bind_sides(b, true, err));
    b->data = &comparisons[strcmp(b->name, "is distinct from") == 0];
    return NRW_OK;
}

static const function rows[] = {
    {"=", "**", "b", compare_eval, 0, bind_compare},
    {"==", "**", "b", compare_eval, 0, bind_compare},
    {"<>", "**", "b", compare_eval, 0, bind_compare},
    {"!=", "**", "b", compare_eval, 0, bind_compare},
    {"<", "**", "b", compare_eval, 0, bind_compare},
    {"<=", "**", "b", compare_eval, 0, bind_compare},
    {">", "**", "b", compare_eval, 0, bind_compare},
    {">=", "**", "b", compare_eval, 0, bind_compare},
    {"is distinct from", "**", "b", distinct_eval, SEES_NULLS, bind_distinct},
    {"is not distinct from", "**", "b", distinct_eval, SEES_NULLS, bind_distinct},
};

const function_set functions_compare = FUNCTION_SET(rows);
