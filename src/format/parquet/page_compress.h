/* Finished page bodies to pages as they stand in the file: compressed, with checksum and header.
 * Contexts and output buffers live in a pool of at most as many benches as there are workers;
 * bodies above the usual size (dictionaries, giant values) take turns on one bench of their own, so
 * that the memory for them is needed once. */
#ifndef PARQUET_PAGE_COMPRESS_H
#define PARQUET_PAGE_COMPRESS_H

#include "codec/codec.h"
#include "format/parquet/column_write.h"

#define PQ_HEADER_ROOM 96 /* a page header without statistics takes at most 64 */

typedef struct pq_bench {
    struct pq_bench *next;
    bool big; /* the one for outsized bodies */
    mem *m;
    codec_ctx ctx[CODEC_LZ4_RAW + 1]; /* by the codec's id; made when first used */
    uint8_t *out;
    size_t cap, usual; /* what the buffer shrinks to after an outsized page */
    uint8_t header[PQ_HEADER_ROOM];
} pq_bench;

nrw_status pq_bench_new(mem *m, size_t usual_body, pq_bench **out, nrw_error *err);
void pq_bench_free(pq_bench *b); /* NULL is fine */

/* Appends the header of a dictionary or data page, levels being RLE. At most PQ_HEADER_ROOM bytes.
 */
nrw_status pq_page_header_write(bytes *to, const pq_page *p, nrw_error *err);

/* *out: header and body, valid until the bench is used again. *header_len: its header. */
nrw_status pq_page_pack(pq_bench *b, const pq_column_options *c, bool crc, const pq_page_out *p,
                        span *out, uint32_t *header_len, nrw_error *err);

/* Bytes a bench takes with these codecs for bodies up to `body`. */
uint64_t pq_bench_most(const pq_column_options *c, uint32_t n, size_t body);

#endif
