/* --on-bad-row quarantine: what is damaged is left out of the run and named in a side file. Readers
 * that can leave it out tell of it while they read; of others the input is read once beforehand. */
#ifndef API_QUARANTINE_H
#define API_QUARANTINE_H

#include "api/move.h"
#include "exec/op_except.h"

#include <pthread.h>

/* A line of the side file: bytes [at, at + len) of `lines`, of which the first `file` name it. */
typedef struct bad_line {
    size_t at, len, file;
    uint64_t byte;
} bad_line;

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

    /* told while rows are read */
    pthread_mutex_t lock;
    bad_line *told;
    size_t n_told, cap_told;
    char first_file[256]; /* the place of `first` */
    uint64_t first_byte;
    uint64_t blocks, unknown, bytes_lost;
} quarantine;

nrw_status quarantine_init(quarantine *q, nrw_job *job, mem *m, nrw_error *err);
/* Memory that what is told while rows are read may take. */
#define QUARANTINE_LEAST ((uint64_t)64 << 10)
#define QUARANTINE_WISH  ((uint64_t)4 << 20)
/* For the shape of a reading; any thread. NULL: nothing is to be told. */
damage_found quarantine_hears(const quarantine *q);
/* Puts what was told in order, and checks it against --max-bad-rows of `rows`. */
nrw_status quarantine_settle(quarantine *q, int64_t rows, nrw_error *err);
/* Reads the inputs whose readers do not leave damage out; afterwards ranges hold what to leave out.
 */
nrw_status quarantine_search(quarantine *q, const job_inputs *in, const uint32_t *cols, uint32_t n,
                             nrw_error *err);
/* Writes and publishes the side file where anything was rejected. */
nrw_status quarantine_publish(quarantine *q, const char *target, nrw_error *err);
void quarantine_release(quarantine *q);

#endif
