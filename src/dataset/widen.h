/* The narrowest type that holds every value of two others, so that files whose columns differ can
 * be read as one. Nothing is ever rounded, cut or wrapped: where no such type exists, there is
 * none. */
#ifndef DATASET_WIDEN_H
#define DATASET_WIDEN_H

#include "column/type.h"

/* null -> any; integers -> wider ones, DECIMAL where no integer holds both; integers and decimals
 * -> DECIMAL; floats, and integers that they hold exactly -> FLOAT or DOUBLE; times, timestamps of
 * one kind -> the finer unit; text of any kind -> VARCHAR; lists, maps and the fields of structs
 * inside. *wide: false, there is none. Children lie in `a`, or are those of x or y. */
nrw_status type_widen(arena *a, const type *x, const type *y, type *out, bool *wide,
                      nrw_error *err) NRW_CHECKED;

#endif
