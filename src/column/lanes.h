/* The first columns of a batch side by side, for who writes them row by row. */
#ifndef COLUMN_LANES_H
#define COLUMN_LANES_H

#include "column/batch.h"

/* One column of a batch under way: a piece of it, and how far it was used. */
typedef struct lane {
    column_walk walk;
    vector v;
    uint32_t at;
    uint32_t run; /* that holds `at` */
} lane;

/* What the columns of a batch under way take in the batch's account, for each worker. */
typedef struct lanes_memory {
    uint64_t least, wish;
} lanes_memory;
lanes_memory lanes_held(uint32_t n);

/* lanes: n of them. One of `workers` that share the account of b. */
nrw_status lanes_open(lane *lanes, uint32_t n, batch *b, nrw_error *err) NRW_CHECKED;
/* The rows that are there of every column, at most `max`. NRW_END: none is left. */
nrw_status lanes_next(lane *lanes, uint32_t n, uint32_t workers, uint32_t max, uint32_t *rows,
                      nrw_error *err) NRW_CHECKED;
/* Leaves `rows` of them behind. */
void lanes_skip(lane *lanes, uint32_t n, uint32_t rows);
void lanes_close(lane *lanes, uint32_t n);

#endif
