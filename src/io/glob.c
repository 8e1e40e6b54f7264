/* A pattern is taken apart at its slashes. A step of the search is a path that exists so far, and
 * the component that comes next; steps wait in a list, so that nothing is recursive and one buffer
 * serves all folders. */
#include "io/glob.h"

#include "base/span.h"
#include "io/braces.h"
#include "io/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>

#define FOLDER_BUFFER ((size_t)32 << 10)

typedef struct step {
    struct step *next;
    const char *rest; /* of the pattern; NULL: everything below */
    char path[];      /* without a slash at its end, but for "/"; empty: here */
} step;

typedef struct search {
    arena *out_arena, *scratch;
    path_list *out;
    void *buffer;
    step *first, **last;
    /* of the folder that is being read */
    const step *at;
    int folder;
    const char *component, *rest; /* rest: behind the component, NULL if it is the last */
} search;

/* The last `**` stands for every file below; folders are gone through by the search itself. */
static const char any_file[] = "*";

static bool has_magic(const char *text)
{
    return strpbrk(text, "*?[{") != NULL;
}

static nrw_status add_step(search *s, const char *path, size_t len, const char *rest,
                           nrw_error *err)
{
    step *st;
    void *p;

    TRY(arena_alloc(s->scratch, sizeof *st + len + 1, &p, err));
    st = p;
    st->rest = rest;
    memcpy(st->path, path, len);
    *s->last = st;
    s->last = &st->next;
    return NRW_OK;
}

/* folder/name in `a` */
static nrw_status join_path(arena *a, const char *folder, const char *name, char **out,
                            nrw_error *err)
{
    size_t len = strlen(folder), name_len = strlen(name);
    bool slash = len && folder[len - 1] != '/';
    void *p;

    TRY(arena_alloc(a, len + slash + name_len + 1, &p, err));
    *out = p;
    memcpy(*out, folder, len);
    if (slash)
        (*out)[len] = '/';
    memcpy(*out + len + slash, name, name_len);
    return NRW_OK;
}

typedef enum kind { KIND_NONE, KIND_FILE, KIND_FOLDER, KIND_FOLDER_LINK } kind;

static kind kind_of(int folder, const char *name, unsigned char type)
{
    struct stat st;

    if (type == DT_REG)
        return KIND_FILE;
    if (type == DT_DIR)
        return KIND_FOLDER;
    if (sys_stat_at(folder, name, &st, 0))
        return KIND_NONE;
    if (!S_ISDIR(st.st_mode))
        return KIND_FILE;
    if (type == DT_LNK)
        return KIND_FOLDER_LINK;
    if (type == DT_UNKNOWN && sys_stat_at(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st.st_mode))
        return KIND_FOLDER_LINK;
    return KIND_FOLDER;
}

static nrw_status add_file(search *s, const char *folder, const char *name, nrw_error *err)
{
    char *path;

    TRY(join_path(s->out_arena, folder, name, &path, err));
    return path_list_add(s->out_arena, s->out, path, err);
}

static nrw_status descend(search *s, const char *name, const char *rest, nrw_error *err)
{
    char *path;

    TRY(join_path(s->scratch, s->at->path, name, &path, err));
    return add_step(s, path, strlen(path), rest, err);
}

/* Everything below a folder; `_` hides files, and folders but those of hive keys. Links to folders
 * are not followed: they may lead in circles. */
static nrw_status visit_below(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    search *s = ctx;
    kind k;

    if (name[0] == '.' || (name[0] == '_' && !strchr(name, '=')))
        return NRW_OK;
    k = kind_of(s->folder, name, type);
    if (k == KIND_FILE && name[0] == '_')
        return NRW_OK;
    if (k == KIND_FOLDER)
        return descend(s, name, NULL, err);
    return k == KIND_FILE ? add_file(s, s->at->path, name, err) : NRW_OK;
}

/* One component of a pattern against one name. */
static nrw_status visit_match(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    search *s = ctx;
    kind k;

    if (fnmatch(s->component, name, FNM_PERIOD) != 0)
        return NRW_OK;
    k = kind_of(s->folder, name, type);
    if (k == KIND_FILE)
        return s->rest ? NRW_OK : add_file(s, s->at->path, name, err);
    return k == KIND_NONE || s->at->rest == any_file ? NRW_OK : descend(s, name, s->rest, err);
}

/* `**`: the same pattern again in each folder below. */
static nrw_status visit_any_depth(void *ctx, const char *name, unsigned char type, nrw_error *err)
{
    search *s = ctx;

    if (name[0] == '.' || kind_of(s->folder, name, type) != KIND_FOLDER)
        return NRW_OK;
    return descend(s, name, s->at->rest, err);
}

static nrw_status read_folder(search *s, folder_visit visit, bool must, nrw_error *err)
{
    const char *path = s->at->path[0] ? s->at->path : ".";
    nrw_status st;
    int e = sys_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &s->folder);

    if ((e == ENOENT || e == ENOTDIR || e == ELOOP || e == EACCES) && !must)
        return NRW_OK;
    if (e) {
        err_at_object(err, path);
        return err_errno(err, NRW_E_IO, e, "cannot read the folder");
    }
    st = sys_read_folder(s->folder, s->buffer, FOLDER_BUFFER, visit, s, &e, err);
    sys_close(s->folder);
    if (!e)
        return st;
    err_at_object(err, path);
    return err_errno(err, NRW_E_IO, e, "cannot read the folder");
}

static char *unescape(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        *to++ = *at;
    }
    *to = '\0';
    return text;
}

/* A component without magic: no folder is read, the path gets longer. */
static nrw_status plain_component(search *s, char *component, nrw_error *err)
{
    struct stat st;
    char *path;

    TRY(join_path(s->scratch, s->at->path, unescape(component), &path, err));
    if (s->rest)
        return add_step(s, path, strlen(path), s->rest, err);
    if (sys_stat_at(AT_FDCWD, path, &st, 0))
        return NRW_OK;
    if (S_ISDIR(st.st_mode))
        return add_step(s, path, strlen(path), NULL, err);
    return add_file(s, "", path, err);
}

static nrw_status any_depth(search *s, nrw_error *err)
{
    while (s->rest && !strncmp(s->rest, "**/", 3)) /* two in a row are one */
        s->rest += 3;
    /* here, as if the two stars were not there */
    TRY(add_step(s, s->at->path, strlen(s->at->path), s->rest ? s->rest : any_file, err));
    return read_folder(s, visit_any_depth, false, err);
}

static nrw_status take_step(search *s, nrw_error *err)
{
    const char *from, *end;
    char *component;

    if (!s->at->rest)
        return read_folder(s, visit_below, true, err);
    for (from = s->at->rest; *from == '/'; from++)
        continue;
    end = strchrnul(from, '/');
    TRY(arena_strndup(s->scratch, from, (size_t)(end - from), &component, err));
    while (*end == '/')
        end++;
    s->component = component;
    s->rest = *end ? end : NULL;
    if (!strcmp(component, "**"))
        return any_depth(s, err);
    if (has_magic(component))
        return read_folder(s, visit_match, false, err);
    return plain_component(s, component, err);
}

static nrw_status run(search *s, nrw_error *err)
{
    for (; s->first; s->first = s->first->next) {
        s->at = s->first;
        TRY(take_step(s, err));
    }
    s->last = &s->first;
    return NRW_OK;
}

/* Heap order below `root`; sorting in place, since the list may be long and memory short. */
static void sift(char **at, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        char *swap;
        if (child + 1 < n && strcmp(at[child], at[child + 1]) < 0)
            child++;
        if (strcmp(at[root], at[child]) >= 0)
            return;
        swap = at[root];
        at[root] = at[child];
        at[child] = swap;
    }
}

static void sort_unique(path_list *list)
{
    size_t kept = 0;

    for (size_t i = list->n / 2; i-- > 0;)
        sift(list->at, i, list->n);
    for (size_t end = list->n; end-- > 1;) {
        char *top = list->at[0];
        list->at[0] = list->at[end];
        list->at[end] = top;
        sift(list->at, 0, end);
    }
    for (size_t i = 0; i < list->n; i++)
        if (!kept || strcmp(list->at[kept - 1], list->at[i]) != 0)
            list->at[kept++] = list->at[i];
    list->n = kept;
}

static nrw_status search_all(search *s, const char *pattern, bool folder, nrw_error *err)
{
    path_list patterns = {0};

    if (folder) {
        size_t len = strlen(pattern);
        while (len > 1 && pattern[len - 1] == '/')
            len--;
        TRY(add_step(s, pattern, len, NULL, err));
        return run(s, err);
    }
    TRY(braces_expand(s->scratch, pattern, &patterns, err));
    for (size_t i = 0; i < patterns.n; i++) {
        const char *text = patterns.at[i];
        if (!*text)
            continue;
        TRY(add_step(s, "/", *text == '/', text, err));
        TRY(run(s, err));
    }
    return NRW_OK;
}

static nrw_status expand(arena *a, const char *pattern, bool folder, path_list *out, nrw_error *err)
{
    search s = {.out_arena = a, .out = out};
    nrw_status st;

    s.last = &s.first;
    TRY(arena_new(arena_mem(a), &s.scratch, err));
    st = mem_alloc(arena_mem(a), FOLDER_BUFFER, &s.buffer, err);
    if (st == NRW_OK) {
        st = search_all(&s, pattern, folder, err);
        mem_free(arena_mem(a), s.buffer, FOLDER_BUFFER);
    }
    arena_free(s.scratch);
    return st;
}

nrw_status glob_expand(arena *a, const char *pattern, path_list *out, nrw_error *err)
{
    struct stat info;
    nrw_status st = NRW_OK;
    char *copy;
    int e = strcmp(pattern, "-") ? sys_stat_at(AT_FDCWD, pattern, &info, 0) : 0;

    *out = (path_list){0};
    if (!strcmp(pattern, "-") || (!e && !S_ISDIR(info.st_mode))) {
        TRY(arena_strndup(a, pattern, strlen(pattern), &copy, err));
        return path_list_add(a, out, copy, err);
    }
    if (!e || has_magic(pattern))
        st = expand(a, pattern, !e, out, err);
    else if (e == ENOENT || e == ENOTDIR)
        st = err_set(err, NRW_E_NOTFOUND, "no such file or folder");
    else
        st = err_errno(err, NRW_E_IO, e, "cannot look at it");
    if (st == NRW_OK && !out->n)
        st = err_set(err, NRW_E_NOTFOUND, e ? "no file matches" : "no file is in this folder");
    if (st < 0) {
        *out = (path_list){0};
        err_at_object(err, pattern);
        return st;
    }
    sort_unique(out);
    return NRW_OK;
}
