/* Integers: results that do not fit are errors. Loops run without branches and gather what went
 * wrong; only then is the row looked for. */
#include "expr/arith_own.h"
#include "expr/function_sets.h"

#include "column/print.h"

#include <stdio.h>

static size_t print_arg(const scalar_args *args, uint32_t k, uint32_t i, char *out, size_t cap)
{
    return print_short(&args->at[k]->type, flat_span(args->at[k], ROW(args, k, i)), out, cap);
}

nrw_status arith_overflow(const expr *e, const scalar_args *args, uint32_t i, nrw_error *err)
{
    char type_name[64], x[64], y[64];

    type_print(&e->type, type_name, sizeof type_name);
    print_arg(args, 0, i, x, sizeof x);
    if (args->n < 2)
        return err_set(err, NRW_E_VALUE, "%s(%s) is out of the range of %s", e->f->name, x,
                       type_name);
    print_arg(args, 1, i, y, sizeof y);
    return err_set(err, NRW_E_VALUE, "%s %s %s is out of the range of %s", x, e->f->name, y,
                   type_name);
}

nrw_status arith_by_zero(const expr *e, const scalar_args *args, uint32_t i, nrw_error *err)
{
    char x[64];

    print_arg(args, 0, i, x, sizeof x);
    return err_set(err, NRW_E_VALUE, "division by zero: %s %s 0", x, e->f->name);
}

/* ---- + - * ---- */

#define ADD_SUB_SIGNED(s, T, U)                                                                    \
    static inline T add_one_##s(T x, T y, T *bad)                                                  \
    {                                                                                              \
        T z = (T)((U)x + (U)y);                                                                    \
        *bad |= (T)((x ^ z) & (y ^ z));                                                            \
        return z;                                                                                  \
    }                                                                                              \
    static inline T sub_one_##s(T x, T y, T *bad)                                                  \
    {                                                                                              \
        T z = (T)((U)x - (U)y);                                                                    \
        *bad |= (T)((x ^ y) & (x ^ z));                                                            \
        return z;                                                                                  \
    }

#define ADD_SUB_UNSIGNED(s, T)                                                                     \
    static inline T add_one_##s(T x, T y, T *bad)                                                  \
    {                                                                                              \
        T z = (T)(x + y);                                                                          \
        *bad |= (T)(z < x);                                                                        \
        return z;                                                                                  \
    }                                                                                              \
    static inline T sub_one_##s(T x, T y, T *bad)                                                  \
    {                                                                                              \
        *bad |= (T)(x < y);                                                                        \
        return (T)(x - y);                                                                         \
    }

/* W holds every product of two T. */
#define MUL_WIDE(s, T, W)                                                                          \
    static inline T mul_one_##s(T x, T y, T *bad)                                                  \
    {                                                                                              \
        W w = (W)((W)x * (W)y);                                                                    \
        T z = (T)w;                                                                                \
        *bad |= (T) - (T)(w != (W)z);                                                              \
        return z;                                                                                  \
    }

#define MUL_BUILTIN(s, T)                                                                          \
    static inline T mul_one_##s(T x, T y, T *bad)                                                  \
    {                                                                                              \
        T z;                                                                                       \
        *bad |= (T) - (T)__builtin_mul_overflow(x, y, &z);                                         \
        return z;                                                                                  \
    }

#define KERNELS(s, T, is_bad)                                                                      \
    CHECKED_KERNEL(add_##s, T, add_one_##s, is_bad)                                                \
    CHECKED_KERNEL(sub_##s, T, sub_one_##s, is_bad)                                                \
    CHECKED_KERNEL(mul_##s, T, mul_one_##s, is_bad)

ADD_SUB_SIGNED(i8, int8_t, uint8_t)
ADD_SUB_SIGNED(i16, int16_t, uint16_t)
ADD_SUB_SIGNED(i32, int32_t, uint32_t)
ADD_SUB_SIGNED(i64, int64_t, uint64_t)
ADD_SUB_SIGNED(i128, i128, u128)
ADD_SUB_UNSIGNED(u8, uint8_t)
ADD_SUB_UNSIGNED(u16, uint16_t)
ADD_SUB_UNSIGNED(u32, uint32_t)
ADD_SUB_UNSIGNED(u64, uint64_t)
ADD_SUB_UNSIGNED(u128, u128)
MUL_WIDE(i8, int8_t, int32_t)
MUL_WIDE(i16, int16_t, int32_t)
MUL_WIDE(i32, int32_t, int64_t)
MUL_WIDE(u8, uint8_t, uint32_t)
MUL_WIDE(u16, uint16_t, uint32_t)
MUL_WIDE(u32, uint32_t, uint64_t)
MUL_BUILTIN(i64, int64_t)
MUL_BUILTIN(u64, uint64_t)
MUL_BUILTIN(i128, i128)
MUL_BUILTIN(u128, u128)

KERNELS(i8, int8_t, BAD_SIGN)
KERNELS(i16, int16_t, BAD_SIGN)
KERNELS(i32, int32_t, BAD_SIGN)
KERNELS(i64, int64_t, BAD_SIGN)
KERNELS(i128, i128, BAD_SIGN)
KERNELS(u8, uint8_t, BAD_BITS)
KERNELS(u16, uint16_t, BAD_BITS)
KERNELS(u32, uint32_t, BAD_BITS)
KERNELS(u64, uint64_t, BAD_BITS)
KERNELS(u128, u128, BAD_BITS)

/* ---- // % ---- */

#define DIVIDE_KERNEL(name, T, op, minus_one)                                                      \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        const T *x = ARG(T, args, 0), *y = ARG(T, args, 1);                                        \
        T *z = OUT(T, out);                                                                        \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            T a = x[ROW(args, 0, i)], b = y[ROW(args, 1, i)];                                      \
            z[i] = 0;                                                                              \
            if (b == 0) {                                                                          \
                if (row_valid(out, i))                                                             \
                    return arith_by_zero(e, args, i, err);                                         \
            } else if (minus_one(T, a, b)) {                                                       \
                if (row_valid(out, i))                                                             \
                    return arith_overflow(e, args, i, err);                                        \
            } else {                                                                               \
                z[i] = (T)(a op b);                                                                \
            }                                                                                      \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }
#define LEAST_BY_MINUS_ONE(T, a, b) ((b) == (T)-1 && (a) == (T)((u128)1 << (8 * sizeof(T) - 1)))
#define NEVER(T, a, b)              false

#define DIVIDE_KERNELS(s, T, minus_one)                                                            \
    DIVIDE_KERNEL(div_##s, T, /, minus_one)                                                        \
    DIVIDE_KERNEL(mod_##s, T, %, minus_one)

DIVIDE_KERNELS(i8, int8_t, LEAST_BY_MINUS_ONE)
DIVIDE_KERNELS(i16, int16_t, LEAST_BY_MINUS_ONE)
DIVIDE_KERNELS(i32, int32_t, LEAST_BY_MINUS_ONE)
DIVIDE_KERNELS(i64, int64_t, LEAST_BY_MINUS_ONE)
DIVIDE_KERNELS(i128, i128, LEAST_BY_MINUS_ONE)
DIVIDE_KERNELS(u8, uint8_t, NEVER)
DIVIDE_KERNELS(u16, uint16_t, NEVER)
DIVIDE_KERNELS(u32, uint32_t, NEVER)
DIVIDE_KERNELS(u64, uint64_t, NEVER)
DIVIDE_KERNELS(u128, u128, NEVER)

/* ---- one argument ---- */

static nrw_status same_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    memcpy(out->data, args->at[0]->data, (size_t)args->rows * out->type.width);
    return NRW_OK;
}

/* The least number has no negative; of numbers without sign only 0 has one. */
#define NEGATE_KERNEL(s, T, bad)                                                                   \
    static nrw_status neg_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        const T *a = ARG(T, args, 0);                                                              \
        LOOP1(T, T, 0 - (u128)x);                                                                  \
        for (uint32_t i = 0; i < args->rows; i++)                                                  \
            if (bad(T, a[i]) && row_valid(out, i))                                                 \
                return arith_overflow(e, args, i, err);                                            \
        return NRW_OK;                                                                             \
    }
#define IS_LEAST(T, a) ((a) == (T)((u128)1 << (8 * sizeof(T) - 1)))
#define NOT_ZERO(T, a) ((a) != 0)

NEGATE_KERNEL(i8, int8_t, IS_LEAST)
NEGATE_KERNEL(i16, int16_t, IS_LEAST)
NEGATE_KERNEL(i32, int32_t, IS_LEAST)
NEGATE_KERNEL(i64, int64_t, IS_LEAST)
NEGATE_KERNEL(i128, i128, IS_LEAST)
NEGATE_KERNEL(u8, uint8_t, NOT_ZERO)
NEGATE_KERNEL(u16, uint16_t, NOT_ZERO)
NEGATE_KERNEL(u32, uint32_t, NOT_ZERO)
NEGATE_KERNEL(u64, uint64_t, NOT_ZERO)
NEGATE_KERNEL(u128, u128, NOT_ZERO)

/* A constant that is the least of its type: its negative is one of the next wider type. */
static nrw_status negate_least(binding *b, nrw_error *err)
{
    static const type_id wider[] = {TYPE_INT16, TYPE_INT32, TYPE_INT64, TYPE_INT128};
    const expr *x = b->args[0], *negative;
    uint32_t width = x->type.width, step = 0;
    uint8_t least[16] = {0};
    type t;

    least[width - 1] = 0x80;
    if (!type_is_signed(&x->type) || width == 16 || memcmp(x->constant->data, least, width) != 0)
        return NRW_OK;
    while (1u << step < width)
        step++;
    t = type_of(wider[step]);
    TRY(expr_cast(b->a, x, &t, false, &negative, err));
    return expr_call(b->a, "-", &negative, NULL, 1, &b->instead, err);
}

/* A literal with its minus is a literal: -2147483648 is an INTEGER. */
static nrw_status bind_negate(binding *b, nrw_error *err)
{
    const expr *x = b->args[0];
    i128 value = 0;
    vector v;

    if (x->kind != EXPR_CONSTANT || constant_is_null(x))
        return NRW_OK;
    if (x->bend != BEND_INTEGER)
        return negate_least(b, err);
    memcpy(&value, x->constant->data, x->type.width);
    value = (i128)(0 - (u128)value);
    if (x->type.id == TYPE_UINT128 && value != (i128)((u128)1 << 127))
        return NRW_OK;
    v = (vector){.len = 1, .data = (uint8_t *)&value, .m = arena_mem(b->a)};
    v.type = type_of(value >= INT32_MIN && value <= INT32_MAX   ? TYPE_INT32
                     : value >= INT64_MIN && value <= INT64_MAX ? TYPE_INT64
                                                                : TYPE_INT128);
    return make_constant(b->a, &v, BEND_INTEGER, &b->instead, err);
}

/* A row a type: every function of one kind. */
#define ROWS(name, prefix)                                                                         \
    {name, "11", "1", prefix##_i8, FAILS, NULL}, {name, "22", "2", prefix##_i16, FAILS, NULL},     \
        {name, "44", "4", prefix##_i32, FAILS, NULL},                                              \
        {name, "88", "8", prefix##_i64, FAILS, NULL},                                              \
        {name, "hh", "h", prefix##_i128, FAILS, NULL},                                             \
        {name, "AA", "A", prefix##_u8, FAILS, NULL}, {name, "BB", "B", prefix##_u16, FAILS, NULL}, \
        {name, "CC", "C", prefix##_u32, FAILS, NULL},                                              \
        {name, "DD", "D", prefix##_u64, FAILS, NULL},                                              \
    {                                                                                              \
        name, "HH", "H", prefix##_u128, FAILS, NULL                                                \
    }

static const function rows[] = {
    ROWS("+", add),
    ROWS("add", add),
    ROWS("-", sub),
    ROWS("subtract", sub),
    ROWS("*", mul),
    ROWS("multiply", mul),
    ROWS("//", div),
    ROWS("divide", div),
    ROWS("%", mod),
    ROWS("mod", mod),
    {"-", "1", "1", neg_i8, FAILS, bind_negate},
    {"-", "2", "2", neg_i16, FAILS, bind_negate},
    {"-", "4", "4", neg_i32, FAILS, bind_negate},
    {"-", "8", "8", neg_i64, FAILS, bind_negate},
    {"-", "h", "h", neg_i128, FAILS, bind_negate},
    {"-", "A", "A", neg_u8, FAILS, bind_negate},
    {"-", "B", "B", neg_u16, FAILS, bind_negate},
    {"-", "C", "C", neg_u32, FAILS, bind_negate},
    {"-", "D", "D", neg_u64, FAILS, bind_negate},
    {"-", "H", "H", neg_u128, FAILS, bind_negate},
    {"+", "1", "1", same_eval, 0, NULL},
    {"+", "2", "2", same_eval, 0, NULL},
    {"+", "4", "4", same_eval, 0, NULL},
    {"+", "8", "8", same_eval, 0, NULL},
    {"+", "h", "h", same_eval, 0, NULL},
    {"+", "A", "A", same_eval, 0, NULL},
    {"+", "B", "B", same_eval, 0, NULL},
    {"+", "C", "C", same_eval, 0, NULL},
    {"+", "D", "D", same_eval, 0, NULL},
    {"+", "H", "H", same_eval, 0, NULL},
    {"+", "f", "f", same_eval, 0, NULL},
    {"+", "d", "d", same_eval, 0, NULL},
    {"+", "n", "=", same_eval, 0, NULL},
};

const function_set functions_arith_int = FUNCTION_SET(rows);
