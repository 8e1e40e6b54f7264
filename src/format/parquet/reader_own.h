/* The Parquet reader inside. See reader.c for how the parts work together. */
#ifndef PARQUET_READER_OWN_H
#define PARQUET_READER_OWN_H

#include "base/turn.h"
#include "format/parquet/chunk_read.h"
#include "format/parquet/nested_read.h"
#include "format/parquet/parquet.h"
#include "format/parquet/prune.h"

#include <pthread.h>

typedef struct pq_lane pq_lane;

/* What the morsels of one row group share; the cutter holds a reference, and each morsel one. */
typedef struct pq_open_group {
    _Atomic uint32_t refs;
    int32_t index;
    int64_t rows;
    uint32_t batch_rows; /* so many at a time keep the consumer's bounds, on average */
    pq_lane *lane;       /* that all its morsels go through */
    arena *a;
    pq_chunk *chunks; /* one per chosen leaf */
} pq_open_group;

typedef struct pq_morsel {
    uint64_t seq; /* in its lane */
    int64_t row0; /* in the row group */
    uint32_t rows;
    bool last;     /* of its row group */
    int64_t until; /* end of the stretch of rows that is read, in the row group */
    pq_open_group *group;
    struct pq_morsel *next_free;
    _Atomic uint32_t columns_left;
} pq_morsel;

typedef struct pq_rcolumn {
    turn turn;
    const pq_node *node;
    uint32_t place; /* of its first leaf among the chosen ones; the others follow */
    /* under the turn: */
    pq_chunk_reader *chunk; /* of a column that is one leaf */
    pq_nested *nested;      /* of any other */
    pq_open_group *group;   /* of these */
    reader_counts closed;   /* of chunks already closed */
} pq_rcolumn;

/* The columns, their turns and chunk readers: one row group goes through at a time. */
struct pq_lane {
    pq_rcolumn *cols;
    uint64_t cut;               /* morsels, so far */
    _Atomic uint32_t under_way; /* of these */
};

/* Bytes of a leaf's first pages, unpacked (reader_needs.c). */
typedef struct pq_first_pages {
    uint32_t leaf;
    uint64_t dictionary, page;
    uint64_t entries; /* of the dictionary; 0: not known */
} pq_first_pages;

/* So many columns have the headers of their first pages looked at. */
#define PQ_LOOKED_AT 64u

typedef struct pq_reader {
    reader base;
    mem *m;     /* books of the metadata */
    mem *grant; /* of reading */
    pq_meta *meta;
    spill *spill;
    uint32_t n;
    pq_rcolumn *cols; /* n for each lane */
    pq_lane *lanes;
    uint32_t n_lanes;
    uint32_t n_leaves;
    uint32_t *leaves; /* of the columns, rising, each once */
    uint32_t room;    /* for so many */
    batch_shape shape;
    pq_chunk_options chunk_options;
    bool park;
    bool counting;                       /* counters may be read: start succeeded */
    pq_first_pages looked[PQ_LOOKED_AT]; /* of the first row group, each once */
    uint32_t n_looked;

    /* the cutter; one thread at a time */
    pq_open_group *group;
    int32_t next_group;
    int64_t at, end;   /* rows in the group: the stretch being cut */
    int64_t first_row; /* of the group */
    pq_prune *prune;   /* NULL: all rows are read */
    pq_rows all_rows;
    pq_row_set all;
    const pq_row_set *stretches; /* of the group; `stretch` of them are begun */
    uint32_t stretch;

    pthread_mutex_t lock; /* free list, counters of closed chunks */
    pq_morsel *free;
} pq_reader;

/* ---- reader_needs.c: memory, by the first row group ---- */

/* What columns need. */
typedef struct pq_needs {
    uint64_t widest; /* of one column at work */
    uint64_t open;   /* of all: a page each and its dictionary, as far as they are usual */
    uint64_t pages;  /* the same with another page each, for those that are larger */
    uint64_t kept;   /* bookkeeping of all */
    uint32_t leaves; /* how many they have */
    bool large;      /* pages are known to be larger than that */
} pq_needs;

/* Before morsels are cut, by one thread at a time. */
nrw_status pq_find_needs(pq_reader *r, const uint32_t *cols, uint32_t n, pq_needs *out,
                         nrw_error *err);
/* By the first row group's; cut by one thread at a time. */
pq_first_pages pq_first_pages_of(pq_reader *r, uint32_t leaf, const pq_chunk *c);
/* All columns stay open between morsels with so much. */
uint64_t pq_columns_room(const pq_needs *need);
/* The same where no page fits into memory. */
uint64_t pq_windows_room(const pq_needs *need);
/* What columns at work, of `n`, may take where so many row groups are read at a time. Pages that
 * are held in memory leave it free. */
uint64_t pq_lanes_room(const pq_needs *need, uint32_t n, uint32_t lanes, uint32_t workers);
/* How many row groups may be read at a time with so much room; at most one for each worker. */
uint32_t pq_reader_lanes(const pq_needs *need, uint32_t n, uint64_t room, uint32_t workers);
/* What the indexes of a row group may take, of so much room, where columns take their part. */
uint64_t pq_prune_room(uint64_t room, uint64_t columns);
nrw_status pq_reader_budget(const reader *base, const uint32_t *cols, uint32_t n, uint32_t workers,
                            budget *out, nrw_error *err);

/* ---- reader_cut.c: morsels ---- */

nrw_status pq_reader_next(reader *base, batch *b, nrw_error *err);
void pq_morsel_free(pq_reader *r, pq_morsel *m);
void pq_group_unref(pq_reader *r, pq_open_group *g);

/* ---- reader_columns.c: the columns of a morsel ---- */

extern const column_source pq_reader_columns;
/* The chunks of a column are done with; its reader stays for the next ones where memory is not
 * short. */
void pq_rcolumn_leave(pq_reader *r, pq_rcolumn *c);
void pq_rcolumn_close(pq_rcolumn *c);
void pq_counts_add(reader_counts *to, const reader_counts *n);

#endif
