/* What expressions give over the rows of a batch, part by part where memory has no room for all of
 * it at once: texts may be of any length, and what is between columns and results is as many
 * columns more. */
#ifndef EXEC_ROW_PARTS_H
#define EXEC_ROW_PARTS_H

#include "column/vector.h"

#include <stdatomic.h>

typedef struct row_parts {
    uint32_t rows;
    const vector *const *columns; /* of these columns[used[..]] are looked at */
    const uint32_t *used;
    uint32_t n_used;
    uint32_t n; /* places that a part's columns have: as many as there are, or more for the owner */
    mem *m;
    /* In use of m, which is of one thread, while parts are made, so that others have room, too;
     * beyond it where it must be. 0: as much as there is. */
    uint64_t share;
    /* Over rows [first, first + n), whose columns are part[used[..]]. NRW_E_MEMLIMIT: nothing was
     * done or made; fewer rows may do. */
    nrw_status (*make)(void *self, const vector **part, uint32_t first, uint32_t n, nrw_error *err);
    /* What was made goes where it is wanted; NULL: it is there. */
    nrw_status (*give)(void *self, uint32_t first, uint32_t n, nrw_error *err);
    void *self;
} row_parts;

/* All parts in order, as few as there is room for. *most: as many rows as fitted of late, 0 at
 * first; it is for later calls, by any thread. */
nrw_status row_parts_run(const row_parts *p, _Atomic uint32_t *most, nrw_error *err) NRW_CHECKED;

#endif
