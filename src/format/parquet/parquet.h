/* The face of the Parquet folder: reader and writer for the layers above. */
#ifndef PARQUET_PARQUET_H
#define PARQUET_PARQUET_H

#include "format/format.h"
#include "format/parquet/meta.h"

/* Takes f. Options beyond pq_read_options come with --read. */
nrw_status parquet_open(mem *m, io_file *f, const pq_read_options *opts, reader **out,
                        nrw_error *err);
pq_meta *parquet_reader_meta(reader *r);
/* Rows [first, first + n) of the file cannot be read in `column`, for the reason given. */
typedef nrw_status (*damage_found)(void *self, const char *column, int64_t first, int64_t n,
                                   const nrw_error *why, nrw_error *err);
/* Reads all pages of the columns once and tells what is damaged, chunk by chunk. Memory as for one
 * column. */
nrw_status parquet_find_damage(reader *r, const uint32_t *cols, uint32_t n, mem *m, spill *sp,
                               damage_found found, void *self, nrw_error *err);
/* Least and greatest value of a whole-number column in a row group, by trusted statistics; false
 * where they are not there. */
bool pq_meta_bounds(pq_meta *p, mem *m, int32_t rg, uint32_t leaf, int64_t *min, int64_t *max);

/* ---- writing ---- */
typedef struct pq_column_options {
    int32_t codec, level;
    int32_t encoding; /* -1: by rule; else a pq_encoding */
    bool dictionary;
    bool statistics;
    double bloom; /* false positives that its bloom filter may give, as 0.01; 0: no filter */
} pq_column_options;

typedef struct pq_write_options {
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
/* t, s stay the caller's; options and schema must outlive the writer. */
nrw_status parquet_writer_open(mem *grant, spill *sp, target *t, const schema *s,
                               const pq_write_options *opts, uint32_t workers, writer **out,
                               nrw_error *err);

/* How many row groups, with how many rows, may hold rows that pass the filter, by the statistics of
 * their columns: for plans. Indexes take at most 1 MiB of m. */
nrw_status parquet_estimate(reader *r, mem *m, const row_filter *f, int32_t *groups, int64_t *rows,
                            nrw_error *err) NRW_CHECKED;

#endif
