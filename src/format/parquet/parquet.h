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

#endif
