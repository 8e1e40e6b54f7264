/* From what the user typed to files: a name that exists is that file; else * ? [..] {a,b} ** are a
 * glob; a directory gives the files in it (hidden and `_` names skipped, folders as
 * `_key=value` not), by path byte by byte. No match is an error. */
#ifndef IO_GLOB_H
#define IO_GLOB_H

#include "base/arena.h"

typedef struct path_list {
    size_t n, cap;
    char **at; /* in the arena */
} path_list;

nrw_status glob_expand(arena *a, const char *pattern, path_list *out, nrw_error *err);

#endif
