/* Inside of what answers queries: statements of SQL, and the verbs that say the same in options.
 *
 *   query.c          texts to statements, one after the other
 *   query_words.c    a statement's options as the job's words, a job's words as a statement
 *   query_catalog.c  what stands behind names
 *   query_memory.c   shares of the memory
 *   query_steps.c    what steps that gather rows need
 *   query_plan.c     the plan
 *   query_run.c      the parts opened, carried out, counted and published */
#ifndef API_QUERY_OWN_H
#define API_QUERY_OWN_H

#include "api/move.h"
#include "api/output.h"
#include "api/query.h"
#include "api/query_keys.h"
#include "exec/room.h"
#include "sql/estimate.h"

/* A step of the plan and what it may take: `n` operators share the grant. */
typedef struct query_part {
    const plan_estimate *step;
    uint32_t n;
    budget need;           /* spill: whatever it is granted */
    uint64_t certain;      /* with less it may spill */
    uint64_t likely_spill; /* where no more rows come of it than are likely */
    uint64_t grant;
} query_part;

/* A statement on its way. */
typedef struct query {
    nrw_job *job;
    mem *m;
    arena *a;
    span text; /* what it was parsed from */
    output to;
    query_catalog catalog;
    sql_catalog face;
    plan *plan;
    query_keys keys; /* of a partitioned dataset */
    schema out;
    sql_exec exec;
    plan_estimate *sizes;
    query_part *parts; /* of the steps that gather */
    uint32_t n_parts;
    uint64_t writing;
    uint64_t books; /* of all grants, what is taken at the same time */
    uint64_t least_reading, least_writing, least_batches;
    uint64_t spill; /* at most, of all */
    mem *write_books;
} query;

/* ---- steps that gather rows (query_steps.c) ---- */

/* So many times the rows that are likely, no more than there may be: if groups are few
 * (plan_estimate.few), while that takes little, where it is dear to be wrong, and all there may be.
 */
#define FEW    0
#define MORE   4
#define SURELY 64
#define EVERY  UINT64_MAX

uint64_t step_count(const plan_estimate *e, uint64_t times);
/* keys: bytes of a row's keys. */
room_rows step_rows(const plan_estimate *e, uint64_t times, uint64_t keys);
budget step_need(const plan_estimate *e, uint64_t times, uint32_t workers);
/* Whether it should have room for all that may come: what one group's state takes cannot be
 * spilled, and partitions that do not fit are read twice. */
bool step_must_fit(const plan *p);
/* Of the grant of PLAN_FIRST for rows that wait: nothing, where the state fits for sure. */
uint64_t step_late(const plan_estimate *e, uint64_t grant, uint32_t workers);
/* At most, with the grant, where so many times as many rows come of it as are likely. */
uint64_t step_spill(const query_part *part, uint64_t times, uint32_t workers);

/* ---- */

/* Grants for as many workers as fit; NRW_E_MEMLIMIT names the least that would do. */
nrw_status query_share_memory(query *q, nrw_error *err) NRW_CHECKED;
void query_fill_plan(query *q);
/* Opens, runs and publishes. */
nrw_status query_run(query *q, nrw_error *err) NRW_CHECKED;

/* The options and the target of a COPY, part of `text`, as words of the job, behind those that are
 * there. */
nrw_status query_copy_words(nrw_job *job, span text, const sql_statement *s,
                            nrw_error *err) NRW_CHECKED;

/* A query made of options, and the line on which each begins. */
typedef struct query_line {
    const char *option;
    uint32_t line;
} query_line;
typedef struct query_text {
    bytes text;
    uint32_t n;
    query_line parts[64];
} query_text;

/* What the options of `copy` and `head` say, as a query. t->text is the caller's to release. */
nrw_status query_of_words(nrw_job *job, query_text *t, nrw_error *err) NRW_CHECKED;
/* A message about the text names the option instead of the line. */
void query_blame(const query_text *t, nrw_error *err);

#endif
