/* Least and greatest value and the nulls of decoded vectors, in the form statistics have. */
#ifndef PARQUET_VERIFY_RANGE_H
#define PARQUET_VERIFY_RANGE_H

#include "column/vector.h"
#include "format/parquet/meta.h"

typedef struct pq_range {
    bool any; /* a value that is neither null nor NaN was seen */
    int64_t rows, nulls;
    int64_t text;   /* bytes of values of any length, their lengths apart */
    bytes min, max; /* PLAIN without a length */
} pq_range;

pq_range pq_range_init(mem *m);
void pq_range_clear(pq_range *r);
void pq_range_release(pq_range *r);
nrw_status pq_range_add(pq_range *r, const pq_leaf *l, const vector *v, nrw_error *err) NRW_CHECKED;
/* Takes the values of `from` in. */
nrw_status pq_range_join(pq_range *r, const pq_leaf *l, const pq_range *from,
                         nrw_error *err) NRW_CHECKED;

#endif
