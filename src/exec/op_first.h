/* `sample`: the first n ids of every group with all their rows, in the order of the input.
 *
 * While the state fits, rows are passed on as they come. Where it does not, the rows that it cannot
 * decide on, and those behind them, go by way of the spill file: they leave by another source, to
 * run behind the one that leads to the operator, which has no rows otherwise. */
#ifndef EXEC_OP_FIRST_H
#define EXEC_OP_FIRST_H

#include "base/arena.h"
#include "exec/op.h"
#include "exec/room.h"
#include "exec/source.h"
#include "io/spill.h"

/* Columns are places in the batch. */
typedef struct first_spec {
    uint32_t first;
    const uint32_t *of; /* n_of 0: rows are counted instead of ids */
    uint32_t n_of;
    const uint32_t *per; /* n_per 0: all is one group */
    uint32_t n_per;
    uint32_t n_columns; /* of the batch */
    const type *types;  /* the operator's from then on */
    uint32_t workers;
    uint64_t memory;
    uint64_t late;   /* of it for rows that wait; 0: a state that outgrows the rest is an error */
    size_t remember; /* of the rest, codes of dictionaries may take so much: they save time */
    size_t held;
    const cancel_flag *cancel;
} first_spec;

/* All is charged to m. `a` keeps layouts; it lives as long as the operator. */
nrw_status op_first_new(arena *a, mem *m, const first_spec *spec, spill *s, op **out,
                        nrw_error *err);
/* When all rows have come: those that waited and stay, for what is behind the operator. */
source *op_first_rest(op *o);

/* What the state takes at most for so many groups and ids of about key_bytes each: for plan. */
uint64_t op_first_memory(uint64_t groups, uint32_t first, uint64_t ids, uint64_t key_bytes);
/* What rows that wait take at least, and what they may spill, of spec.memory and spec.late; r's
 * keys are those of groups and ids. */
uint64_t op_first_late(const room_rows *r, uint32_t workers);
uint64_t op_first_spill(const room_rows *r, uint32_t first, uint64_t memory, uint64_t late,
                        uint32_t workers);
/* Of a grant what is for rows that wait, where the state takes at most so much, about. */
uint64_t op_first_late_share(uint64_t grant, uint64_t state, uint64_t late_least);

#endif
