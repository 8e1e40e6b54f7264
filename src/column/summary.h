/* What a column holds, in one pass, as DuckDB's SUMMARIZE tells it: rows, nulls, least, greatest,
 * how many different values, mean, standard deviation; of nested columns rows and nulls alone. Fed
 * with vectors of any form. The result is a function of the rows alone: not of batches, forms, or
 * the way parts were merged; sums are exact until they are divided. Quantiles are not there: none
 * is exact in bounded memory. */
#ifndef COLUMN_SUMMARY_H
#define COLUMN_SUMMARY_H

#include "column/print.h"
#include "column/vector.h"

/* Least and greatest texts are kept up to this length. */
#define SUMMARY_TEXT_MAX 4096

typedef struct summary summary;

nrw_status summary_new(mem *m, const type *t, summary **out, nrw_error *err) NRW_CHECKED;
void summary_free(summary *s); /* NULL is fine */
/* v is of the summary's type. */
nrw_status summary_add(summary *s, const vector *v, nrw_error *err) NRW_CHECKED;
/* What `other` saw counts as seen by s. */
nrw_status summary_merge(summary *s, const summary *other, nrw_error *err) NRW_CHECKED;

/* Bytes that one summary takes at most, besides the texts of its least and greatest value. */
size_t summary_bytes(const type *t);

typedef struct summary_facts {
    uint64_t rows, nulls; /* nulls count as rows */
    uint64_t distinct;    /* of values that are there: exact up to 512, then within some percent */
    bool has_range;
    span min, max; /* as values of the type; valid as long as the summary is not touched */
    bool has_mean; /* numbers */
    double mean;
    bool has_deviation; /* numbers, two values at least, all of them finite */
    double deviation;   /* of a sample */
} summary_facts;

void summary_read(const summary *s, summary_facts *out);

/* The mean as DuckDB prints it: a DOUBLE of numbers, a timestamp of dates, a time of times;
 * 0 where there is none. */
size_t summary_mean_text(const summary *s, char out[PRINT_MAX]);
size_t summary_deviation_text(const summary *s, char out[PRINT_MAX]);
/* "33.40" */
size_t summary_null_percentage(const summary *s, char out[PRINT_MAX]);

#endif
