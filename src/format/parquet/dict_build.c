#include "format/parquet/dict_own.h"
#include "format/parquet/enc_copy.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_FIRST 64
#define PLAIN_FIRST 512
#define AT_FIRST    64
/* An entry index and offsets are 32 bits wide. */
#define MAX_BYTES ((uint64_t)1 << 30)

void pq_dict_init(pq_dict *d, mem *m, bool numbers, uint32_t width, uint64_t max)
{
    *d = (pq_dict){.m = m, .width = width, .max = max < MAX_BYTES ? max : MAX_BYTES};
    d->slot_words = numbers ? 1 : 2;
}

static size_t table_bytes(const pq_dict *d)
{
    return (size_t)d->n_slots * d->slot_words * sizeof(uint32_t);
}

void pq_dict_freeze(pq_dict *d)
{
    mem_free(d->m, d->slots, table_bytes(d));
    d->slots = NULL;
    d->n_slots = 0;
}

void pq_dict_drop(pq_dict *d)
{
    pq_dict_freeze(d);
    buffer_unref(d->plain);
    mem_free(d->m, d->at, d->at_cap * sizeof *d->at);
    d->plain = NULL;
    d->at = NULL;
    d->at_cap = 0;
}

void pq_dict_release(pq_dict *d)
{
    pq_dict_drop(d);
    d->n = 0;
}

uint64_t pq_dict_memory(const pq_dict *d)
{
    return (d->slots ? mem_cost(table_bytes(d)) : 0) + (d->plain ? buffer_cost(d->plain->cap) : 0) +
           (d->at ? mem_cost(d->at_cap * sizeof *d->at) : 0);
}

/* A power of two. Numbers: half full at most. Longer values, whose table is twice as wide: three
 * quarters. */
static uint64_t slots_for(bool numbers, uint64_t entries)
{
    uint64_t least = numbers ? entries * 2 : (entries * 4 + 2) / 3;

    return least <= SLOTS_FIRST ? SLOTS_FIRST : UINT64_C(1) << (64 - __builtin_clzll(least - 1));
}

uint64_t pq_dict_entries(uint32_t width, uint64_t max)
{
    return max / (width ? width : 4 + 3); /* few texts are shorter than 3 bytes */
}

/* With so many bytes of entries and their places. */
static uint64_t most_of(bool numbers, uint64_t entries, uint64_t plain, uint64_t at)
{
    uint64_t table = slots_for(numbers, entries) * (numbers ? 4 : 8);

    return table + table / 2 + plain + plain / 8 + at + at / 8;
}

/* Both grow by doubling. */
static uint64_t most_until(bool numbers, uint32_t width, uint64_t max, uint64_t entries)
{
    uint64_t plain = width ? 2 * entries * width + PLAIN_FIRST : max;

    return most_of(numbers, entries, plain < max ? plain : max,
                   width ? 0 : 8 * entries + AT_FIRST * 4);
}

uint64_t pq_dict_most(bool numbers, uint32_t width, uint64_t max, uint64_t entries)
{
    uint64_t all = pq_dict_entries(width, max), most;

    most = most_of(numbers, all, max, width ? 0 : 4 * all);
    if (entries < all && most_until(numbers, width, max, entries) < most)
        most = most_until(numbers, width, max, entries);
    return most;
}

uint64_t pq_dict_most_of(const pq_dict *d, uint64_t entries)
{
    return most_until(d->slot_words == 1, d->width, d->max, entries);
}

/* ---- the table ---- */

static uint32_t hash_span(span s)
{
    return (uint32_t)XXH3_64bits(s.data, s.len);
}

static void place_span(pq_dict *d, uint32_t hash, uint32_t entry)
{
    uint32_t mask = d->n_slots - 1, s = hash & mask;

    while (d->slots[2 * (size_t)s + 1])
        s = (s + 1) & mask;
    d->slots[2 * (size_t)s] = hash;
    d->slots[2 * (size_t)s + 1] = entry + 1;
}

static nrw_status table_new(pq_dict *d, uint64_t slots, nrw_error *err)
{
    void *p;
    uint32_t *old = d->slots;
    size_t old_bytes = table_bytes(d), old_slots = d->n_slots;

    TRY(mem_zalloc(d->m, slots * d->slot_words * sizeof(uint32_t), &p, err));
    d->slots = p;
    d->n_slots = (uint32_t)slots;
    if (d->slot_words == 1)
        pq_dict_place_numbers(d);
    else if (old)
        for (size_t i = 0; i < old_slots; i++) {
            if (old[2 * i + 1])
                place_span(d, old[2 * i], old[2 * i + 1] - 1);
        }
    else
        for (uint32_t e = 0; e < d->n; e++)
            place_span(d, hash_span(pq_dict_entry(d, e)), e);
    mem_free(d->m, old, old_bytes);
    return NRW_OK;
}

nrw_status pq_dict_rebuild(pq_dict *d, nrw_error *err)
{
    pq_dict_freeze(d);
    return d->n ? table_new(d, slots_for(d->slot_words == 1, d->n), err) : NRW_OK;
}

static nrw_status table_room(pq_dict *d, nrw_error *err)
{
    uint64_t slots = slots_for(d->slot_words == 1, (uint64_t)d->n + 1);

    return slots > d->n_slots ? table_new(d, slots, err) : NRW_OK;
}

/* ---- entries ---- */

static nrw_status plain_room(pq_dict *d, size_t more, nrw_error *err)
{
    size_t len = pq_dict_bytes(d), cap;

    if (!d->plain)
        return buffer_new(d->m, size_max(PLAIN_FIRST, more), &d->plain, err);
    if (len + more <= d->plain->cap)
        return NRW_OK;
    cap = size_max(len + more, size_min(2 * d->plain->cap, d->max));
    return buffer_resize(&d->plain, cap, err);
}

static nrw_status at_room(pq_dict *d, nrw_error *err)
{
    size_t cap = d->at_cap ? 2 * d->at_cap : AT_FIRST;
    void *p = d->at;

    if ((size_t)d->n + 2 <= d->at_cap)
        return NRW_OK;
    TRY(mem_realloc(d->m, &p, d->at_cap * sizeof *d->at, cap * sizeof *d->at, err));
    d->at = p;
    d->at_cap = cap;
    d->at[0] = 0;
    return NRW_OK;
}

nrw_status pq_dict_entry_room(pq_dict *d, size_t plain, nrw_error *err)
{
    TRY(plain_room(d, plain, err));
    if (!d->width)
        TRY(at_room(d, err));
    return table_room(d, err);
}

static nrw_status add_span(pq_dict *d, span v, uint32_t hash, nrw_error *err)
{
    size_t plain = d->width ? d->width : 4 + v.len;
    uint8_t *p;

    TRY(pq_dict_entry_room(d, plain, err));
    p = d->plain->data + d->plain->len;
    if (!d->width) {
        store_u32(p, (uint32_t)v.len);
        p += 4;
        d->at[d->n + 1] = (uint32_t)(d->plain->len + plain);
    }
    enc_copy(p, v.data, v.len);
    d->plain->len += plain;
    place_span(d, hash, d->n++);
    return NRW_OK;
}

static uint32_t find_span(const pq_dict *d, span v, uint32_t hash)
{
    uint32_t mask = d->n_slots - 1, s = hash & mask, e;

    if (!d->n_slots)
        return 0;
    for (; (e = d->slots[2 * (size_t)s + 1]); s = (s + 1) & mask)
        if (d->slots[2 * (size_t)s] == hash) {
            span w = pq_dict_entry(d, e - 1);
            if (w.len == v.len && memcmp(w.data, v.data, v.len) == 0)
                break;
        }
    return e;
}

nrw_status pq_dict_add_spans(pq_dict *d, const span *values, size_t n, uint32_t *out, size_t *took,
                             nrw_error *err)
{
    *took = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t hash = hash_span(values[i]), e = find_span(d, values[i], hash);
        if (!e) {
            *took = i;
            if (pq_dict_bytes(d) + (d->width ? 0 : 4) + values[i].len > d->max)
                return NRW_OK;
            TRY(add_span(d, values[i], hash, err));
            e = d->n;
        }
        out[i] = e - 1;
    }
    *took = n;
    return NRW_OK;
}
