/* Source -> operators, carried by a fixed set of threads.
 *
 * Each thread takes the next morsel (a short lock), pushes its batches through the operators while
 * they are hot, and takes the next. Order is kept by turns (base/turn.h), not by queues: a thread
 * waits only for lower morsels, which other threads are carrying, so the lowest one always goes
 * on. Light morsels are carried by one thread alone (crew.h). The first error stops everything; of
 * several the lowest morsel's is kept.
 *
 * Several pipelines may lead into one operator, one after the other (UNION ALL): their morsels are
 * numbered through by `first_morsel`, and the last of them finishes it. */
#ifndef EXEC_PIPELINE_H
#define EXEC_PIPELINE_H

#include "exec/op.h"
#include "exec/source.h"

#define PIPELINE_MAX_WORKERS 64

typedef struct pipeline {
    source *source;
    op *first;       /* the chain of operators, linked by `next` */
    mem *batches;    /* account of what is in flight */
    mem *const *own; /* of each worker's, below that one; NULL: there are none */
    uint32_t workers;
    int64_t limit;                  /* rows to take from the source; -1: all */
    const _Atomic uint32_t *enough; /* set: take no more from the source; NULL: take all */
    uint64_t first_morsel;          /* added to the source's numbers */
    uint64_t morsels;               /* out: how many the source had */

    _Atomic uint32_t cancel; /* set by anybody, also from a signal handler */
    _Atomic uint64_t rows_in;
    _Atomic int64_t
        reached; /* row of the input that the source has come to; at its end INT64_MAX */
} pipeline;

/* Links o behind the operators there are; for callers that build a chain. */
void pipeline_add(pipeline *p, op *o);
/* Where a running one stands: rows that came to its last operator, bytes read. Any thread. */
uint64_t pipeline_rows_out(const pipeline *p);
uint64_t pipeline_bytes_in(const pipeline *p);
/* Runs to the end of the input, or to the first error. Nothing is finished. */
nrw_status pipeline_run(pipeline *p, nrw_error *err);
/* Finishes the operators from `from` on, in their order. */
nrw_status pipeline_finish(op *from, nrw_error *err);

#endif
