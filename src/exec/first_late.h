/* Inside of op_first: what becomes of rows once its state is full.
 *
 * From then on all rows that are not dropped at once are numbered in the order of the input and
 * wait in the spill file (first_wait). The keys of those that nobody could decide on go to parts by
 * the hashes of their groups (first_keys); when all rows have come, each part is decided on by a
 * state of its groups alone: rows that stay leave marks at their places in the part (first_marks),
 * which become a bit for each of its rows (first_answers). Then the rows come back, in order, and
 * each asks its part for the next bit. Nothing is sorted, and no key says where its row is: rows
 * of a part come in one order, however often they come. */
#ifndef EXEC_FIRST_LATE_H
#define EXEC_FIRST_LATE_H

#include "exec/cancel.h"
#include "exec/rows.h"
#include "io/spill_chain.h"

/* ---- rows that wait ---- */

/* Those of one worker, whose batches come in the order of the input. A row's word of the hash is
 * how far its number is from the row's before, twice, and whether its part is to be asked. */
typedef struct first_wait {
    mem *m;
    spill *spill;
    const row_layout *layout;
    rows rows;          /* the block under construction, or the one that is read */
    bytes scratch;      /* it packed */
    spill_chain blocks; /* turned round when they are read */
    uint64_t number;    /* of the row that came last, or is next */
    uint8_t *row;       /* the next one; NULL: there is none */
    bool late;          /* its part is to be asked */
    span block;
    size_t at;                    /* behind `row` */
    uint64_t *hashes;             /* of the groups of some rows of the block */
    uint32_t n_hashes, next_hash; /* so many; which of them is of `row` */
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
/* The hash of the row's group, whose columns are per[0..n_per). m: what is needed meanwhile. */
nrw_status first_wait_hash(first_wait *w, const uint32_t *per, uint32_t n_per, mem *m,
                           uint64_t *out, nrw_error *err) NRW_CHECKED;

/* ---- keys ---- */

#define FIRST_PARTS_BITS 9u
#define FIRST_PARTS      (1u << FIRST_PARTS_BITS)
#define FIRST_KEYS       1024u                 /* rows at a time, at most */
#define FIRST_KEYS_LEAST ((uint64_t)768 << 10) /* memory of blocks of all parts */

typedef struct first_part {
    bytes rows; /* that are not written yet */
    spill_chain blocks;
    uint64_t n; /* rows */
} first_part;

/* A part to decide on. */
typedef struct first_task {
    spill_block blocks; /* a folded chain, the first block to be taken first */
    uint32_t shift;     /* by the bits of the hash from here on it is dealt further */
    uint32_t part;      /* of the first dealing: it is all of that, or was left of it */
    bool all;
    uint64_t n; /* rows */
} first_task;

/* Rows of the columns of groups, then those of ids, in the order they came. The owner's word is how
 * many ids of the group were in before; the word of the hash, once rows are dealt again, their
 * place in the first part. */
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
    bool again;    /* what is put was put before */
    uint32_t part; /* into this one */
} first_keys;

/* memory: for blocks of all parts, about; not allocated before something is put. */
first_keys first_keys_of(const row_layout *l, uint32_t n_per, uint64_t memory, mem *m, spill *s);
void first_keys_release(first_keys *k);
/* Rows [0, n) of cols, n at most FIRST_KEYS. taken NULL: all 0. */
nrw_status first_keys_put(first_keys *k, const vector *const *cols, uint32_t n,
                          const uint32_t *taken, nrw_error *err) NRW_CHECKED;
/* The same of rows that were read, at k->at[which[0..n)], of all of which these are the columns;
 * their places are told. */
nrw_status first_keys_again(first_keys *k, const vector *const *cols, uint32_t rows,
                            const uint16_t *which, uint32_t n, const uint32_t *taken,
                            nrw_error *err) NRW_CHECKED;
/* All that was put becomes parts to decide on. `memory`: for blocks from now on. */
nrw_status first_keys_end(first_keys *k, uint64_t memory, nrw_error *err) NRW_CHECKED;
/* The next part, whose chain is the caller's; what is put from then on is dealt by further bits,
 * and comes before the next part of the first dealing. NRW_END: there is none. */
nrw_status first_keys_part(first_keys *k, first_task *out, nrw_error *err) NRW_CHECKED;
/* The rows of its next block are at k->at[0..*n). NRW_END: there is none. */
nrw_status first_keys_read(first_keys *k, spill_chain *part, uint32_t *n,
                           nrw_error *err) NRW_CHECKED;
/* Hashes of rows [0, n) of the columns of a group, as parts are dealt by them; `key` is scratch. */
nrw_status first_keys_hash(const vector *const *cols, uint32_t n_cols, uint32_t n, bytes *key,
                           uint64_t *hashes, nrw_error *err) NRW_CHECKED;
static inline uint32_t first_part_of(uint64_t hash)
{
    return (uint32_t)(hash >> (64 - FIRST_PARTS_BITS));
}

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

/* ---- answers ---- */

typedef struct first_answer {
    spill_chain blocks; /* of bits */
    uint8_t *bits;      /* the one that is open: n, of which at were given */
    uint32_t n, at;
} first_answer;

/* Of each part a bit for each of its rows, in order. */
typedef struct first_answers {
    mem *m;
    spill *spill;
    size_t block; /* bytes */
    first_answer *parts;
} first_answers;

/* memory: for blocks of all parts, about; all of m. Also after a failed open it is to be
 * released. */
nrw_status first_answers_open(first_answers *a, uint64_t memory, mem *m, spill *s,
                              nrw_error *err) NRW_CHECKED;
void first_answers_release(first_answers *a);
/* Those of a part of n rows, all at once. */
nrw_status first_answers_put(first_answers *a, uint32_t part, first_marks *marks, uint64_t n,
                             nrw_error *err) NRW_CHECKED;
/* The next one of a part. */
nrw_status first_answers_next(first_answers *a, uint32_t part, bool *yes,
                              nrw_error *err) NRW_CHECKED;

#endif
