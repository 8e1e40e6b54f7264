/* The column writer: what it writes is what was given, and it is the same bytes however the rows
 * came. */
#include "column_feed.h"

static void check_type(type t, int version)
{
    pq_write_options opts = small_options(version);
    pq_column_options col = by_rule();

    check_shapes(t, &opts, &col);
}

static void check_types(const type *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int version = 1; version <= 2; version++)
            check_type(t[i], version);
}

#define CHECK_TYPES(...)                                                                           \
    do {                                                                                           \
        type t_[] = {__VA_ARGS__};                                                                 \
        check_types(t_, sizeof t_ / sizeof *t_);                                                   \
    } while (0)

static void test_integers(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_INT8), type_of(TYPE_INT32), type_of(TYPE_INT64), type_of(TYPE_UINT16),
                type_of(TYPE_UINT32), type_of(TYPE_UINT64));
}

static void test_small_integers(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_INT16), type_of(TYPE_UINT8), type_of(TYPE_DATE), type_of(TYPE_NULL),
                type_of(TYPE_BOOL));
}

static void test_floats(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_FLOAT16), type_of(TYPE_FLOAT32), type_of(TYPE_FLOAT64));
}

static void test_decimals(void **state)
{
    (void)state;
    CHECK_TYPES(type_decimal(5, 2), type_decimal(15, 3), type_decimal(25, 4), type_decimal(60, 5));
}

static void test_times(void **state)
{
    (void)state;
    CHECK_TYPES(type_time(UNIT_S, false), type_time(UNIT_MS, true), type_time(UNIT_NS, false),
                type_timestamp(UNIT_S, true), type_timestamp(UNIT_US, false));
}

static void test_texts(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_UTF8), type_of(TYPE_BINARY));
}

static void test_fixed(void **state)
{
    (void)state;
    CHECK_TYPES(type_fixed(5), type_fixed(8), type_of(TYPE_UUID), type_of(TYPE_INTERVAL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers), cmocka_unit_test(test_small_integers),
        cmocka_unit_test(test_floats),   cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_texts),
        cmocka_unit_test(test_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
