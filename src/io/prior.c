#include "io/prior.h"

#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static nrw_status changed(nrw_error *err)
{
    err_next(err, "run it again");
    return err_set(err, NRW_E_CHANGED, "was changed by another program, nothing was written");
}

/* A file system without locks has no runs that wait for them; the check at the end remains. */
static nrw_status lock(prior *p, nrw_error *err)
{
    int e = sys_lock(p->fd);

    if (e != EWOULDBLOCK)
        return e == EIO ? err_errno(err, NRW_E_IO, e, "cannot lock it") : NRW_OK;
    err_next(err, "wait until it has ended");
    return err_set(err, NRW_E_IO, "another run is writing to it");
}

static nrw_status open_locked(prior *p, int folder, const char *name, nrw_error *err)
{
    int e = sys_open_at(folder, name, O_RDONLY, 0, &p->fd);

    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot open");
    TRY(lock(p, err));
    e = sys_stat(p->fd, &p->is);
    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot look at the target");
    return prior_check(p, folder, name, err); /* a run may have published before the lock was had */
}

nrw_status prior_open(prior *p, int folder, const char *name, nrw_error *err)
{
    nrw_status st;

    p->fd = -1;
    st = open_locked(p, folder, name, err);
    if (st < 0)
        prior_close(p);
    return st;
}

nrw_status prior_check(const prior *p, int folder, const char *name, nrw_error *err)
{
    struct stat now;
    int e = sys_stat_at(folder, name, &now, 0);

    if (e && e != ENOENT)
        return err_errno(err, NRW_E_IO, e, "cannot look at the target");
    return !e && is_same(&p->is, &now) ? NRW_OK : changed(err);
}

void prior_close(prior *p)
{
    sys_close(p->fd);
    p->fd = -1;
}
