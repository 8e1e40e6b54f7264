/* A condition on rows as far as a source can use it: which of its stretches of rows cannot match.
 *
 * The condition is a positive tree of tests: each looks at one column, AND and OR join them, what
 * was negated is inside the tests. So a source may answer "may match" for a test it knows nothing
 * of, and the tree stays right. Rows that come from a stretch that may match are tested again by
 * whoever set the condition. */
#ifndef COLUMN_ROW_FILTER_H
#define COLUMN_ROW_FILTER_H

#include "column/vector.h"

/* What a source knows of one column in a stretch of rows. Bounds are in the layout of vectors and
 * need not be values; they bind all values but nulls and NaN. */
typedef struct value_facts {
    int64_t rows;
    int64_t nulls; /* -1: not known */
    bool has_min, has_max;
    bool min_exact, max_exact; /* known to be values, not only bounds */
    span min, max;
} value_facts;

typedef enum row_filter_kind { ROW_FILTER_TEST, ROW_FILTER_AND, ROW_FILTER_OR } row_filter_kind;

typedef struct row_filter_step {
    uint8_t kind;    /* row_filter_kind */
    uint32_t test;   /* number of the test */
    uint32_t column; /* of the source's schema */
} row_filter_step;

typedef struct row_filter row_filter;

struct row_filter {
    /* Postfix: a test pushes its answer, AND and OR join the two on top. One is left. */
    const row_filter_step *steps;
    uint32_t n_steps;
    uint32_t depth; /* answers on the stack at most */
    /* False: no row of the stretch passes the test. */
    bool (*may_match)(const row_filter *f, uint32_t test, const value_facts *facts);
    /* False: no row with one of these values, a flat vector without nulls, passes the test. */
    bool (*any_passes)(const row_filter *f, uint32_t test, const vector *values);
    /* Where only rows that hold one of a few values pass the test: how many they are; else 0. */
    uint32_t (*n_values)(const row_filter *f, uint32_t test);
    /* The i-th of them in the layout of vectors, in `room` or elsewhere; false: no value of the
     * column's type is that one. */
    bool (*value)(const row_filter *f, uint32_t test, uint32_t i, uint8_t room[32], span *out);
};

#endif
