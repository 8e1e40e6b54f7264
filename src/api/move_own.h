/* Inside of the verbs that move rows: a run, and what its files give each other.
 *
 *   move.c         from a job's words to a run; columns
 *   move_keep.c    pages kept undecoded
 *   move_memory.c  shares of the memory, and the plan
 *   move_run.c     the parts opened, carried out, counted and published */
#ifndef API_MOVE_OWN_H
#define API_MOVE_OWN_H

#include "api/move.h"
#include "api/output.h"
#include "api/quarantine.h"
#include "api/where.h"
#include "format/parquet/keep.h"

enum { PART_READ, PART_FILTER, PART_OP, PART_WRITE, PART_BATCHES, PARTS };

/* Everything a run holds; released by move_release whatever was reached. */
typedef struct move {
    nrw_job *job;
    job_inputs in;
    uint32_t *cols; /* of the batches: the output's first, then what only operators look at */
    uint32_t n_cols, n_out;
    schema out;
    bool sample, tail;
    uint64_t first;
    uint64_t groups;    /* at most so many */
    uint32_t *of, *per; /* places in the batch */
    uint32_t n_of, n_per;
    uint64_t limit;
    where where;
    int64_t matches; /* tail: rows that pass the condition */

    output to;
    bool keep; /* pages are copied undecoded, by this rule: */
    pq_keep kept;
    uint64_t *kept_pages; /* of each column */

    uint32_t workers;
    uint64_t least[PARTS], grants[PARTS];
    size_t piece; /* bytes of a column's piece */
    mem *books[PARTS];
    op *except, *filter, *op; /* op: first, range or limit */
    quarantine quarantine;
    source_scan from;
    pipeline pipeline;
} move;

/* --limit counts behind a filter. */
bool move_counts_behind(const move *m);
/* Notes on what could not be understood of the columns that are written. */
nrw_status move_note_columns(move *m, nrw_error *err);
/* Whether pages are kept: by the words of the job and the inputs' metadata. */
nrw_status move_keep_decide(move *m, nrw_error *err);
/* Copies them, instead of a pipeline. */
nrw_status move_keep_run(move *m, file_summary *out, nrw_error *err);
/* Grants for as many workers as fit; NRW_E_MEMLIMIT names the least that would do. */
nrw_status move_share_memory(move *m, nrw_error *err);
/* Of the grant of `sample` what is for rows that wait, where its state may outgrow the rest. */
uint64_t move_first_late(const move *m);
/* Of what `sample` remembers of dictionaries. */
size_t move_codes_room(const move *m);
void move_plan(move *m);
/* What row groups a condition leaves, where that can be told. */
nrw_status move_plan_estimate(move *m, nrw_error *err);
/* Opens, runs and publishes. NRW_REJECTED: done, with rows left out. */
nrw_status move_run(move *m, nrw_error *err);

#endif
