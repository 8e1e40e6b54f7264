/* Floating point: / gives infinities and NaN; // divides as / does, and not by zero. */
#include "expr/arith_own.h"
#include "expr/function_sets.h"

#include <math.h>

#define FLOAT_KERNEL(name, T, expression)                                                          \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, expression);                                                                \
        return NRW_OK;                                                                             \
    }

FLOAT_KERNEL(add_f32, float, x + y)
FLOAT_KERNEL(add_f64, double, x + y)
FLOAT_KERNEL(sub_f32, float, x - y)
FLOAT_KERNEL(sub_f64, double, x - y)
FLOAT_KERNEL(mul_f32, float, x *y)
FLOAT_KERNEL(mul_f64, double, x *y)
FLOAT_KERNEL(div_f32, float, x / y)
FLOAT_KERNEL(div_f64, double, x / y)
FLOAT_KERNEL(floor_f64, double, floor(x / y))
FLOAT_KERNEL(mod_f32, float, fmodf(x, y))
FLOAT_KERNEL(mod_f64, double, fmod(x, y))
FLOAT_KERNEL(pow_f64, double, pow(x, y))

#define WHOLE_KERNEL(name, T, divide)                                                              \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        TRY(divide(e, args, out, err));                                                            \
        for (uint32_t i = 0; i < args->rows; i++)                                                  \
            if (ARG(T, args, 1)[ROW(args, 1, i)] == 0 && row_valid(out, i))                        \
                return arith_by_zero(e, args, i, err);                                             \
        return NRW_OK;                                                                             \
    }

WHOLE_KERNEL(whole_f32, float, div_f32)
WHOLE_KERNEL(whole_f64, double, div_f64)

static nrw_status neg_f32(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(float, float, -x);
    return NRW_OK;
}

static nrw_status neg_f64(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(double, double, -x);
    return NRW_OK;
}

static const function rows[] = {
    {"+", "ff", "f", add_f32, 0, NULL},
    {"+", "dd", "d", add_f64, 0, NULL},
    {"add", "ff", "f", add_f32, 0, NULL},
    {"add", "dd", "d", add_f64, 0, NULL},
    {"-", "ff", "f", sub_f32, 0, NULL},
    {"-", "dd", "d", sub_f64, 0, NULL},
    {"subtract", "ff", "f", sub_f32, 0, NULL},
    {"subtract", "dd", "d", sub_f64, 0, NULL},
    {"*", "ff", "f", mul_f32, 0, NULL},
    {"*", "dd", "d", mul_f64, 0, NULL},
    {"multiply", "ff", "f", mul_f32, 0, NULL},
    {"multiply", "dd", "d", mul_f64, 0, NULL},
    {"/", "ff", "f", div_f32, 0, NULL},
    {"/", "dd", "d", div_f64, 0, NULL},
    {"fdiv", "dd", "d", floor_f64, 0, NULL},
    {"//", "ff", "f", whole_f32, FAILS, NULL},
    {"//", "dd", "d", whole_f64, FAILS, NULL},
    {"divide", "ff", "f", whole_f32, FAILS, NULL},
    {"divide", "dd", "d", whole_f64, FAILS, NULL},
    {"%", "ff", "f", mod_f32, 0, NULL},
    {"%", "dd", "d", mod_f64, 0, NULL},
    {"mod", "ff", "f", mod_f32, 0, NULL},
    {"mod", "dd", "d", mod_f64, 0, NULL},
    {"^", "dd", "d", pow_f64, 0, NULL},
    {"**", "dd", "d", pow_f64, 0, NULL},
    {"pow", "dd", "d", pow_f64, 0, NULL},
    {"power", "dd", "d", pow_f64, 0, NULL},
    {"-", "f", "f", neg_f32, 0, NULL},
    {"-", "d", "d", neg_f64, 0, NULL},
};

const function_set functions_arith_float = FUNCTION_SET(rows);
