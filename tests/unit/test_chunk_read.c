/* Column chunks made by hand: forms of vectors, errors and their places, what is not read. */
#include "base/fault.h"
#include "chunk_made.h"
#include "format/parquet/chunk_priv.h"
#include "testing.h"

static mem *account;
static spill *disk;

static int setup(void **state)
{
    (void)state;
    nrw_error err = NRW_ERROR_INIT;
    account = test_mem_open(64 << 20);
    assert_ok(spill_new(account, NULL, (uint64_t)1 << 30, &disk, &err), &err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    spill_close(disk);
    test_mem_close(account);
    return 0;
}

/* A chunk of one column, at byte 4 of a file. */
typedef struct chunk {
    made bytes;
    pq_leaf leaf;
    pq_chunk meta;
    int64_t rows;
    io_file *f;
    pq_chunk_reader *r;
    pq_chunk_options o;
} chunk;

static chunk chunk_of(pq_physical physical, type t, bool optional)
{
    chunk c = {.o = {.verify_crc = true, .read_ahead = 16 << 10}};
    c.leaf = (pq_leaf){.physical = physical,
                       .max_def = optional,
                       .field = {.name = "x", .type = t, .nullable = optional},
                       .path = "x",
                       .logical = ""};
    made_put(&c.bytes, "PAR1", 4);
    return c;
}

static void chunk_page(chunk *c, pq_encoding e, int32_t n, const made *body, bool bad_crc)
{
    made_page h = {.type = PQ_DATA_PAGE,
                   .n_values = n,
                   .encoding = e,
                   .def_encoding = PQ_RLE,
                   .crc = true,
                   .bad_crc = bad_crc};
    made_add(&c->bytes, &h, body);
    c->rows += n;
}

static void chunk_open(chunk *c, mem *m)
{
    nrw_error err = NRW_ERROR_INIT;
    c->meta = (pq_chunk){.start = 4,
                         .end = (int64_t)c->bytes.n,
                         .compressed = (int64_t)c->bytes.n - 4,
                         .n_values = c->rows,
                         .offset_index_at = -1};
    assert_ok(file_open_memory(account, "made", (span){c->bytes.p, c->bytes.n}, &c->f, &err), &err);
    assert_ok(pq_chunk_open(m, disk, c->f, &c->leaf, &c->meta, 7, c->rows, &c->o, &c->r, &err),
              &err);
}

static void chunk_close(chunk *c)
{
    pq_chunk_close(c->r);
    file_close(c->f);
    made_free(&c->bytes);
}

static nrw_status chunk_get(chunk *c, int64_t row, uint32_t n, vector *v, nrw_error *err)
{
    nrw_status st = pq_chunk_read(c->r, row, n, 1 << 20, NULL, 0, 0, account, v, err);
    nrw_error bad = NRW_ERROR_INIT;
    if (st == NRW_OK)
        assert_ok(vector_validate(v, &bad), &bad);
    return st;
}

static int64_t value_at(const vector *v, uint32_t row)
{
    bool null;
    span s = vector_value(v, row, &null);
    int64_t x = 0;
    if (null)
        return -1;
    memcpy(&x, s.data, s.len < 8 ? s.len : 8);
    return x;
}

static void put_ints(made *b, int64_t first, int n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t v = first + i;
        made_put(b, &v, 8);
    }
}

/* Definition levels in one run each. */
static void put_levels(made *b, const int *lens, int n, int there)
{
    made l = {0};
    for (int i = 0; i < n; i++, there = !there) {
        made_varint(&l, (uint64_t)lens[i] << 1);
        made_byte(&l, (unsigned)there);
    }
    made_u32(b, (uint32_t)l.n);
    made_put(b, l.p, l.n);
    made_free(&l);
}

static void put_dictionary(chunk *c, int n)
{
    made b = {0};
    made_page h = {
        .type = PQ_DICTIONARY_PAGE, .n_values = n, .encoding = PQ_PLAIN_DICTIONARY, .crc = true};
    put_ints(&b, 100, n);
    made_add(&c->bytes, &h, &b);
    made_free(&b);
}

/* A page of runs of indices, `each` rows long. */
static void put_run_page(chunk *c, const int *index, int n, int each)
{
    made b = {0};
    made_byte(&b, 3);
    for (int i = 0; i < n; i++) {
        made_varint(&b, (uint64_t)each << 1);
        made_byte(&b, (unsigned)index[i]);
    }
    chunk_page(c, PQ_RLE_DICTIONARY, n * each, &b, false);
    made_free(&b);
}

static void test_runs_join_over_pages(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    vector v;
    put_dictionary(&c, 8);
    put_run_page(&c, (int[]){1, 2}, 2, 1000);
    put_run_page(&c, (int[]){2, 2, 5}, 3, 1000);
    put_run_page(&c, (int[]){5, 7}, 2, 500);
    chunk_open(&c, account);
    assert_ok(chunk_get(&c, 0, 65536, &v, &err), &err);
    assert_int_equal(v.form, VECTOR_RUNS);
    assert_int_equal(v.len, 6000);
    assert_int_equal(v.n_runs, 4);
    const uint32_t ends[] = {1000, 4000, 5500, 6000};
    assert_memory_equal(v.data, ends, sizeof ends);
    assert_int_equal(value_at(&v, 0), 101);
    assert_int_equal(value_at(&v, 999), 101);
    assert_int_equal(value_at(&v, 1000), 102);
    assert_int_equal(value_at(&v, 5999), 107);
    vector_release(&v);
    chunk_close(&c);
}

static void test_dictionary_keeps_its_id_over_a_park(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    vector v, w;
    put_dictionary(&c, 8);
    put_run_page(&c, (int[]){1, 2}, 2, 1000);
    put_run_page(&c, (int[]){2, 3}, 2, 1000);
    chunk_open(&c, account);
    assert_ok(chunk_get(&c, 0, 1500, &v, &err), &err);
    pq_chunk_park(c.r);
    assert_ok(chunk_get(&c, 1500, 2500, &w, &err), &err);
    assert_int_equal(v.values->dict->id, w.values->dict->id);
    assert_int_equal(value_at(&w, 0), 102);
    assert_int_equal(value_at(&w, 2499), 103);
    vector_release(&v);
    vector_release(&w);
    reader_counts n;
    pq_chunk_counts(c.r, &n);
    assert_int_equal(n.pages_decompressed, 2);
    chunk_close(&c);
}

static void test_reader_serves_the_next_chunk(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    reader_counts n;
    uint64_t id = 0;
    put_dictionary(&c, 8);
    put_run_page(&c, (int[]){1, 2}, 2, 1000);
    put_run_page(&c, (int[]){2, 3}, 2, 1000);
    chunk_open(&c, account);
    for (int round = 0; round < 3; round++) {
        vector v;
        assert_ok(chunk_get(&c, 500, 2500, &v, &err), &err);
        assert_int_equal(value_at(&v, 0), 101);
        assert_int_equal(value_at(&v, 2499), 102);
        assert_int_not_equal(v.values->dict->id, id);
        id = v.values->dict->id;
        vector_release(&v);
        pq_chunk_counts(c.r, &n);
        assert_int_equal(n.pages_decompressed, 2);
        pq_chunk_rest(c.r);
        assert_status(NRW_E_ARG, chunk_get(&c, 0, 1, &v, NULL), &err);
        assert_ok(pq_chunk_reopen(c.r, &c.meta, 8, c.rows, &err), &err);
    }
    assert_status(NRW_E_CORRUPT, pq_chunk_reopen(c.r, &c.meta, 9, c.rows + 1, &err), &err);
    assert_int_equal(err.row_group, 9);
    chunk_close(&c);
}

static void test_fallback_to_plain_ends_the_vector(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    made b = {0};
    vector v;
    put_dictionary(&c, 8);
    put_run_page(&c, (int[]){1, 2}, 2, 1000);
    put_ints(&b, 500, 300);
    chunk_page(&c, PQ_PLAIN, 300, &b, false);
    chunk_open(&c, account);
    assert_ok(chunk_get(&c, 0, 65536, &v, &err), &err);
    assert_int_equal(v.len, 2000);
    vector_release(&v);
    assert_ok(chunk_get(&c, 2000, 65536, &v, &err), &err);
    assert_int_equal(v.form, VECTOR_FLAT);
    assert_int_equal(v.len, 300);
    assert_int_equal(value_at(&v, 299), 799);
    vector_release(&v);
    made_free(&b);
    chunk_close(&c);
}

/* 700 rows that are there, 300 nulls, 1,000 rows that are there: runs of indices of `width` bits.
 */
static chunk chunk_of_null_runs(unsigned width, const uint32_t (*runs)[2], int n)
{
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), true);
    made b = {0};
    put_dictionary(&c, 8);
    put_levels(&b, (int[]){700, 300, 1000}, 3, 1);
    made_byte(&b, width);
    for (int i = 0; i < n; i++) {
        made_varint(&b, (uint64_t)runs[i][0] << 1);
        made_put(&b, &runs[i][1], (width + 7) / 8);
    }
    chunk_page(&c, PQ_PLAIN_DICTIONARY, 2000, &b, false);
    made_free(&b);
    chunk_open(&c, account);
    return c;
}

static void test_null_runs(void **state)
{
    (void)state;
    chunk c = chunk_of_null_runs(3, (const uint32_t[][2]){{1700, 4}}, 1);
    nrw_error err = NRW_ERROR_INIT;
    vector v;
    assert_ok(chunk_get(&c, 0, 65536, &v, &err), &err);
    assert_int_equal(v.form, VECTOR_RUNS);
    assert_int_equal(v.n_runs, 3);
    assert_int_equal(v.null_count, 300);
    assert_int_equal(value_at(&v, 699), 104);
    assert_int_equal(value_at(&v, 700), -1);
    assert_int_equal(value_at(&v, 999), -1);
    assert_int_equal(value_at(&v, 1000), 104);
    vector_release(&v);
    chunk_close(&c);
}

/* The index that stands for nulls inside is out of range as a run of the page, among nulls, too. */
static void test_run_of_all_ones_is_no_null_run(void **state)
{
    (void)state;
    chunk c = chunk_of_null_runs(32, (const uint32_t[][2]){{700, 4}, {1000, UINT32_MAX}}, 2);
    nrw_error err = NRW_ERROR_INIT;
    vector v;
    assert_status(NRW_E_CORRUPT, chunk_get(&c, 0, 65536, &v, &err), &err);
    assert_non_null(strstr(err.message, "dictionary index 4294967295"));
    chunk_close(&c);
}

static void test_bit_packed_levels(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), true);
    nrw_error err = NRW_ERROR_INIT;
    made b = {0};
    vector v;
    made_byte(&b, 0xb0); /* 1, 0, 1, 1 from the most significant bit */
    made_byte(&b, 0x80);
    put_ints(&b, 10, 4);
    made_page h = {.type = PQ_DATA_PAGE, .n_values = 10, .def_encoding = PQ_BIT_PACKED};
    made_add(&c.bytes, &h, &b);
    c.rows = 10;
    chunk_open(&c, account);
    assert_ok(chunk_get(&c, 0, 100, &v, &err), &err);
    const int64_t want[] = {10, -1, 11, 12, -1, -1, -1, -1, 13, -1};
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(value_at(&v, i), want[i]);
    assert_int_equal(v.null_count, 6);
    vector_release(&v);
    made_free(&b);
    chunk_close(&c);
}

static void test_pages_without_wanted_rows_stay_closed(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    uint16_t sel[] = {50, 51, 52, 250, 999};
    vector v;
    for (int i = 0; i < 10; i++) {
        made b = {0};
        put_ints(&b, i * 100, 100);
        chunk_page(&c, PQ_PLAIN, 100, &b, i != 0 && i != 2 && i != 9);
        made_free(&b);
    }
    chunk_open(&c, account);
    assert_ok(pq_chunk_read(c.r, 0, 5, 1 << 20, sel, 5, 0, account, &v, &err), &err);
    assert_int_equal(v.len, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(value_at(&v, i), sel[i]);
    vector_release(&v);
    reader_counts n;
    pq_chunk_counts(c.r, &n);
    assert_int_equal(n.pages_decompressed, 3);
    assert_int_equal(n.pages_skipped, 7);
    chunk_close(&c);
}

static void test_quarantine_goes_on_behind_a_damaged_page(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    int64_t first, n;
    vector v;
    for (int i = 0; i < 3; i++) {
        made b = {0};
        put_ints(&b, i * 100, 100);
        chunk_page(&c, PQ_PLAIN, 100, &b, i == 1);
        made_free(&b);
    }
    c.o.quarantine = true;
    chunk_open(&c, account);
    assert_ok(chunk_get(&c, 0, 1000, &v, &err), &err);
    assert_int_equal(v.len, 100);
    vector_release(&v);
    assert_status(NRW_E_CORRUPT, chunk_get(&c, 100, 1000, &v, &err), &err);
    assert_non_null(strstr(err.message, "CRC"));
    assert_int_equal(err.page, 1);
    assert_int_equal(err.row_group, 7);
    assert_string_equal(err.column, "x");
    pq_chunk_lost(c.r, &first, &n);
    assert_int_equal(first, 100);
    assert_int_equal(n, 100);
    err = (nrw_error)NRW_ERROR_INIT;
    assert_ok(chunk_get(&c, 200, 1000, &v, &err), &err);
    assert_int_equal(v.len, 100);
    assert_int_equal(value_at(&v, 0), 200);
    vector_release(&v);
    chunk_close(&c);
}

/* Damage that shows only while values are decoded: what the call had of the page is given up. */
static void test_quarantine_in_mid_page(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_BYTE_ARRAY, type_of(TYPE_UTF8), false);
    nrw_error err = NRW_ERROR_INIT;
    int64_t first, n;
    vector v;
    for (int page = 0; page < 2; page++) {
        made b = {0};
        for (int i = 0; i < 100; i++) {
            made_u32(&b, page == 0 && i == 60 ? 100000 : 3);
            made_put(&b, "abc", 3);
        }
        chunk_page(&c, PQ_PLAIN, 100, &b, false);
        made_free(&b);
    }
    c.o.quarantine = true;
    chunk_open(&c, account);
    assert_ok(chunk_get(&c, 0, 50, &v, &err), &err);
    assert_int_equal(v.len, 50);
    vector_release(&v);
    assert_status(NRW_E_CORRUPT, chunk_get(&c, 50, 100, &v, &err), &err);
    pq_chunk_lost(c.r, &first, &n);
    assert_int_equal(first, 50);
    assert_int_equal(n, 50);
    assert_ok(chunk_get(&c, 100, 100, &v, &err), &err);
    assert_int_equal(v.len, 100);
    vector_release(&v);
    chunk_close(&c);
}

static void test_short_and_long_chunks(void **state)
{
    (void)state;
    for (int rows = 150; rows <= 250; rows += 100) {
        chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
        nrw_error err = NRW_ERROR_INIT;
        nrw_status st = NRW_OK;
        vector v;
        for (int i = 0; i < 2; i++) {
            made b = {0};
            put_ints(&b, i * 100, 100);
            chunk_page(&c, PQ_PLAIN, 100, &b, false);
            made_free(&b);
        }
        c.rows = rows;
        chunk_open(&c, account);
        for (int64_t row = 0; row < rows && st == NRW_OK; row += 50) {
            st = chunk_get(&c, row, 50, &v, &err);
            vector_release(&v);
        }
        assert_int_equal(st, NRW_E_CORRUPT);
        chunk_close(&c);
    }
}

static void test_int96_beyond_nanoseconds(void **state)
{
    (void)state;
    for (int us = 0; us < 2; us++) {
        chunk c = chunk_of(PQ_INT96, type_timestamp(us ? UNIT_US : UNIT_NS, false), true);
        nrw_error err = NRW_ERROR_INIT;
        made b = {0};
        vector v;
        put_levels(&b, (int[]){3, 2, 1}, 3, 1);
        for (uint32_t i = 0; i < 4; i++) {
            uint64_t in_day = 1500;
            made_put(&b, &in_day, 8);
            made_u32(&b, 2440588 + (i == 3 ? 4000000 : i));
        }
        chunk_page(&c, PQ_PLAIN, 6, &b, false);
        c.leaf.int96_us = us;
        chunk_open(&c, account);
        if (us) {
            assert_ok(chunk_get(&c, 0, 10, &v, &err), &err);
            assert_int_equal(value_at(&v, 0), 1);
            assert_int_equal(value_at(&v, 5), 4000000 * INT64_C(86400000000) + 1);
            vector_release(&v);
        } else {
            assert_status(NRW_E_VALUE, chunk_get(&c, 0, 10, &v, &err), &err);
            assert_int_equal(err.row, 5);
            assert_non_null(strstr(err.next, "--read int96=us"));
        }
        made_free(&b);
        chunk_close(&c);
    }
}

static void test_oversize_value(void **state)
{
    (void)state;
    const uint32_t len = 3 << 20;
    for (int room = 0; room < 2; room++) {
        chunk c = chunk_of(PQ_BYTE_ARRAY, type_of(TYPE_BINARY), false);
        nrw_error err = NRW_ERROR_INIT;
        made b = {0};
        vector v;
        mem *small;
        assert_ok(mem_child(account, "small", 1 << 20, &small, &err), &err);
        for (int i = 0; i < 3; i++) {
            char *text = malloc(len);
            assert_non_null(text);
            memset(text, 'a' + i, len);
            made_u32(&b, len);
            made_put(&b, text, len);
            free(text);
        }
        chunk_page(&c, PQ_PLAIN, 3, &b, false);
        chunk_open(&c, small); /* the page does not fit: it is read in place */
        nrw_status st =
            pq_chunk_read(c.r, 0, 3, 1000, NULL, 0, 0, room ? account : small, &v, &err);
        if (room) {
            assert_ok(st, &err);
            assert_int_equal(v.len, 1);
            bool null;
            assert_int_equal(vector_value(&v, 0, &null).len, len);
            vector_release(&v);
        } else {
            assert_status(NRW_E_MEMLIMIT, st, &err);
            assert_non_null(strstr(err.message, "3145728"));
            assert_string_equal(err.column, "x");
        }
        made_free(&b);
        chunk_close(&c);
        mem_free_account(small);
    }
}

/* A dictionary of 20 MB of text through an account of half a MiB. */
static void test_dictionary_that_does_not_fit(void **state)
{
    (void)state;
    const int entries = 300000, rows = 60000;
    chunk c = chunk_of(PQ_BYTE_ARRAY, type_of(TYPE_UTF8), false);
    nrw_error err = NRW_ERROR_INIT;
    made b = {0}, page = {0};
    made_page h = {.type = PQ_DICTIONARY_PAGE, .n_values = entries, .encoding = PQ_PLAIN};
    char text[80];
    mem *small;
    assert_ok(mem_child(account, "small", 512 << 10, &small, &err), &err);
    for (int i = 0; i < entries; i++) {
        int n = snprintf(text, sizeof text, "entry %d%*s", i, i % 60, "");
        made_u32(&b, (uint32_t)n);
        made_put(&b, text, (size_t)n);
    }
    made_add(&c.bytes, &h, &b);
    made_byte(&page, 32);
    for (int i = 0; i < rows; i++) {
        made_varint(&page, 1 << 1);
        made_u32(&page, (uint32_t)((int64_t)i * 7919 % entries));
    }
    chunk_page(&c, PQ_RLE_DICTIONARY, rows, &page, false);
    chunk_open(&c, small);
    for (int64_t row = 0; row < rows;) {
        vector v;
        assert_ok(chunk_get(&c, row, 10000, &v, &err), &err);
        assert_int_equal(v.form, VECTOR_FLAT);
        for (uint32_t i = 0; i < v.len; i++) {
            int k = (int)((row + i) * 7919 % entries);
            int n = snprintf(text, sizeof text, "entry %d%*s", k, k % 60, "");
            bool null;
            span s = vector_value(&v, i, &null);
            assert_int_equal(s.len, n);
            assert_memory_equal(s.data, text, s.len);
        }
        row += v.len;
        vector_release(&v);
    }
    assert_true(mem_peak(small) <= 512 << 10);
    made_free(&b);
    made_free(&page);
    chunk_close(&c);
    mem_free_account(small);
}

/* 160 kB of numbers in 256 KiB: vectors share them where they lie. */
static void test_dictionary_without_room_for_a_copy(void **state)
{
    (void)state;
    const int entries = 20000, rows = 5000;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    made page = {0};
    vector v;
    mem *small;
    assert_ok(mem_child(account, "small", 256 << 10, &small, &err), &err);
    put_dictionary(&c, entries);
    made_byte(&page, 16);
    for (int i = 0; i < rows; i++) {
        made_varint(&page, 1 << 1);
        made_byte(&page, (unsigned)(i * 7) & 255);
        made_byte(&page, (unsigned)(i % 78));
    }
    chunk_page(&c, PQ_RLE_DICTIONARY, rows, &page, false);
    chunk_open(&c, small);
    assert_ok(chunk_get(&c, 0, (uint32_t)rows, &v, &err), &err);
    assert_int_equal(v.form, VECTOR_DICT);
    for (uint32_t i = 0; i < v.len; i++)
        assert_int_equal(value_at(&v, i), 100 + (i * 7 % 256) + 256 * (i % 78));
    vector_release(&v);
    made_free(&page);
    chunk_close(&c);
    mem_free_account(small);
}

static void test_small_integers_are_checked(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT32, type_of(TYPE_INT8), false);
    nrw_error err = NRW_ERROR_INIT;
    made b = {0};
    vector v;
    for (int i = 0; i < 100; i++)
        made_u32(&b, i == 70 ? 128 : (uint32_t)-i);
    chunk_page(&c, PQ_PLAIN, 100, &b, false);
    chunk_open(&c, account);
    assert_ok(chunk_get(&c, 0, 70, &v, &err), &err);
    assert_int_equal((int8_t)v.data[69], -69);
    vector_release(&v);
    assert_status(NRW_E_VALUE, chunk_get(&c, 70, 70, &v, &err), &err);
    assert_int_equal(err.row, 70);
    made_free(&b);
    chunk_close(&c);
}

static void test_missing_dictionary(void **state)
{
    (void)state;
    chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), false);
    nrw_error err = NRW_ERROR_INIT;
    vector v;
    put_run_page(&c, (int[]){1, 2}, 2, 1000);
    chunk_open(&c, account);
    assert_status(NRW_E_CORRUPT, chunk_get(&c, 0, 100, &v, &err), &err);
    assert_non_null(strstr(err.message, "without a dictionary"));
    chunk_close(&c);
}

#ifdef NARROWS_FAULTS
/* Each allocation and each system call fails in turn: an error, no leak, and the rows come when
 * the call is made again. */
static void test_every_failure(void **state)
{
    (void)state;
    for (fault_kind kind = FAULT_ALLOC; kind <= FAULT_IO; kind++) {
        for (uint64_t k = 1; k < 100; k++) {
            chunk c = chunk_of(PQ_INT64, type_of(TYPE_INT64), true);
            nrw_error err = NRW_ERROR_INIT;
            made b = {0};
            vector v = {0};
            put_dictionary(&c, 8);
            put_levels(&b, (int[]){3, 1, 2, 1, 1, 3, 1, 1, 1, 1}, 10, 1);
            made_byte(&b, 3);
            for (int i = 0; i < 8; i++) {
                made_varint(&b, 1 << 1);
                made_byte(&b, (unsigned)i);
            }
            chunk_page(&c, PQ_PLAIN_DICTIONARY, 15, &b, false);
            chunk_open(&c, account);
            c.r->pages.headroom = k % 2 ? PAGE_HEADROOM : (size_t)1 << 40;
            fault_arm(kind, k);
            nrw_status st = chunk_get(&c, 0, 100, &v, &err);
            bool over = fault_count(kind) < k;
            fault_arm(kind, 0);
            if (st < 0)
                st = chunk_get(&c, 0, 100, &v, &err);
            assert_ok(st, &err);
            assert_int_equal(v.len, 15);
            assert_int_equal(value_at(&v, 2), 102);
            assert_int_equal(value_at(&v, 3), -1);
            vector_release(&v);
            made_free(&b);
            chunk_close(&c);
            if (over)
                break;
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_join_over_pages),
        cmocka_unit_test(test_dictionary_keeps_its_id_over_a_park),
        cmocka_unit_test(test_reader_serves_the_next_chunk),
        cmocka_unit_test(test_fallback_to_plain_ends_the_vector),
        cmocka_unit_test(test_null_runs),
        cmocka_unit_test(test_run_of_all_ones_is_no_null_run),
        cmocka_unit_test(test_bit_packed_levels),
        cmocka_unit_test(test_pages_without_wanted_rows_stay_closed),
        cmocka_unit_test(test_quarantine_goes_on_behind_a_damaged_page),
        cmocka_unit_test(test_quarantine_in_mid_page),
        cmocka_unit_test(test_short_and_long_chunks),
        cmocka_unit_test(test_int96_beyond_nanoseconds),
        cmocka_unit_test(test_oversize_value),
        cmocka_unit_test(test_dictionary_that_does_not_fit),
        cmocka_unit_test(test_dictionary_without_room_for_a_copy),
        cmocka_unit_test(test_small_integers_are_checked),
        cmocka_unit_test(test_missing_dictionary),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(test_every_failure),
#endif
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
