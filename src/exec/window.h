/* Window functions: values that look at the rows around. */
#ifndef EXEC_WINDOW_H
#define EXEC_WINDOW_H

#include "exec/aggregate.h"
#include "exec/sort_key.h"

typedef enum window_kind {
    WINDOW_ROW_NUMBER,
    WINDOW_RANK,
    WINDOW_DENSE_RANK,
    WINDOW_PERCENT_RANK,
    WINDOW_CUME_DIST,
    WINDOW_NTILE, /* args[0] */
    WINDOW_LAG,   /* args[0], offset, default */
    WINDOW_LEAD,
    WINDOW_FIRST_VALUE,
    WINDOW_LAST_VALUE,
    WINDOW_NTH_VALUE, /* args[0], args[1] */
    WINDOW_AGGREGATE
} window_kind;

typedef enum frame_bound {
    FRAME_UNBOUNDED_PRECEDING,
    FRAME_PRECEDING, /* offset rows */
    FRAME_CURRENT,
    FRAME_FOLLOWING,
    FRAME_UNBOUNDED_FOLLOWING
} frame_bound;

/* One call, over columns of the input. */
typedef struct window_call {
    window_kind kind;
    type result;
    uint32_t n_args;
    uint32_t args[3];    /* columns; UINT32_MAX: not given */
    aggregate aggregate; /* WINDOW_AGGREGATE: its args are columns */
    uint32_t n_partition;
    uint32_t *partition; /* columns */
    uint32_t n_orders;
    sort_order *orders;
    bool ignore_nulls;
    bool by_rows; /* ROWS; else RANGE (peers) */
    frame_bound from, to;
    int64_t from_offset, to_offset;
    uint64_t most; /* row_number(): rows of greater numbers are not looked at; 0: all may be */
} window_call;

/* Whether two calls have the same partition and order. */
bool window_same_keys(const window_call *x, const window_call *y);

/* Whether a call needs nothing of the rows before but a few numbers and a state. */
static inline bool window_runs_on(const window_call *c)
{
    return c->kind == WINDOW_ROW_NUMBER || c->kind == WINDOW_RANK || c->kind == WINDOW_DENSE_RANK ||
           (c->kind == WINDOW_AGGREGATE && c->from == FRAME_UNBOUNDED_PRECEDING &&
            c->to == FRAME_CURRENT);
}

/* Whether it looks at no row behind its own: not even at peers. */
static inline bool window_stops_anywhere(const window_call *c)
{
    return window_runs_on(c) && (c->kind != WINDOW_AGGREGATE || c->by_rows);
}

/* Whether n calls keep more than rows, which go to the spill file where memory has no room for
 * them: states that grow, or a table of the first rows of each partition. */
static inline bool window_gathers(const window_call *c, uint32_t n)
{
    bool gathers = false;

    for (uint32_t i = 0; i < n; i++)
        gathers |= (c[i].kind == WINDOW_ROW_NUMBER && c[i].most) ||
                   (c[i].kind == WINDOW_AGGREGATE && aggregate_gathers(&c[i].aggregate));
    return gathers;
}

#endif
