/* x IN (constants) by a hash table. */
#ifndef EXPR_FN_IN_H
#define EXPR_FN_IN_H

#include "expr/function.h"

#define IN_SET_LEAST 8u /* fewer are compared one by one, which files can prune by, too */

/* *is: b is bound so, its arguments being compared as t; `written` has the constants as that. Else
 * nothing is done. */
nrw_status in_set_bind(binding *b, const type *t, bool *is, nrw_error *err);
nrw_status in_set_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err);

#endif
