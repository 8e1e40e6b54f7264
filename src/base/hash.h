/* Hashes: XXH3 for bytes, a mixer for integers. Not for values that leave the process, but
 * for hash_xxh64. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/span.h"

/* XXH3-64 */
uint64_t hash_bytes(const void *data, size_t len);

/* XXH64 with seed 0: what formats name. */
uint64_t hash_xxh64(const void *data, size_t len);

/* A bijection of 64 bits in which every bit of the input moves every bit of the output: for hash
 * tables of integers and for seeded permutations. */
static inline uint64_t hash_u64(uint64_t v)
{
    v ^= v >> 32;
    v *= UINT64_C(0xd6e8feb86659fd93);
    v ^= v >> 32;
    v *= UINT64_C(0xd6e8feb86659fd93);
    v ^= v >> 32;
    return v;
}

/* One more column of a key: order matters, equal columns do not cancel out. */
static inline uint64_t hash_combine(uint64_t hash, uint64_t next)
{
    return hash_u64(((hash << 23) | (hash >> 41)) ^ next) + UINT64_C(0x9e3779b97f4a7c15);
}

#endif
