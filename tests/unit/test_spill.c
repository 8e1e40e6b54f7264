#include "temp_folder.h"

#include "base/fault.h"
#include "io/extents.h"
#include "io/spill_chain.h"

#include <pthread.h>

#define MIB ((uint64_t)1 << 20)

/* Half text, half noise by `kind`: 0 compresses, 1 does not, 2 only in its first half. */
static void fill(uint8_t *data, size_t len, int kind, uint64_t seed)
{
    uint64_t x = seed * 2654435761 + 1;

    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = kind == 1 || (kind == 2 && i > len / 2) ? (uint8_t)x : (uint8_t)(i / 100 + seed);
    }
}

static void blocks_come_back(void **state)
{
    static const size_t sizes[] = {0, 1, 65, 1000, 65536, 65537, 200000, 3000000};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 * MIB);
    uint8_t *data = malloc(3000000), *back = malloc(3000000);
    temp_folder t;
    spill *s;

    (void)state;
    temp_folder_make(&t);
    assert_ok(spill_new(m, t.path, 1 << 30, &s, &err), &err);
    assert_int_equal(spill_fd(s), -1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kind = 0; kind < 6; kind++) {
            spill_block b;
            fill(data, sizes[i], kind % 3, i + 1);
            assert_ok(spill_write(s, (span){data, sizes[i]}, kind < 3, &b, &err), &err);
            assert_int_equal(b.len, sizes[i]);
            assert_true(b.stored <= b.len);
            if (kind == 0 && sizes[i] >= 1000)
                assert_true(b.stored < b.len / 2);
            if (kind >= 3)
                assert_int_equal(b.stored, b.len);
            assert_int_equal(spill_used(s), b.stored);
            memset(back, 0xaa, sizes[i]);
            assert_ok(spill_read(s, &b, back, &err), &err);
            assert_memory_equal(data, back, sizes[i]);
            spill_free(s, &b);
            assert_int_equal(spill_used(s), 0);
        }
    assert_int_equal(temp_count(&t), 0); /* never a name */
    assert_true(spill_written(s) >= 6000000);
    spill_close(s);
    spill_close(NULL);
    free(data);
    free(back);
    temp_folder_remove(&t);
    test_mem_close(m);
}

static void damage_is_found(void **state)
{
    mem *m = test_mem_open(64 * MIB);
    uint8_t data[100000], back[100000];
    spill *s;

    (void)state;
    for (int compress = 0; compress < 2; compress++)
        for (uint64_t at = 0; at < 2000; at += 37) {
            nrw_error err = NRW_ERROR_INIT;
            spill_block b;
            assert_ok(spill_new(m, NULL, MIB, &s, &err), &err);
            fill(data, sizeof data, 2, 1);
            assert_ok(spill_write(s, SPAN(data), compress, &b, &err), &err);
            uint8_t byte;
            uint64_t where = b.offset + at * b.stored / 2000;
            assert_int_equal(pread(spill_fd(s), &byte, 1, (off_t)where), 1);
            byte ^= 0x41;
            assert_int_equal(pwrite(spill_fd(s), &byte, 1, (off_t)where), 1);
            assert_status(NRW_E_IO, spill_read(s, &b, back, &err), &err);
            assert_string_equal(err.message, "a block of the spill file came back damaged");
            spill_close(s);
        }
    test_mem_close(m);
}

static void the_limit_holds(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 * MIB);
    uint8_t *data = calloc(1, 2 * MIB);
    spill_block b, c;
    uint64_t offset;
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, 2 * MIB, &s, &err), &err);
    assert_ok(spill_write(s, (span){data, 3 * MIB / 2}, false, &b, &err), &err);
    assert_status(NRW_E_IO, spill_write(s, (span){data, MIB}, false, &c, &err), &err);
    assert_string_equal(err.message, "spilling needs 1.0 MiB more, 1.5 of 2.0 MiB are in use");
    assert_string_equal(err.next, "give --spill-limit 3MiB or more");
    assert_status(NRW_E_IO, spill_region(s, UINT64_MAX, &offset, &err), &err);
    assert_status(NRW_E_IO, spill_region(s, UINT64_MAX - MIB, &offset, &err), &err);
    spill_free(s, &b);
    assert_ok(spill_write(s, (span){data, 2 * MIB}, false, &c, &err), &err);
    spill_close(s);
    assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
    assert_status(NRW_E_IO, spill_region(s, UINT64_MAX, &offset, &err), &err);
    spill_close(s);
    free(data);
    test_mem_close(m);
}

static uint64_t bytes_on_disk(const spill *s)
{
    struct stat st;

    assert_int_equal(fstat(spill_fd(s), &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void space_is_given_back(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 * MIB);
    static uint8_t data[50000];
    static spill_block b[1000];
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, 64 * MIB, &s, &err), &err);
    for (int i = 0; i < 1000; i++)
        assert_ok(spill_write(s, SPAN(data), false, &b[i], &err), &err);
    fsync(spill_fd(s));
    assert_true(bytes_on_disk(s) >= 50000000);
    for (int i = 0; i < 900; i++) /* out of order */
        spill_free(s, &b[i * 7 % 900]);
    fsync(spill_fd(s));
    assert_true(bytes_on_disk(s) < 6 * MIB);
    for (int i = 900; i < 1000; i++) {
        assert_ok(spill_read(s, &b[i], data, &err), &err);
        spill_free(s, &b[i]);
    }
    assert_int_equal(bytes_on_disk(s), 0);
    assert_ok(spill_write(s, SPAN(data), false, &b[0], &err), &err);
    assert_int_equal(b[0].offset, 0);
    spill_close(s);
    test_mem_close(m);
}

/* What little was freed stays the file's until the limit asks for it. */
static void space_is_given_back_in_time(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64 * MIB);
    static uint8_t data[50000];
    static spill_block b[1400];
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, 64 * MIB, &s, &err), &err);
    for (int i = 0; i < 300; i++)
        assert_ok(spill_write(s, SPAN(data), false, &b[i], &err), &err);
    for (int i = 0; i < 299; i++)
        spill_free(s, &b[i]);
    fsync(spill_fd(s));
    assert_true(bytes_on_disk(s) >= 14 * MIB);
    for (int i = 300; i < 1400; i++)
        assert_ok(spill_write(s, SPAN(data), false, &b[i], &err), &err);
    fsync(spill_fd(s));
    assert_true(bytes_on_disk(s) < 64 * MIB);
    for (int i = 299; i < 1400; i++)
        assert_ok(spill_read(s, &b[i], data, &err), &err);
    for (int i = 299; i < 1400; i++)
        spill_free(s, &b[i]);
    assert_int_equal(bytes_on_disk(s), 0);
    spill_close(s);
    test_mem_close(m);
}

static void regions_are_written_in_pieces(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    uint64_t offset;
    char text[8] = {0};
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, 1 << 30, &s, &err), &err);
    assert_ok(spill_region(s, 10 * MIB, &offset, &err), &err);
    assert_ok(spill_region_write(s, offset + 5 * MIB, (span){(const uint8_t *)"hello", 5}, &err),
              &err);
    assert_ok(spill_region_read(s, offset + 5 * MIB + 1, text, 4, &err), &err);
    assert_string_equal(text, "ello");
    assert_status(NRW_E_IO, spill_region_read(s, offset + 10 * MIB, text, 4, &err), &err);
    spill_region_free(s, offset, 10 * MIB);
    assert_int_equal(spill_used(s), 0);
    spill_close(s);
    test_mem_close(m);
}

static void packed_blocks_are_readable_without_memory(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(2 * MIB);
    static uint8_t data[300000], back[300000];
    spill_block b, c;
    spill *s;

    (void)state;
    fill(data, sizeof data, 0, 1);
    assert_ok(spill_new(m, NULL, 1 << 30, &s, &err), &err);
    assert_ok(spill_write(s, SPAN(data), true, &b, &err), &err);
    assert_true(b.stored < b.len);
    uint64_t room = mem_room(m);
    assert_ok(mem_reserve(m, room, &err), &err);
    assert_ok(spill_read(s, &b, back, &err), &err);
    assert_memory_equal(data, back, sizeof data);
    assert_ok(spill_write(s, SPAN(data), true, &c, &err), &err);
    assert_true(c.stored < c.len);
    mem_release(m, room);
    spill_close(s);
    test_mem_close(m);
}

static void a_folder_that_is_not_there(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    spill_block b;
    spill *s;

    (void)state;
    assert_ok(spill_new(m, "/nowhere/at/all", MIB, &s, &err), &err);
    assert_status(NRW_E_IO, spill_write(s, SPAN("x"), false, &b, &err), &err);
    assert_string_equal(err.object, "/nowhere/at/all");
    assert_string_equal(err.next, "--spill-dir names another folder");
    assert_int_equal(spill_used(s), 0);
    spill_close(s);
    test_mem_close(m);
}

/* Against a plain model: what extents say can be punched is never live. */
static void extents_never_lose_a_byte(void **state)
{
    static extents x;
    enum { N = 3000 };
    static struct {
        uint64_t offset, len;
    } live[N];
    uint64_t seed = 1, from, to;
    int punched = 0;

    (void)state;
    extents_init(&x);
    for (int round = 0; round < 200000; round++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int k = (int)((seed >> 33) % N);
        if (live[k].len) {
            if (extents_give(&x, live[k].offset, live[k].len, &from, &to)) {
                live[k].len = 0;
                punched++;
                assert_true(to <= x.end);
                for (int i = 0; round % 50 == 0 && i < N; i++)
                    assert_true(!live[i].len || live[i].offset + live[i].len <= from ||
                                live[i].offset >= to);
            }
            live[k].len = 0;
        } else {
            live[k].len = (seed >> 40) % ((seed >> 20) % 50 ? 60000 : 50000000) + 1;
            live[k].offset = extents_take(&x, live[k].len);
        }
    }
    assert_true(punched > 1000);
    assert_true(x.size > 256 << 10); /* the table had to grow coarser */
    uint64_t all = 0, counted = 0;
    for (int i = 0; i < N; i++)
        all += live[i].len;
    for (int i = 0; i < EXTENTS; i++)
        counted += x.live[i];
    assert_int_equal(all, counted);
}

typedef struct worker {
    spill *s;
    uint64_t seed;
    int bad;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    uint8_t data[70000], back[70000];

    for (int i = 0; i < 300; i++) {
        size_t len = (w->seed * 7919 + (uint64_t)i * 104729) % sizeof data;
        spill_block b;
        fill(data, len, i % 3, w->seed + (uint64_t)i);
        if (spill_write(w->s, (span){data, len}, i % 2, &b, NULL) < 0 ||
            spill_read(w->s, &b, back, NULL) < 0 || memcmp(data, back, len) != 0)
            w->bad++;
        spill_free(w->s, &b);
    }
    return NULL;
}

static void threads_share_a_file(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    pthread_t threads[4];
    worker w[4];
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, 1 << 30, &s, &err), &err);
    for (unsigned i = 0; i < 4; i++) {
        w[i] = (worker){s, i + 1, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(w[i].bad, 0);
    }
    assert_int_equal(spill_used(s), 0);
    spill_close(s);
    test_mem_close(m);
}

static nrw_status chain_of(spill *s, spill_chain *c, uint64_t n, nrw_error *err)
{
    *c = (spill_chain){0};
    for (uint64_t i = 0; i < n; i++) {
        spill_block b;
        TRY(spill_write(s, (span){(const uint8_t *)&i, sizeof i}, false, &b, err));
        TRY(spill_chain_add(c, s, &b, err));
    }
    return NRW_OK;
}

static void chains_keep_their_blocks(void **state)
{
    static const uint64_t lengths[] = {0, 1, SPILL_LINK, SPILL_LINK + 1, 9 * SPILL_LINK, 1000};
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, MIB, &s, &err), &err);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (uint64_t taken = 0; taken <= lengths[k]; taken += 1 + lengths[k] / 3) {
            uint8_t seen[1000] = {0};
            spill_chain c;
            spill_block b;
            uint64_t i;
            assert_ok(chain_of(s, &c, lengths[k], &err), &err);
            for (uint64_t n = 0; n < taken; n++) {
                assert_int_equal(spill_chain_take(&c, s, &b, &err), NRW_OK);
                assert_ok(spill_read(s, &b, &i, &err), &err);
                assert_true(i < lengths[k]);
                assert_int_equal(seen[i]++, 0);
                spill_free(s, &b);
            }
            if (taken == lengths[k])
                assert_int_equal(spill_chain_take(&c, s, &b, &err), NRW_END);
            spill_chain_free(&c, s);
            assert_int_equal(spill_used(s), 0);
        }
    spill_close(s);
    test_mem_close(m);
}

/* The last one first, or, turned round, the first one; folded into a block, too. */
static void chains_have_an_order(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    const uint64_t n = 5 * SPILL_LINK + 3;
    spill_chain c;
    spill_block b;
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, MIB, &s, &err), &err);
    for (int turned = 0; turned < 2; turned++) {
        assert_ok(chain_of(s, &c, n, &err), &err);
        if (turned) {
            spill_block all;
            assert_ok(spill_chain_turn(&c, s, &err), &err);
            assert_ok(spill_chain_fold(&c, s, &all, &err), &err);
            assert_true(spill_chain_is_empty(&c));
            assert_int_equal(spill_chain_take(&c, s, &b, &err), NRW_END);
            c = spill_chain_of(&all);
            assert_false(spill_chain_is_empty(&c));
        }
        for (uint64_t k = 0, i; k < n; k++) {
            assert_int_equal(spill_chain_take(&c, s, &b, &err), NRW_OK);
            assert_ok(spill_read(s, &b, &i, &err), &err);
            assert_int_equal(i, turned ? k : n - 1 - k);
            spill_free(s, &b);
        }
        assert_int_equal(spill_chain_take(&c, s, &b, &err), NRW_END);
        assert_int_equal(spill_used(s), 0);
    }
    spill_close(s);
    test_mem_close(m);
}

/* A link that came back damaged gives no blocks. */
static void a_damaged_chain(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(MIB);
    uint8_t byte = 0xa5;
    spill_chain c;
    spill_block b;
    spill *s;

    (void)state;
    assert_ok(spill_new(m, NULL, MIB, &s, &err), &err);
    assert_ok(chain_of(s, &c, SPILL_LINK + 1, &err), &err);
    assert_int_equal(pwrite(spill_fd(s), &byte, 1, (off_t)c.before.offset + 3), 1);
    assert_int_equal(spill_chain_take(&c, s, &b, &err), NRW_OK);
    spill_free(s, &b);
    assert_int_equal(spill_chain_take(&c, s, &b, &err), NRW_E_IO);
    spill_chain_free(&c, s);
    spill_close(s);
    test_mem_close(m);
}

#ifdef NARROWS_FAULTS
static void every_fault_is_an_error(void **state)
{
    mem *m = test_mem_open(4 * MIB);
    static uint8_t data[200000];
    int failed = 0;

    (void)state;
    fill(data, sizeof data, 1, 1);
    for (int kind = FAULT_IO; kind < FAULT_KINDS; kind++)
        for (uint64_t n = 1; n < 8; n++) {
            nrw_error err = NRW_ERROR_INIT;
            spill_block b;
            spill *s;
            nrw_status st;
            assert_ok(spill_new(m, NULL, MIB, &s, &err), &err);
            fault_arm((fault_kind)kind, n);
            st = spill_write(s, SPAN(data), true, &b, &err);
            if (st < 0)
                assert_int_equal(spill_used(s), 0);
            if (st == NRW_OK)
                st = spill_read(s, &b, data, &err);
            fault_arm((fault_kind)kind, 0);
            failed += st < 0;
            spill_close(s);
        }
    assert_int_equal(failed, 3 + 1); /* open, write, read; write */
    test_mem_close(m);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(space_is_given_back),
        cmocka_unit_test(space_is_given_back_in_time),
        cmocka_unit_test(regions_are_written_in_pieces),
        cmocka_unit_test(packed_blocks_are_readable_without_memory),
        cmocka_unit_test(a_folder_that_is_not_there),
        cmocka_unit_test(extents_never_lose_a_byte),
        cmocka_unit_test(threads_share_a_file),
        cmocka_unit_test(chains_keep_their_blocks),
        cmocka_unit_test(chains_have_an_order),
        cmocka_unit_test(a_damaged_chain),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(every_fault_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
