/* Operators of the caller's: one behind the other over a stream of arrays. */
#ifndef API_OPERATORS_H
#define API_OPERATORS_H

#include "api/job.h"
#include "api/outlet.h"

typedef struct job_operator {
    nrw_operator op;
    struct job_operator *next;
} job_operator;

/* What comes of the outlet's batches behind the operators, as a stream, which lives in
 * `a`. */
nrw_status operators_stream(arena *a, const job_operator *list, outlet *from,
                            struct ArrowArrayStream *out, nrw_error *err) NRW_CHECKED;
void operators_release(nrw_job *job);

#endif
