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

/* ---- beside the plainest way ---- */

enum { MOST = 5000 };

/* The entries by looking at all of them, one after the other. */
typedef struct plainest {
    int64_t at[MOST];
    uint32_t n;
} plainest;

static uint32_t plainest_add(plainest *p, int64_t v)
{
    for (uint32_t e = 0; e < p->n; e++)
        if (p->at[e] == v)
            return e;
    p->at[p->n] = v;
    return p->n++;
}

/* Value i of a column of one kind: numbers that lie close together, from the first or after a
 * while, up, down and on both sides of zero; that stop to do so; at the ends of their type. */
static int64_t value_of(uint32_t kind, uint32_t i, uint32_t width)
{
    const int64_t least = width == 4 ? INT32_MIN : INT64_MIN;
    const int64_t most = width == 4 ? INT32_MAX : INT64_MAX;
    const int64_t mixed = (int64_t)(i * UINT64_C(0x9e3779b97f4a7c15) >> 48);

    switch (kind) {
    case 0: return i % 7;
    case 1: return 8000 + mixed % 2500;
    case 2: return -(int64_t)i / 2;
    case 3: return i % 2 ? i / 4 : -(int64_t)(i / 4);
    case 4: return i < 600 ? mixed % 100 : mixed * 1000 + i % 5;
    case 5: return i % 3 == 0 ? least + i % 40 : i % 3 == 1 ? most - i % 40 : i % 10;
    case 6: return i < 20 ? most - mixed % 30 : most - mixed % 900;
    case 7: return i < 20 ? least + mixed % 30 : least + mixed % 900;
    default: return mixed % 50 * 100;
    }
}

enum { KINDS = 9 };

static void check_kind(mem *m, uint32_t kind, uint32_t width, uint32_t step)
{
    static uint8_t values[MOST * 8 + 64];
    static uint32_t out[MOST + 16];
    plainest *p = calloc(1, sizeof *p);
    nrw_error err = NRW_ERROR_INIT;
    pq_dict d;

    assert_non_null(p);
    for (uint32_t i = 0; i < MOST; i++)
        memcpy(values + (size_t)i * width, &(int64_t){value_of(kind, i, width)}, width);
    pq_dict_init(&d, m, true, width, 1 << 20);
    for (uint32_t first = 0, n; first < MOST; first += n) {
        const uint8_t *at = values + (size_t)first * width;
        size_t took;
        n = MOST - first < step ? MOST - first : step;
        assert_ok(pq_dict_add_numbers(&d, at, n, out, &took, &err), &err);
        assert_int_equal(took, n);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(out[i], plainest_add(p, value_of(kind, first + i, width)));
        pq_dict_find_numbers(&d, at, n, out);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(out[i], plainest_add(p, value_of(kind, first + i, width)));
        if (first % 7 == 3) { /* as after the table was away */
            pq_dict_freeze(&d);
            assert_ok(pq_dict_rebuild(&d, &err), &err);
        }
    }
    assert_int_equal(d.n, p->n);
    pq_dict_release(&d);
    free(p);
}

static void numbers_as_the_plainest_way_has_them(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);

    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++)
        for (uint32_t width = 4; width <= 8; width += 4)
            for (uint32_t step = 1; step < MOST; step = step * 5 + 2)
                check_kind(m, kind, width, step);
    test_mem_close(m);
}

/* Nothing beyond `max` gets in, and what is there is still found; *took says where it ended. */
static void full_dictionaries_stop(void **state)
{
    enum { N = 400, FIT = 300 };
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    uint64_t values[N + 8];
    uint32_t out[N + 16];
    size_t took;

    (void)state;
    for (uint64_t spread = 1; spread < UINT64_C(1) << 40; spread <<= 20) {
        pq_dict d;
        pq_dict_init(&d, m, true, 8, FIT * 8);
        for (uint32_t i = 0; i < N; i++)
            values[i] = (i < N / 2 ? i : i - 3) * spread;
        assert_ok(pq_dict_add_numbers(&d, (uint8_t *)values, N, out, &took, &err), &err);
        assert_int_equal(d.n, FIT);
        assert_int_equal(took, FIT + 3);
        assert_int_equal(out[took - 1], FIT - 1);
        pq_dict_find_numbers(&d, (uint8_t *)values, N, out);
        assert_int_equal(out[FIT + 2], FIT - 1);
        assert_int_equal(out[FIT + 3], PQ_DICT_NONE);
        pq_dict_release(&d);
    }
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_found),
        cmocka_unit_test(numbers_as_the_plainest_way_has_them),
        cmocka_unit_test(full_dictionaries_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
