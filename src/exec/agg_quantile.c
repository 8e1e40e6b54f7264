/* Quantiles: median, quantile_cont, quantile_disc, mad, approx_quantile. States keep all values. */
#include "exec/agg_rank.h"
#include "expr/list_out.h"

#include <math.h>

typedef __int128 i128;

#define BETWEEN 16u /* bytes of what may lie between two values, and of a distance, at most */

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
    return type_is_view(&data_of(g)->value) ? gather_add(r, false, err) : gather_add_bare(r, err);
}

/* ---- which value stands where ---- */

/* The index of the value, counted from the end that the fraction is of. */
static uint64_t disc_index(double q, uint64_t n)
{
    uint64_t skip = (uint64_t)floor((double)n - fabs(q) * (double)n), k = skip < n ? n - skip : 1;

    k = k < 1 ? 1 : k > n ? n : k;
    return k - 1;
}

/* ---- between two values ---- */

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
        i128 x = rank_whole(low, t->width), delta = rank_whole(high, t->width) - x;
        double step = (double)delta * d;
        if (t->width == 16)
            x += (i128)step;
        else
            x = t->id == TYPE_DECIMAL
                    ? (i128)((double)x + step)
                    : llround((double)x * (1 - d) + (double)rank_whole(high, t->width) * d);
        memcpy(out, &x, t->width);
    }
}

/* The value at `place` of n values, which may lie between two of them. */
static nrw_status value_between(ranking *r, double place, bool backwards, uint8_t *out,
                                nrw_error *err)
{
    uint64_t n = r->from.n, low = (uint64_t)floor(place), high = (uint64_t)ceil(place);
    uint8_t x[BETWEEN], y[BETWEEN];

    high = high < n ? high : n - 1;
    low = low < n ? low : n - 1;
    TRY(rank_value(r, backwards ? n - 1 - low : low, low == high ? out : x, err));
    if (low == high)
        return NRW_OK;
    TRY(rank_value(r, backwards ? n - 1 - high : high, y, err));
    interpolate(r->t, x, y, place - (double)low, out);
    return NRW_OK;
}

/* The median of the distances from the median. */
static nrw_status mad(ranking *r, uint8_t *out, nrw_error *err)
{
    const type *t = r->t;
    uint8_t median[BETWEEN], value[BETWEEN];
    double place = 0.5 * (double)(r->from.n - 1);

    TRY(value_between(r, place, false, median, err));
    TRY(rank_begin(r, &r->from, median, err));
    TRY(value_between(r, place, false, value, err));
    if (t->id == TYPE_TIMESTAMP || t->id == TYPE_TIME) {
        int64_t us = (int64_t)rank_whole(value, t->width);
        int32_t days = (int32_t)(us / 86400000000);
        us -= (int64_t)days * 86400000000;
        memset(out, 0, 4);
        memcpy(out + 4, &days, 4);
        memcpy(out + 8, &us, 8);
    } else {
        memcpy(out, value, t->width);
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

/* Bytes of a result that is not text. */
static uint32_t result_width(const quantile_data *d)
{
    return d->value.width > BETWEEN ? d->value.width : BETWEEN;
}

/* Value i of the fractions into room, at[i] pointing there. */
static nrw_status fixed_values(const aggregate *g, ranking *r, const rank_values *values,
                               uint8_t *room, gathered *at, nrw_error *err)
{
    const quantile_data *d = data_of(g);
    const uint64_t n = values->n;
    uint32_t width = result_width(d);

    TRY(rank_begin(r, values, NULL, err));
    for (uint32_t i = 0; i < d->n; i++) {
        uint8_t *to = room + (size_t)i * width;
        double q = d->at[i];
        bool back = g->descending != (q < 0);
        q = fabs(q);
        at[i] = (gathered){0, to, width, false};
        if (d->kind == QUANTILE_MAD) {
            TRY(mad(r, to, err));
        } else if (d->kind == QUANTILE_DISC) {
            uint64_t k = disc_index(q, n);
            TRY(rank_value(r, back ? n - 1 - k : k, to, err));
        } else {
            double place = d->kind == QUANTILE_APPROX ? approx_place(q, n) : q * (double)(n - 1);
            TRY(value_between(r, place, back, to, err));
        }
    }
    return NRW_OK;
}

/* Where the value of fraction i stands. */
static uint64_t text_place(const aggregate *g, uint32_t i, uint64_t n)
{
    double q = data_of(g)->at[i];
    uint64_t k = disc_index(q, n);

    return g->descending != (q < 0) ? n - 1 - k : k;
}

/* Copies of the values, one for each fraction, behind `texts`. */
static nrw_status many_texts(const aggregate *g, const ranking *r, bytes *texts, gathered *at,
                             nrw_error *err)
{
    const quantile_data *d = data_of(g);

    for (uint32_t i = 0; i < d->n; i++) {
        size_t from = texts->len;
        TRY(rank_any(r, text_place(g, i, r->from.n), texts, err));
        at[i] = (gathered){from, NULL, (uint32_t)(texts->len - from), false};
    }
    return NRW_OK;
}

static nrw_status few_texts(const aggregate *g, const gather_state *s, mem *m, gathered *at,
                            nrw_error *err)
{
    const quantile_data *d = data_of(g);
    gathered *all;
    nrw_status st;

    TRY(mem_alloc(m, s->n * sizeof *all, (void **)&all, err));
    st = gather_sorted(s, gather_by_value, &d->value, m, all, err);
    for (uint32_t i = 0; st >= 0 && i < d->n; i++)
        at[i] = all[text_place(g, i, s->n)];
    mem_free(m, all, s->n * sizeof *all);
    return st;
}

/* Values of states as they are found. */
typedef struct finding {
    ranking r;
    gathered *at; /* of all fractions of all states; texts without data lie in `texts` */
    uint8_t *room;
    bytes texts;
    uint32_t n;
} finding;

static nrw_status find_values(const aggregate *g, finding *f, uint32_t i, const rank_values *values,
                              nrw_error *err)
{
    const quantile_data *d = data_of(g);
    size_t to = (size_t)i * d->n;

    for (uint32_t k = 0; values->n == 0 && k < d->n; k++)
        f->at[to + k].null = true;
    if (values->n == 0)
        return NRW_OK;
    if (!type_is_view(&d->value))
        return fixed_values(g, &f->r, values, f->room + to * result_width(d), f->at + to, err);
    if (values->s && values->n <= RANK_FEW)
        return few_texts(g, values->s, f->r.m, f->at + to, err);
    f->r.from = *values;
    return many_texts(g, &f->r, &f->texts, f->at + to, err);
}

/* The values of all states, or of what was saved of one, d->n each, into `out`: a flat vector of
 * n * d->n rows. */
static nrw_status all_values(const aggregate *g, const rank_values *values, uint32_t n, vector *out,
                             nrw_error *err)
{
    const quantile_data *d = data_of(g);
    size_t total = (size_t)n * d->n, bytes = total * (sizeof(gathered) + result_width(d));
    mem *m = out->m;
    finding f = {.r = {.t = &d->value, .m = m}, .texts = bytes_init(m, UINT32_MAX)};
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(m, bytes, (void **)&f.at, err));
    f.room = (uint8_t *)(f.at + total);
    for (uint32_t i = 0; st >= 0 && i < n; i++)
        st = find_values(g, &f, i, &values[i], err);
    for (size_t i = 0; st >= 0 && i < total; i++)
        if (!f.at[i].data && !f.at[i].null)
            f.at[i].data = f.texts.len ? f.texts.data + f.at[i].ordinal : f.room;
    if (st >= 0)
        st = gather_column(f.at, (uint32_t)total, out, err);
    rank_end(&f.r);
    bytes_release(&f.texts);
    mem_free(m, f.at, bytes);
    return st;
}

static nrw_status quantile_save(const aggregate *g, uint8_t *state, size_t most, bytes *out,
                                bool *more, nrw_error *err)
{
    const type *t = &data_of(g)->value;

    return type_is_view(t) ? gather_save(g, state, most, out, more, err)
                           : gather_save_bare(state, t->width, most, out, more, err);
}

static nrw_status put_values(const aggregate *g, const rank_values *values, uint32_t n, vector *out,
                             nrw_error *err)
{
    const quantile_data *d = data_of(g);
    uint32_t *offsets = (uint32_t *)(void *)out->data;
    vector *child = out->children;

    if (!d->list)
        return all_values(g, values, n, out, err);
    if ((uint64_t)n * d->n > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "too many fractions");
    TRY(vector_flat(out->m, &out->type.children[0].type, n * d->n, child, err));
    offsets[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        offsets[i + 1] = (i + 1) * d->n;
        if (values[i].n == 0)
            bit_clear(out->validity, i);
    }
    return all_values(g, values, n, child, err);
}

static nrw_status quantile_finish(const aggregate *g, uint8_t *const *states, uint32_t n,
                                  vector *out, nrw_error *err)
{
    rank_values *values;
    nrw_status st;

    TRY(mem_alloc(out->m, n * sizeof *values, (void **)&values, err));
    for (uint32_t i = 0; i < n; i++)
        values[i] = rank_values_of(gather_of(states[i]));
    st = put_values(g, values, n, out, err);
    mem_free(out->m, values, n * sizeof *values);
    return st;
}

static nrw_status quantile_finish_saved(const aggregate *g, agg_saved *saved, vector *out,
                                        nrw_error *err)
{
    rank_values values;

    TRY(rank_values_saved(saved, &values, err));
    return put_values(g, &values, 1, out, err);
}

#define QUANTILE(names, least, most, bind)                                                         \
    {                                                                                              \
        names, least, most, AGG_UNPLACED, bind, quantile_add, gather_merge, quantile_finish,       \
            gather_drop, quantile_save, gather_load, gather_bulk, quantile_finish_saved            \
    }

static const aggregate_class classes[] = {
    QUANTILE(" median ", 1, 1, cont_bind),
    QUANTILE(" quantile_cont ", 1, 2, cont_bind),
    QUANTILE(" quantile_disc quantile ", 1, 2, disc_bind),
    QUANTILE(" approx_quantile ", 2, 2, approx_bind),
    QUANTILE(" mad ", 1, 1, mad_bind),
};

const aggregate_table agg_quantile_table = {classes, sizeof classes / sizeof *classes};
