/* ORDER BY, and its first rows (LIMIT behind it): the end of one pipeline and the source of
 * another. Rows that compare equal leave in the order they came.
 *
 * Every worker gathers rows and sorts them when its share is used up: a run, which goes to the
 * spill file. The source merges all runs. Where only the first rows are wanted and they fit, each
 * worker keeps no more than those. */
#ifndef EXEC_OP_SORT_H
#define EXEC_OP_SORT_H

#include "exec/op.h"
#include "exec/sort_key.h"
#include "exec/sort_room.h"
#include "exec/source.h"
#include "io/spill.h"

typedef struct sort_spec {
    uint32_t n_columns; /* of the input */
    uint32_t n_aside;   /* of them, the last ones: they are keys alone and do not leave */
    const type *types;
    uint32_t n_orders;
    const sort_order *orders;
    bool unique;    /* no two rows are equal by these */
    uint64_t limit; /* only so many rows leave; UINT64_MAX: all */
    /* Of rows that are equal by the first n_alike orders nobody looks at more than the first
     * `each`: others may leave or not. 0: all do. */
    uint32_t n_alike;
    uint64_t each;
    uint32_t workers;
    uint64_t memory;
    uint64_t beside;  /* while rows come, of m beside it: where `each` is set, to drop rows early */
    uint64_t merging; /* what of it, or beside it, there is when runs are merged */
    size_t held;
    const cancel_flag *cancel;
} sort_spec;

/* `a` keeps layouts; it lives as long as the operator. */
nrw_status op_sort_new(arena *a, mem *m, const sort_spec *spec, spill *s, op **out, nrw_error *err);
/* Used once the operator is finished. */
source *op_sort_source(op *o);

#endif
