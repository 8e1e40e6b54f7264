/* How a query's memory is shared: every part says what it needs and what it wishes for, by what is
 * known of the rows that come to it; small wishes are met in full, the rest is shared evenly. What
 * nobody wishes for stays unused: so the plan's peak follows the query, not the limit. */
#include "api/query_own.h"

#include "base/text.h"
#include "base/threads.h"
#include "exec/hash_rows.h"
#include "exec/op_first.h"
#include "exec/op_group.h"
#include "exec/op_window.h"
#include "exec/room.h"
#include "exec/window.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* Of an operator that gathers for each worker: less would spill batch by batch. */
#define WORKER_ROOM (6 * MIB)
/* So many times the rows that are likely: while that takes little, where it is dear to be wrong,
 * and all there may be. */
#define FEW       0 /* plan_estimate.few */
#define MORE      4
#define SURELY    64
#define EVERY     UINT64_MAX
#define MORE_ROOM MIB /* little: for each worker */
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

/* ---- what a step needs ---- */

static uint64_t orders_width(const plan_estimate *e, const sort_order *orders, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum = room_add(sum, room_add(2, e->width[orders[i].column]));
    return sum;
}

/* A sort's key in the spill file: a mark and a value each. Where all are words of 8 bytes each of
 * them stays by itself. */
static uint64_t orders_packed(const plan_estimate *e, const sort_order *orders, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        const type *t = &e->of->columns[orders[i].column].type;
        if (type_is_view(t) || t->width != 8)
            return orders_width(e, orders, n);
        sum = room_add(sum, room_add(1, e->packed[orders[i].column]));
    }
    return sum;
}

/* So many times as many rows as are likely, no more than there may be. */
static uint64_t count_of(const plan_estimate *e, uint64_t times)
{
    if (times == SURELY) /* whatever conditions leave */
        return room_at_most(room_mul(e->whole, times), e->most);
    return times == FEW ? e->few : room_at_most(room_mul(e->rows, times), e->most);
}

static room_rows rows_of(const plan_estimate *e, uint64_t times, uint64_t keys)
{
    return (room_rows){.n = count_of(e, times),
                       .width = plan_row_width(e),
                       .keys = keys,
                       .packed = plan_row_packed(e)};
}

/* What the spill file has of a state: values that lie beside it (agg_value.h), with their heads. */
static uint64_t saved_bytes(const plan_estimate *e, const aggregate *g)
{
    uint64_t bytes = 16;

    if (!g->class->save || aggregate_gathers(g))
        return 0;
    for (uint32_t i = 0; i < g->n_args; i++)
        bytes = room_add(bytes, room_add(16, plan_expr_width(e, g->args[i])));
    return bytes;
}

static room_groups groups_of(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    const plan *p = e->of;
    room_groups g = {.rows = rows_of(e->left, times, plan_columns_width(e->left, NULL, p->n_keys)),
                     .groups = count_of(e, times),
                     .shared = p->n_keys && !p->marks};

    if (p->marks) { /* those between two marks are kept, by one worker maybe */
        g.rows.n = room_at_most(g.rows.n, workers * (uint64_t)p->marks->most);
        g.groups = room_at_most(g.groups, (uint64_t)p->marks->most);
    }
    for (uint32_t i = 0; i < p->n_aggregates; i++) {
        const aggregate *a = &p->aggregates[i];
        g.state += aggregate_room(a);
        g.hang += aggregate_gathers(a) ? GROUP_HANG : 0;
        g.saved = room_add(g.saved, saved_bytes(e->left, a));
        g.shared &= !a->class->drop && a->class->traits & AGG_UNPLACED;
    }
    return g;
}

/* What a join is about. */
typedef struct join_rooms {
    room_rows left, right, results;
} join_rooms;

/* Keys whose values have several spellings are kept in one beside the columns (op_build.c). */
static join_rooms join_of(const plan_estimate *e, uint64_t times, uint64_t results)
{
    const plan *p = e->of;
    join_rooms j = {rows_of(e->left, times, 0), rows_of(e->right, times, 0),
                    rows_of(e, results, 0)};

    for (uint32_t k = 0; k < p->n_join_keys; k++)
        if (!key_is_canonical(&e->right->of->columns[p->right_keys[k]].type))
            j.right.keys = room_add(j.right.keys, e->right->width[p->right_keys[k]]);
    j.right.packed_keys = j.right.keys;
    return j;
}

static budget join_need(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    join_rooms j = join_of(e, times, times);

    return room_of_join(&j.left, &j.right, &j.results, workers);
}

static uint64_t columns_packed(const plan_estimate *e, const uint32_t *columns, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum = room_add(sum, orders_packed(e, &(sort_order){.column = columns[i]}, 1));
    return sum;
}

static uint64_t window_keys_packed(const plan_estimate *e, const window_call *w)
{
    return room_add(orders_packed(e, w->orders, w->n_orders),
                    columns_packed(e, w->partition, w->n_partition));
}

static room_window window_of(const plan_estimate *e, uint64_t times)
{
    const plan *p = e->of;
    room_window x = {.rows = rows_of(e->left, times, 0),
                     .runs_on = true,
                     .stops_anywhere = true,
                     .gathers = window_gathers(p->windows, p->n_windows)};
    room_rows *r = &x.rows;

    r->width = plan_row_width(e); /* the next set of calls has the columns of those before */
    if (plan_gatherers(p) > 1)
        r->packed = plan_row_packed(e);
    for (uint32_t i = 0; i < p->n_windows; i++) {
        const window_call *w = &p->windows[i];
        uint64_t keys = room_add(plan_columns_width(e->left, w->partition, w->n_partition),
                                 orders_width(e->left, w->orders, w->n_orders));
        r->keys = room_at_least(r->keys, keys);
        r->packed_keys = room_at_least(r->packed_keys, window_keys_packed(e->left, w));
        x.runs_on &= window_runs_on(w);
        x.stops_anywhere &= window_stops_anywhere(w);
    }
    return x;
}

static budget window_need(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    room_window w = window_of(e, times);

    return room_of_window(&w, workers);
}

/* Rows that wait, sorted by their group. */
static room_rows first_rows(const plan_estimate *e, uint64_t times)
{
    const plan *p = e->of;
    room_rows r = rows_of(e->left, times, plan_columns_width(e->left, p->per, p->n_per));

    r.keys = room_add(r.keys, plan_columns_width(e->left, p->of, p->n_of));
    r.packed_keys = room_add(columns_packed(e->left, p->per, p->n_per),
                             columns_packed(e->left, p->of, p->n_of));
    return r;
}

static bool any_text(const plan *p, const uint32_t *columns, uint32_t n)
{
    bool any = false;

    for (uint32_t i = 0; i < n; i++)
        any |= type_is_view(&p->left->columns[columns[i]].type);
    return any;
}

/* The state of the groups there may be, with codes of dictionaries. Of texts nobody knows the
 * length: UINT64_MAX. */
static uint64_t first_state(const plan_estimate *e, uint64_t times, bool surely)
{
    const plan *p = e->of;
    const uint64_t key = 24, *values = surely ? e->left->domain : e->left->distinct;
    uint64_t rows = count_of(e->left, times), groups = 1;

    if (surely && (any_text(p, p->per, p->n_per) || any_text(p, p->of, p->n_of)))
        return UINT64_MAX;
    for (uint32_t i = 0; i < p->n_per; i++)
        groups = room_mul(groups, values[p->per[i]]);
    groups = room_at_most(groups, rows);
    groups =
        op_first_memory(groups, (uint32_t)p->limit, room_at_most(room_mul(groups, p->limit), rows),
                        key * room_at_least(room_at_least(p->n_per, p->n_of), 1));
    return room_add(groups, 2 * MIB + 256 * KIB);
}

static budget first_need(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    const room_rows r = first_rows(e, times);
    const uint64_t late = op_first_late(&r, workers), state = first_state(e, times, false);
    budget b = {.least = room_add(room_at_most(state, MIB), late), .wish = state};

    if (first_state(e, times, true) == UINT64_MAX)
        b.wish = room_add(state, late);
    b.least = room_at_most(b.least, b.wish);
    return b;
}

/* Of the grant for rows that wait: nothing, where the state fits for sure. */
static uint64_t first_late(const plan_estimate *e, uint64_t grant, uint32_t workers)
{
    const room_rows r = first_rows(e, EVERY);

    if (first_state(e, EVERY, true) <= grant)
        return 0;
    return op_first_late_share(grant, first_state(e, EVERY, false), op_first_late(&r, workers));
}

static room_rows sorted_rows(const plan_estimate *e, uint64_t times)
{
    const plan *p = e->of;

    room_rows r = rows_of(e->left, times, orders_width(e->left, p->orders, p->n_orders));

    r.packed_keys = orders_packed(e->left, p->orders, p->n_orders);
    return r;
}

static budget need_of(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    const plan *p = e->of;
    room_groups g;
    room_rows r;

    switch (p->kind) {
    case PLAN_GROUP: g = groups_of(e, times, workers); return room_of_group(&g, workers);
    case PLAN_JOIN: return join_need(e, times, workers);
    case PLAN_WINDOW: return window_need(e, times, workers);
    case PLAN_FIRST: return first_need(e, times, workers);
    default: break;
    }
    r = sorted_rows(e, times);
    return room_of_sort(&r, p->limit, workers);
}

/* Whether it should have room for all that may come: what one group's state takes cannot be
 * spilled, and partitions that do not fit are read twice. */
static bool must_fit(const plan *p)
{
    bool gathers = p->kind == PLAN_WINDOW && window_gathers(p->windows, p->n_windows);

    for (uint32_t i = 0; p->kind == PLAN_WINDOW && i < p->n_windows; i++)
        gathers |= !window_runs_on(&p->windows[i]);
    for (uint32_t i = 0; p->kind == PLAN_GROUP && i < p->n_aggregates; i++)
        gathers |= aggregate_gathers(&p->aggregates[i]);
    return gathers;
}

/* Room for the rows that are likely; up to what spills well there is some for more of them. */
static void settle(query_part *part, uint32_t workers)
{
    const plan_estimate *e = part->step;
    budget most = need_of(e, EVERY, workers), likely = need_of(e, 1, workers);
    uint64_t more = room_at_most(need_of(e, MORE, workers).wish, workers * MORE_ROOM);

    part->need = most;
    part->need.wish = room_at_least(likely.wish, more);
    if (must_fit(e->of))
        part->need.wish = need_of(e, SURELY, workers).wish;
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
    n = room_mul(room_at_most(count_of(e, 2), rows), plan_row_width(e));
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
    sum->spill = room_add(sum->spill, room_mul(2, room_mul(e->most, plan_row_width(e))));
    return NRW_OK;
}

/* What a result may fill, in memory; as text no more than the workers' batches, which grow by
 * copies. */
static uint64_t written_bytes(const query *q, uint32_t workers, uint64_t times)
{
    const plan_estimate *e = q->sizes;
    const uint64_t bytes = room_mul(4, room_mul(count_of(e, times), plan_row_width(e)));
    const uint64_t rows = plan_is_row_by_row(q->plan) ? BATCH_ROWS : LEAVING_MOST;

    if (q->to.format->binary)
        return bytes;
    return room_at_most(
        bytes, room_mul(2 * TEXT_TIMES * workers,
                        room_mul(room_at_most(count_of(e, times), rows), plan_row_width(e))));
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
    output_flow f = {.rows = count_of(e, MORE), .folders = 1};
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

    row = room_mul(row, room_at_most(count_of(q->sizes, 2), BATCH_MAX_ROWS));
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
        s->few[FIXED_PARTS + i] = room_mul(need_of(p->step, FEW, workers).wish, p->n);
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

/* Whether nothing spills, whatever comes. */
static bool fits(const query_part *part, uint32_t workers)
{
    const plan_estimate *e = part->step;
    const plan *p = e->of;
    const uint64_t grant = part->grant / part->n;
    room_groups g;
    room_window w;
    room_rows r;

    if (p->kind == PLAN_FIRST)
        return first_late(e, grant, workers) == 0;
    if (part->grant < part->certain || part->certain == UINT64_MAX)
        return false;
    switch (p->kind) {
    case PLAN_GROUP:
        g = groups_of(e, EVERY, workers);
        return p->marks || room_group_fits(&g, grant, workers);
    case PLAN_SORT: r = sorted_rows(e, EVERY); return room_sort_fits(&r, p->limit, grant, workers);
    case PLAN_WINDOW: w = window_of(e, EVERY); return room_window_fits(&w, grant, workers);
    default: return true;
    }
}

/* At most, with the grant, where so many times as many rows come of it as are likely. */
static uint64_t spill_of(const query_part *part, uint64_t times, uint32_t workers)
{
    const plan_estimate *e = part->step;
    const uint64_t grant = part->grant / part->n;
    room_rows r;
    join_rooms j;
    room_window w;

    if (fits(part, workers))
        return 0;
    switch (e->of->kind) {
    case PLAN_GROUP:
        return room_mul(part->n, room_group_spill(part->need.spill / part->n, grant, workers));
    case PLAN_SORT: r = sorted_rows(e, EVERY); return room_sort_spill(&r, grant, workers);
    case PLAN_WINDOW:
        w = window_of(e, EVERY);
        return room_mul(part->n, room_window_spill(&w, grant, workers));
    case PLAN_JOIN:
        j = join_of(e, EVERY, times);
        return room_join_spill(&j.left, &j.right, &j.results, grant, workers);
    case PLAN_FIRST:
        r = first_rows(e, EVERY);
        return op_first_spill(&r, (uint32_t)e->of->limit, grant, first_late(e, grant, workers),
                              workers);
    default: return part->need.spill;
    }
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
    output_rows rows = {rows_of(e, EVERY, 0), batches_of(q, batches / workers), NULL};
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
    if (s->grants[READ] < s->reading.wish)
        q->spill = room_add(q->spill, s->reading.spill);
    for (uint32_t i = 0; i < q->n_parts; i++) {
        query_part *p = &q->parts[i];
        p->grant = s->grants[FIXED_PARTS + i];
        p->likely_spill = spill_of(p, 1, workers);
        p->need.spill = spill_of(p, EVERY, workers);
        p->need.spill = room_at_most(p->need.spill, q->job->limits.spill_limit);
        q->spill = room_add(q->spill, p->need.spill);
        grants[i] = (sql_grant){.of = p->step->of, .bytes = p->grant / p->n};
        if (p->step->of->kind == PLAN_FIRST)
            grants[i].late = first_late(p->step, grants[i].bytes, workers);
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
    return take_shares(q, &s, workers, err);
}
