#include "exec/group_taking.h"
#include "exec/hash_rows.h"

static nrw_status group_push(op *base, batch *b, nrw_error *err)
{
    return group_take((op_group *)base, b, err);
}

/* Some thousand groups a morsel. */
static uint32_t bits_for(const op_group *o)
{
    uint64_t n = 0;
    uint32_t bits = 0;

    for (uint32_t i = 0; i < o->spec.workers; i++)
        n += o->workers[i].table.n;
    while (bits < GROUP_BITS && n >> bits > GROUP_MORSEL)
        bits++;
    return o->parts ? GROUP_BITS : bits;
}

/* The parts that the source puts together. */
static nrw_status make_todo(op_group *o, uint32_t bits, nrw_error *err)
{
    nrw_status st = NRW_OK;

    o->merges = !o->parts;
    if (o->parts) {
        st = group_todo_add(o, &o->todo, o->parts, GROUP_PARTITIONS, err);
        mem_free(o->m, o->parts, GROUP_PARTITIONS * sizeof *o->parts);
        o->parts = NULL;
        return st;
    }
    for (uint32_t p = 1u << bits; st >= 0 && p-- > 0;) {
        group_part part = {.first = bits ? (uint64_t)p << (64 - bits) : 0, .bits = bits};
        st = group_todo_add(o, &o->todo, &part, 1, err);
    }
    return st;
}

/* Whether states of several tables may be more than there is memory for while they are put
 * together: sets of the same values become one, by copies. */
static bool is_crowded(const op_group *o)
{
    return o->copies && o->spec.workers > 1 && mem_used(o->m) > o->spec.memory / 8 * 3;
}

/* Once one table went to the spill file all do, so that a partition lies in one place. */
nrw_status group_settle(op_group *o, nrw_error *err)
{
    uint32_t bits;

    if (!o->parts && is_crowded(o))
        TRY(group_flush(o, &o->workers[0], err));
    bits = bits_for(o);
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        group_worker *w = &o->workers[i];
        rows_release(&w->scratch);
        group_book_free(&w->book);
        if (o->parts && w->table.n)
            TRY(group_flush(o, w, err));
        TRY(group_pass_end(o, w, err));
        if (o->parts)
            group_table_release(&w->table);
        else
            group_table_order(&w->table, bits);
        mem_set_limit(w->m, MEM_NO_LIMIT); /* the operator's own limit holds */
    }
    return make_todo(o, bits, err);
}

static nrw_status group_finish(op *base, nrw_error *err)
{
    return group_settle((op_group *)base, err);
}

/* With marks rows of the workers, of the stretch at hand and of those that leave share it. */
uint64_t group_share(const op_group *o)
{
    uint64_t share = o->spec.memory / o->spec.workers;

    return o->spec.marks ? share / 6 : share - share / 8;
}

uint64_t group_fair_room(const op_group *o)
{
    return mem_room(o->m) / o->spec.workers / 2;
}

uint64_t group_room(const op_group *o, const group_worker *w)
{
    uint64_t most = mem_limit(w->m) - mem_limit(w->m) / 8, used = mem_used(w->m);
    uint64_t fair = o->hang && o->spec.marks ? group_fair_room(o) : UINT64_MAX, left;

    if (o->spec.marks)
        used += w->runs.bytes + w->table.rows.bytes;
    left = used < most ? most - used : 0;
    return fair < left ? fair : left;
}

nrw_status group_send_away(op_group *o, group_worker *w, const batch *b, nrw_error *err)
{
    return o->spec.marks ? group_marked_send(o, w, b, err) : group_flush(o, w, err);
}

void group_close(op *base)
{
    op_group *o = (op_group *)base;

    for (uint32_t i = 0; o->workers && i < o->spec.workers; i++) {
        group_worker *w = &o->workers[i];
        rows_release(&w->scratch);
        group_book_free(&w->book);
        group_merged_free(o, w);
        if (o->spec.marks)
            group_marked_close(o, w);
        group_table_release(&w->table);
        rows_release(&w->read);
        group_part_free(o, &w->kept);
        group_pass_free(w);
        bytes_release(&w->out);
        group_todo_free(o, &w->todo);
    }
    for (uint32_t i = 0; o->workers && i < o->spec.workers; i++) { /* states had each other's */
        mem_free_account(o->workers[i].m);
        pthread_mutex_destroy(&o->workers[i].lock);
    }
    group_stretch_free(o, &o->current);
    group_rows_free(o, &o->nulls);
    group_todo_free(o, &o->todo);
    for (uint32_t p = 0; o->parts && p < GROUP_PARTITIONS; p++)
        group_part_free(o, &o->parts[p]);
    mem_free(o->m, o->parts, GROUP_PARTITIONS * sizeof *o->parts);
    mem_free(o->m, o->workers, o->spec.workers * sizeof *o->workers);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    mem_free_account(o->m);
}

static const op_class group_class = {"group", group_push, group_finish, NULL, group_close};

static void see(void *self, uint32_t column)
{
    uint32_t *n = self;

    if (column >= *n)
        *n = column + 1;
}

/* One state is enough for both: sum(x) and avg(x). */
static bool share_state(const aggregate *x, const aggregate *y)
{
    if (!(x->class->traits & AGG_SHARED) || x->class->add != y->class->add ||
        x->state_bytes != y->state_bytes || x->n_args != y->n_args || !x->filter != !y->filter ||
        (x->filter && x->filter->column != y->filter->column))
        return false;
    for (uint32_t i = 0; i < x->n_args; i++)
        if (x->args[i]->column != y->args[i]->column)
            return false;
    return true;
}

static nrw_status make_states(arena *a, op_group *o, uint32_t *bytes, nrw_error *err)
{
    uint32_t n = o->spec.n_aggregates;
    group_shape *s = &o->shape;
    aggregate *own;

    TRY(arena_alloc(a, n * sizeof *own + 1, (void **)&own, err));
    TRY(arena_alloc(a, n * sizeof *s->states + 1, (void **)&s->states, err));
    TRY(arena_alloc(a, n * sizeof *o->results + 1, (void **)&o->results, err));
    s->aggregates = own;
    for (uint32_t i = 0; i < n; i++) {
        const aggregate *g = &o->spec.aggregates[i];
        uint32_t k = 0;
        while (k < s->n_aggregates && !share_state(&own[k], g))
            k++;
        if (k == s->n_aggregates) {
            own[s->n_aggregates++] = *g;
            s->saves |= g->class->save != NULL;
            s->drops |= g->class->drop != NULL;
            s->states[k] = ROW_HEAD + *bytes;
            *bytes += aggregate_room(g);
            o->hang += g->class->drop ? GROUP_HANG : 0;
            o->copies |= g->class->traits & AGG_COPIES;
            o->placed |= !(g->class->traits & AGG_UNPLACED);
        }
        o->results[i] = s->states[k];
    }
    return NRW_OK;
}

/* Of a column behind the keys. */
static void see_type(const type **types, uint32_t n_keys, const expr *e)
{
    if (e->column >= n_keys)
        types[e->column - n_keys] = &e->type;
}

static nrw_status check_keys(const group_spec *spec, nrw_error *err)
{
    char name[64];

    for (uint32_t k = 0; k < spec->n_keys; k++) {
        if (!type_is_nested(&spec->key_types[k]))
            continue;
        type_print(&spec->key_types[k], name, sizeof name);
        return err_set(err, NRW_E_UNSUPPORTED, "groups by values of type %s are not supported",
                       name);
    }
    return NRW_OK;
}

static nrw_status make_shape(arena *a, op_group *o, nrw_error *err)
{
    const group_spec *spec = &o->spec;
    uint32_t bytes = 0;
    const type **types;

    TRY(make_states(a, o, &bytes, err));
    o->n_in = spec->n_keys;
    for (uint32_t i = 0; i < spec->n_aggregates; i++) {
        const aggregate *g = &spec->aggregates[i];
        for (uint32_t k = 0; k < g->n_args; k++)
            expr_columns(g->args[k], see, &o->n_in);
        if (g->filter)
            expr_columns(g->filter, see, &o->n_in);
    }
    TRY(check_keys(spec, err));
    TRY(row_layout_new(a, spec->key_types, spec->n_keys, bytes, &o->shape.layout, err));
    TRY(hash_row_layout(a, &o->shape.layout, NULL, spec->n_keys, err));
    TRY(row_layout_new(a, spec->key_types, spec->n_keys, 0, &o->shape.keys, err));
    TRY(arena_alloc(a, (o->n_in - spec->n_keys) * sizeof *types + 1, (void **)&types, err));
    memset(types, 0, (o->n_in - spec->n_keys) * sizeof *types);
    for (uint32_t i = 0; i < spec->n_aggregates; i++) {
        const aggregate *g = &spec->aggregates[i];
        for (uint32_t k = 0; k < g->n_args; k++)
            see_type(types, spec->n_keys, g->args[k]);
        if (g->filter)
            see_type(types, spec->n_keys, g->filter);
    }
    return group_bare_shape(a, o, types, err);
}

nrw_status op_group_new(arena *a, mem *m, const group_spec *spec, spill *s, op **out,
                        nrw_error *err)
{
    op_group *o;
    nrw_status st;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_group){
        .base.class = spec->marks ? &group_marked_class : &group_class, .spec = *spec, .spill = s};
    o->source = (source){spec->marks ? &group_rest_class : &group_source_class,
                         spec->n_keys + spec->n_aggregates, false};
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, NULL);
    TRY(mem_child(m, "group", spec->memory, &o->m, err));
    TRY_OUT(make_shape(a, o, err));
    TRY_OUT(mem_zalloc(o->m, spec->workers * sizeof *o->workers, (void **)&o->workers, err));
    for (uint32_t i = 0; i < spec->workers; i++) {
        group_worker *w = &o->workers[i];
        pthread_mutex_init(&w->lock, NULL);
        TRY_OUT(mem_child(o->m, "groups of a worker", group_share(o), &w->m, err));
        group_table_init(&w->table, &o->shape, w->m, spec->marks ? o->m : w->m);
        w->scratch.m = w->read.m = w->m;
        w->out = bytes_init(w->m, UINT32_MAX);
        w->book = (group_book){.m = w->m, .most = group_share(o) / 16};
        w->runs.m = o->m;
        if (spec->marks) /* they go to the stretch */
            w->table.rows.m = o->m;
    }
    o->shares = spec->workers > 1 && spec->n_keys && !spec->marks && !o->hang && !o->placed;
    group_stretch_init(o, &o->current, 0);
    o->nulls.m = o->m;
    *out = &o->base;
    return NRW_OK;
out:
    group_close(&o->base);
    return st;
}

source *op_group_source(op *o)
{
    return &((op_group *)o)->source;
}
