/* The steps of a predicate over a stack of bitmaps, columns held as they are needed. */
#include "expr/own.h"

#include "column/compare.h"
#include "kernel/kernel.h"

#define BITS_BYTES (BATCH_MAX_ROWS / 8 + 64)

size_t predicate_scratch(const predicate *p)
{
    return (size_t)p->depth * BITS_BYTES;
}

static nrw_status test_columns(const test *t, batch *b, const uint32_t *places, size_t max_bytes,
                               uint8_t *bits, nrw_error *err)
{
    const vector *x, *y;

    TRY(batch_hold(b, places[t->column], max_bytes, &x, err));
    TRY(batch_hold(b, places[t->other], max_bytes, &y, err));
    memset(bits, 0, (b->rows + 7) / 8);
    for (uint32_t i = 0; i < b->rows; i++) {
        bool no_x, no_y, equal = t->op == OP_EQ || t->op == OP_LE || t->op == OP_GE, pass;
        span u = vector_value(x, i, &no_x), v = vector_value(y, i, &no_y);
        if (no_x || no_y) {
            pass = t->safe && (no_x && no_y) == equal;
        } else {
            int order = value_compare(&t->type, u, v);
            pass = order == 0  ? equal
                   : order < 0 ? t->op == OP_NE || t->op == OP_LT || t->op == OP_LE
                               : t->op == OP_NE || t->op == OP_GT || t->op == OP_GE;
        }
        if (pass)
            bit_set(bits, i);
    }
    return NRW_OK;
}

static nrw_status run_test(const predicate *p, uint32_t number, predicate_cache *c, batch *b,
                           const uint32_t *places, size_t max_bytes, uint8_t *bits, nrw_error *err)
{
    const test *t = &p->tests[number];
    const vector *v;

    if (t->kind == TEST_ALWAYS || t->kind == TEST_NEVER) {
        memset(bits, t->kind == TEST_ALWAYS ? 0xFF : 0, (b->rows + 7) / 8);
        return NRW_OK;
    }
    if (t->kind == TEST_COLUMNS)
        return test_columns(t, b, places, max_bytes, bits, err);
    TRY(batch_hold(b, places[t->column], max_bytes, &v, err));
    return test_vector(t, number, c, v, b->m, bits, err);
}

static void join(const step *s, uint8_t *to, const uint8_t *other, uint32_t rows)
{
    if (s->kind == STEP_AND)
        and_bits(to, other, rows);
    else
        for (uint32_t i = 0; i < (rows + 7) / 8; i++)
            to[i] |= other[i];
}

/* Whether the rest of a list can change nothing. */
static bool is_decided(const step *s, const uint8_t *bits, uint32_t rows)
{
    size_t set = kernels_get()->popcount_bits(bits, 0, rows);

    return s->kind == STEP_IF_NONE ? set == 0 : set == rows;
}

static nrw_status run_steps(const predicate *p, predicate_cache *c, batch *b,
                            const uint32_t *places, size_t max_bytes, uint8_t *stack,
                            nrw_error *err)
{
    uint32_t top = 0; /* answers on the stack */

    for (uint32_t i = 0; i < p->n_steps; i++) {
        const step *s = &p->steps[i];
        uint8_t *last = stack + (top ? top - 1 : 0) * (size_t)BITS_BYTES;
        switch (s->kind) {
        case STEP_TEST:
            TRY(run_test(p, s->test, c, b, places, max_bytes, stack + top++ * (size_t)BITS_BYTES,
                         err));
            break;
        case STEP_AND:
        case STEP_OR:
            join(s, last - BITS_BYTES, last, b->rows);
            top--;
            break;
        default:
            if (is_decided(s, last, b->rows))
                i = s->to - 1;
        }
    }
    return NRW_OK;
}

nrw_status predicate_test(const predicate *p, predicate_cache *c, batch *b, const uint32_t *places,
                          size_t max_bytes, uint8_t *bits, nrw_error *err)
{
    uint8_t *stack;
    nrw_status st;

    if (p->depth == 1)
        return run_steps(p, c, b, places, max_bytes, bits, err);
    TRY(mem_alloc(b->m, predicate_scratch(p), (void **)&stack, err));
    st = run_steps(p, c, b, places, max_bytes, stack, err);
    if (st >= 0)
        memcpy(bits, stack, (b->rows + 7) / 8);
    mem_free(b->m, stack, predicate_scratch(p));
    return st;
}
