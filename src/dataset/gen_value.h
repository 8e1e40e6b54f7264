/* The values of generated columns: pure functions of definition, seed and row. */
#ifndef DATASET_GEN_VALUE_H
#define DATASET_GEN_VALUE_H

#include "dataset/gen.h"

/* The mixer of all generated values (the finalizer of splitmix64; Steele, Lea, Flood 2014). Frozen:
 * changing it changes everybody's test data. */
static inline uint64_t gen_mix(uint64_t v)
{
    v += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

/* A bijection of [0, n), seeded; n is at least 1. */
typedef struct gen_permutation {
    uint64_t n, mask_left, mask_right, keys[4];
    unsigned bits_right;
} gen_permutation;
gen_permutation gen_permutation_of(uint64_t n, uint64_t seed);
uint64_t gen_permute(const gen_permutation *p, uint64_t i);

/* Fixed-width types: value number i of a range, or the value column's value in row i, into dst
 * (c->type.width bytes). */
void gen_range_fixed(const gen_column *c, uint64_t i, uint8_t *dst);
void gen_seeded_fixed(const gen_column *c, uint64_t seed, uint64_t row, uint8_t *dst);

/* Text and binary: the length, and the bytes. */
uint32_t gen_range_length(const gen_column *c, uint64_t i);
void gen_range_text(const gen_column *c, uint64_t i, uint8_t *dst);
uint32_t gen_seeded_length(const gen_column *c, uint64_t seed, uint64_t row);
void gen_seeded_text(const gen_column *c, uint64_t seed, uint64_t row, uint8_t *dst);

bool gen_is_null(const gen_column *c, uint64_t seed, uint64_t row);

/* The seed of column number i, so that columns of one definition do not go together. */
uint64_t gen_column_seed(uint64_t seed, uint32_t i);

/* May a range of n values be of this type? A sentence if not. */
nrw_status gen_range_check(const gen_column *c, nrw_error *err);

#endif
