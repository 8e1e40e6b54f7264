/* Rounding: round (halves away from 0), round_even, ceil, floor, trunc; of decimals, integers and
 * floating point, to a number of digits behind or, below 0, before the point. */
#include "expr/cast_own.h"
#include "expr/function_sets.h"

#include <math.h>

typedef enum rounding { NEAREST, TO_EVEN, UP, DOWN, CUT } rounding;

static rounding rounding_of(const char *name)
{
    switch (name[0]) {
    case 'r': return name[5] ? TO_EVEN : NEAREST; /* round, round_even, roundbankers */
    case 'c': return UP;
    case 'f': return DOWN;
    default: return CUT;
    }
}

/* x to a multiple of 10^drop, in units of it. */
static i128 round_scaled(i128 x, int drop, rounding how)
{
    i128 by, z, rest, half;

    if (drop <= 0)
        return x;
    if (drop > 38)
        return how == UP && x > 0 ? 1 : how == DOWN && x < 0 ? -1 : 0;
    by = powers_of_ten[drop];
    half = by / 2;
    z = x / by;
    rest = x % by;
    switch (how) {
    case UP: return z + (rest > 0);
    case DOWN: return z - (rest < 0);
    case CUT: return z;
    case TO_EVEN:
        if (rest == half || rest == -half)
            return z + (z % 2 != 0) * (rest > 0 ? 1 : -1);
        break;
    case NEAREST: break;
    }
    return z + (rest >= half) - (rest <= -half);
}

/* ---- decimals: the digits are known when the call is built ---- */

typedef struct decimal_round {
    int drop, zeros; /* digits taken off, and zeros put back for digits before the point */
    rounding how;
} decimal_round;

static i128 load_decimal(const vector *v, uint32_t i)
{
    i128 x;

    switch (v->type.width) {
    case 4: return ((const int32_t *)(const void *)v->data)[i];
    case 8: return ((const int64_t *)(const void *)v->data)[i];
    default: memcpy(&x, v->data + 16 * (size_t)i, 16); return x;
    }
}

static nrw_status decimal_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const decimal_round *r = e->data;
    uint32_t width = out->type.width;

    for (uint32_t i = 0; i < args->rows; i++) {
        i128 z = round_scaled(load_decimal(args->at[0], i), r->drop, r->how);
        if ((r->zeros > 38 && z != 0) ||
            (r->zeros && r->zeros <= 38 &&
             __builtin_mul_overflow(z, powers_of_ten[r->zeros], &z)) ||
            beyond_digits(z, out->type.precision)) {
            if (row_valid(out, i))
                return arith_overflow(e, args, i, err);
            z = 0;
        }
        memcpy(out->data + (size_t)i * width, &z, width);
    }
    return NRW_OK;
}

static nrw_status bind_decimal(binding *b, nrw_error *err)
{
    decimal_round *r;
    type t = b->want[0];
    int64_t digits = 0;
    void *p;

    if (t.precision > 38)
        return bind_fail(err, "%s of decimals with more than 38 digits is not supported", b->name);
    if (b->n > 1) {
        if (constant_is_null(b->args[1]))
            return make_null(b->a, &t, &b->instead, err);
        if (!constant_int(b->args[1], &digits))
            return bind_fail(err, "%s of a decimal: the number of digits must be a constant",
                             b->name);
    }
    TRY(arena_alloc(b->a, sizeof *r, &p, err));
    r = p;
    digits = digits > t.scale ? t.scale : digits < -1000 ? -1000 : digits;
    r->drop = t.scale - (int)digits;
    r->zeros = digits < 0 ? (int)-digits : 0;
    r->how = rounding_of(b->name);
    b->data = r;
    b->result = type_decimal(t.precision, digits > 0 ? (int)digits : 0);
    b->eval = decimal_eval;
    b->n = 1;
    b->fails = true;
    return NRW_OK;
}

/* ---- floating point ---- */

static double round_double(double x, rounding how)
{
    switch (how) {
    case UP: return ceil(x);
    case DOWN: return floor(x);
    case CUT: return trunc(x);
    case TO_EVEN: return rint(x);
    default: return round(x);
    }
}

static double round_at(double x, int32_t digits, rounding how)
{
    double by, z;

    if (digits < 0) {
        by = pow(10, -(double)digits);
        z = round_double(x / by, how) * by;
        return isfinite(z) ? z : 0;
    }
    by = pow(10, digits);
    z = round_double(x * by, how) / by;
    return isfinite(z) ? z : x;
}

#define FLOAT_EVAL(eval, T)                                                                        \
    static nrw_status eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        const rounding how = rounding_of(e->f->name);                                              \
        (void)err;                                                                                 \
        if (args->n == 1)                                                                          \
            LOOP1(T, T, round_double(x, how));                                                     \
        else                                                                                       \
            LOOP2(T, int32_t, T, round_at(x, y, how));                                             \
        return NRW_OK;                                                                             \
    }
FLOAT_EVAL(round_f32, float)
FLOAT_EVAL(round_f64, double)

/* ---- integers ---- */

#define INT_EVAL(s, T)                                                                             \
    static nrw_status round_##s(const expr *e, const scalar_args *args, vector *out,               \
                                nrw_error *err)                                                    \
    {                                                                                              \
        const rounding how = rounding_of(e->f->name);                                              \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            i128 x = (i128)ARG(T, args, 0)[ROW(args, 0, i)];                                       \
            int64_t drop = args->n > 1 ? -(int64_t)ARG(int32_t, args, 1)[ROW(args, 1, i)] : 0;     \
            i128 z = drop <= 0 ? x : round_scaled(x, drop > 39 ? 39 : (int)drop, how);             \
            if (drop > 0 && drop <= 38)                                                            \
                z *= powers_of_ten[drop];                                                          \
            if ((T)z != z && row_valid(out, i))                                                    \
                return arith_overflow(e, args, i, err);                                            \
            OUT(T, out)[i] = (T)z;                                                                 \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }
INT_EVAL(i8, int8_t)
INT_EVAL(i16, int16_t)
INT_EVAL(i32, int32_t)
INT_EVAL(i64, int64_t)
INT_EVAL(i128, i128)
INT_EVAL(u8, uint8_t)
INT_EVAL(u16, uint16_t)
INT_EVAL(u32, uint32_t)

static nrw_status bind_same(binding *b, nrw_error *err)
{
    (void)err;
    b->instead = b->args[0];
    return NRW_OK;
}

static nrw_status round_u64(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const rounding how = rounding_of(e->f->name);

    for (uint32_t i = 0; i < args->rows; i++) {
        i128 x = ARG(uint64_t, args, 0)[ROW(args, 0, i)];
        int64_t drop = args->n > 1 ? -(int64_t)ARG(int32_t, args, 1)[ROW(args, 1, i)] : 0;
        i128 z = drop <= 0 ? x : round_scaled(x, drop > 39 ? 39 : (int)drop, how);
        if (drop > 0 && drop <= 38)
            z *= powers_of_ten[drop];
        if (z > UINT64_MAX && row_valid(out, i))
            return arith_overflow(e, args, i, err);
        OUT(uint64_t, out)[i] = (uint64_t)z;
    }
    return NRW_OK;
}

#define OF_INTS(name)                                                                              \
    {name, "1", "1", NULL, 0, bind_same}, {name, "2", "2", NULL, 0, bind_same},                    \
        {name, "4", "4", NULL, 0, bind_same}, {name, "8", "8", NULL, 0, bind_same},                \
        {name, "h", "h", NULL, 0, bind_same}, {name, "A", "A", NULL, 0, bind_same},                \
        {name, "B", "B", NULL, 0, bind_same}, {name, "C", "C", NULL, 0, bind_same},                \
        {name, "D", "D", NULL, 0, bind_same},                                                      \
    {                                                                                              \
        name, "H", "H", NULL, 0, bind_same                                                         \
    }
#define OF_INTS_AT(name)                                                                           \
    {name, "14", "1", round_i8, FAILS, NULL}, {name, "24", "2", round_i16, FAILS, NULL},           \
        {name, "44", "4", round_i32, FAILS, NULL}, {name, "84", "8", round_i64, FAILS, NULL},      \
        {name, "h4", "h", round_i128, FAILS, NULL}, {name, "A4", "A", round_u8, FAILS, NULL},      \
        {name, "B4", "B", round_u16, FAILS, NULL}, {name, "C4", "C", round_u32, FAILS, NULL},      \
    {                                                                                              \
        name, "D4", "D", round_u64, FAILS, NULL                                                    \
    }
#define OF_REALS(name)                                                                             \
    {name, "f", "f", round_f32, 0, NULL}, {name, "d", "d", round_f64, 0, NULL},                    \
    {                                                                                              \
        name, "n", "!", NULL, 0, bind_decimal                                                      \
    }
#define OF_REALS_AT(name)                                                                          \
    {name, "f4", "f", round_f32, 0, NULL}, {name, "d4", "d", round_f64, 0, NULL},                  \
    {                                                                                              \
        name, "n4", "!", NULL, 0, bind_decimal                                                     \
    }

static const function rows[] = {
    OF_INTS("round"),          OF_INTS_AT("round"),        OF_REALS("round"),
    OF_REALS_AT("round"),      OF_INTS("trunc"),           OF_INTS_AT("trunc"),
    OF_REALS("trunc"),         OF_REALS_AT("trunc"),       OF_INTS_AT("round_even"),
    OF_REALS_AT("round_even"), OF_INTS_AT("roundbankers"), OF_REALS_AT("roundbankers"),
    OF_INTS("ceil"),           OF_REALS("ceil"),           OF_INTS("ceiling"),
    OF_REALS("ceiling"),       OF_INTS("floor"),           OF_REALS("floor"),
};

const function_set functions_round = FUNCTION_SET(rows);
