/* Quantiles: median, quantile_cont, quantile_disc, mad, approx_quantile. States keep all values. */
#include "base/hash.h"
#include "column/compare.h"
#include "exec/agg_gather.h"
#include "expr/list_out.h"

#include <math.h>

typedef __int128 i128;

typedef enum quantile_kind {
    QUANTILE_DISC,
    QUANTILE_CONT,
    QUANTILE_APPROX,
    QUANTILE_MAD
} quantile_kind;

typedef struct quantile_data {
    quantile_kind kind;
    type value; /* of what is kept */
    bool list;
    uint32_t n;
    double at[]; /* fractions; below 0: from the other end */
} quantile_data;

static const quantile_data *data_of(const aggregate *g)
{
    return g->data;
}

/* ---- binding ---- */

static bool is_integer(const type *t)
{
    return t->id == TYPE_BOOL || (t->id >= TYPE_INT8 && t->id <= TYPE_UINT128);
}

/* What lies between two values has a type of its own; NULL-typed: there is nothing between them. */
static type between(const type *t)
{
    if (t->id == TYPE_DATE)
        return type_timestamp(UNIT_US, false);
    if (is_integer(t) || t->id == TYPE_FLOAT16)
        return type_of(t->id == TYPE_BOOL ? TYPE_NULL : TYPE_FLOAT64);
    if (t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT64 || t->id == TYPE_TIME ||
        t->id == TYPE_TIMESTAMP || (t->id == TYPE_DECIMAL && t->precision <= 38))
        return *t;
    return type_of(TYPE_NULL);
}

static nrw_status fraction(span x, bool null, double *out, nrw_error *err)
{
    if (null)
        return err_set(err, NRW_E_ARG, "a quantile takes no NULL as a fraction");
    memcpy(out, x.data, sizeof *out);
    if (!(*out >= -1 && *out <= 1))
        return err_set(err, NRW_E_ARG, "a quantile takes fractions from 0 to 1");
    return NRW_OK;
}

/* The fractions of a constant that is a number or a list of numbers. */
static nrw_status fractions(arena *a, const expr *e, quantile_data **out, nrw_error *err)
{
    type to = type_of(TYPE_FLOAT64);
    bool list = e->type.id == TYPE_LIST, null;
    const vector *v;
    uint32_t n = 1;

    if (list)
        TRY(type_list(a, &to, &to, err));
    TRY(expr_cast(a, e, &to, false, &e, err));
    if (!expr_is_constant(e) || e->constant->null_count)
        return err_set(err, NRW_E_ARG, "the fraction of a quantile must be a constant");
    v = e->constant;
    if (list) {
        n = vector_offsets(v)[1];
        v = &v->children[0];
    }
    TRY(arena_alloc(a, sizeof **out + n * sizeof(double), (void **)out, err));
    **out = (quantile_data){.list = list, .n = n};
    for (uint32_t i = 0; i < n; i++) {
        span x = vector_value(v, i, &null);
        TRY(fraction(x, null, &(*out)->at[i], err));
    }
    return NRW_OK;
}

static nrw_status one_half(arena *a, quantile_data **out, nrw_error *err)
{
    TRY(arena_alloc(a, sizeof **out + sizeof(double), (void **)out, err));
    **out = (quantile_data){.n = 1};
    (*out)->at[0] = 0.5;
    return NRW_OK;
}

static nrw_status quantile_bind(arena *a, aggregate *out, quantile_kind kind, nrw_error *err)
{
    quantile_data *d;
    type t, result;

    TRY(agg_any(a, &out->args[0], err));
    if (out->n_args == 2)
        TRY(fractions(a, out->args[1], &d, err));
    else
        TRY(one_half(a, &d, err));
    t = between(&out->args[0]->type);
    if (t.id == TYPE_NULL && (kind == QUANTILE_DISC || out->n_args == 1) && kind != QUANTILE_MAD &&
        !type_is_nested(&out->args[0]->type))
        kind = QUANTILE_DISC;
    else if (t.id == TYPE_NULL)
        return agg_refuse(out, "does not take", &out->args[0]->type, err);
    if (kind == QUANTILE_CONT || kind == QUANTILE_MAD)
        TRY(expr_cast(a, out->args[0], &t, false, &out->args[0], err));
    d->kind = kind;
    d->value = result = out->args[0]->type;
    if (kind == QUANTILE_MAD && (t.id == TYPE_TIMESTAMP || t.id == TYPE_TIME))
        result = type_interval(UNIT_US);
    out->n_args = 1;
    out->data = d;
    out->state_bytes = sizeof(gather_state);
    out->result = result;
    return d->list ? type_list(a, &result, &out->result, err) : NRW_OK;
}

#define BIND(name, kind)                                                                           \
    static nrw_status name(arena *a, const expr **args, aggregate *out, nrw_error *err)            \
    {                                                                                              \
        (void)args;                                                                                \
        return quantile_bind(a, out, kind, err);                                                   \
    }
BIND(cont_bind, QUANTILE_CONT)
BIND(disc_bind, QUANTILE_DISC)
BIND(approx_bind, QUANTILE_APPROX)
BIND(mad_bind, QUANTILE_MAD)

static nrw_status quantile_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    bool text = type_is_view(&data_of(g)->value);

    for (uint32_t i = 0; i < r->n; i++) {
        gather_state *s = gather_of(agg_state(r, i));
        bool null;
        span v = vector_value(r->args[0], i, &null);
        if (null)
            continue;
        if (text)
            TRY(gather_put(s, 0, v, false, r->m, err));
        else
            TRY(gather_put_bare(s, v, r->m, err));
    }
    return NRW_OK;
}

/* ---- which value stands where ---- */

#define WIDEST 16u

static void swap(uint8_t *x, uint8_t *y, uint32_t width)
{
    uint8_t keep[WIDEST];

    memcpy(keep, x, width);
    memcpy(x, y, width);
    memcpy(y, keep, width);
}

/* Moves values so that the one at k is what sorting would put there. */
static const uint8_t *select_value(const type *t, uint8_t *data, uint64_t n, uint64_t k)
{
    uint32_t w = t->width;
    uint64_t from = 0, to = n;

    while (to - from > 1) {
        uint64_t less = from, same = from, i = to;
        uint8_t pivot[WIDEST];
        memcpy(pivot, data + (from + hash_u64(to ^ from) % (to - from)) * w, w);
        while (same < i) { /* [from, less) < pivot, [less, same) equal, [i, to) greater */
            uint8_t *x = data + same * w;
            int c = value_compare(t, (span){x, w}, (span){pivot, w});
            if (c < 0)
                swap(x, data + less++ * w, w);
            if (c <= 0)
                same++;
            else
                swap(x, data + --i * w, w);
        }
        if (k < less)
            to = less;
        else if (k >= same)
            from = same;
        else
            break;
    }
    return data + k * w;
}

/* The index of the value, counted from the end that the fraction is of. */
static uint64_t disc_index(double q, uint64_t n)
{
    uint64_t skip = (uint64_t)floor((double)n - fabs(q) * (double)n), k = skip < n ? n - skip : 1;

    k = k < 1 ? 1 : k > n ? n : k;
    return k - 1;
}

/* ---- between two values ---- */

static i128 whole_at(const uint8_t *p, uint32_t width)
{
    int32_t narrow;
    int64_t x;
    i128 wide;

    if (width <= 2)
        return width == 1 ? (int8_t)p[0] : (int16_t)(p[0] | p[1] << 8);
    if (width == 4) {
        memcpy(&narrow, p, 4);
        return narrow;
    }
    if (width == 8) {
        memcpy(&x, p, 8);
        return x;
    }
    memcpy(&wide, p, 16);
    return wide;
}

static void interpolate(const type *t, const uint8_t *low, const uint8_t *high, double d,
                        uint8_t *out)
{
    if (t->id == TYPE_FLOAT64) {
        double x, y;
        memcpy(&x, low, 8);
        memcpy(&y, high, 8);
        x = x * (1 - d) + y * d;
        memcpy(out, &x, 8);
    } else if (t->id == TYPE_FLOAT32) {
        float x, y;
        memcpy(&x, low, 4);
        memcpy(&y, high, 4);
        x = (float)((double)x * (1 - d) + (double)y * d);
        memcpy(out, &x, 4);
    } else {
        i128 x = whole_at(low, t->width), delta = whole_at(high, t->width) - x;
        double step = (double)delta * d;
        if (t->width == 16)
            x += (i128)step;
        else
            x = t->id == TYPE_DECIMAL
                    ? (i128)((double)x + step)
                    : llround((double)x * (1 - d) + (double)whole_at(high, t->width) * d);
        memcpy(out, &x, t->width);
    }
}

/* The value at `place` of n values, which may lie between two of them. */
static void value_between(const type *t, uint8_t *data, uint64_t n, double place, bool backwards,
                          uint8_t *out)
{
    uint64_t low = (uint64_t)floor(place), high = (uint64_t)ceil(place);
    uint8_t x[WIDEST];

    high = high < n ? high : n - 1;
    low = low < n ? low : n - 1;
    memcpy(x, select_value(t, data, n, backwards ? n - 1 - low : low), t->width);
    if (low == high)
        memcpy(out, x, t->width);
    else
        interpolate(t, x, select_value(t, data, n, backwards ? n - 1 - high : high),
                    place - (double)low, out);
}

/* The median of the distances from the median. */
static nrw_status mad(const quantile_data *d, const gather_state *s, mem *m, uint8_t *out,
                      nrw_error *err)
{
    const type *t = &d->value;
    uint32_t w = t->width;
    uint8_t median[WIDEST], *far, value[WIDEST];
    double place = 0.5 * (double)(s->n - 1);

    TRY(mem_alloc(m, s->data.len, (void **)&far, err));
    value_between(t, s->data.data, s->n, place, false, median);
    for (uint64_t i = 0; i < s->n; i++) {
        const uint8_t *p = s->data.data + i * w;
        if (t->id == TYPE_FLOAT64) {
            double x, y;
            memcpy(&x, p, 8);
            memcpy(&y, median, 8);
            x = fabs(x - y);
            memcpy(far + i * w, &x, 8);
        } else if (t->id == TYPE_FLOAT32) {
            float x, y;
            memcpy(&x, p, 4);
            memcpy(&y, median, 4);
            x = fabsf(x - y);
            memcpy(far + i * w, &x, 4);
        } else {
            i128 x = whole_at(p, w) - whole_at(median, w);
            x = x < 0 ? -x : x;
            memcpy(far + i * w, &x, w);
        }
    }
    value_between(t, far, s->n, place, false, value);
    mem_free(m, far, s->data.len);
    if (t->id == TYPE_TIMESTAMP || t->id == TYPE_TIME) {
        int64_t us = (int64_t)whole_at(value, w);
        int32_t days = (int32_t)(us / 86400000000);
        us -= (int64_t)days * 86400000000;
        memset(out, 0, 4);
        memcpy(out + 4, &days, 4);
        memcpy(out + 8, &us, 8);
    } else {
        memcpy(out, value, w);
    }
    return NRW_OK;
}

/* ---- results ---- */

/* The place that approx_quantile means: values stand in the middle of their share. */
static double approx_place(double q, uint64_t n)
{
    double place = q * (double)n - 0.5;

    return place < 0 ? 0 : place > (double)(n - 1) ? (double)(n - 1) : place;
}

/* Value i of the fractions into room, at[i] pointing there. */
static nrw_status fixed_values(const aggregate *g, const gather_state *s, mem *m, uint8_t *room,
                               gathered *at, nrw_error *err)
{
    const quantile_data *d = data_of(g);

    for (uint32_t i = 0; i < d->n; i++) {
        uint8_t *to = room + (size_t)i * WIDEST;
        double q = d->at[i];
        bool back = g->descending != (q < 0);
        q = fabs(q);
        at[i] = (gathered){0, to, WIDEST, false};
        if (d->kind == QUANTILE_MAD) {
            TRY(mad(d, s, m, to, err));
        } else if (d->kind == QUANTILE_DISC) {
            uint64_t k = disc_index(q, s->n);
            memcpy(to, select_value(&d->value, s->data.data, s->n, back ? s->n - 1 - k : k),
                   d->value.width);
        } else {
            double place =
                d->kind == QUANTILE_APPROX ? approx_place(q, s->n) : q * (double)(s->n - 1);
            value_between(&d->value, s->data.data, s->n, place, back, to);
        }
    }
    return NRW_OK;
}

static nrw_status text_values(const aggregate *g, const gather_state *s, mem *m, gathered *at,
                              nrw_error *err)
{
    const quantile_data *d = data_of(g);
    gathered *all;
    nrw_status st;

    TRY(mem_alloc(m, s->n * sizeof *all, (void **)&all, err));
    st = gather_sorted(s, gather_by_value, &d->value, m, all, err);
    for (uint32_t i = 0; st >= 0 && i < d->n; i++) {
        uint64_t k = disc_index(d->at[i], s->n);
        at[i] = all[g->descending != (d->at[i] < 0) ? s->n - 1 - k : k];
    }
    mem_free(m, all, s->n * sizeof *all);
    return st;
}

/* The values of all states, d->n each, into `values`: a flat vector of n * d->n rows. */
static nrw_status all_values(const aggregate *g, uint8_t *const *states, uint32_t n, vector *values,
                             nrw_error *err)
{
    const quantile_data *d = data_of(g);
    size_t total = (size_t)n * d->n, bytes = total * (sizeof(gathered) + WIDEST);
    mem *m = values->m;
    gathered *at;
    uint8_t *room;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, bytes, (void **)&at, err));
    room = (uint8_t *)(at + total);
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        const gather_state *s = gather_of(states[i]);
        size_t to = (size_t)i * d->n;
        for (uint32_t k = 0; s->n == 0 && k < d->n; k++)
            at[to + k].null = true;
        if (s->n && type_is_view(&d->value))
            st = text_values(g, s, m, at + to, err);
        else if (s->n)
            st = fixed_values(g, s, m, room + to * WIDEST, at + to, err);
    }
    if (st >= 0)
        st = gather_column(at, (uint32_t)total, values, err);
    mem_free(m, at, bytes);
    return st;
}

static nrw_status quantile_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                  vector *out, nrw_error *err)
{
    const quantile_data *d = data_of(g);
    uint32_t *offsets = (uint32_t *)(void *)out->data;
    vector *child = out->children;

    if (!d->list)
        return all_values(g, states, n, out, err);
    if ((uint64_t)n * d->n > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "too many fractions");
    TRY(vector_flat(out->m, &out->type.children[0].type, n * d->n, child, err));
    offsets[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        offsets[i + 1] = (i + 1) * d->n;
        if (gather_of(states[i])->n == 0)
            bit_clear(out->validity, i);
    }
    return all_values(g, states, n, child, err);
}

#define QUANTILE(names, least, most, bind)                                                         \
    {                                                                                              \
        names, least, most, 0, bind, quantile_add, gather_merge, quantile_finish, gather_drop,     \
            gather_save, gather_load                                                               \
    }

static const aggregate_class classes[] = {
    QUANTILE(" median ", 1, 1, cont_bind),
    QUANTILE(" quantile_cont ", 1, 2, cont_bind),
    QUANTILE(" quantile_disc quantile ", 1, 2, disc_bind),
    QUANTILE(" approx_quantile ", 2, 2, approx_bind),
    QUANTILE(" mad ", 1, 1, mad_bind),
};

const aggregate_table agg_quantile_table = {classes, sizeof classes / sizeof *classes};
