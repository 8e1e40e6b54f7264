/* Files of this machine, and pipes, which are spooled to an unlinked file first. */
#include "base/text.h"
#include "io/file.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SPOOL_STEP ((size_t)256 << 10)

typedef struct local_file {
    io_file file;
    int fd;
    bool spooled; /* nobody else can change it */
    struct timespec modified;
} local_file;

static nrw_status local_check(io_file *f, nrw_error *err)
{
    local_file *l = (local_file *)f;
    char then[TEXT_NUMBER], now[TEXT_NUMBER];
    struct stat st;
    int e;

    if (l->spooled)
        return NRW_OK;
    e = sys_stat(l->fd, &st);
    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot look at the file");
    if ((uint64_t)st.st_size != f->size)
        return err_set(err, NRW_E_CHANGED, "changed while it was read: %s bytes then, %s now",
                       text_group(f->size, then), text_group((uint64_t)st.st_size, now));
    if (st.st_mtim.tv_sec != l->modified.tv_sec || st.st_mtim.tv_nsec != l->modified.tv_nsec)
        return err_set(err, NRW_E_CHANGED, "changed while it was read");
    return NRW_OK;
}

static nrw_status local_read(io_file *f, uint64_t offset, void *dst, size_t len, nrw_error *err)
{
    size_t done;
    int e = sys_read_at(((local_file *)f)->fd, offset, dst, len, &done);

    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot read %zu bytes", len);
    if (done == len)
        return NRW_OK;
    TRY(local_check(f, err)); /* it was cut, which says more */
    return err_set(err, NRW_E_IO, "read %zu bytes where %zu should be", done, len);
}

static void local_will_read(io_file *f, uint64_t offset, uint64_t len)
{
    sys_will_read(((local_file *)f)->fd, offset, len);
}

static void local_close(io_file *f)
{
    sys_close(((local_file *)f)->fd);
    mem_free(f->m, f, sizeof(local_file));
}

static const file_class local_class = {"local", local_read, local_will_read, local_check,
                                       local_close};

static nrw_status spool_to(int from, int to, void *buffer, uint64_t *size, nrw_error *err)
{
    for (;;) {
        size_t got, put;
        int e = sys_read(from, buffer, SPOOL_STEP, &got);
        if (e)
            return err_errno(err, NRW_E_IO, e, "cannot read the pipe");
        if (!got)
            return NRW_OK;
        e = sys_write_at(to, *size, buffer, got, &put);
        if (e) {
            err_next(err, "--spill-dir names another folder");
            return sys_write_error(to, e, got, put, "spooling the pipe: ", err);
        }
        *size += got;
    }
}

/* The pipe's bytes into a file of their own, which takes the place of the descriptor. */
static nrw_status spool(local_file *l, const char *dir, nrw_error *err)
{
    nrw_status st;
    void *buffer;
    int to;

    TRY(sys_open_unnamed(dir ? dir : sys_temp_folder(), &to, err));
    st = mem_alloc(l->file.m, SPOOL_STEP, &buffer, err);
    if (st == NRW_OK) {
        st = spool_to(l->fd, to, buffer, &l->file.size, err);
        mem_free(l->file.m, buffer, SPOOL_STEP);
    }
    sys_close(l->fd);
    l->fd = to;
    l->spooled = true;
    return st;
}

static nrw_status open_fd(local_file *l, const char *path, nrw_error *err)
{
    int e = 0;

    if (strcmp(path, "-") != 0) {
        e = sys_open_at(AT_FDCWD, path, O_RDONLY, 0, &l->fd);
    } else {
        l->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        e = l->fd < 0 ? errno : 0;
    }
    if (e == ENOENT || e == ENOTDIR)
        return err_set(err, NRW_E_NOTFOUND, "no such file");
    return e ? err_errno(err, NRW_E_IO, e, "cannot open") : NRW_OK;
}

static nrw_status look(local_file *l, struct stat *st, nrw_error *err)
{
    int e = sys_stat(l->fd, st);

    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot look at the file");
    l->file.size = (uint64_t)st->st_size;
    l->modified = st->st_mtim;
    return NRW_OK;
}

static nrw_status open_local(local_file *l, const char *path, const char *spill_dir, nrw_error *err)
{
    struct stat st;

    TRY(open_fd(l, path, err));
    TRY(look(l, &st, err));
    if (S_ISDIR(st.st_mode))
        return err_set(err, NRW_E_ARG, "is a folder, a file is wanted");
    if (S_ISREG(st.st_mode))
        return NRW_OK;
    l->file.size = 0;
    return spool(l, spill_dir, err);
}

static nrw_status new_local(mem *m, int fd, const char *name, local_file **out, nrw_error *err)
{
    nrw_status st;
    void *p;

    *out = NULL;
    st = mem_zalloc(m, sizeof **out, &p, err);
    if (st < 0) {
        sys_close(fd);
        return st;
    }
    *out = p;
    (*out)->fd = fd;
    return file_set_up(&(*out)->file, &local_class, m, name, err);
}

/* What was opened, or the failure with the file's name. */
static nrw_status opened(local_file *l, nrw_status st, const char *name, io_file **out,
                         nrw_error *err)
{
    if (st < 0) {
        if (l)
            file_close(&l->file);
        err_at_object(err, name);
        return st;
    }
    *out = &l->file;
    return NRW_OK;
}

nrw_status file_open(mem *m, const char *path, const char *spill_dir, io_file **out, nrw_error *err)
{
    local_file *l;
    nrw_status st = new_local(m, -1, path, &l, err);

    *out = NULL;
    if (st == NRW_OK)
        st = open_local(l, path, spill_dir, err);
    return opened(l, st, path, out, err);
}

nrw_status file_over(mem *m, int fd, const char *name, io_file **out, nrw_error *err)
{
    struct stat file;
    local_file *l;
    nrw_status st = new_local(m, fd, name, &l, err);

    *out = NULL;
    if (st == NRW_OK)
        st = look(l, &file, err);
    return opened(l, st, name, out, err);
}
