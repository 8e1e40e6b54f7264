/* Sets of keys as they are packed for the spill file, and with room made for them beforehand. */
#include "column/key.h"
#include "exec/agg_set.h"
#include "testing.h"

#include <math.h>

static mem *account;

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

static uint64_t lot = 88172645463325252u;

static uint64_t random_below(uint64_t n)
{
    lot ^= lot << 13;
    lot ^= lot >> 7;
    lot ^= lot << 17;
    return lot % n;
}

static const type real = {.id = TYPE_FLOAT64, .width = 8};

static const agg_set_kind kinds[] = {
    {.key = AGG_KEY_ANY},
    {.key = AGG_KEY_TEXT},
    {.key = 9},
    {.key = 5, .extra = 16, .counted = true},
    {.key = AGG_KEY_TEXT, .extra = 16, .counted = true},
    {.key = 9, .extra = 24, .counted = true},
    {.key = 9, .extra = 24, .counted = true, .spelt = &real},
    {.key = AGG_KEY_ANY, .extra = 3},
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

enum { MOST = 300, ENTRIES = 400 };

typedef struct made_entry {
    uint8_t key[MOST + 5], extra[24];
    uint32_t len;
} made_entry;

static made_entry make(const agg_set_kind *k, uint64_t *ordinal)
{
    static const uint64_t rows[] = {1, 1, 1, 2, 127, 128, UINT64_MAX};
    made_entry e = {.len = k->key};
    uint32_t text = (uint32_t)random_below(random_below(8) ? 30 : MOST);

    for (size_t i = 0; i < sizeof e.key; i++)
        e.key[i] = (uint8_t)random_below(256);
    for (size_t i = 0; i < sizeof e.extra; i++)
        e.extra[i] = (uint8_t)random_below(256);
    if (k->key == AGG_KEY_ANY)
        e.len = text + 1;
    else
        e.key[0] = 1;
    if (k->key == AGG_KEY_TEXT) {
        e.len = text + 5;
        store_u32(e.key + 1, text);
    }
    if (k->counted) {
        *ordinal += random_below(9) ? 1 : random_below(1u << 30);
        if (random_below(20) == 0)
            *ordinal = random_below(100); /* back */
        store_u64(e.extra, rows[random_below(sizeof rows / sizeof *rows)]);
        store_u64(e.extra + 8, *ordinal);
    }
    if (k->spelt) {
        const double odd[] = {-0.0, (double)NAN, -(double)NAN};
        if (random_below(4) == 0)
            memcpy(e.extra + 16, &odd[random_below(3)], 8);
        key_put_value(k->spelt, e.extra + 16, e.key + 1);
    }
    return e;
}

static void assert_entry(const agg_set_kind *k, const made_entry *e, const agg_entry *got)
{
    assert_int_equal(got->key.len, e->len);
    assert_memory_equal(got->key.data, e->key, e->len);
    if (k->extra)
        assert_memory_equal(got->extra, e->extra, k->extra);
}

static void test_packed_and_back(void **state)
{
    (void)state;
    static made_entry made[ENTRIES];

    for (size_t n = 0; n < N_KINDS; n++) {
        const agg_set_kind *k = &kinds[n];
        agg_set_reader r = agg_set_reader_of(k, account);
        bytes out = bytes_init(account, UINT32_MAX);
        nrw_error err = NRW_ERROR_INIT;
        agg_set_pace pace = {0};
        uint64_t ordinal = 0;
        agg_entry got;
        for (int i = 0; i < ENTRIES; i++) {
            made[i] = make(k, &ordinal);
            const agg_entry e = {{made[i].key, made[i].len}, made[i].extra};
            const size_t had = out.len;
            assert_ok(agg_set_pack(k, &e, &pace, &out, &err), &err);
            assert_true(out.len - had <= agg_set_packed_most(k, &e));
        }
        agg_set_reader_begin(&r, (span){out.data, out.len});
        for (int i = 0; i < ENTRIES; i++) {
            assert_ok(agg_set_reader_next(&r, &got, &err), &err);
            assert_entry(k, &made[i], &got);
        }
        assert_status(NRW_END, agg_set_reader_next(&r, &got, &err), &err);
        agg_set_reader_free(&r);
        bytes_release(&out);
    }
}

/* What n numbers of 4 bytes take, of rows that lie so far apart. */
static size_t packed_bytes(uint64_t n, uint64_t apart)
{
    const agg_set_kind *k = &kinds[3];
    bytes out = bytes_init(account, UINT32_MAX);
    nrw_error err = NRW_ERROR_INIT;
    agg_set_pace pace = {0};

    for (uint64_t i = 0; i < n; i++) {
        /* as of several threads: sometimes far ahead */
        const uint64_t ordinal = i * apart + (i / 500 % 3) * (UINT64_C(1) << 40);
        uint8_t key[5] = {1, (uint8_t)i, (uint8_t)(i >> 8)}, extra[16];
        store_u64(extra, 1);
        store_u64(extra + 8, ordinal);
        const agg_entry e = {{key, 5}, extra};
        assert_ok(agg_set_pack(k, &e, &pace, &out, &err), &err);
    }
    n = out.len;
    bytes_release(&out);
    return n;
}

/* In the order of their rows they take some bits more. */
static void test_packed_is_short(void **state)
{
    (void)state;
    assert_in_range(packed_bytes(3000, 0), 12000, 12700);
    assert_in_range(packed_bytes(3000, 1), 12000, 13000);
    assert_in_range(packed_bytes(3000, 256), 12000, 16000);
}

/* However what was saved is cut, it gives entries of the piece or says so, and reads no further. */
static void test_cut(void **state)
{
    (void)state;

    for (size_t n = 0; n < N_KINDS; n++) {
        const agg_set_kind *k = &kinds[n];
        bytes out = bytes_init(account, UINT32_MAX);
        nrw_error err = NRW_ERROR_INIT;
        agg_set_pace pace = {0};
        uint64_t ordinal = 0;
        for (int i = 0; i < 8; i++) {
            const made_entry made = make(k, &ordinal);
            const agg_entry e = {{made.key, made.len}, made.extra};
            assert_ok(agg_set_pack(k, &e, &pace, &out, &err), &err);
        }
        for (size_t len = 0; len < out.len; len++) {
            agg_set_reader r = agg_set_reader_of(k, account);
            uint8_t *part = exact(out.data, len);
            agg_entry got;
            nrw_status st;
            int entries = 0;
            agg_set_reader_begin(&r, (span){part, len});
            while ((st = agg_set_reader_next(&r, &got, &err)) == NRW_OK)
                entries++;
            assert_true(entries < 8 && (st == NRW_END || st == NRW_E_IO));
            agg_set_reader_free(&r);
            free(part);
        }
        bytes_release(&out);
    }
}

/* Room that was made is used: nothing is asked for while the set fills. */
static void test_reserved(void **state)
{
    (void)state;
    const agg_set_kind *k = &kinds[2];
    const uint32_t n = 5000;
    bytes out = bytes_init(account, UINT32_MAX);
    nrw_error err = NRW_ERROR_INIT;
    agg_set *s = NULL;
    agg_set_pace pace = {0};
    uint64_t used;

    for (uint64_t i = 0; i < n; i++) {
        uint8_t key[9] = {1};
        store_u64(key + 1, i * i);
        const agg_entry e = {{key, 9}, key};
        assert_ok(agg_set_pack(k, &e, &pace, &out, &err), &err);
    }
    used = mem_used(account);
    assert_ok(agg_set_reserve(k, &s, n, n * 13, account, &err), &err);
    assert_true(mem_used(account) - used <= agg_set_room(n, n * 13) * 5 / 4 + (64 << 10));
    used = mem_used(account);
    assert_ok(agg_set_load(k, (span){out.data, out.len}, &s, account, &err), &err);
    assert_int_equal(mem_used(account), used);
    assert_int_equal(agg_set_n(s), n);
    agg_set_free(s);
    bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed_and_back),
        cmocka_unit_test(test_packed_is_short),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_reserved),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
