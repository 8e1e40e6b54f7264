/* Files with nested columns: what is read back prints as what went in, and the bytes are the same
 * however the rows came. */
#include "nested_check.h"
#include "test_folder.h"

#include "codec/codec.h"

#include <cmocka.h>

static nrw_error err = NRW_ERROR_INIT;

enum { LEAVES = 256 };

static pq_column_options columns[LEAVES];

/* Small pages and row groups, a dictionary that becomes full. */
static pq_write_options options(uint64_t seed)
{
    pq_write_options o = pq_write_defaults();
    for (int i = 0; i < LEAVES; i++)
        columns[i] = (pq_column_options){.codec = seed % 3 ? CODEC_ZSTD : CODEC_NONE,
                                         .level = 1,
                                         .encoding = -1,
                                         .dictionary = seed % 5 > 0,
                                         .statistics = seed % 7 > 0};
    o.columns = columns;
    o.version = 1 + (int)(seed % 2);
    o.page_bytes = 512u << seed % 5;
    o.page_rows = 100u << seed % 4;
    o.row_group_bytes = 128 << 10;
    o.dictionary_bytes = 100u << seed % 9;
    return o;
}

/* ---- tests ---- */

static void test_rows(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS(30); seed++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        table t = nested_table(m, seed, 4, 400 + (uint32_t)(hash_u64(seed) % 900), 1 + seed % 5);
        pq_write_options o = options(seed);
        file_summary sum;
        table_job j = {.opts = &o, .cut = 300, .threads = 1, .path = temp_path(&folder, "a")};
        t.forms = seed % 2;
        assert_ok(table_write(m, &t, &j, &sum, &err), &err);
        assert_int_equal(sum.rows, t.rows);
        check_nested_file(m, j.path, &t);
        table_free(&t);
        test_mem_close(m);
    }
}

/* One file for every cut, number of threads, grant and form of vectors. */
static void test_same_bytes(void **state)
{
    (void)state;
    static const struct {
        uint32_t cut, threads;
        int grant; /* percent of the least; 0: no limit */
    } runs[] = {{65536, 1, 0}, {1000, 1, 0},    {7, 1, 0},     {1, 1, 0},     {1000, 2, 0},
                {97, 8, 0},    {65536, 1, 100}, {100, 2, 100}, {100, 8, 100}, {300, 3, 130}};
    for (uint64_t seed = 100; seed < 106; seed++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        table t = nested_table(m, seed, 3, 3000, 3);
        pq_write_options o = options(seed);
        uint64_t hash = 0;
        for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
            file_summary sum;
            budget b;
            table_job j = {.opts = &o,
                           .cut = runs[i].cut,
                           .threads = runs[i].threads,
                           .path = temp_path(&folder, "b")};
            t.forms = i % 2;
            assert_ok(parquet_write_budget(&t.s, &o, j.threads, &b, &err), &err);
            j.grant = b.least * (uint64_t)runs[i].grant / 100;
            assert_ok(table_write(m, &t, &j, &sum, &err), &err);
            uint64_t h = table_file_hash(m, j.path);
            if (i == 0)
                check_nested_file(m, j.path, &t);
            if (i && h != hash)
                fail_msg("cut %u, threads %u, grant %d %%: other bytes", runs[i].cut,
                         runs[i].threads, runs[i].grant);
            hash = h;
        }
        table_free(&t);
        test_mem_close(m);
    }
}

static void test_selection(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = nested_table(m, 77, 3, 4000, 3);
    pq_write_options o = options(77);
    uint64_t hash = 0;
    for (uint32_t i = 0; i < 4; i++) {
        file_summary sum;
        table_job j = {.opts = &o,
                       .cut = i < 2 ? 1000 : 5, /* batches without a row, too */
                       .threads = 1 + i % 2,
                       .keep = 7,
                       .path = temp_path(&folder, "c")};
        assert_ok(table_write(m, &t, &j, &sum, &err), &err);
        assert_int_equal(sum.rows, 4000 / 7 + 1);
        uint64_t h = table_file_hash(m, j.path);
        assert_true(i == 0 || h == hash);
        hash = h;
    }
    table_free(&t);
    test_mem_close(m);
}

static void test_no_rows(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = nested_table(m, 3, 4, 0, 3);
    pq_write_options o = options(3);
    file_summary sum;
    table_job j = {.opts = &o, .cut = 100, .threads = 1, .path = temp_path(&folder, "d")};
    assert_ok(table_write(m, &t, &j, &sum, &err), &err);
    assert_int_equal(sum.row_groups, 0);
    check_nested_file(m, j.path, &t);
    table_free(&t);
    test_mem_close(m);
}

/* ---- pages end between records ---- */

static void number_pages(mem *m, const char *path, uint32_t rows, uint32_t *n_pages)
{
    io_file *f;
    pq_meta *meta;
    pq_read_options ro = {0};
    arena *a;
    pq_chunk chunk;
    pq_page_place *at;

    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(file_open(m, path, NULL, &f, &err), &err);
    assert_ok(pq_meta_open(m, f, &ro, &meta, &err), &err);
    assert_int_equal(pq_meta_row_groups(meta), 1);
    assert_ok(pq_meta_chunk(meta, 0, 0, a, &chunk, &err), &err);
    assert_ok(pq_offset_index(meta, &chunk, rows, a, n_pages, &at, &err), &err);
    for (uint32_t i = 1; i < *n_pages; i++)
        assert_true(at[i].first_row > at[i - 1].first_row);
    pq_meta_close(meta);
    file_close(f);
    arena_free(a);
}

/* Lists of a thousand values in pages of 300, a dictionary that ends inside one of them. */
static void test_long_records(void **state)
{
    (void)state;
    field x = {.name = "element", .type = type_of(TYPE_UTF8), .nullable = true, .field_id = -1};
    for (uint32_t dictionary = 16; dictionary <= 65536; dictionary *= 4) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        table t = nested_table(m, 1, 1, 20, 3);
        nested_maker k = {.m = m, .seed = dictionary, .nulls = 5, .longest = 1000};
        pq_write_options o = options(2);
        uint64_t hash = 0;
        uint32_t pages;
        o.row_group_bytes = 1 << 30;
        o.dictionary_bytes = dictionary;
        o.page_rows = 300;
        vector_release(&t.cols[0]);
        vector_release(&t.coded[0]);
        t.s.fields[0].type = type_nested(TYPE_LIST, &x, 1);
        t.cols[0] = nested_vector(&k, &t.s.fields[0], 2, t.rows, NULL);
        for (uint32_t i = 0; i < 3; i++) {
            static const uint32_t cut[] = {20, 3, 1};
            file_summary sum;
            table_job j = {
                .opts = &o, .cut = cut[i], .threads = 1, .path = temp_path(&folder, "e")};
            assert_ok(table_write(m, &t, &j, &sum, &err), &err);
            check_nested_file(m, j.path, &t);
            number_pages(m, j.path, t.rows, &pages);
            assert_in_range(pages, 5, 20);
            uint64_t h = table_file_hash(m, j.path);
            assert_true(i == 0 || h == hash);
            hash = h;
        }
        table_free(&t);
        test_mem_close(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_selection),    cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_long_records),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
