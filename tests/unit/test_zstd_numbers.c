/* Frames that zstd_numbers.c makes: the library must read them, whatever the literals come to. */
#include "base/fault.h"
#include "codec/zstd_numbers.h"
#include "codec_testing.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

enum { MOST = 70000, SKIP_MOST = 400 };

static uint8_t plain[SKIP_MOST + 8 * MOST], packed[SKIP_MOST + 9 * MOST], back[sizeof plain];

/* What the lower bytes are: noise is stored, one value is one byte, the rest is coded. */
typedef enum lower { LOWER_NOISE, LOWER_ONE, LOWER_SKEWED, LOWER_KINDS } lower;

static void make_numbers(size_t skip, size_t n, uint32_t low, lower kind)
{
    uint64_t seed = skip + n + low + (uint64_t)kind;

    for (size_t i = 0; i < skip; i++)
        plain[i] = (uint8_t)next_random(&seed);
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next_random(&seed), upper = UINT64_C(0x0123456789abcdef) << 8 * low;
        uint64_t mask = (UINT64_C(1) << 8 * low) - 1;
        r = kind == LOWER_ONE ? 0 : kind == LOWER_SKEWED ? r & r >> 13 & r >> 27 : r;
        store_u64(plain + skip + 8 * i, upper | (r & mask));
    }
}

static void reads_back(ZSTD_CCtx *x, size_t skip, size_t n, uint32_t low)
{
    span src = {plain, skip + 8 * n};
    size_t cap = codec_by_id(CODEC_ZSTD)->bound(src.len);
    size_t size = zstd_numbers_encode(x, src, skip, low, packed, cap);

    assert_true(size && size <= cap);
    assert_int_equal(ZSTD_getFrameContentSize(packed, size), src.len);
    assert_int_equal(ZSTD_findFrameCompressedSize(packed, size), size);
    memset(back, 0xa5, src.len);
    assert_int_equal(ZSTD_decompress(back, src.len, packed, size), src.len);
    assert_memory_equal(back, plain, src.len);
    assert_true(size < skip + n * low + n / 64 + 200);
}

static void frames(void **state)
{
    static const size_t skips[] = {0, 6, 7, SKIP_MOST},
                        counts[] = {4, 5, 129, 130, 4000, 16384, 16385, 32514, MOST};
    ZSTD_CCtx *x = ZSTD_createCCtx();
    (void)state;

    for (uint32_t low = 1; low <= 5; low++)
        for (lower kind = 0; kind < LOWER_KINDS; kind++)
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                size_t skip = skips[(i + low + kind) % 4];
                make_numbers(skip, counts[i], low, kind);
                reads_back(x, skip, counts[i], low);
            }
    ZSTD_freeCCtx(x);
}

static uint32_t low_of(size_t skip, size_t n)
{
    return zstd_numbers_low((span){plain, skip + 8 * n}, skip);
}

/* As many bytes as differ; none where too many do, or where values come again. */
static void suits(void **state)
{
    (void)state;
    for (uint32_t low = 1; low <= 5; low++) {
        make_numbers(6, 16384, low, LOWER_NOISE);
        /* there are few numbers of one byte */
        assert_int_equal(low_of(6, 16384), low == 1 ? 0 : low);
        assert_int_equal(low_of(6, 200), low == 1 ? 0 : low);
    }
    make_numbers(0, 16384, 5, LOWER_NOISE);
    plain[8 * 9000 + 5] ^= 1;
    assert_int_equal(low_of(0, 16384), 0);
    make_numbers(0, 16384, 3, LOWER_ONE);
    assert_int_equal(low_of(0, 16384), 0);
    make_numbers(0, 16384, 4, LOWER_NOISE); /* in pairs, far apart */
    memcpy(plain + 8 * 8192, plain, 8 * 8192);
    assert_int_equal(low_of(0, 16384), 0);
    assert_int_equal(low_of(3, 16384), 0);
    assert_int_equal(zstd_numbers_low((span){plain, 4}, 5), 0);
    assert_int_equal(zstd_numbers_low((span){plain, 31}, 0), 0);
}

/* The codec takes it where the numbers are like that, and then what it makes is smaller. */
static void chosen(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    const codec *k = codec_by_id(CODEC_ZSTD);
    codec_ctx c = codec_ctx_init(k, m);
    nrw_error err = NRW_ERROR_INIT;
    size_t n[2], len = 6 + 8 * 16384;
    (void)state;

    make_numbers(6, 16384, 3, LOWER_NOISE);
    for (int said = 0; said < 2; said++) {
        c.hint = said ? (codec_hint){CODEC_NUMBERS, 8, 6} : (codec_hint){CODEC_ANY, 0, 0};
        assert_ok(k->encode(&c, 3, (span){plain, len}, packed, k->bound(len), &n[said], &err),
                  &err);
        assert_ok(k->decode(&c, (span){packed, n[said]}, back, len, &err), &err);
        assert_memory_equal(back, plain, len);
    }
    assert_true(n[1] < n[0]);
    assert_true(n[1] < 3 * 16384 + 200);
    codec_ctx_release(&c);
    test_mem_close(m);
}

#ifdef NARROWS_FAULTS

/* Bytes do not follow memory: where there is none there is an error, never another way of encoding,
 * for which there was some. */
static void allocation_faults(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    const codec *k = codec_by_id(CODEC_ZSTD);
    size_t n, whole = 0, len = 6 + 8 * 16384;
    uint64_t fault = 0;
    bool hit = false;
    (void)state;

    make_numbers(6, 16384, 3, LOWER_NOISE);
    do {
        nrw_error err = NRW_ERROR_INIT;
        codec_ctx c = codec_ctx_init(k, m);
        c.hint = (codec_hint){CODEC_NUMBERS, 8, 6};
        fault_arm(FAULT_ALLOC, fault); /* 0: none, the first time */
        nrw_status st = k->encode(&c, 3, (span){plain, len}, packed, k->bound(len), &n, &err);
        hit = fault_count(FAULT_ALLOC) >= fault;
        fault_arm(FAULT_ALLOC, 0);
        whole = fault ? whole : n;
        assert_int_equal(st, fault && hit ? NRW_E_NOMEM : NRW_OK);
        assert_int_equal(n, st < 0 ? 0 : whole);
        codec_ctx_release(&c);
        fault++;
    } while (hit);
    assert_true(fault > 3);
    test_mem_close(m);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),
        cmocka_unit_test(suits),
        cmocka_unit_test(chosen),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(allocation_faults),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
