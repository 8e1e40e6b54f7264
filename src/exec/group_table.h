/* A hash table of groups: key and states in a row each. Slots stand in the order of the hash, so
 * that walking them is walking the groups in the order they leave in. */
#ifndef EXEC_GROUP_TABLE_H
#define EXEC_GROUP_TABLE_H

#include "base/fetch.h"
#include "exec/aggregate.h"
#include "exec/rows.h"

/* What all tables of an operator have in common. */
typedef struct group_shape {
    row_layout layout;     /* keys; extra: the states */
    row_layout keys;       /* the same without extra */
    uint32_t n_aggregates; /* those that have a state of their own */
    const aggregate *aggregates;
    uint32_t *states; /* where each one's state begins in a row */
    bool saves;       /* there are states that do not stand for themselves */
    bool drops;       /* something hangs from some */
    row_layout bare;  /* of arguments, in the place of states (group_bare.c) */
    bool bares;       /* there is room for them there */
} group_shape;

typedef struct group_table {
    const group_shape *shape;
    mem *m;    /* slots and rows */
    mem *hang; /* what hangs from states */
    rows rows;
    uint64_t *slots;  /* 16 bits of the hash over 48 of the row's address; 0: empty */
    uint64_t n_slots; /* a power of two; behind them are GROUP_SLACK more */
    uint64_t n;
    uint32_t skip; /* upper bits that all hashes have in common: slots follow those behind them */
} group_table;

#define GROUP_SLACK 256
/* So many rows ahead memory is asked for what walking needs. */
#define GROUP_AHEAD 16u

static inline uint8_t *group_slot_row(uint64_t slot)
{
    return (uint8_t *)(uintptr_t)(slot & ((UINT64_C(1) << 48) - 1));
}

/* The first slot that may hold a hash of at least `hash`. */
static inline uint64_t group_table_slot(const group_table *t, uint64_t hash)
{
    return t->n_slots ? (hash << t->skip) >> (64 - __builtin_ctzll(t->n_slots)) : 0;
}

void group_table_init(group_table *t, const group_shape *shape, mem *m, mem *hang);
void group_table_release(group_table *t); /* states too */
/* What its slots take. */
size_t group_table_slots_bytes(const group_table *t);
/* What those for so many groups take. */
uint64_t group_slots_for(uint64_t n);
/* Forgets all groups without dropping what hangs from their states. */
void group_table_forget(group_table *t);
/* Drops all groups and keeps the room for others. */
void group_table_clear(group_table *t);
/* An empty table may be told that its hashes have their first `bits` bits in common. */
void group_table_narrow(group_table *t, uint32_t bits);
/* Room for so many groups without growing. */
nrw_status group_table_reserve(group_table *t, uint64_t n, nrw_error *err);

/* The group of a key, given as a row of shape->keys: a new one with fresh states where there is
 * none. */
nrw_status group_table_find(group_table *t, const uint8_t *key, uint8_t **row, nrw_error *err);
/* The same of keys[0..n), which have these hashes: each becomes its group's row. New groups take at
 * most `room` bytes more (one is always taken where there is none): *found is how many keys came
 * before the first that there is no room for. */
nrw_status group_table_find_all(group_table *t, const uint64_t *hashes, uint8_t **keys, uint32_t n,
                                uint64_t room, uint32_t *found, nrw_error *err);
/* rows[i] is a group of hashes[i]; NULL: none was found soon, and there may be one. */
void group_table_find_hashes(const group_table *t, const uint64_t *hashes, uint32_t n,
                             uint8_t **rows);
/* That hash is about to be looked up: t has room for a group at least. */
FETCHES group_table_expect(const group_table *t, uint64_t hash)
{
    __builtin_prefetch(t->slots + group_table_slot(t, hash));
}
/* Takes a row over that lies elsewhere, as long as the table; where its key is there already, its
 * states are merged into that group's and dropped. */
nrw_status group_table_adopt(group_table *t, uint8_t *row, nrw_error *err);
/* The same of a row that is copied: what hangs from its states is the table's then. */
nrw_status group_table_copy(group_table *t, uint8_t *row, nrw_error *err);
/* *group: the group of a row whose states are fresh; where there was none it is the row itself, or
 * a copy. */
nrw_status group_table_join(group_table *t, uint8_t *row, bool copy, uint8_t **group,
                            nrw_error *err);
/* Bytes that `n` new groups of `bytes` in all (as rows of shape->keys) may take more. */
uint64_t group_table_growth(const group_table *t, uint64_t n, uint64_t bytes);

/* Walks in the order of hash and key: sets *row to the next group from slot *at on; false at the
 * end. The table is not changed any more. */
bool group_table_next(const group_table *t, uint64_t *at, uint8_t **row);
/* The same as far as slot `end`. */
bool group_table_next_to(const group_table *t, uint64_t *at, uint64_t end, uint8_t **row);
/* Behind the last slot. */
static inline uint64_t group_table_end(const group_table *t)
{
    return t->slots ? t->n_slots + GROUP_SLACK : 0;
}
/* Puts in order, once, before walking: all groups (64), or only as far as walking comes to the
 * stretches of hashes with equal first `bits` one after the other. */
void group_table_order(group_table *t, uint32_t bits);

/* Its states are fresh again. */
void group_drop_states(const group_shape *s, uint8_t *row, mem *hang);

#endif
