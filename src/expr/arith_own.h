/* Arithmetic: what its files share. */
#ifndef EXPR_ARITH_OWN_H
#define EXPR_ARITH_OWN_H

#include "base/power.h"
#include "expr/function.h"

/* "INTEGER + INTEGER overflows: 1 + 2" for row i. */
nrw_status arith_overflow(const expr *e, const scalar_args *args, uint32_t i, nrw_error *err);
nrw_status arith_by_zero(const expr *e, const scalar_args *args, uint32_t i, nrw_error *err);

/* A kernel of (x, y, &bad) for every row; a row that is there and bad ends in arith_overflow. */
#define CHECKED_KERNEL(name, T, compute, is_bad)                                                   \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        T bad = 0;                                                                                 \
        LOOP2(T, T, T, compute(x, y, &bad));                                                       \
        if (is_bad(bad))                                                                           \
            for (uint32_t i = 0; i < args->rows; i++) {                                            \
                T one = 0;                                                                         \
                compute(ARG(T, args, 0)[ROW(args, 0, i)], ARG(T, args, 1)[ROW(args, 1, i)], &one); \
                if (is_bad(one) && row_valid(out, i))                                              \
                    return arith_overflow(e, args, i, err);                                        \
            }                                                                                      \
        return NRW_OK;                                                                             \
    }
#define BAD_SIGN(bad) ((bad) < 0)
#define BAD_BITS(bad) ((bad) != 0)

#endif
