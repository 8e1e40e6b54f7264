/* The constants are what DuckDB 2.0 writes, except where a comment says so. */
#include "format/text/text.h"
#include "temp_folder.h"

#include <math.h>
#include <pthread.h>

static nrw_error err = NRW_ERROR_INIT;

typedef struct fixture {
    mem *m;
    temp_folder folder;
    char *text; /* what the last writer wrote */
    size_t len;
} fixture;

static void open_fixture(fixture *f)
{
    *f = (fixture){.m = test_mem_open(256 << 20)};
    temp_folder_make(&f->folder);
}

static void close_fixture(fixture *f)
{
    free(f->text);
    temp_folder_remove(&f->folder);
    test_mem_close(f->m);
}

static void read_back(fixture *f)
{
    FILE *file = fopen(temp_path(&f->folder, "out"), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    f->len = (size_t)ftell(file);
    rewind(file);
    free(f->text);
    f->text = malloc(f->len + 1);
    assert_int_equal(fread(f->text, 1, f->len, file), f->len);
    f->text[f->len] = 0;
    fclose(file);
}

typedef struct job {
    target *t;
    writer *w;
    mem *m;
} job;

static job start(fixture *f, const schema *s, text_kind kind, text_options opts)
{
    job j = {.m = f->m};
    assert_ok(target_open(f->m, temp_path(&f->folder, "out"), EXISTS_REPLACE, &j.t, &err), &err);
    assert_ok(text_writer_open(f->m, j.t, s, kind, &opts, 2, &j.w, &err), &err);
    return j;
}

static file_summary end(fixture *f, job *j)
{
    file_summary sum;
    assert_ok(j->w->class->finish(j->w, &sum, &err), &err);
    j->w->class->close(j->w);
    assert_ok(target_publish(j->t, &err), &err);
    target_close(j->t);
    read_back(f);
    assert_int_equal(sum.bytes, f->len);
    return sum;
}

/* Pushes the vectors as a whole morsel; they are shared, not taken. */
static void push(job *j, uint64_t morsel, const vector *v, uint32_t n, const uint16_t *sel,
                 uint32_t n_sel)
{
    batch_column cols[16];
    batch b = {
        .morsel = morsel, .last = true, .rows = v[0].len, .n_cols = n, .cols = cols, .m = j->m};
    for (uint32_t c = 0; c < n; c++) {
        void *p;
        assert_ok(mem_alloc(j->m, sizeof(vector), &p, &err), &err);
        assert_ok(vector_share(&v[c], p, &err), &err);
        cols[c] = (batch_column){.state = COLUMN_HELD, .tag = c, .held = p};
    }
    if (sel) {
        void *p;
        assert_ok(mem_alloc(j->m, BATCH_MAX_ROWS * sizeof *sel, &p, &err), &err);
        memcpy(p, sel, n_sel * sizeof *sel);
        batch_select(&b, p, n_sel);
    }
    assert_ok(j->w->class->push(j->w, &b, &err), &err);
    batch_release(&b);
}

/* Flat vector of n values; of views, texts[i] (NULL: null), else bytes one after the other. */
static vector flat(mem *m, type t, uint32_t n, const void *values)
{
    vector v;
    assert_ok(vector_flat(m, &t, n, &v, &err), &err);
    v.len = n;
    if (!type_is_view(&t)) {
        memcpy(v.data, values, (size_t)n * t.width);
        return v;
    }
    memset(v.data, 0, 16 * (size_t)n);
    for (uint32_t i = 0; i < n; i++) {
        const char *text = ((const char *const *)values)[i];
        int32_t heap = 0;
        if (!text) {
            assert_ok(vector_add_validity(&v, &err), &err);
            bit_clear(v.validity, i);
            v.null_count++;
            continue;
        }
        size_t len = strlen(text);
        buffer *b;
        assert_ok(buffer_new(m, len, &b, &err), &err);
        memcpy(b->data, text, len);
        if (len > VIEW_INLINE)
            assert_ok(vector_add_heap(&v, b, &heap, &err), &err);
        ((view *)v.data)[i] = view_make(b->data, (int32_t)len, heap, 0);
        buffer_unref(b);
    }
    return v;
}

static void set_null(vector *v, uint32_t row)
{
    assert_ok(vector_add_validity(v, &err), &err);
    bit_clear(v->validity, row);
    if (v->form == VECTOR_FLAT && !type_is_nested(&v->type))
        memset(v->data + (size_t)row * v->type.width, 0, v->type.width);
    v->null_count++;
}

/* One value through a writer: without header, line end cut off. */
static void one(fixture *f, text_kind kind, text_options opts, type t, const void *value,
                const char *want)
{
    field fields[1] = {{.name = "a", .type = t, .nullable = true}};
    schema s = {1, fields};
    vector v = flat(f->m, t, 1, value);
    opts.no_header = true;
    job j = start(f, &s, kind, opts);
    push(&j, 0, &v, 1, NULL, 0);
    end(f, &j);
    vector_release(&v);
    assert_true(f->len > 0);
    f->text[f->len - 1] = 0;
    assert_string_equal(f->text, want);
}

static void text_value(fixture *f, const char *text, const char *csv, const char *json)
{
    text_options none = {0};
    one(f, TEXT_CSV, none, type_of(TYPE_UTF8), &text, csv);
    one(f, TEXT_JSON, none, type_of(TYPE_UTF8), &text, json);
}

static void texts(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    text_value(&f, "a,b", "\"a,b\"", "{\"a\":\"a,b\"}");
    text_value(&f, "a\"b", "\"a\"\"b\"", "{\"a\":\"a\\\"b\"}");
    text_value(&f, "a\nb", "\"a\nb\"", "{\"a\":\"a\\nb\"}");
    text_value(&f, "a\rb", "\"a\rb\"", "{\"a\":\"a\\rb\"}");
    text_value(&f, " a ", " a ", "{\"a\":\" a \"}");
    text_value(&f, "a#b", "\"a#b\"", "{\"a\":\"a#b\"}");
    text_value(&f, "a;b|c'd", "a;b|c'd", "{\"a\":\"a;b|c'd\"}");
    text_value(&f, "", "\"\"", "{\"a\":\"\"}");
    text_value(&f, NULL, "", "{\"a\":null}");
    text_value(&f, "NULL", "NULL", "{\"a\":\"NULL\"}");
    text_value(&f, "a\tb", "a\tb", "{\"a\":\"a\\tb\"}");
    text_value(&f, "\"", "\"\"\"\"", "{\"a\":\"\\\"\"}");
    text_value(&f, "a\\c/d", "a\\c/d", "{\"a\":\"a\\\\c/d\"}");
    text_value(&f, "\x01\x0b\x1b\x7f", "\x01\x0b\x1b\x7f", "{\"a\":\"\\u0001\\u000B\\u001B\x7f\"}");
    text_value(&f, "long enough to lie in a heap, with comma",
               "\"long enough to lie in a heap, with comma\"",
               "{\"a\":\"long enough to lie in a heap, with comma\"}");
    text_value(&f, "long enough to lie in a heap: é€😀", "long enough to lie in a heap: é€😀",
               "{\"a\":\"long enough to lie in a heap: é€😀\"}");
    close_fixture(&f);
}

static void options_of_csv(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    const char *na = "NA", *empty = "", *within = "xNAx", *semicolons = "a;b", *commas = "a,b";
    type t = type_of(TYPE_UTF8);
    text_options null = {.null = "NA"}, semi = {.delim = ';'}, zero = {.null = "0"};
    one(&f, TEXT_CSV, null, t, &na, "\"NA\"");
    one(&f, TEXT_CSV, null, t, &empty, "");
    one(&f, TEXT_CSV, null, t, &within, "xNAx");
    one(&f, TEXT_CSV, null, t, &(const char *){NULL}, "NA");
    one(&f, TEXT_CSV, semi, t, &semicolons, "\"a;b\"");
    one(&f, TEXT_CSV, semi, t, &commas, "a,b");
    one(&f, TEXT_CSV, zero, type_of(TYPE_INT32), &(int32_t){0}, "\"0\"");
    one(&f, TEXT_CSV, zero, type_of(TYPE_INT32), &(int32_t){10}, "10");
    one(&f, TEXT_CSV, (text_options){.delim = '.'}, type_of(TYPE_FLOAT64), &(double){1.5},
        "\"1.5\"");
    one(&f, TEXT_CSV, (text_options){.delim = '-'}, type_of(TYPE_INT32), &(int32_t){-5}, "\"-5\"");
    one(&f, TEXT_CSV, (text_options){.delim = ' '}, type_timestamp(UNIT_US, false), &(int64_t){0},
        "\"1970-01-01 00:00:00\"");
    schema s = {0, NULL};
    writer *w;
    target *tg;
    assert_ok(target_open(f.m, temp_path(&f.folder, "x"), EXISTS_FAIL, &tg, &err), &err);
    text_options bad = {.delim = '"'};
    assert_int_equal(text_writer_open(f.m, tg, &s, TEXT_CSV, &bad, 1, &w, &err), NRW_E_ARG);
    assert_null(w);
    target_close(tg);
    close_fixture(&f);
}

static void json(fixture *f, type t, const void *value, const char *want)
{
    char line[200];
    snprintf(line, sizeof line, "{\"a\":%s}", want);
    one(f, TEXT_JSON, (text_options){0}, t, value, line);
}

static void values_as_json(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    type d = type_of(TYPE_FLOAT64), s = type_of(TYPE_FLOAT32);
    json(&f, type_of(TYPE_INT64), &(int64_t){INT64_MIN}, "-9223372036854775808");
    json(&f, type_of(TYPE_UINT64), &(uint64_t){UINT64_MAX}, "18446744073709551615");
    json(&f, type_of(TYPE_BOOL), &(uint8_t){1}, "true");
    json(&f, d, &(double){NAN}, "NaN");
    json(&f, d, &(double){-INFINITY}, "-Infinity");
    json(&f, s, &(float){0.1f}, "0.10000000149011612");
    json(&f, s, &(float){123456792}, "123456792.0");
    json(&f, d, &(double){1e20}, "100000000000000000000.0");
    json(&f, d, &(double){1e22}, "1e22");
    json(&f, d, &(double){-0.0}, "-0.0");
    json(&f, type_decimal(10, 2), &(int64_t){1230}, "12.3");
    json(&f, type_decimal(4, 2), &(int32_t){500}, "5.0");
    json(&f, type_decimal(4, 2), &(int32_t){-5}, "-0.05");
    json(&f, type_decimal(9, 0), &(int32_t){100000}, "100000.0");
    json(&f, type_decimal(9, 2), &(int32_t){0}, "0.0");
    json(&f, type_decimal(15, 3), &(int64_t){12345678123}, "12345678.123");
    json(&f, type_decimal(18, 2), &(int64_t){10050}, "100.50");
    json(&f, type_decimal(18, 2), &(int64_t){123456789012345670}, "1234567890123456.70");
    json(&f, type_decimal(38, 38), (uint64_t[]){5, 0},
         "0.00000000000000000000000000000000000005"); /* DuckDB leaves the first 0 out: no JSON */
    json(&f, type_of(TYPE_DATE), &(int32_t){19753}, "\"2024-01-31\"");
    json(&f, type_time(UNIT_US, false), &(int64_t){45296500000}, "\"12:34:56.5\"");
    json(&f, type_timestamp(UNIT_US, true), &(int64_t){1706704496789000},
         "\"2024-01-31 12:34:56.789+00\"");
    json(&f, type_of(TYPE_INTERVAL), (uint32_t[]){1, 0, 0}, "\"1 month\"");
    json(&f, type_of(TYPE_UUID), "\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
         "\"00010203-0405-0607-0809-0a0b0c0d0e0f\"");
    json(&f, type_fixed(4),
         "\0\xaa"
         "ab",
         "\"\\\\x00\\\\xAAab\"");
    const char *blob = "\xaa,#\"";
    json(&f, type_of(TYPE_BINARY), &blob, "\"\\\\xAA,#\\\\x22\"");
    one(&f, TEXT_CSV, (text_options){0}, type_of(TYPE_BINARY), &blob, "\"\\xAA,#\\x22\"");
    const char *embedded = "{\"x\": [1, 2]}", *broken = "{\"x\":\n [1, 2}";
    json(&f, type_of(TYPE_JSON), &embedded, "{\"x\":[1,2]}");
    json(&f, type_of(TYPE_JSON), &broken, "\"{\\\"x\\\":\\n [1, 2}\"");
    one(&f, TEXT_CSV, (text_options){0}, type_of(TYPE_JSON), &embedded, "\"{\"\"x\"\": [1, 2]}\"");
    close_fixture(&f);
}

static void names_that_came_before(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    static const char *const names[] = {"a", "A_1", "A", "a_1", "x,y", "#b", "c\"d", ""};
    field fields[8];
    vector v[8];
    for (int i = 0; i < 8; i++) {
        fields[i] = (field){.name = names[i], .type = type_of(TYPE_INT32)};
        v[i] = flat(f.m, fields[i].type, 1, &(int32_t){i});
    }
    schema s = {8, fields};
    job j = start(&f, &s, TEXT_CSV, (text_options){0});
    push(&j, 0, v, 8, NULL, 0);
    end(&f, &j);
    assert_string_equal(f.text, "a,A_1,A_2,a_1_1,\"x,y\",\"#b\",\"c\"\"d\",\"\"\n"
                                "0,1,2,3,4,5,6,7\n");
    j = start(&f, &s, TEXT_JSON, (text_options){0});
    push(&j, 0, v, 8, NULL, 0);
    end(&f, &j);
    assert_string_equal(f.text, "{\"a\":0,\"A_1\":1,\"A_2\":2,\"a_1_1\":3,\"x,y\":4,\"#b\":5,"
                                "\"c\\\"d\":6,\"\":7}\n");
    for (int i = 0; i < 8; i++)
        vector_release(&v[i]);
    close_fixture(&f);
}

static void without_rows(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    field fields[2] = {{.name = "a", .type = type_of(TYPE_INT32)},
                       {.name = "b", .type = type_of(TYPE_UTF8)}};
    schema s = {2, fields};
    job j = start(&f, &s, TEXT_CSV, (text_options){0});
    end(&f, &j);
    assert_string_equal(f.text, "a,b\n");
    j = start(&f, &s, TEXT_JSON, (text_options){0});
    end(&f, &j);
    assert_string_equal(f.text, "");
    j = start(&f, &s, TEXT_TABLE, (text_options){0});
    end(&f, &j);
    assert_string_equal(f.text, "┌───────┬─────────┐\n"
                                "│   a   │    b    │\n"
                                "│ int32 │ varchar │\n"
                                "└───────┴─────────┘\n"
                                "  0 rows\n");
    close_fixture(&f);
}

/* ---- many rows: forms, selections, cuts and threads do not show ---- */

#define ROWS 5000

static vector as_dict(mem *m, const vector *v)
{
    vector values, out;
    dict *d;
    assert_ok(vector_share(v, &values, &err), &err);
    assert_ok(dict_new(m, &values, &d, &err), &err);
    assert_ok(vector_dict(m, &v->type, d, ROWS, &out, &err), &err);
    dict_unref(d);
    out.len = ROWS;
    for (uint32_t i = 0; i < ROWS; i++)
        ((uint32_t *)out.data)[i] = i / 7 % v->len;
    set_null(&out, 11);
    set_null(&out, 4999);
    return out;
}

/* The same rows as runs: nulls at 11 and 4999 cut them. */
static vector as_runs(mem *m, const vector *dicts)
{
    uint16_t sel[ROWS];
    uint32_t ends[ROWS], n = 0;
    vector values, out;
    for (uint32_t i = 0; i < ROWS; i++) {
        bool cut = i % 7 == 0 || i == 11 || i == 12 || i == 4999;
        if (cut)
            sel[n++] = (uint16_t)i;
        ends[n - 1] = i + 1;
    }
    assert_ok(vector_take(dicts, sel, n, m, &values, &err), &err);
    assert_ok(vector_runs(m, &values, ROWS, &out, &err), &err);
    memcpy(out.data, ends, n * sizeof *ends);
    vector_count_nulls(&out);
    assert_ok(vector_validate(&out, &err), &err);
    return out;
}

typedef struct pusher {
    job *j;
    const vector *v;
    uint32_t n;
    _Atomic uint64_t *next;
    uint64_t morsels;
} pusher;

static void *push_morsels(void *arg)
{
    pusher *p = arg;
    for (;;) {
        uint64_t morsel = atomic_fetch_add(p->next, 1);
        if (morsel >= p->morsels)
            return NULL;
        push(p->j, morsel, p->v, p->n, NULL, 0);
    }
}

static void many_rows(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    static const char *const words[] = {"x", "longer than what fits inline", "with,comma",
                                        "with \"quotes\" in a long text", ""};
    static const double numbers[] = {0.1, -2, 1e300, 7};
    vector w = flat(f.m, type_of(TYPE_UTF8), 5, words);
    vector d = flat(f.m, type_of(TYPE_FLOAT64), 4, numbers);
    vector forms[3][2];
    forms[1][0] = as_dict(f.m, &w);
    forms[1][1] = as_dict(f.m, &d);
    for (int c = 0; c < 2; c++) {
        assert_ok(vector_flatten(&forms[1][c], f.m, &forms[0][c], &err), &err);
        forms[2][c] = as_runs(f.m, &forms[1][c]);
    }
    field fields[2] = {{.name = "w", .type = w.type}, {.name = "d", .type = d.type}};
    schema s = {2, fields};
    uint16_t sel[ROWS / 2];
    for (uint32_t i = 0; i < ROWS / 2; i++)
        sel[i] = (uint16_t)(2 * i + 1);
    for (int kind = TEXT_CSV; kind <= TEXT_JSON; kind++) {
        char *whole = NULL, *half = NULL;
        for (int form = 0; form < 3; form++) {
            job j = start(&f, &s, (text_kind)kind, (text_options){0});
            for (uint64_t i = 0; i < 20; i++)
                push(&j, i, forms[form], 2, NULL, 0);
            assert_int_equal(end(&f, &j).rows, 20 * ROWS);
            if (!whole)
                whole = strdup(f.text);
            assert_string_equal(f.text, whole);
            _Atomic uint64_t next = 0;
            j = start(&f, &s, (text_kind)kind, (text_options){0});
            pthread_t threads[3];
            pusher p = {&j, forms[form], 2, &next, 20};
            for (int i = 0; i < 3; i++)
                pthread_create(&threads[i], NULL, push_morsels, &p);
            for (int i = 0; i < 3; i++)
                pthread_join(threads[i], NULL);
            end(&f, &j);
            assert_string_equal(f.text, whole);
            j = start(&f, &s, (text_kind)kind, (text_options){0});
            push(&j, 0, forms[form], 2, sel, ROWS / 2);
            end(&f, &j);
            if (!half)
                half = strdup(f.text);
            assert_string_equal(f.text, half);
        }
        static const char first[] = "w,d\nx,0.1\nx,0.1\nx,0.1\nx,0.1\nx,0.1\nx,0.1\nx,0.1\n"
                                    "longer than what fits inline,-2.0\n";
        if (kind == TEXT_CSV)
            assert_memory_equal(whole, first, sizeof first - 1);
        else
            assert_non_null(strstr(half, "{\"w\":\"longer than what fits inline\",\"d\":-2.0}\n"));
        free(whole);
        free(half);
    }
    for (int form = 0; form < 3; form++)
        for (int c = 0; c < 2; c++)
            vector_release(&forms[form][c]);
    vector_release(&w);
    vector_release(&d);
    close_fixture(&f);
}

/* Long texts go through in pieces, within the least memory that the budget names. */
static void long_texts(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    size_t n = 3 << 20;
    char *plain = malloc(n + 1), *nasty = malloc(n + 1), *doc = malloc(n + 1);
    memset(plain, 'p', n);
    memset(nasty, '"', n);
    memset(doc, ' ', n);
    plain[n] = nasty[n] = doc[n] = 0;
    doc[0] = '[';
    doc[n - 1] = ']';
    const char *values[3] = {plain, nasty, "short"};
    const char *docs[3] = {doc, nasty, "1"};
    field fields[3] = {{.name = "t", .type = type_of(TYPE_UTF8)},
                       {.name = "b", .type = type_of(TYPE_BINARY)},
                       {.name = "j", .type = type_of(TYPE_JSON)}};
    schema s = {3, fields};
    vector v[3] = {flat(f.m, fields[0].type, 3, values), flat(f.m, fields[1].type, 3, values),
                   flat(f.m, fields[2].type, 3, docs)};
    job j = start(&f, &s, TEXT_CSV, (text_options){0});
    push(&j, 0, v, 3, NULL, 0);
    end(&f, &j);
    assert_int_equal(f.len, 6 + (n + 1 + n + 1 + n + 1) +
                                (2 * n + 2 + 1 + 4 * n + 1 + 2 * n + 2 + 1) +
                                strlen("short,short,1\n"));
    j = start(&f, &s, TEXT_JSON, (text_options){0});
    push(&j, 0, v, 3, NULL, 0);
    end(&f, &j);
    size_t frame = strlen("{\"t\":\"\",\"b\":\"\",\"j\":}\n");
    assert_int_equal(f.len,
                     3 * frame + (n + n + 2) + (2 * n + 5 * n + 2 * n + 2) + strlen("shortshort1"));
    for (int c = 0; c < 3; c++)
        vector_release(&v[c]);
    /* plain text alone, with little memory */
    schema first = {2, fields};
    budget b;
    text_options none = {0};
    assert_ok(text_write_budget(&first, TEXT_JSON, &none, 1, &b, &err), &err);
    vector two[2] = {flat(f.m, fields[0].type, 3, values), flat(f.m, fields[1].type, 3, values)};
    mem *grant;
    assert_ok(mem_child(f.m, "text writer", b.least, &grant, &err), &err);
    j = (job){.m = f.m};
    assert_ok(target_open(f.m, temp_path(&f.folder, "out"), EXISTS_REPLACE, &j.t, &err), &err);
    assert_ok(text_writer_open(grant, j.t, &first, TEXT_JSON, &none, 1, &j.w, &err), &err);
    push(&j, 0, two, 2, NULL, 0);
    assert_true(mem_peak(grant) <= b.least);
    end(&f, &j);
    mem_free_account(grant);
    vector_release(&two[0]);
    vector_release(&two[1]);
    free(plain);
    free(nasty);
    free(doc);
    close_fixture(&f);
}

/* ---- tables ---- */

static void tables(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    static const char *const texts[] = {"x0", NULL, "abc\ndef\ag"};
    static const char *const wide[] = {
        "😀é日本", "", "a text of more than sixty columns, which is cut where it would pass them"};
    field fields[4] = {{.name = "a", .type = type_of(TYPE_INT64)},
                       {.name = "b", .type = type_decimal(21, 1)},
                       {.name = "c", .type = type_of(TYPE_UTF8)},
                       {.name = "d", .type = type_of(TYPE_UTF8)}};
    schema s = {4, fields};
    int64_t ints[] = {0, -1, 123456789}, decimals[] = {0, 0, 15, 0, 30, 0};
    vector v[4] = {flat(f.m, fields[0].type, 3, ints), flat(f.m, fields[1].type, 3, decimals),
                   flat(f.m, fields[2].type, 3, texts), flat(f.m, fields[3].type, 3, wide)};
    job j = start(&f, &s, TEXT_TABLE, (text_options){0});
    push(&j, 0, v, 4, NULL, 0);
    end(&f, &j);
    assert_string_equal(f.text, "┌───────────┬───────────────┬─────────────┬───────────────────────"
                                "───────────────────────────────────────┐\n"
                                "│     a     │       b       │      c      │                       "
                                "       d                               │\n"
                                "│   int64   │ decimal(21,1) │   varchar   │                       "
                                "    varchar                            │\n"
                                "├───────────┼───────────────┼─────────────┼───────────────────────"
                                "───────────────────────────────────────┤\n"
                                "│         0 │           0.0 │ x0          │ 😀é日本                "
                                "                                      │\n"
                                "│        -1 │           1.5 │ NULL        │                       "
                                "                                       │\n"
                                "│ 123456789 │           3.0 │ abc\\ndef\\ag │ a text of more than "
                                "sixty columns, which is cut where it wo… │\n"
                                "└───────────┴───────────────┴─────────────┴───────────────────────"
                                "───────────────────────────────────────┘\n");
    s.n_fields = 2; /* a batch may have more columns; a job may end before its time */
    j = start(&f, &s, TEXT_TABLE, (text_options){.ascii = true});
    push(&j, 0, v, 4, NULL, 0);
    j.w->class->stop(j.w);
    j.w->class->close(j.w);
    target_close(j.t);
    for (int c = 0; c < 4; c++)
        vector_release(&v[c]);
    close_fixture(&f);
}

static void cut_tables(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    field fields[1] = {{.name = "a", .type = type_of(TYPE_INT64)}};
    schema s = {1, fields};
    static const uint32_t batches[] = {60, 1, 7, 11};
    for (int i = 0; i < 4; i++) {
        job j = start(&f, &s, TEXT_TABLE, (text_options){.max_rows = 5, .ascii = true});
        for (uint32_t at = 0, k = 0; at < 60; k++) {
            int64_t values[60];
            uint32_t n = 60 - at < batches[i] ? 60 - at : batches[i];
            for (uint32_t r = 0; r < n; r++)
                values[r] = at++;
            vector v = flat(f.m, fields[0].type, n, values);
            push(&j, k, &v, 1, NULL, 0);
            vector_release(&v);
        }
        end(&f, &j);
        assert_string_equal(f.text, "+-------+\n|   a   |\n| int64 |\n+-------+\n|     0 |\n"
                                    "|     1 |\n|     2 |\n|     . |\n|     . |\n|     . |\n"
                                    "|    58 |\n|    59 |\n+-------+\n  60 rows (5 shown)\n");
    }
    for (uint32_t n = 4; n < 8; n++) { /* the ring of the last rows is not full, or there is none */
        int64_t values[] = {0, 1, 2, 3, 4, 5, 6, 7};
        job j = start(&f, &s, TEXT_TABLE, (text_options){.max_rows = 5, .ascii = true});
        vector v = flat(f.m, fields[0].type, n, values);
        push(&j, 0, &v, 1, NULL, 0);
        vector_release(&v);
        end(&f, &j);
        char last[32];
        snprintf(last, sizeof last, "|     %u |\n|     %u |\n+", n - 2, n - 1);
        assert_non_null(strstr(f.text, last));
        assert_int_equal(strstr(f.text, ".") != NULL, n > 5);
    }
    job j = start(&f, &s, TEXT_TABLE, (text_options){.ascii = true});
    for (uint32_t k = 0; k < 100; k++) { /* all rows; wider ones come after the layout */
        int64_t values[10] = {k == 90 ? 123456789 : k};
        vector v = flat(f.m, fields[0].type, 10, values);
        push(&j, k, &v, 1, NULL, 0);
        vector_release(&v);
    }
    end(&f, &j);
    assert_non_null(strstr(f.text, "| 123456789 |\n|         0 |\n"));
    assert_memory_equal(f.text + f.len - 14, "+-----------+\n", 14);
    close_fixture(&f);
}

static void refused_memory(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    static const char *const words[] = {"x,y", "longer than what fits inline", NULL};
    field fields[2] = {{.name = "a", .type = type_of(TYPE_UTF8)},
                       {.name = "b", .type = type_of(TYPE_INT64)}};
    schema s = {2, fields};
    int64_t numbers[3] = {1, 2, 3};
    vector v[2] = {flat(f.m, fields[0].type, 3, words), flat(f.m, fields[1].type, 3, numbers)};
    text_options none = {0};
    for (int kind = TEXT_CSV; kind <= TEXT_TABLE; kind++)
        for (uint64_t limit = 0; limit < 500000; limit += limit < 4000 ? 100 : 9000) {
            mem *grant;
            job j = {.m = f.m};
            batch_column cols[2] = {{.state = COLUMN_HELD}, {.state = COLUMN_HELD}};
            assert_ok(target_open(f.m, temp_path(&f.folder, "out"), EXISTS_REPLACE, &j.t, &err),
                      &err);
            assert_ok(mem_child(f.m, "text writer", limit, &grant, &err), &err);
            if (text_writer_open(grant, j.t, &s, (text_kind)kind, &none, 1, &j.w, NULL) == NRW_OK) {
                batch b = {.last = true, .rows = 3, .n_cols = 2, .cols = cols, .m = f.m};
                file_summary sum;
                for (int c = 0; c < 2; c++) {
                    void *p;
                    assert_ok(mem_alloc(f.m, sizeof(vector), &p, &err), &err);
                    assert_ok(vector_share(&v[c], p, &err), &err);
                    cols[c].held = p;
                }
                if (j.w->class->push(j.w, &b, NULL) < 0) {
                    j.w->class->stop(j.w);
                    batch_abandon(&b);
                } else {
                    batch_release(&b);
                    (void)!j.w->class->finish(j.w, &sum, NULL);
                }
                j.w->class->close(j.w);
            }
            assert_int_equal(mem_used(grant), 0);
            mem_free_account(grant);
            target_close(j.t);
        }
    vector_release(&v[0]);
    vector_release(&v[1]);
    close_fixture(&f);
}

/* ---- nested ---- */

/* A vector of the list's type over elements, cut at offsets; NULL offsets at the end: all. */
static vector list_of(mem *m, const type *t, uint32_t n, const uint32_t *offsets, vector elements)
{
    vector v;
    assert_ok(vector_flat(m, t, n, &v, &err), &err);
    memcpy(v.data, offsets, 4 * ((size_t)n + 1));
    v.children[0] = elements;
    v.len = n;
    return v;
}

static void nested_text(fixture *f, text_kind kind, text_options opts, const type *t,
                        const vector *v, const char *want)
{
    field fields[] = {{.name = "a", .type = type_of(TYPE_INT32)},
                      {.name = "b", .type = *t, .nullable = true}};
    schema s = {2, fields};
    vector two[2];
    vector numbers = flat(f->m, type_of(TYPE_INT32), 4, (int32_t[]){1, 2, 3, 4});
    opts.no_header = true;
    assert_ok(vector_slice(&numbers, 0, v->len, f->m, &two[0], &err), &err);
    two[1] = *v;
    job j = start(f, &s, kind, opts);
    push(&j, 0, two, 2, NULL, 0);
    end(f, &j);
    vector_release(&two[0]);
    vector_release(&numbers);
    assert_string_equal(f->text, want);
}

static const field element = {
    .name = "element", .type = {.id = TYPE_INT32, .width = 4}, .nullable = true};

static void nested_values(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    const type list = type_nested(TYPE_LIST, &element, 1);
    const field parts[] = {
        {.name = "s p", .type = type_of(TYPE_UTF8), .nullable = true},
        {.name = "d", .type = type_decimal(5, 2)},
        {.name = "m",
         .type = type_nested(TYPE_MAP,
                             (field[]){{.name = "key", .type = type_of(TYPE_DATE)},
                                       {.name = "value", .type = list}},
                             2)}};
    const type record = type_nested(TYPE_STRUCT, parts, 3);
    text_options none = {0};
    vector v = list_of(f.m, &list, 3, (uint32_t[]){0, 2, 2, 3},
                       flat(f.m, element.type, 3, (int32_t[]){7, -8, 9})),
           w;
    set_null(&v.children[0], 1);
    nested_text(&f, TEXT_JSON, none, &list, &v,
                "{\"a\":1,\"b\":[7,null]}\n{\"a\":2,\"b\":[]}\n{\"a\":3,\"b\":[9]}\n");
    nested_text(&f, TEXT_CSV, none, &list, &v, "1,\"[7,null]\"\n2,[]\n3,[9]\n");
    nested_text(&f, TEXT_CSV, (text_options){.delim = ';', .null = "[]"}, &list, &v,
                "1;[7,null]\n2;\"[]\"\n3;[9]\n");
    assert_ok(vector_flat(f.m, &record, 3, &w, &err), &err);
    w.children[0] = flat(f.m, type_of(TYPE_UTF8), 3, (const char *[]){"x\"y\n", NULL, "z"});
    w.children[1] = flat(f.m, parts[1].type, 3, (int32_t[]){150, -1, 0});
    set_null(&w.children[1], 2);
    w.children[2] = list_of(f.m, &parts[2].type, 3, (uint32_t[]){0, 1, 3, 3},
                            flat(f.m, type_of(TYPE_DATE), 3, (int32_t[]){0, 1, 365}));
    w.children[2].children[1] = v;
    w.len = 3;
    set_null(&w.children[0], 2);
    set_null(&w.children[2], 2);
    set_null(&w, 2);
    assert_ok(vector_validate(&w, &err), &err);
    nested_text(&f, TEXT_JSON, none, &record, &w,
                "{\"a\":1,\"b\":{\"s p\":\"x\\\"y\\n\",\"d\":1.5,"
                "\"m\":{\"1970-01-01\":[7,null]}}}\n"
                "{\"a\":2,\"b\":{\"s p\":null,\"d\":-0.01,"
                "\"m\":{\"1970-01-02\":[],\"1971-01-01\":[9]}}}\n"
                "{\"a\":3,\"b\":null}\n");
    nested_text(
        &f, TEXT_TABLE, (text_options){.ascii = true}, &record, &w,
        "+-------+--------------------------------------------------------------+\n"
        "|   a   |                              b                               |\n"
        "| int32 | struct(\"s p\" varchar, d decimal(5,2), m map(date, integer... |\n"
        "+-------+--------------------------------------------------------------+\n"
        "|     1 | {\"s p\":\"x\\\"y\\n\",\"d\":1.5,\"m\":{\"1970-01-01\":[7,null]}}         |\n"
        "|     2 | {\"s p\":null,\"d\":-0.01,\"m\":{\"1970-01-02\":[],\"1971-01-01\":[... |\n"
        "|     3 | NULL                                                         |\n"
        "+-------+--------------------------------------------------------------+\n");
    vector_release(&w);
    close_fixture(&f);
}

/* Long lists go out in pieces; what is written does not tell. */
static void long_lists(void **state)
{
    (void)state;
    enum { N = 200000 };
    fixture f;
    open_fixture(&f);
    const type list = type_nested(TYPE_LIST, &element, 1);
    int32_t *numbers = calloc(N, sizeof *numbers);
    char *want = malloc(16 * N), *p = want;
    for (int32_t i = 0; i < N; i++)
        numbers[i] = i;
    vector v =
        list_of(f.m, &list, 2, (uint32_t[]){0, N - 1, N}, flat(f.m, element.type, N, numbers));
    p += sprintf(p, "1,\"[0");
    for (int32_t i = 1; i < N - 1; i++)
        p += sprintf(p, ",%d", i);
    sprintf(p, "]\"\n2,[%d]\n", N - 1);
    nested_text(&f, TEXT_CSV, (text_options){0}, &list, &v, want);
    p = want + sprintf(want, "1;[0");
    for (int32_t i = 1; i < N - 1; i++)
        p += sprintf(p, ",%d", i);
    sprintf(p, "]\n2;[%d]\n", N - 1);
    nested_text(&f, TEXT_CSV, (text_options){.delim = ';'}, &list, &v, want);
    assert_true(mem_peak(f.m) < 64 * N);
    vector_release(&v);
    free(numbers);
    free(want);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),          cmocka_unit_test(options_of_csv),
        cmocka_unit_test(values_as_json), cmocka_unit_test(names_that_came_before),
        cmocka_unit_test(without_rows),   cmocka_unit_test(many_rows),
        cmocka_unit_test(long_texts),     cmocka_unit_test(tables),
        cmocka_unit_test(cut_tables),     cmocka_unit_test(refused_memory),
        cmocka_unit_test(nested_values),  cmocka_unit_test(long_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
