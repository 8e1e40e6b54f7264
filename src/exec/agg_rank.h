/* Which value stands where in the order of a state's values. */
#ifndef EXEC_AGG_RANK_H
#define EXEC_AGG_RANK_H

#include "exec/agg_gather.h"

/* Of values of a fixed width (gather_put_bare), one state after the other. Equal values of other
 * bytes have an order, too: what is found follows from the values alone. */
typedef struct ranking {
    const type *t;
    mem *m; /* of room */
    const gather_state *s;
    const uint8_t *centre; /* not the values, but how far they are from it; NULL */
    uint8_t *room;
    size_t cap;
    uint64_t n; /* values in room: words as agg_extreme.h has them, or of a wide type themselves */
    uint64_t from; /* those before it are no greater than those from it on, */
    uint64_t to;   /* which holds for this one, too */
} ranking;

/* t and m are set, room is not. */
nrw_status rank_begin(ranking *r, const gather_state *s, const uint8_t *centre, nrw_error *err);
/* The value that sorting puts at k, k < s->n. */
void rank_value(ranking *r, uint64_t k, uint8_t *out);
void rank_end(ranking *r);

/* A whole number of up to 16 bytes, with its sign. */
__int128 rank_whole(const uint8_t *p, uint32_t width);

#endif
