/* Which value stands where in the order of a state's values. */
#ifndef EXEC_AGG_RANK_H
#define EXEC_AGG_RANK_H

#include "exec/agg_gather.h"

/* Values of a fixed width (gather_put_bare) or, of a type of text, of any (gather_put): those of a
 * state, or of what was saved of one. */
typedef struct rank_values {
    const gather_state *s; /* NULL: saved */
    agg_saved *saved;
    uint64_t n;
} rank_values;

/* Over them all, zero at the beginning; it may begin again once it came to the end. */
typedef struct rank_walk {
    const gather_chunk *chunk;
    const uint8_t *at, *end; /* of a chunk or a piece */
    bool begun;
} rank_walk;
/* The bytes that lie behind each other next: whole values or rows. NRW_END: there are no more. */
nrw_status rank_walk_next(const rank_values *v, rank_walk *w, nrw_error *err);

/* One state's values after the other's. Equal values of other bytes have an order, too: what is
 * found follows from the values alone. */
typedef struct ranking {
    const type *t;
    mem *m; /* of room */
    rank_values from;
    const uint8_t *centre; /* not the values, but how far they are from it; NULL */
    uint8_t *room;
    size_t cap;
    uint64_t n; /* values in room: words as agg_extreme.h has them, or of a wide type themselves */
    uint64_t first; /* how many values come before those in room */
    uint64_t low;   /* those in room before it are no greater than those from it on, */
    uint64_t high;  /* which holds for this one, too */
} ranking;

/* Counts them. */
nrw_status rank_values_saved(agg_saved *saved, rank_values *out, nrw_error *err);
static inline rank_values rank_values_of(const gather_state *s)
{
    return (rank_values){s, NULL, s->n};
}

/* t and m are set, room is not. */
nrw_status rank_begin(ranking *r, const rank_values *values, const uint8_t *centre, nrw_error *err);
/* The value that sorting puts at k, k < values.n. */
nrw_status rank_value(ranking *r, uint64_t k, uint8_t *out, nrw_error *err);
void rank_end(ranking *r);
/* More than so many values are not copied, but looked at again and again. */
#define RANK_FEW 65536u
/* The value at k, of texts too, behind `out`, in little memory. Of r all is set but room. */
nrw_status rank_any(const ranking *r, uint64_t k, bytes *out, nrw_error *err);
/* How far a value is from `centre`. */
void rank_distance(const type *t, const uint8_t *p, const uint8_t *centre, uint8_t *out);

/* A whole number of up to 16 bytes, with its sign. */
__int128 rank_whole(const uint8_t *p, uint32_t width);

#endif
