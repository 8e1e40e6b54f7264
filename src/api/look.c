/* Verbs that look: the dispatch, their output, and the simplest of them. */
#include "api/look.h"
#include "api/where.h"

#include "base/text.h"
#include "base/utf8.h"
#include "column/json_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)64 << 20)

nrw_status look_write(look *l, const void *text, size_t len, nrw_error *err)
{
    return target_write(l->out, (span){text, len}, err);
}

nrw_status look_printf(look *l, nrw_error *err, const char *fmt, ...)
{
    char text[256];
    va_list ap, again;
    nrw_status st;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(text, sizeof text, fmt, ap);
    if (n >= 0 && (size_t)n < sizeof text) {
        st = look_write(l, text, (size_t)n, err);
    } else {
        bytes_clear(&l->line);
        st = bytes_reserve(&l->line, (size_t)(n < 0 ? 0 : n) + 1, err);
        if (st >= 0 && n >= 0)
            l->line.len = (size_t)vsnprintf((char *)l->line.data, (size_t)n + 1, fmt, again);
        if (st >= 0)
            st = look_flush_line(l, err);
    }
    va_end(again);
    va_end(ap);
    return st;
}

nrw_status look_flush_line(look *l, nrw_error *err)
{
    nrw_status st = look_write(l, l->line.data, l->line.len, err);

    bytes_clear(&l->line);
    return st;
}

nrw_status look_json_string(look *l, const char *text, size_t len, nrw_error *err)
{
    bytes valid = bytes_init(l->line.m, LINE_MAX_BYTES);
    nrw_status st = NRW_OK;

    if (utf8_valid(text, len))
        return json_string(&l->line, text, len, err);
    while (len > 0 && st >= 0) {
        size_t good = utf8_valid_prefix(text, len);
        st = bytes_append(&valid, text, good, err);
        if (st >= 0 && good < len)
            st = bytes_append(&valid, "\xEF\xBF\xBD", 3, err);
        good += good < len;
        text += good;
        len -= good;
    }
    if (st >= 0)
        st = json_string(&l->line, (const char *)valid.data, valid.len, err);
    bytes_release(&valid);
    return st;
}

nrw_status look_meta(look *l, const char *path, io_file *file, look_file *out, nrw_error *err)
{
    const pq_read_options read = {0};
    nrw_status st;

    *out = (look_file){.file = file};
    st = pq_meta_open(l->job->root, out->file, &read, &out->meta, err);
    if (st < 0) {
        err_at_object(err, path);
        look_close(out);
    }
    return st;
}

void look_close(look_file *f)
{
    pq_meta_close(f->meta);
    file_close(f->file);
    *f = (look_file){0};
}

/* One number for all sources, from the footers where there is no condition. */
static nrw_status look_count(look *l, nrw_error *err)
{
    int64_t rows = 0;

    if (job_last(l->job, "where"))
        TRY(where_count(l->job, false, &rows, err));
    for (size_t i = 0; i < l->files.n && !job_last(l->job, "where"); i++) {
        int64_t n;
        TRY(job_count_rows(l->job, l->files.at[i], &n, err));
        if (__builtin_add_overflow(rows, n, &rows))
            return err_set(err, NRW_E_CORRUPT, "more than 9,223,372,036,854,775,807 rows");
    }
    return look_printf(l, err, l->json ? "{\"count\":%lld}\n" : "%lld\n", (long long)rows);
}

static const struct {
    const char *verb;
    nrw_status (*run)(look *l, nrw_error *err);
    const char *formats; /* of -f beside json */
} looks[] = {
    {"count", look_count, " text table "},   {"schema", look_schema, " text table sql avsc "},
    {"stats", look_stats, " text table "},   {"inspect", look_inspect, " text table "},
    {"verify", look_verify, " text table "}, {"recover", look_recover, " text "}};

static nrw_status choose_format(look *l, const char *formats, nrw_error *err)
{
    const char *format = job_last(l->job, "format");
    char word[32];

    l->json = format && strcmp(format, "json") == 0;
    if (!format || l->json)
        return NRW_OK;
    snprintf(word, sizeof word, " %.20s ", format);
    if (strstr(formats, word))
        return NRW_OK;
    return err_set(err, NRW_E_ARG, "--format of %s is text%s or json, not %s", l->job->verb->name,
                   strstr(formats, "sql") ? ", sql, avsc" : "", format);
}

/* What was found wrong is told first, so the report goes out even where the verb then fails. */
static nrw_status print(look *l, nrw_status (*run)(look *l, nrw_error *err), nrw_error *err)
{
    nrw_error late = NRW_ERROR_INIT;
    nrw_status st, told;

    TRY(target_open(l->job->root, "-", EXISTS_FAIL, &l->out, err));
    st = run(l, err);
    told = st == NRW_E_PIPE ? st : target_publish(l->out, &late);
    if (told < 0 && st >= 0 && err)
        *err = late;
    target_close(l->out);
    bytes_release(&l->line);
    return st < 0 ? st : told;
}

static int look_of(const nrw_job *job)
{
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(looks[i].verb, job->verb->name) == 0)
            return (int)i;
    return -1;
}

static nrw_status open_look(nrw_job *job, int which, look *l, nrw_error *err)
{
    *l = (look){.job = job};
    TRY(choose_format(l, looks[which].formats, err));
    TRY(job_limits_settle(job, err));
    if (looks[which].run != look_stats) /* which shares out what there is */
        TRY(job_limits_check(job, err));
    return looks[which].run == look_recover ? NRW_OK : job_files(job, &l->files, err);
}

nrw_status job_look(nrw_job *job, nrw_error *err)
{
    int which = look_of(job);
    look l;

    TRY(open_look(job, which, &l, err));
    l.line = bytes_init(job->root, LINE_MAX_BYTES);
    job->phase = job->verb->name;
    return print(&l, looks[which].run, err);
}

/* Of verifying, beside what reading takes: the values that are looked at at a time, texts among
 * them that grow. */
#define LOOKED_AT ((uint64_t)2 << 20)

/* A column is read at a time: what that takes in the file where it takes most. */
static nrw_status reading_least(nrw_job *job, const char *path, uint64_t *least, nrw_error *err)
{
    reader *file;
    const schema *s;
    nrw_status st;

    TRY(job_open_file(job, path, &file, err));
    s = file->class->schema(file);
    st = NRW_OK;
    for (uint32_t c = 0; st >= 0 && c < s->n_fields; c++) {
        budget b = {0};
        st = file->class->budget(file, &c, 1, 1, &b, err);
        if (st >= 0 && b.least > *least)
            *least = b.least;
    }
    file->class->close(file);
    return st;
}

/* Files that cannot be opened, or columns that cannot be read, are for verify itself to tell of. */
static uint64_t verify_least(nrw_job *job, const path_list *f)
{
    uint64_t least = 0;

    for (size_t i = 0; i < f->n; i++)
        (void)reading_least(job, f->at[i], &least, NULL);
    return least + LOOKED_AT;
}

nrw_status job_look_plan(nrw_job *job, nrw_error *err)
{
    const uint64_t some = (uint64_t)1 << 20;
    uint64_t least;
    job_plan *p = &job->plan;
    int64_t rows;
    int which = look_of(job);
    const bool verifies = looks[which].run == look_verify;
    look l;

    if (looks[which].run == look_recover)
        return err_set(err, NRW_E_ARG, "recover has no plan: it moves and removes names alone");
    TRY(open_look(job, which, &l, err));
    if (looks[which].run == look_stats)
        return look_stats_plan(&l, err);
    if (looks[which].run == look_count && job_last(job, "where"))
        return where_count(job, true, &rows, err);
    *p = (job_plan){.n = 1, .peak = job->limits.ceiling};
    least = verifies ? verify_least(job, &l.files) : some;
    p->from = job->limits.baseline + mem_peak(job->root) + least;
    p->spill = verifies ? job->limits.spill_limit : 0;
    p->steps[0] = (plan_step){.how = "streams", .least = least, .rows = -1};
    p->steps[0].grant = job->limits.ceiling - job->limits.baseline;
    snprintf(p->steps[0].what, sizeof p->steps[0].what, "%s",
             verifies ? "check every page" : "read metadata");
    snprintf(p->steps[0].detail, sizeof p->steps[0].detail, "%zu file%s, one after the other",
             l.files.n, l.files.n == 1 ? "" : "s");
    return NRW_OK;
}
