/* Generated rows as an input: the project's maker of test data.
 *
 * Columns are ranges (their cross join makes the rows, the last range fastest) and seeded value
 * columns. Every value is a function of the definition, the seed and the row alone, so rows can be
 * made in any order, by any thread, lazily. --shuffle puts a bijection of the row numbers in
 * between (a Feistel network on the next power of two, walked until it falls into the range), which
 * needs no memory. */
#ifndef DATASET_GEN_H
#define DATASET_GEN_H

#include "format/format.h"

typedef struct gen_column {
    const char *name;
    type type;
    uint64_t range;                  /* > 0: a range of so many values; 0: a value column */
    uint32_t min_length, max_length; /* value columns of text and binary, in bytes */
    double nulls;                    /* share of rows that are null, 0..1 */
} gen_column;

typedef struct gen_options {
    const gen_column *columns;
    uint32_t n_columns;
    uint64_t rows; /* 0: the product of the ranges; else at most (no ranges: exactly) so many */
    bool shuffle;
    uint64_t seed;
} gen_options;

/* "group=1000", "id=1000:string", "price=decimal(12,2)", "note=string:8..40" into a
 * column; `range` says which kind. The name is copied to a. */
nrw_status gen_column_parse(arena *a, const char *text, bool range, gen_column *out,
                            nrw_error *err);
/* "0.05" for all columns, "id=5%" for one. */
nrw_status gen_nulls_parse(gen_column *columns, uint32_t n, const char *text, nrw_error *err);

/* Options are copied. */
nrw_status gen_open(mem *m, const gen_options *opts, reader **out, nrw_error *err);

#endif
