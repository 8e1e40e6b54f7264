/* Nested values as bytes that refer to nothing outside of themselves: who keeps rows keeps them as
 * it keeps binary ones. The form is known to nobody else and never leaves the process. */
#ifndef COLUMN_NESTED_BYTES_H
#define COLUMN_NESTED_BYTES_H

#include "column/vector.h"

/* The rows of a nested vector as a flat one of TYPE_BINARY; null where they are. NRW_E_UNSUPPORTED:
 * they have 2 GiB or more. */
nrw_status nested_to_bytes(const vector *v, mem *m, vector *out, nrw_error *err) NRW_CHECKED;
/* What that takes at most, without the views. */
uint64_t nested_bytes_most(const vector *v);
/* And back, from a flat vector whose values were made of vectors of type t, in any order and as
 * often as wanted. NRW_E_UNSUPPORTED: more elements or text than a vector can have. */
nrw_status nested_from_bytes(const type *t, const vector *bytes, mem *m, vector *out,
                             nrw_error *err) NRW_CHECKED;

#endif
