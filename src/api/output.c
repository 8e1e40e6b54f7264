#include "api/output_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- from words ---- */

nrw_status output_level(const char *text, const codec *c, int *out, nrw_error *err)
{
    char *end;
    long level = strtol(text, &end, 10);

    if (c->min_level == c->max_level)
        return err_set(err, NRW_E_ARG, "--compression: %s has no levels", c->name);
    if (end == text || *end || level < c->min_level || level > c->max_level)
        return err_set(err, NRW_E_ARG, "--compression: levels of %s are %d to %d, not %s", c->name,
                       c->min_level, c->max_level, text);
    *out = (int)level;
    return NRW_OK;
}

static nrw_status choose_policy(output *o, nrw_error *err)
{
    const char *what = job_last(o->job, "on-exists");

    o->on_exists = EXISTS_FAIL;
    if (!what || strcmp(what, "fail") == 0)
        return NRW_OK;
    if (strcmp(what, "replace") == 0 || strcmp(what, "overwrite") == 0)
        o->on_exists = EXISTS_REPLACE;
    else if (strcmp(what, "skip") == 0)
        o->on_exists = EXISTS_SKIP;
    else
        return err_set(err, NRW_E_ARG, "--on-exists of a file is fail, replace or skip, not %s",
                       what);
    return NRW_OK;
}

static bool is_stdout(const output *o)
{
    return strcmp(o->name, "-") == 0;
}

static nrw_status no_format(const output *o, nrw_error *err)
{
    err_at_object(err, o->name);
    err_next(err, "give --format parquet, arrow, avro, csv or json; a dataset's name ends in /");
    return err_set(err, NRW_E_ARG, "the extension does not say a format");
}

static nrw_status choose_format(output *o, nrw_error *err)
{
    const char *name = job_last(o->job, "format");

    if (name)
        o->format = output_format_named(name);
    else if (is_stdout(o)) /* rows on a terminal are a table, in a pipe CSV */
        o->format = output_format_plain(isatty(STDOUT_FILENO));
    else
        o->format = output_format_of(o->name);
    if (!o->format && name)
        return err_set(err, NRW_E_ARG,
                       "--format is parquet, arrow, avro, table, csv or json, not %s", name);
    if (!o->format)
        return no_format(o, err);
    if (!o->format->binary || !is_stdout(o) || !isatty(STDOUT_FILENO))
        return NRW_OK;
    err_next(err, "send it to a file or a pipe");
    return err_set(err, NRW_E_ARG, "%s is binary: it does not go to a terminal", o->format->title);
}

static bool names(const char *list, const char *word)
{
    char between[64];

    snprintf(between, sizeof between, " %.60s ", word);
    return strstr(list, between) != NULL;
}

/* Options that would change nothing are not passed over in silence. */
static nrw_status check_words(const output *o, nrw_error *err)
{
    const nrw_job *job = o->job;
    const char *takes = o->format->words;

    for (size_t i = 0; i < job->n_words; i++) {
        const nrw_option *w = job->words[i].option;
        if (strcmp(w->group, "write") != 0 || names(" format on-exists output max-rows ", w->name))
            continue;
        if (takes ? !names(takes, w->name) : names(" block-size batch-size ", w->name))
            return err_set(err, NRW_E_ARG, "--%s is for %s, what is written is %s", w->name,
                           names(" block-size ", w->name)   ? "Avro"
                           : names(" batch-size ", w->name) ? "Arrow"
                                                            : "Parquet",
                           o->format->name);
    }
    return NRW_OK;
}

nrw_status output_choose(output *o, nrw_job *job, nrw_error *err)
{
    o->job = job;
    o->name = job->target;
    if (!o->name && !job->verb->moves_rows)
        o->name = "-";
    if (!o->name) {
        err_next(err, "narrows help %s", job->verb->name);
        return err_set(err, NRW_E_ARG, "%s: no target is given", job->verb->name);
    }
    if (output_set_is_meant(job, o->name) && !is_stdout(o)) {
        TRY(output_set_choose(o, err));
        return check_words(o, err);
    }
    TRY(choose_policy(o, err));
    TRY(choose_format(o, err));
    return check_words(o, err);
}

void output_choose_file(output *o, nrw_job *job, const char *name, target *t)
{
    *o = (output){.job = job,
                  .name = name,
                  .format = output_format_named("parquet"),
                  .target = t,
                  .lent = true};
}

/* ---- what it takes ---- */

nrw_status output_options(output *o, const schema *s, const carried *c, nrw_error *err)
{
    o->schema = s;
    if (o->set)
        TRY(output_set_schema(o, s, err));
    return o->format->options(o, o->schema, c, err);
}

nrw_status output_budget(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    return o->set ? output_set_budget(o, workers, out, err)
                  : o->format->budget(o, workers, out, err);
}

budget output_held(const output *o)
{
    return o->format->held ? o->format->held(o) : (budget){0};
}

void output_describe(const output *o, plan_step *s)
{
    if (o->set) {
        output_set_describe(o, s);
        return;
    }
    snprintf(s->what, sizeof s->what, "write %s", o->format->name);
    snprintf(s->detail, sizeof s->detail, "%.200s", o->name);
}

/* ---- the run ---- */

nrw_status output_stage(output *o, nrw_error *err)
{
    if (o->lent)
        return NRW_OK;
    if (o->set)
        return output_set_stage(o, err);
    return target_open(o->job->root, o->name, o->on_exists, &o->target, err);
}

nrw_status output_open(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    if (o->set)
        return output_set_open(o, grant, workers, err);
    TRY(o->format->open(o, grant, workers, err));
    o->to = op_write_of(o->writer);
    return NRW_OK;
}

op *output_sink(output *o)
{
    return o->set ? output_set_sink(o) : &o->to.base;
}

nrw_status output_finish(output *o, file_summary *out, nrw_error *err)
{
    if (o->set)
        return output_set_finish(o, out, err);
    return o->writer->class->finish(o->writer, out, err);
}

nrw_status output_publish(output *o, nrw_error *err)
{
    return o->set ? output_set_publish(o, err) : target_publish(o->target, err);
}

void output_close(output *o)
{
    if (o->set)
        output_set_close(o);
    if (o->writer)
        o->writer->class->close(o->writer);
    if (!o->lent)
        target_close(o->target);
    o->writer = NULL;
    o->target = NULL;
}
