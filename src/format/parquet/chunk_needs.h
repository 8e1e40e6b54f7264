/* What reading a column chunk takes, as far as its metadata tell: plans and readers reckon alike.
 */
#ifndef PARQUET_CHUNK_NEEDS_H
#define PARQUET_CHUNK_NEEDS_H

#include "format/parquet/meta.h"

/* All pages decompressed. UINT64_MAX: the metadata are wrong. */
uint64_t pq_chunk_bytes(const pq_chunk *c);
/* Bytes of a large page of the chunk: where an offset index tells about how many there are, twice
 * the mean, else the whole chunk. */
uint64_t pq_large_page(const pq_chunk *c);
/* Of at most `most` bytes: what lies before the first data page, some times as large. 0: there is
 * none. */
uint64_t pq_usual_dictionary(const pq_chunk *c, uint64_t most);
/* What decompressing a page of the chunk by stream takes, as a rule: the decoder's own window (each
 * frame says how large; writers' usual choice is assumed, and never more than a page). */
uint64_t pq_stream_memory(const pq_chunk *c);

#endif
