/* Batches of plain vectors over alive rows alone, for operators that make other columns. */
#ifndef EXEC_DENSE_H
#define EXEC_DENSE_H

#include "exec/op.h"

/* A batch of other columns in place of an old one: same morsel, offset, last, worker and account;
 * n columns, all taken, for dense_put. dense_free drops what is left of it. */
nrw_status dense_new(const batch *like, uint32_t n, uint32_t rows, batch *out,
                     nrw_error *err) NRW_CHECKED;
/* Column c is v, which is moved, also on failure. */
nrw_status dense_put(batch *b, uint32_t c, vector *v, nrw_error *err) NRW_CHECKED;
void dense_free(batch *b, uint32_t n);
/* A batch of n columns without rows goes on in place of `like`. */
nrw_status dense_pass_none(op *o, const batch *like, uint32_t n, nrw_error *err) NRW_CHECKED;

#endif
