/* Inside of window functions: op_window.c cuts sorted rows into segments of whole partitions,
 * window_rows.c and window_frames.c compute calls over a segment. Where all calls look back alone,
 * and at no rows but by a state (window_runs_on), segments are of whole peers, or of any rows
 * (window_stops_anywhere): a partition may then be larger than memory. */
#ifndef EXEC_WINDOW_OWN_H
#define EXEC_WINDOW_OWN_H

#include "exec/op_window.h"

/* What a partition has come to that goes on in the next segment. */
typedef struct window_carry {
    uint64_t rows, peers; /* of it, so far; rows and sets of them */
    uint64_t rank;        /* rows before its last peers */
    uint64_t base;        /* rows of all segments before */
    uint8_t *state; /* of the call that is computed, WINDOW_AGGREGATE; NULL: none is carried */
} window_carry;

/* Whole partitions, in order. */
typedef struct window_segment {
    uint32_t n;
    const vector *columns;                /* of the input, n rows each */
    const uint32_t *part;                 /* of each row: the first row of its partition */
    const uint32_t *peers;                /* of each row: the first row of its peers */
    const uint32_t *part_end, *peers_end; /* the first row behind them */
    mem *m;
    const cancel_flag *cancel;
    bool goes_on;       /* the first partition has rows in the segment before */
    bool peers_go_on;   /* and so have the first peers */
    window_carry carry; /* zero, but for base and state, where it does not go on */
} window_segment;

/* One call's values. */
nrw_status window_compute(const window_segment *s, const window_call *c, vector *out,
                          nrw_error *err);
/* The same of an aggregate over frames. */
nrw_status window_aggregate_values(const window_segment *s, const window_call *c, vector *out,
                                   nrw_error *err);
/* Rows [*from, *to) are row i's frame; it may be empty. */
void window_frame_of(const window_segment *s, const window_call *c, uint32_t i, uint32_t *from,
                     uint32_t *to);

#endif
