/* Rows for which an expression is true: WHERE, HAVING, QUALIFY. What sources and dictionaries can
 * decide goes to op_filter instead. */
#ifndef EXEC_OP_WHERE_H
#define EXEC_OP_WHERE_H

#include "exec/op.h"
#include "expr/scalar.h"

/* `condition` is BOOLEAN over the n_in columns of the input and lives as long as the operator.
 * share: as row_parts.h has it, of the batches' account. */
nrw_status op_where_new(mem *m, const expr *condition, uint32_t n_in, size_t held, uint64_t share,
                        op **out, nrw_error *err);

#endif
