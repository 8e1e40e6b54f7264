/* How a query's memory is shared, and what the plan says of it. */
#include "api/query_own.h"

#include "base/text.h"

#include <stdio.h>

#define MIB ((uint64_t)1 << 20)

/* Of an operator that gathers for each worker: less would spill batch by batch. */
#define WORKER_ROOM (6 * MIB)

static uint64_t at_most(uint64_t x, uint64_t most)
{
    return x < most ? x : most;
}

/* What the writer needs; up to a quarter for reading and for what is in flight each; an eighth for
 * groups without keys; the rest for operators that gather. */
nrw_status query_share_memory(query *q, nrw_error *err)
{
    const job_limits *l = &q->job->limits;
    sql_exec *x = &q->exec;
    uint32_t n = plan_gatherers(q->plan);
    char need[TEXT_NUMBER], have[TEXT_NUMBER];
    uint32_t workers = l->workers;
    uint64_t all, wish, writer;
    budget b;

    job_hold(q->job);
    all = job_room(q->job) > l->held ? job_room(q->job) - l->held : 0;
    TRY(output_budget(&q->to, workers, &b, err));
    while (workers > 1 && all < b.least + 8 * MIB)
        TRY(output_budget(&q->to, --workers, &b, err));
    if (all < b.least + 8 * MIB) {
        uint64_t least = job_needs(q->job, l->held + b.least + 8 * MIB);
        err_next(err, "give --memory %s or more", text_size_option(least, need));
        return err_set(err, NRW_E_MEMLIMIT, "a query takes at least %s, --memory is %s",
                       text_size(least, need), text_size(l->ceiling, have));
    }
    wish = q->to.n_keys ? all / 2 : all / 5; /* many files at once take more */
    writer = b.wish < wish ? b.wish : wish > b.least ? wish : b.least;
    all -= writer;
    q->writing = writer;
    *x = (sql_exec){.a = q->a,
                    .m = q->job->root,
                    .spill = q->job->spill,
                    .catalog = &q->face,
                    .workers = workers,
                    .reading = n ? at_most(all / 4, 48 * MIB) : all / 2,
                    .batches = n ? at_most(all / 4, workers * 12 * MIB) : all * 3 / 8,
                    .alone = all / 8};
    x->gathering = n ? (all - x->reading - x->batches - x->alone) / n : 0;
    /* each worker gathers some batches' rows at least */
    while (n && x->workers > 1 && x->gathering / x->workers < WORKER_ROOM)
        x->workers--;
    x->held = (size_t)(x->batches / x->workers / 8);
    x->held = x->held > MIB / 2 ? MIB / 2 : x->held;
    return NRW_OK;
}

/* ---- plan ---- */

static plan_step *add_step(query *q, const char *how, uint64_t grant, int64_t rows)
{
    job_plan *p = &q->job->plan;
    plan_step *s = &p->steps[p->n < JOB_MAX_STEPS ? p->n++ : JOB_MAX_STEPS - 1];

    *s = (plan_step){.how = how, .grant = grant, .rows = rows};
    return s;
}

static void describe_scan(query *q, const plan *p)
{
    plan_step *s = add_step(q, "streams", q->exec.reading, p->table->rows);
    size_t n = 0, cap = sizeof s->what;

    n += (size_t)snprintf(s->what, cap, "read");
    for (uint32_t c = 0; c < p->n && n + 40 < cap; c++)
        n += (size_t)snprintf(s->what + n, cap - n, "%s%.32s", c ? ", " : " ",
                              p->table->schema.fields[p->table_columns[c]].name);
    query_describe_table(p->table, p->n_pushed > 0, s->detail, sizeof s->detail - 50);
    n = strlen(s->detail);
    snprintf(s->detail + n, sizeof s->detail - n, "%s",
             p->n_pushed ? ": what its conditions rule out is not read" : "");
}

static const char *const joins[] = {"join",      "left join", "right join", "full join",
                                    "semi join", "anti join", "mark join",  "join of one"};

/* A line for each step that reads or gathers, in the order they run. */
static void describe(query *q, const plan *p)
{
    uint64_t grant = q->exec.gathering;

    if (!p)
        return;
    describe(q, p->right);
    describe(q, p->left);
    if (p->kind == PLAN_SCAN)
        describe_scan(q, p);
    else if (p->kind == PLAN_GROUP && p->n_keys)
        snprintf(add_step(q, "spills", grant, -1)->what, 64, "group by %u keys, %u aggregates",
                 p->n_keys, p->n_aggregates);
    else if (p->kind == PLAN_GROUP)
        snprintf(add_step(q, "bounded", q->exec.alone, 1)->what, 64, "%u aggregates",
                 p->n_aggregates);
    else if (p->kind == PLAN_SORT)
        snprintf(add_step(q, "spills", grant, -1)->what, 64, "sort by %u keys", p->n_orders);
    else if (p->kind == PLAN_JOIN)
        snprintf(add_step(q, "spills", grant, -1)->what, 64, "%s on %u keys", joins[p->join],
                 p->n_join_keys);
    else if (p->kind == PLAN_WINDOW)
        snprintf(add_step(q, "spills", grant, -1)->what, 64, "%u window functions", p->n_windows);
}

void query_fill_plan(query *q)
{
    job_plan *p = &q->job->plan;
    const job_limits *l = &q->job->limits;
    plan_step *s;

    *p = (job_plan){.peak = l->ceiling, .from = job_needs(q->job, l->held + 8 * MIB)};
    p->spill = l->spill_limit;
    describe(q, q->plan);
    s = add_step(q, "streams", q->writing, -1);
    output_describe(&q->to, s);
    s = add_step(q, "streams", q->exec.batches, -1);
    snprintf(s->what, sizeof s->what, "batches in flight, %u threads", l->workers);
}
