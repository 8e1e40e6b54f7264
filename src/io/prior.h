/* The file that a target adds to: held from when the target is opened, its bytes are what the new
 * file begins with, and it is replaced only while it is still what was copied. Internal to
 * io/target.c. */
#ifndef IO_PRIOR_H
#define IO_PRIOR_H

#include "base/mem.h"

#include <sys/stat.h>

typedef struct prior {
    int fd; /* locked, so that of two runs that add to it one is refused; -1: there is none */
    struct stat is;
} prior;

/* NRW_E_IO: another run is adding to it. Failures leave p->fd -1. */
nrw_status prior_open(prior *p, int folder, const char *name, nrw_error *err) NRW_CHECKED;
/* NRW_E_CHANGED: under its name is no longer what was opened. */
nrw_status prior_check(const prior *p, int folder, const char *name, nrw_error *err) NRW_CHECKED;
void prior_close(prior *p);

#endif
