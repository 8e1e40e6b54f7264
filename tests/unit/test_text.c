#include "testing.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static void sizes_are_parsed(void **state)
{
    static const struct {
        const char *text;
        uint64_t want;
    } good[] = {{"0", 0},
                {"4096", 4096},
                {"12B", 12},
                {"64MiB", 64 * MIB},
                {"64M", 64 * MIB},
                {"64 mib", 64 * MIB},
                {"64m", 64 * MIB},
                {"64MB", 64000000},
                {"1.5GiB", 3 * GIB / 2},
                {"1.5kb", 1500},
                {"2T", 2048 * GIB},
                {"50%", 500},
                {"100%", 1000},
                {"0.5%", 5},
                {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {"",      "x",    "-1",    "MiB",  "64MiBs", "64X",
                                      "0x10",  "inf",  "nan",   "+5",   "1e400",  "101%",
                                      "16EiB", "20EB", " 5MiB", "5MiB "};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        nrw_error err = NRW_ERROR_INIT;
        uint64_t got;
        assert_ok(text_parse_size(good[i].text, 1000, "--memory", &got, &err), &err);
        assert_int_equal(got, good[i].want);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error err = NRW_ERROR_INIT;
        uint64_t got;
        assert_status(NRW_E_ARG, text_parse_size(bad[i], 1000, "--memory", &got, &err), &err);
        assert_non_null(strstr(err.message, "--memory"));
        assert_int_equal(got, 0);
    }
    uint64_t got;
    assert_int_equal(text_parse_size("50%", 0, "--memory", &got, NULL), NRW_E_ARG);
}

static void sizes_are_printed(void **state)
{
    char b[2 * TEXT_NUMBER];

    (void)state;
    assert_string_equal(text_size(0, b), "0 bytes");
    assert_string_equal(text_size(1, b), "1 byte");
    assert_string_equal(text_size(1023, b), "1023 bytes");
    assert_string_equal(text_size(1024, b), "1.0 KiB");
    assert_string_equal(text_size(28626125, b), "27.3 MiB");
    assert_string_equal(text_size(32 * MIB, b), "32 MiB");
    assert_string_equal(text_size(MIB - 1, b), "1.0 MiB");
    assert_string_equal(text_size(1000 * MIB, b), "1000 MiB");
    assert_string_equal(text_size(UINT64_MAX, b), "16 EiB");
    assert_string_equal(text_size10(1300000000, b), "1.3 GB");
    assert_string_equal(text_size10(182000000, b), "182 MB");
    assert_string_equal(text_size_of(28626125, 32 * MIB, b), "27.3 of 32 MiB");
    assert_string_equal(text_size_of(3, 100, b), "3 of 100 bytes");
    assert_string_equal(text_size_of(0, GIB, b), "0.0 of 1.0 GiB");
    assert_string_equal(text_size_option(41 * MIB, b), "41MiB");
    assert_string_equal(text_size_option(40 * MIB + 1, b), "41MiB");
    assert_string_equal(text_size_option(5000, b), "5KiB");
    assert_string_equal(text_size_option(UINT64_MAX, b), "17592186044416MiB");
    assert_string_equal(text_group(0, b), "0");
    assert_string_equal(text_group(999, b), "999");
    assert_string_equal(text_group(1000000, b), "1,000,000");
    assert_string_equal(text_group(UINT64_MAX, b), "18,446,744,073,709,551,615");
}

static void hex_digits_have_values(void **state)
{
    static const char digits[] = "0123456789abcdef";

    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(digits, c >= 'A' && c <= 'Z' ? c + 32 : c) : NULL;
        assert_int_equal(text_hex_digit((uint8_t)c), at ? (int)(at - digits) : -1);
    }
}

static void utf8_follows_the_standard(void **state)
{
    static const struct {
        const char *text;
        size_t valid; /* bytes */
    } cases[] = {{"", 0},
                 {"plain", 5},
                 {"gr\xc3\xbc\xc3\x9f", 6},
                 {"\xe2\x82\xac", 3},
                 {"\xf0\x9f\x98\x80", 4},
                 {"\xf4\x8f\xbf\xbf", 4},
                 {"\xee\x80\x80", 3},
                 {"a\x80", 1},
                 {"a\xc0\x80", 1},         /* overlong */
                 {"a\xc1\xbf", 1},         /* overlong */
                 {"a\xe0\x9f\xbf", 1},     /* overlong */
                 {"a\xf0\x8f\xbf\xbf", 1}, /* overlong */
                 {"a\xed\xa0\x80", 1},     /* surrogate */
                 {"a\xf4\x90\x80\x80", 1}, /* above U+10FFFF */
                 {"a\xf5\x80\x80\x80", 1}, /* above U+10FFFF */
                 {"ab\xe2\x82", 2},        /* cut off */
                 {"ab\xf0\x9f\x98", 2},    /* cut off */
                 {"0123456701234567\xff", 16},
                 {"01234567012345670123456701234567x\xc3", 33}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].text);
        assert_int_equal(utf8_valid_prefix(cases[i].text, len), cases[i].valid);
        assert_int_equal(utf8_valid(cases[i].text, len), cases[i].valid == len);
    }
    char text[80];
    for (size_t at = 0; at < 70; at++) { /* a wrong byte at every place */
        memset(text, 'a', sizeof text);
        text[at] = (char)0xfe;
        assert_int_equal(utf8_valid_prefix(text, 70), at);
    }
    assert_int_equal(utf8_cut("gr\xc3\xbc\xc3\x9f", 6, 3), 2);
    assert_int_equal(utf8_cut("gr\xc3\xbc\xc3\x9f", 6, 4), 4);
    assert_int_equal(utf8_cut("abc", 3, 9), 3);
    assert_int_equal(utf8_cut("\x80\x80\x80", 3, 2), 0);
}

/* All characters there are, against an encoder of two lines. */
static void every_character_is_valid(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        uint8_t t[4] = {(uint8_t)(0xf0 | c >> 18), (uint8_t)(0x80 | (c >> 12 & 63)),
                        (uint8_t)(0x80 | (c >> 6 & 63)), (uint8_t)(0x80 | (c & 63))};
        size_t skip = c < 0x80 ? 3 : c < 0x800 ? 2 : c < 0x10000 ? 1 : 0;
        bool good = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
        if (skip == 3)
            t[3] = (uint8_t)c;
        else if (skip)
            t[skip] = (uint8_t)((skip == 2 ? 0xc0 : 0xe0) | (c >> (skip == 2 ? 6 : 12)));
        uint8_t put[4];
        if (utf8_valid(t + skip, 4 - skip) != good)
            fail_msg("U+%04X", (unsigned)c);
        if (utf8_put(c, put) != 4 - skip || memcmp(put, t + skip, 4 - skip) != 0)
            fail_msg("U+%04X is put wrongly", (unsigned)c);
    }
}

static void hashes_mix(void **state)
{
    (void)state;
    assert_int_equal(hash_bytes("", 0), UINT64_C(0x2d06800538d394c2)); /* XXH3's own value */
    assert_true(hash_bytes("a", 1) != hash_bytes("b", 1));
    assert_true(hash_combine(hash_u64(1), 2) != hash_combine(hash_u64(2), 1));
    /* one bit of the input moves about half of the output */
    for (int bit = 0; bit < 64; bit++) {
        int moved = 0;
        for (uint64_t v = 1; v <= 64; v++)
            moved += __builtin_popcountll(hash_u64(v) ^ hash_u64(v ^ (uint64_t)1 << bit));
        assert_in_range(moved, 64 * 26, 64 * 38);
    }
}

static void time_goes_forward(void **state)
{
    uint64_t a = clock_nanoseconds();
    double s = clock_seconds();

    (void)state;
    assert_true(clock_nanoseconds() >= a);
    assert_true(clock_seconds() >= s && s > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_parsed),         cmocka_unit_test(sizes_are_printed),
        cmocka_unit_test(hex_digits_have_values),   cmocka_unit_test(utf8_follows_the_standard),
        cmocka_unit_test(every_character_is_valid), cmocka_unit_test(hashes_mix),
        cmocka_unit_test(time_goes_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
