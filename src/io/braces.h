/* `a{b,c}d` to `abd` and `acd`, nested ones too. Internal to io/glob.c. */
#ifndef IO_BRACES_H
#define IO_BRACES_H

#include "io/glob.h"

/* Appends the alternatives of `pattern` in order. Braces without a comma stand for themselves, as
 * do those behind a backslash. */
nrw_status braces_expand(arena *a, const char *pattern, path_list *out, nrw_error *err);

/* Appends a path that lies in the arena. */
nrw_status path_list_add(arena *a, path_list *list, char *path, nrw_error *err);

#endif
