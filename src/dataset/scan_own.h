/* Inside of the scan: scan_look.c looks at all inputs once, scan.c reads them in order,
 * scan_files.c each whole by one thread. */
#ifndef DATASET_SCAN_OWN_H
#define DATASET_SCAN_OWN_H

#include "dataset/scan.h"

#include <pthread.h>

/* An open input; closed when the cutter has left it and its last morsel is through. */
typedef struct part {
    reader *r;
    size_t file;
    uint64_t first_morsel, end_morsel; /* end: UINT64_MAX while it is being cut */
    uint64_t under_way;
} part;

typedef struct scan_slot scan_slot;

struct scan {
    mem *m;
    const scan_input *inputs;
    size_t n;
    scan_options opts;
    arena *a;
    unify unify;
    schema schema;    /* of all */
    int64_t *rows_of; /* per input; -1: not known */
    uint64_t bytes, largest;
    bool by_file;
    reader *first; /* kept open between planning and the first morsel */

    uint32_t n_cols;
    uint32_t *cols;
    batch_shape shape;
    mem *grant;
    spill *spill;
    size_t next_file;
    uint64_t morsel;
    int64_t file_row; /* ordinal of the first row of the file being cut */
    int64_t cut_row;  /* in it: where the last morsel ended */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t freed;
    part parts[2]; /* parts[current] is being cut */
    int current;
    bool stopped;
    reader_counts *closed; /* per chosen column */
    uint64_t bytes_closed;
    prune_counts pruned;
    scan_slot *slots; /* by file: one for each thread */
    uint32_t n_slots;
};

/* Schema, rows and bytes of all inputs; the first one's reader stays open. */
nrw_status scan_look(scan *s, nrw_error *err) NRW_CHECKED;
/* They are many and small: read each by one thread, where there are several. */
bool scan_files_small(const scan *s);
/* Input i with the columns of all. NRW_E_CHANGED: it is not what scan_look saw. */
nrw_status scan_open_mapped(scan *s, size_t i, mem *m, reader **out, nrw_error *err) NRW_CHECKED;
/* Whether bounds of such values bind all of them (NaN is outside) and are worth keeping. */
bool scan_bounds_order(const type *t);
nrw_status scan_changed(const scan *s, size_t file, nrw_error *err);
/* Adds up what a reader that is about to be closed has read; under the lock. */
void scan_count_closed(scan *s, reader *r);

/* ---- by file (scan_files.c) ---- */
nrw_status scan_files_start(scan *s, nrw_error *err) NRW_CHECKED;
nrw_status scan_files_next(scan *s, batch *b);
void scan_file_done(scan *s, const batch *b);
/* Of what threads have open, under the lock. */
uint64_t scan_files_bytes(scan *s);
void scan_files_stop(scan *s);
void scan_files_close(scan *s);

#endif
