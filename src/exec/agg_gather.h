/* States that keep the values of all their rows, each with the ordinal of its row. */
#ifndef EXEC_AGG_GATHER_H
#define EXEC_AGG_GATHER_H

#include "exec/aggregate_own.h"

typedef struct gather_state {
    bytes data; /* uint64 ordinal, uint32 length, uint32 1: null; the value */
    uint64_t n;
} gather_state;

/* One of them; its bytes are the state's. */
typedef struct gathered {
    uint64_t ordinal;
    const uint8_t *data;
    uint32_t len;
    bool null;
} gathered;

static inline gather_state *gather_of(uint8_t *state)
{
    return (gather_state *)(void *)state;
}

nrw_status gather_put(gather_state *s, uint64_t ordinal, span value, bool null, mem *m,
                      nrw_error *err);
/* Bytes alone: for who knows how long each is. Use this or gather_put. */
nrw_status gather_put_bare(gather_state *s, span value, mem *m, nrw_error *err);

nrw_status gather_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m, nrw_error *err);
void gather_drop(const aggregate *g, uint8_t *state, mem *m);
nrw_status gather_save(const aggregate *g, const uint8_t *state, bytes *out, nrw_error *err);
nrw_status gather_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err);

typedef int (*gather_compare)(const gathered *x, const gathered *y, const void *context);
/* What was put, into at[0..s->n), ordered by `compare`, then by the ordinal; NULL: by the ordinal
 * alone. */
nrw_status gather_sorted(const gather_state *s, gather_compare compare, const void *context, mem *m,
                         gathered *at, nrw_error *err);
/* The order of values; the context is their type. */
int gather_by_value(const gathered *x, const gathered *y, const void *t);
/* Rows [0, n) of a flat vector that has room for them. */
nrw_status gather_column(const gathered *at, uint32_t n, vector *out, nrw_error *err);

#endif
