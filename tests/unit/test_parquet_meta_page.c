/* Page headers. */
#include "format/parquet/meta.h"
#include "format/parquet/thrift.h"
#include "testing.h"

typedef struct sample {
    int32_t type, uncompressed, compressed, n_values, nulls, rows, def_len, rep_len;
    int skip; /* field left out; 0: none */
} sample;

static void put(thrift_out *o, const sample *s, int16_t id, int32_t v)
{
    nrw_error err = NRW_ERROR_INIT;
    if (s->skip != id)
        assert_ok(thrift_write_field_i32(o, id, v, &err), &err);
}

static void write_header(bytes *to, const sample *s)
{
    nrw_error err = NRW_ERROR_INIT;
    thrift_out o = thrift_out_init(to);
    assert_ok(thrift_begin(&o, &err), &err);
    put(&o, s, 1, s->type);
    put(&o, s, 2, s->uncompressed);
    put(&o, s, 3, s->compressed);
    assert_ok(thrift_write_field_i32(&o, 4, -2, &err), &err);
    if (s->type == PQ_DATA_PAGE) {
        assert_ok(thrift_write_field_struct(&o, 5, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 1, s->n_values, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 2, PQ_PLAIN_DICTIONARY, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 3, PQ_RLE, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 4, PQ_BIT_PACKED, &err), &err);
        assert_ok(thrift_write_field_struct(&o, 5, &err), &err);
        assert_ok(thrift_write_field_string(&o, 1, "statistics are skipped", &err), &err);
        assert_ok(thrift_end(&o, &err), &err);
        assert_ok(thrift_end(&o, &err), &err);
    } else if (s->type == PQ_DICTIONARY_PAGE) {
        assert_ok(thrift_write_field_struct(&o, 7, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 1, s->n_values, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 2, PQ_PLAIN, &err), &err);
        assert_ok(thrift_write_field_bool(&o, 3, true, &err), &err);
        assert_ok(thrift_end(&o, &err), &err);
    } else if (s->type == PQ_DATA_PAGE_V2) {
        assert_ok(thrift_write_field_struct(&o, 8, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 1, s->n_values, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 2, s->nulls, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 3, s->rows, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 4, PQ_DELTA_BINARY_PACKED, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 5, s->def_len, &err), &err);
        assert_ok(thrift_write_field_i32(&o, 6, s->rep_len, &err), &err);
        assert_ok(thrift_write_field_bool(&o, 7, false, &err), &err);
        assert_ok(thrift_end(&o, &err), &err);
    }
    assert_ok(thrift_end(&o, &err), &err);
}

/* Every prefix asks for more, the whole gives `want`. */
static void parse(const sample *s, nrw_status want, pq_page *out)
{
    mem *m = test_mem_open(1 << 20);
    bytes b = bytes_init(m, 1 << 16);
    write_header(&b, s);
    nrw_error err = NRW_ERROR_INIT;
    for (size_t n = 0; n < b.len; n++) {
        assert_status(NRW_END, pq_page_parse((span){b.data, n}, out, &err), &err);
        assert_true(!err.message[0]);
    }
    size_t header_len = b.len;
    assert_ok(bytes_append(&b, "body", 4, &err), &err);
    assert_status(want, pq_page_parse((span){b.data, b.len}, out, &err), &err);
    assert_int_equal(err.offset, -1);
    if (want == NRW_OK) {
        assert_int_equal(out->header_len, header_len);
        assert_true(out->has_crc && out->crc == 0xfffffffe);
    }
    bytes_release(&b);
    test_mem_close(m);
}

static void test_data(void **state)
{
    (void)state;
    pq_page p;
    parse(&(sample){PQ_DATA_PAGE, 1000, 900, 77}, NRW_OK, &p);
    assert_int_equal(p.type, PQ_DATA_PAGE);
    assert_int_equal(p.uncompressed, 1000);
    assert_int_equal(p.compressed, 900);
    assert_int_equal(p.n_values, 77);
    assert_int_equal(p.encoding, PQ_PLAIN_DICTIONARY);
    assert_int_equal(p.def_encoding, PQ_RLE);
    assert_int_equal(p.rep_encoding, PQ_BIT_PACKED);
    assert_int_equal(p.n_nulls, -1);
    assert_int_equal(p.n_rows, -1);
}

static void test_dictionary(void **state)
{
    (void)state;
    pq_page p;
    parse(&(sample){PQ_DICTIONARY_PAGE, 10, 10, 3}, NRW_OK, &p);
    assert_int_equal(p.n_values, 3);
    assert_true(p.dict_sorted);
}

static void test_data_v2(void **state)
{
    (void)state;
    pq_page p;
    parse(&(sample){PQ_DATA_PAGE_V2, 100, 90, 50, 5, 50, 7, 0}, NRW_OK, &p);
    assert_int_equal(p.n_nulls, 5);
    assert_int_equal(p.n_rows, 50);
    assert_int_equal(p.def_len, 7);
    assert_true(!p.v2_compressed);
    parse(&(sample){PQ_DATA_PAGE_V2, 100, 90, 50, 51, 50, 7, 0}, NRW_E_CORRUPT, &p);
    parse(&(sample){PQ_DATA_PAGE_V2, 100, 90, 50, -1, 50, 7, 0}, NRW_E_CORRUPT, &p);
    parse(&(sample){PQ_DATA_PAGE_V2, 100, 90, 50, 5, 51, 7, 0}, NRW_E_CORRUPT, &p);
    parse(&(sample){PQ_DATA_PAGE_V2, 100, 90, 50, 5, 50, 80, 11}, NRW_E_CORRUPT, &p);
    parse(&(sample){PQ_DATA_PAGE_V2, 100, 90, 50, 5, 50, INT32_MAX, INT32_MAX}, NRW_E_CORRUPT, &p);
}

static void test_refused(void **state)
{
    (void)state;
    pq_page p;
    parse(&(sample){PQ_DATA_PAGE, -1, 900, 77}, NRW_E_CORRUPT, &p);
    parse(&(sample){PQ_DATA_PAGE, 900, -1, 77}, NRW_E_CORRUPT, &p);
    parse(&(sample){PQ_DATA_PAGE, 900, 900, -1}, NRW_E_CORRUPT, &p);
    for (int field = 1; field <= 3; field++)
        parse(&(sample){PQ_DICTIONARY_PAGE, 900, 900, 1, .skip = field}, NRW_E_CORRUPT, &p);
    parse(&(sample){99, 10, 10}, NRW_OK, &p); /* a page of a kind to come: skipped by its size */
    assert_int_equal(p.type, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_data_v2),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
