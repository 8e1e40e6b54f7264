/* Keeping pages inside: a chunk on its way from one file to the other. See keep.c. */
#ifndef PARQUET_KEEP_OWN_H
#define PARQUET_KEEP_OWN_H

#include "format/parquet/keep.h"
#include "format/parquet/page_read.h"
#include "format/parquet/reader_own.h"
#include "format/parquet/writer_own.h"

typedef struct pq_keep_chunk {
    pq_writer *w;
    pq_meta *meta;
    io_file *file;
    mem *m;
    const pq_leaf *leaf; /* of the input */
    uint32_t out;        /* leaf of the writer */
    int64_t rows;        /* of the row group */
    pq_chunk from;
    /* what the input's page index says of its data pages; n: 0 where it has none that fits */
    pq_column_index bounds;
    uint32_t n_places;
    pq_page_place *places;
    /* what was copied */
    int64_t pages, values; /* of data pages */
    pq_wchunk to;
    pq_chunk_place at;
} pq_keep_chunk;

/* ---- keep_index.c: what is said of pages and chunk ---- */

/* The status of reading what only speaks of the data: NRW_OK where it is damaged or not understood,
 * else `st` with `why` as the error. */
nrw_status pq_keep_if_readable(nrw_status st, const nrw_error *why, nrw_error *err);

/* Reads the input's page index of the chunk into `a`. */
nrw_status pq_keep_index(pq_keep_chunk *c, arena *a, nrw_error *err);
/* Rows of data page number c->pages. */
nrw_status pq_keep_rows(const pq_keep_chunk *c, const pq_page *p, uint32_t *rows, nrw_error *err);
/* That page's record for the page index, in memory of c->m; its size in the file is not set. NULL:
 * none is written. */
nrw_status pq_keep_record_new(const pq_keep_chunk *c, const pq_page *p, uint32_t rows,
                              uint8_t **record, uint32_t *len, nrw_error *err);
/* The chunk's statistics, as the input has them. */
nrw_status pq_keep_statistics(pq_keep_chunk *c, nrw_error *err);
/* Its size statistics, if the input has all that would be written; charged to the writer. */
nrw_status pq_keep_sizes(pq_keep_chunk *c, nrw_error *err);

/* ---- keep_bloom.c ---- */

/* Copies the chunk's bloom filter, which is right where the values are the same. One that is
 * damaged or of another kind is left out: it is not the data. */
nrw_status pq_keep_bloom(pq_keep_chunk *c, nrw_error *err);

/* ---- keep_pages.c ---- */

/* Copies all pages of the chunk to the writer's target. */
nrw_status pq_keep_pages(pq_keep_chunk *c, page_reader *pages, nrw_error *err);

#endif
