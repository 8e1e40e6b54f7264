#include "exec/agg_set.h"

#include "base/fetch.h"
#include "base/hash.h"
#include "base/piece.h"
#include "column/key.h"

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
/* Keys that are made at a time; so many rows ahead memory is asked for what is looked at next. */
#define KEYS  512u
#define AHEAD 8u

static agg_entry entry_at(const agg_set_kind *k, const uint8_t *p)
{
    return (agg_entry){{p + 4 + k->extra, load_u32(p)}, p + 4};
}

static uint64_t hash_of(span key)
{
    return hash_bytes(key.data, key.len);
}

static uint32_t *slot_of(const agg_set_kind *k, const agg_set *s, span key, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (s->n_slots - 1), *at = s->slots->at;

    for (; at[i]; i = (i + 1) & (s->n_slots - 1))
        if (span_equal(entry_at(k, s->keys->data + at[i] - 1).key, key))
            break;
    return &at[i];
}

/* n of them, filled in the order of the keys, which differ. */
static nrw_status more_slots(const agg_set_kind *k, agg_set *s, uint32_t n, mem *m, nrw_error *err)
{
    set_slots *slots;
    uint32_t i;
    size_t at = 0;
    agg_entry e;

    TRY(piece_new(m, sizeof *slots + n * sizeof *slots->at, (void **)&slots, err));
    memset(slots->at, 0, n * sizeof *slots->at);
    for (uint32_t from = 0; s->len && agg_set_next(k, s, &at, &e); from = (uint32_t)at) {
        for (i = (uint32_t)hash_of(e.key) & (n - 1); slots->at[i];)
            i = (i + 1) & (n - 1);
        slots->at[i] = from + 1;
    }
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

static nrw_status some_set(agg_set **at, mem *m, nrw_error *err)
{
    agg_set *s;

    if (*at)
        return NRW_OK;
    TRY(piece_new(m, sizeof *s, (void **)&s, err));
    *s = (agg_set){.place = s->place};
    *at = s;
    return NRW_OK;
}

/* *extra: the owner's bytes of the key; *fresh: it is new, they are zero. */
static nrw_status put(const agg_set_kind *k, agg_set **at, span key, uint64_t hash, mem *m,
                      uint8_t **extra, bool *fresh, nrw_error *err)
{
    agg_set *s;
    uint32_t *slot;

    TRY(some_set(at, m, err));
    s = *at;
    if (s->n >= s->n_slots / 2)
        TRY(more_slots(k, s, s->n_slots ? s->n_slots * 2 : FIRST_SLOTS, m, err));
    slot = slot_of(k, s, key, hash);
    *fresh = *slot == 0;
    if (*fresh) {
        uint8_t *to;
        TRY(more_keys(s, agg_entry_bytes(k, (uint32_t)key.len), m, err));
        *slot = s->len + 1;
        to = s->keys->data + s->len;
        store_u32(to, (uint32_t)key.len);
        memset(to + 4, 0, k->extra);
        memcpy(to + 4 + k->extra, key.data, key.len);
        s->len += agg_entry_bytes(k, (uint32_t)key.len);
        s->n++;
    }
    *extra = s->keys->data + *slot - 1 + 4;
    return NRW_OK;
}

/* ---- rows ---- */

/* Keys of some rows; those that are left out have no byte. */
typedef struct some_keys {
    bytes all;
    uint32_t at[KEYS + 1];
    uint64_t hash[KEYS];
} some_keys;

static span key_at(const some_keys *x, uint32_t i)
{
    return (span){x->all.data + x->at[i], x->at[i + 1] - x->at[i]};
}

/* Of one column whose values are the bytes they have: as key_append makes them. */
static nrw_status plain_keys(const vector *v, uint32_t first, uint32_t n, some_keys *out,
                             nrw_error *err)
{
    const uint32_t width = v->type.width;
    uint8_t *to;

    TRY(bytes_reserve(&out->all, (size_t)n * (width + 1), err));
    to = out->all.data;
    for (uint32_t i = 0; i < n; i++) {
        out->at[i] = (uint32_t)(to - out->all.data);
        if (!vector_is_valid(v, first + i))
            continue;
        *to = 1;
        memcpy(to + 1, v->data + (size_t)(first + i) * width, width);
        to += 1 + width;
    }
    out->at[n] = (uint32_t)(to - out->all.data);
    return NRW_OK;
}

static nrw_status any_keys(const vector *columns, uint32_t n_columns, bool nulls, uint32_t first,
                           uint32_t n, some_keys *out, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        bool null = false;
        out->at[i] = (uint32_t)out->all.len;
        for (uint32_t k = 0; !nulls && k < n_columns; k++)
            null |= !vector_is_valid(&columns[k], first + i);
        for (uint32_t k = 0; !null && k < n_columns; k++)
            TRY(key_append(&out->all, &columns[k], first + i, err));
    }
    out->at[n] = (uint32_t)out->all.len;
    return NRW_OK;
}

static bool are_plain(const vector *columns, uint32_t n, bool nulls)
{
    const type *t = &columns[0].type;

    return n == 1 && !nulls && !type_is_view(t) && columns[0].form == VECTOR_FLAT &&
           key_is_plain(t);
}

/* What is looked at for rows further on, one thing after the other: the state, its set, the slot,
 * the key there, or where it will be. */
FETCHES expect(const agg_set_kind *k, const aggregate_rows *r, const some_keys *x, uint32_t first,
               uint32_t i, uint32_t n)
{
    const agg_set *s;

    if (i + 4 * AHEAD < n && !r->one)
        __builtin_prefetch(agg_state(r, first + i + 4 * AHEAD));
    if (i + 3 * AHEAD < n && (s = agg_set_in(agg_state(r, first + i + 3 * AHEAD))))
        __builtin_prefetch(s);
    if (i + 2 * AHEAD < n && (s = agg_set_in(agg_state(r, first + i + 2 * AHEAD))))
        __builtin_prefetch(&s->slots->at[(uint32_t)x->hash[i + 2 * AHEAD] & (s->n_slots - 1)]);
    if (i + AHEAD < n && (s = agg_set_in(agg_state(r, first + i + AHEAD)))) {
        uint32_t at = s->slots->at[(uint32_t)x->hash[i + AHEAD] & (s->n_slots - 1)];
        fetch_bytes(s->keys->data + (at ? at - 1 : s->len), 4 + k->extra + 16);
    }
}

static nrw_status add_some(const agg_set_kind *k, const aggregate_rows *r, const vector *columns,
                           agg_set_take take, some_keys *x, uint32_t first, uint32_t n,
                           nrw_error *err)
{
    uint8_t *extra;
    bool fresh;

    for (uint32_t i = 0; i < n; i++)
        x->hash[i] = hash_of(key_at(x, i));
    for (uint32_t i = 0; i < n; i++) {
        span key = key_at(x, i);
        expect(k, r, x, first, i, n);
        if (key.len == 0)
            continue;
        TRY(put(k, agg_set_of(agg_state(r, first + i)), key, x->hash[i], r->m, &extra, &fresh,
                err));
        if (take)
            take(k, r, columns, first + i, extra);
    }
    return NRW_OK;
}

nrw_status agg_set_add(const aggregate *g, const agg_set_kind *k, const aggregate_rows *r,
                       bool nulls, agg_set_take take, nrw_error *err)
{
    vector columns[AGGREGATE_ARGS] = {0};
    some_keys x = {.all = bytes_init(r->scratch, UINT32_MAX)};
    nrw_status st = bytes_reserve(&x.all, KEYS, err); /* no keys have a place, too */
    bool plain;

    for (uint32_t c = 0; st >= 0 && c < g->n_args; c++)
        st = vector_expand(r->args[c], r->scratch, &columns[c], err);
    plain = st >= 0 && are_plain(columns, g->n_args, nulls);
    for (uint32_t first = 0; st >= 0 && first < r->n; first += KEYS) {
        uint32_t n = r->n - first < KEYS ? r->n - first : KEYS;
        x.all.len = 0;
        st = plain ? plain_keys(&columns[0], first, n, &x, err)
                   : any_keys(columns, g->n_args, nulls, first, n, &x, err);
        if (st >= 0)
            st = add_some(k, r, columns, take, &x, first, n, err);
    }
    for (uint32_t c = 0; c < g->n_args; c++)
        vector_release(&columns[c]);
    bytes_release(&x.all);
    return st;
}

/* ---- sets ---- */

uint32_t agg_set_n(const agg_set *s)
{
    return s ? s->n : 0;
}

uint32_t agg_set_bytes(const agg_set *s)
{
    return s ? s->len : 0;
}

bool agg_set_next(const agg_set_kind *k, const agg_set *s, size_t *at, agg_entry *out)
{
    if (!s || *at >= s->len)
        return false;
    *out = entry_at(k, s->keys->data + *at);
    *at += agg_entry_bytes(k, (uint32_t)out->key.len);
    return true;
}

void agg_set_free(agg_set *s)
{
    if (!s)
        return;
    piece_free(s->slots);
    piece_free(s->keys);
    piece_free(s);
}

void agg_set_drop(const aggregate *g, uint8_t *state, mem *m)
{
    (void)g;
    (void)m;
    agg_set_free(*agg_set_of(state));
}

static nrw_status put_entry(const agg_set_kind *k, agg_set **s, const agg_entry *e, mem *m,
                            nrw_error *err)
{
    uint8_t *extra;
    bool fresh;

    TRY(put(k, s, e->key, hash_of(e->key), m, &extra, &fresh, err));
    if (fresh)
        memcpy(extra, e->extra, k->extra);
    else if (k->join)
        k->join(k, extra, e->extra);
    return NRW_OK;
}

uint64_t agg_set_room(uint64_t n, uint64_t bytes)
{
    return bytes + 4 * n * sizeof(uint32_t) + FIRST_SLOTS * sizeof(uint32_t);
}

nrw_status agg_set_reserve(const agg_set_kind *k, agg_set **at, uint32_t n, size_t bytes, mem *m,
                           nrw_error *err)
{
    uint32_t slots = FIRST_SLOTS;

    while (slots / 2 <= n)
        slots *= 2;
    TRY(some_set(at, m, err));
    TRY(more_slots(k, *at, slots, m, err));
    return more_keys(*at, bytes, m, err);
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
    const size_t begin = out->len;
    agg_set_pace pace = {0};
    size_t at;
    agg_entry e;

    *more = false;
    if (!s || s->saved == s->len)
        return NRW_OK;
    piece_free(s->slots);
    s->slots = NULL;
    for (at = s->saved; agg_set_next(k, s, &at, &e); s->saved = (uint32_t)at) {
        if (out->len > begin && out->len - begin + agg_set_packed_most(k, &e) > most)
            break;
        TRY(agg_set_pack(k, &e, &pace, out, err));
    }
    *more = s->saved < s->len;
    return NRW_OK;
}

nrw_status agg_set_load(const agg_set_kind *k, span saved, agg_set **s, mem *m, nrw_error *err)
{
    agg_set_reader r = agg_set_reader_of(k, m);
    agg_entry e;
    nrw_status st;

    agg_set_reader_begin(&r, saved);
    while ((st = agg_set_reader_next(&r, &e, err)) == NRW_OK) {
        st = put_entry(k, s, &e, m, err);
        if (st < 0)
            break;
    }
    agg_set_reader_free(&r);
    return st < 0 ? st : NRW_OK;
}
