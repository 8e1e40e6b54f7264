/* Conditions: what is understood and what is refused where, and their answers on vectors of every
 * form beside answers written down by hand. */
#include "expr/expr.h"
#include "testing.h"

#include <math.h>

static nrw_error err = NRW_ERROR_INIT;

enum { ROWS = 8 };

/* Columns of eight rows; row 7 is null everywhere. */
static const struct {
    const char *name;
    type_id id;
} names[] = {
    {"i8", TYPE_INT8},      {"i32", TYPE_INT32},    {"i64", TYPE_INT64},   {"u64", TYPE_UINT64},
    {"f32", TYPE_FLOAT32},  {"f64", TYPE_FLOAT64},  {"flag", TYPE_BOOL},   {"day", TYPE_DATE},
    {"ms", TYPE_TIMESTAMP}, {"ns", TYPE_TIMESTAMP}, {"clock", TYPE_TIME},  {"dec", TYPE_DECIMAL},
    {"wide", TYPE_DECIMAL}, {"text", TYPE_UTF8},    {"blob", TYPE_BINARY}, {"id", TYPE_UUID},
    {"none", TYPE_NULL},    {"group", TYPE_INT32},  {"req", TYPE_INT32},   {"gap", TYPE_INTERVAL},
    {"half", TYPE_FLOAT16}, {"a.b", TYPE_INT32},    {"date", TYPE_DATE}};
enum { COLUMNS = sizeof names / sizeof *names };

static schema the_schema(arena *a)
{
    schema s;

    assert_ok(schema_new(a, COLUMNS, &s, &err), &err);
    for (uint32_t c = 0; c < COLUMNS; c++) {
        s.fields[c].name = names[c].name;
        s.fields[c].type = type_of(names[c].id);
    }
    s.fields[8].type = type_timestamp(UNIT_MS, false);
    s.fields[9].type = type_timestamp(UNIT_NS, true);
    s.fields[10].type = type_time(UNIT_US, false);
    s.fields[11].type = type_decimal(9, 2);
    s.fields[12].type = type_decimal(40, 3);
    return s;
}

/* ---- values ---- */

static const char *const words[ROWS] = {"",     "a", "ab", "z\xc3\xbcrich", "a long text with more",
                                        "100%", "b", ""};

static void put_wide(uint8_t *to, int64_t v)
{
    memset(to, v < 0 ? 0xff : 0, 32);
    memcpy(to, &v, 8);
}

/* Value `row` of column c: small numbers around 0, one of them at each end. */
static void put(const type *t, uint32_t row, uint8_t *to)
{
    static const int64_t whole[ROWS] = {-128, -1, 0, 1, 2, 100, 127, 0};
    static const double reals[ROWS] = {-(double)INFINITY, -1.5, -0.0, 0.0, 0.1, 1e300,
                                       (double)NAN,       0};
    static const uint16_t halves[ROWS] = {0xfc00, 0xbe00, 0x8000, 0, 0x2e66, 0x7bff, 0x7e00, 0};
    int64_t v = whole[row];
    float f = (float)reals[row];

    switch (t->id) {
    case TYPE_NULL: break;
    case TYPE_BOOL: *to = row % 2; break;
    case TYPE_FLOAT16: memcpy(to, &halves[row], 2); break;
    case TYPE_FLOAT32: memcpy(to, &f, 4); break;
    case TYPE_FLOAT64: memcpy(to, &reals[row], 8); break;
    case TYPE_UINT64: store_u64(to, row == 6 ? UINT64_MAX : row); break;
    case TYPE_DATE: store_u32(to, (uint32_t)(20089 + (int)row)); break; /* from 2025-01-01 */
    case TYPE_TIMESTAMP:
        store_u64(to, t->unit == UNIT_MS ? 1735689600000u + row : 1735689600000000000u + row);
        break;
    case TYPE_TIME: store_u64(to, (uint64_t)row * 3600000000u); break;
    case TYPE_DECIMAL:
        if (t->width == 4)
            store_u32(to, (uint32_t)(v * 50));
        else
            put_wide(to, v * 500);
        break;
    case TYPE_UUID:
        memset(to, 0, 16);
        to[15] = (uint8_t)row;
        to[0] = row == 6 ? 0xff : 0;
        break;
    case TYPE_INTERVAL: memset(to, 0, 12); break;
    default: memcpy(to, &v, t->width);
    }
}

static void put_text(vector *v, buffer *heap, uint32_t row, uint32_t at)
{
    int32_t len = (int32_t)strlen(words[row]), where = (int32_t)row * 32;

    memcpy(heap->data + where, words[row], (size_t)len);
    ((view *)(void *)v->data)[at] = view_make(heap->data + where, len, 0, where);
}

/* Rows as `rows` says, flat, the last one null where nulls. */
static void make_flat(mem *m, const type *t, const uint32_t *rows, uint32_t n, bool nulls,
                      vector *out)
{
    buffer *heap = NULL;

    if (t->id == TYPE_NULL) {
        assert_ok(vector_nulls(m, t, n, out, &err), &err);
        return;
    }
    assert_ok(vector_flat(m, t, n, out, &err), &err);
    if (type_is_view(t)) {
        int32_t at;
        assert_ok(buffer_new(m, ROWS * 32, &heap, &err), &err);
        heap->len = ROWS * 32;
        assert_ok(vector_add_heap(out, heap, &at, &err), &err);
    }
    out->len = n;
    for (uint32_t i = 0; i < n; i++)
        if (heap)
            put_text(out, heap, rows[i], i);
        else
            put(t, rows[i], out->data + (size_t)i * t->width);
    if (nulls) {
        assert_ok(vector_add_validity(out, &err), &err);
        for (uint32_t i = 0; i < n; i++)
            if (rows[i] == ROWS - 1) {
                bit_clear(out->validity, i);
                memset(out->data + (size_t)i * t->width, 0, t->width);
                out->null_count++;
            }
    }
    if (heap)
        buffer_unref(heap);
}

typedef enum form { FLAT, DICT, RUNS, RUNS_OF_DICT, FORMS } form;

static const uint32_t each[ROWS] = {0, 1, 2, 3, 4, 5, 6, 7};

static void make_dict(mem *m, const type *t, vector *out)
{
    vector entries;
    dict *d;

    make_flat(m, t, each, ROWS - 1, false, &entries);
    assert_ok(dict_new(m, &entries, &d, &err), &err);
    assert_ok(vector_dict(m, t, d, ROWS, out, &err), &err);
    dict_unref(d);
    out->len = ROWS;
    assert_ok(vector_add_validity(out, &err), &err);
    for (uint32_t i = 0; i < ROWS; i++)
        ((uint32_t *)(void *)out->data)[i] = i == ROWS - 1 ? 0 : i;
    bit_clear(out->validity, ROWS - 1);
    out->null_count = 1;
}

/* Runs of one row each; the last is null. */
static void make_vector(mem *m, const type *t, form f, vector *out)
{
    vector values;

    if (f == FLAT || t->id == TYPE_NULL) {
        make_flat(m, t, each, ROWS, true, out);
        return;
    }
    if (f == DICT) {
        make_dict(m, t, out);
        return;
    }
    if (f == RUNS)
        make_flat(m, t, each, ROWS, true, &values);
    else
        make_dict(m, t, &values);
    assert_ok(vector_runs(m, &values, ROWS, out, &err), &err);
    for (uint32_t i = 0; i < ROWS; i++)
        ((uint32_t *)(void *)out->data)[i] = i + 1;
    vector_count_nulls(out);
}

/* ---- batches ---- */

typedef struct source {
    vector columns[COLUMNS];
    uint32_t read; /* bit per column */
} source;

static nrw_status give(void *self, batch *b, uint32_t column, uint32_t first, uint32_t max_rows,
                       size_t max_bytes, const uint16_t *sel, uint32_t n_sel, mem *m, vector *out,
                       nrw_error *e)
{
    source *s = self;

    (void)b;
    (void)max_bytes;
    (void)sel;
    (void)n_sel;
    s->read |= 1u << column;
    return vector_slice(&s->columns[column], first, max_rows, m, out, e);
}

static const column_source source_class = {.read = give};

/* The rows that pass, as bits; *read: the columns that were looked at. */
static uint32_t passes(mem *m, const predicate *p, predicate_cache *c, const schema *s, form f,
                       uint32_t *read)
{
    batch_column cols[COLUMNS] = {0};
    source src = {0};
    batch b = {.last = true, .rows = ROWS, .n_cols = COLUMNS, .cols = cols, .m = m};
    uint8_t bits[BATCH_MAX_ROWS / 8 + 64] = {0};
    const uint32_t *places;

    for (uint32_t i = 0; i < COLUMNS; i++) {
        cols[i].tag = i;
        make_vector(m, &s->fields[i].type, f, &src.columns[i]);
    }
    b.source = &source_class;
    b.source_self = &src;
    predicate_columns(p, &places); /* the batch has all columns in their places */
    assert_ok(predicate_test(p, c, &b, places, SIZE_MAX, bits, &err), &err);
    *read = src.read;
    for (uint32_t i = 0; i < COLUMNS; i++) {
        if (cols[i].held) {
            vector_release(cols[i].held);
            mem_free(m, cols[i].held, sizeof(vector));
        }
        vector_release(&src.columns[i]);
    }
    return bits[0];
}

/* rows: a character each, 1 passes. In every form, with the room to remember and without. */
static void gives(const char *text, const char *rows)
{
    mem *m = test_mem_open(16 << 20);
    arena *a;
    predicate *p;
    uint32_t want = 0, read;

    err = (nrw_error)NRW_ERROR_INIT;
    assert_ok(arena_new(m, &a, &err), &err);
    schema s = the_schema(a);
    assert_ok(predicate_parse(a, &text, 1, &s, "in.parquet", &p, &err), &err);
    for (uint32_t i = 0; i < ROWS; i++)
        want |= (uint32_t)(rows[i] == '1') << i;
    for (int f = 0; f < FORMS; f++)
        for (size_t room = 0; room <= 4096; room += 4096) {
            predicate_cache *c;
            assert_ok(predicate_cache_new(m, p, room, &c, &err), &err);
            for (int again = 0; again < 2; again++) {
                uint32_t got = passes(m, p, c, &s, f, &read);
                if (got != want)
                    fail_msg("%s, form %d: %02x, wanted %02x", text, f, got, want);
            }
            predicate_cache_free(c);
        }
    arena_free(a);
    test_mem_close(m);
}

static void refused(const char *text, const char *sentence)
{
    mem *m = test_mem_open(16 << 20);
    arena *a;
    predicate *p;
    nrw_error e = NRW_ERROR_INIT;
    char line[1200];

    assert_ok(arena_new(m, &a, &err), &err);
    schema s = the_schema(a);
    assert_status(NRW_E_ARG, predicate_parse(a, &text, 1, &s, "in.parquet", &p, &e), &e);
    nrw_error_print(&e, line, sizeof line);
    if (!strstr(line, sentence))
        fail_msg("%s: %s, wanted: %s", text, line, sentence);
    arena_free(a);
    test_mem_close(m);
}

/* ---- answers ---- */

static void whole_numbers(void **state)
{
    (void)state;
    /* rows: -128 -1 0 1 2 100 127 null */
    gives("i8 = 1", "00010000");
    gives("i32 <> 1", "11101110");
    gives("i64 < 0", "11000000");
    gives("i64 <= 0", "11100000");
    gives("0 < i64", "00011110");
    gives("i8 > 1000", "00000000");
    gives("i8 < 1000", "11111110");
    gives("i8 >= -1000", "11111110");
    gives("i32 = 2.5", "00000000");
    gives("i32 <> 2.5", "11111110");
    gives("i32 < 1.5", "11110000");
    gives("i32 >= 1.5", "00001110");
    gives("i32 > -1.5", "01111110");
    gives("i32 < -0.5", "11000000");
    gives("i64 < 1e400", "11111110");
    gives("i64 > -1e400", "11111110");
    gives("i64 < 9223372036854775808", "11111110");
    gives("i64 < -9223372036854775808", "00000000");
    gives("i64 >= -9223372036854775808", "11111110");
    gives("i32 = 1e2", "00000100");
    gives("i32 = '100'", "00000100");
    gives("i32 = 1_00.0", "00000100");
    gives("i32 = - -1", "00010000");
    gives("i32 > .5", "00011110");
    /* rows: 0 1 2 3 4 5 max null */
    gives("u64 = 18446744073709551615", "00000010");
    gives("u64 < 18446744073709551616", "11111110");
    gives("u64 > -0.5", "11111110");
    gives("u64 < -1", "00000000");
    gives("u64 > 4.5", "00000110");
}

static void reals(void **state)
{
    (void)state;
    /* rows: -inf -1.5 -0 0 0.1 1e300 nan null; in 32 and 16 bits 1e300 is inf, the largest */
    gives("f64 = 0", "00110000");
    gives("f64 = 0.1", "00001000");
    gives("f32 = 0.1", "00001000");
    gives("f32 = 1e-1", "00000000");
    gives("f32 > 1e-1", "00001110");
    gives("f64 > 1e300", "00000010");
    gives("f64 > 1e400", "00000010");
    gives("f64 < 1e400", "11111100");
    gives("f32 > 1e39", "00000110");
    gives("f64 = 'nan'", "00000010");
    gives("f64 <> 'NaN'", "11111100");
    gives("f64 <= 'inf'", "11111100");
    gives("f64 < 'nan'", "11111100");
    gives("f64 = '-infinity'", "10000000");
    gives("f64 IN (0, 'nan')", "00110010");
    gives("f64 NOT IN (0, 'nan')", "11001100");
    gives("half < 0", "11000000");
    gives("half >= 0", "00111110");
    gives("half > 60000", "00000110");
}

static void other_types(void **state)
{
    (void)state;
    gives("flag", "01010100");
    gives("NOT flag", "10101010");
    gives("flag = TRUE", "01010100");
    gives("flag IS NOT TRUE", "10101011");
    gives("flag IS FALSE", "10101010");
    gives("NOT (flag IS FALSE)", "01010101");
    gives("day = '2025-01-03'", "00100000");
    gives("day >= DATE '2025-1-3'", "00111110");
    gives("day < TIMESTAMP '2025-01-03 00:00:01'", "11100000");
    gives("day = TIMESTAMP '2025-01-03 00:00:01'", "00000000");
    gives("date > '2025-01-06'", "00000010");
    gives("date > date '2025-01-06'", "00000010");
    gives("ms >= '2025-01-01 00:00:00.003'", "00011110");
    gives("ms > '2025-01-01T00:00:00.0025Z'", "00011110");
    gives("ms = '2025-01-01 00:00:00.0025'", "00000000");
    gives("ms <= '2025-01-01 01:00:00.002+01'", "11100000");
    gives("ms < '294276-12-31'", "11111110");
    gives("ns = '2025-01-01 00:00:00.000000003'", "00010000");
    gives("ns > DATE '2025-01-01'", "01111110");
    gives("ns < '9999-12-31'", "11111110");
    gives("ns > '0001-01-01'", "11111110");
    gives("clock = '03:00'", "00010000");
    gives("clock >= TIME '04:30:00.5'", "00000110");
    /* -64 -0.5 0 0.5 1 50 63.5 */
    gives("dec = 0.5", "00010000");
    gives("dec = 0.500", "00010000");
    gives("dec = 0.501", "00000000");
    gives("dec < 0.501", "11110000");
    gives("dec > -0.501", "01111110");
    gives("dec < 1e30", "11111110");
    gives("dec = 5e-1", "00010000");
    gives("wide = 0.5", "00010000");
    gives("wide > 0.4999", "00011110");
    gives("wide <= -0.5", "11000000");
    gives("wide < -1e80", "00000000");
    gives("wide <> 1e80", "11111110");
    gives("wide IN (1, 50.0, 7, 1.0001)", "00001100");
    gives("blob = 'a'", "01000000");
    gives("blob > '\\x61'", "00111010");
    gives("blob = 'z\\xC3\\xBCrich'", "00010000");
    gives("id = '00000000-0000-0000-0000-000000000003'", "00010000");
    gives("id > '7fffffff-ffff-ffff-ffff-ffffffffffff'", "00000010");
    gives("none = 1", "00000000");
    gives("none IS NULL", "11111111");
    gives("NOT (none = 1)", "00000000");
    gives("gap IS NOT NULL", "11111110");
}

static void text(void **state)
{
    (void)state;
    /* "", a, ab, zürich, a long text with more, 100%, b, null */
    gives("text = 'ab'", "00100000");
    gives("text < 'ab'", "11001100");
    gives("text LIKE 'a%'", "01101000");
    gives("text NOT LIKE 'a%'", "10010110");
    gives("text LIKE 'a'", "01000000");
    gives("text LIKE '_'", "01000010");
    gives("text LIKE '__'", "00100000");
    gives("text LIKE 'z_rich'", "00010000");
    gives("text LIKE '%ic%'", "00010000");
    gives("text LIKE '%t%t%e'", "00001000");
    gives("text LIKE '%'", "11111110");
    gives("text LIKE ''", "10000000");
    gives("text LIKE '%0%'", "00000100");
    gives("text LIKE '1_0_'", "00000100");
    gives("text LIKE NULL", "00000000");
    gives("text IN ('b', '', 'none', 'b')", "10000010");
    gives("text BETWEEN 'a' AND 'b'", "01101010");
    gives("text NOT BETWEEN 'a' AND 'b'", "10010100");
    gives("\"text\" = 'it''s'", "00000000");
}

static void logic(void **state)
{
    (void)state;
    gives("i8 > 0 AND i8 < 100", "00011000");
    gives("i8 > 0 OR i8 IS NULL", "00011111");
    gives("NOT (i8 > 0)", "11100000");
    gives("NOT (i8 > 0 AND i8 < 100)", "11100110");
    gives("NOT (i8 > 0 OR i32 IS NULL)", "11100000");
    gives("NOT NOT i8 = 1", "00010000");
    gives("i8 = 1 OR i8 = 2 AND i8 = 3", "00010000");
    gives("(i8 = 1 OR i8 = 2) AND i32 = 2", "00001000");
    gives("i8 = NULL", "00000000");
    gives("NOT (i8 = NULL)", "00000000");
    gives("i8 = NULL OR i8 = 1", "00010000");
    gives("i8 IN (1, NULL)", "00010000");
    gives("i8 NOT IN (1, NULL)", "00000000");
    gives("i8 NOT IN (1, 2, 2.5)", "11100110");
    gives("i8 BETWEEN NULL AND 5", "00000000");
    gives("NOT (i8 BETWEEN NULL AND 5)", "00000110");
    gives("i8 IS DISTINCT FROM 1", "11101111");
    gives("i8 IS NOT DISTINCT FROM 1", "00010000");
    gives("NOT (i8 IS DISTINCT FROM NULL)", "00000001");
    gives("i8 IS DISTINCT FROM NULL", "11111110");
    gives("TRUE AND i8 = 1", "00010000");
    gives("FALSE OR i8 = 1", "00010000");
    gives("i8 = 1 OR TRUE", "11111111");
    gives("NULL", "00000000");
    gives("1 = 1.0 AND 'a' < 'b'", "11111111");
    gives("i8 > 1 IS TRUE", "00001110");
    gives("(i8 > 1) IS FALSE", "11110000");
    gives("i8 > 5 AND i8 < 2", "00000000");
    gives("\"group\" = i32", "11111110");
    gives("\"group\" <= req", "11111110");
}

static void columns(void **state)
{
    (void)state;
    gives("\"a.b\" = i32", "11111110");
    gives("i32 <> req", "00000000");
    gives("i32 IS NOT DISTINCT FROM req", "11111111");
    gives("i32 IS DISTINCT FROM req", "00000000");
    gives("day < date", "00000000");
    refused("i32 = i64", "columns of different types are compared: INTEGER and BIGINT");
}

/* A list that is decided is left, and its other columns are not read. */
static void laziness(void **state)
{
    const char *text = "i8 = 55 AND text LIKE 'a%' OR i32 < 0 AND i64 > 1000 AND flag";
    mem *m = test_mem_open(16 << 20);
    arena *a;
    predicate *p;
    predicate_cache *c;
    uint32_t read;

    (void)state;
    assert_ok(arena_new(m, &a, &err), &err);
    schema s = the_schema(a);
    assert_ok(predicate_parse(a, &text, 1, &s, "in.parquet", &p, &err), &err);
    assert_ok(predicate_cache_new(m, p, 4096, &c, &err), &err);
    assert_int_equal(passes(m, p, c, &s, FLAT, &read), 0);
    assert_int_equal(read, 1u << 0 | 1u << 1 | 1u << 2);
    predicate_cache_free(c);
    arena_free(a);
    test_mem_close(m);
}

static void refusals(void **state)
{
    (void)state;
    refused("group = 7", "--where, character 1: group is a keyword of SQL; as a column write it in "
                         "double quotes: --where '\"group\" = 7'");
    refused("i8 = 1 and order > 2", "character 12: order is a keyword");
    refused("z\xc3\xbc = 1", "character 1: in.parquet has no column z\xc3\xbc");
    refused("text = 'z\xc3\xbc' and tex = 'a'", "character 17: in.parquet has no column tex; did "
                                                "you mean text?");
    refused("", "the condition is empty");
    refused("  -- nothing\n", "the condition is empty");
    refused("i8 =", "character 5: the condition ends where a column or a literal should be");
    refused("i8 = 1 i8", "character 8: expected AND, OR or the end, found i8");
    refused("(i8 = 1", "the condition ends where a closing parenthesis should be");
    refused("i8 = 'a", "character 6: the closing ' is missing");
    refused("i8 = 1 /* x", "character 8: the comment does not end");
    refused("i8 = 12a", "character 8: a number is followed by letters");
    refused("i8 = 'x'", "character 6: 'x' is not TINYINT");
    refused("i8 = '2.5'", "'2.5' is not TINYINT");
    refused("text = 5", "VARCHAR is compared with a number; text is written in quotes: '5'");
    refused("day = '2025-02-29'", "'2025-02-29' is not DATE");
    refused("day >= '2025-01-01 12:00:00'", "is not DATE");
    refused("day = 20250101", "DATE is compared with a number");
    refused("ms = '2025-01-01 25:00'", "is not TIMESTAMP");
    refused("ms = '2025-01-01 10:00:00.1234567891'", "is not TIMESTAMP");
    refused("id = '12'", "'12' is not UUID");
    refused("blob = '\\x1'", "is not BLOB");
    refused("flag = 1", "BOOLEAN is compared with a number");
    refused("i8", "a column that is not BOOLEAN stands as a condition");
    refused("5", "a literal stands as a condition");
    refused("TRUE = FALSE", "two literals are compared");
    refused("i8 = 1 = 2", "comparisons do not chain");
    refused("(i8 = 1) = 2", "a condition is compared");
    refused("i8 + 1 = 2", "arithmetic is not part of conditions");
    refused("abs(i8) = 2", "functions are not part of conditions");
    refused("a.b = 2", "has no column a.b");
    refused("a. = 2", "character 4: expected the name of a part, found =");
    refused("a.b(i8) = 2", "functions are not part of conditions");
    refused("gap = '1 day'", "INTERVAL is not compared");
    refused("i8 LIKE 'a'", "LIKE takes a column of text");
    refused("text LIKE text", "the pattern of LIKE is text in quotes");
    refused("i8 IN (i32)", "the list of IN is made of literals");
    refused("i8 IN ()", "expected a column or a literal, found )");
    refused("i8 NOT 5", "expected IN, BETWEEN or LIKE, found 5");
    refused("i8 IS 5", "expected NULL, TRUE, FALSE or DISTINCT FROM, found 5");
    refused("(i8 = 1) IS NULL", "IS NULL takes a column");
    refused("(i8 = 1) IS NOT TRUE", "IS NOT TRUE takes a column");
    refused("interval '1 day' = gap", "interval is no type that may stand before a literal");
    refused("i8 = \"\"", "a name of no characters");
    refused("i8 = 1 ; drop", "expected AND, OR or the end, found ;");
    refused("i8 = \xff", "the condition is not UTF-8");
    char deep[1000] = "";
    memset(deep, '(', 500);
    refused(deep, "more than 100 levels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_numbers), cmocka_unit_test(reals),
                                       cmocka_unit_test(other_types),   cmocka_unit_test(text),
                                       cmocka_unit_test(logic),         cmocka_unit_test(columns),
                                       cmocka_unit_test(laziness),      cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
