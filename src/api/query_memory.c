/* How a query's memory is shared: every part says what it needs and what it wishes for, by what is
 * known of the rows that come to it; small wishes are met in full, the rest is shared evenly. What
 * nobody wishes for stays unused: so the plan's peak follows the query, not the limit. */
#include "api/query_own.h"

#include "base/text.h"
#include "base/threads.h"
#include "exec/room.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* Of an operator that gathers for each worker: less would spill batch by batch. */
#define WORKER_ROOM (6 * MIB)
/* Little for each worker, in which there is room for more rows than are likely. */
#define MORE_ROOM MIB
/* Nanoseconds, of plan_effort. */
#define WORTH_A_THREAD 25000000u
/* In flight, of each worker: for small rows, at most (larger batches are no faster), and where rows
 * are large. */
#define FLIGHT_LEAST  MIB
#define FLIGHT_COLUMN (2 * KIB)
#define FLIGHT_SMALL  MIB
#define FLIGHT_MOST   (2 * MIB)
#define FLIGHT_LARGE  (12 * MIB)
#define BATCH_ROWS    32768u
/* Of rows that are dealt out to partitions: which, in what order, by what name; and each key. */
#define DEALT_ROW 24u
#define DEALT_KEY 16u
/* Rows of a batch of what gathers, at least, but for a few. */
#define LEAVING_ROWS 2048u
/* And at most, about; their text is so many times as large. */
#define LEAVING_MOST 8192u
#define TEXT_TIMES   3u
/* Indexes of pages, and what else is looked at before reading, are that part of the rows at most.
 */
#define INDEXED 16u

enum { READ, BATCHES, WRITE, FIXED_PARTS };

/* Room for the rows that are likely; up to what spills well there is some for more of them. */
static void settle(query_part *part, uint32_t workers)
{
    const plan_estimate *e = part->step;
    budget most = step_need(e, EVERY, workers), likely = step_need(e, 1, workers);
    uint64_t more = room_at_most(step_need(e, MORE, workers).wish, workers * MORE_ROOM);

    part->need = most;
    part->need.wish = room_at_least(likely.wish, more);
    if (step_must_fit(e->of))
        part->need.wish = step_need(e, SURELY, workers).wish;
    part->certain = room_mul(most.wish, part->n);
    part->need.least = room_mul(part->need.least, part->n);
    part->need.wish = room_mul(part->need.wish, part->n);
    part->need.spill = room_mul(part->need.spill, part->n);
}

static uint32_t count_parts(const plan_estimate *e)
{
    return e ? count_parts(e->left) + count_parts(e->right) + (plan_gatherers(e->of) > 0) : 0;
}

static void add_parts(query *q, const plan_estimate *e)
{
    uint32_t n;

    if (!e)
        return;
    add_parts(q, e->right);
    add_parts(q, e->left);
    n = plan_gatherers(e->of);
    if (n)
        q->parts[q->n_parts++] = (query_part){.step = e, .n = n};
}

/* ---- what flows ---- */

/* No more than have something to do: what is over before a thread has come and taken up what
 * another one left in its cache, one does by itself. */
static uint32_t workers_of(const query *q, uint32_t most)
{
    uint64_t n = threads_all() ? most : plan_effort(q->sizes) / WORTH_A_THREAD;

    return n < 1 ? 1 : n < most ? (uint32_t)n : most;
}

/* Of the table that has most: threads looked at its metadata. */
static size_t files_of(const plan_estimate *e)
{
    size_t files, right;

    if (!e)
        return 0;
    files = files_of(e->left);
    right = files_of(e->right);
    files = right > files ? right : files;
    return e->of->kind == PLAN_SCAN && e->of->table->files > files ? e->of->table->files : files;
}

/* Bytes of a batch of the relation where batches of so many rows are largest. */
static uint64_t batch_of(const plan_estimate *e, uint32_t rows)
{
    uint64_t n;

    if (!e)
        return 0;
    n = room_mul(room_at_most(step_count(e, 2), rows), plan_row_width(e));
    n = room_at_least(n, batch_of(e->left, rows));
    return room_at_least(n, batch_of(e->right, rows));
}

/* Bytes of a row of the relation where rows are largest. */
static uint64_t row_of(const plan_estimate *e)
{
    return e ? room_at_least(plan_row_width(e), room_at_least(row_of(e->left), row_of(e->right)))
             : 0;
}

/* The scan that takes most: one is open at a time. */
static nrw_status reading_need(const query *q, const plan_estimate *e, uint32_t workers,
                               budget *sum, nrw_error *err)
{
    const plan *p = e ? e->of : NULL;
    budget b;

    if (!e)
        return NRW_OK;
    TRY(reading_need(q, e->left, workers, sum, err));
    TRY(reading_need(q, e->right, workers, sum, err));
    if (p->kind != PLAN_SCAN)
        return NRW_OK;
    TRY(q->face.budget(q->face.self, p->table, p->table_columns, p->n, p->n_pushed > 0, workers, &b,
                       err));
    if (p->n_pushed) {
        b.least += 256 * KIB;
        b.wish += room_at_most(2 * MIB, 256 * KIB + room_mul(e->most, plan_row_width(e)) / INDEXED);
    }
    sum->least = room_at_least(sum->least, b.least);
    sum->wish = room_at_least(sum->wish, b.wish);
    sum->large |= b.large;
    sum->spill = room_add(sum->spill, room_mul(2, room_mul(e->most, plan_row_width(e))));
    return NRW_OK;
}

/* What a result may fill, in memory; as text no more than the workers' batches, which grow by
 * copies. */
static uint64_t written_bytes(const query *q, uint32_t workers, uint64_t times)
{
    const plan_estimate *e = q->sizes;
    const uint64_t bytes = room_mul(4, room_mul(step_count(e, times), plan_row_width(e)));
    const uint64_t rows = plan_is_row_by_row(q->plan) ? BATCH_ROWS : LEAVING_MOST;

    if (q->to.format->binary)
        return bytes;
    return room_at_most(
        bytes, room_mul(2 * TEXT_TIMES * workers,
                        room_mul(room_at_most(step_count(e, times), rows), plan_row_width(e))));
}

/* Some rows are left out on their way, nobody knows how many. */
static bool is_filtered(const plan *p)
{
    while (p->kind == PLAN_PROJECT)
        p = p->left;
    return p->kind == PLAN_FILTER || (p->kind == PLAN_SCAN && p->n_pushed);
}

/* A condition keeps a quarter, as a guess; values are half as large in files. */
static output_flow flow_of(const query *q)
{
    const plan_estimate *e = q->sizes;
    output_flow f = {.rows = step_count(e, MORE), .folders = 1};
    uint64_t bytes = room_mul(f.rows, plan_row_width(e));

    f.stored = bytes == UINT64_MAX ? bytes : bytes / (is_filtered(e->of) ? 8 : 2);
    for (uint32_t i = 0; i < q->to.n_keys; i++)
        f.folders = room_mul(f.folders, e->distinct[q->to.keys[i]]);
    f.folders = room_at_most(f.folders, f.rows);
    return f;
}

/* No more than the result may fill. */
static nrw_status writing_need(query *q, uint32_t workers, uint64_t all, budget *b, nrw_error *err)
{
    uint64_t bytes = written_bytes(q, workers, MORE);
    /* many files at once take more, as much as others leave */
    uint64_t cap = !q->to.n_keys ? all / 5 : q->n_parts ? all / 2 : all;

    q->to.flow = flow_of(q);
    q->to.write.rows_most = q->sizes->most == UINT64_MAX ? 0 : q->sizes->most;
    TRY(output_budget(&q->to, workers, b, err));
    if (q->to.n_keys)
        bytes = room_add(bytes, room_mul(q->to.flow.folders, 32 * KIB));
    cap = room_at_most(cap, room_add(b->least + workers * 64 * KIB, bytes));
    b->wish = room_at_least(room_at_most(b->wish, cap), b->least);
    return NRW_OK;
}

/* What is in flight of a worker: a step's rows and those of the next, as they are cut by what is
 * here. A row may be large. */
static uint64_t flight_of(const query *q)
{
    const uint64_t rows = room_mul(3, row_of(q->sizes));
    uint64_t batch = batch_of(q->sizes, BATCH_ROWS);

    batch = room_at_most(room_add(FLIGHT_SMALL, room_add(batch, batch / 2)), FLIGHT_MOST);
    return room_at_most(room_add(batch, rows), FLIGHT_LARGE);
}

static uint32_t dealt_row(const query *q)
{
    return DEALT_ROW + q->to.n_keys * DEALT_KEY;
}

/* The same where rows are dealt out: a batch is there twice. */
static uint64_t dealt_flight_of(const query *q)
{
    uint64_t row = room_add(room_mul(2, row_of(q->sizes)), dealt_row(q));

    row = room_mul(row, room_at_most(step_count(q->sizes, 2), BATCH_MAX_ROWS));
    return room_at_most(room_add(FLIGHT_SMALL, row), FLIGHT_LARGE);
}

/* ---- shares ---- */

typedef struct shares {
    uint32_t n;
    uint64_t *least, *wish, *grants;
    uint64_t *few;  /* wishes for what is likely, if groups are few */
    uint64_t *firm; /* what each has at least */
    budget reading, writing;
    job_stages stages;
} shares;

static void mark_scans(const plan_estimate *e, bool *stages)
{
    if (!e)
        return;
    if (e->of->kind == PLAN_SCAN)
        stages[e->from] = true;
    mark_scans(e->left, stages);
    mark_scans(e->right, stages);
}

/* When the parts take memory: batches always, the writer at the end, or from the beginning where
 * somebody waits for it (query_run.c). */
static nrw_status mark_stages(query *q, shares *s, nrw_error *err)
{
    const uint32_t n = plan_stages(q->sizes);
    bool *takes;

    TRY(arena_alloc(q->a, (size_t)s->n * n, (void **)&takes, err));
    s->stages = (job_stages){n, takes};
    mark_scans(q->sizes, takes + READ * n);
    for (uint32_t i = 0; i < n; i++) {
        takes[BATCHES * n + i] = true;
        takes[WRITE * n + i] = q->job->out || i == n - 1;
        for (uint32_t k = 0; k < q->n_parts; k++)
            takes[(FIXED_PARTS + k) * n + i] =
                i >= q->parts[k].step->from && i <= q->parts[k].step->to;
    }
    return NRW_OK;
}

static nrw_status ask_all(query *q, uint32_t workers, uint64_t all, shares *s, nrw_error *err)
{
    const bool gathers = q->n_parts > 0;
    const uint64_t columns = q->plan->n * FLIGHT_COLUMN;

    s->reading = (budget){0};
    TRY(reading_need(q, q->sizes, workers, &s->reading, err));
    TRY(writing_need(q, workers, all, &s->writing, err));
    for (uint32_t i = 0; i < q->n_parts; i++) {
        query_part *p = &q->parts[i];
        settle(p, workers);
        s->few[FIXED_PARTS + i] = room_mul(step_need(p->step, FEW, workers).wish, p->n);
        s->least[FIXED_PARTS + i] = p->need.least;
        s->wish[FIXED_PARTS + i] = p->need.wish;
    }
    s->least[READ] = s->reading.least;
    s->wish[READ] =
        room_at_most(s->reading.wish, gathers ? room_at_most(all / 4, 48 * MIB) : all / 2);
    s->least[BATCHES] = workers * (FLIGHT_LEAST + columns) + MIB;
    s->wish[BATCHES] = workers * ((q->to.n_keys ? dealt_flight_of(q) : flight_of(q)) + columns);
    s->wish[BATCHES] = room_at_most(s->wish[BATCHES], gathers ? all / 4 : all * 3 / 8);
    s->least[WRITE] = s->writing.least;
    s->wish[WRITE] = s->writing.wish;
    for (int i = 0; i < FIXED_PARTS; i++) {
        s->wish[i] = room_at_least(s->wish[i], s->least[i]);
        s->few[i] = s->wish[i];
    }
    s->few[WRITE] = room_add(s->least[WRITE], written_bytes(q, workers, FEW));
    return NRW_OK;
}

/* What works well, or all that is likely to come. */
static void ask_little(uint32_t workers, shares *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        s->firm[i] = room_at_most(s->wish[i], room_at_most(workers * WORKER_ROOM, s->few[i]));
        s->firm[i] = room_at_least(s->firm[i], s->least[i]);
    }
}

/* Of the operators that were not asked yet the one that is likely to take least. */
static uint32_t next_part(const shares *s, bool *asked)
{
    uint32_t best = s->n;

    for (uint32_t i = FIXED_PARTS; i < s->n; i++)
        if (!asked[i] && (best == s->n || s->few[i] < s->few[best]))
            best = i;
    asked[best] = true;
    return best;
}

static nrw_status share_by(const query *q, const shares *s, const uint64_t *least, uint64_t *needs)
{
    return job_share_stages(q->job, &s->stages, least, s->wish, s->n, s->grants, needs);
}

/* Where not all wishes can be met, an operator that has all it takes spills nothing, and others
 * with a little more spill as much as before. So everybody gets what works well; then one operator
 * after the other gets all that is likely to come, those first that take least; what is left is
 * shared evenly. */
static nrw_status share(const query *q, uint32_t workers, shares *s, uint64_t *needs)
{
    bool asked[s->n];
    uint64_t none;

    if (share_by(q, s, s->least, needs) < 0)
        return NRW_E_MEMLIMIT;
    ask_little(workers, s);
    if (share_by(q, s, s->firm, &none) < 0)
        return share_by(q, s, s->least, &none);
    memset(asked, 0, sizeof asked);
    for (uint32_t k = 0; k < q->n_parts; k++) {
        uint32_t i = next_part(s, asked);
        uint64_t was = s->firm[i];
        s->firm[i] = room_at_least(was, room_at_most(s->few[i], s->wish[i]));
        if (share_by(q, s, s->firm, &none) < 0)
            s->firm[i] = was;
    }
    return share_by(q, s, s->firm, &none);
}

/* Guesses may be wrong, and what a stage leaves of the one that takes most nobody else can use. */
static void share_left(const query *q, uint32_t workers, shares *s)
{
    uint64_t wish[s->n];

    memcpy(wish, s->grants, FIXED_PARTS * sizeof *wish);
    for (uint32_t i = 0; i < q->n_parts; i++) {
        const query_part *p = &q->parts[i];
        uint64_t more = room_mul(step_need(p->step, MORE, workers).wish, p->n);
        wish[FIXED_PARTS + i] = room_at_least(s->grants[FIXED_PARTS + i], more);
    }
    job_share_left(&s->stages, wish, s->n, s->grants);
}

/* Whether each worker has enough of every operator to gather some batches' rows. */
static bool roomy(const query *q, const shares *s, uint32_t workers)
{
    for (uint32_t i = 0; i < q->n_parts; i++)
        if (s->grants[FIXED_PARTS + i] <
                room_at_most(s->wish[FIXED_PARTS + i], s->few[FIXED_PARTS + i]) &&
            s->grants[FIXED_PARTS + i] / q->parts[i].n / workers < WORKER_ROOM)
            return false;
    return true;
}

static nrw_status refuse(const query *q, uint64_t needs, nrw_error *err)
{
    char need[TEXT_NUMBER], have[TEXT_NUMBER];

    err_next(err, "give --memory %s or more", text_size_option(needs, need));
    return err_set(err, NRW_E_MEMLIMIT, "a query takes at least %s, --memory is %s",
                   text_size(needs, need), text_size(q->job->limits.ceiling, have));
}

static const plan_estimate *widest_scan(const plan_estimate *e)
{
    const plan_estimate *l, *r;

    if (!e || e->of->kind == PLAN_SCAN)
        return e;
    l = widest_scan(e->left);
    r = widest_scan(e->right);
    return !l || (r && room_mul(r->most, plan_row_width(r)) > room_mul(l->most, plan_row_width(l)))
               ? r
               : l;
}

/* Batches in which rows come to the writer, at most: of a scan as it is cut, of what gathers and of
 * joins as those leave. */
static uint64_t batches_of(const query *q, uint64_t flight)
{
    const uint64_t bytes = sql_batch_bytes(flight), some = 64;
    const plan_estimate *scan = widest_scan(q->sizes);
    uint64_t widest = 1, row = q->to.n_keys ? dealt_row(q) / 2 : 0, rows;

    if (!plan_is_row_by_row(q->plan) || !scan)
        return room_add(some, q->sizes->most / LEAVING_ROWS);
    for (uint32_t c = 0; c < scan->of->n; c++) {
        uint64_t width = room_add(scan->width[c], type_is_view(&scan->of->columns[c].type) ? 8 : 0);
        row = room_add(row, width);
        widest = room_at_least(widest, width);
    }
    rows = room_at_most(bytes / room_at_least(row, 1), room_at_most(bytes, MIB) / 2 / widest);
    rows = room_at_most(rows, q->to.n_keys ? BATCH_MAX_ROWS : BATCH_ROWS);
    rows -= rows / 4; /* pieces of a row group are alike */
    return room_add(some, scan->most / room_at_least(rows, 1));
}

static nrw_status writing_spill(const query *q, uint32_t workers, uint64_t grant, uint64_t batches,
                                uint64_t *out, nrw_error *err)
{
    const plan_estimate *e = q->sizes;
    output_rows rows = {step_rows(e, EVERY, 0), batches_of(q, batches / workers), NULL};
    uint64_t *distinct;

    TRY(arena_alloc(q->a, e->of->n * sizeof *distinct + 1, (void **)&distinct, err));
    for (uint32_t c = 0; c < e->of->n; c++)
        distinct[c] = room_mul(e->distinct[c], MORE);
    rows.distinct = distinct;
    return output_spill(&q->to, workers, grant, &rows, out, err);
}

static nrw_status take_shares(query *q, const shares *s, uint32_t workers, nrw_error *err)
{
    sql_exec *x = &q->exec;
    sql_grant *grants;

    TRY(arena_alloc(q->a, q->n_parts * sizeof *grants + 1, (void **)&grants, err));
    q->writing = s->grants[WRITE];
    q->books = job_stages_most(&s->stages, s->grants, s->n);
    q->least_reading = s->least[READ];
    q->least_writing = s->least[WRITE];
    q->least_batches = s->least[BATCHES];
    TRY(writing_spill(q, workers, s->grants[WRITE], s->grants[BATCHES], &q->spill, err));
    if (s->grants[READ] < s->reading.wish || s->reading.large)
        q->spill = room_add(q->spill, s->reading.spill);
    for (uint32_t i = 0; i < q->n_parts; i++) {
        query_part *p = &q->parts[i];
        p->grant = s->grants[FIXED_PARTS + i];
        p->likely_spill = step_spill(p, 1, workers);
        p->need.spill = step_spill(p, EVERY, workers);
        p->need.spill = room_at_most(p->need.spill, q->job->limits.spill_limit);
        q->spill = room_add(q->spill, p->need.spill);
        grants[i] = (sql_grant){.of = p->step->of, .bytes = p->grant / p->n};
        if (p->step->of->kind == PLAN_FIRST)
            grants[i].late = step_late(p->step, grants[i].bytes, workers);
    }
    q->spill = room_at_most(q->spill, q->job->limits.spill_limit);
    *x = (sql_exec){.a = q->a,
                    .m = q->job->root,
                    .spill = q->job->spill,
                    .catalog = &q->face,
                    .workers = workers,
                    .reading = s->grants[READ],
                    .batches = s->grants[BATCHES],
                    .dealt_row = dealt_row(q),
                    .grants = grants,
                    .n_grants = q->n_parts};
    x->held = (size_t)room_at_most(sql_batch_bytes(x->batches / workers) / 2, MIB / 2);
    return NRW_OK;
}

nrw_status query_share_memory(query *q, nrw_error *err)
{
    const job_limits *l = &q->job->limits;
    shares s;
    uint64_t all, needs;
    uint32_t workers;

    TRY(plan_estimate_of(q->a, &q->face, q->plan, &q->sizes, err));
    TRY(plan_estimate_narrow(q->a, &q->face, q->sizes, err));
    s.n = FIXED_PARTS + count_parts(q->sizes);
    TRY(arena_alloc(q->a, s.n * sizeof *q->parts, (void **)&q->parts, err));
    TRY(arena_alloc(q->a, 5 * s.n * sizeof *s.least, (void **)&s.least, err));
    s.wish = s.least + s.n;
    s.grants = s.wish + s.n;
    s.few = s.grants + s.n;
    s.firm = s.few + s.n;
    add_parts(q, q->sizes);
    TRY(mark_stages(q, &s, err));
    job_hold(q->job);
    workers = workers_of(q, l->workers);
    job_use_workers(q->job, files_of(q->sizes) > workers ? l->workers : workers);
    all = l->ceiling > l->baseline + l->held ? l->ceiling - l->baseline - l->held : 0;
    for (;; workers--) {
        nrw_status st;
        TRY(ask_all(q, workers, all, &s, err));
        st = share(q, workers, &s, &needs);
        if (workers == 1 && st < 0)
            return refuse(q, needs, err);
        if (st >= 0 && (workers == 1 || roomy(q, &s, workers)))
            break;
    }
    q->job->plan.from = needs;
    share_left(q, workers, &s);
    return take_shares(q, &s, workers, err);
}
