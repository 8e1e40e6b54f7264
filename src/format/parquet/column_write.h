/* The ordered actor of one written column: takes dense vectors in row order, cuts pages by the
 * rows alone, keeps the dictionary and the statistics, and hands finished page bodies (encoded,
 * not yet compressed) to its owner. What it does is a function of schema, options and the values:
 * never of how rows were cut into vectors, nor of their form.
 *
 * Rules (all per row group):
 * - A page ends after page_rows rows or when its PLAIN size reaches page_bytes, whichever is first
 *   (fixed width: page_bytes / width rows; text: the row whose bytes reach the bound is the last).
 *   Pages of dictionary indices are cut by rows alone once the dictionary is known to pay: after
 *   page_bytes / 2 rows, at most 65,536. Shorter ones would compress worse and cost more headers.
 * - Dictionary first (unless off, boolean, or encoding given). Entries stand in order of first
 *   appearance; an incoming dictionary is remapped through a table, once per entry that occurs;
 *   runs are taken as runs. It is given up when its PLAIN size would pass dictionary_bytes (the
 *   page in progress ends with the row before, still with the dictionary) or at the end of the
 *   first page that holds values (then that page, too, is written without): when more than half of
 *   its values were distinct (of flat leaves: as soon as more than half of what the page may hold
 *   are, before it can be full), where new ones came as fast in its second half as in its first and
 *   would fill the dictionary before the row group is full, or, where the encoding without a
 * dictionary is DELTA_BINARY_PACKED, when that takes less than the page's indices. After that pages
 * are PLAIN, in version 2 DELTA_LENGTH_BYTE_ARRAY for text and binary, RLE for booleans, and for
 * what is stored as INT32 or INT64 DELTA_BINARY_PACKED, or BYTE_STREAM_SPLIT in chunks whose first
 * page with values would be a twentieth smaller so, under a codec that codes entropy.
 *   RLE_DICTIONARY as the encoding given: a dictionary that only its size ends.
 * - Indices of a dictionary page are as wide as the entries known at its end ask for, 1 bit at
 * least.
 * - A page without values (all null) is PLAIN.
 * - A leaf of a nested column (pq_leaf_has_levels) counts its entries as rows: values, nulls and
 *   empty lists. A page ends with the record in which it became full; where the dictionary cannot
 *   take a value, with the record before.
 * - Encoded size: the sum of uncompressed page bodies plus headers counted as 0.
 *
 * One thread at a time, under the writer's turn of the column. */
#ifndef PARQUET_COLUMN_WRITE_H
#define PARQUET_COLUMN_WRITE_H

#include "column/vector.h"
#include "format/parquet/leaf_write.h"
#include "format/parquet/parquet.h"
#include "format/parquet/shred.h"
#include "io/spill.h"

typedef struct pq_column_writer pq_column_writer;

/* A finished page body and what its header and the indexes need. */
typedef struct pq_page_out {
    pq_page_type type;
    pq_encoding encoding;
    uint32_t rows, nulls; /* nested: values, and how many of them are not there; dictionary page:
                             entries, 0 */
    uint32_t records;     /* rows of the file; flat: as many as rows */
    uint32_t rep_len;    /* v2: bytes of repetition levels at the body's start (uncompressed) ... */
    uint32_t levels_len; /* ... of these and the definition levels behind them */
    /* min and max of the page, PLAIN without length. What is longer than statistics_truncate is cut
     * a little behind that: enough to see that it must be truncated, and how. */
    uint32_t width; /* bytes of one stored value; 0: they differ */
    bool has_bounds;
    bytes min, max;      /* owned */
    buffer *body;        /* owned */
    uint64_t text_bytes; /* of byte arrays, their lengths apart */
    bytes levels;        /* owned: counts as size_stats.h says, 32 bits each; may be empty */
    buffer *hashes;      /* owned: XXH64 of values for the bloom filter; NULL: none */
} pq_page_out;

typedef struct pq_page_list {
    uint32_t n, cap;
    pq_page_out *at;
    mem *m;
} pq_page_list;

void pq_page_out_release(pq_page_out *p);
void pq_page_list_release(pq_page_list *l);

/* Bounds of the whole chunk so far and counts, for ColumnMetaData. */
typedef struct pq_chunk_stats {
    int64_t rows; /* of the file */
    int64_t nulls;
    bool has_bounds;
    bytes min, max;
    bool min_cut, max_cut; /* bounds that perhaps are no values of the chunk */
    int64_t distinct;      /* -1: not known (known while the dictionary holds) */
} pq_chunk_stats;

nrw_status pq_column_writer_new(mem *m, const pq_wleaf *leaf, const pq_write_options *opts,
                                const pq_column_options *column, pq_column_writer **out,
                                nrw_error *err);
/* Appends rows [first, first + n) of v; pages that became full are added to *out (data pages only).
 */
nrw_status pq_column_append(pq_column_writer *w, const vector *v, uint32_t first, uint32_t n,
                            pq_page_list *out, nrw_error *err);
/* The same for a leaf with levels: goes on from piece->at, moves that on, and comes back once a
 * page was added, or with the piece at its end. */
nrw_status pq_column_append_levels(pq_column_writer *w, pq_levels *piece, pq_page_list *out,
                                   nrw_error *err);
/* Encoded bytes of the chunk so far, the page in progress included: a function of the rows. */
uint64_t pq_column_encoded(const pq_column_writer *w);
/* Ends the chunk: the last data page, then the dictionary page (if one is in use) as the last
 * entry; statistics are moved to *stats. The writer is then empty, ready for the next row group. */
nrw_status pq_column_finish(pq_column_writer *w, pq_page_list *out, pq_chunk_stats *stats,
                            nrw_error *err);

/* All state (page in progress, dictionary, statistics) into one spill block and out of memory, and
 * back. A parked writer takes no more than some hundred bytes. */
nrw_status pq_column_park(pq_column_writer *w, spill *s, nrw_error *err);
nrw_status pq_column_unpark(pq_column_writer *w, nrw_error *err);
uint64_t pq_column_memory(const pq_column_writer *w);
void pq_column_writer_free(pq_column_writer *w); /* NULL is fine */

/* The most a column can hold with these options (dictionary, its table, page, scratch). */
uint64_t pq_column_most(const pq_wleaf *leaf, const pq_write_options *opts,
                        const pq_column_options *column);
/* The most this one can hold while so many more rows are appended, a chunk finished among them. May
 * be above pq_column_most. Parked or not. */
uint64_t pq_column_most_after(const pq_column_writer *w, uint64_t rows);

#endif
