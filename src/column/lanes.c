#include "column/lanes.h"

#include "base/span.h"

/* A column is read as a whole where that fits: then the reader may let go of its page, and the
 * next morsel may be read while this one is written. Where the columns of a morsel are too much
 * together, the later ones come in small pieces. */
#define PIECE_LEAST ((size_t)1 << 10)
#define PIECE_MOST  ((size_t)1 << 20)

lanes_memory lanes_held(uint32_t n)
{
    return (lanes_memory){.least = size_max((size_t)256 << 10, 3 * PIECE_LEAST * n),
                          .wish = size_max((size_t)2 << 20, 64 * PIECE_LEAST * n)};
}

/* How pieces are cut does not show in the output. */
static size_t piece_bytes(const batch *b, uint32_t workers)
{
    uint64_t piece = mem_room(b->m) / 2 / workers;

    return piece < PIECE_LEAST ? PIECE_LEAST : piece > PIECE_MOST ? PIECE_MOST : (size_t)piece;
}

nrw_status lanes_open(lane *lanes, uint32_t n, batch *b, nrw_error *err)
{
    if (b->n_cols < n)
        return err_set(err, NRW_E_ARG, "a batch of %u columns for %u", b->n_cols, n);
    for (uint32_t c = 0; c < n; c++)
        lanes[c] = (lane){.walk = batch_walk(b, c)};
    return NRW_OK;
}

nrw_status lanes_next(lane *lanes, uint32_t n, uint32_t workers, uint32_t max, uint32_t *rows,
                      nrw_error *err)
{
    *rows = max;
    for (uint32_t c = 0; c < n; c++) {
        lane *l = &lanes[c];
        if (l->at == l->v.len) {
            nrw_status st;
            vector_release(&l->v);
            l->at = l->run = 0;
            st = column_next(&l->walk, piece_bytes(l->walk.b, workers), &l->v, err);
            if (st != NRW_OK)
                return st; /* all columns have the same rows, so all end together */
        }
        if (l->v.len - l->at < *rows)
            *rows = l->v.len - l->at;
    }
    return n ? NRW_OK : NRW_END;
}

void lanes_skip(lane *lanes, uint32_t n, uint32_t rows)
{
    for (uint32_t c = 0; c < n; c++) {
        lane *l = &lanes[c];
        l->at += rows;
        if (l->v.form == VECTOR_RUNS)
            while (l->run < l->v.n_runs &&
                   ((const uint32_t *)(const void *)l->v.data)[l->run] <= l->at)
                l->run++;
    }
}

void lanes_close(lane *lanes, uint32_t n)
{
    for (uint32_t c = 0; c < n; c++)
        vector_release(&lanes[c].v);
}
