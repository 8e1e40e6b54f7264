/* How many rows come of each relation of a plan and how large they are, from what the metadata of
 * its tables say: for shares of the memory and for plans. */
#ifndef SQL_ESTIMATE_H
#define SQL_ESTIMATE_H

#include "sql/plan.h"

#define UNKNOWN UINT64_MAX

/* Whole numbers that all values of a column lie between, as they are inside, or null. */
typedef struct value_bounds {
    bool known;
    int64_t least, greatest;
} value_bounds;

typedef struct plan_estimate plan_estimate;
struct plan_estimate {
    const plan *of;
    uint64_t most;      /* rows at most; UNKNOWN: nobody knows */
    uint64_t rows;      /* rows, about; at most `most` */
    uint64_t few;       /* the same, if keys of groups of which nothing is known have few values */
    uint64_t whole;     /* rows, about, if conditions left none out */
    uint64_t *width;    /* bytes of a value of each column, about; UNKNOWN */
    uint64_t *packed;   /* bits of the same in the spill file (rows_pack.h) */
    uint64_t *distinct; /* values of each column, about; UNKNOWN */
    uint64_t *domain;   /* of each column: there are no more values than so many; UNKNOWN */
    value_bounds *bounds;
    /* after plan_estimate_narrow: */
    double part;       /* of `whole` conditions leave so much, about */
    double guess;      /* and of that others so much, by nothing but their form */
    double *kept;      /* and so much of the values of each column: what was asked of it alone */
    uint32_t from, to; /* after plan_stages: where it reads, or holds what it gathers */
    plan_estimate *left, *right;
};

/* In `a`. Tables may be asked for their metadata, whose first readers are still open. */
nrw_status plan_estimate_of(arena *a, const sql_catalog *c, const plan *p, plan_estimate **out,
                            nrw_error *err);
/* Rows of e and of what is below it become those that conditions leave, as far as bounds and
 * numbers of values tell, with a margin: for shares of the memory. */
nrw_status plan_estimate_narrow(arena *a, const sql_catalog *c, plan_estimate *e, nrw_error *err);
/* How many combinations of values the first n columns of e's rows have: at most, or about. `a` is
 * used for counting. */
nrw_status plan_combinations(arena *a, const plan_estimate *e, uint32_t n, bool sure, uint64_t *out,
                             nrw_error *err);
/* e, or what it makes a longer or shorter number of: whole, or with as many decimals. */
const expr *plan_same_number(const expr *e);
/* How many rows of e, which are groups, may meet a condition by what their aggregates are; UNKNOWN.
 */
uint64_t plan_groups_asked(const plan_estimate *e, const expr *on);
/* Nanoseconds that one thread would be at it, about, the writing of its rows included; UNKNOWN. */
uint64_t plan_effort(const plan_estimate *e);
/* Numbers the stages that sql_compile will make of e, in the order they run, and says of each scan
 * and each step that gathers in which it takes memory. How many there are. */
uint32_t plan_stages(plan_estimate *e);
/* Bytes of a row's values, about, in rows of exec/rows.h; in the spill file. */
uint64_t plan_row_width(const plan_estimate *e);
uint64_t plan_row_packed(const plan_estimate *e);
static inline uint64_t bytes_of_bits(uint64_t bits)
{
    return bits == UNKNOWN ? bits : bits / 8 + (bits % 8 > 0);
}
/* Of a value of an expression over its columns, about. */
uint64_t plan_expr_width(const plan_estimate *in, const expr *e);
/* Of some of its columns; NULL: the first n. */
uint64_t plan_columns_width(const plan_estimate *e, const uint32_t *columns, uint32_t n);

#endif
