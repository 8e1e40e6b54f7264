/* Footers made here: types, statistics, big ones, broken ones. */
#include "format/parquet/inspect.h"
#include "format/parquet/meta.h"
#include "format/parquet/schema_map.h"
#include "format/parquet/thrift.h"
#include "testing.h"

#include <time.h>

#define OK(expr)                                                                                   \
    do {                                                                                           \
        nrw_error ok_ = NRW_ERROR_INIT;                                                            \
        assert_ok(expr, &ok_);                                                                     \
    } while (0)

/* ---- making files ---- */
typedef struct element {
    const char *name;
    int32_t physical, length, repetition, children, converted, scale, precision;
    int16_t logical;
    int16_t unit; /* of TIME and TIMESTAMP: 1 ms, 2 us, 3 ns */
    bool flag;    /* utc, signed */
    int8_t bits;
} element;

typedef struct footer {
    const element *elements; /* behind the root */
    uint32_t n_elements, n_root, n_leaves;
    uint32_t n_groups;
    int64_t group_rows, rows;
    int64_t data_page, dictionary_page, compressed;
    bool no_orders, no_version, encrypted;
    const char *file_path, *created_by;
    span old_min, old_max, min, max;
} footer;

static void put_unit(thrift_out *o, const element *e)
{
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(thrift_write_field_bool(o, 1, e->flag, &err), &err);
    assert_ok(thrift_write_field_struct(o, 2, &err), &err);
    assert_ok(thrift_write_field_empty(o, e->unit, &err), &err);
    assert_ok(thrift_end(o, &err), &err);
}

static void put_element(thrift_out *o, const element *e)
{
    OK(thrift_begin(o, NULL));
    if (e->children == 0)
        OK(thrift_write_field_i32(o, 1, e->physical, NULL));
    if (e->length)
        OK(thrift_write_field_i32(o, 2, e->length, NULL));
    OK(thrift_write_field_i32(o, 3, e->repetition, NULL));
    OK(thrift_write_field_string(o, 4, e->name, NULL));
    if (e->children)
        OK(thrift_write_field_i32(o, 5, e->children, NULL));
    if (e->converted)
        OK(thrift_write_field_i32(o, 6, e->converted - 1, NULL));
    if (e->precision) {
        OK(thrift_write_field_i32(o, 7, e->scale, NULL));
        OK(thrift_write_field_i32(o, 8, e->precision, NULL));
    }
    if (e->logical) {
        OK(thrift_write_field_struct(o, 10, NULL));
        OK(thrift_write_field_struct(o, e->logical, NULL));
        if (e->logical == 7 || e->logical == 8)
            put_unit(o, e);
        if (e->logical == 5) {
            OK(thrift_write_field_i32(o, 1, e->scale, NULL));
            OK(thrift_write_field_i32(o, 2, e->precision, NULL));
        }
        if (e->logical == 10) {
            OK(thrift_write_field_i8(o, 1, e->bits, NULL));
            OK(thrift_write_field_bool(o, 2, e->flag, NULL));
        }
        OK(thrift_end(o, NULL));
        OK(thrift_end(o, NULL));
    }
    OK(thrift_end(o, NULL));
}

static void put_statistics(thrift_out *o, const footer *f)
{
    OK(thrift_write_field_struct(o, 12, NULL));
    if (f->old_max.data)
        OK(thrift_write_field_binary(o, 1, f->old_max, NULL));
    if (f->old_min.data)
        OK(thrift_write_field_binary(o, 2, f->old_min, NULL));
    OK(thrift_write_field_i64(o, 3, 0, NULL));
    if (f->max.data)
        OK(thrift_write_field_binary(o, 5, f->max, NULL));
    if (f->min.data)
        OK(thrift_write_field_binary(o, 6, f->min, NULL));
    OK(thrift_end(o, NULL));
}

static void put_chunk(thrift_out *o, const footer *f, int32_t physical)
{
    OK(thrift_begin(o, NULL));
    if (f->file_path)
        OK(thrift_write_field_string(o, 1, f->file_path, NULL));
    OK(thrift_write_field_i64(o, 2, 4, NULL));
    OK(thrift_write_field_struct(o, 3, NULL));
    OK(thrift_write_field_i32(o, 1, physical, NULL));
    OK(thrift_write_field_list(o, 2, THRIFT_I32, 1, NULL));
    OK(thrift_write_i32(o, PQ_PLAIN, NULL));
    OK(thrift_write_field_list(o, 3, THRIFT_BINARY, 1, NULL));
    OK(thrift_write_binary(o, (span){(const uint8_t *)"c", 1}, NULL));
    OK(thrift_write_field_i32(o, 4, 0, NULL));
    OK(thrift_write_field_i64(o, 5, f->group_rows, NULL));
    OK(thrift_write_field_i64(o, 6, 50, NULL));
    OK(thrift_write_field_i64(o, 7, f->compressed ? f->compressed : 50, NULL));
    OK(thrift_write_field_i64(o, 9, f->data_page ? f->data_page : 4, NULL));
    if (f->dictionary_page)
        OK(thrift_write_field_i64(o, 11, f->dictionary_page, NULL));
    put_statistics(o, f);
    OK(thrift_end(o, NULL));
    if (f->encrypted)
        OK(thrift_write_field_empty(o, 8, NULL));
    OK(thrift_end(o, NULL));
}

static void put_groups(thrift_out *o, const footer *f)
{
    OK(thrift_write_field_list(o, 4, THRIFT_STRUCT, f->n_groups, NULL));
    for (uint32_t g = 0; g < f->n_groups; g++) {
        OK(thrift_begin(o, NULL));
        OK(thrift_write_field_list(o, 1, THRIFT_STRUCT, f->n_leaves, NULL));
        for (uint32_t i = 0; i < f->n_elements; i++)
            if (f->elements[i].children == 0)
                put_chunk(o, f, f->elements[i].physical);
        OK(thrift_write_field_i64(o, 2, 100, NULL));
        OK(thrift_write_field_i64(o, 3, f->group_rows, NULL));
        OK(thrift_write_field_list(o, 4, THRIFT_STRUCT, 1, NULL));
        OK(thrift_begin(o, NULL));
        OK(thrift_write_field_i32(o, 1, 0, NULL));
        OK(thrift_write_field_bool(o, 2, true, NULL));
        OK(thrift_write_field_bool(o, 3, false, NULL));
        OK(thrift_end(o, NULL));
        OK(thrift_end(o, NULL));
    }
}

/* "PAR1", 100 bytes that stand for pages, the footer, its length, "PAR1". */
static void make_file(bytes *to, const footer *f)
{
    uint8_t pages[100] = {0}, length[4];
    OK(bytes_append(to, "PAR1", 4, NULL));
    OK(bytes_append(to, pages, sizeof pages, NULL));
    size_t at = to->len;
    thrift_out out = thrift_out_init(to), *o = &out;
    OK(thrift_begin(o, NULL));
    if (!f->no_version)
        OK(thrift_write_field_i32(o, 1, 2, NULL));
    OK(thrift_write_field_list(o, 2, THRIFT_STRUCT, f->n_elements + 1, NULL));
    OK(thrift_begin(o, NULL));
    OK(thrift_write_field_string(o, 4, "root", NULL));
    OK(thrift_write_field_i32(o, 5, (int32_t)f->n_root, NULL));
    OK(thrift_end(o, NULL));
    for (uint32_t i = 0; i < f->n_elements; i++)
        put_element(o, &f->elements[i]);
    OK(thrift_write_field_i64(o, 3, f->rows, NULL));
    put_groups(o, f);
    OK(thrift_write_field_list(o, 5, THRIFT_STRUCT, 2, NULL));
    for (int i = 0; i < 2; i++) {
        OK(thrift_begin(o, NULL));
        OK(thrift_write_field_string(o, 1, i ? "empty" : "k", NULL));
        if (!i)
            OK(thrift_write_field_string(o, 2, "value", NULL));
        OK(thrift_end(o, NULL));
    }
    if (f->created_by)
        OK(thrift_write_field_string(o, 6, f->created_by, NULL));
    if (!f->no_orders) {
        OK(thrift_write_field_list(o, 7, THRIFT_STRUCT, f->n_leaves, NULL));
        for (uint32_t i = 0; i < f->n_leaves; i++) {
            OK(thrift_begin(o, NULL));
            OK(thrift_write_field_empty(o, 1, NULL));
            OK(thrift_end(o, NULL));
        }
    }
    OK(thrift_end(o, NULL));
    store_u32(length, (uint32_t)(to->len - at));
    OK(bytes_append(to, length, 4, NULL));
    OK(bytes_append(to, "PAR1", 4, NULL));
}

typedef struct opened {
    mem *m;
    bytes file;
    io_file *f;
    pq_meta *p;
    arena *a;
} opened;

static nrw_status open_bytes(opened *o, const void *data, size_t len, nrw_error *err)
{
    *o = (opened){.m = test_mem_open(256 << 20)};
    o->file = bytes_init(o->m, 128 << 20);
    OK(bytes_append(&o->file, data, len, NULL));
    OK(file_open_memory(o->m, "made", (span){o->file.data, o->file.len}, &o->f, NULL));
    OK(arena_new(o->m, &o->a, NULL));
    return pq_meta_open(o->m, o->f, NULL, &o->p, err);
}

static nrw_status open_footer(opened *o, const footer *f, nrw_error *err)
{
    mem *m = test_mem_open(256 << 20);
    bytes b = bytes_init(m, 128 << 20);
    make_file(&b, f);
    nrw_status st = open_bytes(o, b.data, b.len, err);
    bytes_release(&b);
    test_mem_close(m);
    return st;
}

static void close_opened(opened *o)
{
    pq_meta_close(o->p);
    arena_free(o->a);
    file_close(o->f);
    bytes_release(&o->file);
    test_mem_close(o->m);
}

static footer flat_footer(const element *e, uint32_t n)
{
    return (footer){.elements = e,
                    .n_elements = n,
                    .n_root = n,
                    .n_leaves = n,
                    .n_groups = 1,
                    .group_rows = 10,
                    .rows = 10};
}

/* ---- types ---- */
typedef struct mapping {
    element e;
    const char *want; /* as type_print */
    const char *logical;
} mapping;

#define CONVERTED(n) ((n) + 1)

static const mapping mappings[] = {
    {{.physical = PQ_BOOLEAN}, "BOOLEAN", ""},
    {{.physical = PQ_INT32}, "INTEGER", ""},
    {{.physical = PQ_INT64}, "BIGINT", ""},
    {{.physical = PQ_INT96}, "TIMESTAMP_NS", ""},
    {{.physical = PQ_FLOAT}, "FLOAT", ""},
    {{.physical = PQ_DOUBLE}, "DOUBLE", ""},
    {{.physical = PQ_BYTE_ARRAY}, "BLOB", ""},
    {{.physical = PQ_BYTE_ARRAY, .converted = CONVERTED(0)}, "VARCHAR", "UTF8"},
    {{.physical = PQ_BYTE_ARRAY, .logical = 1}, "VARCHAR", "STRING"},
    {{.physical = PQ_INT32, .logical = 6}, "DATE", "DATE"},
    {{.physical = PQ_INT32, .logical = 5, .precision = 9, .scale = 2},
     "DECIMAL(9,2)",
     "DECIMAL(9,2)"},
    {{.physical = PQ_INT32, .converted = CONVERTED(5), .precision = 10, .scale = 2},
     "INTEGER",
     "DECIMAL(10,2)"},
    {{.physical = PQ_BYTE_ARRAY, .logical = 5, .precision = 76, .scale = 76},
     "DECIMAL(76,76)",
     "DECIMAL(76,76)"},
    {{.physical = PQ_BYTE_ARRAY, .logical = 5, .precision = 77, .scale = 0},
     "BLOB",
     "DECIMAL(77,0)"},
    {{.physical = PQ_FIXED_LEN_BYTE_ARRAY,
      .length = 16,
      .logical = 5,
      .precision = 38,
      .scale = 10},
     "DECIMAL(38,10)",
     "DECIMAL(38,10)"},
    {{.physical = PQ_INT32, .logical = 7, .unit = 1, .flag = true}, NULL, "TIME(MILLIS,utc)"},
    {{.physical = PQ_INT64, .logical = 8, .unit = 2}, "TIMESTAMP", "TIMESTAMP(MICROS,local)"},
    {{.physical = PQ_INT64, .logical = 8, .unit = 2, .flag = true},
     "TIMESTAMP WITH TIME ZONE",
     "TIMESTAMP(MICROS,utc)"},
    {{.physical = PQ_INT64, .converted = CONVERTED(10)},
     "TIMESTAMP WITH TIME ZONE",
     "TIMESTAMP_MICROS"},
    {{.physical = PQ_INT64, .logical = 8, .unit = 3}, "TIMESTAMP_NS", "TIMESTAMP(NANOS,local)"},
    {{.physical = PQ_INT32, .logical = 10, .bits = 8, .flag = true}, "TINYINT", "INT(8)"},
    {{.physical = PQ_INT32, .converted = CONVERTED(12)}, "USMALLINT", "UINT_16"},
    {{.physical = PQ_INT64, .logical = 10, .bits = 64}, "UBIGINT", "UINT(64)"},
    {{.physical = PQ_FIXED_LEN_BYTE_ARRAY, .length = 16, .logical = 14}, "UUID", "UUID"},
    {{.physical = PQ_BYTE_ARRAY, .logical = 12}, "JSON", "JSON"},
    {{.physical = PQ_BYTE_ARRAY, .logical = 17}, "BLOB", "GEOMETRY"},
    {{.physical = PQ_BYTE_ARRAY, .logical = 99}, "BLOB", "logical type 99"},
};

/* Annotations that the format does not allow for the physical type. */
static void test_contradictions(void **state)
{
    (void)state;
    static const element wrong[] = {
        {.name = "c", .physical = PQ_INT32, .logical = 1},
        {.name = "c", .physical = PQ_INT64, .converted = CONVERTED(6)},
        {.name = "c", .physical = PQ_INT64, .logical = 10, .bits = 8, .flag = true},
        {.name = "c", .physical = PQ_INT32, .converted = CONVERTED(18)}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        opened o;
        footer f = flat_footer(&wrong[i], 1);
        nrw_error err = NRW_ERROR_INIT;
        assert_status(NRW_E_CORRUPT, open_footer(&o, &f, &err), &err);
        assert_string_equal(err.column, "c");
        close_opened(&o);
    }
}

static void test_types(void **state)
{
    (void)state;
    enum { N = sizeof mappings / sizeof mappings[0] };
    element e[N];
    char names[N][8];
    for (size_t i = 0; i < N; i++) {
        e[i] = mappings[i].e;
        snprintf(names[i], sizeof names[i], "c%zu", i);
        e[i].name = names[i];
        e[i].repetition = (int32_t)(i % 2);
    }
    opened o;
    footer f = flat_footer(e, N);
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(open_footer(&o, &f, &err), &err);
    assert_int_equal(pq_meta_leaves(o.p), N);
    schema s = *pq_meta_schema(o.p);
    for (uint32_t i = 0; i < N; i++) {
        char text[64];
        const pq_leaf *l = pq_meta_leaf(o.p, i);
        type_print(&s.fields[i].type, text, sizeof text);
        if (mappings[i].want && strcmp(text, mappings[i].want) != 0)
            fail_msg("%s of physical type %d is %s, wanted %s", mappings[i].logical,
                     mappings[i].e.physical, text, mappings[i].want);
        assert_string_equal(l->logical, mappings[i].logical);
        assert_string_equal(l->path, names[i]);
        assert_int_equal(l->field.nullable, i % 2);
        assert_int_equal(l->max_def, i % 2);
        assert_true(!l->nested);
    }
    close_opened(&o);
}

/* ---- nested ---- */
static void test_nested(void **state)
{
    (void)state;
    const element e[] = {
        {.name = "a", .physical = PQ_INT64},
        {.name = "s", .children = 2, .repetition = PQ_REQUIRED},
        {.name = "x", .physical = PQ_INT32},
        {.name = "l", .children = 1, .repetition = 1},
        {.name = "list", .children = 1, .repetition = 2},
        {.name = "item", .physical = PQ_BYTE_ARRAY, .logical = 1, .repetition = 1},
        {.name = "r", .physical = PQ_INT64, .repetition = 2},
    };
    footer f = {.elements = e,
                .n_elements = 7,
                .n_root = 3,
                .n_leaves = 4,
                .n_groups = 1,
                .group_rows = 3,
                .rows = 3};
    opened o;
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(open_footer(&o, &f, &err), &err);
    assert_true(!pq_meta_is_flat(o.p));
    assert_string_equal(pq_meta_leaf(o.p, 2)->path, "s.l.list.item");
    assert_int_equal(pq_meta_leaf(o.p, 2)->max_def, 3);
    assert_int_equal(pq_meta_leaf(o.p, 2)->max_rep, 1);
    assert_true(!pq_meta_leaf(o.p, 0)->nested && pq_meta_leaf(o.p, 1)->nested);
    assert_true(pq_meta_leaf(o.p, 3)->nested);
    assert_int_equal(pq_meta_schema(o.p)->n_fields, 3);
    assert_int_equal(schema_find(pq_meta_schema(o.p), "s.l"), 4);
    assert_int_equal(pq_meta_column(o.p, 4)->first_leaf, 2);
    bytes text = bytes_init(o.m, 1 << 16);
    OK(pq_meta_schema_text(o.p, &text, NULL));
    OK(bytes_append(&text, "", 1, NULL));
    assert_string_equal((char *)text.data, "message root {\n"
                                           "  required INT64 a;\n"
                                           "  required group s {\n"
                                           "    required INT32 x;\n"
                                           "    optional group l {\n"
                                           "      repeated group list {\n"
                                           "        optional BYTE_ARRAY item (STRING);\n"
                                           "      }\n"
                                           "    }\n"
                                           "  }\n"
                                           "  repeated INT64 r;\n"
                                           "}\n");
    bytes_release(&text);
    close_opened(&o);
}

/* ---- broken ---- */
static void refuse(const footer *f, nrw_status want, const char *words)
{
    opened o;
    nrw_error err = NRW_ERROR_INIT;
    pq_chunk c;
    nrw_status st = open_footer(&o, f, &err);
    if (st >= 0)
        st = pq_meta_chunk(o.p, 0, 0, o.a, &c, &err);
    if (st != want || !strstr(err.message, words))
        fail_msg("status %d, \"%s\"; wanted %d, \"%s\"", st, err.message, want, words);
    assert_string_equal(err.object, "made");
    close_opened(&o);
}

static void test_refused(void **state)
{
    (void)state;
    const element one[] = {{.name = "a", .physical = PQ_INT64}};
    const footer good = flat_footer(one, 1);
    footer f = good;
    f.rows = 11;
    refuse(&f, NRW_E_CORRUPT, "11 rows, its 1 row groups have 10");
    f = good;
    f.group_rows = f.rows = -10;
    refuse(&f, NRW_E_CORRUPT, "-10 rows");
    f = good;
    f.n_root = 2;
    refuse(&f, NRW_E_CORRUPT, "fewer than its groups say");
    f = good;
    f.n_root = 0;
    refuse(&f, NRW_E_CORRUPT, "its groups hold 1");
    f = good;
    f.n_leaves = 2;
    refuse(&f, NRW_E_CORRUPT, "columns, the schema");
    f = good;
    f.no_version = true;
    refuse(&f, NRW_E_CORRUPT, "lacks version");
    f = good;
    f.encrypted = true;
    refuse(&f, NRW_E_UNSUPPORTED, "encrypted");
    f = good;
    f.file_path = "other.parquet";
    refuse(&f, NRW_E_UNSUPPORTED, "other.parquet");
    f = good;
    f.data_page = 5000;
    refuse(&f, NRW_E_CORRUPT, "said to start at byte 5000");
    f = good;
    f.data_page = -5;
    refuse(&f, NRW_E_CORRUPT, "said to start at byte -5");
    f = good;
    f.compressed = -1;
    refuse(&f, NRW_E_CORRUPT, "-1 bytes");
    element deep[150];
    for (int i = 0; i < 150; i++)
        deep[i] = (element){.name = "g", .children = i < 149, .physical = PQ_INT32};
    f = (footer){.elements = deep, .n_elements = 150, .n_root = 1, .n_leaves = 1};
    refuse(&f, NRW_E_UNSUPPORTED, "nested more than");
}

static void refuse_bytes(const char *data, size_t len, nrw_status want, const char *words)
{
    opened o;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = open_bytes(&o, data, len, &err);
    if (st != want || !strstr(err.message, words))
        fail_msg("status %d, \"%s\"; wanted %d, \"%s\"", st, err.message, want, words);
    close_opened(&o);
}

static void test_not_parquet(void **state)
{
    (void)state;
    refuse_bytes("", 0, NRW_E_CORRUPT, "0 bytes, the least is 12");
    refuse_bytes("PAR1PAR1", 8, NRW_E_CORRUPT, "8 bytes, the least is 12");
    refuse_bytes("hello, hello, hello", 19, NRW_E_CORRUPT, "is not a Parquet file");
    refuse_bytes("PAR1, hello, hello", 18, NRW_E_CORRUPT, "cut short");
    refuse_bytes("PAR1\0\0\0\0PAR1", 12, NRW_E_CORRUPT, "the footer is empty");
    refuse_bytes("PAR1\1\0\0\0PAR1", 12, NRW_E_CORRUPT, "said to have 1 bytes");
    refuse_bytes("PARExx\2\0\0\0PARE", 14, NRW_E_UNSUPPORTED, "encrypted");
}

/* ---- where pages start ---- */
static void test_pages(void **state)
{
    (void)state;
    const element one[] = {{.name = "a", .physical = PQ_INT64}};
    const struct {
        int64_t data, dictionary, compressed, start, end;
        const char *writer;
    } cases[] = {
        {50, 0, 20, 50, 70, NULL},
        {50, 10, 60, 10, 70, NULL},
        {50, 60, 20, 50, 70, NULL},
        {50, 2, 20, 50, 70, NULL},
        {50, 100000, 20, 50, 70, NULL},
        {50, 0, 1000000, 50, 104, NULL},
        {10, 0, 20, 10, 104, "parquet-mr version 1.2.8 (build x)"},
        {10, 0, 20, 10, 30, "parquet-mr version 1.2.9 (build x)"},
        {10, 0, 20, 10, 104, "parquet-mr"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        footer f = flat_footer(one, 1);
        f.data_page = cases[i].data;
        f.dictionary_page = cases[i].dictionary;
        f.compressed = cases[i].compressed;
        f.created_by = cases[i].writer;
        opened o;
        pq_chunk c;
        nrw_error err = NRW_ERROR_INIT;
        assert_ok(open_footer(&o, &f, &err), &err);
        assert_ok(pq_meta_chunk(o.p, 0, 0, o.a, &c, &err), &err);
        assert_int_equal(c.start, cases[i].start);
        assert_int_equal(c.end, cases[i].end);
        close_opened(&o);
    }
}

/* ---- statistics ---- */
static void bounds_of(const element *e, footer f, pq_statistics *out, opened *o)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_chunk c;
    f.elements = e;
    f.n_elements = f.n_root = f.n_leaves = f.n_groups = 1;
    f.rows = f.group_rows = 10;
    assert_ok(open_footer(o, &f, &err), &err);
    assert_ok(pq_meta_chunk(o->p, 0, 0, o->a, &c, &err), &err);
    *out = c.stats;
}

static void test_statistics(void **state)
{
    (void)state;
    opened o;
    pq_statistics s;
    char text[64];
    const element i64 = {.name = "a", .physical = PQ_INT64};
    const element u32 = {.name = "a", .physical = PQ_INT32, .logical = 10, .bits = 32};
    const element txt = {.name = "a", .physical = PQ_BYTE_ARRAY, .logical = 1};
    const element dbl = {.name = "a", .physical = PQ_DOUBLE};
    const element i96 = {.name = "a", .physical = PQ_INT96};
    int64_t lo = -5, hi = 7;
    double nan = __builtin_nan(""), two = 2.5;
    span low = SPAN(&lo), high = SPAN(&hi), not_a_number = SPAN(&nan), half = SPAN(&two);
    low.len = high.len = not_a_number.len = half.len = 8;
    span word = {(const uint8_t *)"word", 4};

    bounds_of(&i64, (footer){.min = low, .max = high}, &s, &o);
    assert_true(s.has_min && s.has_max && s.has_null_count);
    pq_value_print(pq_meta_leaf(o.p, 0), s.min, text, sizeof text);
    assert_string_equal(text, "-5");
    close_opened(&o);
    bounds_of(&i64, (footer){.old_min = low, .old_max = high}, &s, &o);
    assert_true(s.has_min && s.has_max);
    close_opened(&o);
    bounds_of(&i64, (footer){.min = low, .max = high, .no_orders = true}, &s, &o);
    assert_true(s.has_min && s.has_max);
    close_opened(&o);
    bounds_of(&txt, (footer){.min = word, .max = word, .no_orders = true}, &s, &o);
    assert_true(!s.has_min && !s.has_max);
    close_opened(&o);
    bounds_of(&txt,
              (footer){.min = word, .max = word, .no_orders = true, .created_by = "DuckDB v1"}, &s,
              &o);
    assert_true(s.has_min && s.has_max);
    close_opened(&o);
    bounds_of(&i64, (footer){.min = word, .max = high}, &s, &o); /* four bytes of eight */
    assert_true(!s.has_min && s.has_max);
    close_opened(&o);
    low.len = high.len = 4;
    bounds_of(&u32, (footer){.old_min = low, .old_max = high}, &s, &o);
    assert_true(!s.has_min && !s.has_max);
    close_opened(&o);
    bounds_of(&txt, (footer){.old_min = word, .old_max = word}, &s, &o);
    assert_true(!s.has_min && !s.has_max);
    close_opened(&o);
    bounds_of(&txt, (footer){.min = word, .max = word}, &s, &o);
    assert_true(s.has_min && s.min.len == 4 && !memcmp(s.min.data, "word", 4));
    close_opened(&o);
    bounds_of(&dbl, (footer){.min = not_a_number, .max = half}, &s, &o);
    assert_true(!s.has_min && s.has_max);
    close_opened(&o);
    span twelve = {(const uint8_t *)"twelve bytes", 12};
    bounds_of(&i96, (footer){.min = twelve, .max = twelve}, &s, &o);
    assert_true(!s.has_min && !s.has_max);
    close_opened(&o);
}

/* ---- size ---- */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static nrw_status count_row(void *self, const pq_column_info *c, nrw_error *err)
{
    (void)err;
    assert_int_equal(c->leaf, *(uint32_t *)self);
    ++*(uint32_t *)self;
    return NRW_OK;
}

static nrw_status count_group(void *self, const pq_group_info *g, nrw_error *err)
{
    (void)err;
    assert_int_equal(g->row_group, *(int32_t *)self);
    assert_int_equal(g->n_sorting, 1);
    assert_true(g->sorting[0].descending);
    ++*(int32_t *)self;
    return NRW_OK;
}

/* Opens a file in an account of its own; memory follows columns and row groups, not the footer. */
static void open_big(uint32_t columns, uint32_t groups, uint64_t most)
{
    mem *m = test_mem_open(1u << 30), *small;
    bytes b = bytes_init(m, 1u << 29);
    element *e = NULL;
    void *room;
    OK(mem_alloc(m, columns * (sizeof *e + 16), &room, NULL));
    e = room;
    char *names = (char *)(e + columns);
    for (uint32_t i = 0; i < columns; i++) {
        snprintf(names + 16 * (size_t)i, 16, "c%u", i);
        e[i] = (element){.name = names + 16 * (size_t)i, .physical = PQ_INT64, .repetition = 1};
    }
    int64_t lo = 1;
    footer f = flat_footer(e, columns);
    f.n_groups = groups;
    f.rows = 10 * (int64_t)groups;
    f.min = f.max = (span){(const uint8_t *)&lo, 8};
    make_file(&b, &f);
    io_file *file;
    pq_meta *p;
    nrw_error err = NRW_ERROR_INIT;
    OK(file_open_memory(m, "big", (span){b.data, b.len}, &file, NULL));
    assert_ok(mem_child(m, "opening", most, &small, &err), &err);
    double t0 = seconds();
    assert_ok(pq_meta_open(small, file, NULL, &p, &err), &err);
    double t1 = seconds();
    pq_row_group g;
    assert_ok(pq_meta_row_group(p, (int32_t)groups - 1, &g, &err), &err);
    assert_int_equal(g.first_row, 10 * ((int64_t)groups - 1));
    assert_int_equal(g.rows, 10);
    arena *a;
    pq_chunk c;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(pq_meta_chunk(p, (int32_t)groups - 1, columns - 1, a, &c, &err), &err);
    assert_int_equal(c.n_values, 10);
    assert_true(c.stats.has_min);
    arena_free(a);
    uint32_t n = 0;
    int32_t n_groups = 0;
    assert_ok(pq_inspect_columns(p, m, count_row, &n, &err), &err);
    assert_int_equal(n, columns);
    assert_ok(pq_inspect_groups(p, m, count_group, &n_groups, &err), &err);
    assert_int_equal(n_groups, groups);
    print_message("%u columns, %u row groups: footer %zu bytes, opened in %.3f s with %llu bytes, "
                  "inspected in %.3f s\n",
                  columns, groups, b.len - 112, t1 - t0, (unsigned long long)mem_peak(small),
                  seconds() - t1);
    pq_meta_close(p);
    file_close(file);
    assert_int_equal(mem_used(small), 0);
    mem_free_account(small);
    mem_free(m, e, columns * (sizeof *e + 16));
    bytes_release(&b);
    test_mem_close(m);
}

static void test_big(void **state)
{
    (void)state;
    open_big(10000, 3, 5 << 20);
    open_big(3, 10000, 1 << 20);
    open_big(500, 200, 1 << 20);
}

static void test_key_values(void **state)
{
    (void)state;
    const element one[] = {{.name = "a", .physical = PQ_INT64}};
    footer f = flat_footer(one, 1);
    opened o;
    uint32_t n;
    pq_key_value *kv;
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(open_footer(&o, &f, &err), &err);
    assert_ok(pq_meta_key_values(o.p, o.a, &n, &kv, &err), &err);
    assert_int_equal(n, 2);
    assert_string_equal(kv[0].key, "k");
    assert_string_equal(kv[0].value, "value");
    assert_null(kv[1].value);
    close_opened(&o);
}

/* Too little memory is refused, whatever it hits, and all of it comes back. */
static void test_little_memory(void **state)
{
    (void)state;
    const element e[] = {
        {.name = "a", .physical = PQ_INT64},
        {.name = "s", .children = 1},
        {.name = "x", .physical = PQ_INT32},
    };
    footer f = {.elements = e,
                .n_elements = 3,
                .n_root = 2,
                .n_leaves = 2,
                .n_groups = 40,
                .group_rows = 3,
                .rows = 120};
    mem *m = test_mem_open(64 << 20);
    bytes b = bytes_init(m, 1 << 20);
    make_file(&b, &f);
    io_file *file;
    OK(file_open_memory(m, "made", (span){b.data, b.len}, &file, NULL));
    bool opened = false;
    for (uint64_t limit = 0; !opened; limit += 509) {
        mem *small;
        pq_meta *p;
        nrw_error err = NRW_ERROR_INIT;
        OK(mem_child(m, "small", limit, &small, NULL));
        nrw_status st = pq_meta_open(small, file, NULL, &p, &err);
        opened = st == NRW_OK;
        if (!opened)
            assert_status(NRW_E_MEMLIMIT, st, &err);
        pq_meta_close(p);
        assert_int_equal(mem_used(small), 0);
        mem_free_account(small);
    }
    file_close(file);
    bytes_release(&b);
    test_mem_close(m);
}

/* ---- values as text ---- */
static void print_one(const pq_leaf *l, const void *bytes_, size_t len, const char *want)
{
    char text[200];
    span v = {bytes_, len};
    size_t n = pq_value_print(l, v, text, sizeof text);
    assert_string_equal(text, want);
    assert_int_equal(n, strlen(want));
    char small[4];
    assert_int_equal(pq_value_print(l, v, small, sizeof small), n);
    assert_true(strlen(small) < sizeof small);
}

static void test_values(void **state)
{
    (void)state;
    int64_t minus = -1, ns = 1706659200123456000, cents = -1250;
    int32_t day = -1, ms = 3661500;
    float tenth = 0.1f;
    double third = 1.0 / 3;
    pq_leaf l = {.physical = PQ_INT64, .field.type = type_of(TYPE_UINT64)};
    print_one(&l, &minus, 8, "18446744073709551615");
    l.field.type = type_of(TYPE_INT64);
    print_one(&l, &minus, 8, "-1");
    l.field.type = type_decimal(12, 2);
    print_one(&l, &cents, 8, "-12.50");
    l.field.type = type_timestamp(UNIT_NS, false);
    print_one(&l, &ns, 8, "2024-01-31 00:00:00.123456");
    l.field.type = type_timestamp(UNIT_S, true);
    print_one(&l, &minus, 8, "1969-12-31 23:59:59+00");
    l = (pq_leaf){.physical = PQ_INT32, .field.type = type_of(TYPE_DATE)};
    print_one(&l, &day, 4, "1969-12-31");
    l.field.type = type_time(UNIT_MS, false);
    print_one(&l, &ms, 4, "01:01:01.5");
    l = (pq_leaf){.physical = PQ_FLOAT, .field.type = type_of(TYPE_FLOAT32)};
    print_one(&l, &tenth, 4, "0.1");
    l = (pq_leaf){.physical = PQ_DOUBLE, .field.type = type_of(TYPE_FLOAT64)};
    print_one(&l, &third, 8, "0.3333333333333333");
    l = (pq_leaf){.physical = PQ_BYTE_ARRAY, .field.type = type_decimal(40, 3)};
    print_one(&l, "\xff\x85", 2, "-0.123");
    print_one(&l, "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17,
              "340282366920938463463374607431768211.456");
    l.field.type = type_of(TYPE_BINARY);
    print_one(&l, "\0\xab", 2, "0x00AB");
    l.field.type = type_of(TYPE_UTF8);
    print_one(&l, "text", 4, "text");
    l = (pq_leaf){
        .physical = PQ_FIXED_LEN_BYTE_ARRAY, .type_length = 2, .field.type = type_of(TYPE_FLOAT16)};
    print_one(&l, "\x00\xc1", 2, "-2.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),       cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_nested),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_not_parquet), cmocka_unit_test(test_pages),
        cmocka_unit_test(test_statistics),  cmocka_unit_test(test_key_values),
        cmocka_unit_test(test_values),      cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_big),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
