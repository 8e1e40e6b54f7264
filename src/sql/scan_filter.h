/* Conditions that a scan can use by itself: to leave out row groups and pages, and to look at
 * dictionaries instead of rows. */
#ifndef SQL_SCAN_FILTER_H
#define SQL_SCAN_FILTER_H

#include "sql/plan.h"

/* The conjuncts pushed into a scan as a condition's text (expr/expr.h), NULL where there is none;
 * what cannot be said so is in *rest, over the scan's columns, or NULL. */
nrw_status scan_filter_text(arena *a, const plan *p, const char **text, const expr **rest,
                            nrw_error *err);

#endif
