/* The column writer's rules, its memory, and what it does when something fails. */
#include "column_feed.h"

#include "base/fault.h"
#include "codec/codec.h"

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
    assert_int_equal(out.pages.n, 3);
    assert_int_equal(out.pages.at[0].rows, 256);
    assert_int_equal(out.pages.at[1].rows, 744); /* at most 1024, now that it is judged */
    assert_int_equal(out.pages.at[0].encoding, PQ_RLE_DICTIONARY);
    assert_int_equal(out.pages.at[0].body->len, 1 + 1 + 256 * 7 / 8);
    assert_int_equal(out.pages.at[2].type, PQ_DICTIONARY_PAGE);
    assert_int_equal(out.pages.at[2].rows, 128);
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
    assert_int_equal(out.pages.at[1].rows, 384);
    assert_int_equal(out.pages.at[1].encoding, PQ_RLE_DICTIONARY);
    assert_int_equal(out.pages.at[2].encoding, PQ_PLAIN);
    assert_int_equal(out.pages.at[2].rows, 256);
    assert_int_equal(out.pages.at[3].rows, 104);
    assert_int_equal(out.pages.at[4].rows, 512);
    assert_int_equal(out.stats.distinct, -1);
    chunk_release(&out);
    rows_free(&r);
    test_mem_close(m);
}

/* Version 2 looks at the first page both ways: rising numbers go without a dictionary although each
 * comes three times, random ones keep it. */
static void test_delta_instead_of_dictionary(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_column_options col = by_rule();
    feeding f = {.cut = 64};
    rows r = counted(1000, 334);
    spill *s;
    (void)state;

    assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
    for (int rising = 0; rising < 2; rising++)
        for (int version = 1; version <= 2; version++) {
            pq_write_options opts = small_options(version);
            bool delta = rising && version == 2;
            for (uint32_t i = 0; i < r.n; i++)
                r.vid[i] = (int32_t)(rising ? i / 3 : rows_random() % 100);
            chunk_out out = write_rows(&r, m, &opts, &col, &f);
            assert_int_equal(out.pages.at[0].encoding,
                             delta ? PQ_DELTA_BINARY_PACKED : PQ_RLE_DICTIONARY);
            assert_int_equal(out.pages.at[out.pages.n - 1].type,
                             delta ? PQ_DATA_PAGE_V2 : PQ_DICTIONARY_PAGE);
            chunk_release(&out);
            check_column(&r, m, &opts, &col, s);
        }
    spill_close(s);
    rows_free(&r);
    test_mem_close(m);
}

/* Version 2, distinct numbers: byte streams where the codec gets more out of them. */
static void test_split_instead_of_delta(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    pq_write_options opts = small_options(2);
    feeding f = {.cut = 64};
    rows r = counted(1000, 1000);
    static const struct {
        int32_t codec;
        bool noise, split;
    } cases[] = {{CODEC_ZSTD, true, true},
                 {CODEC_GZIP, true, true},
                 {CODEC_ZSTD, false, false},
                 {CODEC_SNAPPY, true, false},
                 {CODEC_NONE, true, false}};
    nrw_error err = NRW_ERROR_INIT;
    spill *s;
    (void)state;

    assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pq_column_options col = by_rule();
        col.codec = cases[i].codec;
        for (uint32_t k = 0; k < 1000; k++) /* noise: 40 bits of it, in every ninth value */
            memcpy(r.value[k],
                   &(int64_t){cases[i].noise && k % 9 == 0 ? (int64_t)(rows_random() & 0xffffffffff)
                                                           : (int64_t)k},
                   8);
        chunk_out out = write_rows(&r, m, &opts, &col, &f);
        for (uint32_t k = 0; k < out.pages.n; k++)
            assert_int_equal(out.pages.at[k].encoding,
                             cases[i].split ? PQ_BYTE_STREAM_SPLIT : PQ_DELTA_BINARY_PACKED);
        chunk_release(&out);
        check_column(&r, m, &opts, &col, s);
    }
    spill_close(s);
    rows_free(&r);
    test_mem_close(m);
}

/* Entries that come as fast as ever would fill the dictionary (512 entries) in row groups of more
 * than 1,536 rows: it is given up at once. Where fewer rows come, or most entries early, it stays.
 */
static void test_outgrown_dictionary(void **state)
{
    static const struct {
        int64_t group_rows;
        uint32_t vids, every;
        bool kept;
    } cases[] = {{1500, 1000, 3, true},
                 {1600, 1000, 3, false},
                 {1 << 20, 100, 1, true},
                 {1 << 20, 86, 3, false}};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    pq_column_options col = by_rule();
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int form = 0; form <= ROWS_MIXED; form++) {
            pq_write_options opts = small_options(1);
            feeding f = {.cut = 64, .form = (rows_form)form};
            rows r = counted(1000, cases[i].vids);
            opts.row_group_rows = cases[i].group_rows;
            for (uint32_t k = 0; k < r.n; k++)
                r.vid[k] = (int32_t)(k / cases[i].every % cases[i].vids);
            chunk_out out = write_rows(&r, m, &opts, &col, &f);
            assert_int_equal(out.pages.at[0].encoding,
                             cases[i].kept ? PQ_RLE_DICTIONARY : PQ_PLAIN);
            chunk_release(&out);
            rows_free(&r);
        }
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
    pq_wleaf leaf = pq_flat_leaf(&r.f);
    pq_column_writer *w;
    chunk_out first, again;
    feeding flat = {.cut = 100}, mixed = {.cut = 77, .form = ROWS_MIXED};
    (void)state;

    assert_ok(pq_column_writer_new(m, &leaf, &opts, &col, &w, &err), &err);
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

/* Full behind the half of what the first page may hold: then it would be given up anyway, and the
 * page goes on, whichever was seen first. */
static void test_hopeless_dictionary(void **state)
{
    static const uint32_t cuts[] = {1, 64, 149, 1000};
    mem *m = test_mem_open(MEM_NO_LIMIT);
    pq_column_options col = by_rule();
    rows r = counted(1000, 1000);
    (void)state;

    for (uint32_t entries = 100; entries <= 150; entries += 50)
        for (size_t i = 0; i < 2 * sizeof cuts / sizeof *cuts; i++) {
            pq_write_options opts = small_options(1);
            feeding f = {.cut = cuts[i / 2], .form = i % 2 ? ROWS_MIXED : (rows_form)0};
            opts.dictionary_bytes = 8 * entries;
            chunk_out out = write_rows(&r, m, &opts, &col, &f);
            assert_int_equal(out.pages.at[0].rows, entries == 100 ? 100 : 256);
            assert_int_equal(out.pages.at[0].encoding, PQ_PLAIN);
            check_chunk(&out, &r, &opts, &col);
            chunk_release(&out);
        }
    rows_free(&r);
    test_mem_close(m);
}

static void test_memory_is_exact(void **state)
{
    static const type_id ids[] = {TYPE_INT64, TYPE_UTF8, TYPE_BOOL, TYPE_UUID};
    (void)state;

    for (int i = 0; i < 32; i++) {
        const uint32_t n = i < 16 ? 50000 : 5000;
        mem *m = test_mem_open(MEM_NO_LIMIT), *own;
        nrw_error err = NRW_ERROR_INIT;
        pq_write_options opts = {.rows_most = i < 16 ? 0 : n,
                                 .page_bytes = 128 << 10,
                                 .page_rows = 20000,
                                 .dictionary_bytes = 1 << 20,
                                 .version = 1 + i / 4 % 2};
        pq_column_options col = by_rule();
        col.bloom = i % 16 >= 8 && ids[i % 4] != TYPE_BOOL ? 0.01 : 0;
        rows r = rows_make((field){.name = "c", .type = type_of(ids[i % 4]), .nullable = true}, n,
                           n / 5 * 4, 100, 1);
        pq_wleaf leaf = pq_flat_leaf(&r.f);
        pq_column_writer *w;
        chunk_out out = {.pages.m = m};
        dict *d = NULL;
        uint64_t most = pq_column_most(&leaf, &opts, &col);
        assert_ok(mem_child(m, "column", MEM_NO_LIMIT, &own, &err), &err);
        assert_ok(pq_column_writer_new(own, &leaf, &opts, &col, &w, &err), &err);
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

/* Pages and dictionaries of usual size, in spill blocks of their own. */
static void test_large_parts_parked(void **state)
{
    static const type_id ids[] = {TYPE_INT64, TYPE_UTF8, TYPE_INT32, TYPE_BOOL};
    (void)state;

    for (int i = 0; i < 8; i++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        nrw_error err = NRW_ERROR_INIT;
        pq_write_options opts = {.page_bytes = 128 << 10,
                                 .page_rows = 20000,
                                 .dictionary_bytes = 1 << 20,
                                 .version = 1 + i / 4,
                                 .statistics_truncate = 64};
        pq_column_options col = by_rule();
        rows r = rows_make((field){.name = "c", .type = type_of(ids[i % 4]), .nullable = true},
                           60000, i % 4 == 2 ? 60000 : 6000, 100, 1);
        feeding flat = {.cut = 60000}, mixed = {.cut = 4100, .form = ROWS_MIXED};
        chunk_out want = write_rows(&r, m, &opts, &col, &flat), got;
        spill *s;
        assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
        mixed.park = s;
        got = write_rows(&r, m, &opts, &col, &mixed);
        check_same(&want, &got);
        check_chunk(&got, &r, &opts, &col);
        chunk_release(&want);
        chunk_release(&got);
        assert_int_equal(spill_used(s), 0);
        spill_close(s);
        rows_free(&r);
        test_mem_close(m);
    }
}

/* A spill file that is full: the writer stays as it was, and goes on. */
static void test_park_refused(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options opts = small_options(1);
    pq_column_options col = by_rule();
    rows r = rows_make((field){.name = "c", .type = type_of(TYPE_UTF8)}, 500, 100, 0, 1);
    feeding f = {.cut = 500};
    chunk_out want = write_rows(&r, m, &opts, &col, &f), got = {.pages.m = m};
    pq_wleaf leaf = pq_flat_leaf(&r.f);
    pq_column_writer *w;
    dict *d = NULL;
    spill *s;
    (void)state;

    assert_ok(spill_new(m, NULL, 100, &s, &err), &err);
    assert_ok(pq_column_writer_new(m, &leaf, &opts, &col, &w, &err), &err);
    assert_ok(feed_one(w, &r, m, &d, &f, 0, 200, &got, &err), &err);
    assert_status(NRW_E_IO, pq_column_park(w, s, &err), &err);
    assert_int_equal(spill_used(s), 0);
    assert_ok(feed_one(w, &r, m, &d, &f, 200, 300, &got, &err), &err);
    assert_ok(pq_column_finish(w, &got.pages, &got.stats, &err), &err);
    check_same(&want, &got);
    chunk_release(&want);
    chunk_release(&got);
    pq_column_writer_free(w);
    spill_close(s);
    rows_free(&r);
    test_mem_close(m);
}

/* Freed while parked: nothing stays in the spill file. */
static void test_freed_while_parked(void **state)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options opts = small_options(1);
    pq_column_options col = by_rule();
    rows r = rows_make((field){.name = "c", .type = type_of(TYPE_INT64)}, 200, 50, 0, 1);
    chunk_out out = {.pages.m = m};
    feeding f = {.cut = 200};
    pq_wleaf leaf = pq_flat_leaf(&r.f);
    pq_column_writer *w;
    dict *d = NULL;
    spill *s;
    vector v;
    (void)state;

    assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
    assert_ok(pq_column_writer_new(m, &leaf, &opts, &col, &w, &err), &err);
    assert_ok(feed_one(w, &r, m, &d, &f, 0, 200, &out, &err), &err);
    assert_ok(pq_column_park(w, s, &err), &err);
    assert_true(spill_used(s) > 0);
    assert_ok(rows_flat(&r, m, r.vid, 1, &v, &err), &err);
    assert_status(NRW_E_ARG, pq_column_append(w, &v, 0, v.len, &out.pages, &err), &err);
    vector_release(&v);
    pq_column_writer_free(w);
    assert_int_equal(spill_used(s), 0);
    chunk_release(&out);
    spill_close(s);
    rows_free(&r);
    test_mem_close(m);
}

/* ---- errors ---- */

static void check_refused(field f, const void *value, nrw_status want)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    pq_write_options opts = small_options(1);
    pq_column_options col = by_rule();
    pq_page_list out = {.m = m};
    pq_wleaf leaf = pq_flat_leaf(&f);
    pq_column_writer *w;
    vector v;

    assert_ok(pq_column_writer_new(m, &leaf, &opts, &col, &w, &err), &err);
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
    assert_status(want, pq_column_append(w, &v, 0, v.len, &out, &err), &err);
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
            pq_wleaf leaf = pq_flat_leaf(&r.f);
            pq_column_writer *w = NULL;
            chunk_out out = {0};
            spill *s;
            assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
            f.park = s;
            rows_seed = 4711;
            fault_arm(FAULT_ALLOC, n);
            st = pq_column_writer_new(m, &leaf, &opts, &col, &w, &err);
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
        cmocka_unit_test(test_dictionary_rules),
        cmocka_unit_test(test_hopeless_dictionary),
        cmocka_unit_test(test_outgrown_dictionary),
        cmocka_unit_test(test_delta_instead_of_dictionary),
        cmocka_unit_test(test_split_instead_of_delta),
        cmocka_unit_test(test_several_chunks),
        cmocka_unit_test(test_large_parts_parked),
        cmocka_unit_test(test_park_refused),
        cmocka_unit_test(test_freed_while_parked),
        cmocka_unit_test(test_memory_is_exact),
        cmocka_unit_test(test_refusals),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(test_faults),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
