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
    bytes sources = r->sources, columns = r->columns, notes = r->notes;

    bytes_clear(&sources);
    bytes_clear(&columns);
    bytes_clear(&notes);
    *r = (job_result){.sources = sources, .columns = columns, .notes = notes};
}

nrw_status nrw_job_run(nrw_job *job, nrw_error *err)
{
    nrw_error own = NRW_ERROR_INIT;
    nrw_status st;

    err = err ? err : &own;
    forget_last_run(job);
    job->started = clock_seconds();
    st = job->verb->moves_rows ? job_move(job, false, err) : job_look(job, err);
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

    atomic_store(&job->cancelled, 1);
    if (p)
        atomic_store(&p->cancel, 1);
}

void nrw_job_progress(nrw_job *job, nrw_progress *out)
{
    struct pipeline *p = atomic_load(&job->running);
    int64_t total = atomic_load(&job->rows_total);

    *out = (nrw_progress){.phase = atomic_load(&job->phase), .fraction = -1};
    out->memory = job->limits.ceiling;
    out->rss = mem_process_rss();
    out->seconds = job->started > 0 ? clock_seconds() - job->started : 0;
    if (!p)
        return;
    out->rows_in = atomic_load(&p->rows_in);
    out->rows_out = atomic_load(&p->rows_out);
    out->bytes_in = scan_bytes_read(p->source);
    out->spill = spill_used(job->spill);
    if (total > 0)
        out->fraction = (double)out->rows_in / (double)total;
}
