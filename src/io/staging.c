/* A staging name is `.narrows-<hash of the target's name>-<random>`, and its file is locked (flock)
 * by the run that owns it from before it has the name until the run ends, however it ends. So a
 * name whose lock is free is nobody's. */
#include "io/staging.h"

#include "base/hash.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TRIES 100

static int prefix_of(const char *target, char out[STAGING_NAME])
{
    return snprintf(out, STAGING_NAME, ".narrows-%016llx-",
                    (unsigned long long)hash_bytes(target, strlen(target)));
}

static void new_name(staging *s)
{
    int n = prefix_of(s->target, s->name);
    uint32_t r;

    if (getrandom(&r, sizeof r, 0) != sizeof r) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        r = (uint32_t)hash_u64((uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 32);
    }
    snprintf(s->name + n, STAGING_NAME - (size_t)n, "%08x", r);
}

/* Locks the file; false where a sweep of another run has it, or has already removed its name. File
 * systems without locks have no sweeps either. */
static bool own(int fd)
{
    struct stat st;

    if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return false;
    return sys_stat(fd, &st) || st.st_nlink > 0;
}

int staging_open_named(staging *s)
{
    int e = EEXIST;

    s->fd = -1;
    for (int i = 0; i < TRIES && e == EEXIST; i++) {
        new_name(s);
        e = sys_open_at(s->folder, s->name, O_RDWR | O_CREAT | O_EXCL, 0666, &s->fd);
        if (!e && !own(s->fd)) {
            sys_unlink_at(s->folder, s->name);
            sys_close(s->fd);
            s->fd = -1;
            e = EEXIST;
        }
    }
    if (e)
        s->name[0] = '\0';
    return e;
}

int staging_open(staging *s)
{
    int e = EOPNOTSUPP;

    s->fd = -1;
    s->name[0] = '\0';
    /* the name can be given later only through /proc */
    if (access("/proc/self/fd", X_OK) == 0)
        e = sys_open_at(s->folder, ".", O_RDWR | O_TMPFILE, 0666, &s->fd);
    if (e == EOPNOTSUPP || e == EISDIR || e == EINVAL || e == ENOENT)
        return staging_open_named(s);
    if (!e)
        flock(s->fd, LOCK_EX | LOCK_NB);
    return e;
}

static int give_staging_name(staging *s)
{
    int e = EEXIST;

    for (int i = 0; i < TRIES && e == EEXIST; i++) {
        new_name(s);
        e = sys_link_fd(s->fd, s->folder, s->name);
    }
    if (e)
        s->name[0] = '\0';
    return e;
}

int staging_publish(staging *s, bool replace)
{
    int e;

    if (!s->name[0]) {
        e = sys_link_fd(s->fd, s->folder, s->target);
        if (e != EEXIST || !replace)
            return e;
        e = give_staging_name(s);
        if (e)
            return e;
    }
    e = replace ? sys_rename_at(s->folder, s->name, s->folder, s->target)
                : sys_rename_new_at(s->folder, s->name, s->folder, s->target);
    if (!e)
        s->name[0] = '\0';
    return e;
}

void staging_close(staging *s)
{
    if (s->fd >= 0 && s->name[0])
        sys_unlink_at(s->folder, s->name);
    s->name[0] = '\0';
    sys_close(s->fd);
    s->fd = -1;
}

typedef struct sweep {
    int folder;
    size_t prefix_len;
    char prefix[STAGING_NAME];
} sweep;

static nrw_status sweep_name(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    const sweep *w = ctx;
    int fd;

    (void)type;
    (void)err;
    if (strncmp(name, w->prefix, w->prefix_len) != 0)
        return NRW_OK;
    if (sys_open_at(w->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd))
        return NRW_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        sys_unlink_at(w->folder, name);
    sys_close(fd);
    return NRW_OK;
}

void staging_sweep(int folder, const char *target, void *buffer, size_t len)
{
    sweep w = {.folder = folder};
    int fd, e;

    w.prefix_len = (size_t)prefix_of(target, w.prefix);
    if (sys_open_at(folder, ".", O_RDONLY | O_DIRECTORY, 0, &fd))
        return;
    (void)sys_read_folder(fd, buffer, len, sweep_name, &w, &e, NULL);
    sys_close(fd);
}
