/* What operators that gather rows take, by how many rows there are and how large they are: for who
 * shares memory out and for plans. Row counts and sizes may be UINT64_MAX: nobody knows.
 *
 * Of each budget: `least` is what the operator can work with, spilling; with `wish` it spills
 * nothing, however unevenly rows fall to the workers while that costs little; `spill` is the most
 * that goes to the spill file when every row goes there once. With less than `wish` some rows go
 * there again (runs of runs, parts of parts), as the functions below say. */
#ifndef EXEC_ROOM_H
#define EXEC_ROOM_H

#include "format/format.h"

typedef struct room_rows {
    uint64_t n;
    uint64_t width; /* bytes of one row's values, as row_value_bytes counts them, about */
    uint64_t keys;  /* of them those of the keys */
    uint64_t packed, packed_keys; /* the same in the spill file, at most */
    bool told;   /* of a join's side: hashes follow from the columns (rows_fields.h) */
    bool of_one; /* of its results: a row comes from one side alone */
} room_rows;

/* limit: only so many rows leave; UINT64_MAX: all. */
budget room_of_sort(const room_rows *r, uint64_t limit, uint32_t workers);
/* Groups, of which keys alone stay. */
typedef struct room_groups {
    room_rows rows; /* that come */
    uint64_t groups;
    uint64_t state; /* bytes of all aggregates */
    uint64_t hang;  /* bytes that a row may leave in states beside them, 0: none */
    uint64_t saved; /* what the spill file has of a row's states beside them */
    bool shared;    /* tables may come to have a part of the hashes each (group_shared.c) */
} room_groups;
budget room_of_group(const room_groups *g, uint32_t workers);
/* `results` rows of `width` bytes come of it: they are sorted where the right side spills. Keys of
 * a side: those that are kept beside its columns. */
budget room_of_join(const room_rows *left, const room_rows *right, const room_rows *results,
                    uint32_t workers);
typedef struct room_window {
    room_rows rows;
    bool runs_on, stops_anywhere; /* all calls do (window_runs_on, window_stops_anywhere) */
    bool gathers;                 /* window_gathers */
} room_window;
budget room_of_window(const room_window *w, uint32_t workers);

/* Whether nothing spills with such a grant, however rows fall to the workers. */
bool room_sort_fits(const room_rows *r, uint64_t limit, uint64_t grant, uint32_t workers);
bool room_window_fits(const room_window *w, uint64_t grant, uint32_t workers);
bool room_group_fits(const room_groups *g, uint64_t grant, uint32_t workers);

/* What goes to the spill file at most with a grant that is less than `wish`: rows go there again
 * where runs are too many to be open at once, or where parts are too large for a worker's share.
 * once: the budget's `spill`. */
uint64_t room_sort_spill(const room_rows *r, uint64_t grant, uint32_t workers);
uint64_t room_group_spill(uint64_t once, uint64_t grant, uint32_t workers);
uint64_t room_join_spill(const room_rows *left, const room_rows *right, const room_rows *results,
                         uint64_t grant, uint32_t workers);
uint64_t room_window_spill(const room_window *w, uint64_t grant, uint32_t workers);

static inline uint64_t room_at_most(uint64_t x, uint64_t most)
{
    return x < most ? x : most;
}
static inline uint64_t room_at_least(uint64_t x, uint64_t least)
{
    return x > least ? x : least;
}

/* Sums and products that stay at UINT64_MAX. */
uint64_t room_add(uint64_t x, uint64_t y);
uint64_t room_mul(uint64_t x, uint64_t y);

#endif
