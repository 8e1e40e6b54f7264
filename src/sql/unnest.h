/* Subqueries that look at columns outside of themselves become plans that do not. Inside of the
 * binder; see unnest.c. */
#ifndef SQL_UNNEST_H
#define SQL_UNNEST_H

#include "sql/bind_own.h"

/* The values that a subquery is to be answered for. */
typedef struct domain {
    arena *a;
    plan *rows;        /* n columns, each combination once */
    uint32_t n;        /* outer columns that are looked at */
    const expr **refs; /* n: what they are outside */
    uint32_t *place;   /* of column OUTER_BASE + i: its place among the n */
} domain;

/* For `inner`, whose outer columns are refs[0..n) over `outer`. */
nrw_status domain_make(arena *a, const plan *outer, const expr *const *refs, uint32_t n,
                       const plan *inner, domain *d, nrw_error *err);
/* Adds to *on: what is outside equals the domain's columns, which begin at number `base`. */
nrw_status domain_match(const domain *d, uint32_t base, const expr **on, nrw_error *err);

/* *p for every row of the domain, whose columns stand behind its own. */
nrw_status unnest(const domain *d, plan **p, nrw_error *err);
nrw_status unnest_join(const domain *d, plan **p, nrw_error *err); /* of a join */

#endif
