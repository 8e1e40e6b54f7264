/* Columns that are added while a Parquet file is open: null before, as pushed behind. */
#include "nested_check.h"
#include "test_folder.h"

#include "base/fault.h"
#include "codec/codec.h"

#include <cmocka.h>

static nrw_error err = NRW_ERROR_INIT;

enum { COLUMNS = 5, LEAVES = 256 };

static pq_column_options columns[LEAVES];

static pq_write_options options(int version)
{
    pq_write_options o = pq_write_defaults();
    for (int i = 0; i < LEAVES; i++)
        columns[i] = o.added;
    o.columns = columns;
    o.version = version;
    o.page_bytes = 1024;
    o.page_rows = 200;
    o.row_group_bytes = 4 << 10;
    return o;
}

/* Rows before `from` are null in column c. */
static void forget(table *t, uint32_t c, uint32_t from)
{
    vector parts[2], all;
    assert_ok(vector_nulls(t->m, &t->s.fields[c].type, from, &parts[0], &err), &err);
    assert_ok(vector_slice(&t->cols[c], from, t->rows - from, t->m, &parts[1], &err), &err);
    assert_ok(vector_concat(parts, 2, t->m, &all, &err), &err);
    vector_release(&parts[0]);
    vector_release(&parts[1]);
    vector_release(&t->cols[c]);
    t->cols[c] = all;
}

typedef struct job {
    const char *path;
    const pq_write_options *opts;
    uint32_t cut, threads, grant;
    uint32_t at[COLUMNS]; /* row before which column i comes; 0: from the start */
} job;

static nrw_status write_phases(mem *m, const job *j, table *t, writer *w, nrw_error *e)
{
    uint32_t all = t->s.n_fields, rows = t->rows;
    table_run r = {.t = t, .w = w, .m = m, .cut = j->cut, .st = NRW_OK};
    nrw_status st = NRW_OK;
    r.err = (nrw_error)NRW_ERROR_INIT;
    pthread_mutex_init(&r.lock, NULL);
    for (uint32_t c = 1; c <= all && st == NRW_OK; c++) {
        if (c < all && !j->at[c])
            continue;
        t->s.n_fields = c;
        t->rows = c < all ? j->at[c] : rows;
        st = table_run_threads(&r, j->threads, e);
        if (st == NRW_OK && c < all)
            st = w->class->add_null_column(w, &t->s.fields[c], e);
    }
    t->s.n_fields = all;
    t->rows = rows;
    pthread_mutex_destroy(&r.lock);
    return st;
}

static nrw_status write_growing(mem *m, table *t, const job *j, file_summary *sum, nrw_error *e)
{
    schema first = {.n_fields = 1, .fields = t->s.fields};
    spill *sp = NULL;
    target *to = NULL;
    mem *grant = NULL;
    writer *w = NULL;
    while (first.n_fields < t->s.n_fields && !j->at[first.n_fields])
        first.n_fields++;
    nrw_status st = mem_child(m, "writer", j->grant ? j->grant : MEM_NO_LIMIT, &grant, e);
    if (st == NRW_OK)
        st = spill_new(m, "/tmp", UINT64_MAX, &sp, e);
    if (st == NRW_OK)
        st = target_open(m, j->path, EXISTS_REPLACE, &to, e);
    if (st == NRW_OK)
        st = parquet_writer_open(grant, sp, to, &first, j->opts, j->threads, &w, e);
    if (st == NRW_OK)
        st = write_phases(m, j, t, w, e);
    if (st == NRW_OK)
        st = w->class->finish(w, sum, e);
    if (w)
        w->class->close(w);
    if (st == NRW_OK)
        st = target_publish(to, e);
    target_close(to);
    spill_close(sp);
    mem_free_account(grant);
    return st;
}

/* Row groups that left before, one that is open, and the file's start; flat and nested columns. */
static void test_add(void **state)
{
    (void)state;
    static const uint32_t at[][COLUMNS] = {{0, 1200, 1200, 1800, 2400}, {0, 0, 60, 1860, 2940}};
    int64_t groups = 0;
    for (uint64_t seed = 0; seed < ROUNDS(12); seed++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        table t = nested_table(m, seed, COLUMNS, 3000, 2);
        pq_write_options o = options(1 + (int)(seed % 2));
        uint64_t hash = 0;
        for (uint32_t c = 0; c < COLUMNS; c++) {
            t.s.fields[c].nullable |= at[seed % 2][c] > 0;
            if (at[seed % 2][c])
                forget(&t, c, at[seed % 2][c]);
        }
        for (int i = 0; i < 4; i++) {
            static const uint32_t cut[] = {30, 15, 60, 30}, threads[] = {1, 1, 2, 8};
            file_summary sum;
            job j = {
                .path = temp_path(&folder, "a"), .opts = &o, .cut = cut[i], .threads = threads[i]};
            memcpy(j.at, at[seed % 2], sizeof j.at);
            assert_ok(write_growing(m, &t, &j, &sum, &err), &err);
            assert_int_equal(sum.rows, t.rows);
            groups += sum.row_groups;
            if (i == 0)
                check_nested_file(m, j.path, &t);
            uint64_t h = table_file_hash(m, j.path);
            assert_true(i == 0 || h == hash);
            hash = h;
        }
        table_free(&t);
        test_mem_close(m);
    }
    assert_true(groups > 12 * 4 * 5);
}

/* Many columns, one after the other. */
static void test_many(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table_column c[64];
    for (int i = 0; i < 64; i++)
        c[i] = (table_column){type_of(i % 2 ? TYPE_UTF8 : TYPE_INT64), FILL_RANDOM, 20, 8};
    table t = table_make(m, c, 64, 640);
    pq_write_options o = options(1);
    schema first = {.n_fields = 1, .fields = t.s.fields};
    spill *sp;
    target *to;
    writer *w;
    file_summary sum;
    table_run r = {.t = &t, .m = m, .cut = 10, .st = NRW_OK};
    pthread_mutex_init(&r.lock, NULL);
    assert_ok(spill_new(m, "/tmp", UINT64_MAX, &sp, &err), &err);
    assert_ok(target_open(m, temp_path(&folder, "m"), EXISTS_REPLACE, &to, &err), &err);
    assert_ok(parquet_writer_open(m, sp, to, &first, &o, 1, &w, &err), &err);
    r.w = w;
    for (uint32_t i = 1; i <= 64; i++) {
        t.s.n_fields = i;
        t.rows = 10 * i;
        assert_ok(table_run_threads(&r, 1, &err), &err);
        if (i < 64)
            assert_ok(w->class->add_null_column(w, &t.s.fields[i], &err), &err);
        t.rows = 640;
        if (i < 64)
            forget(&t, i, 10 * i);
    }
    assert_ok(w->class->finish(w, &sum, &err), &err);
    w->class->close(w);
    assert_ok(target_publish(to, &err), &err);
    target_close(to);
    spill_close(sp);
    check_nested_file(m, temp_path(&folder, "m"), &t);
    pthread_mutex_destroy(&r.lock);
    table_free(&t);
    test_mem_close(m);
}

/* A grant that holds the file as it begins, not as it would become. */
static void test_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        table_column c[2] = {{type_of(TYPE_INT64), FILL_SERIAL, 0, 0},
                             {type_of(TYPE_UTF8), FILL_RANDOM, i ? 0 : -1, 40}};
        table t = table_make(m, c, 2, 100);
        pq_write_options o = options(1);
        schema first = {.n_fields = 1, .fields = t.s.fields};
        budget b;
        file_summary sum;
        assert_ok(parquet_write_budget(&first, &o, 1, &b, &err), &err);
        job j = {.path = temp_path(&folder, "r"),
                 .opts = &o,
                 .cut = 10,
                 .threads = 1,
                 .grant = i ? (uint32_t)b.least : 0,
                 .at = {0, 50}};
        assert_status(i ? NRW_E_MEMLIMIT : NRW_E_SCHEMA, write_growing(m, &t, &j, &sum, &err),
                      &err);
        assert_string_equal(err.column, "c1");
        err = (nrw_error)NRW_ERROR_INIT;
        table_free(&t);
        test_mem_close(m);
    }
}

/* Each allocation and each call on a file fails once: an error, or the same file; nothing leaks. */
static void test_faults(void **state)
{
    (void)state;
#ifdef NARROWS_FAULTS
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = nested_table(m, 3, COLUMNS, 240, 2);
    pq_write_options o = options(2);
    uint64_t hash = 0;
    file_summary sum;
    job j = {.path = temp_path(&folder, "f"),
             .opts = &o,
             .cut = 60,
             .threads = 1,
             .at = {0, 0, 60, 120, 180}};
    for (uint32_t c = 2; c < COLUMNS; c++) {
        t.s.fields[c].nullable = true;
        forget(&t, c, j.at[c]);
    }
    assert_ok(write_growing(m, &t, &j, &sum, &err), &err);
    hash = table_file_hash(m, j.path);
    for (fault_kind kind = FAULT_ALLOC; kind <= FAULT_NOSPACE; kind++) {
        bool over = false;
        for (uint64_t k = 1; !over; k += 1 + k / 50) {
            nrw_error e = NRW_ERROR_INIT;
            fault_arm(kind, k);
            nrw_status st = write_growing(m, &t, &j, &sum, &e);
            over = fault_count(kind) < k;
            fault_arm(kind, 0);
            if (over)
                assert_ok(st, &e);
            if (st == NRW_OK)
                assert_true(table_file_hash(m, j.path) == hash);
        }
    }
    table_free(&t);
    test_mem_close(m);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
