/* Inside of a batch: how far it may be read, cut, and what was read then. Internal to column. */
#ifndef COLUMN_BATCH_OWN_H
#define COLUMN_BATCH_OWN_H

#include "column/batch.h"

/* Some rows of a column on their way to one vector. */
typedef struct pieces {
    uint32_t n, cap, rows;
    size_t bytes;
    vector *at;
    mem *m;
} pieces;

/* Reads in column c, which is lazy and has nothing read ahead, the batch's rows, or those alive:
 * all, or where the batch may be cut as many as there is room for. */
nrw_status batch_read(batch *b, uint32_t c, bool alive, size_t max_bytes, pieces *p,
                      nrw_error *err) NRW_CHECKED;
/* One piece of them, from number `at` on: at most `left`, about max_bytes. */
nrw_status batch_read_from(batch *b, uint32_t c, bool alive, uint32_t at, uint32_t left,
                           size_t max_bytes, vector *out, nrw_error *err) NRW_CHECKED;
nrw_status pieces_join(pieces *p, vector *out, nrw_error *err) NRW_CHECKED;
void pieces_release(pieces *p);

/* Whether nothing of these rows was read, held or taken yet. */
bool batch_is_lazy(const batch *b);
bool batch_may_cut(const batch *b);
/* The batch ends in front of physical row `rows`, not its first: what is held is cut with it. */
nrw_status batch_cut(batch *b, uint32_t rows, nrw_error *err) NRW_CHECKED;
/* `v`: of column c, of alive rows of which the first n are left by a cut at physical row `rows`.
 * Becomes those; the others are kept for the next batch. Before batch_cut. */
nrw_status batch_cut_alive(batch *b, uint32_t c, uint32_t n, vector *v, nrw_error *err) NRW_CHECKED;

#endif
