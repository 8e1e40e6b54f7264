#include "base/piece.h"

#include "testing.h"

#include "base/hash.h"

#include <pthread.h>

#define MIB   ((size_t)1 << 20)
#define COUNT 4096u

typedef struct thing {
    uint16_t place;
    uint8_t data[];
} thing;

typedef struct held {
    thing *at;
    size_t bytes;
    uint8_t mark;
} held;

static void fill(held *h, mem *m, size_t bytes, uint8_t mark)
{
    nrw_error err = NRW_ERROR_INIT;

    assert_ok(piece_new(m, bytes, (void **)&h->at, &err), &err);
    assert_int_equal((uintptr_t)h->at % 8, 0);
    h->bytes = bytes;
    h->mark = mark;
    memset(h->at->data, mark, bytes - sizeof *h->at);
}

static void let_go(held *h)
{
    for (size_t i = 0; i < h->bytes - sizeof *h->at; i++)
        assert_int_equal(h->at->data[i], h->mark);
    piece_free(h->at);
    h->at = NULL;
}

/* Sizes from a few bytes to some pages, and now and then more than a segment. */
static size_t some_bytes(uint64_t h)
{
    return 3 + (size_t)(h >> 8) % (h % 64 == 0 ? 100000 : h % 8 == 0 ? 5000 : 200);
}

/* Pieces come and go in any order and keep what is in them. */
static void come_and_go(mem *m, uint64_t seed)
{
    held all[256] = {0};

    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t h = hash_u64(seed * 1000003 + i);
        held *x = &all[h >> 48 & 255];
        if (x->at)
            let_go(x);
        else
            fill(x, m, some_bytes(h), (uint8_t)i);
    }
    for (uint32_t i = 0; i < 256; i++)
        if (all[i].at)
            let_go(&all[i]);
}

static void pieces_keep_their_content(void **state)
{
    mem *m = test_mem_open(64 * MIB);

    (void)state;
    come_and_go(m, 1);
    test_mem_close(m);
}

static void *work(void *m)
{
    come_and_go(m, (uintptr_t)&m);
    return NULL;
}

static void threads_share_an_account(void **state)
{
    mem *m = test_mem_open(64 * MIB);
    pthread_t threads[4];

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, m), 0);
    for (uint32_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    test_mem_close(m);
}

/* Books hold little more than the pieces, and nothing of them afterwards. */
static void blocks_come_back(void **state)
{
    mem *root = test_mem_open(64 * MIB), *m;
    nrw_error err = NRW_ERROR_INIT;
    static held all[COUNT];
    uint64_t before, bytes = 0;

    (void)state;
    assert_ok(mem_child(root, "pieces", MEM_NO_LIMIT, &m, &err), &err);
    fill(&all[0], m, 40, 0);
    let_go(&all[0]);
    before = mem_used(m);
    for (uint32_t i = 0; i < COUNT; i++) {
        fill(&all[i], m, 40 + i % 1000, (uint8_t)i);
        bytes += all[i].bytes;
    }
    assert_true(mem_used(m) - before >= bytes);
    assert_true(mem_used(m) - before <= bytes + bytes / 4);
    for (uint32_t i = 0; i < COUNT; i++)
        let_go(&all[i]);
    assert_int_equal(mem_used(m), before);
    mem_free_account(m);
    test_mem_close(root);
}

static void pieces_are_resized(void **state)
{
    mem *m = test_mem_open(64 * MIB);
    nrw_error err = NRW_ERROR_INIT;
    void *p = NULL;
    size_t had = 0;

    (void)state;
    for (size_t bytes = 8; bytes < MIB; bytes += bytes / 3 + 1) {
        assert_ok(piece_resize(m, &p, had, bytes, &err), &err);
        for (size_t i = sizeof(thing); i < had; i++)
            assert_int_equal(((uint8_t *)p)[i], (uint8_t)had);
        had = bytes;
        memset(((thing *)p)->data, (uint8_t)had, bytes - sizeof(thing));
    }
    assert_ok(piece_resize(m, &p, had, 20, &err), &err);
    assert_int_equal(((thing *)p)->data[17], (uint8_t)had);
    piece_free(p);
    test_mem_close(m);
}

/* An account that is full refuses, and gives less where less will do. */
static void a_full_account_refuses(void **state)
{
    mem *m = test_mem_open(MIB);
    nrw_error err = NRW_ERROR_INIT;
    void *last = NULL;
    uint32_t n = 0;
    void *p;
    nrw_status st = NRW_OK;

    (void)state;
    while (n < COUNT && (st = piece_new(m, 1000, &p, &err)) == NRW_OK) {
        memcpy((uint8_t *)p + 8, &last, sizeof last);
        last = p;
        n++;
    }
    assert_int_equal(st, NRW_E_MEMLIMIT);
    assert_true(n > 700);
    while (last) {
        memcpy(&p, (uint8_t *)last + 8, sizeof p);
        piece_free(last);
        last = p;
    }
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_keep_their_content), cmocka_unit_test(threads_share_an_account),
        cmocka_unit_test(blocks_come_back),          cmocka_unit_test(pieces_are_resized),
        cmocka_unit_test(a_full_account_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
