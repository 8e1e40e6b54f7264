/* stats: all rows once through a summary of each column, as SQL's SUMMARIZE.
 *
 * Each thread that carries a batch takes a free set of summaries and gives it back; the sets are
 * merged at the end. A summary does not depend on order, so the result depends on the rows alone.
 * Where memory is short there are fewer sets than threads, at least one. */
#include "api/look_table.h"

#include "base/text.h"
#include "column/json_out.h"
#include "column/summary.h"
#include "exec/op_write.h"

#include <pthread.h>
#include <stdio.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

enum { PART_READ, PART_SUMMARIES, PART_BATCHES, PARTS };

typedef struct sink {
    writer base;
    mem *m;
    uint32_t n_cols, n_sets, n_free;
    summary **sets; /* n_sets times n_cols */
    uint32_t *free; /* the sets that nobody has; under the lock */
    size_t piece;
    pthread_mutex_t lock;
    pthread_cond_t returned;
} sink;

typedef struct stats {
    look *l;
    job_inputs in;
    uint32_t *cols, n_cols;
    uint32_t workers;
    uint64_t least[PARTS], grants[PARTS];
    uint64_t needs; /* the least ceiling */
    mem *books[PARTS];
    sink sink;
} stats;

/* ---- sink ---- */

static uint32_t take_set(sink *s)
{
    uint32_t set;

    pthread_mutex_lock(&s->lock);
    while (s->n_free == 0)
        pthread_cond_wait(&s->returned, &s->lock);
    set = s->free[--s->n_free];
    pthread_mutex_unlock(&s->lock);
    return set;
}

static void return_set(sink *s, uint32_t set)
{
    pthread_mutex_lock(&s->lock);
    s->free[s->n_free++] = set;
    pthread_cond_signal(&s->returned);
    pthread_mutex_unlock(&s->lock);
}

/* Reading a column may wait for lower morsels, and their threads for a set: so a set is held for
 * one piece only, while nothing is waited for. */
static nrw_status sink_push(writer *w, batch *b, nrw_error *err)
{
    sink *s = (sink *)w;

    for (uint32_t c = 0; c < s->n_cols; c++) {
        column_walk walk = batch_walk(b, c);
        nrw_status st;
        vector v;
        while ((st = column_next(&walk, s->piece, &v, err)) == NRW_OK) {
            uint32_t set = take_set(s);
            st = summary_add(s->sets[(size_t)set * s->n_cols + c], &v, err);
            return_set(s, set);
            vector_release(&v);
            TRY(st);
        }
        TRY(st);
    }
    return NRW_OK;
}

static nrw_status sink_finish(writer *w, file_summary *out, nrw_error *err)
{
    (void)w;
    (void)err;
    *out = (file_summary){0};
    return NRW_OK;
}

static void sink_stop(writer *w)
{
    (void)w; /* who holds a set waits for nothing */
}

static void sink_close(writer *w)
{
    sink *s = (sink *)w;
    size_t n = (size_t)s->n_sets * s->n_cols;

    for (size_t i = 0; s->sets && i < n; i++)
        summary_free(s->sets[i]);
    mem_free(s->m, s->sets, n * sizeof *s->sets);
    mem_free(s->m, s->free, s->n_sets * sizeof *s->free);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->returned);
    s->sets = NULL;
}

static nrw_status sink_open(stats *t, const schema *from, uint32_t n_sets, nrw_error *err)
{
    static const writer_class class = {.name = "summary",
                                       .push = sink_push,
                                       .finish = sink_finish,
                                       .stop = sink_stop,
                                       .close = sink_close};
    sink *s = &t->sink;

    *s = (sink){.base = {&class}, .m = t->books[PART_SUMMARIES], .n_cols = t->n_cols};
    s->n_sets = n_sets;
    s->piece = (size_t)(t->grants[PART_BATCHES] / t->workers / 6);
    s->piece = s->piece > MIB / 2 ? MIB / 2 : s->piece;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->returned, NULL);
    TRY(mem_zalloc(s->m, n_sets * sizeof *s->free, (void **)&s->free, err));
    TRY(mem_zalloc(s->m, (size_t)n_sets * s->n_cols * sizeof *s->sets, (void **)&s->sets, err));
    for (uint32_t i = 0; i < n_sets; i++) {
        s->free[s->n_free++] = i;
        for (uint32_t c = 0; c < s->n_cols; c++)
            TRY(summary_new(s->m, &from->fields[t->cols[c]].type,
                            &s->sets[(size_t)i * s->n_cols + c], err));
    }
    return NRW_OK;
}

/* ---- memory ---- */

/* Rounding of a summary's blocks. */
#define SMALL_PARTS 512

/* What one set of summaries takes; in use it counts the entries of one dictionary. */
static uint64_t set_bytes(const stats *t)
{
    const schema *s = scan_schema(t->in.scan);
    uint64_t sum = mem_cost(BATCH_MAX_ROWS * sizeof(uint32_t)) + 64;

    for (uint32_t c = 0; c < t->n_cols; c++) {
        const type *ty = &s->fields[t->cols[c]].type;
        sum += mem_cost(summary_bytes(ty)) + SMALL_PARTS + sizeof(summary *);
        if (type_is_view(ty) || ty->id == TYPE_FIXED) /* one of the two is moved while it grows */
            sum += 3 * mem_cost(SUMMARY_TEXT_MAX);
    }
    return sum;
}

static nrw_status budgets(const stats *t, uint64_t *least, uint64_t *wish, nrw_error *err)
{
    const uint64_t selection = 128 * KIB;
    budget b;

    TRY(scan_budget(t->in.scan, t->cols, t->n_cols, t->workers, &b, err));
    least[PART_READ] = b.least;
    wish[PART_READ] = b.wish;
    least[PART_SUMMARIES] = set_bytes(t);
    wish[PART_SUMMARIES] = t->workers * set_bytes(t);
    least[PART_BATCHES] = t->workers * (4 * 64 * KIB + selection + t->n_cols * 64);
    wish[PART_BATCHES] = t->workers * (4 * MIB + selection + t->n_cols * 64);
    return NRW_OK;
}

static nrw_status share_memory(stats *t, nrw_error *err)
{
    uint64_t wish[PARTS];
    char size[TEXT_NUMBER], need[TEXT_NUMBER], have[TEXT_NUMBER], n[TEXT_NUMBER];

    job_hold(t->l->job);
    for (t->workers = t->l->job->limits.workers;; t->workers--) {
        TRY(budgets(t, t->least, wish, err));
        if (job_share(t->l->job, t->least, wish, PARTS, t->grants, &t->needs) >= 0)
            return job_limits_check(t->l->job, err);
        if (t->workers == 1)
            break;
    }
    err_at_object(err, t->in.name);
    err_next(err, "give --memory %s or more, or fewer columns with --select",
             text_size_option(t->needs, size));
    return err_set(err, NRW_E_MEMLIMIT,
                   "a summary of %s columns takes at least %s, --memory is %s, nothing was read",
                   text_group(t->n_cols, n), text_size(t->needs, need),
                   text_size(t->l->job->limits.ceiling, have));
}

/* ---- run ---- */

static nrw_status choose_columns(stats *t, nrw_error *err)
{
    const schema *s = scan_schema(t->in.scan);

    TRY(job_columns(t->l->job, "select", s, t->in.name, &t->cols, &t->n_cols, err));
    if (t->n_cols)
        return NRW_OK;
    t->n_cols = s->n_fields;
    TRY(arena_alloc(t->l->job->a, (t->n_cols + 1) * sizeof *t->cols, (void **)&t->cols, err));
    for (uint32_t i = 0; i < t->n_cols; i++)
        t->cols[i] = i;
    return NRW_OK;
}

static nrw_status read_all(stats *t, nrw_error *err)
{
    static const char *const names[PARTS] = {"read", "summaries", "batches"};
    nrw_job *job = t->l->job;
    source_scan from = source_scan_of(t->in.scan, t->n_cols);
    op_write to = op_write_of(&t->sink.base);
    pipeline p = {.source = &from.base, .first = &to.base, .workers = t->workers, .limit = -1};
    batch_shape shape = {.max_rows = BATCH_MAX_ROWS, .workers = t->workers, .any_order = true};
    uint64_t sets;
    nrw_status st;

    for (int i = 0; i < PARTS; i++)
        TRY(mem_child(job->root, names[i], t->grants[i], &t->books[i], err));
    sets = t->grants[PART_SUMMARIES] / set_bytes(t);
    TRY(sink_open(t, scan_schema(t->in.scan),
                  sets > t->workers ? t->workers
                  : sets            ? (uint32_t)sets
                                    : 1,
                  err));
    shape.column_bytes = t->sink.piece;
    TRY(scan_start(t->in.scan, t->cols, t->n_cols, &shape, t->books[PART_READ], job->spill, err));
    p.batches = t->books[PART_BATCHES];
    job_set_total(job, t->in.scan);
    job_set_running(job, &p);
    st = pipeline_run(&p, err);
    job_set_running(job, NULL);
    job->result.rows_in = (int64_t)atomic_load(&p.rows_in);
    job->result.bytes_in = scan_bytes_read(t->in.scan);
    job->result.spilled = spill_written(job->spill);
    return st;
}

static nrw_status merge_sets(const sink *s, nrw_error *err)
{
    for (uint32_t i = 1; i < s->n_sets; i++)
        for (uint32_t c = 0; c < s->n_cols; c++)
            TRY(summary_merge(s->sets[c], s->sets[(size_t)i * s->n_cols + c], err));
    return NRW_OK;
}

/* ---- print ---- */

static const look_column columns[] = {{"column", "column_name", false},
                                      {"type", "column_type", false},
                                      {"min", "min", false},
                                      {"max", "max", false},
                                      {"unique", "approx_unique", true},
                                      {"avg", "avg", true},
                                      {"std", "std", true},
                                      {"count", "count", true},
                                      {"nulls", "nulls", true}};

/* In JSON a value is whole, in a table it is cut. */
static void value_cell(look_table *t, const type *ty, const summary_facts *f, span value)
{
    bytes all = bytes_init(t->held.m, 4 * SUMMARY_TEXT_MAX + PRINT_MAX);
    char text[32];

    if (!f->has_range) {
        look_cell_none(t);
    } else if (t->l->json) {
        if (t->st >= 0)
            t->st = print_value(ty, value, &all, t->err);
        look_cell_bytes(t, (span){all.data, all.len});
        bytes_release(&all);
    } else {
        print_short(ty, value, text, sizeof text);
        look_cell_text(t, text);
    }
}

/* In JSON a number; means of dates and times are text. */
static void mean_cell(look_table *t, bool is_number, double x, const char *text, size_t len)
{
    char digits[PRINT_MAX];

    if (len == 0) {
        look_cell_none(t);
    } else if (t->l->json && is_number && x - x == 0) {
        digits[print_json_f64(x, digits)] = '\0';
        look_cell_number(t, digits);
    } else {
        look_cell_bytes(t, (span){(const uint8_t *)text, len});
    }
}

static void print_column(look_table *t, const field *f, const summary *s)
{
    char text[PRINT_MAX];
    summary_facts facts;

    summary_read(s, &facts);
    look_cell_text(t, f->name);
    look_cell_type(t, &f->type);
    value_cell(t, &f->type, &facts, facts.min);
    value_cell(t, &f->type, &facts, facts.max);
    if (facts.distinct > facts.rows - facts.nulls) /* it is an estimate */
        facts.distinct = facts.rows - facts.nulls;
    if (type_is_nested(&f->type))
        look_cell_none(t);
    else
        look_cell_int(t, (int64_t)facts.distinct);
    mean_cell(t, facts.has_mean, facts.mean, text, summary_mean_text(s, text));
    mean_cell(t, facts.has_deviation, facts.deviation, text, summary_deviation_text(s, text));
    look_cell_int(t, (int64_t)facts.rows);
    look_cell_int(t, (int64_t)facts.nulls);
}

static nrw_status print_all(const stats *t, nrw_error *err)
{
    const schema *s = scan_schema(t->in.scan);
    look_table table = look_table_of(t->l, columns, sizeof columns / sizeof *columns, err);

    for (uint32_t c = 0; c < t->n_cols; c++)
        print_column(&table, &s->fields[t->cols[c]], t->sink.sets[c]);
    return look_table_end(&table);
}

static void plan_fill(const stats *t)
{
    static const char *const names[PARTS] = {"", "summarise each column", "batches in flight"};
    static const char *const how[PARTS] = {"streams", "bounded", "streams"};
    const job_limits *limits = &t->l->job->limits;
    job_plan *p = &t->l->job->plan;

    *p = (job_plan){.n = PARTS, .peak = limits->baseline + limits->held, .from = t->needs};
    p->spill = limits->spill_limit;
    for (int i = 0; i < PARTS; i++) {
        p->steps[i] = (plan_step){.how = how[i], .least = t->least[i], .grant = t->grants[i]};
        p->steps[i].rows = i == PART_READ ? scan_rows(t->in.scan) : -1;
        snprintf(p->steps[i].what, sizeof p->steps[i].what, "%s", names[i]);
        p->peak += t->grants[i];
    }
    job_describe_source(&t->in, &p->steps[0]);
    snprintf(p->steps[0].detail, sizeof p->steps[0].detail, "%u columns of %zu file%s", t->n_cols,
             scan_files(t->in.scan), scan_files(t->in.scan) == 1 ? "" : "s");
}

static nrw_status prepare(stats *t, nrw_error *err)
{
    TRY(job_inputs_open(t->l->job, &t->in, err));
    TRY(choose_columns(t, err));
    TRY(share_memory(t, err));
    plan_fill(t);
    return NRW_OK;
}

nrw_status look_stats_plan(look *l, nrw_error *err)
{
    stats t = {.l = l};
    nrw_status st = prepare(&t, err);

    job_inputs_close(&t.in);
    return st;
}

nrw_status look_stats(look *l, nrw_error *err)
{
    stats t = {.l = l};
    nrw_status st;

    TRY_OUT(prepare(&t, err));
    TRY_OUT(read_all(&t, err));
    TRY_OUT(merge_sets(&t.sink, err));
    st = print_all(&t, err);
out:
    if (t.sink.base.class)
        sink_close(&t.sink.base);
    job_inputs_close(&t.in);
    for (int i = 0; i < PARTS; i++)
        mem_free_account(t.books[i]);
    return st;
}
