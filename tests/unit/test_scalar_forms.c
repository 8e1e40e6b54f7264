/* Expressions over columns: every form of a vector gives the same rows, parts that are not asked
 * for do not fail, and dictionaries stay dictionaries. */
#include "scalar_sql.h"

static nrw_error err = NRW_ERROR_INIT;

enum { ROWS = 24, VALUES = 6 };

typedef struct table {
    mem *m;
    arena *a;
    type types[2];
    vector flat[2], dict[2], runs[2];
} table;

/* Row i of a column is value i / 4; Text is long and short, numbers have a zero. */
static const char *const words[VALUES] = {"",  "a",   "a text with more than twelve bytes",
                                          "b", "abc", "12"};
static const int32_t numbers[VALUES] = {0, 1, -7, 100, 2147483647, 5};

static void make_values(table *t, bool text, vector *out)
{
    assert_ok(vector_flat(t->m, &t->types[text], VALUES, out, &err), &err);
    out->len = VALUES;
    for (uint32_t i = 0; i < VALUES; i++) {
        buffer *b;
        int32_t heap = 0;
        size_t n = strlen(words[i]);
        if (!text) {
            store_u32(out->data + 4 * i, (uint32_t)numbers[i]);
            continue;
        }
        assert_ok(buffer_new(t->m, n, &b, &err), &err);
        memcpy(b->data, words[i], n);
        b->len = n;
        assert_ok(vector_add_heap(out, b, &heap, &err), &err);
        ((view *)(void *)out->data)[i] = view_make(b->data, (int32_t)n, heap, 0);
        buffer_unref(b);
    }
}

static void make_column(table *t, bool text)
{
    vector values, run_values;
    uint32_t starts[VALUES];
    dict *d;

    make_values(t, text, &values);
    for (uint32_t i = 0; i < VALUES; i++)
        starts[i] = i;
    assert_ok(vector_pick(&values, starts, VALUES, t->m, &run_values, &err), &err);
    assert_ok(vector_runs(t->m, &run_values, ROWS, &t->runs[text], &err), &err);
    for (uint32_t i = 0; i < VALUES; i++)
        store_u32(t->runs[text].data + 4 * i, 4 * (i + 1));
    vector_count_nulls(&t->runs[text]);
    assert_ok(dict_new(t->m, &values, &d, &err), &err);
    assert_ok(vector_dict(t->m, &t->types[text], d, ROWS, &t->dict[text], &err), &err);
    dict_unref(d);
    t->dict[text].len = ROWS;
    for (uint32_t i = 0; i < ROWS; i++)
        store_u32(t->dict[text].data + 4 * i, i / 4);
    assert_ok(vector_flatten(&t->dict[text], t->m, &t->flat[text], &err), &err);
}

static void open_table(table *t)
{
    *t = (table){.m = test_mem_open(MEM_NO_LIMIT)};
    t->types[0] = type_of(TYPE_INT32);
    t->types[1] = type_of(TYPE_UTF8);
    assert_ok(arena_new(t->m, &t->a, &err), &err);
    make_column(t, false);
    make_column(t, true);
}

static void close_table(table *t)
{
    for (int i = 0; i < 2; i++) {
        vector_release(&t->flat[i]);
        vector_release(&t->dict[i]);
        vector_release(&t->runs[i]);
    }
    arena_free(t->a);
    test_mem_close(t->m);
}

static void eval(table *t, const char *sql, const vector *columns, vector *out)
{
    const vector *at[2] = {&columns[0], &columns[1]};
    sql_binder b = {t->a, t->types};
    const expr *e;

    if (sql_expression(&b, sql, &e, &err) < 0)
        fail_msg("%s: %s", sql, err.message);
    if (expr_eval(e, at, ROWS, t->m, out, &err) < 0)
        fail_msg("%s: %s", sql, err.message);
    assert_int_equal(out->len, ROWS);
    assert_ok(vector_validate(out, &err), &err);
}

static void same_rows(const char *sql, const vector *a, const vector *b)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        bool null_a, null_b;
        span x = vector_value(a, i, &null_a), y = vector_value(b, i, &null_b);
        if (null_a != null_b || (!null_a && (x.len != y.len || memcmp(x.data, y.data, x.len) != 0)))
            fail_msg("%s: row %u differs", sql, i);
    }
}

static void forms(void **state)
{
    static const char *const sqls[] = {
        "x",
        "x // 3",
        "x::BIGINT * 3 - 1",
        "x < 5",
        "-x::DOUBLE",
        "CASE WHEN x = 0 THEN -1 ELSE 700 // x END",
        "x <> 0 AND 10 // x > 1",
        "x = 0 OR 10 // x > 1",
        "coalesce(nullif(x, 1), 77)",
        "try(100::TINYINT + x::TINYINT)",
        "TRY_CAST(y AS INTEGER)",
        "y || '!'",
        "upper(y)",
        "length(y) + x::BIGINT",
        "substring(y, 2, 20)",
        "y LIKE 'a%'",
        "y = 'abc'",
        "regexp_replace(y, '[a-z]+', '<\\0>')",
        "CASE WHEN length(y) > 1 THEN y ELSE 'short' END",
        "x IS NULL",
        "x IN (1, 5, 9)",
        "1 + 1",
        "greatest(x, 3)",
    };
    table t;

    (void)state;
    open_table(&t);
    for (size_t i = 0; i < sizeof sqls / sizeof *sqls; i++) {
        vector flat, dict, runs;
        eval(&t, sqls[i], t.flat, &flat);
        eval(&t, sqls[i], t.dict, &dict);
        eval(&t, sqls[i], t.runs, &runs);
        same_rows(sqls[i], &flat, &dict);
        same_rows(sqls[i], &flat, &runs);
        vector_release(&flat);
        vector_release(&dict);
        vector_release(&runs);
    }
    close_table(&t);
}

/* A function of one dictionary is evaluated once per entry, and the dictionary's indices stay. */
static void kept_forms(void **state)
{
    table t;
    vector v;

    (void)state;
    open_table(&t);
    eval(&t, "upper(y)", t.dict, &v);
    assert_int_equal(v.form, VECTOR_DICT);
    assert_int_equal(v.dict->values.len, VALUES);
    vector_release(&v);
    eval(&t, "x + 0", t.runs, &v);
    assert_int_equal(v.form, VECTOR_RUNS);
    vector_release(&v);
    eval(&t, "1 + 2", t.flat, &v);
    assert_int_equal(v.form, VECTOR_RUNS);
    assert_int_equal(v.n_runs, 1);
    vector_release(&v);
    close_table(&t);
}

/* An entry that no row uses does not fail the rows; one that is used does. */
static void unused_entries(void **state)
{
    table t;
    const vector *at[2];
    const expr *e;
    vector v;

    (void)state;
    open_table(&t);
    at[0] = &t.dict[0];
    at[1] = &t.dict[1];
    assert_ok(sql_expression(&(sql_binder){t.a, t.types}, "10 // x", &e, &err), &err);
    assert_int_equal(expr_eval(e, at, ROWS, t.m, &v, &err), NRW_E_VALUE);
    for (uint32_t i = 0; i < 4; i++) /* entry 0 is the zero */
        store_u32(t.dict[0].data + 4 * i, 1);
    assert_ok(expr_eval(e, at, ROWS, t.m, &v, &err), &err);
    vector_release(&v);
    close_table(&t);
}

static void selects(void **state)
{
    table t;
    const vector *at[2];
    const expr *e;
    uint16_t rows[ROWS];
    uint32_t n;

    (void)state;
    open_table(&t);
    at[0] = &t.flat[0];
    at[1] = &t.flat[1];
    assert_ok(sql_expression(&(sql_binder){t.a, t.types}, "x > 1 AND 10 // x < 2", &e, &err), &err);
    assert_ok(expr_select(e, at, ROWS, t.m, rows, &n, &err), &err);
    assert_int_equal(n, 8); /* the rows of 100 and 2147483647; 10 // 5 is 2 */
    assert_int_equal(rows[0], 12);
    close_table(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(kept_forms),
        cmocka_unit_test(unused_entries),
        cmocka_unit_test(selects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
