/* For the stores of io_file. Internal to io. */
#ifndef IO_FILE_OWN_H
#define IO_FILE_OWN_H

#include "io/file.h"

/* Fills the common part; file_close frees the name. */
nrw_status file_set_up(io_file *f, const file_class *class, mem *m, const char *name,
                       nrw_error *err) NRW_CHECKED;

/* A regular file that is open, called so in messages; it is closed whatever happens. */
nrw_status file_over(mem *m, int fd, const char *name, io_file **out, nrw_error *err) NRW_CHECKED;

#endif
