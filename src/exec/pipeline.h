/* Source -> operators -> sink, carried by a fixed set of threads.
 *
 * Each thread takes the next morsel (a short lock), carries its batches through all operators into
 * the sink while they are hot, and takes the next. Order is kept by turns (base/turn.h), not by
 * queues: a thread waits only for lower morsels, which other threads are carrying, so the lowest
 * one always goes on. Light morsels are carried by one thread alone (crew.h). The first error stops
 * everything; of several the lowest morsel's is kept. */
#ifndef EXEC_PIPELINE_H
#define EXEC_PIPELINE_H

#include "dataset/scan.h"
#include "exec/op.h"

#define PIPELINE_MAX_OPS     8
#define PIPELINE_MAX_WORKERS 64

typedef struct pipeline {
    scan *source;
    uint32_t n_cols; /* chosen from the source */
    op *ops[PIPELINE_MAX_OPS];
    uint32_t n_ops;
    writer *sink;
    mem *batches; /* account of what is in flight */
    uint32_t workers;
    int64_t limit;                  /* rows to take from the source; -1: all */
    const _Atomic uint32_t *enough; /* set: take no more from the source; NULL: take all */

    _Atomic uint32_t cancel; /* set by anybody, also from a signal handler */
    _Atomic uint64_t rows_in, rows_out;
    _Atomic int64_t
        reached; /* row of the input that the source has come to; at its end INT64_MAX */
} pipeline;

/* Runs to the end of the input, or to the first error. The sink is not finished. */
nrw_status pipeline_run(pipeline *p, nrw_error *err);

#endif
