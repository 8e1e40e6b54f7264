/* Schema trees to columns: the shapes of LogicalTypes.md, and the old ones that it says how to
 * read. */
#include "format/parquet/meta_priv.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;

enum { REQ = PQ_REQUIRED, OPT = PQ_OPTIONAL, REP = PQ_REPEATED };
enum { MAP = 1, MAP_KEY_VALUE = 2, LIST = 3, NONE = -1 };

#define GROUP(n, r, kind, children)                                                                \
    {                                                                                              \
        .name = n, .physical = -1, .repetition = r, .converted = kind, .n_children = children,     \
        .field_id = -1                                                                             \
    }
#define INT(n, r)                                                                                  \
    {                                                                                              \
        .name = n, .physical = PQ_INT32, .repetition = r, .converted = NONE, .field_id = -1        \
    }

/* What the elements behind the root become; nodes: "def item_def item_rep" of the first column and
 * of its first children, down to the leaf. */
static void becomes(pq_element *e, uint32_t n, const char *type_text, bool nullable,
                    const char *levels)
{
    pq_meta p = {.n_nodes = n, .nodes = e};
    pq_leaf leaves[16];
    char text[256];
    mem *m = test_mem_open(1 << 20);
    assert_ok(arena_new(m, &p.a, &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        bool known;
        pq_element_convert(&e[i]);
        if (e[i].physical >= 0)
            leaves[p.n_leaves++] =
                (pq_leaf){.field = {.type = pq_element_type(&e[i], false, &known)}};
    }
    p.leaves = leaves;
    assert_ok(pq_tree_make(&p, &err), &err);
    type_print(&p.schema.fields[0].type, text, sizeof text);
    assert_string_equal(text, type_text);
    assert_int_equal(p.schema.fields[0].nullable, nullable);
    assert_int_equal(p.columns[0].n_leaves, p.n_leaves);
    int at = 0;
    for (const pq_node *x = p.columns; x; x = x->n_children ? x->children : NULL)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%d%d%d", at ? " " : "", x->def,
                       x->item_def, x->item_rep);
    assert_string_equal(text, levels);
    arena_free(p.a);
    test_mem_close(m);
}

#define BECOMES(text, nullable, levels, ...)                                                       \
    do {                                                                                           \
        pq_element e_[] = {GROUP("root", REQ, NONE, 1), __VA_ARGS__};                              \
        becomes(e_, sizeof e_ / sizeof *e_, text, nullable, levels);                               \
    } while (0)

static void lists(void **state)
{
    (void)state;
    BECOMES("INTEGER[]", true, "121 300", GROUP("l", OPT, LIST, 1), GROUP("list", REP, NONE, 1),
            INT("element", OPT));
    BECOMES("INTEGER[]", false, "011 100", GROUP("l", REQ, LIST, 1), GROUP("bag", REP, NONE, 1),
            INT("array_element", REQ));
    /* two levels: a repeated leaf, a group of several fields */
    BECOMES("INTEGER[]", true, "121 200", GROUP("l", OPT, LIST, 1), INT("element", REP));
    BECOMES("STRUCT(a INTEGER, b INTEGER)[]", true, "121 200 200", GROUP("l", OPT, LIST, 1),
            GROUP("element", REP, NONE, 2), INT("a", REQ), INT("b", REQ));
    /* one field, but named as what a list holds */
    BECOMES("STRUCT(a INTEGER)[]", true, "121 200 200", GROUP("l", OPT, LIST, 1),
            GROUP("array", REP, NONE, 1), INT("a", REQ));
    BECOMES("STRUCT(a INTEGER)[]", true, "121 200 300", GROUP("l", OPT, LIST, 1),
            GROUP("l_tuple", REP, NONE, 1), INT("a", OPT));
    BECOMES("INTEGER[]", true, "121 200", GROUP("l", OPT, LIST, 1),
            GROUP("other_tuple", REP, NONE, 1), INT("a", REQ));
    /* one field that is repeated itself: a list of lists of two levels each */
    BECOMES("INTEGER[][]", true, "121 232 300", GROUP("l", OPT, LIST, 1),
            GROUP("array", REP, LIST, 1), INT("array", REP));
    BECOMES("STRUCT(a INTEGER[])[]", true, "121 200 232 300", GROUP("l", OPT, LIST, 1),
            GROUP("list", REP, NONE, 1), INT("a", REP));
    /* no list around what repeats */
    BECOMES("INTEGER[]", false, "011 100", INT("r", REP));
    BECOMES("STRUCT(a INTEGER)[]", false, "011 100 200", GROUP("r", REP, NONE, 1), INT("a", OPT));
    /* a list that is none */
    BECOMES("STRUCT(a INTEGER)", true, "100 200", GROUP("l", OPT, LIST, 1), INT("a", OPT));
}

static void maps(void **state)
{
    (void)state;
    BECOMES("MAP(INTEGER, INTEGER)", true, "121 200", GROUP("m", OPT, MAP, 1),
            GROUP("key_value", REP, NONE, 2), INT("key", REQ), INT("value", OPT));
    BECOMES("MAP(INTEGER, INTEGER)", true, "121 200", GROUP("m", OPT, MAP, 1),
            GROUP("map", REP, MAP_KEY_VALUE, 2), INT("str", REQ), INT("num", OPT));
    BECOMES("MAP(INTEGER, INTEGER)", true, "121 200", GROUP("m", OPT, MAP_KEY_VALUE, 1),
            GROUP("map", REP, NONE, 2), INT("key", REQ), INT("value", OPT));
    BECOMES("MAP(INTEGER, INTEGER[])", false, "011 100", GROUP("m", REQ, MAP, 1),
            GROUP("key_value", REP, NONE, 2), INT("key", REQ), GROUP("value", OPT, LIST, 1),
            GROUP("list", REP, NONE, 1), INT("element", OPT));
    /* keys alone are a set */
    BECOMES("INTEGER[]", true, "121 200", GROUP("m", OPT, MAP, 1), GROUP("map", REP, NONE, 1),
            INT("key", REQ));
    BECOMES("STRUCT(key_value STRUCT(a INTEGER, b INTEGER, c INTEGER)[])", true, "100 121 200 200",
            GROUP("m", OPT, MAP, 1), GROUP("key_value", REP, NONE, 3), INT("a", REQ), INT("b", REQ),
            INT("c", REQ));
}

static void parts(void **state)
{
    (void)state;
    pq_element e[] = {GROUP("root", REQ, NONE, 2),
                      INT("id", REQ),
                      GROUP("user", OPT, NONE, 3),
                      INT("age", REQ),
                      GROUP("tags", OPT, LIST, 1),
                      GROUP("list", REP, NONE, 1),
                      GROUP("element", OPT, NONE, 2),
                      INT("k", OPT),
                      INT("w", REQ),
                      GROUP("none", OPT, NONE, 0)};
    static const struct {
        const char *path, *type;
        bool nullable, no_leaf;
    } want[] = {{"user.age", "INTEGER", true, false},
                {"user.tags", "STRUCT(k INTEGER, w INTEGER)[]", true, false},
                {"user.tags.k", "INTEGER[]", true, false},
                {"user.tags.w", "INTEGER[]", true, false},
                {"user.none", "STRUCT()", true, true}};
    pq_meta p = {.n_nodes = sizeof e / sizeof *e, .nodes = e};
    pq_leaf leaves[4];
    char text[64];
    mem *m = test_mem_open(1 << 20);
    schema copy;
    assert_ok(arena_new(m, &p.a, &err), &err);
    for (uint32_t i = 0; i < 4; i++)
        leaves[i] = (pq_leaf){.field = {.type = type_of(TYPE_INT32)}};
    for (uint32_t i = 0; i < p.n_nodes; i++)
        pq_element_convert(&e[i]);
    p.leaves = leaves;
    assert_ok(pq_tree_make(&p, &err), &err);
    assert_ok(schema_copy(p.a, &p.schema, &copy, &err), &err);
    assert_int_equal(copy.n_parts, 5);
    assert_true(p.columns[1].no_leaf && !p.columns[0].no_leaf);
    for (uint32_t i = 0; i < 5; i++) {
        const field *f = &copy.fields[2 + i];
        assert_int_equal(schema_find(&copy, want[i].path), 2 + i);
        type_print(&f->type, text, sizeof text);
        assert_string_equal(text, want[i].type);
        assert_string_equal(f->name, strrchr(want[i].path, '.') + 1);
        assert_int_equal(f->nullable, want[i].nullable);
        assert_int_equal(p.columns[2 + i].no_leaf, want[i].no_leaf);
    }
    /* a part of a list's elements is a list of that part alone */
    const pq_node *w = &p.columns[5];
    assert_int_equal(w->n_leaves, 1);
    assert_int_equal(w->first_leaf, 3);
    assert_int_equal(w->def, 2);
    assert_int_equal(w->item_def, 3);
    assert_int_equal(w->children[0].def, 4);
    assert_true(w->children[0].field.nullable); /* where the struct around it is null */
    arena_free(p.a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists), cmocka_unit_test(maps),
                                       cmocka_unit_test(parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
