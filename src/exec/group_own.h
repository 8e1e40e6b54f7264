/* Inside of GROUP BY: op_group.c makes and ends it, group_taking.h is how rows come to their
 * groups, group_spill.c sends tables away and reads them back, group_pass.c sends rows away that a
 * table would not put together, group_source.c puts partitions together, group_marked.c lets groups
 * leave that are complete before all rows came. */
#ifndef EXEC_GROUP_OWN_H
#define EXEC_GROUP_OWN_H

#include "exec/group_table.h"
#include "exec/op_group.h"
#include "io/spill_chain.h"

#include <pthread.h>

#define GROUP_BITS       8u
#define GROUP_PARTITIONS (1u << GROUP_BITS) /* by the upper bits of the hash */
#define GROUP_BLOCK      (64u << 10)        /* bytes of a block in the spill file, at most */
#define GROUP_SLICE      1024u
#define GROUP_MORSEL     8192u /* groups that leave together, about */
#define GROUP_KEPT       2u    /* the null, and the key that is the mark */

/* Blocks of the spill file with rows of one stretch of hashes. */
typedef struct group_part {
    spill_chain blocks;
    uint64_t bytes;
    uint64_t first; /* least hash */
    uint32_t bits;  /* upper bits of the hash that all have in common */
} group_part;

/* What a worker has: rows it took in, later the partition it puts together. */
typedef struct group_worker {
    mem *m;
    group_table table;
    rows scratch;
    bytes out; /* a block on its way to the spill file */
    bool lone; /* without keys: the one group is there */
    uint8_t *one;
    uint64_t came;    /* rows since the table was empty */
    uint64_t passing; /* so many rows more are not looked up */
    bytes *outs;      /* GROUP_PARTITIONS blocks of such rows; NULL: there were none */
    /* putting together */
    group_part *stack;
    uint32_t n_stack, cap_stack;
    rows read; /* rows of blocks that were read back */
    group_table *walked;
    uint64_t at;
    bool ready;
} group_worker;

typedef struct op_group {
    op base;
    source source;
    mem *m; /* of all of it, limited to spec.memory */
    group_spec spec;
    group_shape shape;
    uint32_t *results; /* where the state of each of spec.aggregates begins in a row */
    uint32_t n_in;
    uint32_t hang; /* bytes a row may hang from its states, about; 0: states hang nothing */
    bool placed;   /* states look at the ordinals of rows */
    group_worker *workers;
    spill *spill;
    pthread_mutex_t lock; /* guards what follows */
    group_part *parts;    /* GROUP_PARTITIONS of them; NULL: nothing was spilled */
    uint32_t bits;        /* of the hash that the source's morsels go by */
    uint32_t next_part;
    /* with marks */
    const key_mark *mark; /* groups below it leave; NULL: all */
    const key_mark *passed;
    uint8_t *kept[GROUP_KEPT]; /* rows of groups that go on behind it; NULL: none */
} op_group;

/* From rows to a state of theirs, and back. */
static inline void group_shift(uint8_t **rows, uint32_t n, ptrdiff_t by)
{
    for (uint32_t i = 0; i < n; i++)
        rows[i] += by;
}

/* Rows have come: tables are ready for the source. */
nrw_status group_settle(op_group *o, nrw_error *err);
/* What a worker's table and what is read back may take. */
uint64_t group_share(const op_group *o);
/* Of rows[0..*n) those that leave, *n of them; the others are kept. */
nrw_status group_leaving(op_group *o, uint8_t **rows, uint32_t *n, nrw_error *err);
void group_kept_free(op_group *o);

/* All groups of w's table to the spill file; the table is empty then. */
nrw_status group_flush(op_group *o, group_worker *w, nrw_error *err);
/* A row as it is written, behind `out`; its states stay. */
nrw_status group_save_row(const group_shape *s, const uint8_t *row, bytes *out, nrw_error *err);
/* How long blocks are so that n of a worker under construction take half of its share. */
size_t group_block_bytes(const op_group *o, uint32_t n);
/* Room for a row of `more` bytes in a block of `part` under construction: one that would get longer
 * than `block` for it is ended before; 0: one that a long row made longer. */
nrw_status group_block_room(op_group *o, bytes *out, group_part *part, uint64_t more, size_t block,
                            nrw_error *err);
/* Ends the block in `out`, which is empty then. */
nrw_status group_write_block(op_group *o, bytes *out, group_part *part, nrw_error *err);

/* Before a table is emptied into the spill file: where it found next to nothing to put together,
 * the rows that come next pass it by. */
void group_pass_judge(const op_group *o, group_worker *w);
/* Rows of shape->layout with their states to the spill file, equal pointers side by side once; the
 * states are dropped, in any case. */
nrw_status group_pass(op_group *o, group_worker *w, uint8_t *const *rows, uint32_t n,
                      nrw_error *err);
/* What is left of them. */
nrw_status group_pass_end(op_group *o, group_worker *w, nrw_error *err);
void group_pass_free(group_worker *w);
/* Cuts a part by the next `bits` of its hashes into `out` (1 << bits of them, all zero), and frees
 * its blocks. */
nrw_status group_split(op_group *o, group_worker *w, group_part *part, uint32_t bits,
                       group_part *out, nrw_error *err);
/* The groups of a part into w's table. */
nrw_status group_load(op_group *o, group_worker *w, group_part *part, nrw_error *err);
void group_part_free(op_group *o, group_part *part);
/* Of the partition that w puts together out of tables in memory, if any. */
void group_merged_free(op_group *o, group_worker *w);

extern const source_class group_source_class;

#endif
