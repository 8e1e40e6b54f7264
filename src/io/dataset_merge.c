/* Doing what a decided journal says. Each step may be done twice: a file that has left the staging
 * is in the dataset, a dropped one that is not there has gone, and no file is both. */
#include "io/dataset_own.h"

#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct merging {
    const dataset_place *p;
    int stage, files, folder; /* staging, its new files, the dataset */
    publish_way way;
    publish_counts *n;
} merging;

int publish_make_path(int folder, const char *name)
{
    char part[JOURNAL_TEXT_MAX + 1];

    for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) {
        int e;
        memcpy(part, name, (size_t)(slash - name));
        part[slash - name] = '\0';
        e = sys_make_folder_at(folder, part);
        if (e && e != EEXIST)
            return e;
    }
    return 0;
}

int publish_open_path(int folder, const char *name, int flags, int *fd)
{
    int e = sys_open_at(folder, name, flags, 0666, fd);

    if (e != ENOENT)
        return e;
    e = publish_make_path(folder, name);
    return e ? e : sys_open_at(folder, name, flags, 0666, fd);
}

static int move_file(const merging *g, const char *name)
{
    if (g->way == PUBLISH_ADD && !publish_is_metadata(name))
        return sys_rename_new_at(g->files, name, g->folder, name);
    return sys_rename_at(g->files, name, g->folder, name);
}

static int put_file(const merging *g, const char *name)
{
    int e = move_file(g, name);
    bool there;

    if (e != ENOENT)
        return e;
    e = sys_is_at(g->files, name, &there);
    if (!e && there) {
        e = publish_make_path(g->folder, name);
        return e ? e : move_file(g, name);
    }
    if (!e)
        e = sys_is_at(g->folder, name, &there); /* done before */
    return e || there ? e : ENOENT;
}

static nrw_status step_failed(const merging *g, int e, const char *name, nrw_error *err)
{
    err_at_object(err, g->p->shown);
    if (e == EEXIST)
        return err_set(err, NRW_E_EXISTS, "the file %.300s appeared there meanwhile", name);
    return err_errno(err, NRW_E_IO, e, "cannot publish the file %.300s", name);
}

static nrw_status step(const merging *g, const journal_record *r, nrw_error *err)
{
    int e = 0;

    if (r->kind == JOURNAL_FILE) {
        e = put_file(g, r->text);
        g->n->put++;
    } else if (r->kind == JOURNAL_DROP) {
        e = sys_unlink_at(g->folder, r->text);
        g->n->dropped += !e;
        e = e == ENOENT ? 0 : e;
    }
    return e ? step_failed(g, e, r->text, err) : NRW_OK;
}

/* Records of one kind, all of the journal. */
static nrw_status steps(const merging *g, journal_reader *r, journal_kind kind, nrw_error *err)
{
    journal_record record;
    nrw_status st;

    journal_rewind(r);
    while ((st = journal_next(r, &record, err)) == NRW_OK)
        if (record.kind == kind)
            TRY(step(g, &record, err));
    return st < 0 ? st : NRW_OK;
}

typedef struct emptying {
    int from, to;
    uint32_t seen;
    int e;
} emptying;

static nrw_status move_away(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    emptying *c = ctx;

    (void)type;
    (void)err;
    if (stage_is_inside_name(name))
        return NRW_OK;
    c->seen++;
    c->e = sys_rename_at(c->from, name, c->to, name);
    return c->e ? NRW_END : NRW_OK;
}

static int empty_into(int from, int to)
{
    char buffer[4096] __attribute__((aligned(8)));
    emptying c = {.from = from, .to = to};

    do {
        int e = 0;
        c.seen = 0;
        if (lseek(from, 0, SEEK_SET) < 0)
            return errno;
        if (sys_read_folder(from, buffer, sizeof buffer, move_away, &c, &e, NULL) < 0)
            return e;
    } while (c.seen && !c.e);
    return c.e;
}

static int mark_cleared(const merging *g)
{
    int fd, e = sys_open_at(g->stage, STAGE_CLEARED, O_WRONLY | O_CREAT, 0666, &fd);

    sys_close(fd);
    return e ? e : sys_sync(g->stage);
}

/* All that the dataset's folder holds into the staging, before anything new comes. */
static nrw_status clear_place(const merging *g, nrw_error *err)
{
    bool done;
    int old = -1, e = sys_is_at(g->stage, STAGE_CLEARED, &done);

    if (!e && done)
        return NRW_OK;
    if (!e)
        e = sys_make_folder_at(g->stage, STAGE_OLD);
    if (!e || e == EEXIST)
        e = sys_open_at(g->stage, STAGE_OLD, O_RDONLY | O_DIRECTORY, 0, &old);
    if (!e)
        e = empty_into(g->folder, old);
    sys_close(old);
    if (!e)
        e = mark_cleared(g);
    return e ? place_error(g->p, e, "cannot move the old files away", err) : NRW_OK;
}

static nrw_status merge(const dataset_place *p, const dataset_stage *s, journal_reader *r,
                        publish_way way, publish_counts *n, nrw_error *err)
{
    merging g = {.p = p, .stage = s->dir, .files = -1, .folder = -1, .way = way, .n = n};
    nrw_status st = NRW_OK;
    int e = sys_open_at(s->dir, STAGE_FILES, O_RDONLY | O_DIRECTORY, 0, &g.files);

    if (!e)
        e = place_folder(p, &g.folder);
    if (e)
        st = place_error(p, e, "cannot open the folder to publish into", err);
    if (st == NRW_OK && way == PUBLISH_FRESH)
        st = clear_place(&g, err);
    if (st == NRW_OK)
        st = steps(&g, r, JOURNAL_FILE, err);
    if (st == NRW_OK)
        st = steps(&g, r, JOURNAL_DROP, err);
    if (st == NRW_OK) {
        e = sys_sync_all(g.folder);
        if (e)
            st = place_error(p, e, "cannot synchronise the file system", err);
    }
    sys_close(g.folder);
    sys_close(g.files);
    return st;
}

/* Two renames for an exchange. What is there before the first one is what was there then. */
static nrw_status replace_whole(const dataset_place *p, const dataset_stage *s, nrw_error *err)
{
    bool waits, moved;
    int e = sys_is_at(s->dir, STAGE_FILES, &waits);

    if (!e)
        e = sys_is_at(s->dir, STAGE_OLD, &moved);
    if (!e && waits && !moved) {
        e = sys_rename_at(p->parent, p->name, s->dir, STAGE_OLD);
        e = e == ENOENT ? 0 : e;
    }
    if (!e && waits)
        e = sys_rename_at(s->dir, STAGE_FILES, p->parent, p->name);
    if (!e)
        e = publish_sync_folder(p->parent);
    return e ? place_error(p, e, "cannot put the new folder in place of the old one", err) : NRW_OK;
}

/* A decided journal must be whole; the last record says how. */
static nrw_status read_way(journal_reader *r, const struct stat *file, publish_way *way,
                           publish_counts *n, nrw_error *err)
{
    journal_record record = {0};
    journal_kind last = 0;
    nrw_status st;

    *n = (publish_counts){0};
    while ((st = journal_next(r, &record, err)) == NRW_OK) {
        last = record.kind;
        *way = (publish_way)record.number;
        n->put += last == JOURNAL_FILE;
    }
    if (st < 0)
        return st;
    if (last != JOURNAL_END || r->offset != (uint64_t)file->st_size)
        return err_set(err, NRW_E_CORRUPT,
                       "the journal of a killed run is damaged at byte %llu, nothing was done",
                       (unsigned long long)r->offset);
    return NRW_OK;
}

nrw_status publish_decided(const dataset_place *p, const dataset_stage *s, publish_counts *n,
                           nrw_error *err)
{
    journal_reader r = {0};
    publish_way way = 0;
    struct stat file;
    nrw_status st;
    int fd, e = sys_open_at(s->dir, STAGE_DECIDED, O_RDONLY, 0, &fd);

    *n = (publish_counts){0};
    if (!e)
        e = sys_stat(fd, &file);
    st = e ? place_error(p, e, "cannot open the journal of a run", err)
           : journal_read(p->m, fd, &r, err);
    if (st == NRW_OK)
        st = read_way(&r, &file, &way, n, err);
    if (st == NRW_OK && way == PUBLISH_WHOLE) {
        st = replace_whole(p, s, err);
    } else if (st == NRW_OK) {
        n->put = 0;
        st = merge(p, s, &r, way, n, err);
    }
    journal_read_end(&r);
    sys_close(fd);
    if (st < 0)
        err_at_object(err, p->shown);
    return st;
}
