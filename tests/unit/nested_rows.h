/* For tests of what writes nested columns: random types, and vectors of them whose values are a
 * function of the place alone, so that they can be made in several forms. */
#ifndef NESTED_ROWS_H
#define NESTED_ROWS_H

#include "write_table.h"

typedef struct nested_maker {
    mem *m;
    uint64_t seed;
    uint32_t nulls;   /* of a hundred */
    uint32_t longest; /* of lists */
    bool forms;       /* leaves as dictionaries and runs where that is possible */
} nested_maker;

static inline uint32_t nested_pick(uint64_t *seed, uint32_t n)
{
    *seed = hash_u64(*seed + 1);
    return (uint32_t)(*seed >> 20) % n;
}

/* ---- types ---- */

static inline type nested_leaf_type(uint64_t *seed)
{
    switch (nested_pick(seed, 9)) {
    case 0: return type_of(TYPE_BOOL);
    case 1: return type_of(TYPE_INT16);
    case 2: return type_of(TYPE_INT64);
    case 3: return type_of(TYPE_FLOAT64);
    case 4: return type_decimal(30, 5);
    case 5: return type_fixed(5);
    case 6: return type_timestamp(UNIT_US, true);
    default: return type_of(TYPE_UTF8);
    }
}

static inline field nested_field(arena *a, const char *name, int depth, uint64_t *seed);

static inline type nested_type(arena *a, int depth, uint64_t *seed)
{
    static const char *const names[] = {"a", "b.c", "d e", "f"};
    uint32_t kind = depth ? nested_pick(seed, 5) : 0, n;
    void *p;

    if (kind < 2)
        return nested_leaf_type(seed);
    n = kind == 2 ? 1 : kind == 3 ? 2 : 1 + nested_pick(seed, 4);
    assert_ok(arena_alloc(a, n * sizeof(field), &p, NULL), NULL);
    field *f = p;
    for (uint32_t i = 0; i < n; i++)
        f[i] = nested_field(a, names[i], depth - 1, seed);
    if (kind == 3) {
        f[0].type = nested_leaf_type(seed);
        f[0].nullable = false;
    }
    return type_nested(kind == 2 ? TYPE_LIST : kind == 3 ? TYPE_MAP : TYPE_STRUCT, f, n);
}

static inline field nested_field(arena *a, const char *name, int depth, uint64_t *seed)
{
    field f = {.name = name, .field_id = -1, .nullable = nested_pick(seed, 4) > 0};
    f.type = nested_type(a, depth, seed);
    return f;
}

/* ---- vectors ---- */

static inline uint64_t nested_number(const nested_maker *k, uint64_t id, uint32_t row)
{
    uint64_t x = hash_u64(k->seed + id * 131 + row);
    switch (id % 3) { /* some repeat, some come in runs */
    case 0: return x;
    case 1: return x % 20;
    default: return hash_u64(id + row / 9) % 20;
    }
}

static inline vector nested_leaf(const nested_maker *k, const field *f, uint64_t id, uint32_t n,
                                 const bool *null)
{
    table_column c = {.type = f->type};
    buffer *heap = NULL;
    int32_t index = 0;
    vector v;

    assert_ok(vector_flat(k->m, &f->type, n, &v, NULL), NULL);
    v.len = n;
    if (f->nullable)
        assert_ok(vector_add_validity(&v, NULL), NULL);
    if (type_is_view(&f->type)) {
        assert_ok(buffer_new(k->m, (size_t)n * 40 + 64, &heap, NULL), NULL);
        assert_ok(vector_add_heap(&v, heap, &index, NULL), NULL);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t x = nested_number(k, id, i);
        if (null[i]) {
            memset(v.data + (size_t)i * f->type.width, 0, f->type.width);
            v.null_count += f->nullable;
            if (f->nullable)
                bit_clear(v.validity, i);
        } else if (heap) {
            uint32_t len = table_text(&c, x, heap->data + heap->len);
            ((view *)v.data)[i] =
                view_make(heap->data + heap->len, (int32_t)len, index, (int32_t)heap->len);
            heap->len += len;
        } else {
            table_value(&f->type, x, v.data + (size_t)i * f->type.width);
        }
    }
    buffer_unref(heap);
    return v;
}

static inline bool nested_same(const vector *v, uint32_t i, uint32_t j)
{
    span a = flat_span(v, i), b = flat_span(v, j);
    bool valid = vector_is_valid(v, i);
    if (valid != vector_is_valid(v, j))
        return false;
    return !valid || (a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
}

/* The same rows as runs. */
static inline vector nested_runs(const nested_maker *k, vector *flat)
{
    vector_range *r = calloc(flat->len + 1, sizeof *r);
    uint32_t n = 0;
    vector values, v;

    for (uint32_t i = 0; i < flat->len; i++)
        if (!n || !nested_same(flat, i, i - 1))
            r[n++] = (vector_range){i, 1};
    assert_ok(vector_take_ranges(flat, r, n, k->m, &values, NULL), NULL);
    assert_ok(vector_runs(k->m, &values, flat->len, &v, NULL), NULL);
    for (uint32_t i = 0; i < n; i++)
        store_u32(v.data + 4 * (size_t)i, i + 1 < n ? r[i + 1].first : flat->len);
    vector_count_nulls(&v);
    vector_release(flat);
    free(r);
    return v;
}

/* The same rows over a dictionary, where its entries are few. */
static inline vector nested_dict(const nested_maker *k, vector *flat)
{
    uint32_t *index = calloc(flat->len + 1, sizeof *index), n = 0, e;
    vector_range first[64];
    vector values, v;
    dict *d;

    for (uint32_t i = 0; i < flat->len; i++) {
        if (!vector_is_valid(flat, i))
            continue;
        for (e = 0; e < n && !nested_same(flat, i, first[e].first); e++)
            ;
        if (e == 64)
            break;
        if (e == n)
            first[n++] = (vector_range){i, 1};
        index[i] = e;
    }
    if (!n || n == 64) {
        free(index);
        return *flat;
    }
    assert_ok(vector_take_ranges(flat, first, n, k->m, &values, NULL), NULL);
    buffer_unref(values.validity_buf);
    values.validity = NULL;
    values.validity_buf = NULL;
    assert_ok(dict_new(k->m, &values, &d, NULL), NULL);
    assert_ok(vector_dict(k->m, &flat->type, d, flat->len, &v, NULL), NULL);
    dict_unref(d);
    v.len = flat->len;
    memcpy(v.data, index, flat->len * sizeof *index);
    if (flat->null_count) {
        assert_ok(vector_add_validity(&v, NULL), NULL);
        for (uint32_t i = 0; i < v.len; i++)
            if (!vector_is_valid(flat, i))
                bit_clear(v.validity, i);
        v.null_count = flat->null_count;
    }
    vector_release(flat);
    free(index);
    return v;
}

static inline vector nested_vector(const nested_maker *k, const field *f, uint64_t id, uint32_t n,
                                   const bool *must);

/* Lengths of lists: some empty, now and then one that is far longer. */
static inline uint32_t nested_length(const nested_maker *k, uint64_t id, uint32_t row)
{
    uint64_t x = hash_u64(k->seed ^ (id * 977 + row));
    return x % 97 == 0 ? k->longest * 30 : (uint32_t)(x >> 8) % (k->longest + 1);
}

static inline void nested_children(const nested_maker *k, const type *t, uint64_t id, uint32_t n,
                                   const bool *null, vector *v)
{
    uint32_t rows = n;
    bool *none = NULL;

    if (t->id != TYPE_STRUCT) {
        uint32_t *offset = (uint32_t *)(void *)v->data;
        rows = offset[0] = 0;
        for (uint32_t i = 0; i < n; i++)
            offset[i + 1] = rows += null[i] ? 0 : nested_length(k, id, i);
        null = none = calloc(rows + 1, 1);
    }
    for (uint32_t i = 0; i < t->n_children; i++)
        v->children[i] = nested_vector(k, &t->children[i], id * 7 + i + 1, rows, null);
    free(none);
}

/* n rows, null where `must` says so. */
static inline vector nested_vector(const nested_maker *k, const field *f, uint64_t id, uint32_t n,
                                   const bool *must)
{
    bool *null = calloc(n + 1, 1);
    vector v;

    for (uint32_t i = 0; i < n; i++) {
        bool by_chance = hash_u64(k->seed + id * 31 + i) % 100 < k->nulls;
        null[i] = (must && must[i]) || (f->nullable && by_chance);
    }
    if (!type_is_nested(&f->type)) {
        v = nested_leaf(k, f, id, n, null);
        if (k->forms && n && id % 3 == 1)
            v = nested_dict(k, &v);
        else if (k->forms && n && id % 3 == 2)
            v = nested_runs(k, &v);
        free(null);
        return v;
    }
    assert_ok(vector_flat(k->m, &f->type, n, &v, NULL), NULL);
    v.len = n;
    if (f->nullable)
        assert_ok(vector_add_validity(&v, NULL), NULL);
    for (uint32_t i = 0; i < n && f->nullable; i++)
        if (null[i]) {
            bit_clear(v.validity, i);
            v.null_count++;
        }
    nested_children(k, &f->type, id, n, null, &v);
    free(null);
    return v;
}

/* A table of n random nested columns; coded: the same in other forms. */
static inline table nested_table(mem *m, uint64_t seed, uint32_t n, uint32_t rows, uint32_t longest)
{
    table t = {.m = m, .rows = rows};
    nested_maker k = {.m = m, .seed = seed, .longest = longest};
    void *p;

    assert_ok(arena_new(m, &t.a, NULL), NULL);
    assert_ok(schema_new(t.a, n, &t.s, NULL), NULL);
    assert_ok(mem_zalloc(m, n * sizeof(vector), &p, NULL), NULL);
    t.cols = p;
    assert_ok(mem_zalloc(m, n * sizeof(vector), &p, NULL), NULL);
    t.coded = p;
    assert_ok(mem_zalloc(m, n * sizeof(size_t), &p, NULL), NULL);
    t.row_bytes = p;
    assert_ok(mem_zalloc(m, n * sizeof(fill), &p, NULL), NULL);
    t.fills = p;
    for (uint32_t c = 0; c < n; c++) {
        char name[32], *kept;
        snprintf(name, sizeof name, "c%u", c);
        assert_ok(arena_strndup(t.a, name, strlen(name), &kept, NULL), NULL);
        do {
            t.s.fields[c] = nested_field(t.a, kept, 4, &seed);
        } while (c % 4 && !type_is_nested(&t.s.fields[c].type));
        t.s.fields[c].field_id = c % 2 ? (int32_t)c : -1;
        k.nulls = nested_pick(&seed, 3) * 15;
        k.forms = false;
        t.cols[c] = nested_vector(&k, &t.s.fields[c], c + 1, rows, NULL);
        k.forms = true;
        t.coded[c] = nested_vector(&k, &t.s.fields[c], c + 1, rows, NULL);
        t.fills[c] = FILL_RANDOM;
        t.row_bytes[c] = vector_bytes(&t.cols[c]) / (rows ? rows : 1) + 1;
        assert_ok(vector_validate(&t.cols[c], NULL), NULL);
        assert_ok(vector_validate(&t.coded[c], NULL), NULL);
    }
    return t;
}

#endif
