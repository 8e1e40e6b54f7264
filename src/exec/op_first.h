/* `sample`: the first n ids of every group with all their rows. */
#ifndef EXEC_OP_FIRST_H
#define EXEC_OP_FIRST_H

#include "exec/op.h"

/* Columns are places in the batch. n_of 0: rows are counted instead of ids; n_per 0: all is one
 * group. Beside the state, codes of dictionaries may take `remember` bytes: they save time.
 * All is charged to m; when it outgrows m the error says how far it came. */
nrw_status op_first_new(mem *m, uint32_t first, const uint32_t *of, uint32_t n_of,
                        const uint32_t *per, uint32_t n_per, size_t remember, op **out,
                        nrw_error *err);

/* What the state takes at most for so many groups and ids of about key_bytes each: for plan. */
uint64_t op_first_memory(uint64_t groups, uint32_t first, uint64_t ids, uint64_t key_bytes);

#endif
