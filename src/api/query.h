/* SQL: a query from its text to rows at a target. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "api/move_own.h"
#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/parse.h"

/* Files behind the names of a query. */
typedef struct query_catalog {
    nrw_job *job;
    mem *m;
    arena *a;
    struct query_table *tables; /* those that were found */
} query_catalog;

/* `a` holds what is found. */
query_catalog query_catalog_of(nrw_job *job, mem *m, arena *a);
sql_catalog query_catalog_face(query_catalog *c);
/* Closes what was found and never read. */
void query_catalog_close(query_catalog *c);
/* A table's name and, of one that is several files, how many are left and how they are read; before
 * it is read. `filtered`: its rows will be tested. */
void query_describe_table(const sql_table *t, bool filtered, char *out, size_t cap);
/* What the tables that were found hold, all together; -1: not known. */
int64_t query_rows(const query_catalog *c);
/* File i of all tables together; NULL behind the last. */
const char *query_input(const void *catalog, uint64_t i);
/* The names of what was found, as JSON objects behind each other, for the report. */
nrw_status query_note_sources(const query_catalog *c, bytes *out, nrw_error *err);

#endif
