/* Integers of 128 bits and SQL's intervals: printed, ordered, as keys, and as Parquet stores them.
 */
#include "column/compare.h"
#include "column/key.h"
#include "column/print.h"
#include "format/parquet/column_write_value.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;

typedef __int128 i128;

static void printed(const type *t, const void *value, const char *want)
{
    char text[PRINT_MAX];
    size_t n = print_fixed(t, value, text);

    assert_int_equal(n, strlen(want));
    assert_memory_equal(text, want, n);
}

static void prints(void **state)
{
    const type wide = type_of(TYPE_INT128), natural = type_of(TYPE_UINT128);
    const type gap = type_interval(UNIT_US);
    i128 least = (i128)1 << 126, all = -1;
    uint8_t x[16];
    int64_t us = -3723000001;

    (void)state;
    least = -least - least;
    printed(&wide, &least, "-170141183460469231731687303715884105728");
    printed(&natural, &all, "340282366920938463463374607431768211455");
    store_u32(x, (uint32_t)-14);
    store_u32(x + 4, 1);
    memcpy(x + 8, &us, 8);
    printed(&gap, x, "-1 year -2 months 1 day -01:02:03.000001");
}

static void orders(void **state)
{
    const type wide = type_of(TYPE_INT128), natural = type_of(TYPE_UINT128);
    i128 minus = -1, one = 1;
    span a = {(const uint8_t *)&minus, 16}, b = {(const uint8_t *)&one, 16};

    (void)state;
    assert_true(value_compare(&wide, a, b) < 0);
    assert_true(value_compare(&natural, a, b) > 0);
}

/* Two intervals of one length are one key. */
static void keys(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    const type gap = type_interval(UNIT_US);
    bytes first = bytes_init(m, 1000), second = bytes_init(m, 1000);
    vector v;

    (void)state;
    assert_ok(vector_flat(m, &gap, 2, &v, &err), &err);
    v.len = 2;
    memset(v.data, 0, 32);
    store_u32(v.data, 1);       /* a month */
    store_u32(v.data + 20, 30); /* 30 days */
    assert_ok(key_append(&first, &v, 0, &err), &err);
    assert_ok(key_append(&second, &v, 1, &err), &err);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    bytes_release(&first);
    bytes_release(&second);
    vector_release(&v);
    test_mem_close(m);
}

static nrw_status stored(mem *m, const type *t, const void *value, uint8_t out[32], uint32_t *width)
{
    const field f = {.name = "x", .type = *t};
    static pq_block block;
    pq_value_type how;
    vector v;
    nrw_status st;

    assert_ok(vector_flat(m, t, 1, &v, &err), &err);
    v.len = 1;
    memcpy(v.data, value, t->width);
    assert_ok(pq_value_type_of(&f, &how, &err), &err);
    st = pq_block_load(&how, &v, 0, 1, 1, &block, &err);
    *width = how.width;
    if (st == NRW_OK)
        memcpy(out, block.spans[0].data, how.width);
    vector_release(&v);
    return st;
}

static void in_files(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    const type wide = type_of(TYPE_INT128), natural = type_of(TYPE_UINT128);
    const type gap = type_interval(UNIT_US);
    i128 minus = -2;
    uint8_t out[32], x[16] = {0}, want[17];
    uint32_t width;

    (void)state;
    memset(want, 0xff, sizeof want);
    want[16] = 0xfe;
    assert_ok(stored(m, &wide, &minus, out, &width), &err);
    assert_int_equal(width, 17);
    assert_memory_equal(out, want, 17);
    want[0] = 0;
    assert_ok(stored(m, &natural, &minus, out, &width), &err);
    assert_memory_equal(out, want, 17);

    x[0] = 3;               /* months */
    store_u64(x + 8, 5000); /* 5 ms */
    assert_ok(stored(m, &gap, x, out, &width), &err);
    assert_int_equal(width, 12);
    assert_int_equal(load_u32(out), 3);
    assert_int_equal(load_u32(out + 8), 5);
    store_u64(x + 8, 5001);
    assert_status(NRW_E_VALUE, stored(m, &gap, x, out, &width), &err);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints),
        cmocka_unit_test(orders),
        cmocka_unit_test(keys),
        cmocka_unit_test(in_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
