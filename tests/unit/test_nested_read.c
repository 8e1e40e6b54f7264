/* Random nested columns, encoded in many ways, come back as they were, however they are read; and
 * levels that lie are told. */
#include "format/parquet/nested_leaf.h"
#include "format/parquet/nested_read.h"
#include "nested_made.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;

typedef struct column {
    nest k;
    pq_node top;
    mem *m;
    vector rows;
    char **text;
    made bytes;
    pq_chunk chunks[NEST_LEAVES];
    io_file *f;
} column;

static void make(column *c, uint32_t seed, uint32_t rows, uint32_t page, int how, uint32_t long_one)
{
    *c = (column){.k = {.seed = seed}, .m = test_mem_open((uint64_t)1 << 30)};
    nest_tree(&c->k, &c->top, 1 + (int)(seed % 5));
    c->rows = nest_rows(&c->k, c->m, &c->top, rows, NULL, long_one);
    assert_ok(vector_validate(&c->rows, &err), &err);
    c->text = calloc(rows + 1, sizeof *c->text);
    for (uint32_t i = 0; i < rows; i++) {
        c->text[i] = nest_text(c->m, &c->rows, i);
        nest_shred(&c->k, &c->top, &c->rows, i, 0, 0);
    }
    made_put(&c->bytes, "PAR1", 4);
    for (uint32_t i = 0; i < c->k.n_leaves; i++)
        c->chunks[i] = nest_chunk(&c->k, i, page, how, &c->bytes);
    assert_ok(file_open_memory(c->m, "made", (span){c->bytes.p, c->bytes.n}, &c->f, &err), &err);
}

static void drop(column *c)
{
    for (uint32_t i = 0; i < c->rows.len; i++)
        free(c->text[i]);
    free(c->text);
    vector_release(&c->rows);
    file_close(c->f);
    made_free(&c->bytes);
    nest_free(&c->k);
    test_mem_close(c->m);
}

static pq_nested *open_column(column *c, mem *m, spill *s)
{
    const pq_chunk_options opts = {.verify_crc = true, .read_ahead = 4096};
    pq_nested *r;
    assert_ok(pq_nested_open(m, s, c->f, c->k.leaves, &c->top, c->chunks, 0, c->rows.len, &opts, &r,
                             &err),
              &err);
    return r;
}

static void same(column *c, const vector *v, uint32_t i, uint32_t row)
{
    char *text = nest_text(c->m, v, i);
    if (strcmp(text, c->text[row]) != 0)
        fail_msg("row %u is %.200s, wanted %.200s", row, text, c->text[row]);
    free(text);
}

/* All rows in pieces of at most `most`, with parks in between. */
static void read_pieces(column *c, uint32_t most, size_t max_bytes)
{
    pq_nested *r = open_column(c, c->m, NULL);
    uint32_t calls = 0;
    for (uint32_t row = 0; row < c->rows.len;) {
        vector v;
        assert_ok(pq_nested_read(r, row, most, max_bytes, NULL, 0, 0, c->m, &v, &err), &err);
        assert_ok(vector_validate(&v, &err), &err);
        assert_in_range(v.len, 1, most);
        for (uint32_t i = 0; i < v.len; i++)
            same(c, &v, i, row + i);
        row += v.len;
        vector_release(&v);
        if (++calls % 3 == 0)
            pq_nested_park(r);
    }
    pq_nested_close(r);
}

static void read_selected(column *c, uint32_t gap)
{
    pq_nested *r = open_column(c, c->m, NULL);
    uint16_t sel[4096];
    for (uint32_t base = 0; base < c->rows.len; base += 300) {
        uint32_t n = 0, at = 0;
        for (uint32_t i = base; i < c->rows.len && i < base + 300; i++)
            if (nest_random(&c->k) % gap == 0)
                sel[n++] = (uint16_t)(i - base + 7);
        while (at < n) {
            vector v;
            assert_ok(pq_nested_read(r, base + sel[at] - 7u, n - at, 3000, sel + at, n - at,
                                     sel[at], c->m, &v, &err),
                      &err);
            assert_ok(vector_validate(&v, &err), &err);
            assert_in_range(v.len, 1, n - at);
            for (uint32_t i = 0; i < v.len; i++)
                same(c, &v, i, base + sel[at + i] - 7u);
            at += v.len;
            vector_release(&v);
        }
    }
    pq_nested_close(r);
}

static void whatever_way(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        column c;
        static const uint32_t sizes[] = {1, 3, 40, 700};
        make(&c, seed, sizes[seed % 4], seed % 3 ? 37 : 3000, (int)(seed % 4) - 1, 0);
        read_pieces(&c, BATCH_MAX_ROWS, 1 << 20);
        read_pieces(&c, 7, 1 << 20);
        read_pieces(&c, BATCH_MAX_ROWS, 200);
        read_selected(&c, 2);
        read_selected(&c, 40);
        drop(&c);
    }
}

/* One leaf has all of its bytes in a few rows: where it is full before the widest leaf is, all
 * begin again. A list is longer than a batch. */
static void long_lists(void **state)
{
    (void)state;
    for (uint32_t seed = 100; seed < 108; seed++) {
        column c;
        make(&c, seed, 50, 5000, (int)(seed % 3), 70000);
        read_pieces(&c, BATCH_MAX_ROWS, 1 << 16);
        read_selected(&c, 5);
        drop(&c);
    }
}

/* A row that does not fit into the account is told with its place; those before it come. */
static void too_large(void **state)
{
    (void)state;
    column c;
    nrw_status st = NRW_OK;
    uint32_t row = 0;
    vector v;
    mem *small;
    for (uint32_t seed = 100;; seed++) { /* one whose long list is of numbers or texts */
        size_t longest = 0;
        make(&c, seed, 50, 5000, NEST_V1, 300000);
        for (uint32_t i = 0; i < 50; i++)
            longest = size_max(longest, strlen(c.text[i]));
        if (longest > 1000000)
            break;
        drop(&c);
    }
    assert_ok(mem_root((uint64_t)400 << 10, &small, &err), &err);
    pq_nested *r = open_column(&c, small, NULL);
    while (row < 50) {
        st = pq_nested_read(r, row, 50 - row, 1 << 16, NULL, 0, 0, small, &v, &err);
        if (st < 0)
            break;
        row += v.len;
        vector_release(&v);
    }
    assert_int_equal(st, NRW_E_MEMLIMIT);
    assert_int_equal(err.row, row);
    assert_non_null(strstr(err.message, "a row is larger than"));
    assert_string_equal(err.object, "made");
    pq_nested_close(r);
    test_mem_close(small);
    err = (nrw_error)NRW_ERROR_INIT;
    drop(&c);
}

/* With any limit rows come or a refusal does, and nothing is lost. */
static void refused_memory(void **state)
{
    (void)state;
    column c;
    uint32_t refused = 0, came = 0;
    make(&c, 17, 200, 300, -1, 3000);
    for (uint64_t limit = 20 << 10; limit < (16 << 20); limit += limit / ROUNDS(16)) {
        const pq_chunk_options opts = {.read_ahead = 4096};
        pq_nested *r = NULL;
        mem *m;
        assert_ok(mem_root(limit, &m, &err), &err);
        nrw_status st =
            pq_nested_open(m, NULL, c.f, c.k.leaves, &c.top, c.chunks, 0, 200, &opts, &r, NULL);
        for (uint32_t row = 0; st >= 0 && row < 200;) {
            vector v;
            st = pq_nested_read(r, row, 200, 1 << 15, NULL, 0, 0, m, &v, NULL);
            if (st < 0)
                break;
            for (uint32_t i = 0; i < v.len; i++)
                same(&c, &v, i, row + i);
            row += v.len;
            vector_release(&v);
        }
        pq_nested_close(r);
        refused += st == NRW_E_MEMLIMIT || st == NRW_E_NOMEM;
        came += st == NRW_OK;
        assert_true(st == NRW_OK || st == NRW_E_MEMLIMIT || st == NRW_E_NOMEM);
        test_mem_close(m);
    }
    assert_true(refused > 0 && came > 0);
    drop(&c);
}

/* ---- levels that lie ---- */

static nrw_status read_all(column *c)
{
    const pq_chunk_options opts = {.read_ahead = 4096};
    pq_nested *r = NULL;
    nrw_status st =
        pq_nested_open(c->m, NULL, c->f, c->k.leaves, &c->top, c->chunks, 0, 3, &opts, &r, &err);
    for (int64_t row = 0; st >= 0 && row < 3;) {
        vector v;
        st = pq_nested_read(r, row, 3, 1 << 20, NULL, 0, 0, c->m, &v, &err);
        if (st >= 0) {
            row += v.len;
            assert_ok(vector_validate(&v, &err), &err);
            vector_release(&v);
        }
    }
    pq_nested_close(r);
    return st;
}

/* list<int32> of three rows: optional list, optional element, one page a row of `pages`. */
static void lie(const char *what, int how, uint32_t n_pages, const char *const *pages)
{
    static field element = {.name = "element", .nullable = true};
    static const pq_node item = {
        .field = {.nullable = true, .type = {.id = TYPE_INT32, .width = 4}},
        .def = 3,
        .n_leaves = 1};
    column c = {.m = test_mem_open(1 << 24)};
    element.type = type_of(TYPE_INT32);
    c.top = (pq_node){
        .def = 1, .item_def = 2, .item_rep = 1, .n_leaves = 1, .n_children = 1, .children = &item};
    c.top.field = (field){.name = "l", .nullable = true};
    c.top.field.type = type_nested(TYPE_LIST, &element, 1);
    c.k.leaves[0] = (pq_leaf){.physical = PQ_INT32,
                              .max_def = 3,
                              .max_rep = 1,
                              .nested = true,
                              .field = {.name = "l", .type = type_of(TYPE_INT32)},
                              .path = "l.list.element",
                              .logical = ""};
    vector one;
    assert_ok(vector_flat(c.m, &element.type, 1, &one, &err), &err);
    store_u32(one.data, 5);
    one.len = 1;
    c.k.slots[0].v = &one;
    made_put(&c.bytes, "PAR1", 4);
    for (uint32_t p = 0; p < n_pages; p++) {
        uint32_t from = c.k.slots[0].n;
        for (const char *s = pages[p]; *s; s += 2) /* repetition level, definition level */
            nest_slot(&c.k, 0, (uint8_t)(s[0] - '0'), (uint8_t)(s[1] - '0'),
                      s[1] == '3' ? 0 : UINT32_MAX);
        nest_page(&c.k, 0, from, c.k.slots[0].n - from, how, &c.bytes);
    }
    c.chunks[0] = (pq_chunk){.start = 4,
                             .end = (int64_t)c.bytes.n,
                             .compressed = (int64_t)c.bytes.n - 4,
                             .n_values = c.k.slots[0].n,
                             .offset_index_at = -1};
    assert_ok(file_open_memory(c.m, "made", (span){c.bytes.p, c.bytes.n}, &c.f, &err), &err);
    nrw_status st = read_all(&c);
    if (!what) {
        assert_ok(st, &err);
    } else {
        assert_int_equal(st, NRW_E_CORRUPT);
        if (!strstr(err.message, what))
            fail_msg("%s, wanted %s", err.message, what);
        assert_string_equal(err.column, "l.list.element");
        assert_string_equal(err.object, "made");
        assert_int_equal(err.row_group, 0);
    }
    err = (nrw_error)NRW_ERROR_INIT;
    vector_release(&one);
    file_close(c.f);
    made_free(&c.bytes);
    nest_free(&c.k);
    test_mem_close(c.m);
}

#define PAGES(...)                                                                                 \
    (sizeof(const char *[]){__VA_ARGS__} / sizeof(char *)), (const char *[])                       \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void lies(void **state)
{
    (void)state;
    lie(NULL, NEST_V1, PAGES("0313120201"));
    lie(NULL, NEST_V1, PAGES("03", "1312", "12", "0201"));
    lie(NULL, NEST_BIT_PACKED, PAGES("03", "1312", "0201"));
    lie(NULL, NEST_V2, PAGES("0313", "0201"));
    lie("goes on with a row", NEST_V1, PAGES("130313120201"));
    lie("goes on with a row", NEST_V2, PAGES("03", "1303", "01"));
    lie("no elements", NEST_V1, PAGES("0113", "0201")); /* an empty list goes on */
    lie("no elements", NEST_V1, PAGES("0313110201"));   /* with a null list */
    lie("no elements", NEST_V1, PAGES("0001", "1303")); /* over a page's end */
    lie("ends after 2 of 3 rows", NEST_V1, PAGES("0303131313"));
    lie("more than the row group's 3", NEST_V1, PAGES("03030303"));
    lie("more than the row group's 3", NEST_V1, PAGES("030303", "03"));
    lie("2 values, its row group 3", NEST_V1, PAGES("0303"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_way), cmocka_unit_test(long_lists),
                                       cmocka_unit_test(too_large),
                                       cmocka_unit_test(refused_memory), cmocka_unit_test(lies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
