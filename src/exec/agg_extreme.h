/* States of min and max over values of a word at most: the greatest of words that order as the
 * values do, for min turned round. */
#ifndef EXEC_AGG_EXTREME_H
#define EXEC_AGG_EXTREME_H

#include "exec/aggregate_own.h"

typedef struct word_state {
    uint64_t word;
    uint64_t there;
} word_state;

bool word_fits(const type *t);
/* Of a value, as in a vector. NaN is greatest, and one value; -0 comes before 0. */
uint64_t word_of(const type *t, const uint8_t *value, bool max);
/* The same of values that follow each other, as for max. */
void words_of(const type *t, const uint8_t *values, uint32_t n, uint64_t *words);
/* Back again. */
void word_put(const type *t, uint64_t word, bool max, uint8_t *to);
/* All rows of a flat vector into their states. */
void word_add(const vector *v, const aggregate_rows *r, bool max);

static inline bool word_beats(const word_state *s, uint64_t word)
{
    return !s->there || word > s->word;
}

static inline void word_take(word_state *s, uint64_t word)
{
    s->word = word_beats(s, word) ? word : s->word;
    s->there = 1;
}

#endif
