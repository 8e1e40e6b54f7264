/* Verbs that look: the dispatch, and the simplest of them. */
#include "api/look.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

nrw_status look_flush(nrw_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return NRW_OK;
    return err_errno(err, errno == EPIPE ? NRW_E_PIPE : NRW_E_IO, errno,
                     "cannot write to standard output");
}

nrw_status look_print(nrw_error *err, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vprintf(fmt, ap);
    va_end(ap);
    return n < 0 ? look_flush(err) : NRW_OK;
}

nrw_status look_format(const nrw_job *job, bool *json, nrw_error *err)
{
    const char *format = job_last(job, "format");

    *json = format && strcmp(format, "json") == 0;
    if (format && !*json && strcmp(format, "text") != 0 && strcmp(format, "table") != 0)
        return err_set(err, NRW_E_ARG, "--format of %s is text or json, not %s", job->verb->name,
                       format);
    return NRW_OK;
}

/* One number for all sources, from the footers. */
static nrw_status look_count(nrw_job *job, nrw_error *err)
{
    int64_t rows = 0;
    path_list files = {0};
    bool json;

    TRY(look_format(job, &json, err));
    TRY(job_limits_settle(job, err));
    TRY(job_files(job, &files, err));
    for (size_t i = 0; i < files.n; i++) {
        int64_t n;
        TRY(job_count_rows(job, files.at[i], &n, err));
        if (__builtin_add_overflow(rows, n, &rows))
            return err_set(err, NRW_E_CORRUPT, "more than 9,223,372,036,854,775,807 rows");
    }
    TRY(look_print(err, json ? "{\"count\":%lld}\n" : "%lld\n", (long long)rows));
    return look_flush(err);
}

static nrw_status look_rows(nrw_job *job, nrw_error *err)
{
    return job_move(job, false, err);
}

nrw_status job_look(nrw_job *job, nrw_error *err)
{
    static const struct {
        const char *verb;
        nrw_status (*look)(nrw_job *job, nrw_error *err);
    } looks[] = {{"count", look_count},
                 {"head", look_rows},
                 {"tail", look_rows},
                 {"schema", look_schema}};

    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(looks[i].verb, job->verb->name) == 0)
            return looks[i].look(job, err);
    return err_set(err, NRW_E_ARG, "there is no verb %s", job->verb->name);
}
