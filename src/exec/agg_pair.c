/* Two columns together: covariance, correlation, regression. y is the first argument. Of whole
 * numbers of at most 32 bits the sums are whole numbers, too. */
#include "exec/aggregate_own.h"

#include <math.h>

typedef struct pair_state {
    uint64_t n;
    power_sum x, y, xx, yy, xy;
} pair_state;

typedef __int128 i128;

typedef struct whole_pair {
    i128 x, y, xx, yy, xy;
    uint64_t n;
} whole_pair;

static bool is_whole(const aggregate *g)
{
    return g->args[0]->type.id == TYPE_INT64;
}

/* In the layout of the rows a state is 8-aligned. */
static whole_pair whole_load(const uint8_t *p)
{
    whole_pair s;

    memcpy(&s, p, sizeof s);
    return s;
}

/* Sums of products of distances from the means, times n. */
typedef struct pair_spread {
    wide_float n, x, y, xx, yy, xy;
} pair_spread;

/* `none`: there is none of so many rows. */
typedef struct pair_data {
    double (*value)(const pair_spread *s, bool *none);
} pair_data;

static pair_spread spread_of(const pair_state *s)
{
    pair_spread d = {.n = (wide_float)s->n, .x = power_sum_wide(&s->x), .y = power_sum_wide(&s->y)};

    d.xx = wide_difference(d.n * power_sum_wide(&s->xx), d.x * d.x);
    d.yy = wide_difference(d.n * power_sum_wide(&s->yy), d.y * d.y);
    d.xy = wide_difference(d.n * power_sum_wide(&s->xy), d.x * d.y);
    return d;
}

static pair_spread whole_spread_of(const whole_pair *s)
{
    pair_spread d = {.n = (wide_float)s->n, .x = (wide_float)s->x, .y = (wide_float)s->y};

    d.xx = wide_difference(d.n * (wide_float)s->xx, d.x * d.x);
    d.yy = wide_difference(d.n * (wide_float)s->yy, d.y * d.y);
    d.xy = wide_difference(d.n * (wide_float)s->xy, d.x * d.y);
    return d;
}

static double covar_pop(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)(s->xy / (s->n * s->n));
}

static double covar_samp(const pair_spread *s, bool *none)
{
    *none = s->n < 2;
    return *none ? 0 : (double)(s->xy / (s->n * (s->n - 1)));
}

static double corr(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)((long double)s->xy / (sqrtl((long double)s->xx) * sqrtl((long double)s->yy)));
}

static double avgx(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)(s->x / s->n);
}

static double avgy(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)(s->y / s->n);
}

static double sxx(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)(s->xx / s->n);
}

static double syy(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)(s->yy / s->n);
}

static double sxy(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)(s->xy / s->n);
}

static double slope(const pair_spread *s, bool *none)
{
    (void)none;
    return (double)(s->xy / s->xx);
}

static double intercept(const pair_spread *s, bool *none)
{
    *none = s->xx == 0;
    return *none ? 0 : (double)((s->y - s->xy / s->xx * s->x) / s->n);
}

static double r2(const pair_spread *s, bool *none)
{
    *none = s->xx == 0;
    if (s->yy == 0 || *none)
        return 1;
    return (double)(s->xy / s->xx * (s->xy / s->yy));
}

static bool is_small_whole(const type *t)
{
    return t->id >= TYPE_INT8 && t->id <= TYPE_UINT64 && t->width <= 4;
}

static nrw_status pair_bind(arena *a, aggregate *out, const pair_data *data, nrw_error *err)
{
    bool whole = is_small_whole(&out->args[0]->type) && is_small_whole(&out->args[1]->type);
    const type number = type_of(whole ? TYPE_INT64 : TYPE_FLOAT64);

    out->data = data;
    out->result = type_of(data ? TYPE_FLOAT64 : TYPE_UINT32);
    out->state_bytes = whole ? sizeof(whole_pair) : sizeof(pair_state);
    TRY(agg_cast(a, out, 0, &number, err));
    return agg_cast(a, out, 1, &number, err);
}

#define BIND(name)                                                                                 \
    static nrw_status name##_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)     \
    {                                                                                              \
        static const pair_data data = {name};                                                      \
        (void)args;                                                                                \
        return pair_bind(a, out, &data, err);                                                      \
    }
BIND(covar_pop)
BIND(covar_samp)
BIND(corr)
BIND(avgx)
BIND(avgy)
BIND(sxx)
BIND(syy)
BIND(sxy)
BIND(slope)
BIND(intercept)
BIND(r2)

static nrw_status count_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    (void)args;
    return pair_bind(a, out, NULL, err);
}

/* One sum at a time: what words have just been put is not read as something wider. */
static inline void add_at(uint8_t *state, size_t at, i128 x)
{
    i128 sum;

    memcpy(&sum, state + at, sizeof sum);
    sum += x;
    memcpy(state + at, &sum, sizeof sum);
}

static void add_whole(const vector *y, const vector *x, const aggregate_rows *r)
{
    const int64_t *b = (const int64_t *)(const void *)y->data,
                  *a = (const int64_t *)(const void *)x->data;

    for (uint32_t i = 0; i < r->n; i++) {
        uint8_t *state = agg_state(r, i);
        if (!vector_is_valid(y, i) || !vector_is_valid(x, i))
            continue;
        add_at(state, offsetof(whole_pair, x), a[i]);
        add_at(state, offsetof(whole_pair, y), b[i]);
        add_at(state, offsetof(whole_pair, xx), (i128)a[i] * a[i]);
        add_at(state, offsetof(whole_pair, yy), (i128)b[i] * b[i]);
        add_at(state, offsetof(whole_pair, xy), (i128)a[i] * b[i]);
        state += offsetof(whole_pair, n);
        store_u64(state, load_u64(state) + 1);
    }
}

static void add_floats(const vector *y, const vector *x, const aggregate_rows *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        pair_state *s = (pair_state *)(void *)agg_state(r, i);
        double b = ((const double *)(const void *)y->data)[i],
               a = ((const double *)(const void *)x->data)[i];
        if (!vector_is_valid(y, i) || !vector_is_valid(x, i))
            continue;
        s->n++;
        power_sum_add(&s->x, a, 1);
        power_sum_add(&s->y, b, 1);
        power_sum_add_product(&s->xx, a, a);
        power_sum_add_product(&s->yy, b, b);
        power_sum_add_product(&s->xy, a, b);
    }
}

static nrw_status pair_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    vector y, x = {0};
    nrw_status st;

    TRY(agg_flat(r, 0, &y, err));
    st = agg_flat(r, 1, &x, err);
    if (st >= 0 && is_whole(g))
        add_whole(&y, &x, r);
    else if (st >= 0)
        add_floats(&y, &x, r);
    vector_release(&x);
    vector_release(&y);
    return st;
}

static void merge_whole(uint8_t *into, const uint8_t *from)
{
    whole_pair s = whole_load(into), o = whole_load(from);

    s.n += o.n;
    s.x += o.x;
    s.y += o.y;
    s.xx += o.xx;
    s.yy += o.yy;
    s.xy += o.xy;
    memcpy(into, &s, sizeof s);
}

static nrw_status pair_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                             nrw_error *err)
{
    pair_state *s = (pair_state *)(void *)into;
    const pair_state *o = (const pair_state *)(const void *)from;

    (void)m;
    (void)err;
    if (is_whole(g)) {
        merge_whole(into, from);
        return NRW_OK;
    }
    s->n += o->n;
    power_sum_merge(&s->x, &o->x);
    power_sum_merge(&s->y, &o->y);
    power_sum_merge(&s->xx, &o->xx);
    power_sum_merge(&s->yy, &o->yy);
    power_sum_merge(&s->xy, &o->xy);
    return NRW_OK;
}

static nrw_status pair_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                              nrw_error *err)
{
    const pair_data *data = g->data;
    double *to = (double *)(void *)out->data;

    for (uint32_t i = 0; i < n; i++) {
        pair_spread d;
        bool none;
        if (is_whole(g)) {
            whole_pair s = whole_load(states[i]);
            d = whole_spread_of(&s);
        } else {
            d = spread_of((const pair_state *)(const void *)states[i]);
        }
        none = d.n == 0;
        if (!none)
            to[i] = data->value(&d, &none);
        if (none)
            agg_put_null(out, i);
        else if (isinf(to[i]))
            return agg_refuse(g, "is out of range", NULL, err);
    }
    return NRW_OK;
}

static nrw_status count_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                               nrw_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < n; i++)
        ((uint32_t *)(void *)out->data)[i] =
            (uint32_t)(is_whole(g) ? whole_load(states[i]).n
                                   : ((const pair_state *)(const void *)states[i])->n);
    return NRW_OK;
}

#define PAIR(names, bind, finish)                                                                  \
    {                                                                                              \
        names, 2, 2, AGG_SHARED, bind, pair_add, pair_merge, finish, AGG_PLAIN                     \
    }

static const aggregate_class classes[] = {
    PAIR(" covar_pop ", covar_pop_bind, pair_finish),
    PAIR(" covar_samp ", covar_samp_bind, pair_finish),
    PAIR(" corr ", corr_bind, pair_finish),
    PAIR(" regr_avgx ", avgx_bind, pair_finish),
    PAIR(" regr_avgy ", avgy_bind, pair_finish),
    PAIR(" regr_sxx ", sxx_bind, pair_finish),
    PAIR(" regr_syy ", syy_bind, pair_finish),
    PAIR(" regr_sxy ", sxy_bind, pair_finish),
    PAIR(" regr_slope ", slope_bind, pair_finish),
    PAIR(" regr_intercept ", intercept_bind, pair_finish),
    PAIR(" regr_r2 ", r2_bind, pair_finish),
    PAIR(" regr_count ", count_bind, count_finish),
};

const aggregate_table agg_pair_table = {classes, sizeof classes / sizeof *classes};
