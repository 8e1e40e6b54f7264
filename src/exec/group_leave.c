/* A stretch that is complete leaves: groups of marks before it first, then as its rows came where
 * its key rises, else in the order of hashes, put together by a table, or, once more than memory
 * holds was spilled, by partitions. */
#include "exec/group_own.h"

#include <stdlib.h>

enum { HEADS, BLOCKS, LISTS, MIXED, NULLS, OVER };

/* Whether rows[0..n) are as many as leave at a time. */
static bool is_enough(const group_leaving *l, uint32_t n)
{
    return n == GROUP_LEAVE || l->bulk >= GROUP_BULK;
}

static void walk_rows(const op_group *o, group_leaving *l, const rows *r, uint8_t **row,
                      uint32_t *n)
{
    while (!is_enough(l, *n) && group_walk_next(r, &l->walk, &row[*n]))
        l->bulk += group_bulk(o, row[(*n)++]);
}

static void next_phase(group_leaving *l, uint32_t phase)
{
    l->phase = phase;
    l->walk = (group_walk){0};
}

/* ---- in the order of the input ---- */

static int by_place(const void *a, const void *b)
{
    const uint8_t *x = *(uint8_t *const *)a, *y = *(uint8_t *const *)b;

    return (x > y) - (x < y);
}

static nrw_status load_one(op_group *o, group_worker *w, spill_block *b, nrw_error *err)
{
    group_part one = {.bytes = b->len};
    nrw_status st;

    one.blocks.blocks[one.blocks.n++] = *b;
    st = group_load(o, w, &one, GROUP_ADOPT, err);
    group_part_free(o, &one);
    return st;
}

/* The rows of the next spilled block as they lie in it; with the rest of the last one, which is the
 * blocks behind it. */
static nrw_status load_block(op_group *o, group_worker *w, uint8_t **row, uint32_t *n,
                             nrw_error *err)
{
    group_walk copies = {0};
    spill_block b;
    nrw_status st = spill_chain_take(&w->leaving.s.spilled.blocks, o->spill, &b, err);

    if (st == NRW_END)
        next_phase(&w->leaving, LISTS);
    if (st != NRW_OK)
        return st < 0 ? st : NRW_OK;
    group_table_clear(&w->table);
    rows_clear(&w->read);
    for (w->goes_on = false; st == NRW_OK;) {
        TRY(load_one(o, w, &b, err));
        if (!w->goes_on)
            break;
        st = spill_chain_take(&w->leaving.s.spilled.blocks, o->spill, &b, err);
    }
    if (st < 0)
        return st;
    w->at = 0;
    if (o->shape.saves)
        while (*n < GROUP_LEAVE && group_walk_next(&w->table.rows, &copies, &row[*n]))
            ++*n;
    else
        while (*n < GROUP_LEAVE && group_table_next(&w->table, &w->at, &row[*n]))
            ++*n;
    if (!o->shape.saves)
        qsort(row, *n, sizeof *row, by_place);
    return NRW_OK;
}

/* ---- in the order of hashes ---- */

static nrw_status adopt_list(op_group *o, group_table *into, const group_list *l, mem *m,
                             nrw_error *err)
{
    uint8_t *some[256];
    group_walk at = {0};
    uint32_t n;

    do {
        for (n = 0; n < 256; n++)
            if (!group_walk_next(&l->rows, &at, &some[n]))
                break;
        if (!l->hashed)
            TRY(group_hash_rows(o, some, n, m, err));
        for (uint32_t i = 0; i < n; i++)
            group_table_expect(into, row_hash(some[i]));
        for (uint32_t i = 0; i < n; i++)
            TRY(group_table_adopt(into, some[i], err));
    } while (n == 256);
    return NRW_OK;
}

/* A table over the rows where they lie; false where there is no room for one. */
static nrw_status table_of_lists(op_group *o, group_worker *w, mem *m, bool *made, nrw_error *err)
{
    group_stretch *s = &w->leaving.s;
    nrw_error none = NRW_ERROR_INIT;
    uint64_t n = 1;

    *made = false;
    w->at = 0;
    for (uint32_t i = 0; i < s->n; i++)
        n += s->lists[i].rows.n;
    TRY(group_merged_new(o, w, err));
    if (group_table_reserve(w->walked, n, &none) < 0 || mem_room(o->m) < o->spec.memory / 6) {
        group_merged_free(o, w);
        return NRW_OK;
    }
    for (uint32_t i = 0; i < s->n; i++)
        TRY(adopt_list(o, w->walked, &s->lists[i], m, err));
    group_table_order(w->walked, 64);
    *made = true;
    return NRW_OK;
}

/* The groups of the next part that was spilled. */
static nrw_status load_next(op_group *o, group_worker *w, nrw_error *err)
{
    group_part cut[GROUP_CUT], part;
    uint32_t n;

    w->at = 0;
    w->walked = &w->table;
    do {
        group_table_release(&w->table);
        rows_clear(&w->read);
        if (w->todo.n == 0)
            return NRW_OK;
        part = w->todo.at[--w->todo.n];
        if (group_is_cut(o, &part)) {
            TRY(group_cut(o, w, &part, cut, &n, err));
            TRY(group_todo_add(o, &w->todo, cut, n, err));
        } else {
            TRY(group_put_together(o, w, &part, err));
        }
    } while (w->walked->n == 0);
    return NRW_OK;
}

static nrw_status begin_mixed(op_group *o, group_worker *w, mem *m, nrw_error *err)
{
    group_stretch *s = &w->leaving.s;
    nrw_status st;
    bool made;

    if (!s->spilled.bytes && (!o->hang || mem_room(o->m) >= group_reserve(o))) {
        TRY(table_of_lists(o, w, m, &made, err));
        if (made)
            return NRW_OK;
    }
    s->last = NULL;
    TRY(group_stretch_spill(o, w, s, err));
    st = group_todo_add(o, &w->todo, &s->spilled, 1, err);
    s->spilled = (group_part){0};
    return st < 0 ? st : load_next(o, w, err);
}

static nrw_status walk_mixed(op_group *o, group_worker *w, uint8_t **row, uint32_t *n,
                             nrw_error *err)
{
    while (!is_enough(&w->leaving, *n) && group_table_next(w->walked, &w->at, &row[*n]))
        w->leaving.bulk += group_bulk(o, row[(*n)++]);
    if (*n)
        return NRW_OK;
    if (w->todo.n)
        return load_next(o, w, err);
    group_merged_free(o, w);
    next_phase(&w->leaving, NULLS);
    return NRW_OK;
}

/* ---- one behind the other ---- */

static void walk_lists(const op_group *o, group_leaving *l, uint8_t **row, uint32_t *n)
{
    while (l->list < l->s.n) {
        walk_rows(o, l, &l->s.lists[l->list].rows, row, n);
        if (is_enough(l, *n))
            return;
        l->list++;
        l->walk = (group_walk){0};
    }
    next_phase(l, NULLS);
}

/* More rows of the phase, or the next phase; where others must be loaded for that, once rows[0..*n)
 * have left. */
static nrw_status step(op_group *o, group_worker *w, mem *m, uint8_t **row, uint32_t *n,
                       nrw_error *err)
{
    group_leaving *l = &w->leaving;
    uint32_t before = *n;

    switch (l->phase) {
    case HEADS:
        walk_rows(o, l, &l->s.heads, row, n);
        if (is_enough(l, *n))
            return NRW_OK;
        next_phase(l, l->s.mixed ? MIXED : BLOCKS);
        return l->s.mixed ? begin_mixed(o, w, m, err)
                          : spill_chain_turn(&l->s.spilled.blocks, o->spill, err);
    case BLOCKS: return before ? NRW_OK : load_block(o, w, row, n, err);
    case LISTS: walk_lists(o, l, row, n); return NRW_OK;
    case MIXED: return walk_mixed(o, w, row, n, err);
    default:
        if (o->rest)
            walk_rows(o, l, &o->nulls, row, n);
        if (*n == before)
            l->phase = OVER;
        return NRW_OK;
    }
}

nrw_status group_leaving_next(op_group *o, group_worker *w, mem *m, uint8_t **row, uint32_t *n,
                              bool *more, nrw_error *err)
{
    group_leaving *l = &w->leaving;
    uint32_t phase, before;

    mem_set_limit(w->m, MEM_NO_LIMIT); /* the operator's own limit holds */
    *n = 0;
    l->bulk = 0;
    do {
        phase = l->phase;
        before = *n;
        TRY(step(o, w, m, row, n, err));
    } while (!is_enough(l, *n) && l->phase != OVER &&
             (*n == 0 || *n > before || l->phase != phase));
    *more = l->phase != OVER;
    return NRW_OK;
}

void group_leaving_free(op_group *o, group_worker *w)
{
    group_merged_free(o, w);
    w->walked = NULL;
    group_table_clear(&w->table);
    rows_release(&w->read);
    group_stretch_free(o, &w->leaving.s);
    w->leaving = (group_leaving){0};
    w->leaves = false;
    mem_set_limit(w->m, group_share(o));
}
