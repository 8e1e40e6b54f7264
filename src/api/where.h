/* --where: the condition of a job, and what carries it out. */
#ifndef API_WHERE_H
#define API_WHERE_H

#include "api/move.h"
#include "expr/expr.h"

typedef struct where {
    predicate *p;     /* NULL: all rows */
    uint32_t n;       /* columns of the condition */
    uint32_t *places; /* where they lie in the batch; set by who lays out the batch */
} where;

/* What the job's words say of rows of s. A condition that is always true is none. */
nrw_status where_parse(nrw_job *job, const schema *s, const char *source, where *out,
                       nrw_error *err) NRW_CHECKED;
/* The k-th column of the condition, as a place in the schema. */
uint32_t where_column(const where *w, uint32_t k);
/* For the shape of the scan; NULL where there is no condition. */
const row_filter *where_filter(const where *w);

/* The operator's share, and what it adds to the batches' for `workers`. */
void where_budget(const where *w, budget *out);
void where_batches(const where *w, uint32_t workers, uint64_t *least, uint64_t *wish);
/* Adds what reading takes to find out what need not be read. */
void where_reading(const where *w, uint64_t *least, uint64_t *wish);
/* With a grant of where_budget; `piece`: bytes of a column held at a time. */
nrw_status where_open(const where *w, mem *m, size_t piece, op **out, nrw_error *err) NRW_CHECKED;
/* "filter id >= 5 and ..." */
void where_describe(const where *w, char *out, size_t cap);

/* For the plan: the most rows that may pass, and "4 of them may match" behind `detail`, where the
 * metadata of a single file tell; else -1 and nothing. */
nrw_status where_estimate(const where *w, const job_inputs *in, char *detail, size_t cap,
                          int64_t *rows, nrw_error *err) NRW_CHECKED;

/* Reads the inputs of the job as far as the condition asks, and counts the rows that pass. The
 * limits are settled. With plan_only the plan is filled and nothing is read. */
nrw_status where_count(nrw_job *job, bool plan_only, int64_t *rows, nrw_error *err) NRW_CHECKED;

#endif
