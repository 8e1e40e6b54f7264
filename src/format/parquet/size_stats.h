/* SizeStatistics (parquet.thrift): what encodings hide of a page or chunk. Bytes of byte arrays
 * without their lengths, and for leaves of nested columns how many entries have each level. */
#ifndef PARQUET_SIZE_STATS_H
#define PARQUET_SIZE_STATS_H

#include "base/buffer.h"
#include "format/parquet/leaf_write.h"
#include "format/parquet/thrift.h"

/* Levels that are counted of a leaf: repetition levels first, then definition levels, each kind
 * from 0 on. Of flat columns none are, for null counts tell as much. */
static inline uint32_t pq_rep_counts(const pq_wleaf *l)
{
    return pq_leaf_has_levels(l) && l->max_rep ? l->max_rep + 1u : 0;
}
static inline uint32_t pq_def_counts(const pq_wleaf *l)
{
    return pq_leaf_has_levels(l) && l->max_def > 1 ? l->max_def + 1u : 0;
}
static inline uint32_t pq_level_counts(const pq_wleaf *l)
{
    return pq_rep_counts(l) + pq_def_counts(l);
}

/* counts[x] += how often x stands in levels[0..n); levels NULL: `max` does, n times. */
void pq_count_levels(const uint8_t *levels, uint32_t n, uint8_t max, uint32_t *counts);

/* Field 16 of ColumnMetaData, for the sums of a chunk; nothing where there is nothing to tell. */
nrw_status pq_size_stats_write(thrift_out *o, const pq_wleaf *l, uint64_t text_bytes,
                               const uint64_t *counts, nrw_error *err) NRW_CHECKED;

#endif
