/* SQL that is deep, long, or meets an allocation that fails. */
#include "base/fault.h"
#include "sql_testing.h"

/* `text` n times, then the middle, then `close` n times. */
static char *repeated(const char *text, const char *middle, const char *close, size_t n)
{
    size_t len = strlen(text), back = strlen(close);
    char *out, *end;

    assert_ok(arena_alloc(a, n * (len + back) + strlen(middle) + 1, (void **)&out, &err), &err);
    end = out;
    for (size_t i = 0; i < n; i++, end += len)
        memcpy(end, text, len);
    memcpy(end, middle, strlen(middle));
    end += strlen(middle);
    for (size_t i = 0; i < n; i++, end += back)
        memcpy(end, close, back);
    return out;
}

static void test_depth(void **state)
{
    static const char *const bombs[][3] = {{"(", "1", ")"},
                                           {"[", "1", "]"},
                                           {"- ", "1", ""},
                                           {"not ", "a", ""},
                                           {"f(", "1", ")"},
                                           {"a + ", "a", ""},
                                           {"a[", "1", "]"},
                                           {"{'a': ", "1", "}"},
                                           {"case when ", "a", " then 1 end"},
                                           {"lambda x: ", "x", ""},
                                           {"(select ", "1", ")"},
                                           {"(select 1 union all (", "select 2", "))"},
                                           {"a -> (", "1", ")"},
                                           {"1", "", "::int"},
                                           {"1", "", ".x"},
                                           {"a", "", "[1]"},
                                           {"exists (from (", "select 1", "))"},
                                           {"a::struct(b ", "int", ")"},
                                           {"(select 1 group by grouping sets (", "a", "))"}};
    sql_expr *e;
    nrw_error error = NRW_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        char *text = repeated(bombs[i][0], bombs[i][1], bombs[i][2], 20000);
        nrw_status st = sql_parse_expr(a, text_of(text), &e, &error);
        assert_int_equal(st, NRW_E_ARG);
    }
    refused(repeated("select 1 union all ", "select 1", "", 5000), "on top of one another");
    refused(repeated("from a join b on x ", "", "", 5000), "character");
    refused(repeated("select 1 from (", "t", ")", 5000), "inside one another");
    query(repeated("(", "select 1", ")", 300));
    query(repeated("select 1 union all ", "select 1", "", 600));
    expr(repeated("a and ", "a", "", 20000));
    assert_int_equal(expr(repeated("a or ", "a", "", 20000))->args.n, 20001);
    expr(repeated("(", "a", ")", 400));
    assert_int_equal(expr(repeated("a + ", "a", "", 900))->height, 901);
}

/* Printing CASE with an operand repeats it: the text of such a tower doubles at each level. */
static void test_long_name(void **state)
{
    char *text = repeated("case ", "a", " when 1 then 2 when 3 then 4 end", 60);
    sql_expr *e = expr(text);
    span name;

    (void)state;
    nrw_error error = NRW_ERROR_INIT;
    assert_int_equal(sql_print_expr(a, e, &name, &error), NRW_E_ARG);
    assert_non_null(strstr(error.message, "alias"));
}

#ifdef NARROWS_FAULTS
static void test_faults(void **state)
{
    static const char text[] =
        "with a as (select [x + 1 for x in l if x > 2], sum(b) over w, e'\\x41', 1_0, x'00', "
        "a::struct(b int)[] from t join u using (c) group by rollup (a, b) window w as (order by "
        "c)) "
        "select * exclude (d), f(a := 1) from a union values (1) order by 1; copy t to 'x' (a b)";

    (void)state;
    for (uint64_t k = 1;; k++) {
        nrw_error error = NRW_ERROR_INIT;
        mem *m = test_mem_open(1 << 20);
        arena *mine = NULL;
        sql_statement *s;
        uint32_t n;

        fault_arm(FAULT_ALLOC, k);
        nrw_status st = arena_new(m, &mine, &error);
        if (st == NRW_OK)
            st = sql_parse(mine, text_of(text), &s, &n, &error);
        bool over = fault_count(FAULT_ALLOC) < k;
        fault_arm(FAULT_ALLOC, 0);
        assert_true(st == NRW_OK || (st == NRW_E_NOMEM && !over)); /* some are wishes */
        arena_free(mine);
        test_mem_close(m);
        if (over)
            break;
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_depth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_name, set_up, tear_down),
#ifdef NARROWS_FAULTS
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
