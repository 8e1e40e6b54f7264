/* The first n ids of every group: arrival_rank(id) OVER (PARTITION BY group) <= n. Without ids: the
 * first n rows of every group. Rows are looked at in input order, in stretches: where the keys are
 * runs a stretch is what the runs have in common. */
#include "exec/first_own.h"

#include "base/hash.h"

static nrw_status counts_reach(first_state *s, uint32_t group, nrw_error *err)
{
    uint32_t cap = s->counts_cap ? s->counts_cap : 256;

    if (group < s->counts_cap)
        return NRW_OK;
    while (cap <= group)
        cap *= 2;
    TRY(mem_realloc(s->m, (void **)&s->counts, s->counts_cap * sizeof *s->counts,
                    cap * sizeof *s->counts, err));
    memset(s->counts + s->counts_cap, 0, (cap - s->counts_cap) * sizeof *s->counts);
    s->counts_cap = cap;
    return NRW_OK;
}

static inline uint64_t *pair_slot(uint64_t *pairs, uint64_t slots, uint64_t pair)
{
    uint64_t at = hash_u64(pair) & (slots - 1);

    while (pairs[at] && pairs[at] != pair)
        at = (at + 1) & (slots - 1);
    return &pairs[at];
}

static nrw_status pairs_grow(first_state *s, nrw_error *err)
{
    uint64_t slots = s->pair_slots ? s->pair_slots * 2 : 4096, *pairs;

    TRY(mem_zalloc(s->m, slots * sizeof *pairs, (void **)&pairs, err));
    for (uint64_t i = 0; i < s->pair_slots; i++)
        if (s->pairs[i])
            *pair_slot(pairs, slots, s->pairs[i]) = s->pairs[i];
    mem_free(s->m, s->pairs, s->pair_slots * sizeof *s->pairs);
    s->pairs = pairs;
    s->pair_slots = slots;
    return NRW_OK;
}

static inline uint64_t pair_of(uint32_t group, uint32_t id)
{
    return ((uint64_t)group << 32 | id) + 1;
}

static inline bool is_in(const first_state *s, uint32_t group, uint32_t id)
{
    return s->pair_slots && *pair_slot(s->pairs, s->pair_slots, pair_of(group, id)) != 0;
}

static nrw_status let_in(first_state *s, uint32_t group, uint32_t id, nrw_error *err)
{
    if (s->n_pairs >= s->pair_slots / 2)
        TRY(pairs_grow(s, err));
    *pair_slot(s->pairs, s->pair_slots, pair_of(group, id)) = pair_of(group, id);
    s->n_pairs++;
    s->counts[group]++;
    return NRW_OK;
}

/* Is the id of `row` among its group's first, now that this row has come? */
static nrw_status id_stays(first_state *s, uint32_t row, uint32_t group, bool *stays,
                           nrw_error *err)
{
    bool room = s->counts[group] < s->spec->first;
    uint32_t id;

    *stays = false;
    TRY(keyset_code(s->ids, row, room, &id, err));
    if (id == KEY_NONE)
        return NRW_OK;
    if (is_in(s, group, id)) {
        *stays = true;
    } else if (room) {
        TRY(let_in(s, group, id, err));
        *stays = true;
    }
    return NRW_OK;
}

static uint32_t groups_known(const first_state *s)
{
    return s->groups ? keyset_count(s->groups) : s->counts_cap;
}

static nrw_status group_of(first_state *s, const picking *p, uint32_t row, uint32_t *group,
                           nrw_error *err)
{
    const uint32_t before = groups_known(s);

    *group = 0;
    if (s->groups)
        TRY(keyset_code(s->groups, row, true, group, err));
    TRY(counts_reach(s, *group, err));
    if (p->had && groups_known(s) > before)
        s->counts[*group] = p->had[row];
    return NRW_OK;
}

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

static uint32_t stretch(const first_state *s, uint32_t row, uint32_t rows)
{
    uint32_t n = rows - row, same;

    if (s->groups) {
        same = keyset_stretch(s->groups, row);
        n = same < n ? same : n;
    }
    if (s->ids) {
        same = keyset_stretch(s->ids, row);
        n = same < n ? same : n;
    }
    return n;
}

static void pick_counted(first_state *s, picking *p, uint32_t group, uint32_t row, uint32_t n)
{
    uint64_t room = s->spec->first - s->counts[group];

    if (p->from) { /* rows count one by one: some of the stretch may be dead */
        for (uint32_t i = 0; i < n && s->counts[group] < s->spec->first; i++)
            s->counts[group] += pick(p, row + i, 1);
    } else {
        s->counts[group] += pick(p, row, n < room ? n : (uint32_t)room);
    }
}

static nrw_status pick_stretch(first_state *s, picking *p, uint32_t row, uint32_t n, nrw_error *err)
{
    uint32_t group;
    bool stays;

    if (!alive(p, row, n))
        return NRW_OK;
    TRY(group_of(s, p, row, &group, err));
    if (!s->ids) {
        pick_counted(s, p, group, row, n);
        return NRW_OK;
    }
    TRY(id_stays(s, row, group, &stays, err));
    if (stays)
        pick(p, row, n);
    return NRW_OK;
}

/* A key may have got its code, and the account was full then. */
static nrw_status known_group(first_state *s, uint32_t row, uint32_t *group, nrw_error *err)
{
    *group = 0;
    if (s->groups)
        TRY(keyset_code(s->groups, row, false, group, err));
    if (*group >= s->counts_cap)
        *group = KEY_NONE;
    return NRW_OK;
}

static void pick_late(picking *p, uint32_t row, uint32_t n, uint32_t taken)
{
    uint32_t before = p->n;

    pick(p, row, n);
    for (uint32_t i = before; i < p->n; i++) {
        bit_set(p->late, p->out[i]);
        if (p->taken)
            p->taken[p->out[i]] = taken;
    }
}

static nrw_status pick_frozen(first_state *s, picking *p, uint32_t row, uint32_t n, nrw_error *err)
{
    uint32_t group, id;

    if (!alive(p, row, n))
        return NRW_OK;
    TRY(known_group(s, row, &group, err));
    if (group == KEY_NONE) {
        pick_late(p, row, n, p->had ? p->had[row] : 0);
    } else if (!s->ids) {
        pick_counted(s, p, group, row, n);
    } else {
        TRY(keyset_code(s->ids, row, false, &id, err));
        if (id != KEY_NONE && is_in(s, group, id))
            pick(p, row, n);
        else if (s->counts[group] < s->spec->first)
            pick_late(p, row, n, (uint32_t)s->counts[group]);
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
static uint32_t pick_dicts(first_state *s, picking *p, const key_dict *g, const key_dict *d,
                           uint32_t row, uint32_t rows)
{
    for (; row < rows; row++) {
        uint32_t group = dict_code(g, row), id = dict_code(d, row);
        if (group >= KEY_UNKNOWN || group >= s->counts_cap || s->counts[group] < s->spec->first)
            return row;
        if (id == KEY_NONE && d->absent)
            continue;
        if (id >= KEY_UNKNOWN)
            return row;
        p->out[p->n] = (uint16_t)row;
        p->n += is_in(s, group, id);
    }
    return row;
}

/* A part of its account is for looking keys up when no other room is left. */
enum { SPARE = 16 };

static void freeze(first_state *s)
{
    s->frozen = true;
    mem_set_limit(s->m, s->memory);
}

static nrw_status pick_next(first_state *s, batch *b, picking *p, uint32_t row, uint32_t n,
                            nrw_error *err)
{
    nrw_status st;

    if (!s->frozen) {
        nrw_error full = NRW_ERROR_INIT;
        st = pick_stretch(s, p, row, n, &full);
        if (st != NRW_E_MEMLIMIT || !s->freezes) {
            if (st < 0 && err)
                *err = full;
            return st;
        }
        freeze(s);
    }
    if (!p->late)
        TRY(mem_zalloc(b->m, FIRST_LATE_BYTES, (void **)&p->late, err));
    return pick_frozen(s, p, row, n, err);
}

nrw_status first_state_pick(first_state *s, batch *b, picking *p, nrw_error *err)
{
    bool dicts = !p->from && s->groups && s->ids;
    key_dict g, d;
    uint32_t n;

    for (uint32_t row = 0; row < b->rows; row += n) {
        /* asked for anew each time: the rows between may have brought keys */
        if (dicts && keyset_dict(s->groups, &g) && keyset_dict(s->ids, &d))
            row = pick_dicts(s, p, &g, &d, row, b->rows);
        if (row == b->rows)
            break;
        n = stretch(s, row, b->rows);
        TRY(pick_next(s, b, p, row, n, err));
    }
    return NRW_OK;
}

nrw_status first_state_begin(first_state *s, batch *b, nrw_error *err)
{
    const size_t held = 4 << 20;

    if (s->groups)
        TRY(keyset_begin(s->groups, b, held, err));
    return s->ids ? keyset_begin(s->ids, b, held, err) : NRW_OK;
}

nrw_status first_state_explain(const first_state *s, nrw_status st, nrw_error *err)
{
    if (st != NRW_E_MEMLIMIT || !s->groups)
        return st;
    err_wrap(err, st, "the first %u of each group: %u groups and %u ids so far", s->spec->first,
             keyset_count(s->groups), s->ids ? keyset_count(s->ids) : 0);
    err_next(err, "give more --memory");
    return st;
}

nrw_status first_state_open(first_state *s, size_t remember, nrw_error *err)
{
    const first_spec *spec = s->spec;

    s->memory = mem_limit(s->m);
    if (s->freezes)
        mem_set_limit(s->m, s->memory / SPARE * (SPARE - 1));
    if (spec->n_per)
        TRY(keyset_new(s->m, spec->per, spec->n_per, remember / 2, &s->groups, err));
    if (spec->n_of)
        TRY(keyset_new(s->m, spec->of, spec->n_of, remember / 2, &s->ids, err));
    return NRW_OK;
}

void first_state_close(first_state *s)
{
    keyset_free(s->groups);
    keyset_free(s->ids);
    mem_free(s->m, s->counts, s->counts_cap * sizeof *s->counts);
    mem_free(s->m, s->pairs, s->pair_slots * sizeof *s->pairs);
    mem_free_account(s->m);
    *s = (first_state){0};
}
