/* Inside of aggregate functions: one table a file, all of them listed in aggregate.c. */
#ifndef EXEC_AGGREGATE_OWN_H
#define EXEC_AGGREGATE_OWN_H

#include "exec/aggregate.h"

#include <float.h>

typedef struct aggregate_table {
    const aggregate_class *at;
    uint32_t n;
} aggregate_table;

extern const aggregate_table agg_count_table, agg_sum_table, agg_extreme_table, agg_first_table,
    agg_bool_table, agg_moment_table, agg_pair_table, agg_list_table, agg_quantile_table,
    agg_by_table, agg_bits_table, agg_tally_table, agg_sketch_table;

/* Argument k as a flat vector. */
nrw_status agg_flat(const aggregate_rows *r, uint32_t k, vector *own, nrw_error *err);

/* The aggregate that a DISTINCT one hands its values to; others: g itself. */
const aggregate *agg_proper(const aggregate *g);

/* NRW_E_ARG: "sum does not take VARCHAR", of a name, `what` and a type; NULL: no type. */
nrw_status agg_refuse(const aggregate *g, const char *what, const type *t, nrw_error *err);
/* Casts argument k, where it casts to that without being asked. */
nrw_status agg_cast(arena *a, aggregate *g, uint32_t k, const type *to, nrw_error *err);
/* An argument of any type: NULL becomes an INTEGER. */
nrw_status agg_any(arena *a, const expr **arg, nrw_error *err);
void agg_put_null(vector *out, uint32_t i);

/* n rows of `columns`, at most AGG_FEED, the arguments of inner, into one of its states. */
#define AGG_FEED 1024u
nrw_status agg_feed(const aggregate *inner, const vector *columns, uint32_t n, uint64_t first,
                    uint8_t *state, mem *m, nrw_error *err);
/* Finishes states of g by filling fresh states of inner from them. */
typedef nrw_status (*agg_filler)(const aggregate *g, const aggregate *inner, uint8_t *from,
                                 uint8_t *state, mem *m, nrw_error *err);
nrw_status agg_finish_fed(const aggregate *g, const aggregate *inner, agg_filler fill,
                          uint8_t *const *states, uint32_t n, vector *out, nrw_error *err);

/* Merging states that are sums of what they hold, and the like, need nothing of these. */
#define AGG_PLAIN NULL, NULL, NULL

/* ---- sums of floating point numbers that do not depend on order ---- */

/* Digits of 24 bits: d[j] is the one numbered top - j, counted from 2^-1074. No carries are moved,
 * and digits below the window are dropped whole, so that what is left depends on the set of the
 * numbers alone. 2^39 additions fit. */
typedef struct float_sum {
    uint64_t head; /* 8 bits: top plus 1, 0: nothing but zeros was added; 8 bits: 1: NaN, 2:
                      infinity, 4: -infinity were there; 48 bits: how many were added */
    int64_t digits[5];
} float_sum;

static inline uint32_t sum_odd(uint64_t head)
{
    return (uint32_t)(head >> 8 & 0xff);
}

static inline uint64_t float_sum_n(const float_sum *s)
{
    return s->head >> 16;
}

void float_sum_add(float_sum *s, double x);
/* x[i] to states[i], or states[codes[i]]. */
void float_sum_add_each(const double *x, uint32_t n, uint8_t *const *states);
void float_sum_add_coded(const double *x, uint32_t n, uint8_t *const *states,
                         const uint32_t *codes);
void float_sum_merge(float_sum *into, const float_sum *from);
double float_sum_value(const float_sum *s);

/* The same with a window that holds products whole. */
typedef struct power_sum {
    uint64_t head;
    int64_t digits[10];
} power_sum;

/* x to the power of `power`, 1 to 4; up to 2 without rounding. */
void power_sum_add(power_sum *s, double x, int power);
void power_sum_add_product(power_sum *s, double x, double y);
void power_sum_merge(power_sum *into, const power_sum *from);

/* Wide enough for a difference of two such sums. */
#if LDBL_MANT_DIG >= 113
typedef long double wide_float;
#else
typedef __float128 wide_float;
#endif
/* Not a number of doubles' range where it holds NaN or infinities. */
wide_float float_sum_wide(const float_sum *s);
wide_float power_sum_wide(const power_sum *s);
/* x - y, where that is more than what rounding left of equal ones. */
static inline wide_float wide_difference(wide_float x, wide_float y)
{
    wide_float d = x - y, least = (x < 0 ? -x : x) * (wide_float)0x1p-106L;

    return (d < 0 ? -d : d) <= least ? 0 : d;
}

#endif
