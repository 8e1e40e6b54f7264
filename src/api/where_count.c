/* How many rows pass a condition: a run without a target. */
#include "api/where.h"

#include "base/text.h"
#include "exec/op_write.h"
#include "exec/sink_count.h"

#include <stdio.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

enum { PART_READ, PART_FILTER, PART_BATCHES, PARTS };

typedef struct counting {
    nrw_job *job;
    job_inputs in;
    where where;
    uint32_t *cols;
    uint32_t workers;
    uint64_t least[PARTS], grants[PARTS], needs;
    size_t piece;
    mem *books[PARTS];
    op *filter;
    sink_count sink;
} counting;

static nrw_status budgets(counting *c, uint64_t *least, uint64_t *wish, nrw_error *err)
{
    budget b;

    TRY(scan_budget(c->in.scan, c->cols, c->where.n, c->workers, &b, err));
    least[PART_READ] = b.least;
    wish[PART_READ] = b.wish;
    where_reading(&c->where, &least[PART_READ], &wish[PART_READ]);
    where_budget(&c->where, &b);
    least[PART_FILTER] = b.least;
    wish[PART_FILTER] = b.wish;
    least[PART_BATCHES] = c->workers * (2 * 64 * KIB + c->where.n * 64);
    wish[PART_BATCHES] = c->workers * (2 * MIB + c->where.n * 64);
    where_batches(&c->where, c->workers, &least[PART_BATCHES], &wish[PART_BATCHES]);
    return NRW_OK;
}

static nrw_status share_memory(counting *c, nrw_error *err)
{
    char need[TEXT_NUMBER], have[TEXT_NUMBER];
    uint64_t wish[PARTS];

    job_hold(c->job);
    for (c->workers = c->job->limits.workers;; c->workers--) {
        TRY(budgets(c, c->least, wish, err));
        if (job_share(c->job, c->least, wish, PARTS, c->grants, &c->needs) >= 0)
            break;
        if (c->workers > 1)
            continue;
        err_next(err, "give --memory %s or more", text_size_option(c->needs, need));
        return err_set(err, NRW_E_MEMLIMIT, "counting takes at least %s, --memory is %s",
                       text_size(c->needs, need), text_size(c->job->limits.ceiling, have));
    }
    c->piece = (size_t)(c->grants[PART_BATCHES] / c->workers / (3 + c->where.n));
    c->piece = c->piece > MIB / 2 ? MIB / 2 : c->piece;
    return NRW_OK;
}

static void plan_fill(const counting *c)
{
    static const char *const names[PARTS] = {"", "", "batches in flight"};
    const job_limits *limits = &c->job->limits;
    job_plan *p = &c->job->plan;

    *p = (job_plan){.n = PARTS, .peak = limits->baseline + limits->held, .from = c->needs};
    p->spill = limits->spill_limit;
    for (int i = 0; i < PARTS; i++) {
        p->steps[i] = (plan_step){.how = "streams", .least = c->least[i], .grant = c->grants[i]};
        p->steps[i].rows = i == PART_BATCHES ? -1 : scan_rows(c->in.scan);
        p->steps[i].rows_bound = true;
        snprintf(p->steps[i].what, sizeof p->steps[i].what, "%s", names[i]);
        p->peak += c->grants[i];
    }
    job_describe_source(&c->in, &p->steps[PART_READ]);
    where_describe(&c->where, p->steps[PART_FILTER].what, 46);
}

static nrw_status read_all(counting *c, int64_t *rows, nrw_error *err)
{
    static const char *const names[PARTS] = {"read", "filter", "batches"};
    nrw_job *job = c->job;
    const batch_shape shape = {.max_rows = BATCH_MAX_ROWS,
                               .column_bytes = c->piece,
                               .workers = c->workers,
                               .any_order = true,
                               .filter = where_filter(&c->where)};
    source_scan from = source_scan_of(c->in.scan, c->where.n);
    op_write to = op_write_of(&c->sink.base);
    pipeline p = {.source = &from.base, .workers = c->workers, .limit = -1};
    prune_counts pruned;
    nrw_status st;

    for (int i = 0; i < PARTS; i++)
        TRY(mem_child(job->root, names[i], c->grants[i], &c->books[i], err));
    TRY(where_open(&c->where, c->books[PART_FILTER], 2 * c->piece, &c->filter, err));
    TRY(scan_start(c->in.scan, c->cols, c->where.n, &shape, c->books[PART_READ], job->spill, err));
    sink_count_init(&c->sink);
    pipeline_add(&p, c->filter);
    pipeline_add(&p, &to.base);
    p.batches = c->books[PART_BATCHES];
    job_set_total(job, c->in.scan);
    job_set_running(job, &p);
    st = pipeline_run(&p, err);
    job_set_running(job, NULL);
    TRY(st);
    scan_pruned(c->in.scan, &pruned);
    if (atomic_load(&p.rows_in) + pruned.rows != (uint64_t)scan_rows(c->in.scan)) /* all is read */
        return err_set(err, NRW_E_CORRUPT, "%lld rows were promised, %llu read and %llu pruned",
                       (long long)scan_rows(c->in.scan),
                       (unsigned long long)atomic_load(&p.rows_in),
                       (unsigned long long)pruned.rows);
    *rows = (int64_t)atomic_load(&c->sink.rows);
    job->result.rows_in = scan_rows(c->in.scan);
    job->result.rows_filtered = (int64_t)atomic_load(&c->filter->rows_filtered);
    job->result.rows_out = *rows;
    job->result.pruned = pruned;
    job->result.bytes_in = scan_bytes_read(c->in.scan);
    return NRW_OK;
}

static nrw_status plan_estimate(counting *c, nrw_error *err)
{
    plan_step *s = c->job->plan.steps;
    int64_t rows;

    TRY(where_estimate(&c->where, &c->in, s[PART_READ].detail, sizeof s[PART_READ].detail, &rows,
                       err));
    if (rows >= 0)
        s[PART_FILTER].rows = rows;
    return NRW_OK;
}

static nrw_status prepare(counting *c, bool plan_only, nrw_error *err)
{
    TRY(job_inputs_open(c->job, &c->in, err));
    TRY(where_parse(c->job, scan_schema(c->in.scan), c->in.name, &c->where, err));
    if (!c->where.p)
        return NRW_OK;
    TRY(arena_alloc(c->job->a, c->where.n * sizeof *c->cols + 1, (void **)&c->cols, err));
    for (uint32_t i = 0; i < c->where.n; i++) {
        c->cols[i] = where_column(&c->where, i);
        c->where.places[i] = i;
    }
    TRY(share_memory(c, err));
    plan_fill(c);
    return plan_only ? plan_estimate(c, err) : NRW_OK;
}

nrw_status where_count(nrw_job *job, bool plan_only, int64_t *rows, nrw_error *err)
{
    counting c = {.job = job};
    nrw_status st = prepare(&c, plan_only, err);

    if (st >= 0 && !c.where.p) { /* true of every row */
        st = scan_count(c.in.scan, err);
        *rows = scan_rows(c.in.scan);
    }
    if (st >= 0 && c.where.p && !plan_only)
        st = read_all(&c, rows, err);
    op_close(c.filter);
    job_inputs_close(&c.in);
    for (int i = 0; i < PARTS; i++)
        mem_free_account(c.books[i]);
    return st;
}
