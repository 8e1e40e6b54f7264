/* Window functions: rows are sorted by partition and order, then each partition is gone through;
 * one that does not fit goes to the spill file before (window_tape.h).
 * The end of one pipeline and the source of another: rows leave in the order of the last call's
 * partition and order, those that are equal in the order they came. */
#ifndef EXEC_OP_WINDOW_H
#define EXEC_OP_WINDOW_H

#include "exec/op.h"
#include "exec/source.h"
#include "exec/window.h"
#include "io/spill.h"

typedef struct window_spec {
    uint32_t n_columns; /* of the input; all of them leave, then one for each call */
    const type *types;
    uint32_t n_calls;
    const window_call *calls;
    uint32_t workers;
    uint64_t memory;
    size_t held;
    const cancel_flag *cancel;
} window_spec;

#define WINDOW_PASSING ((uint64_t)4 << 20)

/* Of its memory what the sort has, at most: rows are looked at when they have come. gathers: much
 * else may be kept meanwhile (window_gathers). */
static inline uint64_t window_sort_memory(uint64_t memory, bool gathers)
{
    uint64_t rest = WINDOW_PASSING + memory / 16;

    return !gathers && rest < memory / 2 ? memory - rest : memory / 2;
}

/* `a` keeps layouts; it lives as long as the operator. */
nrw_status op_window_new(arena *a, mem *m, const window_spec *spec, spill *s, op **out,
                         nrw_error *err);
/* Used once the operator is finished. */
source *op_window_source(op *o);

#endif
