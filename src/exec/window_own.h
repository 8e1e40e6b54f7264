/* Inside of window functions: op_window.c cuts sorted rows into segments of whole partitions,
 * window_rows.c and window_frames.c compute calls over a segment. */
#ifndef EXEC_WINDOW_OWN_H
#define EXEC_WINDOW_OWN_H

#include "exec/op_window.h"

/* Whole partitions, in order. */
typedef struct window_segment {
    uint32_t n;
    const vector *columns;                /* of the input, n rows each */
    const uint32_t *part;                 /* of each row: the first row of its partition */
    const uint32_t *peers;                /* of each row: the first row of its peers */
    const uint32_t *part_end, *peers_end; /* the first row behind them */
    mem *m;
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
