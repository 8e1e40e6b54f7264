/* Bloom filters of written chunks (parquet-format, BloomFilter.md). While a row group is filled,
 * the hashes of its values wait in a log; how many differ decides the size of the filter, which is
 * then set a window at a time, so that memory follows neither the filter nor the row group. */
#ifndef PARQUET_BLOOM_WRITE_H
#define PARQUET_BLOOM_WRITE_H

#include "format/parquet/writer_log.h"

enum {
    PQ_BLOOM_LEAST = 32,         /* bytes of a filter: a block; */
    PQ_BLOOM_MOST = 128 << 20,   /* readers take no larger ones */
    PQ_BLOOM_WINDOW = 256 << 10, /* the least window that is asked for */
    PQ_BLOOM_PIECE = 32 << 10,   /* the most hashes that stand in one piece of the log, as bytes */
    PQ_BLOOM_FIXED = 16 << 10    /* the rest of what pq_bloom_write takes beside window and piece */
};

/* Bytes of a filter in which `distinct` values give about `ratio` false positives: a power of two,
 * as readers ask for. */
uint32_t pq_bloom_bytes(uint64_t distinct, double ratio);

typedef struct pq_bloom_source {
    const pq_log_env *env;
    const pq_log *hashes; /* XXH64 of PLAIN values, 8 bytes each; values may come again */
    int64_t distinct;     /* how many differ; -1: to be estimated from the hashes */
    double ratio;         /* of false positives, between 0 and 1 */
    mem *m;
    uint32_t window; /* bytes set at a time, at least PQ_BLOOM_LEAST; does not change the result */
} pq_bloom_source;

/* Appends header and filter to `to`; *len: their bytes. */
nrw_status pq_bloom_write(const pq_bloom_source *s, const pq_log_env *to_env, pq_log *to,
                          uint32_t *len, nrw_error *err);

#endif
