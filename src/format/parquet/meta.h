/* Parquet metadata, read lazily: only a footer that is small is held whole. Opening walks it once
 * through a window, keeps the schema and each row group's position, and decodes a column chunk's
 * metadata when it is asked for. Source: parquet-format, parquet.thrift; thrift's compact form. */
#ifndef PARQUET_META_H
#define PARQUET_META_H

#include "base/buffer.h"
#include "column/type.h"
#include "format/format.h"
#include "io/file.h"

typedef enum pq_physical {
    PQ_BOOLEAN = 0,
    PQ_INT32 = 1,
    PQ_INT64 = 2,
    PQ_INT96 = 3,
    PQ_FLOAT = 4,
    PQ_DOUBLE = 5,
    PQ_BYTE_ARRAY = 6,
    PQ_FIXED_LEN_BYTE_ARRAY = 7
} pq_physical;

typedef enum pq_encoding {
    PQ_PLAIN = 0,
    PQ_PLAIN_DICTIONARY = 2,
    PQ_RLE = 3,
    PQ_BIT_PACKED = 4,
    PQ_DELTA_BINARY_PACKED = 5,
    PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    PQ_DELTA_BYTE_ARRAY = 7,
    PQ_RLE_DICTIONARY = 8,
    PQ_BYTE_STREAM_SPLIT = 9
} pq_encoding;

typedef enum pq_page_type {
    PQ_DATA_PAGE = 0,
    PQ_INDEX_PAGE = 1,
    PQ_DICTIONARY_PAGE = 2,
    PQ_DATA_PAGE_V2 = 3
} pq_page_type;

/* A leaf column: how it lies in the file and what it becomes. */
typedef struct pq_leaf {
    pq_physical physical;
    uint32_t type_length; /* FIXED_LEN_BYTE_ARRAY */
    uint8_t max_def;      /* the level at which a value is there; 1: optional, if it is flat */
    uint8_t max_rep;      /* how many lists it is in */
    bool int96_us;        /* --read int96=us: microseconds instead of nanoseconds */
    bool nested;          /* repeated, or inside a group */
    bool unknown;         /* annotated by what is not understood, or does not fit */
    field field;          /* name and type in vectors */
    const char *path;     /* dotted */
    const char *logical;  /* as the file names it: "STRING", "DECIMAL(12,2)", "TIMESTAMP_MILLIS" */
} pq_leaf;

/* A column, or a part of a nested one, as a tree over leaves. The levels of a leaf's slots say what
 * is there of a node: it is not null where the definition level is at least `def`; a list or map
 * has an element where it is at least `item_def`, each but the first being a slot of repetition
 * level `item_rep`. */
typedef struct pq_node {
    field field;
    uint8_t def, item_def, item_rep;
    bool no_leaf; /* a group without fields is in it: nothing says what is there of it */
    uint32_t first_leaf, n_leaves;
    uint32_t n_children;
    const struct pq_node *children;
} pq_node;

/* Read like any flat column. */
static inline bool pq_node_is_leaf(const pq_node *n)
{
    return n->n_children == 0 && n->n_leaves == 1;
}

typedef struct pq_statistics {
    bool has_min, has_max, has_null_count, has_distinct, min_exact, max_exact;
    /* min_value/max_value; of old min/max only where the format says they can be trusted.
     * exact: said to be values of the chunk, not only bounds */
    int64_t null_count, distinct_count;
    span min, max; /* PLAIN bytes without a length; valid as long as the pq_chunk's arena */
} pq_statistics;

typedef struct pq_chunk {
    int32_t codec;
    uint32_t encodings;   /* bit per pq_encoding */
    bool dictionary_only; /* all data pages are said to be of dictionary indices */
    /* by encoding_stats; zero where the file does not say */
    uint32_t data_encodings; /* of data pages: bit per pq_encoding */
    int64_t data_pages;
    int64_t n_values, uncompressed, compressed;
    int64_t data_page_offset, dictionary_page_offset; /* -1: none */
    int64_t start, end; /* file bytes of all pages of the chunk; checked against the file */
    int64_t offset_index_at, column_index_at, bloom_at; /* -1: none */
    int32_t offset_index_len, column_index_len, bloom_len;
    pq_statistics stats;
    /* SizeStatistics: bytes of byte arrays without their lengths, -1: not said, or by a writer
     * known to be wrong; how many slots have each repetition [0] and definition level [1], where
     * bounds are wanted */
    int64_t text_bytes;
    uint32_t n_level_counts[2];
    int64_t *level_counts[2];
} pq_chunk;

typedef struct pq_row_group {
    int64_t rows, total_bytes, compressed_bytes; /* compressed -1: not said */
    int64_t first_row;                           /* ordinal in the file */
    int64_t at;                                  /* of its thrift struct in the file */
    int64_t len;
} pq_row_group;

#define PQ_ARROW_KEY "ARROW:schema"

typedef key_value pq_key_value;
typedef sort_key pq_sorting; /* by leaves */

typedef struct pq_meta pq_meta;

typedef struct pq_read_options {
    bool int96_us;
} pq_read_options;

/* f stays the caller's and must outlive the meta. Encrypted files are NRW_E_UNSUPPORTED with a
 * sentence that says so. */
nrw_status pq_meta_open(mem *m, io_file *f, const pq_read_options *opts, pq_meta **out,
                        nrw_error *err);
void pq_meta_close(pq_meta *p);

int64_t pq_meta_rows(const pq_meta *p);
int32_t pq_meta_row_groups(const pq_meta *p);
uint32_t pq_meta_leaves(const pq_meta *p);
const pq_leaf *pq_meta_leaf(const pq_meta *p, uint32_t leaf);
const schema *pq_meta_schema(const pq_meta *p);
/* What stands behind field `column` of the schema, its parts included. */
const pq_node *pq_meta_column(const pq_meta *p, uint32_t column);
/* Whether bounds of the column index, or min_value and max_value, can be believed: the order that
 * they were made in is known. */
bool pq_meta_ordered(const pq_meta *p, uint32_t leaf);
/* Null counts, or bounds, of this file's writer are known to be wrong. */
bool pq_meta_wrong_nulls(const pq_meta *p);
bool pq_meta_wrong_bounds(const pq_meta *p);
/* What stands under PQ_ARROW_KEY cannot be read, and was left aside. */
bool pq_meta_arrow_damaged(const pq_meta *p);
/* Null counts and bounds of this file's writer, in footer and page index, are known to be right:
 * what it said may be said again without looking at values. */
bool pq_meta_right_statistics(const pq_meta *p);
/* What this file's writer says of the size of texts, in chunks of these encodings (bits). */
bool pq_meta_right_sizes(const pq_meta *p, uint32_t encodings);
/* This file's writer puts the statistics of pages into their headers. */
bool pq_meta_bounds_in_headers(const pq_meta *p);
bool pq_meta_is_flat(const pq_meta *p);
/* The schema tree as text lines for `inspect --metadata` and `schema` of nested files. */
nrw_status pq_meta_schema_text(const pq_meta *p, bytes *out, nrw_error *err);

nrw_status pq_meta_row_group(const pq_meta *p, int32_t rg, pq_row_group *out, nrw_error *err);
/* Bounds go to `a`; NULL: bounds are not wanted. Thread-safe with arenas of one's own. Reads only
 * what lies between the row group's start and this column, and remembers positions on the way. */
nrw_status pq_meta_chunk(pq_meta *p, int32_t rg, uint32_t leaf, arena *a, pq_chunk *out,
                         nrw_error *err);
/* Of `_metadata`: the file that the row group lies in, in `a`, and where its pages end there. *path
 * is NULL: in this one. */
nrw_status pq_meta_group_file(const pq_meta *p, int32_t rg, arena *a, char **path, uint64_t *end,
                              nrw_error *err);
/* All chunks of a row group in one pass over its metadata (readers of many columns):
 * out[0..n) for leaves[0..n), rising. */
nrw_status pq_meta_chunks(pq_meta *p, int32_t rg, const uint32_t *leaves, uint32_t n, arena *a,
                          pq_chunk *out, nrw_error *err);
nrw_status pq_meta_key_values(pq_meta *p, arena *a, uint32_t *n, pq_key_value **out,
                              nrw_error *err);
nrw_status pq_meta_sorting(pq_meta *p, int32_t rg, arena *a, uint32_t *n, pq_sorting **out,
                           nrw_error *err);

/* ---- pages ---- */
typedef struct pq_page {
    pq_page_type type;
    uint32_t header_len;              /* of the thrift header */
    int32_t uncompressed, compressed; /* body bytes, both >= 0 */
    bool has_crc;
    uint32_t crc;
    int32_t n_values; /* rows incl. nulls (flat) or dictionary entries */
    pq_encoding encoding;
    pq_encoding def_encoding, rep_encoding;    /* v1 */
    int32_t n_nulls, n_rows, def_len, rep_len; /* v2; else -1, -1, 0, 0 */
    bool v2_compressed;
    bool dict_sorted;
    /* Statistics of data pages: null_count, -1 where it is not said; min_value and max_value, in
     * the bytes that were parsed */
    int64_t null_count;
    bool has_min, has_max;
    span min, max;
} pq_page;

/* Parses a page header at the start of `bytes`. NRW_END: the bytes end too early, read more (at
 * most PQ_PAGE_HEADER_MAX). All counts and lengths are checked to be sane on their own. */
#define PQ_PAGE_HEADER_MAX (1 << 20)
nrw_status pq_page_parse(span bytes, pq_page *out, nrw_error *err);

/* OffsetIndex: where each data page lies. */
typedef struct pq_page_place {
    int64_t offset;
    int32_t compressed; /* with header */
    int64_t first_row;
} pq_page_place;
nrw_status pq_offset_index(pq_meta *p, const pq_chunk *c, int64_t rows, arena *a, uint32_t *n,
                           pq_page_place **out, nrw_error *err);

/* ColumnIndex, for pruning, inspect and verify. */
typedef struct pq_column_index {
    uint32_t n;
    bool *null_page;
    span *min, *max;
    int32_t boundary_order; /* 0 unordered, 1 ascending, 2 descending */
    bool has_null_counts;
    int64_t *null_counts;
} pq_column_index;
nrw_status pq_column_index_read(pq_meta *p, const pq_chunk *c, arena *a, pq_column_index *out,
                                nrw_error *err);

const char *pq_encoding_name(int e);  /* "RLE_DICTIONARY"; never NULL */
const char *pq_physical_name(int t);  /* "INT64" */
const char *pq_page_type_name(int t); /* "DATA_PAGE" */
/* A statistics value as text, by the leaf's type ("2024-01-31", "12.50", "0x00FF..."). */
size_t pq_value_print(const pq_leaf *l, span value, char *out, size_t cap);
/* Bytes of a value in PLAIN without length; 0: any number. */
size_t pq_value_width(const pq_leaf *l);
/* Below, at or above zero as a is less than, equal to or greater than b in the column's order. */
int pq_value_compare(const pq_leaf *l, span a, span b);

#endif
