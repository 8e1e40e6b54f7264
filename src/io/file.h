/* Byte sources: positional reads, no shared position. A store is one file with a file_class.
 *
 * Reads are exact or fail; reading past the end is the caller's error (NRW_E_CORRUPT with the
 * place, since offsets come from data). Thread-safe unless said. Nothing is mapped. */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/mem.h"
#include "base/span.h"
#include <stdatomic.h>

typedef struct io_file io_file;

typedef struct file_class {
    const char *name;
    nrw_status (*read_at)(io_file *f, uint64_t offset, void *dst, size_t len, nrw_error *err);
    /* A hint that the range will be read soon; may do nothing. NULL allowed. */
    void (*will_read)(io_file *f, uint64_t offset, uint64_t len);
    /* Fails with NRW_E_CHANGED when size or modification time are no longer those of opening. */
    nrw_status (*check)(io_file *f, nrw_error *err);
    void (*close)(io_file *f);
} file_class;

struct io_file {
    const file_class *class;
    char *name; /* as the user typed it: stands in messages */
    uint64_t size;
    mem *m;
    _Atomic uint64_t bytes_read; /* for reports */
};

/* A local regular file; "-" is stdin (a pipe is spooled to an unlinked file in spill_dir first). */
nrw_status file_open(mem *m, const char *path, const char *spill_dir, io_file **out,
                     nrw_error *err);
/* Bytes in memory, owned by the caller, for tests. */
nrw_status file_open_memory(mem *m, const char *name, span bytes, io_file **out, nrw_error *err);
nrw_status file_read(io_file *f, uint64_t offset, void *dst, size_t len, nrw_error *err);
void file_will_read(io_file *f, uint64_t offset, uint64_t len);
nrw_status file_check(io_file *f, nrw_error *err);
void file_close(io_file *f); /* NULL is fine */

#endif
