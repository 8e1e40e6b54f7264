/* Inside of op_first: first_state.c knows which rows are among the first, op_first.c carries
 * batches through, first_late.c has the rows that its memory had no room to decide on, with the
 * parts that first_late.h names. */
#ifndef EXEC_FIRST_OWN_H
#define EXEC_FIRST_OWN_H

#include "base/turn.h"
#include "exec/first_late.h"
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
    uint64_t memory;              /* the account's limit, of which a part is for looking up */
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
    uint32_t *taken; /* of such a row's group how many ids are in, as is known; NULL: no matter */
    const uint32_t *had; /* and how many of a row's group were in beforehand; NULL: none */
} picking;

enum { FIRST_LATE_BYTES = BATCH_MAX_ROWS / 8 };

nrw_status first_state_open(first_state *s, size_t remember, nrw_error *err) NRW_CHECKED;
void first_state_close(first_state *s);
/* Gets ready to look at rows of the batch. */
nrw_status first_state_begin(first_state *s, batch *b, nrw_error *err) NRW_CHECKED;
/* Rows of the batch that are among the first, in rising order. p->out has room for them. */
nrw_status first_state_pick(first_state *s, batch *b, picking *p, nrw_error *err) NRW_CHECKED;
/* The status, with how far it came. */
nrw_status first_state_explain(const first_state *s, nrw_status st, nrw_error *err);

/* Of a worker: rows that leave. */
typedef struct first_leaving {
    rows rows;
    uint8_t **at; /* FIRST_LEAVE_ROWS */
    uint32_t n;
} first_leaving;
#define FIRST_LEAVE_ROWS 4096u

typedef struct first_late {
    source source; /* rows that waited and stay */
    struct op_first *of;
    mem *m;
    row_layout layout; /* of the batch's columns */
    first_wait *waits; /* a worker's each */
    first_leaving *leaving;
    first_keys keys;
    first_spec asked;  /* the same question, of batches of keys */
    uint32_t *taken;   /* a batch's, as picking has them */
    uint64_t n;        /* rows that wait, numbered under the operator's turn */
    first_marks marks; /* of the part that is decided on */
    first_answers answers;
    bool decided;
    uint64_t morsel;
} first_late;

typedef struct op_first {
    op base;
    mem *m;
    first_spec spec;
    turn turn;
    first_state state;
    first_late late;
} op_first;

/* With spec.late bytes, of m. `a` keeps layouts. */
nrw_status first_late_open(arena *a, op_first *o, spill *s, nrw_error *err) NRW_CHECKED;
void first_late_close(first_late *l);
/* In the operator's turn: keys of the rows picked that nobody can decide on. *number: of the first
 * one that was picked. */
nrw_status first_late_ask(first_late *l, batch *b, const picking *p, uint64_t *number,
                          nrw_error *err) NRW_CHECKED;
/* The batch's alive rows wait; its columns are dropped. late: those nobody has decided on; NULL:
 * none. */
nrw_status first_late_take(first_late *l, batch *b, const uint8_t *late, uint64_t number,
                           nrw_error *err) NRW_CHECKED;
/* first_decide.c: what of all keys is among the first. The operator's state is no more. */
nrw_status first_late_decide(first_late *l, nrw_error *err) NRW_CHECKED;

/* What it has while parts are decided on; what blocks of keys have; what the bitmap of marks has,
 * what is beside it, and answers. */
uint64_t first_late_deciding(const first_spec *s);
uint64_t first_late_keys(uint64_t late, uint32_t workers);
uint64_t first_late_marks(uint64_t memory);

#endif
