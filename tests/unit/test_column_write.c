/* The column writer: what it writes is what was given, and it is the same bytes however the rows
 * came. */
#include "column_check.h"

#include "base/fault.h"

static pq_write_options small_options(int version)
{
    return (pq_write_options){.page_bytes = 2048,
                              .page_rows = 300,
                              .dictionary_bytes = 4096,
                              .version = version,
                              .statistics_truncate = 16};
}

static pq_column_options by_rule(void)
{
    return (pq_column_options){.encoding = -1, .dictionary = true, .statistics = true};
}

/* How rows are given. */
typedef struct feeding {
    uint32_t cut;
    rows_form form;
    spill *park;       /* park and unpark after some of the vectors */
    uint64_t *encoded; /* by rows given; UINT64_MAX: not known yet */
} feeding;

static nrw_status feed_one(pq_column_writer *w, const rows *r, mem *m, dict **d, const feeding *f,
                           uint32_t first, uint32_t n, chunk_out *out, nrw_error *err)
{
    vector v;
    nrw_status st = rows_vector(r, m, d, f->form, first, n, &v, err);

    if (st < 0)
        return st;
    st = pq_column_append(w, &v, &out->pages, err);
    vector_release(&v);
    return st;
}

static nrw_status park_now_and_then(pq_column_writer *w, const feeding *f, nrw_error *err)
{
    if (!f->park || rows_random() % (f->cut == 1 ? 50 : 2))
        return NRW_OK;
    uint64_t encoded = pq_column_encoded(w);
    TRY(pq_column_park(w, f->park, err));
    assert_true(pq_column_memory(w) < 2048);
    TRY(pq_column_unpark(w, err));
    assert_int_equal(encoded, pq_column_encoded(w));
    return NRW_OK;
}

static nrw_status feed(pq_column_writer *w, const rows *r, mem *m, const feeding *f, chunk_out *out,
                       nrw_error *err)
{
    dict *d = NULL;
    nrw_status st = NRW_OK;

    *out = (chunk_out){.pages.m = m};
    for (uint32_t row = 0; row < r->n && st == NRW_OK; row += f->cut) {
        uint32_t n = r->n - row < f->cut ? r->n - row : f->cut;
        st = feed_one(w, r, m, &d, f, row, n, out, err);
        if (st == NRW_OK && f->encoded) {
            uint64_t *known = &f->encoded[row + n], now = pq_column_encoded(w);
            if (*known != UINT64_MAX)
                assert_int_equal(*known, now);
            *known = now;
        }
        if (st == NRW_OK)
            st = park_now_and_then(w, f, err);
    }
    dict_unref(d);
    if (st == NRW_OK)
        st = pq_column_finish(w, &out->pages, &out->stats, err);
    return st;
}

static chunk_out write_rows(const rows *r, mem *m, const pq_write_options *opts,
                            const pq_column_options *col, const feeding *f)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_column_writer *w;
    chunk_out out;

    assert_ok(pq_column_writer_new(m, &r->f, opts, col, &w, &err), &err);
    assert_ok(feed(w, r, m, f, &out, &err), &err);
    pq_column_writer_free(w);
    return out;
}

/* All cuts and forms against one that is checked value by value. */
static void check_column(const rows *r, mem *m, const pq_write_options *opts,
                         const pq_column_options *col, spill *s)
{
    static const uint32_t cuts[] = {1, 7, 100, 1000, 65536};
    uint64_t *encoded = malloc((r->n + 1) * sizeof *encoded);
    feeding f = {.cut = 65536, .form = ROWS_FLAT, .encoded = encoded};
    chunk_out want;

    memset(encoded, 0xff, (r->n + 1) * sizeof *encoded);
    want = write_rows(r, m, opts, col, &f);
    check_chunk(&want, r, opts);
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++)
        for (int form = 0; form < ROWS_FORMS; form++) {
            chunk_out got;
            if (form == ROWS_DICTS && cuts[c] < 100 && r->n_vids > 100)
                continue; /* a large dictionary a row takes long */
            f.cut = cuts[c];
            f.form = (rows_form)form;
            f.park = form % 2 || cuts[c] == 100 ? s : NULL;
            got = write_rows(r, m, opts, col, &f);
            check_same(&want, &got);
            chunk_release(&got);
        }
    chunk_release(&want);
    free(encoded);
}

typedef struct shape {
    uint32_t n, vids, nulls, run;
} shape;

static const shape shapes[] = {
    {1500, 12, 0, 1},    {1500, 12, 100, 1}, {2000, 40, 30, 60}, {900, 900, 0, 1},
    {1500, 700, 300, 2}, {700, 1, 0, 1},     {700, 3, 1000, 1},  {1300, 650, 10, 3},
    {2500, 9, 500, 400}, {1, 1, 0, 1},       {310, 310, 900, 1},
};

static void check_type(type t, int version)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options opts = small_options(version);
    pq_column_options col = by_rule();
    spill *s;

    assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *h = &shapes[i];
        bool nullable = h->nulls > 0 || i % 2 || t.id == TYPE_NULL;
        rows r = rows_make((field){.name = "c", .type = t, .nullable = nullable}, h->n, h->vids,
                           h->nulls, h->run);
        check_column(&r, m, &opts, &col, s);
        rows_free(&r);
    }
    assert_int_equal(spill_used(s), 0);
    spill_close(s);
    test_mem_close(m);
}

static void check_types(const type *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int version = 1; version <= 2; version++)
            check_type(t[i], version);
}

#define CHECK_TYPES(...)                                                                           \
    do {                                                                                           \
        type t_[] = {__VA_ARGS__};                                                                 \
        check_types(t_, sizeof t_ / sizeof *t_);                                                   \
    } while (0)

static void test_integers(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_INT8), type_of(TYPE_INT32), type_of(TYPE_INT64), type_of(TYPE_UINT16),
                type_of(TYPE_UINT32), type_of(TYPE_UINT64));
}

static void test_small_integers(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_INT16), type_of(TYPE_UINT8), type_of(TYPE_DATE), type_of(TYPE_NULL),
                type_of(TYPE_BOOL));
}

static void test_floats(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_FLOAT16), type_of(TYPE_FLOAT32), type_of(TYPE_FLOAT64));
}

static void test_decimals(void **state)
{
    (void)state;
    CHECK_TYPES(type_decimal(5, 2), type_decimal(15, 3), type_decimal(25, 4), type_decimal(60, 5));
}

static void test_times(void **state)
{
    (void)state;
    CHECK_TYPES(type_time(UNIT_S, false), type_time(UNIT_MS, true), type_time(UNIT_NS, false),
                type_timestamp(UNIT_S, true), type_timestamp(UNIT_US, false));
}

static void test_texts(void **state)
{
    (void)state;
    CHECK_TYPES(type_of(TYPE_UTF8), type_of(TYPE_BINARY));
}

static void test_fixed(void **state)
{
    (void)state;
    CHECK_TYPES(type_fixed(5), type_fixed(8), type_of(TYPE_UUID), type_of(TYPE_INTERVAL));
}

/* ---- encodings by choice ---- */

static void check_encoding(type t, pq_encoding e)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    spill *s;

    assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
    for (int version = 1; version <= 2; version++) {
        pq_write_options opts = small_options(version);
        pq_column_options col = {.encoding = (int32_t)e, .dictionary = true, .statistics = true};
        rows r = rows_make((field){.name = "c", .type = t, .nullable = true}, 800, 600, 100, 2);
        check_column(&r, m, &opts, &col, s);
        rows_free(&r);
    }
    spill_close(s);
    test_mem_close(m);
}

static void test_encodings(void **state)
{
    static const type_id split[] = {TYPE_INT32,   TYPE_INT64,   TYPE_FLOAT32,
                                    TYPE_FLOAT64, TYPE_FLOAT16, TYPE_UUID};
    (void)state;

    for (size_t i = 0; i < sizeof split / sizeof *split; i++)
        check_encoding(type_of(split[i]), PQ_BYTE_STREAM_SPLIT);
    check_encoding(type_of(TYPE_INT16), PQ_DELTA_BINARY_PACKED);
    check_encoding(type_of(TYPE_UINT64), PQ_DELTA_BINARY_PACKED);
    check_encoding(type_of(TYPE_UTF8), PQ_DELTA_LENGTH_BYTE_ARRAY);
    check_encoding(type_of(TYPE_UTF8), PQ_DELTA_BYTE_ARRAY);
    check_encoding(type_fixed(7), PQ_DELTA_BYTE_ARRAY);
    check_encoding(type_of(TYPE_BOOL), PQ_RLE);
    check_encoding(type_of(TYPE_UTF8), PQ_PLAIN);
    check_encoding(type_of(TYPE_INT64), PQ_RLE_DICTIONARY);
    check_encoding(type_of(TYPE_UTF8), PQ_RLE_DICTIONARY);
}

static void test_encodings_that_do_not_fit(void **state)
{
    static const struct {
        type_id id;
        pq_encoding e;
    } bad[] = {{TYPE_UTF8, PQ_DELTA_BINARY_PACKED},    {TYPE_FLOAT64, PQ_DELTA_BINARY_PACKED},
               {TYPE_INT64, PQ_DELTA_BYTE_ARRAY},      {TYPE_BOOL, PQ_RLE_DICTIONARY},
               {TYPE_UTF8, PQ_BYTE_STREAM_SPLIT},      {TYPE_INT32, PQ_RLE},
               {TYPE_UUID, PQ_DELTA_LENGTH_BYTE_ARRAY}};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nrw_error err = NRW_ERROR_INIT;
        field f = {.name = "wrong", .type = type_of(bad[i].id)};
        pq_write_options opts = small_options(1);
        pq_column_options col = {.encoding = (int32_t)bad[i].e};
        pq_column_writer *w;
        assert_status(NRW_E_ARG, pq_column_writer_new(m, &f, &opts, &col, &w, &err), &err);
        assert_string_equal(err.column, "wrong");
        assert_null(w);
    }
    test_mem_close(m);
}

/* ---- rules ---- */

/* n rows whose value is i % vids, int64. */
static rows counted(uint32_t n, uint32_t vids)
{
    rows r = rows_make((field){.name = "c", .type = type_of(TYPE_INT64)}, n, vids, 0, 1);

    for (uint32_t k = 0; k < vids; k++)
        memcpy(r.value[k], &(int64_t){k}, 8);
    for (uint32_t i = 0; i < n; i++)
        r.vid[i] = (int32_t)(i % vids);
    return r;
}

static void test_dictionary_rules(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    pq_write_options opts = small_options(1); /* 256 rows a page, 512 entries */
    pq_column_options col = by_rule();
    feeding f = {.cut = 64};
    rows r;
    chunk_out out;
    (void)state;

    r = counted(1000, 128); /* half of the first page: kept */
    out = write_rows(&r, m, &opts, &col, &f);
    assert_int_equal(out.pages.n, 5);
    assert_int_equal(out.pages.at[0].rows, 256);
    assert_int_equal(out.pages.at[0].encoding, PQ_RLE_DICTIONARY);
    assert_int_equal(out.pages.at[0].body->len, 1 + 1 + 256 * 7 / 8);
    assert_int_equal(out.pages.at[4].type, PQ_DICTIONARY_PAGE);
    assert_int_equal(out.pages.at[4].rows, 128);
    assert_int_equal(out.stats.distinct, 128);
    chunk_release(&out);
    rows_free(&r);

    r = counted(1000, 129); /* one more: given up, that page too */
    out = write_rows(&r, m, &opts, &col, &f);
    assert_int_equal(out.pages.n, 4);
    assert_int_equal(out.pages.at[0].encoding, PQ_PLAIN);
    assert_int_equal(out.pages.at[0].body->len, 2048);
    assert_int_equal(out.stats.distinct, -1);
    chunk_release(&out);
    rows_free(&r);

    r = counted(1000, 1000); /* full at row 512 + 128: that page ends before it */
    for (uint32_t i = 0; i < 256; i++)
        r.vid[i] = (int32_t)(i % 128);
    for (uint32_t i = 256; i < 1000; i++)
        r.vid[i] = (int32_t)(i - 128);
    out = write_rows(&r, m, &opts, &col, &f);
    assert_int_equal(out.pages.at[1].rows, 256);
    assert_int_equal(out.pages.at[2].rows, 128);
    assert_int_equal(out.pages.at[2].encoding, PQ_RLE_DICTIONARY);
    assert_int_equal(out.pages.at[3].encoding, PQ_PLAIN);
    assert_int_equal(out.pages.at[3].rows, 256);
    assert_int_equal(out.pages.at[5].rows, 512);
    assert_int_equal(out.stats.distinct, -1);
    chunk_release(&out);
    rows_free(&r);
    test_mem_close(m);
}

static void test_several_chunks(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options opts = small_options(2);
    pq_column_options col = by_rule();
    rows r = rows_make((field){.name = "c", .type = type_of(TYPE_UTF8), .nullable = true}, 2000,
                       300, 100, 3);
    pq_column_writer *w;
    chunk_out first, again;
    feeding flat = {.cut = 100}, mixed = {.cut = 77, .form = ROWS_MIXED};
    (void)state;

    assert_ok(pq_column_writer_new(m, &r.f, &opts, &col, &w, &err), &err);
    assert_ok(feed(w, &r, m, &flat, &first, &err), &err);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pq_column_encoded(w), 0);
        assert_ok(feed(w, &r, m, &mixed, &again, &err), &err);
        check_same(&first, &again);
        chunk_release(&again);
    }
    chunk_release(&first);
    assert_ok(pq_column_finish(w, &again.pages, &again.stats, &err), &err);
    assert_int_equal(again.pages.n, 0);
    assert_int_equal(again.stats.rows, 0);
    chunk_release(&again);
    pq_column_writer_free(w);
    rows_free(&r);
    test_mem_close(m);
}

static void test_memory_is_exact(void **state)
{
    static const type_id ids[] = {TYPE_INT64, TYPE_UTF8, TYPE_BOOL, TYPE_UUID};
    (void)state;

    for (int i = 0; i < 8; i++) {
        mem *m = test_mem_open(MEM_NO_LIMIT), *own;
        nrw_error err = NRW_ERROR_INIT;
        pq_write_options opts = {.page_bytes = 128 << 10,
                                 .page_rows = 20000,
                                 .dictionary_bytes = 1 << 20,
                                 .version = 1 + i / 4};
        pq_column_options col = by_rule();
        rows r = rows_make((field){.name = "c", .type = type_of(ids[i % 4]), .nullable = true},
                           50000, 40000, 100, 1);
        pq_column_writer *w;
        chunk_out out = {.pages.m = m};
        dict *d = NULL;
        uint64_t most = pq_column_most(&r.f, &opts);
        assert_ok(mem_child(m, "column", MEM_NO_LIMIT, &own, &err), &err);
        assert_ok(pq_column_writer_new(own, &r.f, &opts, &col, &w, &err), &err);
        for (uint32_t row = 0; row < r.n; row += 500) {
            feeding f = {.form = (rows_form)(row / 500 % 2)};
            assert_ok(feed_one(w, &r, m, &d, &f, row, 500, &out, &err), &err);
            pq_page_list_release(&out.pages);
            assert_int_equal(mem_used(own), pq_column_memory(w));
        }
        assert_true(mem_peak(own) <= most);
        assert_ok(pq_column_finish(w, &out.pages, &out.stats, &err), &err);
        chunk_release(&out);
        assert_int_equal(mem_used(own), pq_column_memory(w));
        pq_column_writer_free(w);
        mem_free_account(own);
        dict_unref(d);
        rows_free(&r);
        test_mem_close(m);
    }
}

/* ---- errors ---- */

static void check_refused(field f, const void *value, nrw_status want)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options opts = small_options(1);
    pq_column_options col = by_rule();
    pq_page_list out = {.m = m};
    pq_column_writer *w;
    vector v;

    assert_ok(pq_column_writer_new(m, &f, &opts, &col, &w, &err), &err);
    assert_ok(vector_flat(m, &f.type, 1, &v, &err), &err);
    memset(v.data, 0, f.type.width);
    v.len = 1;
    if (value) {
        memcpy(v.data, value, f.type.width);
    } else {
        assert_ok(vector_add_validity(&v, &err), &err);
        bit_clear(v.validity, 0);
        v.null_count = 1;
    }
    assert_status(want, pq_column_append(w, &v, &out, &err), &err);
    assert_string_equal(err.column, f.name);
    vector_release(&v);
    pq_page_list_release(&out);
    pq_column_writer_free(w);
    test_mem_close(m);
}

static void test_refusals(void **state)
{
    int64_t far = INT64_MAX / 999, late = (int64_t)1 << 33;
    uint8_t wide[16];
    (void)state;

    memset(wide, 0x7f, sizeof wide);
    check_refused((field){.name = "x", .type = type_of(TYPE_INT32)}, NULL, NRW_E_VALUE);
    check_refused((field){.name = "y", .type = type_timestamp(UNIT_S, false)}, &far, NRW_E_VALUE);
    check_refused((field){.name = "z", .type = type_time(UNIT_MS, false)}, &late, NRW_E_VALUE);
    check_refused((field){.name = "d", .type = type_decimal(20, 0)}, wide, NRW_E_VALUE);
}

#ifdef NARROWS_FAULTS
/* Each allocation fails in turn; everything must come back. */
static void test_faults(void **state)
{
    static const type_id ids[] = {TYPE_INT64, TYPE_UTF8, TYPE_UUID, TYPE_BOOL};
    pq_write_options opts = small_options(2);
    pq_column_options col = by_rule();
    (void)state;

    for (size_t i = 0; i < 4 * sizeof ids / sizeof *ids; i++) {
        rows r = rows_make((field){.name = "c", .type = type_of(ids[i % 4]), .nullable = true}, 600,
                           i < 8 ? 200 : 600, 100, 1);
        nrw_status st = NRW_E_NOMEM;
        for (uint64_t n = 1; st != NRW_OK; n++) {
            mem *m = test_mem_open(MEM_NO_LIMIT);
            nrw_error err = NRW_ERROR_INIT;
            feeding f = {.cut = 150, .form = i % 2 ? ROWS_MIXED : ROWS_FLAT};
            pq_column_writer *w = NULL;
            chunk_out out = {0};
            spill *s;
            assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
            f.park = s;
            rows_seed = 4711;
            fault_arm(FAULT_ALLOC, n);
            st = pq_column_writer_new(m, &r.f, &opts, &col, &w, &err);
            if (st == NRW_OK)
                st = feed(w, &r, m, &f, &out, &err);
            if (st == NRW_OK && fault_count(FAULT_ALLOC) >= n)
                st = NRW_E_NOMEM; /* somebody had another way; go on */
            fault_arm(FAULT_ALLOC, 0);
            chunk_release(&out);
            pq_column_writer_free(w);
            spill_close(s);
            test_mem_close(m);
        }
        rows_free(&r);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_small_integers),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_encodings_that_do_not_fit),
        cmocka_unit_test(test_dictionary_rules),
        cmocka_unit_test(test_several_chunks),
        cmocka_unit_test(test_memory_is_exact),
        cmocka_unit_test(test_refusals),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(test_faults),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
