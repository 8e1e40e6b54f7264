/* Each encoding against a plain encoder of its own: values come back however the reads are cut,
 * also with stretches skipped, from memory and through windows. */
#include "chunk_made.h"
#include "format/parquet/dec.h"
#include "testing.h"

static mem *account;
static uint64_t seed = 42;

static int setup(void **state)
{
    (void)state;
    account = test_mem_open(64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_mem_close(account);
    return 0;
}

static uint64_t random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1du;
}

static uint32_t random_below(uint32_t n)
{
    return n ? (uint32_t)((random_u64() >> 20) % n) : 0;
}

/* The bytes as a body, in memory or in a file (read through windows). */
typedef struct source {
    body b;
    io_file *f;
} source;

static source source_of(const made *m, bool in_file)
{
    nrw_error err = NRW_ERROR_INIT;
    source s = {0};
    if (in_file) {
        assert_ok(file_open_memory(account, "made", (span){m->p, m->n}, &s.f, &err), &err);
        s.b = body_file(s.f, 0, m->n);
    } else {
        buffer *b;
        assert_ok(buffer_new(account, m->n, &b, &err), &err);
        if (m->n)
            memcpy(b->data, m->p, m->n);
        s.b = body_memory(b, b->data, m->n);
    }
    return s;
}

static void source_close(source *s)
{
    body_release(&s->b);
    file_close(s->f);
}

/* ---- the run-length hybrid ---- */

static void pack(made *out, const uint32_t *v, uint32_t n, uint32_t width)
{
    uint64_t bits = 0;
    uint32_t have = 0;
    for (uint32_t i = 0; i < n; i++) {
        bits |= (uint64_t)v[i] << have;
        for (have += width; have >= 8; have -= 8, bits >>= 8)
            made_byte(out, bits & 0xff);
    }
}

static void encode_rle(made *out, uint32_t *v, uint32_t n, uint32_t width)
{
    uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;
    for (uint32_t i = 0; i < n;) {
        uint32_t k = 8 * (1 + random_below(random_below(4) ? 6 : 300));
        k = k > n - i ? (n - i) / 8 * 8 : k;
        if (random_below(2) && k) {
            for (uint32_t j = 0; j < k; j++)
                v[i + j] = (uint32_t)random_u64() & mask;
            made_varint(out, (uint64_t)(k / 8) << 1 | 1);
            pack(out, v + i, k, width);
        } else {
            uint32_t value = (uint32_t)random_u64() & mask;
            k = 1 + random_below(n - i < 700 ? n - i : 700);
            for (uint32_t j = 0; j < k; j++)
                v[i + j] = value;
            made_varint(out, (uint64_t)k << 1);
            made_put(out, &value, (width + 7) / 8);
        }
        i += k;
    }
}

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

static void pack_u64(made *out, const uint64_t *v, uint32_t n, uint32_t width)
{
    unsigned __int128 bits = 0;
    uint32_t have = 0;
    for (uint32_t i = 0; i < n; i++) {
        bits |= (unsigned __int128)v[i] << have;
        for (have += width; have >= 8; have -= 8, bits >>= 8)
            made_byte(out, (unsigned)(bits & 0xff));
    }
}

static void encode_delta(made *out, const int64_t *v, uint32_t n, uint32_t block, uint32_t minis)
{
    uint32_t per = block / minis;
    made_varint(out, block);
    made_varint(out, minis);
    made_varint(out, n);
    made_zigzag(out, n ? v[0] : 0);
    for (uint32_t i = 1; i < n; i += block) {
        uint64_t d[512] = {0};
        int64_t least = INT64_MAX;
        uint32_t k = n - i < block ? n - i : block;
        for (uint32_t j = 0; j < k; j++) {
            d[j] = (uint64_t)v[i + j] - (uint64_t)v[i + j - 1];
            least = (int64_t)d[j] < least ? (int64_t)d[j] : least;
        }
        made_zigzag(out, least);
        uint32_t width[64] = {0};
        for (uint32_t j = 0; j < k; j++) {
            d[j] -= (uint64_t)least;
            while (width[j / per] < 64 && d[j] >> width[j / per])
                width[j / per]++;
        }
        for (uint32_t m = 0; m < minis; m++)
            made_byte(out, m * per < k ? width[m] : 7); /* of empty ones the width means nothing */
        for (uint32_t m = 0; m * per < k; m++)
            pack_u64(out, d + m * per, per, width[m]);
    }
}

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

/* ---- text ---- */

enum { TEXTS = 6000 };

static char *texts[TEXTS];
static uint32_t text_len[TEXTS];

static void make_texts(void)
{
    for (int i = 0; i < TEXTS; i++) {
        uint32_t shared = i ? random_below(text_len[i - 1] + 1) : 0;
        uint32_t more = random_below(random_below(20) ? 9 : 60);
        if (i % 1000 == 999)
            more = 70000;
        if (random_below(3) == 0 || shared > 1000)
            shared = shared > 4 ? 4 : shared;
        texts[i] = malloc(shared + more + 1);
        assert_non_null(texts[i]);
        if (shared)
            memcpy(texts[i], texts[i - 1], shared);
        for (uint32_t k = 0; k < more; k++)
            texts[i][shared + k] = (char)('a' + random_below(26));
        text_len[i] = shared + more;
    }
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
    make_texts();
    for (int k = 0; k < 3; k++) {
        made bytes = {0};
        encode_texts(&bytes, all[k]);
        for (int way = 0; way < 4; way++)
            read_texts(&bytes, all[k], way & 1, way & 2);
        made_free(&bytes);
    }
    for (int i = 0; i < TEXTS; i++)
        free(texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rle),
        cmocka_unit_test(test_rle_that_ends_early),
        cmocka_unit_test(test_plain_and_split),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_delta_integers),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
