/* Decimals: what lies behind the last digit kept is rounded, halves away from 0; what has more
 * digits than the type is an error. */
#include "expr/cast_own.h"

#include "column/print.h"

#include <math.h>
#include <stdlib.h>

#define FOR_WIDTHS(M) M(d4, int32_t, 4) M(d8, int64_t, 8) M(d16, i128, 16)

/* x / 10^n, halves away from 0. */
static inline i128 divide_rounded(i128 x, int n)
{
    u128 by, rounded, whole = x < 0 ? -(u128)x : (u128)x;

    if (n > 38)
        return 0;
    by = (u128)powers_of_ten[n];
    rounded = whole / by + (whole % by >= by - whole % by);
    return (i128)(x < 0 ? -rounded : rounded);
}

/* x * 10^by, by of either sign; false where it has more than `digits` digits. */
static inline bool rescale(i128 x, int by, int digits, i128 *out)
{
    if (by <= 0)
        *out = by == 0 ? x : divide_rounded(x, -by);
    else if (by > 38 || __builtin_mul_overflow(x, powers_of_ten[by], out))
        return x == 0 ? (*out = 0, true) : false;
    return !beyond_digits(*out, digits);
}

/* ---- integers to decimals and between decimals ---- */

#define TO_DECIMAL(in, IN, out_, OUT_T, from_scale)                                                \
    static nrw_status in##_to_##out_(const expr *e, const scalar_args *args, vector *out,          \
                                     nrw_error *err)                                               \
    {                                                                                              \
        const IN *a = ARG(IN, args, 0);                                                            \
        const int by = e->type.scale - (from_scale), digits = e->type.precision;                   \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            i128 z;                                                                                \
            bool fits = (sizeof(IN) < 16 || (IN)-1 < 1 || (i128)a[i] >= 0) &&                      \
                        rescale((i128)a[i], by, digits, &z);                                       \
            OUT(OUT_T, out)[i] = fits ? (OUT_T)z : 0;                                              \
            if (!fits && row_valid(out, i))                                                        \
                TRY(cast_fail(e, out, i, args->at[0], i, err));                                    \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }

/* Where no value can fail: a product in the width of the result. */
#define WIDEN(in, IN, out_, OUT_T, from_scale)                                                     \
    static nrw_status in##_widen_##out_(const expr *e, const scalar_args *args, vector *out,       \
                                        nrw_error *err)                                            \
    {                                                                                              \
        const OUT_T by = (OUT_T)powers_of_ten[e->type.scale - (from_scale)];                       \
        (void)err;                                                                                 \
        LOOP1(IN, OUT_T, (OUT_T)x *by);                                                            \
        return NRW_OK;                                                                             \
    }

#define PAIR(in, IN, from_scale)                                                                   \
    TO_DECIMAL(in, IN, d4, int32_t, from_scale)                                                    \
    TO_DECIMAL(in, IN, d8, int64_t, from_scale)                                                    \
    TO_DECIMAL(in, IN, d16, i128, from_scale)                                                      \
    WIDEN(in, IN, d4, int32_t, from_scale)                                                         \
    WIDEN(in, IN, d8, int64_t, from_scale)                                                         \
    WIDEN(in, IN, d16, i128, from_scale)                                                           \
    static scalar_eval in##_to(const type *to, bool safe)                                          \
    {                                                                                              \
        if (to->width == 4)                                                                        \
            return safe ? in##_widen_d4 : in##_to_d4;                                              \
        if (to->width == 8)                                                                        \
            return safe ? in##_widen_d8 : in##_to_d8;                                              \
        return safe ? in##_widen_d16 : in##_to_d16;                                                \
    }

#define INT_PAIR(s, T, id) PAIR(s, T, 0)
#define DEC_PAIR(s, T, w)  PAIR(s, T, args->at[0]->type.scale)
FOR_INTS(INT_PAIR)
FOR_WIDTHS(DEC_PAIR)

/* Every value of `from` is one of `to`. */
static bool is_safe(const type *from, const type *to)
{
    type d = decimal_of(from);

    if (from->id == TYPE_INT128 || from->id == TYPE_UINT128)
        return false;
    return to->scale >= d.scale && to->precision - to->scale >= d.precision - d.scale;
}

static scalar_eval to_decimal(const type *from, const type *to)
{
    bool safe = is_safe(from, to);

#define TO_CASE(s, T, id_)                                                                         \
    case id_: return s##_to(to, safe);
    switch (from->id) {
        FOR_INTS(TO_CASE)
    case TYPE_BOOL: return u8_to(to, false);
    case TYPE_DECIMAL:
        return from->width == 4   ? d4_to(to, safe)
               : from->width == 8 ? d8_to(to, safe)
                                  : d16_to(to, safe);
    default: return NULL;
    }
}

/* ---- decimals to integers, to BOOLEAN and to floating point ---- */

#define FROM_DECIMAL(s, T, w)                                                                      \
    static nrw_status s##_to_int(const expr *e, const scalar_args *args, vector *out,              \
                                 nrw_error *err)                                                   \
    {                                                                                              \
        const T *a = ARG(T, args, 0);                                                              \
        const int scale = args->at[0]->type.scale;                                                 \
        const uint32_t width = out->type.width;                                                    \
        for (uint32_t i = 0; i < args->rows; i++)                                                  \
            if (!store_int(&out->type, divide_rounded(a[i], scale),                                \
                           out->data + (size_t)i * width) &&                                       \
                row_valid(out, i))                                                                 \
                TRY(cast_fail(e, out, i, args->at[0], i, err));                                    \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status s##_to_bool(const expr *e, const scalar_args *args, vector *out,             \
                                  nrw_error *err)                                                  \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, uint8_t, x != 0);                                                                 \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status s##_to_double(const expr *e, const scalar_args *args, vector *out,           \
                                    nrw_error *err)                                                \
    {                                                                                              \
        const int scale = args->at[0]->type.scale;                                                 \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, double, decimal_to_double(x, scale));                                             \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status s##_to_float(const expr *e, const scalar_args *args, vector *out,            \
                                   nrw_error *err)                                                 \
    {                                                                                              \
        const int scale = args->at[0]->type.scale;                                                 \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, float, decimal_to_float(x, scale));                                               \
        return NRW_OK;                                                                             \
    }

/* The number as text, which reads as the nearest float. */
static void decimal_text(i128 x, int scale, char *out)
{
    out[print_decimal((const uint8_t *)&x, sizeof x, scale, out)] = 0;
}

static const double tens[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline double decimal_to_double(i128 x, int scale)
{
    char text[PRINT_MAX];

    if (x > -((i128)1 << 53) && x < (i128)1 << 53 && scale <= 22)
        return (double)(int64_t)x / tens[scale];
    decimal_text(x, scale, text);
    return strtod(text, NULL);
}

static inline float decimal_to_float(i128 x, int scale)
{
    char text[PRINT_MAX];

    if (x > -(1 << 24) && x < 1 << 24 && scale <= 10)
        return (float)(int32_t)x / (float)tens[scale];
    decimal_text(x, scale, text);
    return strtof(text, NULL);
}

FOR_WIDTHS(FROM_DECIMAL)

static scalar_eval from_decimal(const type *from, const type *to)
{
#define BY_WIDTH(suffix)                                                                           \
    (from->width == 4 ? d4_to_##suffix : from->width == 8 ? d8_to_##suffix : d16_to_##suffix)
    if (type_is_integer(to))
        return BY_WIDTH(int);
    switch (to->id) {
    case TYPE_BOOL: return BY_WIDTH(bool);
    case TYPE_FLOAT64: return BY_WIDTH(double);
    case TYPE_FLOAT32: return BY_WIDTH(float);
    default: return NULL;
    }
}

/* ---- floating point to decimals ---- */

static bool double_to_scaled(double x, const type *t, i128 *out)
{
    double z = round(x * (double)powers_of_ten[t->scale]);
    double end = (double)powers_of_ten[t->precision];

    *out = 0;
    if (!(z > -end && z < end))
        return false;
    *out = (i128)z;
    return true;
}

static nrw_status float_to_decimal(const expr *e, const scalar_args *args, vector *out,
                                   nrw_error *err)
{
    bool wide = args->at[0]->type.id == TYPE_FLOAT64;

    for (uint32_t i = 0; i < args->rows; i++) {
        double x = wide ? ARG(double, args, 0)[i] : (double)ARG(float, args, 0)[i];
        i128 z;
        bool fits = double_to_scaled(x, &out->type, &z);
        memcpy(out->data + (size_t)i * out->type.width, &z, out->type.width);
        if (!fits && row_valid(out, i))
            TRY(cast_fail(e, out, i, args->at[0], i, err));
    }
    return NRW_OK;
}

scalar_eval cast_decimal_kernel(const type *from, const type *to)
{
    if ((from->id == TYPE_DECIMAL && from->precision > 38) ||
        (to->id == TYPE_DECIMAL && to->precision > 38))
        return NULL;
    if (to->id == TYPE_DECIMAL && (from->id == TYPE_FLOAT32 || from->id == TYPE_FLOAT64))
        return float_to_decimal;
    if (to->id == TYPE_DECIMAL)
        return to_decimal(from, to);
    return from->id == TYPE_DECIMAL ? from_decimal(from, to) : NULL;
}
