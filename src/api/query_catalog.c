/* What stands behind a query's names: --attach, else files and globs in quotes. */
#include "api/query.h"

#include "column/json_out.h"

#include <stdio.h>
#include <string.h>

typedef struct query_table {
    sql_table base;
    file_set files;
    bool alone;  /* by its name alone: no options, no condition */
    scan *ready; /* looked at, for the first that reads it */
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
static nrw_status list_files(query_catalog *c, const sql_source *source, path_list *out,
                             nrw_error *err)
{
    const char *other;
    char *text;

    if (strcmp(c->job->verb->name, "sql") != 0)
        return job_files(c->job, out, err);
    *out = (path_list){0};
    for (uint32_t i = 0; i < source->n; i++) {
        span path = source->paths[i];
        TRY(arena_strndup(c->a, (const char *)path.data, path.len, &text, err));
        if (door_named(c->job->doors, text)) {
            TRY(job_add_door(c->a, door_named(c->job->doors, text), out, err));
            continue;
        }
        other = attached(c->job, text);
        TRY(job_add_files(c->a, other ? other : text, out, err));
    }
    return NRW_OK;
}

/* ---- arguments of read_parquet ---- */

static nrw_status take_option(query_catalog *c, const sql_read_option *o, files_words *words,
                              nrw_error *err)
{
    char *value;
    nrw_status st;

    TRY(arena_strndup(c->a, (const char *)o->value.data, o->value.len, &value, err));
    if (span_is_word(o->name, "union_by_name")) {
        words->change = strcasecmp(value, "false") == 0 ? SCHEMA_FAIL : SCHEMA_WIDEN;
        return NRW_OK;
    }
    st = listing_option(&words->listing, o->name, value, err);
    if (st != NRW_END)
        return st;
    err_next(err, "it has hive_partitioning, hive_types, hive_types_autocast, filename and "
                  "union_by_name");
    return err_set(err, NRW_E_ARG, "read_parquet has no option %.*s", (int)o->name.len,
                   (const char *)o->name.data);
}

/* ---- which files the condition leaves ---- */

typedef struct leaving {
    const expr *condition;
    uint32_t n;
    arena *a;
} leaving;

/* A condition that fails leaves the file: its rows will tell. */
static nrw_status may_pass(void *self, const expr *const *values, bool *keep, nrw_error *err)
{
    const leaving *l = self;
    mem *m = arena_mem(l->a);
    nrw_error ignored = NRW_ERROR_INIT;
    const vector **columns;
    uint16_t row;
    uint32_t n = 1;

    TRY(mem_alloc(m, (l->n + 1) * sizeof *columns, (void **)&columns, err));
    for (uint32_t i = 0; i < l->n; i++)
        columns[i] = values[i] ? values[i]->constant : NULL;
    *keep = expr_select(l->condition, columns, 1, m, &row, &n, &ignored) < 0 || n > 0;
    mem_free(m, columns, (l->n + 1) * sizeof *columns);
    return NRW_OK;
}

static void mark(void *looks_at, uint32_t column)
{
    ((bool *)looks_at)[column] = true;
}

static nrw_status prune(query_catalog *c, query_table *t, const sql_source *source, nrw_error *err)
{
    const schema *columns = &t->files.listing.columns;
    leaving l = {.n = columns->n_fields, .a = c->a};
    bool *looks_at;

    if (!columns->n_fields || !source->condition)
        return NRW_OK;
    TRY(source->condition(source->self, columns, &l.condition, err));
    if (!l.condition)
        return NRW_OK;
    t->alone = false;
    TRY(arena_alloc(c->a, l.n, (void **)&looks_at, err));
    expr_columns(l.condition, mark, looks_at);
    return listing_prune(c->a, &t->files.listing, &t->files.all,
                         &(listing_condition){may_pass, &l, looks_at}, &t->files.left, err);
}

/* ---- tables ---- */

static nrw_status open_table(query_catalog *c, query_table *t, const sql_source *source,
                             nrw_error *err)
{
    files_words words;

    t->alone = source->n_options == 0 && source->n == 1;
    TRY(files_words_of(c->job, &words, err));
    for (uint32_t i = 0; i < source->n_options; i++)
        TRY(take_option(c, &source->options[i], &words, err));
    TRY(list_files(c, source, &t->files.all, err));
    TRY(files_list(c->job, c->a, &words, &t->files, err));
    TRY(prune(c, t, source, err));
    TRY(files_inputs(c->job, c->a, &t->files, err));
    TRY(scan_open(c->m, t->files.inputs, t->files.left.n, &t->files.options, &t->ready, err));
    t->base.rows = scan_rows(t->ready);
    t->base.files = t->files.left.n;
    TRY(files_note(t->ready, &c->job->result.notes, err));
    c->job->result.files_read += t->files.left.n;
    c->job->result.files_of += t->files.all.n;
    return schema_copy(c->a, scan_schema(t->ready), &t->base.schema, err);
}

/* A name is looked at once however often it is there, where nothing else is said. */
static query_table *known(const query_catalog *c, const char *name, const sql_source *source)
{
    for (query_table *t = c->tables; t; t = t->next)
        if (strcmp(t->base.name, name) == 0 && t->alone && source->n_options == 0 &&
            source->n == 1 && !t->files.listing.columns.n_fields)
            return t;
    return NULL;
}

static nrw_status find(void *self, const sql_source *source, sql_table **out, nrw_error *err)
{
    query_catalog *c = self;
    query_table *t;
    char *text;

    TRY(arena_strndup(c->a, (const char *)source->paths[0].data, source->paths[0].len, &text, err));
    t = known(c, text, source);
    if (t) {
        *out = &t->base;
        return NRW_OK;
    }
    if (!attached(c->job, text) && !door_named(c->job->doors, text) && !source->is_file &&
        !looks_like_a_file(text)) {
        err_next(err,
                 "name a file in quotes, as in FROM 'in.parquet', or give --attach %.100s=FILE",
                 text);
        return err_set(err, NRW_E_ARG, "there is no table %.200s", text);
    }
    TRY(arena_alloc(c->a, sizeof *t, (void **)&t, err));
    t->base.name = text;
    t->base.self = t;
    t->next = c->tables;
    c->tables = t;
    TRY(open_table(c, t, source, err));
    *out = &t->base;
    return NRW_OK;
}

static nrw_status open_scan(void *self, sql_table *table, scan **out, nrw_error *err)
{
    query_catalog *c = self;
    query_table *t = table->self;

    *out = t->ready;
    t->ready = NULL;
    return *out ? NRW_OK
                : scan_open(c->m, t->files.inputs, t->files.left.n, &t->files.options, out, err);
}

/* What the first file says counts for all. */
static void table_values(void *self, sql_table *table, uint32_t column, column_values *out)
{
    const query_catalog *c = self;
    const query_table *t = table->self;
    reader *r = t->ready ? scan_first(t->ready) : NULL;

    if (!r)
        return;
    if (r->class->values)
        r->class->values(r, c->m, column, out);
    if (out->distinct != UINT64_MAX &&
        __builtin_mul_overflow(out->distinct, scan_files(t->ready), &out->distinct))
        out->distinct = UINT64_MAX;
    out->bounded = scan_files(t->ready) == 1 && r->class->bounds &&
                   r->class->bounds(r, c->m, column, &out->least, &out->greatest) &&
                   out->least <= out->greatest;
    if (out->distinct == UINT64_MAX && out->bounded &&
        (uint64_t)out->greatest - (uint64_t)out->least < INT64_MAX)
        out->distinct = (uint64_t)out->greatest - (uint64_t)out->least + 2;
}

static nrw_status table_marks(void *self, sql_table *table, uint32_t column, arena *a,
                              key_marks *out, nrw_error *err)
{
    const query_catalog *c = self;
    const query_table *t = table->self;

    out->n = 0;
    out->object = table->name;
    return t->ready ? scan_marks(t->ready, c->m, column, a, out, err) : NRW_OK;
}

static nrw_status table_totals(void *self, sql_table *table, column_total *at, uint32_t n, arena *a,
                               bool *known, nrw_error *err)
{
    const query_catalog *c = self;
    const query_table *t = table->self;

    *known = false;
    return t->ready ? scan_totals(t->ready, c->m, at, n, a, known, err) : NRW_OK;
}

static nrw_status table_budget(void *self, sql_table *table, const uint32_t *columns, uint32_t n,
                               bool filtered, uint32_t workers, budget *out, nrw_error *err)
{
    const query_table *t = table->self;

    (void)self;
    if (!t->ready)
        return err_set(err, NRW_E_ARG, "%.200s is read already", table->name);
    if (filtered)
        scan_filtered(t->ready);
    return scan_budget(t->ready, columns, n, workers, out, err);
}

void query_catalog_close(query_catalog *c)
{
    for (query_table *t = c->tables; t; t = t->next)
        scan_close(t->ready);
    c->tables = NULL;
}

void query_describe_table(const sql_table *table, bool filtered, char *out, size_t cap)
{
    const query_table *t = table->self;
    size_t n = (size_t)snprintf(out, cap, "%.150s", table->name);

    if (t->files.all.n < 2 || n + 3 > cap || !t->ready)
        return;
    if (filtered)
        scan_filtered(t->ready);
    snprintf(out + n, cap - n, ": ");
    files_describe(&t->files, t->ready, out + n + 2, cap - n - 2);
}

sql_catalog query_catalog_face(query_catalog *c)
{
    return (sql_catalog){c, find, open_scan, table_values, table_marks, table_totals, table_budget};
}

int64_t query_rows(const query_catalog *c)
{
    int64_t rows = 0;

    for (const query_table *t = c->tables; t; t = t->next)
        rows = rows < 0 || t->base.rows < 0 ? -1 : rows + t->base.rows;
    return rows;
}

const char *query_input(const void *catalog, uint64_t i)
{
    const query_catalog *c = catalog;

    for (const query_table *t = c->tables; t; t = t->next) {
        if (i < t->files.left.n)
            return t->files.left.at[i];
        i -= t->files.left.n;
    }
    return NULL;
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
