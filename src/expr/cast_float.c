/* Between floating point and integers: rounded to the nearest whole number, halves to the even one.
 * Larger integers become the nearest float. */
#include "expr/cast_own.h"

#include "column/print.h"

#include <math.h>

/* Rounded x fits T where it is less than the first number beyond and at least the least. */
#define LEAST(T) ((double)((T)-1 < 1 && (T)-1 != 0 ? -ldexp(1, 8 * (int)sizeof(T) - 1) : 0))
#define END(T)   (ldexp(1, 8 * (int)sizeof(T) - ((T)-1 < 1)))

#define FROM_FLOAT(s, T, F, rounded)                                                               \
    static nrw_status F##_to_##s(const expr *e, const scalar_args *args, vector *out,              \
                                 nrw_error *err)                                                   \
    {                                                                                              \
        const F *restrict a = ARG(F, args, 0);                                                     \
        T *restrict z = OUT(T, out);                                                               \
        const double least = LEAST(T), end = END(T);                                               \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            double x = (double)rounded(a[i]);                                                      \
            bool fits = x >= least && x < end;                                                     \
            z[i] = fits ? (T)x : (T)0;                                                             \
            if (!fits && row_valid(out, i))                                                        \
                TRY(cast_fail(e, out, i, args->at[0], i, err));                                    \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }

#define TO_FLOAT(s, T, F)                                                                          \
    static nrw_status s##_to_##F(const expr *e, const scalar_args *args, vector *out,              \
                                 nrw_error *err)                                                   \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, F, x);                                                                            \
        return NRW_OK;                                                                             \
    }

#define BOTH(s, T, id)                                                                             \
    FROM_FLOAT(s, T, float, rintf)                                                                 \
    FROM_FLOAT(s, T, double, rint)                                                                 \
    TO_FLOAT(s, T, float)                                                                          \
    TO_FLOAT(s, T, double)
FOR_INTS(BOTH)

static nrw_status float_to_double(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(float, double, x);
    return NRW_OK;
}

static nrw_status double_to_float(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    const double *a = ARG(double, args, 0);

    LOOP1(double, float, x);
    for (uint32_t i = 0; i < args->rows; i++)
        if (isinf(OUT(float, out)[i]) && !isinf(a[i]) && row_valid(out, i))
            TRY(cast_fail(e, out, i, args->at[0], i, err));
    return NRW_OK;
}

static nrw_status float_to_bool(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(float, uint8_t, x != 0);
    return NRW_OK;
}

static nrw_status double_to_bool(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(double, uint8_t, x != 0);
    return NRW_OK;
}

static nrw_status half_to_float(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(uint16_t, float, print_half_to_float(x));
    return NRW_OK;
}

static nrw_status half_to_double(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(uint16_t, double, print_half_to_float(x));
    return NRW_OK;
}

static scalar_eval from_float(const type *from, const type *to)
{
    bool wide = from->id == TYPE_FLOAT64;

#define FROM_CASE(s, T, id_)                                                                       \
    case id_: return wide ? double_to_##s : float_to_##s;
    switch (to->id) {
        FOR_INTS(FROM_CASE)
    case TYPE_BOOL: return wide ? double_to_bool : float_to_bool;
    case TYPE_FLOAT64: return wide ? NULL : float_to_double;
    case TYPE_FLOAT32: return wide ? double_to_float : NULL;
    default: return NULL;
    }
}

static scalar_eval to_float(const type *from, const type *to)
{
    bool wide = to->id == TYPE_FLOAT64;

#define TO_CASE(s, T, id_)                                                                         \
    case id_: return wide ? s##_to_double : s##_to_float;
    switch (from->id) {
        FOR_INTS(TO_CASE)
    case TYPE_BOOL: return wide ? u8_to_double : u8_to_float;
    default: return NULL;
    }
}

scalar_eval cast_float_kernel(const type *from, const type *to)
{
    if (from->id == TYPE_FLOAT16)
        return to->id == TYPE_FLOAT32   ? half_to_float
               : to->id == TYPE_FLOAT64 ? half_to_double
                                        : NULL;
    if (type_is_float(from))
        return from_float(from, to);
    if (to->id == TYPE_FLOAT32 || to->id == TYPE_FLOAT64)
        return to_float(from, to);
    return NULL;
}
