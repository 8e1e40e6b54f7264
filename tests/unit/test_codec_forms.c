/* What other writers make of the codecs: members, frames, wrappers, far copies, wide windows. */
#define ZSTD_STATIC_LINKING_ONLY
#include "codec_testing.h"

#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

/* Whole and by stream in several cuts. */
static void decodes_to(int id, span src, span want)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    codec_ctx c = codec_ctx_init(codec_by_id(id), m);
    nrw_error err = NRW_ERROR_INIT;
    uint8_t *packed = exact(src.data, src.len), *got = exact(want.data, want.len);
    static const size_t cuts[][2] = {{1, SIZE_MAX}, {SIZE_MAX, 1}, {7, 11}, {70000, 70000}};
    src.data = packed;
    memset(got, 0, want.len);
    assert_ok(c.codec->decode(&c, src, got, want.len, &err), &err);
    assert_memory_equal(got, want.data, want.len);
    for (size_t i = 0; i < 4; i++) {
        memset(got, 0, want.len);
        assert_ok(stream_decode(&c, src, cuts[i][0], cuts[i][1], got, want.len, &err), &err);
        assert_memory_equal(got, want.data, want.len);
    }
    free(packed);
    free(got);
    codec_ctx_release(&c);
    test_mem_close(m);
}

static void fails(int id, span src, size_t dst_len, nrw_status whole, nrw_status by_stream)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    codec_ctx c = codec_ctx_init(codec_by_id(id), m);
    nrw_error err = NRW_ERROR_INIT;
    uint8_t *packed = exact(src.data, src.len), *got = malloc(dst_len + 1);
    src.data = packed;
    assert_status(whole, c.codec->decode(&c, src, got, dst_len, &err), &err);
    assert_status(by_stream, stream_decode(&c, src, 1000, 1000, got, dst_len, &err), &err);
    free(packed);
    free(got);
    codec_ctx_release(&c);
    test_mem_close(m);
}

#define N 100000

static uint8_t plain[2 * N], packed[4 * N];

static size_t encode(int id, span src, uint8_t *to)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    codec_ctx c = codec_ctx_init(codec_by_id(id), m);
    nrw_error err = NRW_ERROR_INIT;
    size_t n;
    assert_ok(
        c.codec->encode(&c, c.codec->default_level, src, to, c.codec->bound(src.len), &n, &err),
        &err);
    codec_ctx_release(&c);
    test_mem_close(m);
    return n;
}

/* Two encoded blocks, one behind the other, are one block where the format has members. */
static void members(void **state)
{
    (void)state;
    make_block(BLOCK_WORDS, plain, sizeof plain);
    const int ids[] = {CODEC_GZIP, CODEC_ZSTD, CODEC_LZ4};
    for (size_t i = 0; i < 3; i++) {
        size_t n = encode(ids[i], (span){plain, N}, packed);
        n += encode(ids[i], (span){plain + N, N}, packed + n);
        decodes_to(ids[i], (span){packed, n}, SPAN(plain));
        size_t empty = encode(ids[i], (span){plain, 0}, packed + n);
        decodes_to(ids[i], (span){packed, n + empty}, SPAN(plain));
        packed[n] = 'x';
        fails(ids[i], (span){packed, n + 1}, sizeof plain, NRW_E_CORRUPT, NRW_E_CORRUPT);
    }
}

static void gzip_wrappers(void **state)
{
    (void)state;
    make_block(BLOCK_MIXED, plain, sizeof plain);
    uLongf n = sizeof packed;
    assert_int_equal(compress2(packed, &n, plain, sizeof plain, 6), Z_OK);
    decodes_to(CODEC_GZIP, (span){packed, n}, SPAN(plain));
    packed[n] = 0;
    fails(CODEC_GZIP, (span){packed, n + 1}, sizeof plain, NRW_E_CORRUPT, NRW_E_CORRUPT);

    z_stream z = {.next_in = plain, .avail_in = sizeof plain, .next_out = packed};
    z.avail_out = sizeof packed;
    gz_header header = {.name = (Bytef *)"a name", .comment = (Bytef *)"a remark", .hcrc = 1};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    deflateSetHeader(&z, &header);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = z.total_out;
    deflateEnd(&z);
    decodes_to(CODEC_GZIP, (span){packed, n}, SPAN(plain));
    packed[n - 6] ^= 1; /* of the CRC */
    fails(CODEC_GZIP, (span){packed, n}, sizeof plain, NRW_E_CORRUPT, NRW_E_CORRUPT);
}

static void snappy_far_copy(void **state)
{
    (void)state;
    static uint8_t block[N];
    size_t n = 0, literal = 70000, len = literal + 60;
    make_block(BLOCK_RANDOM, plain, literal);
    memcpy(plain + literal, plain, 60);
    for (size_t v = len; v > 0; v >>= 7)
        block[n++] = (uint8_t)(v & 0x7f) | (v > 127 ? 0x80 : 0);
    block[n++] = 62 << 2; /* length in three bytes */
    for (int i = 0; i < 3; i++)
        block[n++] = (uint8_t)((literal - 1) >> (8 * i));
    memcpy(block + n, plain, literal);
    n += literal;
    block[n++] = 59 << 2 | 3; /* 60 bytes, offset in four */
    for (int i = 0; i < 4; i++)
        block[n++] = (uint8_t)(literal >> (8 * i));
    fails(CODEC_SNAPPY, (span){block, n}, len, NRW_OK, NRW_E_UNSUPPORTED);

    uint8_t *offset = block + n - 4; /* 65,536: the farthest that a stream keeps */
    offset[0] = offset[1] = offset[3] = 0;
    offset[2] = 1;
    memcpy(plain + literal, plain + literal - 65536, 60);
    decodes_to(CODEC_SNAPPY, (span){block, n}, (span){plain, len});
    offset[2] = 0;
    fails(CODEC_SNAPPY, (span){block, n}, len, NRW_E_CORRUPT, NRW_E_CORRUPT);
}

static uint8_t *put_size(uint8_t *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    return p + 4;
}

static uint8_t *put_chunk(uint8_t *p, const uint8_t *from, size_t n)
{
    int len = LZ4_compress_default((const char *)from, (char *)p + 4, (int)n, (int)n + 1000);
    assert_true(len > 0);
    put_size(p, (size_t)len);
    return p + 4 + len;
}

static void lz4_framings(void **state)
{
    (void)state;
    make_block(BLOCK_WORDS, plain, sizeof plain);
    /* A frame of two chunks and one of one, as Hadoop writes them. */
    uint8_t *p = put_size(packed, 150000);
    p = put_chunk(p, plain, 100000);
    p = put_chunk(p, plain + 100000, 50000);
    p = put_size(p, 50000);
    p = put_chunk(p, plain + 150000, 50000);
    decodes_to(CODEC_LZ4, (span){packed, (size_t)(p - packed)}, SPAN(plain));
    p = put_size(p, 0);
    decodes_to(CODEC_LZ4, (span){packed, (size_t)(p - packed)}, SPAN(plain));
    fails(CODEC_LZ4, (span){packed, (size_t)(p - packed) - 5}, sizeof plain, NRW_E_CORRUPT,
          NRW_E_CORRUPT);
    put_size(packed, 0x7fffffff);
    fails(CODEC_LZ4, (span){packed, (size_t)(p - packed)}, sizeof plain, NRW_E_CORRUPT,
          NRW_E_CORRUPT);

    /* A bare block, and LZ4's own frames. */
    for (size_t n = 0; n < 200; n += 1 + n / 7) {
        size_t len = encode(CODEC_LZ4_RAW, (span){plain, n}, packed);
        decodes_to(CODEC_LZ4, (span){packed, len}, (span){plain, n});
        decodes_to(CODEC_LZ4_RAW, (span){packed, len}, (span){plain, n});
    }
    LZ4F_preferences_t prefs = {.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    size_t len = LZ4F_compressFrame(packed, sizeof packed, plain, sizeof plain, &prefs);
    assert_false(LZ4F_isError(len));
    decodes_to(CODEC_LZ4, (span){packed, len}, SPAN(plain));
    fails(CODEC_LZ4, (span){packed, len - 1}, sizeof plain, NRW_E_CORRUPT, NRW_E_CORRUPT);
    packed[len - 1] ^= 1; /* of the checksum */
    fails(CODEC_LZ4, (span){packed, len}, sizeof plain, NRW_E_CORRUPT, NRW_E_CORRUPT);
}

/* Small blocks against the library's reading of them, and offsets of nothing. */
static void lz4_blocks(void **state)
{
    (void)state;
    uint64_t seed = 1;
    const uint8_t no_offset[] = {0x1f, 'a', 0, 0, 40, 0x50, 'b', 'b', 'b', 'b', 'b'};
    fails(CODEC_LZ4_RAW, SPAN(no_offset), 65, NRW_E_CORRUPT, NRW_E_CORRUPT);
    for (int round = 0; round < ROUNDS(400); round++) {
        uint8_t src[300], got[301], want[300];
        size_t n = next_random(&seed) % 300, period = 1 + next_random(&seed) % 40;
        for (size_t i = 0; i < n; i++)
            src[i] = i < period || next_random(&seed) % 50 == 0 ? (uint8_t)next_random(&seed)
                                                                : src[i - period];
        int len = LZ4_compress_default((char *)src, (char *)packed, (int)n, sizeof packed);
        decodes_to(CODEC_LZ4_RAW, (span){packed, (size_t)len}, (span){src, n});
        if (n == 0)
            continue;
        packed[next_random(&seed) % (size_t)len] ^= (uint8_t)(1u << next_random(&seed) % 8);
        int r = LZ4_decompress_safe((char *)packed, (char *)want, len, (int)n);
        mem *m = test_mem_open(MEM_NO_LIMIT);
        codec_ctx c = codec_ctx_init(codec_by_id(CODEC_LZ4_RAW), m);
        span damaged = {packed, (size_t)len};
        nrw_status st = c.codec->decode(&c, damaged, got, n, NULL);
        assert_int_equal(stream_decode(&c, damaged, 13, 17, got, n, NULL), st);
        if (st == NRW_OK) { /* the library takes offsets of 0, so it may succeed more often */
            assert_int_equal(r, n);
            assert_memory_equal(got, want, n);
        }
        codec_ctx_release(&c);
        test_mem_close(m);
    }
}

/* Bytes that come again after `period`, but for noise; or numbers of which some lower bytes differ,
 * which make a literal and a copy each. */
static void fill_again(uint8_t *src, size_t n, uint64_t *seed)
{
    size_t period = 1 + next_random(seed) % 70, low = next_random(seed) % 8;
    unsigned noise = 2 + (unsigned)next_random(seed) % 60;
    bool numbers = next_random(seed) % 3 == 0;
    if (numbers)
        period = 8 + next_random(seed) % 17;
    for (size_t i = 0; i < n; i++) {
        bool other = numbers ? i % period < low : next_random(seed) % noise == 0;
        src[i] = i < period || other ? (uint8_t)next_random(seed) : src[i - period];
    }
}

typedef struct packed_block {
    span packed;
    const uint8_t *plain;
    size_t len;
} packed_block;

/* Blocks side by side, `a` as number `at` among `b`, succeed where all do alone, and give the same
 * bytes. */
static void decodes_beside(packed_block a, packed_block b, size_t count, size_t at, bool sound)
{
    const codec *snappy = codec_by_id(CODEC_SNAPPY);
    const size_t all = a.len + (count - 1) * b.len;
    uint8_t *to = malloc(all + 1), *p = to;
    span src[CODEC_BESIDE];
    size_t n[CODEC_BESIDE];

    assert_non_null(to);
    for (size_t i = 0; i < count; i++)
        src[i] = i == at ? a.packed : b.packed;
    assert_int_equal(snappy->decode_beside(src, count, to, all, n) && n[at] == a.len, sound);
    for (size_t i = 0; sound && i < count; i++) {
        const packed_block *block = i == at ? &a : &b;
        assert_int_equal(n[i], block->len);
        assert_memory_equal(p, block->plain, n[i]);
        p += n[i];
    }
    assert_false(sound && all > 0 && snappy->decode_beside(src, count, to, all - 1, n));
    free(to);
}

#ifdef MAP_32BIT
/* Blocks that are unpacked to an address too low to see by it what lies in front of them: first to
 * last as elsewhere, and the first one damaged. */
static void snappy_low(void **state)
{
    (void)state;
    enum { LEN = 3000 };
    uint64_t seed = 3;
    const codec *snappy = codec_by_id(CODEC_SNAPPY);
    static uint8_t plain_block[LEN], packed_one[2 * LEN];
    uint8_t *low = mmap(NULL, CODEC_BESIDE * LEN, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    size_t len = sizeof packed_one, n[CODEC_BESIDE];
    span src[CODEC_BESIDE];

    assert_true(low != MAP_FAILED);
    fill_again(plain_block, LEN, &seed);
    assert_int_equal(snappy_compress((char *)plain_block, LEN, (char *)packed_one, &len),
                     SNAPPY_OK);
    for (size_t i = 0; i < CODEC_BESIDE; i++)
        src[i] = (span){packed_one, len};
    assert_true(snappy->decode_beside(src, CODEC_BESIDE, low, CODEC_BESIDE * LEN, n));
    for (size_t i = 0; i < CODEC_BESIDE; i++)
        assert_memory_equal(low + i * LEN, plain_block, LEN);
    src[0].len--;
    assert_false(snappy->decode_beside(src, CODEC_BESIDE, low, CODEC_BESIDE * LEN, n));
    munmap(low, CODEC_BESIDE * LEN);
}
#endif

/* Sound and damaged blocks against the library's reading of them, alone and beside a sound one. */
static void snappy_blocks(void **state)
{
    (void)state;
    uint64_t seed = 2;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    codec_ctx c = codec_ctx_init(codec_by_id(CODEC_SNAPPY), m);
    for (int round = 0; round < ROUNDS(1500); round++) {
        static uint8_t src[3000], got[3000], want[3000];
        static uint8_t other[3000], other_packed[6000];
        size_t n = next_random(&seed) % 3000, len = 6000, other_n = next_random(&seed) % 3000;
        size_t other_len = sizeof other_packed;
        fill_again(src, n, &seed);
        fill_again(other, other_n, &seed);
        assert_int_equal(snappy_compress((char *)src, n, (char *)packed, &len), SNAPPY_OK);
        assert_int_equal(snappy_compress((char *)other, other_n, (char *)other_packed, &other_len),
                         SNAPPY_OK);
        const packed_block beside = {{other_packed, other_len}, other, other_n};
        for (int damage = 0; damage < 3; damage++) {
            size_t out = n;
            uint8_t *block = exact(packed, len), *to = exact(src, n);
            span in = {block, len};
            bool ok = snappy_uncompress((char *)packed, len, (char *)want, &out) == SNAPPY_OK;
            nrw_status st = c.codec->decode(&c, in, to, n, NULL);
            assert_int_equal(st == NRW_OK, ok && out == n);
            assert_int_equal(stream_decode(&c, in, 701, 499, got, n, NULL) == NRW_OK, st == NRW_OK);
            for (size_t count = 1; count <= CODEC_BESIDE; count++)
                for (size_t at = 0; at < count; at++)
                    decodes_beside((packed_block){in, want, n}, beside, count, at, st == NRW_OK);
            if (st == NRW_OK) {
                assert_memory_equal(to, want, n);
                assert_memory_equal(got, want, n);
            }
            packed[next_random(&seed) % len] ^= (uint8_t)(1u << next_random(&seed) % 8);
            free(block);
            free(to);
        }
    }
    codec_ctx_release(&c);
    test_mem_close(m);
}

/* An element of any kind at *to, one of `few` a longer one, all of one the longest; what it makes
 * goes behind the n bytes of `made`. Returns what is there then. */
static size_t put_element(uint64_t *seed, uint8_t **to, uint8_t *made, size_t n, uint32_t few)
{
    const unsigned kind = n ? next_random(seed) % 3 : 0;
    const size_t most = kind == 1 ? 8 : next_random(seed) % few ? 20 : kind == 0 ? 60 : 64;
    const size_t len = (kind == 1 ? 4 : 1) + (few > 1 ? next_random(seed) % most : most - 1);
    const size_t far = size_min(n, next_random(seed) % 8 ? 2047 : 20);
    const size_t offset = kind ? 1 + next_random(seed) % far : 0;

    *(*to)++ = (uint8_t)(kind == 1 ? 1 | (len - 4) << 2 | offset >> 8 << 5 : kind | (len - 1) << 2);
    if (kind)
        *(*to)++ = (uint8_t)offset;
    if (kind == 2)
        *(*to)++ = (uint8_t)(offset >> 8);
    for (size_t i = 0; i < len; i++) {
        made[n + i] = kind ? made[n + i - offset] : (uint8_t)next_random(seed);
        if (!kind)
            *(*to)++ = made[n + i];
    }
    return n + len;
}

/* Elements in an order and of lengths that the library does not write, beside what it wrote. */
static void snappy_elements(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int round = 0; round < ROUNDS(1500); round++) {
        static uint8_t made[3064], other[3000], other_packed[6000], elements[9300];
        const size_t least = 128 + next_random(&seed) % 2800, other_n = next_random(&seed) % 3000;
        size_t n = 0, other_len = sizeof other_packed;
        uint8_t *to = elements + 2;
        while (n < least)
            n = put_element(&seed, &to, made, n, 1 + (uint32_t)round % 8);
        elements[0] = (uint8_t)(n | 0x80);
        elements[1] = (uint8_t)(n >> 7);
        fill_again(other, other_n, &seed);
        assert_int_equal(snappy_compress((char *)other, other_n, (char *)other_packed, &other_len),
                         SNAPPY_OK);
        const size_t len = (size_t)(to - elements);
        uint8_t *block = exact(elements, len);
        for (size_t count = 1; count <= CODEC_BESIDE; count++)
            for (size_t at = 0; at < count; at++)
                decodes_beside((packed_block){{block, len}, made, n},
                               (packed_block){{other_packed, other_len}, other, other_n}, count, at,
                               true);
        free(block);
    }
}

/* A window of 8 MiB: refused by name under a small grant, decoded under a large one. */
static void zstd_window(void **state)
{
    (void)state;
    make_block(BLOCK_WORDS, plain, sizeof plain);
    ZSTD_CCtx *z = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, 23);
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    ZSTD_inBuffer in = {plain, sizeof plain, 0};
    ZSTD_outBuffer out = {packed, sizeof packed, 0};
    assert_int_equal(ZSTD_compressStream2(z, &out, &in, ZSTD_e_flush), 0);
    assert_int_equal(ZSTD_compressStream2(z, &out, &in, ZSTD_e_end), 0);
    ZSTD_freeCCtx(z);
    span src = {packed, out.pos};
    decodes_to(CODEC_ZSTD, src, SPAN(plain));

    mem *root = test_mem_open(MEM_NO_LIMIT), *m;
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(mem_child(root, "reader", 4 << 20, &m, &err), &err);
    codec_ctx c = codec_ctx_init(codec_by_id(CODEC_ZSTD), m);
    static uint8_t got[sizeof plain];
    assert_status(NRW_E_MEMLIMIT, stream_decode(&c, src, 1000, 1000, got, sizeof got, &err), &err);
    assert_non_null(strstr(err.message, "8388608"));
    assert_true(err.next[0] != 0);
    assert_ok(c.codec->decode(&c, src, got, sizeof got, &err), &err);
    codec_ctx_release(&c);
    mem_free_account(m);
    test_mem_close(root);
}

/* Frames to skip lie anywhere; a content size that is too large is seen before anything is decoded.
 */
static void zstd_frames(void **state)
{
    (void)state;
    make_block(BLOCK_WORDS, plain, sizeof plain);
    static const uint8_t skip[] = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    memcpy(packed, skip, sizeof skip);
    size_t n = sizeof skip + encode(CODEC_ZSTD, SPAN(plain), packed + sizeof skip);
    memcpy(packed + n, skip, sizeof skip);
    decodes_to(CODEC_ZSTD, (span){packed, n + sizeof skip}, SPAN(plain));
    fails(CODEC_ZSTD, (span){packed, n + sizeof skip - 1}, sizeof plain, NRW_E_CORRUPT,
          NRW_E_CORRUPT);
    fails(CODEC_ZSTD, SPAN(skip), 1, NRW_E_CORRUPT, NRW_E_CORRUPT);
    static const uint8_t huge[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0,   0,
                                   0,    0,    0,    0,    0x10, 1, 0x0, 0};
    fails(CODEC_ZSTD, SPAN(huge), 1000, NRW_E_CORRUPT, NRW_E_CORRUPT);
}

/* What is said of a block changes its bytes, never what they decode to; saying the same gives the
 * same. */
static void hints(void **state)
{
    static const codec_hint said[] = {
        {CODEC_ANY, 0, 0},    {CODEC_NUMBERS, 0, 0}, {CODEC_NUMBERS, 8, 0}, {CODEC_PLANES, 8, 0},
        {CODEC_PLANES, 4, 0}, {CODEC_PLANES, 64, 0}, {CODEC_PLANES, 7, 0}};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    codec_ctx c = codec_ctx_init(codec_by_id(CODEC_ZSTD), m);
    nrw_error err = NRW_ERROR_INIT;
    uint64_t seed = 1;
    size_t first[2] = {0, 0}, n;
    (void)state;

    for (size_t i = 0; i < sizeof plain; i++) /* three bytes of noise in eight */
        plain[i] = i % 8 < 3 ? (uint8_t)next_random(&seed) : 0;
    for (size_t len = 0; len <= sizeof plain; len = len * 5 + 64)
        for (size_t k = 0; k < 2 * sizeof said / sizeof *said; k++) {
            c.hint = said[k / 2];
            assert_ok(
                c.codec->encode(&c, 3, (span){plain, len}, packed, c.codec->bound(len), &n, &err),
                &err);
            assert_true(n <= c.codec->bound(len));
            first[k % 2] = n;
            if (k % 2 == 0)
                decodes_to(CODEC_ZSTD, (span){packed, n}, (span){plain, len});
            else
                assert_int_equal(first[0], first[1]);
        }
    codec_ctx_release(&c);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),         cmocka_unit_test(gzip_wrappers),
        cmocka_unit_test(snappy_far_copy), cmocka_unit_test(lz4_framings),
        cmocka_unit_test(lz4_blocks),      cmocka_unit_test(snappy_blocks),
        cmocka_unit_test(snappy_elements), cmocka_unit_test(zstd_window),
        cmocka_unit_test(zstd_frames),     cmocka_unit_test(hints),
#ifdef MAP_32BIT
        cmocka_unit_test(snappy_low),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
