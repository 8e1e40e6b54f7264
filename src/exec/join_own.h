/* Inside of joins. op_build.c keeps the right side, op_probe.c brings the left one; join_meet.c
 * finds who meets whom, join_emit.c makes columns of it. Where the right side does not fit, both
 * sides go to parts of the spill file by the hashes of their keys (join_rows.c, join_left.c);
 * join_parts.c meets part by part (join_pass.c), and a sort by the places of both rows puts the
 * results in order. */
#ifndef EXEC_JOIN_OWN_H
#define EXEC_JOIN_OWN_H

#include "exec/hash_parts.h"
#include "exec/op_join.h"

#define EMIT_ROWS 2048u
/* Of rows that become columns, about: long ones leave fewer at a time. */
#define EMIT_BYTES (512u << 10)

/* What a kept row has in its extra: the next one of its slot, its place in the input. A left row
 * in the spill file has its place alone. */
typedef struct build_link {
    uint8_t *next;
    uint64_t ordinal;
} build_link;

static inline build_link *build_link_of(uint8_t *row)
{
    return (build_link *)(void *)row_extra(row);
}
enum { UNMET, MET, OPEN }; /* OPEN: a null left it open */

/* What a kept row has met: its free word. Once it is MET it stays so. */
static inline uint32_t *build_state(uint8_t *row)
{
    return (uint32_t *)(void *)(row + 4);
}
static inline void build_meet(uint8_t *row)
{
    __atomic_store_n(build_state(row), MET, __ATOMIC_RELAXED);
}
static inline void build_leave_open(uint8_t *row)
{
    uint32_t was = UNMET;

    __atomic_compare_exchange_n(build_state(row), &was, OPEN, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}
static inline bool build_was_met(uint8_t *row)
{
    return __atomic_load_n(build_state(row), __ATOMIC_RELAXED) == MET;
}

/* ---- rows of a side ---- */

/* What a worker gathers. */
typedef struct join_rows {
    mem *m;
    rows rows;
    uint8_t **at; /* in the order they came, until they are spilled */
    uint64_t n, cap;
    hash_out out;
} join_rows;

nrw_status join_rows_open(join_rows *r, mem *m, uint64_t limit, nrw_error *err);
/* n rows of columns cols; out: where they are in r->at. */
nrw_status join_rows_add(join_rows *r, const row_layout *l, const vector *const *cols, uint32_t n,
                         const uint64_t *hashes, mem *m, uint8_t ***out, nrw_error *err);
/* What adding such rows takes in the books, about, pointers included. */
uint64_t join_rows_need(const join_rows *r, const row_layout *l, const vector *cols, uint32_t n,
                        uint32_t rows);
/* All of them to the spill file. */
nrw_status join_rows_flush(join_rows *r, hash_parts *p, nrw_error *err);
void join_rows_empty(join_rows *r); /* gives its memory back */
void join_rows_close(join_rows *r);

/* Hashes of n_keys columns; keys[i] is column at[i] in one spelling, flat where `flatten`. */
nrw_status join_keys(const vector *columns, const uint32_t *at, uint32_t n_keys, uint32_t rows,
                     bool flatten, mem *m, vector *keys, uint64_t *hashes, nrw_error *err);

/* ---- the right side in memory: all of it, or a part's ---- */

typedef struct join_table {
    uint8_t **slots;  /* chains of rows */
    uint64_t n_slots; /* a power of two */
} join_table;

/* ---- which hashes may be among rows that were spilled ---- */

typedef struct join_filter {
    uint64_t *words;
    uint64_t n; /* a power of two; 0: there is no filter, and each may be */
} join_filter;

/* Of at most so many bytes; none where m has no room for it. */
nrw_status join_filter_open(join_filter *f, mem *m, uint64_t most, nrw_error *err);
void join_filter_close(join_filter *f, mem *m);
/* Of more rows it lets nearly all pass. */
uint64_t join_filter_rows(const join_filter *f);
void join_filter_add(join_filter *f, uint64_t hash); /* thread-safe */
bool join_filter_has(const join_filter *f, uint64_t hash);

typedef struct join_parts join_parts;

typedef struct op_build {
    op base;
    source rest;
    arena *a;
    mem *m;
    spill *spill;
    join_spec spec;
    row_layout layout; /* all right columns, then keys whose values have several spellings */
    uint32_t *key_at;  /* of each key: its column in the layout */
    join_rows *workers;
    pthread_mutex_t *locks; /* one each: who spills, spills the rows of all */
    uint8_t **order;        /* all rows, in the order of the input */
    uint64_t n;
    join_table table;
    /* a key that is null and not null_equal was there, among right and among left rows: it meets
     * nobody */
    _Atomic uint32_t null_key, left_null_key;
    _Atomic uint32_t any_left; /* a left row came; both of JOIN_RIGHT_MARK alone */
    uint64_t rest_at, rest_morsel;
    /* what does not fit */
    bool can_spill;         /* rows of the left side can be kept, too */
    row_layout left_layout; /* all left columns */
    pthread_mutex_t spilling;
    _Atomic uint32_t spilled;
    hash_parts right, left;
    join_rows *left_rows; /* of each worker */
    join_filter filter; /* of right rows; only where a left row without a match is of no account */
    join_parts *parts;
} op_build;

uint64_t join_table_slots(const op_build *o, uint64_t rows); /* of a table of so many rows */
/* Links rows, first one first, into t->slots, which are zero. Who meets nobody is left out. */
void join_table_fill(const op_build *o, join_table *t, uint8_t **rows, uint64_t n);
/* Whether a left row that meets nobody is of no account. */
bool join_needs_match(join_kind k);
/* Whether the key of a kept row is null. */
bool build_meets_nobody(const op_build *o, const uint8_t *row);

/* ---- meeting ---- */

/* Left row `left` and the right row it meets; NULL: none. */
typedef struct pair {
    uint8_t *right;
    uint32_t left;
} pair;

/* What a worker needs to meet and to emit. */
typedef struct meet_room {
    pair *pairs, *leaving; /* EMIT_ROWS each */
    uint32_t n;
    uint32_t offset; /* rows of the morsel that have left */
} meet_room;

nrw_status meet_room_open(meet_room *w, mem *m, nrw_error *err);
void meet_room_close(meet_room *w, mem *m);

/* A batch of the left side that is being met. */
typedef struct meeting {
    op *to; /* results are passed on behind it */
    const op_build *build;
    const join_spec *spec;
    const join_table *table;
    meet_room *w;
    const batch *b;
    uint32_t rows;
    vector *columns; /* of the left side */
    vector *keys;
    uint64_t *hashes;
    const uint64_t *ordinals; /* of its rows; NULL: results leave as they are, else behind their
                                 columns stand the places of both rows */
    uint8_t *met;             /* UNMET, MET or OPEN, of each row; also what was found before */
    bool final;               /* there is no more to meet */
} meeting;

/* Columns of the results, without places. */
uint32_t join_width(const join_spec *s);
/* Of column c of them. */
type join_type(const join_spec *s, uint32_t c);
nrw_status join_meet(meeting *t, nrw_error *err);

bool join_gives_pairs(join_kind k);
nrw_status emit_pairs(meeting *t, const pair *p, uint32_t n, nrw_error *err);
/* SEMI, ANTI: the left rows that stay, MARK: all with what was found. */
nrw_status emit_left(meeting *t, nrw_error *err);
/* Of n pairs the columns that `wanted` names, all where it is NULL. */
nrw_status pair_columns(const meeting *t, const pair *p, uint32_t n, const bool *wanted,
                        vector *out, nrw_error *err);
/* Whether a right row is among those that leave when all left ones have come. */
bool leaves_at_end(const op_build *o, uint8_t *row);
/* Columns of such rows. */
nrw_status put_rest(const op_build *o, batch *out, uint8_t *const *rows, uint32_t n,
                    nrw_error *err);
/* Those of rows[0..n) that leave at the end, with their places, behind `to`. */
nrw_status emit_rest(const op_build *o, op *to, const batch *b, uint8_t *const *rows, uint64_t n,
                     nrw_error *err);
bool has_null_key(const meeting *t, uint32_t i);

/* ---- left rows that go to the spill file ---- */

nrw_status join_left_open(op_build *o, nrw_error *err);
void join_left_close(op_build *o);
/* Left rows to their parts; columns, keys and hashes of t are there. */
nrw_status join_left_take(op_build *o, meeting *t, nrw_error *err);
/* The left side is through. */
nrw_status join_left_finish(op_build *o, nrw_error *err);

/* ---- parts ---- */

/* In the arena; nothing is in it before join_parts_begin. */
nrw_status join_parts_new(op_build *o, nrw_error *err);
/* The right side is in its parts: makes what the left one needs, and what meets both. */
nrw_status join_parts_begin(op_build *o, nrw_error *err);
void join_parts_close(op_build *o);

#endif
