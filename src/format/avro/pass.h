/* Stepping over what nobody wants. Internal to the Avro folder.
 *
 * Where a value ends shows only in its first bytes, so that fields wait for each other. But records
 * resemble each other: what decides about an element's bytes (the branch, the length, which bytes
 * of numbers go on) is mostly what it was in records before. This is asked with one comparison,
 * and if it holds the next element begins where it did then. An element whose values differ much is
 * given up and looked at each time. What is passed does not depend on guesses. */
#ifndef AVRO_PASS_H
#define AVRO_PASS_H

#include "format/avro/program.h"
#include "format/avro/word.h"

typedef struct av_place {
    const uint8_t *p;
    const av_step *step;
} av_place;

/* Behind the element at p, which is not as expected; from now on it is. NULL: it is left to
 * decode.c. */
const uint8_t *av_look(const av_run *r, const av_step *step, av_guess *g, const uint8_t *p);

/* Guesses of n elements, made anew: nothing is known yet. */
void av_guess_anew(av_guess *g, uint32_t n);

/* Behind an element whose values differ, if it is of a kind that can be taken as it comes; else
 * `wrong`. `word` is what is at p. */
static inline const uint8_t *av_of_kind(const av_step *step, const av_guess *g, const uint8_t *p,
                                        uint64_t word, const uint8_t *wrong)
{
    const uint8_t *next;

    if (g->kind == AV_AS_BEFORE || (word & g->head_mask) != g->head)
        return wrong;
    if (g->kind == AV_SOME_TEXT)
        return p + g->advance + (word >> g->shift & 63);
    next = av_pass_numbers(p + g->shift / 8, step->n);
    return next ? next + (g->advance - g->shift / 8) : wrong;
}

/* Behind the element at p, whatever it looks like; it may end behind `last`. NULL: it is left to
 * decode.c. */
static inline const uint8_t *av_pass_one(const av_run *r, const av_step *step, av_guess *g,
                                         const uint8_t *p, const uint8_t *last)
{
    const uint64_t word = load_u64(p);
    const uint8_t *next = p + g->advance;

    if ((word & g->mask) != g->expect)
        next = av_of_kind(step, g, p, word, last + 1);
    return next <= last ? next : av_look(r, step, g, p);
}

/* From p, which is not behind `last`, and `step`, an element, over it and those that follow it, up
 * to `fence` at most. It stops where they end, at a p behind `last`, or else at an element that is
 * left to decode.c. AV_AHEAD bytes behind `last` are the block's. What is as expected, nearly all,
 * goes straight through, without a look at where the block ends. */
static inline av_place av_pass(const av_run *r, const av_step *step, const av_step *fence,
                               const uint8_t *p, const uint8_t *last)
{
    av_guess *const first = r->guesses + step->guess, *g = first;
    const size_t reach = (first - step->place)->reach;
    const bool all = step + step->run <= fence;
    const av_guess *end = first + (all ? step->run : (size_t)(fence - step));

    do {
        const uint8_t *next;
        if ((size_t)(last - p) >= reach && __builtin_expect(all, 1)) {
            while ((load_u64(p) & g->mask) == g->expect)
                p += g++->advance;
            if (g == end)
                break;
        }
        next = av_pass_one(r, step + (g - first), g, p, last);
        if (!next)
            break;
        p = next;
    } while (++g < end && p <= last);
    return (av_place){p, step + (g - first)};
}

#endif
