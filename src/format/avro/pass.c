#include "format/avro/pass.h"

#include "format/avro/word.h"

#define GIVEN_UP UINT16_MAX
#define NO_LEAP  UINT32_MAX

void av_guess_anew(av_guess *g, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        g[i] = (av_guess){.leap.expect = 1, .other.leap.expect = 1, .expect = 1, .begins = NO_LEAP};
}

void av_guess_on(av_guess *g, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (g[i].misses == GIVEN_UP) /* its leap is never right, its run's reach has `advance` */
            g[i] = (av_guess){.leap = g[i].leap,
                              .other = g[i].other,
                              .expect = 1,
                              .advance = g[i].advance,
                              .reach = g[i].reach,
                              .begins = g[i].begins};
        g[i].misses = 0;
        g[i].other.times = 0;
    }
}

static const uint8_t *behind_numbers(const uint8_t *p, const uint8_t *end, uint32_t n)
{
    const uint8_t *next = av_pass_numbers(p, n);

    if (next)
        return next;
    for (; p && n > 0; n--)
        p = end - p >= 8 ? av_pass_number(p) : NULL;
    return p;
}

/* Behind the element at p, which is not behind `end`; *decide: so many of its bytes say where it
 * ends. NULL: it is not as usual, or goes on behind `end`. */
static const uint8_t *behind(const av_step *step, const uint8_t *p, const uint8_t *end,
                             uint32_t *decide)
{
    const uint8_t *const start = p;
    size_t len = 0;

    if (step->maybe) {
        if ((*p & 1) || *p > 2)
            return NULL;
        if (*p++ / 2u == step->null) {
            *decide = 1;
            return p > end ? NULL : av_pass_fixed(p, end, step->then);
        }
    }
    switch ((av_op)step->op) {
    case AV_OP_SKIP_VARINT: p = behind_numbers(p, end, step->n); break;
    case AV_OP_SKIP_BYTES: p = p < end ? av_length(p, end, &len) : NULL; break;
    default: len = step->n; break;
    }
    if (!p || p > end || len > (size_t)(end - p))
        return NULL;
    *decide = (uint32_t)(p - start);
    return av_pass_fixed(p + len, end, step->then);
}

static uint64_t low_bytes(uint32_t n)
{
    return n >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1;
}

/* Its values differ: all that is expected on is that texts have less than 64 bytes. */
static void give_up(const av_step *step, av_guess *g)
{
    const unsigned lead = step->maybe;

    *g = (av_guess){.leap = g->leap,
                    .other = g->other,
                    .expect = 1,
                    .reach = g->reach,
                    .begins = g->begins,
                    .misses = GIVEN_UP};
    if (step->op == AV_OP_SKIP_FIXED) /* null and not null take turns */
        return;
    g->head_mask = lead ? 0xFF : 0;
    g->head = lead && step->null == 0 ? 2 : 0;
    g->advance = lead + step->then;
    g->kind = AV_SOME_NUMBERS;
    g->shift = (uint8_t)(lead * 8);
    if (step->op == AV_OP_SKIP_BYTES) {
        g->head_mask |= (uint16_t)(0x81u << lead * 8);
        g->advance++;
        g->kind = AV_SOME_TEXT;
        g->shift++; /* zigzag */
    }
}

/* Whether what is seen is expected from now on. One that is another once in a while is not
 * followed, one that then stays another for a while is, at once. */
static bool to_follow(av_guess *g, uint32_t seen)
{
    if (g->misses == 0)
        return g->followed = true;
    if (seen - g->missed > 1)
        return g->followed = g->following;
    g->following = !g->followed; /* two in a row: it stays, or was followed in vain */
    return g->followed = true;
}

/* That the element at p is what the next ones will look like. */
static void learn(const av_run *r, const av_step *step, av_guess *g, const uint8_t *p,
                  const uint8_t *next, uint32_t decide)
{
    const uint64_t seen = r->rows - r->left;
    const bool follow = to_follow(g, (uint32_t)seen);
    uint64_t mask = low_bytes(decide);

    g->missed = (uint32_t)seen;
    if (decide > 8 || ++g->misses == GIVEN_UP || g->misses * UINT64_C(8) > seen + 64) {
        give_up(step, g);
        return;
    }
    if (!follow)
        return;
    if (step->op == AV_OP_SKIP_VARINT)
        mask &= AV_HIGH_BITS | (step->maybe ? 0xFF : 0);
    g->mask = mask;
    g->expect = load_u64(p) & mask;
    g->advance = (size_t)(next - p);
}

/* Elements of a run whose guesses have changed; none where from > to. */
typedef struct changes {
    uint32_t from, to;
    av_form was; /* guess of the last one */
} changes;

/* Behind the element at p, which is not as expected; from now on it is. NULL: it is left to
 * decode.c. */
static const uint8_t *look(const av_run *r, const av_step *step, av_guess *g, const uint8_t *p,
                           changes *c)
{
    uint32_t decide;
    const uint8_t *next = behind(step, p, r->end, &decide);
    const av_form was = {g->mask, g->expect, g->advance};

    if (!next || g->misses == GIVEN_UP)
        return next;
    learn(r, step, g, p, next, decide);
    (g - step->place)->reach += g->advance - was.advance;
    c->was = was;
    c->from = c->from < step->place ? c->from : step->place;
    c->to = step->place;
    return next;
}

/* ---- leaps ---- */

/* What is expected of g, n bytes behind where l begins, asked with it. False: it does not lie in
 * the eight bytes, or nothing is expected. */
static bool leap_over(av_leap *l, const av_guess *g)
{
    const unsigned bits = (unsigned)l->advance * 8;

    if (l->advance >= 8 || g->mask << bits >> bits != g->mask || (g->expect & ~g->mask))
        return false;
    l->mask |= g->mask << bits;
    l->expect |= g->expect << bits;
    l->advance += g->advance;
    return true;
}

static bool is_never(const av_leap *l)
{
    return (l->expect & ~l->mask) != 0;
}

/* The leap at g is l now, and was `was`, of the same elements: that may come again. */
static void keep_other(av_guess *g, const av_leap *was, const av_leap *l, const changes *c)
{
    if (is_never(l))
        g->other = (av_other){.leap.expect = 1};
    else if (was->mask != l->mask || was->expect != l->expect)
        g->other = (av_other){.leap = {was->mask, was->expect, was->advance},
                              .guess = c->was,
                              .element = c->from,
                              .times = g->other.times};
}

/* The element behind those of the leap that begins with element i. */
static uint32_t leap_end(const av_guess *g, uint32_t n, uint32_t i)
{
    do
        i++;
    while (i < n && g[i].begins == NO_LEAP);
    return i;
}

/* The leap of number `at`, from element i on and not up to `to`: returns where it ends. */
static uint32_t make_leap(av_guess *g, uint32_t at, uint32_t i, uint32_t to)
{
    av_leap l = {g[i].mask, g[i].expect, g[i].advance, i};

    g[i++].begins = at;
    if (!is_never(&l))
        for (; i < to && leap_over(&l, &g[i]); i++)
            g[i].begins = NO_LEAP;
    g[at].leap = l;
    return i;
}

/* The leaps of a run of n elements whose guesses are at g: from the one of what has changed, or the
 * one in front, which may reach further now, up to where they are as before. Where one element has
 * changed its leap reaches no further than it did: it is likely to be as before again. */
static void leap_anew(av_guess *g, uint32_t n, const changes *c)
{
    const bool one = c->from == c->to;
    uint32_t i = c->from - (!one && c->from > 0), at;

    while (i > 0 && g[i].begins == NO_LEAP)
        i--;
    at = i > 0 ? g[i].begins : 0;
    for (; i < n && (i <= c->to || g[i].begins != at); at++) {
        const av_leap was = g[at].leap;
        const bool same = one && g[i].begins == at && !is_never(&was);
        const uint32_t to = same ? leap_end(g, n, i) : n;
        i = make_leap(g, at, i, to);
        if (same && i == to)
            keep_other(&g[at], &was, &g[at].leap, c);
        else
            g[at].other = (av_other){.leap.expect = 1};
    }
    if (i == n)
        g[at].leap = (av_leap){.expect = 1, .first = n};
}

static void exchange_form(uint64_t *mask, uint64_t *expect, size_t *advance, av_form *other)
{
    const av_form was = {*mask, *expect, *advance};

    *mask = other->mask;
    *expect = other->expect;
    *advance = other->advance;
    *other = was;
}

/* The leap at g and what it was before. False: it turns out so too often, or all that would be
 * expected of the run does not lie in front of r->end. */
static bool exchange(const av_run *r, av_guess *run, av_guess *g, const uint8_t *begin)
{
    av_other *o = &g->other;
    av_guess *element = run + o->element;
    const size_t reach = run->reach + o->leap.advance - g->leap.advance;
    const uint64_t seen = r->rows - r->left;

    if (reach > (size_t)(r->end - begin) || o->times * UINT64_C(4) > seen + 64)
        return false;
    o->times++;
    run->reach = reach;
    exchange_form(&g->leap.mask, &g->leap.expect, &g->leap.advance, &o->leap);
    exchange_form(&element->mask, &element->expect, &element->advance, &o->guess);
    return true;
}

const uint8_t *av_leap_on(const av_run *r, av_guess *run, uint32_t n, const uint8_t *begin,
                          const uint8_t *p, av_guess **at)
{
    av_guess *g = *at;

    while (g->leap.first != n && av_as_before(g, p) && exchange(r, run, g, begin))
        while ((load_u64(p) & g->leap.mask) == g->leap.expect)
            p += g++->leap.advance;
    *at = g;
    return p;
}

/* Behind an element whose values differ, if it is of a kind that can be taken as it comes; else
 * `wrong`. `word` is what is at p. */
static inline const uint8_t *of_kind(const av_step *step, const av_guess *g, const uint8_t *p,
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

av_place av_pass_rest(const av_run *r, const av_step *step, const uint8_t *p, const uint8_t *last)
{
    const av_step *const start = step - step->place, *end = step + step->run;
    av_guess *const guesses = r->guesses + start->guess;
    const size_t reach = guesses->reach; /* as the leaps have it */
    changes c = {.from = UINT32_MAX};

    for (;;) {
        av_guess *g = guesses + (step - start);
        const uint64_t word = load_u64(p);
        const uint8_t *next = p + g->advance;
        if ((word & g->mask) != g->expect)
            next = of_kind(step, g, p, word, r->end + 1);
        if (next > r->end)
            next = look(r, step, g, p, &c);
        if (!next)
            break;
        p = next;
        if (++step == end || p > last)
            break;
        if (g[1].begins == NO_LEAP || (size_t)(r->end - p) < reach)
            continue;
        g = guesses + g[1].begins;
        while ((load_u64(p) & g->leap.mask) == g->leap.expect)
            p += g++->leap.advance;
        step = start + g->leap.first;
        if (step == end)
            break;
    }
    if (c.from <= c.to)
        leap_anew(guesses, start->run, &c);
    return (av_place){p, step};
}

av_place av_pass_on(const av_run *r, const av_step *step, const uint8_t *begin, const uint8_t *p,
                    const uint8_t *last)
{
    const av_step *const start = step - step->place;
    av_guess *const run = r->guesses + start->guess;
    const uint32_t leap = run[step->place].begins;
    av_guess *at = run;

    if (leap == NO_LEAP) /* nothing is expected yet */
        return av_pass_rest(r, step, p, last);
    at += leap;
    p = av_leap_on(r, run, start->run, begin, p, &at);
    step = start + at->leap.first;
    return at->leap.first == start->run ? (av_place){p, step} : av_pass_rest(r, step, p, last);
}
