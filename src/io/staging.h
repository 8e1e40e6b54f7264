/* A file beside its target until it is published. Internal to io/target.c. */
#ifndef IO_STAGING_H
#define IO_STAGING_H

#include "base/mem.h"

#define STAGING_NAME 48

typedef struct staging {
    int folder;              /* of the target; owned by the caller */
    const char *target;      /* its name in the folder */
    int fd;                  /* open for reading and writing; -1: none */
    char name[STAGING_NAME]; /* empty: the file has no name yet */
} staging;

/* Makes the file; an errno on failure. */
int staging_open(staging *s);
/* The same under a name from the start, for file systems without unnamed files. */
int staging_open_named(staging *s);
/* Gives the file the target's name. EEXIST where that is taken and `replace` is not set. */
int staging_publish(staging *s, bool replace);
/* Removes what was not published. */
void staging_close(staging *s);

/* Removes names that killed runs to this target left behind: those whose lock is free. `buffer`
 * as for sys_read_folder. */
void staging_sweep(int folder, const char *target, void *buffer, size_t len);

#endif
