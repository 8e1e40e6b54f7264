/* A nested column of a row group as a forward stream of vectors: its leaves read row for row and
 * put together (nested_leaf.h, assemble.h). The calls mean what those of chunk_read.h mean. */
#ifndef PARQUET_NESTED_READ_H
#define PARQUET_NESTED_READ_H

#include "format/parquet/chunk_read.h"

typedef struct pq_nested pq_nested;

/* `leaves` are all of the file's; chunks[i] is that of leaf node->first_leaf + i. Leaves and node
 * outlive the reader. */
nrw_status pq_nested_open(mem *m, spill *s, io_file *f, const pq_leaf *leaves, const pq_node *node,
                          const pq_chunk *chunks, int32_t row_group, int64_t rows,
                          const pq_chunk_options *opts, pq_nested **out, nrw_error *err);
nrw_status pq_nested_reopen(pq_nested *r, const pq_chunk *chunks, int32_t row_group, int64_t rows,
                            nrw_error *err);
/* Rows are cut by bytes, at least one comes: NRW_E_MEMLIMIT names a row that does not fit. With a
 * selection fewer rows than fit may come. */
nrw_status pq_nested_read(pq_nested *r, int64_t row, uint32_t max_rows, size_t max_bytes,
                          const uint16_t *sel, uint32_t n_sel, uint32_t sel_base, mem *m,
                          vector *out, nrw_error *err);
void pq_nested_park(pq_nested *r);
void pq_nested_rest(pq_nested *r);
void pq_nested_count_rest(pq_nested *r);
void pq_nested_counts(const pq_nested *r, reader_counts *out);
void pq_nested_close(pq_nested *r); /* NULL is fine */

/* Bytes of a row of the column as it will be decoded, on average. */
double pq_nested_width(const pq_leaf *leaves, const pq_node *node, const pq_chunk *chunks,
                       int64_t rows);
/* As pq_chunk_least, for the column with its leaves one after the other. */
size_t pq_nested_least(const pq_node *node);

#endif
