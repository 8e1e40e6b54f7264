/* Inside of aggregate functions: one table a file, all of them listed in aggregate.c. */
#ifndef EXEC_AGGREGATE_OWN_H
#define EXEC_AGGREGATE_OWN_H

#include "exec/aggregate.h"

typedef struct aggregate_table {
    const aggregate_class *at;
    uint32_t n;
} aggregate_table;

extern const aggregate_table agg_count_table, agg_sum_table, agg_extreme_table, agg_first_table,
    agg_bool_table;

/* The state of row i. */
static inline uint8_t *agg_state(const aggregate_rows *r, uint32_t i)
{
    return r->states[r->one ? 0 : i];
}

/* Row i of a flat or dictionary vector is there. */
static inline bool agg_there(const vector *v, uint32_t i)
{
    return !v->validity || bit_get(v->validity, i);
}

/* Whether it goes by that name, in lower case. */
bool aggregate_has_name(const aggregate *g, const char *name);
/* Flat value i of argument k; what was flattened is in *own, to be released. */
nrw_status agg_flat(const aggregate_rows *r, uint32_t k, vector *own, nrw_error *err);

/* Merging states that are sums of what they hold, and the like, need nothing of these. */
#define AGG_PLAIN NULL, NULL, NULL

/* ---- sums of floating point numbers that do not depend on order ---- */

/* Digits of 24 bits: d[j] is the one numbered top - j, counted from 2^-1074. No carries are moved,
 * and digits below the window are dropped whole, so that what is left depends on the set of the
 * numbers alone. 2^39 additions fit. */
typedef struct float_sum {
    int64_t digits[5];
    int32_t top;  /* plus 1; 0: nothing was added */
    uint32_t odd; /* 1: NaN, 2: infinity, 4: -infinity were there */
} float_sum;

void float_sum_add(float_sum *s, double x);
void float_sum_merge(float_sum *into, const float_sum *from);
double float_sum_value(const float_sum *s);

#endif
