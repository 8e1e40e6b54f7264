/* Stepping over what nobody wants. Internal to the Avro folder.
 *
 * Where a value ends shows only in its first bytes, so that fields wait for each other. But records
 * resemble each other: what decides about an element's bytes (the branch, the length, which bytes
 * of numbers go on) is mostly what it was in records before. This is asked with one comparison, for
 * several elements at once where those bytes lie close together (a leap), and if it holds the next
 * element begins where it did then. An element whose values differ much is given up and looked at
 * each time. What is passed does not depend on guesses. */
#ifndef AVRO_PASS_H
#define AVRO_PASS_H

#include "format/avro/program.h"
#include "format/avro/word.h"

typedef struct av_place {
    const uint8_t *p;
    const av_step *step;
} av_place;

/* Guesses of n elements, made anew: nothing is known yet. */
void av_guess_anew(av_guess *g, uint32_t n);
/* They stay; how often each is wrong counts from here on, and what was given up is tried again. */
void av_guess_on(av_guess *g, uint32_t n);

/* As av_pass, from an element in a run that may not be as expected, at a p not behind r->end. */
av_place av_pass_rest(const av_run *r, const av_step *step, const uint8_t *p, const uint8_t *last);

/* Whether what is at p, where the leap at g is not as expected, is as it was before. */
static inline bool av_as_before(const av_guess *g, const uint8_t *p)
{
    return (load_u64(p) & g->other.leap.mask) == g->other.leap.expect;
}

/* Then that is expected again, unless it turns out so too often, and so are leaps behind it: over
 * them, as far as they are as expected. Of the run at `run`, of n elements, all that is expected
 * from `begin` on stays in front of r->end. *at: the leap at p, then the one not passed, or
 * the one behind the last. */
const uint8_t *av_leap_on(const av_run *r, av_guess *run, uint32_t n, const uint8_t *begin,
                          const uint8_t *p, av_guess **at);

/* As av_pass, from a leap, at p, that is not as expected, of a run that begins at `begin`. */
av_place av_pass_on(const av_run *r, const av_step *step, const uint8_t *begin, const uint8_t *p,
                    const uint8_t *last);

/* From p, which is not behind `last`, and `step`, an element, over it and those of its run that
 * follow it. It stops where they end, perhaps behind `last`, at a p behind `last`, or else at an
 * element that is left to decode.c. AV_AHEAD bytes behind `last` are the block's, and as many can
 * be read behind its end. What is as expected, nearly all, goes straight through, without a look at
 * where the block or the run ends. */
static inline av_place av_pass(const av_run *r, const av_step *step, const uint8_t *p,
                               const uint8_t *last)
{
    const av_guess *g = r->guesses + step->guess;
    const uint8_t *const begin = p;
    const uint32_t n = step->run;

    if (__builtin_expect(step->place > 0 || (size_t)(r->end - p) < g->reach, 0))
        return av_pass_rest(r, step, p, last);
    while ((load_u64(p) & g->leap.mask) == g->leap.expect)
        p += g++->leap.advance;
    step += g->leap.first;
    if (__builtin_expect(g->leap.first == n, 1))
        return (av_place){p, step};
    return av_pass_on(r, step, begin, p, last);
}

#endif
