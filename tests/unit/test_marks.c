/* Marks of ranges: rising, falling, touching, with nulls; where nothing may be said of them. */
#include "dataset/marks.h"
#include "testing.h"

#define N    12
#define ROWS (MARK_ROWS / 2)

static nrw_error err = NRW_ERROR_INIT;

typedef struct marks_case {
    mem *m;
    arena *a;
    int64_t low[N], high[N];
    key_range at[N];
    key_marks marks;
} marks_case;

/* Range i: keys from step * i, `width` of them. */
static void open_case(marks_case *c, int64_t step, int64_t width)
{
    *c = (marks_case){.m = test_mem_open(1 << 20)};
    assert_ok(arena_new(c->m, &c->a, &err), &err);
    c->marks.type = type_of(TYPE_INT64);
    for (int i = 0; i < N; i++) {
        c->low[i] = step * i;
        c->high[i] = step * i + width - 1;
        c->at[i] = (key_range){.row = i * ROWS,
                               .rows = ROWS,
                               .no_nulls = true,
                               .min = {(uint8_t *)&c->low[i], 8},
                               .max = {(uint8_t *)&c->high[i], 8}};
    }
}

static uint32_t find(marks_case *c)
{
    assert_ok(marks_of_ranges(c->at, N, c->a, c->a, &c->marks, &err), &err);
    return c->marks.n;
}

static int64_t key_of(const marks_case *c, uint32_t i)
{
    return (int64_t)load_u64(c->marks.at[i].key.data);
}

static void close_case(marks_case *c)
{
    arena_free(c->a);
    test_mem_close(c->m);
}

static void rising(void **state)
{
    marks_case c;

    (void)state;
    open_case(&c, 10, 10);
    assert_int_equal(find(&c), N / 2 - 1);
    assert_false(c.marks.descending);
    assert_int_equal(c.marks.most, MARK_ROWS);
    for (uint32_t i = 0; i < c.marks.n; i++) {
        assert_int_equal(c.marks.at[i].row, (i + 1) * MARK_ROWS);
        assert_int_equal(key_of(&c, i), 20 * (i + 1));
    }
    close_case(&c);
}

static void falling(void **state)
{
    marks_case c;

    (void)state;
    open_case(&c, -10, 10);
    assert_int_equal(find(&c), N / 2 - 1);
    assert_true(c.marks.descending);
    assert_int_equal(key_of(&c, 0), -20 + 9);
    close_case(&c);
}

static void touching(void **state)
{
    marks_case c;

    (void)state;
    open_case(&c, 10, 11);
    assert_int_equal(find(&c), N / 2 - 1);
    assert_int_equal(key_of(&c, 0), 20);
    c.marks.strict = true;
    assert_int_equal(find(&c), 0);
    close_case(&c);
}

/* Ranges that overlap are one; more than a quarter of all rows is too much to gain by it. */
static void overlapping(void **state)
{
    marks_case c;

    (void)state;
    open_case(&c, 10, 10);
    c.low[2] = 15; /* in range 1 */
    assert_int_equal(find(&c), N / 2 - 1);
    assert_int_equal(c.marks.at[0].row, 3 * ROWS);
    assert_int_equal(c.marks.most, 3 * ROWS);
    c.low[7] = 31;
    assert_int_equal(find(&c), 0);
    close_case(&c);
}

static void nulls(void **state)
{
    marks_case c;

    (void)state;
    open_case(&c, 10, 10);
    c.at[4].no_nulls = false;
    assert_int_equal(find(&c), N / 2 - 1);
    c.at[5].empty = true;
    c.at[5].no_nulls = false;
    c.at[5].min = c.at[5].max = (span){0};
    assert_int_equal(find(&c), N / 2 - 1);
    assert_int_equal(key_of(&c, 2), 60);
    c.marks.strict = true;
    assert_int_equal(find(&c), 0);
    close_case(&c);
}

static void unknown(void **state)
{
    marks_case c;

    (void)state;
    open_case(&c, 10, 10);
    c.at[N - 1].min = (span){0};
    assert_int_equal(find(&c), 0);
    close_case(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rising),   cmocka_unit_test(falling),
                                       cmocka_unit_test(touching), cmocka_unit_test(overlapping),
                                       cmocka_unit_test(nulls),    cmocka_unit_test(unknown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
