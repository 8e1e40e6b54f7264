/* BYTE_ARRAY in all its encodings, and DELTA_BYTE_ARRAY of fixed width, against plain encoders. */
#include "decode_made.h"

enum { TEXTS = 6000 };

static char *texts[TEXTS];
static uint32_t text_len[TEXTS];

/* `width` 0: of any length, in letters; else all of that many bytes. */
static void make_texts(uint32_t width)
{
    for (int i = 0; i < TEXTS; i++) {
        uint32_t shared = i ? random_below(text_len[i - 1] + 1) : 0;
        uint32_t more = random_below(random_below(20) ? 9 : 60);
        if (i % 1000 == 999)
            more = 70000;
        if (random_below(3) == 0 || shared > 1000)
            shared = shared > 4 ? 4 : shared;
        if (width)
            more = width - shared;
        texts[i] = malloc(shared + more + 1);
        assert_non_null(texts[i]);
        if (shared)
            memcpy(texts[i], texts[i - 1], shared);
        for (uint32_t k = 0; k < more; k++)
            texts[i][shared + k] = (char)('a' + random_below(26));
        text_len[i] = shared + more;
    }
}

static void free_texts(void)
{
    for (int i = 0; i < TEXTS; i++)
        free(texts[i]);
}

static void encode_texts(made *out, pq_encoding e)
{
    int64_t prefix[TEXTS], suffix[TEXTS];
    for (int i = 0; i < TEXTS; i++) {
        uint32_t k = 0;
        while (e == PQ_DELTA_BYTE_ARRAY && i && k < text_len[i] && k < text_len[i - 1] &&
               texts[i][k] == texts[i - 1][k])
            k++;
        prefix[i] = k;
        suffix[i] = text_len[i] - k;
    }
    if (e == PQ_DELTA_BYTE_ARRAY)
        encode_delta(out, prefix, TEXTS, 128, 4);
    if (e != PQ_PLAIN)
        encode_delta(out, suffix, TEXTS, 128, 4);
    for (int i = 0; i < TEXTS; i++) {
        if (e == PQ_PLAIN)
            made_u32(out, text_len[i]);
        made_put(out, texts[i] + prefix[i], (size_t)suffix[i]);
    }
}

static void check_views(const vector *v, const view *w, uint32_t at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = w[i].len <= VIEW_INLINE ? (const uint8_t *)w[i].inlined
                                                   : v->heaps.at[w[i].heap]->data + w[i].offset;
        assert_int_equal(w[i].len, text_len[at + i]);
        assert_memory_equal(p, texts[at + i], text_len[at + i]);
    }
}

static void read_texts(const made *bytes, pq_encoding e, bool in_file, bool copy)
{
    static const pq_leaf leaf = {.physical = PQ_BYTE_ARRAY, .path = "x"};
    static view got[TEXTS + 4];
    nrw_error err = NRW_ERROR_INIT;
    source s = source_of(bytes, in_file);
    decoder d = {0};
    assert_ok(dec_open(&d, account, &leaf, e, &s.b, 0, TEXTS, &err), &err);
    for (uint32_t at = 0; at < TEXTS;) {
        vector v = {.m = account, .type = type_of(TYPE_BINARY)};
        view_sink sink = {.v = &v, .max_bytes = random_below(100000), .copy = copy};
        uint32_t n = 1 + random_below(500), k = 0;
        n = n > TEXTS - at ? TEXTS - at : n;
        if (random_below(4) == 0) {
            assert_ok(dec_skip(&d, k = n, &err), &err);
        } else {
            assert_ok(dec_views(&d, n, &sink, got, &k, &err), &err);
            assert_true(k >= 1 && k <= n);
            check_views(&v, got, at, k);
        }
        at += k;
        vector_release(&v);
    }
    dec_close(&d);
    source_close(&s);
}

static void test_texts(void **state)
{
    (void)state;
    static const pq_encoding all[] = {PQ_PLAIN, PQ_DELTA_LENGTH_BYTE_ARRAY, PQ_DELTA_BYTE_ARRAY};
    make_texts(0);
    for (int k = 0; k < 3; k++) {
        made bytes = {0};
        encode_texts(&bytes, all[k]);
        for (int way = 0; way < 4; way++)
            read_texts(&bytes, all[k], way & 1, way & 2);
        made_free(&bytes);
    }
    free_texts();
}

/* Values of one width, read and skipped in any cut. */
static void test_fixed(void **state)
{
    (void)state;
    static const uint32_t widths[] = {1, 5, 12, 16, 33};
    static uint8_t got[TEXTS * 33 + BUFFER_SLACK];
    for (int w = 0; w < 5; w++) {
        uint32_t width = widths[w];
        const pq_leaf leaf = {
            .physical = PQ_FIXED_LEN_BYTE_ARRAY, .type_length = width, .path = "x"};
        made bytes = {0};
        make_texts(width);
        encode_texts(&bytes, PQ_DELTA_BYTE_ARRAY);
        for (int round = 0; round < 6; round++) {
            nrw_error err = NRW_ERROR_INIT;
            source s = source_of(&bytes, round & 1);
            decoder d = {0};
            assert_ok(dec_open(&d, account, &leaf, PQ_DELTA_BYTE_ARRAY, &s.b, 0, TEXTS, &err),
                      &err);
            for (uint32_t at = 0, n; at < TEXTS; at += n) {
                n = 1 + random_below(round < 2 ? TEXTS : 300);
                n = n > TEXTS - at ? TEXTS - at : n;
                if (random_below(4) == 0) {
                    assert_ok(dec_skip(&d, n, &err), &err);
                    continue;
                }
                assert_ok(dec_fixed(&d, n, got, &err), &err);
                for (uint32_t i = 0; i < n; i++)
                    assert_memory_equal(got + i * width, texts[at + i], width);
            }
            dec_close(&d);
            source_close(&s);
        }
        made_free(&bytes);
        free_texts();
    }
}

/* All of the page as text; the status of the first failure. */
static nrw_status read_utf8(const made *bytes, pq_encoding e, bool in_file, nrw_error *err)
{
    const pq_leaf leaf = {.physical = PQ_BYTE_ARRAY, .path = "x", .field.type = type_of(TYPE_UTF8)};
    static view got[TEXTS + 4];
    source s = source_of(bytes, in_file);
    decoder d = {0};
    nrw_status st = dec_open(&d, account, &leaf, e, &s.b, 0, TEXTS, err);
    for (uint32_t at = 0, k; st >= 0 && at < TEXTS; at += k) {
        vector v = {.m = account, .type = type_of(TYPE_UTF8)};
        view_sink sink = {.v = &v, .max_bytes = 20000};
        st = dec_views(&d, TEXTS - at, &sink, got, &k, err);
        if (st >= 0)
            check_views(&v, got, at, k);
        vector_release(&v);
    }
    dec_close(&d);
    source_close(&s);
    return st;
}

/* Text that is not ASCII is let through where it is UTF-8, wherever it stands between text that is,
 * and refused where it is not. */
static void test_utf8(void **state)
{
    (void)state;
    static const pq_encoding all[] = {PQ_PLAIN, PQ_DELTA_LENGTH_BYTE_ARRAY, PQ_DELTA_BYTE_ARRAY};
    make_texts(0);
    for (int round = 0; round < 12; round++) {
        uint32_t i = round < 6 ? random_below(TEXTS) : (uint32_t)(TEXTS - 1 - round % 3);
        char *p = texts[i], was[2];
        if (text_len[i] < 2)
            continue;
        memcpy(was, p, 2);
        for (int k = 0; k < 3; k++) {
            for (int broken = 0; broken < 2; broken++) {
                nrw_error err = NRW_ERROR_INIT;
                made bytes = {0};
                memcpy(p, broken ? "\xc3z" : "\xc3\xa9", 2);
                encode_texts(&bytes, all[k]);
                nrw_status st = read_utf8(&bytes, all[k], round & 1, &err);
                if (broken)
                    assert_status(NRW_E_CORRUPT, st, &err);
                else
                    assert_ok(st, &err);
                made_free(&bytes);
            }
        }
        memcpy(p, was, 2);
    }
    free_texts();
}

/* A prefix longer than the value before it, first in the page and in the middle of a block. */
static void test_prefix_too_long(void **state)
{
    (void)state;
    const pq_leaf leaf = {.physical = PQ_BYTE_ARRAY, .path = "x"};
    for (uint32_t bad = 0; bad < 40; bad += 13) {
        int64_t prefix[40], suffix[40];
        made bytes = {0};
        view got[40 + 4];
        vector v = {.m = account, .type = type_of(TYPE_BINARY)};
        view_sink sink = {.v = &v, .max_bytes = SIZE_MAX};
        nrw_error err = NRW_ERROR_INIT;
        decoder d = {0};
        nrw_status st = NRW_OK;
        uint32_t k = 0;
        for (uint32_t i = 0; i < 40; i++) {
            prefix[i] = i == bad ? (i ? 4 : 1) : (i ? 2 : 0);
            suffix[i] = i ? 1 : 3;
        }
        encode_delta(&bytes, prefix, 40, 128, 4);
        encode_delta(&bytes, suffix, 40, 128, 4);
        for (uint32_t i = 0; i < 42; i++)
            made_byte(&bytes, 'a');
        source s = source_of(&bytes, false);
        assert_ok(dec_open(&d, account, &leaf, PQ_DELTA_BYTE_ARRAY, &s.b, 0, 40, &err), &err);
        for (uint32_t at = 0; st >= 0 && at < 40; at += k)
            st = dec_views(&d, 40 - at, &sink, got, &k, &err);
        assert_status(NRW_E_CORRUPT, st, &err);
        assert_non_null(strstr(err.message, "prefix"));
        vector_release(&v);
        dec_close(&d);
        source_close(&s);
        made_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_prefix_too_long),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
