/* The staging folder of a dataset, and its lock. There is one name for each dataset, so that a rest
 * is found without a search, and its lock file is locked (flock) from before anything is put into
 * it until its owner ends, however it ends. Whoever holds the lock of the folder that has the name
 * owns the folder. */
#include "io/dataset_own.h"

#include "base/hash.h"
#include "base/small_file.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSIDE_NAME ".narrows-dataset"
#define TRIES       100

bool stage_is_inside_name(const char *name)
{
    return strcmp(name, INSIDE_NAME) == 0;
}

void stage_leave(dataset_stage *s)
{
    sys_close(s->lock);
    sys_close(s->dir);
    sys_close(s->base);
    s->lock = s->dir = s->base = -1;
}

/* Who holds the lock wrote its process id; nothing is told where that has not come yet. */
static nrw_status refused(const dataset_stage *s, nrw_error *err)
{
    char text[32] = "";
    size_t done;
    long pid;

    (void)sys_read_at(s->lock, 0, text, sizeof text - 1, &done);
    pid = strtol(text, NULL, 10);
    err_next(err, "wait until it has ended");
    if (pid > 0)
        return err_set(err, NRW_E_IO, "another run is writing to it (process %ld)", pid);
    return err_set(err, NRW_E_IO, "another run is writing to it");
}

static void sign(const dataset_stage *s)
{
    char text[32];
    size_t done;

    if (ftruncate(s->lock, 0) == 0) {
        snprintf(text, sizeof text, "%ld\n", (long)getpid());
        (void)sys_write_at(s->lock, 0, text, strlen(text), &done);
    }
}

/* Is what is locked still what has the names? Its last owner may have removed it meanwhile. */
static bool still_there(const dataset_stage *s)
{
    struct stat dir, lock, held;

    return sys_stat_at(s->base, s->name, &dir, AT_SYMLINK_NOFOLLOW) == 0 &&
           sys_stat(s->dir, &held) == 0 && dir.st_ino == held.st_ino &&
           sys_stat_at(s->dir, STAGE_LOCK, &lock, AT_SYMLINK_NOFOLLOW) == 0 &&
           sys_stat(s->lock, &held) == 0 && lock.st_ino == held.st_ino;
}

static void close_folder(dataset_stage *s)
{
    sys_close(s->lock);
    sys_close(s->dir);
    s->lock = s->dir = -1;
}

/* One try: an errno; ENOENT where the folder went away, EWOULDBLOCK where it has an owner. */
static int take(dataset_stage *s, bool make)
{
    int e = make ? sys_make_folder_at(s->base, s->name) : EEXIST;

    s->found = e != 0;
    if (!e || e == EEXIST)
        e = sys_open_at(s->base, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &s->dir);
    if (!e)
        e = sys_open_at(s->dir, STAGE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0666, &s->lock);
    if (!e)
        e = sys_lock(s->lock);
    if (!e && !still_there(s))
        e = ENOENT;
    if (e && !s->found && s->lock < 0) /* made here; with another's lock in it, it stays */
        sys_remove_folder_at(s->base, s->name);
    return e;
}

static int open_base(const dataset_place *p, dataset_stage *s)
{
    if (s->inside)
        return place_folder(p, &s->base);
    return sys_open_at(p->parent, ".", O_RDONLY | O_DIRECTORY, 0, &s->base);
}

static bool is_denial(int e)
{
    return e == EACCES || e == EPERM || e == EROFS;
}

nrw_status stage_take(const dataset_place *p, bool inside, bool make, dataset_stage *out,
                      bool *denied, nrw_error *err)
{
    int e;

    *out = (dataset_stage)DATASET_STAGE_NONE;
    *denied = false;
    out->inside = inside;
    if (inside)
        snprintf(out->name, sizeof out->name, INSIDE_NAME);
    else
        snprintf(out->name, sizeof out->name, ".narrows-%016llx.dataset",
                 (unsigned long long)hash_bytes(p->name, strlen(p->name)));
    e = open_base(p, out);
    for (int i = 0; i < TRIES && !e; i++) {
        struct stat st;
        if (!make && sys_stat_at(out->base, out->name, &st, AT_SYMLINK_NOFOLLOW) == ENOENT) {
            stage_leave(out);
            return NRW_END;
        }
        e = take(out, make);
        if (!e) {
            sign(out);
            return NRW_OK;
        }
        if (e == EWOULDBLOCK)
            refused(out, err);
        close_folder(out);
        if (e == ENOENT)
            e = i + 1 < TRIES ? 0 : ENOENT;
    }
    stage_leave(out);
    *denied = is_denial(e);
    err_at_object(err, p->shown);
    return e == EWOULDBLOCK ? NRW_E_IO
                            : err_errno(err, NRW_E_IO, e, "cannot make a folder for its new files");
}
