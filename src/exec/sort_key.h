/* ORDER BY as bytes: keys that compare with memcmp as the rows do. */
#ifndef EXEC_SORT_KEY_H
#define EXEC_SORT_KEY_H

#include "base/buffer.h"
#include "column/vector.h"

typedef struct sort_order {
    uint32_t column;
    bool descending, nulls_first;
} sort_order;

/* Appends the key of `row`, by columns[orders[i].column] (flat or dict) each. Values as
 * column/compare.h orders them. Keys are prefix-free. */
nrw_status sort_key_append(bytes *key, const vector *const *columns, const sort_order *orders,
                           uint32_t n, uint32_t row, nrw_error *err) NRW_CHECKED;

#endif
