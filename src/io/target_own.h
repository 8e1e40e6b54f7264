/* Targets that belong to something larger. Internal to io. */
#ifndef IO_TARGET_OWN_H
#define IO_TARGET_OWN_H

#include "io/target.h"

/* Who publishes such a target's file. It outlives the target; any thread calls it. */
typedef struct target_owner {
    /* The file is whole and closed. */
    nrw_status (*finished)(void *self, const char *name, uint64_t bytes, nrw_error *err);
    /* It is not wanted. */
    void (*dropped)(void *self, const char *name);
    void *self;
} target_owner;

/* A target over an open, empty file, which it closes; a descriptor and no other is its own.
 * `folder` stands before `name` in messages, the owner is told of `name`. target_publish flushes,
 * closes and calls `finished`, and syncs nothing; target_close without it calls `dropped`. On
 * failure fd is closed, and the owner not called. */
nrw_status target_over(mem *m, int fd, const char *folder, const char *name,
                       const target_owner *owner, target **out, nrw_error *err);

#endif
