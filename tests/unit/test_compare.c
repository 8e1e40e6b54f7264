#include "column/compare.h"
#include "column/key.h"
#include "column/vector.h"
#include "exec/sort_key.h"
#include "testing.h"

#include <math.h>

static nrw_error err = NRW_ERROR_INIT;

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* The keys by which ORDER BY sorts rise, too. */
static void rising_keys(type t, const void *values, uint32_t n)
{
    mem *m = test_mem_open(1 << 20);
    const sort_order order = {0};
    vector v;
    const vector *columns = &v;
    assert_ok(vector_flat(m, &t, n, &v, &err), &err);
    v.len = n;
    memcpy(v.data, values, (size_t)n * t.width);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            bytes a = bytes_init(m, 1000), b = bytes_init(m, 1000);
            assert_ok(sort_key_append(&a, &columns, &order, 1, i, &err), &err);
            assert_ok(sort_key_append(&b, &columns, &order, 1, j, &err), &err);
            assert_int_equal(a.len, b.len);
            assert_int_equal(sign(memcmp(a.data, b.data, a.len)), (i > j) - (i < j));
            bytes_release(&a);
            bytes_release(&b);
        }
    vector_release(&v);
    test_mem_close(m);
}

/* values[0..n) rise, each `width` bytes. */
static void rising(type t, const void *values, size_t n)
{
    const uint8_t *p = values;
    rising_keys(t, values, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            span a = {p + i * t.width, t.width}, b = {p + j * t.width, t.width};
            int order = value_compare(&t, a, b);
            assert_int_equal(sign(order), (i > j) - (i < j));
        }
}

#define RISING(type, ...) rising(type, __VA_ARGS__, sizeof(__VA_ARGS__) / sizeof *(__VA_ARGS__))

static void orders(void **state)
{
    (void)state;
    RISING(type_of(TYPE_BOOL), ((uint8_t[]){0, 1}));
    RISING(type_of(TYPE_INT8), ((int8_t[]){-128, -1, 0, 1, 127}));
    RISING(type_of(TYPE_INT16), ((int16_t[]){-32768, -1, 0, 256, 32767}));
    RISING(type_of(TYPE_INT32), ((int32_t[]){INT32_MIN, -1, 0, 1, INT32_MAX}));
    RISING(type_of(TYPE_INT64), ((int64_t[]){INT64_MIN, -1, 0, 1, INT64_MAX}));
    RISING(type_of(TYPE_UINT8), ((uint8_t[]){0, 1, 127, 128, 255}));
    RISING(type_of(TYPE_UINT16), ((uint16_t[]){0, 255, 256, 65535}));
    RISING(type_of(TYPE_UINT32), ((uint32_t[]){0, 1, UINT32_MAX}));
    RISING(type_of(TYPE_UINT64), ((uint64_t[]){0, 1, INT64_MAX, UINT64_MAX}));
    RISING(type_of(TYPE_INT128), ((__int128[]){-((__int128)1 << 126), -1, 0, 1, INT64_MAX}));
    RISING(type_of(TYPE_UINT128), ((unsigned __int128[]){0, 1, UINT64_MAX, (__int128)-1}));
    RISING(type_of(TYPE_FLOAT64), ((double[]){-INFINITY, -1.5, 0, 5e-324, 1, INFINITY, NAN}));
    RISING(type_of(TYPE_FLOAT32), ((float[]){-INFINITY, -1.5f, 0, 1, INFINITY, NAN}));
    RISING(type_of(TYPE_FLOAT16), ((uint16_t[]){0xfc00, 0xbc00, 0, 1, 0x3c00, 0x7c00, 0x7e00}));
    RISING(type_decimal(5, 2), ((int32_t[]){-5, 0, 5}));
    RISING(type_decimal(18, 2), ((int64_t[]){INT64_MIN, -5, 0, 5}));
    RISING(type_decimal(38, 2), ((__int128[]){-((__int128)1 << 126), -1, 0, 1, (__int128)1 << 64}));
    RISING(type_decimal(76, 2), ((uint64_t[][4]){{0, 0, 0, (uint64_t)1 << 63},
                                                 {5, UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                                 {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                                 {0, 0, 0, 0},
                                                 {UINT64_MAX, 0, 0, 0},
                                                 {0, 1, 0, 0},
                                                 {0, 0, 0, 1}}));
    RISING(type_of(TYPE_DATE), ((int32_t[]){-719528, -1, 0, 20000}));
    RISING(type_timestamp(UNIT_NS, true), ((int64_t[]){INT64_MIN, 0, 1}));
    RISING(type_of(TYPE_UUID), ((uint8_t[][16]){{0}, {0, 1}, {0x7f}, {0x80}, {0xff}}));
    RISING(type_of(TYPE_INTERVAL), ((uint32_t[][3]){{0, 0, 5},
                                                    {0, 1, 0},
                                                    {0, 29, 86399999},
                                                    {1, 0, 0},
                                                    {1, 0, 1},
                                                    {0, 31, 0},
                                                    {UINT32_MAX, UINT32_MAX, UINT32_MAX}}));
    RISING(type_interval(UNIT_US), ((struct {
               int32_t months, days;
               int64_t us;
           }[]){{INT32_MIN, INT32_MIN, INT64_MIN},
                                   {0, -1, 0},
                                   {0, 0, -1},
                                   {0, 0, 0},
                                   {0, 0, 60000000},
                                   {-1, 30, 3600000000},
                                   {0, 29, 86399999999},
                                   {1, 0, 0},
                                   {0, 30, 1},
                                   {INT32_MAX, INT32_MAX, INT64_MAX}}));
    type text = type_of(TYPE_UTF8), d = type_of(TYPE_FLOAT64);
    static const char *const words[] = {"", "a", "a\x01", "ab", "b", "\x7f", "\xc3\xa9"};
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++) {
            span a = {(const uint8_t *)words[i], strlen(words[i])};
            span b = {(const uint8_t *)words[j], strlen(words[j])};
            int order = value_compare(&text, a, b);
            assert_int_equal(sign(order), (i > j) - (i < j));
        }
    double zeros[2] = {0.0, -0.0}, nans[2] = {NAN, -NAN};
    assert_int_equal(
        value_compare(&d, (span){(uint8_t *)&zeros[0], 8}, (span){(uint8_t *)&zeros[1], 8}), 0);
    assert_int_equal(
        value_compare(&d, (span){(uint8_t *)&nans[0], 8}, (span){(uint8_t *)&nans[1], 8}), 0);
    type interval = type_of(TYPE_INTERVAL);
    uint32_t month[3] = {1, 0, 0}, days[3] = {0, 29, 86400000};
    assert_int_equal(
        value_compare(&interval, (span){(uint8_t *)month, 12}, (span){(uint8_t *)days, 12}), 0);
}

/* Row i's key of a flat vector; UINT32_MAX in `null` says which row is null. */
static void same_keys(mem *m, type t, const void *values, uint32_t n, const uint8_t *classes)
{
    vector v;
    assert_ok(vector_flat(m, &t, n, &v, &err), &err);
    v.len = n;
    memcpy(v.data, values, (size_t)n * t.width);
    for (uint32_t i = 0; i < n; i++)
        if (classes[i] == 0) {
            assert_ok(vector_add_validity(&v, &err), &err);
            bit_clear(v.validity, i);
            v.null_count++;
        }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            bytes a = bytes_init(m, 1000), b = bytes_init(m, 1000);
            assert_ok(key_append(&a, &v, i, &err), &err);
            assert_ok(key_append(&b, &v, j, &err), &err);
            bool same = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
            assert_int_equal(same, classes[i] == classes[j]);
            bytes_release(&a);
            bytes_release(&b);
        }
    vector_release(&v);
}

static void keys(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    static const uint8_t floats[] = {1, 1, 2, 2, 3, 0, 0};
    same_keys(m, type_of(TYPE_FLOAT64), (double[]){0.0, -0.0, NAN, -NAN, 1, 0, 0}, 7, floats);
    same_keys(m, type_of(TYPE_FLOAT32), (float[]){0.0f, -0.0f, NAN, -NAN, 1, 0, 0}, 7, floats);
    same_keys(m, type_of(TYPE_FLOAT16), (uint16_t[]){0, 0x8000, 0x7e01, 0xfe00, 0x3c00, 0, 0}, 7,
              floats);
    same_keys(m, type_of(TYPE_INT64), (int64_t[]){0, 0, 5}, 3, (const uint8_t[]){0, 1, 2});
    same_keys(m, type_of(TYPE_INTERVAL), (uint32_t[][3]){{1, 0, 0}, {0, 30, 0}, {0, 0, 1}}, 3,
              (const uint8_t[]){1, 1, 2});
    view words[4] = {
        view_make((const uint8_t *)"a", 1, 0, 0), view_make((const uint8_t *)"", 0, 0, 0),
        view_make((const uint8_t *)"a\0", 2, 0, 0), view_make((const uint8_t *)"", 0, 0, 0)};
    same_keys(m, type_of(TYPE_UTF8), words, 4, (const uint8_t[]){1, 2, 3, 0});
    /* ("a", "bc") and ("ab", "c") differ, as do ("", null) and (null, "") */
    type t = type_of(TYPE_UTF8);
    vector v;
    assert_ok(vector_flat(m, &t, 4, &v, &err), &err);
    v.len = 4;
    view parts[4] = {
        view_make((const uint8_t *)"a", 1, 0, 0), view_make((const uint8_t *)"bc", 2, 0, 0),
        view_make((const uint8_t *)"ab", 2, 0, 0), view_make((const uint8_t *)"c", 1, 0, 0)};
    memcpy(v.data, parts, sizeof parts);
    bytes a = bytes_init(m, 1000), b = bytes_init(m, 1000);
    for (uint32_t i = 0; i < 2; i++) {
        assert_ok(key_append(&a, &v, i, &err), &err);
        assert_ok(key_append(&b, &v, 2 + i, &err), &err);
    }
    assert_true(a.len == b.len && memcmp(a.data, b.data, a.len) != 0);
    bytes_release(&a);
    bytes_release(&b);
    vector_release(&v);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
