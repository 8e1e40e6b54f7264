/* A stretch of the input by row ordinals: tail, offset. */
#ifndef EXEC_OP_RANGE_H
#define EXEC_OP_RANGE_H

#include "exec/op.h"

/* Rows from..to-1 of the input (b->first_row) go on; nothing is read to find them. */
nrw_status op_range_new(mem *m, int64_t from, int64_t to, op **out, nrw_error *err);

#endif
