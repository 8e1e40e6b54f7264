/* The column writer at odd sizes, without dictionary or statistics, and with encodings by choice.
 */
#include "column_feed.h"

/* Values larger than a page or a dictionary may be; a row a page; the cut of long bounds. */
static void test_tiny_sizes(void **state)
{
    pq_write_options opts = {.page_bytes = 64,
                             .page_rows = 5,
                             .dictionary_bytes = 100,
                             .version = 1,
                             .statistics_truncate = 3};
    pq_column_options col = by_rule();
    (void)state;

    check_shapes(type_of(TYPE_UTF8), &opts, &col);
    check_shapes(type_of(TYPE_UUID), &opts, &col);
    check_shapes(type_decimal(76, 0), &opts, &col);
    opts.version = 2;
    check_shapes(type_of(TYPE_INT64), &opts, &col);
    opts.page_bytes = 1;
    opts.dictionary_bytes = 0;
    check_shapes(type_of(TYPE_INT32), &opts, &col);
}

static void test_without_extras(void **state)
{
    pq_write_options opts = small_options(1);
    pq_column_options col = {.encoding = -1, .dictionary = false, .statistics = true};
    (void)state;

    opts.statistics_truncate = 0; /* long bounds stay whole */
    check_shapes(type_of(TYPE_UTF8), &opts, &col);
    check_shapes(type_of(TYPE_INT64), &opts, &col);
    col.statistics = false;
    check_shapes(type_of(TYPE_INT64), &opts, &col);
    col.dictionary = true;
    check_shapes(type_of(TYPE_UTF8), &opts, &col);
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
        pq_wleaf leaf = pq_flat_leaf(&f);
        pq_column_writer *w;
        assert_status(NRW_E_ARG, pq_column_writer_new(m, &leaf, &opts, &col, &w, &err), &err);
        assert_string_equal(err.column, "wrong");
        assert_null(w);
    }
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny_sizes),
        cmocka_unit_test(test_without_extras),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_encodings_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
