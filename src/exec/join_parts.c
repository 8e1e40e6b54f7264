/* A join whose right side does not fit, part by part. A worker reads the right rows of a part into
 * a table, as many as there is room for, then lets the left rows of the part meet it, block by
 * block; where right rows are left, the left ones come again (a pass). What a left row has met so
 * far is kept between passes, in the spill file as well, where that decides what leaves. A part
 * that would take many passes is cut by more bits of the hash first, unless most of it has one key.
 */
#include "exec/dense.h"
#include "exec/join_own.h"
#include "exec/op_sort.h"

#define TAKE_ROWS  2048u
#define MANY       3u                                     /* passes that cost more than a cut */
#define BLOCK_ROWS (HASH_PART_BLOCK / (ROW_HEAD + 8) + 1) /* of rows without columns */
#define FIXED      (320u << 10) /* what a worker needs beside a table, about */

typedef struct task {
    hash_part right, left;
    uint32_t bits;
    bool one_key; /* mostly: cutting is no use */
} task;

enum { STEP_NONE, STEP_MEET, STEP_REST };

typedef struct part_worker {
    mem *m;
    task *stack;
    uint32_t n_stack, cap_stack;
    task task;
    bool open, first, last, rested;
    join_rows right; /* the rows of this pass */
    join_table table;
    uint32_t next_right, next_left;
    spill_block *met; /* of each left block, while there are more passes */
    rows left;        /* the block that meets */
    uint8_t *rows[BLOCK_ROWS];
    uint64_t places[BLOCK_ROWS];
    uint8_t met_now[BLOCK_ROWS];
    meet_room room;
    uint8_t what; /* the step that the batch asks for */
} part_worker;

struct join_parts {
    source source, results;
    op meet;
    op_build *build;
    join_rows *left;      /* what comes, of each worker */
    part_worker *workers; /* while parts meet */
    op *sort;
    uint32_t next;
    uint64_t morsel;
    bool all_taken, sorted;
};

/* ---- left rows come ---- */

/* Of n left rows from `first` on those that may meet somebody, or all. */
static uint32_t worth_taking(const op_build *o, const meeting *t, uint32_t first, uint32_t n,
                             uint32_t *picked)
{
    uint32_t some = 0;

    for (uint32_t i = first; i < first + n; i++)
        if (join_filter_has(&o->filter, t->hashes[i]))
            picked[some++] = i;
    return some;
}

static nrw_status keep_left(op_build *o, join_rows *w, const meeting *t, const uint32_t *picked,
                            uint32_t n, vector *columns, nrw_error *err)
{
    const uint64_t share = o->spec.memory / o->spec.workers * 3 / 4;
    const uint64_t place = t->b->morsel << 32 | t->b->offset;
    const vector *at[o->spec.n_left + 1];
    uint64_t hashes[TAKE_ROWS];
    uint8_t **made;

    for (uint32_t c = 0; c < o->spec.n_left; c++)
        at[c] = &columns[c];
    for (uint32_t i = 0; i < n; i++)
        hashes[i] = t->hashes[picked[i]];
    if (w->n &&
        mem_used(w->m) + join_rows_need(w, &o->left_layout, columns, o->spec.n_left, n) > share)
        TRY(join_rows_flush(w, &o->left, err));
    TRY(join_rows_add(w, &o->left_layout, at, n, hashes, t->b->m, &made, err));
    for (uint32_t i = 0; i < n; i++)
        store_u64(row_extra(made[i]), place + picked[i]);
    return NRW_OK;
}

static nrw_status take_stretch(op_build *o, join_rows *w, const meeting *t, uint32_t first,
                               uint32_t n, vector *columns, nrw_error *err)
{
    uint32_t picked[TAKE_ROWS], some = worth_taking(o, t, first, n, picked);
    nrw_status st = NRW_OK;

    for (uint32_t c = 0; st >= 0 && some && c < o->spec.n_left; c++)
        st = some == n ? vector_slice(&t->columns[c], first, n, t->b->m, &columns[c], err)
                       : vector_pick(&t->columns[c], picked, some, t->b->m, &columns[c], err);
    if (st >= 0 && some)
        st = keep_left(o, w, t, picked, some, columns, err);
    for (uint32_t c = 0; c < o->spec.n_left; c++) {
        vector_release(&columns[c]);
        columns[c] = (vector){0};
    }
    return st;
}

nrw_status join_parts_take(op_build *o, meeting *t, nrw_error *err)
{
    join_rows *w = &o->parts->left[t->b->worker];
    size_t bytes = o->spec.n_left * sizeof(vector) + 1;
    uint32_t some;
    vector *columns;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(t->b->m, bytes, (void **)&columns, err));
    some = rows_that_fit(&o->left_layout, t->columns, o->spec.n_left,
                         o->spec.memory / o->spec.workers / 8, TAKE_ROWS);
    for (uint32_t at = 0; st >= 0 && at < t->rows; at += some)
        st = take_stretch(o, w, t, at, t->rows - at < some ? t->rows - at : some, columns, err);
    mem_free(t->b->m, columns, bytes);
    return st;
}

/* ---- a part's right rows ---- */

static uint64_t worker_room(const op_build *o)
{
    uint64_t share = o->spec.memory * 3 / 8 / o->spec.workers;

    return share > 2 * FIXED ? share - FIXED : FIXED;
}

/* What n right rows of so many bytes take as a table. */
static uint64_t table_cost(const op_build *o, uint64_t bytes, uint64_t n)
{
    return rows_cost(bytes) +
           (n ? n * sizeof(uint8_t *) + join_table_slots(o, n) * sizeof(uint8_t *) : 0);
}

static nrw_status add_block(op_build *o, part_worker *w, nrw_error *err)
{
    join_rows *r = &w->right;
    size_t at = 0;
    span block;

    TRY(hash_part_read(&o->right, &w->task.right, w->next_right, &r->rows, &block, err));
    hash_part_forget(&o->right, &w->task.right, w->next_right++);
    while (at < block.len) {
        if (r->n == r->cap) {
            uint64_t cap = r->cap ? r->cap * 2 : 1024;
            void *p = r->at;
            TRY(mem_realloc(w->m, &p, r->cap * sizeof *r->at, cap * sizeof *r->at, err));
            r->at = p;
            r->cap = cap;
        }
        TRY(hash_part_row(block, &at, &r->at[r->n], err));
        r->n++;
    }
    return NRW_OK;
}

static void forget_table(part_worker *w)
{
    mem_free(w->m, w->table.slots, w->table.slots ? w->table.n_slots * sizeof *w->table.slots : 0);
    w->table.slots = NULL;
    rows_release(&w->right.rows);
    w->right.n = 0;
}

/* Whether what leaves depends on what a left row has met in earlier passes. */
static bool remembers(const op_build *o)
{
    join_kind k = o->spec.kind;

    return k != JOIN_INNER && k != JOIN_RIGHT && !join_only_right(k);
}

/* The right rows of the next pass; of one block at least. */
static nrw_status begin_pass(op_build *o, part_worker *w, nrw_error *err)
{
    const hash_part *p = &w->task.right;
    uint64_t bytes = 0, room = worker_room(o);

    forget_table(w);
    while (w->next_right < p->n) {
        uint64_t len = p->blocks[w->next_right].len;
        uint64_t more = len * p->rows / p->bytes + 1;
        if (w->right.n && table_cost(o, bytes + len, w->right.n + more) > room)
            break;
        TRY(add_block(o, w, err));
        bytes += len;
    }
    w->table.n_slots = join_table_slots(o, w->right.n);
    TRY(mem_zalloc(w->m, w->table.n_slots * sizeof *w->table.slots, (void **)&w->table.slots, err));
    join_table_fill(o, &w->table, w->right.at, w->right.n);
    w->last = w->next_right == p->n;
    w->next_left = 0;
    w->rested = false;
    if (w->last || w->met || !remembers(o))
        return NRW_OK;
    return mem_zalloc(w->m, (w->task.left.n + 1) * sizeof *w->met, (void **)&w->met, err);
}

/* ---- parts ---- */

static void task_free(const op_build *o, task *t)
{
    hash_part_free(&o->right, &t->right);
    hash_part_free(&o->left, &t->left);
}

static nrw_status push_task(op_build *o, part_worker *w, task *t, nrw_error *err)
{
    void *p = w->stack;

    if (w->n_stack == w->cap_stack) {
        uint32_t cap = w->cap_stack + 32;
        nrw_status st = mem_realloc(w->m, &p, w->cap_stack * sizeof *t, cap * sizeof *t, err);
        if (st < 0) {
            task_free(o, t);
            return st;
        }
        w->stack = p;
        w->cap_stack = cap;
    }
    w->stack[w->n_stack++] = *t;
    return NRW_OK;
}

/* Both sides of t by HASH_PARTS_SPLIT bits more. */
static nrw_status cut_task(op_build *o, part_worker *w, task *t, nrw_error *err)
{
    hash_part right[1u << HASH_PARTS_SPLIT] = {0}, left[1u << HASH_PARTS_SPLIT] = {0};
    uint64_t bytes = t->right.bytes;
    nrw_status st = hash_part_split(&o->right, &t->right, t->bits, w->m, right, err);

    if (st >= 0)
        st = hash_part_split(&o->left, &t->left, t->bits, w->m, left, err);
    task_free(o, t);
    for (uint32_t k = 1u << HASH_PARTS_SPLIT; k-- > 0;) {
        task some = {right[k], left[k], t->bits + HASH_PARTS_SPLIT,
                     right[k].bytes > bytes - bytes / 8};
        if (st >= 0)
            st = push_task(o, w, &some, err);
        else
            task_free(o, &some);
    }
    return st;
}

/* Whether anything can come of it. */
static bool is_idle(const op_build *o, const task *t)
{
    join_kind k = o->spec.kind;
    bool needs_right = k == JOIN_INNER || k == JOIN_SEMI || k == JOIN_RIGHT || join_only_right(k);
    bool needs_left = !join_keeps_right(k) || k == JOIN_RIGHT_SEMI;

    return (t->right.n == 0 && needs_right) || (t->left.n == 0 && needs_left);
}

static nrw_status open_task(op_build *o, part_worker *w, nrw_error *err)
{
    task t = w->stack[--w->n_stack];

    if (is_idle(o, &t)) {
        task_free(o, &t);
        return NRW_OK;
    }
    if (!t.one_key && o->spec.n_keys && t.bits + HASH_PARTS_SPLIT <= 64 &&
        table_cost(o, t.right.bytes, t.right.rows) > MANY * worker_room(o))
        return cut_task(o, w, &t, err);
    w->task = t;
    w->open = w->first = true;
    w->next_right = 0;
    return begin_pass(o, w, err);
}

static void close_task(op_build *o, part_worker *w)
{
    for (uint32_t i = 0; w->met && i < w->task.left.n; i++)
        if (w->met[i].len)
            spill_free(o->spill, &w->met[i]);
    mem_free(w->m, w->met, w->met ? (w->task.left.n + 1) * sizeof *w->met : 0);
    w->met = NULL;
    if (w->open)
        task_free(o, &w->task);
    w->open = false;
    forget_table(w);
}

/* ---- the source: steps ---- */

static op_build *of_source(source *s)
{
    return ((join_parts *)(void *)((char *)s - offsetof(join_parts, source)))->build;
}

/* The left side is through. */
static nrw_status take_rest(op_build *o, nrw_error *err)
{
    join_parts *j = o->parts;

    for (uint32_t i = 0; i < o->spec.workers; i++) {
        TRY(join_rows_flush(&j->left[i], &o->left, err));
        join_rows_empty(&j->left[i]);
    }
    join_filter_close(&o->filter, o->m);
    j->all_taken = true;
    return NRW_OK;
}

static nrw_status parts_next(source *s, batch *b, nrw_error *err)
{
    op_build *o = of_source(s);
    join_parts *j = o->parts;
    part_worker *w;
    task t;

    if (!atomic_load(&o->spilled))
        return NRW_END;
    if (!j->all_taken)
        TRY(take_rest(o, err));
    if (j->next == 1u << o->right.bits)
        return NRW_END;
    w = &j->workers[b->worker];
    t = (task){.right = o->right.at[j->next], .left = o->left.at[j->next], .bits = o->right.bits};
    o->right.at[j->next] = o->left.at[j->next] = (hash_part){0};
    j->next++;
    b->morsel = j->morsel++;
    return push_task(o, w, &t, err);
}

/* A block of left rows as a batch. */
static nrw_status read_left(op_build *o, part_worker *w, batch *b, nrw_error *err)
{
    uint32_t n = 0;
    size_t at = 0;
    span block;
    vector v;

    rows_clear(&w->left);
    TRY(hash_part_read(&o->left, &w->task.left, w->next_left, &w->left, &block, err));
    for (; at < block.len && n < BLOCK_ROWS; n++) {
        TRY(hash_part_row(block, &at, &w->rows[n], err));
        w->places[n] = load_u64(row_extra(w->rows[n]));
    }
    if (at < block.len)
        return err_set(err, NRW_E_IO, "a block of the spill file does not hold what was written");
    b->rows = n;
    for (uint32_t c = 0; c < o->spec.n_left; c++) {
        TRY(rows_column(&o->left_layout, (const uint8_t *const *)w->rows, n, c, b->m, &v, err));
        TRY(dense_put(b, c, &v, err));
    }
    if (!w->met || w->first)
        memset(w->met_now, 0, n);
    else
        TRY(spill_read(o->spill, &w->met[w->next_left], w->met_now, err));
    w->what = STEP_MEET;
    return NRW_OK;
}

static nrw_status parts_fill(source *s, batch *b, nrw_error *err)
{
    op_build *o = of_source(s);
    part_worker *w = &o->parts->workers[b->worker];

    w->what = STEP_NONE;
    if (!w->open) {
        b->last = w->n_stack == 0;
        return b->last ? NRW_OK : open_task(o, w, err);
    }
    if (w->next_left < w->task.left.n)
        return read_left(o, w, b, err);
    if (join_keeps_right(o->spec.kind) && !w->rested) {
        w->rested = true;
        w->what = STEP_REST;
        return NRW_OK;
    }
    if (!w->last) {
        w->first = false;
        return begin_pass(o, w, err);
    }
    close_task(o, w);
    return NRW_OK;
}

static const source_class parts_class = {"parts", parts_next, parts_fill, NULL, NULL, NULL, NULL};

/* ---- the operator: what a step brought ---- */

/* What the block has met so far waits for the next pass; after the last one the block goes. */
static nrw_status end_block(op_build *o, part_worker *w, uint32_t rows, nrw_error *err)
{
    uint32_t i = w->next_left++;
    spill_block b;

    if (w->last) {
        hash_part_forget(&o->left, &w->task.left, i);
        return NRW_OK;
    }
    if (!w->met)
        return NRW_OK;
    if (w->met[i].len)
        spill_free(o->spill, &w->met[i]);
    w->met[i].len = 0;
    TRY(spill_write(o->spill, (span){w->met_now, rows}, true, &b, err));
    w->met[i] = b;
    return NRW_OK;
}

static nrw_status meet_block(join_parts *j, part_worker *w, batch *b, nrw_error *err)
{
    op_build *o = j->build;
    uint32_t n = o->spec.n_left + o->spec.n_keys;
    size_t head = n * sizeof(vector), bytes = head + b->rows * sizeof(uint64_t);
    meeting t = {.to = &j->meet,
                 .build = o,
                 .spec = &o->spec,
                 .table = &w->table,
                 .w = &w->room,
                 .b = b,
                 .rows = b->rows,
                 .ordinals = w->places,
                 .met = w->met_now,
                 .final = w->last};
    nrw_status st;

    TRY(meet_room_open(&w->room, w->m, err));
    TRY(mem_zalloc(b->m, bytes, (void **)&t.columns, err));
    t.keys = t.columns + o->spec.n_left;
    t.hashes = (uint64_t *)(void *)((char *)t.columns + head);
    st = dense_take(b, NULL, o->spec.n_left, SIZE_MAX, t.columns, err);
    if (st >= 0)
        st = join_keys(t.columns, o->spec.left_keys, o->spec.n_keys, t.rows, true, b->m, t.keys,
                       t.hashes, err);
    if (st >= 0)
        st = join_meet(&t, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&t.columns[c]);
    mem_free(b->m, t.columns, bytes);
    return st >= 0 ? end_block(o, w, t.rows, err) : st;
}

static nrw_status meet_push(op *base, batch *b, nrw_error *err)
{
    join_parts *j = (join_parts *)(void *)((char *)base - offsetof(join_parts, meet));
    part_worker *w = &j->workers[b->worker];

    if (w->what == STEP_MEET)
        return meet_block(j, w, b, err);
    if (w->what == STEP_REST)
        return emit_rest(j->build, base, b, w->right.at, w->right.n, err);
    return NRW_OK;
}

static void nothing_to_close(op *o)
{
    (void)o;
}

static const op_class meet_class = {"meet", meet_push, NULL, NULL, nothing_to_close};

/* ---- the results in order ---- */

static void close_workers(op_build *o)
{
    join_parts *j = o->parts;

    for (uint32_t i = 0; j->workers && i < o->spec.workers; i++) {
        part_worker *w = &j->workers[i];
        if (!w->m)
            continue;
        close_task(o, w);
        while (w->n_stack)
            task_free(o, &w->stack[--w->n_stack]);
        mem_free(w->m, w->stack, w->cap_stack * sizeof *w->stack);
        mem_free(w->m, w->right.at, w->right.cap * sizeof *w->right.at);
        rows_release(&w->left);
        meet_room_close(&w->room, w->m);
        mem_free_account(w->m);
    }
    mem_free(o->m, j->workers, j->workers ? o->spec.workers * sizeof *j->workers : 0);
    j->workers = NULL;
}

static join_parts *of_results(source *s)
{
    return (join_parts *)(void *)((char *)s - offsetof(join_parts, results));
}

static nrw_status results_next(source *s, batch *b, nrw_error *err)
{
    join_parts *j = of_results(s);
    source *from;

    if (!atomic_load(&j->build->spilled))
        return NRW_END;
    if (!j->sorted) {
        close_workers(j->build);
        TRY(j->sort->class->finish(j->sort, err));
        j->sorted = true;
    }
    from = op_sort_source(j->sort);
    return from->class->next(from, b, err);
}

static nrw_status results_fill(source *s, batch *b, nrw_error *err)
{
    join_parts *j = of_results(s);
    source *from = op_sort_source(j->sort);
    uint32_t width = join_width(&j->build->spec);

    TRY(from->class->fill(from, b, err));
    batch_drop(b, width);
    batch_drop(b, width + 1);
    b->n_cols = width;
    return NRW_OK;
}

static const source_class results_class = {"results", results_next, results_fill, NULL,
                                           NULL,      NULL,         NULL};

/* ---- life ---- */

nrw_status join_parts_new(op_build *o, nrw_error *err)
{
    uint32_t width = join_width(&o->spec);
    join_parts *j;

    TRY(arena_alloc(o->a, sizeof *j, (void **)&j, err));
    *j = (join_parts){.build = o, .meet = {.class = &meet_class}};
    j->source = (source){&parts_class, o->spec.n_left, false};
    j->results = (source){&results_class, width + 2, false};
    o->parts = j;
    return NRW_OK;
}

/* Results are sorted by both places, which stand behind their columns. */
static nrw_status new_sort(op_build *o, nrw_error *err)
{
    const join_spec *s = &o->spec;
    uint32_t width = join_width(s);
    sort_spec sort = {.n_columns = width + 2,
                      .n_orders = 2,
                      .limit = UINT64_MAX,
                      .workers = s->workers,
                      .memory = s->memory / 2,
                      .merging = s->memory * 5 / 8, /* parts are through then */
                      .held = s->held};
    sort_order *orders;
    type *types;

    TRY(arena_alloc(o->a, 2 * sizeof *orders, (void **)&orders, err));
    TRY(arena_alloc(o->a, (width + 2) * sizeof *types, (void **)&types, err));
    for (uint32_t c = 0; c < width; c++)
        types[c] = join_type(s, c);
    for (uint32_t k = 0; k < 2; k++) {
        types[width + k] = type_of(TYPE_INT64);
        orders[k] = (sort_order){.column = width + k};
    }
    sort.types = types;
    sort.orders = orders;
    TRY(op_sort_new(o->a, o->m, &sort, o->spill, &o->parts->sort, err));
    o->parts->meet.next = o->parts->sort;
    return NRW_OK;
}

nrw_status join_parts_begin(op_build *o, nrw_error *err)
{
    join_parts *j = o->parts;
    uint32_t n = o->spec.workers;

    TRY(hash_parts_open(&o->left, o->m, o->spill, o->spec.memory / n, o->base.cancel, err));
    TRY(mem_zalloc(o->m, n * sizeof *j->left, (void **)&j->left, err));
    TRY(mem_zalloc(o->m, n * sizeof *j->workers, (void **)&j->workers, err));
    for (uint32_t i = 0; i < n; i++) {
        part_worker *w = &j->workers[i];
        TRY(join_rows_open(&j->left[i], o->m, MEM_NO_LIMIT, err));
        TRY(mem_child(o->m, "parts of a join", MEM_NO_LIMIT, &w->m, err));
        w->left.m = w->right.m = w->right.rows.m = w->m;
    }
    return new_sort(o, err);
}

void join_parts_close(op_build *o)
{
    join_parts *j = o->parts;

    close_workers(o);
    op_close(j->sort);
    for (uint32_t i = 0; j->left && i < o->spec.workers; i++)
        join_rows_close(&j->left[i]);
    mem_free(o->m, j->left, j->left ? o->spec.workers * sizeof *j->left : 0);
}

source *op_build_parts(op *build)
{
    return &((op_build *)build)->parts->source;
}

op *op_build_meet(op *build)
{
    return &((op_build *)build)->parts->meet;
}

source *op_build_results(op *build)
{
    return &((op_build *)build)->parts->results;
}
