/* Between integers, and BOOLEAN, which is one byte 0 or 1. */
#include "expr/cast_own.h"

#define NEGATIVE(x) ((x) < 1 && (x) != 0)

/* The value comes back as it was and has kept its sign. */
#define FITS(IN, OUT_T, x) ((IN)(OUT_T)(x) == (x) && NEGATIVE((OUT_T)(x)) == NEGATIVE(x))

#define CAST_INT(in, IN, out_, OUT_T)                                                              \
    static nrw_status in##_to_##out_(const expr *e, const scalar_args *args, vector *out,          \
                                     nrw_error *err)                                               \
    {                                                                                              \
        const IN *restrict a = ARG(IN, args, 0);                                                   \
        OUT_T *restrict z = OUT(OUT_T, out);                                                       \
        uint8_t bad = 0;                                                                           \
        for (size_t i = 0; i < args->rows; i++) {                                                  \
            z[i] = (OUT_T)a[i];                                                                    \
            bad |= (uint8_t)!FITS(IN, OUT_T, a[i]);                                                \
        }                                                                                          \
        if (bad)                                                                                   \
            for (uint32_t i = 0; i < args->rows; i++)                                              \
                if (!FITS(IN, OUT_T, a[i]) && row_valid(out, i))                                   \
                    TRY(cast_fail(e, out, i, args->at[0], i, err));                                \
        return NRW_OK;                                                                             \
    }

#define TO_ALL(in, IN)                                                                             \
    CAST_INT(in, IN, i8, int8_t)                                                                   \
    CAST_INT(in, IN, i16, int16_t)                                                                 \
    CAST_INT(in, IN, i32, int32_t)                                                                 \
    CAST_INT(in, IN, i64, int64_t)                                                                 \
    CAST_INT(in, IN, i128, i128)                                                                   \
    CAST_INT(in, IN, u8, uint8_t)                                                                  \
    CAST_INT(in, IN, u16, uint16_t)                                                                \
    CAST_INT(in, IN, u32, uint32_t)                                                                \
    CAST_INT(in, IN, u64, uint64_t)                                                                \
    CAST_INT(in, IN, u128, u128)                                                                   \
    static nrw_status in##_to_bool(const expr *e, const scalar_args *args, vector *out,            \
                                   nrw_error *err)                                                 \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        LOOP1(IN, uint8_t, x != 0);                                                                \
        return NRW_OK;                                                                             \
    }                                                                                              \
    static scalar_eval in##_to(const type *to)                                                     \
    {                                                                                              \
        switch (to->id) {                                                                          \
        case TYPE_BOOL: return in##_to_bool;                                                       \
        case TYPE_INT8: return in##_to_i8;                                                         \
        case TYPE_INT16: return in##_to_i16;                                                       \
        case TYPE_INT32: return in##_to_i32;                                                       \
        case TYPE_INT64: return in##_to_i64;                                                       \
        case TYPE_INT128: return in##_to_i128;                                                     \
        case TYPE_UINT8: return in##_to_u8;                                                        \
        case TYPE_UINT16: return in##_to_u16;                                                      \
        case TYPE_UINT32: return in##_to_u32;                                                      \
        case TYPE_UINT64: return in##_to_u64;                                                      \
        case TYPE_UINT128: return in##_to_u128;                                                    \
        default: return NULL;                                                                      \
        }                                                                                          \
    }

#define TO_ALL_OF(in, IN, id) TO_ALL(in, IN)
FOR_INTS(TO_ALL_OF)

scalar_eval cast_int_kernel(const type *from, const type *to)
{
#define CASE(in, IN, id)                                                                           \
    case id: return in##_to(to);
    switch (from->id) {
    case TYPE_BOOL: return u8_to(to); FOR_INTS(CASE)
    default: return NULL;
    }
}

bool store_int(const type *t, i128 x, uint8_t *out)
{
#define STORE(s, T, id_)                                                                           \
    case id_: {                                                                                    \
        T z = (T)x;                                                                                \
        memcpy(out, &z, sizeof z);                                                                 \
        return FITS(i128, T, x);                                                                   \
    }
    switch (t->id) {
        FOR_INTS(STORE)
    default: return false;
    }
}
