/* Keys as bytes: for hashing and comparing as IS NOT DISTINCT FROM. */
#ifndef COLUMN_KEY_H
#define COLUMN_KEY_H

#include "column/vector.h"

/* Appends value `row` of v (flat or dict) to a key: a byte that tells nulls from values, then the
 * value; text and binary with their length before them. Two keys made of values of the same types
 * are equal byte for byte exactly when no value is distinct from its counterpart: nulls are equal,
 * -0 equals 0, every NaN equals every other, 30 days equal a month. */
nrw_status key_append(bytes *key, const vector *v, uint32_t row, nrw_error *err) NRW_CHECKED;

/* The bytes behind that one, of a value of a type of fixed width: as many as the value has. */
void key_put_value(const type *t, const uint8_t *value, uint8_t *to);

/* Whether values of a type of fixed width have one spelling each, which is in the key. */
bool key_is_plain(const type *t);

#endif
