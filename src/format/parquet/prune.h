/* Which rows of a row group may pass a filter: by the chunks' statistics, bloom filters and page
 * indexes. What the file does not say, or says in a way that cannot be believed, rules nothing out.
 * An index that cannot be read is none. */
#ifndef PARQUET_PRUNE_H
#define PARQUET_PRUNE_H

#include "column/vector.h"
#include "format/format.h"
#include "format/parquet/meta.h"

typedef struct pq_prune pq_prune;

/* Rows from..to-1 of a row group. */
typedef struct pq_rows {
    int64_t from, to;
} pq_rows;

/* A list of stretches, rising, with gaps between them. */
typedef struct pq_row_set {
    uint32_t n;
    pq_rows *at;
} pq_row_set;

/* Indexes and sets lie in an account of their own under m, of at most `room` bytes; what has no
 * room there is not used. f and meta outlive it. */
nrw_status pq_prune_new(mem *m, pq_meta *meta, const row_filter *f, uint64_t room, pq_prune **out,
                        nrw_error *err) NRW_CHECKED;
/* The stretches of row group rg that may hold rows that pass; valid until the next call. */
nrw_status pq_prune_group(pq_prune *p, int32_t rg, const pq_row_set **out,
                          nrw_error *err) NRW_CHECKED;
void pq_prune_counts(const pq_prune *p, prune_counts *out);
void pq_prune_free(pq_prune *p); /* NULL is fine */

/* ---- values of statistics (prune_value.c) ---- */
/* How many row groups, with how many rows, may hold rows that pass the filter, by the statistics of
 * their columns: for plans. Indexes take at most 1 MiB of m. */
nrw_status pq_prune_estimate(pq_meta *meta, mem *m, const row_filter *f, int32_t *groups,
                             int64_t *rows, nrw_error *err) NRW_CHECKED;

/* A bound as statistics have it in the layout of vectors, in `room` or where it lies; false where
 * it is none: of another length, too large for the type, NaN. */
bool pq_bound_value(const pq_leaf *l, span bound, uint8_t room[32], span *out);
/* Bounds, NULL where there are none, as facts in the vectors' layout; a least value above the
 * greatest makes both worthless. */
void pq_facts_bound(const pq_leaf *l, const span *min, const span *max, uint8_t room[64],
                    value_facts *f);
/* What can be believed of what a chunk of so many rows says; bounds lie in `room` or in the chunk's
 * arena. */
value_facts pq_chunk_facts(const pq_meta *meta, uint32_t leaf, const pq_chunk *c, int64_t rows,
                           uint8_t room[64]);
/* The PLAIN bytes of a value that pages would hold; false where writers may differ in them. */
bool pq_plain_value(const pq_leaf *l, span value, uint8_t room[32], span *out);

/* ---- dictionaries (prune_dict.c) ---- */
/* The dictionary of a chunk all of whose pages use it, charged to m; NULL in *out where there is
 * none, or it is not small. */
nrw_status pq_prune_dictionary(mem *m, pq_meta *p, const pq_leaf *leaf, const pq_chunk *c,
                               dict **out, nrw_error *err) NRW_CHECKED;

/* ---- bloom filters (bloom.c) ---- */
/* A split block bloom filter by its header. */
typedef struct pq_bloom {
    uint64_t at; /* of its first block in the file */
    uint32_t blocks;
} pq_bloom;
/* NRW_E_CORRUPT, NRW_E_UNSUPPORTED: it cannot be used. */
nrw_status pq_bloom_open(pq_meta *p, const pq_chunk *c, pq_bloom *out, nrw_error *err) NRW_CHECKED;
/* Whether a value with these PLAIN bytes may be there; reads one block. */
nrw_status pq_bloom_may_have(pq_meta *p, const pq_bloom *b, span plain, bool *may,
                             nrw_error *err) NRW_CHECKED;

#endif
