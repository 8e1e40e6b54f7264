/* Files that the Parquet writer makes: equal to what went in, and the same bytes however it came.
 */
#include "test_folder.h"
#include "write_table.h"

#include "codec/codec.h"
#include "format/parquet/chunk_read.h"

#include <cmocka.h>

enum { MANY = 32 };

static pq_column_options columns[MANY];

static pq_write_options options(int codec)
{
    pq_write_options o = pq_write_defaults();
    for (int i = 0; i < MANY; i++)
        columns[i] = (pq_column_options){
            .codec = codec, .level = 1, .encoding = -1, .dictionary = true, .statistics = true};
    o.columns = columns;
    o.page_bytes = 8192;
    o.page_rows = 2000;
    o.row_group_bytes = 256 << 10;
    o.dictionary_bytes = 16384;
    return o;
}

/* ---- reading back ---- */

static void same_value(const vector *want, uint32_t i, const vector *got, uint32_t j)
{
    bool a_null, b_null;
    span a = vector_value(want, i, &a_null), b = vector_value(got, j, &b_null);
    if (a_null != b_null || (!a_null && (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)))
        fail_msg("row %u differs", i);
}

static uint32_t same_chunk(mem *m, io_file *f, pq_meta *meta, int32_t rg, uint32_t col,
                           const table *t, uint32_t first, uint32_t keep)
{
    nrw_error err = NRW_ERROR_INIT;
    arena *a;
    pq_chunk chunk;
    pq_row_group group;
    pq_chunk_reader *r;
    spill *sp;
    pq_chunk_options o = {.verify_crc = true, .read_ahead = 65536};
    uint32_t row = 0, at = first;

    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(spill_new(m, "/tmp", UINT64_MAX, &sp, &err), &err);
    assert_ok(pq_meta_row_group(meta, rg, &group, &err), &err);
    assert_ok(pq_meta_chunk(meta, rg, col, a, &chunk, &err), &err);
    assert_int_equal(chunk.n_values, group.rows);
    assert_ok(
        pq_chunk_open(m, sp, f, pq_meta_leaf(meta, col), &chunk, rg, group.rows, &o, &r, &err),
        &err);
    int64_t nulls = 0;
    while (row < group.rows) {
        vector v;
        uint32_t most = (uint32_t)group.rows - row;
        assert_ok(
            pq_chunk_read(r, row, most < 65536 ? most : 65536, 1 << 20, NULL, 0, 0, m, &v, &err),
            &err);
        for (uint32_t i = 0; i < v.len; i++, at += keep)
            same_value(&t->cols[col], at, &v, i);
        nulls += v.null_count;
        row += v.len;
        vector_release(&v);
    }
    if (chunk.stats.has_null_count)
        assert_int_equal(chunk.stats.null_count, nulls);
    pq_chunk_close(r);
    spill_close(sp);
    arena_free(a);
    return at;
}

static void check_file(mem *m, const char *path, const table *t, uint32_t keep)
{
    nrw_error err = NRW_ERROR_INIT;
    io_file *f;
    pq_meta *meta;
    pq_read_options ro = {0};
    uint32_t first = 0, step = keep ? keep : 1;

    assert_ok(file_open(m, path, NULL, &f, &err), &err);
    assert_ok(pq_meta_open(m, f, &ro, &meta, &err), &err);
    assert_int_equal(pq_meta_rows(meta), (t->rows + step - 1) / step);
    assert_int_equal(pq_meta_leaves(meta), t->s.n_fields);
    assert_true(schema_equal(pq_meta_schema(meta), &t->s));
    for (int32_t rg = 0; rg < pq_meta_row_groups(meta); rg++) {
        uint32_t next = first;
        for (uint32_t c = 0; c < t->s.n_fields; c++)
            next = same_chunk(m, f, meta, rg, c, t, first, step);
        first = next;
    }
    assert_true(first >= t->rows);
    pq_meta_close(meta);
    file_close(f);
}

/* The page index agrees with the pages. */
static void check_index(mem *m, const char *path)
{
    nrw_error err = NRW_ERROR_INIT;
    io_file *f;
    pq_meta *meta;
    pq_read_options ro = {0};
    arena *a;

    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(file_open(m, path, NULL, &f, &err), &err);
    assert_ok(pq_meta_open(m, f, &ro, &meta, &err), &err);
    for (int32_t rg = 0; rg < pq_meta_row_groups(meta); rg++) {
        for (uint32_t c = 0; c < pq_meta_leaves(meta); c++) {
            pq_row_group g;
            pq_chunk chunk;
            pq_page_place *at;
            pq_column_index ci;
            uint32_t n;
            assert_ok(pq_meta_row_group(meta, rg, &g, &err), &err);
            assert_ok(pq_meta_chunk(meta, rg, c, a, &chunk, &err), &err);
            assert_true(chunk.offset_index_at > 0);
            assert_ok(pq_offset_index(meta, &chunk, g.rows, a, &n, &at, &err), &err);
            assert_int_equal(at[0].offset, chunk.data_page_offset);
            for (uint32_t i = 1; i < n; i++) {
                assert_int_equal(at[i].offset, at[i - 1].offset + at[i - 1].compressed);
                assert_true(at[i].first_row > at[i - 1].first_row);
            }
            assert_int_equal(at[n - 1].offset + at[n - 1].compressed, chunk.end);
            if (chunk.column_index_at < 0)
                continue;
            assert_ok(pq_column_index_read(meta, &chunk, a, &ci, &err), &err);
            assert_int_equal(ci.n, n);
            int64_t nulls = 0;
            for (uint32_t i = 0; i < n; i++)
                nulls += ci.null_counts[i];
            assert_int_equal(nulls, chunk.stats.null_count);
        }
    }
    pq_meta_close(meta);
    file_close(f);
    arena_free(a);
}

/* ---- tests ---- */

static uint32_t all_types(table_column *c)
{
    uint32_t n = 0;
    static const type_id plain[] = {TYPE_BOOL,   TYPE_INT8,     TYPE_INT16,   TYPE_INT32,
                                    TYPE_INT64,  TYPE_UINT8,    TYPE_UINT16,  TYPE_UINT32,
                                    TYPE_UINT64, TYPE_FLOAT16,  TYPE_FLOAT32, TYPE_FLOAT64,
                                    TYPE_DATE,   TYPE_INTERVAL, TYPE_UTF8,    TYPE_BINARY,
                                    TYPE_UUID,   TYPE_JSON,     TYPE_BSON,    TYPE_ENUM};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++, n++)
        c[n] = (table_column){type_of(plain[i]), (fill)(i % 4), i % 3 ? (int)i : -1, 0};
    c[n++] = (table_column){type_decimal(7, 2), FILL_RANDOM, 3, 0};
    c[n++] = (table_column){type_decimal(15, 0), FILL_SERIAL, -1, 0};
    c[n++] = (table_column){type_decimal(30, 5), FILL_RANDOM, 0, 0};
    c[n++] = (table_column){type_decimal(70, 5), FILL_FEW, 10, 0};
    c[n++] = (table_column){type_time(UNIT_MS, true), FILL_RANDOM, 0, 0};
    c[n++] = (table_column){type_time(UNIT_NS, false), FILL_RANDOM, 5, 0};
    c[n++] = (table_column){type_timestamp(UNIT_US, true), FILL_SERIAL, 0, 0};
    c[n++] = (table_column){type_timestamp(UNIT_NS, false), FILL_RANDOM, 100, 0};
    c[n++] = (table_column){type_fixed(5), FILL_RANDOM, 20, 0};
    return n;
}

static void test_types(void **state)
{
    (void)state;
    static const int codecs[] = {CODEC_ZSTD, CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table_column c[MANY];
    uint32_t n = all_types(c);
    table t = table_make(m, c, n, 9000);
    for (int i = 0; i < 4; i++) {
        nrw_error err = NRW_ERROR_INIT;
        file_summary sum;
        pq_write_options o = options(codecs[i]);
        o.version = 1 + i % 2;
        table_job j = {.opts = &o, .cut = 1234, .threads = 1, .path = temp_path(&folder, "a")};
        assert_ok(table_write(m, &t, &j, &sum, &err), &err);
        assert_int_equal(sum.rows, 9000);
        assert_true(sum.row_groups > 1);
        check_file(m, j.path, &t, 0);
        check_index(m, j.path);
    }
    table_free(&t);
    test_mem_close(m);
}

static uint32_t mixed(table_column *c)
{
    uint32_t n = 0;
    c[n++] = (table_column){type_of(TYPE_INT64), FILL_SERIAL, -1, 0};
    c[n++] = (table_column){type_of(TYPE_INT32), FILL_FEW, 5, 0};
    c[n++] = (table_column){type_of(TYPE_UTF8), FILL_RANDOM, 5, 0};
    c[n++] = (table_column){type_of(TYPE_UTF8), FILL_FEW, 50, 0};
    c[n++] = (table_column){type_of(TYPE_FLOAT64), FILL_RANDOM, 0, 0};
    c[n++] = (table_column){type_of(TYPE_INT64), FILL_CONST, 0, 0};
    c[n++] = (table_column){type_of(TYPE_BOOL), FILL_RANDOM, 10, 0};
    return n;
}

/* One file for every cut, number of threads, grant and form of vectors. */
static void test_same_bytes(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table_column c[MANY];
    table t = table_make(m, c, mixed(c), 15000);
    for (int version = 1; version <= 2; version++) {
        pq_write_options o = options(CODEC_ZSTD);
        uint64_t hash = 0;
        o.version = version;
        static const struct {
            uint32_t cut, threads;
            int grant; /* percent of the least; 0: no limit */
        } runs[] = {{65536, 1, 0},   {1000, 1, 0},   {7, 1, 0},      {1000, 2, 0}, {977, 8, 0},
                    {65536, 1, 100}, {1000, 2, 100}, {1000, 8, 100}, {1, 2, 0},    {1000, 2, 110},
                    {5000, 3, 130},  {3000, 2, 200}, {64, 8, 150}};
        for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
            nrw_error err = NRW_ERROR_INIT;
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
            if (i == 0) {
                check_file(m, j.path, &t, 0);
                check_index(m, j.path);
                hash = h;
            }
            if (h != hash)
                fail_msg("cut %u, threads %u, grant %d %%: other bytes", runs[i].cut,
                         runs[i].threads, runs[i].grant);
        }
    }
    table_free(&t);
    test_mem_close(m);
}

static void test_selection(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table_column c[MANY];
    table t = table_make(m, c, mixed(c), 20000);
    pq_write_options o = options(CODEC_SNAPPY);
    uint64_t hash = 0;
    for (uint32_t i = 0; i < 4; i++) {
        nrw_error err = NRW_ERROR_INIT;
        file_summary sum;
        table_job j = {.opts = &o,
                       .cut = i < 2 ? 1000 : 5, /* batches without a row, too */
                       .threads = 1 + i % 2,
                       .keep = 7,
                       .path = temp_path(&folder, "c")};
        assert_ok(table_write(m, &t, &j, &sum, &err), &err);
        assert_int_equal(sum.rows, 20000 / 7 + 1);
        if (i == 0)
            check_file(m, j.path, &t, 7);
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
    table_column c[MANY];
    table t = table_make(m, c, all_types(c), 0);
    pq_write_options o = options(CODEC_ZSTD);
    nrw_error err = NRW_ERROR_INIT;
    file_summary sum;
    table_job j = {.opts = &o, .cut = 100, .threads = 1, .path = temp_path(&folder, "d")};
    assert_ok(table_write(m, &t, &j, &sum, &err), &err);
    assert_int_equal(sum.row_groups, 0);
    check_file(m, j.path, &t, 0);
    t.s.n_fields = 0;
    assert_status(NRW_E_SCHEMA, table_write(m, &t, &j, &sum, &err), &err);
    t.s.n_fields = all_types(c);
    table_free(&t);
    test_mem_close(m);
}

/* Row groups near and under their limit, of rows as well. */
static void test_row_groups(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table_column c[10];
    for (int i = 0; i < 10; i++)
        c[i] = (table_column){type_of(TYPE_UTF8), FILL_RANDOM, i ? 0 : -1, 128};
    table t = table_make(m, c, 10, 12000);
    pq_write_options o = options(CODEC_NONE);
    o.row_group_bytes = 2 << 20;
    nrw_error err = NRW_ERROR_INIT;
    file_summary sum;
    table_job j = {.opts = &o, .cut = 3000, .threads = 2, .path = temp_path(&folder, "e")};
    assert_ok(table_write(m, &t, &j, &sum, &err), &err);

    io_file *f;
    pq_meta *meta;
    pq_read_options ro = {0};
    assert_ok(file_open(m, j.path, NULL, &f, &err), &err);
    assert_ok(pq_meta_open(m, f, &ro, &meta, &err), &err);
    int32_t n = pq_meta_row_groups(meta);
    assert_true(n >= 7);
    for (int32_t i = 0; i < n; i++) {
        pq_row_group g;
        assert_ok(pq_meta_row_group(meta, i, &g, &err), &err);
        if (i + 1 < n)
            assert_in_range(g.total_bytes, (2 << 20) - (2 << 20) / 16, (2 << 20) + (2 << 20) / 16);
    }
    pq_meta_close(meta);
    file_close(f);
    check_file(m, j.path, &t, 0);

    for (int64_t rows = 1; rows < 12000; rows = rows * 13 + 1) {
        o.row_group_rows = rows;
        table_job k = {.opts = &o, .cut = 500, .threads = 2, .path = temp_path(&folder, "e")};
        if (rows == 1)
            t.rows = 900;
        assert_ok(table_write(m, &t, &k, &sum, &err), &err);
        assert_true(sum.row_groups >= (t.rows + rows - 1) / rows);
        check_file(m, k.path, &t, 0);
        t.rows = 12000;
    }
    table_free(&t);
    test_mem_close(m);
}

static uint32_t pick(uint64_t *seed, uint32_t n)
{
    *seed = hash_u64(*seed + 1);
    return (uint32_t)(*seed >> 20) % n;
}

/* Schemas, options, rows, cuts and grants by chance: read back, and the same bytes twice. */
static void test_chance(void **state)
{
    (void)state;
    static const int codecs[] = {CODEC_NONE, CODEC_ZSTD, CODEC_SNAPPY, CODEC_LZ4_RAW};
    for (uint64_t round = 0; round < ROUNDS(24); round++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        uint64_t seed = round, hash = 0;
        table_column all[MANY], c[MANY];
        uint32_t kinds = all_types(all), n = 1 + pick(&seed, 9);
        pq_write_options o = options(CODEC_ZSTD);
        for (uint32_t i = 0; i < n; i++) {
            c[i] = all[pick(&seed, kinds)];
            c[i].fill = (fill)pick(&seed, 4);
            c[i].nulls = (int)pick(&seed, 4) * 33 - 1;
            c[i].len = pick(&seed, 3) * 200;
            columns[i].codec = codecs[pick(&seed, 4)];
            columns[i].statistics = pick(&seed, 4) > 0;
            columns[i].dictionary = pick(&seed, 4) > 0;
        }
        o.version = 1 + (int)pick(&seed, 2);
        o.page_rows = 1 + pick(&seed, 3000);
        o.page_bytes = 100 + pick(&seed, 20000);
        o.dictionary_bytes = pick(&seed, 2) ? 100 + pick(&seed, 20000) : 1 << 20;
        o.row_group_bytes = 1 + pick(&seed, 500000);
        o.row_group_rows = 1 + pick(&seed, 5000);
        o.page_index = pick(&seed, 4) > 0;
        o.page_crc = pick(&seed, 2);
        o.statistics_truncate = 1 + pick(&seed, 70);
        table t = table_make(m, c, n, 1 + pick(&seed, 6000));
        for (int run = 0; run < 3; run++) {
            nrw_error err = NRW_ERROR_INIT;
            file_summary sum;
            budget b;
            table_job j = {.opts = &o,
                           .cut = 1 + pick(&seed, run ? 700 : 9000),
                           .threads = run ? 1 + pick(&seed, 4) : 1,
                           .path = temp_path(&folder, "x")};
            t.forms = run;
            assert_ok(parquet_write_budget(&t.s, &o, j.threads, &b, &err), &err);
            j.grant = run == 2 ? b.least : 0;
            assert_ok(table_write(m, &t, &j, &sum, &err), &err);
            uint64_t h = table_file_hash(m, j.path);
            if (run == 0) {
                check_file(m, j.path, &t, 0);
                if (o.page_index)
                    check_index(m, j.path);
            } else if (h != hash) {
                fail_msg("round %d, run %d: other bytes", (int)round, run);
            }
            hash = h;
        }
        table_free(&t);
        test_mem_close(m);
    }
}

/* Runs that stand for far more than they take do not outgrow the least. */
static void test_swelling(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table_column c[2] = {{type_of(TYPE_UTF8), FILL_CONST, -1, 8192},
                         {type_of(TYPE_UTF8), FILL_FEW, 0, 5000}};
    table t = table_make(m, c, 2, 4000);
    nrw_error err = NRW_ERROR_INIT;
    for (int i = 0; i < 2; i++) {
        pq_write_options o = pq_write_defaults();
        budget b;
        file_summary sum;
        o.columns = options(CODEC_SNAPPY).columns;
        columns[0].dictionary = columns[1].dictionary = i;
        table_job j = {.opts = &o, .cut = 4000, .threads = 1, .path = temp_path(&folder, "s")};
        assert_ok(parquet_write_budget(&t.s, &o, 1, &b, &err), &err);
        j.grant = b.least;
        t.forms = true;
        assert_ok(table_write(m, &t, &j, &sum, &err), &err);
        check_file(m, j.path, &t, 0);
    }
    table_free(&t);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),      cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_selection),  cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_row_groups), cmocka_unit_test(test_chance),
        cmocka_unit_test(test_swelling),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
