/* --on-bad-row quarantine: the input is read once to find damaged pages; their rows are left out of
 * the run and named in a side file. */
#ifndef API_QUARANTINE_H
#define API_QUARANTINE_H

#include "api/move.h"
#include "exec/op_except.h"

typedef struct quarantine {
    nrw_job *job;
    mem *m;
    bool on;
    row_range *ranges;
    size_t n, cap;
    bytes lines; /* of the side file: an object a line */
    int64_t base, rejected;
    const char *file; /* being read */
    char first[400];  /* the first reason, for the summary */
} quarantine;

nrw_status quarantine_init(quarantine *q, nrw_job *job, mem *m, nrw_error *err);
/* Reads all inputs; afterwards ranges hold what to leave out. */
nrw_status quarantine_search(quarantine *q, const job_inputs *in, const uint32_t *cols, uint32_t n,
                             nrw_error *err);
/* Writes and publishes the side file where anything was rejected. */
nrw_status quarantine_publish(quarantine *q, const char *target, nrw_error *err);
void quarantine_release(quarantine *q);

#endif
