/* Constants are DuckDB's SUMMARIZE of the same rows, except where a comment says so. */
#include "column/distinct.h"
#include "column/exact.h"
#include "column/summary.h"
#include "testing.h"

#include "base/hash.h"

#include <math.h>

static nrw_error err = NRW_ERROR_INIT;

static vector flat(mem *m, type t, uint32_t n, const void *values)
{
    vector v;
    assert_ok(vector_flat(m, &t, n, &v, &err), &err);
    v.len = n;
    memcpy(v.data, values, (size_t)n * t.width);
    return v;
}

static void set_null(vector *v, uint32_t row)
{
    assert_ok(vector_add_validity(v, &err), &err);
    bit_clear(v->validity, row);
    memset(v->data + (size_t)row * v->type.width, 0, v->type.width);
    v->null_count++;
}

static void facts(mem *m, const vector *v, const char *mean, const char *deviation,
                  uint64_t distinct)
{
    summary *s;
    summary_facts f;
    char out[PRINT_MAX + 1];
    assert_ok(summary_new(m, &v->type, &s, &err), &err);
    assert_ok(summary_add(s, v, &err), &err);
    summary_read(s, &f);
    assert_int_equal(f.rows, v->len);
    assert_int_equal(f.nulls, v->null_count);
    out[summary_mean_text(s, out)] = 0;
    assert_string_equal(out, mean);
    out[summary_deviation_text(s, out)] = 0;
    assert_string_equal(out, deviation);
    assert_true(fabs((double)f.distinct - (double)distinct) <= (distinct > 512 ? 60 : 0));
    summary_free(s);
}

static void as_duckdb(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    static int64_t a[1000], h[1000], l[1000], g[1000], wide[1000][2], widest[1000][4];
    static double b[1000];
    static float n[1000];
    static int32_t e[1000];
    for (int i = 0; i < 1000; i++) {
        a[i] = g[i] = wide[i][0] = widest[i][0] = i;
        b[i] = i % 7;
        e[i] = 19723 + i;
        h[i] = 1704067200000000 + (int64_t)i * 1000000;
        l[i] = 43200000000;
        n[i] = (float)i / 10;
    }
    struct {
        type t;
        const void *values;
        const char *mean, *deviation;
        uint64_t distinct;
    } cases[] = {
        {type_of(TYPE_INT64), a, "499.5", "288.8194360957494", 1000},
        {type_of(TYPE_UINT64), a, "499.5", "288.8194360957494", 1000},
        {type_of(TYPE_FLOAT64), b, "2.997", "1.9997474815561063", 7}, /* DuckDB: ...067 */
        {type_decimal(10, 2), g, "4.995", "2.888194360957494", 1000}, /* DuckDB: ...7521, rounded */
        {type_decimal(38, 2), wide, "4.995", "2.888194360957494", 1000},
        {type_decimal(76, 2), widest, "4.995", "2.888194360957494", 1000},
        {type_of(TYPE_DATE), e, "2025-05-14 12:00:00", "", 1000},
        {type_timestamp(UNIT_US, false), h, "2024-01-01 00:08:19.5", "", 1000},
        {type_timestamp(UNIT_US, true), h, "2024-01-01 00:08:19.5+00", "", 1000},
        {type_time(UNIT_US, false), l, "12:00:00", "", 1},
        {type_of(TYPE_FLOAT32), n, "49.95000000002235", "28.881943612037578",
         1000}, /* DuckDB: ...553 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vector v = flat(m, cases[i].t, 1000, cases[i].values);
        facts(m, &v, cases[i].mean, cases[i].deviation, cases[i].distinct);
        vector_release(&v);
    }
    vector v = flat(m, type_of(TYPE_INT64), 1000, a);
    for (uint32_t i = 0; i < 1000; i += 3)
        set_null(&v, i);
    facts(m, &v, "499.5", "288.60234238494184", 666);
    summary *s;
    char out[PRINT_MAX + 1];
    assert_ok(summary_new(m, &v.type, &s, &err), &err);
    out[summary_null_percentage(s, out)] = 0;
    assert_string_equal(out, "0.00");
    assert_ok(summary_add(s, &v, &err), &err);
    out[summary_null_percentage(s, out)] = 0;
    assert_string_equal(out, "33.40");
    summary_facts f;
    summary_read(s, &f);
    assert_true(f.has_range);
    assert_int_equal(*(const int64_t *)f.min.data, 1);
    assert_int_equal(*(const int64_t *)f.max.data, 998);
    summary_free(s);
    vector_release(&v);
    test_mem_close(m);
}

static void borders(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    vector v = flat(m, type_of(TYPE_INT64), 2, (int64_t[]){INT64_MIN, INT64_MAX});
    facts(m, &v, "-0.5", "1.3043817825332783e+19", 2); /* exact: (2^64 - 1) / sqrt(2) */
    vector_release(&v);
    v = flat(m, type_of(TYPE_UINT64), 2, (uint64_t[]){UINT64_MAX, UINT64_MAX});
    facts(m, &v, "1.8446744073709552e+19", "0.0", 1);
    vector_release(&v);
    /* no digit is lost: the naive sum is 0 */
    v = flat(m, type_of(TYPE_FLOAT64), 4, (double[]){1e300, 1, -1e300, 1});
    facts(m, &v, "0.5", "8.164965809277261e+299", 3);
    vector_release(&v);
    v = flat(m, type_of(TYPE_FLOAT64), 3, (double[]){5e-324, 5e-324, 5e-324});
    facts(m, &v, "5e-324", "0.0", 1);
    vector_release(&v);
    v = flat(m, type_of(TYPE_FLOAT64), 2,
             (double[]){1.7976931348623157e308, 1.7976931348623157e308});
    facts(m, &v, "1.7976931348623157e+308", "0.0", 1);
    vector_release(&v);
    v = flat(m, type_of(TYPE_FLOAT64), 3, (double[]){INFINITY, 1, 2});
    facts(m, &v, "inf", "", 3);
    vector_release(&v);
    v = flat(m, type_of(TYPE_FLOAT64), 4, (double[]){NAN, -NAN, 0.0, -0.0});
    facts(m, &v, "nan", "", 2);
    vector_release(&v);
    v = flat(m, type_of(TYPE_FLOAT64), 1, (double[]){2.5});
    facts(m, &v, "2.5", "", 1);
    vector_release(&v);
    v = flat(m, type_of(TYPE_DATE), 2, (int32_t[]){-1, 0});
    facts(m, &v, "1969-12-31 12:00:00", "", 2);
    vector_release(&v);
    v = flat(m, type_of(TYPE_TIMESTAMP), 3, (int64_t[]){0, 1, 1});
    facts(m, &v, "1970-01-01 00:00:00.000001", "", 2);
    vector_release(&v);
    v = flat(m, type_of(TYPE_TIMESTAMP), 2, (int64_t[]){-2, -1});
    facts(m, &v, "1969-12-31 23:59:59.999999", "", 2);
    vector_release(&v);
    type t = type_of(TYPE_INT32);
    assert_ok(vector_nulls(m, &t, 5, &v, &err), &err);
    facts(m, &v, "", "", 0);
    vector_release(&v);
    test_mem_close(m);
}

/* ---- cuts, forms and merges do not show ---- */

#define ROWS 3000

static void equal(const summary *a, const summary *b)
{
    summary_facts x, y;
    char one[PRINT_MAX + 1], two[PRINT_MAX + 1];
    summary_read(a, &x);
    summary_read(b, &y);
    assert_int_equal(x.rows, y.rows);
    assert_int_equal(x.nulls, y.nulls);
    assert_int_equal(x.distinct, y.distinct);
    assert_int_equal(x.has_range, y.has_range);
    assert_int_equal(x.min.len, y.min.len);
    assert_memory_equal(x.min.data, y.min.data, x.min.len);
    assert_int_equal(x.max.len, y.max.len);
    assert_memory_equal(x.max.data, y.max.data, x.max.len);
    one[summary_mean_text(a, one)] = 0;
    two[summary_mean_text(b, two)] = 0;
    assert_string_equal(one, two);
    one[summary_deviation_text(a, one)] = 0;
    two[summary_deviation_text(b, two)] = 0;
    assert_string_equal(one, two);
}

static void cuts_and_forms(mem *m, type t, const void *values, uint32_t n)
{
    vector entries = flat(m, t, n, values), dicts, forms[3], runs_values;
    dict *d;
    uint16_t sel[ROWS];
    uint32_t ends[ROWS], runs = 0;
    assert_ok(dict_new(m, &entries, &d, &err), &err);
    assert_ok(vector_dict(m, &t, d, ROWS, &dicts, &err), &err);
    dict_unref(d);
    dicts.len = ROWS;
    assert_ok(vector_add_validity(&dicts, &err), &err);
    for (uint32_t i = 0; i < ROWS; i++) {
        ((uint32_t *)dicts.data)[i] = i / 11 * 7 % n;
        if (i / 11 % 9 == 0) {
            bit_clear(dicts.validity, i);
            dicts.null_count++;
        }
        if (i % 11 == 0)
            sel[runs++] = (uint16_t)i;
        ends[runs - 1] = i + 1;
    }
    forms[0] = dicts;
    assert_ok(vector_flatten(&dicts, m, &forms[1], &err), &err);
    assert_ok(vector_take(&dicts, sel, runs, m, &runs_values, &err), &err);
    assert_ok(vector_runs(m, &runs_values, ROWS, &forms[2], &err), &err);
    memcpy(forms[2].data, ends, runs * sizeof *ends);
    vector_count_nulls(&forms[2]);
    summary *want;
    assert_ok(summary_new(m, &t, &want, &err), &err);
    assert_ok(summary_add(want, &forms[1], &err), &err);
    static const uint32_t cuts[] = {1, 7, 1000, ROWS};
    for (int form = 0; form < 3; form++)
        for (int c = 0; c < 4; c++) {
            summary *s, *parts[2];
            assert_ok(summary_new(m, &t, &s, &err), &err);
            for (int i = 0; i < 2; i++)
                assert_ok(summary_new(m, &t, &parts[i], &err), &err);
            for (uint32_t at = 0, i = 0; at < ROWS; i++) {
                vector w;
                uint32_t len = ROWS - at < cuts[c] ? ROWS - at : cuts[c];
                assert_ok(vector_slice(&forms[form], at, len, m, &w, &err), &err);
                assert_ok(summary_add(s, &w, &err), &err);
                assert_ok(summary_add(parts[i % 2], &w, &err), &err);
                vector_release(&w);
                at += len;
            }
            equal(s, want);
            assert_ok(summary_merge(parts[1], parts[0], &err), &err);
            equal(parts[1], want);
            summary_free(s);
            summary_free(parts[0]);
            summary_free(parts[1]);
        }
    summary_free(want);
    for (int i = 0; i < 3; i++)
        vector_release(&forms[i]);
}

static void forms(void **state)
{
    (void)state;
    mem *m = test_mem_open(32 << 20);
    static double doubles[600];
    static int64_t ints[600];
    static view views[600];
    for (int i = 0; i < 600; i++) {
        char text[16];
        doubles[i] = i == 1 ? -0.0 : i == 0 ? 0.0 : pow(-1.7, i % 300 - 150) * i;
        ints[i] = (int64_t)hash_u64((uint64_t)i);
        snprintf(text, sizeof text, "%d", i * 37 % 600);
        views[i] = view_make((uint8_t *)text, (int32_t)strlen(text), 0, 0);
    }
    cuts_and_forms(m, type_of(TYPE_FLOAT64), doubles, 600);
    cuts_and_forms(m, type_of(TYPE_FLOAT64), doubles, 13);
    cuts_and_forms(m, type_of(TYPE_INT64), ints, 600);
    cuts_and_forms(m, type_of(TYPE_INT16), ints, 600);
    cuts_and_forms(m, type_of(TYPE_UINT32), ints, 600);
    cuts_and_forms(m, type_decimal(38, 5), ints, 300);
    cuts_and_forms(m, type_of(TYPE_UTF8), views, 600);
    cuts_and_forms(m, type_of(TYPE_UUID), ints, 300);
    cuts_and_forms(m, type_of(TYPE_INTERVAL), ints, 400);
    cuts_and_forms(m, type_fixed(48), ints, 100);
    test_mem_close(m);
}

static void estimates(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    distinct a = {.m = m}, b = {.m = m}, both = {.m = m};
    uint64_t n = 0;
    for (uint64_t limit = 100; limit <= 1000000; limit *= 10) {
        for (; n < limit; n++) {
            assert_ok(distinct_add(n % 3 ? &a : &b, hash_u64(n), &err), &err);
            assert_ok(distinct_add(&both, hash_u64(n), &err), &err);
            assert_ok(distinct_add(&both, hash_u64(n / 2), &err), &err);
        }
        double got = (double)distinct_count(&both);
        assert_true(fabs(got - (double)limit) <= (limit <= 512 ? 0 : 0.05 * (double)limit));
    }
    assert_ok(distinct_merge(&a, &b, &err), &err);
    assert_int_equal(distinct_count(&a), distinct_count(&both));
    distinct_release(&a);
    distinct_release(&b);
    distinct_release(&both);
    test_mem_close(m);
}

static void long_texts(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    type t = type_of(TYPE_UTF8);
    vector v;
    buffer *b;
    int32_t heap;
    summary *s;
    summary_facts f;
    assert_ok(vector_flat(m, &t, 3, &v, &err), &err);
    assert_ok(buffer_new(m, 20000, &b, &err), &err);
    memset(b->data, 'b', 20000);
    assert_ok(vector_add_heap(&v, b, &heap, &err), &err);
    ((view *)v.data)[0] = view_make(b->data, 20000, heap, 0);
    ((view *)v.data)[1] = view_make((const uint8_t *)"b", 1, 0, 0);
    ((view *)v.data)[2] = view_make((const uint8_t *)"", 0, 0, 0);
    v.len = 3;
    buffer_unref(b);
    assert_ok(summary_new(m, &t, &s, &err), &err);
    assert_ok(summary_add(s, &v, &err), &err);
    summary_read(s, &f);
    assert_int_equal(f.min.len, 0);
    assert_int_equal(f.max.len, SUMMARY_TEXT_MAX);
    assert_int_equal(f.distinct, 3);
    assert_false(f.has_mean || f.has_deviation);
    summary_free(s);
    vector_release(&v);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_duckdb), cmocka_unit_test(borders),    cmocka_unit_test(forms),
        cmocka_unit_test(estimates), cmocka_unit_test(long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
