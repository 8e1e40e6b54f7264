/* Casts: what their files share. */
#ifndef EXPR_CAST_OWN_H
#define EXPR_CAST_OWN_H

#include "expr/arith_own.h"

/* M(suffix, C type, type id) for every integer type. */
#define FOR_INTS(M)                                                                                \
    M(i8, int8_t, TYPE_INT8)                                                                       \
    M(i16, int16_t, TYPE_INT16)                                                                    \
    M(i32, int32_t, TYPE_INT32)                                                                    \
    M(i64, int64_t, TYPE_INT64)                                                                    \
    M(i128, i128, TYPE_INT128)                                                                     \
    M(u8, uint8_t, TYPE_UINT8)                                                                     \
    M(u16, uint16_t, TYPE_UINT16)                                                                  \
    M(u32, uint32_t, TYPE_UINT32)                                                                  \
    M(u64, uint64_t, TYPE_UINT64)                                                                  \
    M(u128, u128, TYPE_UINT128)

/* Each gives the kernel for a pair that it knows, else NULL. */
scalar_eval cast_int_kernel(const type *from, const type *to);     /* integers, BOOLEAN */
scalar_eval cast_float_kernel(const type *from, const type *to);   /* one side is floating */
scalar_eval cast_decimal_kernel(const type *from, const type *to); /* one side is a decimal */
scalar_eval cast_to_text_kernel(const type *from, const type *to);
scalar_eval cast_from_text_kernel(const type *from, const type *to);
scalar_eval cast_moment_kernel(const type *from, const type *to); /* dates, times, intervals */
scalar_eval cast_nested_kernel(const type *from, const type *to);
/* What cast_nested_kernel needs besides: casts of the children, in the arena. */
nrw_status cast_nested_spec(arena *a, const type *from, const type *to, bool try, cast_spec *out,
                            nrw_error *err);

/* A whole number stored as an integer type of any width; false where it does not fit. */
bool store_int(const type *t, i128 x, uint8_t *out);

/* Text as a number times 10^scale, halves away from 0; digits may be grouped by single
 * underscores, blanks may stand around. False where it is none; *beyond where it needs more than
 * 38 digits. */
bool parse_scaled(span s, int scale, i128 *out, bool *beyond);
bool parse_double(span s, double *out);
bool parse_float(span s, float *out);
span trim_blanks(span s);

#endif
