/* Inside of op_first: what becomes of rows once its state is full.
 *
 * From then on all rows that are not dropped at once are numbered in the order of the input and
 * wait in the spill file (first_wait). The keys of those that nobody could decide on go to parts by
 * the hashes of their groups (first_keys); when all rows have come, each part is decided on by a
 * state of its groups alone, and rows that stay leave marks at their numbers (first_marks). Then
 * the rows come back, in order, and leave by their marks. Nothing is sorted: numbers rise in
 * whatever is written. */
#ifndef EXEC_FIRST_LATE_H
#define EXEC_FIRST_LATE_H

#include "exec/cancel.h"
#include "exec/rows.h"
#include "io/spill_chain.h"

/* ---- rows that wait ---- */

/* Those of one worker, whose batches come in the order of the input. A row's word of the hash is
 * how far its number is from the row's before, twice, and whether it has to have a mark. */
typedef struct first_wait {
    mem *m;
    spill *spill;
    const row_layout *layout;
    rows rows;          /* the block under construction, or the one that is read */
    bytes scratch;      /* it packed */
    spill_chain blocks; /* turned round when they are read */
    uint64_t number;    /* of the row that came last, or is next */
    uint8_t *row;       /* the next one; NULL: there is none */
    bool late;          /* it has to have a mark */
    span block;
    size_t at; /* behind `row` */
} first_wait;

/* All of m; the layout stays. */
first_wait first_wait_of(const row_layout *l, mem *m, spill *s);
void first_wait_release(first_wait *w);
/* All rows of cols (a vector a column), numbered from `number` on. late: a bit for each row of
 * their batch, of which sel names those that these are (NULL: all); NULL: none is late. More is
 * charged to m meanwhile. */
nrw_status first_wait_put(first_wait *w, vector *cols, uint64_t number, const uint16_t *sel,
                          const uint8_t *late, mem *m, nrw_error *err) NRW_CHECKED;
/* What is not written yet is, and the memory free; then w is at the first row. */
nrw_status first_wait_end(first_wait *w, nrw_error *err) NRW_CHECKED;
nrw_status first_wait_begin(first_wait *w, nrw_error *err) NRW_CHECKED;
/* The row before is gone then. */
nrw_status first_wait_next(first_wait *w, nrw_error *err) NRW_CHECKED;

/* ---- keys ---- */

#define FIRST_PARTS_BITS 8u
#define FIRST_PARTS      (1u << FIRST_PARTS_BITS)
#define FIRST_KEYS       1024u /* rows at a time, at most */

typedef struct first_part {
    bytes rows; /* that are not written yet */
    spill_chain blocks;
} first_part;

/* A part to decide on. */
typedef struct first_task {
    spill_block blocks; /* a folded chain, the first block to be taken first */
    uint32_t shift;     /* by the bits of the hash from here on it is dealt further */
} first_task;

/* Rows of the columns of groups, then those of ids. The word of the hash is the row's number, the
 * owner's how many ids of the group were in before. Within a part numbers rise. */
typedef struct first_keys {
    mem *m;
    spill *spill;
    row_layout layout;
    uint32_t n_per; /* columns of the group */
    uint32_t shift; /* rows are dealt by the bits of the hash from here on */
    size_t block;   /* bytes of a block's rows */
    first_part *parts;
    uint64_t *hashes; /* of FIRST_KEYS rows */
    uint8_t **at;     /* and where they are */
    rows rows;
    bytes scratch, key;
    first_task *tasks;
    uint32_t n_tasks, cap_tasks;
} first_keys;

/* memory: for blocks of all parts, about; not allocated before something is put. */
first_keys first_keys_of(const row_layout *l, uint32_t n_per, uint64_t memory, mem *m, spill *s);
void first_keys_release(first_keys *k);
/* Rows [0, n) of cols, n at most FIRST_KEYS, with their numbers. taken NULL: all 0. */
nrw_status first_keys_put(first_keys *k, const vector *const *cols, uint32_t n,
                          const uint64_t *numbers, const uint32_t *taken,
                          nrw_error *err) NRW_CHECKED;
/* The same of rows that were read, at k->at[which[0..n)], of all of which these are the columns. */
nrw_status first_keys_again(first_keys *k, const vector *const *cols, uint32_t rows,
                            const uint16_t *which, uint32_t n, const uint32_t *taken,
                            nrw_error *err) NRW_CHECKED;
/* All that was put becomes parts to decide on. */
nrw_status first_keys_end(first_keys *k, nrw_error *err) NRW_CHECKED;
/* The next part, whose chain is the caller's; what is put from then on is dealt by further bits.
 * NRW_END: there is none. */
nrw_status first_keys_part(first_keys *k, spill_chain *out, nrw_error *err) NRW_CHECKED;
/* The rows of its next block are at k->at[0..*n). NRW_END: there is none. */
nrw_status first_keys_read(first_keys *k, spill_chain *part, uint32_t *n,
                           nrw_error *err) NRW_CHECKED;

/* ---- marks ---- */

typedef struct first_bucket {
    bytes numbers; /* distances, of which the first is from the bucket's begin */
    uint64_t last;
    spill_chain blocks;
} first_bucket;

/* A set of numbers below n: a bitmap; or where that is too large, buckets of near numbers in the
 * spill file, and the bitmap of one of them at a time. */
typedef struct first_marks {
    mem *m;
    spill *spill;
    uint64_t n;
    uint8_t *bits;
    first_bucket *buckets; /* NULL: the bitmap is of all */
    uint32_t n_buckets;
    uint32_t shift; /* 1 << shift numbers a bucket */
    size_t block;   /* bytes of a bucket's numbers that are written at a time */
    uint64_t open;  /* whose numbers the bitmap is of */
    bytes read;
} first_marks;

/* memory: of the bitmap, and of the buckets' blocks as much, about. Also after a failed open it is
 * to be released. */
nrw_status first_marks_open(first_marks *f, uint64_t n, uint64_t memory, mem *m, spill *s,
                            nrw_error *err) NRW_CHECKED;
void first_marks_release(first_marks *f);
nrw_status first_marks_put(first_marks *f, uint64_t number, nrw_error *err) NRW_CHECKED;
/* When all are put; asked for rising numbers. */
nrw_status first_marks_has(first_marks *f, uint64_t number, bool *has, nrw_error *err) NRW_CHECKED;

#endif
