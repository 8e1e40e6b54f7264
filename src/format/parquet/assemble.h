/* Leaves of a nested column to a vector: lists, maps and structs from levels (parquet-format,
 * README.md, "Nested Encoding"). Pure functions over what was read. */
#ifndef PARQUET_ASSEMBLE_H
#define PARQUET_ASSEMBLE_H

#include "column/vector.h"
#include "format/parquet/meta.h"

/* Of a leaf: levels of its slots (NULL where the greatest level is 0) and its entries, one for each
 * slot that is an element of the innermost list around the leaf. */
typedef struct pq_leaf_part {
    const uint8_t *reps, *defs;
    uint32_t slots;
    uint8_t max_rep;
    vector values; /* taken by a success */
} pq_leaf_part;

/* leaves[i] is leaf node->first_leaf + i; all of them have `rows` rows. NRW_E_CORRUPT where levels
 * contradict each other, or leaves disagree on the lists and structs that they share; *leaf is then
 * the one to be named. */
nrw_status pq_assemble(const pq_node *node, pq_leaf_part *leaves, uint32_t rows, mem *m,
                       vector *out, uint32_t *leaf, nrw_error *err) NRW_CHECKED;

#endif
