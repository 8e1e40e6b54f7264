/* The compact protocol: what the writer writes the reader reads, through a window of any size, and
 * hostile bytes are refused. */
#include "format/parquet/thrift.h"
#include "testing.h"

static void write_sample(bytes *to)
{
    nrw_error err = NRW_ERROR_INIT;
    thrift_out o = thrift_out_init(to);
    assert_ok(thrift_begin(&o, &err), &err);
    assert_ok(thrift_write_field_bool(&o, 1, true, &err), &err);
    assert_ok(thrift_write_field_i8(&o, 2, -7, &err), &err);
    assert_ok(thrift_write_field_i16(&o, 3, -300, &err), &err);
    assert_ok(thrift_write_field_i32(&o, 40, INT32_MIN, &err), &err);
    assert_ok(thrift_write_field_i64(&o, 5, INT64_MAX, &err), &err);
    assert_ok(thrift_write_field_string(&o, 6, "narrow", &err), &err);
    assert_ok(thrift_write_field_struct(&o, 7, &err), &err);
    assert_ok(thrift_write_field_empty(&o, 1, &err), &err);
    assert_ok(thrift_write_field_bool(&o, 2, false, &err), &err);
    assert_ok(thrift_end(&o, &err), &err);
    assert_ok(thrift_write_field_list(&o, 8, THRIFT_I64, 20, &err), &err);
    for (int64_t i = 0; i < 20; i++)
        assert_ok(thrift_write_i64(&o, i * i * i * i * (i % 2 ? -1 : 1), &err), &err);
    assert_ok(thrift_write_field_list(&o, 9, THRIFT_TRUE, 2, &err), &err);
    assert_ok(thrift_write_bool(&o, true, &err), &err);
    assert_ok(thrift_write_bool(&o, false, &err), &err);
    assert_ok(thrift_write_field_list(&o, 10, THRIFT_STRUCT, 1, &err), &err);
    assert_ok(thrift_begin(&o, &err), &err);
    assert_ok(thrift_write_field_i32(&o, 1, 99, &err), &err);
    assert_ok(thrift_end(&o, &err), &err);
    assert_ok(thrift_end(&o, &err), &err);
    assert_int_equal(o.depth, 0);
}

static void read_numbers(thrift_in *in, int16_t *last)
{
    nrw_error err = NRW_ERROR_INIT;
    thrift_field f;
    bool flag = false, seen = false;
    int32_t i32 = 5;
    int64_t i64 = 0;
    assert_ok(thrift_read_field(in, last, &f, &err), &err);
    assert_int_equal(f.id, 1);
    assert_ok(thrift_get_bool(in, f, &flag, &seen, &err), &err);
    assert_true(flag && seen);
    assert_ok(thrift_read_field(in, last, &f, &err), &err);
    assert_int_equal(f.type, THRIFT_I8);
    seen = false;
    assert_ok(thrift_get_i32(in, f, &i32, &seen, &err), &err); /* another type: skipped */
    assert_true(!seen && i32 == 5);
    assert_ok(thrift_read_field(in, last, &f, &err), &err);
    assert_int_equal(f.type, THRIFT_I16);
    assert_ok(thrift_read_i32(in, &i32, &err), &err);
    assert_int_equal(i32, -300);
    assert_ok(thrift_read_field(in, last, &f, &err), &err);
    assert_int_equal(f.id, 40);
    assert_ok(thrift_get_i32(in, f, &i32, NULL, &err), &err);
    assert_int_equal(i32, INT32_MIN);
    assert_ok(thrift_read_field(in, last, &f, &err), &err);
    assert_int_equal(f.id, 5);
    assert_ok(thrift_get_i64(in, f, &i64, NULL, &err), &err);
    assert_true(i64 == INT64_MAX);
}

static void read_sample(thrift_in *in, arena *a)
{
    nrw_error err = NRW_ERROR_INIT;
    thrift_field f;
    int16_t last;
    char *text = NULL;
    size_t len = 0;
    uint8_t type;
    uint32_t n;
    assert_ok(thrift_enter(in, &last, &err), &err);
    read_numbers(in, &last);
    assert_ok(thrift_read_field(in, &last, &f, &err), &err);
    assert_ok(thrift_get_binary(in, f, a, &text, &len, NULL, &err), &err);
    assert_string_equal(text, "narrow");
    assert_int_equal(len, 6);
    assert_ok(thrift_read_field(in, &last, &f, &err), &err);
    assert_int_equal(f.type, THRIFT_STRUCT);
    assert_ok(thrift_skip(in, f.type, &err), &err);
    assert_ok(thrift_read_field(in, &last, &f, &err), &err);
    assert_int_equal(f.id, 8);
    assert_ok(thrift_read_list(in, &type, &n, &err), &err);
    assert_int_equal(n, 20);
    for (int64_t i = 0; i < 20; i++) {
        int64_t v;
        assert_ok(thrift_read_i64(in, &v, &err), &err);
        assert_int_equal(v, i * i * i * i * (i % 2 ? -1 : 1));
    }
    assert_ok(thrift_read_field(in, &last, &f, &err), &err);
    assert_ok(thrift_read_list(in, &type, &n, &err), &err);
    bool first, second;
    assert_ok(thrift_read_bool(in, &first, &err), &err);
    assert_ok(thrift_read_bool(in, &second, &err), &err);
    assert_true(first && !second);
    assert_ok(thrift_read_field(in, &last, &f, &err), &err);
    assert_int_equal(f.id, 10);
    assert_ok(thrift_skip(in, f.type, &err), &err);
    assert_ok(thrift_read_field(in, &last, &f, &err), &err);
    assert_int_equal(f.type, THRIFT_STOP);
    assert_int_equal(in->depth, 0);
    assert_int_equal(thrift_left(in), 0);
}

static void test_round_trip(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    nrw_error err = NRW_ERROR_INIT;
    bytes b = bytes_init(m, 1 << 16);
    write_sample(&b);
    arena *a;
    assert_ok(arena_new(m, &a, &err), &err);
    thrift_in in = thrift_in_bytes((span){b.data, b.len}, 4);
    read_sample(&in, a);
    assert_int_equal(thrift_offset(&in), 4 + b.len);

    /* Through small windows, behind some foreign bytes. */
    io_file *f;
    assert_ok(file_open_memory(m, "sample", (span){b.data, b.len}, &f, &err), &err);
    uint8_t window[100];
    for (size_t cap = 16; cap <= sizeof window; cap += 7) {
        in = thrift_in_file(f, 0, b.len, window, cap);
        read_sample(&in, a);
        in = thrift_in_file(f, 0, b.len, window, cap);
        assert_ok(thrift_skip(&in, THRIFT_STRUCT, &err), &err);
        assert_int_equal(thrift_offset(&in), b.len);
    }
    file_close(f);
    arena_free(a);
    bytes_release(&b);
    test_mem_close(m);
}

static void test_every_prefix_ends(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    bytes b = bytes_init(m, 1 << 16);
    write_sample(&b);
    for (size_t n = 0; n < b.len; n++) {
        nrw_error err = NRW_ERROR_INIT;
        thrift_in in = thrift_in_bytes((span){b.data, n}, 0);
        assert_status(NRW_E_CORRUPT, thrift_skip(&in, THRIFT_STRUCT, &err), &err);
        assert_true(err.message[0] && err.offset >= 0);
        nrw_error quiet = NRW_ERROR_INIT;
        in = thrift_in_bytes((span){b.data, n}, 0);
        in.partial = true;
        assert_status(NRW_E_CORRUPT, thrift_skip(&in, THRIFT_STRUCT, &quiet), &quiet);
        assert_true(in.ended && !quiet.message[0]);
    }
    bytes_release(&b);
    test_mem_close(m);
}

static void refuse(const char *what, const uint8_t *p, size_t n)
{
    nrw_error err = NRW_ERROR_INIT;
    thrift_in in = thrift_in_bytes((span){p, n}, 0);
    if (thrift_skip(&in, THRIFT_STRUCT, &err) != NRW_E_CORRUPT)
        fail_msg("%s was taken", what);
    assert_true(err.message[0] != 0);
}

static void test_hostile(void **state)
{
    (void)state;
    uint8_t deep[200];
    memset(deep, 0x1c, sizeof deep); /* a struct in a struct in a struct */
    refuse("200 structs deep", deep, sizeof deep);
    memset(deep, 0x19, sizeof deep); /* a list of one list of one list */
    refuse("200 lists deep", deep, sizeof deep);
    refuse("long varint", (uint8_t[]){0x16, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0},
           13);
    refuse("unknown field type", (uint8_t[]){0x1e, 0}, 2);
    refuse("long text", (uint8_t[]){0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, 7);
    refuse("long list", (uint8_t[]){0x19, 0xfc, 0xff, 0xff, 0x03, 0}, 6);
    refuse("long map", (uint8_t[]){0x1b, 0xff, 0x7f, 0x88, 0}, 5);
    refuse("list of nothing", (uint8_t[]){0x19, 0x10, 0, 0}, 4);
}

static void test_ranges(void **state)
{
    (void)state;
    nrw_error err = NRW_ERROR_INIT;
    int32_t v = 1;
    thrift_in in = thrift_in_bytes((span){(uint8_t[]){0x80, 0x80, 0x80, 0x80, 0x10}, 5}, 0);
    assert_status(NRW_E_CORRUPT, thrift_read_i32(&in, &v, &err), &err);
    assert_int_equal(v, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_prefix_ends),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
