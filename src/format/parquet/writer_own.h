/* The Parquet writer inside. See writer.c for how the parts work together.
 *
 * A column of the schema has one turn and, under it, an actor for each of its leaves.
 *
 * Locks: `lock` guards what is marked (L); actors of a column's leaves and what is marked (T)
 * belong to whoever holds the column's turn; what is marked (S) belongs to the thread that splices.
 * `lock` is held for moments only, except where held pages are evicted. */
#ifndef PARQUET_WRITER_OWN_H
#define PARQUET_WRITER_OWN_H

#include "base/turn.h"
#include "format/parquet/column_write.h"
#include "format/parquet/leaf_write.h"
#include "format/parquet/page_compress.h"
#include "format/parquet/shred.h"
#include "format/parquet/writer_cut.h"
#include "format/parquet/writer_log.h"
#include "format/parquet/writer_room.h"
#include "format/parquet/written_type.h"

#include <pthread.h>

enum {
    PQ_GROUPS = 2,   /* row groups open at once: one filling, one being compressed and spliced */
    PQ_ENCODINGS = 4 /* different ones in the data pages of a chunk */
};

/* A page between the column's turn and its place in the chunk. */
typedef struct pq_slot {
    bool done;
    pq_part part;   /* done: the page, unless it is small or in the log already */
    uint8_t *small; /* done before its turn: a copy */
    uint32_t small_len, record_len;
    uint8_t *record;
} pq_slot;

/* A page that left its actor and is not compressed yet. */
typedef struct pq_pending {
    struct pq_pending *next;
    uint64_t group;
    uint32_t leaf, slot;
    pq_page_out page;
} pq_pending;

/* Such pages of all columns, oldest first. (L) */
typedef struct pq_queue {
    pq_pending *first, **end;
    uint64_t bytes;    /* of their bodies */
    uint32_t sleepers; /* who would help if there were anything */
} pq_queue;

/* One column chunk of a row group being filled. (L) */
typedef struct pq_wchunk {
    pq_log data;    /* data pages, in order */
    pq_log records; /* for the page index, in order */
    pq_log hashes;  /* of values, for the bloom filter */
    pq_part dictionary;
    pq_slot *slots; /* pages first_slot ... of the chunk that are not in `data` yet */
    uint32_t first_slot, n_slots, cap_slots;
    uint64_t uncompressed, compressed; /* with headers */
    uint64_t encoded;                  /* bodies alone */
    int64_t rows, values;              /* values: nulls and empty lists are some, too */
    bool unsized;                      /* nobody counted levels and texts of the chunk, */
    bool pages_unsized;                /* or of its pages, which are kept */
    uint64_t text_bytes;               /* of byte arrays, their lengths apart */
    uint64_t *level_counts;            /* as size_stats.h says; NULL: none */
    int64_t distinct;                  /* values that differ; -1: not known */
    uint8_t *stats;                    /* thrift Statistics without its stop byte */
    uint32_t stats_len;
    uint32_t pages[PQ_ENCODINGS];
    uint8_t encodings[PQ_ENCODINGS], n_encodings;
    uint8_t dictionary_encoding;
} pq_wchunk;

/* Where a chunk lies. */
typedef struct pq_chunk_place {
    int64_t start;      /* of its first page */
    int64_t data;       /* of its first data page */
    int64_t dictionary; /* -1: none */
    uint32_t bloom_len, column_index_len, offset_index_len;
} pq_chunk_place;

typedef struct pq_wgroup {
    uint32_t finished; /* (L) leaves whose chunk is complete, pages perhaps not yet compressed */
    uint64_t pending;  /* (L) pages not compressed yet */
    bool leaving;      /* (L) being spliced: what follows and the chunks are the splicer's alone */
    uint32_t spliced;  /* chunks that are in the target */
    int64_t rows, start;
    uint64_t uncompressed, compressed;
    pq_wchunk *chunks; /* one a leaf */
} pq_wgroup;

typedef struct pq_wcolumn {
    turn turn;
    int64_t row;       /* (T) next row */
    uint64_t stride;   /* (T) of that row */
    uint64_t group;    /* (T) of the chunks in the actors */
    int64_t group_row; /* (T) where these began */
} pq_wcolumn;

typedef struct pq_writer {
    writer base;
    mem *m, *actors, *held;
    spill *spill;
    target *target;              /* (S) where `files` is set; NULL between two files */
    const parquet_files *files;  /* NULL: one file, the caller's target */
    const char *path;            /* (S) of the file at hand */
    file_summary sum;            /* (S) of the files that are finished */
    uint64_t n_files;            /* (S) */
    const parquet_footers *list; /* whose row groups the footer has; NULL: those written here */
    uint64_t base_size, spilled_before;
    const schema *schema;
    const pq_write_options *opts;
    uint32_t n_columns, workers;
    uint32_t cap_columns, cap_leaves; /* room in `columns`; in `actor` and chunks */
    uint64_t limit;                   /* of the grant */
    schema own_schema;                /* the two below, once a column was added */
    pq_write_options own_opts;
    arena *names; /* of the leaves */
    pq_leaves leaves;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything somebody may wait for under `lock` */
    _Atomic bool stopped;
    turn entry;   /* rows are given to morsels in order */
    int64_t rows; /* (entry) */

    pq_cut cut; /* (L) */
    pq_wgroup groups[PQ_GROUPS];
    uint64_t groups_gone; /* (L) */
    bool splicing;        /* (L) */
    pq_wcolumn *columns;
    pq_wactor *actor; /* one a leaf */
    pq_queue queue;   /* (L) */

    pq_room *room; /* actors and benches: own_room, or one that writers share */
    pq_room own_room;

    pq_log_env env;                                          /* of chunks */
    pq_log_env file_env;                                     /* of those below: always spilled */
    pq_log metadata, blooms, column_indexes, offset_indexes; /* (S) */
    uint64_t indexes_at; /* (S) where the column indexes of the finished file begin */
    int64_t file_rows;   /* (S) */
    uint64_t encoded;    /* (S) */
    int64_t row_groups;  /* (S) */
    bool finished;
} pq_writer;

static inline pq_wgroup *pq_group_at(pq_writer *w, uint64_t group)
{
    return &w->groups[group % PQ_GROUPS];
}

static inline const pq_column_options *pq_leaf_options(const pq_writer *w, uint32_t leaf)
{
    return &w->opts->columns[leaf];
}
static inline bool pq_is_nested(const pq_writer *w, uint32_t column)
{
    return type_is_nested(&w->schema->fields[column].type);
}
static inline const type *pq_leaf_type(const pq_writer *w, uint32_t leaf)
{
    return &w->leaves.at[leaf].field->type;
}

/* Waits for `changed`; NRW_E_CANCELLED once the writer was stopped. Under the lock. */
nrw_status pq_writer_wait(pq_writer *w);
void pq_writer_stop(pq_writer *w);

/* ---- page_queue.c ---- */

/* Gives the pages, just out of the leaf's actor, their slots and takes them over. In the column's
 * turn. */
nrw_status pq_queue_add(pq_writer *w, uint64_t group, uint32_t leaf, pq_page_list *pages,
                        nrw_error *err);
/* Compresses and stores the oldest pages until at most `most` bytes wait. */
nrw_status pq_queue_shrink(pq_writer *w, uint64_t most, nrw_error *err);
/* A page compressed or a chunk spliced; *any: there was something to do. */
nrw_status pq_queue_work(pq_writer *w, bool *any, nrw_error *err);
/* Whether there is work. Under the lock. */
bool pq_queue_any(pq_writer *w);
/* Waits for `changed`, working meanwhile. Under the lock, which is let go. */
nrw_status pq_queue_wait(pq_writer *w, nrw_error *err);
/* turn_wait, working meanwhile. */
nrw_status pq_queue_turn(pq_writer *w, turn *t, uint64_t n, nrw_error *err);
void pq_queue_release(pq_writer *w);

/* ---- writer_append.c ---- */

/* One batch being pushed, or the end of the file. */
typedef struct pq_push {
    pq_writer *w;
    batch *b;
    int64_t first, end; /* its rows in the file */
    pq_page_list pages; /* just out of an actor */
    pq_shred *shred;    /* made for the first nested column */
} pq_push;

void pq_push_release(pq_push *p);
/* A piece of column `c`, in its turn; the actor of a column that is not nested is taken. */
nrw_status pq_append_piece(pq_push *p, uint32_t c, const vector *v, nrw_error *err);
/* Ends the chunk of `rows` rows of a leaf whose actor is taken; of all leaves of a column, taking
 * each for the moment. */
nrw_status pq_finish_chunk(pq_push *p, uint32_t leaf, int64_t rows, nrw_error *err);
nrw_status pq_finish_leaves(pq_push *p, uint32_t c, int64_t rows, nrw_error *err);
/* An actor that was taken is no longer in use. `st` is what it came to; the first failure. */
nrw_status pq_give_actor(pq_push *p, uint32_t leaf, nrw_status st, nrw_error *err);
/* Nulls into a column that has just come. */
nrw_status pq_writer_nulls(pq_writer *w, uint32_t column, int64_t rows, nrw_error *err);

/* ---- writer_add.c ---- */

/* See add_null_column of writer_class. */
nrw_status pq_writer_add(writer *base, const field *f, nrw_error *err);
/* A chunk for a row group that left before its leaf came: *page is all of it, until the bench is
 * used again. Statistics are in memory of w->m, the caller's to free. */
nrw_status pq_null_chunk(pq_writer *w, uint32_t leaf, int64_t rows, pq_bench *b, pq_wchunk *out,
                         span *page, nrw_error *err);

/* ---- row_group_write.c ---- */

/* Gives the page its place. In the column's turn. The page stays the caller's. */
nrw_status pq_group_reserve(pq_writer *w, uint64_t group, uint32_t leaf, const pq_page_out *p,
                            uint32_t *slot, nrw_error *err);
/* Stores a page that was compressed. */
nrw_status pq_group_store(pq_writer *w, const pq_pending *p, span page, uint32_t header_len,
                          nrw_error *err);
/* All pages of the chunk are reserved. In the column's turn. Takes the statistics. */
nrw_status pq_group_chunk_done(pq_writer *w, uint64_t group, uint32_t leaf, pq_chunk_stats *stats,
                               nrw_error *err);
/* Whether the row group that is next in order is complete and nobody is at it. Under the lock. */
bool pq_group_ready(pq_writer *w);
/* Splices one chunk of that row group; *any: it was ready. */
nrw_status pq_group_leave(pq_writer *w, bool *any, nrw_error *err);
void pq_groups_release(pq_writer *w);
/* One data page more has this encoding. */
nrw_status pq_count_encoding(pq_wchunk *c, pq_encoding e, nrw_error *err);
/* Page indexes of a chunk from its records; lengths to *at. (S) */
nrw_status pq_write_indexes(pq_writer *w, uint32_t leaf, const pq_wchunk *c, pq_chunk_place *at,
                            nrw_error *err);

/* ---- writer_room.c ---- */

/* The leaf's actor, in memory and with room for so many more values. In the column's turn. */
nrw_status pq_room_take(pq_writer *w, uint32_t leaf, uint64_t values, nrw_error *err);
nrw_status pq_room_give(pq_writer *w, uint32_t leaf, nrw_error *err);
/* The writer's own room takes the shares of a grant of so many bytes; NRW_E_MEMLIMIT where it is
 * too small. */
nrw_status pq_room_plan(pq_writer *w, uint64_t limit, nrw_error *err);
/* The writer is closed: its actors leave the room. */
void pq_room_leave(pq_writer *w);

/* ---- writer_files.c ---- */

/* A row group is about to be spliced: opens a file where none is open. (S) */
nrw_status pq_file_begin(pq_writer *w, nrw_error *err);
/* One of so many bytes was spliced: the file may end. (S) */
nrw_status pq_file_group(pq_writer *w, uint64_t bytes, nrw_error *err);
/* The last rows are written: ends the file at hand, if any. */
nrw_status pq_file_last(pq_writer *w, nrw_error *err);
/* Encoded bytes of a row group at most. */
uint64_t pq_file_group_bytes(const pq_writer *w);

/* ---- footers.c ---- */

/* A file is finished; its row groups follow in pieces, where they are wanted. */
nrw_status pq_footers_file(parquet_footers *f, const char *path, const file_summary *is,
                           nrw_error *err);
nrw_status pq_footers_piece(parquet_footers *f, span piece, nrw_error *err);
bool pq_footers_wants(const parquet_footers *f);
typedef nrw_status (*pq_footers_visit)(void *self, span piece, nrw_error *err);
nrw_status pq_footers_pieces(const parquet_footers *f, pq_footers_visit visit, void *self,
                             nrw_error *err);

/* ---- footer_write.c ---- */

/* Remembers ColumnMetaData of a chunk, and behind all chunks of a row group what it is. (S) */
nrw_status pq_footer_chunk(pq_writer *w, uint32_t leaf, const pq_wchunk *c,
                           const pq_chunk_place *at, nrw_error *err);
nrw_status pq_footer_group(pq_writer *w, int64_t rows, int64_t start, uint64_t uncompressed,
                           uint64_t compressed, nrw_error *err);
/* Bloom filters, page indexes and footer to the target. */
nrw_status pq_footer_write(pq_writer *w, nrw_error *err);
/* Behind that: the row groups once more, as `_metadata` has them, to the list of files. */
nrw_status pq_footer_collect(pq_writer *w, nrw_error *err);
/* Statistics of a chunk as thrift fields, in memory of w->m; NULL where there are none. */
nrw_status pq_footer_statistics(pq_writer *w, uint32_t leaf, const pq_chunk_stats *s, uint8_t **out,
                                uint32_t *len, nrw_error *err);

#endif
