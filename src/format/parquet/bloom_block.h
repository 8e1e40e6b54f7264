/* One block of a split block bloom filter (parquet-format, BloomFilter.md): 256 bits, of which a
 * value sets eight, one in each word. */
#ifndef PARQUET_BLOOM_BLOCK_H
#define PARQUET_BLOOM_BLOCK_H

#include "base/span.h"

enum { PQ_BLOOM_BLOCK = 32, PQ_BLOOM_WORDS = 8 };

/* The block of `blocks` that a value of this hash can be in. */
static inline uint32_t pq_bloom_block(uint64_t hash, uint32_t blocks)
{
    return (uint32_t)(((hash >> 32) * blocks) >> 32);
}

/* The bit of word i. */
static inline uint32_t pq_bloom_bit(uint64_t hash, int i)
{
    static const uint32_t salts[PQ_BLOOM_WORDS] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU,
                                                   0xa2b7289dU, 0x705495c7U, 0x2df1424bU,
                                                   0x9efc4947U, 0x5c6bfb31U};

    return ((uint32_t)hash * salts[i]) >> 27;
}

static inline void pq_bloom_set(uint8_t *block, uint64_t hash)
{
    for (int i = 0; i < PQ_BLOOM_WORDS; i++) {
        uint8_t *word = block + (size_t)4 * i;
        store_u32(word, load_u32(word) | 1u << pq_bloom_bit(hash, i));
    }
}

static inline bool pq_bloom_has(const uint8_t *block, uint64_t hash)
{
    bool has = true;

    for (int i = 0; i < PQ_BLOOM_WORDS; i++)
        has &= load_u32(block + (size_t)4 * i) >> pq_bloom_bit(hash, i) & 1;
    return has;
}

#endif
