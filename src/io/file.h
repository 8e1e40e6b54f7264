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
    /* Fails with NRW_E_CHANGED when size or modification time are no longer those of opening.
     * NULL: it cannot change. */
    nrw_status (*check)(io_file *f, nrw_error *err);
    void (*close)(io_file *f);
    /* Of files that are read once, front to back, as they come (a program's output, arrays of
     * somebody else); NULL: all of the file is there. See file_expect and file_forget. */
    nrw_status (*expect)(io_file *f, uint64_t at, uint64_t len, nrw_error *err);
    void (*forget)(io_file *f, uint64_t at);
    void (*stop)(io_file *f); /* ends the wait of `expect`, now and later; any thread */
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

/* Whether bytes [at, at + len) are there, of a live file once they have come. NRW_END: they are
 * not, and never will be. What is expected makes stretches: `at` is where one begins (then at the
 * end of all before it) or where the newest one began, which grows. By one thread at a time. */
nrw_status file_expect(io_file *f, uint64_t at, uint64_t len, nrw_error *err);
/* The stretch that began at `at` will not be read again. Any thread. */
void file_forget(io_file *f, uint64_t at);
/* The job has failed: nobody waits for more. Any thread. */
static inline void file_stop(io_file *f)
{
    if (f->class->stop)
        f->class->stop(f);
}
/* Comes as it is read: its size is not known, it is read once. */
static inline bool file_is_live(const io_file *f)
{
    return f->class->expect != NULL;
}

/* The size of a live file stands for all that may come. */
#define FILE_LIVE_SIZE ((uint64_t)INT64_MAX)

/* The reading end of a pipe, as a live file. */
typedef struct pipe_options {
    const char *name; /* of the file, for messages */
    struct spill *spill;
    size_t memory;                /* so much of what is not forgotten stays in memory, the rest is
                                     spilled */
    const _Atomic uint32_t *stop; /* set by anybody: expecting ends with NRW_E_CANCELLED */
    /* The end was reached, once: whether that is as it should be. */
    nrw_status (*ended)(void *self, nrw_error *err);
    void *self;
} pipe_options;
/* fd stays the caller's and open until the file is closed. The memory is reserved at once. */
nrw_status file_open_pipe(mem *m, int fd, const pipe_options *o, io_file **out, nrw_error *err);

/* For stores that lie elsewhere: fills the common part of f; file_close frees the name. */
nrw_status file_set_up(io_file *f, const file_class *class, mem *m, const char *name,
                       nrw_error *err) NRW_CHECKED;
/* A regular file that is open, called so in messages; it is closed whatever happens. */
nrw_status file_over(mem *m, int fd, const char *name, io_file **out, nrw_error *err) NRW_CHECKED;

#endif
