/* Nested vectors: whatever moves rows, the rows print as the same JSON as before. */
#include "column/json_value.h"
#include "column/nested_bytes.h"
#include "testing.h"

#include <stdlib.h>

static nrw_error err = NRW_ERROR_INIT;

static uint32_t seed = 7;
static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* ---- random vectors ---- */

static vector flat_leaf(mem *m, const type *t, uint32_t n, const bool *must, bool nulls)
{
    static const char words[] = "a word of some length, longer than a view holds";
    vector v;
    buffer *heap;
    int32_t index = 0;
    assert_ok(vector_flat(m, t, n, &v, &err), &err);
    assert_ok(vector_add_validity(&v, &err), &err);
    if (type_is_view(t)) {
        assert_ok(buffer_new(m, sizeof words, &heap, &err), &err);
        memcpy(heap->data, words, sizeof words);
        assert_ok(vector_add_heap(&v, heap, &index, &err), &err);
        buffer_unref(heap);
    }
    memset(v.data, 0, (size_t)n * t->width);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t x = next_random();
        if ((must && must[i]) || (nulls && x % 4 == 0)) {
            bit_clear(v.validity, i);
            v.null_count++;
        } else if (type_is_view(t)) {
            int32_t len = (int32_t)(x % (sizeof words - 8)), at = (int32_t)(x % 8);
            ((view *)v.data)[i] = view_make((const uint8_t *)words + at, len, index, at);
        } else {
            store_u32(v.data + 4 * (size_t)i, x % 100);
        }
    }
    v.len = n;
    return v;
}

static vector dict_leaf(mem *m, const type *t, uint32_t n, const bool *must)
{
    vector values = flat_leaf(m, t, 9, NULL, false), v;
    dict *d;
    buffer_unref(values.validity_buf);
    values.validity = NULL;
    values.validity_buf = NULL;
    assert_ok(dict_new(m, &values, &d, &err), &err);
    assert_ok(vector_dict(m, t, d, n, &v, &err), &err);
    assert_ok(vector_add_validity(&v, &err), &err);
    dict_unref(d);
    for (uint32_t i = 0; i < n; i++) {
        ((uint32_t *)v.data)[i] = next_random() % 9;
        if ((must && must[i]) || next_random() % 5 == 0) {
            bit_clear(v.validity, i);
            v.null_count++;
        }
    }
    v.len = n;
    return v;
}

static vector runs_leaf(mem *m, const type *t, uint32_t n, const bool *must)
{
    vector base = flat_leaf(m, t, n, must, true), values, v;
    uint16_t *from = calloc(n + 1, sizeof *from);
    uint32_t *ends = calloc(n + 1, sizeof *ends), k = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool same = k && (must ? must[i] == must[i - 1] && !must[i] : true) &&
                    vector_is_valid(&base, i) == vector_is_valid(&base, i - 1) && next_random() % 3;
        if (!same)
            from[k++] = (uint16_t)i;
        ends[k - 1] = i + 1;
    }
    assert_ok(vector_take(&base, from, k, m, &values, &err), &err);
    assert_ok(vector_runs(m, &values, n, &v, &err), &err);
    memcpy(v.data, ends, k * sizeof *ends);
    vector_count_nulls(&v);
    vector_release(&base);
    free(from);
    free(ends);
    return v;
}

static vector leaf(mem *m, const type *t, uint32_t n, const bool *must)
{
    switch (n ? next_random() % 3 : 0) {
    case 0: return flat_leaf(m, t, n, must, true);
    case 1: return dict_leaf(m, t, n, must);
    default: return runs_leaf(m, t, n, must);
    }
}

static vector any(mem *m, const type *t, uint32_t n, const bool *must)
{
    vector v;
    bool *null = calloc(n + 1, 1);
    uint32_t at = 0;
    if (!type_is_nested(t)) {
        free(null);
        return leaf(m, t, n, must);
    }
    assert_ok(vector_flat(m, t, n, &v, &err), &err);
    assert_ok(vector_add_validity(&v, &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        null[i] = (must && must[i]) || next_random() % 5 == 0;
        if (null[i]) {
            bit_clear(v.validity, i);
            v.null_count++;
        } else if (t->id != TYPE_STRUCT) {
            at += next_random() % 4;
        }
        if (t->id != TYPE_STRUCT)
            ((uint32_t *)v.data)[i + 1] = at;
    }
    for (uint32_t c = 0; c < t->n_children; c++)
        v.children[c] = t->id == TYPE_STRUCT ? any(m, &t->children[c].type, n, null)
                                             : any(m, &t->children[c].type, at, NULL);
    v.len = n;
    free(null);
    return v;
}

/* ---- rows as JSON ---- */

static char *row_text(mem *m, const vector *v, uint32_t row)
{
    bytes b = bytes_init(m, 1 << 20);
    json_sink s = {.out = &b};
    assert_ok(json_value(&s, v, row, &err), &err);
    char *text = calloc(b.len + 1, 1);
    memcpy(text, b.data, b.len);
    bytes_release(&b);
    return text;
}

static void same_rows(mem *m, const vector *v, uint32_t n, char **want)
{
    assert_ok(vector_validate(v, &err), &err);
    assert_int_equal(v->len, n);
    for (uint32_t i = 0; i < n; i++) {
        char *got = row_text(m, v, i);
        assert_string_equal(got, want[i]);
        free(got);
    }
}

/* Rows as bytes and back, in their order and in another one, some twice. Equal rows are equal
 * bytes, whatever the forms of their vectors. */
static void through_bytes(mem *m, const vector *v, char **rows)
{
    vector kept, picked, w;
    uint32_t order[500];
    char *want[500];
    assert_ok(nested_to_bytes(v, m, &kept, &err), &err);
    assert_ok(vector_validate(&kept, &err), &err);
    assert_ok(nested_from_bytes(&v->type, &kept, m, &w, &err), &err);
    same_rows(m, &w, v->len, rows);
    for (uint32_t i = 0; i < v->len; i++) {
        order[i] = next_random() % v->len;
        want[i] = rows[order[i]];
    }
    vector_release(&w);
    assert_ok(vector_pick(&kept, order, v->len, m, &picked, &err), &err);
    vector_release(&kept);
    assert_ok(nested_from_bytes(&v->type, &picked, m, &w, &err), &err);
    same_rows(m, &w, v->len, want);
    assert_ok(nested_to_bytes(&w, m, &kept, &err), &err);
    for (uint32_t i = 0; i < v->len; i++) {
        assert_int_equal(vector_is_valid(&kept, i), vector_is_valid(&picked, i));
        assert_true(span_equal(view_span(&kept, i), view_span(&picked, i)));
    }
    vector_release(&w);
    vector_release(&kept);
    vector_release(&picked);
}

static void exercise(mem *m, const vector *v, char **rows)
{
    char *want[3 * 500];
    uint16_t sel[500];
    vector w, parts[3];
    same_rows(m, v, v->len, rows);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t first = v->len ? next_random() % v->len : 0;
        uint32_t n = next_random() % (v->len - first + 1);
        assert_ok(vector_slice(v, first, n, m, &w, &err), &err);
        same_rows(m, &w, n, rows + first);
        vector_release(&w);
    }
    for (uint32_t density = 1; density < 5; density++) {
        uint32_t k = 0;
        for (uint32_t i = 0; i < v->len; i++)
            if (next_random() % 4 < density) {
                want[k] = rows[i];
                sel[k++] = (uint16_t)i;
            }
        assert_ok(vector_take(v, sel, k, m, &w, &err), &err);
        same_rows(m, &w, k, want);
        vector_release(&w);
    }
    assert_ok(vector_share(v, &w, &err), &err);
    same_rows(m, &w, v->len, rows);
    vector_release(&w);
    assert_ok(vector_flatten(v, m, &w, &err), &err);
    same_rows(m, &w, v->len, rows);
    for (int i = 0; i < 3; i++) {
        parts[i] = *v;
        memcpy(want + (size_t)i * v->len, rows, v->len * sizeof *want);
    }
    vector_release(&w);
    assert_ok(vector_concat(parts, 3, m, &w, &err), &err);
    same_rows(m, &w, 3 * v->len, want);
    assert_true(vector_bytes(&w) >= 3 * (size_t)v->len / 8);
    vector_release(&w);
    through_bytes(m, v, rows);
}

static void moves_keep_rows(void **state)
{
    (void)state;
    mem *m = test_mem_open(256 << 20);
    const field number = {.name = "element", .type = type_of(TYPE_INT32), .nullable = true};
    const field text = {.name = "s", .type = type_of(TYPE_UTF8), .nullable = true};
    const field list = {.name = "l", .type = type_nested(TYPE_LIST, &number, 1), .nullable = true};
    const field pair[] = {number, list};
    const field map = {
        .name = "m", .type = type_nested(TYPE_MAP, (field[]){text, list}, 2), .nullable = true};
    const field record = {.name = "r", .type = type_nested(TYPE_STRUCT, pair, 2), .nullable = true};
    const field records = {
        .name = "q", .type = type_nested(TYPE_LIST, &record, 1), .nullable = true};
    const field deep[] = {records, map, text};
    const type types[] = {list.type,
                          record.type,
                          map.type,
                          records.type,
                          type_nested(TYPE_STRUCT, deep, 3),
                          type_nested(TYPE_LIST, &records, 1)};
    static const uint32_t sizes[] = {0, 1, 9, 500};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (int round = 0; round < 8; round++) {
            uint32_t n = sizes[round % 4];
            char *rows[500];
            vector v = any(m, &types[t], n, NULL);
            for (uint32_t i = 0; i < n; i++)
                rows[i] = row_text(m, &v, i);
            exercise(m, &v, rows);
            for (uint32_t i = 0; i < n; i++)
                free(rows[i]);
            vector_release(&v);
        }
    test_mem_close(m);
}

/* A list of more elements than a batch has rows, its elements in more runs than that. */
static void long_lists(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    const field number = {.name = "element", .type = type_of(TYPE_INT32), .nullable = true};
    const type t = type_nested(TYPE_LIST, &number, 1);
    const uint32_t n = 300000;
    vector values, v, w;
    assert_ok(vector_flat(m, &number.type, n / 2, &values, &err), &err);
    for (uint32_t i = 0; i < n / 2; i++)
        store_u32(values.data + 4 * (size_t)i, i);
    values.len = n / 2;
    assert_ok(vector_flat(m, &t, 3, &v, &err), &err);
    assert_ok(vector_runs(m, &values, n, &v.children[0], &err), &err);
    for (uint32_t i = 0; i < n / 2; i++)
        ((uint32_t *)v.children[0].data)[i] = 2 * i + 2;
    vector_count_nulls(&v.children[0]);
    memcpy(v.data + 4, (uint32_t[]){11, n - 3, n}, 12);
    v.len = 3;
    assert_ok(vector_validate(&v, &err), &err);
    assert_ok(vector_slice(&v, 1, 1, m, &w, &err), &err);
    assert_ok(vector_validate(&w, &err), &err);
    assert_int_equal(w.children[0].len, n - 14);
    for (uint32_t i = 0; i < n - 14; i += 997) {
        bool null;
        assert_int_equal(load_u32(vector_value(&w.children[0], i, &null).data), (i + 11) / 2);
        assert_false(null);
    }
    vector_release(&w);
    assert_ok(vector_take(&v, (uint16_t[]){0, 2}, 2, m, &w, &err), &err);
    char *first = row_text(m, &w, 0), *last = row_text(m, &w, 1);
    assert_string_equal(first, "[0,0,1,1,2,2,3,3,4,4,5]");
    assert_string_equal(last, "[149998,149999,149999]");
    free(first);
    free(last);
    vector_release(&w);
    vector_release(&v);
    test_mem_close(m);
}

static void broken(const vector *v, const char *what)
{
    err = (nrw_error)NRW_ERROR_INIT;
    assert_int_equal(vector_validate(v, &err), NRW_E_CORRUPT);
    assert_non_null(strstr(err.message, what));
}

static void validation_finds(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    const field number = {.name = "x", .type = type_of(TYPE_INT32), .nullable = true};
    const field text = {.name = "x", .type = type_of(TYPE_UTF8), .nullable = true};
    const type list = type_nested(TYPE_LIST, &number, 1);
    const type record = type_nested(TYPE_STRUCT, &number, 1);
    vector w = any(m, &record, 20, NULL), other = leaf(m, &text.type, 20, NULL), v;
    assert_ok(vector_flat(m, &list, 2, &v, &err), &err);
    v.children[0] = leaf(m, &number.type, 5, NULL);
    v.len = 2;
    uint32_t *at = (uint32_t *)v.data;
    memcpy(at, (uint32_t[]){1, 3, 5}, 12);
    broken(&v, "the first offset");
    memcpy(at, (uint32_t[]){0, 6, 5}, 12);
    broken(&v, "offsets fall");
    memcpy(at, (uint32_t[]){0, 3, 4}, 12);
    broken(&v, "a child with more or fewer rows");
    memcpy(at, (uint32_t[]){0, 0, 5}, 12);
    assert_ok(vector_validate(&v, &err), &err);
    assert_ok(vector_add_validity(&v, &err), &err);
    bit_clear(v.validity, 1);
    v.null_count = 1;
    broken(&v, "a null list has elements");
    bit_set(v.validity, 1);
    v.null_count = 0;
    v.n_children = 0;
    broken(&v, "other children than its type");
    v.n_children = 1;
    vector field0 = w.children[0];
    w.children[0] = other;
    broken(&w, "a child of another type");
    w.children[0] = field0;
    memset(w.validity, 0, 3);
    w.null_count = 20;
    broken(&w, "a field of a null struct");
    vector_release(&other);
    vector_release(&v);
    vector_release(&w);
    test_mem_close(m);
}

static void types_print_and_compare(void **state)
{
    (void)state;
    const field a[] = {{.name = "a", .type = type_of(TYPE_INT32)},
                       {.name = "b \"c\"", .type = type_decimal(5, 2)}};
    const field element = {.name = "element", .type = type_nested(TYPE_STRUCT, a, 2)};
    const field other = {.name = "item", .type = element.type};
    const field kv[] = {{.name = "key", .type = type_of(TYPE_UTF8)},
                        {.name = "value", .type = type_nested(TYPE_LIST, &element, 1)}};
    type map = type_nested(TYPE_MAP, kv, 2);
    char text[80], part[12];
    static const char want[] = "MAP(VARCHAR, STRUCT(a INTEGER, \"b \"\"c\"\"\" DECIMAL(5,2))[])";
    assert_int_equal(type_print(&map, text, sizeof text), strlen(want));
    assert_string_equal(text, want);
    assert_int_equal(type_print(&map, part, sizeof part), strlen(want));
    assert_string_equal(part, "MAP(VARCHAR");
    type x = type_nested(TYPE_LIST, &element, 1), y = type_nested(TYPE_LIST, &other, 1);
    assert_true(type_equal(&x, &y));
    field renamed[] = {a[0], a[1]};
    renamed[0].name = "z";
    type z = type_nested(TYPE_STRUCT, renamed, 2);
    assert_false(type_equal(&element.type, &z));
    assert_false(type_equal(&map, &x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_keep_rows), cmocka_unit_test(long_lists),
        cmocka_unit_test(validation_finds), cmocka_unit_test(types_print_and_compare)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
