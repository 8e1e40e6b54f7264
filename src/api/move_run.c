/* A run, once all is settled: parts opened, rows carried, counted and published. */
#include "api/move_own.h"

#include "base/clock.h"
#include "base/text.h"
#include "column/json_out.h"
#include "exec/op_first.h"
#include "exec/op_limit.h"
#include "exec/op_range.h"

#include <stdio.h>
#include <string.h>

static const char *const part_names[PARTS] = {"read", "filter", "first", "write", "batches"};

static nrw_status open_books(move *m, nrw_error *err)
{
    for (int i = 0; i < PARTS; i++)
        TRY(mem_child(m->job->root, part_names[i], m->grants[i], &m->books[i], err));
    return NRW_OK;
}

/* --limit behind a filter: the first rows that pass, or the last. */
static nrw_status open_limit(move *m, nrw_error *err)
{
    uint64_t skip = m->tail && (uint64_t)m->matches > m->limit ? m->matches - m->limit : 0;

    TRY(op_limit_new(m->books[PART_OP], skip, m->limit, &m->op, err));
    m->pipeline.enough = op_limit_reached(m->op);
    return NRW_OK;
}

static nrw_status open_first(move *m, nrw_error *err)
{
    const schema *s = scan_schema(m->in.scan);
    first_spec spec = {.first = (uint32_t)m->first,
                       .of = m->of,
                       .n_of = m->n_of,
                       .per = m->per,
                       .n_per = m->n_per,
                       .n_columns = m->n_cols,
                       .workers = m->workers,
                       .memory = m->grants[PART_OP],
                       .late = move_first_late(m),
                       .remember = move_codes_room(m),
                       .held = m->piece,
                       .cancel = &m->pipeline.cancel};
    type *types;

    TRY(arena_alloc(m->job->a, m->n_cols * sizeof *types, (void **)&types, err));
    for (uint32_t c = 0; c < m->n_cols; c++)
        types[c] = s->fields[m->cols[c]].type;
    spec.types = types;
    return op_first_new(m->job->a, m->books[PART_OP], &spec, m->job->spill, &m->op, err);
}

static nrw_status open_parts(move *m, nrw_error *err)
{
    /* of the batch's account a third: a column is read in pieces that overlap a little */
    const size_t whole = (size_t)(m->grants[PART_BATCHES] / m->workers / 3);
    const batch_shape shape = {.max_rows = BATCH_MAX_ROWS,
                               .column_bytes = m->piece,
                               .batch_bytes = m->to.format->held ? whole : 0,
                               .workers = m->workers,
                               .filter = where_filter(&m->where),
                               .damaged = quarantine_hears(&m->quarantine),
                               .damaged_self = &m->quarantine};

    /* what the plan said binds the run: cached free blocks count, too */
    mem_set_limit(m->job->root, m->job->plan.peak - m->job->limits.baseline);
    m->to.held = m->piece;
    TRY(output_open(&m->to, m->books[PART_WRITE], m->workers, err));
    TRY(scan_start(m->in.scan, m->cols, m->n_cols, &shape, m->books[PART_READ], m->job->spill,
                   err));
    if (m->where.p)
        TRY(where_open(&m->where, m->books[PART_FILTER], 2 * m->piece, &m->filter, err));
    if (move_counts_behind(m))
        TRY(open_limit(m, err));
    else if (m->tail)
        TRY(op_range_new(m->books[PART_OP], scan_rows(m->in.scan) - (int64_t)m->limit, INT64_MAX,
                         &m->op, err));
    if (m->sample)
        TRY(open_first(m, err));
    m->from = source_scan_of(m->in.scan, m->n_cols);
    m->pipeline.source = &m->from.base;
    if (m->quarantine.n)
        TRY(op_except_new(m->job->root, m->quarantine.ranges, m->quarantine.n, &m->except, err));
    if (m->except)
        pipeline_add(&m->pipeline, m->except);
    if (m->filter)
        pipeline_add(&m->pipeline, m->filter);
    if (m->op)
        pipeline_add(&m->pipeline, m->op);
    pipeline_add(&m->pipeline, m->to.sink);
    m->pipeline.batches = m->books[PART_BATCHES];
    m->pipeline.workers = m->workers;
    m->pipeline.limit =
        m->limit == INT64_MAX || m->tail || move_counts_behind(m) ? -1 : (int64_t)m->limit;
    return NRW_OK;
}

static int64_t filtered_by(const op *o)
{
    return o ? (int64_t)atomic_load(&o->rows_filtered) : 0;
}

/* What a run did to its rows, each counted where it happened. */
static void count_rows(move *m, const file_summary *sum)
{
    job_result *r = &m->job->result;

    scan_pruned(m->in.scan, &r->pruned);
    r->rows_in = (int64_t)(atomic_load(&m->pipeline.rows_in) + r->pruned.rows);
    r->rows_filtered = filtered_by(m->filter);
    if (move_counts_behind(m))
        r->rows_limited = filtered_by(m->op);
    else
        r->rows_filtered += filtered_by(m->op);
    r->rows_in += m->quarantine.n_told ? m->quarantine.rejected : 0; /* none of them came */
    r->rows_rejected = m->quarantine.n_told ? m->quarantine.rejected : filtered_by(m->except);
    r->lost_blocks = m->quarantine.blocks;
    r->lost_uncounted = m->quarantine.unknown;
    r->lost_bytes = m->quarantine.bytes_lost;
    r->rows_out = sum->rows;
}

/* The source's footers, the cutter, the operators and the written footer must agree. */
static nrw_status balance(const move *m, nrw_error *err)
{
    const job_result *r = &m->job->result;
    int64_t said = scan_rows(m->in.scan), pruned = (int64_t)r->pruned.rows;

    if (said < 0) /* not all was read, and nobody knows the rest */
        said = r->rows_in;
    if (m->pipeline.limit >= 0 && said > m->pipeline.limit)
        said = m->pipeline.limit;
    if (m->pipeline.enough && atomic_load(m->pipeline.enough) && r->rows_in < said)
        said = r->rows_in; /* nobody asked for the rest */
    if (r->rows_in != said)
        return err_set(err, NRW_E_CORRUPT, "%lld rows were promised and %lld were read",
                       (long long)said, (long long)r->rows_in);
    if (r->rows_in != r->rows_out + r->rows_filtered + r->rows_rejected + r->rows_limited + pruned)
        return err_set(err, NRW_E_CORRUPT,
                       "the books do not close: %lld rows in, %lld pruned, %lld filtered, %lld "
                       "written",
                       (long long)r->rows_in, (long long)pruned, (long long)r->rows_filtered,
                       (long long)r->rows_out);
    return NRW_OK;
}

static nrw_status note_files(move *m, nrw_error *err)
{
    bytes *out = &m->job->result.sources;

    for (size_t i = 0; i < scan_files(m->in.scan); i++) {
        scan_file_counts f = scan_file(m->in.scan, i);
        TRY(bytes_printf(out, err, "%s{\"name\":", i ? "," : ""));
        TRY(json_string(out, f.name, strlen(f.name), err));
        TRY(f.rows < 0 ? bytes_printf(out, err, ",\"rows\":null}")
                       : bytes_printf(out, err, ",\"rows\":%lld}", (long long)f.rows));
    }
    return NRW_OK;
}

static nrw_status note_columns(move *m, nrw_error *err)
{
    bytes *out = &m->job->result.columns;

    for (uint32_t i = 0; i < m->n_cols; i++) {
        const char *name = scan_schema(m->in.scan)->fields[m->cols[i]].name;
        reader_counts n;
        scan_counts(m->in.scan, i, &n);
        TRY(bytes_printf(out, err, "%s{\"name\":", i ? "," : ""));
        TRY(json_string(out, name, strlen(name), err));
        TRY(bytes_printf(out, err,
                         ",\"pages_decompressed\":%llu,\"pages_skipped\":%llu,"
                         "\"bytes_decompressed\":%llu,\"pages_kept\":%llu}",
                         (unsigned long long)n.pages_decompressed,
                         (unsigned long long)n.pages_skipped,
                         (unsigned long long)n.bytes_decompressed,
                         (unsigned long long)(m->keep ? m->kept_pages[i] : 0)));
    }
    return NRW_OK;
}

static void note_result(move *m, const file_summary *sum)
{
    job_result *r = &m->job->result;

    r->row_groups = sum->row_groups;
    r->bytes_out = sum->bytes;
    atomic_store(&m->job->bytes_out, sum->bytes);
    r->bytes_in = scan_bytes_read(m->in.scan);
    r->spilled = spill_written(m->job->spill);
}

/* `sample`: rows that it could not decide on when they came. The same pipeline with another source:
 * its rows were counted before. */
static nrw_status run_waiting(move *m, nrw_error *err)
{
    const uint64_t rows = atomic_load(&m->pipeline.rows_in);
    nrw_status st;

    m->pipeline.source = op_first_rest(m->op);
    m->pipeline.first = m->op->next;
    m->pipeline.first_morsel = m->pipeline.morsels;
    st = pipeline_run(&m->pipeline, err);
    atomic_store(&m->pipeline.rows_in, rows);
    return st;
}

static nrw_status run_pipeline(move *m, file_summary *out, nrw_error *err)
{
    nrw_status st;

    TRY(open_parts(m, err));
    job_set_running(m->job, &m->pipeline);
    st = pipeline_run(&m->pipeline, err);
    if (st >= 0 && m->sample && move_first_late(m))
        st = run_waiting(m, err);
    if (st >= 0)
        st = output_finish(&m->to, out, err);
    job_set_running(m->job, NULL);
    return st;
}

static const char *input_path(const void *self, uint64_t i)
{
    const job_inputs *in = self;

    return !in->gen && i < in->n ? in->inputs[i].name : NULL;
}

nrw_status move_run(move *m, nrw_error *err)
{
    nrw_job *job = m->job;
    file_summary sum = {0};
    nrw_status st;

    m->to.inputs = (output_inputs){&m->in, input_path};
    st = output_stage(&m->to, err);
    if (st != NRW_OK)
        return st;
    TRY(open_books(m, err));
    TRY(quarantine_search(&m->quarantine, &m->in, m->cols, m->n_cols, err));
    job->phase = job->verb->name;
    job_set_total(job, m->in.scan);
    TRY(m->keep ? move_keep_run(m, &sum, err) : run_pipeline(m, &sum, err));
    count_rows(m, &sum);
    TRY(balance(m, err));
    TRY(quarantine_settle(&m->quarantine, job->result.rows_in, err));
    job->phase = "publish";
    TRY(output_publish(&m->to, err));
    note_result(m, &sum);
    TRY(quarantine_publish(&m->quarantine, m->to.name, err));
    TRY(note_files(m, err));
    TRY(note_columns(m, err));
    return job->result.rows_rejected || m->quarantine.n_told ? NRW_REJECTED : NRW_OK;
}
