/* One column chunk of one row group as a forward stream of vectors.
 *
 * State: the current page's body and a decoder in it, the dictionary. A body is decompressed into
 * memory where the account has room for it, else by stream into a spill region and decoded through
 * windows; decoders see one interface for both (body.h). So memory follows the grant, never the
 * page. Forms: RLE runs of dictionary indices stay runs where that pays, dictionary pages give
 * dict vectors, others flat ones; views point into the page's body where it is in memory.
 *
 * Not thread-safe; a chunk is handed from thread to thread under its column's turn. */
#ifndef PARQUET_CHUNK_READ_H
#define PARQUET_CHUNK_READ_H

#include "column/vector.h"
#include "format/format.h"
#include "format/parquet/meta.h"

typedef struct pq_chunk_reader pq_chunk_reader;

typedef struct pq_chunk_options {
    bool verify_crc;   /* on by default */
    size_t read_ahead; /* bytes of one read: 16 KiB .. 1 MiB, charged */
    bool quarantine;   /* a damaged page gives NRW_E_CORRUPT but the reader can go on behind it */
    size_t headroom;   /* what pages and dictionaries held in memory leave free in the account */
    bool keep;         /* a park keeps the page where it does not lie in memory */
    bool ahead; /* the reader is parked between reads and all rows are read: decode ahead at once */
    pq_meta *meta; /* for the offset index; NULL: pages are found by their headers alone */
    bool slots; /* of a leaf in lists: its slots are read as if they were rows; what stands for an
                   empty list is a null */
} pq_chunk_options;

/* `meta`, `leaf` and the statistics arena outlive the reader. Nothing is read yet. `rows` are the
 * row group's. */
nrw_status pq_chunk_open(mem *m, spill *s, io_file *f, const pq_leaf *leaf, const pq_chunk *c,
                         int32_t row_group, int64_t rows, const pq_chunk_options *opts,
                         pq_chunk_reader **out, nrw_error *err);

/* Rows from `row` (in the row group, not before the position reached), at most max_rows and about
 * max_bytes of them, at least one. With sel: only the rows row + (sel[i] - sel_base), i < n_sel,
 * and out->len counts selected rows; pages without any selected row are not decompressed. Fewer
 * rows than asked come back where the form changes (dictionary fallback), at max_bytes, or at a
 * point where going on would copy. Fills row group, column, page, offset and row of errors. */
nrw_status pq_chunk_read(pq_chunk_reader *r, int64_t row, uint32_t max_rows, size_t max_bytes,
                         const uint16_t *sel, uint32_t n_sel, uint32_t sel_base, mem *m,
                         vector *out, nrw_error *err);

/* Rows from `row` on are not going to be asked for, or not before much else was passed over: where
 * an offset index tells which pages that are, they are not read ahead. */
void pq_chunk_until(pq_chunk_reader *r, int64_t row);

/* Frees page and dictionary, remembers the position: for jobs with more columns than memory has
 * room for. Reading goes on as if nothing had happened. */
void pq_chunk_park(pq_chunk_reader *r);

/* Sets opts->ahead anew: false where the rows to be read end before the chunk does. */
void pq_chunk_ahead(pq_chunk_reader *r, bool ahead);

/* Under quarantine, after NRW_E_CORRUPT: rows [*first, *first + *n) of the row group are lost. */
void pq_chunk_lost(const pq_chunk_reader *r, int64_t *first, int64_t *n);

/* Nothing more of the chunk will be read: its pages behind count as skipped, where an offset index
 * tells how many they are. */
void pq_chunk_count_rest(pq_chunk_reader *r);
void pq_chunk_counts(const pq_chunk_reader *r, reader_counts *out);

/* The chunk is done with: page, dictionary and its metadata are let go. What any chunk of the
 * column can use (codec tables, whose making takes longer than a small page, and buffers) stays for
 * pq_chunk_reopen, which is pq_chunk_open for the same column in another row group. Counts start
 * anew. */
void pq_chunk_rest(pq_chunk_reader *r);
nrw_status pq_chunk_reopen(pq_chunk_reader *r, const pq_chunk *c, int32_t row_group, int64_t rows,
                           nrw_error *err);
void pq_chunk_close(pq_chunk_reader *r); /* NULL is fine */

/* Least bytes a chunk of this kind needs in its account beyond the vectors it returns. */
size_t pq_chunk_least(void);
/* What one takes that was parked and keeps its page. */
size_t pq_chunk_asleep(void);

#endif
