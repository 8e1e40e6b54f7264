/* Rows that need no file: VALUES and range(). */
#ifndef EXEC_SOURCE_VALUES_H
#define EXEC_SOURCE_VALUES_H

#include "exec/source.h"
#include "expr/scalar.h"

/* n_rows rows of n columns: exprs[row * n + column], which look at no column. Lives in `a`. */
nrw_status source_values_new(arena *a, const expr *const *exprs, uint32_t n, uint64_t n_rows,
                             source **out, nrw_error *err);
/* from, from + step, ... before to; one BIGINT column. */
nrw_status source_range_new(arena *a, int64_t from, int64_t to, int64_t step, source **out,
                            nrw_error *err);

#endif
