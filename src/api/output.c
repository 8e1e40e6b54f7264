#include "api/outlet.h"
#include "api/output_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- from words ---- */

nrw_status output_level(const char *text, const codec *c, int *out, nrw_error *err)
{
    if (c->min_level == c->max_level)
        return err_set(err, NRW_E_ARG, "--compression: %s has no levels", c->name);
    return job_codec_level(text, c, out, err);
}

nrw_status output_codec(const output_codecs *all, const char *word, const codec **out, int *level,
                        nrw_error *err)
{
    const char *colon = strchr(word, ':');
    char name[64];

    *out = NULL;
    snprintf(name, sizeof name, "%.*s", (int)(colon ? (size_t)(colon - word) : strlen(word)), word);
    if (strchr(name, '=')) {
        err_next(err, "give it without a column");
        return err_set(err, NRW_E_ARG, "--compression: %s", all->why_one);
    }
    if (all->none && (strcmp(name, "none") == 0 || strcmp(name, "uncompressed") == 0))
        return NRW_OK;
    *out = all->find(name);
    if (!*out) {
        err_next(err, "it is one of %s", all->names);
        return err_set(err, NRW_E_ARG, "--compression: %s has no codec %s", all->format, name);
    }
    *level = (*out)->default_level;
    return colon ? output_level(colon + 1, *out, level, err) : NRW_OK;
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
    else if (strcmp(what, "append") == 0)
        o->on_exists = EXISTS_APPEND;
    else
        return err_set(err, NRW_E_ARG,
                       "--on-exists of a file is fail, replace, skip or append, not %s", what);
    return NRW_OK;
}

static nrw_status check_policy(const output *o, nrw_error *err)
{
    if (o->on_exists != EXISTS_APPEND || o->format->appends)
        return NRW_OK;
    err_next(err, "a dataset's name ends in /");
    return err_set(err, NRW_E_ARG,
                   "--on-exists append adds rows to an Avro file or files to a dataset, what is "
                   "written is %s",
                   o->format->name);
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

/* ---- a file or a stream ---- */

static nrw_status single_columns(output *o, const schema *s, nrw_error *err)
{
    (void)err;
    o->schema = s;
    return NRW_OK;
}

static nrw_status single_budget(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    TRY(o->format->budget(o, workers, out, err));
    if (o->format->parquet)
        parquet_wish_for(o->schema, &o->write, o->flow.rows, o->flow.stored, out);
    return NRW_OK;
}

static nrw_status single_spill(const output *o, uint32_t workers, uint64_t memory,
                               const output_rows *r, uint64_t *out, nrw_error *err)
{
    const pq_flow flow = output_pq_flow(o, r);
    budget b;

    if (o->format->parquet)
        return parquet_write_spill(o->schema, &o->write, workers, memory, &flow, out, err);
    TRY(output_budget(o, workers, &b, err));
    *out = memory < b.wish ? b.spill : 0;
    return NRW_OK;
}

static void single_describe(const output *o, plan_step *s)
{
    snprintf(s->what, sizeof s->what, "write %s", o->format->name);
    snprintf(s->detail, sizeof s->detail, "%.200s%s", o->name,
             o->on_exists == EXISTS_APPEND ? ", rows are added" : "");
}

static nrw_status single_stage(output *o, nrw_error *err)
{
    return o->lent ? NRW_OK : target_open(o->job->root, o->name, o->on_exists, &o->target, err);
}

static nrw_status single_open(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    TRY(o->format->open(o, grant, workers, err));
    o->to = op_write_of(o->writer);
    o->sink = &o->to.base;
    return NRW_OK;
}

static nrw_status single_finish(output *o, file_summary *out, nrw_error *err)
{
    return o->writer->class->finish(o->writer, out, err);
}

static nrw_status single_publish(output *o, nrw_error *err)
{
    return target_publish(o->target, err);
}

static void single_close(output *o)
{
    if (!o->lent)
        target_close(o->target);
    o->target = NULL;
}

static const output_class single_class = {.columns = single_columns,
                                          .budget = single_budget,
                                          .spill = single_spill,
                                          .describe = single_describe,
                                          .stage = single_stage,
                                          .open = single_open,
                                          .finish = single_finish,
                                          .publish = single_publish,
                                          .close = single_close};

/* ---- a way out ---- */

static void way_describe(const output *o, plan_step *s)
{
    snprintf(s->what, sizeof s->what, "hand on as Arrow");
    snprintf(s->detail, sizeof s->detail, "%.200s", o->job->out->name);
}

static nrw_status way_stage(output *o, nrw_error *err)
{
    (void)o;
    (void)err;
    return NRW_OK;
}

static nrw_status way_open(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    outlet *to = o->job->out->outlet;

    if (!to)
        return single_open(o, grant, workers, err);
    TRY(arrow_taker_open(grant, outlet_taker(to), o->schema, &o->arrow, workers, &o->writer, err));
    o->to = op_write_of(o->writer);
    o->sink = &o->to.base;
    return NRW_OK;
}

static nrw_status way_publish(output *o, nrw_error *err)
{
    return o->target ? target_publish(o->target, err) : NRW_OK;
}

/* What is still to be taken lies in the writer's account. */
static nrw_status way_finish(output *o, file_summary *out, nrw_error *err)
{
    outlet *to = o->job->out->outlet;

    TRY(single_finish(o, out, err));
    return to ? outlet_drain(to, err) : NRW_OK;
}

static void way_close(output *o)
{
    (void)o;
}

static const output_class way_class = {.columns = single_columns,
                                       .budget = single_budget,
                                       .spill = single_spill,
                                       .describe = way_describe,
                                       .stage = way_stage,
                                       .open = way_open,
                                       .finish = way_finish,
                                       .publish = way_publish,
                                       .close = way_close};

static void output_choose_way(output *o, const way_out *out)
{
    o->class = &way_class;
    o->format = output_format_named("arrow");
    o->name = out->name;
    o->target = out->to;
    o->lent = true;
}

/* ---- any ---- */

nrw_status output_choose(output *o, nrw_job *job, nrw_error *err)
{
    o->job = job;
    o->name = job->target;
    if (job->out) {
        output_choose_way(o, job->out);
        return NRW_OK;
    }
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
    if (job_switch(job, "resume", false))
        return err_set(err, NRW_E_ARG, "--resume is for a dataset; a file is written whole");
    o->class = &single_class;
    TRY(choose_policy(o, err));
    TRY(choose_format(o, err));
    TRY(check_policy(o, err));
    return check_words(o, err);
}

void output_choose_file(output *o, nrw_job *job, const char *name, target *t)
{
    *o = (output){.class = &single_class,
                  .job = job,
                  .name = name,
                  .format = output_format_named("parquet"),
                  .target = t,
                  .lent = true};
}

nrw_status output_options(output *o, const schema *s, const carried *c, nrw_error *err)
{
    TRY(o->class->columns(o, s, err));
    return o->format->options(o, o->schema, c, err);
}

nrw_status output_budget(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    return o->class->budget(o, workers, out, err);
}

nrw_status output_spill(const output *o, uint32_t workers, uint64_t memory, const output_rows *r,
                        uint64_t *out, nrw_error *err)
{
    return o->class->spill(o, workers, memory, r, out, err);
}

/* Small numbers are written as words of four bytes, texts have lengths, any value may be null. */
pq_flow output_pq_flow(const output *o, const output_rows *r)
{
    const uint64_t beside = 5 * (uint64_t)o->schema->n_fields;

    return (pq_flow){.rows = r->rows.n,
                     .values = room_mul(r->rows.n, room_add(r->rows.width, beside)),
                     .batches = r->batches,
                     .distinct = r->distinct};
}

budget output_held(const output *o)
{
    return o->format->held ? o->format->held(o) : (budget){0};
}

void output_describe(const output *o, plan_step *s)
{
    o->class->describe(o, s);
}

nrw_status output_stage(output *o, nrw_error *err)
{
    return o->class->stage(o, err);
}

nrw_status output_open(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    return o->class->open(o, grant, workers, err);
}

nrw_status output_finish(output *o, file_summary *out, nrw_error *err)
{
    return o->class->finish(o, out, err);
}

nrw_status output_publish(output *o, nrw_error *err)
{
    return o->class->publish(o, err);
}

void output_close(output *o)
{
    if (o->writer && o->job->out && o->job->out->outlet)
        outlet_shut(o->job->out->outlet); /* what waits lies in the writer's account */
    if (o->writer)
        o->writer->class->close(o->writer);
    o->writer = NULL;
    if (o->class)
        o->class->close(o);
}
