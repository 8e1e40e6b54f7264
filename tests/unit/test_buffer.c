#include "testing.h"

#include "base/buffer.h"

static void buffers_count_references(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    buffer *b;

    (void)state;
    assert_ok(buffer_new(m, 1000, &b, &err), &err);
    assert_int_equal(b->len, 0);
    assert_true(b->cap >= 1000);
    memset(b->data, 1, b->cap + BUFFER_SLACK); /* the slack is there */
    assert_ptr_equal(buffer_ref(b), b);
    buffer_unref(b);
    assert_true(mem_used(m) >= 1000);
    buffer_unref(b);
    assert_int_equal(mem_used(m), 0);
    buffer_unref(NULL);
    test_mem_close(m);
}

static void buffers_drop_what_is_in_front(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    buffer *b;

    (void)state;
    assert_ok(buffer_new(m, 1000, &b, &err), &err);
    memcpy(b->data, "levels and values", 17);
    b->len = 17;
    buffer_drop_front(b, 7);
    assert_int_equal(b->len, 10);
    assert_int_equal(b->cap, 993);
    assert_memory_equal(b->data, "and values", 10);
    assert_ok(buffer_resize(&b, 100000, &err), &err);
    assert_memory_equal(b->data, "and values", 10);
    memset(b->data, 1, b->cap + BUFFER_SLACK);
    buffer_drop_front(b, 10);
    assert_int_equal(b->len, 0);
    buffer_unref(b);
    assert_int_equal(mem_used(m), 0);
    test_mem_close(m);
}

static void buffers_stop_at_the_grant(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(100 << 10);
    buffer *b;

    (void)state;
    assert_status(NRW_E_MEMLIMIT, buffer_new(m, 200 << 10, &b, &err), &err);
    assert_null(b);
    assert_null(buffer_try_new(m, 200 << 10));
    assert_status(NRW_E_MEMLIMIT, buffer_new(m, SIZE_MAX, &b, &err), &err);
    assert_null(buffer_try_new(m, SIZE_MAX - 1));
    b = buffer_try_new(m, 0);
    assert_non_null(b);
    buffer_unref(b);
    test_mem_close(m);
}

static void bytes_grow_to_their_maximum(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    bytes b = bytes_init(m, 1000);
    char text[100];

    (void)state;
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 10; i++)
        assert_ok(bytes_append(&b, text, 100, &err), &err);
    assert_status(NRW_E_MEMLIMIT, bytes_append(&b, text, 1, &err), &err);
    assert_status(NRW_E_MEMLIMIT, bytes_reserve(&b, SIZE_MAX, &err), &err);
    assert_int_equal(b.len, 1000);
    assert_ok(bytes_append(&b, NULL, 0, &err), &err);
    bytes_clear(&b);
    assert_ok(bytes_append(&b, text, 1, &err), &err);
    bytes_release(&b);
    bytes_release(&b);
    test_mem_close(m);
}

static void bytes_take_what_the_grant_leaves(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(10000);
    bytes b = bytes_init(m, 1 << 20);

    (void)state;
    assert_ok(bytes_reserve(&b, 6000, &err), &err);
    b.len = 6000;
    assert_ok(bytes_reserve(&b, 3000, &err), &err); /* doubling would pass the grant */
    assert_status(NRW_E_MEMLIMIT, bytes_reserve(&b, 5000, &err), &err);
    assert_true(b.cap >= 9000);
    bytes_release(&b);
    test_mem_close(m);
}

static void bytes_print(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    bytes b = bytes_init(m, 1 << 20);

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_ok(bytes_printf(&b, &err, "%d,", i % 10), &err);
    assert_int_equal(b.len, 2000);
    assert_memory_equal(b.data, "0,1,2,3,4,5,6,7,8,9,0,1,", 24);
    assert_memory_equal(b.data + 1998, "9,", 2);
    bytes_release(&b);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_count_references),
        cmocka_unit_test(buffers_drop_what_is_in_front),
        cmocka_unit_test(buffers_stop_at_the_grant),
        cmocka_unit_test(bytes_grow_to_their_maximum),
        cmocka_unit_test(bytes_take_what_the_grant_leaves),
        cmocka_unit_test(bytes_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
