/* The Parquet writer under pressure: grants, many columns, failing memory and files, being stopped.
 */
#include "test_folder.h"
#include "write_table.h"

#include "base/fault.h"
#include "codec/codec.h"
#include "format/parquet/writer_cut.h"
#include "format/parquet/writer_log.h"

enum { MANY = 1200 };

static pq_column_options columns[MANY];

static pq_write_options options(int codec)
{
    pq_write_options o = pq_write_defaults();
    for (int i = 0; i < MANY; i++)
        columns[i] = (pq_column_options){
            .codec = codec, .level = 1, .encoding = -1, .dictionary = true, .statistics = true};
    o.columns = columns;
    return o;
}

static void many_columns(table_column *c, uint32_t n)
{
    static const type_id ids[] = {TYPE_INT64, TYPE_FLOAT64, TYPE_UTF8, TYPE_INT32, TYPE_DATE};
    for (uint32_t i = 0; i < n; i++)
        c[i] = (table_column){type_of(ids[i % 5]), (fill)(i % 4), i % 7 ? 5 : -1, 0};
}

/* With the least that is asked for it works, within that least; 80 % of it is refused. */
static void test_least(void **state)
{
    (void)state;
    static table_column c[MANY];
    static const struct {
        uint32_t columns, rows, threads, cut;
    } runs[] = {
        {1, 200000, 1, 65536}, {5, 60000, 2, 20000}, {60, 3000, 2, 500}, {1200, 150, 3, 40}};
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        many_columns(c, runs[i].columns);
        table t = table_make(m, c, runs[i].columns, runs[i].rows);
        pq_write_options o = options(CODEC_ZSTD);
        nrw_error err = NRW_ERROR_INIT;
        file_summary sum;
        budget b;
        table_job j = {.opts = &o,
                       .cut = runs[i].cut,
                       .threads = runs[i].threads,
                       .path = temp_path(&folder, "a")};
        assert_ok(parquet_write_budget(&t.s, &o, j.threads, &b, &err), &err);
        j.grant = b.least;
        assert_ok(table_write(m, &t, &j, &sum, &err), &err);
        assert_true(j.peak <= b.least);
        uint64_t h = table_file_hash(m, j.path);
        j.grant = b.wish;
        assert_ok(table_write(m, &t, &j, &sum, &err), &err);
        assert_true(h == table_file_hash(m, j.path));
        j.grant = b.least / 5 * 4;
        assert_status(NRW_E_MEMLIMIT, table_write(m, &t, &j, &sum, &err), &err);
        table_free(&t);
        test_mem_close(m);
    }
}

/* Little is needed for each of many columns. */
static void test_least_of_many(void **state)
{
    (void)state;
    enum { WIDE = 10000 };
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    arena *a;
    schema s;
    budget b;
    void *p;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(schema_new(a, WIDE, &s, &err), &err);
    assert_ok(arena_alloc(a, WIDE * sizeof(pq_column_options), &p, &err), &err);
    for (int i = 0; i < WIDE; i++) {
        s.fields[i] = (field){"x", type_of(TYPE_INT64), true, -1};
        ((pq_column_options *)p)[i] = (pq_column_options){CODEC_ZSTD, 3, -1, true, true};
    }
    pq_write_options o = pq_write_defaults();
    o.columns = p;
    assert_ok(parquet_write_budget(&s, &o, 2, &b, &err), &err);
    assert_true(b.least < (uint64_t)44 << 20);
    arena_free(a);
    test_mem_close(m);
}

static void small_table(table_column *c, pq_write_options *o)
{
    c[0] = (table_column){type_of(TYPE_INT64), FILL_SERIAL, -1, 0};
    c[1] = (table_column){type_of(TYPE_UTF8), FILL_RANDOM, 5, 60};
    c[2] = (table_column){type_of(TYPE_UTF8), FILL_FEW, 5, 0};
    *o = options(CODEC_SNAPPY);
    o->page_bytes = 2048;
    o->row_group_bytes = 40 << 10;
    o->dictionary_bytes = 4096;
}

#ifdef NARROWS_FAULTS

static uint64_t count_calls(mem *m, const table *t, table_job *j, fault_kind kind)
{
    nrw_error err = NRW_ERROR_INIT;
    file_summary sum;
    fault_arm(kind, 0);
    assert_ok(table_write(m, t, j, &sum, &err), &err);
    return fault_count(kind);
}

/* Whatever call fails, an error comes out, or the file is whole, and nothing stays behind. */
static void test_faults(void **state)
{
    (void)state;
    table_column c[3];
    pq_write_options o;
    small_table(c, &o);
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = table_make(m, c, 3, 1500);
    static const fault_kind kinds[] = {FAULT_ALLOC, FAULT_IO, FAULT_NOSPACE};
    budget b;
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(parquet_write_budget(&t.s, &o, 1, &b, &err), &err);
    table_job j = {.opts = &o, .cut = 700, .threads = 1, .path = temp_path(&folder, "f")};
    for (int k = 0; k < 6; k++) {
        j.grant = k % 2 ? b.least : 0;
        uint64_t calls = count_calls(m, &t, &j, kinds[k / 2]), failed = 0;
        uint64_t step = calls / 300 + 1;
        uint64_t h = table_file_hash(m, j.path);
        for (uint64_t n = 1; n <= calls; n += step) {
            nrw_error e = NRW_ERROR_INIT;
            file_summary sum;
            fault_arm(kinds[k / 2], n);
            nrw_status st = table_write(m, &t, &j, &sum, &e);
            fault_arm(kinds[k / 2], 0);
            assert_true(st <= NRW_OK);
            if (st == NRW_OK) {
                assert_true(table_file_hash(m, j.path) == h);
                continue;
            }
            failed++;
            assert_true(e.message[0] != '\0');
        }
        assert_true(failed > 0 || calls == 0);
    }
    table_free(&t);
    test_mem_close(m);
}

/* A thread that fails ends all others. */
static void test_faults_threads(void **state)
{
    (void)state;
    table_column c[3];
    pq_write_options o;
    small_table(c, &o);
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = table_make(m, c, 3, 4000);
    budget b;
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(parquet_write_budget(&t.s, &o, 4, &b, &err), &err);
    table_job j = {.opts = &o, .cut = 100, .threads = 4, .path = temp_path(&folder, "g")};
    for (uint64_t n = 40; n < 1000; n += 37) {
        nrw_error e = NRW_ERROR_INIT;
        file_summary sum;
        j.grant = n % 2 ? b.least : 0;
        fault_arm(FAULT_ALLOC, n);
        (void)!table_write(m, &t, &j, &sum, &e);
        fault_arm(FAULT_ALLOC, 0);
    }
    table_free(&t);
    test_mem_close(m);
}

#endif

/* Columns that do not match the schema, a batch of other width. */
static void test_wrong_input(void **state)
{
    (void)state;
    table_column c[3];
    pq_write_options o;
    small_table(c, &o);
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = table_make(m, c, 3, 1000);
    nrw_error err = NRW_ERROR_INIT;
    file_summary sum;
    table_job j = {.opts = &o, .cut = 700, .threads = 2, .path = temp_path(&folder, "h")};
    t.s.fields[1].nullable = false;
    assert_status(NRW_E_VALUE, table_write(m, &t, &j, &sum, &err), &err);
    assert_string_equal(err.column, "c1");
    assert_in_range(err.row, 0, 999);
    assert_false(bit_get(t.cols[1].validity, (size_t)err.row));
    t.s.fields[1].nullable = true;
    t.s.fields[2].type = type_of(TYPE_BINARY);
    err = (nrw_error)NRW_ERROR_INIT;
    assert_status(NRW_E_SCHEMA, table_write(m, &t, &j, &sum, &err), &err);
    assert_int_not_equal(access(j.path, F_OK), 0);
    columns[1].codec = CODEC_LZO;
    assert_status(NRW_E_UNSUPPORTED, table_write(m, &t, &j, &sum, &err), &err);
    table_free(&t);
    test_mem_close(m);
}

/* ---- the cut ---- */

/* Walks all columns in step and returns where row groups end; first[i]: the first stride behind. */
static uint32_t cut_groups(uint64_t limit, int64_t limit_rows, uint64_t row_bytes, int64_t rows,
                           int64_t *ends, uint64_t *first, uint32_t most)
{
    pq_cut c;
    uint32_t n = 0;
    uint64_t gone = 0;
    pq_cut_init(&c, limit, limit_rows, 3, 2, 0);
    for (uint64_t s = 0;; s++) {
        assert_true(s < c.known);
        pq_stride x = *pq_cut_at(&c, s);
        if (s && x.group != pq_cut_at(&c, s - 1)->group) {
            assert_true(n < most);
            first[n] = s;
            ends[n++] = x.group_row;
            gone++;
            pq_cut_group_gone(&c);
        }
        if (x.end > rows)
            return n;
        for (int k = 0; k < 3; k++)
            pq_cut_pass(&c, s, (uint64_t)(x.end - x.group_row) * row_bytes / 3);
    }
}

static void test_cut(void **state)
{
    (void)state;
    static int64_t ends[4096];
    static uint64_t first[4096];
    uint32_t n = cut_groups(3 << 20, 1 << 20, 300, 500000, ends, first, 4096);
    assert_true(n > 40);
    for (uint32_t i = 1; i < n; i++)
        assert_in_range((ends[i] - ends[i - 1]) * 300, (3 << 20) * 31 / 32, 3 << 20);
    assert_in_range(first[0], 12, 24); /* from 32 rows on */
    for (uint32_t i = 1; i < n; i++)   /* from an eighth on */
        assert_in_range(first[i] - first[i - 1], 6, 9);
    n = cut_groups(1 << 30, 1000, 300, 10000, ends, first, 4096);
    assert_int_equal(n, 10);
    assert_int_equal(ends[9], 10000);
    n = cut_groups(1 << 30, 1, 300, 100, ends, first, 4096);
    assert_int_equal(n, 100);
    n = cut_groups(1, 1 << 20, 300, 1000, ends, first, 4096); /* not less than two strides */
    assert_int_equal(ends[0], 64);
    n = cut_groups(1 << 20, 100000, 0, 1000000, ends, first, 4096);
    assert_int_equal(ends[0], 100000);
}

/* ---- logs ---- */

static nrw_status collect(void *self, span piece, nrw_error *err)
{
    return bytes_append(self, piece.data, piece.len, err);
}

static void test_logs(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    spill *sp;
    mem *held;
    assert_ok(spill_new(m, "/tmp", UINT64_MAX, &sp, &err), &err);
    assert_ok(mem_child(m, "held", 0, &held, &err), &err);
    for (int kind = 0; kind < 3; kind++) {
        pq_log_env e = {m, held, sp, kind == 2 ? 8192 : 512};
        pq_log l = {0};
        bytes want = bytes_init(m, SIZE_MAX / 4), got = want;
        mem_set_limit(held, kind == 0 ? 0 : kind == 1 ? 1 << 14 : 1 << 24);
        for (uint32_t i = 0; i < 3000; i++) {
            uint8_t piece[700];
            size_t len = hash_u64(i) % (i % 9 ? 60 : sizeof piece);
            memset(piece, (int)i, len);
            assert_ok(pq_log_append(&e, &l, (span){piece, len}, &err), &err);
            if (len)
                assert_ok(bytes_append(&want, piece, len, &err), &err);
            uint64_t all = 1 << 20;
            if (i == 2000)
                assert_ok(pq_log_evict(&e, &l, &all, &err), &err);
        }
        assert_int_equal(l.len, want.len);
        if (kind == 0)
            assert_true(l.cap <= 32);
        assert_ok(pq_log_walk(&e, &l, collect, &got, &err), &err);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.data, want.data, want.len);
        bytes_release(&want);
        bytes_release(&got);
        pq_log_release(&e, &l);
    }
    assert_int_equal(spill_used(sp), 0);
    mem_free_account(held);
    spill_close(sp);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least),       cmocka_unit_test(test_least_of_many),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(test_faults),      cmocka_unit_test(test_faults_threads),
#endif
        cmocka_unit_test(test_wrong_input), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_logs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
