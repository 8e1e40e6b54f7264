/* Functions of numbers: absolute values, roots, logarithms, angles, signs, factors. */
#include "expr/cast_own.h"
#include "expr/function_sets.h"

#include <math.h>

static nrw_status out_of_range(const expr *e, nrw_error *err)
{
    return err_set(err, NRW_E_VALUE, "the result of %s is out of the range of its type",
                   e->f->name);
}

/* ---- of doubles ---- */

#define DOUBLE1(name, expression)                                                                  \
    static nrw_status name##_eval(const expr *e, const scalar_args *args, vector *out,             \
                                  nrw_error *err)                                                  \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(double, double, expression);                                                         \
        return NRW_OK;                                                                             \
    }
#define DOUBLE2(name, expression)                                                                  \
    static nrw_status name##_eval(const expr *e, const scalar_args *args, vector *out,             \
                                  nrw_error *err)                                                  \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(double, double, double, expression);                                                 \
        return NRW_OK;                                                                             \
    }

static double even(double x)
{
    double up = x < 0 ? floor(x) : ceil(x);

    return fmod(up, 2) == 0 ? up : up + (x < 0 ? -1 : 1);
}

/* What is not a number has no sign. */
static double positive_nan(double x)
{
    return isnan(x) ? (double)NAN : x;
}

DOUBLE1(sqrt, positive_nan(sqrt(x)))
DOUBLE1(cbrt, cbrt(x))
DOUBLE1(exp, exp(x))
DOUBLE1(ln, positive_nan(log(x)))
DOUBLE1(log10, positive_nan(log10(x)))
DOUBLE1(log2, positive_nan(log2(x)))
DOUBLE2(log_base, log10(y) / log10(x))
DOUBLE1(sin, sin(x))
DOUBLE1(cos, cos(x))
DOUBLE1(tan, tan(x))
DOUBLE1(asin, positive_nan(asin(x)))
DOUBLE1(acos, positive_nan(acos(x)))
DOUBLE1(atan, atan(x))
DOUBLE2(atan2, atan2(x, y))
DOUBLE1(sinh, sinh(x))
DOUBLE1(cosh, cosh(x))
DOUBLE1(tanh, tanh(x))
DOUBLE1(asinh, asinh(x))
DOUBLE1(acosh, positive_nan(acosh(x)))
DOUBLE1(atanh, positive_nan(atanh(x)))
DOUBLE1(cot, 1 / tan(x))
DOUBLE1(degrees, x *(180 / M_PI))
DOUBLE1(radians, x *(M_PI / 180))
DOUBLE1(even, even(x))
DOUBLE2(nextafter, nextafter(x, y))
DOUBLE2(fmod, x - y * floor(x / y)) /* of the sign of y */

static nrw_status nextafterf_eval(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP2(float, float, float, nextafterf(x, y));
    return NRW_OK;
}

/* Poles are errors. */
static nrw_status gamma_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bool log_of = e->f->name[0] == 'l';

    for (uint32_t i = 0; i < args->rows; i++) {
        double x = ARG(double, args, 0)[i];
        bool pole = x <= 0 && x == floor(x);
        int sign;
        if (pole && !log_of && row_valid(out, i) && x == 0)
            return out_of_range(e, err);
        OUT(double, out)[i] = log_of ? lgamma_r(x, &sign) : tgamma(x);
    }
    return NRW_OK;
}

static nrw_status pi_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    for (uint32_t i = 0; i < args->rows; i++)
        OUT(double, out)[i] = M_PI;
    return NRW_OK;
}

#define FLOAT_TEST(name, expression)                                                               \
    static nrw_status name##_f32(const expr *e, const scalar_args *args, vector *out,              \
                                 nrw_error *err)                                                   \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(float, uint8_t, expression);                                                         \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status name##_f64(const expr *e, const scalar_args *args, vector *out,              \
                                 nrw_error *err)                                                   \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(double, uint8_t, expression);                                                        \
        return NRW_OK;                                                                             \
    }
FLOAT_TEST(isnan, isnan(x) != 0)
FLOAT_TEST(isinf, isinf(x) != 0)
FLOAT_TEST(isfinite, isfinite(x) != 0)
FLOAT_TEST(signbit, signbit(x) != 0)

/* ---- of any number ---- */

#define NEGATIVE(x) ((x) < 1 && (x) != 0)

#define INT_FUNCTIONS(s, T, id)                                                                    \
    static nrw_status abs_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            T x = ARG(T, args, 0)[i], z = NEGATIVE(x) ? (T)(0 - (u128)x) : x;                      \
            if (NEGATIVE(z) && row_valid(out, i))                                                  \
                return arith_overflow(e, args, i, err);                                            \
            OUT(T, out)[i] = z;                                                                    \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status sign_##s(const expr *e, const scalar_args *args, vector *out,                \
                               nrw_error *err)                                                     \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, int8_t, (x > 0) - NEGATIVE(x));                                                   \
        return NRW_OK;                                                                             \
    }
FOR_INTS(INT_FUNCTIONS)

static nrw_status sign_f32(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(float, int8_t, (x > 0) - (x < 0));
    return NRW_OK;
}

static nrw_status sign_f64(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(double, int8_t, (x > 0) - (x < 0));
    return NRW_OK;
}

static nrw_status fabs_f32(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(float, float, fabsf(x));
    return NRW_OK;
}

static nrw_status fabs_f64(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(double, double, fabs(x));
    return NRW_OK;
}

/* Decimals are integers here; those of 38 digits have their negatives. */
static nrw_status bind_decimal_abs(binding *b, nrw_error *err)
{
    uint32_t w = b->want[0].width;

    if (w > 16)
        return bind_fail(err, "abs of decimals with more than 38 digits is not supported");
    b->eval = w == 4 ? abs_i32 : w == 8 ? abs_i64 : abs_i128;
    return NRW_OK;
}

static nrw_status bind_decimal_sign(binding *b, nrw_error *err)
{
    uint32_t w = b->want[0].width;

    if (w > 16)
        return bind_fail(err, "sign of decimals with more than 38 digits is not supported");
    b->eval = w == 4 ? sign_i32 : w == 8 ? sign_i64 : sign_i128;
    return NRW_OK;
}

/* ---- factors ---- */

static i128 gcd(i128 x, i128 y)
{
    while (y != 0) {
        i128 rest = y == -1 ? 0 : x % y;
        x = y;
        y = rest;
    }
    return x < 0 ? -x : x;
}

#define FACTOR_FUNCTIONS(s, T)                                                                     \
    static nrw_status gcd_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, gcd(x, y));                                                                 \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status lcm_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            T x = ARG(T, args, 0)[ROW(args, 0, i)], y = ARG(T, args, 1)[ROW(args, 1, i)], z = 0;   \
            if (x != 0 && y != 0 && __builtin_mul_overflow((T)(x / (T)gcd(x, y)), y, &z) &&        \
                row_valid(out, i))                                                                 \
                return arith_overflow(e, args, i, err);                                            \
            OUT(T, out)[i] = z < 0 ? -z : z;                                                       \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }
FACTOR_FUNCTIONS(i64, int64_t)
FACTOR_FUNCTIONS(i128, i128)

static nrw_status factorial_eval(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        int32_t n = ARG(int32_t, args, 0)[i];
        i128 z = 1;
        if (!row_valid(out, i))
            continue;
        if (n < 0 || n > 33) /* 34! has more than 127 bits */
            return out_of_range(e, err);
        for (int32_t k = 2; k <= n; k++)
            z *= k;
        OUT(i128, out)[i] = z;
    }
    return NRW_OK;
}

/* n over k: each product before its division is a whole multiple. */
static bool binomial(int32_t n, int32_t k, i128 *out)
{
    *out = 0;
    if (k < 0 || k > n)
        return n >= 0;
    if (k > n - k)
        k = n - k;
    *out = 1;
    for (int32_t i = 1; i <= k; i++) {
        i128 with = gcd(*out, i), by = i / with;
        *out /= with;
        if (__builtin_mul_overflow(*out, (i128)(n - k + i) / by, out))
            return false;
    }
    return true;
}

static nrw_status binom_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        i128 z;
        if (!binomial(ARG(int32_t, args, 0)[ROW(args, 0, i)],
                      ARG(int32_t, args, 1)[ROW(args, 1, i)], &z) &&
            row_valid(out, i))
            return out_of_range(e, err);
        OUT(i128, out)[i] = z;
    }
    return NRW_OK;
}

#define D1(name)                                                                                   \
    {                                                                                              \
#name, "d", "d", name##_eval, 0, NULL                                                      \
    }
#define D2(name)                                                                                   \
    {                                                                                              \
#name, "dd", "d", name##_eval, 0, NULL                                                     \
    }
#define OF_INTS(name, prefix, result, flags)                                                       \
    {name, "1", result("1"), prefix##_i8, flags, NULL},                                            \
        {name, "2", result("2"), prefix##_i16, flags, NULL},                                       \
        {name, "4", result("4"), prefix##_i32, flags, NULL},                                       \
        {name, "8", result("8"), prefix##_i64, flags, NULL},                                       \
        {name, "h", result("h"), prefix##_i128, flags, NULL},                                      \
        {name, "A", result("A"), prefix##_u8, flags, NULL},                                        \
        {name, "B", result("B"), prefix##_u16, flags, NULL},                                       \
        {name, "C", result("C"), prefix##_u32, flags, NULL},                                       \
        {name, "D", result("D"), prefix##_u64, flags, NULL},                                       \
    {                                                                                              \
        name, "H", result("H"), prefix##_u128, flags, NULL                                         \
    }
#define SAME(x) x
#define TINY(x) "1"
#define TEST(name)                                                                                 \
    {#name, "f", "b", name##_f32, 0, NULL},                                                        \
    {                                                                                              \
#name, "d", "b", name##_f64, 0, NULL                                                       \
    }

static const function rows[] = {
    D1(sqrt),
    D1(cbrt),
    D1(exp),
    D1(ln),
    D1(log10),
    D1(log2),
    D1(sin),
    D1(cos),
    D1(tan),
    D1(asin),
    D1(acos),
    D1(atan),
    D1(sinh),
    D1(cosh),
    D1(tanh),
    D1(asinh),
    D1(acosh),
    D1(atanh),
    D1(cot),
    D1(degrees),
    D1(radians),
    D1(even),
    D2(atan2),
    D2(nextafter),
    D2(fmod),
    TEST(isnan),
    TEST(isinf),
    TEST(isfinite),
    TEST(signbit),
    OF_INTS("abs", abs, SAME, FAILS),
    OF_INTS("@", abs, SAME, FAILS),
    OF_INTS("sign", sign, TINY, 0),
    {"log", "d", "d", log10_eval, 0, NULL},
    {"log", "dd", "d", log_base_eval, 0, NULL},
    {"nextafter", "ff", "f", nextafterf_eval, 0, NULL},
    {"gamma", "d", "d", gamma_eval, FAILS, NULL},
    {"lgamma", "d", "d", gamma_eval, 0, NULL},
    {"pi", "", "d", pi_eval, 0, NULL},
    {"abs", "f", "f", fabs_f32, 0, NULL},
    {"abs", "d", "d", fabs_f64, 0, NULL},
    {"abs", "n", "=", NULL, 0, bind_decimal_abs},
    {"@", "f", "f", fabs_f32, 0, NULL},
    {"@", "d", "d", fabs_f64, 0, NULL},
    {"@", "n", "=", NULL, 0, bind_decimal_abs},
    {"sign", "f", "1", sign_f32, 0, NULL},
    {"sign", "d", "1", sign_f64, 0, NULL},
    {"sign", "n", "1", NULL, 0, bind_decimal_sign},
    {"gcd", "88", "8", gcd_i64, 0, NULL},
    {"gcd", "hh", "h", gcd_i128, 0, NULL},
    {"greatest_common_divisor", "88", "8", gcd_i64, 0, NULL},
    {"greatest_common_divisor", "hh", "h", gcd_i128, 0, NULL},
    {"lcm", "88", "8", lcm_i64, FAILS, NULL},
    {"lcm", "hh", "h", lcm_i128, FAILS, NULL},
    {"least_common_multiple", "88", "8", lcm_i64, FAILS, NULL},
    {"least_common_multiple", "hh", "h", lcm_i128, FAILS, NULL},
    {"factorial", "4", "h", factorial_eval, FAILS, NULL},
    {"!__postfix", "4", "h", factorial_eval, FAILS, NULL},
    {"binom", "44", "h", binom_eval, FAILS, NULL},
};

const function_set functions_number = FUNCTION_SET(rows);
