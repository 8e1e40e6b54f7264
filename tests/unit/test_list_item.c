#include "api/list_item.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;

static void items(void **state)
{
    const char *list = " a, year(b, 'x,y') AS y ,\"c,d\",[1, 2]['('], {'k': 1}.k";
    static const char *const want[] = {"a", "year(b, 'x,y') AS y", "\"c,d\"", "[1, 2]['(']",
                                       "{'k': 1}.k"};
    span item;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_true(list_item_next(&list, &item));
        assert_int_equal(item.len, strlen(want[i]));
        assert_memory_equal(item.data, want[i], item.len);
    }
    assert_false(list_item_next(&list, &item));
    list = "'open, a";
    assert_true(list_item_next(&list, &item));
    assert_false(list_item_next(&list, &item));
    list = "a),b";
    assert_true(list_item_next(&list, &item));
    assert_int_equal(item.len, 2);
}

static void kinds(void **state)
{
    (void)state;
    assert_true(list_item_is_word(span_of("gr\xc3\xb6\xc3\x9f"
                                          "e_1")));
    assert_false(list_item_is_word(span_of("a.b")));
    assert_false(list_item_is_word(span_of("")));
    assert_true(list_item_is_path(span_of("a.b.c")));
    assert_true(list_item_is_path(span_of("\"a, \"\"b\"")));
    assert_false(list_item_is_path(span_of("\"a\" + \"b\"")));
    assert_false(list_item_is_path(span_of("a + 1")));
    assert_false(list_item_is_path(span_of("*")));
}

static void name_is(const char *item, const char *want)
{
    mem *m = test_mem_open(1 << 20);
    arena *a;
    span name;

    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(list_item_name(a, span_of(item), &name, &err), &err);
    assert_true(span_is(name, want));
    arena_free(a);
    test_mem_close(m);
}

static void names(void **state)
{
    (void)state;
    name_is("a", "a");
    name_is("\"a \"\"b\"", "a \"b");
    name_is("year(d) AS y", "y");
    name_is("year(d) as \"the year\"", "the year");
    name_is("year(d)", "");
    name_is("a + b", "");
    name_is("alias", "alias");
    name_is("cast(x AS date)", "");
    name_is("x areas", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(items), cmocka_unit_test(kinds),
                                       cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
