#include "api/move.h"

#include "base/text.h"
#include "dataset/mapped_filter.h"
#include "expr/expr.h"
#include "format/arrow/arrow.h"
#include "format/formats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- words ---- */

/* Whether a --read is about the files together; else it is about each of them. */
static nrw_status take_read(files_words *w, const char *word, nrw_error *err)
{
    const char *equals = strchr(word, '=');

    if (!equals)
        return NRW_END;
    return listing_option(&w->listing, (span){(const uint8_t *)word, (size_t)(equals - word)},
                          equals + 1, err);
}

/* The place of an option's value among three; 0 where it is not given. */
static nrw_status one_of_three(nrw_job *job, const char *option, const char *const *names, int *out,
                               nrw_error *err)
{
    const char *value = job_last(job, option);

    for (*out = 0; value && *out < 3 && strcmp(value, names[*out]) != 0;)
        ++*out;
    return *out < 3 ? NRW_OK
                    : err_set(err, NRW_E_ARG, "--%s is %s, %s or %s, not %s", option, names[0],
                              names[1], names[2], value);
}

nrw_status files_words_of(nrw_job *job, files_words *out, nrw_error *err)
{
    static const char *const changes[] = {"widen", "add", "fail"};
    static const char *const ways[] = {"auto", "file", "batch"};
    const job_word *w;
    int change, way;

    *out = (files_words){0};
    for (size_t i = 0; (w = job_each(job, "read", i)); i++)
        TRY(take_read(out, w->value, err));
    TRY(one_of_three(job, "on-schema-change", changes, &change, err));
    TRY(one_of_three(job, "process-by", ways, &way, err));
    out->change = (schema_change)change;
    out->process_by = (process_by)way;
    return NRW_OK;
}

/* The --read words that formats see. */
static nrw_status format_words(const nrw_job *job, arena *a, read_options *o, nrw_error *err)
{
    files_words other = {0};
    const char **at;
    const job_word *w;

    TRY(arena_alloc(a, job->n_words * sizeof *at + 1, (void **)&at, err));
    *o = (read_options){.at = at};
    for (size_t i = 0; (w = job_each(job, "read", i)); i++) {
        nrw_status st = take_read(&other, w->value, err);
        TRY(st);
        if (st == NRW_END)
            at[o->n++] = w->value;
    }
    return NRW_OK;
}

/* ---- files ---- */

static nrw_status take_entries(arena *a, const metadata_entry *at, size_t n, file_set *f,
                               nrw_error *err)
{
    TRY(arena_alloc(a, n * sizeof *f->all.at, (void **)&f->all.at, err));
    for (size_t i = 0; i < n; i++)
        f->all.at[i] = at[i].path;
    f->all.n = f->all.cap = n;
    f->entries = at;
    f->n_entries = n;
    return NRW_OK;
}

/* A source that is a `_metadata` file, alone: beside others it would say less than they do. */
static nrw_status expand_metadata(nrw_job *job, arena *a, file_set *f, nrw_error *err)
{
    const char *path = f->all.at[0];
    metadata_entry *at;
    io_file *file;
    nrw_status st;
    size_t n;

    if (f->all.n != 1 || !metadata_is_named(path))
        return NRW_OK;
    TRY(file_open(arena_mem(a), path, job_last(job, "spill-dir"), &file, err));
    st = metadata_entries(a, path, file, &at, &n, err);
    return st == NRW_OK ? take_entries(a, at, n, f, err) : st < 0 ? st : NRW_OK;
}

nrw_status files_list(nrw_job *job, arena *a, const files_words *words, file_set *f, nrw_error *err)
{
    TRY(expand_metadata(job, a, f, err));
    TRY(listing_open(a, &f->all, &words->listing, &f->listing, err));
    f->left = f->all;
    f->options = (scan_options){.on_change = words->change,
                                .process_by = words->process_by,
                                .threads = job->limits.workers,
                                .listing = f->listing.columns.n_fields ? &f->listing : NULL};
    return NRW_OK;
}

typedef struct condition {
    const predicate *p;
    map_entry *map; /* every column is a constant */
    arena *a;
    bool *looks_at;
} condition;

static nrw_status may_pass(void *self, const expr *const *values, bool *keep, nrw_error *err)
{
    const condition *c = self;
    mapped_filter f;
    arena *a;
    nrw_status st;

    TRY(arena_new(arena_mem(c->a), &a, err));
    st = mapped_filter_of(a, predicate_filter(c->p), c->map, values, &f, err);
    arena_free(a);
    *keep = st >= 0 && f.answer != ANSWER_NONE;
    return st;
}

nrw_status files_where(nrw_job *job, arena *a, file_set *f, nrw_error *err)
{
    const schema *s = &f->listing.columns;
    condition c = {.a = a};
    predicate *p;
    const uint32_t *columns;
    const char **texts;
    const job_word *w;
    uint32_t n = 0;

    if (!s->n_fields || !job_last(job, "where"))
        return NRW_OK;
    TRY(arena_alloc(a, job->n_words * sizeof *texts, (void **)&texts, err));
    while ((w = job_each(job, "where", n)))
        texts[n++] = w->value;
    TRY(predicate_parse_some(a, texts, n, s, f->all.at[0], &p, err));
    if (!p)
        return NRW_OK;
    n = predicate_columns(p, &columns);
    if (n == 0) /* always or never true: nothing a path says */
        return NRW_OK;
    c.p = p;
    TRY(arena_alloc(a, s->n_fields * sizeof *c.map, (void **)&c.map, err));
    for (uint32_t i = 0; i < s->n_fields; i++)
        c.map[i] = (map_entry){MAP_ADDED, i};
    TRY(arena_alloc(a, s->n_fields, (void **)&c.looks_at, err));
    for (uint32_t i = 0; i < n; i++)
        c.looks_at[columns[i]] = true;
    return listing_prune(a, &f->listing, &f->all, &(listing_condition){may_pass, &c, c.looks_at},
                         &f->left, err);
}

typedef struct file_input {
    door *door; /* NULL: it is a file */
    const char *path;
    const char *spill_dir;
    const read_options *read;
} file_input;

static nrw_status open_file(const void *self, mem *m, reader **out, nrw_error *err)
{
    const file_input *in = self;
    io_file *f;

    *out = NULL;
    if (in->door) {
        TRY(door_open(in->door, m, &f, err));
        return format_arrow.open(m, f, in->read, out, err);
    }
    TRY(file_open(m, in->path, in->spill_dir, &f, err));
    return format_open(m, f, in->read, out, err);
}

/* What _metadata says of a file, as far as its size bears it out. */
static nrw_status find_said(arena *a, const file_set *f, const char *path, const scan_said **out,
                            nrw_error *err)
{
    const metadata_entry *e = metadata_find(f->entries, f->n_entries, path);
    char end[TEXT_NUMBER], size[TEXT_NUMBER];
    scan_said *said;
    struct stat s;

    *out = NULL;
    if (!e)
        return NRW_OK;
    err_at_object(err, path);
    if (stat(path, &s) != 0)
        return err_errno(err, NRW_E_NOTFOUND, errno, "_metadata names it");
    if ((uint64_t)s.st_size <= e->end) {
        err_next(err, "name the folder or its files instead");
        return err_set(err, NRW_E_CHANGED, "_metadata says that pages end at byte %s, it has %s",
                       text_group(e->end, end), text_group((uint64_t)s.st_size, size));
    }
    if (err)
        err->object[0] = '\0';
    TRY(arena_alloc(a, sizeof *said, (void **)&said, err));
    *said = e->say;
    said->bytes = (uint64_t)s.st_size;
    *out = said;
    return NRW_OK;
}

nrw_status files_inputs(nrw_job *job, arena *a, file_set *f, nrw_error *err)
{
    read_options *read;
    file_input *files;

    TRY(arena_alloc(a, sizeof *read, (void **)&read, err));
    TRY(format_words(job, a, read, err));
    TRY(arena_alloc(a, f->left.n * sizeof *files, (void **)&files, err));
    TRY(arena_alloc(a, f->left.n * sizeof *f->inputs, (void **)&f->inputs, err));
    for (size_t i = 0; i < f->left.n; i++) {
        files[i] = (file_input){door_named(job->doors, f->left.at[i]), f->left.at[i],
                                job_last(job, "spill-dir"), read};
        f->inputs[i] = (scan_input){f->left.at[i], open_file, &files[i], NULL};
        TRY(find_said(a, f, f->left.at[i], &f->inputs[i].said, err));
    }
    return NRW_OK;
}

nrw_status job_read_file(nrw_job *job, io_file *f, reader **out, nrw_error *err)
{
    read_options read;
    nrw_status st = format_words(job, job->a, &read, err);

    *out = NULL;
    if (st >= 0)
        return format_open(job->root, f, &read, out, err);
    file_close(f);
    return st;
}

nrw_status job_open_file(nrw_job *job, const char *path, reader **out, nrw_error *err)
{
    io_file *f;

    *out = NULL;
    TRY(file_open(job->root, path, job_last(job, "spill-dir"), &f, err));
    return job_read_file(job, f, out, err);
}

enum { NOTES_MOST = 8 };

static nrw_status note_column(const scan *s, uint32_t c, bytes *notes, uint32_t *n, nrw_error *err)
{
    const field *f = &scan_schema(s)->fields[c];
    char name[128], some[TEXT_NUMBER], all[TEXT_NUMBER];
    size_t without;
    bool widened = scan_widened(s, c, &without);

    if ((!widened && !without) || ++*n > NOTES_MOST)
        return NRW_OK;
    type_print(&f->type, name, sizeof name);
    TRY(bytes_printf(notes, err, "\nnote   column %.100s", f->name));
    if (widened)
        TRY(bytes_printf(notes, err, " is read as %s, which holds the types of all files%s", name,
                         without ? ";" : ""));
    if (without)
        TRY(bytes_printf(notes, err, " is null in %s of %s files, which have none",
                         text_group(without, some), text_group(scan_files(s), all)));
    return NRW_OK;
}

nrw_status files_note(const scan *s, bytes *notes, nrw_error *err)
{
    char more[TEXT_NUMBER];
    uint32_t n = 0;

    for (uint32_t c = 0; c < scan_schema(s)->n_fields; c++)
        TRY(note_column(s, c, notes, &n, err));
    if (n <= NOTES_MOST)
        return NRW_OK;
    return bytes_printf(notes, err, "\nnote   and so it is with %s columns more",
                        text_group(n - NOTES_MOST, more));
}

void files_describe(const file_set *f, const scan *s, char *out, size_t cap)
{
    char left[TEXT_NUMBER], all[TEXT_NUMBER];
    const char *why;
    size_t n;

    text_group(f->all.n, all);
    if (f->entries && f->left.n == f->all.n)
        n = (size_t)snprintf(out, cap, "%s files, as _metadata says", all);
    else if (f->left.n < f->all.n)
        n = (size_t)snprintf(out, cap, "%s of %s files, by their paths",
                             text_group(f->left.n, left), all);
    else
        n = (size_t)snprintf(out, cap, "%s files", all);
    if (n >= cap)
        return;
    if (scan_by_file(s, &why))
        snprintf(out + n, cap - n, "; each whole by one thread, %s", why);
    else
        snprintf(out + n, cap - n, "; by batch, at most two open at a time");
}
