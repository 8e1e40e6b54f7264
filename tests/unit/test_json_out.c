#include "column/json_out.h"
#include "testing.h"

#include <math.h>

static nrw_error err = NRW_ERROR_INIT;

static void strings_and_numbers(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    bytes b = bytes_init(m, 1 << 20);
    static const char raw[] = "\0\1\b\t\n\v\f\r\x1b\x1f\x7f\"\\/ \xc3\xa9";
    assert_ok(json_string(&b, raw, sizeof raw - 1, &err), &err);
    assert_ok(json_i64(&b, INT64_MIN, &err), &err);
    assert_ok(bytes_append(&b, " ", 1, &err), &err);
    assert_ok(json_u64(&b, UINT64_MAX, &err), &err);
    assert_ok(bytes_append(&b, " ", 1, &err), &err);
    assert_ok(json_f64(&b, 0.25, &err), &err);
    assert_ok(json_f64(&b, NAN, &err), &err);
    assert_ok(bytes_append(&b, "", 1, &err), &err);
    /* escapes as DuckDB writes them */
    assert_string_equal(
        (char *)b.data,
        "\"\\u0000\\u0001\\b\\t\\n\\u000B\\f\\r\\u001B\\u001F\x7f\\\"\\\\/ \xc3\xa9\""
        "-9223372036854775808 18446744073709551615 0.25null");
    bytes_release(&b);
    char wide[20000];
    memset(wide, 'x', sizeof wide);
    wide[17] = wide[9999] = '\n';
    assert_ok(json_string(&b, wide, sizeof wide, &err), &err);
    assert_int_equal(b.len, sizeof wide + 4);
    bytes_release(&b);
    test_mem_close(m);
}

static void shorter(const char *text, const char *want)
{
    char out[200];
    size_t len;
    bool ok = json_minify((const uint8_t *)text, strlen(text), out, &len);
    assert_int_equal(ok, want != NULL);
    if (ok) {
        assert_int_equal(len, strlen(want));
        assert_memory_equal(out, want, len);
    }
}

static void minify(void **state)
{
    (void)state;
    shorter(" { \"a\" : [ 1 , 2.5e+7 , -0 ] , \"b c\" : { } , \"\" : [ ] } \n",
            "{\"a\":[1,2.5e+7,-0],\"b c\":{},\"\":[]}");
    shorter(" \"x \\u00e9 \\\" y\" ", "\"x \\u00e9 \\\" y\"");
    shorter("true", "true");
    shorter("[[[null, false]], {\"k\": \"v\"}]", "[[[null,false]],{\"k\":\"v\"}]");
    shorter("12", "12");
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "01",
        "1.",
        "-",
        "1e",
        "+1",
        "tru",
        "nulll",
        "1 2",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"a\nb\"",
        "[1 2]",
        "{\"a\":1,}",
        "[1}",
        "{\"a\" 1}",
        "[\"a\"",
        "\\",
        "NaN",
        "'a'",
        "{\"a\":1 \"b\":2}",
        ",",
        "[,]",
        "[1],",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        shorter(bad[i], NULL);
    char deep[3000], out[3000];
    size_t len;
    memset(deep, '[', 1500);
    memset(deep + 1500, ']', 1500);
    assert_false(json_minify((uint8_t *)deep, 3000, out, &len));
    assert_true(json_minify((uint8_t *)deep + 1000, 1000, out, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_and_numbers),
        cmocka_unit_test(minify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
