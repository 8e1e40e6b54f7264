/* Pages kept: row groups of Parquet files taken over into another file without being decoded.
 *
 * The rule looks at options and metadata alone, never at memory or threads, so that the output
 * stays a function of its inputs. All row groups of all inputs are kept, or none. They are where
 * - the columns lie as they would be written: physical types, levels, codec, kind of pages, and
 *   encodings of the version that is written;
 * - pages, dictionaries and row groups are about as large as they would be written: pages within a
 *   factor of 16 on average, row groups at most twice as large (not above a limit that was asked
 *   for) and a tenth at least, unless there is but one;
 * - the writer is known to say right statistics (pq_meta_right_statistics), and said as much of
 *   chunks and pages as is to be written.
 * How pages and row groups are cut then follows the inputs.
 *
 * What is kept was checked: header by header, checksum by checksum; a page without one is
 * decompressed. Headers are written anew, bounds are those of the input's footer and page index. */
#ifndef PARQUET_KEEP_H
#define PARQUET_KEEP_H

#include "format/parquet/parquet.h"

typedef struct pq_keep {
    /* the caller's, before the first look */
    const schema *out;            /* what is written */
    const pq_write_options *opts; /* and how */
    const uint32_t *cols;         /* of the inputs, one for each field of `out` */
    bool rows_asked, bytes_asked; /* a limit of row groups is the user's, not a default */

    /* found by looking */
    char against[256];     /* why pages are not kept, a clause; "": nothing so far */
    const char *file;      /* where that is */
    uint64_t groups, rows; /* in all inputs */
    uint64_t bytes;        /* of the chosen columns, encoded */
    uint64_t index_bytes;  /* of page indexes of one chunk, at most */
    uint64_t stream;       /* decompressing a page by stream takes at most so much */
} pq_keep;

/* Looks at one input more, unless there is something against already. Fails for lack of memory or
 * an input that cannot be read; damaged metadata are against keeping. `m`: for the moment. */
nrw_status parquet_keep_look(pq_keep *k, reader *r, mem *m, nrw_error *err) NRW_CHECKED;
/* All inputs were looked at: may pages be kept? */
bool parquet_keep_settle(pq_keep *k);
/* What copying takes, beside the writer's least. */
budget parquet_keep_budget(const pq_keep *k);
/* Options for a writer that gets kept pages alone: the same file in less memory, since room for
 * pages and dictionaries of its own is not needed. */
pq_write_options parquet_keep_options(const pq_write_options *o);

/* One input being copied to a writer of parquet_writer_open that got no rows by push. One thread.
 */
typedef struct pq_keeper pq_keeper;

/* Reader and writer stay the caller's and must outlive it; memory is charged to `grant`, which has
 * what parquet_keep_budget says. */
nrw_status parquet_keep_open(const pq_keep *k, writer *w, reader *r, mem *grant, pq_keeper **out,
                             nrw_error *err) NRW_CHECKED;
/* The next row group; NRW_END behind the last. *rows: how many came; pages[i] is raised by the data
 * pages of column i. */
nrw_status parquet_keep_group(pq_keeper *k, int64_t *rows, uint64_t *pages,
                              nrw_error *err) NRW_CHECKED;
void parquet_keep_close(pq_keeper *k); /* NULL is fine */

#endif
