#include "exec/agg_set.h"

#include "base/hash.h"
#include "base/piece.h"

/* Entries one behind the other: the key's length, the owner's bytes, the key; ... */
typedef struct set_keys {
    uint16_t place; /* base/piece.h's */
    uint8_t data[];
} set_keys;

/* ... and where each begins by its hash: its offset plus 1; 0: empty. */
typedef struct set_slots {
    uint16_t place;
    uint32_t at[];
} set_slots;

struct agg_set {
    uint16_t place;
    set_keys *keys;
    set_slots *slots;
    uint32_t len, cap; /* of keys' data */
    uint32_t n_slots, n;
    uint32_t saved; /* so many bytes of keys are; there are no slots then */
};

#define FIRST_SLOTS 8u

static uint32_t entry_bytes(const agg_set_kind *k, uint32_t key)
{
    return 4 + k->extra + key;
}

static agg_entry entry_at(const agg_set_kind *k, const uint8_t *p)
{
    return (agg_entry){{p + 4 + k->extra, load_u32(p)}, p + 4};
}

static uint32_t *slot_of(const agg_set_kind *k, const agg_set *s, set_slots *slots,
                         uint32_t n_slots, span key)
{
    uint32_t i = (uint32_t)hash_bytes(key.data, key.len) & (n_slots - 1);

    for (; slots->at[i]; i = (i + 1) & (n_slots - 1))
        if (span_equal(entry_at(k, s->keys->data + slots->at[i] - 1).key, key))
            break;
    return &slots->at[i];
}

static nrw_status more_slots(const agg_set_kind *k, agg_set *s, mem *m, nrw_error *err)
{
    uint32_t n = s->n_slots ? s->n_slots * 2 : FIRST_SLOTS;
    set_slots *slots;

    TRY(piece_new(m, sizeof *slots + n * sizeof *slots->at, (void **)&slots, err));
    memset(slots->at, 0, n * sizeof *slots->at);
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots->at[i])
            *slot_of(k, s, slots, n, entry_at(k, s->keys->data + s->slots->at[i] - 1).key) =
                s->slots->at[i];
    piece_free(s->slots);
    s->slots = slots;
    s->n_slots = n;
    return NRW_OK;
}

static nrw_status more_keys(agg_set *s, size_t bytes, mem *m, nrw_error *err)
{
    size_t want = sizeof *s->keys + s->len + bytes, had = sizeof *s->keys + s->cap;
    void *p = s->keys;

    if (want <= had)
        return NRW_OK;
    want = piece_room(want > had / 2 * 3 ? want : had / 2 * 3);
    if (want >= UINT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a set of DISTINCT values of more than 4 GiB");
    TRY(piece_resize(m, &p, had, want, err));
    s->keys = p;
    s->cap = (uint32_t)(want - sizeof *s->keys);
    return NRW_OK;
}

nrw_status agg_set_put(const agg_set_kind *k, agg_set **at, span key, mem *m, uint8_t **extra,
                       bool *fresh, nrw_error *err)
{
    agg_set *s = *at;
    uint32_t *slot;

    if (!s) {
        TRY(piece_new(m, sizeof *s, (void **)&s, err));
        *s = (agg_set){.place = s->place};
        *at = s;
    }
    if (s->n >= s->n_slots / 2)
        TRY(more_slots(k, s, m, err));
    slot = slot_of(k, s, s->slots, s->n_slots, key);
    *fresh = *slot == 0;
    if (*fresh) {
        uint8_t *to;
        TRY(more_keys(s, entry_bytes(k, (uint32_t)key.len), m, err));
        *slot = s->len + 1;
        to = s->keys->data + s->len;
        store_u32(to, (uint32_t)key.len);
        memset(to + 4, 0, k->extra);
        memcpy(to + 4 + k->extra, key.data, key.len);
        s->len += entry_bytes(k, (uint32_t)key.len);
        s->n++;
    }
    *extra = s->keys->data + *slot - 1 + 4;
    return NRW_OK;
}

uint32_t agg_set_n(const agg_set *s)
{
    return s ? s->n : 0;
}

uint32_t agg_set_bytes(const agg_set *s)
{
    return s ? s->len : 0;
}

bool agg_set_saved_next(const agg_set_kind *k, span saved, size_t *at, agg_entry *out)
{
    if (*at + entry_bytes(k, 0) > saved.len ||
        load_u32(saved.data + *at) > saved.len - *at - entry_bytes(k, 0))
        return false;
    *out = entry_at(k, saved.data + *at);
    *at += entry_bytes(k, (uint32_t)out->key.len);
    return true;
}

bool agg_set_next(const agg_set_kind *k, const agg_set *s, size_t *at, agg_entry *out)
{
    return s && agg_set_saved_next(k, (span){s->keys->data, s->len}, at, out);
}

void agg_set_free(agg_set *s)
{
    if (!s)
        return;
    piece_free(s->slots);
    piece_free(s->keys);
    piece_free(s);
}

static nrw_status put_entry(const agg_set_kind *k, agg_set **s, const agg_entry *e, mem *m,
                            nrw_error *err)
{
    uint8_t *extra;
    bool fresh;

    TRY(agg_set_put(k, s, e->key, m, &extra, &fresh, err));
    if (fresh)
        memcpy(extra, e->extra, k->extra);
    else if (k->join)
        k->join(k, extra, e->extra);
    return NRW_OK;
}

nrw_status agg_set_merge(const agg_set_kind *k, agg_set **into, agg_set **from, mem *m,
                         nrw_error *err)
{
    size_t at = 0;
    agg_entry e;

    if (agg_set_n(*into) < agg_set_n(*from)) { /* the smaller one is taken apart */
        agg_set *s = *into;
        *into = *from;
        *from = s;
    }
    while (agg_set_next(k, *from, &at, &e))
        TRY(put_entry(k, into, &e, m, err));
    return NRW_OK;
}

nrw_status agg_set_save(const agg_set_kind *k, agg_set *s, size_t most, bytes *out, bool *more,
                        nrw_error *err)
{
    size_t end;
    agg_entry e;

    *more = false;
    if (!s || s->saved == s->len)
        return NRW_OK;
    piece_free(s->slots);
    s->slots = NULL;
    for (size_t at = end = s->saved; agg_set_next(k, s, &at, &e); end = at)
        if (end > s->saved && at - s->saved > most)
            break;
    TRY(bytes_append(out, s->keys->data + s->saved, end - s->saved, err));
    s->saved = (uint32_t)end;
    *more = end < s->len;
    return NRW_OK;
}

nrw_status agg_set_load(const agg_set_kind *k, span saved, agg_set **s, mem *m, nrw_error *err)
{
    size_t at = 0;
    agg_entry e;

    while (agg_set_saved_next(k, saved, &at, &e))
        TRY(put_entry(k, s, &e, m, err));
    if (at != saved.len)
        return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
    return NRW_OK;
}
