/* Keys of words alone are the same bytes whichever way they are made. */
#include "testing.h"

#include "exec/sort_key.h"
#include "random.h"

#define ROWS 300u

static nrw_error err = NRW_ERROR_INIT;
static uint64_t seed = 3;

static vector make_column(mem *m, const type *t)
{
    static const uint64_t odd[] = {0,
                                   UINT64_MAX,
                                   UINT64_C(1) << 63,
                                   UINT64_C(0x7ff8000000000001),
                                   UINT64_C(0xfff0000000000000),
                                   UINT64_C(0x800000007fc00001),
                                   UINT64_C(0xff80000080000000)};
    vector v;

    assert_ok(vector_flat(m, t, ROWS, &v, &err), &err);
    v.len = ROWS;
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t x = i < 7 ? odd[i] : next_random(&seed);
        memcpy(v.data + (size_t)i * t->width, &x, t->width);
    }
    return v;
}

static void check(mem *m, const type *x, const type *y, bool descending)
{
    const sort_order orders[] = {{0, descending, false}, {1, !descending, true}};
    vector columns[] = {make_column(m, x), make_column(m, y)};
    const vector *at[] = {&columns[0], &columns[1]};
    const uint32_t len = sort_key_plain_bytes(at, orders, 2);
    uint8_t plain[64];
    bytes key = bytes_init(m, UINT32_MAX);

    assert_int_equal(len, 2 + x->width + y->width);
    for (uint32_t i = 0; i < ROWS; i++) {
        key.len = 0;
        assert_ok(sort_key_append(&key, at, orders, 2, i, &err), &err);
        assert_int_equal(key.len, len);
        assert_ptr_equal(sort_key_put_plain(plain, at, orders, 2, i), plain + len);
        assert_memory_equal(plain, key.data, len);
    }
    assert_ok(vector_add_validity(&columns[1], &err), &err);
    assert_int_equal(sort_key_plain_bytes(at, orders, 2), 0);
    bytes_release(&key);
    vector_release(&columns[0]);
    vector_release(&columns[1]);
}

static void words(void **state)
{
    static const type_id ids[] = {TYPE_BOOL,   TYPE_INT8,    TYPE_UINT16,  TYPE_INT32,
                                  TYPE_UINT64, TYPE_FLOAT32, TYPE_FLOAT64, TYPE_DATE};
    const uint32_t n = sizeof ids / sizeof *ids;
    mem *m = test_mem_open(64u << 20);

    (void)state;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++) {
            const type x = type_of(ids[i]), y = type_of(ids[k]);
            check(m, &x, &y, i % 2);
        }
    test_mem_close(m);
}

/* What is longer, or a text, is not such a key. */
static void others(void **state)
{
    const sort_order order = {0, false, false};
    const type t = type_of(TYPE_UTF8);
    vector v = {.type = t, .form = VECTOR_FLAT};
    const vector *at = &v;

    (void)state;
    assert_int_equal(sort_key_plain_bytes(&at, &order, 1), 0);
    v.type = type_of(TYPE_INT128);
    assert_int_equal(sort_key_plain_bytes(&at, &order, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(others)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
