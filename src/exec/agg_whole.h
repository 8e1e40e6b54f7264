/* Sums of whole numbers, as states: exact, with how many there were. */
#ifndef EXEC_AGG_WHOLE_H
#define EXEC_AGG_WHOLE_H

#include "exec/aggregate_own.h"

typedef __int128 i128;

typedef struct whole_state {
    i128 sum;
    uint64_t n;
    uint64_t overflow;
} whole_state;

/* Of values of up to 32 bits 2^48 rows fit in one word: the sum over their number. */
#define WHOLE_NARROW   16u
#define WHOLE_ROW_BITS 48
#define WHOLE_ONE      ((i128)1 << WHOLE_ROW_BITS)

static inline bool whole_is_narrow(const aggregate *g)
{
    return g->state_bytes == WHOLE_NARROW;
}

static inline whole_state whole_of_word(i128 word)
{
    return (whole_state){.sum = word >> WHOLE_ROW_BITS,
                         .n = (uint64_t)word & (((uint64_t)1 << WHOLE_ROW_BITS) - 1)};
}

/* States are 8-aligned. */
static inline whole_state whole_load(const uint8_t *p, bool narrow)
{
    whole_state s;
    i128 word;

    if (narrow) {
        memcpy(&word, p, sizeof word);
        return whole_of_word(word);
    }
    memcpy(&s, p, sizeof s);
    return s;
}

static inline void whole_store(uint8_t *p, const whole_state *s, bool narrow)
{
    i128 word;

    if (!narrow) {
        memcpy(p, s, sizeof *s);
        return;
    }
    word = s->sum * WHOLE_ONE + (i128)s->n;
    memcpy(p, &word, sizeof word);
}

/* Rows into states of g, whose argument is BIGINT, HUGEINT or a decimal of up to 38 digits. */
nrw_status whole_add(const aggregate *g, const aggregate_rows *r, nrw_error *err);

#endif
