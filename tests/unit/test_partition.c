/* Partitioned writing: the same files whatever threads, memory and number of open writers; folders
 * of values that are hard to name; files cut by size; memory kept; failures. */
#include "test_folder.h"
#include "write_table.h"

#include "base/fault.h"
#include "codec/codec.h"
#include "exec/op_partition.h"
#include "exec/pipeline.h"

enum { COLUMNS = 5, MOST_FILES = 4096 };

/* ---- a table as a source of rows ---- */

typedef struct table_rows {
    source base;
    table *t;
    uint32_t cut, at;
    uint64_t morsel;
} table_rows;

static nrw_status rows_next(source *s, batch *b, nrw_error *err)
{
    table_rows *r = (table_rows *)s;

    (void)err;
    if (r->at == r->t->rows)
        return NRW_END;
    b->morsel = r->morsel++;
    b->first_row = r->at;
    b->rows = r->t->rows - r->at < r->cut ? r->t->rows - r->at : r->cut;
    b->source = &table_source;
    b->source_self = r->t;
    r->at += b->rows;
    return NRW_OK;
}

static const source_class rows_class = {.name = "table", .next = rows_next};

/* ---- files in a folder of the test's ---- */

typedef struct place {
    mem *m;
    char path[128];
    uint64_t first; /* number of first files */
} place;

static nrw_status make_file(void *self, const char *path, target **out, nrw_error *err)
{
    const place *p = self;
    char text[1024];

    snprintf(text, sizeof text, "%s/%s", p->path, path);
    for (char *at = text + strlen(p->path) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(text, 0777);
        *at = '/';
    }
    return target_open(p->m, text, EXISTS_FAIL, out, err);
}

static nrw_status first_number(void *self, const char *folder_, uint64_t *out, nrw_error *err)
{
    (void)folder_;
    (void)err;
    *out = ((const place *)self)->first;
    return NRW_OK;
}

static void clear(const place *p)
{
    if (!access(p->path, F_OK))
        assert_int_equal(nftw(p->path, temp_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(mkdir(p->path, 0777), 0);
}

/* ---- a run ---- */

/* How many calls could have failed; none fails from here on. */
static void end_faults(uint64_t *calls)
{
#ifdef NARROWS_FAULTS
    for (int k = 0; k < FAULT_KINDS; k++) {
        calls[k] = fault_count((fault_kind)k);
        fault_arm((fault_kind)k, 0);
    }
#else
    (void)calls;
#endif
}

typedef struct job {
    table *t;
    pq_write_options *opts;
    uint32_t keys[2], n_keys; /* the other columns are written */
    uint32_t threads, cut, direct;
    uint64_t memory, file_bytes;
    int64_t file_groups;
    place to;
    /* what came of it */
    uint64_t files, hash, peak;
    file_summary sum;
    uint64_t calls[FAULT_KINDS];
    char *names; /* a line a file: path and rows */
    size_t names_len;
} job;

static nrw_status see_file(void *self, const parquet_written *w, nrw_error *err)
{
    job *j = self;
    char path[1024];

    (void)err;
    snprintf(path, sizeof path, "%s/%s", j->to.path, w->path);
    span s = table_file(j->to.m, path);
    assert_int_equal(s.len, w->is.bytes);
    j->hash = hash_combine(j->hash, hash_bytes(s.data, s.len));
    j->hash = hash_combine(j->hash, hash_bytes(w->path, strlen(w->path)));
    mem_free(j->to.m, (void *)(uintptr_t)s.data, s.len);
    if (j->names)
        j->names_len += (size_t)snprintf(j->names + j->names_len, (1 << 18) - j->names_len,
                                         "%s %lld\n", w->path, (long long)w->is.rows);
    return NRW_OK;
}

static void choose(const job *j, schema *s, uint32_t *places, field *keys)
{
    for (uint32_t k = 0; k < j->n_keys; k++)
        keys[k] = j->t->s.fields[j->keys[k]];
    for (uint32_t c = 0; c < j->t->s.n_fields; c++) {
        bool key = false;
        for (uint32_t k = 0; k < j->n_keys; k++)
            key |= j->keys[k] == c;
        if (!key) {
            places[s->n_fields] = c;
            s->fields[s->n_fields++] = j->t->s.fields[c];
        }
    }
}

static nrw_status run_op(job *j, op *o, nrw_error *err)
{
    table_rows r = {.base = {&rows_class, j->t->s.n_fields, true}, .t = j->t, .cut = j->cut};
    pipeline p = {
        .source = &r.base, .first = o, .batches = j->t->m, .workers = j->threads, .limit = -1};
    nrw_status st = pipeline_run(&p, err);

    if (st == NRW_OK)
        st = pipeline_finish(o, err);
    end_faults(j->calls);
    if (st != NRW_OK)
        return st;
    j->sum = parquet_footers_sum(op_partition_files(o), &j->files);
    j->hash = j->names_len = 0;
    return parquet_footers_walk(op_partition_files(o), see_file, j, err);
}

static nrw_status run(job *j, nrw_error *err)
{
    field written[COLUMNS], keys[2];
    uint32_t places[COLUMNS];
    schema s = {.fields = written};
    const file_maker maker = {&j->to, make_file, first_number};
    mem *grant = NULL;
    spill *sp = NULL;
    op *o = NULL;
    nrw_status st;

    clear(&j->to);
    choose(j, &s, places, keys);
    partition_spec spec = {.written = &s,
                           .columns = places,
                           .n_keys = j->n_keys,
                           .keys = j->keys,
                           .key_fields = keys,
                           .options = j->opts,
                           .file_bytes = j->file_bytes,
                           .file_groups = j->file_groups,
                           .row_groups = true,
                           .maker = &maker,
                           .workers = j->threads,
                           .memory = j->memory,
                           .direct = j->direct,
                           .held = 1 << 20};
    st = file_pattern_parse(FILE_PATTERN_DEFAULT, &spec.names, err);
    if (st == NRW_OK)
        st = mem_child(j->t->m, "partitions", MEM_NO_LIMIT, &grant, err);
    if (st == NRW_OK)
        st = spill_new(j->t->m, "/tmp", UINT64_MAX, &sp, err);
    if (st == NRW_OK)
        st = op_partition_new(grant, &spec, sp, &o, err);
    if (st == NRW_OK)
        st = run_op(j, o, err);
    op_close(o);
    spill_close(sp);
    if (grant) {
        j->peak = mem_peak(grant);
        assert_int_equal(mem_used(grant), 0);
    }
    mem_free_account(grant);
    return st;
}

static pq_column_options columns[COLUMNS];

static pq_write_options options(void)
{
    pq_write_options o = pq_write_defaults();
    for (int i = 0; i < COLUMNS; i++)
        columns[i] = o.added;
    o.columns = columns;
    return o;
}

static job new_job(table *t, pq_write_options *o)
{
    job j = {.t = t, .opts = o, .threads = 1, .cut = 3000, .memory = 64 << 20};

    j.to.m = t->m;
    snprintf(j.to.path, sizeof j.to.path, "%s/ds", folder.path);
    return j;
}

/* 0: serial; 1: a text; 2: a number; 3: one of fifty numbers, or null; 4: a day, few of them. */
static table few_keys(mem *m, uint32_t rows)
{
    const table_column c[COLUMNS] = {{type_of(TYPE_INT64), FILL_SERIAL, -1, 0},
                                     {type_of(TYPE_UTF8), FILL_RANDOM, 10, 0},
                                     {type_of(TYPE_FLOAT64), FILL_RANDOM, 0, 0},
                                     {type_of(TYPE_INT32), FILL_FEW, 5, 0},
                                     {type_of(TYPE_DATE), FILL_SERIAL, -1, 0}};
    table t = table_make(m, c, COLUMNS, rows);
    for (uint32_t r = 0; r < rows; r++)
        store_u32(t.cols[4].data + 4 * (size_t)r, 9000 + r % 3);
    t.forms = true;
    return t;
}

/* ---- the same files ---- */

static void test_same_files(void **state)
{
    (void)state;
    static const struct {
        uint32_t threads, cut, direct;
        uint64_t memory;
    } runs[] = {{1, 3000, 0, 64 << 20}, {2, 7000, 0, 1 << 30}, {8, 500, 0, 64 << 20},
                {1, 3000, 1, 64 << 20}, {2, 1000, 7, 1 << 30}, {8, 900, 60, 48 << 20}};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 30000);
    pq_write_options o = options();
    uint64_t hash = 0;

    o.row_group_rows = 100; /* several row groups in many of them */
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        nrw_error err = NRW_ERROR_INIT;
        job j = new_job(&t, &o);
        j.keys[0] = 3;
        j.keys[1] = 4;
        j.n_keys = 2;
        j.threads = runs[i].threads;
        j.cut = runs[i].cut;
        j.direct = runs[i].direct;
        j.memory = runs[i].memory;
        assert_ok(run(&j, &err), &err);
        assert_int_equal(j.files, 51 * 3);
        assert_int_equal(j.sum.rows, t.rows);
        assert_true(i == 0 || j.hash == hash);
        hash = j.hash;
    }
    table_free(&t);
    test_mem_close(m);
}

/* Every row has a partition of its own, and all rows have one. */
static void test_one_each(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 700);
    pq_write_options o = options();
    nrw_error err = NRW_ERROR_INIT;
    job j = new_job(&t, &o);

    j.keys[0] = 0;
    j.n_keys = 1;
    j.threads = 2;
    j.cut = 50;
    assert_ok(run(&j, &err), &err);
    assert_int_equal(j.files, t.rows);
    assert_int_equal(j.sum.rows, t.rows);
    for (uint32_t r = 0; r < t.rows; r++)
        store_u64(t.cols[0].data + 8 * (size_t)r, 5);
    assert_ok(run(&j, &err), &err);
    assert_int_equal(j.files, 1);
    assert_int_equal(j.sum.rows, t.rows);
    table_free(&t);
    test_mem_close(m);
}

/* More groups in a batch than are handled at once: the same files as of small batches, whoever is
 * direct. */
static void test_slices(void **state)
{
    (void)state;
    static const struct {
        uint32_t threads, cut, direct;
    } runs[] = {{1, 500, 3}, {2, 1200, 60}};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 1200);
    pq_write_options o = options();
    uint64_t hash = 0;

    for (uint32_t r = 0; r < t.rows; r++)
        store_u64(t.cols[0].data + 8 * (size_t)r, r * 7 % 1100);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        nrw_error err = NRW_ERROR_INIT;
        job j = new_job(&t, &o);
        j.keys[0] = 0;
        j.n_keys = 1;
        j.threads = runs[i].threads;
        j.cut = runs[i].cut;
        j.direct = runs[i].direct;
        assert_ok(run(&j, &err), &err);
        assert_int_equal(j.files, 1100);
        assert_int_equal(j.sum.rows, t.rows);
        assert_true(i == 0 || j.hash == hash);
        hash = j.hash;
    }
    table_free(&t);
    test_mem_close(m);
}

/* ---- values ---- */

static void wants(const job *j, const char *line)
{
    if (!strstr(j->names, line))
        fail_msg("no '%s' in:\n%s", line, j->names);
}

static void test_floats(void **state)
{
    (void)state;
    static const uint64_t bits[] = {UINT64_C(0x7ff8000000000000), /* nan */
                                    UINT64_C(0xfff8000000000001), /* another */
                                    0,
                                    UINT64_C(1) << 63, /* -0.0 */
                                    UINT64_C(0x3ff0000000000000),
                                    UINT64_C(0x7ff0000000000000)};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 600);
    pq_write_options o = options();
    static char names[1 << 18];

    for (uint32_t r = 0; r < t.rows; r++)
        store_u64(t.cols[2].data + 8 * (size_t)r, bits[r % 6]);
    for (uint32_t direct = 0; direct < 2; direct++) {
        nrw_error err = NRW_ERROR_INIT;
        job j = new_job(&t, &o);
        j.names = names;
        j.keys[0] = 2;
        j.n_keys = 1;
        j.direct = direct;
        assert_ok(run(&j, &err), &err);
        assert_int_equal(j.files, 5);
        wants(&j, "c2=nan/part-00000.parquet 200\n");
        wants(&j, "c2=0.0/part-00000.parquet 100\n");
        wants(&j, "c2=-0.0/part-00000.parquet 100\n");
        wants(&j, "c2=1.0/part-00000.parquet 100\n");
        wants(&j, "c2=inf/part-00000.parquet 100\n");
    }
    table_free(&t);
    test_mem_close(m);
}

static void test_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          "a/b", "01", "__HIVE_DEFAULT_PARTITION__", "a text of more than twelve bytes",
        "\xc3\xbc=%"};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 700);
    pq_write_options o = options();
    vector *v = &t.cols[1];
    buffer *heap = NULL;
    nrw_error err = NRW_ERROR_INIT;
    static char names[1 << 18];
    int32_t index;

    assert_ok(buffer_new(m, 1024, &heap, &err), &err);
    assert_ok(vector_add_heap(v, heap, &index, &err), &err);
    v->null_count = 0;
    heap->len = 1024;
    for (size_t k = 0; k < 6; k++)
        memcpy(heap->data + 64 * k, texts[k], strlen(texts[k]));
    for (uint32_t r = 0; r < t.rows; r++) {
        view *w = (view *)(void *)v->data + r;
        size_t k = r % 7;
        *w = (view){.len = 0};
        if (k == 6) {
            bit_clear(v->validity, r);
            v->null_count++;
            continue;
        }
        bit_set(v->validity, r);
        *w = view_make(heap->data + 64 * k, (int32_t)strlen(texts[k]), index, (int32_t)(64 * k));
    }
    buffer_unref(heap);
    for (uint32_t direct = 0; direct < 3; direct++) {
        job j = new_job(&t, &o);
        j.names = names;
        j.keys[0] = 1;
        j.n_keys = 1;
        j.direct = direct;
        j.to.first = 7;
        assert_ok(run(&j, &err), &err);
        assert_int_equal(j.files, 7);
        wants(&j, "c1=/part-00007.parquet 100\n");
        wants(&j, "c1=a%2Fb/part-00007.parquet 100\n");
        wants(&j, "c1=01/part-00007.parquet 100\n");
        wants(&j, "c1=__HIVE_DEFAULT_PARTITION__/part-00007.parquet 100\n");
        wants(&j, "c1=%5F_HIVE_DEFAULT_PARTITION__/part-00007.parquet 100\n");
        wants(&j, "c1=a%20text%20of%20more%20than%20twelve%20bytes/part-00007.parquet 100\n");
        wants(&j, "c1=%C3%BC%3D%25/part-00007.parquet 100\n");
    }
    table_free(&t);
    test_mem_close(m);
}

/* ---- files cut by size ---- */

static void test_rolls(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 30000);
    pq_write_options o = options();
    static char names[1 << 18];
    uint64_t hash = 0;

    o.row_group_rows = 1000;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        nrw_error err = NRW_ERROR_INIT;
        job j = new_job(&t, &o);
        j.names = names;
        j.keys[0] = 4;
        j.n_keys = 1;
        j.threads = threads;
        j.direct = threads == 3;
        j.file_groups = 3;
        assert_ok(run(&j, &err), &err);
        assert_int_equal(j.files, 3 * 4); /* of ten row groups each */
        assert_int_equal(j.sum.row_groups, 30);
        assert_int_equal(j.sum.rows, t.rows);
        wants(&j, "c4=1994-08-23/part-00000.parquet 3000\n");
        wants(&j, "c4=1994-08-23/part-00003.parquet 1000\n");
        assert_true(threads == 1 || j.hash == hash);
        hash = j.hash;
    }
    nrw_error err = NRW_ERROR_INIT;
    job j = new_job(&t, &o);
    j.keys[0] = 4;
    j.n_keys = 1;
    j.file_bytes = 60000;
    assert_ok(run(&j, &err), &err);
    assert_true(j.files > 6 && j.files < 30);
    assert_true(j.sum.bytes / j.files > 30000 && j.sum.bytes / j.files <= 66000);
    assert_int_equal(j.sum.rows, t.rows);
    table_free(&t);
    test_mem_close(m);
}

/* ---- memory ---- */

/* With the least it asks for it finishes, few partitions or many, and has no more. */
static void test_least(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 60000);
    pq_write_options o = options();
    schema written = {.n_fields = COLUMNS - 1, .fields = t.s.fields};
    uint64_t hash[2] = {0};

    for (uint32_t threads = 1; threads <= 2; threads++) {
        nrw_error err = NRW_ERROR_INIT;
        budget b;
        assert_ok(op_partition_budget(&written, &o, threads, UINT64_MAX, UINT64_MAX, &b, &err),
                  &err);
        assert_true(b.least < b.wish && b.least < (32 << 20));
        for (uint32_t key = 3; key < 5; key++) {
            job j = new_job(&t, &o);
            j.keys[0] = key;
            j.n_keys = 1;
            j.threads = threads;
            j.memory = b.least;
            assert_ok(run(&j, &err), &err);
            if (j.peak > b.least)
                fail_msg("%llu of %llu bytes", (unsigned long long)j.peak,
                         (unsigned long long)b.least);
            assert_true(threads == 1 || hash[key - 3] == j.hash);
            hash[key - 3] = j.hash;
        }
    }
    table_free(&t);
    test_mem_close(m);
}

/* ---- failures ---- */

#ifdef NARROWS_FAULTS

static void test_faults(void **state)
{
    (void)state;
    static const fault_kind kinds[] = {FAULT_ALLOC, FAULT_IO, FAULT_NOSPACE};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 400);
    pq_write_options o = options();

    for (uint32_t k = 0; k < 6; k++) {
        nrw_error err = NRW_ERROR_INIT;
        job j = new_job(&t, &o);
        j.keys[0] = 4;
        j.n_keys = 1;
        j.direct = 2;
        j.cut = 150;
        j.threads = 1 + k % 2;
        fault_arm(kinds[k / 2], 0);
        assert_ok(run(&j, &err), &err);
        uint64_t calls = j.calls[kinds[k / 2]], hash = j.hash, failed = 0;
        for (uint64_t n = 1; n <= calls; n += calls / 150 + 1) {
            nrw_error e = NRW_ERROR_INIT;
            fault_arm(kinds[k / 2], n);
            nrw_status st = run(&j, &e);
            fault_arm(kinds[k / 2], 0);
            assert_true(st <= NRW_OK);
            if (st == NRW_OK)
                assert_true(j.hash == hash);
            else
                assert_true(e.message[0] != '\0');
            failed += st < 0;
        }
        assert_true(failed > 0 || calls == 0);
    }
    table_free(&t);
    test_mem_close(m);
}

#endif

static void test_long_name(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    const table_column c[COLUMNS] = {{type_of(TYPE_INT64), FILL_SERIAL, -1, 0},
                                     {type_of(TYPE_UTF8), FILL_FEW, 0, 300}};
    table t = table_make(m, c, 2, 100);
    pq_write_options o = options();
    nrw_error err = NRW_ERROR_INIT;
    job j = new_job(&t, &o);

    j.keys[0] = 1;
    j.n_keys = 1;
    j.threads = 2;
    j.cut = 10;
    assert_status(NRW_E_VALUE, run(&j, &err), &err);
    assert_string_equal(err.column, "c1");
    table_free(&t);
    test_mem_close(m);
}

/* ---- _metadata ---- */

static void test_metadata(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    table t = few_keys(m, 5000);
    pq_write_options o = options();
    nrw_error err = NRW_ERROR_INIT;
    place to = {.m = m};
    const file_maker maker = {&to, make_file, NULL};
    file_pattern names;
    file_roll *roll = NULL;
    target *target_ = NULL;
    reader *r = NULL;
    writer *w = NULL;
    spill *sp = NULL;
    io_file *f;
    uint64_t files;
    file_summary sum;
    table_run run_ = {.t = &t, .m = m, .cut = 700};

    snprintf(to.path, sizeof to.path, "%s/roll", folder.path);
    clear(&to);
    o.row_group_rows = 1000;
    assert_ok(spill_new(m, "/tmp", UINT64_MAX, &sp, &err), &err);
    assert_ok(file_pattern_parse("x-{i}.parquet", &names, &err), &err);
    assert_ok(file_roll_new(m, sp, &maker, &names, 0, 2, true, &roll, &err), &err);
    assert_ok(parquet_writer_open_files(m, sp, file_roll_files(roll), &t.s, &o, 1, &w, &err), &err);
    for (uint64_t i = 0; i * run_.cut < t.rows; i++) {
        run_.w = w;
        assert_ok(table_push(&run_, i, &err), &err);
    }
    assert_ok(w->class->finish(w, &sum, &err), &err);
    w->class->close(w);
    assert_int_equal(sum.rows, t.rows);
    sum = parquet_footers_sum(file_roll_footers(roll), &files);
    assert_int_equal(files, 3);
    assert_int_equal(sum.row_groups, 5);
    const char *path = temp_path(&folder, "_metadata");
    assert_ok(target_open(m, path, EXISTS_REPLACE, &target_, &err), &err);
    assert_ok(parquet_write_metadata(m, sp, target_, &t.s, &o, file_roll_footers(roll), &err),
              &err);
    assert_ok(target_publish(target_, &err), &err);
    target_close(target_);
    file_roll_close(roll);
    const pq_read_options none = {0};
    assert_ok(file_open(m, path, NULL, &f, &err), &err);
    assert_ok(parquet_open(m, f, &none, &r, &err), &err);
    assert_int_equal(r->class->rows(r), t.rows);
    assert_int_equal(pq_meta_row_groups(parquet_reader_meta(r)), 5);
    r->class->close(r);
    spill_close(sp);
    table_free(&t);
    test_mem_close(m);
}

static void test_patterns(void **state)
{
    (void)state;
    static const char *const bad[] = {"part.parquet", "a/{i}.parquet", ".{i}",    "_{i}.parquet",
                                      "{i}{i}",       "{j}",           "{i:5}",   "{i:00}",
                                      "{i:019}",      "x{i",           "x}{i}y}", "{i:0}"};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    bytes b = bytes_init(m, 4096);
    file_pattern p;
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error e = NRW_ERROR_INIT;
        assert_status(NRW_E_ARG, file_pattern_parse(bad[i], &p, &e), &e);
    }
    assert_ok(file_pattern_parse("a-{i:03}.x", &p, &err), &err);
    assert_ok(file_pattern_append(&p, 7, &b, &err), &err);
    assert_ok(file_pattern_append(&p, 12345, &b, &err), &err);
    assert_int_equal(b.len, strlen("a-007.xa-12345.x"));
    assert_memory_equal(b.data, "a-007.xa-12345.x", b.len);
    assert_true(file_pattern_number(&p, (span){b.data + 7, 9}, &n));
    assert_int_equal(n, 12345);
    assert_false(file_pattern_number(&p, SPAN("a-.x"), &n));
    bytes_clear(&b);
    assert_ok(file_pattern_parse("{uuid}.parquet", &p, &err), &err);
    assert_ok(file_pattern_append(&p, 0, &b, &err), &err);
    assert_int_equal(b.len, 36 + 8);
    bytes_release(&b);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),  cmocka_unit_test(test_same_files),
        cmocka_unit_test(test_one_each),  cmocka_unit_test(test_slices),
        cmocka_unit_test(test_floats),    cmocka_unit_test(test_texts),
        cmocka_unit_test(test_rolls),     cmocka_unit_test(test_least),
        cmocka_unit_test(test_long_name), cmocka_unit_test(test_metadata),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(test_faults),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
