#include "temp_folder.h"

#include "exec/group_table.h"
#include "exec/room.h"

#define MIB ((uint64_t)1 << 20)

/* More memory, no more in the spill file, but for how merges come out even; where it is enough,
 * every row goes there once. */
static void sorts_spill_less_with_more(void **state)
{
    static const uint64_t widths[] = {8, 100, 3000, 200000};

    (void)state;
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++)
        for (uint32_t workers = 1; workers <= 8; workers *= 2) {
            const room_rows r = {1000000000 / widths[k], widths[k], 8, widths[k], 8};
            const uint64_t once = room_of_sort(&r, UINT64_MAX, workers).spill;
            uint64_t before = UINT64_MAX;
            for (uint64_t grant = 2 * MIB; grant <= 1024 * MIB; grant *= 2) {
                uint64_t spill = room_sort_spill(&r, grant, workers);
                assert_in_range(spill, once, before);
                before = spill + spill / 100;
            }
            assert_int_equal(room_sort_spill(&r, 1024 * MIB, workers), once);
        }
}

static void groups_spill_less_with_more(void **state)
{
    const uint64_t once = 6000 * MIB;
    uint64_t before = UINT64_MAX;

    (void)state;
    for (uint64_t grant = 2 * MIB; grant <= 1024 * MIB; grant *= 2) {
        uint64_t spill = room_group_spill(once, grant, 1);
        assert_in_range(spill, once, before);
        before = spill;
    }
    assert_int_equal(before, once);
    assert_int_equal(room_group_spill(once, 2 * MIB, 1), 3 * once);
    assert_int_equal(room_group_spill(once, 100 * MIB, 1), once);
}

/* More memory never fits less; a worker that meets all groups has room where it is said to fit. */
static void groups_that_fit(void **state)
{
    (void)state;
    for (uint32_t shared = 0; shared < 2; shared++)
        for (uint64_t n = 1; n <= 10000000; n *= 10)
            for (uint32_t workers = 1; workers <= 8; workers *= 2) {
                const room_groups g = {{n, 16, 16, 16, 16}, n, 8, 0, 0, shared};
                const uint64_t tables = n * 60 / (shared && n > 32768 ? workers : 1);
                bool before = false;
                for (uint64_t grant = MIB; grant <= 65536 * MIB; grant *= 2) {
                    bool fits = room_group_fits(&g, grant, workers);
                    assert_true(fits || !before);
                    assert_true(!fits || n == 1 || tables < grant / workers);
                    before = fits;
                }
                assert_true(before);
            }
}

/* Small wishes are what fits for sure, larger ones little more than the tables. */
static void groups_wish_for_what_they_take(void **state)
{
    (void)state;
    for (uint64_t n = 2; n <= 4000000; n += n / 3 + 1)
        for (uint32_t workers = 1; workers <= 8; workers *= 2) {
            const room_groups g = {{UINT64_MAX, 16, 16, 16, 16}, n, 8, 0, 0, true};
            const uint64_t wish = room_of_group(&g, workers).wish;
            const uint64_t table = n * 48 + group_slots_for(n);
            if (wish <= 3 * MIB)
                assert_true(room_group_fits(&g, wish, workers));
            if (n > 200000)
                assert_in_range(wish, table * 5 / 4, n * 96 * 8 / 5 + workers * MIB / 2);
        }
}

static void joins_spill_less_with_more(void **state)
{
    const room_rows left = {20000000, 40, 0, 30, 0}, right = {5000000, 60, 0, 50, 0};
    const room_rows none = {0, 100, 0, 80, 0}, results = {20000000, 100, 0, 80, 0};
    const uint64_t sides = room_join_spill(&left, &right, &none, 1024 * MIB, 1);
    uint64_t before = UINT64_MAX;

    (void)state;
    assert_in_range(sides, left.n * left.packed + right.n * right.packed,
                    left.n * (left.packed + 24) + right.n * (right.packed + 24));
    for (uint64_t grant = 2 * MIB; grant <= 1024 * MIB; grant *= 2) {
        uint64_t spill = room_join_spill(&left, &right, &results, grant, 1);
        assert_in_range(spill, sides + results.n * results.packed, before);
        before = spill + spill / 100;
    }
    assert_int_equal(room_join_spill(&left, &right, &none, 2 * MIB, 1) % sides, 0);
}

static void nobody_knows(void **state)
{
    const room_rows r = {UINT64_MAX, 8, 8, 8, 8}, wide = {1000, UINT64_MAX, 8, UINT64_MAX, 8};
    const room_rows some = {1000, 8, 0, 8, 0};

    (void)state;
    assert_int_equal(room_sort_spill(&r, MIB, 1), UINT64_MAX);
    assert_int_equal(room_sort_spill(&wide, MIB, 1), UINT64_MAX);
    assert_int_equal(room_group_spill(UINT64_MAX, MIB, 1), UINT64_MAX);
    assert_int_equal(room_join_spill(&some, &r, &some, MIB, 1), UINT64_MAX);
    assert_int_equal(room_join_spill(&r, &some, &some, MIB, 1), UINT64_MAX);
    assert_int_equal(room_join_spill(&some, &some, &r, MIB, 1), UINT64_MAX);
    assert_int_equal(room_window_spill(&(room_window){r, true, true, false}, MIB, 1), UINT64_MAX);
    assert_int_equal(room_window_spill(&(room_window){r, false, false, true}, MIB, 1), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_spill_less_with_more),
        cmocka_unit_test(groups_spill_less_with_more),
        cmocka_unit_test(groups_that_fit),
        cmocka_unit_test(groups_wish_for_what_they_take),
        cmocka_unit_test(joins_spill_less_with_more),
        cmocka_unit_test(nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
