#include "column/summary.h"

#include "base/hash.h"
#include "column/compare.h"
#include "column/distinct.h"
#include "column/exact.h"

#include <math.h>

typedef enum sums { SUMS_NONE, SUMS_INT, SUMS_WIDE, SUMS_FLOAT } sums;

/* A least or greatest value: fixed-width ones in `fixed`, others in `text`. */
typedef struct extreme {
    uint32_t len, cap;
    uint8_t fixed[32];
    uint8_t *text;
} extreme;

struct summary {
    mem *m;
    type type;
    uint8_t sums;
    bool has_range;
    bool last_hashed; /* last_hash was the value before: runs in flat vectors cost little */
    uint64_t last_hash;
    uint64_t rows, nulls;
    uint64_t nans, infinities[2]; /* negative, positive: they are in no sum */
    extreme min, max;
    distinct distinct;
    exact_int *ints;
    exact_float *floats;
};

static sums sums_of(const type *t)
{
    switch (t->id) {
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: return SUMS_INT;
    case TYPE_INT128: return SUMS_WIDE;
    case TYPE_DECIMAL: return t->width > 8 ? SUMS_WIDE : SUMS_INT;
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64: return SUMS_FLOAT;
    default: return SUMS_NONE;
    }
}

size_t summary_bytes(const type *t)
{
    size_t sum = sums_of(t) == SUMS_NONE    ? 0
                 : sums_of(t) == SUMS_FLOAT ? sizeof(exact_float)
                                            : sizeof(exact_int);
    return sizeof(summary) + sum + 3 * 4096; /* the set of hashes while it grows */
}

nrw_status summary_new(mem *m, const type *t, summary **out, nrw_error *err)
{
    void *p;
    *out = NULL;
    TRY(mem_zalloc(m, sizeof(summary), &p, err));
    summary *s = p;
    *s = (summary){.m = m, .type = *t, .sums = (uint8_t)sums_of(t), .distinct = {.m = m}};
    nrw_status st = NRW_OK;
    if (s->sums == SUMS_FLOAT) {
        st = mem_zalloc(m, sizeof(exact_float), &p, err);
        s->floats = st < 0 ? NULL : p;
    } else if (s->sums != SUMS_NONE) {
        st = mem_zalloc(m, sizeof(exact_int), &p, err);
        s->ints = st < 0 ? NULL : p;
    }
    if (st < 0)
        summary_free(s);
    else
        *out = s;
    return st;
}

void summary_free(summary *s)
{
    if (!s)
        return;
    mem_free(s->m, s->min.text, s->min.cap);
    mem_free(s->m, s->max.text, s->max.cap);
    mem_free(s->m, s->ints, sizeof(exact_int));
    mem_free(s->m, s->floats, sizeof(exact_float));
    distinct_release(&s->distinct);
    mem_free(s->m, s, sizeof *s);
}

/* ---- least and greatest ---- */

static bool in_text(const summary *s)
{
    return type_is_view(&s->type) || s->type.width > sizeof s->min.fixed;
}

static span extreme_span(const summary *s, const extreme *e)
{
    return (span){in_text(s) ? e->text : e->fixed, e->len};
}

static nrw_status extreme_set(summary *s, extreme *e, span v, nrw_error *err)
{
    if (!in_text(s)) {
        memcpy(e->fixed, v.data, v.len);
        e->len = (uint32_t)v.len;
        return NRW_OK;
    }
    uint32_t len = (uint32_t)size_min(v.len, SUMMARY_TEXT_MAX);
    if (len > e->cap || !e->text) {
        uint32_t cap = len < 32 ? 32 : len;
        void *p = e->text;
        TRY(mem_realloc(s->m, &p, e->cap, cap, err));
        e->text = p;
        e->cap = cap;
    }
    if (len)
        memcpy(e->text, v.data, len);
    e->len = len;
    return NRW_OK;
}

/* Order of values; equal ones that look different (-0 and 0) by their bytes, so that the order of
 * rows does not matter. */
static int order(const summary *s, span a, span b)
{
    int o = value_compare(&s->type, a, b);
    return o || in_text(s) ? o : memcmp(a.data, b.data, a.len);
}

/* Beyond SUMMARY_TEXT_MAX texts count as equal, so that the order of rows does not matter. */
static nrw_status widen_range(summary *s, span v, nrw_error *err)
{
    if (in_text(s) && v.len > SUMMARY_TEXT_MAX)
        v.len = SUMMARY_TEXT_MAX;
    if (!s->has_range) {
        TRY(extreme_set(s, &s->min, v, err));
        TRY(extreme_set(s, &s->max, v, err));
        s->has_range = true;
        return NRW_OK;
    }
    if (order(s, v, extreme_span(s, &s->min)) < 0)
        TRY(extreme_set(s, &s->min, v, err));
    else if (order(s, v, extreme_span(s, &s->max)) > 0)
        TRY(extreme_set(s, &s->max, v, err));
    return NRW_OK;
}

/* ---- one value ---- */

static double load_float(const type *t, const uint8_t *p)
{
    double d;
    float f;
    uint16_t h;
    if (t->id == TYPE_FLOAT64) {
        memcpy(&d, p, 8);
        return d;
    }
    if (t->id == TYPE_FLOAT32) {
        memcpy(&f, p, 4);
        return f;
    }
    memcpy(&h, p, 2);
    return print_half_to_float(h);
}

static bool is_unsigned(const type *t)
{
    return t->id >= TYPE_UINT8 && t->id <= TYPE_UINT64;
}

/* Sign-extended, where the type has a sign. */
static uint64_t load_int(const type *t, const uint8_t *p)
{
    uint64_t x = 0;
    memcpy(&x, p, t->width);
    unsigned free_bits = 64 - 8 * t->width;
    if (free_bits && !is_unsigned(t))
        x = (uint64_t)((int64_t)(x << free_bits) >> free_bits);
    return x;
}

static uint64_t hash_value(const summary *s, span v)
{
    double d;
    uint64_t bits;
    switch (s->sums) {
    case SUMS_INT: return hash_u64(load_int(&s->type, v.data));
    case SUMS_FLOAT:
        d = load_float(&s->type, v.data);
        d = isnan(d) ? (double)NAN : d == 0 ? 0.0 : d;
        memcpy(&bits, &d, sizeof bits);
        return hash_u64(bits);
    default:
        if (s->type.id == TYPE_INTERVAL)
            return hash_u64((uint64_t)value_interval(&s->type, v.data));
        return hash_bytes(v.data, v.len);
    }
}

static nrw_status note_hash(summary *s, uint64_t hash, nrw_error *err)
{
    if (s->last_hashed && hash == s->last_hash)
        return NRW_OK;
    s->last_hashed = true;
    s->last_hash = hash;
    return distinct_add(&s->distinct, hash, err);
}

static void add_float(summary *s, double x, uint32_t count)
{
    if (isnan(x))
        s->nans += count;
    else if (isinf(x))
        s->infinities[x > 0] += count;
    else
        exact_float_add(s->floats, x, count);
}

/* `count` rows with the value v. */
static nrw_status add_value(summary *s, span v, uint32_t count, nrw_error *err)
{
    switch (s->sums) {
    case SUMS_INT:
        if (is_unsigned(&s->type))
            exact_int_add_u64(s->ints, load_int(&s->type, v.data), count);
        else
            exact_int_add(s->ints, (int64_t)load_int(&s->type, v.data), count);
        break;
    case SUMS_WIDE: exact_int_add_wide(s->ints, v.data, s->type.width, count); break;
    case SUMS_FLOAT: add_float(s, load_float(&s->type, v.data), count); break;
    default: break;
    }
    TRY(note_hash(s, hash_value(s, v), err));
    return widen_range(s, v, err);
}

/* ---- vectors ---- */

#define BLOCK 256

/* Integers of up to 64 bits with a sign, a block at a time. */
static nrw_status add_ints(summary *s, const vector *v, nrw_error *err)
{
    int64_t block[BLOCK];
    uint32_t width = s->type.width;
    for (uint32_t at = 0; at < v->len;) {
        uint32_t n = 0, least = 0, most = 0;
        for (; at < v->len && n < BLOCK; at++) {
            if (!vector_is_valid(v, at))
                continue;
            block[n] = (int64_t)load_int(&s->type, v->data + (size_t)at * width);
            least = block[n] < block[least] ? n : least;
            most = block[n] > block[most] ? n : most;
            n++;
        }
        if (n == 0)
            continue;
        exact_int_add_many(s->ints, block, n);
        TRY(widen_range(s, (span){(uint8_t *)&block[least], width}, err));
        TRY(widen_range(s, (span){(uint8_t *)&block[most], width}, err));
        for (uint32_t i = 0; i < n; i++)
            TRY(note_hash(s, hash_u64((uint64_t)block[i]), err));
    }
    return NRW_OK;
}

static nrw_status add_flat(summary *s, const vector *v, nrw_error *err)
{
    if (s->sums == SUMS_INT && !is_unsigned(&s->type))
        return add_ints(s, v, err);
    for (uint32_t i = 0; i < v->len; i++)
        if (vector_is_valid(v, i))
            TRY(add_value(s, flat_span(v, i), 1, err));
    return NRW_OK;
}

/* Entries are counted first where there are no more of them than rows. */
static nrw_status add_dict(summary *s, const vector *v, nrw_error *err)
{
    const vector *values = &v->dict->values;
    const uint32_t *index = (const uint32_t *)v->data;
    if (values->len > v->len) {
        for (uint32_t i = 0; i < v->len; i++)
            if (vector_is_valid(v, i))
                TRY(add_value(s, flat_span(values, index[i]), 1, err));
        return NRW_OK;
    }
    size_t bytes = values->len * sizeof(uint32_t);
    void *p;
    TRY(mem_zalloc(s->m, bytes, &p, err));
    uint32_t *counts = p;
    for (uint32_t i = 0; i < v->len; i++)
        if (vector_is_valid(v, i))
            counts[index[i]]++;
    nrw_status st = NRW_OK;
    for (uint32_t i = 0; i < values->len && st >= 0; i++)
        if (counts[i])
            st = add_value(s, flat_span(values, i), counts[i], err);
    mem_free(s->m, p, bytes);
    return st;
}

static nrw_status add_runs(summary *s, const vector *v, nrw_error *err)
{
    const uint32_t *ends = (const uint32_t *)v->data;
    uint32_t start = 0;
    for (uint32_t run = 0; run < v->n_runs; start = ends[run++]) {
        bool null;
        span value = vector_value(v->values, run, &null);
        if (!null)
            TRY(add_value(s, value, ends[run] - start, err));
    }
    return NRW_OK;
}

nrw_status summary_add(summary *s, const vector *v, nrw_error *err)
{
    s->rows += v->len;
    s->nulls += v->null_count;
    if (v->null_count == v->len || type_is_nested(&v->type))
        return NRW_OK;
    switch (v->form) {
    case VECTOR_FLAT: return add_flat(s, v, err);
    case VECTOR_DICT: return add_dict(s, v, err);
    default: return add_runs(s, v, err);
    }
}

nrw_status summary_merge(summary *s, const summary *other, nrw_error *err)
{
    s->rows += other->rows;
    s->nulls += other->nulls;
    s->nans += other->nans;
    s->infinities[0] += other->infinities[0];
    s->infinities[1] += other->infinities[1];
    if (s->floats)
        exact_float_merge(s->floats, other->floats);
    if (s->ints)
        exact_int_merge(s->ints, other->ints);
    if (other->has_range) {
        TRY(widen_range(s, extreme_span(other, &other->min), err));
        TRY(widen_range(s, extreme_span(other, &other->max), err));
    }
    return distinct_merge(&s->distinct, &other->distinct, err);
}

/* ---- facts ---- */

static bool is_time(const type *t)
{
    return t->id == TYPE_DATE || t->id == TYPE_TIME || t->id == TYPE_TIMESTAMP ||
           t->id == TYPE_DURATION;
}

static double mean(const summary *s, uint64_t n)
{
    if (s->nans || (s->infinities[0] && s->infinities[1]))
        return (double)NAN;
    if (s->infinities[0] || s->infinities[1])
        return s->infinities[1] ? (double)INFINITY : -(double)INFINITY;
    if (s->floats)
        return (double)exact_float_mean(s->floats, n);
    return (double)(exact_int_mean(s->ints, n) / powl(10, s->type.scale));
}

static double deviation(const summary *s, uint64_t n)
{
    if (s->floats)
        return (double)sqrtl(exact_float_variance(s->floats, n));
    return (double)(sqrtl(exact_int_variance(s->ints, n)) / powl(10, s->type.scale));
}

void summary_read(const summary *s, summary_facts *out)
{
    uint64_t n = s->rows - s->nulls;
    bool number = s->sums != SUMS_NONE && !is_time(&s->type);
    *out = (summary_facts){.rows = s->rows,
                           .nulls = s->nulls,
                           .distinct = distinct_count(&s->distinct),
                           .has_range = s->has_range};
    if (out->distinct > n) /* an estimate may be too high */
        out->distinct = n;
    if (s->has_range) {
        out->min = extreme_span(s, &s->min);
        out->max = extreme_span(s, &s->max);
    }
    out->has_mean = number && n > 0;
    if (out->has_mean)
        out->mean = mean(s, n);
    out->has_deviation = number && n > 1 && s->nans + s->infinities[0] + s->infinities[1] == 0;
    if (out->has_deviation)
        out->deviation = deviation(s, n);
}

size_t summary_mean_text(const summary *s, char out[PRINT_MAX])
{
    summary_facts f;
    summary_read(s, &f);
    if (f.has_mean)
        return print_f64(f.mean, out);
    if (!is_time(&s->type) || f.rows == f.nulls)
        return 0;
    type t = s->type;
    uint64_t factor = 1;
    if (t.id == TYPE_DATE) {
        t = type_timestamp(UNIT_US, false);
        factor = 86400000000u;
    }
    int64_t x = exact_int_whole_mean(s->ints, f.rows - f.nulls, factor);
    return print_fixed(&t, (const uint8_t *)&x, out);
}

size_t summary_deviation_text(const summary *s, char out[PRINT_MAX])
{
    summary_facts f;
    summary_read(s, &f);
    return f.has_deviation ? print_f64(f.deviation, out) : 0;
}

size_t summary_null_percentage(const summary *s, char out[PRINT_MAX])
{
    unsigned __int128 hundredths = 0;
    if (s->rows)
        hundredths =
            ((unsigned __int128)s->nulls * 20000 + s->rows) / (2 * (unsigned __int128)s->rows);
    int64_t x = (int64_t)hundredths;
    return print_decimal((const uint8_t *)&x, 8, 2, out);
}
