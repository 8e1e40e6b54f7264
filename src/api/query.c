#include "api/query.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define MIB        ((uint64_t)1 << 20)
#define SCRIPT_MAX (16 * MIB)

/* Of an operator that gathers for each worker: less would spill batch by batch. */
#define WORKER_ROOM (6 * MIB)

typedef struct query {
    nrw_job *job;
    move move; /* of it what says where rows go to, and how */
    mem *m;
    arena *a;
    span text;
    sql_statement *statement;
    query_catalog catalog;
    sql_catalog face;
    plan *plan;
    sql_exec exec;
    op_write to;
    uint64_t writing;
    mem *write_books;
} query;

/* ---- text to plan ---- */

/* A script: a file, or standard input. */
static nrw_status read_file(query *q, const char *path, nrw_error *err)
{
    char *text;
    io_file *f;
    nrw_status st;

    TRY(file_open(q->m, path, job_last(q->job, "spill-dir"), &f, err));
    st = f->size > SCRIPT_MAX
             ? err_set(err, NRW_E_ARG, "%.200s: a query of more than 16 MiB is not taken", path)
             : arena_alloc(q->a, (size_t)f->size + 1, (void **)&text, err);
    if (st >= 0)
        st = file_read(f, 0, text, (size_t)f->size, err);
    if (st >= 0)
        q->text = (span){(const uint8_t *)text, (size_t)f->size};
    file_close(f);
    return st;
}

static nrw_status read_text(query *q, nrw_error *err)
{
    const char *file = job_last(q->job, "file");

    if (file && q->job->sources.n)
        return err_set(err, NRW_E_ARG, "sql: the query is given twice, as a word and with --file");
    if (!file && q->job->sources.n != 1) {
        err_next(err, "as in narrows sql \"SELECT count(*) FROM 'in.parquet'\"");
        return err_set(err, NRW_E_ARG,
                       q->job->sources.n ? "sql takes one text; put the query in quotes"
                                         : "sql: no query is given");
    }
    if (!file) {
        q->text = span_of(q->job->sources.at[0]);
        return NRW_OK;
    }
    return read_file(q, file, err);
}

static nrw_status params(query *q, sql_bind_input *in, nrw_error *err)
{
    const job_word *w;
    sql_param *list;

    TRY(arena_alloc(q->a, (q->job->n_words + 1) * sizeof *list, (void **)&list, err));
    in->params = list;
    for (size_t i = 0; (w = job_each(q->job, "param", i)); i++) {
        const char *equals = strchr(w->value, '=');
        if (!equals || equals == w->value)
            return err_set(err, NRW_E_ARG, "--param is NAME=VALUE, not %s", w->value);
        list[in->n_params++] = (sql_param){{(const uint8_t *)w->value, (size_t)(equals - w->value)},
                                           span_of(equals + 1)};
    }
    return NRW_OK;
}

static nrw_status make_plan(query *q, nrw_error *err)
{
    sql_bind_input in = {.a = q->a, .catalog = &q->face, .text = q->text};
    sql_statement *all;
    uint32_t n;

    TRY(read_text(q, err));
    in.text = q->text;
    TRY(sql_parse(q->a, q->text, &all, &n, err));
    if (n != 1)
        return err_set(err, NRW_E_ARG, n ? "one statement at a time is run" : "the query is empty");
    q->statement = all;
    if (all->kind != SQL_SELECT)
        return err_set(err, NRW_E_ARG, "of statements SELECT alone is run");
    TRY(params(q, &in, err));
    q->catalog = query_catalog_of(q->job, q->m, q->a);
    q->face = query_catalog_face(&q->catalog);
    return sql_bind(&in, all->query, &q->plan, err);
}

/* Columns as they are written; names that the query did not give are its texts. */
static nrw_status out_schema(query *q, nrw_error *err)
{
    schema *s = &q->move.out;

    TRY(schema_new(q->a, q->plan->n, s, err));
    for (uint32_t c = 0; c < q->plan->n; c++) {
        char *name;
        TRY(arena_strndup(q->a, (const char *)q->plan->columns[c].name.data,
                          q->plan->columns[c].name.len, &name, err));
        s->fields[c] = (field){
            .name = name, .type = q->plan->columns[c].type, .nullable = true, .field_id = -1};
    }
    return NRW_OK;
}

/* ---- memory ---- */

static uint64_t at_most(uint64_t x, uint64_t most)
{
    return x < most ? x : most;
}

/* What the writer needs; up to a quarter for reading and for what is in flight each; an eighth for
 * groups without keys; the rest for operators that gather. */
static nrw_status share_memory(query *q, nrw_error *err)
{
    const job_limits *l = &q->job->limits;
    sql_exec *x = &q->exec;
    uint32_t n = plan_gatherers(q->plan);
    char need[TEXT_NUMBER], have[TEXT_NUMBER];
    uint64_t all, wish, writer;
    budget b;

    job_hold(q->job);
    all = l->ceiling > l->baseline + l->held ? l->ceiling - l->baseline - l->held : 0;
    if (q->move.parquet)
        TRY(parquet_write_budget(&q->move.out, &q->move.write, l->workers, &b, err));
    else
        TRY(text_write_budget(&q->move.out, q->move.text, &q->move.text_options, l->workers, &b,
                              err));
    if (all < b.least + 8 * MIB) {
        uint64_t least = l->baseline + l->held + b.least + 8 * MIB;
        err_next(err, "give --memory %s or more", text_size_option(least, need));
        return err_set(err, NRW_E_MEMLIMIT, "a query takes at least %s, --memory is %s",
                       text_size(least, need), text_size(l->ceiling, have));
    }
    wish = all / 5;
    writer = b.wish < wish ? b.wish : wish > b.least ? wish : b.least;
    all -= writer;
    q->writing = writer;
    *x = (sql_exec){.a = q->a,
                    .m = q->job->root,
                    .spill = q->job->spill,
                    .catalog = &q->face,
                    .workers = l->workers,
                    .reading = n ? at_most(all / 4, 48 * MIB) : all / 2,
                    .batches = n ? at_most(all / 4, l->workers * 12 * MIB) : all * 3 / 8,
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
    snprintf(s->detail, sizeof s->detail, "%.200s%s", p->table->name,
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

static void fill_plan(query *q)
{
    job_plan *p = &q->job->plan;
    const job_limits *l = &q->job->limits;
    plan_step *s;

    *p = (job_plan){.peak = l->ceiling, .from = l->baseline + l->held + 8 * MIB};
    p->spill = l->spill_limit;
    describe(q, q->plan);
    s = add_step(q, "streams", q->writing, -1);
    snprintf(s->what, sizeof s->what, "write %s",
             q->move.parquet ? "parquet" : move_text_name(q->move.text));
    snprintf(s->detail, sizeof s->detail, "%.200s", q->move.target_name);
    s = add_step(q, "streams", q->exec.batches, -1);
    snprintf(s->what, sizeof s->what, "batches in flight, %u threads", l->workers);
}

/* ---- running ---- */

static void watch(void *self, pipeline *p)
{
    job_set_running(self, p);
}

static nrw_status open_writer(query *q, nrw_error *err)
{
    move *m = &q->move;

    TRY(mem_child(q->job->root, "write", q->writing, &q->write_books, err));
    if (m->parquet)
        TRY(parquet_writer_open(q->write_books, q->job->spill, m->target, &m->out, &m->write,
                                q->exec.workers, &m->writer, err));
    else
        TRY(text_writer_open(q->write_books, m->target, &m->out, m->text, &m->text_options,
                             q->exec.workers, &m->writer, err));
    q->to = op_write_of(m->writer);
    return NRW_OK;
}

static nrw_status run(query *q, nrw_error *err)
{
    nrw_job *job = q->job;
    job_result *r = &job->result;
    file_summary sum = {0};
    nrw_status st;

    st = target_open(job->root, q->move.target_name, q->move.on_exists, &q->move.target, err);
    if (st != NRW_OK)
        return st;
    mem_set_limit(job->root, job->limits.ceiling - job->limits.baseline);
    TRY(open_writer(q, err));
    q->exec.watcher = job;
    q->exec.watch = watch;
    TRY(sql_compile(&q->exec, q->plan, &q->to.base, err));
    atomic_store(&job->rows_total, query_rows(&q->catalog));
    st = sql_execute(&q->exec, err);
    if (st >= 0)
        st = q->move.writer->class->finish(q->move.writer, &sum, err);
    TRY(st);
    job->phase = "publish";
    TRY(target_publish(q->move.target, err));
    r->pruned = q->exec.pruned;
    r->rows_in = (int64_t)(q->exec.rows_in + r->pruned.rows);
    r->rows_out = sum.rows;
    r->row_groups = sum.row_groups;
    r->bytes_out = sum.bytes;
    r->bytes_in = q->exec.bytes_in;
    r->spilled = spill_written(job->spill);
    return query_note_sources(&q->catalog, &r->sources, err);
}

static nrw_status prepare(query *q, nrw_error *err)
{
    uint64_t max_rows;

    if (job_last(q->job, "output"))
        q->job->target = job_last(q->job, "output");
    TRY(job_limits_settle(q->job, err));
    TRY(move_choose_target(&q->move, err));
    TRY(job_count(q->job, "max-rows", 1, UINT32_MAX, 40, &max_rows, err));
    if (q->move.text == TEXT_TABLE)
        q->move.text_options.max_rows = (uint32_t)max_rows;
    TRY(mem_child(q->job->root, "metadata", MEM_NO_LIMIT, &q->m, err));
    TRY(arena_new(q->m, &q->a, err));
    TRY(make_plan(q, err));
    TRY(out_schema(q, err));
    if (q->move.parquet)
        TRY(job_write_options(q->job, &q->move.out, NULL, 0, &q->move.write, err));
    return share_memory(q, err);
}

static void release(query *q)
{
    if (q->move.writer)
        q->move.writer->class->close(q->move.writer);
    sql_exec_close(&q->exec);
    target_close(q->move.target);
    arena_free(q->a);
    mem_free_account(q->write_books);
    mem_free_account(q->m);
}

nrw_status job_query(nrw_job *job, bool plan_only, nrw_error *err)
{
    query q = {.job = job, .move = {.job = job}};
    nrw_status st = prepare(&q, err);

    job->phase = "sql";
    if (st >= 0)
        fill_plan(&q);
    if (st >= 0 && !plan_only)
        st = run(&q, err);
    release(&q);
    return st;
}
