/* What the files of the metadata layer share: the opened footer and walks through it. */
#ifndef PARQUET_META_PRIV_H
#define PARQUET_META_PRIV_H

#include "format/parquet/meta.h"
#include "format/parquet/schema_map.h"
#include "format/parquet/thrift.h"

#include <pthread.h>

#define PQ_WINDOW       (64 << 10)
#define PQ_SCHEMA_DEPTH 100
#define PQ_BOUND_MAX    (1 << 20) /* longer bounds are not worth their memory */

/* Position and sums of a row group: 32 bytes, for files have tens of thousands. */
typedef struct group_pos {
    int64_t first_row;
    int64_t total_bytes, compressed_bytes;
    uint32_t at, len; /* in the footer */
} group_pos;

/* Where every `step`-th column chunk of a row group starts, so that one column of many is found
 * without walking all before it. */
enum { MARKS = 128, MARKED_GROUPS = 4 };
typedef struct group_marks {
    int32_t rg; /* -1: none */
    uint32_t n; /* marks known */
    uint64_t at[MARKS];
} group_marks;

struct pq_meta {
    mem *m;
    io_file *f;
    arena *a;
    bool int96_us;

    uint64_t footer_at, footer_len;
    uint8_t *footer; /* kept where it is small; else NULL */

    int32_t version;
    int64_t rows;
    char *created_by;
    bool known_orders; /* bounds are in the types' orders although the footer names none */
    bool pad_chunks;   /* the writer left the dictionary header out of the chunk's size */

    uint32_t n_nodes;
    pq_element *nodes; /* the schema in order of the footer; [0] is the root */
    uint32_t n_leaves;
    pq_leaf *leaves;
    uint8_t *order;        /* pq_order of each leaf */
    bool *ordered;         /* leaf has its column order in the footer; NULL: none has */
    uint32_t first_nested; /* UINT32_MAX: none */
    uint32_t n_columns;
    pq_node *columns; /* as the fields of the schema, its parts behind them */
    schema schema;

    uint32_t n_groups, cap_groups;
    group_pos *groups;

    uint64_t kv_at; /* of the list; 0: none */
    bool arrow_damaged;

    pthread_mutex_t lock; /* guards what follows */
    uint32_t mark_step, mark_next;
    group_marks marks[MARKED_GROUPS];
};

/* A walk through file bytes [at, at + len) with a window of at most `cap` bytes. */
typedef struct pq_walk {
    thrift_in in;
    mem *m;
    uint8_t *window;
    size_t cap;
} pq_walk;

nrw_status pq_walk_open(const pq_meta *p, uint64_t at, uint64_t len, size_t cap, pq_walk *out,
                        nrw_error *err) NRW_CHECKED;
void pq_walk_close(pq_walk *w);

/* The tree of columns over the leaves, and the schema, with what ARROW:schema says of them. */
nrw_status pq_tree_make(pq_meta *p, nrw_error *err) NRW_CHECKED;

/* Fields of ARROW:schema in `a`; none where the file has no such key, or what stands there cannot
 * be read, which p->arrow_damaged then says. */
nrw_status pq_arrow_read(pq_meta *p, arena *a, schema *out, nrw_error *err) NRW_CHECKED;
/* What Arrow's field says of this one is added to it, where both are of the same kind; what
 * contradicts Parquet's schema is passed over, as Arrow's own reader does. */
nrw_status pq_arrow_apply(arena *a, const field *arrow, field *f, nrw_error *err) NRW_CHECKED;

/* Reads the schema list at `in` and makes leaves of it. */
nrw_status pq_schema_read(pq_meta *p, thrift_in *in, nrw_error *err) NRW_CHECKED;

/* The range of the file before the footer that index readers may look at. */
nrw_status pq_check_range(const pq_meta *p, const char *what, int64_t at, int64_t len,
                          nrw_error *err) NRW_CHECKED;

/* Fills the object of an error and hands the status on. */
nrw_status pq_meta_fail(const pq_meta *p, nrw_status st, nrw_error *err);

#endif
