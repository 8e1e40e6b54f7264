/* Whole numbers and decimals are added in 128 bits. */
#include "exec/agg_whole.h"

/* What the upper half of a value counts. */
#define HALF ((i128)1 << 32)

static inline i128 wide_at(const uint8_t *p, uint32_t width)
{
    int64_t x;
    i128 y;

    if (width == 8) {
        memcpy(&x, p, sizeof x);
        return x;
    }
    memcpy(&y, p, sizeof y);
    return y;
}

static inline void whole_put(whole_state *s, i128 x)
{
    s->overflow |= __builtin_add_overflow(s->sum, x, &s->sum);
    s->n++;
}

static void add_between(const vector *v, uint32_t from, uint32_t to, bool narrow, uint8_t *state)
{
    whole_state s = whole_load(state, narrow);
    uint32_t width = v->type.width;

    for (uint32_t i = from; i < to; i++)
        if (vector_is_valid(v, i))
            whole_put(&s, wide_at(v->data + (size_t)i * width, width));
    whole_store(state, &s, narrow);
}

static void add_runs(const vector *v, bool narrow, const aggregate_rows *r)
{
    uint32_t i = 0;

    for (uint32_t k = 0; k < r->n_runs; i = r->ends[k++])
        add_between(v, i, r->ends[k], narrow, r->states[k]);
}

static void add_words(const vector *v, const aggregate_rows *r)
{
    const int64_t *x = (const int64_t *)(const void *)v->data;

    for (uint32_t i = 0; i < r->n; i++) {
        uint8_t *state = agg_state(r, i);
        i128 word;
        if (!vector_is_valid(v, i))
            continue;
        memcpy(&word, state, sizeof word);
        word += x[i] * WHOLE_ONE + 1;
        memcpy(state, &word, sizeof word);
    }
}

static void add_groups(const vector *v, const aggregate_rows *r)
{
    uint32_t width = v->type.width;

    for (uint32_t i = 0; i < r->n; i++) {
        uint8_t *state = agg_state(r, i);
        whole_state s;
        if (!vector_is_valid(v, i))
            continue;
        s = whole_load(state, false);
        whole_put(&s, wide_at(v->data + (size_t)i * width, width));
        whole_store(state, &s, false);
    }
}

/* ---- batches of 8 bytes a value, without nulls, flat or over a dictionary ---- */

typedef struct batch_values {
    const int64_t *at;
    const uint32_t *index; /* NULL: row i's value is at[i] */
    const uint32_t *codes; /* NULL: all rows are one group */
    uint32_t n;
} batch_values;

/* Values in [-SMALL, SMALL): a batch of them is added in 64 bits. */
#define SMALL ((uint64_t)1 << 46)

static inline int64_t batch_value(const batch_values *b, const uint32_t *index, uint32_t i)
{
    return b->at[index ? index[i] : i];
}

/* False: not all are small, and sums mean nothing. Two accumulators, so that rows of one group do
 * not wait for each other. */
static inline bool add_small(const batch_values *b, const uint32_t *index, const uint32_t *codes,
                             uint64_t *even, uint64_t *odd)
{
    uint64_t seen = 0, x = 0, y = 0;
    uint32_t i = 0;

    for (; i + 1 < b->n; i += 2) {
        uint64_t p = (uint64_t)batch_value(b, index, i), q = (uint64_t)batch_value(b, index, i + 1);
        seen |= (p + SMALL) | (q + SMALL);
        if (codes) {
            even[codes[i]] += p;
            odd[codes[i + 1]] += q;
        } else {
            x += p;
            y += q;
        }
    }
    if (i < b->n) {
        uint64_t p = (uint64_t)batch_value(b, index, i);
        seen |= p + SMALL;
        if (codes)
            even[codes[i]] += p;
        else
            x += p;
    }
    if (!codes)
        even[0] = x + y;
    return seen < 2 * SMALL;
}

/* Halves of the values, which cannot overflow. */
static void add_halves(const batch_values *b, uint32_t n_states, bool narrow,
                       uint8_t *const *states)
{
    uint64_t low[AGGREGATE_FEW] = {0};
    int64_t high[AGGREGATE_FEW] = {0};

    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t k = b->codes ? b->codes[i] : 0;
        int64_t x = batch_value(b, b->index, i);
        low[k] += (uint32_t)x;
        high[k] += x >> 32;
    }
    for (uint32_t k = 0; k < n_states; k++) {
        whole_state s = whole_load(states[k], narrow);
        s.overflow |= __builtin_add_overflow(s.sum, (i128)high[k] * HALF + (i128)low[k], &s.sum);
        whole_store(states[k], &s, narrow);
    }
}

/* rows[k] of the values belong to states[k]. */
static void add_batch(const batch_values *b, uint32_t n_states, bool narrow, uint8_t *const *states,
                      const uint32_t *rows)
{
    uint64_t even[AGGREGATE_FEW], odd[AGGREGATE_FEW];
    bool small = b->n <= BATCH_MAX_ROWS;

    memset(even, 0, n_states * sizeof *even);
    memset(odd, 0, n_states * sizeof *odd);
    if (small && b->index)
        small = b->codes ? add_small(b, b->index, b->codes, even, odd)
                         : add_small(b, b->index, NULL, even, odd);
    else if (small)
        small = b->codes ? add_small(b, NULL, b->codes, even, odd)
                         : add_small(b, NULL, NULL, even, odd);
    if (!small)
        add_halves(b, n_states, narrow, states);
    for (uint32_t k = 0; k < n_states; k++) {
        whole_state s = whole_load(states[k], narrow);
        if (small)
            s.overflow |= __builtin_add_overflow(s.sum, (int64_t)(even[k] + odd[k]), &s.sum);
        s.n += rows[k];
        whole_store(states[k], &s, narrow);
    }
}

/* A run's values cannot overflow 128 bits. */
static void add_batch_runs(const batch_values *b, bool narrow, const aggregate_rows *r)
{
    uint32_t i = 0;

    for (uint32_t k = 0; k < r->n_runs; k++) {
        whole_state s = whole_load(r->states[k], narrow);
        i128 sum = 0;
        s.n += r->ends[k] - i;
        for (; i < r->ends[k]; i++)
            sum += batch_value(b, b->index, i);
        s.overflow |= __builtin_add_overflow(s.sum, sum, &s.sum);
        whole_store(r->states[k], &s, narrow);
    }
}

/* Takes it, where it is such a batch of few groups, of one, or of runs. */
static bool take_batch(const aggregate_rows *r, bool narrow)
{
    const vector *v = r->args[0], *values = v->form == VECTOR_DICT ? &v->dict->values : v;
    batch_values b = {.at = (const int64_t *)(const void *)values->data,
                      .index =
                          v->form == VECTOR_DICT ? (const uint32_t *)(const void *)v->data : NULL,
                      .codes = r->n_few ? r->codes : NULL,
                      .n = r->n};

    if ((!r->n_few && !r->one && !r->n_runs) || v->form == VECTOR_RUNS || v->validity ||
        values->type.width != 8)
        return false;
    if (r->n_runs)
        add_batch_runs(&b, narrow, r);
    else if (r->n_few)
        add_batch(&b, r->n_few, narrow, r->few, r->few_rows);
    else
        add_batch(&b, 1, narrow, r->states, &r->n);
    return true;
}

/* Few groups of values of 16 bytes: a batch of them may overflow 128 bits, which is told. */
static void add_few_wide(const vector *v, const aggregate_rows *r)
{
    whole_state sums[AGGREGATE_FEW];

    for (uint32_t k = 0; k < r->n_few; k++)
        sums[k] = whole_load(r->few[k], false);
    for (uint32_t i = 0; i < r->n; i++)
        whole_put(&sums[r->codes[i]], wide_at(v->data + (size_t)i * 16, 16));
    for (uint32_t k = 0; k < r->n_few; k++)
        whole_store(r->few[k], &sums[k], false);
}

nrw_status whole_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    bool narrow = whole_is_narrow(g);
    vector flat;

    if (take_batch(r, narrow))
        return NRW_OK;
    TRY(agg_flat(r, 0, &flat, err));
    if (r->n_runs)
        add_runs(&flat, narrow, r);
    else if (r->n_few && !flat.validity && flat.type.width == 16)
        add_few_wide(&flat, r);
    else if (r->one)
        add_between(&flat, 0, r->n, narrow, r->states[0]);
    else if (narrow)
        add_words(&flat, r);
    else
        add_groups(&flat, r);
    vector_release(&flat);
    return NRW_OK;
}
