/* Bloom filters as they are written: sizes, windows, no false negatives, few false positives. */
#include "testing.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "format/parquet/bloom_block.h"
#include "format/parquet/bloom_write.h"

typedef struct fixture {
    mem *m;
    spill *s;
    pq_log_env env;
    pq_log hashes;
} fixture;

static void open_fixture(fixture *f)
{
    nrw_error err = NRW_ERROR_INIT;

    *f = (fixture){.m = test_mem_open(MEM_NO_LIMIT)};
    assert_ok(spill_new(f->m, NULL, UINT64_MAX, &f->s, &err), &err);
    f->env = (pq_log_env){f->m, NULL, f->s, 4096};
}

static void close_fixture(fixture *f)
{
    pq_log_release(&f->env, &f->hashes);
    spill_close(f->s);
    test_mem_close(f->m);
}

static uint64_t hash_of(uint64_t v)
{
    return hash_xxh64(&v, sizeof v);
}

/* Values 0 to n - 1, each `times` times. */
static void add_values(fixture *f, uint64_t n, int times)
{
    nrw_error err = NRW_ERROR_INIT;
    uint64_t piece[512];

    for (int t = 0; t < times; t++)
        for (uint64_t v = 0; v < n;) {
            size_t k = 0;
            while (k < 512 && v < n)
                piece[k++] = hash_of(v++);
            assert_ok(pq_log_append(&f->env, &f->hashes,
                                    (span){(const uint8_t *)piece, k * sizeof *piece}, &err),
                      &err);
        }
}

static nrw_status gather(void *self, span piece, nrw_error *err)
{
    return bytes_append(self, piece.data, piece.len, err);
}

static bytes written(fixture *f, int64_t distinct, double ratio, uint32_t window)
{
    pq_bloom_source s = {.env = &f->env,
                         .hashes = &f->hashes,
                         .distinct = distinct,
                         .ratio = ratio,
                         .m = f->m,
                         .window = window};
    bytes out = bytes_init(f->m, SIZE_MAX / 4);
    nrw_error err = NRW_ERROR_INIT;
    pq_log to = {0};
    uint32_t len;

    assert_ok(pq_bloom_write(&s, &f->env, &to, &len, &err), &err);
    assert_ok(pq_log_walk(&f->env, &to, gather, &out, &err), &err);
    assert_int_equal(len, out.len);
    pq_log_release(&f->env, &to);
    return out;
}

static bool may_have(const bytes *b, size_t head, uint64_t v)
{
    uint32_t blocks = (uint32_t)((b->len - head) / PQ_BLOOM_BLOCK);
    uint64_t hash = hash_of(v);

    return pq_bloom_has(b->data + head + (size_t)pq_bloom_block(hash, blocks) * PQ_BLOOM_BLOCK,
                        hash);
}

/* The filter is a power of two, the header in front of it. */
static size_t header_len(const bytes *b)
{
    size_t size = PQ_BLOOM_LEAST;

    while (size * 2 < b->len)
        size *= 2;
    return b->len - size;
}

static void check_filter(uint64_t n, int times, double ratio)
{
    fixture f;
    uint32_t found = 0;
    const uint32_t tries = 200000;

    open_fixture(&f);
    add_values(&f, n, times);
    bytes b = written(&f, -1, ratio, 1 << 20);
    size_t head = header_len(&b);
    for (uint64_t v = 0; v < n; v++)
        assert_true(may_have(&b, head, v));
    for (uint64_t v = 0; v < tries; v++)
        found += may_have(&b, head, UINT64_C(1) << 40 | v);
    assert_true(found <= 1.1 * ratio * tries + 30);
    /* as many values as there are, however often they came, and never much too large */
    assert_true(b.len - head <= 2 * pq_bloom_bytes(n, ratio));
    assert_true(b.len - head >= pq_bloom_bytes(n, ratio));
    for (uint32_t window = PQ_BLOOM_LEAST; window < (1 << 20); window *= 8) {
        if ((b.len / window) * n * (uint64_t)times > 20000000)
            continue;
        bytes other = written(&f, -1, ratio, window);
        assert_int_equal(other.len, b.len);
        assert_memory_equal(other.data, b.data, b.len);
        bytes_release(&other);
    }
    bytes_release(&b);
    close_fixture(&f);
}

static void test_filters(void **state)
{
    (void)state;
    check_filter(1, 5, 0.01);
    check_filter(30, 100, 0.01);
    check_filter(5000, 3, 0.1);
    check_filter(20000, 20, 0.01);
    check_filter(300000, 1, 0.01);
    check_filter(300000, 2, 0.001);
}

static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(pq_bloom_bytes(0, 0.01), PQ_BLOOM_LEAST);
    assert_int_equal(pq_bloom_bytes(26, 0.01), 32);
    assert_int_equal(pq_bloom_bytes(1000000, 0.01), 2 << 20);
    assert_int_equal(pq_bloom_bytes(UINT64_MAX, 0.01), PQ_BLOOM_MOST);
    assert_true(pq_bloom_bytes(1000000, 0.0001) > pq_bloom_bytes(1000000, 0.1));
}

static void test_known_count(void **state)
{
    fixture f;
    (void)state;

    open_fixture(&f);
    add_values(&f, 1000, 1);
    bytes b = written(&f, 1000, 0.01, 4096);
    assert_int_equal(b.len - header_len(&b), pq_bloom_bytes(1000, 0.01));
    assert_true(header_len(&b) < 20);
    bytes_release(&b);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_known_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
