/* A batch: some consecutive rows of an input, its columns read only when touched.
 *
 * rows        physical rows of this batch, at most BATCH_MAX_ROWS
 * sel, n_sel  which of them are alive (rising 16-bit indices); sel == NULL: all
 *
 * Each column is in one of three states:
 *   lazy      nothing read yet; `source` reads it, in pieces, in row order
 *   held      a vector over all physical rows, read before a selection was made
 *   taken     consumed or dropped
 *
 * Reading a column takes the reader's turn for that column and gives it up when the column is
 * taken or dropped, so every column of every batch must end as taken: batch_release sees to it.
 * A morsel goes through the pipeline as one batch or, where a held column is wider than its share,
 * as several: `offset` says where in the morsel this one starts, `last` whether it is the final
 * one. Turns are given up at the end of the morsel. The driver (exec) makes the next batch of the
 * same morsel by moving offset on by rows.
 *
 * A batch is carried by one thread at a time. */
#ifndef COLUMN_BATCH_H
#define COLUMN_BATCH_H

#include "column/vector.h"

typedef struct batch batch;

/* Where lazy columns come from: the reader of a format, a generator, a plain vector. */
typedef struct column_source {
    /* Called for each batch before anything else; may cut it short (rows shrinks, last becomes
     * false): where how much comes of a morsel shows as it is read. NULL: nothing to do. */
    nrw_status (*begin)(void *self, batch *b, nrw_error *err);
    /* Reads on in `column` (its tag) of the morsel: the next rows from `first` (relative to
     * the batch), at most `max_rows` and about `max_bytes` of them, only those in sel[0..n_sel)
     * if sel is not NULL (all >= first). out->len rows are returned (with sel: selected rows).
     * At least one row comes back, or an error. Rows are asked for in rising order; rows not
     * asked for are skipped. Waits for the column's turn at the first call of a batch. */
    nrw_status (*read)(void *self, batch *b, uint32_t column, uint32_t first, uint32_t max_rows,
                       size_t max_bytes, const uint16_t *sel, uint32_t n_sel, mem *m, vector *out,
                       nrw_error *err);
    /* The morsel wants no more of the column: let the next morsel go on. Called exactly once for
     * every column of every morsel, also when nothing was read and when the job has failed. */
    void (*done)(void *self, batch *b, uint32_t column);
} column_source;

typedef enum column_state { COLUMN_LAZY, COLUMN_HELD, COLUMN_TAKEN } column_state;

typedef struct batch_column {
    uint8_t state; /* column_state */
    uint32_t tag;  /* the source's: which of its columns this is */
    vector *held;  /* COLUMN_HELD: over all physical rows */
} batch_column;

struct batch {
    uint64_t morsel;        /* number in the pipeline's order, from 0 */
    uint64_t source_number; /* the same as its source counts, which need not begin at 0 here */
    uint32_t offset;        /* first row of this batch in its morsel */
    bool last;              /* of its morsel */
    uint32_t worker;        /* number of the thread that carries it, from 0 */
    int64_t first_row;      /* ordinal of the first row in the whole input */
    uint32_t rows;
    uint32_t n_sel;
    uint16_t *sel; /* NULL: all rows */
    uint32_t n_cols;
    batch_column *cols;
    const column_source *source;
    void *source_self;
    void *source_state; /* what the source keeps per batch (row group, row in it) */
    mem *m;             /* vectors are charged here */
};

/* Reads column c over all physical rows and keeps it (for predicates and keys). Idempotent. The
 * first column that is held may cut the batch short (rows shrinks, last becomes false) when it
 * would pass max_bytes; columns held later are read over the rows that are left. No cut is made
 * after another column was taken or a selection was set. */
nrw_status batch_hold(batch *b, uint32_t c, size_t max_bytes, const vector **out, nrw_error *err);

/* Walks the alive rows of column c in pieces of at most about max_bytes, then drops it:
 *     column_walk w = batch_walk(b, c);
 *     while ((st = column_next(&w, max_bytes, &v, err)) == NRW_OK) { ...; vector_release(&v); }
 * NRW_END after the last piece. Pieces are dense: only alive rows. The
 * column counts as dropped once its last alive row was given.
 *
 * `until`, set by the caller before a column_next, stops the walk before that alive row: NRW_END
 * comes there, too, but the column stays and the walk goes on once `until` was raised. At the last
 * alive row the walk ends as above, whatever `until` says. */
typedef struct column_walk {
    batch *b;
    uint32_t column;
    uint32_t at;    /* alive rows given so far */
    uint32_t until; /* 0: all */
} column_walk;
column_walk batch_walk(batch *b, uint32_t c);
nrw_status column_next(column_walk *w, size_t max_bytes, vector *out, nrw_error *err);

/* Column c is not needed (any more): frees what is held and, in the last batch of a morsel, gives
 * up its turn. Idempotent. */
void batch_drop(batch *b, uint32_t c);
/* The rows that go on from here: n rising indices in a block of BATCH_MAX_ROWS, charged to b->m,
 * which the batch takes. Columns held so far stay over all physical rows. */
static inline void batch_select(batch *b, uint16_t *sel, uint32_t n)
{
    mem_free(b->m, b->sel, b->sel ? BATCH_MAX_ROWS * sizeof *sel : 0);
    b->sel = sel;
    b->n_sel = n;
}

/* Drops all columns and the selection; the struct itself and `cols` are the caller's. */
void batch_release(batch *b);
/* The same where the job has failed and no further batch of this morsel will come: gives up the
 * turns of all its columns, those too that this batch, not being the last, has taken already. */
void batch_abandon(batch *b);

static inline uint32_t batch_alive(const batch *b)
{
    return b->sel ? b->n_sel : b->rows;
}

#endif
