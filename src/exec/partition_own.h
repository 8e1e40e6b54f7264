/* Partitioned writing inside: see op_partition.c. */
#ifndef EXEC_PARTITION_OWN_H
#define EXEC_PARTITION_OWN_H

#include "base/turn.h"
#include "exec/op_partition.h"
#include "exec/source.h"

#include <pthread.h>

/* ---- partition_keys.c: which rows of a batch belong together ---- */

typedef struct key_group {
    uint64_t hash;
    uint64_t nulls; /* a bit a key */
    uint32_t first; /* row of the keys */
    uint32_t rows;
} key_group;

/* Rows of a batch by their keys: group numbers in order of first appearance. */
typedef struct key_groups {
    mem *m;
    uint32_t most;       /* groups at once */
    const vector *keys;  /* flat; with codes: the entries */
    const vector *codes; /* or NULL; the indices that all keys have, and their nulls */
    uint32_t n_keys;
    uint32_t n, cap, cap_words;
    key_group *at;
    uint64_t *words; /* n_keys a group: its values, or their hashes where they are wider */
    uint32_t *slots; /* group + 1, 0: free */
    uint32_t n_slots;
    uint16_t *of_row;
    uint32_t rows, cap_rows;
} key_groups;

/* Whether keys are functions of one column: dictionaries of as many entries, looked up by the same
 * indices. Then groups are looked for once an entry. */
bool key_groups_coded(const vector *keys, uint32_t n_keys);
/* Groups rows [first, end), or as many of them as make `most` groups: g->rows. What it had is
 * forgotten. All zero before but for m, most and keys, which stay. */
nrw_status key_groups_make(key_groups *g, uint32_t first, uint32_t end, nrw_error *err);
void key_groups_release(key_groups *g);
/* A group's key as bytes that are equal exactly for one partition. */
nrw_status key_groups_bytes(const key_groups *g, uint32_t group, bytes *out, nrw_error *err);
/* Its folder: "a=1/b=2". */
nrw_status key_groups_folder(const key_groups *g, uint32_t group, const field *fields, bytes *out,
                             nrw_error *err);

/* ---- partition_files.c: the files of one folder ---- */

/* What all folders of a dataset share. */
typedef struct files_env {
    mem *m;
    spill *spill;
    const file_maker *maker;
    const file_pattern *names;
    uint64_t file_bytes;
    int64_t file_groups;
    bool row_groups;
    pthread_mutex_t lock; /* the maker's */
} files_env;

typedef struct folder_files {
    files_env *env;
    char *folder; /* "" the dataset's own */
    size_t folder_size;
    parquet_files files;
    parquet_footers *footers;
    bytes path; /* of the file at hand */
    bool numbered;
    uint64_t number; /* of the next file */
} folder_files;

nrw_status folder_files_open(folder_files *f, files_env *env, span folder, nrw_error *err);
/* Takes over the files that are finished already; *rows: of the folder's first ones, so many are in
 * them. Before a writer is opened over the files. */
nrw_status folder_files_keep(folder_files *f, int64_t *rows, nrw_error *err);
/* Of these, what the writer must know that goes on behind them. */
nrw_status folder_files_go_on(folder_files *f, nrw_error *err);
/* All rows of a folder have come, and `left` of those that finished files have are missing. */
nrw_status folder_files_lacks(const folder_files *f, int64_t left, nrw_error *err);
void folder_files_close(folder_files *f);

/* ---- partition_table.c: the direct partitions ---- */

typedef struct direct_part {
    folder_files files;
    uint8_t *key;
    size_t key_len;
    uint64_t hash;
    writer *writer; /* NULL: all rows so far are in finished files */
    uint64_t next;  /* number of its next batch; under the operator's turn, as what follows */
    int64_t kept;   /* rows to come that are in finished files */
} direct_part;

#define PART_NONE UINT32_MAX
#define PART_MOST 256

typedef struct part_table {
    mem *m;
    uint32_t n, most;
    direct_part *at;
    uint32_t *slots; /* part + 1, 0: free */
    uint32_t n_slots;
} part_table;

nrw_status part_table_open(part_table *t, mem *m, uint32_t most, nrw_error *err);
void part_table_release(part_table *t); /* closes writers, too */
uint32_t part_table_find(const part_table *t, span key, uint64_t hash);
/* A new one, without a writer yet; n < most. */
nrw_status part_table_add(part_table *t, files_env *env, span key, uint64_t hash, span folder,
                          uint32_t *out, nrw_error *err);

/* ---- partition_rest.c: rows of the others, sorted by folder ---- */

/* One folder being written, its rows in the hands of one or more workers. */
typedef struct rest_part rest_part;

/* The order in which folders are written and listed, whichever way they are written. */
uint64_t folder_order(span folder);

/* An operator behind the sort. Its batches have the written columns, then the folder's name, and
 * its place in the order. */
typedef struct op_rest {
    op base;
    mem *m;
    files_env *env;
    parquet_room *room;
    uint32_t n_written;
    const _Atomic uint32_t *cancel;
    turn order;       /* of batches, where they are cut into folders */
    rest_part *open;  /* (order) the last folder, whose rows may go on */
    uint64_t folders; /* (order) so far */
    turn list;        /* of folders, as they are listed */
    nrw_status (*listed)(void *self, const char *folder, const parquet_footers *f, nrw_error *err);
    void *self;
    pthread_mutex_t lock; /* what follows, and how far parts are */
    pthread_cond_t changed;
    rest_part *parts;
    bool stopped;
} op_rest;

void op_rest_init(op_rest *o);
/* The last folder has ended. */
nrw_status op_rest_finish(op_rest *o, nrw_error *err);
void op_rest_release(op_rest *o);

/* ---- op_partition.c: the operator ---- */

typedef struct op_partition {
    op base;
    mem *m;
    arena *a;
    partition_spec spec;
    files_env env;
    uint32_t n_taken, *taken;      /* columns of the batch that are keys or written, once each */
    uint32_t *key_at, *written_at; /* among these */
    uint64_t sort_memory;          /* taken from the room once rows are sorted */
    parquet_room *room;
    turn turn;
    pthread_mutex_t lock; /* the two below, while they come */
    op *sort;             /* NULL: no rows to sort so far */
    part_table table;
    _Atomic bool full; /* no partition is added any more */
    uint32_t *by_name; /* direct partitions by folder, once all are known */
    uint32_t listed;   /* of them */
    parquet_footers *files;
} op_partition;

/* ---- partition_rows.c ---- */

/* What a batch has for a direct partition. */
typedef struct part_share {
    uint32_t rows, kept; /* of these so many are in finished files */
    uint32_t start;      /* in `order` */
    uint64_t number;     /* the batch's in its partition */
} part_share;

enum {
    PART_SLICE = 1024, /* groups that are handled at once */
    PART_SORTED = UINT16_MAX
};

/* What a worker does with one batch. Where it has more than PART_SLICE groups, they are made slice
 * by slice of its rows: once to find the direct partitions of all rows, and again for the folders
 * of the others. */
typedef struct part_work {
    op_partition *o;
    batch *b;
    vector *columns; /* taken */
    vector *dealt;   /* of these, once for all partitions: rows by partition; none: .m is NULL */
    vector *keys, codes;
    uint32_t rows, sorted; /* sorted: rows without a direct partition */
    key_groups groups;
    bool whole;                    /* one slice */
    uint16_t of_group[PART_SLICE]; /* direct partitions, or PART_SORTED */
    uint16_t *of_row;              /* the same */
    uint16_t *order;               /* rows by direct partition, rising in each */
    part_share share[PART_MOST];   /* by direct partition */
    bytes key, folder;
} part_work;

/* The slice that begins with row `first`, and where it ends. */
nrw_status part_slice(part_work *w, uint32_t first, uint32_t *end, nrw_error *err);
/* Written columns of these rows, or of all (NULL), as columns of `to`. Before rows are dealt, or
 * with rows that are sorted. */
nrw_status part_take(const part_work *w, const uint16_t *rows, uint32_t n, batch *to,
                     nrw_error *err);

/* One batch, by the worker that carries it. */
nrw_status partition_rows(op_partition *o, batch *b, nrw_error *err);

/* ---- partition_sorted.c ---- */

/* Those of its rows that have no direct partition, with their folders, to the sort. */
nrw_status partition_sort(part_work *w, nrw_error *err);

/* ---- partition_end.c ---- */

/* All batches have come: ends the direct files, writes the sorted rows, lists the files. */
nrw_status partition_end(op_partition *o, nrw_error *err);

#endif
