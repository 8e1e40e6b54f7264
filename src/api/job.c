/* A job's life: run, plan, progress, cancel. */
#include "api/job.h"

#include "base/clock.h"
#include "exec/pipeline.h"

#include <stdlib.h>
#include <string.h>

void nrw_free(void *text)
{
    free(text);
}

static void forget_last_run(nrw_job *job)
{
    job_result *r = &job->result;
    bytes sources = r->sources, columns = r->columns, targets = r->targets, notes = r->notes;
    bytes pipes = r->pipes;

    bytes_clear(&sources);
    bytes_clear(&columns);
    bytes_clear(&targets);
    bytes_clear(&notes);
    bytes_clear(&pipes);
    *r = (job_result){.sources = sources,
                      .columns = columns,
                      .targets = targets,
                      .notes = notes,
                      .pipes = pipes,
                      .piped_in = -1,
                      .piped_out = -1};
}

nrw_status job_do(nrw_job *job, bool plan_only, nrw_error *err)
{
    const char *verb = job->verb->name;

    if (job_last(job, "pipe") || job->operators)
        return job_through(job, plan_only, err);
    if (strcmp(verb, "sql") == 0)
        return job_query(job, plan_only, err);
    if (strcmp(verb, "compact") == 0)
        return job_compact(job, plan_only, err);
    if (job->verb->moves_rows || strcmp(verb, "head") == 0 || strcmp(verb, "tail") == 0)
        return job_move(job, plan_only, err);
    return plan_only ? job_look_plan(job, err) : job_look(job, err);
}

nrw_status nrw_job_run(nrw_job *job, nrw_error *err)
{
    nrw_error own = NRW_ERROR_INIT;
    nrw_status st;

    err = err ? err : &own;
    forget_last_run(job);
    pthread_mutex_lock(&job->running_lock);
    job->started = clock_seconds();
    job->stood = (nrw_progress){.fraction = -1, .memory = job->limits.ceiling};
    pthread_mutex_unlock(&job->running_lock);
    st = job_do(job, false, err);
    job->phase = "done";
    job->result.ran = true;
    job->result.status = st;
    job->result.seconds = clock_seconds() - job->started;
    job->result.rss_peak = mem_process_peak();
    return st;
}

void nrw_job_cancel(nrw_job *job)
{
    struct pipeline *p = atomic_load(&job->running);
    nrw_job *feeder = atomic_load(&job->feeder);

    if (feeder)
        nrw_job_cancel(feeder);
    /* a handler interrupts the job's own threads, which keep the pipeline while they are in it */
    atomic_store(&job->cancelled, 1);
    if (p)
        atomic_store(&p->cancel, 1);
}

void job_set_total(nrw_job *job, const struct scan *s)
{
    atomic_store(&job->bytes_total, scan_bytes(s));
    atomic_store(&job->rows_total, scan_rows(s));
}

/* 0 of nothing is not known. */
static double share(uint64_t part, uint64_t of)
{
    return of == 0 ? -1 : part < of ? (double)part / (double)of : 1;
}

static void look_at(nrw_job *job, struct pipeline *p, nrw_progress *out)
{
    int64_t total = atomic_load(&job->rows_total), reached = atomic_load(&p->reached);

    out->rows_in = atomic_load(&p->rows_in);
    out->rows_out = pipeline_rows_out(p);
    out->bytes_in = pipeline_bytes_in(p);
    out->spill = spill_used(job->spill);
    if (total < 0)
        out->fraction = share(out->bytes_in, atomic_load(&job->bytes_total));
    else
        out->fraction = share((uint64_t)(reached > 0 ? reached : 0), (uint64_t)total);
}

void job_set_running(nrw_job *job, struct pipeline *p)
{
    struct pipeline *before = atomic_load(&job->running);

    pthread_mutex_lock(&job->running_lock);
    if (before && !p)
        look_at(job, before, &job->stood);
    atomic_store(&job->running, p);
    pthread_mutex_unlock(&job->running_lock);
    if (p && atomic_load(&job->cancelled))
        atomic_store(&p->cancel, 1);
}

void nrw_job_progress(nrw_job *job, nrw_progress *out)
{
    nrw_job *feeder = atomic_load(&job->feeder);
    struct pipeline *p;

    *out = (nrw_progress){.fraction = -1};
    pthread_mutex_lock(&job->running_lock);
    p = atomic_load(&job->running);
    if (p)
        look_at(job, p, out);
    else
        *out = job->stood;
    out->memory = job->stood.memory;
    out->seconds = job->started > 0 ? clock_seconds() - job->started : 0;
    pthread_mutex_unlock(&job->running_lock);
    out->phase = atomic_load(&job->phase);
    out->bytes_out = atomic_load(&job->bytes_out);
    out->rss = mem_process_rss();
    if (feeder) { /* it reads what there is to read */
        nrw_progress before;
        nrw_job_progress(feeder, &before);
        out->fraction = before.fraction;
        out->rows_in = before.rows_in;
        out->bytes_in = before.bytes_in;
        out->spill += before.spill;
    }
}
