/* Inside of GROUP BY: op_group.c makes and ends it, group_taking.h is how rows come to their
 * groups, group_spill.c sends tables away and reads them back, group_shared.c has one table for
 * each group, group_pass.c sends rows away that a table would not put together, group_bare.c has
 * their arguments go along, group_parts.c puts parts together, group_kept.c finishes groups that
 * have no room, group_source.c lets them leave. With marks: group_runs.c makes groups of rows that
 * follow each other, group_stretch.c gathers those of a stretch, group_leave.c lets them leave,
 * group_marked.c carries them there. */
#ifndef EXEC_GROUP_OWN_H
#define EXEC_GROUP_OWN_H

#include "base/turn.h"
#include "exec/group_book.h"
#include "exec/group_table.h"
#include "exec/op_group.h"
#include "io/spill_chain.h"

#include <pthread.h>

#define GROUP_BITS       8u
#define GROUP_PARTITIONS (1u << GROUP_BITS) /* by the upper bits of the hash */
#define GROUP_BLOCK      (64u << 10)        /* bytes of a block in the spill file, at most */
#define GROUP_SLICE      1024u              /* rows that are grouped at a time */
#define GROUP_NEAR       (1u << 20)         /* bytes of such groups */
#define GROUP_CHUNK      4096u              /* rows that an owner of a shared table gets, about */
#define GROUP_RUNS       8192u              /* rows that are looked for runs at a time */
#define GROUP_MORSEL     8192u              /* groups that leave together, about */
#define GROUP_LEAVE      2048u /* the same where much may hang from each, and between marks */
#define GROUP_CUT_BITS   4u    /* a part is cut by so many bits more, at most */
#define GROUP_CUT        (1u << GROUP_CUT_BITS)

/* Blocks of the spill file with rows of one stretch of hashes. */
typedef struct group_part {
    spill_chain blocks;
    uint64_t bytes, rows;
    uint64_t first; /* least hash */
    uint32_t bits;  /* upper bits of the hash that all have in common */
    uint64_t hash;  /* of its rows, where they do not */
    bool differ;    /* else it is one group, most likely */
} group_part;

/* Parts to be put together, the one whose groups leave first at the end. */
typedef struct group_todo {
    group_part *at;
    uint32_t n, cap;
} group_todo;

/* Where one part at a time is put together, or cut. A part on its way out belongs to all workers:
 * they take stretches of its table's slots, a morsel each. Guarded by the operator's lock. */
enum { SEAT_FREE, SEAT_CUTS, SEAT_LOADS, SEAT_LEAVES, SEAT_GIVEN /* all slots are, to morsels */ };

typedef struct group_seat {
    uint32_t state;
    bool wide;           /* no other part has a seat */
    uint64_t first;      /* its part's */
    uint64_t next, step; /* slot that the next morsel begins at; slots of one */
    uint32_t most;       /* groups of a batch */
    uint32_t users;      /* morsels that have not left yet */
} group_seat;

/* ---- between two marks ----
 *
 * A stretch is what lies between two marks. Its groups are rows of shape->layout, in the order of
 * the input, and one key may come in several of them. The word of a row that is free for its owner
 * says whether the row is gone: its states are then in another one. */

enum { GROUP_NULL, GROUP_PASSED, GROUP_MARK, GROUP_ASIDE };

typedef struct group_list {
    rows rows;
    bool hashed; /* its rows have their hash */
} group_list;

typedef struct group_walk {
    uint32_t block, at;
} group_walk;

typedef struct group_stretch {
    uint32_t number;    /* marks before it */
    rows heads;         /* groups of the marks before it, complete when it is */
    uint8_t *head;      /* the last of them; NULL: there is none */
    group_part spilled; /* what lies before the lists */
    group_list *lists;
    uint32_t n, cap;
    uint64_t bytes;     /* of the lists */
    uint8_t *last;      /* row of the lists that the next one may belong to; NULL: none */
    bool mixed;         /* its key falls somewhere, or stays while others change */
    bool at_mark;       /* so far that the mark itself came */
    rows next;          /* the group of the mark behind it */
    uint8_t *next_head; /* that one; NULL: none */
} group_stretch;

/* A stretch on its way out. */
typedef struct group_leaving {
    group_stretch s;
    uint32_t phase, list;
    group_walk walk;
    uint64_t bulk; /* of the groups that are about to leave */
} group_leaving;

/* What a worker has: rows it took in, later a seat, which any worker may use. */
typedef struct group_worker {
    pthread_mutex_t lock; /* where tables may be shared, while rows come: of its table and what goes
                             with it */
    bool spread;          /* its table has no more than its part of the hashes */
    mem *m;
    group_table table;
    group_book book;
    rows scratch;
    bytes out; /* a block on its way to the spill file */
    bool lone; /* without keys: the one group is there */
    uint8_t *one;
    uint64_t came;    /* rows since the table was empty */
    uint64_t passing; /* so many rows more are not looked up */
    uint32_t alone;   /* tables that found next to nothing to put together, one after the other */
    bytes *outs;      /* GROUP_PARTITIONS blocks of such rows; NULL: there were none */
    /* putting together */
    group_seat seat;
    rows read;    /* rows of blocks that were read back */
    bool goes_on; /* the last of them: the rest of its states is in the next block */
    group_table *walked;
    group_part
        kept; /* of it, where states are finished from what was saved of them (group_kept.c) */
    /* the morsel at hand */
    struct group_worker *from; /* whose seat */
    uint64_t at, end;          /* slots */
    /* with marks: of the morsel at hand */
    bool begun;
    bool turn;        /* has the operator's turn */
    bool mixed;       /* its keys do not rise: they go to the table */
    uint32_t stretch; /* its number */
    rows runs;        /* groups as they came, keys rising */
    uint8_t *first_run, *last_run;
    uint8_t *aside[GROUP_ASIDE]; /* rows that do not leave with the others, in `runs` or the table,
                                    where they are gone */
    bool leaves;
    group_leaving leaving; /* the stretch before, where this morsel begins another */
    group_todo todo;       /* of it */
} group_worker;

typedef struct op_group {
    op base;
    source source;
    mem *m; /* of all of it, limited to spec.memory */
    group_spec spec;
    group_shape shape;
    uint32_t *results; /* where the state of each of spec.aggregates begins in a row */
    uint32_t n_in;
    uint32_t hang; /* bytes a row may hang from its states besides texts; 0: states hang nothing */
    bool copies;   /* some of it grows by copies */
    bool placed;   /* states look at the ordinals of rows */
    bool shares;   /* tables may be shared */
    _Atomic bool shared;
    group_worker *workers;
    spill *spill;
    pthread_mutex_t lock; /* guards what follows */
    group_part *parts;    /* GROUP_PARTITIONS of them; NULL: nothing was spilled */
    /* of the source */
    pthread_cond_t changed; /* a seat is free, a part cut or put together */
    bool stopped;
    bool merges; /* nothing was spilled: parts are stretches of the workers' tables */
    group_todo todo;
    uint64_t morsels; /* given out so far */
    /* with marks */
    turn turn; /* guards `current` and `null` */
    uint64_t first_morsel;
    group_stretch current;
    rows nulls;
    uint8_t *null;               /* the group of the null; NULL: none came */
    _Atomic uint32_t mixed_hint; /* number of the last stretch seen to be mixed, and one */
    bool rest;                   /* all rows came: what is left leaves */
} op_group;

/* Whose source it is. */
static inline op_group *group_of(source *s)
{
    return (op_group *)(void *)((char *)s - offsetof(op_group, source));
}

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
/* All that w's table holds goes elsewhere, so that there is room; b: the batch at hand. */
nrw_status group_send_away(op_group *o, group_worker *w, const batch *b, nrw_error *err);
/* With marks: what a worker may take of the operator's room while all others do the same, half of
 * it for its rows, half for what hangs from states. */
uint64_t group_fair_room(const op_group *o);
/* What w's rows, and without marks what hangs from their states, may take more before they are to
 * be sent away. */
uint64_t group_room(const op_group *o, const group_worker *w);
/* Whether it is time for w's table to become one of those that all share. */
bool group_begins_sharing(const op_group *o, const group_worker *w);
/* Before w takes rows, without any lock: *share, whether they go to all tables. */
nrw_status group_sharing(op_group *o, group_worker *w, bool *share, nrw_error *err);
/* What a group's results take, about, besides what every group takes. Groups leave together until
 * it is GROUP_BULK. */
#define GROUP_BULK ((uint64_t)1 << 20)
uint64_t group_bulk(const op_group *o, uint8_t *row);
/* rows[0..n) become the batch's columns. w: in whose seat they are; NULL: in none. */
nrw_status group_leave(op_group *o, group_worker *w, batch *b, uint8_t **rows, uint32_t n,
                       nrw_error *err);

/* Parts more, whose blocks are the list's then, also on failure; those without any are left out. */
nrw_status group_todo_add(op_group *o, group_todo *t, group_part *parts, uint32_t n,
                          nrw_error *err);
void group_todo_free(op_group *o, group_todo *t);
/* Whether a part is too large to be put together by a worker. */
bool group_is_cut(const op_group *o, const group_part *part);
/* Whether it is, and cannot be cut: it is put together while no other part is. */
bool group_is_wide(const op_group *o, const group_part *part);
/* Cuts one, which is gone then, into `out` (GROUP_CUT of them, which need not be set): *n. */
nrw_status group_cut(op_group *o, group_worker *w, group_part *part, group_part *out, uint32_t *n,
                     nrw_error *err);
/* A part, which is gone then: its groups are w->walked, in order. */
nrw_status group_put_together(op_group *o, group_worker *w, group_part *part, nrw_error *err);
/* Without spilled parts: what the workers' tables have of a stretch of hashes. */
nrw_status group_merge_tables(op_group *o, group_worker *w, const group_part *part, nrw_error *err);
/* w->walked is free again, and all that is left of its groups. */
void group_walked_free(op_group *o, group_worker *w);
/* A table for w->walked that has no rows of its own. */
nrw_status group_merged_new(op_group *o, group_worker *w, nrw_error *err);

/* All groups of w's table to the spill file; the table is empty then. */
nrw_status group_flush(op_group *o, group_worker *w, nrw_error *err);
/* A row as it is written, behind `out`; where its states are long in several pieces, each a row of
 * its own that ends a block of `part`, of about `block` bytes. What is saved is gone from the row.
 */
nrw_status group_save_row(op_group *o, uint8_t *row, bytes *out, group_part *part, size_t block,
                          nrw_error *err);
/* How long blocks are so that n of a worker under construction take half of its share. */
size_t group_block_bytes(const op_group *o, uint32_t n);
/* n for a table that is sent away, one block at a time: so small a part of the share is free when
 * it is full. */
#define FLUSH_BLOCKS 16u
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
 * states are dropped, in any case. Or bare ones as they are. */
nrw_status group_pass(op_group *o, group_worker *w, uint8_t *const *rows, uint32_t n,
                      nrw_error *err);
/* What is left of them. */
nrw_status group_pass_end(op_group *o, group_worker *w, nrw_error *err);
void group_pass_free(group_worker *w);
/* Cuts a part by the next `bits` of its hashes into `out` (1 << bits of them), and frees its
 * blocks. */
nrw_status group_split(op_group *o, group_worker *w, group_part *part, uint32_t bits,
                       group_part *out, nrw_error *err);
/* How the blocks of a part are read: its rows are adopted where they lie; copied, block by block,
 * since most of them become few groups; the same, but the blocks stay where they are, and states
 * that can do without are not loaded. */
enum { GROUP_ADOPT, GROUP_COPY, GROUP_KEEP };
/* The groups of a part into w's table. */
nrw_status group_load(op_group *o, group_worker *w, group_part *part, int how, nrw_error *err);

/* ---- bare rows ---- */

/* Columns [shape.keys.n, n_in) of the input have these types, NULL: it has none that is used. Finds
 * whether rows may be bare. */
nrw_status group_bare_shape(arena *a, op_group *o, const type *const *types, nrw_error *err);
/* Whether a row has its arguments where its states will be. */
static inline bool group_is_bare(const uint8_t *row)
{
    return load_u32(row + 4) >> 31;
}
/* Bare rows, which have nothing else to tell them apart from their groups, into w's table, which
 * keeps them where `copy` is not asked for. */
nrw_status group_bare_take(op_group *o, group_worker *w, uint8_t **rows, uint32_t n, bool copy,
                           nrw_error *err);

/* ---- a part kept ---- */

/* Whether there are states that need not be loaded. */
bool group_keeps(const op_group *o);
/* The result of spec.aggregates[k], which is such a one, for the group of a row of w->walked. */
nrw_status group_finish_kept(op_group *o, group_worker *w, uint32_t k, const uint8_t *row, mem *m,
                             vector *out, nrw_error *err);
/* The block of a part that *walk comes to, a copy of its chain; the block stays. NRW_END: none. */
nrw_status group_see_block(op_group *o, group_worker *w, spill_chain *walk, span *out,
                           nrw_error *err);
/* The row at *at of a block, which moves on; saved[i]: what was saved of aggregate i. */
nrw_status group_next_row(const group_shape *s, span block, size_t *at, uint8_t **row, span *saved,
                          nrw_error *err);

void group_part_free(op_group *o, group_part *part);
/* Of the partition that w puts together out of tables in memory, if any. */
void group_merged_free(op_group *o, group_worker *w);

extern const source_class group_source_class;

/* ---- with marks ---- */

static inline bool group_gone(const uint8_t *row)
{
    return load_u32(row + 4);
}
static inline void group_go(uint8_t *row)
{
    store_u32(row + 4, 1);
}
/* The next row that is not gone; false: none is left. */
bool group_walk_next(const rows *r, group_walk *w, uint8_t **row);

/* In the order of the marks: < 0 where the marked key of x comes before that of y. Neither is
 * null. */
int group_key_order(const op_group *o, const uint8_t *x, const uint8_t *y);
static inline bool group_key_is_null(const op_group *o, const uint8_t *row)
{
    return !row_has(&o->shape.layout, row, o->spec.marked_key);
}
bool group_same_key(const op_group *o, const uint8_t *x, const uint8_t *y);
/* NRW_E_CORRUPT: the statistics that marks come from are wrong. */
nrw_status group_wrong(const op_group *o, nrw_error *err);

/* The mark that a stretch begins with and that it ends with; NULL: there is none. */
const key_mark *group_mark_before(const op_group *o, uint32_t stretch);
const key_mark *group_mark_behind(const op_group *o, uint32_t stretch);
/* Sees that w's rows lie between the marks, and puts aside what does not leave with the others. */
nrw_status group_check_marks(op_group *o, group_worker *w, nrw_error *err);
/* What is to stay free where something may hang from states. */
uint64_t group_reserve(const op_group *o);
/* w's rows to the stretch, under the turn. */
nrw_status group_hand_over(op_group *o, group_worker *w, nrw_error *err);
/* The hash that rows[0..n) have as keys; m: for what is needed meanwhile. */
nrw_status group_hash_rows(op_group *o, uint8_t *const *rows, uint32_t n, mem *m, nrw_error *err);
nrw_status group_stretch_spill(op_group *o, group_worker *w, group_stretch *s, nrw_error *err);
/* The group that goes on behind `from`, if any, to `to`, which comes next. */
nrw_status group_stretch_follow(op_group *o, group_stretch *from, group_stretch *to,
                                nrw_error *err);
void group_stretch_init(const op_group *o, group_stretch *s, uint32_t number);
void group_stretch_free(op_group *o, group_stretch *s);
/* As group_send_away: w's rows go to the stretch. */
nrw_status group_marked_send(op_group *o, group_worker *w, const batch *b, nrw_error *err);
/* Drops a list's states and frees it. */
void group_rows_free(op_group *o, rows *r);

/* The next groups of w->leaving: *n of them, GROUP_LEAVE at most, good until the next call; *more:
 * call again. */
nrw_status group_leaving_next(op_group *o, group_worker *w, mem *m, uint8_t **rows, uint32_t *n,
                              bool *more, nrw_error *err);
void group_leaving_free(op_group *o, group_worker *w);

void group_close(op *o);
/* What w has of a morsel, and of a stretch that leaves. */
void group_marked_close(op_group *o, group_worker *w);
extern const op_class group_marked_class;
extern const source_class group_rest_class;

#endif
