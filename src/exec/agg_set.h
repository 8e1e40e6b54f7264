/* Sets that hang from states: keys (column/key.h), each once, and with each some bytes of the
 * owner's. A state is a pointer to one; NULL: it is empty. */
#ifndef EXEC_AGG_SET_H
#define EXEC_AGG_SET_H

#include "exec/aggregate_own.h"

typedef struct agg_set agg_set;

/* What keys have in common: fixed, so many bytes, the first of them 1 (of one column without
 * nulls); such texts; or nothing. */
#define AGG_KEY_ANY  0u
#define AGG_KEY_TEXT UINT32_MAX

/* What all sets of an aggregate have in common. */
typedef struct agg_set_kind {
    uint32_t extra; /* bytes of the owner's with each key */
    uint32_t key;   /* AGG_KEY_ANY, AGG_KEY_TEXT or bytes */
    /* The owner's bytes begin with how many rows have the key and the ordinal of one, 8 each. */
    bool counted;
    /* Behind those stands a value of this type, as it is spelt, from which the key follows; NULL:
     * none. */
    const type *spelt;
    /* Those of an equal key join the ones that are there; NULL: there are none. */
    void (*join)(const struct agg_set_kind *k, uint8_t *into, const uint8_t *from);
} agg_set_kind;

typedef struct agg_entry {
    span key;
    const uint8_t *extra; /* of any alignment */
} agg_entry;

/* What an entry with a key of so many bytes takes in a set. */
static inline uint32_t agg_entry_bytes(const agg_set_kind *k, uint32_t key)
{
    return 4 + k->extra + key;
}

static inline agg_set **agg_set_of(uint8_t *state)
{
    return (agg_set **)(void *)state;
}
static inline const agg_set *agg_set_in(const uint8_t *state)
{
    return *(const agg_set *const *)(const void *)state;
}

/* Who takes a row that has come to its key: `extra` are the owner's bytes of it, zero where it is
 * new. */
typedef void (*agg_set_take)(const agg_set_kind *k, const aggregate_rows *r, const vector *args,
                             uint32_t row, uint8_t *extra);
/* The rows of g's arguments into the sets of their states; nulls: also those of which one is null.
 * take NULL: there is nothing to take. */
nrw_status agg_set_add(const aggregate *g, const agg_set_kind *k, const aggregate_rows *r,
                       bool nulls, agg_set_take take, nrw_error *err);
/* How many keys there are and what they take; of NULL 0. */
uint32_t agg_set_n(const agg_set *s);
uint32_t agg_set_bytes(const agg_set *s);
/* The entries in the order they came, *at zero at first; false: there are no more. */
bool agg_set_next(const agg_set_kind *k, const agg_set *s, size_t *at, agg_entry *out);
void agg_set_free(agg_set *s);

/* What n entries of so many bytes take with the slots of their own, where room was made for them
 * beforehand; of an empty set. */
uint64_t agg_set_room(uint64_t n, uint64_t bytes);
nrw_status agg_set_reserve(const agg_set_kind *k, agg_set **s, uint32_t n, size_t bytes, mem *m,
                           nrw_error *err);

/* For aggregate_class; the first as it is. */
void agg_set_drop(const aggregate *g, uint8_t *state, mem *m);
nrw_status agg_set_merge(const agg_set_kind *k, agg_set **into, agg_set **from, mem *m,
                         nrw_error *err);
nrw_status agg_set_save(const agg_set_kind *k, agg_set *s, size_t most, bytes *out, bool *more,
                        nrw_error *err);
nrw_status agg_set_load(const agg_set_kind *k, span saved, agg_set **s, mem *m, nrw_error *err);

/* How far a piece has come, which its entries go on from; zero at its begin. */
typedef struct agg_set_pace {
    uint64_t before; /* ordinal of the last entry */
    uint32_t mean;   /* of the distances of late, 16 times */
    uint32_t left;   /* bits of the last word that are free, or were not read yet */
    size_t word;     /* where it begins; of who packs */
} agg_set_pace;

/* Entries as they were saved, one after the other. */
typedef struct agg_set_reader {
    const agg_set_kind *k;
    span saved; /* set anew for each piece, as are the three below */
    size_t at;
    agg_set_pace pace;
    uint64_t bits; /* of the last word, those that were not read yet */
    bytes room;    /* of the entry */
} agg_set_reader;

agg_set_reader agg_set_reader_of(const agg_set_kind *k, mem *m);
void agg_set_reader_begin(agg_set_reader *r, span saved);
/* *out is good until the next call. NRW_END: there are no more. */
nrw_status agg_set_reader_next(agg_set_reader *r, agg_entry *out, nrw_error *err);
void agg_set_reader_free(agg_set_reader *r);
/* Behind `out`, as agg_set_reader_next gives it back. What the piece has so far stays where it is
 * in `out`. */
nrw_status agg_set_pack(const agg_set_kind *k, const agg_entry *e, agg_set_pace *p, bytes *out,
                        nrw_error *err);
/* The most that takes. */
size_t agg_set_packed_most(const agg_set_kind *k, const agg_entry *e);

/* What keys of one column of such values without nulls have in common. */
uint32_t agg_set_key_of(const type *t);

/* What was saved, by parts of the keys that fit into memory, one after the other. */
nrw_status agg_set_deal(const agg_set_kind *k, agg_saved *saved,
                        nrw_status (*part)(void *self, const agg_set *s, nrw_error *err),
                        void *self, nrw_error *err);

#endif
