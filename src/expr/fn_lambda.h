/* Functions that take a lambda: its body is an expression of its own, evaluated over the elements
 * of all lists of a batch at once. */
#ifndef EXPR_FN_LAMBDA_H
#define EXPR_FN_LAMBDA_H

#include "expr/function.h"

/* The bodies of two calls; true of calls without one. */
bool lambda_equal(const expr *a, const expr *b);

#endif
