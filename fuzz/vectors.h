/* What every batch that a reader gives must hold: sound vectors, as many values as rows. */
#ifndef FUZZ_VECTORS_H
#define FUZZ_VECTORS_H

#include "column/batch.h"
#include "column/vector.h"

static inline void hold(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* Reads all columns; `see`, unless it is NULL, is shown each piece. */
static inline nrw_status walk_batch(batch *b,
                                    void (*see)(void *self, uint32_t column, const vector *v),
                                    void *self, nrw_error *err)
{
    for (uint32_t c = 0; c < b->n_cols; c++) {
        column_walk walk = batch_walk(b, c);
        uint32_t rows = 0;
        nrw_status st;
        vector v;
        while ((st = column_next(&walk, 1 << 14, &v, err)) == NRW_OK) {
            hold(v.len > 0 && vector_validate(&v, NULL) == NRW_OK);
            if (see)
                see(self, c, &v);
            rows += v.len;
            vector_release(&v);
        }
        TRY(st);
        hold(rows == b->rows);
    }
    return NRW_OK;
}

#endif
