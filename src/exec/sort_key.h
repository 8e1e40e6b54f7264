/* ORDER BY as bytes: keys that compare with memcmp as the rows do. */
#ifndef EXEC_SORT_KEY_H
#define EXEC_SORT_KEY_H

#include "base/arena.h"
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

/* How long the key of any row is, where all its columns are flat, of words, without nulls; else 0.
 */
uint32_t sort_key_plain_bytes(const vector *const *columns, const sort_order *orders, uint32_t n);
/* Such a key to `to`, which has room for 8 bytes more: its end. */
uint8_t *sort_key_put_plain(uint8_t *to, const vector *const *columns, const sort_order *orders,
                            uint32_t n, uint32_t row);

/* One value of a key: where it stands is known once those before it were read. */
typedef struct sort_key_part {
    const type *type;
    bool descending;
    uint32_t column; /* of the rows that are kept behind their keys; UINT32_MAX: it is not kept */
} sort_key_part;

/* The first parts of a key, as far as their types can be read. */
typedef struct sort_key_parts {
    bool place; /* a whole word stands behind all parts, big end first: where the row came from */
    uint32_t n;
    sort_key_part at[];
} sort_key_parts;

/* `column` of a part is that of its order and `before` more, where that is less than `end`. The
 * types stay. `place` is false. */
nrw_status sort_key_parts_new(arena *a, const type *types, const sort_order *orders, uint32_t n,
                              uint32_t before, uint32_t end, sort_key_parts **out,
                              nrw_error *err) NRW_CHECKED;
/* Whether a part of the type is read; whether it then tells every value. Of floats NaN and the
 * negative zero are not told, of what is wider than SORT_KEY_TOLD and no text nothing is. */
#define SORT_KEY_TOLD 16u
bool sort_key_reads(const type *t);
bool sort_key_tells_all(const type *t);

/* Takes the part from the front of `key`. Whether it tells this value of its column, as it is kept:
 * null is zeros, or an empty text. */
bool sort_key_tells(const sort_key_part *p, span *key, span value);
/* The same, of a part that tells: to `value`, which has room for the value. */
void sort_key_take(const sort_key_part *p, span *key, uint8_t *value);
void sort_key_skip(const sort_key_part *p, span *key);

#endif
