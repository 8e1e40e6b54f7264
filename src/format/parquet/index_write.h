/* The page index of written files: bounds cut to length, one record a page while its row group is
 * filled, and from these the ColumnIndex and OffsetIndex of a chunk (parquet.thrift). */
#ifndef PARQUET_INDEX_WRITE_H
#define PARQUET_INDEX_WRITE_H

#include "format/parquet/column_write.h"
#include "format/parquet/writer_log.h"
#include "format/parquet/written_type.h"

/* Whether bounds of this type are written at all: they are not where the format defines no order,
 * nor for fixed-length bytes wider than `limit`, which must not be cut. */
bool pq_bounds_wanted(const type *t, uint32_t limit);
/* A bound of at most about `limit` bytes where the type is text or binary: a lower one is cut, an
 * upper one cut and incremented at the last byte (text: code point) where that is possible. Upper
 * bounds that cannot be incremented stay whole. *exact: nothing was cut. */
nrw_status pq_bound_cut(const type *t, span v, uint32_t limit, bool upper, bytes *out, bool *exact,
                        nrw_error *err);

/* The record of a data page, in memory of m. Its first four bytes are for the page's size in the
 * file, which is known later. */
nrw_status pq_page_record_new(mem *m, const type *t, uint32_t limit, const pq_page_out *p,
                              uint8_t **out, uint32_t *len, nrw_error *err);

/* What both indexes are made from. */
typedef struct pq_index_source {
    const pq_log_env *env;
    const pq_log *records;
    uint32_t n_pages;
    pq_order order;
    bool texts;            /* bytes of texts are told by page */
    uint32_t n_rep, n_def; /* and so many counts of levels */
    mem *m;                /* small buffers */
} pq_index_source;

/* Appends the index to `to`; *len: its bytes, 0 where the chunk has none since a page lacks
 * bounds. */
nrw_status pq_column_index_write(const pq_index_source *s, const pq_log_env *to_env, pq_log *to,
                                 uint32_t *len, nrw_error *err);
/* `offset`: of the first data page in the file. */
nrw_status pq_offset_index_write(const pq_index_source *s, int64_t offset, const pq_log_env *to_env,
                                 pq_log *to, uint32_t *len, nrw_error *err);

#endif
