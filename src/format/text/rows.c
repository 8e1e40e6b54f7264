#include "format/text/own.h"

/* A column is read as a whole where that fits: then the reader may let go of its page, and the
 * next morsel may be read while this one is written. Where the columns of a morsel are too much
 * together, the later ones come in small pieces. */
#define PIECE_LEAST ((size_t)1 << 10)
#define PIECE_MOST  ((size_t)1 << 20)

budget text_write_held(const schema *s)
{
    return (budget){.least = size_max((size_t)256 << 10, 3 * PIECE_LEAST * s->n_fields),
                    .wish = size_max((size_t)4 << 20, 64 * PIECE_LEAST * s->n_fields)};
}

/* How pieces are cut does not show in the output. */
static size_t piece_bytes(const text_writer *w, const batch *b)
{
    uint64_t piece = mem_room(b->m) / 2 / w->workers;
    return piece < PIECE_LEAST ? PIECE_LEAST : piece > PIECE_MOST ? PIECE_MOST : (size_t)piece;
}

nrw_status text_cols_open(const text_writer *w, text_task *k, nrw_error *err)
{
    if (k->b->n_cols < w->n)
        return err_set(err, NRW_E_ARG, "a batch of %u columns for %u", k->b->n_cols, w->n);
    for (uint32_t c = 0; c < w->n; c++)
        k->cols[c] = (text_column){.walk = batch_walk(k->b, c)};
    return NRW_OK;
}

nrw_status text_cols_next(const text_writer *w, text_task *k, uint32_t max, uint32_t *rows,
                          nrw_error *err)
{
    *rows = max;
    for (uint32_t c = 0; c < w->n; c++) {
        text_column *col = &k->cols[c];
        if (col->at == col->v.len) {
            vector_release(&col->v);
            col->at = col->run = 0;
            nrw_status st = column_next(&col->walk, piece_bytes(w, k->b), &col->v, err);
            if (st != NRW_OK)
                return st; /* all columns have the same rows, so all end together */
        }
        if (col->v.len - col->at < *rows)
            *rows = col->v.len - col->at;
    }
    return w->n ? NRW_OK : NRW_END;
}

void text_cols_skip(const text_writer *w, text_task *k, uint32_t rows)
{
    for (uint32_t c = 0; c < w->n; c++) {
        text_column *col = &k->cols[c];
        col->at += rows;
        if (col->v.form == VECTOR_RUNS)
            while (col->run < col->v.n_runs && ((const uint32_t *)col->v.data)[col->run] <= col->at)
                col->run++;
    }
}

void text_cols_close(const text_writer *w, text_task *k)
{
    for (uint32_t c = 0; c < w->n; c++)
        vector_release(&k->cols[c].v);
}
