/* What metadata alone say of whole columns: how many nulls they have, their least and greatest
 * value. Bounds bind values, they need not be values themselves (texts are cut short, and no bound
 * knows of NaN): so no more is said here than what is exact. */
#ifndef DATASET_TOTALS_H
#define DATASET_TOTALS_H

#include "dataset/scan.h"

typedef struct column_total {
    /* asked, by the caller */
    uint32_t column; /* of the scan's schema, or a part */
    type type;       /* its type */
    bool extremes;   /* least and greatest are wanted, else nulls */
    /* answered */
    int64_t nulls;
    span least, greatest; /* as flat_span; data NULL: there are no values but nulls */
} column_total;

/* Answers all of at[0..n) for the rows of s, which was not started; *known false: metadata do not
 * tell one of them, or how many rows there are. What is found is copied to `a`; books of what is
 * needed meanwhile are children of m. With n = 0 no input is opened again. */
nrw_status scan_totals(scan *s, mem *m, column_total *at, uint32_t n, arena *a, bool *known,
                       nrw_error *err) NRW_CHECKED;

#endif
