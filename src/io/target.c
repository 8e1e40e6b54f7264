#include "io/target_own.h"

#include "base/text.h"
#include "io/prior.h"
#include "io/spill_own.h"
#include "io/staging.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE ((size_t)64 << 10)
/* From here on a call of its own costs less than a copy. */
#define DIRECT_LEAST ((size_t)4 << 10)

struct target {
    mem *m;
    char *path; /* as typed: stands in messages */
    char *real; /* where a link leads; folder and name are parts of it */
    size_t path_size, real_size;
    const char *name;
    bool regular; /* a file, else a stream */
    bool ends;    /* a stream whose reader waits for its end */
    int folder;   /* of a file of its own */
    on_exists policy;
    prior prior;
    uint64_t began; /* bytes copied from it */
    staging staging;
    target_owner owner; /* finished NULL: none */
    int fd;             /* staging's, or the stream */
    uint8_t *buffer;
    size_t held; /* bytes in the buffer */
    uint64_t written;
    uint64_t started; /* writeback was begun up to here */
    bool failed, published;
};

static nrw_status fail(target *t, nrw_error *err, nrw_status st)
{
    t->failed = true;
    err_at_object(err, t->path);
    return st;
}

static nrw_status write_failed(target *t, int e, uint64_t len, uint64_t done, nrw_error *err)
{
    nrw_status st = sys_write_error(t->fd, e, len, done, "", err);

    if (err && st != NRW_E_PIPE && t->regular) {
        size_t n = strlen(err->message);
        snprintf(err->message + n, sizeof err->message - n, ", the target is untouched");
    }
    return fail(t, err, st);
}

static nrw_status exists(nrw_error *err)
{
    err_next(err, "--on-exists replace writes over it");
    return err_set(err, NRW_E_EXISTS, "exists, nothing was written");
}

static nrw_status copy_text(mem *m, const char *text, char **out, size_t *size, nrw_error *err)
{
    void *p;

    *size = strlen(text) + 1;
    TRY(mem_alloc(m, *size, &p, err));
    *out = memcpy(p, text, *size);
    return NRW_OK;
}

/* A replaced file keeps its permissions, and its owner where this process may give files away. */
static void take_over_mode(int fd, const struct stat *old)
{
    if (fchown(fd, old->st_uid, old->st_gid) == 0 || old->st_uid == geteuid())
        (void)!fchmod(fd, old->st_mode & 07777);
}

static nrw_status open_folder(target *t, nrw_error *err)
{
    char *slash = strrchr(t->real, '/');
    const char *folder = ".";
    int e;

    t->name = slash ? slash + 1 : t->real;
    if (!*t->name)
        return err_set(err, NRW_E_ARG, "names a folder, a file is wanted");
    if (slash) {
        *slash = '\0';
        folder = slash == t->real ? "/" : t->real;
    }
    e = sys_open_at(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0, &t->folder);
    if (e == ENOENT || e == ENOTDIR)
        return err_set(err, NRW_E_NOTFOUND, "there is no folder '%.200s'", folder);
    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot open the folder '%.200s'", folder);
    return NRW_OK;
}

static nrw_status open_stream(target *t, const char *path, nrw_error *err)
{
    int e = sys_open_at(AT_FDCWD, path, O_WRONLY, 0, &t->fd);

    return e ? err_errno(err, NRW_E_IO, e, "cannot open") : NRW_OK;
}

/* Of what was written since the last time, if it is so much. */
static void begin_writing(target *t, uint64_t least)
{
    if (!t->regular || t->written < t->started + least)
        return;
    sys_begin_write(t->fd, t->started, t->written);
    t->started = t->written;
}

static nrw_status wrote(target *t, int e, size_t len, size_t done, nrw_error *err)
{
    t->written += done;
    if (e)
        return write_failed(t, e, len, done, err);
    begin_writing(t, SYS_BEGIN_BYTES);
    return NRW_OK;
}

static nrw_status write_out(target *t, const void *data, size_t len, nrw_error *err)
{
    size_t done;
    int e = t->regular ? sys_write_at(t->fd, t->written, data, len, &done)
                       : sys_write(t->fd, data, len, &done);

    return wrote(t, e, len, done, err);
}

/* *done: bytes copied before the kernel gave up, if it did. */
static nrw_status copy_in_kernel(target *t, int from, uint64_t offset, uint64_t len, uint64_t *done,
                                 nrw_error *err)
{
    *done = 0;
    while (*done < len) {
        size_t n;
        int e = sys_copy_range(from, offset + *done, t->fd, t->written, (size_t)(len - *done), &n);
        if (e == ENOSPC || e == EDQUOT || e == EIO)
            return write_failed(t, e, len, *done, err);
        if (e || !n)
            return NRW_OK; /* these two files it cannot join */
        *done += n;
        t->written += n;
        begin_writing(t, SYS_BEGIN_BYTES);
    }
    return NRW_OK;
}

/* What is there goes to the start of the new file. */
static nrw_status copy_prior(target *t, nrw_error *err)
{
    const uint64_t size = (uint64_t)t->prior.is.st_size;

    TRY(copy_in_kernel(t, t->prior.fd, 0, size, &t->began, err));
    while (t->began < size) {
        size_t n, want = (size_t)(size - t->began < BUFFER_SIZE ? size - t->began : BUFFER_SIZE);
        int e = sys_read_at(t->prior.fd, t->began, t->buffer, want, &n);
        if (e)
            return err_errno(err, NRW_E_IO, e, "cannot read what is there");
        if (n == 0)
            return err_set(err, NRW_E_CHANGED, "became shorter while it was copied");
        TRY(write_out(t, t->buffer, n, err));
        t->began += n;
    }
    return NRW_OK;
}

static nrw_status open_staged(target *t, const struct stat *old, nrw_error *err)
{
    int e;

    TRY(open_folder(t, err));
    staging_sweep(t->folder, t->name, t->buffer, BUFFER_SIZE);
    if (old && t->policy == EXISTS_APPEND)
        TRY(prior_open(&t->prior, t->folder, t->name, err));
    t->staging.folder = t->folder;
    t->staging.target = t->name;
    e = staging_open(&t->staging);
    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot write into its folder");
    t->fd = t->staging.fd;
    t->regular = true;
    if (old)
        take_over_mode(t->fd, old);
    return t->prior.fd >= 0 ? copy_prior(t, err) : NRW_OK;
}

/* What is there under the path decides: nothing, a file (the policy), a device or pipe. */
static nrw_status open_path(target *t, const char *path, nrw_error *err)
{
    char resolved[PATH_MAX];
    struct stat st, link;
    int e = sys_stat_at(AT_FDCWD, path, &st, 0);

    if (!e && S_ISDIR(st.st_mode))
        return err_set(err, NRW_E_ARG, "is a folder, a file is wanted");
    if (!e && !S_ISREG(st.st_mode))
        return open_stream(t, path, err);
    if (!e && t->policy == EXISTS_SKIP)
        return NRW_END;
    if (!e && t->policy == EXISTS_FAIL)
        return exists(err);
    if (e == ENOENT && sys_stat_at(AT_FDCWD, path, &link, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(err, NRW_E_NOTFOUND, "is a link to a file that is not there");
    if (e && e != ENOENT && e != ENOTDIR)
        return err_errno(err, NRW_E_IO, e, "cannot look at the target");
    if (!e && realpath(path, resolved))
        path = resolved; /* a link stays, what it leads to is replaced */
    TRY(copy_text(t->m, path, &t->real, &t->real_size, err));
    return open_staged(t, e ? NULL : &st, err);
}

static nrw_status open_any(target *t, const char *path, nrw_error *err)
{
    void *p;

    bool named = strcmp(path, "-") != 0 && strcmp(path, "/dev/stdout") != 0;

    TRY(copy_text(t->m, named ? path : "standard output", &t->path, &t->path_size, err));
    TRY(mem_alloc(t->m, BUFFER_SIZE, &p, err));
    t->buffer = p;
    if (named)
        return open_path(t, path, err);
    t->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return t->fd < 0 ? err_errno(err, NRW_E_IO, errno, "cannot write to the output") : NRW_OK;
}

static nrw_status new_target(mem *m, target **out, nrw_error *err)
{
    void *p;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof **out, &p, err));
    *out = p;
    (*out)->m = m;
    (*out)->folder = (*out)->fd = (*out)->staging.fd = (*out)->prior.fd = -1;
    return NRW_OK;
}

nrw_status target_open(mem *m, const char *path, on_exists policy, target **out, nrw_error *err)
{
    nrw_status st;
    target *t;

    *out = NULL;
    TRY(new_target(m, &t, err));
    t->policy = policy;
    st = open_any(t, path, err);
    if (st != NRW_OK) {
        if (st < 0)
            err_at_object(err, path);
        target_close(t);
        return st;
    }
    *out = t;
    return NRW_OK;
}

static nrw_status name_over(target *t, const char *folder, const char *name, nrw_error *err)
{
    size_t before = strlen(folder);
    bool slash = before && folder[before - 1] != '/';
    void *p;

    t->path_size = before + slash + strlen(name) + 1;
    TRY(mem_alloc(t->m, t->path_size, &p, err));
    t->path = p;
    snprintf(t->path, t->path_size, "%s%s%s", folder, slash ? "/" : "", name);
    t->name = t->path + before + slash;
    TRY(mem_alloc(t->m, BUFFER_SIZE, &p, err));
    t->buffer = p;
    return NRW_OK;
}

nrw_status target_over(mem *m, int fd, const char *folder, const char *name,
                       const target_owner *owner, target **out, nrw_error *err)
{
    nrw_status st;
    target *t;

    *out = NULL;
    st = new_target(m, &t, err);
    if (st < 0) {
        sys_close(fd);
        return st;
    }
    t->fd = fd;
    t->regular = true;
    st = name_over(t, folder, name, err);
    if (st < 0) {
        target_close(t);
        return st;
    }
    t->owner = *owner;
    *out = t;
    return NRW_OK;
}

nrw_status target_over_stream(mem *m, int fd, const char *name, target **out, nrw_error *err)
{
    nrw_status st;
    target *t;

    *out = NULL;
    st = new_target(m, &t, err);
    if (st < 0) {
        sys_close(fd);
        return st;
    }
    t->fd = fd;
    t->ends = true;
    st = name_over(t, "", name, err);
    if (st < 0)
        target_close(t);
    else
        *out = t;
    return st;
}

static nrw_status flush(target *t, nrw_error *err)
{
    size_t held = t->held;

    t->held = 0;
    return held ? write_out(t, t->buffer, held, err) : NRW_OK;
}

static nrw_status check_usable(const target *t, nrw_error *err)
{
    if (!t->failed && !t->published)
        return NRW_OK;
    err_at_object(err, t->path);
    return err_set(err, NRW_E_IO, t->failed ? "an earlier write failed" : "is already published");
}

nrw_status target_write(target *t, span data, nrw_error *err)
{
    TRY(check_usable(t, err));
    if (data.len >= DIRECT_LEAST) {
        TRY(flush(t, err));
        return write_out(t, data.data, data.len, err);
    }
    while (data.len) {
        size_t n = size_min(data.len, BUFFER_SIZE - t->held);
        memcpy(t->buffer + t->held, data.data, n);
        t->held += n;
        data.data += n;
        data.len -= n;
        if (t->held == BUFFER_SIZE)
            TRY(flush(t, err));
    }
    return NRW_OK;
}

nrw_status target_write_list(target *t, const span *pieces, size_t n, nrw_error *err)
{
    struct iovec list[TARGET_PIECES];
    size_t len = 0, done;
    int e;

    for (size_t i = 0; i < n && !t->regular; i++)
        TRY(target_write(t, pieces[i], err));
    if (!t->regular)
        return NRW_OK;
    TRY(check_usable(t, err));
    TRY(flush(t, err));
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct iovec){(void *)pieces[i].data, pieces[i].len};
        len += pieces[i].len;
    }
    e = sys_write_list_at(t->fd, t->written, list, n, &done);
    return wrote(t, e, len, done, err);
}

static nrw_status write_piece(void *ctx, span piece, nrw_error *err)
{
    return target_write(ctx, piece, err);
}

nrw_status target_append_spill(target *t, spill *s, const spill_block *b, nrw_error *err)
{
    uint64_t done = 0, before;
    nrw_status st;

    TRY(check_usable(t, err));
    if (t->regular && b->stored == b->len && b->len >= BUFFER_SIZE) {
        TRY(flush(t, err));
        before = t->written;
        TRY(copy_in_kernel(t, spill_fd(s), b->offset, b->len, &done, err));
        if (done == b->len)
            return NRW_OK;
        t->written = before; /* again from the start: the checksum is over the whole */
    }
    st = spill_stream(s, b, write_piece, t, err);
    return st < 0 ? fail(t, err, st) : NRW_OK;
}

bool target_is_stream(const target *t)
{
    return t->folder < 0;
}

uint64_t target_size(const target *t)
{
    return t->written + t->held;
}

uint64_t target_began(const target *t)
{
    return t->began;
}

nrw_status target_read(const target *t, uint64_t at, void *dst, size_t len, nrw_error *err)
{
    size_t done;
    int e = sys_read_at(t->fd, at, dst, len, &done);

    if (!e && done == len)
        return NRW_OK;
    err_at_object(err, t->path);
    return err_errno(err, NRW_E_IO, e ? e : EIO, "cannot read what was copied");
}

static nrw_status publish_error(target *t, int e, nrw_error *err)
{
    if (e == EEXIST && t->policy == EXISTS_SKIP)
        return NRW_END; /* another run was first, which is as well */
    t->failed = true;
    err_at_object(err, t->path);
    if (e == EEXIST)
        return exists(err);
    return err_errno(err, NRW_E_IO, e, "cannot publish the finished file, the target is untouched");
}

/* What is on its way to the disk already need not be waited for when the dataset is synchronised;
 * small files go there together. */
static nrw_status hand_over(target *t, nrw_error *err)
{
    nrw_status st;

    begin_writing(t, SYS_BEGIN_BYTES / 32);
    sys_close(t->fd);
    t->fd = -1;
    st = t->owner.finished(t->owner.self, t->name, t->written, err);
    if (st < 0)
        return fail(t, err, st);
    t->published = true;
    return NRW_OK;
}

static nrw_status still_prior(target *t, nrw_error *err)
{
    nrw_status st = prior_check(&t->prior, t->folder, t->name, err);

    return st < 0 ? fail(t, err, st) : st;
}

nrw_status target_publish(target *t, nrw_error *err)
{
    int e;

    TRY(check_usable(t, err));
    TRY(flush(t, err));
    if (t->owner.finished)
        return hand_over(t, err);
    if (!t->regular) {
        if (t->ends) {
            sys_close(t->fd);
            t->fd = -1;
        }
        t->published = true;
        return NRW_OK;
    }
    e = sys_sync(t->fd);
    if (e)
        return write_failed(t, e, t->written, 0, err);
    if (t->prior.fd >= 0)
        TRY(still_prior(t, err));
    e = staging_publish(&t->staging, t->policy == EXISTS_REPLACE || t->prior.fd >= 0);
    if (e)
        return publish_error(t, e, err);
    t->published = true;
    e = sys_sync(t->folder);
    if (e && e != EINVAL) { /* some file systems have no fsync of folders */
        err_at_object(err, t->path);
        return err_errno(err, NRW_E_IO, e, "is written, but its folder could not be synchronised");
    }
    return NRW_OK;
}

void target_close(target *t)
{
    if (!t)
        return;
    if (t->staging.fd >= 0)
        staging_close(&t->staging);
    else
        sys_close(t->fd);
    if (t->owner.dropped && !t->published)
        t->owner.dropped(t->owner.self, t->name);
    prior_close(&t->prior);
    sys_close(t->folder);
    mem_free(t->m, t->buffer, BUFFER_SIZE);
    mem_free(t->m, t->real, t->real_size);
    mem_free(t->m, t->path, t->path_size);
    mem_free(t->m, t, sizeof *t);
}
