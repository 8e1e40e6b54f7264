#include "testing.h"

#include "format/parquet/dict_build.h"

/* What was added is found, in the order of first appearance, and nothing else is. */
static void numbers_are_found(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;

    (void)state;
    for (uint32_t width = 4; width <= 8; width += 4) {
        enum { N = 3000 };
        static uint8_t values[2 * N * 8 + 64];
        static uint32_t added[N + 16], found[2 * N + 16];
        size_t took;
        pq_dict d;
        pq_dict_init(&d, m, true, width, 1 << 20);
        pq_dict_find_numbers(&d, values, 3, found);
        assert_int_equal(found[0], PQ_DICT_NONE);
        assert_int_equal(found[2], PQ_DICT_NONE);
        for (uint32_t i = 0; i < 2 * N; i++)
            memcpy(values + (size_t)i * width, &(uint64_t){i * UINT64_C(2654435761)}, width);
        assert_ok(pq_dict_add_numbers(&d, values, N, added, &took, &err), &err);
        assert_int_equal(took, N);
        pq_dict_find_numbers(&d, values, 2 * N, found);
        for (uint32_t i = 0; i < 2 * N; i++)
            assert_int_equal(found[i], i < N ? i : PQ_DICT_NONE);
        pq_dict_release(&d);
    }
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
