/* A condition over a wide schema as one over a file's own columns. */
#ifndef DATASET_MAPPED_FILTER_H
#define DATASET_MAPPED_FILTER_H

#include "column/row_filter.h"
#include "dataset/unify.h"
#include "expr/scalar.h"

typedef enum filter_answer {
    ANSWER_SOME, /* some rows may pass: ask `filter` */
    ANSWER_ANY,  /* nothing can be said: any row may pass */
    ANSWER_NONE  /* no row passes */
} filter_answer;

typedef struct mapped_filter {
    row_filter base; /* first: what the file's reader sees */
    const row_filter *of;
    filter_answer answer;
} mapped_filter;

/* Steps lie in `a`, f outlives the result. added[c] is the constant of MAP_ADDED column c. */
nrw_status mapped_filter_of(arena *a, const row_filter *f, const map_entry *map,
                            const expr *const *added, mapped_filter *out,
                            nrw_error *err) NRW_CHECKED;
/* What is known of f->rows rows that all have the value of v, which has one row and outlives f. */
void mapped_constant_facts(const vector *v, value_facts *f);

#endif
