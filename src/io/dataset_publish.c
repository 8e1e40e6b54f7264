/* How staged files become the dataset.
 *
 * Where one system call does it (a rename to a free place, an exchange of folders) there is nothing
 * to decide: before it the staging is a rest, behind it the staging holds what the dataset was. All
 * else is written down in the journal first, every file that comes and every file that goes. The
 * journal is synced and renamed to "decided", and from then on what it says is done, by this run or
 * by who finds it. */
#include "io/dataset_own.h"

#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool publish_is_metadata(const char *name)
{
    return name[0] == '_' && !strchr(name, '/');
}

int publish_sync_folder(int fd)
{
    int e = sys_sync(fd);

    return e == EINVAL ? 0 : e; /* some file systems have no fsync of folders */
}

/* From here on there is no way back. *decided: the name says so. */
static nrw_status decide(const dataset_place *p, const dataset_stage *s, journal *j,
                         publish_way way, bool *decided, nrw_error *err)
{
    int e = journal_add(j, JOURNAL_END, (uint64_t)way, "");

    if (!e)
        e = journal_sync(j);
    if (!e)
        e = sys_rename_at(s->dir, STAGE_JOURNAL, s->dir, STAGE_DECIDED);
    *decided = !e;
    if (!e)
        e = publish_sync_folder(s->dir);
    return e ? place_error(p, e, "cannot write the journal", err) : NRW_OK;
}

static nrw_status decide_and_do(const dataset_place *p, const dataset_stage *s, journal *j,
                                publish_way way, bool *decided, publish_counts *n, nrw_error *err)
{
    TRY(decide(p, s, j, way, decided, err));
    return publish_decided(p, s, n, err);
}

int publish_forget(const dataset_stage *s)
{
    int e = sys_unlink_at(s->dir, STAGE_DECIDED);

    return e ? e : publish_sync_folder(s->dir);
}

/* The new folder looks like the old one. */
static void take_over_mode(const dataset_place *p, const dataset_stage *s)
{
    int fd;

    if (!p->there || sys_open_at(s->dir, STAGE_FILES, O_RDONLY | O_DIRECTORY, 0, &fd))
        return;
    if (fchown(fd, p->stat.st_uid, p->stat.st_gid) == 0 || p->stat.st_uid == geteuid())
        (void)!fchmod(fd, p->stat.st_mode & 07777);
    sys_close(fd);
}

/* To a free place, or that of an empty folder. EEXIST or ENOTEMPTY: it is not. */
static int rename_whole(const dataset_place *p, const dataset_stage *s)
{
    take_over_mode(p, s);
    return sys_rename_at(s->dir, STAGE_FILES, p->parent, p->name);
}

static nrw_status appeared(const dataset_place *p, nrw_error *err)
{
    err_at_object(err, p->shown);
    return err_set(err, NRW_E_EXISTS, "appeared meanwhile, nothing was written");
}

static nrw_status sync_parent(const dataset_place *p, nrw_error *err)
{
    int e = publish_sync_folder(p->parent);

    return e ? place_error(p, e, "is written, but its folder could not be synchronised", err)
             : NRW_OK;
}

/* Who finds the staging can tell from it whether the folder has the dataset's name already. */
static nrw_status note_whole(const dataset_place *p, const dataset_stage *s, journal *j,
                             nrw_error *err)
{
    struct stat st;
    int e = sys_stat_at(s->dir, STAGE_FILES, &st, AT_SYMLINK_NOFOLLOW);

    if (!e)
        e = journal_add(j, JOURNAL_WHOLE, (uint64_t)st.st_ino, "");
    return e ? place_error(p, e, "cannot write the journal", err) : NRW_OK;
}

static nrw_status publish_new(const dataset_place *p, const dataset_stage *s, journal *j,
                              nrw_error *err)
{
    int e;

    TRY(note_whole(p, s, j, err));
    e = rename_whole(p, s);

    if (e == EEXIST || e == ENOTEMPTY || e == ENOTDIR)
        return appeared(p, err);
    if (e)
        return place_error(p, e, "cannot publish the finished folder, nothing was written", err);
    return sync_parent(p, err);
}

static nrw_status publish_replace(const dataset_place *p, const dataset_stage *s, journal *j,
                                  bool *decided, publish_counts *n, nrw_error *err)
{
    int e;

    TRY(note_whole(p, s, j, err));
    take_over_mode(p, s);
    e = sys_exchange_at(s->dir, STAGE_FILES, p->parent, p->name);
    if (!e)
        return sync_parent(p, err);
    if (e == EINVAL || e == ENOSYS || e == EOPNOTSUPP)
        return decide_and_do(p, s, j, PUBLISH_WHOLE, decided, n, err);
    return place_error(p, e, "cannot replace the folder, it is as it was", err);
}

static publish_way way_of(const dataset_place *p, dataset_policy policy)
{
    if (policy == DATASET_REPLACE)
        return PUBLISH_FRESH;
    return policy == DATASET_APPEND || p->empty ? PUBLISH_ADD : PUBLISH_MERGE;
}

nrw_status publish_stage(dataset_place *p, const dataset_stage *s, journal *j,
                         dataset_policy policy, bool *decided, publish_counts *n, nrw_error *err)
{
    int e = sys_sync_all(s->dir);

    *decided = false;
    *n = (publish_counts){0};
    if (e)
        return place_error(p, e, "cannot synchronise the new files, nothing was written", err);
    TRY(place_look(p, err));
    if (!s->inside && (!p->there || p->empty))
        return publish_new(p, s, j, err);
    if (!p->there)
        return place_error(p, ENOENT, "cannot publish, nothing was written", err);
    if (!p->empty && (policy == DATASET_FAIL || policy == DATASET_SKIP))
        return appeared(p, err);
    if (policy == DATASET_REPLACE && !s->inside)
        return publish_replace(p, s, j, decided, n, err);
    TRY(publish_plan(p, s, j, policy, err));
    return decide_and_do(p, s, j, way_of(p, policy), decided, n, err);
}
