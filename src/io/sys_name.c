/* System calls on names: files and folders made, moved, removed. */
#include "base/fault.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int sys_link_fd(int fd, int dir, const char *name)
{
    char path[40];
    int fault = fault_io(true);

    if (fault)
        return fault;
    fault_change(fd);
    fault_change(-1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) ? errno : 0;
}

int sys_rename_at(int from_dir, const char *from, int to_dir, const char *to)
{
    int fault = fault_io(true);

    if (fault)
        return fault;
    fault_change(-1);
    return renameat(from_dir, from, to_dir, to) ? errno : 0;
}

static bool same_file(int dir_a, const char *a, int dir_b, const char *b)
{
    struct stat one, two;

    return fstatat(dir_a, a, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(dir_b, b, &two, AT_SYMLINK_NOFOLLOW) == 0 && one.st_ino == two.st_ino &&
           one.st_dev == two.st_dev;
}

static int link_and_unlink(int from_dir, const char *from, int to_dir, const char *to)
{
    int e = linkat(from_dir, from, to_dir, to, 0) ? errno : 0;

    if (e && !(e == EEXIST && same_file(from_dir, from, to_dir, to)))
        return e;
    e = fault_io(false); /* a call of its own: it may be the one that is not reached */
    if (e)
        return e;
    return unlinkat(from_dir, from, 0) ? errno : 0;
}

static int rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    if (fault_lacks(LACK_NOREPLACE))
        return EINVAL;
    return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) ? errno : 0;
}

int sys_rename_new_at(int from_dir, const char *from, int to_dir, const char *to)
{
    int e = fault_io(true);

    if (e)
        return e;
    fault_change(-1);
    e = rename_new(from_dir, from, to_dir, to);
    if (e == EINVAL || e == ENOSYS || e == EOPNOTSUPP)
        e = link_and_unlink(from_dir, from, to_dir, to);
    return e;
}

int sys_exchange_at(int dir_a, const char *a, int dir_b, const char *b)
{
    int fault = fault_io(true);

    if (fault || fault_lacks(LACK_EXCHANGE))
        return fault ? fault : EINVAL;
    fault_change(-1);
    return renameat2(dir_a, a, dir_b, b, RENAME_EXCHANGE) ? errno : 0;
}

int sys_unlink_at(int dir, const char *name)
{
    int fault = fault_io(false);

    if (fault)
        return fault;
    fault_change(-1);
    return unlinkat(dir, name, 0) ? errno : 0;
}

int sys_make_folder_at(int dir, const char *name)
{
    int fault = fault_io(true);

    if (fault)
        return fault;
    fault_change(-1);
    return mkdirat(dir, name, 0777) ? errno : 0;
}

int sys_remove_folder_at(int dir, const char *name)
{
    int fault = fault_io(false);

    if (fault)
        return fault;
    fault_change(-1);
    return unlinkat(dir, name, AT_REMOVEDIR) ? errno : 0;
}

int sys_sync_all(int fd)
{
    int fault = fault_io(true);

    if (fault)
        return fault;
    return syncfs(fd) ? errno : 0;
}

int sys_lock(int fd)
{
    int fault = fault_io(false);

    if (fault)
        return fault;
    return flock(fd, LOCK_EX | LOCK_NB) ? errno : 0;
}
