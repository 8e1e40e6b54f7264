/* Rows in order that memory has no room for, and of which any may be looked at again: the tape of a
 * window. Columns are cut into blocks alike, each a block of the spill file of its own, so that a
 * function reads no other columns than it looks at. Blocks read last are kept, as many as fit.
 * Which blocks there are lies in the spill file, too, by pages; in memory are the pages' places. */
#ifndef EXEC_WINDOW_TAPE_H
#define EXEC_WINDOW_TAPE_H

#include "exec/cancel.h"
#include "exec/rows.h"
#include "io/spill.h"

#define TAPE_ROWS 4096u /* of a block, at most */

typedef struct window_tape window_tape;

/* An empty one, for rows of n columns of these types; a block has no more than `rows` rows, and
 * blocks that were read take `room` bytes of m at most. `a` keeps layouts; it and types outlive the
 * tape. One thread. */
nrw_status window_tape_new(arena *a, mem *m, const type *types, uint32_t n, uint32_t rows,
                           uint64_t room, spill *s, const cancel_flag *cancel, window_tape **out,
                           nrw_error *err) NRW_CHECKED;
void window_tape_free(window_tape *t); /* NULL is fine */
/* Empty again: all blocks go. */
void window_tape_clear(window_tape *t);

/* Rows [from, from + n) of columns behind the others; starts[i] of row from + i: bit 1 says that
 * peers begin. */
nrw_status window_tape_add(window_tape *t, const vector *columns, uint32_t from, uint32_t n,
                           const uint32_t *starts, nrw_error *err) NRW_CHECKED;
/* Behind the last row. From now on it is read. */
nrw_status window_tape_end(window_tape *t, nrw_error *err) NRW_CHECKED;

uint64_t window_tape_rows(const window_tape *t);
/* The block that has a row: the first of its rows, and how many there are. */
nrw_status window_tape_block(window_tape *t, uint64_t row, uint64_t *first, uint32_t *n,
                             nrw_error *err) NRW_CHECKED;
/* Column c of that block: of all its rows, shared with the tape. */
nrw_status window_tape_column(window_tape *t, uint64_t row, uint32_t c, vector *out,
                              nrw_error *err) NRW_CHECKED;
/* Where peers begin in that block: 2, else 0, for each row. */
nrw_status window_tape_starts(window_tape *t, uint64_t row, uint32_t *starts,
                              nrw_error *err) NRW_CHECKED;
/* The first row from `row` on, which begins a block or is the end, where peers begin; none: the
 * end. */
nrw_status window_tape_peers(window_tape *t, uint64_t row, uint64_t *first,
                             nrw_error *err) NRW_CHECKED;

#endif
