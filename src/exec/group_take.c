#include "exec/dense.h"
#include "exec/group_taking.h"
#include "exec/hash_rows.h"

static const vector *column_of(const group_taking *t, const expr *e)
{
    return &t->columns[e->column];
}

/* Only rows whose filter is true. */
static nrw_status add_filtered(group_taking *t, const aggregate *g, aggregate_rows *r,
                               nrw_error *err)
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

static nrw_status add_to(group_taking *t, uint32_t k, nrw_error *err)
{
    const aggregate *g = &t->o->shape.aggregates[k];
    const vector *args[AGGREGATE_ARGS] = {0};
    uint32_t at = t->o->shape.states[k];
    bool one = t->o->spec.n_keys == 0,
         runs = t->n_runs && !g->filter && g->class->traits & AGG_RUNS;
    uint8_t **states = runs ? t->runs : t->n_few ? t->few : t->states;
    uint32_t n = runs ? t->n_runs : t->n_few ? t->n_few : one ? 1 : t->rows;
    aggregate_rows r = {.n = t->rows,
                        .states = runs ? t->runs : t->states,
                        .n_runs = runs ? n : 0,
                        .ends = t->ends,
                        .args = args,
                        .one = one,
                        .n_few = t->n_few,
                        .few = t->few,
                        .codes = t->codes,
                        .few_rows = t->few_rows,
                        .ordinals = t->o->placed ? t->numbers : NULL,
                        .m = t->w->table.hang,
                        .scratch = t->b->m};
    nrw_status st;

    if (t->n_runs && !runs)
        group_runs_spread(t);
    for (uint32_t i = 0; i < g->n_args; i++)
        args[i] = column_of(t, g->args[i]);
    group_shift(states, n, at);
    st = g->filter ? add_filtered(t, g, &r, err) : g->class->add(g, &r, err);
    group_shift(states, n, -(ptrdiff_t)at);
    return st;
}

nrw_status group_add(group_taking *t, nrw_error *err)
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
static nrw_status add_some(const group_taking *whole, uint32_t n, nrw_error *err)
{
    op_group *o = whole->o;
    mem *m = whole->b->m;
    size_t head = o->n_in * sizeof(vector) + 1;
    group_taking t = *whole;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, head, (void **)&t.columns, err));
    t.rows = n;
    for (uint32_t c = 0; st >= 0 && c < o->n_in; c++)
        st = vector_slice(&whole->columns[c], 0, n, m, &t.columns[c], err);
    if (st >= 0)
        st = group_add(&t, err);
    for (uint32_t c = 0; c < o->n_in; c++)
        vector_release(&t.columns[c]);
    mem_free(m, t.columns, head);
    return st < 0 ? st : group_send_away(o, t.w, whole->b, err);
}

static nrw_status pass_all(group_taking *t, nrw_error *err)
{
    nrw_status st = t->o->shape.bares ? group_bare_make(t, err) : group_add(t, err),
               passed = NRW_OK;

    if (st < 0) /* states go all the same */
        for (uint32_t i = 0; i < t->rows; i++)
            group_drop_states(&t->o->shape, t->states[i], t->w->table.hang);
    else
        passed = group_pass(t->o, t->w, t->states, t->rows, err);
    return st < 0 ? st : passed;
}

nrw_status group_canonical_keys(group_taking *t, nrw_error *err)
{
    for (uint32_t c = 0; c < t->o->spec.n_keys; c++) {
        vector v;
        TRY(key_canonical(&t->columns[c], t->b->m, &v, err));
        vector_release(&t->columns[c]);
        t->columns[c] = v;
    }
    return NRW_OK;
}

static nrw_status take_rows(group_taking *t, uint32_t *taken, nrw_error *err)
{
    const vector *keys[t->o->spec.n_keys + 1];

    if (!t->hashes) /* else they are, and were hashed so */
        TRY(group_canonical_keys(t, err));
    for (uint32_t c = 0; c < t->o->spec.n_keys; c++)
        keys[c] = &t->columns[c];
    TRY(group_find(t, keys, taken, err));
    if (t->passing)
        return pass_all(t, err);
    t->w->came += *taken;
    return *taken < t->rows ? add_some(t, *taken, err) : group_add(t, err);
}

nrw_status group_take_columns(group_taking *t, uint32_t *taken, nrw_error *err)
{
    size_t bytes = t->rows * (sizeof *t->states + sizeof *t->numbers + sizeof *t->codes);
    nrw_status st;

    TRY(mem_alloc(t->b->m, bytes, (void **)&t->states, err));
    t->numbers = (uint64_t *)(void *)(t->states + t->rows);
    t->codes = (uint32_t *)(void *)(t->numbers + t->rows);
    st = take_rows(t, taken, err);
    group_runs_free(t);
    mem_free(t->b->m, t->states, bytes);
    return st;
}

/* Whether keys have so few values that not every row is looked up. */
static bool few_codes(const group_taking *t, uint32_t most)
{
    uint64_t n = 1;

    for (uint32_t c = 0; c < t->o->spec.n_keys && n <= most; c++)
        n *= group_codes(&t->columns[c]);
    return n <= most && n <= t->rows / 2;
}

/* Some rows at a time, so that their groups stay in the cache while one aggregate after the other
 * sees them, more of them where all groups do; fewer where what they take is more than there is
 * when a table has gone to the spill file. Keys of few codes have few groups. */
static uint32_t slice_rows(const group_taking *t)
{
    const op_group *o = t->o;
    const uint32_t most = t->w->table.rows.bytes > GROUP_NEAR ? GROUP_SLICE : GROUP_SLICE_NEAR;
    const row_layout *l = &o->shape.layout;
    const uint64_t bytes = mem_limit(t->w->m) / 4;
    const uint32_t n = o->spec.n_keys;
    const bool runs = o->spec.marks && !t->w->mixed && !o->hang;
    uint32_t fit;

    if (n == 0 && !o->hang)
        return t->rows;
    if (!o->hang && !runs && few_codes(t, rows_that_surely_fit(l, t->columns, n, bytes, t->rows)))
        return t->rows;
    fit = rows_that_fit(l, t->columns, n, bytes, t->rows);
    if (runs)
        return fit < GROUP_RUNS ? fit : GROUP_RUNS;
    return fit < most ? fit : most;
}

/* A text as a piece (base/piece.h), at most. */
static uint64_t piece_most(size_t len)
{
    const size_t page = 4096;

    return len <= page / 2 ? len + len / 3 : (len / page + 2) * page;
}

/* What rows [first, first + n) may come to hang from states by one argument. */
static uint64_t argument_hangs(const vector *v, uint32_t first, uint32_t n)
{
    uint64_t bytes = 0;
    bool null;

    if (type_is_nested(&v->type))
        return vector_bytes(v) / v->len * n;
    for (uint32_t i = 0; type_is_view(&v->type) && i < n; i++)
        bytes += piece_most(vector_value(v, first + i, &null).len);
    return bytes;
}

static uint64_t rows_hang(const group_taking *t, uint32_t first, uint32_t n)
{
    const group_shape *s = &t->o->shape;
    uint64_t bytes = (uint64_t)n * t->o->hang;

    for (uint32_t k = 0; k < s->n_aggregates; k++) {
        const aggregate *g = &s->aggregates[k];
        for (uint32_t i = 0; g->class->drop && i < g->n_args; i++)
            bytes += argument_hangs(column_of(t, g->args[i]), first, n);
    }
    return bytes;
}

/* How many of n rows from `first` on are taken at once; *hangs: what they may come to hang from
 * states, which is to be a small part of what there is when all others have gone. */
static uint32_t rows_at_once(const group_taking *t, uint32_t first, uint32_t n, uint64_t *hangs)
{
    const op_group *o = t->o;
    const uint64_t most = o->spec.memory / o->spec.workers / 16;

    *hangs = 0;
    while (o->hang && (*hangs = rows_hang(t, first, n)) > most && n > 1)
        n = n * most / *hangs ? (uint32_t)(n * most / *hangs) : 1;
    return n;
}

nrw_status group_take_slices(const group_taking *whole, uint32_t some, uint32_t *first,
                             nrw_error *err)
{
    op_group *o = whole->o;
    mem *m = whole->b->m;
    size_t head = o->n_in * sizeof(vector) + 1;
    vector *columns;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, head, (void **)&columns, err));
    do {
        uint32_t left = whole->rows - *first, taken = 0;
        group_taking t = {.o = o,
                          .w = whole->w,
                          .b = whole->b,
                          .first = whole->first + *first,
                          .columns = columns,
                          .hashes = whole->hashes,
                          .sel = whole->sel ? whole->sel + *first : NULL};
        t.rows = rows_at_once(whole, *first, left < some ? left : some, &t.hangs);
        for (uint32_t c = 0; st >= 0 && c < o->n_in; c++)
            st = vector_slice(&whole->columns[c], *first, t.rows, m, &columns[c], err);
        if (st >= 0)
            st = group_take_columns(&t, &taken, err);
        *first += taken;
        for (uint32_t c = 0; c < o->n_in; c++) {
            vector_release(&columns[c]);
            columns[c] = (vector){0};
        }
    } while (st >= 0 && *first < whole->rows && !group_begins_sharing(o, whole->w));
    mem_free(m, columns, head);
    return st;
}

/* Rows from *first on into the worker's own table. */
static nrw_status take_own(group_taking *t, uint32_t *first, nrw_error *err)
{
    const uint32_t some = slice_rows(t);

    if (*first == 0 && t->rows <= some && rows_at_once(t, 0, t->rows, &t->hangs) == t->rows)
        TRY(group_take_columns(t, first, err));
    return *first < t->rows ? group_take_slices(t, some, first, err) : NRW_OK;
}

static nrw_status take_all(group_taking *t, nrw_error *err)
{
    uint32_t first = 0;
    nrw_status st = NRW_OK;
    bool share;

    while (st >= 0 && first < t->rows) {
        TRY(group_sharing(t->o, t->w, &share, err));
        if (share && !few_codes(t, t->rows))
            return group_take_shared(t, first, err);
        if (t->o->shares)
            pthread_mutex_lock(&t->w->lock);
        st = take_own(t, &first, err);
        if (t->o->shares)
            pthread_mutex_unlock(&t->w->lock);
    }
    return st;
}

nrw_status group_take(op_group *o, batch *b, nrw_error *err)
{
    group_taking t = {.o = o, .w = &o->workers[b->worker], .b = b};
    size_t head = o->n_in * sizeof(vector) + 1;
    nrw_status st;

    if (batch_alive(b) == 0)
        return NRW_OK;
    TRY(mem_zalloc(b->m, head, (void **)&t.columns, err));
    TRY_OUT(batch_take(b, NULL, o->n_in, o->spec.held, t.columns, err));
    t.rows = o->n_in ? t.columns[0].len : batch_alive(b);
    op_count(&o->base, t.rows, 0);
    st = take_all(&t, err);
out:
    for (uint32_t c = 0; c < o->n_in; c++)
        vector_release(&t.columns[c]);
    mem_free(b->m, t.columns, head);
    return st;
}
