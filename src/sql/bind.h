/* From a query as written to a plan: names are looked up, types settled, stars spread, aggregates
 * and windows taken out of expressions, subqueries made joins. Errors are NRW_E_ARG with the place
 * in the text. */
#ifndef SQL_BIND_H
#define SQL_BIND_H

#include "sql/ast.h"
#include "sql/plan.h"

/* What a bind works with; `text` is what the statement was parsed from. */
typedef struct sql_param {
    span name, value;
} sql_param;
typedef struct sql_bind_input {
    arena *a;
    const sql_catalog *catalog;
    span text;
    uint32_t n_params;
    const sql_param *params;
} sql_bind_input;

/* The rows that the statement gives: of its query, or what DESCRIBE and SUMMARIZE say of them. */
nrw_status sql_bind(const sql_bind_input *in, const sql_statement *s, plan **out,
                    nrw_error *err) NRW_CHECKED;
/* A row for each line of a text, in a column of that name. */
nrw_status sql_lines(arena *a, span text, const char *name, plan **out, nrw_error *err) NRW_CHECKED;

#endif
