#include "exec/dense.h"
#include "exec/first_own.h"
#include "exec/op_sort.h"

/* A place: the number of a row in the input, four times, and what stands there. */
enum { MARK, LATE, IS_FIRST, PLACES };

static uint32_t n_keys(const first_spec *s)
{
    return s->n_per + s->n_of;
}

/* ---- rows come ---- */

/* Numbers only have to rise: the place of batch and row says as much as the row's ordinal. */
static nrw_status places(const batch *b, const uint8_t *late, uint32_t rows, vector *out,
                         nrw_error *err)
{
    const type bigint = type_of(TYPE_INT64);
    const int64_t first = (int64_t)(b->morsel << 32 | b->offset);
    int64_t *at;

    TRY(vector_flat(b->m, &bigint, rows, out, err));
    out->len = rows;
    at = (int64_t *)(void *)out->data;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = b->sel ? b->sel[i] : i;
        at[i] = (first + row) * PLACES + (late && bit_get(late, row) ? LATE : IS_FIRST);
    }
    return NRW_OK;
}

static nrw_status share_column(const vector *v, batch *out, uint32_t c, nrw_error *err)
{
    vector same;

    TRY(vector_share(v, &same, err));
    return dense_put(out, c, &same, err);
}

/* Keys of the late ones, which columns `all` has, with their places. */
static nrw_status keys_of(const first_late *l, const batch *b, const vector *all, uint32_t rows,
                          batch *out, nrw_error *err)
{
    const first_spec *s = &l->of->spec;
    const int64_t *at = (const int64_t *)(const void *)all[s->n_columns].data;
    uint16_t *sel;
    uint32_t n = 0;

    TRY(dense_new(b, n_keys(s) + 1, rows, out, err));
    for (uint32_t i = 0; i < s->n_per; i++)
        TRY(share_column(&all[s->per[i]], out, i, err));
    for (uint32_t i = 0; i < s->n_of; i++)
        TRY(share_column(&all[s->of[i]], out, s->n_per + i, err));
    TRY(share_column(&all[s->n_columns], out, n_keys(s), err));
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *sel, (void **)&sel, err));
    for (uint32_t i = 0; i < rows; i++)
        if (at[i] % PLACES == LATE)
            sel[n++] = (uint16_t)i;
    batch_select(out, sel, n);
    return NRW_OK;
}

static nrw_status push_keys(const first_late *l, const batch *b, const vector *all, uint32_t rows,
                            nrw_error *err)
{
    batch keys = {0};
    nrw_status st = keys_of(l, b, all, rows, &keys, err);

    if (st >= 0)
        st = l->by_group->class->push(l->by_group, &keys, err);
    if (keys.cols)
        dense_free(&keys, n_keys(&l->of->spec) + 1);
    return st;
}

/* Columns all[0..n), which are moved, also on failure. */
static nrw_status push_rows(const first_late *l, const batch *b, vector *all, uint32_t n,
                            nrw_error *err)
{
    batch rows = {0};
    nrw_status st = dense_new(b, n, all[n - 1].len, &rows, err);

    for (uint32_t c = 0; st >= 0 && c < n; c++)
        st = dense_put(&rows, c, &all[c], err);
    if (st >= 0)
        st = l->by_place->class->push(l->by_place, &rows, err);
    if (rows.cols)
        dense_free(&rows, n);
    return st;
}

static nrw_status take(first_late *l, batch *b, const uint8_t *late, vector *all, nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns, rows = batch_alive(b);

    TRY(places(b, late, rows, &all[n], err));
    TRY(dense_take(b, NULL, n, l->of->spec.held, all, err));
    if (late)
        TRY(push_keys(l, b, all, rows, err));
    return push_rows(l, b, all, n + 1, err);
}

nrw_status first_late_take(first_late *l, batch *b, const uint8_t *late, nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns + 1;
    vector *all;
    nrw_status st;

    if (batch_alive(b) == 0) {
        for (uint32_t c = 0; c < b->n_cols; c++)
            batch_drop(b, c);
        return NRW_OK;
    }
    TRY(mem_zalloc(b->m, n * sizeof *all, (void **)&all, err));
    st = take(l, b, late, all, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&all[c]);
    mem_free(b->m, all, n * sizeof *all);
    return st;
}

/* ---- which of them are among the first ---- */

/* Groups come one behind the other: those before need not be remembered. The tables may double at
 * one row, with the old ones beside them. */
static nrw_status decide_row(first_late *l, batch *b, picking *p, uint32_t row, nrw_error *err)
{
    uint32_t taken, none;
    bool known = true;

    if (l->state.groups) {
        TRY(first_state_taken(&l->state, row, &none, &known, err));
        if (!known && mem_used(l->state.m) > mem_limit(l->state.m) / 4) {
            TRY(first_state_clear(&l->state, err));
            TRY(first_state_begin(&l->state, b, err));
        }
    }
    TRY(first_state_taken(&l->of->state, row, &taken, &known, err));
    return first_state_pick_one(&l->state, p, row, taken, err);
}

static nrw_status pick_keys(first_late *l, batch *b, picking *p, nrw_error *err)
{
    TRY(first_state_begin(&l->of->state, b, err));
    TRY(first_state_begin(&l->state, b, err));
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *p->out, (void **)&p->out, err));
    for (uint32_t row = 0; row < b->rows; row++)
        TRY(decide_row(l, b, p, row, err));
    return NRW_OK;
}

/* Rows without values, at the places of those that were picked. */
static nrw_status marks_of(const first_late *l, const batch *b, const vector *place,
                           const picking *p, vector *all, nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns;
    const type bigint = type_of(TYPE_INT64);
    const int64_t *from = (const int64_t *)(const void *)place->data;
    int64_t *at;

    for (uint32_t c = 0; c < n; c++)
        TRY(vector_nulls(b->m, &l->of->spec.types[c], p->n, &all[c], err));
    TRY(vector_flat(b->m, &bigint, p->n, &all[n], err));
    all[n].len = p->n;
    at = (int64_t *)(void *)all[n].data;
    for (uint32_t i = 0; i < p->n; i++)
        at[i] = from[p->out[i]] / PLACES * PLACES + MARK;
    return NRW_OK;
}

static nrw_status push_marks(first_late *l, batch *b, const picking *p, nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns + 1;
    const vector *place;
    vector *all;
    nrw_status st;

    TRY(batch_hold(b, n_keys(&l->of->spec), SIZE_MAX, &place, err));
    TRY(mem_zalloc(b->m, n * sizeof *all, (void **)&all, err));
    st = marks_of(l, b, place, p, all, err);
    if (st >= 0)
        st = push_rows(l, b, all, n, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&all[c]);
    mem_free(b->m, all, n * sizeof *all);
    return st;
}

static first_late *of_decide(op *o)
{
    return (first_late *)(void *)((char *)o - offsetof(first_late, decide));
}

static nrw_status decide_push(op *base, batch *b, nrw_error *err)
{
    first_late *l = of_decide(base);
    picking p = {0};
    nrw_status st;

    TRY(turn_wait(&l->deciding, b->source_number));
    st = b->rows ? pick_keys(l, b, &p, err) : NRW_OK;
    if (b->last || st < 0)
        turn_done(&l->deciding, b->source_number);
    if (st < 0)
        st = first_state_explain(&l->state, st, err);
    else if (p.n)
        st = push_marks(l, b, &p, err);
    mem_free(b->m, p.out, p.out ? BATCH_MAX_ROWS * sizeof *p.out : 0);
    for (uint32_t c = 0; c < b->n_cols; c++)
        batch_drop(b, c);
    return st;
}

static void decide_stop(op *base)
{
    turn_stop(&of_decide(base)->deciding);
}

/* The first operator closes what there is. */
static void close_nothing(op *base)
{
    (void)base;
}

static const op_class decide_class = {"first, late", decide_push, NULL, decide_stop, close_nothing};

/* ---- rows leave ---- */

static first_late *of_sift(op *o)
{
    return (first_late *)(void *)((char *)o - offsetof(first_late, sift));
}

/* Rows that were among the first when they came, and those right behind a mark. */
static nrw_status sift(first_late *l, batch *b, nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns;
    const vector *place;
    const int64_t *at;
    uint32_t some = 0, late = 0, kept = 0;
    uint16_t *sel;

    TRY(batch_hold(b, n, SIZE_MAX, &place, err));
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *sel, (void **)&sel, err));
    at = (const int64_t *)(const void *)place->data;
    for (uint32_t i = 0; i < b->rows; i++) {
        const int64_t kind = at[i] % PLACES, row = at[i] / PLACES;
        const bool stays = kind == IS_FIRST || (kind == LATE && row == l->marked);
        if (kind == MARK)
            l->marked = row;
        late += kind == LATE;
        kept += kind == LATE && stays;
        sel[some] = (uint16_t)i;
        some += stays;
    }
    op_count(&l->of->base, 0, late - kept);
    batch_select(b, sel, some);
    batch_drop(b, n);
    return NRW_OK;
}

static nrw_status sift_push(op *base, batch *b, nrw_error *err)
{
    first_late *l = of_sift(base);
    const uint32_t n = b->n_cols;
    nrw_status st;

    TRY(turn_wait(&l->sifting, b->source_number));
    st = b->rows ? sift(l, b, err) : NRW_OK;
    if (b->last || st < 0)
        turn_done(&l->sifting, b->source_number);
    if (st < 0)
        return st;
    b->n_cols = l->of->spec.n_columns;
    st = op_pass(base, b, err);
    b->n_cols = n;
    return st;
}

static void sift_stop(op *base)
{
    turn_stop(&of_sift(base)->sifting);
}

static const op_class sift_class = {"first, sifted", sift_push, NULL, sift_stop, close_nothing};

/* ---- the sources ---- */

static bool any_waits(const first_late *l)
{
    return l->by_group && l->of->state.frozen;
}

static nrw_status next_sorted(op *sort, bool *ended, batch *b, nrw_error *err)
{
    source *s = op_sort_source(sort);

    if (!*ended)
        TRY(sort->class->finish(sort, err));
    *ended = true;
    return s->class->next(s, b, err);
}

static first_late *of_groups(source *s)
{
    return (first_late *)(void *)((char *)s - offsetof(first_late, groups));
}

static nrw_status groups_next(source *s, batch *b, nrw_error *err)
{
    first_late *l = of_groups(s);

    if (!any_waits(l))
        return NRW_END;
    if (!l->groups_ended)
        first_state_move(&l->of->state, &l->keys);
    return next_sorted(l->by_group, &l->groups_ended, b, err);
}

static nrw_status groups_fill(source *s, batch *b, nrw_error *err)
{
    s = op_sort_source(of_groups(s)->by_group);
    return s->class->fill(s, b, err);
}

static const source_class groups_class = {
    "first, by group", groups_next, groups_fill, NULL, NULL, NULL, NULL, false};

static first_late *of_rows(source *s)
{
    return (first_late *)(void *)((char *)s - offsetof(first_late, rows));
}

/* All is decided: what was for it is free. */
static nrw_status rows_next(source *s, batch *b, nrw_error *err)
{
    first_late *l = of_rows(s);

    if (!any_waits(l) && !l->rows_ended)
        return NRW_END;
    op_close(l->by_group);
    l->by_group = NULL;
    return next_sorted(l->by_place, &l->rows_ended, b, err);
}

static nrw_status rows_fill(source *s, batch *b, nrw_error *err)
{
    s = op_sort_source(of_rows(s)->by_place);
    return s->class->fill(s, b, err);
}

static const source_class rows_class = {
    "first, late rows", rows_next, rows_fill, NULL, NULL, NULL, NULL, false};

source *op_first_waiting(op *o)
{
    return &((op_first *)o)->late.groups;
}

op *op_first_decide(op *o)
{
    return &((op_first *)o)->late.decide;
}

op *op_first_sift(op *o)
{
    return &((op_first *)o)->late.sift;
}

source *op_first_rest(op *o)
{
    return &((op_first *)o)->late.rows;
}

/* ---- life ---- */

/* By the first `by` columns and the last one. */
static nrw_status open_sort(arena *a, op_first *o, const type *types, uint32_t n, uint32_t by,
                            spill *s, op **out, nrw_error *err)
{
    const first_spec *f = &o->spec;
    sort_order *orders;
    sort_spec spec = {.n_columns = n,
                      .types = types,
                      .n_orders = by + 1,
                      .unique = true,
                      .limit = UINT64_MAX,
                      .workers = f->workers,
                      .memory = first_late_sort(f->late),
                      .merging = sort_merging(first_late_sort(f->late)),
                      .held = f->held,
                      .cancel = f->cancel};

    TRY(arena_alloc(a, (by + 1) * sizeof *orders, (void **)&orders, err));
    for (uint32_t i = 0; i <= by; i++)
        orders[i] = (sort_order){.column = i < by ? i : n - 1};
    spec.orders = orders;
    return op_sort_new(a, o->m, &spec, s, out, err);
}

/* Groups come first in batches of keys, then ids, then the place. */
static nrw_status open_keys(arena *a, first_late *l, spill *s, nrw_error *err)
{
    const first_spec *f = &l->of->spec;
    const uint32_t n = n_keys(f);
    uint32_t *columns;
    type *types;

    TRY(arena_alloc(a, n * sizeof *columns + 1, (void **)&columns, err));
    TRY(arena_alloc(a, (n + 1) * sizeof *types, (void **)&types, err));
    for (uint32_t i = 0; i < n; i++) {
        columns[i] = i;
        types[i] = f->types[i < f->n_per ? f->per[i] : f->of[i - f->n_per]];
    }
    types[n] = type_of(TYPE_INT64);
    l->keys = *f;
    l->keys.per = columns;
    l->keys.of = columns + f->n_per;
    l->groups.n_cols = n + 1;
    return open_sort(a, l->of, types, n + 1, f->n_per, s, &l->by_group, err);
}

static nrw_status open_rows(arena *a, first_late *l, spill *s, nrw_error *err)
{
    const first_spec *f = &l->of->spec;
    type *types;

    TRY(arena_alloc(a, (f->n_columns + 1) * sizeof *types, (void **)&types, err));
    memcpy(types, f->types, f->n_columns * sizeof *types);
    types[f->n_columns] = type_of(TYPE_INT64);
    return open_sort(a, l->of, types, f->n_columns + 1, 0, s, &l->by_place, err);
}

nrw_status first_late_open(arena *a, op_first *o, spill *s, nrw_error *err)
{
    const first_spec *f = &o->spec;
    first_late *l = &o->late;

    *l = (first_late){.decide = {.class = &decide_class, .cancel = f->cancel},
                      .sift = {.class = &sift_class, .cancel = f->cancel},
                      .of = o,
                      .groups = {&groups_class, 0, false},
                      .rows = {&rows_class, f->n_columns + 1, false},
                      .marked = -1};
    turn_init(&l->deciding);
    turn_init(&l->sifting);
    if (!f->late)
        return NRW_OK;
    TRY(open_keys(a, l, s, err));
    TRY(open_rows(a, l, s, err));
    l->state.spec = &l->keys;
    TRY(mem_child(o->m, "first of a group", f->late - 2 * first_late_sort(f->late), &l->state.m,
                  err));
    return first_state_open(&l->state, 0, err);
}

void first_late_close(first_late *l)
{
    op_close(l->by_group);
    op_close(l->by_place);
    first_state_close(&l->state);
    l->by_group = l->by_place = NULL;
}
