/* Rows that the filter in front of a sort drops are none of the first of their group; all others
 * may go on. Beside a comparison of every row with all rows of its group that passed before. */
#include "testing.h"

#include "exec/sort_best.h"
#include "random.h"

#include <math.h>
#include <pthread.h>

#define MIB       ((uint64_t)1 << 20)
#define STRETCH   1000u
#define MOST_ROWS 60000u
#define COMMON    "a text that has the same beginning in all of its rows"

static nrw_error err = NRW_ERROR_INIT;

typedef struct shape {
    const char *name;
    type_id group, order;
    uint32_t rows, groups; /* groups 0: one, without keys */
    uint32_t values;       /* different ones of the order; 0: no order */
    uint64_t each, room;
    bool descending, nulls_first;
    int text;                   /* bytes that texts have in common */
    bool clustered;             /* groups come one after the other */
    bool worsening;             /* the best rows come last */
    uint32_t at_least, at_most; /* so many of a hundred rows are dropped */
} shape;

static const shape shapes[] = {
    {"numbers", TYPE_INT64, TYPE_INT32, 60000, 500, 100000, 2, MIB, false, false, 0, false, false,
     85, 100},
    {"floats, NaN, falling", TYPE_INT32, TYPE_FLOAT64, 60000, 500, 100000, 3, MIB, true, false, 0,
     false, false, 75, 100},
    {"nulls first", TYPE_INT64, TYPE_INT64, 60000, 300, 1000, 4, MIB, false, true, 0, false, false,
     1, 100},
    {"ties: ordinals decide", TYPE_INT64, TYPE_INT32, 60000, 300, 3, 2, MIB, false, false, 0, false,
     false, 80, 100},
    {"no order", TYPE_INT64, TYPE_INT32, 60000, 300, 0, 1, MIB, false, false, 0, false, false, 80,
     100},
    {"no groups", TYPE_INT64, TYPE_INT32, 60000, 0, 100000, 16, MIB, false, false, 0, false, false,
     95, 100},
    {"texts", TYPE_UTF8, TYPE_UTF8, 60000, 400, 100000, 2, MIB, false, false, 0, false, false, 70,
     100},
    {"texts, falling", TYPE_UTF8, TYPE_UTF8, 60000, 400, 100000, 2, MIB, true, false, 0, false,
     false, 70, 100},
    {"texts longer than an entry's key", TYPE_UTF8, TYPE_INT32, 30000, 400, 1000, 2, MIB, false,
     false, 20, false, false, 0, 2}, /* nulls are known */
    {"orders alike as far as they are known", TYPE_INT32, TYPE_UTF8, 30000, 400, 1000, 2, MIB,
     false, false, 12, false, false, 0, 2},
    {"more groups than entries", TYPE_INT64, TYPE_INT32, 60000, 2000, 100000, 1, 32u << 10, false,
     false, 0, false, false, 20, 90},
    {"one group after the other", TYPE_INT64, TYPE_INT32, 60000, 3000, 100000, 1, 32u << 10, false,
     false, 0, true, false, 30, 100},
    {"the best ones last", TYPE_INT64, TYPE_INT64, 60000, 100, 100000, 2, MIB, false, true, 0,
     false, true, 0, 0},
};

typedef struct keys {
    bytes all;
    uint32_t *ends, *alike;
    uint16_t *rows;
} keys;

static keys keys_new(mem *m)
{
    return (keys){bytes_init(m, UINT32_MAX), calloc(STRETCH, 4), calloc(STRETCH, 4),
                  calloc(STRETCH, 2)};
}

static void keys_free(keys *k)
{
    bytes_release(&k->all);
    free(k->ends);
    free(k->alike);
    free(k->rows);
}

/* One value as a column of one row; nulls among those of an order. */
static vector value_of(mem *m, type_id id, uint64_t number, int text, bool null)
{
    const type t = type_of(id);
    double d = number % 11 == 3 ? (double)NAN : ((double)number - 50) / 7;
    int64_t i = (int64_t)number - 50;
    char s[80];
    int len = snprintf(s, sizeof s, "%.*s%06u", text, COMMON, (unsigned)number);
    int32_t index = 0;
    buffer *heap;
    vector v;

    assert_ok(vector_flat(m, &t, 1, &v, &err), &err);
    v.len = 1;
    if (id == TYPE_UTF8) {
        assert_ok(buffer_new(m, sizeof s, &heap, &err), &err);
        memcpy(heap->data, s, (size_t)len);
        heap->len = (size_t)len;
        assert_ok(vector_add_heap(&v, heap, &index, &err), &err);
        *(view *)(void *)v.data = view_make(heap->data, len, index, 0);
        buffer_unref(heap);
    } else {
        memcpy(v.data, id == TYPE_FLOAT64 ? (const void *)&d : (const void *)&i, t.width);
    }
    if (null) {
        assert_ok(vector_add_validity(&v, &err), &err);
        bit_clear(v.validity, 0);
        v.null_count = 1;
    }
    return v;
}

/* The key of row number `i` behind all that are there. */
static void add_key(mem *m, const shape *s, keys *k, uint32_t n, uint32_t i, uint64_t *seed)
{
    uint64_t r = next_random(seed), ordinal = (uint64_t)(i / STRETCH) << 32 | i % STRETCH;
    uint64_t per = s->groups ? s->rows / s->groups : 1;
    uint64_t group = s->groups == 0 ? 0 : s->clustered ? i / per : r % s->groups;
    uint64_t value = s->worsening ? s->rows - i : s->values ? (r >> 32) % s->values : 0;
    vector v[2] = {value_of(m, s->group, group, s->text, r % 97 == 0 && s->groups != 0),
                   value_of(m, s->order, value, s->text, r % 89 == 0 && !s->worsening)};
    const vector *at[2] = {&v[0], &v[1]};
    const sort_order orders[2] = {
        {.column = 0}, {.column = 1, .descending = s->descending, .nulls_first = s->nulls_first}};
    uint64_t place = __builtin_bswap64(ordinal);
    size_t from = k->all.len;

    assert_ok(sort_key_append(&k->all, at, orders, s->groups != 0, 0, &err), &err);
    k->alike[n] = (uint32_t)(k->all.len - from);
    assert_ok(sort_key_append(&k->all, at, orders + 1, s->values != 0, 0, &err), &err);
    assert_ok(bytes_append(&k->all, &place, sizeof place, &err), &err);
    k->ends[n] = (uint32_t)k->all.len;
    k->rows[n] = (uint16_t)n;
    vector_release(&v[0]);
    vector_release(&v[1]);
}

/* All keys, the ones that passed marked: sorted, each that did not has `each` of its group that did
 * before it. */
typedef struct known {
    uint8_t *key;
    uint32_t len, alike;
    bool passed;
} known;

static int compare_known(const void *a, const void *b)
{
    const known *x = a, *y = b;
    int c = memcmp(x->key, y->key, size_min(x->len, y->len));

    return c ? c : (x->len > y->len) - (x->len < y->len);
}

static void check_known(const shape *s, known *all, uint32_t n)
{
    uint64_t before = 0;

    qsort(all, n, sizeof *all, compare_known);
    for (uint32_t i = 0; i < n; i++) {
        if (i && (all[i].alike != all[i - 1].alike ||
                  memcmp(all[i].key, all[i - 1].key, all[i].alike) != 0))
            before = 0;
        if (!all[i].passed && before < s->each)
            fail_msg("%s: row %u is one of the first and was dropped", s->name, i);
        before += all[i].passed;
    }
}

static known known_of(const keys *k, uint32_t i)
{
    uint32_t from = i ? k->ends[i - 1] : 0;
    known x = {malloc(k->ends[i] - from), k->ends[i] - from, k->alike[i], false};

    assert_non_null(x.key);
    memcpy(x.key, k->all.data + from, x.len);
    return x;
}

/* What is left is what was there, row by row. */
static void mark_passed(const keys *k, uint32_t kept, known *all)
{
    for (uint32_t i = 0; i < kept; i++) {
        known *was = &all[k->rows[i]], is = known_of(k, i);
        assert_int_equal(compare_known(was, &is), 0);
        assert_int_equal(was->alike, is.alike);
        was->passed = true;
        free(is.key);
    }
    assert_int_equal(k->all.len, kept ? k->ends[kept - 1] : 0);
}

static sort_best *best_for(mem *m, const shape *s)
{
    const type types[2] = {type_of(s->group), type_of(s->order)};
    const sort_order orders[2] = {{.column = 0}, {.column = 1}};
    sort_best *best;

    assert_ok(sort_best_new(m, types, orders, s->groups != 0, s->each, s->room, &best, &err), &err);
    assert_true(mem_used(m) <= s->room);
    return best;
}

static void check_shape(const shape *s)
{
    mem *m = test_mem_open(64 * MIB);
    sort_best *best = best_for(m, s);
    known *all = calloc(s->rows, sizeof *all);
    keys k = keys_new(m);
    uint64_t seed = 7;
    uint32_t passed = 0, share;

    assert_non_null(best);
    assert_non_null(all);
    for (uint32_t at = 0; at < s->rows; at += STRETCH) {
        uint32_t kept;
        k.all.len = 0;
        for (uint32_t i = 0; i < STRETCH; i++) {
            add_key(m, s, &k, i, at + i, &seed);
            all[at + i] = known_of(&k, i);
        }
        kept = sort_best_pass(best, &(sort_best_keys){&k.all, k.ends, k.alike, k.rows}, STRETCH);
        mark_passed(&k, kept, all + at);
        passed += kept;
    }
    check_known(s, all, s->rows);
    share = (uint32_t)((uint64_t)(s->rows - passed) * 100 / s->rows);
    if (share < s->at_least || share > s->at_most)
        fail_msg("%s: %u of 100 rows were dropped", s->name, share);
    for (uint32_t i = 0; i < s->rows; i++)
        free(all[i].key);
    free(all);
    keys_free(&k);
    sort_best_free(best);
    test_mem_close(m);
}

static void test_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(&shapes[i]);
}

/* Nothing that could never drop a row is made. */
static void test_none(void **state)
{
    shape s = {.group = TYPE_INT64, .order = TYPE_INT64, .groups = 1};
    const uint64_t each[] = {0, SORT_BEST_MOST + 1, 1};
    mem *m = test_mem_open(64 * MIB);

    (void)state;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        s.each = each[i];
        s.room = s.each == 1 ? 100 : MIB;
        assert_null(best_for(m, &s));
    }
    test_mem_close(m);
}

/* ---- several threads ---- */

#define THREADS 3u

typedef struct part {
    pthread_t thread;
    sort_best *best;
    keys k;
    known *all;
    uint32_t n;
} part;

/* Hands over what it has, stretch by stretch. */
static void *pass_part(void *arg)
{
    part *p = arg;

    for (uint32_t at = 0; at < p->n; at += STRETCH) {
        uint32_t kept;
        p->k.all.len = 0; /* there is room for the longest ones */
        for (uint32_t i = 0; i < STRETCH; i++) {
            const known *x = &p->all[at + i];
            memcpy(p->k.all.data + p->k.all.len, x->key, x->len);
            p->k.all.len += x->len;
            p->k.ends[i] = (uint32_t)p->k.all.len;
            p->k.alike[i] = x->alike;
            p->k.rows[i] = (uint16_t)i;
        }
        kept = sort_best_pass(
            p->best, &(sort_best_keys){&p->k.all, p->k.ends, p->k.alike, p->k.rows}, STRETCH);
        for (uint32_t i = 0; i < kept; i++)
            p->all[at + p->k.rows[i]].passed = true;
    }
    return NULL;
}

static void test_threads(void **state)
{
    const shape s = {.name = "threads",
                     .group = TYPE_INT64,
                     .order = TYPE_INT32,
                     .rows = 30000,
                     .groups = 100,
                     .values = 40,
                     .each = 2,
                     .room = MIB};
    mem *m = test_mem_open(64 * MIB);
    sort_best *best = best_for(m, &s);
    known *all = calloc(s.rows, sizeof *all);
    part parts[THREADS];
    uint64_t seed = 9;

    (void)state;
    for (uint32_t t = 0; t < THREADS; t++) {
        part *p = &parts[t];
        p->n = s.rows / THREADS;
        p->best = best;
        p->all = all + t * p->n;
        p->k = keys_new(m);
        assert_ok(bytes_reserve(&p->k.all, STRETCH * 32, &err), &err);
        for (uint32_t i = 0; i < p->n; i++) {
            if (i % STRETCH == 0)
                p->k.all.len = 0;
            add_key(m, &s, &p->k, i % STRETCH, t + i * THREADS, &seed);
            p->all[i] = known_of(&p->k, i % STRETCH);
        }
    }
    for (uint32_t t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&parts[t].thread, NULL, pass_part, &parts[t]), 0);
    for (uint32_t t = 0; t < THREADS; t++) {
        pthread_join(parts[t].thread, NULL);
        keys_free(&parts[t].k);
    }
    check_known(&s, all, s.rows);
    for (uint32_t i = 0; i < s.rows; i++)
        free(all[i].key);
    free(all);
    sort_best_free(best);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
