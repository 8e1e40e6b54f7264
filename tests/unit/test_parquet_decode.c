/* Each encoding against a plain encoder of its own: values come back however the reads are cut,
 * also with stretches skipped, from memory and through windows. Text: test_decode_text.c, levels:
 * test_decode_level.c. */
#include "decode_made.h"

/* ---- the run-length hybrid ---- */

static void test_rle(void **state)
{
    (void)state;
    enum { N = 20000 };
    uint32_t *want = malloc(N * 4), *got = malloc((N + 16) * 4);
    assert_true(want && got);
    for (uint32_t width = 0; width <= 32; width++) {
        made bytes = {0};
        encode_rle(&bytes, want, N, width);
        for (int in_file = 0; in_file < 2; in_file++) {
            nrw_error err = NRW_ERROR_INIT;
            source s = source_of(&bytes, in_file);
            rle r = {0};
            rle_open(&r, account, &s.b, 0, s.b.len, width);
            for (uint32_t at = 0; at < N;) {
                uint32_t n = 1 + random_below(random_below(2) ? 12 : 3000);
                n = n > N - at ? N - at : n;
                if (random_below(4) == 0) {
                    assert_ok(rle_skip(&r, n, &err), &err);
                } else {
                    assert_ok(rle_read(&r, n, got, &err), &err);
                    assert_memory_equal(got, want + at, n * 4);
                }
                at += n;
            }
            cursor_close(&r.c);
            source_close(&s);
        }
        made_free(&bytes);
    }
    free(want);
    free(got);
}

static void test_rle_that_ends_early(void **state)
{
    (void)state;
    uint32_t got[64 + 16];
    made bytes = {0};
    nrw_error err = NRW_ERROR_INIT;
    made_varint(&bytes, 4 << 1 | 1); /* 32 values of 3 bits, of which 16 are there */
    made_put(&bytes, "\1\2\3\4\5\6", 6);
    source s = source_of(&bytes, false);
    rle r = {0};
    rle_open(&r, account, &s.b, 0, s.b.len, 3);
    assert_status(NRW_E_CORRUPT, rle_read(&r, 1, got, &err), &err);
    source_close(&s);
    made_free(&bytes);
}

/* ---- fixed-width decoders ---- */

typedef struct fixed_case {
    const char *what;
    pq_physical physical;
    pq_encoding encoding;
    uint32_t width;
    made bytes, want; /* want: N values of `width` bytes */
    uint32_t n;
} fixed_case;

static void check_fixed(const fixed_case *c)
{
    pq_leaf leaf = {.physical = c->physical, .type_length = c->width, .path = "x"};
    uint8_t *got = malloc((size_t)c->n * c->width + 64);
    assert_non_null(got);
    for (int round = 0; round < 6; round++) {
        nrw_error err = NRW_ERROR_INIT;
        source s = source_of(&c->bytes, round % 2);
        decoder d = {0};
        assert_ok(dec_open(&d, account, &leaf, c->encoding, &s.b, 0, c->n, &err), &err);
        for (uint32_t at = 0; at < c->n;) {
            uint32_t n = 1 + random_below(random_below(2) ? 30 : 3000);
            n = n > c->n - at || round < 2 ? c->n - at : n;
            if (round > 3 && random_below(3) == 0) {
                assert_ok(dec_skip(&d, n, &err), &err);
            } else {
                assert_ok(dec_fixed(&d, n, got, &err), &err);
                if (memcmp(got, c->want.p + (size_t)at * c->width, (size_t)n * c->width) != 0)
                    fail_msg("%s: rows %u to %u differ", c->what, at, at + n);
            }
            at += n;
        }
        /* one more than there are */
        assert_int_equal(
            dec_fixed(&d, c->encoding == PQ_PLAIN && c->width == 1 ? 16 : 1, got, NULL),
            NRW_E_CORRUPT);
        dec_close(&d);
        source_close(&s);
    }
    free(got);
}

static void fixed_free(fixed_case *c)
{
    made_free(&c->bytes);
    made_free(&c->want);
}

static void test_plain_and_split(void **state)
{
    (void)state;
    static const struct {
        pq_physical physical;
        uint32_t width;
    } all[] = {{PQ_INT32, 4},  {PQ_DOUBLE, 8},
               {PQ_INT96, 12}, {PQ_FIXED_LEN_BYTE_ARRAY, 1},
               {PQ_FLOAT, 4},  {PQ_FIXED_LEN_BYTE_ARRAY, 7},
               {PQ_INT64, 8},  {PQ_FIXED_LEN_BYTE_ARRAY, 16},
               {PQ_INT32, 4},  {PQ_FIXED_LEN_BYTE_ARRAY, 5000}};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        for (int split = 0; split < 2; split++) {
            fixed_case c = {.what = "plain", .physical = all[k].physical, .width = all[k].width};
            if (split && c.physical == PQ_INT96)
                continue;
            c.n = c.width > 100 ? 100 : 12345;
            c.encoding = split ? PQ_BYTE_STREAM_SPLIT : PQ_PLAIN;
            for (size_t i = 0; i < (size_t)c.n * c.width; i++)
                made_byte(&c.want, (unsigned)(random_u64() >> 30 & 0xff));
            if (split)
                for (uint32_t b = 0; b < c.width; b++)
                    for (uint32_t i = 0; i < c.n; i++)
                        made_byte(&c.bytes, c.want.p[(size_t)i * c.width + b]);
            else
                made_put(&c.bytes, c.want.p, c.want.n);
            check_fixed(&c);
            fixed_free(&c);
        }
    }
}

static void test_booleans(void **state)
{
    (void)state;
    for (int runs = 0; runs < 2; runs++) {
        enum { N = 30001 };
        fixed_case c = {.what = "bool", .physical = PQ_BOOLEAN, .width = 1, .n = N};
        uint32_t *v = calloc(N + 8, sizeof *v);
        assert_non_null(v);
        if (runs) {
            made r = {0};
            encode_rle(&r, v, N, 1);
            made_u32(&c.bytes, (uint32_t)r.n);
            made_put(&c.bytes, r.p, r.n);
            made_free(&r);
        } else {
            for (int i = 0; i < N; i++)
                v[i] = random_u64() >> 40 & 1;
            pack(&c.bytes, v, N + 7, 1);
        }
        for (int i = 0; i < N; i++)
            made_byte(&c.want, v[i]);
        c.encoding = runs ? PQ_RLE : PQ_PLAIN;
        check_fixed(&c);
        fixed_free(&c);
        free(v);
    }
}

/* ---- deltas ---- */

static int64_t delta_value(int kind, uint32_t i, int64_t before)
{
    switch (kind) {
    case 0: return before + random_below(5);
    case 1: return (int64_t)random_u64();
    case 2: return i / 700;
    case 3: return i % 37 ? before : before + (int64_t)(random_u64() >> 34);
    default: return 3 * (int64_t)i - 70000;
    }
}

static void test_delta_integers(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{128, 4}, {256, 8}, {24, 3}, {512, 1}, {128, 16}};
    static const uint32_t lengths[] = {1, 2, 9, 128, 129, 10007};
    for (size_t shape = 0; shape < 5; shape++) {
        for (int kind = 0; kind < 5; kind++) {
            for (int wide = 0; wide < 2; wide++) {
                fixed_case c = {.what = "delta",
                                .physical = wide ? PQ_INT64 : PQ_INT32,
                                .encoding = PQ_DELTA_BINARY_PACKED,
                                .width = wide ? 8 : 4,
                                .n = lengths[random_below(6)]};
                int64_t *v = malloc(c.n * sizeof *v);
                assert_non_null(v);
                for (uint32_t i = 0; i < c.n; i++) {
                    v[i] = delta_value(kind, i, i ? v[i - 1] : 5);
                    if (!wide)
                        v[i] = (int32_t)v[i];
                    made_put(&c.want, v + i, c.width);
                }
                encode_delta(&c.bytes, v, c.n, shapes[shape][0], shapes[shape][1]);
                check_fixed(&c);
                fixed_free(&c);
                free(v);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rle),
        cmocka_unit_test(test_rle_that_ends_early),
        cmocka_unit_test(test_plain_and_split),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_delta_integers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
