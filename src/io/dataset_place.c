/* Where a dataset is: its folder's name, and the folder above. */
#include "io/dataset_own.h"

#include "base/fault.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

nrw_status place_error(const dataset_place *p, int e, const char *what, nrw_error *err)
{
    err_at_object(err, p->shown);
    return err_errno(err, NRW_E_IO, e, "%s", what);
}

static nrw_status set_path(dataset_place *p, const char *folder, const char *name, nrw_error *err)
{
    bool root = strcmp(folder, "/") == 0;
    void *out;

    p->size = strlen(folder) + strlen(name) + 2;
    TRY(mem_alloc(p->m, p->size, &out, err));
    p->path = out;
    snprintf(p->path, p->size, "%s/%s", root ? "" : folder, name);
    p->name = p->path + strlen(p->path) - strlen(name);
    return NRW_OK;
}

/* Removes a folder and those above it, n in all, as far as they are empty. */
static void remove_folders(char *path, uint64_t n)
{
    char *slash;

    while (n-- > 0 && !sys_remove_folder_at(AT_FDCWD, path)) {
        slash = strrchr(path, '/');
        if (!slash || slash == path)
            return;
        *slash = '\0';
    }
}

static bool is_folder(const char *path)
{
    struct stat st;

    return sys_stat_at(AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* Makes what is missing of a path of folders, from the first on; *made counts. */
static nrw_status make_folders(char *path, uint32_t *made, nrw_error *err)
{
    char *end = path, *last;
    int e;

    *made = 0;
    do {
        end = strchr(end + 1, '/');
        if (end)
            *end = '\0';
        e = sys_make_folder_at(AT_FDCWD, path);
        *made += !e;
        if (e && !is_folder(path)) {
            err_errno(err, NRW_E_IO, e, "cannot make the folder '%.200s'", path);
            last = strrchr(path, '/');
            if (last && *made) {
                *last = '\0';
                remove_folders(path, *made);
            }
            return NRW_E_IO;
        }
        if (end)
            *end = '/';
    } while (end);
    return NRW_OK;
}

/* A dataset that is not there: the folder above it, in `text`, and its name. */
static nrw_status locate_new(dataset_place *p, char *text, bool make, nrw_error *err)
{
    char *slash = strrchr(text, '/'), resolved[PATH_MAX];
    const char *folder = slash ? text : ".", *name = slash ? slash + 1 : text;
    nrw_status located;
    struct stat st;

    if (sys_stat_at(AT_FDCWD, text, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(err, NRW_E_NOTFOUND, "is a link to a folder that is not there");
    if (slash == text)
        folder = "/";
    else if (slash)
        *slash = '\0';
    if (sys_stat_at(AT_FDCWD, folder, &st, 0) == ENOENT) {
        if (!make)
            return NRW_END;
        TRY(make_folders(text, &p->made, err));
    }
    located = realpath(folder, resolved)
                  ? set_path(p, resolved, name, err)
                  : err_errno(err, NRW_E_IO, errno, "cannot open the folder '%.200s'", folder);
    if (located < 0)
        remove_folders(text, p->made);
    return located;
}

static nrw_status locate_old(dataset_place *p, const char *text, const struct stat *st,
                             nrw_error *err)
{
    char resolved[PATH_MAX], *slash;

    if (!S_ISDIR(st->st_mode))
        return err_set(err, NRW_E_ARG, "is a file, a folder is wanted");
    if (!realpath(text, resolved))
        return err_errno(err, NRW_E_IO, errno, "cannot look at the target");
    slash = strrchr(resolved, '/');
    if (!slash[1])
        return err_set(err, NRW_E_ARG, "is the root of the file system");
    *slash = '\0';
    return set_path(p, slash == resolved ? "/" : resolved, slash + 1, err);
}

static nrw_status locate(dataset_place *p, bool make, nrw_error *err)
{
    char text[PATH_MAX];
    size_t n = strlen(p->shown);
    struct stat st;
    int e;

    while (n > 1 && p->shown[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof text)
        return err_set(err, NRW_E_ARG, n ? "the name is too long" : "the name is empty");
    memcpy(text, p->shown, n);
    text[n] = '\0';
    e = sys_stat_at(AT_FDCWD, text, &st, 0);
    if (!e)
        return locate_old(p, text, &st, err);
    if (e == ENOENT)
        return locate_new(p, text, make, err);
    if (e == ENOTDIR)
        return err_set(err, NRW_E_ARG, "a part of the name is a file, a folder is wanted");
    return err_errno(err, NRW_E_IO, e, "cannot look at the target");
}

static nrw_status open_parent(dataset_place *p, nrw_error *err)
{
    char *slash = strrchr(p->path, '/');
    int e;

    *slash = '\0';
    e = sys_open_at(AT_FDCWD, slash == p->path ? "/" : p->path, O_RDONLY | O_DIRECTORY, 0,
                    &p->parent);
    *slash = '/';
    return e ? err_errno(err, NRW_E_IO, e, "cannot open the folder it is in") : NRW_OK;
}

nrw_status place_open(mem *m, const char *shown, bool make, dataset_place *out, nrw_error *err)
{
    nrw_status st;

    *out = (dataset_place){.m = m, .shown = shown, .parent = -1};
    st = locate(out, make, err);
    if (st == NRW_OK) {
        st = open_parent(out, err);
        if (st < 0)
            place_unmake(out, out->made);
    }
    if (st < 0)
        err_at_object(err, shown);
    if (st != NRW_OK)
        place_close(out);
    return st;
}

static nrw_status one_entry(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    bool *empty = ctx;

    (void)type;
    (void)err;
    if (stage_is_inside_name(name))
        return NRW_OK;
    *empty = false;
    return NRW_END;
}

static nrw_status look_inside(dataset_place *p, nrw_error *err)
{
    char buffer[4096] __attribute__((aligned(8)));
    nrw_status st = NRW_OK;
    int fd, e = place_folder(p, &fd);

    p->empty = true;
    if (!e)
        st = sys_read_folder(fd, buffer, sizeof buffer, one_entry, &p->empty, &e, err);
    sys_close(fd);
    if (e)
        return place_error(p, e, "cannot look at the target", err);
    return st < 0 ? st : NRW_OK;
}

nrw_status place_look(dataset_place *p, nrw_error *err)
{
    struct stat above;
    int e = sys_stat_at(p->parent, p->name, &p->stat, AT_SYMLINK_NOFOLLOW);

    p->there = !e;
    p->empty = p->mounted = false;
    if (e == ENOENT)
        return NRW_OK;
    if (!e)
        e = sys_stat(p->parent, &above);
    if (e)
        return place_error(p, e, "cannot look at the target", err);
    if (!S_ISDIR(p->stat.st_mode)) {
        err_at_object(err, p->shown);
        return err_set(err, NRW_E_ARG, "is a file, a folder is wanted");
    }
    p->mounted = p->stat.st_dev != above.st_dev || fault_lacks(LACK_SIBLING);
    return look_inside(p, err);
}

int place_folder(const dataset_place *p, int *fd)
{
    return sys_open_at(p->parent, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, fd);
}

void place_unmake(const dataset_place *p, uint64_t made)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.*s", (int)(p->name - 1 - p->path), p->path);
    remove_folders(path, made);
}

void place_close(dataset_place *p)
{
    sys_close(p->parent);
    p->parent = -1;
    mem_free(p->m, p->path, p->size);
    p->path = NULL;
}
