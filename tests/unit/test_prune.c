/* What statistics rule out: bounds of every kind of test beside what they must not rule out, values
 * of statistics in the vectors' layout, bloom filters. */
#include "base/hash.h"
#include "expr/expr.h"
#include "format/parquet/prune.h"
#include "testing.h"

#include <math.h>

static nrw_error err = NRW_ERROR_INIT;

static schema the_schema(arena *a)
{
    static const char *const names[] = {"i", "f", "s", "d", "u", "b"};
    schema s;

    assert_ok(schema_new(a, 6, &s, &err), &err);
    for (uint32_t c = 0; c < 6; c++)
        s.fields[c].name = names[c];
    s.fields[0].type = type_of(TYPE_INT32);
    s.fields[1].type = type_of(TYPE_FLOAT64);
    s.fields[2].type = type_of(TYPE_UTF8);
    s.fields[3].type = type_decimal(30, 2);
    s.fields[4].type = type_of(TYPE_UINT64);
    s.fields[5].type = type_of(TYPE_BOOL);
    return s;
}

/* ---- tests against facts ---- */

static bool may(const char *text, const value_facts *f)
{
    mem *m = test_mem_open(1 << 20);
    arena *a;
    predicate *p;
    bool answer;

    assert_ok(arena_new(m, &a, &err), &err);
    schema s = the_schema(a);
    assert_ok(predicate_parse(a, &text, 1, &s, "in", &p, &err), &err);
    const row_filter *filter = predicate_filter(p);
    bool stack[4];
    uint32_t top = 0;
    for (uint32_t i = 0; i < filter->n_steps; i++) {
        const row_filter_step *step = &filter->steps[i];
        if (step->kind == ROW_FILTER_TEST) {
            stack[top++] = filter->may_match(filter, step->test, f);
            continue;
        }
        top--;
        stack[top - 1] = step->kind == ROW_FILTER_AND ? stack[top - 1] && stack[top]
                                                      : stack[top - 1] || stack[top];
    }
    answer = stack[0];
    arena_free(a);
    test_mem_close(m);
    return answer;
}

#define FACTS(low, high, nulls_)                                                                   \
    (&(value_facts){                                                                               \
        .rows = 10, .nulls = (nulls_), .has_min = true, .has_max = true, .min = low, .max = high})
#define I32(x)  ((span){(const uint8_t *)&(int32_t){x}, 4})
#define F64(x)  ((span){(const uint8_t *)&(double){x}, 8})
#define U64(x)  ((span){(const uint8_t *)&(uint64_t){x}, 8})
#define TEXT(x) ((span){(const uint8_t *)(x), sizeof(x) - 1})

static void numbers(void **state)
{
    const value_facts *f = FACTS(I32(5), I32(10), 0), *one = FACTS(I32(7), I32(7), 0);

    (void)state;
    assert_true(may("i = 5", f) && may("i = 10", f) && may("i <> 7", f) && may("i < 6", f));
    assert_true(may("i <= 5", f) && may("i >= 10", f) && may("i > 9", f));
    assert_false(may("i = 4", f) || may("i = 11", f) || may("i < 5", f) || may("i > 10", f));
    assert_false(may("i < 4.5", f) || may("i > 10.5", f) || may("i between 11 and 20", f));
    assert_true(may("i between 1 and 5", f) && may("i not between 6 and 10", f));
    assert_false(may("i not between 5 and 10", f) || may("i not between 1 and 100", f));
    assert_false(may("i <> 7", one) || may("i not in (1, 7, 9)", one) || may("i not in (7)", one));
    assert_true(may("i not in (1, 8)", one) && may("i in (1, 7)", one));
    assert_true(may("i in (1, 6, 20)", f) && may("i not in (5, 6, 7, 8, 9, 10)", f));
    assert_false(may("i in (1, 4, 11, 20)", f));
    assert_false(may("u = 5", FACTS(U64(6), U64(UINT64_MAX), 0)));
    assert_true(may("u > 18446744073709551614", FACTS(U64(6), U64(UINT64_MAX), 0)));
    assert_false(may("u > 5", FACTS(U64(0), U64(5), 0)));
}

static void no_bounds(void **state)
{
    const value_facts none = {.rows = 10, .nulls = -1};
    value_facts half = {.rows = 10, .nulls = -1, .has_min = true, .min = I32(5)};

    (void)state;
    assert_true(may("i = 5", &none) && may("i not in (5)", &none) && may("s like 'a%'", &none));
    assert_true(may("s not like 'a%'", &none) && may("i is null", &none));
    assert_true(may("i is not null", &none) && may("s in ('a', 'b')", &none));
    assert_true(may("i = 100", &half) && may("i <> 5", &half));
    assert_false(may("i < 5", &half) || may("i in (1, 2)", &half));
    half = (value_facts){.rows = 10, .nulls = -1, .has_max = true, .max = I32(5)};
    assert_true(may("i < 5", &half) && may("i in (1, 9)", &half));
    assert_false(may("i > 5", &half) || may("i in (7, 9)", &half));
}

static void null_counts(void **state)
{
    value_facts f = {.rows = 10, .nulls = 0};

    (void)state;
    assert_false(may("i is null", &f));
    assert_true(may("i is not null", &f));
    f.nulls = 10;
    assert_true(may("i is null", &f));
    assert_false(may("i is not null", &f) || may("i <> 5", &f) || may("s not like 'a'", &f));
    f.nulls = 3;
    assert_true(may("i is null", &f) && may("i is not null", &f));
}

/* A column of floats may hold NaN whatever its bounds say; NaN is greater than all. */
static void nan_values(void **state)
{
    const value_facts *f = FACTS(F64(1), F64(2), 0), *one = FACTS(F64(1), F64(1), 0);

    (void)state;
    assert_true(may("f > 5", f) && may("f >= 2.5", f) && may("f = 'nan'", f) && may("f <> 1", one));
    assert_true(may("f not in (1)", one) && may("f in (7, 'nan')", f) && may("f = 1", f));
    assert_true(may("f not between 0 and 5", f));
    assert_false(may("f < 1", f) || may("f = 3", f) || may("f between 3 and 4", f));
    assert_false(may("f in (3, 4)", f) || may("f not between 0 and 'nan'", f));
    /* a least 0 does not exclude -0, which equals it */
    assert_true(may("f = -0.0", FACTS(F64(0.0), F64(1), 0)));
}

/* Bounds of text may be cut: they bind, but need not be values. */
static void texts(void **state)
{
    const value_facts *f = FACTS(TEXT("ab"), TEXT("ad"), 0);

    (void)state;
    assert_true(may("s = 'ab'", f) && may("s = 'abzz'", f) && may("s like 'ac%'", f));
    assert_true(may("s like 'a%'", f) && may("s like 'ab_'", f) && may("s like '%z'", f));
    assert_true(may("s like 'adx%'", FACTS(TEXT("ab"), TEXT("ae"), 0)));
    assert_false(may("s = 'aa'", f) || may("s = 'ada'", f) || may("s like 'ae%'", f));
    assert_false(may("s like 'aa%'", f) || may("s < 'ab'", f) || may("s > 'ad'", f));
    assert_false(may("s in ('', 'aa', 'b')", f) || may("s like 'adx%'", f));
    assert_true(may("s not like 'ab%'", f) && may("s not like 'a_'", f));
    assert_false(may("s not like 'a%'", f));
    assert_false(may("s not like 'ab'", FACTS(TEXT("ab"), TEXT("ab"), 0)));
    assert_true(may("s not like 'ab'", FACTS(TEXT("ab"), TEXT("abc"), 0)));
}

/* ---- values of statistics ---- */

static pq_leaf leaf_of(pq_physical physical, uint32_t length, type t)
{
    return (pq_leaf){.physical = physical, .type_length = length, .field = {.type = t}};
}

/* The bound in the vectors' layout is `want` and, where it can be one in a page, comes back. */
static void is_value(pq_leaf l, span bound, span want)
{
    uint8_t room[32], back[32];
    span got, plain;

    assert_true(pq_bound_value(&l, bound, room, &got));
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    if (pq_plain_value(&l, got, back, &plain)) {
        assert_int_equal(plain.len, bound.len);
        assert_memory_equal(plain.data, bound.data, bound.len);
    }
}

static void is_none(pq_leaf l, span bound)
{
    uint8_t room[32];
    span got;

    assert_false(pq_bound_value(&l, bound, room, &got));
}

#define BYTES(...) ((span){(const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})})

static void values(void **state)
{
    type i8 = type_of(TYPE_INT8), u8 = type_of(TYPE_UINT8), dec = type_decimal(20, 2);
    pq_leaf fixed = leaf_of(PQ_FIXED_LEN_BYTE_ARRAY, 9, dec);

    (void)state;
    is_value(leaf_of(PQ_INT32, 0, i8), I32(-5), BYTES(0xfb));
    is_none(leaf_of(PQ_INT32, 0, i8), I32(128));
    is_value(leaf_of(PQ_INT32, 0, u8), I32(255), BYTES(255));
    is_none(leaf_of(PQ_INT32, 0, u8), I32(-1));
    is_none(leaf_of(PQ_INT32, 0, i8), BYTES(1, 2));
    is_value(leaf_of(PQ_INT32, 0, type_time(UNIT_MS, false)), I32(7), U64(7));
    is_value(leaf_of(PQ_INT64, 0, type_decimal(9, 2)), U64(7), I32(7));
    is_none(leaf_of(PQ_INT64, 0, type_decimal(9, 2)), U64((uint64_t)1 << 40));
    is_value(fixed, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe),
             BYTES(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                   0xff, 0xff, 0xff));
    is_value(leaf_of(PQ_BYTE_ARRAY, 0, dec), BYTES(1, 0),
             BYTES(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    is_none(leaf_of(PQ_BYTE_ARRAY, 0, dec), (span){(const uint8_t *)"", 0});
    is_none(leaf_of(PQ_DOUBLE, 0, type_of(TYPE_FLOAT64)), F64((double)NAN));
    is_value(leaf_of(PQ_DOUBLE, 0, type_of(TYPE_FLOAT64)), F64(1.5), F64(1.5));
    is_none(leaf_of(PQ_BOOLEAN, 0, type_of(TYPE_BOOL)), BYTES(2));
    is_none(leaf_of(PQ_INT96, 0, type_timestamp(UNIT_NS, false)), BYTES(1, 2, 3, 4, 5, 6, 7, 8));
    is_value(leaf_of(PQ_BYTE_ARRAY, 0, type_of(TYPE_UTF8)), TEXT("abc"), TEXT("abc"));
}

/* XXH64 with seed 0, by its specification's own examples. */
static void xxh64(void **state)
{
    (void)state;
    assert_true(hash_xxh64("", 0) == UINT64_C(0xef46db3751d8e999));
    assert_true(hash_xxh64("a", 1) == UINT64_C(0xd24ec4f1a98c6e5b));
    assert_true(hash_xxh64("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
}

/* The values that a filter gives for bloom filters. */
static void single_values(void **state)
{
    static const struct {
        const char *text;
        uint32_t n;
    } cases[] = {{"i = 5", 1},    {"i in (1, 2, 2, 9)", 3}, {"i <> 5", 0},       {"i < 5", 0},
                 {"f = 0", 0},    {"f = 'nan'", 0},         {"f = 1.5", 1},      {"f in (0, 1)", 0},
                 {"s = 'a'", 1},  {"s like 'ab'", 1},       {"s like 'ab%'", 0}, {"d = 1.25", 1},
                 {"s is null", 0}};
    mem *m = test_mem_open(1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena *a;
        predicate *p;
        assert_ok(arena_new(m, &a, &err), &err);
        schema s = the_schema(a);
        assert_ok(predicate_parse(a, &cases[i].text, 1, &s, "in", &p, &err), &err);
        const row_filter *f = predicate_filter(p);
        if (f->n_values(f, f->steps[0].test) != cases[i].n)
            fail_msg("%s: %u values", cases[i].text, f->n_values(f, f->steps[0].test));
        for (uint32_t k = 0; k < cases[i].n; k++) {
            uint8_t room[32];
            span v;
            assert_true(f->value(f, f->steps[0].test, k, room, &v));
            assert_int_equal(v.len, *cases[i].text == 'i'     ? 4
                                    : *cases[i].text == 'f'   ? 8
                                    : *cases[i].text == 'd'   ? 16
                                    : cases[i].text[2] == 'l' ? 2
                                                              : 1);
        }
        arena_free(a);
    }
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),    cmocka_unit_test(no_bounds),    cmocka_unit_test(null_counts),
        cmocka_unit_test(nan_values), cmocka_unit_test(texts),        cmocka_unit_test(values),
        cmocka_unit_test(xxh64),      cmocka_unit_test(single_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
