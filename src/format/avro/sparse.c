#include "format/avro/sparse.h"

#include "format/avro/ordinary_value.h"
#include "format/avro/pass.h"

/* ---- the steps ---- */

/* Makes of a value the element that it is where it is stepped over. False: it is none. */
static bool as_element(av_step *step)
{
    switch ((av_op)step->op) {
    case AV_OP_BOOL:
        step->op = AV_OP_SKIP_FIXED;
        step->n = 1;
        return true;
    case AV_OP_COPY:
    case AV_OP_DECIMAL_FIX: step->op = AV_OP_SKIP_FIXED; return true;
    case AV_OP_INT:
    case AV_OP_INT_WIDE:
    case AV_OP_LONG:
    case AV_OP_ENUM:
        step->op = AV_OP_SKIP_VARINT;
        step->n = 1;
        return true;
    case AV_OP_TEXT:
    case AV_OP_BYTES:
    case AV_OP_DECIMAL: step->op = AV_OP_SKIP_BYTES; return true;
    default: return false;
    }
}

/* Values, if they are few and mostly apart from each other, and there is nothing else but elements;
 * else 0: values side by side are read faster as they come. */
static uint32_t count_values(const av_program *p)
{
    uint32_t n = 0, apart = 0;

    for (uint32_t i = 0; i < p->n_steps; i++) {
        av_step step = p->steps[i];
        if (av_is_element(step.op))
            continue;
        if (!as_element(&step))
            return 0;
        n++;
        apart += i + 1 < p->n_steps && av_is_element(p->steps[i + 1].op);
    }
    return n < AV_SPARSE_RUNS && n <= 2 * apart ? n : 0;
}

nrw_status av_sparse_make(av_program *p, nrw_error *err)
{
    const uint32_t n = count_values(p);
    uint32_t first = 0, value = 0;

    if (n == 0)
        return NRW_OK;
    TRY(mem_alloc(p->m, p->n_steps * sizeof *p->sparse, (void **)&p->sparse, err));
    p->n_sparse = p->n_steps;
    TRY(mem_alloc(p->m, n * sizeof *p->values, (void **)&p->values, err));
    p->n_values = n;
    memcpy(p->sparse, p->steps, p->n_steps * sizeof *p->sparse);
    for (uint32_t i = 0; i < p->n_sparse; i++) {
        if (i == 0 || !av_is_element(p->sparse[i].op)) {
            first = i;
            p->n_runs++;
        }
        if (as_element(&p->sparse[i]))
            p->values[value++] = (av_value){&p->steps[i], p->n_runs - 1};
        p->sparse[i].place = i - first;
        p->sparse[i].guess = i + p->n_runs - 1;
    }
    for (uint32_t i = p->n_sparse; i-- > 0;) {
        const bool goes_on = i + 1 < p->n_sparse && p->sparse[i + 1].place > 0;
        p->sparse[i].run = goes_on ? p->sparse[i + 1].run + 1 : 1;
    }
    p->n_sparse_guesses = p->n_sparse + p->n_runs;
    return NRW_OK;
}

void av_sparse_release(av_program *p)
{
    mem_free(p->m, p->sparse, p->n_sparse * sizeof *p->sparse);
    mem_free(p->m, p->values, p->n_values * sizeof *p->values);
}

/* ---- where values lie ---- */

/* A run of a record, in few words. */
typedef struct stretch {
    const av_step *step;
    av_guess *guesses;
    uint32_t n; /* elements */
} stretch;

static void find_stretches(const av_run *r, stretch *out)
{
    const av_program *p = r->program;

    for (const av_step *s = p->sparse; s < p->sparse + p->n_sparse; s += s->run)
        *out++ = (stretch){s, r->guesses + s->guess, s->run};
}

/* Behind a run whose leap g, at p, is not as expected; as av_leap_on has `begin`. NULL: nor is it
 * as usual. */
static __attribute__((noinline)) const uint8_t *pass_rest(const av_run *r, const stretch *run,
                                                          const av_guess *g, const uint8_t *p,
                                                          const uint8_t *begin)
{
    av_guess *now = run->guesses + (g - run->guesses);
    av_place at;

    if (av_as_before(now, p))
        p = av_leap_on(r, run->guesses, run->n, begin, p, &now);
    at = (av_place){p, run->step + now->leap.first};
    if (now->leap.first < run->n && p < r->end)
        at = av_pass_rest(r, at.step, p, r->end - 1);
    return at.step == run->step + run->n ? at.p : NULL;
}

#define TEXT_MOST 64 /* bytes of a text whose values differ, with its length */

/* Over a text that differs each time; such ones begin many runs. NULL: it is not as usual. */
static inline const uint8_t *pass_text(const av_run *r, const av_guess *g, const uint8_t *p)
{
    const uint64_t word = load_u64(p);

    return (size_t)(r->end - p) >= g->reach + TEXT_MOST && (word & g->head_mask) == g->head
               ? p + g->advance + (word >> g->shift & (TEXT_MOST - 1))
               : NULL;
}

/* Where the runs of the next records begin, of `most` records at most, and behind them the one that
 * follows: how many records are as usual. */
static uint32_t find_places(av_run *r, const stretch *runs, const stretch *fence, uint32_t most,
                            const uint8_t **places)
{
    const uint8_t *p = r->p, *const end = r->end;

    for (uint32_t n = 0; n < most; n++, r->left--)
        for (const stretch *run = runs; run < fence; run++) {
            const av_guess *g = run->guesses;
            const uint8_t *begin = p, *next = NULL;
            *places++ = p;
            if (__builtin_expect(g->kind == AV_SOME_TEXT, 0))
                next = pass_text(r, g, p);
            if (next) {
                p = next;
                begin = p - g++->advance; /* it has a leap of its own, and more than is expected */
            }
            if (__builtin_expect((size_t)(end - begin) >= run->guesses->reach, 1))
                while ((load_u64(p) & g->leap.mask) == g->leap.expect)
                    p += g++->leap.advance;
            if (__builtin_expect(g->leap.first != run->n, 0)) {
                p = pass_rest(r, run, g, p, begin);
                if (!p)
                    return n;
            }
        }
    *places = p;
    return most;
}

/* ---- the values ---- */

/* A value of each of n records, whose places are `apart` from each other: how many are as usual. */
static uint32_t take_values(const av_run *r, const av_step *step, const uint8_t **places,
                            uint32_t apart, uint32_t n)
{
    av_slot *s = &r->slots[step->slot];
    av_slot now = {.data = s->data, .len = s->len, .width = s->width}; /* in registers */

#define ALL(call)                                                                                  \
    do {                                                                                           \
        for (uint32_t i = 0; i < n; i++, places += apart) {                                        \
            const uint8_t *p = *places;                                                            \
            if (!(call))                                                                           \
                break;                                                                             \
        }                                                                                          \
    } while (0)

    switch ((av_op)step->op) {
    case AV_OP_BOOL: ALL(av_truth(p, &now)); break;
    case AV_OP_INT: ALL(av_whole_number(p, AV_OP_INT, &now)); break;
    case AV_OP_INT_WIDE: ALL(av_whole_number(p, AV_OP_INT_WIDE, &now)); break;
    case AV_OP_LONG: ALL(av_whole_number(p, AV_OP_LONG, &now)); break;
    case AV_OP_COPY: ALL(av_copied(p, r->end, step->n, &now)); break;
    case AV_OP_TEXT: ALL(av_text(p, r, true, &now)); break;
    case AV_OP_BYTES: ALL(av_text(p, r, false, &now)); break;
    case AV_OP_ENUM: ALL(av_symbol(p, step, &now)); break;
    default: ALL(av_small_decimal(p, step, &now)); break;
    }
#undef ALL
    n = now.len - s->len;
    s->len = now.len;
    s->views |= now.views;
    return n;
}

/* The values of n records: of how many all are as usual. Of others there is none then. */
static uint32_t take_all(const av_run *r, const uint8_t **places, uint32_t n)
{
    const av_program *p = r->program;
    const uint32_t before = r->slots[p->values[0].step->slot].len;

    for (uint32_t i = 0; i < p->n_values; i++)
        n = take_values(r, p->values[i].step, places + p->values[i].run, p->n_runs, n);
    for (uint32_t i = 0; i < p->n_values; i++)
        r->slots[p->values[i].step->slot].len = before + n;
    return n;
}

/* Records whose values the slots have room for. */
static uint32_t room(const av_run *r, uint32_t most)
{
    const av_program *p = r->program;

    for (uint32_t i = 0; i < p->n_values; i++) {
        const av_slot *s = &r->slots[p->values[i].step->slot];
        most = most < s->cap - s->len ? most : s->cap - s->len;
    }
    return most;
}

#define PLACES 1024

uint32_t av_sparse_records(av_run *r)
{
    const uint32_t runs = r->program->n_runs, left = r->left;
    const uint8_t *places[PLACES + 1];
    stretch stretches[AV_SPARSE_RUNS];
    av_run passing = *r;
    uint32_t most, n;

    passing.guesses = r->sparse_guesses;
    find_stretches(&passing, stretches);
    do {
        most = room(r, r->left < PLACES / runs ? r->left : PLACES / runs);
        passing.p = r->p;
        passing.left = r->left;
        n = find_places(&passing, stretches, stretches + runs, most, places);
        n = take_all(r, places, n);
        r->p = places[n * runs];
        r->left -= n;
    } while (n == most && r->left > 0 && n > 0);
    return left - r->left;
}
