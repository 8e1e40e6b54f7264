#include "exec/group_table.h"

#include "exec/hash_rows.h"

#include <stdlib.h>

#define SALT(hash)  ((hash) << 48)
#define ROW_BITS    ((UINT64_C(1) << 48) - 1)
#define FIRST_SLOTS 1024

void group_table_init(group_table *t, const group_shape *shape, mem *m, mem *hang)
{
    *t = (group_table){.shape = shape, .m = m, .hang = hang, .rows = {.m = m}};
}

static size_t slots_bytes(uint64_t n)
{
    return (n + GROUP_SLACK) * sizeof(uint64_t);
}

/* How many slots there are for n groups, where there are so many, 0 at first. */
static uint64_t slots_for(uint64_t slots, uint64_t n)
{
    slots = slots ? slots : FIRST_SLOTS;
    while (slots / 2 < n)
        slots *= 2;
    return slots;
}

uint64_t group_slots_for(uint64_t n)
{
    return slots_bytes(slots_for(0, n));
}

void group_table_narrow(group_table *t, uint32_t bits)
{
    t->skip = bits < 48 ? bits : 48;
}

size_t group_table_slots_bytes(const group_table *t)
{
    return t->slots ? slots_bytes(t->n_slots) : 0;
}

void group_drop_states(const group_shape *s, uint8_t *row, mem *hang)
{
    for (uint32_t i = 0; s->drops && i < s->n_aggregates; i++)
        if (s->aggregates[i].class->drop) {
            s->aggregates[i].class->drop(&s->aggregates[i], row + s->states[i], hang);
            memset(row + s->states[i], 0, s->aggregates[i].state_bytes);
        }
}

void group_table_forget(group_table *t)
{
    rows_release(&t->rows); /* the books are to say what is free */
    if (t->slots)
        memset(t->slots, 0, slots_bytes(t->n_slots));
    t->n = 0;
}

static void drop_all(group_table *t)
{
    uint64_t at = 0;
    uint8_t *row;

    /* without slots there is no shape, where opening ended before */
    while (t->slots && t->shape->drops && group_table_next(t, &at, &row))
        group_drop_states(t->shape, row, t->hang);
}

void group_table_clear(group_table *t)
{
    drop_all(t);
    rows_clear(&t->rows);
    if (t->slots)
        memset(t->slots, 0, slots_bytes(t->n_slots));
    t->n = 0;
    t->skip = 0;
}

void group_table_release(group_table *t)
{
    drop_all(t);
    mem_free(t->m, t->slots, group_table_slots_bytes(t));
    rows_release(&t->rows);
    t->slots = NULL;
    t->n = t->n_slots = 0;
}

/* The empty slot for a hash; NULL where the slack at the end is used up. */
static uint64_t *empty_slot(const group_table *t, uint64_t *slots, uint64_t hash)
{
    uint64_t *at = slots + group_table_slot(t, hash), *end = slots + t->n_slots + GROUP_SLACK;

    while (at < end && *at)
        at++;
    return at < end ? at : NULL;
}

/* Another number of slots; doubles again where they come to lie unevenly. */
static nrw_status resize(group_table *t, uint64_t n_slots, nrw_error *err)
{
    uint64_t *old = t->slots, old_n = t->n_slots, *slots, i;

    for (;; n_slots *= 2) {
        TRY(mem_zalloc(t->m, slots_bytes(n_slots), (void **)&slots, err));
        t->n_slots = n_slots;
        for (i = 0; old && i < old_n + GROUP_SLACK; i++) {
            uint64_t *to = old[i] ? empty_slot(t, slots, row_hash(group_slot_row(old[i]))) : NULL;
            if (old[i] && !to)
                break;
            if (to)
                *to = old[i];
        }
        if (!old || i == old_n + GROUP_SLACK)
            break;
        mem_free(t->m, slots, slots_bytes(n_slots));
        t->n_slots = old_n;
        if (n_slots > UINT64_MAX / 64)
            return err_set(err, NRW_E_UNSUPPORTED, "too many groups with one hash");
    }
    mem_free(t->m, old, old ? slots_bytes(old_n) : 0);
    t->slots = slots;
    return NRW_OK;
}

nrw_status group_table_reserve(group_table *t, uint64_t n, nrw_error *err)
{
    const uint64_t slots = slots_for(t->n_slots, n);

    return slots == t->n_slots ? NRW_OK : resize(t, slots, err);
}

/* Rows of one hash. Their keys stand behind the states, in a cache line of their own. */
static bool same_key(const group_table *t, const uint8_t *row, span key)
{
    span have;

    if (t->shape->layout.hash_tells && row_hash(row) != HASH_OF_NULL)
        return true;
    have = row_values(&t->shape->layout, row);
    return have.len == key.len && memcmp(have.data, key.data, key.len) == 0;
}

static bool is_group(const group_table *t, const uint8_t *row, uint64_t hash, span key)
{
    return row_hash(row) == hash && same_key(t, row, key);
}

/* The slot of the key, or the empty one where it belongs; NULL: no room behind the last slot. */
static uint64_t *look_up(const group_table *t, uint64_t hash, span key)
{
    uint64_t *at = t->slots + group_table_slot(t, hash), *end = t->slots + t->n_slots + GROUP_SLACK;

    for (; at < end && *at; at++)
        if ((*at & ~ROW_BITS) == SALT(hash) && is_group(t, group_slot_row(*at), hash, key))
            return at;
    return at < end ? at : NULL;
}

/* The empty slot for one group more, of that hash: *slot, which looking it up gave (NULL: none), as
 * long as there is room for one more. */
static nrw_status slot_for_new(group_table *t, uint64_t hash, uint64_t **slot, nrw_error *err)
{
    if (*slot && t->n + 1 <= t->n_slots / 2)
        return NRW_OK;
    TRY(group_table_reserve(t, t->n + 1, err));
    while (!(*slot = empty_slot(t, t->slots, hash)))
        TRY(resize(t, t->n_slots * 2, err));
    return NRW_OK;
}

static nrw_status add_group(group_table *t, const uint8_t *key, uint64_t *slot, uint8_t **row,
                            nrw_error *err)
{
    const group_shape *s = t->shape;
    span values = row_values(&s->keys, key);
    uint64_t hash = row_hash(key);

    TRY(slot_for_new(t, hash, &slot, err));
    TRY(rows_new(&t->rows, (uint32_t)(s->layout.bits + values.len), row, err));
    store_u32(*row + 4, 0);
    store_u64(*row + 8, hash);
    memset(row_extra(*row), 0, s->layout.extra);
    memcpy(*row + s->layout.bits, values.data, values.len);
    *slot = SALT(hash) | (uint64_t)(uintptr_t)*row;
    t->n++;
    return NRW_OK;
}

nrw_status group_table_find(group_table *t, const uint8_t *key, uint8_t **row, nrw_error *err)
{
    uint64_t *slot = t->slots ? look_up(t, row_hash(key), row_values(&t->shape->keys, key)) : NULL;

    if (!slot || !*slot)
        return add_group(t, key, slot, row, err);
    *row = group_slot_row(*slot);
    return NRW_OK;
}

/* ---- many keys ---- */

#define FETCHED 32u
#define WINDOW  4u /* slots, at most GROUP_SLACK */

/* All of a row; text is short, mostly. */
FETCHES fetch_row(const group_table *t, uint64_t slot)
{
    const row_layout *l = &t->shape->layout;

    if (slot)
        fetch_bytes(group_slot_row(slot), l->fixed + (l->has_text ? 16 : 0));
}

/* What tells its key, and its states. */
FETCHES fetch_group(const group_table *t, uint64_t slot)
{
    const row_layout *l = &t->shape->layout;

    if (slot && l->hash_tells)
        fetch_bytes(group_slot_row(slot), l->bits);
    else
        fetch_row(t, slot);
}

FETCHES fetch_slots(const group_table *t, const uint64_t *hashes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t *at = t->slots + group_table_slot(t, hashes[i]);
        __builtin_prefetch(at);
        __builtin_prefetch(at + WINDOW - 1);
    }
}

/* Of the WINDOW slots from `at` on the first one of that hash, in all likelihood; 0: of none.
 * Without branches, for which of them it is cannot be foreseen. */
static inline uint64_t slot_of_salt(const uint64_t *at, uint64_t hash)
{
    uint32_t hit = 1u << WINDOW;

    for (uint32_t k = 0; k < WINDOW; k++)
        hit |= (uint32_t)((at[k] & ~ROW_BITS) == SALT(hash)) << k;
    hit = (uint32_t)__builtin_ctz(hit);
    return at[hit % WINDOW] & (0 - (uint64_t)(hit < WINDOW));
}

/* likely[i]: the group of that hash, in all likelihood, NULL where none was found soon. */
FETCHES fetch_rows(const group_table *t, const uint64_t *hashes, size_t n, uint8_t **likely)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t slot = slot_of_salt(t->slots + group_table_slot(t, hashes[i]), hashes[i]);
        likely[i] = group_slot_row(slot);
        fetch_group(t, slot);
    }
}

/* Keys that are about to be looked up: slots come into the cache while others' rows are on their
 * way, and those while rows before them are looked at. */
typedef struct outlook {
    uint8_t *likely[2][FETCHED];
    size_t rows; /* of so many keys they were asked for */
} outlook;

/* What is likely of keys [at, at + FETCHED), at being a multiple of it: each one in its turn. */
static inline uint8_t **look_ahead(outlook *o, const group_table *t, const uint64_t *hashes,
                                   uint32_t n, uint32_t at)
{
    if (at == 0) {
        o->rows = 0;
        fetch_slots(t, hashes, size_min(n, FETCHED));
    }
    for (; o->rows < size_min(n, at + 2 * FETCHED); o->rows += FETCHED) {
        const size_t next = size_min(n, o->rows + FETCHED);
        fetch_rows(t, hashes + o->rows, next - o->rows, o->likely[o->rows / FETCHED % 2]);
        fetch_slots(t, hashes + next, size_min(n, next + FETCHED) - next);
    }
    return o->likely[at / FETCHED % 2];
}

void group_table_find_hashes(const group_table *t, const uint64_t *hashes, uint32_t n,
                             uint8_t **rows)
{
    uint8_t **likely = NULL;
    outlook o;

    if (!t->slots) {
        memset(rows, 0, n * sizeof *rows);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (i % FETCHED == 0)
            likely = look_ahead(&o, t, hashes, n, i);
        rows[i] = likely[i % FETCHED];
        if (rows[i] && row_hash(rows[i]) != hashes[i])
            rows[i] = NULL;
    }
}

/* What a group of that key would take more. */
static uint64_t cost_of_new(const group_table *t, const uint8_t *key)
{
    uint32_t bytes = row_bytes(key) + t->shape->layout.extra;
    uint64_t slots = t->n + 1 > t->n_slots / 2 ? mem_cost(slots_bytes(t->n_slots * 2)) : 0;

    return slots + rows_next_cost(&t->rows, bytes);
}

/* Rows of one group often follow each other: keys[i - 1] is a group's row already. */
static bool follows_its_group(const group_table *t, uint8_t *const *keys, uint32_t i)
{
    return i && row_hash(keys[i - 1]) == row_hash(keys[i]) &&
           same_key(t, keys[i - 1], row_values(&t->shape->keys, keys[i]));
}

/* *key becomes its group's row, which is `likely`, perhaps. *room goes down by what a new one
 * takes; NRW_END: it does not suffice. */
static nrw_status find_next(group_table *t, uint8_t **key, uint8_t *likely, uint64_t *room,
                            nrw_error *err)
{
    const uint64_t hash = row_hash(*key);
    const span values = row_values(&t->shape->keys, *key);
    uint64_t *slot, cost;

    if (likely && is_group(t, likely, hash, values)) {
        *key = likely;
        return NRW_OK;
    }
    slot = look_up(t, hash, values);
    if (slot && *slot) {
        *key = group_slot_row(*slot);
        return NRW_OK;
    }
    cost = cost_of_new(t, *key);
    if (cost > *room && t->n)
        return NRW_END;
    *room -= cost < *room ? cost : *room;
    return add_group(t, *key, slot, key, err);
}

nrw_status group_table_find_all(group_table *t, const uint64_t *hashes, uint8_t **keys, uint32_t n,
                                uint64_t room, uint32_t *found, nrw_error *err)
{
    uint8_t **likely = NULL;
    outlook o;

    TRY(group_table_reserve(t, 1, err));
    for (*found = 0; *found < n; ++*found) {
        const uint32_t i = *found;
        nrw_status st;
        if (i % FETCHED == 0)
            likely = look_ahead(&o, t, hashes, n, i);
        if (follows_its_group(t, keys, i)) {
            keys[i] = keys[i - 1];
            continue;
        }
        st = find_next(t, &keys[i], likely[i % FETCHED], &room, err);
        if (st == NRW_END)
            return NRW_OK;
        TRY(st);
    }
    return NRW_OK;
}

uint64_t group_table_growth(const group_table *t, uint64_t n, uint64_t bytes)
{
    const uint64_t slots = slots_for(t->n_slots, t->n + n);
    const uint64_t more = slots == t->n_slots ? 0 : slots_bytes(slots);

    return mem_cost(more) + rows_cost(bytes + n * t->shape->layout.extra);
}

static nrw_status merge_row(group_table *t, uint8_t *into, uint8_t *row, nrw_error *err)
{
    const group_shape *s = t->shape;

    for (uint32_t i = 0; i < s->n_aggregates; i++)
        TRY(s->aggregates[i].class->merge(&s->aggregates[i], into + s->states[i],
                                          row + s->states[i], t->hang, err));
    group_drop_states(s, row, t->hang);
    return NRW_OK;
}

/* The row's slot where its key is there, else an empty one. */
static nrw_status slot_of_row(group_table *t, const uint8_t *row, uint64_t **slot, nrw_error *err)
{
    uint64_t hash = row_hash(row);

    *slot = t->slots ? look_up(t, hash, row_values(&t->shape->layout, row)) : NULL;
    return *slot && **slot ? NRW_OK : slot_for_new(t, hash, slot, err);
}

static void put_row(group_table *t, uint64_t *slot, const uint8_t *row)
{
    *slot = SALT(row_hash(row)) | (uint64_t)(uintptr_t)row;
    t->n++;
}

nrw_status group_table_join(group_table *t, uint8_t *row, bool copy, uint8_t **group,
                            nrw_error *err)
{
    uint64_t *slot;

    TRY(slot_of_row(t, row, &slot, err));
    *group = *slot ? group_slot_row(*slot) : row;
    if (*slot)
        return NRW_OK;
    if (copy) {
        TRY(rows_new(&t->rows, row_bytes(row), group, err));
        memcpy(*group, row, row_bytes(row));
    }
    put_row(t, slot, *group);
    return NRW_OK;
}

static nrw_status take_row(group_table *t, uint8_t *row, bool copy, nrw_error *err)
{
    const uint64_t groups = t->n;
    uint8_t *group;

    TRY(group_table_join(t, row, copy, &group, err));
    return t->n == groups ? merge_row(t, group, row, err) : NRW_OK;
}

nrw_status group_table_adopt(group_table *t, uint8_t *row, nrw_error *err)
{
    return take_row(t, row, false, err);
}

nrw_status group_table_copy(group_table *t, uint8_t *row, nrw_error *err)
{
    return take_row(t, row, true, err);
}

/* ---- in order ---- */

static int by_hash(const void *a, const void *b, void *layout)
{
    const uint8_t *x = group_slot_row(*(const uint64_t *)a),
                  *y = group_slot_row(*(const uint64_t *)b);
    uint64_t hx = row_hash(x), hy = row_hash(y);

    if (hx != hy)
        return hx < hy ? -1 : 1;
    return span_compare(row_values(layout, x), row_values(layout, y));
}

#define FEW_SLOTS 16u

/* Clusters are some slots, mostly, and nearly in order. */
static void order_cluster(uint64_t *slots, uint64_t n, const row_layout *l)
{
    void *layout = (void *)(uintptr_t)l;

    if (n > FEW_SLOTS) {
        qsort_r(slots, n, sizeof *slots, by_hash, layout);
        return;
    }
    for (uint64_t i = 1; i < n; i++) {
        uint64_t slot = slots[i], to = i;
        for (; to && by_hash(&slots[to - 1], &slot, layout) > 0; to--)
            slots[to] = slots[to - 1];
        slots[to] = slot;
    }
}

/* Whether slots from..last lie in more than one of the stretches. */
static bool reaches_over(const group_table *t, uint32_t bits, uint64_t from, uint64_t last)
{
    uint32_t log = (uint32_t)__builtin_ctzll(t->n_slots);
    uint32_t own = bits > t->skip ? bits - t->skip : 0; /* bits that slots tell apart */

    return own >= log || from >> (log - own) != last >> (log - own);
}

/* The hash of a row some slots ahead is about to be looked at. */
FETCHES expect_slot(const group_table *t, uint64_t at, uint64_t end)
{
    if (at + GROUP_AHEAD < end && t->slots[at + GROUP_AHEAD])
        __builtin_prefetch(group_slot_row(t->slots[at + GROUP_AHEAD]));
}

/* Rows of later clusters have greater hashes: only inside of a cluster is anything out of order. */
void group_table_order(group_table *t, uint32_t bits)
{
    uint64_t end = group_table_end(t);

    for (uint64_t i = 0, last; i < end;) {
        const uint64_t from = i;
        do {
            if (bits == 64)
                expect_slot(t, i, end);
        } while (t->slots[i++] && i < end);
        last = i - (t->slots[i - 1] == 0);
        if (last - from > 1 && reaches_over(t, bits, from, last - 1))
            order_cluster(t->slots + from, last - from, &t->shape->layout);
    }
}

bool group_table_next_to(const group_table *t, uint64_t *at, uint64_t end, uint8_t **row)
{
    const uint64_t behind = group_table_end(t);

    while (*at < end) {
        const uint64_t slot = t->slots[*at];
        if (*at + GROUP_AHEAD < behind) /* also where this one is empty */
            fetch_row(t, t->slots[*at + GROUP_AHEAD]);
        ++*at;
        *row = group_slot_row(slot);
        if (slot)
            return true;
    }
    return false;
}

bool group_table_next(const group_table *t, uint64_t *at, uint8_t **row)
{
    return group_table_next_to(t, at, group_table_end(t), row);
}
