/* Hashes of keys, column by column. Rows whose keys are not distinct (nulls equal, -0 equals 0, NaN
 * equals NaN) have equal hashes once the columns went through key_canonical. */
#ifndef EXEC_HASH_ROWS_H
#define EXEC_HASH_ROWS_H

#include "base/arena.h"
#include "exec/rows.h"

#define HASH_OF_NULL UINT64_C(0xa0761d6478bd642f)

/* Whether keys of n columns are equal where their hashes are: those of one word, hashed by a
 * bijection. One value has the null's hash: there it says nothing. */
bool hash_tells(const type *types, uint32_t n);
/* Rows of the layout are hashed by n columns: those of `columns`, or NULL: the first n. A spill
 * file makes these hashes again where that costs little. */
nrw_status hash_row_layout(arena *a, row_layout *l, const uint32_t *columns, uint32_t n,
                           nrw_error *err) NRW_CHECKED;
/* The hash of a row by l->hashed, as hash_vector has it. */
uint64_t hash_row(const row_layout *l, const uint8_t *row);
/* hashes[i] = hash of row i of v; `more`: combined with what hashes[i] was. Any form. */
void hash_vector(const vector *v, uint32_t rows, bool more, uint64_t *hashes);
/* Whether values of the type have one spelling anyway. */
bool key_is_canonical(const type *t);
/* v, or a copy in which all NaN are one NaN and no zero is negative, and intervals have one
 * spelling. */
nrw_status key_canonical(const vector *v, mem *m, vector *out, nrw_error *err);

#endif
