/* Where a run writes to, and how: name, format, what exists, Parquet options. */
#include "api/move_own.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static nrw_status choose_policy(move *m, nrw_error *err)
{
    const char *what = job_last(m->job, "on-exists");

    m->on_exists = EXISTS_FAIL;
    if (!what || strcmp(what, "fail") == 0)
        return NRW_OK;
    if (strcmp(what, "replace") == 0 || strcmp(what, "overwrite") == 0)
        m->on_exists = EXISTS_REPLACE;
    else if (strcmp(what, "skip") == 0)
        m->on_exists = EXISTS_SKIP;
    else
        return err_set(err, NRW_E_ARG, "--on-exists is fail, replace or skip, not %s", what);
    return NRW_OK;
}

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), e = strlen(end);

    return n > e && strcmp(s + n - e, end) == 0;
}

static const struct {
    const char *name, *extension;
    bool parquet;
    text_kind kind;
} formats[] = {{"parquet", ".parquet", true, 0},
               {"csv", ".csv", false, TEXT_CSV},
               {"json", ".json", false, TEXT_JSON},
               {"jsonl", ".jsonl", false, TEXT_JSON},
               {"ndjson", ".ndjson", false, TEXT_JSON},
               {"table", ".txt", false, TEXT_TABLE},
               {"parquet", ".pq", true, 0}};

const char *move_text_name(text_kind kind)
{
    static const char *const names[] = {
        [TEXT_CSV] = "csv", [TEXT_JSON] = "json", [TEXT_TABLE] = "table"};

    return names[kind];
}

static bool is_folder(const char *path)
{
    struct stat s;
    size_t n = strlen(path);

    return (n > 0 && path[n - 1] == '/') || (stat(path, &s) == 0 && S_ISDIR(s.st_mode));
}

static nrw_status choose_format(move *m, nrw_error *err)
{
    const char *name = job_last(m->job, "format"), *to = m->target_name;
    const size_t n = sizeof formats / sizeof *formats;

    for (size_t i = 0; i < n; i++) {
        if (name ? strcmp(formats[i].name, name) != 0 : !ends_in(to, formats[i].extension))
            continue;
        m->parquet = formats[i].parquet;
        m->text = formats[i].kind;
        if (!m->parquet || strcmp(to, "-") != 0 || !isatty(STDOUT_FILENO))
            return NRW_OK;
        err_next(err, "send it to a file or a pipe");
        return err_set(err, NRW_E_ARG, "Parquet is binary: it does not go to a terminal");
    }
    if (name)
        return err_set(err, NRW_E_ARG, "--format is parquet, table, csv or json, not %s", name);
    if (strcmp(to, "-") == 0) { /* rows on a terminal are a table, in a pipe CSV */
        m->text = isatty(STDOUT_FILENO) ? TEXT_TABLE : TEXT_CSV;
        return NRW_OK;
    }
    err_at_object(err, to);
    if (is_folder(to)) {
        err_next(err, "name a file in it, such as %.200s%sout.parquet", to,
                 to[strlen(to) - 1] == '/' ? "" : "/");
        return err_set(err, NRW_E_ARG, "the target is a folder");
    }
    err_next(err, "give --format parquet, csv or json");
    return err_set(err, NRW_E_ARG, "the extension does not say a format");
}

/* Options that would change nothing are not passed over in silence. */
static nrw_status check_words(const move *m, nrw_error *err)
{
    const nrw_job *job = m->job;

    for (size_t i = 0; i < job->n_words && !m->parquet; i++) {
        const nrw_option *o = job->words[i].option;
        if (strcmp(o->group, "write") == 0 && strcmp(o->name, "format") != 0 &&
            strcmp(o->name, "on-exists") != 0)
            return err_set(err, NRW_E_ARG, "--%s is for Parquet, what is written is %s", o->name,
                           move_text_name(m->text));
    }
    return NRW_OK;
}

nrw_status move_choose_target(move *m, nrw_error *err)
{
    m->target_name = m->job->target;
    if (!m->target_name && !m->job->verb->moves_rows)
        m->target_name = "-";
    if (!m->target_name) {
        err_next(err, "narrows help %s", m->job->verb->name);
        return err_set(err, NRW_E_ARG, "%s: no target is given", m->job->verb->name);
    }
    TRY(choose_policy(m, err));
    TRY(choose_format(m, err));
    return check_words(m, err);
}

/* The rows keep their order, so what the one input is sorted by stays true as far as its leading
 * columns are taken. */
static nrw_status keep_sorting(move *m, const sort_key *from, uint32_t n, nrw_error *err)
{
    sort_key *kept;

    TRY(arena_alloc(m->job->a, (n + 1) * sizeof *kept, (void **)&kept, err));
    m->write.sorting = kept;
    m->write.n_sorting = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = 0;
        while (place < m->n_out && m->cols[place] != (uint32_t)from[i].column)
            place++;
        if (place == m->n_out)
            break;
        kept[i] = from[i];
        kept[i].column = (int32_t)place;
        m->write.n_sorting++;
    }
    return NRW_OK;
}

nrw_status move_parquet_options(move *m, nrw_error *err)
{
    reader *r = scan_first(m->in.scan);
    carried c = {0};

    if (r->class->carries)
        TRY(r->class->carries(r, m->job->a, &c, err));
    if (scan_files(m->in.scan) != 1 || m->sample)
        c.n_sorted = 0;
    TRY(job_write_options(m->job, &m->out, c.key_values, c.n_key_values, &m->write, err));
    return keep_sorting(m, c.sorted, c.n_sorted, err);
}
