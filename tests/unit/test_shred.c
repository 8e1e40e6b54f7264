/* Nested vectors to levels and values: examples worked out by hand, and random ones against a
 * recursion over single rows. */
#include "nested_rows.h"

#include "format/parquet/shred.h"

#include <cmocka.h>

static nrw_error err = NRW_ERROR_INIT;

/* ---- entries ---- */

typedef struct entries {
    uint32_t n, cap;
    uint8_t *def, *rep;
    uint64_t *value; /* hash; 0 where there is none */
} entries;

static void entries_add(entries *e, uint8_t rep, uint8_t def, uint64_t value)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? 2 * e->cap : 64;
        e->def = realloc(e->def, e->cap);
        e->rep = realloc(e->rep, e->cap);
        e->value = realloc(e->value, e->cap * sizeof *e->value);
    }
    e->rep[e->n] = rep;
    e->def[e->n] = def;
    e->value[e->n++] = value;
}

static void entries_free(entries *e)
{
    free(e->def);
    free(e->rep);
    free(e->value);
    *e = (entries){0};
}

static uint64_t value_of(const vector *v, uint32_t row)
{
    bool null;
    span s = vector_value(v, row, &null);
    return null ? 0 : hash_bytes(s.data, s.len) | 1;
}

static bool is_null(const vector *v, uint32_t row)
{
    bool null = false;
    vector_value(v, row, &null);
    return null;
}

/* What LogicalTypes.md says, one row after the other. */
static void reference(const pq_wleaf *l, uint32_t step, const field *f, bool nullable,
                      const vector *v, uint32_t row, uint8_t rep, uint8_t def, uint8_t depth,
                      entries *out)
{
    if (nullable && is_null(v, row)) {
        entries_add(out, rep, def, 0);
        return;
    }
    def += nullable;
    if (step == l->n_route) {
        entries_add(out, rep, def, value_of(v, row));
        return;
    }
    uint32_t c = l->route[step];
    const field *child = &f->type.children[c];
    bool may = child->nullable && !(f->type.id == TYPE_MAP && c == 0);
    if (f->type.id == TYPE_STRUCT) {
        reference(l, step + 1, child, may, &v->children[c], row, rep, def, depth, out);
        return;
    }
    uint32_t from = vector_offsets(v)[row], to = vector_offsets(v)[row + 1];
    if (from == to)
        entries_add(out, rep, def, 0);
    for (uint32_t i = from; i < to; i++)
        reference(l, step + 1, child, may, &v->children[c], i, i == from ? rep : depth + 1, def + 1,
                  depth + 1, out);
}

/* A piece, entry by entry. */
static void take_piece(const pq_levels *p, entries *out)
{
    uint32_t row = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        bool has = p->def[i] >= p->row_def, there = p->def[i] == p->max_def;
        if (has)
            assert_true(there == vector_is_valid(&p->values, row));
        assert_true(!p->all || there);
        entries_add(out, p->rep ? p->rep[i] : 0, p->def[i], there ? value_of(&p->values, row) : 0);
        row += has;
    }
    assert_int_equal(row, p->values.len);
}

static entries shredded(pq_shred *s, const pq_wleaf *l, const field *f, const vector *v)
{
    entries e = {0};
    pq_levels *p;
    nrw_status st;
    uint64_t most = pq_shred_begin(s, l, f, v);
    while ((st = pq_shred_next(s, &p, &err)) == NRW_OK)
        take_piece(p, &e);
    assert_status(NRW_END, st, &err);
    assert_true(e.n <= most);
    return e;
}

static void same_entries(const entries *want, const entries *got)
{
    assert_int_equal(want->n, got->n);
    for (uint32_t i = 0; i < want->n; i++)
        if (want->def[i] != got->def[i] || want->rep[i] != got->rep[i] ||
            want->value[i] != got->value[i])
            fail_msg("entry %u: levels %u %u, not %u %u", i, got->rep[i], got->def[i], want->rep[i],
                     want->def[i]);
}

/* ---- by hand ---- */

static vector numbers(mem *m, uint32_t n, const char *valid)
{
    type t = type_of(TYPE_INT32);
    vector v;
    assert_ok(vector_flat(m, &t, n, &v, &err), &err);
    v.len = n;
    assert_ok(vector_add_validity(&v, &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        store_u32(v.data + 4 * (size_t)i, valid[i] == '1' ? i : 0);
        if (valid[i] != '1') {
            bit_clear(v.validity, i);
            v.null_count++;
        }
    }
    return v;
}

static vector nested_over(mem *m, const type *t, uint32_t n, const char *valid,
                          const uint32_t *offsets, const vector *children)
{
    vector v;
    assert_ok(vector_flat(m, t, n, &v, &err), &err);
    v.len = n;
    if (offsets)
        memcpy(v.data, offsets, (n + 1) * sizeof *offsets);
    assert_ok(vector_add_validity(&v, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (valid[i] != '1') {
            bit_clear(v.validity, i);
            v.null_count++;
        }
    for (uint32_t i = 0; i < t->n_children; i++)
        v.children[i] = children[i];
    assert_ok(vector_validate(&v, &err), &err);
    return v;
}

static void check_levels(mem *m, const schema *s, const vector *v, uint32_t leaf, const char *rep,
                         const char *def)
{
    arena *a;
    pq_leaves leaves;
    pq_shred *sh;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(pq_leaves_of(s, a, &leaves, &err), &err);
    assert_ok(pq_shred_new(m, &leaves, &sh, &err), &err);
    entries e = shredded(sh, &leaves.at[leaf], &s->fields[0], v);
    assert_int_equal(e.n, strlen(rep));
    for (uint32_t i = 0; i < e.n; i++) {
        assert_int_equal(e.rep[i], rep[i] - '0');
        assert_int_equal(e.def[i], def[i] - '0');
    }
    entries_free(&e);
    pq_shred_free(sh);
    arena_free(a);
}

/* [1, null], null, [], [3] in a nullable list of nullable numbers. */
static void test_list(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    field element = {.name = "x", .type = type_of(TYPE_INT32), .nullable = true, .field_id = -1};
    field f = {.name = "l", .type = type_nested(TYPE_LIST, &element, 1), .nullable = true};
    schema s = {1, &f};
    vector child = numbers(m, 3, "101");
    vector v = nested_over(m, &f.type, 4, "1011", (uint32_t[]){0, 2, 2, 2, 3}, &child);
    check_levels(m, &s, &v, 0, "01000", "32013");
    vector_release(&v);
    test_mem_close(m);
}

/* The two documents of the Dremel paper, Links.Forward and Name.Language.Code of them. */
static void test_dremel(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    field code = {.name = "Code", .type = type_of(TYPE_INT32), .nullable = false};
    field language = {.name = "e", .type = type_nested(TYPE_STRUCT, &code, 1), .nullable = false};
    field languages = {.name = "Language", .type = type_nested(TYPE_LIST, &language, 1)};
    field name = {.name = "e", .type = type_nested(TYPE_STRUCT, &languages, 1), .nullable = false};
    field f = {.name = "Name", .type = type_nested(TYPE_LIST, &name, 1), .nullable = false};
    schema s = {1, &f};
    vector codes = numbers(m, 3, "111");
    vector c = nested_over(m, &language.type, 3, "111", NULL, &codes);
    vector l = nested_over(m, &languages.type, 4, "1111", (uint32_t[]){0, 2, 2, 3, 3}, &c);
    vector n = nested_over(m, &name.type, 4, "1111", NULL, &l);
    vector v = nested_over(m, &f.type, 2, "11", (uint32_t[]){0, 3, 4}, &n);
    check_levels(m, &s, &v, 0, "02110", "22121");
    vector_release(&v);
    test_mem_close(m);
}

/* A map under a struct that may be null: keys and values have the same shape. */
static void test_map(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    field entry[2] = {{.name = "key", .type = type_of(TYPE_INT32), .nullable = false},
                      {.name = "value", .type = type_of(TYPE_INT32), .nullable = true}};
    field map = {.name = "m", .type = type_nested(TYPE_MAP, entry, 2), .nullable = true};
    field f = {.name = "s", .type = type_nested(TYPE_STRUCT, &map, 1), .nullable = true};
    schema s = {1, &f};
    vector kv[2] = {numbers(m, 3, "111"), numbers(m, 3, "010")};
    vector mv = nested_over(m, &map.type, 4, "1001", (uint32_t[]){0, 2, 2, 2, 3}, kv);
    vector v = nested_over(m, &f.type, 4, "1011", NULL, &mv);
    check_levels(m, &s, &v, 0, "01000", "33013");
    check_levels(m, &s, &v, 1, "01000", "34013");
    vector_release(&v);
    test_mem_close(m);
}

/* A null under a field that has none by the schema is found, one under a null struct is not one. */
static void test_required(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    field x = {.name = "x", .type = type_of(TYPE_INT32), .nullable = false};
    field f = {.name = "s", .type = type_nested(TYPE_STRUCT, &x, 1), .nullable = true};
    schema s = {1, &f};
    arena *a;
    pq_leaves leaves;
    pq_shred *sh;
    pq_levels *p;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(pq_leaves_of(&s, a, &leaves, &err), &err);
    assert_ok(pq_shred_new(m, &leaves, &sh, &err), &err);
    for (int bad = 0; bad < 2; bad++) {
        vector child = numbers(m, 3, "110");
        vector v = nested_over(m, &f.type, 3, bad ? "111" : "110", NULL, &child);
        pq_shred_begin(sh, &leaves.at[0], &f, &v);
        assert_status(bad ? NRW_E_VALUE : NRW_OK, pq_shred_next(sh, &p, &err), &err);
        vector_release(&v);
    }
    pq_shred_free(sh);
    arena_free(a);
    test_mem_close(m);
}

/* ---- by chance ---- */

static void check_column(mem *m, const schema *s, uint32_t c, const pq_leaves *leaves,
                         const vector *flat, const vector *coded)
{
    pq_shred *sh;
    assert_ok(pq_shred_new(m, leaves, &sh, &err), &err);
    for (uint32_t i = leaves->first[c]; i < leaves->first[c + 1]; i++) {
        const pq_wleaf *l = &leaves->at[i];
        const field *f = &s->fields[c];
        entries want = {0};
        for (uint32_t row = 0; row < flat->len; row++)
            reference(l, 0, f, f->nullable, flat, row, 0, 0, 0, &want);
        entries a = shredded(sh, l, f, flat), b = shredded(sh, l, f, coded);
        same_entries(&want, &a);
        same_entries(&want, &b);
        entries_free(&want);
        entries_free(&a);
        entries_free(&b);
    }
    pq_shred_free(sh);
}

static void test_chance(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        mem *m = test_mem_open(MEM_NO_LIMIT);
        table t = nested_table(m, seed, 4, 1 + (uint32_t)(hash_u64(seed) % 600), 1 + seed % 6);
        pq_leaves leaves;
        assert_ok(pq_leaves_of(&t.s, t.a, &leaves, &err), &err);
        assert_int_equal(leaves.first[4], leaves.n);
        for (uint32_t c = 0; c < 4; c++)
            check_column(m, &t.s, c, &leaves, &t.cols[c], &t.coded[c]);
        table_free(&t);
        test_mem_close(m);
    }
}

/* One list that is longer than many pieces. */
static void test_long(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    field x = {.name = "x", .type = type_of(TYPE_INT64), .nullable = true};
    field inner = {.name = "e", .type = type_nested(TYPE_LIST, &x, 1), .nullable = true};
    field f = {.name = "l", .type = type_nested(TYPE_LIST, &inner, 1), .nullable = true};
    schema s = {1, &f};
    arena *a;
    pq_leaves leaves;
    nested_maker k = {.m = m, .seed = 5, .nulls = 7, .longest = 400};
    vector v = nested_vector(&k, &f, 1, 30, NULL);
    assert_true(v.children[0].children[0].len > 8 * BATCH_MAX_ROWS);
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(pq_leaves_of(&s, a, &leaves, &err), &err);
    check_column(m, &s, 0, &leaves, &v, &v);
    vector_release(&v);
    arena_free(a);
    test_mem_close(m);
}

/* ---- what cannot be written ---- */

static void test_refused(void **state)
{
    (void)state;
    mem *m = test_mem_open(MEM_NO_LIMIT);
    arena *a;
    pq_leaves leaves;
    field f[300];
    schema s = {1, &f[299]};
    assert_ok(arena_new(m, &a, &err), &err);
    f[0] = (field){.name = "x", .type = type_nested(TYPE_STRUCT, NULL, 0), .nullable = true};
    for (int i = 1; i < 300; i++)
        f[i] = (field){.name = "s", .type = type_nested(TYPE_STRUCT, &f[i - 1], 1)};
    assert_status(NRW_E_UNSUPPORTED, pq_leaves_of(&s, a, &leaves, &err), &err);
    s.fields = &f[3];
    assert_status(NRW_E_UNSUPPORTED, pq_leaves_of(&s, a, &leaves, &err), &err);
    f[0].type = type_of(TYPE_BOOL);
    assert_ok(pq_leaves_of(&s, a, &leaves, &err), &err);
    assert_string_equal(leaves.at[0].name, "s.s.s.x");
    arena_free(a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),     cmocka_unit_test(test_dremel), cmocka_unit_test(test_map),
        cmocka_unit_test(test_required), cmocka_unit_test(test_chance), cmocka_unit_test(test_long),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
