/* What paths say of files, and how schemas become one. */
#include "testing.h"

#include "dataset/hive_name.h"
#include "dataset/listing.h"
#include "dataset/mapped_filter.h"
#include "dataset/unify.h"
#include "dataset/widen.h"
#include "expr/expr.h"

typedef struct books {
    mem *m;
    arena *a;
    nrw_error err;
} books;

static books books_open(void)
{
    books b = {.err = NRW_ERROR_INIT};

    b.m = test_mem_open(1 << 22);
    assert_ok(arena_new(b.m, &b.a, &b.err), &b.err);
    return b;
}

static void books_close(books *b)
{
    arena_free(b->a);
    test_mem_close(b->m);
}

/* ---- folders ---- */

static void folders(void **state)
{
    const char *at = "x/a=1/=2/b==/c%3D=d%2f/e/k=v.parquet";
    static const char *const keys[] = {"a", "b", "c="}, *const values[] = {"1", "=", "d/"};
    hive_folder f;
    char text[64];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(hive_next(&at, &f));
        assert_true(
            span_is((span){(uint8_t *)text, hive_unescape(f.key, (uint8_t *)text)}, keys[i]));
        assert_true(
            span_is((span){(uint8_t *)text, hive_unescape(f.value, (uint8_t *)text)}, values[i]));
    }
    assert_false(hive_next(&at, &f)); /* the last component is a file */
}

static void escapes(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},           {"%41b", "Ab"}, {"%", "%"},         {"%4", "%4"},
        {"%zz%41", "%zzA"}, {"%%41", "%A"}, {"a%20%20", "a  "}, {"%e6%97%a5", "\xe6\x97\xa5"}};
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t n = hive_unescape(span_of(pairs[i][0]), (uint8_t *)text);
        assert_true(span_is((span){(uint8_t *)text, n}, pairs[i][1]));
    }
}

/* ---- keys and their types ---- */

static nrw_status list(books *b, const char *const *paths, size_t n, const listing_options *o,
                       listing *out)
{
    path_list files = {.n = n, .cap = n, .at = (char **)(uintptr_t)paths};

    return listing_open(b->a, &files, o, out, &b->err);
}

/* The type found for the one key of folders with these values. */
static void expect_type(const char *const *values, size_t n, const char *want)
{
    const listing_options o = {0};
    books b = books_open();
    char paths[8][128], got[64];
    const char *at[8];
    listing l;

    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof paths[i], "d/k=%s/f", values[i]);
        at[i] = paths[i];
    }
    assert_ok(list(&b, at, n, &o, &l), &b.err);
    assert_int_equal(l.columns.n_fields, 1);
    type_print(&l.columns.fields[0].type, got, sizeof got);
    assert_string_equal(got, want);
    books_close(&b);
}

#define EXPECT(want, ...)                                                                          \
    do {                                                                                           \
        static const char *const values_[] = {__VA_ARGS__};                                        \
        expect_type(values_, sizeof values_ / sizeof *values_, want);                              \
    } while (0)

static void types_found(void **state)
{
    (void)state;
    EXPECT("BIGINT", "1", "-20", "0", "9223372036854775807", HIVE_NULL);
    EXPECT("VARCHAR", "1", "9223372036854775808");
    EXPECT("VARCHAR", "1", "01");
    EXPECT("VARCHAR", "-0");
    EXPECT("VARCHAR", "+1");
    EXPECT("VARCHAR", " 1");
    EXPECT("VARCHAR", "1.0");
    EXPECT("VARCHAR", "");
    EXPECT("VARCHAR", HIVE_NULL);
    EXPECT("DATE", "2024-02-29", "0001-01-01", "1999-12-31");
    EXPECT("VARCHAR", "2024-02-30");
    EXPECT("VARCHAR", "2023-02-29");
    EXPECT("VARCHAR", "epoch");
    EXPECT("VARCHAR", "2024-01-01", "7");
    EXPECT("TIMESTAMP", "2024-01-01 10%3A20%3A30", "2024-01-01");
    EXPECT("TIMESTAMP", "2024-01-01T10:20:30.5");
    EXPECT("VARCHAR", "2024-01-01 10:20:30+02");
    EXPECT("VARCHAR", "10:20:30");
}

static void keys_in_order(void **state)
{
    static const char *const paths[] = {"z=1/B=2/a=3/z=9/f", "a=4/z=5/B=6/f"};
    const listing_options o = {.filename = "path", .types = "{ 'z': DECIMAL(4, 1), b: SMALLINT }"};
    static const char *const names[] = {"path", "a", "B", "z"};
    books b = books_open();
    const expr *e;
    listing l;

    (void)state;
    assert_ok(list(&b, paths, 2, &o, &l), &b.err);
    assert_int_equal(l.columns.n_fields, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(l.columns.fields[i].name, names[i]);
    assert_int_equal(l.columns.fields[2].type.id, TYPE_INT16);
    assert_int_equal(l.columns.fields[3].type.id, TYPE_DECIMAL);
    assert_ok(listing_value(&l, paths[0], 3, b.a, &e, &b.err), &b.err);
    assert_int_equal(*(const int32_t *)e->constant->data, 10); /* 1.0: the first folder of it */
    assert_ok(listing_value(&l, paths[1], 2, b.a, &e, &b.err), &b.err);
    assert_int_equal(*(const int16_t *)e->constant->data, 6);
    assert_status(NRW_E_VALUE, listing_value(&l, "a=1/B=x/z=2/f", 2, b.a, &e, &b.err), &b.err);
    books_close(&b);
}

static void other_keys(void **state)
{
    static const char *const sets[][2] = {
        {"a=1/f", "b=1/f"}, {"a=1/f", "a=1/b=2/f"}, {"a=1/b=2/f", "a=1/f"}, {"f", "a=1/f"}};
    const listing_options o = {0}, off = {.no_hive = true};
    listing l;

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        books b = books_open();
        assert_status(NRW_E_SCHEMA, list(&b, sets[i], 2, &o, &l), &b.err);
        b.err = (nrw_error)NRW_ERROR_INIT;
        assert_ok(list(&b, sets[i], 2, &off, &l), &b.err);
        assert_int_equal(l.columns.n_fields, 0);
        books_close(&b);
    }
}

static void options(void **state)
{
    static const char *const bad[] = {"x",          "{'k': }",          "{'k': DATE",
                                      "{q: DATE}",  "{'k': INTEGER[]}", "{'k': NOSUCH}",
                                      "{'k' DATE}", "{'k': DATE} x"};
    static const char *const path[] = {"k=1/f"};
    listing_options o = {0};
    nrw_error err = NRW_ERROR_INIT;
    listing l;

    (void)state;
    assert_ok(listing_option(&o, span_of("HIVE_partitioning"), "False", &err), &err);
    assert_true(o.no_hive);
    assert_ok(listing_option(&o, span_of("hive_partitioning"), "1", &err), &err);
    assert_false(o.no_hive);
    assert_ok(listing_option(&o, span_of("filename"), "true", &err), &err);
    assert_string_equal(o.filename, "filename");
    assert_ok(listing_option(&o, span_of("filename"), "f", &err), &err);
    assert_string_equal(o.filename, "f");
    assert_int_equal(listing_option(&o, span_of("int96"), "us", &err), NRW_END);
    assert_status(NRW_E_ARG, listing_option(&o, span_of("hive_partitioning"), "maybe", &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        books b = books_open();
        const listing_options with = {.types = bad[i]};
        assert_status(NRW_E_ARG, list(&b, path, 1, &with, &l), &b.err);
        books_close(&b);
    }
}

/* ---- types that meet ---- */

static void expect_wide(const char *x, const char *y, const char *want)
{
    books b = books_open();
    char got[128] = "none";
    type tx, ty, both;
    bool wide;

    assert_ok(type_parse(x, &tx, &b.err), &b.err);
    assert_ok(type_parse(y, &ty, &b.err), &b.err);
    for (int turn = 0; turn < 2; turn++) {
        assert_ok(type_widen(b.a, turn ? &ty : &tx, turn ? &tx : &ty, &both, &wide, &b.err),
                  &b.err);
        if (wide)
            type_print(&both, got, sizeof got);
        assert_string_equal(got, want);
    }
    books_close(&b);
}

static void widening(void **state)
{
    static const char *const all[][3] = {
        {"TINYINT", "BIGINT", "BIGINT"},
        {"UTINYINT", "TINYINT", "SMALLINT"},
        {"UINTEGER", "INTEGER", "BIGINT"},
        {"UINTEGER", "BIGINT", "BIGINT"},
        {"UBIGINT", "TINYINT", "DECIMAL(20,0)"},
        {"UBIGINT", "DECIMAL(10,4)", "DECIMAL(24,4)"},
        {"INTEGER", "DECIMAL(2,2)", "DECIMAL(12,2)"},
        {"DECIMAL(38,0)", "DECIMAL(3,1)", "none"},
        {"DECIMAL(18,3)", "DECIMAL(18,6)", "DECIMAL(21,6)"},
        {"SMALLINT", "FLOAT", "FLOAT"},
        {"INTEGER", "FLOAT", "DOUBLE"},
        {"BIGINT", "DOUBLE", "none"},
        {"DECIMAL(4,1)", "DOUBLE", "none"},
        {"HUGEINT", "BIGINT", "none"},
        {"TIMESTAMP_S", "TIMESTAMP_NS", "TIMESTAMP_NS"},
        {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "none"},
        {"DATE", "TIMESTAMP", "none"},
        {"VARCHAR", "BLOB", "none"},
        {"BOOLEAN", "TINYINT", "none"},
        {"VARCHAR", "INTEGER", "none"},
        {"UUID", "VARCHAR", "none"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect_wide(all[i][0], all[i][1], all[i][2]);
}

/* ---- schemas ---- */

static const char *name_of(const void *self, size_t file)
{
    static const char *const names[] = {"one", "two", "three"};

    (void)self;
    return names[file];
}

static schema schema_made(books *b, const char *const *names, const type_id *types, uint32_t n)
{
    schema s;

    assert_ok(schema_new(b->a, n, &s, &b->err), &b->err);
    for (uint32_t i = 0; i < n; i++)
        s.fields[i] = (field){.name = names[i], .type = type_of(types[i]), .field_id = -1};
    return s;
}

#define SCHEMA(b, n, names, ...) schema_made(b, names, (const type_id[]){__VA_ARGS__}, n)

/* Case, names that come twice, another order, a key instead of a column. */
static void unifying(void **state)
{
    static const char *const n1[] = {"id", "x", "x", "Day"}, *const n2[] = {"DAY", "ID", "x", "y"};
    static const char *const key[] = {"day"};
    books b = books_open();
    schema s1 = SCHEMA(&b, 4, n1, TYPE_INT32, TYPE_INT8, TYPE_UTF8, TYPE_UTF8);
    schema s2 = SCHEMA(&b, 4, n2, TYPE_DATE, TYPE_INT64, TYPE_INT8, TYPE_BOOL);
    schema added = SCHEMA(&b, 1, key, TYPE_DATE), all;
    unify u = {.a = b.a, .added = &added, .name = name_of};
    map_entry map[8];
    bool same, fits;

    (void)state;
    assert_ok(unify_add(&u, &s1, &b.err), &b.err);
    assert_ok(unify_add(&u, &s2, &b.err), &b.err);
    assert_ok(unify_end(&u, &all, &b.err), &b.err);
    assert_int_equal(all.n_fields, 5); /* id x x Day y */
    assert_int_equal(all.fields[0].type.id, TYPE_INT64);
    assert_string_equal(all.fields[3].name, "Day");
    assert_int_equal(all.fields[3].type.id, TYPE_DATE);
    assert_true(all.fields[2].nullable && all.fields[4].nullable && !all.fields[0].nullable);
    assert_ok(unify_map(&u, b.a, &all, &s1, map, &same, &fits, &b.err), &b.err);
    assert_true(fits && !same);
    assert_int_equal(map[0].kind, MAP_CAST);
    assert_true(map[1].kind == MAP_FILE && map[1].column == 1);
    assert_true(map[2].kind == MAP_FILE && map[2].column == 2);
    assert_int_equal(map[3].kind, MAP_ADDED);
    assert_int_equal(map[4].kind, MAP_NULL);
    assert_ok(unify_map(&u, b.a, &all, &s2, map, &same, &fits, &b.err), &b.err);
    assert_true(map[0].kind == MAP_FILE && map[0].column == 1);
    assert_true(map[1].kind == MAP_FILE && map[1].column == 2);
    assert_int_equal(map[2].kind, MAP_NULL);
    assert_true(map[4].kind == MAP_FILE && map[4].column == 3);
    books_close(&b);
}

/* A file that has another type than when it was looked at: nothing is narrowed. */
static void changed_file(void **state)
{
    static const char *const names[] = {"x", "z"};
    books b = books_open();
    schema s = SCHEMA(&b, 1, names, TYPE_INT32), later = SCHEMA(&b, 1, names, TYPE_INT64);
    schema more = SCHEMA(&b, 2, names, TYPE_INT32, TYPE_INT32), all;
    unify u = {.a = b.a, .name = name_of};
    map_entry map[2];
    bool same, fits;

    (void)state;
    assert_ok(unify_add(&u, &s, &b.err), &b.err);
    assert_ok(unify_end(&u, &all, &b.err), &b.err);
    assert_ok(unify_map(&u, b.a, &all, &s, map, &same, &fits, &b.err), &b.err);
    assert_true(same && fits);
    assert_ok(unify_map(&u, b.a, &all, &later, map, &same, &fits, &b.err), &b.err);
    assert_false(fits);
    assert_ok(unify_map(&u, b.a, &all, &more, map, &same, &fits, &b.err), &b.err);
    assert_false(fits);
    books_close(&b);
}

/* ---- conditions ---- */

/* Columns: k, a constant 3; n, null; f, the file's; c, cast. */
static void expect_answer(const char *text, filter_answer want, uint32_t steps)
{
    static const char *const names[] = {"k", "n", "f", "c"};
    books b = books_open();
    schema s = SCHEMA(&b, 4, names, TYPE_INT64, TYPE_INT64, TYPE_INT64, TYPE_INT64);
    const map_entry map[] = {{MAP_ADDED, 0}, {MAP_NULL, 0}, {MAP_FILE, 7}, {MAP_CAST, 1}};
    const expr *three;
    predicate *p;
    mapped_filter f;

    assert_ok(expr_int64(b.a, 3, &three, &b.err), &b.err);
    assert_ok(predicate_parse(b.a, &text, 1, &s, "s", &p, &b.err), &b.err);
    assert_ok(mapped_filter_of(b.a, predicate_filter(p), map, &three, &f, &b.err), &b.err);
    assert_int_equal(f.answer, want);
    if (want == ANSWER_SOME) {
        assert_int_equal(f.base.n_steps, steps);
        assert_int_equal(f.base.steps[0].column, 7);
    }
    books_close(&b);
}

static void translating(void **state)
{
    (void)state;
    expect_answer("k = 3", ANSWER_ANY, 0);
    expect_answer("k = 4", ANSWER_NONE, 0);
    expect_answer("not k in (1, 3)", ANSWER_NONE, 0);
    expect_answer("n = 1", ANSWER_NONE, 0);
    expect_answer("n is null", ANSWER_ANY, 0);
    expect_answer("c = 1", ANSWER_ANY, 0);
    expect_answer("f = 1", ANSWER_SOME, 1);
    expect_answer("f = 1 and k = 3", ANSWER_SOME, 1);
    expect_answer("f = 1 and k = 4", ANSWER_NONE, 0);
    expect_answer("f = 1 or k = 4", ANSWER_SOME, 1);
    expect_answer("f = 1 or k = 3", ANSWER_ANY, 0);
    expect_answer("(f = 1 or n = 2) and (c > 1 or f = 2) and (f > 3 or f < 2)", ANSWER_SOME, 5);
    expect_answer("(k = 4 and c = 1) or (f = 1 and (n = 1 or f = 5))", ANSWER_SOME, 3);
}

/* What of a condition some columns answer. */
static void known_parts(void **state)
{
    static const char *const names[] = {"k"};
    static const struct {
        const char *text;
        uint32_t tests; /* 0: there is none */
    } all[] = {{"k = 1", 1},
               {"K = 1 and z = 2", 1},
               {"z = 2", 0},
               {"k = 1 or z = 2", 0},
               {"(z > 1 and (k = 1 or k is null)) and not k = 9", 3},
               {"not (k = 1 and z = 2)", 0}};
    books b = books_open();
    schema s = SCHEMA(&b, 1, names, TYPE_INT64);

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        predicate *p;
        uint32_t tests = 0;
        assert_ok(predicate_parse_some(b.a, &all[i].text, 1, &s, "s", &p, &b.err), &b.err);
        for (uint32_t k = 0; p && k < predicate_filter(p)->n_steps; k++)
            tests += predicate_filter(p)->steps[k].kind == ROW_FILTER_TEST;
        assert_int_equal(tests, all[i].tests);
    }
    books_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders),      cmocka_unit_test(escapes),
        cmocka_unit_test(types_found),  cmocka_unit_test(keys_in_order),
        cmocka_unit_test(other_keys),   cmocka_unit_test(options),
        cmocka_unit_test(widening),     cmocka_unit_test(unifying),
        cmocka_unit_test(changed_file), cmocka_unit_test(translating),
        cmocka_unit_test(known_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
