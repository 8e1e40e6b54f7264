/* One leaf of a nested column as a forward stream of rows: its levels, and its values as a vector
 * with one entry for each slot that is an element of the innermost list around it.
 *
 * A chunk reader (chunk_priv.h) finds and loads pages and decodes values; here levels are decoded,
 * rows are found in them (a row begins where the repetition level is 0, and may go on in the next
 * page v1), and rows that nobody wants are skipped: over whole pages where their headers or the
 * offset index tell how many rows they have. */
#ifndef PARQUET_NESTED_LEAF_H
#define PARQUET_NESTED_LEAF_H

#include "format/parquet/chunk_priv.h"
#include "format/parquet/dec_level.h"

/* The levels of the page at hand: those that were decoded and not yet used, and what is left. */
typedef struct level_block {
    level_in rep, def;
    uint32_t at, n; /* slots [at, n) of the arrays */
    uint32_t left;  /* slots of the page behind them */
    uint8_t reps[LEVELS_BLOCK + BUFFER_SLACK], defs[LEVELS_BLOCK + BUFFER_SLACK];
} level_block;

typedef struct pq_leaf_stream {
    pq_chunk_reader *r;
    uint8_t max_def, max_rep;
    uint8_t list_def;   /* the level at which the innermost list around it has an element */
    int64_t row;        /* begun so far: the next slot begins this one */
    int64_t page_row;   /* begun before the page at hand */
    uint32_t used;      /* slots of that page that were used */
    bool jumped;        /* slots before the page at hand are not counted */
    level_block *block; /* freed by a park */
} pq_leaf_stream;

/* What was read: levels of all slots (each array is there where its greatest level is not 0), and
 * the entries. */
typedef struct pq_leaf_rows {
    uint32_t rows, slots;
    bytes reps, defs;
    uint32_t n_parts, cap_parts;
    vector *parts; /* of entries, one for each stretch of a page */
} pq_leaf_rows;

nrw_status pq_leaf_open(pq_leaf_stream *s, mem *m, spill *sp, io_file *f, const pq_leaf *leaf,
                        uint8_t list_def, const pq_chunk *c, int32_t row_group, int64_t rows,
                        const pq_chunk_options *opts, nrw_error *err) NRW_CHECKED;
nrw_status pq_leaf_reopen(pq_leaf_stream *s, const pq_chunk *c, int32_t row_group, int64_t rows,
                          nrw_error *err) NRW_CHECKED;
void pq_leaf_park(pq_leaf_stream *s);
void pq_leaf_rest(pq_leaf_stream *s);
void pq_leaf_close(pq_leaf_stream *s); /* all zero is fine */

/* Rows [first, first + n) behind those in *out; first is not before s->row. Stops behind the row
 * with which out holds about max_bytes, after one row at least. Vectors are charged to m, all else
 * to the reader's account. */
nrw_status pq_leaf_read(pq_leaf_stream *s, int64_t first, uint32_t n, size_t max_bytes, mem *m,
                        pq_leaf_rows *out, nrw_error *err) NRW_CHECKED;
/* Fills row group, column, page and offset of an error. */
void pq_leaf_place(const pq_leaf_stream *s, nrw_error *err);

/* A position to come back to. */
typedef struct pq_leaf_mark {
    page_walk walk;
    reader_counts counts;
    int64_t row, page_row;
    uint32_t used;
    bool jumped;
} pq_leaf_mark;
pq_leaf_mark pq_leaf_at(const pq_leaf_stream *s);
void pq_leaf_back(pq_leaf_stream *s, const pq_leaf_mark *k);

void pq_leaf_rows_clear(pq_leaf_rows *r, mem *m);   /* keeps the room for levels */
void pq_leaf_rows_release(pq_leaf_rows *r, mem *m); /* m: the reader's account */

#endif
