/* A query, once all is settled: opened, carried out, counted and published. */
#include "api/query_own.h"

static void watch(void *self, pipeline *p)
{
    job_set_running(self, p);
}

/* Where rows only pass or do not, the books must close. */
static nrw_status balance(const query *q, int64_t rows_in, int64_t rows_out, nrw_error *err)
{
    int64_t lost = (int64_t)(q->exec.pruned.rows + q->exec.rows_filtered + q->exec.rows_limited);

    if (!plan_is_row_by_row(q->plan) || rows_in == rows_out + lost)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT,
                   "the books do not close: %lld rows in, %lld pruned, filtered or cut off, %lld "
                   "written",
                   (long long)rows_in, (long long)lost, (long long)rows_out);
}

/* Statements of a script add up. */
static nrw_status count(query *q, const file_summary *sum, nrw_error *err)
{
    job_result *r = &q->job->result;
    int64_t rows_in = (int64_t)(q->exec.rows_in + q->exec.pruned.rows);

    TRY(balance(q, rows_in, sum->rows, err));
    r->pruned.rows += q->exec.pruned.rows;
    r->pruned.groups += q->exec.pruned.groups;
    r->pruned.of_groups += q->exec.pruned.of_groups;
    r->pruned.pages += q->exec.pruned.pages;
    r->rows_in += rows_in;
    r->rows_filtered += (int64_t)q->exec.rows_filtered;
    r->rows_limited += (int64_t)q->exec.rows_limited;
    r->rows_out += sum->rows;
    r->row_groups += sum->row_groups;
    r->bytes_out += sum->bytes;
    r->bytes_in += q->exec.bytes_in;
    r->spilled = spill_written(q->job->spill);
    atomic_store(&q->job->bytes_out, r->bytes_out);
    return query_note_sources(&q->catalog, &r->sources, err);
}

static nrw_status open_target(query *q, nrw_error *err)
{
    if (q->write_books)
        return NRW_OK;
    TRY(mem_child(q->job->root, "write", q->writing, &q->write_books, err));
    q->to.held = q->exec.held;
    return output_open(&q->to, q->write_books, q->exec.workers, err);
}

nrw_status query_run(query *q, nrw_error *err)
{
    nrw_job *job = q->job;
    file_summary sum = {0};
    nrw_status st;

    q->to.query = q->text;
    q->to.inputs = (output_inputs){&q->catalog, query_input};
    st = output_stage(&q->to, err);
    if (st != NRW_OK)
        return st;
    mem_set_limit(job->root, job->plan.peak - job->limits.baseline); /* what the plan says binds */
    if (job->out) /* who takes the rows waits for their schema */
        TRY(open_target(q, err));
    q->exec.watcher = job;
    q->exec.watch = watch;
    q->exec.cancel = &job->cancelled;
    TRY(sql_compile(&q->exec, q->plan, err));
    job->phase = job->verb->name;
    atomic_store(&job->rows_total, query_rows(&q->catalog));
    TRY(sql_gather(&q->exec, err));
    TRY(open_target(q, err));
    TRY(sql_deliver(&q->exec, q->to.sink, err));
    TRY(output_finish(&q->to, &sum, err));
    TRY(count(q, &sum, err));
    job->phase = "publish";
    return output_publish(&q->to, err);
}
