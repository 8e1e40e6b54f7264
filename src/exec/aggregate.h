/* Aggregate functions: one row of a table each. A state is a few bytes in a group's row; what it
 * cannot hold (a text, a list, a set) hangs from it in a block of its own, charged to the account
 * of the table, and is saved as bytes when the group goes to a spill file.
 *
 * Results are functions of the rows alone: adding is exact or kept so that order does not matter,
 * and what depends on order (first, string_agg) keeps the ordinals of its rows. */
#ifndef EXEC_AGGREGATE_H
#define EXEC_AGGREGATE_H

#include "base/buffer.h"
#include "exec/sort_key.h"
#include "expr/scalar.h"
#include "io/spill.h"

typedef struct aggregate aggregate;

/* Arguments at most, what it is ordered by among them. */
#define AGGREGATE_ARGS 8u

/* Of `few` states at most so many. */
#define AGGREGATE_FEW 256u

/* Rows that go to states: row i of the arguments belongs to states[i], or to few[codes[i]]; with
 * runs rows from ends[k - 1] (0) to ends[k] belong to states[k]. */
typedef struct aggregate_rows {
    uint32_t n;
    uint8_t *const *states;
    const vector *const *args; /* any form, n rows */
    bool one;                  /* all rows belong to states[0], the others are not there */
    uint32_t n_few;            /* so many states in all, in `few`; `states` is not there */
    uint8_t *const *few;
    const uint32_t *codes;
    const uint32_t *few_rows; /* how many rows each of `few` has */
    uint32_t n_runs;          /* so many states, with AGG_RUNS alone; else 0 */
    const uint32_t *ends;
    const uint64_t *ordinals; /* rise with the rows of the input; may have gaps; NULL where nobody
                                 looks at them (AGG_UNPLACED) */
    mem *m;                   /* what states hold is charged here */
    mem *scratch;             /* what is needed during the call: as much as the rows */
} aggregate_rows;

/* The state of row i. */
static inline uint8_t *agg_state(const aggregate_rows *r, uint32_t i)
{
    return r->n_few ? r->few[r->codes[i]] : r->states[r->one ? 0 : i];
}

/* What was saved of a state that memory has no room for. */
typedef struct agg_saved agg_saved;
struct agg_saved {
    /* The next piece, as save made it, in any order and good until the next call; NRW_END behind
     * the last one, after which it begins again. */
    nrw_status (*next)(agg_saved *s, span *piece, nrw_error *err);
    /* What finishing it may take beside the result: so much of m, and of the spill file. */
    mem *m;
    uint64_t memory;
    spill *spill;
};

/* What its result may depend on besides the values: the order of the rows; rows of nulls. */
#define AGG_ORDERED 1u
#define AGG_NULLS   2u
/* Of the same rows all classes with this `add` have the same states, where they are as long. */
#define AGG_SHARED 4u
/* Its `add` does not look at ordinals. */
#define AGG_UNPLACED 8u
/* Its `add` takes runs. */
#define AGG_RUNS 16u
/* What hangs from its states grows by copies: for a while there is more of it. */
#define AGG_COPIES 32u

typedef struct aggregate_class {
    const char *names; /* " sum fsum " */
    uint8_t min_args, max_args;
    uint8_t traits; /* AGG_ORDERED, AGG_NULLS, AGG_SHARED, AGG_UNPLACED, AGG_RUNS,
                       AGG_COPIES */
    /* For the arguments as bound: the types they are to be cast to (in place), the result's type,
     * state_bytes and data. NRW_E_ARG where there is no such overload. Constant arguments
     * (separators, fractions) may be read here and taken out of the list (n_args less). */
    nrw_status (*bind)(arena *a, const expr **args, aggregate *out, nrw_error *err);
    nrw_status (*add)(const aggregate *g, const aggregate_rows *rows, nrw_error *err);
    /* `from` is not used any more afterwards but by drop. */
    nrw_status (*merge)(const aggregate *g, uint8_t *into, uint8_t *from, mem *m, nrw_error *err);
    /* out is flat, of the result's type, with room for n; its validity is there, all set. */
    nrw_status (*finish)(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                         nrw_error *err);
    /* For states with something hanging from them; NULL: the state's bytes are all there is. */
    void (*drop)(const aggregate *g, uint8_t *state, mem *m);
    /* The state behind `out`; or, of one that gathers many values, a part of about `most` bytes
     * that is a state of its own and leaves this one: *more says that others follow, by calls
     * again. No other use is made of a state that was saved but drop. */
    nrw_status (*save)(const aggregate *g, uint8_t *state, size_t most, bytes *out, bool *more,
                       nrw_error *err);
    nrw_status (*load)(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err);
    /* What a state takes among those that are finished together, about; NULL: next to nothing
     * besides its row. */
    uint64_t (*bulk)(const aggregate *g, const uint8_t *state);
    /* As finish, of one state of any size, in constant memory; NULL: it has to be loaded. */
    nrw_status (*finish_saved)(const aggregate *g, agg_saved *saved, vector *out, nrw_error *err);
} aggregate_class;

/* One aggregate of a query, bound. A fresh state is zero bytes. */
struct aggregate {
    const aggregate_class *class;
    type result;
    uint32_t state_bytes;
    uint32_t n_args;
    const expr *args[AGGREGATE_ARGS]; /* over the input of the aggregation */
    const expr *filter;               /* FILTER (WHERE ..); NULL: all rows */
    bool distinct;                    /* each combination of arguments once */
    bool descending;                  /* of ordered ones */
    const void *data;                 /* the class's own */
};

/* Bytes of a state among others: all are aligned to 8. */
static inline uint32_t aggregate_room(const aggregate *g)
{
    return (g->state_bytes + 7) & ~7u;
}

/* By name in any case; NRW_E_ARG: no such function or overload. */
nrw_status aggregate_bind(arena *a, const char *name, const expr *const *args, uint32_t n,
                          aggregate *out, nrw_error *err) NRW_CHECKED;
bool aggregate_is(const char *name);
/* Whether it goes by that name, in lower case. */
bool aggregate_has_name(const aggregate *g, const char *name);
/* Whether it is 0, not null, of no rows. */
bool aggregate_counts(const aggregate *g);
/* Whether its state grows with the rows; else it is some bytes, perhaps with one value hanging. */
bool aggregate_gathers(const aggregate *g);
/* The results of n states as a vector. */
nrw_status aggregate_finish(const aggregate *g, uint8_t *const *states, uint32_t n, mem *m,
                            vector *out, nrw_error *err) NRW_CHECKED;
/* The same of one state that was saved; the class has finish_saved. */
nrw_status aggregate_finish_saved(const aggregate *g, agg_saved *saved, mem *m, vector *out,
                                  nrw_error *err) NRW_CHECKED;
/* DISTINCT: each combination of arguments counts once. */
nrw_status aggregate_make_distinct(arena *a, aggregate *g, nrw_error *err);
/* ORDER BY inside of it: `by` become its last arguments; orders[i].column is not looked at. Before
 * aggregate_make_distinct. */
nrw_status aggregate_make_ordered(arena *a, aggregate *g, const expr *const *by,
                                  const sort_order *orders, uint32_t n, nrw_error *err);

#endif
