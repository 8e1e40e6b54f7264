/* Nested vectors to the values and levels of one leaf (Dremel's shredding; parquet-format,
 * Encodings and LogicalTypes), a bounded piece at a time. A piece may end inside a record, so that
 * a list of any length takes no more than another. What comes is a function of the rows alone, but
 * for where pieces end.
 *
 * One thread at a time. */
#ifndef PARQUET_SHRED_H
#define PARQUET_SHRED_H

#include "column/vector.h"
#include "format/parquet/leaf_write.h"

/* Consecutive entries of a leaf. An entry is a value, or stands for a null, or for a list that is
 * empty or not there. Entry i has a row in `values` where def[i] >= row_def, in their order, and is
 * a value where def[i] is max_def. */
typedef struct pq_levels {
    uint32_t n;
    const uint8_t *def, *rep; /* rep NULL: each entry is a record */
    uint8_t max_def, row_def;
    bool all;      /* every entry is a value */
    vector values; /* flat or dict; null where there is no value */
    /* the consumer's: entries and rows before these were taken */
    uint32_t at, row;
} pq_levels;

typedef struct pq_shred pq_shred;

/* For any of these leaves, one after the other. */
nrw_status pq_shred_new(mem *m, const pq_leaves *leaves, pq_shred **out, nrw_error *err);
void pq_shred_free(pq_shred *s); /* NULL is fine */
/* Bytes that it takes for a leaf at most. */
uint64_t pq_shred_most(const pq_wleaf *leaf);

/* Begins with a leaf of a column and a vector of that, which must stay until the last piece. At
 * most so many entries will come. */
uint64_t pq_shred_begin(pq_shred *s, const pq_wleaf *leaf, const field *column, const vector *v);
/* The next piece, which lives until the next call; NRW_END behind the last. NRW_E_VALUE for a null
 * where the schema has none. */
nrw_status pq_shred_next(pq_shred *s, pq_levels **out, nrw_error *err);

#endif
