/* Text to statements and expressions. Errors are NRW_E_ARG and say where: "line 2, character 7:
 * ..." with what was expected. Nesting deeper than SQL_MAX_DEPTH is an error, not a crash.
 * Thread-safe; results live in the arena. */
#ifndef SQL_PARSE_H
#define SQL_PARSE_H

#include "sql/ast.h"

#include <stdarg.h>

#define SQL_MAX_DEPTH 1000

/* All statements of a script, in order. */
nrw_status sql_parse(arena *a, span text, sql_statement **out, uint32_t *n,
                     nrw_error *err) NRW_CHECKED;
/* One expression alone. */
nrw_status sql_parse_expr(arena *a, span text, sql_expr **out, nrw_error *err) NRW_CHECKED;

/* An error at byte `at` of the text, for whoever finds it later (the binder). */
nrw_status sql_fail(span text, size_t at, nrw_error *err, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Whether it is a message of sql_fail, which begins with the place. */
bool sql_has_place(const char *message);
nrw_status sql_vfail(span text, size_t at, nrw_error *err, const char *fmt, va_list ap);

/* The name of a column without an alias: DuckDB's printing of the expression, "(a + 1)",
 * "count_star()", "CAST(a AS BIGINT)". */
nrw_status sql_print_expr(arena *a, const sql_expr *e, span *out, nrw_error *err) NRW_CHECKED;

#endif
