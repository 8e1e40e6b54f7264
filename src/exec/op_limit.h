/* A stretch of the rows that are still alive: limit and offset behind a filter. */
#ifndef EXEC_OP_LIMIT_H
#define EXEC_OP_LIMIT_H

#include "exec/op.h"

/* Of the rows that arrive, in order, the first `skip` go, the next `take` stay, the rest goes.
 * What goes counts as filtered by this operator. */
nrw_status op_limit_new(mem *m, uint64_t skip, uint64_t take, op **out, nrw_error *err);

/* Becomes 1 when no further row will stay: the source may end. Lives as long as the operator. */
const _Atomic uint32_t *op_limit_reached(const op *o);

#endif
