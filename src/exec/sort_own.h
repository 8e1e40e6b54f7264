/* Inside of op_sort: sort_take.c gathers rows and makes runs of them, op_sort.c merges runs and
 * lets the rows leave. */
#ifndef EXEC_SORT_OWN_H
#define EXEC_SORT_OWN_H

#include "exec/op_sort.h"
#include "exec/sort_best.h"
#include "exec/sort_run.h"

#include <pthread.h>

#define SORT_LEAVE_ROWS 4096u

typedef struct op_sort op_sort;

typedef struct sort_worker {
    mem *m;
    rows rows;
    sort_entry *entries;
    uint64_t n, cap;
    bytes keys;
    run_writer out;
    bool full; /* the first rows are there: what comes behind `last` is not looked at */
    bytes last;
    uint64_t cut; /* rows that were left when those beyond `each` were dropped */
    rows leaving; /* rows of the morsel that leaves */
    uint8_t **left;
    uint32_t n_left;
} sort_worker;

struct op_sort {
    op base;
    source source;
    mem *m;
    sort_spec spec;
    row_layout layout; /* the key, then the columns */
    sort_worker *workers;
    sort_best *best; /* NULL: no row goes before it is sorted */
    spill *spill;
    pthread_mutex_t lock; /* guards runs while rows come */
    sort_run *runs;
    uint32_t n_runs, cap_runs;
    sort_merge merge;
    bool merging;
    uint8_t *row; /* the merge's */
    uint64_t gone, morsel;
};

/* Columns that leave. */
static inline uint32_t sort_columns(const op_sort *o)
{
    return o->spec.n_columns - o->spec.n_aside;
}
/* Takes the rows of a batch. */
nrw_status sort_take(op_sort *o, batch *b, nrw_error *err);
/* What w gathered becomes a run of the spill file, or of memory. */
nrw_status sort_spill_run(op_sort *o, sort_worker *w, nrw_error *err);
nrw_status sort_keep_run(op_sort *o, sort_worker *w, nrw_error *err);
run_writer sort_run_writer(op_sort *o);

#endif
