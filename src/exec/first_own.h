/* Inside of op_first: first_state.c knows which rows are among the first, op_first.c carries
 * batches through, first_late.c has the rows that its memory had no room to decide on. */
#ifndef EXEC_FIRST_OWN_H
#define EXEC_FIRST_OWN_H

#include "base/turn.h"
#include "exec/keyset.h"
#include "exec/op_first.h"

/* A code for every group and for every id that is among some group's first n (keyset), how many ids
 * each group has (counts), and the set of (group, id) pairs that are in (pairs). So it is
 * O(groups x n), whatever the number of ids and rows.
 *
 * Frozen, it takes in no key any more. Of a group that it knows it still tells the rows of ids that
 * are in, and when there are n of those nobody else is; other rows it cannot decide on. */
typedef struct first_state {
    mem *m;
    const first_spec *spec;
    keyset *groups;   /* NULL: all is one group */
    keyset *ids;      /* NULL: rows are counted */
    uint64_t *counts; /* ids (or rows) taken of each group; nobody counts past `first` */
    uint32_t counts_cap;
    uint64_t *pairs;              /* group << 32 | id, plus 1; 0: empty; open addressing */
    uint64_t n_pairs, pair_slots; /* slots: a power of two */
    bool freezes;                 /* when its account is full; else that is an error */
    bool frozen;
} first_state;

/* The selection under construction; `from` is the one the batch came with. */
typedef struct picking {
    uint16_t *out;
    uint32_t n;
    const uint16_t *from;
    uint32_t n_from, at; /* next of `from` */
    uint8_t *late;       /* a bit for each row that nobody can decide on yet; NULL: none */
} picking;

enum { FIRST_LATE_BYTES = BATCH_MAX_ROWS / 8 };

nrw_status first_state_open(first_state *s, size_t remember, nrw_error *err) NRW_CHECKED;
void first_state_close(first_state *s);
/* Forgets all keys. */
nrw_status first_state_clear(first_state *s, nrw_error *err) NRW_CHECKED;
/* Gets ready to look at rows of the batch. */
nrw_status first_state_begin(first_state *s, batch *b, nrw_error *err) NRW_CHECKED;
/* Rows of the batch that are among the first, in rising order. p->out has room for them. */
nrw_status first_state_pick(first_state *s, batch *b, picking *p, nrw_error *err) NRW_CHECKED;
/* The same of one row, of a group of which `taken` ids were in before it was known here. */
nrw_status first_state_pick_one(first_state *s, picking *p, uint32_t row, uint32_t taken,
                                nrw_error *err) NRW_CHECKED;
/* How many ids of the row's group are in; *known: the group has a code. */
nrw_status first_state_taken(first_state *s, uint32_t row, uint32_t *taken, bool *known,
                             nrw_error *err) NRW_CHECKED;
/* The status, with how far it came. */
nrw_status first_state_explain(const first_state *s, nrw_status st, nrw_error *err);

/* Rows that were not decided on, and those that come behind them, wait in the spill file: sorted by
 * group, then by place; each with its place in the input (twice that, and one more where it is
 * among the first), behind its columns. What stays of them is sorted by place again. */
typedef struct first_late {
    op base; /* the operator behind the rows by group */
    struct op_first *of;
    turn turn;
    op *by_group, *by_place;
    first_state state; /* of few groups at a time */
    source groups, rows;
    bool groups_ended, rows_ended;
} first_late;

typedef struct op_first {
    op base;
    mem *m;
    first_spec spec;
    turn turn;
    first_state state;
    first_late late;
} op_first;

/* What each of its sorts has. */
uint64_t first_late_sort(uint64_t late);
/* With spec.late bytes, of m. `a` keeps layouts. */
nrw_status first_late_open(arena *a, op_first *o, spill *s, nrw_error *err) NRW_CHECKED;
void first_late_close(first_late *l);
/* The batch's alive rows go to the late ones; its columns are dropped. NULL: none waits. */
nrw_status first_late_take(first_late *l, batch *b, const uint8_t *waits,
                           nrw_error *err) NRW_CHECKED;

#endif
