/* The dictionary of a column being written: entries in PLAIN form in order of first appearance, and
 * a table that finds them. Numbers of 4 and 8 bytes are compared as bits; other values as bytes. */
#ifndef PARQUET_DICT_BUILD_H
#define PARQUET_DICT_BUILD_H

#include "base/buffer.h"

typedef struct pq_dict {
    mem *m;
    uint32_t width; /* 4, 8: numbers; other: bytes of that length; 0: byte arrays */
    uint8_t slot_words;
    bool straight; /* numbers: each stands in the slot of its distance from `low` */
    uint64_t max;  /* PLAIN bytes of all entries */
    uint32_t n;    /* entries */
    uint32_t n_slots;
    uint32_t *at; /* byte arrays: where entry i begins in plain, n + 1 of them */
    size_t at_cap;
    buffer *plain;   /* NULL: no entries */
    uint32_t *slots; /* numbers: entry + 1, 0 where free; bytes: hash and that */
    int64_t low;
} pq_dict;

void pq_dict_init(pq_dict *d, mem *m, bool numbers, uint32_t width, uint64_t max);
void pq_dict_release(pq_dict *d); /* all memory; the dictionary is then empty */
/* All memory, but the counts stay, for the entries come back later. */
void pq_dict_drop(pq_dict *d);
/* No more entries come: the table goes, the entries stay. */
void pq_dict_freeze(pq_dict *d);
/* The table anew, from the entries. */
nrw_status pq_dict_rebuild(pq_dict *d, nrw_error *err);

/* out[i] = the entry of value i, appended where it is new. *took < n: value *took is new and would
 * pass max. `values` are dense, of d->width. */
nrw_status pq_dict_add_numbers(pq_dict *d, const uint8_t *values, size_t n, uint32_t *out,
                               size_t *took, nrw_error *err);
/* The same without adding: PQ_DICT_NONE where a value has no entry. */
#define PQ_DICT_NONE UINT32_MAX
void pq_dict_find_numbers(const pq_dict *d, const uint8_t *values, size_t n, uint32_t *out);
nrw_status pq_dict_add_spans(pq_dict *d, const span *values, size_t n, uint32_t *out, size_t *took,
                             nrw_error *err);

/* PLAIN bytes of all entries. */
static inline size_t pq_dict_bytes(const pq_dict *d)
{
    return d->plain ? d->plain->len : 0;
}
/* Entry i without its length. */
static inline span pq_dict_entry(const pq_dict *d, uint32_t i)
{
    if (d->width)
        return (span){d->plain->data + (size_t)i * d->width, d->width};
    return (span){d->plain->data + d->at[i] + 4, d->at[i + 1] - d->at[i] - 4};
}
uint64_t pq_dict_memory(const pq_dict *d);
/* About how many entries `max` PLAIN bytes can hold. */
uint64_t pq_dict_entries(uint32_t width, uint64_t max);
/* The most a dictionary of `max` PLAIN bytes, and of no more than so many entries, takes while it
 * grows. */
uint64_t pq_dict_most(bool numbers, uint32_t width, uint64_t max, uint64_t entries);
/* The most this one takes until it has so many entries. */
uint64_t pq_dict_most_of(const pq_dict *d, uint64_t entries);

#endif
