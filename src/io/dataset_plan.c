/* What publication file by file will do: which old files go. It is written into the journal before
 * anything is done, so that whoever completes it does the same. */
#include "io/dataset_own.h"

#include "base/hash.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

typedef struct planning {
    const dataset_place *p;
    journal *j;
    journal_reader r, seen_reader;
    dataset_policy policy;
    int files, folder;
    const char *in; /* the folder that is looked at, with a slash behind unless it is the root */
    size_t in_len;
    /* Folders that were looked at, by hash: where their first file's record is. A collision makes
     * one be looked at again, which does no harm. */
    uint64_t seen[512];
    int e;
} planning;

static size_t folder_len(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? (size_t)(slash - name) + 1 : 0;
}

/* Has this folder been looked at? If not, it is from now on. */
static nrw_status look_once(planning *g, const journal_record *r, bool *first, nrw_error *err)
{
    size_t len = folder_len(r->text);
    uint64_t *slot = &g->seen[hash_bytes(r->text, len) % 512];
    journal_record before;

    *first = true;
    if (*slot) {
        TRY(journal_at(&g->seen_reader, *slot, &before, err));
        *first = folder_len(before.text) != len || memcmp(before.text, r->text, len) != 0;
    }
    *slot = r->offset;
    return NRW_OK;
}

static int add_drop(planning *g, const char *name)
{
    char path[JOURNAL_TEXT_MAX + 1];
    int n = snprintf(path, sizeof path, "%.*s%s", (int)g->in_len, g->in, name), e;
    bool comes;

    if (n < 0 || (size_t)n >= sizeof path)
        return ENAMETOOLONG;
    e = sys_is_at(g->files, path, &comes);
    return e || comes ? e : journal_add(g->j, JOURNAL_DROP, 0, path);
}

/* Files that readers of datasets read. */
static nrw_status drop_visible(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    planning *g = ctx;
    char path[JOURNAL_TEXT_MAX + 1];
    struct stat st;

    (void)type;
    (void)err;
    if (name[0] == '.' || name[0] == '_')
        return NRW_OK;
    snprintf(path, sizeof path, "%.*s%s", (int)g->in_len, g->in, name);
    g->e = sys_stat_at(g->folder, path, &st, AT_SYMLINK_NOFOLLOW);
    if (!g->e && !S_ISDIR(st.st_mode))
        g->e = add_drop(g, name);
    return g->e ? NRW_END : NRW_OK;
}

/* All old files of the folder that a file comes to. */
static int drop_folder(planning *g, const char *name)
{
    char buffer[4096] __attribute__((aligned(8))), path[JOURNAL_TEXT_MAX + 1];
    int fd, e;

    g->in = name;
    g->in_len = folder_len(name);
    snprintf(path, sizeof path, "%.*s", g->in_len ? (int)g->in_len : 1, g->in_len ? name : ".");
    e = sys_open_at(g->folder, path, O_RDONLY | O_DIRECTORY, 0, &fd);
    if (e == ENOENT)
        return 0;
    if (!e && sys_read_folder(fd, buffer, sizeof buffer, drop_visible, g, &e, NULL) >= 0)
        e = g->e;
    sys_close(fd);
    return e;
}

/* May the file take its place? */
static nrw_status check_place(planning *g, const char *name, nrw_error *err)
{
    struct stat st;
    int e = sys_stat_at(g->folder, name, &st, AT_SYMLINK_NOFOLLOW);

    if (e == ENOENT)
        return NRW_OK;
    err_at_object(err, g->p->shown);
    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot look for the file %.300s", name);
    if (S_ISDIR(st.st_mode))
        return err_set(err, NRW_E_EXISTS, "%.300s is a folder there, nothing was written", name);
    if (g->policy == DATASET_APPEND && !publish_is_metadata(name))
        return err_set(err, NRW_E_EXISTS, "it has a file %.300s already, nothing was written",
                       name);
    return NRW_OK;
}

static nrw_status plan_file(planning *g, const journal_record *r, nrw_error *err)
{
    bool first;

    TRY(check_place(g, r->text, err));
    if (publish_is_metadata(r->text))
        return NRW_OK;
    if (g->policy != DATASET_REPLACE_PARTITIONS)
        return NRW_OK;
    TRY(look_once(g, r, &first, err));
    g->e = first ? drop_folder(g, r->text) : 0;
    return g->e ? place_error(g->p, g->e, "cannot look at the files that are to be replaced", err)
                : NRW_OK;
}

/* A list of all files and their row groups: it would not name the new ones. */
static int drop_stale_metadata(planning *g)
{
    bool there;
    int e = sys_is_at(g->folder, "_metadata", &there);

    g->in_len = 0;
    g->in = "";
    return e || !there ? e : add_drop(g, "_metadata");
}

/* The journal as it is now is gone through; what is added lies behind. */
static nrw_status plan_files(planning *g, nrw_error *err)
{
    uint64_t end = g->j->size;
    journal_record record;
    nrw_status st = NRW_OK;

    while (g->r.offset < end && (st = journal_next(&g->r, &record, err)) == NRW_OK)
        if (record.kind == JOURNAL_FILE)
            TRY(plan_file(g, &record, err));
    if (st != NRW_OK)
        return st < 0 ? st : err_set(err, NRW_E_CORRUPT, "the run's journal is damaged");
    g->e = drop_stale_metadata(g);
    return g->e ? place_error(g->p, g->e, "cannot write the journal", err) : NRW_OK;
}

nrw_status publish_plan(const dataset_place *p, const dataset_stage *s, journal *j,
                        dataset_policy policy, nrw_error *err)
{
    planning *g;
    nrw_status st;
    void *mem;
    int e;

    TRY(mem_zalloc(p->m, sizeof *g, &mem, err));
    g = mem;
    *g = (planning){.p = p, .j = j, .policy = policy, .files = -1, .folder = -1};
    e = sys_open_at(s->dir, STAGE_FILES, O_RDONLY | O_DIRECTORY, 0, &g->files);
    if (!e)
        e = place_folder(p, &g->folder);
    st = e ? place_error(p, e, "cannot look at the target", err)
           : journal_read(p->m, j->fd, &g->r, err);
    if (st == NRW_OK)
        st = journal_read(p->m, j->fd, &g->seen_reader, err);
    if (st == NRW_OK)
        st = plan_files(g, err);
    journal_read_end(&g->seen_reader);
    journal_read_end(&g->r);
    sys_close(g->folder);
    sys_close(g->files);
    mem_free(p->m, g, sizeof *g);
    return st;
}
