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
/* The same keys stand in other columns of the batches that come now. */
void first_state_move(first_state *s, const first_spec *spec);
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

/* Once the state is full all rows that are not dropped at once wait in the spill file, sorted by
 * place; and of those that were not decided on the keys, sorted by group, then by place. Of these
 * the ones that are among the first leave marks, which are sorted to right before their rows. */
typedef struct first_late {
    op decide; /* behind the keys by group */
    op sift;   /* behind rows and marks by place */
    struct op_first *of;
    turn deciding, sifting;
    op *by_group, *by_place;
    first_state state; /* of few groups at a time */
    first_spec keys;   /* the same question, of batches of keys */
    source groups, rows;
    bool groups_ended, rows_ended;
    int64_t marked; /* the row that the last mark was for */
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
/* The batch's alive rows wait; its columns are dropped. late: those nobody has decided on; NULL:
 * none. */
nrw_status first_late_take(first_late *l, batch *b, const uint8_t *late,
                           nrw_error *err) NRW_CHECKED;

#endif
