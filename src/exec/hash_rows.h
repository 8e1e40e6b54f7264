/* Hashes of keys, column by column. Rows whose keys are not distinct (nulls equal, -0 equals 0, NaN
 * equals NaN) have equal hashes once the columns went through key_canonical. */
#ifndef EXEC_HASH_ROWS_H
#define EXEC_HASH_ROWS_H

#include "column/vector.h"

#define HASH_OF_NULL UINT64_C(0xa0761d6478bd642f)

/* Whether keys of n columns are equal where their hashes are: those of one word, hashed by a
 * bijection. One value has the null's hash: there it says nothing. */
bool hash_tells(const type *types, uint32_t n);
/* hashes[i] = hash of row i of v; `more`: combined with what hashes[i] was. Any form. */
void hash_vector(const vector *v, uint32_t rows, bool more, uint64_t *hashes);
/* Whether values of the type have one spelling anyway. */
bool key_is_canonical(const type *t);
/* v, or a copy in which all NaN are one NaN and no zero is negative, and intervals have one
 * spelling. */
nrw_status key_canonical(const vector *v, mem *m, vector *out, nrw_error *err);

#endif
