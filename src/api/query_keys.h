/* What a dataset is partitioned by: columns of the query, or expressions that become columns behind
 * it. Keys are found by their names, the last column of a name first. */
#ifndef API_QUERY_KEYS_H
#define API_QUERY_KEYS_H

#include "api/job.h"
#include "sql/parse.h"
#include "sql/plan.h"

typedef struct query_keys {
    uint32_t n;
    span *names;
} query_keys;

/* Of COPY's PARTITION_BY: *out is the query with a column more for each expression, or s->query
 * itself. */
nrw_status query_keys_of_copy(arena *a, const sql_statement *s, sql_query **out, query_keys *keys,
                              nrw_error *err) NRW_CHECKED;
/* Of --partition-by: names of columns; of expressions the name that AS gives them. */
nrw_status query_keys_of_words(const nrw_job *job, arena *a, query_keys *keys,
                               nrw_error *err) NRW_CHECKED;
/* Their places among the columns of p. */
nrw_status query_keys_find(const query_keys *keys, const plan *p, arena *a, uint32_t **places,
                           nrw_error *err) NRW_CHECKED;

#endif
