/* The encoders, decoded again by the reference decoder. */
#include "decode_reference.h"

#include "format/parquet/enc_page.h"

#include <stdlib.h>

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* ---- RLE ---- */

static void check_rle(const uint32_t *v, size_t n, unsigned width)
{
    size_t cap = enc_rle_bound(n, width) + 64, n_runs = 0, len, len_runs;
    uint8_t *one = malloc(cap), *two;
    uint32_t *back = malloc((n + 1) * sizeof *back);
    enc_run *runs = malloc((n + 1) * sizeof *runs);

    len = enc_rle_u32(v, n, width, one);
    assert_true(len <= cap - 64);
    ref_rle((ref_in){one, one + len}, width, n, back);
    assert_memory_equal(v, back, n * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        if (n_runs && runs[n_runs - 1].value == v[i])
            runs[n_runs - 1].count++;
        else
            runs[n_runs++] = (enc_run){v[i], 1};
    }
    two = malloc(enc_rle_runs_bound(n_runs, width) + 64);
    len_runs = enc_rle_runs(runs, n_runs, width, two);
    assert_true(len_runs <= enc_rle_runs_bound(n_runs, width));
    assert_int_equal(len, len_runs);
    assert_memory_equal(one, two, len);
    free(one);
    free(two);
    free(back);
    free(runs);
}

/* Values whose runs are about `run` long. */
static void fill_runs(uint32_t *v, size_t n, unsigned width, size_t run)
{
    uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1, value = 0;
    size_t left = 0;

    for (size_t i = 0; i < n; i++) {
        if (!left) {
            left = 1 + next_random() % (2 * run);
            value = (uint32_t)next_random() & mask;
        }
        v[i] = value;
        left--;
    }
}

static void test_rle(void **state)
{
    static const size_t lengths[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 1000, 5000};
    static const size_t run[] = {1, 2, 5, 9, 20, 40, 300};
    uint32_t v[5000 + 16];
    (void)state;

    for (unsigned width = 0; width <= 32; width++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (size_t r = 0; r < sizeof run / sizeof *run; r++) {
                fill_runs(v, lengths[l], width, run[r]);
                check_rle(v, lengths[l], width);
            }
}

static void test_rle_is_small(void **state)
{
    uint32_t v[4096 + 16];
    uint8_t out[8192];
    (void)state;

    for (int i = 0; i < 4096; i++)
        v[i] = 7;
    assert_int_equal(enc_rle_u32(v, 4096, 3, out), 3);
    assert_int_equal(enc_rle_u32(v, 3, 3, out), 2);
    for (int i = 0; i < 4096; i++)
        v[i] = (uint32_t)i / 1000;
    assert_int_equal(enc_rle_u32(v, 4000, 17, out), 4 * 5);
    for (int i = 0; i < 4096; i++)
        v[i] = (uint32_t)i & 7;
    assert_int_equal(enc_rle_u32(v, 4096, 3, out), 2 + 4096 * 3 / 8);
    assert_int_equal(enc_rle_u32(v, 0, 3, out), 0);
}

static void check_bits(const uint8_t *bits, size_t n)
{
    uint8_t *out = malloc(enc_rle_bits_bound(n));
    uint32_t *back = malloc((n + 1) * sizeof *back);
    size_t len = enc_rle_bits(bits, n, out);

    assert_true(len <= enc_rle_bits_bound(n));
    ref_rle((ref_in){out, out + len}, 1, n, back);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(back[i], bits[i / 8] >> (i % 8) & 1);
    free(out);
    free(back);
}

static void test_rle_bits(void **state)
{
    uint8_t bits[1024], out[64], ones[64];
    (void)state;

    for (size_t n = 1; n < 8000; n = n * 5 / 4 + 1)
        for (unsigned per_mille = 0; per_mille <= 1000; per_mille += 125)
            for (size_t run = 1; run < 200; run = run * 3 + 1) {
                bool value = false;
                memset(bits, 0xa5, sizeof bits); /* what lies behind the end must not matter */
                for (size_t i = 0; i < n; i++) {
                    if (next_random() % run == 0)
                        value = next_random() % 1000 < per_mille;
                    bits[i / 8] =
                        (uint8_t)((bits[i / 8] & ~(1u << i % 8)) | (unsigned)value << i % 8);
                }
                check_bits(bits, n);
            }
    for (size_t n = 1; n < 500; n++) {
        size_t len;
        memset(bits, 0xff, sizeof bits);
        len = enc_rle_bits(bits, n, out);
        assert_int_equal(len, enc_rle_ones(n, ones));
        assert_memory_equal(out, ones, len);
    }
}

/* ---- delta ---- */

static uint64_t shaped(int shape, size_t i)
{
    switch (shape) {
    case 0: return 42;
    case 1: return i * 3;
    case 2: return next_random();
    case 3: return next_random() & 0xfff;
    case 4: return i & 1 ? (uint64_t)INT64_MAX : (uint64_t)INT64_MIN;
    case 5: return i & 1 ? (uint64_t)INT32_MAX : (uint64_t)INT32_MIN;
    default: return (uint64_t) - (int64_t)(i * i);
    }
}

static void test_delta(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 31, 32, 33, 34, 128, 129, 130, 160, 257, 1000};
    (void)state;

    for (int shape = 0; shape < 7; shape++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            size_t n = lengths[l], len;
            int64_t v8[1008], back[1008];
            int32_t v4[1008];
            uint8_t *out = malloc(enc_delta_bound(n, 8) + 64);
            ref_in in;
            for (size_t i = 0; i < n; i++) {
                v8[i] = (int64_t)shaped(shape, i);
                v4[i] = (int32_t)v8[i];
            }
            len = enc_delta_i64((const uint8_t *)v8, n, out);
            assert_true(len <= enc_delta_bound(n, 8));
            in = (ref_in){out, out + len};
            ref_delta(&in, 8, n, back);
            assert_true(in.at == in.end);
            assert_memory_equal(v8, back, n * 8);
            len = enc_delta_i32((const uint8_t *)v4, n, out);
            assert_true(len <= enc_delta_bound(n, 4));
            in = (ref_in){out, out + len};
            ref_delta(&in, 4, n, back);
            assert_true(in.at == in.end);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(v4[i], (int32_t)back[i]);
            free(out);
        }
}

/* ---- byte arrays ---- */

#define TEXTS 500

/* PLAIN values: some share prefixes, some are empty, some long. */
static size_t make_texts(uint8_t *plain, size_t n, uint32_t fixed)
{
    size_t at = 0, last = 0, last_len = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t len = fixed ? fixed : (uint32_t)(next_random() % (i % 7 == 0 ? 200 : 12));
        size_t keep = last_len ? next_random() % (last_len + 1) : 0;
        if (!fixed) {
            memcpy(plain + at, &len, 4);
            at += 4;
        }
        for (uint32_t k = 0; k < len; k++)
            plain[at + k] = k < keep ? plain[last + k] : (uint8_t)next_random();
        last = at;
        last_len = len;
        at += len;
    }
    return at;
}

static void check_delta_bytes(const uint8_t *plain, size_t n, size_t len, uint32_t fixed,
                              uint32_t *scratch)
{
    size_t bound = enc_delta_bytes_bound(n, len), used;
    uint8_t *out = malloc(bound + 64), last[256] = {0};
    int64_t prefix[TEXTS], suffix[TEXTS];
    const uint8_t *p = plain;
    ref_in in;

    used = enc_delta_bytes(plain, n, fixed, scratch, out);
    assert_true(used <= bound);
    in = (ref_in){out, out + used};
    ref_delta(&in, 4, n, prefix);
    ref_delta(&in, 4, n, suffix);
    for (size_t i = 0; i < n; i++) {
        uint32_t want = fixed;
        if (!fixed) {
            memcpy(&want, p, 4);
            p += 4;
        }
        assert_int_equal(prefix[i] + suffix[i], want);
        memcpy(last + prefix[i], ref_take(&in, (size_t)suffix[i]), (size_t)suffix[i]);
        assert_memory_equal(last, p, want);
        p += want;
    }
    assert_true(in.at == in.end);
    free(out);
}

static void test_delta_bytes(void **state)
{
    static uint8_t plain[TEXTS * 220 + 64];
    static uint32_t scratch[2 * TEXTS + 16];
    (void)state;

    for (size_t n = 0; n <= TEXTS; n = n * 2 + 1)
        for (uint32_t fixed = 0; fixed <= 24; fixed += 8)
            check_delta_bytes(plain, n, make_texts(plain, n, fixed), fixed, scratch);
}

/* Planes that are alike cost nothing, noise costs a byte each, and two values in even parts a bit.
 */
static void test_split_estimate(void **state)
{
    static uint8_t plain[8 * 4096];
    (void)state;

    assert_int_equal(enc_split_estimate(plain, 0, 8), 0);
    assert_int_equal(enc_split_estimate(plain, 4096, 8), 0);
    for (size_t i = 0; i < 4096; i++)
        plain[8 * i] = (uint8_t)(i & 1);
    assert_int_equal(enc_split_estimate(plain, 4096, 8), 4096 / 8);
    for (size_t i = 0; i < 4096; i++) {
        plain[8 * i] = (uint8_t)i;
        plain[8 * i + 1] = (uint8_t)(i >> 8);
    }
    assert_int_equal(enc_split_estimate(plain, 4096, 8), 4096 + 4096 / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rle),         cmocka_unit_test(test_rle_is_small),
        cmocka_unit_test(test_rle_bits),    cmocka_unit_test(test_delta),
        cmocka_unit_test(test_delta_bytes), cmocka_unit_test(test_split_estimate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
