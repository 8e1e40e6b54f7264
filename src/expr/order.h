/* The order of two rows of one type, any form. */
#ifndef EXPR_ORDER_H
#define EXPR_ORDER_H

#include "column/vector.h"

/* < 0, 0, > 0. Nulls are equal and behind all else, inside of nested values too. */
int row_order(const vector *a, uint32_t i, const vector *b, uint32_t j);

#endif
