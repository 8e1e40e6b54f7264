#include "column/type.h"
#include "testing.h"

static void spelling(const char *given, const char *wanted)
{
    nrw_error err = NRW_ERROR_INIT;
    type t, back;
    char text[64];
    assert_ok(type_parse(given, &t, &err), &err);
    assert_int_equal(type_print(&t, text, sizeof text), strlen(wanted));
    assert_string_equal(text, wanted);
    assert_ok(type_parse(text, &back, &err), &err);
    assert_true(type_equal(&t, &back));
}

static void names_and_synonyms(void **state)
{
    (void)state;
    spelling("int64", "BIGINT");
    spelling(" BigInt ", "BIGINT");
    spelling("string", "VARCHAR");
    spelling("varchar(20)", "VARCHAR");
    spelling("decimal(12,2)", "DECIMAL(12,2)");
    spelling("DECIMAL ( 76 , 76 )", "DECIMAL(76,76)");
    spelling("numeric(5)", "DECIMAL(5,0)");
    spelling("decimal", "DECIMAL(18,3)");
    spelling("decimal128(38, 10)", "DECIMAL(38,10)");
    spelling("timestamp", "TIMESTAMP");
    spelling("TIMESTAMP  WITH  TIME ZONE", "TIMESTAMP WITH TIME ZONE");
    spelling("timestamptz", "TIMESTAMP WITH TIME ZONE");
    spelling("timestamp[ms, tz=UTC]", "TIMESTAMP_MS WITH TIME ZONE");
    spelling("timestamp_ns", "TIMESTAMP_NS");
    spelling("time with time zone", "TIME WITH TIME ZONE");
    spelling("time32[ms]", "TIME_MS");
    spelling("fixed_size_binary[16]", "FIXED(16)");
    spelling("duration[ns]", "DURATION_NS");
    spelling("duration", "DURATION");
    spelling("double precision", "DOUBLE");
    spelling("halffloat", "FLOAT16");
    spelling("bytea", "BLOB");
    for (int id = TYPE_NULL; id <= TYPE_ENUM; id++) {
        type t = type_of((type_id)id);
        char text[64];
        type_print(&t, text, sizeof text);
        spelling(text, text);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "int65",
        "decimal(0,0)",
        "decimal(77,0)",
        "decimal(5,6)",
        "decimal(5,-1)",
        "decimal(5",
        "decimal(5,2)x",
        "decimal()",
        "fixed(0)",
        "fixed(-3)",
        "timestamp with",
        "bigint(3)",
        "interval with time zone x",
        "integer with time zone",
        "a name that is much longer than any type could be and goes on and on and on",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error err = NRW_ERROR_INIT;
        type t;
        assert_int_equal(type_parse(bad[i], &t, &err), NRW_E_ARG);
        assert_true(err.message[0] != 0);
        assert_int_equal(t.width, 0);
    }
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(type_decimal(9, 2).width, 4);
    assert_int_equal(type_decimal(10, 2).width, 8);
    assert_int_equal(type_decimal(38, 2).width, 16);
    assert_int_equal(type_decimal(39, 2).width, 32);
    assert_int_equal(type_of(TYPE_INTERVAL).width, 12);
    assert_int_equal(type_of(TYPE_UTF8).width, 16);
    type a = type_timestamp(UNIT_US, true), b = type_timestamp(UNIT_US, false);
    assert_false(type_equal(&a, &b));
}

static void finding_columns(void **state)
{
    (void)state;
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    arena *a;
    schema s, t;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(schema_new(a, 5, &s, &err), &err);
    static const char *const names[] = {"group", "id", "Row", "row", "ID2"};
    for (int i = 0; i < 5; i++) {
        s.fields[i].name = names[i];
        s.fields[i].type = type_of(TYPE_INT64);
    }
    assert_int_equal(schema_find(&s, "Row"), 2);
    assert_int_equal(schema_find(&s, "row"), 3);
    assert_int_equal(schema_find(&s, "ROW"), -2);
    assert_int_equal(schema_find(&s, "GROUP"), 0);
    assert_int_equal(schema_find(&s, "grp"), -1);
    assert_string_equal(schema_nearest(&s, "grp"), "group");
    assert_string_equal(schema_nearest(&s, "gruop"), "group");
    assert_string_equal(schema_nearest(&s, "id2"), "ID2");
    assert_null(schema_nearest(&s, "completely"));
    assert_ok(schema_new(a, 5, &t, &err), &err);
    assert_false(schema_equal(&s, &t));
    memcpy(t.fields, s.fields, 5 * sizeof(field));
    assert_true(schema_equal(&s, &t));
    t.fields[4].nullable = false;
    assert_false(schema_equal(&s, &t));
    arena_free(a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_synonyms),
        cmocka_unit_test(refusals),
        cmocka_unit_test(widths),
        cmocka_unit_test(finding_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
