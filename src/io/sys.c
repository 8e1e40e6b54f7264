#include "io/sys.h"

#include "base/fault.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Linux moves at most 0x7ffff000 bytes a call. */
#define CALL_MAX ((size_t)1 << 30)

static size_t call_size(size_t len)
{
    return len < CALL_MAX ? len : CALL_MAX;
}

int sys_open_at(int dir, const char *path, int flags, mode_t mode, int *fd)
{
    int fault = fault_io((flags & O_CREAT) != 0);

    *fd = -1;
    if (fault)
        return fault;
    if (flags & O_CREAT)
        fault_change(-1);
    do
        *fd = openat(dir, path, flags | O_CLOEXEC, mode);
    while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? errno : 0;
}

int sys_stat_at(int dir, const char *path, struct stat *st, int flags)
{
    int fault = fault_io(false);

    if (fault)
        return fault;
    return fstatat(dir, path, st, flags) ? errno : 0;
}

int sys_is_at(int dir, const char *path, bool *there)
{
    struct stat st;
    int e = sys_stat_at(dir, path, &st, AT_SYMLINK_NOFOLLOW);

    *there = !e;
    return e == ENOENT || e == ENOTDIR ? 0 : e;
}

int sys_stat(int fd, struct stat *st)
{
    int fault = fault_io(false);

    if (fault)
        return fault;
    return fstat(fd, st) ? errno : 0;
}

int sys_read_at(int fd, uint64_t offset, void *dst, size_t len, size_t *done)
{
    *done = 0;
    while (*done < len) {
        int fault = fault_io(false);
        ssize_t n;
        if (fault)
            return fault;
        n = pread(fd, (char *)dst + *done, call_size(len - *done), (off_t)(offset + *done));
        if (n < 0 && errno != EINTR)
            return errno;
        if (n == 0)
            break;
        *done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int sys_write_at(int fd, uint64_t offset, const void *src, size_t len, size_t *done)
{
    *done = 0;
    while (*done < len) {
        int fault = fault_io(true);
        ssize_t n;
        if (fault)
            return fault;
        fault_change(fd);
        n = pwrite(fd, (const char *)src + *done, call_size(len - *done), (off_t)(offset + *done));
        if (n < 0 && errno != EINTR)
            return errno;
        *done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* What is left of a list when `done` bytes of it are. */
static void use_up(struct iovec **list, size_t *n, size_t done)
{
    while (*n && done >= (*list)->iov_len) {
        done -= (*list)->iov_len;
        (*list)++;
        (*n)--;
    }
    if (*n) {
        (*list)->iov_base = (char *)(*list)->iov_base + done;
        (*list)->iov_len -= done;
    }
}

int sys_write_list_at(int fd, uint64_t offset, struct iovec *list, size_t n, size_t *done)
{
    *done = 0;
    use_up(&list, &n, 0);
    while (n) {
        int fault = fault_io(true);
        ssize_t written;
        if (fault)
            return fault;
        fault_change(fd);
        written = pwritev(fd, list, n < IOV_MAX ? (int)n : IOV_MAX, (off_t)(offset + *done));
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            *done += (size_t)written;
            use_up(&list, &n, (size_t)written);
        }
    }
    return 0;
}

int sys_read(int fd, void *dst, size_t len, size_t *done)
{
    int fault = fault_io(false);
    ssize_t n;

    *done = 0;
    if (fault)
        return fault;
    do
        n = read(fd, dst, call_size(len));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    *done = (size_t)n;
    return 0;
}

int sys_write(int fd, const void *src, size_t len, size_t *done)
{
    *done = 0;
    while (*done < len) {
        int fault = fault_io(true);
        ssize_t n;
        if (fault)
            return fault;
        fault_change(fd);
        n = write(fd, (const char *)src + *done, call_size(len - *done));
        if (n < 0 && errno != EINTR)
            return errno;
        *done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int sys_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, size_t len,
                   size_t *done)
{
    off_t in = (off_t)from_offset, out = (off_t)to_offset;
    int fault = fault_io(true);
    ssize_t n;

    *done = 0;
    if (fault)
        return fault;
    fault_change(to);
    do
        n = copy_file_range(from, &in, to, &out, call_size(len), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    *done = (size_t)n;
    return 0;
}

void sys_begin_write(int fd, uint64_t from, uint64_t to)
{
    sync_file_range(fd, (off_t)from, (off_t)(to - from), SYNC_FILE_RANGE_WRITE);
}

/* Linux 6.5, of the same number on all machines; older headers do not have it. */
#define CACHESTAT_CALL 451

bool sys_is_cached(int fd, uint64_t offset, uint64_t len)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end = offset + len;
    const struct {
        uint64_t offset, len;
    } range = {offset, len};
    struct {
        uint64_t cached, dirty, writeback, evicted, recently_evicted;
    } pages = {0};

    if (len == 0 || syscall(CACHESTAT_CALL, fd, &range, &pages, 0) != 0)
        return false;
    return pages.cached == (end - 1) / page - offset / page + 1;
}

void sys_will_read(int fd, uint64_t offset, uint64_t len)
{
    if (!sys_is_cached(fd, offset, len))
        posix_fadvise(fd, (off_t)offset, (off_t)len, POSIX_FADV_WILLNEED);
}

int sys_sync(int fd)
{
    int fault = fault_io(true);

    if (fault)
        return fault;
    while (fsync(fd) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

void sys_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

nrw_status sys_read_folder(int fd, void *buffer, size_t len, folder_visit visit, void *ctx,
                           int *os_errno, nrw_error *err)
{
    *os_errno = 0;
    for (;;) {
        int fault = fault_io(false);
        ssize_t n = fault ? -1 : getdents64(fd, buffer, len);
        if (n < 0) {
            *os_errno = fault ? fault : errno;
            return NRW_E_IO;
        }
        if (n == 0)
            return NRW_OK;
        for (char *at = buffer, *end = at + n; at < end;) {
            struct dirent64 *entry = (struct dirent64 *)at;
            nrw_status st = NRW_OK;
            at += entry->d_reclen;
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                st = visit(ctx, entry->d_name, entry->d_type, err);
            if (st != NRW_OK)
                return st;
        }
    }
}

uint64_t sys_free_space(int fd)
{
    struct statvfs fs;

    return fstatvfs(fd, &fs) ? 0 : (uint64_t)fs.f_bavail * fs.f_frsize;
}

const char *sys_temp_folder(void)
{
    const char *dir = getenv("TMPDIR");

    return dir && *dir ? dir : "/var/tmp";
}

/* For file systems that cannot do O_TMPFILE: a name for a moment. */
static int open_and_unlink(const char *dir, int *fd)
{
    int folder, e = sys_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, &folder);

    *fd = -1;
    for (unsigned i = 0; !e && i < 1000; i++) {
        char name[64];
        snprintf(name, sizeof name, ".narrows-spill-%d-%u", (int)getpid(), i);
        e = sys_open_at(folder, name, O_RDWR | O_CREAT | O_EXCL, 0600, fd);
        if (!e) {
            sys_unlink_at(folder, name);
            break;
        }
        if (e == EEXIST && i < 999)
            e = 0;
    }
    sys_close(folder);
    return e;
}

nrw_status sys_open_unnamed(const char *dir, int *fd, nrw_error *err)
{
    int e = sys_open_at(AT_FDCWD, dir, O_RDWR | O_TMPFILE, 0600, fd);

    if (e == EOPNOTSUPP || e == EISDIR || e == EINVAL)
        e = open_and_unlink(dir, fd);
    if (!e)
        return NRW_OK;
    err_at_object(err, dir);
    err_next(err, "--spill-dir names another folder");
    return err_errno(err, NRW_E_IO, e, "cannot make a spill file in this folder");
}

nrw_status sys_write_error(int fd, int os_errno, uint64_t to_write, uint64_t done, const char *what,
                           nrw_error *err)
{
    char want[TEXT_NUMBER], lack[TEXT_NUMBER];
    uint64_t left = to_write - done, room = sys_free_space(fd);

    if (os_errno == EPIPE) {
        err_set(err, NRW_E_PIPE, "%s", nrw_status_text(NRW_E_PIPE));
        return NRW_E_PIPE;
    }
    if (os_errno != ENOSPC && os_errno != EDQUOT)
        return err_errno(err, NRW_E_IO, os_errno, "%scannot write %s bytes", what,
                         text_group(to_write, want));
    if (err)
        err->os_errno = os_errno;
    return err_set(err, NRW_E_IO, "%sthe disk is full, %s bytes were to be written, %s are missing",
                   what, text_group(to_write, want),
                   text_group(room < left ? left - room : left, lack));
}
