/* Inside of what answers queries: statements of SQL, and the verbs that say the same in options.
 *
 *   query.c          texts to statements, one after the other
 *   query_words.c    a statement's options as the job's words, a job's words as a statement
 *   query_catalog.c  what stands behind names
 *   query_plan.c     shares of the memory, and the plan
 *   query_run.c      the parts opened, carried out, counted and published */
#ifndef API_QUERY_OWN_H
#define API_QUERY_OWN_H

#include "api/move.h"
#include "api/output.h"
#include "api/query.h"
#include "api/query_keys.h"

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
    uint64_t writing;
    mem *write_books;
} query;

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
typedef struct query_part {
    const char *option;
    uint32_t line;
} query_part;
typedef struct query_text {
    bytes text;
    uint32_t n;
    query_part parts[64];
} query_text;

/* What the options of `copy` and `head` say, as a query. t->text is the caller's to release. */
nrw_status query_of_words(nrw_job *job, query_text *t, nrw_error *err) NRW_CHECKED;
/* A message about the text names the option instead of the line. */
void query_blame(const query_text *t, nrw_error *err);

#endif
