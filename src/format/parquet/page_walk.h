/* From page header to page header through a column chunk, for those who look at pages without
 * decoding them (inspect, verify). */
#ifndef PARQUET_PAGE_WALK_H
#define PARQUET_PAGE_WALK_H

#include "format/parquet/meta.h"

typedef struct pq_page_walk {
    io_file *f;
    mem *m;
    int64_t at, end;      /* next header; where the chunk's pages end */
    int64_t said;         /* where they end by the size in the metadata, at most `end` */
    int64_t values, want; /* of the data pages passed; of the chunk */
    int64_t data_pages;
    uint8_t *window;
    size_t cap;
} pq_page_walk;

typedef struct pq_page_at {
    pq_page page;
    int64_t offset;  /* of the header */
    int64_t body;    /* of the body */
    int64_t ordinal; /* among the data pages; -1: another page */
    int64_t first;   /* values before it in the chunk: of flat columns its first row */
} pq_page_at;

nrw_status pq_page_walk_open(mem *m, io_file *f, const pq_chunk *c, pq_page_walk *out,
                             nrw_error *err) NRW_CHECKED;
/* NRW_END behind the last page; bytes left before `said` are then no page. After an error of a
 * header there is no way on. */
nrw_status pq_page_walk_next(pq_page_walk *w, pq_page_at *out, nrw_error *err) NRW_CHECKED;
void pq_page_walk_close(pq_page_walk *w); /* all zero is fine */

#endif
