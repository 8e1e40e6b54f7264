#include "exec/dense.h"
#include "exec/first_own.h"
#include "exec/op_sort.h"

/* ---- rows come ---- */

/* Twice the number of each row in the input, and one more where it is among the first. The place of
 * its batch and row says as much: numbers only have to rise. */
static nrw_status places(const batch *b, const uint8_t *waits, uint32_t rows, vector *out,
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
        at[i] = (first + row) * 2 + !(waits && bit_get(waits, row));
    }
    return NRW_OK;
}

static nrw_status take_columns(first_late *l, batch *b, vector *taken, batch *out, nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns;

    TRY(dense_take(b, NULL, n, l->of->spec.held, taken, err));
    TRY(dense_new(b, n + 1, taken[n].len, out, err));
    for (uint32_t c = 0; c <= n; c++)
        TRY(dense_put(out, c, &taken[c], err));
    return NRW_OK;
}

nrw_status first_late_take(first_late *l, batch *b, const uint8_t *waits, nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns;
    vector *taken;
    batch made = {0};
    nrw_status st;

    if (batch_alive(b) == 0) {
        for (uint32_t c = 0; c < b->n_cols; c++)
            batch_drop(b, c);
        return NRW_OK;
    }
    TRY(mem_zalloc(b->m, (n + 1) * sizeof *taken, (void **)&taken, err));
    st = places(b, waits, batch_alive(b), &taken[n], err);
    if (st >= 0)
        st = take_columns(l, b, taken, &made, err);
    for (uint32_t c = 0; c <= n; c++)
        vector_release(&taken[c]);
    mem_free(b->m, taken, (n + 1) * sizeof *taken);
    if (st >= 0)
        st = l->by_group->class->push(l->by_group, &made, err);
    if (made.cols)
        dense_free(&made, n + 1);
    return st;
}

/* ---- which of them are among the first ---- */

/* Groups come one behind the other: those before need not be remembered where memory is short. */
static nrw_status decide_row(first_late *l, batch *b, picking *p, uint32_t row, nrw_error *err)
{
    uint32_t taken, none;
    bool known = true;

    if (l->state.groups) {
        TRY(first_state_taken(&l->state, row, &none, &known, err));
        if (!known && mem_used(l->state.m) > mem_limit(l->state.m) / 2) {
            TRY(first_state_clear(&l->state, err));
            TRY(first_state_begin(&l->state, b, err));
        }
    }
    TRY(first_state_taken(&l->of->state, row, &taken, &known, err));
    return first_state_pick_one(&l->state, p, row, taken, err);
}

static nrw_status decide(first_late *l, batch *b, nrw_error *err)
{
    const vector *place;
    const int64_t *at;
    picking p = {0};
    nrw_status st = NRW_OK;

    TRY(batch_hold(b, l->of->spec.n_columns, SIZE_MAX, &place, err));
    TRY(first_state_begin(&l->of->state, b, err));
    TRY(first_state_begin(&l->state, b, err));
    at = (const int64_t *)(const void *)place->data;
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *p.out, (void **)&p.out, err));
    for (uint32_t row = 0; st >= 0 && row < b->rows; row++) {
        if (at[row] & 1)
            p.out[p.n++] = (uint16_t)row;
        else
            st = decide_row(l, b, &p, row, err);
    }
    if (st < 0) {
        mem_free(b->m, p.out, BATCH_MAX_ROWS * sizeof *p.out);
        return st;
    }
    op_count(&l->of->base, 0, b->rows - p.n);
    batch_select(b, p.out, p.n);
    return NRW_OK;
}

static nrw_status late_push(op *base, batch *b, nrw_error *err)
{
    first_late *l = (first_late *)base;
    nrw_status st;

    TRY(turn_wait(&l->turn, b->source_number));
    st = b->rows ? decide(l, b, err) : NRW_OK;
    if (b->last || st < 0)
        turn_done(&l->turn, b->source_number);
    return st < 0 ? first_state_explain(&l->state, st, err) : op_pass(base, b, err);
}

static void late_stop(op *base)
{
    turn_stop(&((first_late *)base)->turn);
}

/* The first operator closes what there is. */
static void late_close(op *base)
{
    (void)base;
}

static const op_class late_class = {"first, late", late_push, NULL, late_stop, late_close};

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

    return any_waits(l) ? next_sorted(l->by_group, &l->groups_ended, b, err) : NRW_END;
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

/* All groups are decided: what was for them is free. */
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
    return &((op_first *)o)->late.base;
}

source *op_first_rest(op *o)
{
    return &((op_first *)o)->late.rows;
}

/* ---- life ---- */

/* By the columns of the groups, if so, and by place. */
static nrw_status open_sort(arena *a, op_first *o, const type *types, bool groups, spill *s,
                            op **out, nrw_error *err)
{
    const first_spec *f = &o->spec;
    const uint32_t n = groups ? f->n_per : 0;
    sort_order *orders;
    sort_spec spec = {.n_columns = f->n_columns + 1,
                      .n_aside = !groups,
                      .types = types,
                      .n_orders = n + 1,
                      .unique = true,
                      .limit = UINT64_MAX,
                      .workers = f->workers,
                      .memory = first_late_sort(f->late),
                      .merging = sort_merging(first_late_sort(f->late)),
                      .held = f->held,
                      .cancel = f->cancel};

    TRY(arena_alloc(a, (n + 1) * sizeof *orders, (void **)&orders, err));
    for (uint32_t i = 0; i <= n; i++)
        orders[i] = (sort_order){.column = i < n ? f->per[i] : f->n_columns};
    spec.orders = orders;
    return op_sort_new(a, o->m, &spec, s, out, err);
}

nrw_status first_late_open(arena *a, op_first *o, spill *s, nrw_error *err)
{
    const first_spec *f = &o->spec;
    first_late *l = &o->late;
    type *types;

    *l = (first_late){.base = {.class = &late_class, .cancel = f->cancel},
                      .of = o,
                      .groups = {&groups_class, f->n_columns + 1, false},
                      .rows = {&rows_class, f->n_columns, false}};
    turn_init(&l->turn);
    if (!f->late)
        return NRW_OK;
    TRY(arena_alloc(a, (f->n_columns + 1) * sizeof *types, (void **)&types, err));
    memcpy(types, f->types, f->n_columns * sizeof *types);
    types[f->n_columns] = type_of(TYPE_INT64);
    TRY(open_sort(a, o, types, true, s, &l->by_group, err));
    TRY(open_sort(a, o, types, false, s, &l->by_place, err));
    l->base.next = l->by_place;
    l->state.spec = f;
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
