/* What `narrows inspect` shows of a Parquet file. Rows are handed to a callback one at a time, so
 * nothing is collected: memory does not grow with row groups or pages. What a row points to lives
 * until the callback returns; a failing callback ends the walk with its status. */
#ifndef PARQUET_INSPECT_H
#define PARQUET_INSPECT_H

#include "format/parquet/meta.h"

typedef struct pq_file_info {
    const char *name;
    uint64_t bytes, footer_bytes;
    int64_t rows;
    int32_t row_groups, version;
    uint32_t columns;       /* leaves */
    const char *created_by; /* NULL: not said */
    uint32_t codecs;        /* bit per codec id */
    int64_t compressed;     /* bytes of all column chunks */
    int64_t uncompressed;
    int64_t offset_indexes, column_indexes, bloom_filters; /* chunks that have one */
} pq_file_info;

typedef struct pq_column_info {
    uint32_t leaf;
    const pq_leaf *column;
    uint32_t codecs, encodings; /* bits */
    int64_t compressed, uncompressed, values;
    int64_t nulls;         /* -1: not said for all row groups */
    bool has_min, has_max; /* only where all row groups with values have it */
    span min, max;         /* for pq_value_print */
    int64_t text_bytes;    /* -1: not said for all row groups */
    /* slots by repetition [0] and definition level [1]; none: not said for all */
    uint32_t n_level_counts[2];
    int64_t *level_counts[2];
    int64_t offset_indexes, column_indexes, bloom_filters;
} pq_column_info;

typedef struct pq_group_info {
    int32_t row_group;
    int64_t rows, first_row;
    int64_t compressed, uncompressed; /* of its column chunks */
    int64_t total_bytes;              /* as the row group says */
    uint32_t codecs, encodings;
    int64_t start, end; /* file bytes of its column chunks */
    uint32_t n_sorting;
    const pq_sorting *sorting;
} pq_group_info;

typedef struct pq_page_info {
    int32_t row_group;
    uint32_t leaf;
    const pq_leaf *column;
    int64_t ordinal; /* among the chunk's data pages; -1: dictionary or another page */
    int64_t offset;
    pq_page page;
    int64_t first_row;     /* in the row group; -1: not known */
    int64_t nulls;         /* -1: not said */
    bool has_min, has_max; /* from the column index */
    span min, max;
} pq_page_info;

nrw_status pq_inspect_file(pq_meta *p, mem *m, pq_file_info *out, nrw_error *err);
nrw_status pq_inspect_columns(pq_meta *p, mem *m,
                              nrw_status (*row)(void *self, const pq_column_info *c,
                                                nrw_error *err),
                              void *self, nrw_error *err);
nrw_status pq_inspect_groups(pq_meta *p, mem *m,
                             nrw_status (*row)(void *self, const pq_group_info *g, nrw_error *err),
                             void *self, nrw_error *err);
/* Walks the page headers of all column chunks in order of the file's row groups. */
nrw_status pq_inspect_pages(pq_meta *p, mem *m,
                            nrw_status (*row)(void *self, const pq_page_info *i, nrw_error *err),
                            void *self, nrw_error *err);

#endif
