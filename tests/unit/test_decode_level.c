/* Levels of all widths against a plain encoder: as bytes (nested columns) and as bits (flat ones),
 * however the reads are cut, from memory and through windows. */
#include "decode_made.h"
#include "format/parquet/dec_level.h"

enum { N = 20000 };

/* Runs as short as writers make them of scattered nulls, and long ones between them. */
static void encode_levels(made *out, uint32_t *v, uint32_t n, uint8_t max)
{
    uint32_t width = level_width(max), last = 0;
    for (uint32_t i = 0, k; i < n; i += k) {
        k = random_below(20) ? 1 + random_below(60) : 1 + random_below(2000);
        if (random_below(2))
            k = (k + 7) & ~7u;
        k = k > n - i ? n - i : k;
        bool packed = k % 8 == 0 && random_below(2);
        for (uint32_t j = 0; j < k; j++)
            v[i + j] = last = packed || j == 0 ? random_below(max + 1u) : last;
        if (packed) {
            made_varint(out, (uint64_t)(k / 8) << 1 | 1);
            pack(out, v + i, k, width);
        } else {
            made_varint(out, (uint64_t)k << 1);
            made_byte(out, v[i]);
        }
    }
}

static void test_bytes(void **state)
{
    (void)state;
    static uint32_t want[N];
    static uint8_t got[N + BUFFER_SLACK];
    for (uint32_t max = 1; max < 256; max += max < 9 ? 1 : 41) {
        made bytes = {0};
        encode_levels(&bytes, want, N, (uint8_t)max);
        for (int round = 0; round < 4; round++) {
            nrw_error err = NRW_ERROR_INIT;
            source s = source_of(&bytes, round & 1);
            level_in l = {.max = (uint8_t)max};
            rle_open(&l.r, account, &s.b, 0, s.b.len, level_width((uint8_t)max));
            for (uint32_t at = 0, n; at < N; at += n) {
                n = 1 + random_below(round < 2 ? 3000 : 20);
                n = n > N - at ? N - at : n;
                assert_ok(level_read(&l, n, got, &err), &err);
                for (uint32_t i = 0; i < n; i++)
                    assert_int_equal(got[i], want[at + i]);
            }
            assert_status(NRW_E_CORRUPT, level_read(&l, 1, got, &err), &err);
            cursor_close(&l.r.c);
            source_close(&s);
        }
        made_free(&bytes);
    }
}

/* A level above the greatest, in a run of either kind, is refused wherever it stands. */
static void test_too_high(void **state)
{
    (void)state;
    static uint8_t got[200 + BUFFER_SLACK];
    for (int packed = 0; packed < 2; packed++) {
        for (int at = 0; at < 200; at += 8) {
            nrw_error err = NRW_ERROR_INIT;
            made bytes = {0};
            for (int i = 0; i < 200; i += 8) {
                uint32_t v[8] = {0, 1, 2, 1, 0, 2, 2, i == at ? 3 : 2};
                made_varint(&bytes, packed ? 3 : 8 << 1);
                if (packed)
                    pack(&bytes, v, 8, 2);
                else
                    made_byte(&bytes, v[7]);
            }
            source s = source_of(&bytes, false);
            level_in l = {.max = 2};
            rle_open(&l.r, account, &s.b, 0, s.b.len, 2);
            assert_status(NRW_E_CORRUPT, level_read(&l, 200, got, &err), &err);
            cursor_close(&l.r.c);
            source_close(&s);
            made_free(&bytes);
        }
    }
}

static void check_span(const level_span *s, const uint32_t *want, uint8_t max)
{
    uint32_t there = 0;
    for (uint32_t i = 0; i < s->rows; i++) {
        bool is = want[i] == max;
        there += is;
        if (s->there && s->there < s->rows)
            assert_int_equal(bit_get(s->bits, s->off + i), is);
    }
    assert_int_equal(s->there, there);
}

static void test_bits(void **state)
{
    (void)state;
    static uint32_t want[N];
    for (uint8_t max = 1; max < 5; max++) {
        made bytes = {0};
        encode_levels(&bytes, want, N, max);
        for (int round = 0; round < 6; round++) {
            nrw_error err = NRW_ERROR_INIT;
            source s = source_of(&bytes, round & 1);
            levels l = {.max = max};
            rle_open(&l.r, account, &s.b, 0, s.b.len, level_width(max));
            for (uint32_t at = 0; at < N;) {
                uint32_t n = 1 + random_below(round < 2 ? N : 100);
                level_span span;
                n = n > N - at ? N - at : n;
                assert_ok(levels_peek(&l, n, &span, &err), &err);
                assert_true(span.rows >= 1 && span.rows <= n);
                check_span(&span, want + at, max);
                n = 1 + random_below(span.rows);
                levels_take(&l, n);
                at += n;
            }
            cursor_close(&l.r.c);
            source_close(&s);
        }
        made_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_too_high),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
