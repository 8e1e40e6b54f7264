/* Values of vectors as they are stored: dense, converted, a block at a time. */
#ifndef PARQUET_COLUMN_WRITE_VALUE_H
#define PARQUET_COLUMN_WRITE_VALUE_H

#include "column/vector.h"
#include "format/parquet/written_type.h"

typedef enum pq_value_class {
    PQ_VALUES_NONE,    /* the null type */
    PQ_VALUES_BOOL,    /* bytes 0 and 1 */
    PQ_VALUES_NUMBERS, /* 4 or 8 bytes */
    PQ_VALUES_BYTES    /* fixed-length and variable byte strings */
} pq_value_class;

typedef struct pq_value_type {
    type type;
    pq_value_class class;
    pq_written_type written;
    pq_order order;
    uint32_t width;      /* as stored; 0: byte arrays */
    uint8_t convert;     /* how, see column_write_value.c; 0: stored as it lies in vectors */
    uint32_t block_rows; /* the most pq_block_load takes at once */
} pq_value_type;

#define PQ_BLOCK_ROWS  1024
#define PQ_BLOCK_BYTES 8192

/* The values of some rows that are not null. */
typedef struct pq_block {
    uint32_t n;
    const uint8_t *values; /* dense, as stored; NULL for bytes that lie apart */
    uint32_t index[PQ_BLOCK_ROWS + 16];
    span spans[PQ_BLOCK_ROWS]; /* PQ_VALUES_BYTES */
    uint8_t raw[PQ_BLOCK_BYTES + 64], stored[PQ_BLOCK_BYTES + 64];
} pq_block;

nrw_status pq_value_type_of(const field *f, pq_value_type *out, nrw_error *err);
/* Rows [first, first + n) of a flat or dict vector, `there` of which are not null. NRW_E_VALUE
 * where one does not fit what it is stored as. */
nrw_status pq_block_load(const pq_value_type *t, const vector *v, uint32_t first, uint32_t n,
                         uint32_t there, pq_block *b, nrw_error *err);
/* The indices of those rows of a dict vector, dense. */
const uint32_t *pq_block_indices(const vector *v, uint32_t first, uint32_t n, uint32_t there,
                                 pq_block *b);

/* Rows of a flat or dict vector that are not null. */
uint32_t pq_rows_there(const vector *v, uint32_t first, uint32_t n);
/* Where, from `first`, value k (from 0) of those not null stands; n where there are fewer. */
uint32_t pq_row_of_value(const vector *v, uint32_t first, uint32_t n, uint32_t k);

#endif
