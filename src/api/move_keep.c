/* Pages kept undecoded (format/parquet/keep.h): which words of a job leave that possible, and the
 * run that does it. One thread copies: there is nothing to compute but checksums. */
#include "api/move_own.h"

#include "dataset/mapped.h"

#include <stdio.h>
#include <string.h>

/* Words about writing that say nothing of what is in a page. */
static bool leaves_pages(const job_word *w)
{
    static const char *const names[] = {
        "format",      "on-exists",       "compression", "row-group-size", "row-group-size-bytes",
        "kv-metadata", "statistics",      "page-index",  "page-checksum",  "parquet-version",
        "keep-pages",  "file-size-bytes", NULL};

    for (size_t i = 0; names[i]; i++)
        if (strcmp(w->option->name, names[i]) == 0)
            return strcmp(w->option->name, "compression") != 0 || !strchr(w->value, ':');
    return false;
}

/* What a job asks for that takes decoding; NULL: nothing. */
static const char *asked(const move *m)
{
    const nrw_job *job = m->job;
    const char *bad_rows = job_last(job, "on-bad-row");

    for (size_t i = 0; i < job->n_words; i++) {
        const job_word *w = &job->words[i];
        if (strcmp(w->option->group, "write") == 0 && !leaves_pages(w))
            return w->option->name;
        if (strcmp(w->option->name, "where") == 0 || strcmp(w->option->name, "limit") == 0)
            return w->option->name;
    }
    return bad_rows && strcmp(bad_rows, "fail") != 0 ? "on-bad-row" : NULL;
}

static nrw_status look(void *self, reader *r, nrw_error *err)
{
    move *m = self;

    if (mapped_is(r)) {
        snprintf(m->kept.against, sizeof m->kept.against, "its columns are not those of all files");
        return NRW_END;
    }
    if (!parquet_reader_meta(r)) {
        snprintf(m->kept.against, sizeof m->kept.against, "the source is not Parquet");
        return NRW_END;
    }
    TRY(parquet_keep_look(&m->kept, r, m->in.m, err));
    return m->kept.against[0] ? NRW_END : NRW_OK;
}

static nrw_status look_at_inputs(move *m, nrw_error *err)
{
    m->kept = (pq_keep){.out = &m->out,
                        .opts = &m->to.write,
                        .cols = m->cols,
                        .rows_asked = job_last(m->job, "row-group-size") != NULL,
                        .bytes_asked = job_last(m->job, "row-group-size-bytes") != NULL};
    TRY(scan_each(m->in.scan, m->in.m, look, m, err));
    m->keep = parquet_keep_settle(&m->kept);
    if (m->keep)
        m->to.write = parquet_keep_options(&m->to.write);
    return NRW_OK;
}

nrw_status move_keep_decide(move *m, nrw_error *err)
{
    nrw_job *job = m->job;
    bool insists = job_switch(job, "keep-pages", false);
    const char *option;

    if ((strcmp(job->verb->name, "copy") != 0 && !m->to.lent) || !m->to.format->parquet ||
        m->to.set || !job_switch(job, "keep-pages", true))
        return NRW_OK;
    option = asked(m);
    if (option && insists)
        return err_set(err, NRW_E_ARG, "--keep-pages: --%s takes decoding them", option);
    if (option)
        return NRW_OK;
    TRY(arena_alloc(job->a, m->n_out * sizeof *m->kept_pages, (void **)&m->kept_pages, err));
    TRY(look_at_inputs(m, err));
    if (m->keep || !insists)
        return NRW_OK;
    err_at_object(err, m->kept.file);
    err_next(err, "without --keep-pages they are decoded");
    return err_set(err, NRW_E_ARG, "pages cannot be kept: %s", m->kept.against);
}

/* ---- the run ---- */

static nrw_status copy_input(void *self, reader *r, nrw_error *err)
{
    move *m = self;
    pipeline *p = &m->pipeline;
    pq_keeper *k;
    nrw_status st = NRW_OK;

    TRY(parquet_keep_open(&m->kept, m->to.writer, r, m->books[PART_READ], &k, err));
    while (st == NRW_OK) {
        int64_t rows = 0;
        if (atomic_load_explicit(&p->cancel, memory_order_relaxed))
            st = err_set(err, NRW_E_CANCELLED, "interrupted");
        else
            st = parquet_keep_group(k, &rows, m->kept_pages, err);
        if (st == NRW_OK) {
            atomic_fetch_add(&p->rows_in, (uint64_t)rows);
            op_count(m->to.sink, (uint64_t)rows, 0);
            atomic_fetch_add(&p->reached, rows);
        }
    }
    parquet_keep_close(k);
    return st == NRW_END ? NRW_OK : st;
}

nrw_status move_keep_run(move *m, file_summary *out, nrw_error *err)
{
    nrw_status st;

    mem_set_limit(m->job->root, m->job->plan.peak - m->job->limits.baseline);
    TRY(output_open(&m->to, m->books[PART_WRITE], 1, err));
    m->from = source_scan_of(m->in.scan, m->n_cols); /* for progress: nothing is carried */
    m->pipeline.source = &m->from.base;
    m->pipeline.first = m->to.sink;
    m->pipeline.limit = -1;
    job_set_running(m->job, &m->pipeline);
    st = scan_each(m->in.scan, m->books[PART_READ], copy_input, m, err);
    if (st >= 0)
        st = output_finish(&m->to, out, err);
    job_set_running(m->job, NULL);
    return st;
}
