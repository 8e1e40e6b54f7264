/* Numbers in a dictionary. Where all of them lie within as many as the table has slots, as days,
 * small keys and amounts do, each stands in the slot of its distance from the lowest, and one look
 * finds it or finds that it is new; else by hash. */
#include "format/parquet/dict_own.h"
#include "kernel/kernel.h"

/* ---- the table ---- */

static inline uint64_t bits_of(const pq_dict *d, const uint8_t *value)
{
    return d->width == 4 ? load_u32(value) : load_u64(value);
}

static inline int64_t signed_of(const pq_dict *d, const uint8_t *value)
{
    return d->width == 4 ? (int32_t)load_u32(value) : (int64_t)load_u64(value);
}

static const uint8_t *entry_at(const pq_dict *d, uint32_t e)
{
    return d->plain->data + (size_t)e * d->width;
}

/* Not below n_slots: there is no slot for it. */
static inline uint64_t distance(const pq_dict *d, const uint8_t *value)
{
    return (uint64_t)signed_of(d, value) - (uint64_t)d->low;
}

static void place_hashed(pq_dict *d, uint32_t e)
{
    uint32_t mask = d->n_slots - 1, s = (uint32_t)kernel_hash_u64(bits_of(d, entry_at(d, e)));

    while (d->slots[s & mask])
        s++;
    d->slots[s & mask] = e + 1;
}

/* Decides how entries are found; there is as much room below the lowest as above the highest. */
static void find_low(pq_dict *d)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    uint64_t range;

    for (uint32_t e = 0; e < d->n; e++) {
        int64_t v = signed_of(d, entry_at(d, e));
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    range = (uint64_t)most - (uint64_t)least;
    d->straight = d->n && range < d->n_slots;
    if (d->straight)
        d->low = (int64_t)((uint64_t)least - (d->n_slots - range) / 2);
}

void pq_dict_place_numbers(pq_dict *d)
{
    find_low(d);
    for (uint32_t e = 0; e < d->n; e++) {
        if (d->straight)
            d->slots[distance(d, entry_at(d, e))] = e + 1;
        else
            place_hashed(d, e);
    }
}

/* The newest entry; where its distance is too large, all of them are placed anew. */
static void place_newest(pq_dict *d)
{
    const uint32_t e = d->n - 1;

    if (d->straight && distance(d, entry_at(d, e)) < d->n_slots) {
        d->slots[distance(d, entry_at(d, e))] = d->n;
    } else if (d->straight || e == 0) {
        memset(d->slots, 0, d->n_slots * sizeof *d->slots);
        pq_dict_place_numbers(d);
    } else {
        place_hashed(d, e);
    }
}

static nrw_status add_number(pq_dict *d, const uint8_t *value, nrw_error *err)
{
    TRY(pq_dict_entry_room(d, d->width, err));
    memcpy(d->plain->data + d->plain->len, value, d->width);
    d->plain->len += d->width;
    d->n++;
    place_newest(d);
    return NRW_OK;
}

/* ---- one at a time ---- */

/* The entry + 1; 0: there is none. */
static uint32_t find(const pq_dict *d, const uint8_t *value)
{
    const uint64_t v = bits_of(d, value), at = distance(d, value);
    uint32_t mask = d->n_slots - 1, s, e;

    if (d->n_slots == 0)
        return 0;
    if (d->straight)
        return at < d->n_slots ? d->slots[at] : 0;
    for (s = (uint32_t)kernel_hash_u64(v) & mask; (e = d->slots[s]); s = (s + 1) & mask)
        if (bits_of(d, entry_at(d, e - 1)) == v)
            break;
    return e;
}

/* *full: it is new, and there is no room for it. */
static nrw_status find_or_add(pq_dict *d, const uint8_t *value, uint32_t *out, bool *full,
                              nrw_error *err)
{
    uint32_t e = find(d, value);

    if (!e) {
        *full = pq_dict_bytes(d) + d->width > d->max;
        if (*full)
            return NRW_OK;
        TRY(add_number(d, value, err));
        e = d->n;
    }
    *out = e - 1;
    return NRW_OK;
}

void pq_dict_find_numbers(const pq_dict *d, const uint8_t *values, size_t n, uint32_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = find(d, values + i * d->width) - 1;
}

/* ---- many ---- */

/* Lookups, once for each width. The first passes have no branches: where values are hashed, pass t
 * tries slot t of each value. They list those that do not stand there, new ones among them. What is
 * left is taken one by one, in order, so entries still stand in order of first appearance. */
#define PASS   256
#define PASSES 3

typedef struct pass {
    uint32_t n;            /* values that were not found */
    uint16_t at[PASS + 1]; /* their places */
    uint64_t hash[PASS + 8];
} pass;

#define HASH_32(values, n, out) kernels_get()->hash_4(values, n, out)
#define HASH_64(values, n, out) kernels_get()->hash_8(values, n, out)

#define LOOKUPS(bits)                                                                              \
    static void straight_pass_##bits(const pq_dict *d, const uint8_t *values, uint32_t n,          \
                                     uint32_t *out, pass *p)                                       \
    {                                                                                              \
        const uint32_t *slots = d->slots, n_slots = d->n_slots;                                    \
        const uint64_t low = (uint64_t)d->low;                                                     \
        uint32_t k = 0, missing = 0;                                                               \
        for (uint32_t i = 0; i < n; i++) {                                                         \
            int##bits##_t v = (int##bits##_t)load_u##bits(values + (size_t)i * (bits / 8));        \
            uint64_t at = (uint64_t)(int64_t)v - low;                                              \
            uint32_t e = slots[at < n_slots ? at : 0], none = at >= n_slots || e == 0;             \
            out[i] = none ? UINT32_MAX : e - 1;                                                    \
            missing |= none;                                                                       \
        }                                                                                          \
        for (uint32_t i = 0; missing && i < n; i++) {                                              \
            p->at[k] = (uint16_t)i;                                                                \
            k += out[i] == UINT32_MAX;                                                             \
        }                                                                                          \
        p->n = k;                                                                                  \
    }                                                                                              \
    /* *out: the entry in slot s, or 0; whether it is another value, or none. */                   \
    static inline bool misses_##bits(const pq_dict *d, uint32_t s, const uint8_t *value,           \
                                     uint32_t *out)                                                \
    {                                                                                              \
        uint32_t e = d->slots[s & (d->n_slots - 1)], entry = e - (e != 0);                         \
        *out = entry;                                                                              \
        return (load_u##bits(d->plain->data + (size_t)entry * (bits / 8)) !=                       \
                load_u##bits(value)) |                                                             \
               (e == 0);                                                                           \
    }                                                                                              \
    static void first_pass_##bits(const pq_dict *d, const uint8_t *values, uint32_t n,             \
                                  uint32_t *out, pass *p)                                          \
    {                                                                                              \
        uint32_t k = 0;                                                                            \
        for (uint32_t i = 0; i < n; i++) {                                                         \
            p->at[k] = (uint16_t)i;                                                                \
            k += misses_##bits(d, (uint32_t)p->hash[i], values + (size_t)i * (bits / 8), &out[i]); \
        }                                                                                          \
        p->n = k;                                                                                  \
    }                                                                                              \
    static void next_pass_##bits(const pq_dict *d, const uint8_t *values, uint32_t step,           \
                                 uint32_t *out, pass *p)                                           \
    {                                                                                              \
        uint32_t k = 0;                                                                            \
        for (uint32_t j = 0; j < p->n; j++) {                                                      \
            uint32_t i = p->at[j];                                                                 \
            p->at[k] = (uint16_t)i;                                                                \
            k += misses_##bits(d, (uint32_t)p->hash[i] + step, values + (size_t)i * (bits / 8),    \
                               &out[i]);                                                           \
        }                                                                                          \
        p->n = k;                                                                                  \
    }                                                                                              \
    static void passes_##bits(const pq_dict *d, const uint8_t *values, uint32_t n, uint32_t *out,  \
                              pass *p)                                                             \
    {                                                                                              \
        if (d->straight) {                                                                         \
            straight_pass_##bits(d, values, n, out, p);                                            \
            return;                                                                                \
        }                                                                                          \
        HASH_##bits(values, n, p->hash);                                                           \
        first_pass_##bits(d, values, n, out, p);                                                   \
        for (uint32_t step = 1; step < PASSES; step++)                                             \
            next_pass_##bits(d, values, step, out, p);                                             \
    }
LOOKUPS(32)
LOOKUPS(64)

/* At most PASS values. *took as in pq_dict_add_numbers. */
static nrw_status add_part(pq_dict *d, const uint8_t *values, uint32_t n, uint32_t *out,
                           uint32_t *took, nrw_error *err)
{
    bool full = false;
    pass p;

    if (d->n && d->width == 4) {
        passes_32(d, values, n, out, &p);
    } else if (d->n) {
        passes_64(d, values, n, out, &p);
    } else {
        for (uint32_t i = 0; i < n; i++)
            p.at[i] = (uint16_t)i;
        p.n = n;
    }
    for (uint32_t j = 0; j < p.n; j++) {
        *took = p.at[j];
        TRY(find_or_add(d, values + p.at[j] * d->width, &out[p.at[j]], &full, err));
        if (full)
            return NRW_OK;
    }
    *took = n;
    return NRW_OK;
}

nrw_status pq_dict_add_numbers(pq_dict *d, const uint8_t *values, size_t n, uint32_t *out,
                               size_t *took, nrw_error *err)
{
    *took = 0;
    while (*took < n) {
        uint32_t now = (uint32_t)size_min(PASS, n - *took), part = 0;
        TRY(add_part(d, values + *took * d->width, now, out + *took, &part, err));
        *took += part;
        if (part < now)
            break;
    }
    return NRW_OK;
}
