/* The steps of a join that spills: what came of the left side is met part by part, each by one
 * worker (join_pass.h), and a sort by the places of both rows puts the results in order. */
#include "exec/dense.h"
#include "exec/join_pass.h"
#include "exec/join_room.h"
#include "exec/op_sort.h"

enum { STEP_NONE, STEP_MEET, STEP_REST };

typedef struct part_worker {
    join_pass pass;
    meet_room room;
    uint8_t what; /* the step that the batch asks for */
    bool rested;  /* the right rows of this pass have left */
} part_worker;

struct join_parts {
    source source, results;
    op meet;
    op_build *build;
    part_worker *workers; /* while parts meet */
    op *sort;
    uint32_t next;
    uint64_t morsel;
    bool all_taken, sorted;
};

/* ---- the source: steps ---- */

static op_build *of_source(source *s)
{
    return ((join_parts *)(void *)((char *)s - offsetof(join_parts, source)))->build;
}

static nrw_status parts_next(source *s, batch *b, nrw_error *err)
{
    op_build *o = of_source(s);
    join_parts *j = o->parts;
    join_task t;

    if (!atomic_load(&o->spilled))
        return NRW_END;
    if (!j->all_taken)
        TRY(join_left_finish(o, err));
    j->all_taken = true;
    if (j->next == 1u << o->right.bits)
        return NRW_END;
    t = (join_task){
        .right = o->right.at[j->next], .left = o->left.at[j->next], .bits = o->right.bits};
    o->right.at[j->next] = o->left.at[j->next] = (hash_part){0};
    j->next++;
    b->morsel = j->morsel++;
    return join_pass_add(o, &j->workers[b->worker].pass, &t, err);
}

/* A block of left rows as a batch. NRW_END: the pass has no more. */
static nrw_status read_left(op_build *o, part_worker *w, batch *b, nrw_error *err)
{
    uint32_t n;
    vector v;
    nrw_status st = join_pass_left(o, &w->pass, &n, err);

    if (st != NRW_OK)
        return st;
    b->rows = n;
    for (uint32_t c = 0; c < o->spec.n_left; c++) {
        TRY(rows_column(&o->left_layout, (const uint8_t *const *)w->pass.rows, n, c, b->m, &v,
                        err));
        TRY(dense_put(b, c, &v, err));
    }
    w->what = STEP_MEET;
    return NRW_OK;
}

static nrw_status parts_fill(source *s, batch *b, nrw_error *err)
{
    op_build *o = of_source(s);
    part_worker *w = &o->parts->workers[b->worker];
    join_pass *p = &w->pass;
    nrw_status st;

    w->what = STEP_NONE;
    if (!p->open) {
        w->rested = false;
        b->last = p->n_stack == 0;
        return b->last ? NRW_OK : join_pass_open(o, p, err);
    }
    if (!w->rested) {
        st = read_left(o, w, b, err);
        if (st != NRW_END)
            return st;
        w->rested = true;
        if (join_keeps_right(o->spec.kind)) {
            w->what = STEP_REST;
            return NRW_OK;
        }
    }
    w->rested = false;
    return join_pass_next(o, p, err);
}

static const source_class parts_class = {"parts", parts_next, parts_fill, NULL, NULL, NULL, NULL};

/* ---- the operator: what a step brought ---- */

static nrw_status meet_block(join_parts *j, part_worker *w, batch *b, nrw_error *err)
{
    op_build *o = j->build;
    uint32_t n = o->spec.n_left + o->spec.n_keys;
    size_t head = n * sizeof(vector), bytes = head + b->rows * sizeof(uint64_t);
    meeting t = {.to = &j->meet,
                 .build = o,
                 .spec = &o->spec,
                 .table = &w->pass.table,
                 .w = &w->room,
                 .b = b,
                 .rows = b->rows,
                 .ordinals = w->pass.places,
                 .met = w->pass.met_now,
                 .final = w->pass.last};
    nrw_status st;

    TRY(meet_room_open(&w->room, w->pass.m, err));
    TRY(mem_zalloc(b->m, bytes, (void **)&t.columns, err));
    t.keys = t.columns + o->spec.n_left;
    t.hashes = (uint64_t *)(void *)((char *)t.columns + head);
    st = batch_take(b, NULL, o->spec.n_left, SIZE_MAX, t.columns, err);
    if (st >= 0)
        st = join_keys(t.columns, o->spec.left_keys, o->spec.n_keys, t.rows, true, b->m, t.keys,
                       t.hashes, err);
    if (st >= 0)
        st = join_meet(&t, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&t.columns[c]);
    mem_free(b->m, t.columns, bytes);
    return st >= 0 ? join_pass_met(o, &w->pass, t.rows, err) : st;
}

static nrw_status meet_push(op *base, batch *b, nrw_error *err)
{
    join_parts *j = (join_parts *)(void *)((char *)base - offsetof(join_parts, meet));
    part_worker *w = &j->workers[b->worker];

    if (w->what == STEP_MEET)
        return meet_block(j, w, b, err);
    if (w->what == STEP_REST)
        return emit_rest(j->build, base, b, w->pass.right.at, w->pass.right.n, err);
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
        meet_room_close(&w->room, w->pass.m);
        join_pass_close(o, &w->pass);
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
    source *from = op_sort_source(of_results(s)->sort);

    return from->class->fill(from, b, err);
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
    j->results = (source){&results_class, width, false};
    o->parts = j;
    return NRW_OK;
}

/* Results are sorted by both places, which stand behind their columns. */
static nrw_status new_sort(op_build *o, nrw_error *err)
{
    const join_spec *s = &o->spec;
    uint32_t width = join_width(s);
    sort_spec sort = {.n_columns = width + 2,
                      .n_aside = 2,
                      .unique = true,
                      .n_orders = 2,
                      .limit = UINT64_MAX,
                      .workers = s->workers,
                      .memory = join_sort_memory(s->memory),
                      .merging = join_sort_merging(s->memory),
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

    TRY(join_left_open(o, err));
    TRY(mem_zalloc(o->m, n * sizeof *j->workers, (void **)&j->workers, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(join_pass_new(o, &j->workers[i].pass, err));
    return new_sort(o, err);
}

void join_parts_close(op_build *o)
{
    close_workers(o);
    op_close(o->parts->sort);
    join_left_close(o);
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
