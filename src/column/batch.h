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
 * A morsel goes through the pipeline as one batch or, where a column is wider than its share, as
 * several: `offset` says where in the morsel this one starts, `last` whether it is the final one.
 * Turns are given up at the end of the morsel. The driver (exec) makes the next batch of the same
 * morsel by batch_move_on.
 *
 * How many rows there is room for shows as columns are read, one after the other. So a batch may be
 * cut short as long as nothing has come of its rows: until an operator is `fixed` to them that
 * cannot be given some of them again, or a column was taken. What was read of other columns behind
 * the cut stays with them (`ahead`) for the next batch, which goes the same way from the start.
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

/* Values that were read of rows behind a cut. Of the batch at hand they are the first ones. */
typedef struct read_ahead {
    vector v;
    uint32_t at;   /* of v: where they begin */
    uint32_t rows; /* physical rows that they cover */
    uint32_t used; /* alive: of them, by this batch */
    bool alive;    /* those of rows that were alive, and not of all */
} read_ahead;

typedef struct batch_column {
    uint8_t state;     /* column_state */
    bool varies;       /* values of any length: how much they take shows as they are read */
    uint32_t tag;      /* the source's: which of its columns this is */
    vector *held;      /* COLUMN_HELD: over all physical rows */
    read_ahead *ahead; /* NULL: nothing is */
} batch_column;

#define BATCH_CUTS 4 /* a batch is cut so often at most, those made of it with it */

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
    uint64_t share;     /* so much of what m allows is for this worker's batches; 0: all */
    bool fixed;         /* an operator counts on these rows: no cut any more */
    bool torn;          /* set by a source whose read has failed and cannot be made again */
    uint32_t counting;  /* operators that count rows and were given this batch */
    uint32_t counted;   /* that counted these rows when they were still behind a cut */
    bool behind_last;   /* of the morsel: the farthest rows behind a cut */
    uint32_t n_behind;
    struct {
        uint32_t rows, counted;
    } behind[BATCH_CUTS]; /* the nearest is the last one */
};

/* Reads column c over all physical rows and keeps it (for predicates and keys). Idempotent. May cut
 * the batch short (rows and n_sel shrink, last becomes false): the first column when it would pass
 * max_bytes, the next ones when they would pass that by half or memory gets short; columns that
 * were held are then over the rows that are left, and so are *out of theirs. */
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

/* The alive rows of columns cols[0..n), each named once, or of the first n ones (NULL), in any
 * form; all columns of the batch are dropped then. May cut the batch short first, as batch_hold
 * does. The batch has rows. On failure out[] holds nothing. */
nrw_status batch_take(batch *b, const uint32_t *cols, uint32_t n, size_t max_bytes, vector *out,
                      nrw_error *err) NRW_CHECKED;

/* Whether an operator that is given these rows counts them: it has not yet where they were behind a
 * cut that was made before they came to it. Once for each push. */
static inline bool batch_counts(batch *b)
{
    return ++b->counting > b->counted;
}

/* Begins the next batch of the morsel, behind b->rows that are done with: its place, its rows, of
 * at most `left` that are left, its columns, all lazy. Whether the source has begun with these rows
 * already, as they were behind a cut. */
bool batch_move_on(batch *b, uint32_t left);
/* Frees what was read ahead. */
void batch_forget_ahead(batch *b);

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
