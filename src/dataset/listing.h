/* Files as rows of a table that no file holds: the path, and the keys of its folders. From these
 * columns alone it can be said which files a condition leaves, before any of them is opened. */
#ifndef DATASET_LISTING_H
#define DATASET_LISTING_H

#include "column/row_filter.h"
#include "expr/scalar.h"
#include "io/glob.h"

/* What --read and the arguments of read_parquet() say of folders. */
typedef struct listing_options {
    bool no_hive;         /* folders are no columns */
    bool all_text;        /* keys whose type is not given are VARCHAR */
    const char *filename; /* name of the column that holds the path; NULL: there is none */
    const char *types;    /* "{'dt': DATE, n: INTEGER}"; NULL: none is given */
} listing_options;

/* Takes `name` = `value` into o; the texts stay the caller's. NRW_END: it is another option's. */
nrw_status listing_option(listing_options *o, span name, const char *value,
                          nrw_error *err) NRW_CHECKED;

typedef struct listing {
    schema columns; /* `filename` first, then the keys by name */
    bool filename;
} listing;

/* Finds the keys of files and their types: those given, else the first of DATE, TIMESTAMP and
 * BIGINT that all values are written in, else VARCHAR. Numbers with leading zeros, a plus sign or
 * blanks are text. Where not all files have the same keys it is NRW_E_SCHEMA. `out` lies in `a`. */
nrw_status listing_open(arena *a, const path_list *files, const listing_options *o, listing *out,
                        nrw_error *err) NRW_CHECKED;

/* The value of a column for the file at `path`, a constant in `a`. NRW_E_VALUE: the text is none
 * of the column's type. */
nrw_status listing_value(const listing *l, const char *path, uint32_t column, arena *a,
                         const expr **out, nrw_error *err) NRW_CHECKED;

/* A condition over the columns. */
typedef struct listing_condition {
    /* Whether it may be true of a file with these values, constants; those it does not look at may
     * be NULL. */
    nrw_status (*keeps)(void *self, const expr *const *values, bool *keep, nrw_error *err);
    void *self;
    const bool *looks_at; /* by column */
} listing_condition;

/* The files that it leaves, in their order: at least one (the first), since there is no schema
 * without a file. out->at lies in `a`. */
nrw_status listing_prune(arena *a, const listing *l, const path_list *files,
                         const listing_condition *c, path_list *out, nrw_error *err) NRW_CHECKED;

#endif
