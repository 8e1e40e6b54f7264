/* The first n ids of every group, and all their rows: arrival_rank(id) OVER (PARTITION BY group)
 * <= n. Without ids: the first n rows of every group.
 *
 * State: a code for every group and for every id that is among some group's first n (keyset), how
 * many ids each group has (counts), and the set of (group, id) pairs that are in (pairs). So it is
 * O(groups x n), whatever the number of ids and rows. Under the turn the rows are looked at in
 * input order, in stretches: where the keys are runs a stretch is what the runs have in common. */
#include "exec/op_first.h"

#include "base/hash.h"
#include "base/turn.h"
#include "exec/keyset.h"

#include <stdlib.h>

typedef struct op_first {
    op base;
    mem *m;
    turn turn;
    uint32_t first;
    keyset *groups;   /* NULL: all is one group */
    keyset *ids;      /* NULL: rows are counted */
    uint64_t *counts; /* ids (or rows) taken of each group; nobody counts past `first` */
    uint32_t counts_cap;
    uint64_t *pairs;              /* group << 32 | id, plus 1; 0: empty; open addressing */
    uint64_t n_pairs, pair_slots; /* slots: a power of two */
} op_first;

static nrw_status counts_reach(op_first *o, uint32_t group, nrw_error *err)
{
    uint32_t cap = o->counts_cap ? o->counts_cap : 256;

    if (group < o->counts_cap)
        return NRW_OK;
    while (cap <= group)
        cap *= 2;
    TRY(mem_realloc(o->m, (void **)&o->counts, o->counts_cap * sizeof *o->counts,
                    cap * sizeof *o->counts, err));
    memset(o->counts + o->counts_cap, 0, (cap - o->counts_cap) * sizeof *o->counts);
    o->counts_cap = cap;
    return NRW_OK;
}

static inline uint64_t *pair_slot(uint64_t *pairs, uint64_t slots, uint64_t pair)
{
    uint64_t at = hash_u64(pair) & (slots - 1);

    while (pairs[at] && pairs[at] != pair)
        at = (at + 1) & (slots - 1);
    return &pairs[at];
}

static nrw_status pairs_grow(op_first *o, nrw_error *err)
{
    uint64_t slots = o->pair_slots ? o->pair_slots * 2 : 4096, *pairs;

    TRY(mem_zalloc(o->m, slots * sizeof *pairs, (void **)&pairs, err));
    for (uint64_t i = 0; i < o->pair_slots; i++)
        if (o->pairs[i])
            *pair_slot(pairs, slots, o->pairs[i]) = o->pairs[i];
    mem_free(o->m, o->pairs, o->pair_slots * sizeof *o->pairs);
    o->pairs = pairs;
    o->pair_slots = slots;
    return NRW_OK;
}

static inline uint64_t pair_of(uint32_t group, uint32_t id)
{
    return ((uint64_t)group << 32 | id) + 1;
}

static inline bool is_in(const op_first *o, uint32_t group, uint32_t id)
{
    return o->pair_slots && *pair_slot(o->pairs, o->pair_slots, pair_of(group, id)) != 0;
}

static nrw_status let_in(op_first *o, uint32_t group, uint32_t id, nrw_error *err)
{
    if (o->n_pairs >= o->pair_slots / 2)
        TRY(pairs_grow(o, err));
    *pair_slot(o->pairs, o->pair_slots, pair_of(group, id)) = pair_of(group, id);
    o->n_pairs++;
    o->counts[group]++;
    return NRW_OK;
}

/* Is the id of `row` among its group's first, now that this row has come? */
static nrw_status id_stays(op_first *o, uint32_t row, uint32_t group, bool *stays, nrw_error *err)
{
    bool room = o->counts[group] < o->first;
    uint32_t id;

    *stays = false;
    TRY(keyset_code(o->ids, row, room, &id, err));
    if (id == KEY_NONE)
        return NRW_OK;
    if (is_in(o, group, id)) {
        *stays = true;
    } else if (room) {
        TRY(let_in(o, group, id, err));
        *stays = true;
    }
    return NRW_OK;
}

static nrw_status group_of(op_first *o, uint32_t row, uint32_t *group, nrw_error *err)
{
    *group = 0;
    if (o->groups)
        TRY(keyset_code(o->groups, row, true, group, err));
    return counts_reach(o, *group, err);
}

/* The selection under construction; `from` is the one the batch came with. */
typedef struct picking {
    uint16_t *out;
    uint32_t n;
    const uint16_t *from;
    uint32_t n_from, at; /* next of `from` */
} picking;

/* Rows [row, row + n), as far as they were alive; returns how many were taken. */
static uint32_t pick(picking *p, uint32_t row, uint32_t n)
{
    uint32_t before = p->n;

    if (!p->from) {
        for (uint32_t i = 0; i < n; i++)
            p->out[p->n + i] = (uint16_t)(row + i);
        p->n += n;
        return n;
    }
    while (p->at < p->n_from && p->from[p->at] < row)
        p->at++;
    while (p->at < p->n_from && p->from[p->at] < row + n)
        p->out[p->n++] = p->from[p->at++];
    return p->n - before;
}

/* Is any row of [row, row + n) alive? Only such rows count as arrived. */
static bool alive(picking *p, uint32_t row, uint32_t n)
{
    if (!p->from)
        return true;
    while (p->at < p->n_from && p->from[p->at] < row)
        p->at++;
    return p->at < p->n_from && p->from[p->at] < row + n;
}

static uint32_t stretch(op_first *o, uint32_t row, uint32_t rows)
{
    uint32_t n = rows - row, s;

    if (o->groups) {
        s = keyset_stretch(o->groups, row);
        n = s < n ? s : n;
    }
    if (o->ids) {
        s = keyset_stretch(o->ids, row);
        n = s < n ? s : n;
    }
    return n;
}

static nrw_status pick_stretch(op_first *o, picking *p, uint32_t row, uint32_t n, nrw_error *err)
{
    uint32_t group;
    uint64_t room;
    bool stays;

    if (!alive(p, row, n))
        return NRW_OK;
    TRY(group_of(o, row, &group, err));
    if (o->ids) {
        TRY(id_stays(o, row, group, &stays, err));
        if (stays)
            pick(p, row, n);
        return NRW_OK;
    }
    room = o->first - o->counts[group];
    if (p->from) { /* rows count one by one: some of the stretch may be dead */
        for (uint32_t i = 0; i < n && o->counts[group] < o->first; i++)
            o->counts[group] += pick(p, row + i, 1);
    } else {
        o->counts[group] += pick(p, row, n < room ? n : (uint32_t)room);
    }
    return NRW_OK;
}

static inline uint32_t dict_code(const key_dict *d, uint32_t row)
{
    if (d->validity && !bit_get(d->validity, row))
        return d->null_code;
    return d->codes[d->index[row]];
}

/* Both keys single dictionary columns, all rows alive: the loop for shuffled data. Returns at the
 * first row that needs more than remembered codes. */
static uint32_t pick_dicts(op_first *o, picking *p, const key_dict *g, const key_dict *d,
                           uint32_t row, uint32_t rows)
{
    for (; row < rows; row++) {
        uint32_t group = dict_code(g, row), id = dict_code(d, row);
        if (group >= KEY_UNKNOWN || group >= o->counts_cap || o->counts[group] < o->first)
            return row;
        if (id == KEY_NONE && d->absent)
            continue;
        if (id >= KEY_UNKNOWN)
            return row;
        p->out[p->n] = (uint16_t)row;
        p->n += is_in(o, group, id);
    }
    return row;
}

static nrw_status pick_rows(op_first *o, picking *p, uint32_t rows, nrw_error *err)
{
    bool dicts = !p->from && o->groups && o->ids;
    key_dict g, d;
    uint32_t n;

    for (uint32_t row = 0; row < rows; row += n) {
        /* asked for anew each time: the rows between may have brought keys */
        if (dicts && keyset_dict(o->groups, &g) && keyset_dict(o->ids, &d))
            row = pick_dicts(o, p, &g, &d, row, rows);
        if (row == rows)
            break;
        n = stretch(o, row, rows);
        TRY(pick_stretch(o, p, row, n, err));
    }
    return NRW_OK;
}

static nrw_status look(op_first *o, batch *b, nrw_error *err)
{
    const size_t held = 4 << 20;
    picking p = {.from = b->sel, .n_from = b->n_sel};
    uint32_t before;
    nrw_status st;

    if (o->groups)
        TRY(keyset_begin(o->groups, b, held, err));
    if (o->ids)
        TRY(keyset_begin(o->ids, b, held, err));
    before = batch_alive(b);
    TRY(mem_alloc(b->m, BATCH_MAX_ROWS * sizeof *p.out, (void **)&p.out, err));
    st = pick_rows(o, &p, b->rows, err);
    if (st < 0) {
        mem_free(b->m, p.out, BATCH_MAX_ROWS * sizeof *p.out);
        return st;
    }
    batch_select(b, p.out, p.n);
    op_count(&o->base, before, before - p.n);
    return NRW_OK;
}

/* What the state was when it outgrew its grant, and the least that could do. */
static nrw_status explain(op_first *o, nrw_status st, nrw_error *err)
{
    if (st != NRW_E_MEMLIMIT || !o->groups)
        return st;
    err_wrap(err, st, "the first %u of each group: %u groups and %u ids so far", o->first,
             keyset_count(o->groups), o->ids ? keyset_count(o->ids) : 0);
    err_next(err, "give more --memory");
    return st;
}

static nrw_status first_push(op *base, batch *b, nrw_error *err)
{
    op_first *o = (op_first *)base;
    nrw_status st;

    TRY(turn_wait(&o->turn, b->morsel));
    st = b->rows ? look(o, b, err) : NRW_OK;
    if (b->last || st < 0)
        turn_done(&o->turn, b->morsel);
    return st < 0 ? explain(o, st, err) : op_pass(base, b, err);
}

static void first_stop(op *base)
{
    turn_stop(&((op_first *)base)->turn);
}

static void first_close(op *base)
{
    op_first *o = (op_first *)base;

    keyset_free(o->groups);
    keyset_free(o->ids);
    mem_free(o->m, o->counts, o->counts_cap * sizeof *o->counts);
    mem_free(o->m, o->pairs, o->pair_slots * sizeof *o->pairs);
    mem_free(o->m, o, sizeof *o);
}

static const op_class first_class = {"first", first_push, NULL, first_stop, first_close};

nrw_status op_first_new(mem *m, uint32_t first, const uint32_t *of, uint32_t n_of,
                        const uint32_t *per, uint32_t n_per, size_t remember, op **out,
                        nrw_error *err)
{
    op_first *o;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *o, (void **)&o, err));
    o->base.class = &first_class;
    o->m = m;
    o->first = first;
    turn_init(&o->turn);
    if (n_per)
        TRY_OUT(keyset_new(m, per, n_per, remember / 2, &o->groups, err));
    if (n_of)
        TRY_OUT(keyset_new(m, of, n_of, remember / 2, &o->ids, err));
    *out = &o->base;
    return NRW_OK;
out:
    first_close(&o->base);
    return st;
}

uint64_t op_first_memory(uint64_t groups, uint32_t first, uint64_t ids, uint64_t key_bytes)
{
    uint64_t pairs, keys, sum;

    if (__builtin_mul_overflow(groups, (uint64_t)first, &pairs))
        return UINT64_MAX;
    /* growing by doubling holds the old and the new table for a moment: three halves of twice */
    if (ids > pairs)
        ids = pairs;
    if (__builtin_add_overflow(groups, ids, &keys) ||
        __builtin_mul_overflow(keys, key_bytes + sizeof(uint64_t) * 12, &sum) ||
        __builtin_mul_overflow(pairs, (uint64_t)64, &pairs) ||
        __builtin_add_overflow(sum, pairs, &sum) || __builtin_add_overflow(sum, groups * 24, &sum))
        return UINT64_MAX;
    return sum;
}
