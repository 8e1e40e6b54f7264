/* The constants are what DuckDB 2.0 prints. */
#include "column/print.h"
#include "testing.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static nrw_error err = NRW_ERROR_INIT;

static void same(const char *got, size_t n, const char *want)
{
    char text[PRINT_MAX + 1];
    memcpy(text, got, n);
    text[n] = 0;
    assert_string_equal(text, want);
}

static void doubles(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text, *json;
    } cases[] = {
        {1, "1.0", "1.0"},
        {1e20, "1e+20", "100000000000000000000.0"},
        {1e15, "1000000000000000.0", "1000000000000000.0"},
        {1e16, "1e+16", "10000000000000000.0"},
        {123456789012345680.0, "1.2345678901234568e+17", "123456789012345680.0"},
        {1e-4, "0.0001", "0.0001"},
        {1e-5, "1e-05", "0.00001"},
        {0.00001234, "1.234e-05", "0.00001234"},
        {1e-7, "1e-07", "1e-7"},
        {0.00000123, "1.23e-06", "0.00000123"},
        {-0.0, "-0.0", "-0.0"},
        {0.0, "0.0", "0.0"},
        {1.5, "1.5", "1.5"},
        {0.1, "0.1", "0.1"},
        {0.30000000000000004, "0.30000000000000004", "0.30000000000000004"},
        {1e100, "1e+100", "1e100"},
        {DBL_MAX, "1.7976931348623157e+308", "1.7976931348623157e308"},
        {5e-324, "5e-324", "5e-324"},
        {DBL_MIN, "2.2250738585072014e-308", "2.2250738585072014e-308"},
        {123456.789, "123456.789", "123456.789"},
        {1e21, "1e+21", "1e21"},
        {1.25e22, "1.25e+22", "1.25e22"},
        {12345678901234567890.0, "1.2345678901234567e+19", "12345678901234567000.0"},
        {9007199254740992, "9007199254740992.0", "9007199254740992.0"},
        {999999999999999.9, "999999999999999.9", "999999999999999.9"},
        {-1234567890123456.7, "-1234567890123456.8", "-1234567890123456.8"},
        {INFINITY, "inf", "Infinity"},
        {-INFINITY, "-inf", "-Infinity"},
    };
    char out[PRINT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        same(out, print_f64(cases[i].x, out), cases[i].text);
        same(out, print_json_f64(cases[i].x, out), cases[i].json);
    }
    same(out, print_f64(NAN, out), "nan");
    same(out, print_f64(-NAN, out), "-nan");
    same(out, print_json_f64(-NAN, out), "NaN");
}

static void floats(void **state)
{
    (void)state;
    static const struct {
        float x;
        const char *text;
    } cases[] = {
        {1e20f, "1e+20"},
        {1e7f, "10000000.0"},
        {16777216, "16777216.0"},
        {123456.7f, "123456.7"},
        {0.1f, "0.1"},
        {1e-5f, "1e-05"},
        {FLT_MAX, "3.4028235e+38"},
        {1e-45f, "1e-45"},
        {FLT_MIN, "1.1754944e-38"},
        {1e15f, "1000000000000000.0"},
        {1e16f, "1e+16"},
        {123456792, "123456790.0"},
        {-0.0f, "-0.0"},
    };
    char out[PRINT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        same(out, print_f32(cases[i].x, out), cases[i].text);
}

/* Every number reads back, and none has more digits than %.17g needs. */
static void shortest_reads_back(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 200000; i++) {
        char out[PRINT_MAX + 1], reference[40];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = seed ^ seed >> 29;
        if (i % 4 == 1)
            bits &= ~(((uint64_t)1 << 52) - 1); /* powers of two */
        if (i % 4 == 2)
            bits &= ((uint64_t)1 << 52) - 1; /* subnormal */
        double x;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x))
            continue;
        out[print_f64(x, out)] = 0;
        assert_true(strtod(out, NULL) == x);
        print_digits d = print_shortest_f64(fabs(x));
        int digits = (int)print_u64(d.digits, out);
        if (digits > 1) {
            snprintf(reference, sizeof reference, "%.*e", digits - 2, fabs(x));
            assert_true(strtod(reference, NULL) != fabs(x));
        }
        float f = (float)x;
        uint32_t low = (uint32_t)bits;
        memcpy(&f, &low, sizeof f);
        if (!isfinite(f))
            continue;
        out[print_f32(f, out)] = 0;
        assert_true(strtof(out, NULL) == f);
    }
}

static void integers(void **state)
{
    (void)state;
    char out[PRINT_MAX], want[40];
    same(out, print_i64(INT64_MIN, out), "-9223372036854775808");
    same(out, print_u64(UINT64_MAX, out), "18446744073709551615");
    same(out, print_u64(0, out), "0");
    for (uint64_t p = 1, i = 0; i < 20; i++, p *= 10)
        for (int d = -1; d <= 1; d++) {
            snprintf(want, sizeof want, "%llu", (unsigned long long)(p + (uint64_t)d));
            same(out, print_u64(p + (uint64_t)d, out), want);
        }
}

static void decimals(void **state)
{
    (void)state;
    char out[PRINT_MAX];
    int32_t a = -5;
    type t = type_decimal(9, 2);
    same(out, print_fixed(&t, (uint8_t *)&a, out), "-0.05");
    a = 1230;
    same(out, print_fixed(&t, (uint8_t *)&a, out), "12.30");
    t = type_decimal(3, 3);
    a = 0;
    same(out, print_fixed(&t, (uint8_t *)&a, out), ".000");
    a = -500;
    same(out, print_fixed(&t, (uint8_t *)&a, out), "-.500");
    t = type_decimal(4, 0);
    a = 5;
    same(out, print_fixed(&t, (uint8_t *)&a, out), "5");
    __int128 b = -((__int128)1 << 126) - ((__int128)1 << 126);
    t = type_decimal(38, 0);
    same(out, print_fixed(&t, (uint8_t *)&b, out), "-170141183460469231731687303715884105728");
    b = 1;
    for (int i = 0; i < 38; i++)
        b *= 10;
    b -= 1;
    t = type_decimal(38, 3);
    same(out, print_fixed(&t, (uint8_t *)&b, out), "99999999999999999999999999999999999.999");
    uint64_t c[4] = {0, 0, 0, (uint64_t)1 << 63};
    t = type_decimal(76, 1);
    same(out, print_fixed(&t, (uint8_t *)c, out),
         "-5789604461865809771178549250434395392663499233282028201972879200395656481996.8");
    uint64_t d[4] = {1, 0, 1, 0}; /* 2^128 + 1 */
    same(out, print_fixed(&t, (uint8_t *)d, out), "34028236692093846346337460743176821145.7");
}

static void days(int32_t x, const char *want)
{
    char out[PRINT_MAX];
    same(out, print_date(x, out), want);
}

static void dates(void **state)
{
    (void)state;
    days(0, "1970-01-01");
    days(19753, "2024-01-31");
    days(11016, "2000-02-29");
    days(-719162, "0001-01-01");
    days(-719163, "0001-12-31 (BC)");
    days(-719528, "0001-01-01 (BC)");
    days(-2440954, "4715-11-23 (BC)");
    days(2932897, "10000-01-01");
    days(2147483646, "5881580-07-10");
    days(-2147483646, "5877642-06-25 (BC)");
    days(INT32_MAX, "infinity");
    days(-INT32_MAX, "-infinity");
}

static void fixed64(type t, int64_t x, const char *want)
{
    char out[PRINT_MAX];
    same(out, print_fixed(&t, (uint8_t *)&x, out), want);
}

static void times(void **state)
{
    (void)state;
    fixed64(type_time(UNIT_US, false), 45296100000, "12:34:56.1");
    fixed64(type_time(UNIT_US, false), 0, "00:00:00");
    fixed64(type_time(UNIT_US, false), 86399999999, "23:59:59.999999");
    fixed64(type_time(UNIT_US, false), 86400000000, "24:00:00");
    fixed64(type_time(UNIT_US, false), 45296000001, "12:34:56.000001");
    fixed64(type_time(UNIT_NS, false), 45296123456789, "12:34:56.123456789");
    fixed64(type_time(UNIT_MS, true), 45296500, "12:34:56.5+00");
    fixed64(type_time(UNIT_S, true), 45296, "12:34:56+00");
    fixed64(type_time(UNIT_US, true), -13899000000, "20:08:21+00");
    fixed64(type_time(UNIT_MS, false), -86400000, "00:00:00");
    fixed64(type_timestamp(UNIT_US, false), 1706704496789000, "2024-01-31 12:34:56.789");
    fixed64(type_timestamp(UNIT_US, true), 1706704496789000, "2024-01-31 12:34:56.789+00");
    fixed64(type_timestamp(UNIT_US, false), 1706659200000000, "2024-01-31 00:00:00");
    fixed64(type_timestamp(UNIT_US, false), -1, "1969-12-31 23:59:59.999999");
    fixed64(type_timestamp(UNIT_US, true), INT64_MAX - 1, "294247-01-10 04:00:54.775806+00");
    fixed64(type_timestamp(UNIT_US, false), INT64_MAX, "infinity");
    fixed64(type_timestamp(UNIT_MS, false), -INT64_MAX, "-infinity");
    fixed64(type_timestamp(UNIT_S, false), -63517788000, "0044-03-15 (BC) 10:00:00");
    fixed64(type_timestamp(UNIT_NS, false), 1706704496789123456, "2024-01-31 12:34:56.789123456");
}

static void durations(void **state)
{
    (void)state;
    fixed64(type_duration(UNIT_S), 0, "00:00:00");
    fixed64(type_duration(UNIT_MS), 3723004, "01:02:03.004");
    fixed64(type_duration(UNIT_US), -1, "-00:00:00.000001");
    fixed64(type_duration(UNIT_NS), 90000000000001, "25:00:00.000000001");
    fixed64(type_duration(UNIT_S), INT64_MAX, "2562047788015215:30:07");
    fixed64(type_duration(UNIT_S), INT64_MIN, "-2562047788015215:30:08");
}

static void spell_interval(uint32_t months, uint32_t d, uint32_t ms, const char *want)
{
    uint32_t parts[3] = {months, d, ms};
    char out[PRINT_MAX];
    type t = type_of(TYPE_INTERVAL);
    same(out, print_fixed(&t, (uint8_t *)parts, out), want);
}

static void intervals(void **state)
{
    (void)state;
    spell_interval(0, 0, 0, "00:00:00");
    spell_interval(1, 0, 0, "1 month");
    spell_interval(14, 3, 0, "1 year 2 months 3 days");
    spell_interval(24, 0, 0, "2 years");
    spell_interval(13, 2, 3723004, "1 year 1 month 2 days 01:02:03.004");
    spell_interval(0, 1, 0, "1 day");
    spell_interval(0, 0, 90000000, "25:00:00");
    spell_interval(0, 49, 61367295, "49 days 17:02:47.295");
    spell_interval(UINT32_MAX, UINT32_MAX, UINT32_MAX,
                   "357913941 years 3 months 4294967295 days 1193:02:47.295");
}

static void others(void **state)
{
    (void)state;
    char out[PRINT_MAX];
    uint8_t id[16] = {0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8,
                      0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11};
    type t = type_of(TYPE_UUID);
    same(out, print_fixed(&t, id, out), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    uint8_t blob[] = {0, 0xaa, 'a', '"', '\'', '\\', '~', 0x7f, '\n', ' '};
    same(out, print_blob(blob, sizeof blob, out), "\\x00\\xAAa\\x22\\x27\\x5C~\\x7F\\x0A ");
    t = type_of(TYPE_BOOL);
    same(out, print_fixed(&t, (const uint8_t *)"\1", out), "true");
    same(out, print_fixed(&t, (const uint8_t *)"\0", out), "false");
    t = type_of(TYPE_INT8);
    same(out, print_fixed(&t, (const uint8_t *)"\x80", out), "-128");
    t = type_of(TYPE_UINT16);
    same(out, print_fixed(&t, (const uint8_t *)"\xff\xff", out), "65535");
    t = type_of(TYPE_FLOAT16);
    uint16_t halves[] = {0x3c00, 0x2e66, 0x0001, 0xfc00, 0x8000, 0x7bff};
    static const char *const texts[] = {"1.0",  "0.099975586", "5.9604645e-08",
                                        "-inf", "-0.0",        "65504.0"};
    for (int i = 0; i < 6; i++)
        same(out, print_fixed(&t, (uint8_t *)&halves[i], out), texts[i]);
}

static void into_buffers(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    bytes b = bytes_init(m, 100000);
    type text = type_of(TYPE_UTF8), blob = type_of(TYPE_BINARY), big = type_of(TYPE_INT64);
    int64_t x = -7;
    uint8_t wide[5000];
    memset(wide, 1, sizeof wide);
    assert_ok(print_value(&text, (span){(const uint8_t *)"a\nb", 3}, &b, &err), &err);
    assert_ok(print_value(&big, (span){(uint8_t *)&x, 8}, &b, &err), &err);
    same((char *)b.data, b.len, "a\nb-7");
    assert_ok(print_value(&blob, (span){wide, sizeof wide}, &b, &err), &err);
    assert_int_equal(b.len, 5 + 4 * sizeof wide);
    bytes_release(&b);
    char out[12];
    same(out, print_short(&text, (span){(const uint8_t *)"0123456789", 10}, out, 12), "0123456789");
    same(out, print_short(&text, (span){(const uint8_t *)"0123456789ab", 12}, out, 12),
         "01234567...");
    same(out, print_short(&text, (span){(const uint8_t *)"0123456\xc3\xa9xxxx", 13}, out, 12),
         "0123456...");
    same(out, print_short(&blob, (span){wide, sizeof wide}, out, 12), "\\x01\\x01...");
    same(out, print_short(&big, (span){(uint8_t *)&x, 8}, out, 12), "-7");
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles),
        cmocka_unit_test(floats),
        cmocka_unit_test(shortest_reads_back),
        cmocka_unit_test(integers),
        cmocka_unit_test(decimals),
        cmocka_unit_test(dates),
        cmocka_unit_test(times),
        cmocka_unit_test(durations),
        cmocka_unit_test(intervals),
        cmocka_unit_test(others),
        cmocka_unit_test(into_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
