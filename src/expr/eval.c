/* Tests on vectors: of flat ones row by row, of dictionaries once an entry, of runs once a run. */
#include "expr/own.h"

#include "column/compare.h"
#include "column/print.h"
#include "kernel/kernel.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

/* Rows that are tested at a time, a byte each, before they become bits. */
#define STRETCH 1024

/* ---- what passed of dictionaries ---- */

/* Bit i: entry i of the dictionary passes. */
typedef struct entry_table {
    _Atomic uint32_t refs;
    uint64_t dict;
    size_t bytes; /* of the allocation */
    uint8_t bits[];
} entry_table;

/* What a test knows of dictionaries: threads are in several row groups at a time. */
#define TABLES_KEPT 7

typedef struct test_tables {
    entry_table *at[TABLES_KEPT];
    uint32_t next; /* the oldest of them */
} test_tables;

struct predicate_cache {
    mem *m;
    size_t room; /* for a table of a test: those kept and one more fit */
    uint32_t n;
    pthread_mutex_t lock;
    test_tables tests[];
};

nrw_status predicate_cache_new(mem *m, const predicate *p, size_t room, predicate_cache **out,
                               nrw_error *err)
{
    TRY(mem_zalloc(m, sizeof **out + p->n_tests * sizeof *(*out)->tests, (void **)out, err));
    (*out)->m = m;
    (*out)->n = p->n_tests;
    (*out)->room = room / p->n_tests / (TABLES_KEPT + 1);
    pthread_mutex_init(&(*out)->lock, NULL);
    return NRW_OK;
}

static void table_unref(predicate_cache *c, entry_table *t)
{
    if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        mem_free(c->m, t, t->bytes);
}

void predicate_cache_free(predicate_cache *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->n; i++)
        for (int k = 0; k < TABLES_KEPT; k++)
            table_unref(c, c->tests[i].at[k]);
    pthread_mutex_destroy(&c->lock);
    mem_free(c->m, c, sizeof *c + c->n * sizeof *c->tests);
}

static entry_table *table_find(predicate_cache *c, uint32_t test, uint64_t dict)
{
    const test_tables *known = &c->tests[test];
    entry_table *found = NULL;

    pthread_mutex_lock(&c->lock);
    for (int k = 0; k < TABLES_KEPT && !found; k++)
        if (known->at[k] && known->at[k]->dict == dict)
            found = known->at[k];
    if (found)
        atomic_fetch_add_explicit(&found->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void table_keep(predicate_cache *c, uint32_t test, entry_table *t)
{
    test_tables *known = &c->tests[test];
    entry_table *old;

    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    pthread_mutex_lock(&c->lock);
    old = known->at[known->next];
    known->at[known->next] = t;
    known->next = (known->next + 1) % TABLES_KEPT;
    pthread_mutex_unlock(&c->lock);
    table_unref(c, old);
}

/* ---- one value ---- */

static bool key_passes(const test *t, int64_t key)
{
    uint32_t lo = 0, hi = t->n;

    if (t->kind == TEST_RANGE)
        return (key >= t->low && key <= t->high) != t->negate;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (t->keys[mid] < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (lo < t->n && t->keys[lo] == key) != t->negate;
}

static bool in_edges(const test *t, span v)
{
    int order;

    if (t->from.there) {
        order = value_compare(&t->type, v, t->from.value);
        if (order < 0 || (order == 0 && t->from.open))
            return false;
    }
    if (t->to.there) {
        order = value_compare(&t->type, v, t->to.value);
        if (order > 0 || (order == 0 && t->to.open))
            return false;
    }
    return true;
}

static bool in_values(const test *t, span v)
{
    uint32_t lo = 0, hi = t->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int order = value_compare(&t->type, t->values[mid], v);
        if (order == 0)
            return true;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* A value that is there. */
static bool value_passes(const test *t, span v)
{
    if (t->keyed)
        return key_passes(t, key_of_value(&t->type, v.data));
    switch (t->kind) {
    case TEST_RANGE: return in_edges(t, v) != t->negate;
    case TEST_IN: return in_values(t, v) != t->negate;
    default: return like_matches(&t->like, v) != t->negate;
    }
}

/* ---- flat ---- */

/* pass[i] = whether the key of x[i] is in the range; written so that compilers make vectors. */
#define RANGE_LOOP(type_, key_)                                                                    \
    do {                                                                                           \
        const type_ *x = (const type_ *)(const void *)data;                                        \
        for (size_t i = 0; i < n; i++)                                                             \
            pass[i] = (uint8_t)((key_) >= low) & (uint8_t)((key_) <= high);                        \
    } while (0)

#define CLAMPED(type_, min_, max_)                                                                 \
    do {                                                                                           \
        type_ low = (type_)(t->low < (min_) ? (min_) : t->low);                                    \
        type_ high = (type_)(t->high > (max_) ? (max_) : t->high);                                 \
        if (t->low > (max_) || t->high < (min_))                                                   \
            memset(pass, 0, n);                                                                    \
        else                                                                                       \
            RANGE_LOOP(type_, x[i]);                                                               \
    } while (0)

/* A range of keys as one of numbers, and whether NaN is in it. */
typedef struct number_range {
    double low, high;
    bool numbers, nan;
} number_range;

static number_range numbers_of(const test *t)
{
    const int64_t infinite = key_of_double((double)INFINITY);
    number_range r = {.numbers = t->low <= infinite, .nan = t->high == INT64_MAX};

    r.low = t->low < -infinite ? -(double)INFINITY : double_of_key(t->low);
    r.high = t->high > infinite ? (double)INFINITY : double_of_key(t->high);
    r.numbers &= t->high >= -infinite;
    return r;
}

#define FLOAT_LOOP(type_)                                                                          \
    do {                                                                                           \
        const type_ *x = (const type_ *)(const void *)data;                                        \
        const number_range r = numbers_of(t);                                                      \
        for (size_t i = 0; i < n; i++)                                                             \
            pass[i] = (uint8_t)(((uint8_t)(x[i] >= r.low) & (uint8_t)(x[i] <= r.high) &            \
                                 (uint8_t)r.numbers) |                                             \
                                ((uint8_t)(x[i] != x[i]) & (uint8_t)r.nan));                       \
    } while (0)

static void range_flat(const test *t, const uint8_t *data, size_t n, uint8_t *pass)
{
    int64_t low = t->low, high = t->high;

    switch (t->type.id) {
    case TYPE_BOOL:
    case TYPE_UINT8: CLAMPED(uint8_t, 0, UINT8_MAX); break;
    case TYPE_INT8: CLAMPED(int8_t, INT8_MIN, INT8_MAX); break;
    case TYPE_INT16: CLAMPED(int16_t, INT16_MIN, INT16_MAX); break;
    case TYPE_UINT16: CLAMPED(uint16_t, 0, UINT16_MAX); break;
    case TYPE_INT32:
    case TYPE_DATE: CLAMPED(int32_t, INT32_MIN, INT32_MAX); break;
    case TYPE_UINT32: CLAMPED(uint32_t, 0, UINT32_MAX); break;
    case TYPE_UINT64: RANGE_LOOP(uint64_t, (int64_t)(x[i] ^ (uint64_t)1 << 63)); break;
    case TYPE_FLOAT16: RANGE_LOOP(uint16_t, key_of_double(print_half_to_float(x[i]))); break;
    case TYPE_FLOAT32: FLOAT_LOOP(float); break;
    case TYPE_FLOAT64: FLOAT_LOOP(double); break;
    case TYPE_DECIMAL:
        if (t->type.width == 4) {
            CLAMPED(int32_t, INT32_MIN, INT32_MAX);
            break;
        }
        RANGE_LOOP(int64_t, x[i]);
        break;
    default: RANGE_LOOP(int64_t, x[i]); break;
    }
    if (t->negate)
        for (size_t i = 0; i < n; i++)
            pass[i] ^= 1;
}

static void test_stretch(const test *t, const vector *v, uint32_t at, uint32_t n, uint8_t *pass)
{
    if (t->kind == TEST_RANGE && t->keyed)
        range_flat(t, v->data + (size_t)at * v->type.width, n, pass);
    else
        for (uint32_t i = 0; i < n; i++)
            pass[i] = vector_is_valid(v, at + i) && value_passes(t, flat_span(v, at + i));
}

/* Rows of a flat vector, as if none were null. */
static void test_flat(const test *t, const vector *v, uint8_t *bits)
{
    const kernels *k = kernels_get();
    uint8_t pass[STRETCH + 64];

    for (uint32_t at = 0; at < v->len; at += STRETCH) {
        uint32_t n = v->len - at < STRETCH ? v->len - at : STRETCH;
        test_stretch(t, v, at, n, pass);
        k->bytes_to_bits(pass, n, bits + at / 8);
    }
}

bool test_any(const test *t, const vector *values)
{
    uint8_t pass[STRETCH + 64];

    if (t->kind != TEST_RANGE && t->kind != TEST_IN && t->kind != TEST_LIKE)
        return true;
    for (uint32_t at = 0; at < values->len; at += STRETCH) {
        uint32_t n = values->len - at < STRETCH ? values->len - at : STRETCH;
        test_stretch(t, values, at, n, pass);
        if (memchr(pass, 1, n))
            return true;
    }
    return false;
}

/* ---- dictionaries ---- */

static nrw_status new_table(const test *t, mem *m, const dict *d, entry_table **out, nrw_error *err)
{
    size_t bytes = sizeof **out + (d->values.len + 7) / 8 + 64;

    TRY(mem_alloc(m, bytes, (void **)out, err));
    atomic_init(&(*out)->refs, 1);
    (*out)->dict = d->id;
    (*out)->bytes = bytes;
    test_flat(t, &d->values, (*out)->bits);
    return NRW_OK;
}

/* Entries that are looked up as bytes: of few, spread out once a vector. */
#define FEW_ENTRIES 4096

static void look_up_byte(const uint8_t *entries, const uint32_t *index, uint32_t n, uint8_t *pass)
{
    for (uint32_t i = 0; i < n; i++)
        pass[i] = entries[index[i]];
}

static void look_up_bit(const uint8_t *entries, const uint32_t *index, uint32_t n, uint8_t *pass)
{
    for (uint32_t i = 0; i < n; i++)
        pass[i] = bit_get(entries, index[i]);
}

static void look_up(const uint8_t *entries, const vector *v, uint8_t *bits)
{
    const uint32_t *index = (const uint32_t *)(const void *)v->data;
    uint32_t n_entries = v->dict->values.len;
    bool few = n_entries <= FEW_ENTRIES && n_entries <= v->len;
    uint8_t pass[STRETCH + 64], spread[FEW_ENTRIES + 64];

    if (n_entries <= 256) { /* all that bytes of index can mean may be read of a table */
        kernels_get()->bits_of_256(entries, index, v->len, bits);
        return;
    }
    if (few)
        kernels_get()->bits_to_bytes(entries, 0, n_entries, spread);
    for (uint32_t at = 0; at < v->len; at += STRETCH) {
        uint32_t n = v->len - at < STRETCH ? v->len - at : STRETCH;
        if (few)
            look_up_byte(spread, index + at, n, pass);
        else
            look_up_bit(entries, index + at, n, pass);
        kernels_get()->bytes_to_bits(pass, n, bits + at / 8);
    }
}

/* A dictionary larger than the vector, and no room to remember it: its entries row by row. */
static void test_indices(const test *t, const vector *v, uint8_t *bits)
{
    const uint32_t *index = (const uint32_t *)(const void *)v->data;
    uint8_t pass[STRETCH + 64];

    for (uint32_t at = 0; at < v->len; at += STRETCH) {
        uint32_t n = v->len - at < STRETCH ? v->len - at : STRETCH;
        for (uint32_t i = 0; i < n; i++)
            pass[i] = vector_is_valid(v, at + i) &&
                      value_passes(t, flat_span(&v->dict->values, index[at + i]));
        kernels_get()->bytes_to_bits(pass, n, bits + at / 8);
    }
}

static nrw_status test_dict(const test *t, uint32_t number, predicate_cache *c, const vector *v,
                            mem *m, uint8_t *bits, nrw_error *err)
{
    const dict *d = v->dict;
    entry_table *table = table_find(c, number, d->id);
    bool keep = sizeof *table + d->values.len / 8 + 64 <= c->room;

    if (!table && keep) {
        if (new_table(t, c->m, d, &table, NULL) >= 0)
            table_keep(c, number, table);
        else
            table = NULL;
    }
    if (table) {
        look_up(table->bits, v, bits);
        table_unref(c, table);
        return NRW_OK;
    }
    if (d->values.len > v->len) {
        test_indices(t, v, bits);
        return NRW_OK;
    }
    TRY(new_table(t, m, d, &table, err));
    look_up(table->bits, v, bits);
    mem_free(m, table, table->bytes);
    return NRW_OK;
}

/* ---- all forms ---- */

void and_bits(uint8_t *to, const uint8_t *other, uint32_t n)
{
    for (uint32_t i = 0; i < (n + 7) / 8; i++)
        to[i] &= other[i];
}

/* Which rows are null, by the validity of a flat or dict vector. */
static void null_rows(const test *t, const vector *v, uint8_t *bits)
{
    uint32_t bytes = (v->len + 7) / 8;
    bool all_null = v->type.id == TYPE_NULL && !v->validity;

    if (!v->validity)
        memset(bits, (t->kind == TEST_NULL) == all_null ? 0xFF : 0, bytes);
    else if (t->kind == TEST_NOT_NULL)
        memcpy(bits, v->validity, bytes);
    else
        for (uint32_t i = 0; i < bytes; i++)
            bits[i] = (uint8_t)~v->validity[i];
}

static nrw_status test_rows(const test *t, uint32_t number, predicate_cache *c, const vector *v,
                            mem *m, uint8_t *bits, nrw_error *err)
{
    if (t->kind == TEST_NULL || t->kind == TEST_NOT_NULL) {
        null_rows(t, v, bits);
        return NRW_OK;
    }
    if (v->form == VECTOR_DICT)
        TRY(test_dict(t, number, c, v, m, bits, err));
    else
        test_flat(t, v, bits);
    if (v->validity)
        and_bits(bits, v->validity, v->len);
    return NRW_OK;
}

static nrw_status test_runs(const test *t, uint32_t number, predicate_cache *c, const vector *v,
                            mem *m, uint8_t *bits, nrw_error *err)
{
    const uint32_t *ends = (const uint32_t *)(const void *)v->data;
    size_t bytes = v->n_runs / 8 + 1 + 64;
    uint32_t at = 0;
    uint8_t *runs;
    nrw_status st;

    TRY(mem_alloc(m, bytes, (void **)&runs, err));
    st = test_rows(t, number, c, v->values, m, runs, err);
    for (uint32_t i = 0; st >= 0 && i < v->n_runs; i++) {
        kernels_get()->fill_bits(bits, at, ends[i] - at, bit_get(runs, i));
        at = ends[i];
    }
    mem_free(m, runs, bytes);
    return st;
}

nrw_status test_vector(const test *t, uint32_t number, predicate_cache *c, const vector *v, mem *m,
                       uint8_t *bits, nrw_error *err)
{
    if (v->form == VECTOR_RUNS)
        return test_runs(t, number, c, v, m, bits, err);
    return test_rows(t, number, c, v, m, bits, err);
}
