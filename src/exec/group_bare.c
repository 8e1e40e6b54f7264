/* Bare rows: rows that pass without having met a table have their arguments where their states will
 * be. So they are short in the spill file, where a state of one row mostly is not, and no aggregate
 * sees them before their group is there. A row's word that is free for its owner says that it is
 * bare, and which arguments are not null. */
#include "exec/group_taking.h"

#define MOST_ARGUMENTS 31u /* bits of that word; the upper one says bare */
#define BARE           ((uint32_t)1 << MOST_ARGUMENTS)
#define BITS_AT        4u

static uint32_t arguments(const op_group *o)
{
    return o->n_in - o->spec.n_keys;
}

/* One behind the other, each in words of its own, which are packed by themselves. */
nrw_status group_bare_shape(arena *a, op_group *o, const type *const *types, nrw_error *err)
{
    const uint32_t n = arguments(o);
    row_layout *l = &o->shape.bare;
    type *own;
    uint32_t at = ROW_HEAD;

    TRY(arena_alloc(a, n * sizeof *l->at + 1, (void **)&l->at, err));
    TRY(arena_alloc(a, n * sizeof *own + 1, (void **)&own, err));
    o->shape.bares = o->spec.n_keys && !o->spec.marks && !o->shape.saves && !o->shape.drops &&
                     !o->placed && n <= MOST_ARGUMENTS;
    for (uint32_t c = 0; c < n && o->shape.bares; c++) {
        o->shape.bares = types[c] && !type_is_view(types[c]) && !type_is_nested(types[c]);
        if (!o->shape.bares)
            break;
        own[c] = *types[c];
        l->at[c] = at;
        at += (own[c].width + 7) & ~7u;
    }
    o->shape.bares &= at <= o->shape.layout.bits;
    l->n = n;
    l->types = own;
    l->bits = BITS_AT;
    l->fixed = at;
    return NRW_OK;
}

nrw_status group_bare_make(group_taking *t, nrw_error *err)
{
    const uint32_t n = arguments(t->o);
    const vector *columns[MOST_ARGUMENTS];

    for (uint32_t c = 0; c < n; c++)
        columns[c] = &t->columns[t->o->spec.n_keys + c];
    for (uint32_t i = 0; i < t->rows; i++)
        store_u32(t->states[i] + BITS_AT, BARE);
    return rows_put(&t->o->shape.bare, columns, t->rows, t->b->m, t->states, err);
}

static bool looks_at(const aggregate *g, uint32_t c)
{
    bool looks = g->filter && g->filter->column == c;

    for (uint32_t k = 0; k < g->n_args; k++)
        looks |= g->args[k]->column == c;
    return looks;
}

/* Whether an aggregate wants a key, too. */
static bool is_wanted(const op_group *o, uint32_t c)
{
    bool wanted = c >= o->spec.n_keys;

    for (uint32_t i = 0; i < o->shape.n_aggregates && !wanted; i++)
        wanted = looks_at(&o->shape.aggregates[i], c);
    return wanted;
}

static nrw_status columns_of(group_taking *t, uint8_t **rows, nrw_error *err)
{
    const group_shape *s = &t->o->shape;
    const uint8_t *const *at = (const uint8_t *const *)rows;
    const uint32_t n_keys = t->o->spec.n_keys;

    for (uint32_t c = 0; c < t->o->n_in; c++)
        if (is_wanted(t->o, c))
            TRY(rows_column(c < n_keys ? &s->layout : &s->bare, at, t->rows,
                            c < n_keys ? c : c - n_keys, t->b->m, &t->columns[c], err));
    return NRW_OK;
}

static nrw_status join_all(group_taking *t, uint8_t **rows, bool copy, nrw_error *err)
{
    const uint32_t extra = t->o->shape.layout.extra;

    for (uint32_t i = 0; i < t->rows; i++) {
        memset(row_extra(rows[i]), 0, extra);
        store_u32(rows[i] + BITS_AT, 0);
        TRY(group_table_join(&t->w->table, rows[i], copy, &t->states[i], err));
    }
    return NRW_OK;
}

nrw_status group_bare_take(op_group *o, group_worker *w, uint8_t **rows, uint32_t n, bool copy,
                           nrw_error *err)
{
    batch b = {.m = w->m};
    group_taking t = {.o = o, .w = w, .b = &b, .rows = n};
    const size_t head = o->n_in * sizeof(vector), bytes = head + n * sizeof *t.states;
    nrw_status st;

    TRY(mem_zalloc(w->m, bytes, (void **)&t.columns, err));
    t.states = (uint8_t **)(void *)((uint8_t *)t.columns + head);
    st = columns_of(&t, rows, err);
    if (st >= 0)
        st = join_all(&t, rows, copy, err);
    if (st >= 0)
        st = group_add(&t, err);
    for (uint32_t c = 0; c < o->n_in; c++)
        vector_release(&t.columns[c]);
    mem_free(w->m, t.columns, bytes);
    return st;
}
