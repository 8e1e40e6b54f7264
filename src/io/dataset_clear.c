/* Removes staging folders. What lies in them may be a whole dataset, of any number of files and any
 * depth: a folder in a folder that is not empty is moved up into the staging and removed from there
 * later, so that no more than two are open. */
#include "io/dataset_own.h"

#include "io/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUFFER 4096

typedef struct clearing {
    const dataset_stage *stage;
    const char *const *keep;
    int folder; /* being emptied */
    uint64_t files, moved;
    uint32_t seen; /* names in this pass */
    int e;         /* the first failure */
} clearing;

static bool is_folder(int dir, const char *name, unsigned char type)
{
    struct stat st;

    if (type != DT_UNKNOWN)
        return type == DT_DIR;
    return sys_stat_at(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool is_full(int e)
{
    return e == ENOTEMPTY || e == EEXIST;
}

/* To a name in the staging that is free. */
static int move_up(clearing *c, const char *name)
{
    char up[32];
    int e;

    do {
        snprintf(up, sizeof up, "%llu", (unsigned long long)c->moved++);
        e = sys_rename_at(c->folder, name, c->stage->dir, up);
    } while (is_full(e) || e == ENOTDIR);
    return e;
}

static nrw_status clear_inner(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    clearing *c = ctx;

    (void)err;
    c->seen++;
    if (is_folder(c->folder, name, type)) {
        c->e = sys_remove_folder_at(c->folder, name);
        if (is_full(c->e))
            c->e = move_up(c, name);
    } else {
        c->e = sys_unlink_at(c->folder, name);
        c->files += !c->e;
    }
    return c->e ? NRW_END : NRW_OK;
}

/* Passes until one finds nothing: what a folder gives while names are taken out of it differs. */
static int passes(clearing *c, int fd, folder_visit visit)
{
    char buffer[BUFFER] __attribute__((aligned(8)));
    int e = 0;

    do {
        c->seen = 0;
        if (lseek(fd, 0, SEEK_SET) < 0)
            return errno;
        if (sys_read_folder(fd, buffer, sizeof buffer, visit, c, &e, NULL) < 0)
            return e;
    } while (c->seen && !c->e);
    return c->e;
}

static int clear_folder(clearing *c, const char *name)
{
    int e = sys_remove_folder_at(c->stage->dir, name);

    if (!is_full(e))
        return e;
    e = sys_open_at(c->stage->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &c->folder);
    if (e)
        return e;
    {
        uint32_t seen = c->seen;
        e = passes(c, c->folder, clear_inner);
        c->seen = seen;
    }
    sys_close(c->folder);
    return e ? e : sys_remove_folder_at(c->stage->dir, name);
}

static bool stays(const clearing *c, const char *name)
{
    for (const char *const *k = c->keep; *k; k++)
        if (strcmp(*k, name) == 0)
            return true;
    return strcmp(name, STAGE_LOCK) == 0;
}

static nrw_status clear_outer(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    clearing *c = ctx;

    (void)err;
    if (stays(c, name))
        return NRW_OK;
    c->seen++;
    c->e = is_folder(c->stage->dir, name, type) ? clear_folder(c, name)
                                                : sys_unlink_at(c->stage->dir, name);
    return c->e ? NRW_END : NRW_OK;
}

int stage_clear_but(const dataset_stage *s, const char *const *keep, uint64_t *files)
{
    clearing c = {.stage = s, .keep = keep, .folder = -1};
    int e = passes(&c, s->dir, clear_outer);

    *files = c.files;
    return e;
}

int stage_clear(const dataset_stage *s, uint64_t *files)
{
    static const char *const none[] = {NULL};

    return stage_clear_but(s, none, files);
}

int stage_remove(dataset_stage *s, uint64_t *files)
{
    int e = stage_clear(s, files);

    if (!e)
        e = sys_unlink_at(s->dir, STAGE_LOCK);
    if (!e)
        e = sys_remove_folder_at(s->base, s->name);
    stage_leave(s);
    return is_full(e) || e == ENOENT ? 0 : e; /* the next run has it already */
}
