#include "dataset/metadata_file.h"

#include "format/parquet/parquet.h"

#include <stdlib.h>
#include <string.h>

bool metadata_is_named(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash ? slash + 1 : path, "_metadata") == 0;
}

/* Whoever made the file does not say which files of the machine are read. */
static bool stays_below(const char *path)
{
    if (*path == '/' || !*path)
        return false;
    for (const char *part = path; *part; part += strcspn(part, "/"), part += *part == '/')
        if (strcspn(part, "/") == 2 && part[0] == '.' && part[1] == '.')
            return false;
    return true;
}

static nrw_status join(arena *a, const char *of, const char *file, char **out, nrw_error *err)
{
    const char *slash = strrchr(of, '/');
    size_t n = slash ? (size_t)(slash - of) + 1 : 0, len = strlen(file);

    TRY(arena_alloc(a, n + len + 1, (void **)out, err));
    memcpy(*out, of, n);
    memcpy(*out + n, file, len + 1);
    return NRW_OK;
}

static nrw_status read_entry(arena *a, const char *of, const pq_meta *meta, int32_t group,
                             metadata_entry *e, nrw_error *err)
{
    pq_row_group g;
    char *file;

    TRY(pq_meta_row_group(meta, group, &g, err));
    TRY(pq_meta_group_file(meta, group, a, &file, &e->end, err));
    if (!file)
        return NRW_END;
    if (!stays_below(file)) {
        err_at_row_group(err, group);
        return err_set(err, NRW_E_CORRUPT, "it names the file %.300s, which is not in its folder",
                       file);
    }
    e->say.rows = g.rows;
    return join(a, of, file, &e->path, err);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const metadata_entry *)a)->path, ((const metadata_entry *)b)->path);
}

/* Row groups of one file become one entry. */
static nrw_status join_groups(metadata_entry *at, size_t *n, nrw_error *err)
{
    size_t kept = 0;

    qsort(at, *n, sizeof *at, by_path);
    for (size_t i = 0; i < *n; i++) {
        metadata_entry *to = &at[kept ? kept - 1 : 0];
        if (!kept || by_path(to, &at[i]) != 0) {
            at[kept++] = at[i];
            continue;
        }
        to->end = to->end > at[i].end ? to->end : at[i].end;
        if (__builtin_add_overflow(to->say.rows, at[i].say.rows, &to->say.rows))
            return err_set(err, NRW_E_CORRUPT, "more rows than can be counted");
    }
    *n = kept;
    return NRW_OK;
}

static nrw_status entries(arena *a, const char *path, reader *r, metadata_entry **out, size_t *n,
                          nrw_error *err)
{
    const pq_meta *meta = parquet_reader_meta(r);
    const int32_t groups = meta ? pq_meta_row_groups(meta) : 0;
    schema *columns;

    TRY(arena_alloc(a, sizeof *columns, (void **)&columns, err));
    TRY(schema_copy(a, r->class->schema(r), columns, err));
    TRY(arena_alloc(a, (size_t)groups * sizeof **out + 1, (void **)out, err));
    for (int32_t i = 0; i < groups; i++) {
        metadata_entry *e = &(*out)[i];
        nrw_status st = read_entry(a, path, meta, i, e, err);
        if (st != NRW_OK)
            return st;
        e->say.schema = columns;
    }
    *n = (size_t)groups;
    return groups ? join_groups(*out, n, err) : NRW_END;
}

nrw_status metadata_entries(arena *a, const char *path, io_file *f, metadata_entry **out, size_t *n,
                            nrw_error *err)
{
    const pq_read_options plain = {0};
    nrw_status st;
    reader *r;

    *n = 0;
    TRY(parquet_open(arena_mem(a), f, &plain, &r, err));
    st = entries(a, path, r, out, n, err);
    r->class->close(r);
    if (st < 0)
        err_at_object(err, path);
    return st;
}

const metadata_entry *metadata_find(const metadata_entry *at, size_t n, const char *path)
{
    const metadata_entry key = {.path = (char *)(uintptr_t)path};

    return n ? bsearch(&key, at, n, sizeof *at, by_path) : NULL;
}
