#include "column/key.h"
#include "dataset/gen.h"
#include "dataset/gen_value.h"
#include "testing.h"

#include <stdlib.h>

static arena *test_arena(mem *m)
{
    arena *a;
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(arena_new(m, &a, &err), &err);
    return a;
}

static void permutation_is_a_bijection(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 5000; n = n * 3 / 2 + 1) {
        gen_permutation p = gen_permutation_of(n, n * 7);
        uint8_t *seen = calloc(n, 1);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t j = gen_permute(&p, i);
            assert_true(j < n);
            assert_int_equal(seen[j], 0);
            seen[j] = 1;
        }
        free(seen);
    }
}

static void permutation_depends_on_the_seed(void **state)
{
    gen_permutation a = gen_permutation_of(1000, 1), b = gen_permutation_of(1000, 2);
    int same = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        same += gen_permute(&a, i) == gen_permute(&b, i);
    assert_true(same < 20);
}

/* Every value of every column of a definition, row by row, as key bytes. */
static void read_all(mem *m, const gen_options *o, uint32_t max_rows, size_t max_bytes, bytes *out)
{
    nrw_error err = NRW_ERROR_INIT;
    const batch_shape shape = {max_rows, max_bytes, 0, 1, NULL};
    uint32_t cols[8];

    for (uint32_t i = 0; i < o->n_columns; i++)
        cols[i] = i;
    for (uint32_t c = 0; c < o->n_columns; c++) {
        reader *again;
        assert_ok(gen_open(m, o, &again, &err), &err);
        assert_ok(again->class->start(again, cols, o->n_columns, &shape, m, NULL, &err), &err);
        for (uint64_t morsel = 0;; morsel++) {
            batch_column columns[8];
            batch b = {
                .cols = columns, .n_cols = o->n_columns, .m = m, .morsel = morsel, .last = true};
            nrw_status st = again->class->next(again, &b, &err);
            column_walk w;
            vector v;
            if (st == NRW_END)
                break;
            assert_ok(st, &err);
            for (uint32_t i = 0; i < o->n_columns; i++)
                columns[i] = (batch_column){.state = COLUMN_LAZY, .tag = i};
            w = batch_walk(&b, c);
            while ((st = column_next(&w, max_bytes, &v, &err)) == NRW_OK) {
                vector flat;
                assert_ok(vector_validate(&v, &err), &err);
                assert_ok(vector_flatten(&v, m, &flat, &err), &err);
                for (uint32_t i = 0; i < flat.len; i++)
                    assert_ok(key_append(out, &flat, i, &err), &err);
                vector_release(&flat);
                vector_release(&v);
            }
            assert_int_equal(st, NRW_END);
            batch_release(&b);
        }
        again->class->close(again);
    }
}

static void same_values_in_any_cut(void **state)
{
    static const char *const defs[][2] = {{"r", "group=7"},
                                          {"r", "id=11:string"},
                                          {"r", "row=40:decimal(12,2)"},
                                          {"c", "price=decimal(30,2)"},
                                          {"c", "note=string:0..40"},
                                          {"c", "t=timestamp"},
                                          {"c", "d=double"}};
    mem *m = test_mem_open(64 << 20);
    nrw_error err = NRW_ERROR_INIT;
    arena *a = test_arena(m);
    gen_column columns[7];

    (void)state;
    for (int i = 0; i < 7; i++)
        assert_ok(gen_column_parse(a, defs[i][1], defs[i][0][0] == 'r', &columns[i], &err), &err);
    for (int shape = 0; shape < 4; shape++) {
        gen_options o = {columns, 7, 0, shape & 1, 42};
        bytes one = bytes_init(m, 16 << 20), two = bytes_init(m, 16 << 20);
        assert_ok(gen_nulls_parse(columns, 7, shape & 2 ? "0.1" : "0", &err), &err);
        read_all(m, &o, 65536, 1 << 20, &one);
        read_all(m, &o, 97, 1000, &two);
        assert_int_equal(one.len, two.len);
        assert_true(one.len > 7 * 11 * 40 * 7);
        assert_memory_equal(one.data, two.data, one.len);
        bytes_release(&one);
        bytes_release(&two);
    }
    arena_free(a);
    test_mem_close(m);
}

static void refuses_what_it_cannot_make(void **state)
{
    mem *m = test_mem_open(1 << 20);
    arena *a = test_arena(m);
    static const char *const bad[] = {
        "id", "=5", "id=0", "id=-1", "id=5:nosuchtype", "id=300:uint8", "id=5x", "b=3:boolean"};
    nrw_error err;
    gen_column c;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (nrw_error)NRW_ERROR_INIT;
        assert_int_equal(gen_column_parse(a, bad[i], true, &c, &err), NRW_E_ARG);
        assert_true(err.message[0]);
    }
    err = (nrw_error)NRW_ERROR_INIT;
    assert_int_equal(gen_column_parse(a, "note=string:9..3", false, &c, &err), NRW_E_ARG);
    assert_int_equal(gen_nulls_parse(NULL, 0, "1.5", &err), NRW_E_ARG);
    arena_free(a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permutation_is_a_bijection),
        cmocka_unit_test(permutation_depends_on_the_seed),
        cmocka_unit_test(same_values_in_any_cut),
        cmocka_unit_test(refuses_what_it_cannot_make),
    };
    return cmocka_run_group_tests_name("gen", tests, NULL, NULL);
}
