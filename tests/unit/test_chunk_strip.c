/* Strips: rows laid down flat in the spill file come back as they were, however they are asked
 * for; and a chunk that is parked again and again is decoded once more, not each time. */
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
    assert_int_equal(spill_used(disk), 0);
    spill_close(disk);
    test_mem_close(account);
    return 0;
}

/* Rows from `first` on: some null, text of 0 to 39 bytes. */
static vector rows_of(const type *t, int64_t first, uint32_t n, bool nulls)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    nrw_error err = NRW_ERROR_INIT;
    vector v;
    buffer *heap;
    int32_t index;
    assert_ok(vector_flat(account, t, n, &v, &err), &err);
    memset(v.data, 0, (size_t)n * t->width);
    if (nulls)
        assert_ok(vector_add_validity(&v, &err), &err);
    if (type_is_view(t)) {
        assert_ok(buffer_new(account, sizeof letters, &heap, &err), &err);
        memcpy(heap->data, letters, sizeof letters);
        heap->len = sizeof letters;
        assert_ok(vector_add_heap(&v, heap, &index, &err), &err);
        buffer_unref(heap);
    }
    v.len = n;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t x = (uint64_t)(first + i) * 0x9e3779b97f4a7c15u;
        if (nulls && (x >> 60) < 4) {
            bit_clear(v.validity, i);
            v.null_count++;
        } else if (type_is_view(t)) {
            int32_t at = (int32_t)(x >> 32 & 7);
            ((view *)(void *)v.data)[i] =
                view_make((const uint8_t *)letters + at, (int32_t)(x >> 20 & 0xff) % 40, 0, at);
        } else {
            for (uint32_t k = 0; k < t->width; k++)
                v.data[(size_t)i * t->width + k] =
                    t->id == TYPE_BOOL ? x >> 40 & 1 : (uint8_t)(x >> (k * 8 % 64));
        }
    }
    return v;
}

static void check_same(const vector *got, uint32_t i, const vector *all, int64_t row)
{
    bool null, other;
    span a = vector_value(got, i, &null), b = vector_value(all, (uint32_t)row, &other);
    assert_int_equal(null, other);
    if (null)
        return;
    assert_int_equal(a.len, b.len);
    if (a.len)
        assert_memory_equal(a.data, b.data, a.len);
}

/* Reads all rows, `most` at a time and by so many bytes; with a step, every step-th row. */
static void read_back(pq_strip *t, const vector *all, int64_t base, uint32_t most, size_t bytes,
                      uint32_t step)
{
    nrw_error err = NRW_ERROR_INIT;
    uint16_t sel[64];
    for (int64_t row = base; row < base + all->len;) {
        uint32_t n = 0;
        vector v;
        for (int64_t r = row; step && n < 64 && r < base + all->len; r += step)
            sel[n++] = (uint16_t)(r - base);
        assert_ok(
            strip_read(t, &all->type, row, most, bytes, step ? sel : NULL, n, account, &v, &err),
            &err);
        assert_ok(vector_validate(&v, &err), &err);
        assert_true(v.len >= 1 && v.len <= (step ? n : most));
        for (uint32_t i = 0; i < v.len; i++)
            check_same(&v, i, all, row - base + (int64_t)(step ? i * step : i));
        row += (int64_t)v.len * (step ? step : 1);
        vector_release(&v);
    }
}

static void check_type(type t, bool nulls)
{
    const uint32_t pieces[] = {1000, 1, 7, 3000, 64};
    const struct {
        uint32_t most;
        size_t bytes;
        uint32_t step;
    } ways[] = {{65536, 1 << 20, 0}, {1, 1 << 20, 0},  {100, 333, 0}, {65536, 5000, 0},
                {64, 1, 0},          {64, 1 << 20, 3}, {64, 400, 50}, {64, 1 << 20, 1}};
    nrw_error err = NRW_ERROR_INIT;
    vector all = rows_of(&t, 50, 4072, nulls);
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        pq_strip s;
        uint32_t at = 0;
        assert_ok(strip_open(&s, disk, 1 << 20, 50, &err), &err);
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            vector v;
            assert_ok(vector_slice(&all, at, pieces[i], account, &v, &err), &err);
            assert_true(strip_add(&s, &v, account));
            at += pieces[i];
            vector_release(&v);
        }
        assert_int_equal(s.rows_end, 50 + 4072);
        strip_seal(&s);
        assert_int_equal(spill_used(disk), s.len);
        assert_true(s.len < 1 << 20);
        read_back(&s, &all, 50, ways[w].most, ways[w].bytes, ways[w].step);
        strip_close(&s);
        assert_int_equal(spill_used(disk), 0);
    }
    vector_release(&all);
}

static void test_every_type(void **state)
{
    (void)state;
    for (int nulls = 0; nulls < 2; nulls++) {
        check_type(type_of(TYPE_INT64), nulls);
        check_type(type_of(TYPE_INT16), nulls);
        check_type(type_of(TYPE_BOOL), nulls);
        check_type(type_decimal(76, 2), nulls);
        check_type(type_fixed(5), nulls);
        check_type(type_of(TYPE_UTF8), nulls);
        check_type(type_of(TYPE_BINARY), nulls);
    }
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    nrw_error err = NRW_ERROR_INIT;
    type t = type_of(TYPE_INT64);
    vector v = rows_of(&t, 0, 100, false);
    pq_strip s;
    assert_ok(strip_open(&s, disk, 1000, 0, &err), &err);
    assert_true(strip_add(&s, &v, account));
    assert_false(strip_add(&s, &v, account));
    assert_int_equal(s.rows_end, 100);
    strip_seal(&s);
    read_back(&s, &v, 0, 1000, 1 << 20, 0);
    strip_close(&s);
    assert_ok(strip_open(&s, disk, 500, 0, &err), &err);
    assert_false(strip_add(&s, &v, account));
    strip_seal(&s); /* nothing is in it */
    assert_null(s.s);
    assert_int_equal(spill_used(disk), 0);
    vector_release(&v);
}

static void test_spare_room(void **state)
{
    (void)state;
    nrw_error err = NRW_ERROR_INIT;
    spill *small;
    uint64_t at;
    assert_ok(spill_new(account, NULL, 1000, &small, &err), &err);
    assert_true(spill_spare(small, 500));
    assert_false(spill_spare(small, 501));
    assert_ok(spill_region(small, 400, &at, &err), &err);
    assert_true(spill_spare(small, 100));
    assert_false(spill_spare(small, 101));
    spill_region_free(small, at, 400);
    assert_true(spill_spare(small, 500));
    spill_close(small);
}

/* ---- whole chunks ---- */

enum { ENTRIES = 20000, ROWS = 60000, PAGE = 30000 };

/* A dictionary of 160 KB and two pages of indices, 16 bits each, all in one bit-packed run. */
static made make_chunk(void)
{
    made c = {0}, b = {0};
    made_page h = {.type = PQ_DICTIONARY_PAGE, .n_values = ENTRIES, .encoding = PQ_PLAIN};
    made_put(&c, "PAR1", 4);
    for (int64_t i = 0; i < ENTRIES; i++) {
        int64_t x = i * 7;
        made_put(&b, &x, 8);
    }
    made_add(&c, &h, &b);
    for (int page = 0; page < ROWS / PAGE; page++) {
        b.n = 0;
        made_byte(&b, 16);
        made_varint(&b, PAGE / 8 << 1 | 1);
        for (int i = 0; i < PAGE; i++) {
            uint16_t x = (uint16_t)((page * PAGE + i) * 31 % ENTRIES);
            made_put(&b, &x, 2);
        }
        h = (made_page){.type = PQ_DATA_PAGE,
                        .n_values = PAGE,
                        .encoding = PQ_RLE_DICTIONARY,
                        .def_encoding = PQ_RLE};
        made_add(&c, &h, &b);
    }
    made_free(&b);
    return c;
}

/* Reads `step` rows, parks, and so on; how many bytes were decompressed. */
static uint64_t parked_read(spill *s, uint32_t step, bool ahead, uint64_t *used)
{
    made bytes = make_chunk();
    pq_leaf leaf = {.physical = PQ_INT64,
                    .field = {.name = "x", .type = type_of(TYPE_INT64)},
                    .path = "x",
                    .logical = ""};
    pq_chunk meta = {.start = 4,
                     .end = (int64_t)bytes.n,
                     .compressed = (int64_t)bytes.n - 4,
                     .n_values = ROWS,
                     .offset_index_at = -1};
    pq_chunk_options o = {.verify_crc = true, .read_ahead = 16 << 10, .ahead = ahead};
    nrw_error err = NRW_ERROR_INIT;
    pq_chunk_reader *r;
    reader_counts n;
    io_file *f;
    assert_ok(file_open_memory(account, "made", (span){bytes.p, bytes.n}, &f, &err), &err);
    assert_ok(pq_chunk_open(account, s, f, &leaf, &meta, 0, ROWS, &o, &r, &err), &err);
    for (int64_t row = 0; row < ROWS;) {
        vector v;
        assert_ok(pq_chunk_read(r, row, step, 1 << 16, NULL, 0, 0, account, &v, &err), &err);
        for (uint32_t i = 0; i < v.len; i++) {
            bool null;
            int64_t x;
            memcpy(&x, vector_value(&v, i, &null).data, 8);
            assert_int_equal(x, (row + i) * 31 % ENTRIES * 7);
        }
        row += v.len;
        vector_release(&v);
        pq_chunk_park(r);
        *used = spill_used(s) > *used ? spill_used(s) : *used;
    }
    pq_chunk_counts(r, &n);
    assert_int_equal(n.pages_decompressed, ROWS / PAGE);
    pq_chunk_close(r);
    file_close(f);
    made_free(&bytes);
    return n.bytes_decompressed;
}

static void test_parked_chunk_is_decoded_once_more(void **state)
{
    (void)state;
    uint64_t used = 0, dictionary = ENTRIES * 8, pages = ROWS * 2;
    uint64_t got = parked_read(disk, 50, false, &used);
    assert_true(got <= 2 * dictionary + 2 * pages);
    assert_true(used >= (ROWS - 50) * 8 && used < (ROWS + 1000) * 8);
    assert_int_equal(spill_used(disk), 0);
}

static void test_decoded_ahead_it_is_decoded_once(void **state)
{
    (void)state;
    uint64_t used = 0;
    assert_int_equal(parked_read(disk, 50, true, &used), ENTRIES * 8 + ROWS * 2 + 2 * 3);
    assert_true(used >= ROWS * 8);
    assert_int_equal(spill_used(disk), 0);
}

/* So many rows at a time that decoding anew is no waste. */
static void test_long_reads_need_no_strip(void **state)
{
    (void)state;
    uint64_t used = 0;
    (void)parked_read(disk, 20000, true, &used);
    assert_int_equal(used, 0);
}

static void test_no_room_on_disk(void **state)
{
    (void)state;
    nrw_error err = NRW_ERROR_INIT;
    uint64_t used = 0;
    spill *none;
    assert_ok(spill_new(account, NULL, 1000, &none, &err), &err);
    assert_true(parked_read(none, 1000, true, &used) > 10 * ENTRIES * 8);
    assert_int_equal(used, 0);
    spill_close(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test(test_spare_room),
        cmocka_unit_test(test_parked_chunk_is_decoded_once_more),
        cmocka_unit_test(test_decoded_ahead_it_is_decoded_once),
        cmocka_unit_test(test_long_reads_need_no_strip),
        cmocka_unit_test(test_no_room_on_disk),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
