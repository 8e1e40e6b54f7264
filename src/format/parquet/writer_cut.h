/* Where row groups end: a function of the rows alone, found while several threads run ahead.
 *
 * A row group is filled in strides. Inside a stride columns are independent of each other. When the
 * last column has passed a stride's end the encoded bytes of all columns up to there are known, and
 * with them is decided (a) whether the next stride, which is then already being filled, is the last
 * of its row group, and (b) how long the one behind it is. The decisions trail the rows by one
 * stride, so that nobody has to stand still at a stride's end while others catch up.
 *
 * Strides: 32 rows, 32 rows, then at most double each time, at most 65,536, at most half of what
 * the bytes so far suggest is left of the row group. Later row groups begin with two strides of an
 * eighth of the rows that the one before suggests, for short strides make threads wait for each
 * other. A row group ends with the stride at whose end the estimate comes within 1/32 of its limit,
 * or at its limit of rows.
 *
 * All calls under the writer's lock. */
#ifndef PARQUET_WRITER_CUT_H
#define PARQUET_WRITER_CUT_H

#include <stdbool.h>
#include <stdint.h>

enum { CUT_RING = 16, CUT_FIRST_ROWS = 32, CUT_MAX_ROWS = 65536 };

typedef struct pq_stride {
    int64_t end;       /* row in the file behind its last one */
    uint64_t group;    /* which row group it belongs to */
    int64_t group_row; /* the row group's first row */
    uint64_t encoded;  /* sum over the columns that passed the end */
    uint32_t left;     /* columns that have not */
    bool sealed;       /* whether it ends its row group is decided */
    bool ends;
} pq_stride;

typedef struct pq_cut {
    uint64_t limit_bytes;
    int64_t limit_rows;
    uint32_t n_columns;
    uint32_t groups_ahead; /* row groups that may be open at once */
    uint64_t groups_gone;  /* row groups that have left */
    uint64_t first, known; /* strides [first, known) are in the ring */
    pq_stride ring[CUT_RING];
    int64_t passed_rows; /* of the row group at the last stride all passed */
    uint64_t passed_bytes;
    int64_t first_rows; /* of each of the two first strides of the next row group */
    int64_t begun[2];   /* that, when an even and an odd row group began */
} pq_cut;

/* first_rows: what pq_cut_begun said of the row group that begins here, where another cut came
 * before; else 0. */
void pq_cut_init(pq_cut *c, uint64_t limit_bytes, int64_t limit_rows, uint32_t n_columns,
                 uint32_t groups_ahead, int64_t first_rows);
/* All that a row group takes over from those before it. Good of the row group that leaves next, and
 * of the one behind it, once that one is known to end; `groups_ahead` is 2. */
int64_t pq_cut_begun(const pq_cut *c, uint64_t group);
/* Rows before this one may be appended. */
int64_t pq_cut_horizon(const pq_cut *c);
const pq_stride *pq_cut_at(const pq_cut *c, uint64_t stride);
/* One column stands at the stride's end with so many encoded bytes in its chunk. */
void pq_cut_pass(pq_cut *c, uint64_t stride, uint64_t encoded);
/* One column more, which has passed the strides that all others have. */
void pq_cut_add_column(pq_cut *c);
/* The oldest row group has left. */
void pq_cut_group_gone(pq_cut *c);

#endif
