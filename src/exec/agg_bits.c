/* bit_and(x), bit_or(x), bit_xor(x) of integers, and product(x). */
#include "exec/aggregate_own.h"

#include <math.h>

/* ---- bits ---- */

typedef struct bit_state {
    uint64_t there;
    uint8_t bits[16];
} bit_state;

static nrw_status bit_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type *t;

    TRY(agg_any(a, &args[0], err));
    t = &args[0]->type;
    if (t->id < TYPE_INT8 || t->id > TYPE_UINT128)
        return agg_refuse(out, "takes integers, not", t, err);
    out->result = *t;
    out->state_bytes = sizeof(bit_state);
    return NRW_OK;
}

static void put_bits(const aggregate *g, bit_state *s, const uint8_t *x)
{
    char operation = g->class->names[5]; /* of "and", "or", "xor" */

    for (uint32_t k = 0; k < g->result.width; k++)
        s->bits[k] = !s->there          ? x[k]
                     : operation == 'a' ? s->bits[k] & x[k]
                     : operation == 'o' ? s->bits[k] | x[k]
                                        : s->bits[k] ^ x[k];
    s->there = 1;
}

static nrw_status bit_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < r->n; i++) {
        bool null;
        span v = vector_value(r->args[0], i, &null);
        if (!null)
            put_bits(g, (bit_state *)(void *)agg_state(r, i), v.data);
    }
    return NRW_OK;
}

static nrw_status bit_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                            nrw_error *err)
{
    const bit_state *x = (const bit_state *)(const void *)from;

    (void)m;
    (void)err;
    if (x->there)
        put_bits(g, (bit_state *)(void *)into, x->bits);
    return NRW_OK;
}

static nrw_status bit_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                             nrw_error *err)
{
    uint32_t width = g->result.width;

    (void)err;
    for (uint32_t i = 0; i < n; i++) {
        const bit_state *s = (const bit_state *)(const void *)states[i];
        if (s->there)
            memcpy(out->data + (size_t)i * width, s->bits, width);
        else
            agg_put_null(out, i);
    }
    return NRW_OK;
}

/* ---- product: as a sum of logarithms, so that the order does not matter ---- */

typedef struct product_state {
    uint64_t n, negative, zeros;
    int64_t exponent;
    uint64_t odd;   /* 1: NaN, 2: infinity */
    float_sum logs; /* of mantissas, to the base 2 */
} product_state;

static nrw_status product_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type number = type_of(TYPE_FLOAT64);

    (void)args;
    out->result = number;
    out->state_bytes = sizeof(product_state);
    return agg_cast(a, out, 0, &number, err);
}

static void multiply(product_state *s, double x)
{
    long double log;
    int exponent = 0;
    double mantissa;

    s->n++;
    s->negative += signbit(x) != 0;
    if (isnan(x) || isinf(x)) {
        s->odd |= isnan(x) ? 1 : 2;
        return;
    }
    if (x == 0) {
        s->zeros++;
        return;
    }
    mantissa = frexp(fabs(x), &exponent);
    s->exponent += exponent - 1;
    log = log2l(2 * (long double)mantissa);
    float_sum_add(&s->logs, (double)log);
    float_sum_add(&s->logs, (double)(log - (double)log));
}

static nrw_status product_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    vector flat;

    (void)g;
    TRY(agg_flat(r, 0, &flat, err));
    for (uint32_t i = 0; i < r->n; i++)
        if (vector_is_valid(&flat, i))
            multiply((product_state *)(void *)agg_state(r, i),
                     ((const double *)(const void *)flat.data)[i]);
    vector_release(&flat);
    return NRW_OK;
}

static nrw_status product_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                                nrw_error *err)
{
    product_state *s = (product_state *)(void *)into;
    const product_state *x = (const product_state *)(const void *)from;

    (void)g;
    (void)m;
    (void)err;
    s->n += x->n;
    s->negative += x->negative;
    s->zeros += x->zeros;
    s->exponent += x->exponent;
    s->odd |= x->odd;
    float_sum_merge(&s->logs, &x->logs);
    return NRW_OK;
}

static double product_of(const product_state *s)
{
    long double x;

    if (s->odd & 1 || (s->odd && s->zeros))
        return NAN;
    if (s->odd) {
        x = INFINITY;
    } else if (s->zeros) {
        x = 0;
    } else {
        wide_float log = float_sum_wide(&s->logs);
        int64_t whole = (int64_t)log, exponent = s->exponent + whole;
        exponent = exponent > 20000 ? 20000 : exponent < -20000 ? -20000 : exponent;
        x = ldexpl(exp2l((long double)(log - (wide_float)whole)), (int)exponent);
    }
    return (double)(s->negative % 2 ? -x : x);
}

static nrw_status product_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                 vector *out, nrw_error *err)
{
    (void)g;
    (void)err;
    for (uint32_t i = 0; i < n; i++) {
        const product_state *s = (const product_state *)(const void *)states[i];
        if (s->n)
            ((double *)(void *)out->data)[i] = product_of(s);
        else
            agg_put_null(out, i);
    }
    return NRW_OK;
}

static const aggregate_class classes[] = {
    {" bit_and ", 1, 1, 0, bit_bind, bit_add, bit_merge, bit_finish, AGG_PLAIN},
    {" bit_or ", 1, 1, 0, bit_bind, bit_add, bit_merge, bit_finish, AGG_PLAIN},
    {" bit_xor ", 1, 1, 0, bit_bind, bit_add, bit_merge, bit_finish, AGG_PLAIN},
    {" product ", 1, 1, 0, product_bind, product_add, product_merge, product_finish, AGG_PLAIN},
};

const aggregate_table agg_bits_table = {classes, sizeof classes / sizeof *classes};
