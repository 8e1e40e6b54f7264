#include "testing.h"

#include "base/block.h"
#include "base/fault.h"

#include <pthread.h>
#include <stdlib.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static void books_follow_the_tree(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *root = test_mem_open(10 * MIB), *job, *leaf;

    (void)state;
    assert_ok(mem_child(root, "job", 4 * MIB, &job, &err), &err);
    assert_ok(mem_child(job, "leaf", MEM_NO_LIMIT, &leaf, &err), &err);
    assert_string_equal(mem_name(leaf), "leaf");
    uint64_t base_root = mem_used(root), base_job = mem_used(job);
    assert_ok(mem_reserve(leaf, MIB, &err), &err);
    assert_int_equal(mem_used(leaf), MIB);
    assert_int_equal(mem_used(job), base_job + MIB);
    assert_int_equal(mem_used(root), base_root + MIB);
    assert_int_equal(mem_room(leaf), 3 * MIB - base_job);
    mem_release(leaf, MIB);
    assert_int_equal(mem_used(leaf), 0);
    assert_int_equal(mem_used(root), base_root);
    assert_int_equal(mem_peak(leaf), MIB);
    mem_free_account(leaf);
    mem_free_account(job);
    test_mem_close(root);
}

static void refusal_names_the_holder(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *root = test_mem_open(MEM_NO_LIMIT), *writer, *column;
    void *p;

    (void)state;
    assert_ok(mem_child(root, "parquet writer", 4 * MIB, &writer, &err), &err);
    assert_ok(mem_child(writer, "column", MEM_NO_LIMIT, &column, &err), &err);
    uint64_t base = mem_used(writer);
    assert_ok(mem_reserve(column, 4089446 - base, &err), &err);
    assert_status(NRW_E_MEMLIMIT, mem_reserve(column, 1258291, &err), &err);
    assert_string_equal(err.message,
                        "parquet writer needs 1.2 MiB more, 3.9 of 4.0 MiB are in use");
    assert_false(mem_try_reserve(column, 1258291));
    assert_int_equal(mem_used(column), 4089446 - base); /* rolled back below the refuser */
    assert_status(NRW_E_MEMLIMIT, mem_alloc(column, 1258291, &p, &err), &err);
    assert_null(p);
    assert_null(mem_try_alloc(column, 1258291));
    mem_release(column, 4089446 - base);
    mem_free_account(column);
    mem_free_account(writer);
    test_mem_close(root);
}

static void hostile_sizes_are_refused(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 4,
                                   (size_t)1 << 62};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 * MIB);
    void *p, *q;

    (void)state;
    assert_ok(mem_alloc(m, 100, &q, &err), &err);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_status(NRW_E_MEMLIMIT, mem_alloc(m, sizes[i], &p, &err), &err);
        assert_status(NRW_E_MEMLIMIT, mem_zalloc(m, sizes[i], &p, &err), &err);
        assert_status(NRW_E_MEMLIMIT, mem_reserve(m, sizes[i], &err), &err);
        p = q;
        assert_status(NRW_E_MEMLIMIT, mem_realloc(m, &q, 100, sizes[i], &err), &err);
        assert_ptr_equal(p, q);
    }
    mem_free(m, q, 100);
    test_mem_close(m);
    m = test_mem_open(MEM_NO_LIMIT);
    assert_true(mem_alloc(m, SIZE_MAX, &p, &err) < 0);
    test_mem_close(m);
}

static void all_sizes_come_back(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MEM_NO_LIMIT);

    (void)state;
    for (size_t bytes = 0; bytes < 12 * MIB; bytes += bytes / 7 + 1) {
        uint64_t before = mem_used(m);
        void *p;
        mem_trim();
        before = mem_used(m);
        assert_ok(mem_zalloc(m, bytes, &p, &err), &err);
        assert_true(mem_used(m) - before >= bytes);
        assert_true(mem_used(m) - before <= bytes + bytes / 8 + 4096);
        for (size_t i = 0; i < bytes; i += 1000)
            assert_int_equal(((char *)p)[i], 0);
        memset(p, 0xff, bytes);
        mem_free(m, p, bytes);
    }
    mem_free(m, NULL, 10);
    test_mem_close(m);
}

static void size_classes_waste_little(void **state)
{
    (void)state;
    for (size_t bytes = BLOCK_MIN; bytes < 16 * MIB; bytes += bytes / 97 + 1) {
        size_t size = block_size(bytes);
        assert_true(size >= bytes && size % 4096 == 0);
        assert_true(size - bytes <= size_max(4096, bytes / 8));
        assert_int_equal(block_size(size), size);
    }
}

static void realloc_keeps_content(void **state)
{
    static const size_t sizes[] = {10,       200,     40 * KIB,  41 * KIB, 9 * MIB,
                                   12 * MIB, 5 * MIB, 100 * KIB, 20 * KIB, 100};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    size_t have = 0;
    void *p = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_ok(mem_realloc(m, &p, have, sizes[i], &err), &err);
        for (size_t k = 0; k < size_min(have, sizes[i]); k += 7)
            assert_int_equal(((uint8_t *)p)[k], k % 251);
        have = sizes[i];
        for (size_t k = 0; k < have; k++)
            ((uint8_t *)p)[k] = (uint8_t)(k % 251);
    }
    mem_free(m, p, have);
    test_mem_close(m);
}

#ifndef BLOCK_FROM_MALLOC
static void free_blocks_are_recycled_and_given_back(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *root = test_mem_open(32 * MIB), *m;
    void *p, *q, *all[40];

    (void)state;
    assert_ok(mem_child(root, "reader", 12 * MIB, &m, &err), &err);
    uint64_t base = mem_used(root);
    assert_ok(mem_alloc(m, 256 * KIB, &p, &err), &err);
    mem_free(m, p, 256 * KIB);
    assert_int_equal(mem_used(m), 0);
    assert_int_equal(mem_used(root), base + 256 * KIB); /* free, but still resident */
    assert_ok(mem_alloc(m, 250 * KIB, &q, &err), &err);
    assert_ptr_equal(p, q);
    assert_int_equal(mem_used(root), base + 256 * KIB);
    mem_free(m, q, 250 * KIB);
    /* all that was in use at a time may stay ... */
    for (int i = 0; i < 40; i++)
        assert_ok(mem_alloc(m, 256 * KIB, &all[i], &err), &err);
    for (int i = 0; i < 40; i++)
        mem_free(m, all[i], 256 * KIB);
    assert_int_equal(mem_used(root), base + 10 * MIB);
    /* ... and beside other sizes a little more */
    for (int i = 0; i < 20; i++)
        assert_ok(mem_alloc(m, 512 * KIB, &all[i], &err), &err);
    assert_in_range(mem_used(root), base + 10 * MIB, base + 12 * MIB + 512 * KIB);
    for (int i = 0; i < 20; i++)
        mem_free(m, all[i], 512 * KIB);
    assert_in_range(mem_used(root), base + 10 * MIB, base + 12 * MIB + 512 * KIB);
    /* and nothing when somebody needs it */
    assert_int_equal(mem_room(root), 32 * MIB - base);
    assert_ok(mem_reserve(root, 32 * MIB - base, &err), &err);
    assert_int_equal(mem_used(root), 32 * MIB);
    assert_false(mem_try_reserve(root, 1));
    mem_release(root, 32 * MIB - base);
    mem_free_account(m);
    test_mem_close(root);
}

static void recycled_blocks_are_zeroed_on_demand(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 * MIB);
    void *p;

    (void)state;
    assert_ok(mem_alloc(m, 64 * KIB, &p, &err), &err);
    memset(p, 0xee, 64 * KIB);
    mem_free(m, p, 64 * KIB);
    assert_ok(mem_zalloc(m, 64 * KIB, &p, &err), &err);
    for (size_t i = 0; i < 64 * KIB; i++)
        assert_int_equal(((uint8_t *)p)[i], 0);
    mem_free(m, p, 64 * KIB);
    test_mem_close(m);
}

/* Blocks of sizes that alternate are not taken from the system again and again. */
static void a_free_block_becomes_one_of_nearly_its_size(void **state)
{
    const size_t sizes[] = {1024 * KIB, 896 * KIB, 768 * KIB, 960 * KIB};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 * MIB);
    uint64_t base = mem_used(m);
    void *all[8];

    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        size_t size = sizes[round % 4];
        for (int i = 0; i < 8; i++) {
            assert_ok(mem_zalloc(m, size, &all[i], &err), &err);
            for (size_t k = 0; k < size; k += 512)
                assert_int_equal(((uint8_t *)all[i])[k], 0);
            memset(all[i], 0xee, size);
        }
        assert_in_range(mem_used(m), base + 8 * size, base + 11 * MIB);
        for (int i = 0; i < 8; i++)
            mem_free(m, all[i], size);
    }
    assert_in_range(mem_used(m), base + 8 * MIB, base + 11 * MIB);
    test_mem_close(m);
}

static void a_refused_child_keeps_the_books_whole(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *root = test_mem_open(64 * MIB), *m;
    void *p;

    (void)state;
    assert_ok(mem_child(root, "small", 100 * KIB, &m, &err), &err);
    uint64_t base = mem_used(root);
    assert_ok(mem_alloc(root, 128 * KIB, &p, &err), &err);
    mem_free(root, p, 128 * KIB);
    assert_null(mem_try_alloc(m, 128 * KIB)); /* a cached block is there, the grant is not */
    assert_int_equal(mem_used(m), 0);
    mem_trim();
    assert_int_equal(mem_used(root), base);
    mem_free_account(m);
    test_mem_close(root);
}
#endif

typedef struct churn {
    mem *m;
    unsigned seed;
} churn;

static void *churn_run(void *arg)
{
    churn *c = arg;
    struct {
        void *p;
        size_t n;
    } held[8] = {0};

    for (int i = 0; i < 4000; i++) {
        unsigned k = (unsigned)rand_r(&c->seed) % 8;
        mem_free(c->m, held[k].p, held[k].n);
        held[k].n = (size_t)rand_r(&c->seed) % (rand_r(&c->seed) % 2 ? 300 : 300 * KIB);
        held[k].p = mem_try_alloc(c->m, held[k].n);
        if (held[k].p)
            memset(held[k].p, i, size_min(held[k].n, 100));
    }
    for (int k = 0; k < 8; k++)
        mem_free(c->m, held[k].p, held[k].n);
    return NULL;
}

static void threads_share_accounts(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *root = test_mem_open(2 * MIB), *m[2];
    pthread_t threads[4];
    churn args[4];

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_ok(mem_child(root, "half", MIB, &m[i], &err), &err);
    uint64_t base = mem_used(root);
    for (unsigned i = 0; i < 4; i++) {
        args[i] = (churn){m[i % 2], i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, churn_run, &args[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    mem_trim();
    assert_int_equal(mem_used(root), base);
    assert_true(mem_peak(root) <= 2 * MIB && mem_peak(m[0]) <= MIB);
    for (int i = 0; i < 2; i++)
        mem_free_account(m[i]);
    test_mem_close(root);
}

#ifdef NARROWS_FAULTS
static void the_nth_allocation_fails(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    void *p;

    (void)state;
    fault_arm(FAULT_ALLOC, 2);
    assert_ok(mem_alloc(m, 10, &p, &err), &err);
    mem_free(m, p, 10);
    assert_status(NRW_E_NOMEM, mem_alloc(m, 100 * KIB, &p, &err), &err);
    assert_null(p);
    assert_ok(mem_alloc(m, 10, &p, &err), &err);
    assert_int_equal(fault_count(FAULT_ALLOC), 3);
    fault_arm(FAULT_ALLOC, 1);
    assert_status(NRW_E_NOMEM, mem_realloc(m, &p, 10, 20, &err), &err);
    fault_arm(FAULT_ALLOC, 0);
    mem_free(m, p, 10);
    test_mem_close(m);
}
#endif

static void the_process_is_measured(void **state)
{
    (void)state;
    assert_true(mem_process_rss() > 100 * KIB);
    assert_true(mem_process_peak() > 100 * KIB);
    mem_tune_process();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(books_follow_the_tree),
        cmocka_unit_test(refusal_names_the_holder),
        cmocka_unit_test(hostile_sizes_are_refused),
        cmocka_unit_test(all_sizes_come_back),
        cmocka_unit_test(size_classes_waste_little),
        cmocka_unit_test(realloc_keeps_content),
#ifndef BLOCK_FROM_MALLOC
        cmocka_unit_test(free_blocks_are_recycled_and_given_back),
        cmocka_unit_test(recycled_blocks_are_zeroed_on_demand),
        cmocka_unit_test(a_free_block_becomes_one_of_nearly_its_size),
        cmocka_unit_test(a_refused_child_keeps_the_books_whole),
#endif
        cmocka_unit_test(threads_share_accounts),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(the_nth_allocation_fails),
#endif
        cmocka_unit_test(the_process_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
