/* A Bloom filter of the hashes of right rows that went to the spill file, two bits a row in one
 * word: left rows that can meet nobody need not go after them. The upper bits of a hash choose its
 * part, these are others. */
#include "exec/join_own.h"

#define LEAST_BYTES 4096u

nrw_status join_filter_open(join_filter *f, mem *m, uint64_t most, nrw_error *err)
{
    uint64_t bytes = LEAST_BYTES;
    nrw_error refused = NRW_ERROR_INIT;
    nrw_status st;

    while (bytes * 2 <= most)
        bytes *= 2;
    st = mem_zalloc(m, bytes, (void **)&f->words, &refused);
    f->n = st >= 0 ? bytes / sizeof *f->words : 0;
    if (st >= 0 || st == NRW_E_MEMLIMIT)
        return NRW_OK;
    *err = refused;
    return st;
}

void join_filter_close(join_filter *f, mem *m)
{
    mem_free(m, f->words, f->n * sizeof *f->words);
    *f = (join_filter){0};
}

uint64_t join_filter_rows(const join_filter *f)
{
    return f->n * 32;
}

static uint64_t bits_of(uint64_t hash)
{
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63);
}

static uint64_t *word_of(const join_filter *f, uint64_t hash)
{
    return &f->words[hash >> 12 & (f->n - 1)];
}

void join_filter_add(join_filter *f, uint64_t hash)
{
    if (f->n)
        __atomic_fetch_or(word_of(f, hash), bits_of(hash), __ATOMIC_RELAXED);
}

bool join_filter_has(const join_filter *f, uint64_t hash)
{
    return f->n == 0 || !(bits_of(hash) & ~*word_of(f, hash));
}
