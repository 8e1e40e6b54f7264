/* Inside of window functions: op_window.c cuts sorted rows into segments, window_rows.c and
 * window_frames.c compute calls over a segment.
 *
 * A segment is whole partitions while those fit. Where all calls look back alone, and at no rows
 * but by a state (window_runs_on), it is whole peers, or any rows (window_stops_anywhere). What of
 * these does not fit goes to a tape (window_tape.h), and a segment is a block of it: calls look at
 * rows in front and behind through window_look.
 *
 * Rows are numbered from the segment's first one, which is 0; those in front of it have numbers
 * below. */
#ifndef EXEC_WINDOW_OWN_H
#define EXEC_WINDOW_OWN_H

#include "exec/op_window.h"
#include "exec/window_tape.h"

/* What a partition has come to that goes on in the next segment. */
typedef struct window_carry {
    uint64_t rows;       /* of it, so far */
    uint64_t peers;      /* sets of them */
    uint64_t peers_rows; /* of the last peers, so far */
    uint64_t base;       /* rows of all segments before */
} window_carry;

/* The row of a value that was looked for among those that are not null: rows of the partition, from
 * its first one. */
typedef struct window_found {
    bool any;
    int64_t from, to; /* was looked for in these */
    int64_t nth, got; /* the how manieth (0: the last), and as many there are in front of `to` */
    int64_t at;       /* -1: there is none */
} window_found;

/* What a call remembers of the partition, from row to row and from segment to segment. */
typedef struct window_progress {
    uint8_t *state;   /* WINDOW_AGGREGATE: of the rows [from, to); else NULL */
    bool any;         /* there was a frame */
    int64_t from, to; /* rows of the partition, from its first one: the last frame */
    vector last;      /* its value, where it may be that of the next segment's rows, too */
    window_found found;
} window_progress;

typedef struct window_segment {
    uint32_t n;
    const vector *columns; /* of the input, n rows each */
    /* of each row: the first row of its partition, of its peers; of those that began in a segment
     * before: 0 */
    const uint32_t *part, *peers;
    /* the first row behind them; of those that go on in the next segment: n */
    const uint32_t *part_end, *peers_end;
    mem *m;
    const cancel_flag *cancel;
    bool goes_on;     /* the first partition has rows in the segment before */
    bool peers_go_on; /* and so have the first peers */
    bool ends;        /* the last partition has no rows in the next one */
    window_carry carry;
    uint64_t part_more, peers_more; /* rows of the last ones behind the segment, where known */
    window_tape *tape;              /* the segment is a block of it; NULL: nothing is on a tape */
    int64_t tape_row;               /* the tape's first row */
} window_segment;

static inline int64_t window_part(const window_segment *s, uint32_t i)
{
    return s->part[i] == 0 && s->goes_on ? -(int64_t)s->carry.rows : s->part[i];
}
static inline int64_t window_peers(const window_segment *s, uint32_t i)
{
    return s->peers[i] == 0 && s->peers_go_on ? -(int64_t)s->carry.peers_rows : s->peers[i];
}
static inline int64_t window_part_end(const window_segment *s, uint32_t i)
{
    return s->part_end[i] == s->n ? s->n + (int64_t)s->part_more : s->part_end[i];
}
static inline int64_t window_peers_end(const window_segment *s, uint32_t i)
{
    return s->peers_end[i] == s->n ? s->n + (int64_t)s->peers_more : s->peers_end[i];
}
/* Whether row i is the first one of a partition. */
static inline bool window_begins(const window_segment *s, uint32_t i)
{
    return s->part[i] == i && !(i == 0 && s->goes_on);
}

/* A column as far as it is at hand: rows [first, first + v.len). */
typedef struct window_look {
    const window_segment *s;
    uint32_t column;
    int64_t first;
    vector v;
} window_look;

static inline window_look window_look_at(const window_segment *s, uint32_t column)
{
    return (window_look){.s = s, .column = column};
}
/* The block with a row of the segment or the tape comes to hand. */
nrw_status window_look_move(window_look *l, int64_t row, nrw_error *err);
/* l->v has the row at *i. */
static inline nrw_status window_see(window_look *l, int64_t row, uint32_t *i, nrw_error *err)
{
    if (row < l->first || row >= l->first + l->v.len)
        TRY(window_look_move(l, row, err));
    *i = (uint32_t)(row - l->first);
    return NRW_OK;
}
/* Whether the row is null. */
nrw_status window_see_null(window_look *l, int64_t row, bool *null, nrw_error *err);
void window_look_end(window_look *l);

#define WINDOW_NONE INT64_MIN /* no row: null */

/* The values of a column in rows at[0..s->n). */
nrw_status window_pick(const window_segment *s, uint32_t column, const int64_t *at, vector *out,
                       nrw_error *err);

/* One call's values. p: what the call came to in the segment before, all zero but for `state`
 * before the first one. */
nrw_status window_compute(const window_segment *s, const window_call *c, window_progress *p,
                          vector *out, nrw_error *err);
/* The same of an aggregate over frames. */
nrw_status window_aggregate_values(const window_segment *s, const window_call *c,
                                   window_progress *p, vector *out, nrw_error *err);
/* What hangs from the state goes, and all else that p remembers. */
void window_forget(window_progress *p, const window_call *c, mem *m);
/* Rows [*from, *to) are row i's frame; it may be empty. */
void window_frame_of(const window_segment *s, const window_call *c, uint32_t i, int64_t *from,
                     int64_t *to);

#endif
