/* A file of two pages made here, sound and then wrong in one place after the other: verification
 * names each. */
#include "base/fault.h"
#include "codec/codec.h"
#include "format/parquet/inspect.h"
#include "format/parquet/thrift.h"
#include "format/parquet/verify.h"
#include "testing.h"

enum { PAGES = 2, PER_PAGE = 4, ROWS = PAGES * PER_PAGE };

#define OK(expr)                                                                                   \
    do {                                                                                           \
        nrw_error ok_ = NRW_ERROR_INIT;                                                            \
        assert_ok(expr, &ok_);                                                                     \
    } while (0)

/* What the file says of itself, all true at first. */
typedef struct statement {
    int64_t min, max, nulls;          /* statistics of the chunk */
    int64_t page_min, page_max;       /* of page 1, in the column index */
    int64_t first_row, offset_shift;  /* of page 1, in the offset index */
    int64_t chunk_values, size_shift; /* of the chunk */
    int32_t page_values;              /* in the header of page 1 */
    int32_t boundary_order;
    uint32_t index_pages;
    bool flip, null_page, exact;
    int64_t index_nulls;
} statement;

static const statement truth = {.min = 10,
                                .max = 17,
                                .page_min = 14,
                                .page_max = 17,
                                .first_row = PER_PAGE,
                                .chunk_values = ROWS,
                                .page_values = PER_PAGE,
                                .boundary_order = 1,
                                .index_pages = PAGES};

static span number(const int64_t *v)
{
    return (span){(const uint8_t *)v, sizeof *v};
}

static void put_pages(bytes *to, const statement *s, int64_t offsets[PAGES + 1])
{
    for (int page = 0; page < PAGES; page++) {
        int64_t values[PER_PAGE];
        for (int i = 0; i < PER_PAGE; i++)
            values[i] = 10 + page * PER_PAGE + i;
        thrift_out o = thrift_out_init(to);
        offsets[page] = (int64_t)to->len;
        OK(thrift_begin(&o, NULL));
        OK(thrift_write_field_i32(&o, 1, PQ_DATA_PAGE, NULL));
        OK(thrift_write_field_i32(&o, 2, sizeof values, NULL));
        OK(thrift_write_field_i32(&o, 3, sizeof values, NULL));
        OK(thrift_write_field_i32(&o, 4, (int32_t)codec_crc32(0, values, sizeof values), NULL));
        OK(thrift_write_field_struct(&o, 5, NULL));
        OK(thrift_write_field_i32(&o, 1, page ? s->page_values : PER_PAGE, NULL));
        OK(thrift_write_field_i32(&o, 2, PQ_PLAIN, NULL));
        OK(thrift_write_field_i32(&o, 3, PQ_RLE, NULL));
        OK(thrift_write_field_i32(&o, 4, PQ_RLE, NULL));
        OK(thrift_end(&o, NULL));
        OK(thrift_end(&o, NULL));
        if (s->flip && page)
            values[2] ^= 1;
        OK(bytes_append(to, values, sizeof values, NULL));
    }
    offsets[PAGES] = (int64_t)to->len;
}

static void put_offset_index(bytes *to, const statement *s, const int64_t offsets[])
{
    thrift_out o = thrift_out_init(to);
    OK(thrift_begin(&o, NULL));
    OK(thrift_write_field_list(&o, 1, THRIFT_STRUCT, PAGES, NULL));
    for (int page = 0; page < PAGES; page++) {
        OK(thrift_begin(&o, NULL));
        OK(thrift_write_field_i64(&o, 1, offsets[page] + (page ? s->offset_shift : 0), NULL));
        OK(thrift_write_field_i32(
            &o, 2, (int32_t)(offsets[page + 1] - offsets[page] - (page ? s->offset_shift : 0)),
            NULL));
        OK(thrift_write_field_i64(&o, 3, page ? s->first_row : 0, NULL));
        OK(thrift_end(&o, NULL));
    }
    OK(thrift_end(&o, NULL));
}

static void put_column_index(bytes *to, const statement *s)
{
    const int64_t low[] = {10, s->page_min}, high[] = {13, s->page_max};
    thrift_out o = thrift_out_init(to);
    OK(thrift_begin(&o, NULL));
    OK(thrift_write_field_list(&o, 1, THRIFT_TRUE, s->index_pages, NULL));
    for (uint32_t i = 0; i < s->index_pages; i++)
        OK(thrift_write_bool(&o, i && s->null_page, NULL));
    OK(thrift_write_field_list(&o, 2, THRIFT_BINARY, s->index_pages, NULL));
    for (uint32_t i = 0; i < s->index_pages; i++)
        OK(thrift_write_binary(&o, number(&low[i]), NULL));
    OK(thrift_write_field_list(&o, 3, THRIFT_BINARY, s->index_pages, NULL));
    for (uint32_t i = 0; i < s->index_pages; i++)
        OK(thrift_write_binary(&o, number(&high[i]), NULL));
    OK(thrift_write_field_i32(&o, 4, s->boundary_order, NULL));
    OK(thrift_write_field_list(&o, 5, THRIFT_I64, s->index_pages, NULL));
    for (uint32_t i = 0; i < s->index_pages; i++)
        OK(thrift_write_i64(&o, i ? s->index_nulls : 0, NULL));
    OK(thrift_end(&o, NULL));
}

static void put_schema(thrift_out *o)
{
    OK(thrift_write_field_list(o, 2, THRIFT_STRUCT, 2, NULL));
    OK(thrift_begin(o, NULL));
    OK(thrift_write_field_string(o, 4, "root", NULL));
    OK(thrift_write_field_i32(o, 5, 1, NULL));
    OK(thrift_end(o, NULL));
    OK(thrift_begin(o, NULL));
    OK(thrift_write_field_i32(o, 1, PQ_INT64, NULL));
    OK(thrift_write_field_i32(o, 3, 0, NULL));
    OK(thrift_write_field_string(o, 4, "n", NULL));
    OK(thrift_end(o, NULL));
}

static void put_chunk(thrift_out *o, const statement *s, const int64_t offsets[],
                      const int64_t indexes[3])
{
    int64_t size = offsets[PAGES] - offsets[0] + s->size_shift;
    OK(thrift_begin(o, NULL));
    OK(thrift_write_field_struct(o, 3, NULL));
    OK(thrift_write_field_i32(o, 1, PQ_INT64, NULL));
    OK(thrift_write_field_i32(o, 4, CODEC_NONE, NULL));
    OK(thrift_write_field_i64(o, 5, s->chunk_values, NULL));
    OK(thrift_write_field_i64(o, 6, size, NULL));
    OK(thrift_write_field_i64(o, 7, size, NULL));
    OK(thrift_write_field_i64(o, 9, offsets[0], NULL));
    OK(thrift_write_field_struct(o, 12, NULL));
    OK(thrift_write_field_i64(o, 3, s->nulls, NULL));
    OK(thrift_write_field_binary(o, 5, number(&s->max), NULL));
    OK(thrift_write_field_binary(o, 6, number(&s->min), NULL));
    OK(thrift_write_field_bool(o, 7, s->exact, NULL));
    OK(thrift_write_field_bool(o, 8, s->exact, NULL));
    OK(thrift_end(o, NULL));
    OK(thrift_end(o, NULL));
    OK(thrift_write_field_i64(o, 4, indexes[0], NULL));
    OK(thrift_write_field_i32(o, 5, (int32_t)(indexes[1] - indexes[0]), NULL));
    OK(thrift_write_field_i64(o, 6, indexes[1], NULL));
    OK(thrift_write_field_i32(o, 7, (int32_t)(indexes[2] - indexes[1]), NULL));
    OK(thrift_end(o, NULL));
}

static void make_file(bytes *to, const statement *s)
{
    int64_t offsets[PAGES + 1], indexes[3];
    uint8_t length[4];
    OK(bytes_append(to, "PAR1", 4, NULL));
    put_pages(to, s, offsets);
    indexes[0] = (int64_t)to->len;
    put_offset_index(to, s, offsets);
    indexes[1] = (int64_t)to->len;
    put_column_index(to, s);
    indexes[2] = (int64_t)to->len;
    thrift_out o = thrift_out_init(to);
    OK(thrift_begin(&o, NULL));
    OK(thrift_write_field_i32(&o, 1, 1, NULL));
    put_schema(&o);
    OK(thrift_write_field_i64(&o, 3, ROWS, NULL));
    OK(thrift_write_field_list(&o, 4, THRIFT_STRUCT, 1, NULL));
    OK(thrift_begin(&o, NULL));
    OK(thrift_write_field_list(&o, 1, THRIFT_STRUCT, 1, NULL));
    put_chunk(&o, s, offsets, indexes);
    OK(thrift_write_field_i64(&o, 2, 100, NULL));
    OK(thrift_write_field_i64(&o, 3, ROWS, NULL));
    OK(thrift_end(&o, NULL));
    OK(thrift_write_field_list(&o, 7, THRIFT_STRUCT, 1, NULL));
    OK(thrift_begin(&o, NULL));
    OK(thrift_write_field_empty(&o, 1, NULL));
    OK(thrift_end(&o, NULL));
    OK(thrift_end(&o, NULL));
    store_u32(length, (uint32_t)((int64_t)to->len - indexes[2]));
    OK(bytes_append(to, length, 4, NULL));
    OK(bytes_append(to, "PAR1", 4, NULL));
}

/* The fault looked for, or the first of all. */
typedef struct found {
    const char *words;
    int64_t page;
    int n;
    bool hit;
    nrw_error fault;
} found;

static nrw_status on_fault(void *self, const nrw_error *what, nrw_error *err)
{
    (void)err;
    found *f = self;
    bool hit = f->words && strstr(what->message, f->words) && what->page == f->page;
    if (f->n++ == 0 || (hit && !f->hit))
        f->fault = *what;
    f->hit = f->hit || hit;
    return NRW_OK;
}

static nrw_status stop(void *self, const nrw_error *what, nrw_error *err)
{
    (void)self;
    (void)what;
    (void)err;
    return NRW_E_CANCELLED;
}

typedef struct opened {
    mem *m;
    bytes b;
    io_file *f;
    pq_meta *p;
    spill *s;
} opened;

static void open_made(opened *o, const statement *s)
{
    *o = (opened){.m = test_mem_open(16 << 20)};
    o->b = bytes_init(o->m, 1 << 20);
    make_file(&o->b, s);
    OK(file_open_memory(o->m, "made", (span){o->b.data, o->b.len}, &o->f, NULL));
    OK(spill_new(o->m, NULL, 1 << 20, &o->s, NULL));
    OK(pq_meta_open(o->m, o->f, NULL, &o->p, NULL));
}

static void close_made(opened *o)
{
    pq_meta_close(o->p);
    spill_close(o->s);
    file_close(o->f);
    bytes_release(&o->b);
    test_mem_close(o->m);
}

/* `words` NULL: the file is sound. `page`: where the fault is. */
static void expect(statement s, const char *words, int64_t page)
{
    opened o;
    found got = {.words = words, .page = page};
    pq_verify_counts c;
    open_made(&o, &s);
    OK(pq_verify(o.p, o.f, o.s, o.m, true, on_fault, &got, &c, NULL));
    assert_int_equal(c.faults, got.n);
    assert_int_equal(c.chunks, 1);
    if (!words) {
        if (got.n)
            fail_msg("a sound file: %s", got.fault.message);
        assert_int_equal(c.values, ROWS);
        assert_int_equal(c.crcs, PAGES);
        assert_int_equal(c.pages, PAGES);
    } else {
        if (!got.hit)
            fail_msg("%d faults, the first at page %lld: \"%s\"; wanted \"%s\" at %lld", got.n,
                     (long long)got.fault.page, got.fault.message, words, (long long)page);
        assert_string_equal(got.fault.object, "made");
        assert_string_equal(got.fault.column, "n");
        assert_int_equal(got.fault.row_group, 0);
        assert_status(NRW_E_CANCELLED, pq_verify(o.p, o.f, o.s, o.m, true, stop, NULL, &c, NULL),
                      &got.fault);
    }
    close_made(&o);
}

static void test_faults(void **state)
{
    (void)state;
    statement s = truth;
    expect(s, NULL, 0);
    s.min = 5, s.max = 100; /* bounds, not exact */
    expect(s, NULL, 0);
    s.exact = true;
    expect(s, "least value is 10, the statistics say exactly 5", -1);
    s = truth, s.min = 11;
    expect(s, "least value is 10, the statistics say 11", -1);
    s = truth, s.max = 16;
    expect(s, "greatest value is 17, the statistics say 16", -1);
    s = truth, s.nulls = 1;
    expect(s, "0 nulls, the statistics say 1", -1);
    s = truth, s.nulls = 100;
    expect(s, "100 nulls of 8 values", -1);
    s = truth, s.min = 20;
    expect(s, "least value 20, greatest 17", -1);
    s = truth, s.flip = true;
    expect(s, "checksum differs", 1);
    s = truth, s.page_min = 15;
    expect(s, "least value is 14, the column index says 15", 1);
    s = truth, s.page_max = 16;
    expect(s, "greatest value is 17, the column index says 16", 1);
    s = truth, s.boundary_order = 2;
    expect(s, "bounds are descending", 1);
    s = truth, s.index_nulls = 2;
    expect(s, "0 nulls, the column index says 2", 1);
    s = truth, s.null_page = true;
    expect(s, "says all values are null, 4 are not", 1);
    s = truth, s.index_pages = 1;
    expect(s, "the offset index has 2 pages, the column index 1", -1);
    s = truth, s.offset_shift = 1;
    expect(s, "the offset index says byte", 1);
    s = truth, s.first_row = 3;
    expect(s, "starts at row 4, the offset index says 3", 1);
    s = truth, s.first_row = 9;
    expect(s, "starts at row 9", -1);
    s = truth, s.chunk_values = 7;
    expect(s, "says 7 values, the row group 8 rows", -1);
    s = truth, s.size_shift = 20;
    expect(s, "bytes, the column chunk says", -1);
    s = truth, s.size_shift = -1;
    expect(s, "the page has 32 bytes, 31 are left", 1);
    s = truth, s.page_values = 3;
    expect(s, "the pages end after 7 of 8 values", 2);
    s = truth, s.page_values = 400;
    expect(s, "the pages have 404 values", -1);
}

/* Too little memory anywhere is that error, never a fault of the file, and nothing leaks. */
static void test_little_memory(void **state)
{
    (void)state;
    opened o;
    open_made(&o, &truth);
    nrw_status st = NRW_E_MEMLIMIT;
    for (uint64_t limit = 0; st != NRW_OK; limit += 2039) {
        mem *small;
        found got = {0};
        pq_verify_counts c;
        nrw_error err = NRW_ERROR_INIT;
        OK(mem_child(o.m, "small", limit, &small, NULL));
        st = pq_verify(o.p, o.f, o.s, small, true, on_fault, &got, &c, &err);
        if (st != NRW_OK)
            assert_status(NRW_E_MEMLIMIT, st, &err);
        assert_int_equal(got.n, 0);
        assert_int_equal(mem_used(small), 0);
        mem_free_account(small);
    }
    close_made(&o);
}

/* ---- inspect ---- */
static nrw_status see_page(void *self, const pq_page_info *i, nrw_error *err)
{
    int *n = self;
    char text[32];
    (void)err;
    assert_int_equal(i->ordinal, *n);
    assert_int_equal(i->first_row, *n * PER_PAGE);
    assert_int_equal(i->nulls, 0);
    assert_int_equal(i->page.n_values, PER_PAGE);
    assert_true(i->has_min && i->has_max && i->page.has_crc);
    pq_value_print(i->column, i->max, text, sizeof text);
    assert_string_equal(text, *n ? "17" : "13");
    ++*n;
    return NRW_OK;
}

static nrw_status see_column(void *self, const pq_column_info *c, nrw_error *err)
{
    char text[32];
    (void)err;
    assert_int_equal(c->values, ROWS);
    assert_int_equal(c->nulls, 0);
    assert_true(c->has_min && c->has_max);
    pq_value_print(c->column, c->min, text, sizeof text);
    assert_string_equal(text, "10");
    ++*(int *)self;
    return NRW_OK;
}

static void test_inspect(void **state)
{
    (void)state;
    opened o;
    int n = 0;
    pq_file_info info;
    open_made(&o, &truth);
    OK(pq_inspect_file(o.p, o.m, &info, NULL));
    assert_int_equal(info.rows, ROWS);
    assert_int_equal(info.codecs, 1u << CODEC_NONE);
    assert_int_equal(info.offset_indexes, 1);
    assert_int_equal(info.column_indexes, 1);
    OK(pq_inspect_pages(o.p, o.m, see_page, &n, NULL));
    assert_int_equal(n, PAGES);
    n = 0;
    OK(pq_inspect_columns(o.p, o.m, see_column, &n, NULL));
    assert_int_equal(n, 1);
    close_made(&o);
}

#ifdef NARROWS_FAULTS
static nrw_status ignore_page(void *self, const pq_page_info *i, nrw_error *err)
{
    (void)self;
    (void)i;
    (void)err;
    return NRW_OK;
}

static nrw_status ignore_column(void *self, const pq_column_info *c, nrw_error *err)
{
    (void)self;
    (void)c;
    (void)err;
    return NRW_OK;
}

static nrw_status do_all(opened *o, nrw_error *err)
{
    pq_meta *p;
    pq_file_info info;
    found got = {0};
    pq_verify_counts c;
    nrw_status st = pq_meta_open(o->m, o->f, NULL, &p, err);
    if (st >= 0)
        st = pq_inspect_file(p, o->m, &info, err);
    if (st >= 0)
        st = pq_inspect_columns(p, o->m, ignore_column, NULL, err);
    if (st >= 0)
        st = pq_inspect_pages(p, o->m, ignore_page, NULL, err);
    if (st >= 0)
        st = pq_verify(p, o->f, o->s, o->m, true, on_fault, &got, &c, err);
    pq_meta_close(p);
    assert_int_equal(got.n, 0);
    return st;
}

/* Each allocation in turn is refused by the system. */
static void test_no_memory(void **state)
{
    (void)state;
    opened o;
    open_made(&o, &truth);
    uint64_t used = mem_used(o.m);
    nrw_status st = NRW_E_NOMEM;
    for (uint64_t n = 1; st != NRW_OK; n++) {
        nrw_error err = NRW_ERROR_INIT;
        fault_arm(FAULT_ALLOC, n);
        st = do_all(&o, &err);
        fault_arm(FAULT_ALLOC, 0);
        if (st != NRW_OK)
            assert_status(NRW_E_NOMEM, st, &err);
        mem_trim();
        assert_int_equal(mem_used(o.m), used);
    }
    close_made(&o);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_inspect),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(test_no_memory),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
