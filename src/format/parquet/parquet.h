/* The face of the Parquet folder: reader and writer for the layers above. */
#ifndef PARQUET_PARQUET_H
#define PARQUET_PARQUET_H

#include "format/format.h"
#include "format/parquet/meta.h"

extern const format format_parquet;
nrw_status parquet_open(mem *m, io_file *f, const pq_read_options *opts, reader **out,
                        nrw_error *err);
pq_meta *parquet_reader_meta(reader *r);
/* Reads all pages of the columns once and tells what is damaged, chunk by chunk. Memory as for one
 * column. */
nrw_status parquet_find_damage(reader *r, const uint32_t *cols, uint32_t n, mem *m, spill *sp,
                               damage_found found, void *self, nrw_error *err);
/* As the rows of reader_class. Least and greatest value by trusted statistics. */
bool parquet_bounds(reader *r, mem *m, uint32_t column, int64_t *least, int64_t *greatest);
nrw_status parquet_ranges(reader *r, mem *m, uint32_t column, range_found found, void *self,
                          nrw_error *err);
/* By the first row group and the header of its dictionary. */
void parquet_values(reader *r, mem *m, uint32_t column, column_values *out);
nrw_status parquet_carries(reader *r, arena *a, carried *out, nrw_error *err);
nrw_status parquet_verify(reader *r, spill *sp, mem *m, fault_found fault, void *self,
                          verify_counts *out, nrw_error *err);
void parquet_spelled(const reader *r, uint32_t column, const char **physical, const char **logical);
void parquet_describe(const reader *r, char *out, size_t cap);
nrw_status parquet_estimate(reader *r, mem *m, const row_filter *f, char *text, size_t cap,
                            int64_t *rows, nrw_error *err);

/* ---- writing ---- */
typedef struct pq_column_options {
    int32_t codec, level;
    int32_t encoding; /* -1: by rule; else a pq_encoding */
    bool dictionary;
    bool statistics;
    double bloom; /* false positives that its bloom filter may give, as 0.01; 0: no filter */
} pq_column_options;

typedef struct pq_write_options {
    uint64_t rows_most;        /* no more come: less memory for dictionaries; 0: nobody knows */
    int64_t row_group_rows;    /* 1 Mi */
    uint64_t row_group_bytes;  /* 128 MiB, encoded */
    uint32_t page_bytes;       /* 128 KiB of values */
    uint32_t page_rows;        /* 20,000 */
    uint32_t dictionary_bytes; /* 1 MiB of PLAIN entries */
    int version;               /* 1: PLAIN/dictionary; 2: delta encodings */
    int page_version;          /* of data pages, 1 or 2; 0: as `version` */
    bool page_index, page_crc;
    uint32_t statistics_truncate; /* bytes of text and binary bounds; 64 */
    const char *created_by;       /* NULL: "narrows version X" */
    uint32_t n_key_values;
    const pq_key_value *key_values;
    uint32_t n_sorting;
    const pq_sorting *sorting;
    pq_column_options added;          /* for the leaves of columns that come later */
    const pq_column_options *columns; /* one per leaf (leaf_write.h), in the file's order */
} pq_write_options;

pq_write_options pq_write_defaults(void);
static inline bool pq_pages_v2(const pq_write_options *o)
{
    return (o->page_version ? o->page_version : o->version) >= 2;
}

/* What writing a schema takes with `workers` threads. */
nrw_status parquet_write_budget(const schema *s, const pq_write_options *opts, uint32_t workers,
                                budget *out, nrw_error *err);
/* Rows on their way to a writer, at most. */
typedef struct pq_flow {
    uint64_t rows, values; /* values: their bytes, encoded PLAIN; UINT64_MAX: nobody knows */
    uint64_t batches;
    const uint64_t *distinct; /* values of each column; UINT64_MAX: nobody knows; or NULL */
} pq_flow;
/* Bytes that go to the spill file at most, of a writer that has so much memory. */
nrw_status parquet_write_spill(const schema *s, const pq_write_options *opts, uint32_t workers,
                               uint64_t memory, const pq_flow *f, uint64_t *out,
                               nrw_error *err) NRW_CHECKED;
/* t, s stay the caller's; options and schema must outlive the writer. */
nrw_status parquet_writer_open(mem *grant, spill *sp, target *t, const schema *s,
                               const pq_write_options *opts, uint32_t workers, writer **out,
                               nrw_error *err);

/* ---- writing more than one file ---- */

/* What is known of finished files, in the order they were finished, and with `row_groups` their row
 * groups as footers have them: for `_metadata`. Lies in the spill file but for some KiB. One thread
 * at a time. */
typedef struct parquet_footers parquet_footers;

typedef struct parquet_written {
    const char *path; /* relative to the dataset's folder */
    file_summary is;  /* `spilled` is 0 */
} parquet_written;

nrw_status parquet_footers_new(mem *m, spill *sp, bool row_groups, parquet_footers **out,
                               nrw_error *err);
void parquet_footers_free(parquet_footers *f); /* NULL is fine */
/* Appends what `from` has, which stays as it is. */
nrw_status parquet_footers_append(parquet_footers *f, const parquet_footers *from, nrw_error *err);
typedef nrw_status (*parquet_written_visit)(void *self, const parquet_written *w, nrw_error *err);
nrw_status parquet_footers_walk(const parquet_footers *f, parquet_written_visit visit, void *self,
                                nrw_error *err);
/* A finished file that another writer made with the same options; *rows: of it. m is used
 * meanwhile. */
nrw_status parquet_footers_keep(parquet_footers *f, mem *m, io_file *file, const char *path,
                                int64_t *rows, nrw_error *err);
/* Sums over all files; how many these are. */
file_summary parquet_footers_sum(const parquet_footers *f, uint64_t *files);

/* The files that a writer cuts its rows into. A file ends behind a row group: where it has
 * `file_groups` of them, or where another one as large as the last would make it longer than
 * `file_bytes` (row groups have at most that many encoded bytes). Both are functions of the rows.
 */
typedef struct parquet_files {
    void *self;
    /* The next file: an empty target, and its path, which stays until it is done. By one thread at
     * a time, once the first row group of the file is complete. */
    nrw_status (*open)(void *self, target **out, const char **path, nrw_error *err);
    /* It is complete: publishes and closes it; closed also on failure. carry: what a writer must
     * know that goes on behind this file as this one does; 0: it was the last. */
    nrw_status (*done)(void *self, target *t, int64_t carry, nrw_error *err);
    uint64_t file_bytes;      /* 0: no limit */
    int64_t file_groups;      /* 0: no limit */
    parquet_footers *footers; /* gets every finished file; NULL: nobody asks */
    bool behind;              /* files were there before: without rows none is made */
    int64_t carried;          /* of the last of them */
} parquet_files;

/* As parquet_writer_open. Without rows it writes one empty file. No columns can be added. */
nrw_status parquet_writer_open_files(mem *grant, spill *sp, const parquet_files *files,
                                     const schema *s, const pq_write_options *opts,
                                     uint32_t workers, writer **out, nrw_error *err);

/* Lowers a wish of parquet_write_budget to what so many rows, of `stored` bytes as files have them,
 * can use: pages of a row group, columns at work. UINT64_MAX: not known. */
void parquet_wish_for(const schema *s, const pq_write_options *opts, uint64_t rows, uint64_t stored,
                      budget *b);

/* Memory that many open writers of one schema share: what each needs to itself is some ten KiB a
 * column; page in progress and dictionary of any column of any of them are parked in the spill file
 * when they do not fit together; compression contexts and scratch are there once a worker.
 *
 *     memory = workers x (scratch + context) + the largest column + writers x (books + pages begun)
 *
 * of which the last product is a choice: parquet_room_writers says how many writers go well. */
typedef struct pq_room parquet_room;

/* least: one writer. wish: `writers` of them, and finished pages of `pages` bytes, or of a row
 * group where that is less. */
nrw_status parquet_room_budget(const schema *s, const pq_write_options *opts, uint32_t workers,
                               uint32_t writers, uint64_t pages, budget *out, nrw_error *err);
/* Bytes of columns that are parked at most where each batch has rows for all writers; and, with all
 * pages, where they come file by file, each file's rows together. */
nrw_status parquet_room_spill(const schema *s, const pq_write_options *opts, uint32_t workers,
                              uint64_t memory, uint32_t most, const pq_flow *f, uint64_t *out,
                              nrw_error *err) NRW_CHECKED;
nrw_status parquet_room_rest_spill(const schema *s, const pq_write_options *opts, uint32_t workers,
                                   uint64_t memory, uint32_t most, const pq_flow *f, uint64_t *out,
                                   nrw_error *err) NRW_CHECKED;
/* `memory` bytes of m are used, for at most `most` writers. `back` of them will perhaps be given
 * back (parquet_room_shrink): the number of writers does not count on these. s and opts stay. */
nrw_status parquet_room_new(mem *m, spill *sp, const schema *s, const pq_write_options *opts,
                            uint32_t workers, uint64_t memory, uint64_t back, uint32_t most,
                            parquet_room **out, nrw_error *err);
uint32_t parquet_room_writers(const parquet_room *r);
/* Used by the room's workers at once, as any writer; files outlives it. */
nrw_status parquet_room_open(parquet_room *r, const parquet_files *files, writer **out,
                             nrw_error *err);
/* Gives `back` back, for good: parks what does not fit any more. Once; while its writers are used.
 */
nrw_status parquet_room_shrink(parquet_room *r, nrw_error *err);
void parquet_room_close(parquet_room *r); /* after its writers; NULL is fine */

/* A file without rows of its own, but with the schema, and the row groups of `of` (NULL: none):
 * `_metadata` and `_common_metadata`. Memory as for parquet_write_budget with one worker. */
nrw_status parquet_write_metadata(mem *grant, spill *sp, target *t, const schema *s,
                                  const pq_write_options *opts, const parquet_footers *of,
                                  nrw_error *err);

#endif
