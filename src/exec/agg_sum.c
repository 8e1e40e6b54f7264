/* sum(x), avg(x) and their kin of DOUBLE alone. Whole numbers and decimals are added in 128 bits,
 * floats by float_sum. */
#include "base/power.h"
#include "exec/aggregate_own.h"

typedef __int128 i128;

/* What the upper half of a value counts. */
#define HALF ((i128)1 << 32)

typedef struct whole_state {
    i128 sum;
    uint64_t n;
    uint64_t overflow;
} whole_state;

typedef struct float_state {
    float_sum sum;
    uint64_t n;
} float_state;

static bool is_float(const type *t)
{
    return t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT64 || t->id == TYPE_FLOAT16;
}

static bool is_whole(const type *t)
{
    return t->id == TYPE_BOOL || (t->id >= TYPE_INT8 && t->id <= TYPE_UINT64) ||
           t->id == TYPE_INT128;
}

/* What is added: BIGINT or HUGEINT, a decimal of 18 or 38 digits, DOUBLE. */
static nrw_status sum_args(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type *t = &args[0]->type;
    type to;

    if (is_whole(t))
        to = type_of(t->id == TYPE_UINT64 || t->id == TYPE_INT128 ? TYPE_INT128 : TYPE_INT64);
    else if (t->id == TYPE_DECIMAL && t->width == 8)
        to = *t;
    else if (t->id == TYPE_DECIMAL && t->precision <= 38)
        to = type_decimal(t->precision <= 18 ? 18 : 38, t->scale);
    else if (is_float(t) || args[0]->bend == BEND_NULL)
        to = type_of(TYPE_FLOAT64);
    else
        return agg_refuse(out, "takes numbers, not", t, err);
    TRY(expr_cast(a, args[0], &to, false, &args[0], err));
    out->state_bytes = to.id == TYPE_FLOAT64 ? sizeof(float_state) : sizeof(whole_state);
    return NRW_OK;
}

static nrw_status sum_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type *t;

    TRY(sum_args(a, args, out, err));
    t = &args[0]->type;
    out->result = t->id == TYPE_DECIMAL   ? type_decimal(38, t->scale)
                  : t->id == TYPE_FLOAT64 ? *t
                                          : type_of(TYPE_INT128);
    return NRW_OK;
}

/* Of DOUBLE whatever comes. */
static nrw_status float_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type number = type_of(TYPE_FLOAT64);

    (void)args;
    out->result = number;
    out->state_bytes = sizeof(float_state);
    return agg_cast(a, out, 0, &number, err);
}

static bool is_moment(const type *t)
{
    return t->id == TYPE_TIMESTAMP || t->id == TYPE_TIME;
}

static nrw_status avg_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type timestamp = type_timestamp(UNIT_US, false);

    if (args[0]->type.id == TYPE_DATE)
        TRY(expr_cast(a, args[0], &timestamp, false, &args[0], err));
    if (is_moment(&args[0]->type)) {
        out->result = args[0]->type;
        out->state_bytes = sizeof(whole_state);
        return NRW_OK;
    }
    TRY(sum_args(a, args, out, err));
    out->result = type_of(TYPE_FLOAT64);
    return NRW_OK;
}

/* ---- adding ---- */

/* In the layout of the rows a state is 8-aligned. */
static whole_state whole_load(const uint8_t *p)
{
    whole_state s;

    memcpy(&s, p, sizeof s);
    return s;
}

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

static void add_between(const vector *v, uint32_t from, uint32_t to, uint8_t *state)
{
    whole_state s = whole_load(state);
    uint32_t width = v->type.width;

    for (uint32_t i = from; i < to; i++)
        if (vector_is_valid(v, i))
            whole_put(&s, wide_at(v->data + (size_t)i * width, width));
    memcpy(state, &s, sizeof s);
}

static void add_groups(const vector *v, const aggregate_rows *r)
{
    uint32_t width = v->type.width;

    for (uint32_t i = 0; i < r->n; i++) {
        uint8_t *state = agg_state(r, i);
        whole_state s;
        if (!vector_is_valid(v, i))
            continue;
        s = whole_load(state);
        whole_put(&s, wide_at(v->data + (size_t)i * width, width));
        memcpy(state, &s, sizeof s);
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
static void add_halves(const batch_values *b, uint32_t n_states, uint8_t *const *states)
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
        whole_state s = whole_load(states[k]);
        s.overflow |= __builtin_add_overflow(s.sum, (i128)high[k] * HALF + (i128)low[k], &s.sum);
        memcpy(states[k], &s, sizeof s);
    }
}

/* rows[k] of the values belong to states[k]. */
static void add_batch(const batch_values *b, uint32_t n_states, uint8_t *const *states,
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
        add_halves(b, n_states, states);
    for (uint32_t k = 0; k < n_states; k++) {
        whole_state s = whole_load(states[k]);
        if (small)
            s.overflow |= __builtin_add_overflow(s.sum, (int64_t)(even[k] + odd[k]), &s.sum);
        s.n += rows[k];
        memcpy(states[k], &s, sizeof s);
    }
}

/* A run's values cannot overflow 128 bits. */
static void add_batch_runs(const batch_values *b, const aggregate_rows *r)
{
    uint32_t i = 0;

    for (uint32_t k = 0; k < r->n_runs; k++) {
        whole_state s = whole_load(r->states[k]);
        i128 sum = 0;
        s.n += r->ends[k] - i;
        for (; i < r->ends[k]; i++)
            sum += batch_value(b, b->index, i);
        s.overflow |= __builtin_add_overflow(s.sum, sum, &s.sum);
        memcpy(r->states[k], &s, sizeof s);
    }
}

/* Takes it, where it is such a batch of few groups, of one, or of runs. */
static bool take_batch(const aggregate_rows *r)
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
        add_batch_runs(&b, r);
    else if (r->n_few)
        add_batch(&b, r->n_few, r->few, r->few_rows);
    else
        add_batch(&b, 1, r->states, &r->n);
    return true;
}

/* ---- */

/* Few groups of values of 16 bytes: a batch of them may overflow 128 bits, which is told. */
static void add_few_wide(const vector *v, const aggregate_rows *r)
{
    whole_state sums[AGGREGATE_FEW];

    for (uint32_t k = 0; k < r->n_few; k++)
        sums[k] = whole_load(r->few[k]);
    for (uint32_t i = 0; i < r->n; i++)
        whole_put(&sums[r->codes[i]], wide_at(v->data + (size_t)i * 16, 16));
    for (uint32_t k = 0; k < r->n_few; k++)
        memcpy(r->few[k], &sums[k], sizeof *sums);
}

static void add_float(const vector *v, uint32_t i, uint8_t *state)
{
    const double *x = (const double *)(const void *)v->data;
    float_state *s = (float_state *)(void *)state;

    if (!vector_is_valid(v, i))
        return;
    float_sum_add(&s->sum, x[i]);
    s->n++;
}

static void add_floats(const vector *v, const aggregate_rows *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        add_float(v, i, agg_state(r, i));
}

static void add_runs(const vector *v, bool floats, const aggregate_rows *r)
{
    uint32_t i = 0;

    for (uint32_t k = 0; k < r->n_runs; i = r->ends[k++]) {
        if (!floats)
            add_between(v, i, r->ends[k], r->states[k]);
        for (; floats && i < r->ends[k]; i++)
            add_float(v, i, r->states[k]);
    }
}

static nrw_status sum_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    bool floats = g->args[0]->type.id == TYPE_FLOAT64;
    vector flat;

    if (!floats && take_batch(r))
        return NRW_OK;
    TRY(agg_flat(r, 0, &flat, err));
    if (r->n_runs)
        add_runs(&flat, floats, r);
    else if (floats)
        add_floats(&flat, r);
    else if (r->n_few && !flat.validity && flat.type.width == 16)
        add_few_wide(&flat, r);
    else if (r->one)
        add_between(&flat, 0, r->n, r->states[0]);
    else
        add_groups(&flat, r);
    vector_release(&flat);
    return NRW_OK;
}

static nrw_status sum_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                            nrw_error *err)
{
    (void)m;
    (void)err;
    if (g->args[0]->type.id == TYPE_FLOAT64) {
        float_state *x = (float_state *)(void *)into, *y = (float_state *)(void *)from;
        float_sum_merge(&x->sum, &y->sum);
        x->n += y->n;
    } else {
        whole_state x = whole_load(into), y = whole_load(from);
        x.overflow |= y.overflow | __builtin_add_overflow(x.sum, y.sum, &x.sum);
        x.n += y.n;
        memcpy(into, &x, sizeof x);
    }
    return NRW_OK;
}

/* ---- results ---- */

static nrw_status overflow(const aggregate *g, nrw_error *err)
{
    char text[64];

    type_print(&g->result, text, sizeof text);
    return err_set(err, NRW_E_ARG, "a sum is out of the range of %s", text);
}

static nrw_status sum_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                             nrw_error *err)
{
    bool decimal = g->result.id == TYPE_DECIMAL;

    for (uint32_t i = 0; i < n; i++) {
        if (g->result.id == TYPE_FLOAT64) {
            const float_state *s = (const float_state *)(const void *)states[i];
            double x = float_sum_value(&s->sum);
            if (s->n)
                memcpy(out->data + (size_t)i * 8, &x, 8);
            else
                agg_put_null(out, i);
            continue;
        }
        whole_state s = whole_load(states[i]);
        if (s.overflow || (decimal && beyond_digits(s.sum, 38)))
            return overflow(g, err);
        if (s.n)
            memcpy(out->data + (size_t)i * 16, &s.sum, 16);
        else
            agg_put_null(out, i);
    }
    return NRW_OK;
}

static nrw_status avg_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                             nrw_error *err)
{
    const type *t = &g->args[0]->type;
    long double scale = 1;

    for (int i = 0; t->id == TYPE_DECIMAL && i < t->scale; i++)
        scale *= 10;
    for (uint32_t i = 0; i < n; i++) {
        double x;
        uint64_t rows;
        if (t->id == TYPE_FLOAT64) {
            const float_state *s = (const float_state *)(const void *)states[i];
            rows = s->n;
            x = rows ? float_sum_value(&s->sum) / (double)rows : 0;
        } else {
            whole_state s = whole_load(states[i]);
            if (s.overflow)
                return overflow(g, err);
            rows = s.n;
            if (rows && is_moment(t)) {
                int64_t moment = (int64_t)(s.sum / (i128)rows);
                moment += s.sum % (i128)rows > (i128)(rows / 2);
                memcpy(out->data + (size_t)i * 8, &moment, 8);
                continue;
            }
            x = rows ? (double)((long double)s.sum / (scale * (long double)rows)) : 0;
        }
        memcpy(out->data + (size_t)i * 8, &x, 8);
        if (!rows)
            agg_put_null(out, i);
    }
    return NRW_OK;
}

#define SUM_TRAITS (AGG_SHARED | AGG_UNPLACED | AGG_RUNS)

static const aggregate_class classes[] = {
    {" sum ", 1, 1, SUM_TRAITS, sum_bind, sum_add, sum_merge, sum_finish, AGG_PLAIN},
    {" avg mean ", 1, 1, SUM_TRAITS, avg_bind, sum_add, sum_merge, avg_finish, AGG_PLAIN},
    {" fsum kahan_sum sumkahan ", 1, 1, SUM_TRAITS, float_bind, sum_add, sum_merge, sum_finish,
     AGG_PLAIN},
    {" favg ", 1, 1, SUM_TRAITS, float_bind, sum_add, sum_merge, avg_finish, AGG_PLAIN},
};

const aggregate_table agg_sum_table = {classes, sizeof classes / sizeof *classes};
