/* Pages copied undecoded: a whole file gives the same file; columns, merges, damage, the rule. */
#include "test_folder.h"
#include "write_table.h"

#include "codec/codec.h"
#include "format/parquet/keep.h"

#include <cmocka.h>

enum { MANY = 16, ROWS = 20000 };

static pq_column_options columns[MANY];

static pq_write_options options(int codec, int version)
{
    pq_write_options o = pq_write_defaults();
    for (int i = 0; i < MANY; i++)
        columns[i] = (pq_column_options){
            .codec = codec, .level = 1, .encoding = -1, .dictionary = true, .statistics = true};
    o.columns = columns;
    o.version = version;
    o.page_bytes = 8192;
    o.page_rows = 2000;
    o.row_group_rows = 6000;
    o.dictionary_bytes = 16384;
    return o;
}

static uint32_t mixed(table_column *c)
{
    uint32_t n = 0;
    c[n++] = (table_column){type_of(TYPE_INT64), FILL_SERIAL, -1, 0};
    c[n++] = (table_column){type_of(TYPE_INT32), FILL_FEW, 5, 0};
    c[n++] = (table_column){type_of(TYPE_UTF8), FILL_RANDOM, 5, 100};
    c[n++] = (table_column){type_of(TYPE_UTF8), FILL_FEW, 50, 0};
    c[n++] = (table_column){type_of(TYPE_FLOAT64), FILL_RANDOM, 0, 0};
    c[n++] = (table_column){type_of(TYPE_INT64), FILL_CONST, 100, 0};
    c[n++] = (table_column){type_of(TYPE_BOOL), FILL_RANDOM, 10, 0};
    return n;
}

static void make(mem *m, const char *path, const pq_write_options *o)
{
    nrw_error err = NRW_ERROR_INIT;
    table_column c[MANY];
    table t = table_make(m, c, mixed(c), ROWS);
    table_job j = {.opts = o, .cut = 1234, .threads = 1, .path = path};
    file_summary sum;
    assert_ok(table_write(m, &t, &j, &sum, &err), &err);
    assert_int_equal(sum.row_groups, 4);
    table_free(&t);
}

static reader *open_reader(mem *m, const char *path)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_read_options o = {0};
    io_file *f;
    reader *r;
    assert_ok(file_open(m, path, "/tmp", &f, &err), &err);
    assert_ok(parquet_open(m, f, &o, &r, &err), &err);
    return r;
}

/* One copy: n_files times the file at `from`, columns cols[0..n). */
typedef struct job {
    char from[512], to[512];
    uint32_t n_files, n;
    uint32_t cols[MANY];
    schema s;
    arena *a;
    uint64_t grant; /* of reading; 0: what the budget says */
    uint64_t pages[MANY];
    file_summary sum;
} job;

/* All of the file of one name to the other, both in the folder. */
static job whole(mem *m, const char *from, const char *to)
{
    nrw_error err = NRW_ERROR_INIT;
    job j = {.n_files = 1};
    snprintf(j.from, sizeof j.from, "%s", temp_path(&folder, from));
    snprintf(j.to, sizeof j.to, "%s", temp_path(&folder, to));
    reader *r = open_reader(m, j.from);
    const schema *s = r->class->schema(r);
    j.n = s->n_fields;
    for (uint32_t i = 0; i < j.n; i++)
        j.cols[i] = i;
    assert_ok(arena_new(m, &j.a, &err), &err);
    assert_ok(schema_copy(j.a, s, &j.s, &err), &err);
    r->class->close(r);
    return j;
}

static pq_keep look(mem *m, const job *j, const pq_write_options *o)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_keep k = {.out = &j->s, .opts = o, .cols = j->cols};
    reader *r = open_reader(m, j->from);
    for (uint32_t i = 0; i < j->n_files; i++)
        assert_ok(parquet_keep_look(&k, r, m, &err), &err);
    r->class->close(r);
    parquet_keep_settle(&k);
    return k;
}

static nrw_status copy_file(mem *m, const job *j, const pq_keep *k, writer *w, mem *grant,
                            uint64_t *pages, nrw_error *err)
{
    reader *r = open_reader(m, j->from);
    pq_keeper *keeper;
    int64_t rows;
    nrw_status st = parquet_keep_open(k, w, r, grant, &keeper, err);
    while (st == NRW_OK)
        st = parquet_keep_group(keeper, &rows, pages, err);
    parquet_keep_close(keeper);
    r->class->close(r);
    return st == NRW_END ? NRW_OK : st;
}

static nrw_status run(mem *m, job *j, const pq_write_options *o, nrw_error *err)
{
    pq_keep k = look(m, j, o);
    budget b, least = parquet_keep_budget(&k);
    writer *w;
    mem *grant, *reading;
    spill *sp;
    target *to;
    assert_string_equal(k.against, "");
    const pq_write_options kept = parquet_keep_options(o);
    assert_ok(parquet_write_budget(&j->s, &kept, 1, &b, err), err);
    assert_ok(mem_child(m, "write", b.least, &grant, err), err);
    assert_ok(mem_child(m, "read", j->grant ? j->grant : least.least, &reading, err), err);
    assert_ok(spill_new(m, "/tmp", UINT64_MAX, &sp, err), err);
    assert_ok(target_open(m, j->to, EXISTS_REPLACE, &to, err), err);
    assert_ok(parquet_writer_open(grant, sp, to, &j->s, &kept, 1, &w, err), err);
    nrw_status st = NRW_OK;
    for (uint32_t i = 0; i < j->n_files && st == NRW_OK; i++)
        st = copy_file(m, j, &k, w, reading, j->pages, err);
    if (st == NRW_OK)
        st = w->class->finish(w, &j->sum, err);
    if (st == NRW_OK)
        st = target_publish(to, err);
    w->class->close(w);
    target_close(to);
    spill_close(sp);
    mem_free_account(reading);
    mem_free_account(grant);
    return st;
}

/* The magic number and all pages with their headers are the same bytes. */
static bool same_pages(mem *m, const char *one, const char *other)
{
    nrw_error err = NRW_ERROR_INIT;
    reader *r = open_reader(m, one);
    const pq_meta *meta = parquet_reader_meta(r);
    size_t len = 4;
    for (int32_t i = 0; i < pq_meta_row_groups(meta); i++) {
        pq_row_group g;
        assert_ok(pq_meta_row_group(meta, i, &g, &err), &err);
        assert_true(g.compressed_bytes > 0);
        len += (size_t)g.compressed_bytes;
    }
    r->class->close(r);
    span a = table_file(m, one), b = table_file(m, other);
    bool same = a.len > len && b.len > len && memcmp(a.data, b.data, len) == 0;
    mem_free(m, (void *)(uintptr_t)a.data, a.len);
    mem_free(m, (void *)(uintptr_t)b.data, b.len);
    return same;
}

/* Pages and headers are the bytes that the writer made; and so is all of the file, statistics, page
 * index and footer, when what is kept (which has no sizes of levels) is kept again. With the least
 * memory, and with much. */
static void test_same_file(void **state)
{
    (void)state;
    static const int codecs[] = {CODEC_NONE, CODEC_SNAPPY, CODEC_ZSTD,
                                 CODEC_GZIP, CODEC_BROTLI, CODEC_LZ4_RAW};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (size_t i = 0; i < 2 * sizeof codecs / sizeof *codecs; i++) {
        nrw_error err = NRW_ERROR_INIT;
        pq_write_options o = options(codecs[i / 2], 1 + i % 2);
        make(m, temp_path(&folder, "a"), &o);
        job j = whole(m, "a", "b");
        j.grant = i % 3 == 2 ? 64 << 20 : 0;
        assert_ok(run(m, &j, &o, &err), &err);
        assert_int_equal(j.sum.rows, ROWS);
        assert_int_equal(j.sum.row_groups, 4);
        assert_true(j.pages[2] > 4);
        job again = whole(m, "b", "c");
        assert_ok(run(m, &again, &o, &err), &err);
        if (table_file_hash(m, again.from) != table_file_hash(m, again.to) ||
            !same_pages(m, j.from, j.to))
            fail_msg("%s, version %d: other bytes", codec_id_name(codecs[i / 2]), o.version);
        arena_free(again.a);
        arena_free(j.a);
    }
    test_mem_close(m);
}

/* Pages without a checksum get one, and lose it where none is wanted. */
static void test_checksums(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options with = options(CODEC_ZSTD, 1), without = with;
    without.page_crc = false;
    make(m, temp_path(&folder, "with"), &with);
    make(m, temp_path(&folder, "without"), &without);
    job same = whole(m, "with", "c");
    assert_ok(run(m, &same, &with, &err), &err);
    uint64_t want = table_file_hash(m, same.to);
    arena_free(same.a);
    same = whole(m, "without", "c");
    assert_ok(run(m, &same, &without, &err), &err);
    uint64_t bare = table_file_hash(m, same.to);
    arena_free(same.a);
    job j = whole(m, "without", "b");
    assert_ok(run(m, &j, &with, &err), &err);
    assert_true(table_file_hash(m, j.to) == want);
    snprintf(j.from, sizeof j.from, "%s", temp_path(&folder, "with"));
    assert_ok(run(m, &j, &without, &err), &err);
    assert_true(table_file_hash(m, j.to) == bare);
    arena_free(j.a);
    test_mem_close(m);
}

static void same_chunks(mem *m, const job *j, uint32_t groups)
{
    nrw_error err = NRW_ERROR_INIT;
    reader *from = open_reader(m, j->from), *to = open_reader(m, j->to);
    span a = table_file(m, j->from), b = table_file(m, j->to);
    for (uint32_t g = 0; g < groups * j->n_files; g++) {
        for (uint32_t i = 0; i < j->n; i++) {
            pq_chunk x, y;
            int32_t of = (int32_t)(g % groups);
            assert_ok(pq_meta_chunk(parquet_reader_meta(from), of, j->cols[i], j->a, &x, &err),
                      &err);
            assert_ok(pq_meta_chunk(parquet_reader_meta(to), (int32_t)g, i, j->a, &y, &err), &err);
            assert_int_equal(y.end - y.start, x.end - x.start);
            assert_memory_equal(b.data + y.start, a.data + x.start, (size_t)(x.end - x.start));
        }
    }
    from->class->close(from);
    to->class->close(to);
    mem_free(m, (void *)(uintptr_t)a.data, a.len);
    mem_free(m, (void *)(uintptr_t)b.data, b.len);
}

/* Columns in another order, one twice, of two files: chunk by chunk the bytes of the source. */
static void test_columns(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options o = options(CODEC_SNAPPY, 1);
    make(m, temp_path(&folder, "a"), &o);
    job j = whole(m, "a", "b");
    const uint32_t cols[] = {3, 0, 6, 3};
    schema all = j.s;
    assert_ok(schema_new(j.a, 4, &j.s, &err), &err);
    for (uint32_t i = 0; i < 4; i++) {
        j.cols[i] = cols[i];
        j.s.fields[i] = all.fields[cols[i]];
    }
    j.n = 4;
    j.n_files = 2;
    assert_ok(run(m, &j, &o, &err), &err);
    assert_int_equal(j.sum.rows, 2 * ROWS);
    assert_int_equal(j.sum.row_groups, 8);
    same_chunks(m, &j, 4);

    /* kept once more it stays what it is */
    job again = whole(m, "b", "c");
    assert_ok(run(m, &again, &o, &err), &err);
    assert_true(table_file_hash(m, j.to) == table_file_hash(m, again.to));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(j.pages[i], again.pages[i]);
    arena_free(again.a);
    arena_free(j.a);
    test_mem_close(m);
}

/* A byte changed anywhere in the pages is found: by the checksum, else by what decompresses. */
static void test_damage(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (int crc = 0; crc < 2; crc++) {
        nrw_error err = NRW_ERROR_INIT;
        pq_write_options o = options(CODEC_ZSTD, 1);
        o.page_crc = crc;
        make(m, temp_path(&folder, "a"), &o);
        job j = whole(m, "a", "b");
        reader *r = open_reader(m, j.from);
        pq_chunk c;
        assert_ok(pq_meta_chunk(parquet_reader_meta(r), 1, 4, j.a, &c, &err), &err);
        r->class->close(r);
        FILE *f = fopen(j.from, "r+b");
        assert_non_null(f);
        fseek(f, (long)(c.start + c.end) / 2, SEEK_SET);
        int was = fgetc(f);
        fseek(f, -1, SEEK_CUR);
        for (int i = 0; i < (crc ? 1 : 64); i++)
            fputc(was ^ (crc ? 1 : 0x55 + i), f);
        fclose(f);
        assert_status(NRW_E_CORRUPT, run(m, &j, &o, &err), &err);
        assert_int_equal(err.row_group, 1);
        assert_string_equal(err.column, "c4");
        assert_true(err.offset >= c.start && err.offset < c.end && err.page >= 0);
        arena_free(j.a);
    }
    test_mem_close(m);
}

static void against(mem *m, const job *j, const pq_write_options *o, const char *what)
{
    pq_keep k = look(m, j, o);
    if (!strstr(k.against, what))
        fail_msg("\"%s\" does not say \"%s\"", k.against, what);
}

/* What stands in the way, each on its own. */
static void test_rule(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    pq_write_options o = options(CODEC_ZSTD, 1), x;
    make(m, temp_path(&folder, "a"), &o);
    job j = whole(m, "a", "b");
    columns[3].codec = CODEC_SNAPPY;
    against(m, &j, &o, "c3 is compressed with zstd");
    columns[3].codec = CODEC_ZSTD;
    x = o;
    x.version = 2;
    against(m, &j, &x, "another version");
    x = o;
    x.page_bytes = 100;
    against(m, &j, &x, "too large");
    x = o;
    x.page_bytes = 8192 * 1024;
    x.page_rows = 2000 * 1024;
    against(m, &j, &x, "too small");
    x = o;
    x.row_group_rows = 2900;
    against(m, &j, &x, "a row group has 6,000 rows");
    x = o;
    x.row_group_rows = 100000;
    against(m, &j, &x, "row groups are too small");
    j.s.fields[0].nullable = true;
    against(m, &j, &o, "c0 would have other levels");
    j.s.fields[0].nullable = false;
    j.s.fields[1].type = type_of(TYPE_INT64);
    against(m, &j, &o, "c1 would be stored as INT64");
    arena_free(j.a);

    for (int i = 0; i < MANY; i++)
        columns[i].statistics = false;
    make(m, temp_path(&folder, "poor"), &o);
    for (int i = 0; i < MANY; i++)
        columns[i].statistics = true;
    j = whole(m, "poor", "b");
    against(m, &j, &o, "has no bounds");
    arena_free(j.a);

    o.created_by = "somebody version 1.2";
    make(m, temp_path(&folder, "foreign"), &o);
    j = whole(m, "foreign", "b");
    against(m, &j, &o, "its writer is not known");
    arena_free(j.a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_file), cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_columns),   cmocka_unit_test(test_damage),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
