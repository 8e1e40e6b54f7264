/* Bits of integers. */
#include "expr/cast_own.h"
#include "expr/function_sets.h"

static nrw_status bad_shift(const expr *e, const scalar_args *args, uint32_t i, nrw_error *err)
{
    return arith_overflow(e, args, i, err);
}

#define BELOW_0(x) ((x) < 1 && (x) != 0)

/* Shifted left nothing may be lost, neither digits nor the sign; to the right all may. */
#define BIT_FUNCTIONS(s, T, id)                                                                    \
    static nrw_status and_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, x &y);                                                                      \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status or_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err)  \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, x | y);                                                                     \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status xor_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, x ^ y);                                                                     \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status not_##s(const expr *e, const scalar_args *args, vector *out, nrw_error *err) \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, T, ~x);                                                                           \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status left_##s(const expr *e, const scalar_args *args, vector *out,                \
                               nrw_error *err)                                                     \
    {                                                                                              \
        const int bits = 8 * (int)sizeof(T), room = bits - ((T)-1 < 1);                            \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            T x = ARG(T, args, 0)[ROW(args, 0, i)], y = ARG(T, args, 1)[ROW(args, 1, i)];          \
            bool fits = !BELOW_0(y) && (x == 0 || y < (T)room || y == 0) && !BELOW_0(x) &&         \
                        (x == 0 || y == 0 || (u128)x >> (room - (int)y) == 0);                     \
            if (!fits && row_valid(out, i))                                                        \
                return bad_shift(e, args, i, err);                                                 \
            OUT(T, out)[i] = fits && x != 0 ? (T)((u128)x << (int)y) : 0;                          \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status right_##s(const expr *e, const scalar_args *args, vector *out,               \
                                nrw_error *err)                                                    \
    {                                                                                              \
        const int bits = 8 * (int)sizeof(T);                                                       \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP2(T, T, T, (!BELOW_0(y) && y < (T)bits) ? x >> (int)y : 0);                            \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static nrw_status count_##s(const expr *e, const scalar_args *args, vector *out,               \
                                nrw_error *err)                                                    \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(T, int8_t, bit_count((u128)x, 8 * (int)sizeof(T)));                                  \
        return NRW_OK;                                                                             \
    }

static inline int bit_count(u128 x, int bits)
{
    if (bits < 128)
        x &= ((u128)1 << bits) - 1;
    return __builtin_popcountll((uint64_t)x) + __builtin_popcountll((uint64_t)(x >> 64));
}

FOR_INTS(BIT_FUNCTIONS)

#define OF_INTS(name, prefix, flags)                                                               \
    {name, "11", "1", prefix##_i8, flags, NULL}, {name, "22", "2", prefix##_i16, flags, NULL},     \
        {name, "44", "4", prefix##_i32, flags, NULL},                                              \
        {name, "88", "8", prefix##_i64, flags, NULL},                                              \
        {name, "hh", "h", prefix##_i128, flags, NULL},                                             \
        {name, "AA", "A", prefix##_u8, flags, NULL}, {name, "BB", "B", prefix##_u16, flags, NULL}, \
        {name, "CC", "C", prefix##_u32, flags, NULL},                                              \
        {name, "DD", "D", prefix##_u64, flags, NULL},                                              \
    {                                                                                              \
        name, "HH", "H", prefix##_u128, flags, NULL                                                \
    }

static const function rows[] = {
    OF_INTS("&", and, 0),
    OF_INTS("|", or, 0),
    OF_INTS("xor", xor, 0),
    OF_INTS("<<", left, FAILS),
    OF_INTS(">>", right, 0),
    {"~", "1", "1", not_i8, 0, NULL},
    {"~", "2", "2", not_i16, 0, NULL},
    {"~", "4", "4", not_i32, 0, NULL},
    {"~", "8", "8", not_i64, 0, NULL},
    {"~", "h", "h", not_i128, 0, NULL},
    {"~", "A", "A", not_u8, 0, NULL},
    {"~", "B", "B", not_u16, 0, NULL},
    {"~", "C", "C", not_u32, 0, NULL},
    {"~", "D", "D", not_u64, 0, NULL},
    {"~", "H", "H", not_u128, 0, NULL},
    {"bit_count", "1", "1", count_i8, 0, NULL},
    {"bit_count", "2", "1", count_i16, 0, NULL},
    {"bit_count", "4", "1", count_i32, 0, NULL},
    {"bit_count", "8", "1", count_i64, 0, NULL},
    {"bit_count", "h", "1", count_i128, 0, NULL},
    {"bit_count", "A", "1", count_u8, 0, NULL},
    {"bit_count", "B", "1", count_u16, 0, NULL},
    {"bit_count", "C", "1", count_u32, 0, NULL},
    {"bit_count", "D", "1", count_u64, 0, NULL},
    {"bit_count", "H", "1", count_u128, 0, NULL},
};

const function_set functions_bits = FUNCTION_SET(rows);
