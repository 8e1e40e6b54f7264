/* Scalar expressions without columns: type and value of each, as DuckDB 2.0.0 gives them, and what
 * must be refused. Values are compared as the text that a cast to VARCHAR makes. */
#include "scalar_sql.h"

static nrw_error err = NRW_ERROR_INIT;

typedef struct answer {
    const char *sql, *type, *value; /* NULL: null */
} answer;

static void check(const answer *want)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    const type text = type_of(TYPE_UTF8);
    const expr *e, *printed;
    char type_name[128];
    vector v, flat;
    arena *a;

    assert_ok(arena_new(m, &a, &err), &err);
    if (sql_expression(&(sql_binder){.a = a}, want->sql, &e, &err) < 0)
        fail_msg("%s: %s", want->sql, err.message);
    type_print(&e->type, type_name, sizeof type_name);
    if (strcmp(type_name, want->type) != 0)
        fail_msg("%s is %s, wanted %s", want->sql, type_name, want->type);
    assert_ok(expr_cast(a, e, &text, false, &printed, &err), &err);
    if (expr_eval(printed, NULL, 1, m, &v, &err) < 0)
        fail_msg("%s: %s", want->sql, err.message);
    assert_ok(vector_validate(&v, &err), &err);
    assert_ok(vector_flatten(&v, m, &flat, &err), &err);
    assert_int_equal(flat.len, 1);
    if (!vector_is_valid(&flat, 0)) {
        if (want->value)
            fail_msg("%s is null, wanted %s", want->sql, want->value);
    } else {
        span s = view_span(&flat, 0);
        if (!want->value || s.len != strlen(want->value) || memcmp(s.data, want->value, s.len) != 0)
            fail_msg("%s is %.*s, wanted %s", want->sql, (int)s.len, (const char *)s.data,
                     want->value ? want->value : "null");
    }
    vector_release(&v);
    vector_release(&flat);
    arena_free(a);
    test_mem_close(m);
}

#define CHECK_ALL(answers)                                                                         \
    for (size_t i = 0; i < sizeof(answers) / sizeof *(answers); i++)                               \
    check(&(answers)[i])

static void arithmetic(void **state)
{
    static const answer answers[] = {
        {"1 + 2", "INTEGER", "3"},
        {"1::TINYINT + 1", "TINYINT", "2"},
        {"127::TINYINT + 128", "INTEGER", "255"},
        {"1::UTINYINT + 1::TINYINT", "BIGINT", "2"},
        {"1::UBIGINT + 1::BIGINT", "HUGEINT", "2"},
        {"7 / 2", "DOUBLE", "3.5"},
        {"7 // 2", "INTEGER", "3"},
        {"-7 // 3", "INTEGER", "-2"},
        {"-7 % 3", "INTEGER", "-1"},
        {"7.5 // 2", "DOUBLE", "3.75"},
        {"1 / 0", "DOUBLE", "inf"},
        {"1.5 + 1", "DECIMAL(12,1)", "2.5"},
        {"1::DECIMAL(3,1) * 2", "DECIMAL(13,1)", "2.0"},
        {"9.99::DECIMAL(3,2) * 9.99::DECIMAL(3,2)", "DECIMAL(6,4)", "99.8001"},
        {"-7.5 % 2", "DECIMAL(11,1)", "-1.5"},
        {"9223372036854775808", "HUGEINT", "9223372036854775808"},
        {"-2147483648", "INTEGER", "-2147483648"},
        {"170141183460469231731687303715884105728", "UHUGEINT",
         "170141183460469231731687303715884105728"},
        {"1.5::DOUBLE + NULL", "DOUBLE", NULL},
        {"2 ** 3", "DOUBLE", "8.0"},
        {"factorial(20)", "HUGEINT", "2432902008176640000"},
        {"round(155.55, -1)", "DECIMAL(5,0)", "160"},
        {"round(1.25::DOUBLE, 1)", "DOUBLE", "1.3"},
        {"roundbankers(45.45, 1)", "DECIMAL(4,1)", "45.4"},
        {"1 << 3", "INTEGER", "8"},
        {"bit_count(-1)", "TINYINT", "32"},
        {"greatest(1, NULL, 3)", "INTEGER", "3"},
    };

    (void)state;
    CHECK_ALL(answers);
}

static void casts(void **state)
{
    static const answer answers[] = {
        {"2.5::INTEGER", "INTEGER", "3"},
        {"2.5::DOUBLE::INTEGER", "INTEGER", "2"},
        {"'-2.5'::INTEGER", "INTEGER", "-3"},
        {"'1e2'::INTEGER", "INTEGER", "100"},
        {"'0x1F'::INTEGER", "INTEGER", "31"},
        {"'1_000'::INTEGER", "INTEGER", "1000"},
        {"TRY_CAST('1__0' AS INTEGER)", "INTEGER", NULL},
        {"TRY_CAST(300 AS TINYINT)", "TINYINT", NULL},
        {"1.45::DECIMAL(3,2)::DECIMAL(2,1)", "DECIMAL(2,1)", "1.5"},
        {"'1.545'::DECIMAL(10,2)", "DECIMAL(10,2)", "1.55"},
        {"0.000000000000000000000001::DECIMAL(38,38)::DOUBLE", "DOUBLE", "1e-24"},
        {"1e20::VARCHAR", "VARCHAR", "1e+20"},
        {"'\\xAA'::BLOB", "BLOB", "\\xAA"},
        {"[1, 2]::VARCHAR[]", "VARCHAR[]", "[1, 2]"},
        {"['a', 'b c', NULL, '']", "VARCHAR[]", "[a, b c, NULL, '']"},
        {"{'a': 1, 'b': 'x'}", "STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, 'b': x}"},
        {"map([1], ['a'])", "MAP(INTEGER, VARCHAR)", "{1=a}"},
        {"'1-01-01 (BC)'::DATE", "DATE", "0001-01-01 (BC)"},
        {"TRY_CAST('2001-02-29' AS DATE)", "DATE", NULL},
        {"'2020-01-02 10:05:06.1239'::TIMESTAMP_MS", "TIMESTAMP_MS", "2020-01-02 10:05:06.124"},
        {"'2020-01-02 10:05:06-01:30'::TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE",
         "2020-01-02 11:35:06+00"},
        {"'1.5 months 2 hours ago'::INTERVAL", "INTERVAL", "-1 month -15 days -02:00:00"},
    };

    (void)state;
    CHECK_ALL(answers);
}

static void comparisons(void **state)
{
    static const answer answers[] = {
        {"1 = 1.0", "BOOLEAN", "true"},
        {"1 = '1'", "BOOLEAN", "true"},
        {"NULL = 1", "BOOLEAN", NULL},
        {"1 IS DISTINCT FROM NULL", "BOOLEAN", "true"},
        {"'nan'::DOUBLE = 'nan'::DOUBLE", "BOOLEAN", "true"},
        {"'nan'::DOUBLE > 'inf'::DOUBLE", "BOOLEAN", "true"},
        {"0.0::DOUBLE = -0.0::DOUBLE", "BOOLEAN", "true"},
        {"'a' < 'a '", "BOOLEAN", "true"},
        {"[1, NULL] > [1, 2]", "BOOLEAN", "true"},
        {"'30 days'::INTERVAL = '1 month'::INTERVAL", "BOOLEAN", "true"},
        {"2 IN (1, NULL)", "BOOLEAN", NULL},
        {"false AND NULL", "BOOLEAN", "false"},
        {"true OR NULL", "BOOLEAN", "true"},
        {"'abc' LIKE 'a%'", "BOOLEAN", "true"},
        {"'a%c' LIKE 'a$%c' ESCAPE '$'", "BOOLEAN", "true"},
        {"'ABC' ILIKE '_b_'", "BOOLEAN", "true"},
        {"coalesce(1.5, 1)", "DECIMAL(11,1)", "1.5"},
        {"nullif(1, 1)", "INTEGER", NULL},
        {"CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "VARCHAR", "b"},
        {"CASE WHEN true THEN 1 ELSE 1 // 0 END", "INTEGER", "1"},
        {"try(1 // 0)", "INTEGER", NULL},
    };

    (void)state;
    CHECK_ALL(answers);
}

static void texts(void **state)
{
    static const answer answers[] = {
        {"substring('A3🦤u🦆f', -3, 3)", "VARCHAR", "u🦆f"},
        {"substring('hello', 0, 3)", "VARCHAR", "he"},
        {"left('hello', -2)", "VARCHAR", "hel"},
        {"right('hello', 2)", "VARCHAR", "lo"},
        {"upper('straße ä')", "VARCHAR", "STRAẞE Ä"},
        {"trim('xxaxx', 'x')", "VARCHAR", "a"},
        {"lpad('a', 3, 'xy')", "VARCHAR", "xya"},
        {"replace('aaa', 'a', 'bb')", "VARCHAR", "bbbbbb"},
        {"split_part('a,b,c', ',', -1)", "VARCHAR", "c"},
        {"string_split('a,b', ',')", "VARCHAR[]", "[a, b]"},
        {"concat_ws(',', 'a', NULL, 'b')", "VARCHAR", "a,b"},
        {"'a' || 1", "VARCHAR", "a1"},
        {"instr('héllo', 'l')", "BIGINT", "3"},
        {"reverse('añb')", "VARCHAR", "bña"},
        {"md5('hello')", "VARCHAR", "5d41402abc4b2a76b9719d911017c592"},
        {"hex('abc')", "VARCHAR", "616263"},
        {"levenshtein('hallo', 'hello')", "BIGINT", "1"},
        {"printf('%04d|%-5s|%.2f|%,d', 33, 'ab', 1.5, 1234567)", "VARCHAR",
         "0033|ab   |1.50|1,234,567"},
        {"format('{1} {0:03d}', 7, 'x')", "VARCHAR", "x 007"},
        {"regexp_matches('abc', 'b')", "BOOLEAN", "true"},
        {"regexp_full_match('abc', 'b')", "BOOLEAN", "false"},
        {"regexp_replace('foobarbaz', 'b(..)', '[\\1]', 'g')", "VARCHAR", "foo[ar][az]"},
        {"regexp_extract('foobarbaz', 'b(.)', 1)", "VARCHAR", "a"},
        {"regexp_extract_all('a1b2', '[a-z]')", "VARCHAR[]", "[a, b]"},
        {"[1, 2, 3][-1]", "INTEGER", "3"},
        {"list_sort([3, 1, NULL, 2])", "INTEGER[]", "[1, 2, 3, NULL]"},
        {"list_contains([1, 2], 2)", "BOOLEAN", "true"},
        {"[1] || [2]", "INTEGER[]", "[1, 2]"},
        {"struct_extract({'a': 1}, 'A')", "INTEGER", "1"},
        {"map([1, 2], ['a', 'b'])[2]", "VARCHAR", "b"},
    };

    (void)state;
    CHECK_ALL(answers);
}

static void moments(void **state)
{
    static const answer answers[] = {
        {"'2020-01-31'::DATE + '1 month'::INTERVAL", "TIMESTAMP", "2020-02-29 00:00:00"},
        {"'2020-01-01'::DATE + 1", "DATE", "2020-01-02"},
        {"'2020-01-01'::DATE - '2019-01-01'::DATE", "BIGINT", "365"},
        {"'2020-01-02 03:00:00'::TIMESTAMP - '2020-01-01'::TIMESTAMP", "INTERVAL",
         "1 day 03:00:00"},
        {"'23:30:00'::TIME + '1 hour'::INTERVAL", "TIME", "00:30:00"},
        {"'1 month'::INTERVAL * 1.5", "INTERVAL", "1 month 15 days"},
        {"date_part('yearweek', '-0155-05-17'::DATE)", "BIGINT", "-15520"},
        {"date_part('epoch', '2020-01-01 00:00:00.5'::TIMESTAMP)", "DOUBLE", "1577836800.5"},
        {"year('infinity'::DATE)", "BIGINT", NULL},
        {"date_trunc('week', '2025-05-17'::DATE)", "TIMESTAMP", "2025-05-12 00:00:00"},
        {"date_diff('week', '2020-01-05'::DATE, '2020-01-06'::DATE)", "BIGINT", "0"},
        {"date_sub('month', '2020-01-31'::DATE, '2020-02-29'::DATE)", "BIGINT", "1"},
        {"age('2020-03-31'::TIMESTAMP, '2020-06-28'::TIMESTAMP)", "INTERVAL", "-2 months -28 days"},
        {"last_day('2020-02-10'::DATE)", "DATE", "2020-02-29"},
        {"make_timestamp(2020, 1, 2, 3, 4, 5.678)", "TIMESTAMP", "2020-01-02 03:04:05.678"},
        {"strftime('2020-05-07 13:04:05.678901'::TIMESTAMP, '%a %d %b %y %I:%M %p %f %j')",
         "VARCHAR", "Thu 07 May 20 01:04 PM 678901 128"},
        {"strptime('7 May 2020 3 pm', '%-d %b %Y %-I %p')", "TIMESTAMP", "2020-05-07 15:00:00"},
        {"to_months(14)", "INTERVAL", "1 year 2 months"},
    };

    (void)state;
    CHECK_ALL(answers);
}

/* What is refused: when the call is built, or when it is evaluated. */
static void refusals(void **state)
{
    static const char *const wrong[] = {
        "9223372036854775807 + 1",
        "100::TINYINT + 100::TINYINT",
        "1 // 0",
        "1 % 0",
        "(-128)::TINYINT // (-1)::TINYINT",
        "1::UTINYINT - 2::UTINYINT",
        "99999999999999999999999999999999999999::DECIMAL(38,0) + 1",
        "300::TINYINT",
        "'abc'::INTEGER",
        "'nan'::DOUBLE::INTEGER",
        "1e40::DOUBLE::FLOAT",
        "99.995::DOUBLE::DECIMAL(4,2)",
        "factorial(40)",
        "1 << 40",
        "chr(1114112)",
        "regexp_matches('a', '(?=a)')",
        "make_date(2020, 2, 31)",
        "strptime('bad', '%Y')",
        "error('stop')",
        "no_such_function(1)",
        "1 + true",
        "1::DATE",
        "[1, 'a'::VARCHAR]",
        "map([1, 1], [2, 3])",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        const expr *e;
        arena *a;
        vector v;
        nrw_status st;

        assert_ok(arena_new(m, &a, &err), &err);
        st = sql_expression(&(sql_binder){.a = a}, wrong[i], &e, &err);
        if (st == NRW_OK)
            st = expr_eval(e, NULL, 1, m, &v, &err);
        if (st != NRW_E_ARG && st != NRW_E_VALUE)
            fail_msg("%s ends with status %d", wrong[i], (int)st);
        arena_free(a);
        test_mem_close(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic), cmocka_unit_test(casts),   cmocka_unit_test(comparisons),
        cmocka_unit_test(texts),      cmocka_unit_test(moments), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
