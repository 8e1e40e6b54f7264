/* Leaves out stretches of the input that were found damaged. */
#ifndef EXEC_OP_EXCEPT_H
#define EXEC_OP_EXCEPT_H

#include "exec/op.h"

typedef struct row_range {
    int64_t from, to; /* ordinals in the input, `to` exclusive */
} row_range;

/* Ranges rise and do not overlap; they stay the caller's. What is left out counts as filtered by
 * this operator. */
nrw_status op_except_new(mem *m, const row_range *ranges, size_t n, op **out, nrw_error *err);

/* Sorts ranges and joins what overlaps; returns how many are left. */
size_t row_ranges_normalise(row_range *ranges, size_t n);

#endif
