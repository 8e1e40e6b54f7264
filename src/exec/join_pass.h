/* A worker's way through parts of a join that spills. It reads the right rows of a part into a
 * table, as many as there is room for, then the left rows of the part come block by block to meet
 * it: a pass. Where right rows are left, the left ones come again. What a left row has met so far
 * is kept between passes, in the spill file as well, where that decides what leaves. A part that
 * would take many passes is cut by more bits of the hash first, unless most of it has one key. */
#ifndef EXEC_JOIN_PASS_H
#define EXEC_JOIN_PASS_H

#include "exec/join_own.h"

#define JOIN_BLOCK_ROWS (HASH_PART_BLOCK / (ROW_HEAD + 8) + 1) /* of rows without columns */

typedef struct join_task {
    hash_part right, left;
    uint32_t bits;
    bool one_key; /* mostly: cutting is no use */
} join_task;

typedef struct join_pass {
    mem *m;
    join_task *stack; /* parts that wait */
    uint32_t n_stack, cap_stack;
    join_task task; /* the open part: what is to come of it in this pass */
    bool open, last;
    join_rows right; /* the right rows of this pass */
    join_table table;
    /* the left block that meets; what it has met */
    spill_block block; /* len 0: none does */
    bytes scratch;
    rows left;
    uint8_t *rows[JOIN_BLOCK_ROWS];
    uint64_t places[JOIN_BLOCK_ROWS];
    uint8_t met_now[JOIN_BLOCK_ROWS];
    bool met_before;          /* met has what they met in passes before */
    spill_chain met;          /* of the left blocks that are to come, the last one first */
    spill_chain later;        /* left blocks of the next pass */
    spill_chain met_by_later; /* and what they have met, where it matters */
} join_pass;

nrw_status join_pass_new(op_build *o, join_pass *p, nrw_error *err);
void join_pass_close(op_build *o, join_pass *p);
/* Takes both sides over, also on failure. */
nrw_status join_pass_add(op_build *o, join_pass *p, const join_task *t, nrw_error *err);
/* Opens the next part, or cuts it; p->open tells. There is one. */
nrw_status join_pass_open(op_build *o, join_pass *p, nrw_error *err);
/* The next left block: p->rows, their places and what they have met so far. NRW_END: the pass is
 * over. */
nrw_status join_pass_left(op_build *o, join_pass *p, uint32_t *n, nrw_error *err);
/* Its rows have met the table. */
nrw_status join_pass_met(op_build *o, join_pass *p, uint32_t n, nrw_error *err);
/* Behind a pass: the next one, or the part is closed. */
nrw_status join_pass_next(op_build *o, join_pass *p, nrw_error *err);

#endif
