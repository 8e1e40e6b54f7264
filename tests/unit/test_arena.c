#include "testing.h"

#include "base/arena.h"

static void small_and_large(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 << 20);
    arena *a;
    uint8_t *at[500];

    (void)state;
    assert_ok(arena_new(m, &a, &err), &err);
    for (size_t i = 0; i < 500; i++) {
        size_t n = i % 50 == 49 ? 100000 : i * 3;
        void *p;
        assert_ok(arena_alloc(a, n, &p, &err), &err);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(((uint8_t *)p)[k], 0);
        memset(p, (int)i, n);
        at[i] = p;
    }
    for (size_t i = 1; i < 500; i++)
        assert_int_equal(at[i][0], (uint8_t)i); /* no two overlap */
    arena_free(a);
    arena_free(NULL);
    test_mem_close(m);
}

static void overhead_is_small(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    arena *a;
    void *p;

    (void)state;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(arena_alloc(a, 16, &p, &err), &err);
    assert_true(mem_used(m) < 1200);
    for (int i = 0; i < 100000; i++)
        assert_ok(arena_alloc(a, 32, &p, &err), &err);
    assert_true(mem_used(m) < 3300000);
    arena_free(a);
    test_mem_close(m);
}

static void limits_and_hostile_sizes(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(100000);
    arena *a;
    void *p;
    char *s;

    (void)state;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(arena_strndup(a, "hello world", 5, &s, &err), &err);
    assert_string_equal(s, "hello");
    assert_status(NRW_E_MEMLIMIT, arena_alloc(a, 200000, &p, &err), &err);
    assert_null(p);
    assert_status(NRW_E_MEMLIMIT, arena_alloc(a, SIZE_MAX, &p, &err), &err);
    assert_status(NRW_E_MEMLIMIT, arena_alloc(a, SIZE_MAX - 30, &p, &err), &err);
    assert_status(NRW_E_MEMLIMIT, arena_strndup(a, "x", SIZE_MAX, &s, &err), &err);
    assert_ok(arena_alloc(a, 100, &p, &err), &err);
    arena_free(a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_and_large),
        cmocka_unit_test(overhead_is_small),
        cmocka_unit_test(limits_and_hostile_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
