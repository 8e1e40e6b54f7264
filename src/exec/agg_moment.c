/* Spread and shape of one column: variances, deviations, skewness, kurtosis. A state holds the sums
 * of the powers of its values; differences of those are taken once, at the end. */
#include "base/fetch.h"
#include "exec/aggregate_own.h"

#include <math.h>

#define AHEAD 8u /* rows */

typedef struct moment_state {
    uint64_t n;
    power_sum sums[]; /* of x, x squared, ... */
} moment_state;

typedef enum moment_kind {
    VAR_POP,
    VAR_SAMP,
    STDDEV_POP,
    STDDEV_SAMP,
    SEM,
    SKEWNESS,
    KURTOSIS,
    KURTOSIS_POP
} moment_kind;

typedef struct moment_data {
    moment_kind kind;
    int powers;
} moment_data;

static const moment_data kinds[] = {
    [VAR_POP] = {VAR_POP, 2},
    [VAR_SAMP] = {VAR_SAMP, 2},
    [STDDEV_POP] = {STDDEV_POP, 2},
    [STDDEV_SAMP] = {STDDEV_SAMP, 2},
    [SEM] = {SEM, 2},
    [SKEWNESS] = {SKEWNESS, 3},
    [KURTOSIS] = {KURTOSIS, 4},
    [KURTOSIS_POP] = {KURTOSIS_POP, 4},
};

static nrw_status moment_bind(arena *a, aggregate *out, moment_kind kind, nrw_error *err)
{
    const type number = type_of(TYPE_FLOAT64);

    out->data = &kinds[kind];
    out->result = number;
    out->state_bytes =
        (uint32_t)(sizeof(moment_state) + (size_t)kinds[kind].powers * sizeof(power_sum));
    return agg_cast(a, out, 0, &number, err);
}

#define BIND(name, kind)                                                                           \
    static nrw_status name(arena *a, const expr **args, aggregate *out, nrw_error *err)            \
    {                                                                                              \
        (void)args;                                                                                \
        return moment_bind(a, out, kind, err);                                                     \
    }
BIND(var_pop_bind, VAR_POP)
BIND(var_samp_bind, VAR_SAMP)
BIND(stddev_pop_bind, STDDEV_POP)
BIND(stddev_samp_bind, STDDEV_SAMP)
BIND(sem_bind, SEM)
BIND(skewness_bind, SKEWNESS)
BIND(kurtosis_bind, KURTOSIS)
BIND(kurtosis_pop_bind, KURTOSIS_POP)

static int powers_of(const aggregate *g)
{
    return ((const moment_data *)g->data)->powers;
}

static nrw_status moment_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    vector flat;
    const double *x;
    int powers = powers_of(g);

    TRY(agg_flat(r, 0, &flat, err));
    x = (const double *)(const void *)flat.data;
    for (uint32_t i = 0; i < r->n; i++) {
        moment_state *s = (moment_state *)(void *)agg_state(r, i);
        if (!r->one && i + AHEAD < r->n)
            fetch_bytes(agg_state(r, i + AHEAD), g->state_bytes);
        if (!vector_is_valid(&flat, i))
            continue;
        s->n++;
        for (int k = 0; k < powers; k++)
            power_sum_add(&s->sums[k], x[i], k + 1);
    }
    vector_release(&flat);
    return NRW_OK;
}

static nrw_status moment_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                               nrw_error *err)
{
    moment_state *s = (moment_state *)(void *)into, *x = (moment_state *)(void *)from;

    (void)m;
    (void)err;
    s->n += x->n;
    for (int k = 0; k < powers_of(g); k++)
        power_sum_merge(&s->sums[k], &x->sums[k]);
    return NRW_OK;
}

/* ---- results ---- */

/* The sum of the squares of the distances from the mean, times n. */
static wide_float spread(const moment_state *s)
{
    wide_float sum = power_sum_wide(&s->sums[0]);

    return wide_difference((wide_float)s->n * power_sum_wide(&s->sums[1]), sum * sum);
}

/* NULL of fewer rows than this. */
static uint64_t rows_needed(moment_kind k)
{
    return k == VAR_SAMP || k == STDDEV_SAMP ? 2 : k == SKEWNESS ? 3 : k == KURTOSIS ? 4 : 1;
}

/* There is none where there is no spread. */
static double skewness_of(const moment_state *s, bool *none)
{
    wide_float n = (wide_float)s->n, x = power_sum_wide(&s->sums[0]),
               xx = power_sum_wide(&s->sums[1]), xxx = power_sum_wide(&s->sums[2]);
    double m2 = (double)(spread(s) / (n * n)), m3, rows = (double)s->n;

    *none = m2 == 0;
    if (*none)
        return 0;
    m3 = (double)((xxx - 3 * xx * x / n + 2 * x * x * x / (n * n)) / n);
    return sqrt(rows * (rows - 1)) / (rows - 2) * m3 / sqrt(m2 * m2 * m2);
}

static double kurtosis_of(const moment_state *s, bool population, bool *none)
{
    wide_float n = (wide_float)s->n, x = power_sum_wide(&s->sums[0]),
               xx = power_sum_wide(&s->sums[1]), xxx = power_sum_wide(&s->sums[2]),
               x4 = power_sum_wide(&s->sums[3]), m2 = spread(s) / (n * n), m4;

    *none = m2 == 0;
    if (*none)
        return 0;
    m4 = (x4 - 4 * xxx * x / n + 6 * xx * x * x / (n * n) - 3 * x * x * x * x / (n * n * n)) / n;
    if (population)
        return (double)(m4 / (m2 * m2) - 3);
    return (double)((n - 1) * ((n + 1) * m4 / (m2 * m2) - 3 * (n - 1)) / ((n - 2) * (n - 3)));
}

static double moment_value(moment_kind kind, const moment_state *s, bool *none)
{
    wide_float n = (wide_float)s->n;

    switch (kind) {
    case VAR_SAMP: return (double)(spread(s) / (n * (n - 1)));
    case STDDEV_POP: return sqrt((double)(spread(s) / (n * n)));
    case STDDEV_SAMP: return sqrt((double)(spread(s) / (n * (n - 1))));
    case SEM: return sqrt((double)(spread(s) / (n * n))) / sqrt((double)s->n);
    case SKEWNESS: return skewness_of(s, none);
    case KURTOSIS:
    case KURTOSIS_POP: return kurtosis_of(s, kind == KURTOSIS_POP, none);
    default: return (double)(spread(s) / (n * n));
    }
}

static nrw_status moment_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                                nrw_error *err)
{
    moment_kind kind = ((const moment_data *)g->data)->kind;
    double *to = (double *)(void *)out->data;

    for (uint32_t i = 0; i < n; i++) {
        const moment_state *s = (const moment_state *)(const void *)states[i];
        bool odd = false, none = false;
        if (s->n < rows_needed(kind)) {
            agg_put_null(out, i);
            continue;
        }
        for (int k = 0; k < powers_of(g); k++)
            odd |= sum_odd(s->sums[k].head) != 0;
        to[i] = odd ? NAN : moment_value(kind, s, &none);
        if (isinf(to[i]))
            return agg_refuse(g, "is out of range", NULL, err);
        if (none)
            agg_put_null(out, i);
    }
    return NRW_OK;
}

#define MOMENT(names, bind)                                                                        \
    {                                                                                              \
        names, 1, 1, AGG_SHARED, bind, moment_add, moment_merge, moment_finish, AGG_PLAIN          \
    }

static const aggregate_class classes[] = {
    MOMENT(" stddev_samp stddev ", stddev_samp_bind),
    MOMENT(" stddev_pop ", stddev_pop_bind),
    MOMENT(" var_samp variance ", var_samp_bind),
    MOMENT(" var_pop ", var_pop_bind),
    MOMENT(" sem ", sem_bind),
    MOMENT(" skewness ", skewness_bind),
    MOMENT(" kurtosis ", kurtosis_bind),
    MOMENT(" kurtosis_pop ", kurtosis_pop_bind),
};

const aggregate_table agg_moment_table = {classes, sizeof classes / sizeof *classes};
