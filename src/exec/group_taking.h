/* How rows come to their groups: group_find.c says which group each is of, group_few.c where keys
 * have few values, group_take.c feeds the aggregates. Inside of op_group.c. */
#ifndef EXEC_GROUP_TAKING_H
#define EXEC_GROUP_TAKING_H

#include "exec/group_own.h"

/* A batch on its way into the table. */
typedef struct group_taking {
    op_group *o;
    group_worker *w;
    batch *b;
    uint32_t first; /* of the batch */
    uint32_t rows;
    uint64_t hangs;         /* bytes that may come to hang from the states of their groups */
    vector *columns;        /* n_in */
    uint8_t **states;       /* the group's row of each row, unless there are few */
    const uint64_t *hashes; /* of the keys of rows sel[0..rows); NULL: they are not known */
    const uint16_t *sel;
    uint64_t *numbers; /* hashes, then ordinals */
    uint32_t *codes;   /* number of each row's group in `few` */
    uint8_t *few[AGGREGATE_FEW];
    uint32_t few_rows[AGGREGATE_FEW];
    uint32_t n_few; /* 0: there are more of them */
    uint8_t **runs; /* n_runs rows, of the rows up to ends[0], up to ends[1], and so on */
    uint32_t *ends;
    uint32_t n_runs; /* 0: `states` or `few` say */
    bool spread;     /* `states` say as well */
    bool passing;    /* states are rows of the scratch, on their way to the spill file */
} group_taking;

/* The groups of the first *found rows, new ones made: t->states, or t->few and t->codes; fewer than
 * all are found where the table is full. Without keys all rows are one group. */
nrw_status group_find(group_taking *t, const vector *const *keys, uint32_t *found, nrw_error *err);
/* As group_find (t->runs, of the caller to free), where the marked key rises from row to row: one
 * group for rows of one key that follow each other, behind those that came before. *rise is false
 * where it does not: nothing has happened then, and the morsel is mixed. */
nrw_status group_find_runs(group_taking *t, const vector *const *keys, bool *rise, nrw_error *err);
void group_runs_free(group_taking *t);
/* t->states as t->runs say. */
void group_runs_spread(group_taking *t);
/* The keys of rows sel[0..n), hashed (t->numbers), in the scratch: rows of shape->keys. */
nrw_status group_encode_some(group_taking *t, const vector *const *keys, const uint16_t *sel,
                             uint32_t n, uint8_t **rows, nrw_error *err);
/* Room for what comes; a table that has none goes to the spill file. */
nrw_status group_make_room(group_taking *t, uint64_t groups, uint64_t bytes, nrw_error *err);
/* Room for what hangs from the states of groups that are there already. */
nrw_status group_make_room_to_hang(group_taking *t, nrw_error *err);
/* The groups of keys that are all dictionaries, by the table's book (group_book.h); *found: there
 * was one for them. */
nrw_status group_find_in_book(group_taking *t, const vector *const *keys, bool *found,
                              nrw_error *err);
/* The groups of keys that have at most n_codes combinations, dictionaries or runs: t->few and
 * t->codes, or t->states. */
nrw_status group_find_few(group_taking *t, const vector *const *keys, uint32_t n_codes,
                          nrw_error *err);
/* Whether there is room for what may come to hang from the states of t's rows. */
bool group_room_to_hang(const group_taking *t);
/* How many values a key column may have; more than rows: not worth knowing. */
uint32_t group_codes(const vector *v);

/* Keys that are equal have one spelling. */
nrw_status group_canonical_keys(group_taking *t, nrw_error *err);
/* t's rows from *first on into the table of t->w, `some` at a time; *first moves on: to the end, or
 * as far as tables are to be shared. */
nrw_status group_take_slices(const group_taking *t, uint32_t some, uint32_t *first, nrw_error *err);
/* t's rows into the table of t->w; *taken: of how many, before the table was full and went away. */
nrw_status group_take_columns(group_taking *t, uint32_t *taken, nrw_error *err);
/* t's rows from `first` on into the tables of their owners, whatever t->w. */
nrw_status group_take_shared(group_taking *t, uint32_t first, nrw_error *err);

/* t's rows, whose keys are rows of shape->layout (t->states): they become bare. */
nrw_status group_bare_make(group_taking *t, nrw_error *err);
/* t's rows to their groups' states; t->numbers: their ordinals, or room for them. */
nrw_status group_add(group_taking *t, nrw_error *err);

/* A batch's rows into the worker's table. */
nrw_status group_take(op_group *o, batch *b, nrw_error *err);

#endif
