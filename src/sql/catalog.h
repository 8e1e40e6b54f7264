/* What stands behind the names of a query: files, named tables. */
#ifndef SQL_CATALOG_H
#define SQL_CATALOG_H

#include "dataset/scan.h"

/* A table that was found; opened for its schema, read when the plan runs. */
typedef struct sql_table {
    const char *name; /* as typed, for messages and plans */
    schema schema;
    int64_t rows; /* -1: not known */
    void *self;   /* the catalog's */
} sql_table;

typedef struct sql_catalog {
    void *self;
    /* The table of that name; NRW_E_ARG: there is none. `is_file`: it was written in quotes. */
    nrw_status (*find)(void *self, span name, bool is_file, sql_table **out, nrw_error *err);
    /* A scan of it, not started; the caller closes it. */
    nrw_status (*open)(void *self, sql_table *t, scan **out, nrw_error *err);
} sql_catalog;

#endif
