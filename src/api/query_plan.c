/* What the plan says of a query. */
#include "api/query_own.h"

#include "base/text.h"

#include <stdio.h>

static plan_step *add_step(query *q, const char *how, uint64_t least, uint64_t grant, int64_t rows)
{
    job_plan *p = &q->job->plan;
    plan_step *s = &p->steps[p->n < JOB_MAX_STEPS ? p->n++ : JOB_MAX_STEPS - 1];

    *s = (plan_step){.how = how, .least = least, .grant = grant, .rows = rows};
    return s;
}

static void describe_scan(query *q, const plan *p)
{
    plan_step *s = add_step(q, "streams", q->least_reading, q->exec.reading, p->table->rows);
    size_t n = 0, cap = sizeof s->what;

    n += (size_t)snprintf(s->what, cap, "read");
    for (uint32_t c = 0; c < p->n && n + 40 < cap; c++)
        n += (size_t)snprintf(s->what + n, cap - n, "%s%.32s", c ? ", " : " ",
                              sql_column_path(p->table, p->table_columns[c]));
    query_describe_table(p->table, p->n_pushed > 0, s->detail, sizeof s->detail - 50);
    n = strlen(s->detail);
    snprintf(s->detail + n, sizeof s->detail - n, "%s",
             p->n_pushed ? ": what its conditions rule out is not read" : "");
}

/* A row that footers gave: nothing is read. */
static void describe_footers(query *q, const plan *p)
{
    plan_step *s = add_step(q, "streams", 0, 0, 1);

    snprintf(s->what, sizeof s->what, "%u aggregates from footers", p->n);
    query_describe_table(p->table, false, s->detail, sizeof s->detail);
}

static const char *const joins[] = {
    "join",      "left join",   "right join",      "full join",       "semi join",      "anti join",
    "mark join", "join of one", "right semi join", "right anti join", "right mark join"};

/* What a step spills. Of a join nobody may know how many rows come of it. */
static void describe_spill(const query *q, const query_part *part, plan_step *s)
{
    const uint64_t limit = q->job->limits.spill_limit;
    char number[TEXT_NUMBER];

    if (s->spill && s->spill < limit)
        snprintf(s->detail, sizeof s->detail, "spills at most %s", text_size(s->spill, number));
    else if (s->spill && part->likely_spill < limit)
        snprintf(s->detail, sizeof s->detail, "spills some %s if each row meets one",
                 text_size(part->likely_spill, number));
}

/* A step that gathers: what it may keep, what it spills where that is not enough. */
static plan_step *add_part(query *q, const plan *p)
{
    const query_part *part = NULL;
    plan_step *s;

    for (uint32_t i = 0; i < q->n_parts; i++)
        if (q->parts[i].step->of == p)
            part = &q->parts[i];
    if (!part)
        return NULL;
    s = add_step(q, part->need.spill ? "spills" : "bounded", part->need.least, part->grant, -1);
    s->spill = part->need.spill;
    if (part->step->most <= INT64_MAX) {
        s->rows = (int64_t)part->step->most;
        s->rows_bound = p->kind != PLAN_GROUP || p->n_keys > 0;
    }
    if (p->kind == PLAN_GROUP && p->marks)
        snprintf(s->detail, sizeof s->detail, "clustered by %.60s: groups leave every %lld rows",
                 p->marks->column, (long long)p->marks->most);
    else
        describe_spill(q, part, s);
    return s;
}

/* A line for each step that reads or gathers, in the order they run. */
static void describe(query *q, const plan *p)
{
    plan_step *s;

    if (!p)
        return;
    describe(q, p->right);
    describe(q, p->left);
    if (p->kind == PLAN_SCAN)
        describe_scan(q, p);
    if (p->kind == PLAN_VALUES && p->table)
        describe_footers(q, p);
    s = add_part(q, p);
    if (!s)
        return;
    if (p->kind == PLAN_GROUP && p->n_keys)
        snprintf(s->what, 64, "group by %u keys, %u aggregates", p->n_keys, p->n_aggregates);
    else if (p->kind == PLAN_GROUP)
        snprintf(s->what, 64, "%u aggregates", p->n_aggregates);
    else if (p->kind == PLAN_SORT)
        snprintf(s->what, 64, "sort by %u keys", p->n_orders);
    else if (p->kind == PLAN_JOIN)
        snprintf(s->what, 64, "%s on %u keys", joins[p->join], p->n_join_keys);
    else if (p->kind == PLAN_WINDOW)
        snprintf(s->what, 64, "%u window functions", p->n_windows);
    else
        snprintf(s->what, 64, "first %llu of each group", (unsigned long long)p->limit);
}

/* Where nothing gathers a query uses all that it was granted, and code that is touched for the
 * first time is felt. */
static uint64_t of_code(const query *q, uint64_t peak)
{
    const uint64_t some = 192 << 10, ceiling = q->job->limits.ceiling;

    if (q->n_parts || peak >= ceiling)
        return 0;
    return ceiling - peak < some ? ceiling - peak : some;
}

void query_fill_plan(query *q)
{
    job_plan *p = &q->job->plan;
    const job_limits *l = &q->job->limits;
    uint64_t from = p->from;
    plan_step *s;

    *p = (job_plan){.peak = l->baseline + l->held, .spill = q->spill};
    describe(q, q->plan);
    s = add_step(q, "streams", q->least_writing, q->writing, -1);
    output_describe(&q->to, s);
    s = add_step(q, "streams", q->least_batches, q->exec.batches, -1);
    snprintf(s->what, sizeof s->what, "batches in flight, %u threads", q->exec.workers);
    p->peak += q->books;
    p->peak += of_code(q, p->peak);
    p->from = from < p->peak ? from : p->peak;
}
