/* Columns computed from columns: SELECT's list. */
#ifndef EXEC_OP_PROJECT_H
#define EXEC_OP_PROJECT_H

#include "exec/op.h"
#include "expr/scalar.h"

/* Column i of the output is exprs[i] over the columns of the input (n_in of them) and those of the
 * output before it, which stand behind them. exprs and what they point to live as long as the
 * operator; a batch holds at most about `held` bytes of a column; share: as row_parts.h has it, of
 * the batches' account. */
nrw_status op_project_new(mem *m, const expr *const *exprs, uint32_t n, uint32_t n_in, size_t held,
                          uint64_t share, op **out, nrw_error *err);

#endif
