#include "exec/group_own.h"

#include "exec/dense.h"
#include "exec/hash_rows.h"

/* A batch on its way into the table. */
typedef struct taking {
    op_group *o;
    group_worker *w;
    batch *b;
    uint32_t first; /* of the batch */
    uint32_t rows;
    vector *columns;   /* n_in */
    uint8_t **states;  /* the group's row of each row, unless there are few */
    uint64_t *numbers; /* hashes, then ordinals */
    uint32_t *codes;   /* number of each row's group in `few` */
    uint8_t *few[AGGREGATE_FEW];
    uint32_t few_rows[AGGREGATE_FEW];
    uint32_t n_few; /* 0: there are more of them */
    bool passing;   /* states are rows of the scratch, on their way to the spill file */
} taking;

/* ---- which group ---- */

/* What a worker's tables may take more: they keep to its share. */
static uint64_t room_left(const group_worker *w)
{
    uint64_t most = mem_limit(w->m) - mem_limit(w->m) / 8, used = mem_used(w->m);

    return used < most ? most - used : 0;
}

/* What hangs from states lies beside the tables: where there is no room for it, they go to the
 * spill file. */
static nrw_status make_room_to_hang(taking *t, nrw_error *err)
{
    const op_group *o = t->o;
    uint64_t hangs = (uint64_t)t->rows * o->hang;

    if (t->w->table.n == 0 || !hangs || mem_room(o->m) > hangs + mem_limit(t->w->m) / 16)
        return NRW_OK;
    return group_flush(t->o, t->w, err);
}

/* Room for what comes; a table that has none goes to the spill file. */
static nrw_status make_room(taking *t, uint64_t groups, uint64_t bytes, nrw_error *err)
{
    group_worker *w = t->w;

    TRY(make_room_to_hang(t, err));
    if (w->table.n == 0 || group_table_growth(&w->table, groups, bytes) <= room_left(w))
        return NRW_OK;
    return group_flush(t->o, w, err);
}

/* The key of rows[0..n) in the scratch, as rows of shape->keys or shape->layout. */
static nrw_status encode(taking *t, const row_layout *l, const vector *const *keys, uint32_t n,
                         uint8_t **out, nrw_error *err)
{
    rows_clear(&t->w->scratch);
    for (uint32_t c = 0; c < l->n; c++)
        hash_vector(keys[c], n, c > 0, t->numbers);
    if (l->n == 0)
        memset(t->numbers, 0, n * sizeof *t->numbers);
    return rows_add(&t->w->scratch, l, keys, n, t->numbers, t->b->m, out, err);
}

/* Each row is a group, but for those of one key that follow each other. */
static nrw_status find_none(taking *t, const vector *const *keys, nrw_error *err)
{
    const row_layout *l = &t->o->shape.layout;

    t->passing = true;
    TRY(encode(t, l, keys, t->rows, t->states, err));
    for (uint32_t i = 1; i < t->rows; i++)
        if (row_hash(t->states[i]) == row_hash(t->states[i - 1]) &&
            span_equal(row_values(l, t->states[i]), row_values(l, t->states[i - 1])))
            t->states[i] = t->states[i - 1];
    return NRW_OK;
}

/* *found: of how many rows; the next one's group has no room beside the others. */
static nrw_status find_each(taking *t, const vector *const *keys, uint32_t *found, nrw_error *err)
{
    TRY(encode(t, &t->o->shape.keys, keys, t->rows, t->states, err));
    TRY(make_room_to_hang(t, err));
    return group_table_find_all(&t->w->table, t->states, t->rows, room_left(t->w), found, err);
}

/* Keys of few values a batch: each column as small codes. */
static uint32_t codes_of(const vector *v)
{
    return v->form == VECTOR_DICT   ? v->dict->values.len + 1
           : v->form == VECTOR_RUNS ? v->n_runs
                                    : UINT32_MAX;
}

/* Codes of a key's values, `times` apart, put on top of the codes of the keys before it. */
static void add_codes(const vector *v, uint32_t rows, uint32_t times, uint32_t *codes)
{
    const uint32_t *x = (const uint32_t *)(const void *)v->data;

    if (v->form == VECTOR_RUNS) {
        for (uint32_t run = 0, i = 0; run < v->n_runs; run++)
            for (uint32_t add = run * times; i < x[run]; i++)
                codes[i] += add;
    } else if (v->validity) {
        for (uint32_t i = 0; i < rows; i++)
            codes[i] += (vector_is_valid(v, i) ? x[i] : v->dict->values.len) * times;
    } else {
        for (uint32_t i = 0; i < rows; i++)
            codes[i] += x[i] * times;
    }
}

static void count_rows(const uint32_t *codes, uint32_t rows, uint32_t n, uint32_t *out)
{
    uint32_t odd[AGGREGATE_FEW], i; /* so that rows of one group do not wait for each other */

    memset(out, 0, n * sizeof *out);
    memset(odd, 0, n * sizeof *odd);
    for (i = 0; i + 1 < rows; i += 2) {
        out[codes[i]]++;
        odd[codes[i + 1]]++;
    }
    if (i < rows)
        out[codes[i]]++;
    for (uint32_t k = 0; k < n; k++)
        out[k] += odd[k];
}

/* One look-up for each combination that comes: the first row that has it is encoded. */
static nrw_status find_by_code(taking *t, const vector *const *keys, uint32_t n_codes,
                               nrw_error *err)
{
    mem *m = t->b->m;
    uint32_t n_keys = t->o->spec.n_keys, *codes = t->codes, *firsts, n = 0, times = 1;
    uint16_t *sel;
    uint8_t **found;
    vector *few;
    const vector **at;
    size_t first_bytes = n_codes * sizeof *firsts;
    size_t few_bytes = n_keys * (sizeof *few + sizeof *at);
    size_t sel_bytes = n_codes * (sizeof *found + sizeof *sel);
    nrw_status st;

    TRY(mem_zalloc(m, first_bytes + few_bytes + sel_bytes, (void **)&few, err));
    at = (const vector **)(void *)(few + n_keys);
    found = (uint8_t **)(void *)(at + n_keys);
    firsts = (uint32_t *)(void *)(found + n_codes);
    sel = (uint16_t *)(void *)(firsts + n_codes);
    memset(codes, 0, t->rows * sizeof *codes);
    for (uint32_t c = 0; c < n_keys; times *= codes_of(keys[c++]))
        add_codes(keys[c], t->rows, times, codes);
    for (uint32_t i = 0; i < t->rows; i++) {
        uint32_t *first = &firsts[codes[i]];
        if (!*first) {
            sel[n++] = (uint16_t)i;
            *first = n;
        }
        codes[i] = *first - 1;
    }
    for (uint32_t c = 0; c < n_keys; c++) {
        TRY_OUT(vector_take(keys[c], sel, n, m, &few[c], err));
        at[c] = &few[c];
    }
    TRY_OUT(encode(t, &t->o->shape.keys, at, n, found, err));
    TRY_OUT(make_room(t, n, t->w->scratch.bytes, err));
    for (uint32_t i = 0; i < n; i++)
        TRY_OUT(group_table_find(&t->w->table, found[i], &found[i], err));
    if (n <= AGGREGATE_FEW) {
        memcpy(t->few, found, n * sizeof *found);
        t->n_few = n;
        count_rows(codes, t->rows, n, t->few_rows);
    }
    for (uint32_t i = 0; !t->n_few && i < t->rows; i++)
        t->states[i] = found[codes[i]];
    st = NRW_OK;
out:
    for (uint32_t c = 0; c < n_keys; c++)
        vector_release(&few[c]);
    mem_free(m, few, first_bytes + few_bytes + sel_bytes);
    return st;
}

static nrw_status find_groups(taking *t, const vector *const *keys, uint32_t *found, nrw_error *err)
{
    uint64_t n_codes = 1;

    *found = t->rows;
    for (uint32_t c = 0; c < t->o->spec.n_keys && n_codes <= t->rows; c++)
        n_codes *= codes_of(keys[c]);
    if (n_codes <= t->rows / 2)
        return find_by_code(t, keys, (uint32_t)n_codes, err);
    if (t->w->passing)
        return find_none(t, keys, err);
    return find_each(t, keys, found, err);
}

/* Without keys all rows are one group. */
static nrw_status find_one(taking *t, nrw_error *err)
{
    if (!t->w->lone) {
        TRY(encode(t, &t->o->shape.keys, NULL, 1, t->states, err));
        TRY(group_table_find(&t->w->table, t->states[0], &t->w->one, err));
        t->w->lone = true;
    }
    t->states[0] = t->w->one;
    return NRW_OK;
}

/* ---- aggregates ---- */

static const vector *column_of(const taking *t, const expr *e)
{
    return &t->columns[e->column];
}

/* Only rows whose filter is true. */
static nrw_status add_filtered(taking *t, const aggregate *g, aggregate_rows *r, nrw_error *err)
{
    const vector *some_args[AGGREGATE_ARGS], *columns[1];
    vector some[AGGREGATE_ARGS] = {0};
    mem *m = t->b->m;
    size_t bytes = t->rows * (sizeof(uint8_t *) + sizeof(uint64_t) + sizeof(uint16_t));
    uint8_t **states;
    uint64_t *ordinals;
    uint16_t *sel;
    uint32_t n;
    nrw_status st;
    expr filter = {.kind = EXPR_COLUMN, .type = g->filter->type};

    TRY(mem_alloc(m, bytes, (void **)&states, err));
    ordinals = (uint64_t *)(void *)(states + t->rows);
    sel = (uint16_t *)(void *)(ordinals + t->rows);
    columns[0] = column_of(t, g->filter);
    TRY_OUT(expr_select(&filter, columns, t->rows, m, sel, &n, err));
    for (uint32_t i = 0; i < n; i++) {
        states[i] = agg_state(r, sel[i]);
        if (r->ordinals)
            ordinals[i] = r->ordinals[sel[i]];
    }
    for (uint32_t k = 0; k < g->n_args; k++) {
        some_args[k] = &some[k];
        TRY_OUT(vector_take(r->args[k], sel, n, m, &some[k], err));
    }
    r->args = some_args;
    r->states = states;
    r->n_few = 0;
    r->ordinals = r->ordinals ? ordinals : NULL;
    r->n = n;
    st = n ? g->class->add(g, r, err) : NRW_OK;
out:
    for (uint32_t k = 0; k < g->n_args; k++)
        vector_release(&some[k]);
    mem_free(m, states, bytes);
    return st;
}

static nrw_status add_to(taking *t, uint32_t k, nrw_error *err)
{
    const aggregate *g = &t->o->shape.aggregates[k];
    const vector *args[AGGREGATE_ARGS] = {0};
    uint32_t at = t->o->shape.states[k];
    bool one = t->o->spec.n_keys == 0;
    uint8_t **states = t->n_few ? t->few : t->states;
    uint32_t n = t->n_few ? t->n_few : one ? 1 : t->rows;
    aggregate_rows r = {.n = t->rows,
                        .states = t->states,
                        .args = args,
                        .one = one,
                        .n_few = t->n_few,
                        .few = t->few,
                        .codes = t->codes,
                        .few_rows = t->few_rows,
                        .ordinals = t->o->placed ? t->numbers : NULL,
                        .m = t->o->m,
                        .scratch = t->b->m};
    nrw_status st;

    for (uint32_t i = 0; i < g->n_args; i++)
        args[i] = column_of(t, g->args[i]);
    group_shift(states, n, at);
    st = g->filter ? add_filtered(t, g, &r, err) : g->class->add(g, &r, err);
    group_shift(states, n, -(ptrdiff_t)at);
    return st;
}

static nrw_status add_all(taking *t, nrw_error *err)
{
    op_group *o = t->o;
    uint64_t first = (t->b->morsel << 32 | t->b->offset) + t->first;

    for (uint32_t i = 0; o->placed && i < t->rows; i++)
        t->numbers[i] = first + i;
    for (uint32_t k = 0; k < o->shape.n_aggregates; k++)
        TRY(add_to(t, k, err));
    return NRW_OK;
}

/* The first n rows alone; then the table is full. */
static nrw_status add_some(const taking *whole, uint32_t n, nrw_error *err)
{
    op_group *o = whole->o;
    mem *m = whole->b->m;
    size_t head = o->n_in * sizeof(vector) + 1;
    taking t = *whole;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, head, (void **)&t.columns, err));
    t.rows = n;
    for (uint32_t c = 0; st >= 0 && c < o->n_in; c++)
        st = vector_slice(&whole->columns[c], 0, n, m, &t.columns[c], err);
    if (st >= 0)
        st = add_all(&t, err);
    for (uint32_t c = 0; c < o->n_in; c++)
        vector_release(&t.columns[c]);
    mem_free(m, t.columns, head);
    return st < 0 ? st : group_flush(o, t.w, err);
}

static nrw_status pass_all(taking *t, nrw_error *err)
{
    nrw_status st = add_all(t, err), passed = NRW_OK;

    if (st < 0) /* states go all the same */
        for (uint32_t i = 0; i < t->rows; i++)
            group_drop_states(&t->o->shape, t->states[i], t->o->m);
    else
        passed = group_pass(t->o, t->w, t->states, t->rows, err);
    return st < 0 ? st : passed;
}

static nrw_status take_rows(taking *t, uint32_t *taken, nrw_error *err)
{
    uint32_t n_keys = t->o->spec.n_keys;

    *taken = t->rows;
    if (n_keys == 0) {
        TRY(find_one(t, err));
    } else {
        const vector *keys[n_keys];
        for (uint32_t c = 0; c < n_keys; c++) {
            vector v;
            TRY(key_canonical(&t->columns[c], t->b->m, &v, err));
            vector_release(&t->columns[c]);
            t->columns[c] = v;
            keys[c] = &t->columns[c];
        }
        TRY(find_groups(t, keys, taken, err));
    }
    if (t->passing)
        return pass_all(t, err);
    t->w->came += *taken;
    return *taken < t->rows ? add_some(t, *taken, err) : add_all(t, err);
}

static nrw_status take_columns(taking *t, uint32_t *taken, nrw_error *err)
{
    size_t bytes = t->rows * (sizeof *t->states + sizeof *t->numbers + sizeof *t->codes);
    nrw_status st;

    TRY(mem_alloc(t->b->m, bytes, (void **)&t->states, err));
    t->numbers = (uint64_t *)(void *)(t->states + t->rows);
    t->codes = (uint32_t *)(void *)(t->numbers + t->rows);
    st = take_rows(t, taken, err);
    mem_free(t->b->m, t->states, bytes);
    return st;
}

/* Some rows at a time, so that their groups stay in the cache while one aggregate after the other
 * sees them; fewer where what they take is more than there is when a table has gone to the spill
 * file. Keys of few codes have few groups. */
static uint32_t slice_rows(const taking *t)
{
    const op_group *o = t->o;
    uint32_t fit;
    uint64_t n_codes = 1;

    if (o->spec.n_keys == 0)
        return t->rows;
    fit = rows_that_fit(&o->shape.layout, t->columns, o->spec.n_keys, mem_limit(t->w->m) / 4,
                        t->rows);
    for (uint32_t c = 0; c < o->spec.n_keys && n_codes <= fit; c++)
        n_codes *= codes_of(&t->columns[c]);
    if (n_codes <= fit && n_codes <= t->rows / 2 && !o->hang)
        return t->rows;
    return fit < GROUP_SLICE ? fit : GROUP_SLICE;
}

/* Rows from `first` on. */
static nrw_status take_slices(const taking *whole, uint32_t first, uint32_t some, nrw_error *err)
{
    op_group *o = whole->o;
    mem *m = whole->b->m;
    size_t head = o->n_in * sizeof(vector) + 1;
    vector *columns;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, head, (void **)&columns, err));
    while (st >= 0 && first < whole->rows) {
        uint32_t left = whole->rows - first, n = left < some ? left : some, taken = 0;
        taking t = {
            .o = o, .w = whole->w, .b = whole->b, .first = first, .rows = n, .columns = columns};
        for (uint32_t c = 0; st >= 0 && c < o->n_in; c++)
            st = vector_slice(&whole->columns[c], first, n, m, &columns[c], err);
        if (st >= 0)
            st = take_columns(&t, &taken, err);
        first += taken;
        for (uint32_t c = 0; c < o->n_in; c++) {
            vector_release(&columns[c]);
            columns[c] = (vector){0};
        }
    }
    mem_free(m, columns, head);
    return st;
}

static nrw_status group_push(op *base, batch *b, nrw_error *err)
{
    op_group *o = (op_group *)base;
    taking t = {.o = o, .w = &o->workers[b->worker], .b = b};
    size_t head = o->n_in * sizeof(vector) + 1;
    uint32_t some, taken = 0;
    nrw_status st;

    if (batch_alive(b) == 0)
        return NRW_OK;
    TRY(mem_zalloc(b->m, head, (void **)&t.columns, err));
    TRY_OUT(dense_take(b, NULL, o->n_in, o->spec.held, t.columns, err));
    t.rows = o->n_in ? t.columns[0].len : batch_alive(b);
    op_count(base, t.rows, 0);
    some = slice_rows(&t);
    if (t.rows <= some)
        TRY_OUT(take_columns(&t, &taken, err));
    st = taken < t.rows ? take_slices(&t, taken, some, err) : NRW_OK;
out:
    for (uint32_t c = 0; c < o->n_in; c++)
        vector_release(&t.columns[c]);
    mem_free(b->m, t.columns, head);
    return st;
}

/* ---- life ---- */

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

/* Once one table went to the spill file all do, so that a partition lies in one place. */
nrw_status group_settle(op_group *o, nrw_error *err)
{
    o->bits = bits_for(o);
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        group_worker *w = &o->workers[i];
        rows_release(&w->scratch);
        if (o->parts && w->table.n)
            TRY(group_flush(o, w, err));
        TRY(group_pass_end(o, w, err));
        if (o->parts)
            group_table_release(&w->table);
        else
            group_table_order(&w->table, o->bits);
        mem_set_limit(w->m, MEM_NO_LIMIT); /* the operator's own limit holds */
    }
    return NRW_OK;
}

static nrw_status group_finish(op *base, nrw_error *err)
{
    return group_settle((op_group *)base, err);
}

uint64_t group_share(const op_group *o)
{
    uint64_t share = o->spec.memory / o->spec.workers;

    return share - share / 8;
}

static void group_close(op *base)
{
    op_group *o = (op_group *)base;

    for (uint32_t i = 0; o->workers && i < o->spec.workers; i++) {
        group_worker *w = &o->workers[i];
        rows_release(&w->scratch);
        group_merged_free(o, w);
        group_table_release(&w->table);
        rows_release(&w->read);
        group_pass_free(w);
        bytes_release(&w->out);
        for (uint32_t k = 0; k < w->n_stack; k++)
            group_part_free(o, &w->stack[k]);
        mem_free(o->m, w->stack, w->cap_stack * sizeof *w->stack);
        mem_free_account(w->m);
    }
    group_kept_free(o);
    for (uint32_t p = 0; o->parts && p < GROUP_PARTITIONS; p++)
        group_part_free(o, &o->parts[p]);
    mem_free(o->m, o->parts, GROUP_PARTITIONS * sizeof *o->parts);
    mem_free(o->m, o->workers, o->spec.workers * sizeof *o->workers);
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
            s->states[k] = ROW_HEAD + *bytes;
            *bytes += aggregate_room(g);
            o->hang += g->class->drop ? GROUP_HANG : 0;
            o->placed |= !(g->class->traits & AGG_UNPLACED);
        }
        o->results[i] = s->states[k];
    }
    return NRW_OK;
}

static nrw_status make_shape(arena *a, op_group *o, nrw_error *err)
{
    const group_spec *spec = &o->spec;
    uint32_t bytes = 0;

    TRY(make_states(a, o, &bytes, err));
    o->n_in = spec->n_keys;
    for (uint32_t i = 0; i < spec->n_aggregates; i++) {
        const aggregate *g = &spec->aggregates[i];
        for (uint32_t k = 0; k < g->n_args; k++)
            expr_columns(g->args[k], see, &o->n_in);
        if (g->filter)
            expr_columns(g->filter, see, &o->n_in);
    }
    TRY(row_layout_new(a, spec->key_types, spec->n_keys, bytes, &o->shape.layout, err));
    return row_layout_new(a, spec->key_types, spec->n_keys, 0, &o->shape.keys, err);
}

nrw_status op_group_new(arena *a, mem *m, const group_spec *spec, spill *s, op **out,
                        nrw_error *err)
{
    op_group *o;
    nrw_status st;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_group){.base.class = &group_class, .spec = *spec, .spill = s};
    o->source = (source){&group_source_class, spec->n_keys + spec->n_aggregates, false};
    pthread_mutex_init(&o->lock, NULL);
    TRY(mem_child(m, "group", spec->memory, &o->m, err));
    TRY_OUT(make_shape(a, o, err));
    TRY_OUT(mem_zalloc(o->m, spec->workers * sizeof *o->workers, (void **)&o->workers, err));
    for (uint32_t i = 0; i < spec->workers; i++) {
        group_worker *w = &o->workers[i];
        TRY_OUT(mem_child(o->m, "groups of a worker", group_share(o), &w->m, err));
        group_table_init(&w->table, &o->shape, w->m, o->m);
        w->scratch.m = w->read.m = w->m;
        w->out = bytes_init(w->m, UINT32_MAX);
    }
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
