/* What stands behind the names of a query: files, named tables. */
#ifndef SQL_CATALOG_H
#define SQL_CATALOG_H

#include "dataset/marks.h"
#include "dataset/totals.h"
#include "expr/scalar.h"

/* A table that was found; opened for its schema, read when the plan runs. */
typedef struct sql_table {
    const char *name; /* as typed, for messages and plans */
    schema schema;
    int64_t rows; /* -1: not known */
    size_t files;
    void *self; /* the catalog's */
} sql_table;

/* What a column of it, or a part of one, is called: the path of a part. */
static inline const char *sql_column_path(const sql_table *t, uint32_t column)
{
    const schema *s = &t->schema;

    return column < s->n_fields ? s->fields[column].name : s->part_paths[column - s->n_fields];
}

/* An argument of read_parquet(), its value as text: of strings without their quotes. */
typedef struct sql_read_option {
    span name, value;
} sql_read_option;

/* A table as a query names it. */
typedef struct sql_source {
    uint32_t n; /* of paths, or 1: a name */
    const span *paths;
    bool is_file; /* was written in quotes */
    uint32_t n_options;
    const sql_read_option *options;
    /* What the query asks of every row that it takes of the table, as far as columns that no file
     * holds tell (*out is NULL: nothing): files whose paths say no need not be opened. */
    nrw_status (*condition)(void *self, const schema *path_columns, const expr **out,
                            nrw_error *err);
    void *self;
} sql_source;

typedef struct sql_catalog {
    void *self;
    /* The table; NRW_E_ARG: there is none of that name, or of those options. */
    nrw_status (*find)(void *self, const sql_source *source, sql_table **out, nrw_error *err);
    /* A scan of it, not started; the caller closes it. */
    nrw_status (*open)(void *self, sql_table *t, scan **out, nrw_error *err);
    /* Before it is read: what values a column has, as far as metadata tell; what reading n of its
     * columns takes. */
    void (*values)(void *self, sql_table *t, uint32_t column, column_values *out);
    /* The marks of a column, as scan_marks; type and strict of *out are set. */
    nrw_status (*marks)(void *self, sql_table *t, uint32_t column, arena *a, key_marks *out,
                        nrw_error *err);
    /* What metadata say of whole columns, as scan_totals. */
    nrw_status (*totals)(void *self, sql_table *t, column_total *at, uint32_t n, arena *a,
                         bool *known, nrw_error *err);
    nrw_status (*budget)(void *self, sql_table *t, const uint32_t *columns, uint32_t n,
                         bool filtered, uint32_t workers, budget *out, nrw_error *err);
} sql_catalog;

#endif
