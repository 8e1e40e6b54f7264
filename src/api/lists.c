/* Lists in options: columns by the one list grammar, files. */
#include "api/job.h"
#include "api/list_item.h"

#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "did you mean group? (it has group, id, row)" */
static nrw_status no_column(const char *option, const schema *s, const char *source,
                            const char *name, nrw_error *err)
{
    const char *near = schema_nearest(s, name);
    char all[160] = "";
    size_t n = 0;

    for (uint32_t i = 0; i < s->n_fields && n < sizeof all; i++) {
        if (n > 100) {
            snprintf(all + n, sizeof all - n, ", and %u more", s->n_fields - i);
            break;
        }
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%.40s", i ? ", " : "", s->fields[i].name);
    }
    if (near)
        err_next(err, "did you mean %s? (it has %s)", near, all);
    else
        err_next(err, "it has %s", all);
    return err_set(err, NRW_E_ARG, "--%s: %s has no column %s", option, source, name);
}

static nrw_status find_column(const char *option, const schema *s, const char *source,
                              const char *name, uint32_t *out, nrw_error *err)
{
    int32_t at = schema_find(s, name);

    if (at == -2)
        return err_set(err, NRW_E_ARG, "--%s: %s is the name of more than one column of %s", option,
                       name, source);
    if (at < 0)
        return no_column(option, s, source, name, err);
    *out = (uint32_t)at;
    return NRW_OK;
}

nrw_status job_columns(nrw_job *job, const char *option, const schema *s, const char *source,
                       uint32_t **out, uint32_t *n, nrw_error *err)
{
    const job_word *w;
    const char *name;
    size_t most = 0;
    span item;

    *n = 0;
    for (size_t i = 0; (w = job_each(job, option, i)); i++)
        most += strlen(w->value) / 2 + 1 + (strchr(w->value, '*') ? s->n_fields : 0);
    TRY(arena_alloc(job->a, (most + 1) * sizeof **out, (void **)out, err));
    for (size_t i = 0; (w = job_each(job, option, i)); i++) {
        const char *p = w->value;
        while (list_item_next(&p, &item)) {
            if (span_is(item, "*")) {
                for (uint32_t c = 0; c < s->n_fields; c++)
                    (*out)[(*n)++] = c;
                continue;
            }
            TRY(list_item_column(job->a, item, &name, err));
            if (!name)
                return err_set(err, NRW_E_ARG, "--%s: cannot read %s as a list of columns", option,
                               w->value);
            TRY(find_column(option, s, source, name, &(*out)[*n], err));
            (*n)++;
        }
        if (*n == 0)
            return err_set(err, NRW_E_ARG, "--%s: the list is empty", option);
    }
    return NRW_OK;
}

static nrw_status add_paths(arena *a, const path_list *more, path_list *out, nrw_error *err)
{
    size_t cap = out->cap ? out->cap : 8;
    char **at;

    if (out->n + more->n > out->cap) {
        while (cap < out->n + more->n)
            cap *= 2;
        TRY(arena_alloc(a, cap * sizeof *at, (void **)&at, err));
        if (out->n)
            memcpy(at, out->at, out->n * sizeof *at);
        out->at = at;
        out->cap = cap;
    }
    memcpy(out->at + out->n, more->at, more->n * sizeof *at);
    out->n += more->n;
    return NRW_OK;
}

nrw_status job_add_files(arena *a, const char *pattern, path_list *out, nrw_error *err)
{
    path_list more;

    TRY(glob_expand(a, pattern, &more, err));
    return add_paths(a, &more, out, err);
}

nrw_status job_add_door(arena *a, const door *d, path_list *out, nrw_error *err)
{
    char *name;
    path_list one = {.at = &name, .n = 1};

    TRY(arena_strndup(a, d->name, strlen(d->name), &name, err));
    return add_paths(a, &one, out, err);
}

#define LONGEST_PATH ((size_t)64 << 10)

/* The lines of f, read through a window that holds the longest path. */
static nrw_status each_line(nrw_job *job, io_file *f, char *window, path_list *out, nrw_error *err)
{
    uint64_t at = 0;

    while (at < f->size) {
        size_t n = f->size - at < LONGEST_PATH ? (size_t)(f->size - at) : LONGEST_PATH, used = 0;
        char *end;
        TRY(file_read(f, at, window, n, err));
        window[n] = '\0';
        while ((end = memchr(window + used, '\n', n - used)) || (at + n == f->size && used < n)) {
            size_t len = end ? (size_t)(end - window) - used : n - used;
            window[used + len] = '\0';
            if (len > 0)
                TRY(job_add_files(job->a, window + used, out, err));
            used += len + (end != NULL);
        }
        if (used == 0) {
            err_at_offset(err, (int64_t)at);
            return err_set(err, NRW_E_ARG, "a line is longer than any path");
        }
        at += used;
    }
    return NRW_OK;
}

static nrw_status files_from(nrw_job *job, const char *list, path_list *out, nrw_error *err)
{
    char *window;
    io_file *f;
    nrw_status st;

    TRY(file_open(job->root, list, job_last(job, "spill-dir"), &f, err));
    st = mem_alloc(job->root, LONGEST_PATH + 1, (void **)&window, err);
    if (st >= 0) {
        st = each_line(job, f, window, out, err);
        mem_free(job->root, window, LONGEST_PATH + 1);
    }
    if (st < 0)
        err_at_object(err, list);
    file_close(f);
    return st;
}

nrw_status job_files(nrw_job *job, path_list *out, nrw_error *err)
{
    const char *list = job_last(job, "files-from");

    *out = (path_list){0};
    for (size_t i = 0; i < job->sources.n; i++) {
        const door *d = door_named(job->doors, job->sources.at[i]);
        TRY(d ? job_add_door(job->a, d, out, err)
              : job_add_files(job->a, job->sources.at[i], out, err));
    }
    if (list)
        TRY(files_from(job, list, out, err));
    if (out->n == 0) {
        err_next(err, "narrows help %s", job->verb->name);
        return err_set(err, NRW_E_ARG, "%s: no source is given", job->verb->name);
    }
    return NRW_OK;
}
