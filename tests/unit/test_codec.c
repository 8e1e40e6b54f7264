#include "codec_testing.h"

#include <zlib.h>

#include "base/fault.h"

static const size_t sizes[] = {0, 1, 2, 13, 100, 4096, 65536, 100001};

static void table(void **state)
{
    (void)state;
    size_t n = 0;
    for (; codec_at(n); n++) {
        const codec *c = codec_at(n);
        assert_ptr_equal(codec_named(c->name), c);
        if (c->parquet_id == CODEC_NOT_PARQUET)
            continue;
        assert_ptr_equal(codec_by_id(c->parquet_id), c);
        assert_ptr_equal(codec_by_name(c->name), c);
        assert_string_equal(codec_id_name(c->parquet_id), c->name);
        assert_true(c->min_level <= c->default_level && c->default_level <= c->max_level);
    }
    assert_int_equal(n, 11);
    assert_int_equal(codec_by_name("UNCOMPRESSED")->parquet_id, CODEC_NONE);
    assert_int_equal(codec_by_name("Zstandard")->parquet_id, CODEC_ZSTD);
    assert_null(codec_by_name("lzo"));
    assert_null(codec_by_id(CODEC_LZO));
    assert_string_equal(codec_id_name(CODEC_LZO), "lzo");
    assert_non_null(codec_id_name(99));
}

static void crc(void **state)
{
    (void)state;
    assert_int_equal(codec_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(codec_crc32(codec_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(codec_crc32(0, NULL, 0), 0);

    uint8_t bytes[700]; /* the kernel's part and the library's */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i >> 3);
    for (size_t n = 0; n < sizeof bytes; n++) {
        const uint32_t want = (uint32_t)crc32(77, bytes, (uInt)n);
        assert_int_equal(codec_crc32(77, bytes, n), want);
    }
}

typedef struct block {
    uint8_t *plain, *packed;
    size_t n, packed_len;
} block;

static block encode(codec_ctx *c, int level, int kind, size_t n)
{
    nrw_error err = NRW_ERROR_INIT;
    block b = {.n = n};
    size_t cap = c->codec->bound(n);
    b.plain = malloc(n + 1);
    make_block(kind, b.plain, n);
    uint8_t *to = malloc(cap + 1);
    assert_ok(c->codec->encode(c, level, (span){b.plain, n}, to, cap, &b.packed_len, &err), &err);
    assert_true(b.packed_len <= cap);
    b.packed = exact(to, b.packed_len);
    free(to);
    return b;
}

static void block_free(block *b)
{
    free(b->plain);
    free(b->packed);
}

static void check_whole(codec_ctx *c, const block *b)
{
    nrw_error err = NRW_ERROR_INIT;
    uint8_t *got = exact(b->plain, b->n);
    memset(got, 0xa5, b->n);
    assert_ok(c->codec->decode(c, (span){b->packed, b->packed_len}, got, b->n, &err), &err);
    assert_memory_equal(got, b->plain, b->n);
    free(got);
}

static void check_stream(codec_ctx *c, const block *b, size_t in_cut, size_t out_cut)
{
    nrw_error err = NRW_ERROR_INIT;
    uint8_t *got = exact(b->plain, b->n);
    memset(got, 0xa5, b->n);
    span src = {b->packed, b->packed_len};
    assert_ok(stream_decode(c, src, in_cut, out_cut, got, b->n, &err), &err);
    assert_memory_equal(got, b->plain, b->n);
    free(got);
}

/* Every level on small blocks: comes back, is the same from a used context as from a new one. */
static void levels(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        codec_ctx used = codec_ctx_init(codec_at(i), m);
        for (int level = codec_at(i)->min_level; level <= codec_at(i)->max_level; level++) {
            for (int kind = 0; kind < BLOCK_KINDS; kind++) {
                size_t n = sizes[(size_t)(kind + level + 16) % 8] % 30000;
                codec_ctx fresh = codec_ctx_init(codec_at(i), m);
                block a = encode(&used, level, kind, n), b = encode(&fresh, level, kind, n);
                assert_int_equal(a.packed_len, b.packed_len);
                assert_memory_equal(a.packed, b.packed, a.packed_len);
                check_whole(&used, &a);
                check_stream(&used, &a, 1000, 777);
                block_free(&a);
                block_free(&b);
                codec_ctx_release(&fresh);
            }
        }
        codec_ctx_release(&used);
    }
    test_mem_close(m);
}

static void round_trips(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        codec_ctx c = codec_ctx_init(codec_at(i), m);
        for (int kind = 0; kind < BLOCK_KINDS; kind++) {
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                block b = encode(&c, codec_at(i)->default_level, kind, sizes[s]);
                check_whole(&c, &b);
                check_stream(&c, &b, 65536, 65536);
                check_stream(&c, &b, 7, 65536);
                check_stream(&c, &b, SIZE_MAX, 4093);
                if (sizes[s] <= 4096) {
                    check_stream(&c, &b, 1, 1);
                    check_stream(&c, &b, 7, 7);
                    check_stream(&c, &b, SIZE_MAX, 1);
                }
                block_free(&b);
            }
        }
        codec_ctx_release(&c);
    }
    test_mem_close(m);
}

/* A large block at a dear and a cheap level; what is charged stays below what was foretold. */
static void large_and_charged(void **state)
{
    (void)state;
    mem *root = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        const codec *k = codec_at(i);
        int some[] = {k->min_level, k->default_level, k->max_level > 9 ? 9 : k->max_level};
        for (size_t l = 0; l < 3; l++) {
            for (int kind = 0; kind < BLOCK_KINDS; kind++) {
                nrw_error err = NRW_ERROR_INIT;
                mem *m;
                assert_ok(mem_child(root, "codec", MEM_NO_LIMIT, &m, &err), &err);
                codec_ctx c = codec_ctx_init(k, m);
                size_t n = (size_t)1 << 20;
                block b = encode(&c, some[l], kind, n);
                if (mem_peak(m) > k->encode_mem(some[l], n))
                    fail_msg("%s %d takes %llu", k->name, some[l], (unsigned long long)mem_peak(m));
                codec_ctx_release(&c);
                mem_free_account(m);

                assert_ok(mem_child(root, "codec", MEM_NO_LIMIT, &m, &err), &err);
                c = codec_ctx_init(k, m);
                check_whole(&c, &b);
                if (mem_peak(m) > k->decode_mem(n))
                    fail_msg("%s takes %llu to decode", k->name, (unsigned long long)mem_peak(m));
                codec_ctx_release(&c);
                c = codec_ctx_init(k, m);
                check_stream(&c, &b, 65536, 65536);
                assert_int_equal(c.stream ? 1 : 0, 0);
                if (mem_peak(m) > k->decode_mem(n))
                    fail_msg("%s takes %llu to decode", k->name, (unsigned long long)mem_peak(m));
                codec_ctx_release(&c);
                mem_free_account(m);
                block_free(&b);
            }
        }
    }
    test_mem_close(root);
}

/* Cut off anywhere, or announced with a wrong size, a block is an error, whole and by stream. */
static void truncated(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        codec_ctx c = codec_ctx_init(codec_at(i), m);
        block b = encode(&c, codec_at(i)->default_level, BLOCK_WORDS, 600);
        uint8_t got[700];
        nrw_error err = NRW_ERROR_INIT;
        for (size_t cut = 0; cut < b.packed_len; cut++) {
            uint8_t *part = exact(b.packed, cut);
            span src = {part, cut};
            assert_int_equal(c.codec->decode(&c, src, got, 600, &err), NRW_E_CORRUPT);
            assert_int_equal(stream_decode(&c, src, 50, 50, got, 600, &err), NRW_E_CORRUPT);
            free(part);
        }
        span src = {b.packed, b.packed_len};
        assert_int_equal(c.codec->decode(&c, src, got, 599, &err), NRW_E_CORRUPT);
        assert_int_equal(c.codec->decode(&c, src, got, 601, &err), NRW_E_CORRUPT);
        assert_int_equal(c.codec->decode(&c, src, got, 0, NULL), NRW_E_CORRUPT);
        assert_int_equal(stream_decode(&c, src, 50, 50, got, 599, &err), NRW_E_CORRUPT);
        assert_int_equal(stream_decode(&c, src, 50, 50, got, 601, &err), NRW_E_CORRUPT);
        assert_int_equal(stream_decode(&c, src, 50, 50, got, 0, NULL), NRW_E_CORRUPT);
        uint8_t *more = exact(b.packed, b.packed_len);
        more = realloc(more, b.packed_len + 5); /* bare deflate passes over as many as 4 */
        memset(more + b.packed_len, 0, 5);
        src = (span){more, b.packed_len + 5};
        assert_int_equal(c.codec->decode(&c, src, got, 600, &err), NRW_E_CORRUPT);
        assert_int_equal(stream_decode(&c, src, 50, 50, got, 600, &err), NRW_E_CORRUPT);
        free(more);
        block_free(&b);
        codec_ctx_release(&c);
    }
    test_mem_close(m);
}

/* With any bit turned: no harm, and where both ways of decoding succeed they agree. */
static void bit_flips(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        codec_ctx c = codec_ctx_init(codec_at(i), m);
        block b = encode(&c, codec_at(i)->default_level, BLOCK_WORDS, 600);
        for (size_t bit = 0; bit < b.packed_len * 8; bit++) {
            uint8_t *whole = exact(b.plain, 600), *cut = exact(b.plain, 600);
            b.packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
            span src = {b.packed, b.packed_len};
            nrw_status st = c.codec->decode(&c, src, whole, 600, NULL);
            nrw_status by_stream = stream_decode(&c, src, 11, 100, cut, 600, NULL);
            assert_true(st == NRW_OK || st == NRW_E_CORRUPT || st == NRW_E_UNSUPPORTED);
            if (st == NRW_OK && by_stream == NRW_OK)
                assert_memory_equal(whole, cut, 600);
            b.packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
            free(whole);
            free(cut);
        }
        block_free(&b);
        codec_ctx_release(&c);
    }
    test_mem_close(m);
}

/* No bytes for no bytes, whatever the codec; unknown levels and too little room are refused. */
static void edges(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        const codec *k = codec_at(i);
        codec_ctx c = codec_ctx_init(k, m);
        nrw_error err = NRW_ERROR_INIT;
        uint8_t out[64];
        size_t n = 77;
        assert_ok(k->decode(&c, (span){0}, out, 0, &err), &err);
        assert_ok(stream_decode(&c, (span){0}, 1, 1, out, 0, &err), &err);
        assert_int_equal(k->decode(&c, (span){0}, out, 1, &err), NRW_E_CORRUPT);
        assert_int_equal(k->encode(&c, k->default_level, SPAN(out), out, 1, &n, &err), NRW_E_ARG);
        assert_int_equal(n, 0);
        if (k->max_level > k->min_level) {
            assert_int_equal(k->encode(&c, k->max_level + 1, (span){0}, out, 64, &n, &err),
                             NRW_E_ARG);
            assert_int_equal(k->encode(&c, k->min_level - 1, (span){0}, out, 64, &n, &err),
                             NRW_E_ARG);
        }
        codec_ctx_release(&c);
    }
    test_mem_close(m);
}

/* A grant that ends anywhere gives NRW_E_MEMLIMIT and leaks nothing. */
static void short_grants(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        const codec *k = codec_at(i);
        codec_ctx c = codec_ctx_init(k, m);
        block b = encode(&c, k->default_level, BLOCK_MIXED, 50000);
        codec_ctx_release(&c);
        size_t cap = k->bound(b.n);
        uint8_t *to = malloc(cap + b.n + 1);
        for (uint64_t grant = 0; grant < (4 << 20); grant += grant / 3 + 64) {
            mem *tight;
            nrw_error err = NRW_ERROR_INIT;
            size_t n;
            assert_ok(mem_child(m, "codec", grant, &tight, &err), &err);
            c = codec_ctx_init(k, tight);
            span src = {b.packed, b.packed_len};
            nrw_status st =
                k->encode(&c, k->default_level, (span){b.plain, b.n}, to, cap, &n, &err);
            assert_true(st == NRW_OK || st == NRW_E_MEMLIMIT);
            codec_ctx_release(&c);
            c = codec_ctx_init(k, tight);
            st = k->decode(&c, src, to, b.n, &err);
            assert_true(st == NRW_OK || st == NRW_E_MEMLIMIT);
            st = stream_decode(&c, src, 5000, 5000, to, b.n, &err);
            assert_true(st == NRW_OK || st == NRW_E_MEMLIMIT);
            codec_ctx_release(&c);
            mem_free_account(tight);
        }
        free(to);
        block_free(&b);
    }
    test_mem_close(m);
}

#ifdef NARROWS_FAULTS

/* Encoding, decoding and streaming, each with its n-th allocation refused by the system. */
static nrw_status faulty(const codec *k, int what, const block *b, uint8_t *to, mem *m)
{
    nrw_error err = NRW_ERROR_INIT;
    codec_ctx c = codec_ctx_init(k, m);
    span src = {b->packed, b->packed_len};
    nrw_status st;
    size_t n;
    if (what == 0)
        st = k->encode(&c, k->default_level, (span){b->plain, b->n}, to, k->bound(b->n), &n, &err);
    else if (what == 1)
        st = k->decode(&c, src, to, b->n, &err);
    else
        st = stream_decode(&c, src, 5000, 5000, to, b->n, &err);
    if (st < 0)
        assert_true(err.message[0] != 0);
    codec_ctx_release(&c);
    return st;
}

static void allocation_faults(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; codec_at(i); i++) {
        const codec *k = codec_at(i);
        codec_ctx c = codec_ctx_init(k, m);
        block b = encode(&c, k->default_level, BLOCK_MIXED, 50000);
        codec_ctx_release(&c);
        uint8_t *to = malloc(k->bound(b.n) + b.n);
        for (int what = 0; what < 3; what++) {
            nrw_status st = NRW_E_NOMEM;
            for (uint64_t n = 1; st < 0; n++) {
                assert_true(n < 100);
                fault_arm(FAULT_ALLOC, n);
                st = faulty(k, what, &b, to, m);
                fault_arm(FAULT_ALLOC, 0);
                if (st != NRW_OK && st != NRW_E_NOMEM)
                    fail_msg("%s: status %d with fault %d of way %d", k->name, st, (int)n, what);
            }
        }
        free(to);
        block_free(&b);
    }
    test_mem_close(m);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(crc),
        cmocka_unit_test(levels),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(truncated),
        cmocka_unit_test(bit_flips),
        cmocka_unit_test(edges),
        cmocka_unit_test(short_grants),
        cmocka_unit_test(large_and_charged),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(allocation_faults),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
