/* What stands behind a query's names: --attach, else files and globs in quotes. */
#include "api/query.h"

#include "column/json_out.h"

#include <string.h>

typedef struct query_table {
    sql_table base;
    path_list files;
    scan_input *inputs;
    struct query_table *next;
} query_table;

query_catalog query_catalog_of(nrw_job *job, mem *m, arena *a)
{
    return (query_catalog){job, m, a, NULL};
}

/* The file that --attach gives a name; NULL: none does. */
static const char *attached(const nrw_job *job, const char *name)
{
    const job_word *w;
    size_t n = strlen(name);

    for (size_t i = 0; (w = job_each(job, "attach", i)); i++)
        if (strncasecmp(w->value, name, n) == 0 && w->value[n] == '=')
            return w->value + n + 1;
    return NULL;
}

static bool looks_like_a_file(const char *name)
{
    return strpbrk(name, "./*?") != NULL;
}

/* The files behind a name; of a query that options made those that the job names. */
static nrw_status list_files(query_catalog *c, const char *path, path_list *out, nrw_error *err)
{
    if (strcmp(c->job->verb->name, "sql") != 0)
        return job_files(c->job, out, err);
    return glob_expand(c->a, path, out, err);
}

static nrw_status open_table(query_catalog *c, query_table *t, const char *path, nrw_error *err)
{
    scan *s;
    nrw_status st;

    TRY(list_files(c, path, &t->files, err));
    TRY(job_file_inputs(c->job, c->a, &t->files, &t->inputs, err));
    TRY(scan_open(c->m, t->inputs, t->files.n, &s, err));
    st = schema_copy(c->a, scan_schema(s), &t->base.schema, err);
    t->base.rows = scan_rows(s);
    scan_close(s);
    return st;
}

static nrw_status find(void *self, span name, bool is_file, sql_table **out, nrw_error *err)
{
    query_catalog *c = self;
    query_table *t;
    const char *path;
    char *text;

    TRY(arena_strndup(c->a, (const char *)name.data, name.len, &text, err));
    for (t = c->tables; t; t = t->next)
        if (strcmp(t->base.name, text) == 0) {
            *out = &t->base;
            return NRW_OK;
        }
    path = attached(c->job, text);
    if (!path && !is_file && !looks_like_a_file(text)) {
        err_next(err,
                 "name a file in quotes, as in FROM 'in.parquet', or give --attach %.100s=FILE",
                 text);
        return err_set(err, NRW_E_ARG, "there is no table %.200s", text);
    }
    TRY(arena_alloc(c->a, sizeof *t, (void **)&t, err));
    t->base.name = text;
    t->base.self = t;
    TRY(open_table(c, t, path ? path : text, err));
    t->next = c->tables;
    c->tables = t;
    *out = &t->base;
    return NRW_OK;
}

static nrw_status open_scan(void *self, sql_table *table, scan **out, nrw_error *err)
{
    query_catalog *c = self;
    query_table *t = table->self;

    return scan_open(c->m, t->inputs, t->files.n, out, err);
}

sql_catalog query_catalog_face(query_catalog *c)
{
    return (sql_catalog){c, find, open_scan};
}

int64_t query_rows(const query_catalog *c)
{
    int64_t rows = 0;

    for (const query_table *t = c->tables; t; t = t->next)
        rows = rows < 0 || t->base.rows < 0 ? -1 : rows + t->base.rows;
    return rows;
}

nrw_status query_note_sources(const query_catalog *c, bytes *out, nrw_error *err)
{
    for (const query_table *t = c->tables; t; t = t->next) {
        TRY(bytes_printf(out, err, "%s{\"name\":", out->len ? "," : ""));
        TRY(json_string(out, t->base.name, strlen(t->base.name), err));
        TRY(bytes_printf(out, err, ",\"rows\":%lld}", (long long)t->base.rows));
    }
    return NRW_OK;
}
