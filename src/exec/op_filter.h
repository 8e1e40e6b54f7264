/* `--where`: keeps the rows for which a condition is true. */
#ifndef EXEC_OP_FILTER_H
#define EXEC_OP_FILTER_H

#include "exec/op.h"
#include "expr/expr.h"

/* places[k]: where the k-th of predicate_columns lies in the batch. They and the predicate stay the
 * caller's. Of m, `remember` bytes may hold what was found of dictionaries. Holds the columns of
 * the condition alone, and of these only as many as decide it; a batch is cut short where the first
 * one would take more than `held` bytes. */
nrw_status op_filter_new(mem *m, const predicate *p, const uint32_t *places, size_t held,
                         size_t remember, op **out, nrw_error *err);

/* What a worker takes of the account of batches beside columns that are held. */
size_t op_filter_scratch(const predicate *p);

#endif
