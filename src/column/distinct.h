/* How many different values there were: exactly up to 512, by HyperLogLog above (4096 registers,
 * standard error 1.6 %). Depends on the set of hashes alone. */
#ifndef COLUMN_DISTINCT_H
#define COLUMN_DISTINCT_H

#include "base/mem.h"

typedef struct distinct {
    mem *m;
    uint64_t *set; /* open addressing; 0: free */
    uint32_t n, cap;
    uint8_t *registers; /* instead of the set, once it is full */
} distinct;

nrw_status distinct_add(distinct *d, uint64_t hash, nrw_error *err) NRW_CHECKED;
nrw_status distinct_merge(distinct *d, const distinct *other, nrw_error *err) NRW_CHECKED;
uint64_t distinct_count(const distinct *d);
void distinct_release(distinct *d);

#endif
