/* A state that is one value: inline where it is narrow, else in a piece of its own. */
#ifndef EXEC_AGG_VALUE_H
#define EXEC_AGG_VALUE_H

#include "exec/aggregate_own.h"

#define VALUE_INLINE 32u

typedef struct value_piece {
    uint16_t place; /* base/piece.h's */
    uint8_t data[];
} value_piece;

typedef struct value_state {
    uint8_t there; /* 1: a value, 2: a null (first) */
    uint32_t len;
    uint64_t ordinal; /* of ordered ones */
    union {
        uint8_t inlined[VALUE_INLINE];
        value_piece *piece;
    };
} value_state;

static inline span value_of(const value_state *s)
{
    return (span){s->len <= VALUE_INLINE ? s->inlined : s->piece->data, s->len};
}

nrw_status value_set(value_state *s, span value, mem *m, nrw_error *err);
/* The same of a state that is dropped next, with its ordinal and whether it is there. */
void value_move(value_state *s, value_state *from);
void value_drop(const aggregate *g, uint8_t *state, mem *m);
nrw_status value_save(const aggregate *g, uint8_t *state, size_t most, bytes *out, bool *more,
                      nrw_error *err);
nrw_status value_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err);
uint64_t value_bulk(const aggregate *g, const uint8_t *state);
/* Values of states as a column; `there` 1 alone counts as one. */
nrw_status value_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                        nrw_error *err);

#endif
