/* Decimals of up to 38 digits. Sums take the scale of the finer side and one digit more; products
 * add up digits and scales, but stay within 18 digits where both sides do: what needs more is an
 * error. (Source: DuckDB's documentation of fixed-point decimals, and its answers.) */
#include "expr/arith_own.h"
#include "expr/function_sets.h"
#include "kernel/kernel.h"

#include <math.h>

static nrw_status only_38(const binding *b, nrw_error *err)
{
    for (uint32_t i = 0; i < b->n; i++)
        if (b->args[i]->type.id == TYPE_DECIMAL && b->args[i]->type.precision > 38)
            return bind_fail(err, "%s of decimals with more than 38 digits is not supported",
                             b->name);
    return NRW_OK;
}

/* The wider type, or the one that there is where values lie the same in both: then nothing is cast.
 */
static type widened(type t, type wider)
{
    return t.scale == wider.scale && t.width == wider.width ? t : wider;
}

/* ---- + - ---- */

#define SUM_KERNELS(s, T)                                                                          \
    static nrw_status add_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, x + y);                                                                     \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status sub_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, x - y);                                                                     \
        return NRW_OK;                                                                             \
    }

SUM_KERNELS(i32, int32_t)
SUM_KERNELS(i64, int64_t)

static inline i128 add_one(i128 x, i128 y, i128 *bad)
{
    i128 z = x + y; /* 39 digits fit */

    *bad |= beyond_digits(z, 38) ? -1 : 0;
    return z;
}

static inline i128 sub_one(i128 x, i128 y, i128 *bad)
{
    return add_one(x, -y, bad);
}

CHECKED_KERNEL(add_i128, i128, add_one, BAD_SIGN)
CHECKED_KERNEL(sub_i128, i128, sub_one, BAD_SIGN)

/* Digits that hold the values of both sides at the finer scale. */
static int digits_of_both(const binding *b, int *scale)
{
    type x = b->want[0], y = b->want[1];
    int p = x.precision - x.scale, q = y.precision - y.scale;

    *scale = x.scale > y.scale ? x.scale : y.scale;
    return (p > q ? p : q) + *scale;
}

static nrw_status bind_decimal_sum(binding *b, nrw_error *err)
{
    bool add = b->name[0] == '+' || b->name[0] == 'a';
    int scale, digits = digits_of_both(b, &scale) + 1;
    type t = type_decimal(digits > 38 ? 38 : digits, scale);

    TRY(only_38(b, err));
    b->result = t;
    b->want[0] = widened(b->want[0], t);
    b->want[1] = widened(b->want[1], t);
    b->eval = t.width == 4   ? (add ? add_i32 : sub_i32)
              : t.width == 8 ? (add ? add_i64 : sub_i64)
                             : (add ? add_i128 : sub_i128);
    b->fails = t.precision == 38;
    return NRW_OK;
}

/* ---- * ---- */

static inline int64_t mul_small(int64_t x, int64_t y, int64_t *bad)
{
    i128 z = (i128)x * y;

    *bad |= beyond_digits(z, 18) ? -1 : 0;
    return (int64_t)z;
}

static inline i128 mul_wide(i128 x, i128 y, i128 *bad)
{
    i128 z;

    if (__builtin_mul_overflow(x, y, &z) || beyond_digits(z, 38))
        *bad = -1;
    return z;
}

CHECKED_KERNEL(mul_checked, int64_t, mul_small, BAD_SIGN)
CHECKED_KERNEL(mul_i128, i128, mul_wide, BAD_SIGN)

/* Factors of 32 bits whose product cannot pass 18 digits, whatever is in the columns' types, need
 * no look at each row. */
static nrw_status mul_i64(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const u128 most = (u128)powers_of_ten[18];
    uint64_t seen[2];

    if (args->constant[0] || args->constant[1])
        return mul_checked(e, args, out, err);
    kernels_get()->products_i64(ARG(int64_t, args, 0), ARG(int64_t, args, 1), args->rows,
                                OUT(int64_t, out), seen);
    if ((seen[0] | seen[1]) >> 31 || (u128)(seen[0] + 1) * (seen[1] + 1) >= most)
        return mul_checked(e, args, out, err);
    return NRW_OK;
}

static nrw_status mul_i32(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP2(int32_t, int32_t, int32_t, x * y);
    return NRW_OK;
}

/* Products that cannot pass 18 digits. */
static nrw_status mul_safe(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP2(int64_t, int64_t, int64_t, x * y);
    return NRW_OK;
}

static nrw_status bind_decimal_product(binding *b, nrw_error *err)
{
    type x = b->want[0], y = b->want[1];
    int digits = x.precision + y.precision, scale = x.scale + y.scale;
    int most = x.precision <= 18 && y.precision <= 18 && scale < 18 ? 18 : 38;

    TRY(only_38(b, err));
    if (scale > 38)
        return bind_fail(err,
                         "a product of decimals with %d digits behind the point; at most 38 "
                         "are possible: cast to fewer, or to DOUBLE",
                         scale);
    b->fails = digits > most;
    digits = digits > most ? most : digits;
    b->result = type_decimal(digits, scale);
    b->want[0] = widened(x, type_decimal(digits, x.scale));
    b->want[1] = widened(y, type_decimal(digits, y.scale));
    b->eval = b->result.width == 4   ? mul_i32
              : b->result.width == 8 ? (b->fails ? mul_i64 : mul_safe)
                                     : mul_i128;
    b->fails |= b->result.width == 16;
    return NRW_OK;
}

/* ---- % and minus ---- */

#define MODULO_KERNEL(s, T)                                                                        \
    static nrw_status mod_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        const T *x = ARG(T, args, 0), *y = ARG(T, args, 1);                                        \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            T b = y[ROW(args, 1, i)];                                                              \
            if (b == 0 && row_valid(out, i))                                                       \
                return arith_by_zero(e, args, i, err);                                             \
            OUT(T, out)[i] = b == 0 ? 0 : (T)(x[ROW(args, 0, i)] % b);                             \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status neg_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, T, -x);                                                                           \
        return NRW_OK;                                                                             \
    }

MODULO_KERNEL(i32, int32_t)
MODULO_KERNEL(i64, int64_t)
MODULO_KERNEL(i128, i128)

/* Of decimals that need more than 38 digits together. */
static nrw_status mod_double(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    LOOP2(double, double, double, fmod(x, y));
    for (uint32_t i = 0; i < args->rows; i++)
        if (ARG(double, args, 1)[ROW(args, 1, i)] == 0 && row_valid(out, i))
            return arith_by_zero(e, args, i, err);
    return NRW_OK;
}

static nrw_status bind_decimal_modulo(binding *b, nrw_error *err)
{
    int scale, digits = digits_of_both(b, &scale);
    type t = type_decimal(digits > 38 ? 38 : digits, scale);

    TRY(only_38(b, err));
    if (digits > 38)
        t = type_of(TYPE_FLOAT64);
    b->result = b->want[0] = b->want[1] = t;
    b->eval = digits > 38 ? mod_double : t.width == 4 ? mod_i32 : t.width == 8 ? mod_i64 : mod_i128;
    b->fails = true;
    return NRW_OK;
}

static nrw_status bind_decimal_negate(binding *b, nrw_error *err)
{
    TRY(only_38(b, err));
    b->result = b->want[0];
    b->eval = b->result.width == 4 ? neg_i32 : b->result.width == 8 ? neg_i64 : neg_i128;
    return NRW_OK;
}

static const function rows[] = {
    {"+", "nn", "!", NULL, 0, bind_decimal_sum},
    {"add", "nn", "!", NULL, 0, bind_decimal_sum},
    {"-", "nn", "!", NULL, 0, bind_decimal_sum},
    {"subtract", "nn", "!", NULL, 0, bind_decimal_sum},
    {"*", "nn", "!", NULL, 0, bind_decimal_product},
    {"multiply", "nn", "!", NULL, 0, bind_decimal_product},
    {"%", "nn", "!", NULL, 0, bind_decimal_modulo},
    {"mod", "nn", "!", NULL, 0, bind_decimal_modulo},
    {"-", "n", "!", NULL, 0, bind_decimal_negate},
};

const function_set functions_arith_decimal = FUNCTION_SET(rows);
