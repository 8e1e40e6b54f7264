/* Folder names against what DuckDB 2.0 and pyarrow 26 wrote for the same values. */
#include "testing.h"

#include "dataset/hive_name.h"

static void check(const char *key, const char *value, const char *want)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    bytes b = bytes_init(m, 4096);
    uint8_t back[4096];
    span v = value ? (span){(const uint8_t *)value, strlen(value)} : (span){0}, raw;

    assert_ok(hive_name_append(&b, key, value ? &v : NULL, &err), &err);
    assert_int_equal(b.len, strlen(want));
    assert_memory_equal(b.data, want, b.len);
    raw = (span){b.data + strlen(key) + 1, b.len - strlen(key) - 1};
    assert_int_equal(hive_is_null(raw), !value);
    if (value) {
        assert_int_equal(hive_unescape(raw, back), v.len);
        assert_memory_equal(back, value, v.len);
    }
    bytes_release(&b);
    test_mem_close(m);
}

static void test_names(void **state)
{
    (void)state;
    check("k", "01", "k=01");
    check("k", "", "k=");
    check("k", NULL, "k=__HIVE_DEFAULT_PARTITION__");
    check("k", "__HIVE_DEFAULT_PARTITION__", "k=%5F_HIVE_DEFAULT_PARTITION__");
    check("k", "a=b", "k=a%3Db");
    check("k", "a/b", "k=a%2Fb");
    check("k", " ", "k=%20");
    check("k", "%", "k=%25");
    check("k", "..", "k=..");
    check("k", "a+b", "k=a%2Bb");
    check("k", "\xc3\xbc", "k=%C3%BC");
    check("k", "#?*:\\", "k=%23%3F%2A%3A%5C");
    check("k", "\"'<>|^`", "k=%22%27%3C%3E%7C%5E%60");
    check("k", "[x]{y}", "k=%5Bx%5D%7By%7D");
    check("k", "!()-_.~", "k=%21%28%29-_.~");
    check("k", "a\nb\x01\x7f", "k=a%0Ab%01%7F");
}

static void test_key(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    bytes b = bytes_init(m, 4096);
    span v = SPAN("x");

    (void)state;
    v.len = 1;
    assert_ok(hive_name_append(&b, "a=b/c", &v, &err), &err);
    assert_int_equal(b.len, strlen("a%3Db%2Fc=x"));
    assert_memory_equal(b.data, "a%3Db%2Fc=x", b.len);
    bytes_release(&b);
    test_mem_close(m);
}

/* 253 letters behind "k=" are a name of 255 bytes; one more is too many, and so are 84 umlauts. */
static void test_long(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    bytes b = bytes_init(m, 4096);
    uint8_t text[300];
    span v = {text, 253};

    (void)state;
    memset(text, 'x', sizeof text);
    assert_ok(hive_name_append(&b, "k", &v, &err), &err);
    assert_int_equal(b.len, 255);
    v.len = 254;
    assert_int_equal(hive_name_append(&b, "k", &v, &err), NRW_E_VALUE);
    assert_int_equal(b.len, 255);
    assert_non_null(strstr(err.message, "256 bytes"));
    assert_string_equal(err.column, "k");
    memset(text, 0xfc, sizeof text);
    v.len = 85;
    assert_int_equal(hive_name_append(&b, "k", &v, &err), NRW_E_VALUE);
    bytes_release(&b);
    test_mem_close(m);
}

static size_t unescape(const char *text, char *out)
{
    size_t n = hive_unescape((span){(const uint8_t *)text, strlen(text)}, (uint8_t *)out);
    out[n] = '\0';
    return n;
}

static void test_foreign_escapes(void **state)
{
    char out[64];

    (void)state;
    unescape("%c3%bc", out);
    assert_string_equal(out, "\xc3\xbc");
    unescape("100%", out);
    assert_string_equal(out, "100%");
    unescape("%4", out);
    assert_string_equal(out, "%4");
    unescape("%zz%2g%41", out);
    assert_string_equal(out, "%zz%2gA");
    assert_int_equal(unescape("%00", out), 1);
    unescape("a+b", out);
    assert_string_equal(out, "a+b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_foreign_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
