/* Rows of a chunk decoded ahead of the reading and laid down flat in the spill file.
 *
 * Where columns outnumber what memory holds, each is left after a few rows, and coming back would
 * decode its page and dictionary again for a few rows more. Instead the rows behind are decoded
 * once, up to about as many bytes as that decoding takes, and read from here piece by piece. A
 * strip holds no memory beyond this struct. It is a short cut and no more: where it cannot be made
 * (no room on disk, in memory, damage ahead) reading goes on without it. */
#ifndef PARQUET_CHUNK_STRIP_H
#define PARQUET_CHUNK_STRIP_H

#include "column/vector.h"
#include "io/spill.h"

/* What stands before each piece's values. */
typedef struct strip_head {
    uint32_t rows, nulls;
    uint64_t text; /* bytes of all values of a piece of text */
} strip_head;

typedef struct pq_strip {
    spill *s;          /* NULL: there is no strip */
    uint64_t at, len;  /* the region */
    uint64_t end;      /* while it is written: in the region */
    int64_t rows_end;  /* the row behind its last */
    int64_t piece_row; /* first row of the piece at hand, which begins at `piece` in the region */
    uint64_t piece;
    strip_head head;
    int64_t text_row; /* the text of this row begins at text_at in the piece's text */
    uint64_t text_at;
} pq_strip;

/* An empty strip of at most `bytes`, whose first row is to be `row`. */
nrw_status strip_open(pq_strip *t, spill *s, uint64_t bytes, int64_t row, nrw_error *err);
/* Puts the rows of v, a flat vector, behind those that are there. False where they do not fit, and
 * after an error of writing: then they are not in it. */
bool strip_add(pq_strip *t, const vector *v, mem *m);
/* All rows are there: gives back what the region has too much. */
void strip_seal(pq_strip *t);
/* Frees the region. */
void strip_close(pq_strip *t);

/* Up to max_rows and about max_bytes from `row` on, at least one; `row` rises and is below
 * rows_end. With sel (rising, sel[0] is of `row`): those of n_sel rows that these are. */
nrw_status strip_read(pq_strip *t, const type *type, int64_t row, uint32_t max_rows,
                      size_t max_bytes, const uint16_t *sel, uint32_t n_sel, mem *m, vector *out,
                      nrw_error *err);

#endif
