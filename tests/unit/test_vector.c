#include "column/vector.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;

static uint32_t seed = 1;
static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Text `x` of the test's vocabulary: inlined, at the border, and long ones. */
static span word(uint32_t x, char buf[64])
{
    size_t len = x % 5 == 0 ? 0 : x % 5 == 1 ? 12 : x % 5 == 2 ? 13 : 1 + x % 40;
    for (size_t i = 0; i < len; i++)
        buf[i] = (char)('a' + (x + i) % 26);
    return (span){(uint8_t *)buf, len};
}

static void fill_text(vector *v, uint32_t n, const uint32_t *what, mem *m)
{
    buffer *heap;
    int32_t index;
    assert_ok(buffer_new(m, 64 * (size_t)n + 1, &heap, &err), &err);
    assert_ok(vector_add_heap(v, heap, &index, &err), &err);
    buffer_unref(heap);
    for (uint32_t i = 0; i < n; i++) {
        char buf[64];
        span s = word(what[i], buf);
        memcpy(heap->data + heap->len, s.data, s.len);
        ((view *)v->data)[i] =
            view_make(heap->data + heap->len, (int32_t)s.len, index, (int32_t)heap->len);
        heap->len += s.len;
    }
}

/* Values what[0..n) of type t; UINT32_MAX is null. */
static vector make_flat(mem *m, const type *t, uint32_t n, const uint32_t *what)
{
    vector v;
    assert_ok(vector_flat(m, t, n, &v, &err), &err);
    memset(v.data, 0, (size_t)n * t->width);
    if (type_is_view(t))
        fill_text(&v, n, what, m);
    else
        for (uint32_t i = 0; i < n; i++)
            memcpy(v.data + (size_t)i * t->width, &what[i], t->width < 4 ? t->width : 4);
    v.len = n;
    for (uint32_t i = 0; i < n; i++)
        if (what[i] == UINT32_MAX) {
            assert_ok(vector_add_validity(&v, &err), &err);
            bit_clear(v.validity, i);
            memset(v.data + (size_t)i * t->width, 0, t->width);
            v.null_count++;
        }
    return v;
}

/* The same over a dictionary of the values 0..16. */
static vector make_dict(mem *m, const type *t, uint32_t n, const uint32_t *what, dict *d)
{
    vector v;
    assert_ok(vector_dict(m, t, d, n, &v, &err), &err);
    v.len = n;
    for (uint32_t i = 0; i < n; i++) {
        ((uint32_t *)v.data)[i] = what[i] == UINT32_MAX ? 3 : what[i];
        if (what[i] == UINT32_MAX) {
            assert_ok(vector_add_validity(&v, &err), &err);
            bit_clear(v.validity, i);
            v.null_count++;
        }
    }
    return v;
}

static vector make_runs(mem *m, const type *t, uint32_t n, const uint32_t *what, dict *d)
{
    uint32_t values[4096], ends[4096], runs = 0;
    vector inner, v;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || what[i] != what[i - 1])
            values[runs++] = what[i];
        ends[runs - 1] = i + 1;
    }
    inner = d ? make_dict(m, t, runs, values, d) : make_flat(m, t, runs, values);
    assert_ok(vector_runs(m, &inner, n, &v, &err), &err);
    memcpy(v.data, ends, runs * sizeof *ends);
    vector_count_nulls(&v);
    return v;
}

static void check_rows(const vector *v, const type *t, uint32_t n, const uint32_t *want)
{
    assert_ok(vector_validate(v, &err), &err);
    assert_int_equal(v->len, n);
    uint32_t nulls = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool null;
        char buf[64];
        uint8_t bytes[64] = {0};
        span got = vector_value(v, i, &null);
        assert_int_equal(null, want[i] == UINT32_MAX);
        nulls += null;
        if (null)
            continue;
        span s = {bytes, t->width};
        if (type_is_view(t))
            s = word(want[i], buf);
        else
            memcpy(bytes, &want[i], t->width < 4 ? t->width : 4);
        assert_int_equal(got.len, s.len);
        assert_memory_equal(got.data, s.data, s.len);
    }
    assert_int_equal(v->null_count, nulls);
}

/* All rows in another order, and windows on them. */
static void deal(const vector *v, mem *m, const type *t, uint32_t n, const uint32_t *what)
{
    vector all, w;
    uint16_t order[4096];
    uint32_t want[4096];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = next_random() % (i + 1);
        order[i] = order[k];
        order[k] = (uint16_t)i;
    }
    for (uint32_t i = 0; i < n; i++)
        want[i] = what[order[i]];
    assert_ok(vector_permute(v, order, n, m, &all, &err), &err);
    assert_int_equal(all.form, v->form);
    check_rows(&all, t, n, want);
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t first = next_random() % n, len = 1 + next_random() % (n - first);
        assert_ok(vector_window(&all, first, len, m, &w, &err), &err);
        check_rows(&w, t, len, want + first);
        assert_ptr_equal(w.data_buf, all.data_buf);
        vector_release(&w);
    }
    vector_release(&all);
}

/* Everything that moves rows, over one vector with the rows what[0..n). */
static void exercise(const vector *v, mem *m, const type *t, uint32_t n, const uint32_t *what)
{
    vector w;
    uint16_t sel[4096];
    uint32_t want[4096];
    check_rows(v, t, n, what);
    assert_ok(vector_flatten(v, m, &w, &err), &err);
    assert_int_equal(w.form, VECTOR_FLAT);
    check_rows(&w, t, n, what);
    vector_release(&w);
    assert_ok(vector_expand(v, m, &w, &err), &err);
    assert_int_not_equal(w.form, VECTOR_RUNS);
    check_rows(&w, t, n, what);
    vector_release(&w);
    for (uint32_t density = 0; density < 5; density++) {
        uint32_t k = 0;
        for (uint32_t i = 0; i < n; i++)
            if (density == 4 || next_random() % 4 < density || (density == 0 && i % 97 == 5)) {
                want[k] = what[i];
                sel[k++] = (uint16_t)i;
            }
        assert_ok(vector_take(v, sel, k, m, &w, &err), &err);
        check_rows(&w, t, k, want);
        assert_true(v->form == VECTOR_RUNS || w.form == v->form);
        vector_release(&w);
    }
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t first = n ? next_random() % n : 0;
        uint32_t len = next_random() % (n - first + 1);
        assert_ok(vector_slice(v, first, len, m, &w, &err), &err);
        check_rows(&w, t, len, what + first);
        vector_release(&w);
    }
    if (v->form != VECTOR_RUNS && n)
        deal(v, m, t, n, what);
}

static void concat_all(const vector *parts, mem *m, const type *t, uint32_t n, const uint32_t *what)
{
    uint32_t want[3 * 4096];
    vector w, three[3];
    for (int i = 0; i < 3; i++)
        memcpy(want + (size_t)i * n, what, n * sizeof *what);
    for (int code = 0; code < 64; code++) {
        for (int i = 0; i < 3; i++)
            three[i] = parts[code >> (2 * i) & 3];
        assert_ok(vector_concat(three, 3, m, &w, &err), &err);
        check_rows(&w, t, 3 * n, want);
        if (n && code == 0x15) /* three times the dict form */
            assert_int_equal(w.form, VECTOR_DICT);
        if (n && (code == 0x2a || code == 0x3f)) /* runs over flat, over dict */
            assert_int_equal(w.form, VECTOR_RUNS);
        vector_release(&w);
    }
}

static void try_type(const type *t)
{
    mem *m = test_mem_open(64 << 20);
    uint32_t entries[17];
    for (uint32_t i = 0; i < 17; i++)
        entries[i] = t->id == TYPE_BOOL ? i & 1 : i;
    vector values = make_flat(m, t, 17, entries);
    dict *d;
    assert_ok(dict_new(m, &values, &d, &err), &err);
    static const uint32_t sizes[] = {0, 1, 7, 64, 1000};
    for (int round = 0; round < 15; round++) {
        uint32_t n = sizes[round % 5], what[4096];
        uint32_t nulls = round / 5, x = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (next_random() % 20 == 0 || i == 0)
                x = nulls && next_random() % 3 < nulls
                        ? UINT32_MAX
                        : next_random() % (t->id == TYPE_BOOL ? 2 : 17);
            what[i] = x;
        }
        vector v[4] = {make_flat(m, t, n, what), make_dict(m, t, n, what, d),
                       make_runs(m, t, n, what, NULL), make_runs(m, t, n, what, d)};
        for (int i = 0; i < 4; i++)
            exercise(&v[i], m, t, n, what);
        concat_all(v, m, t, n, what);
        for (int i = 0; i < 4; i++)
            vector_release(&v[i]);
    }
    dict_unref(d);
    test_mem_close(m);
}

static void all_types(void **state)
{
    (void)state;
    static const type_id ids[] = {TYPE_BOOL,     TYPE_INT16, TYPE_INT32, TYPE_INT64,
                                  TYPE_INTERVAL, TYPE_UUID,  TYPE_UTF8};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        type t = type_of(ids[i]);
        try_type(&t);
    }
    type fixed = type_fixed(5), wide = type_decimal(76, 2);
    try_type(&fixed);
    try_type(&wide);
}

static void take_keeps_runs_where_smaller(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    type t = type_of(TYPE_INT64);
    uint32_t what[4000];
    for (uint32_t i = 0; i < 4000; i++)
        what[i] = i / 1000 % 2; /* 0 1 0 1 */
    vector v = make_runs(m, &t, 4000, what, NULL), w;
    assert_int_equal(v.n_runs, 4);
    uint16_t sel[4000];
    uint32_t n = 0;
    for (uint32_t i = 0; i < 4000; i += 2)
        if (i < 1000 || (i >= 2000 && i < 3000))
            sel[n++] = (uint16_t)i;
    assert_ok(vector_take(&v, sel, n, m, &w, &err), &err);
    assert_int_equal(w.form, VECTOR_RUNS);
    assert_int_equal(w.n_runs, 1); /* the runs between were dropped, their neighbours joined */
    vector_release(&w);
    sel[0] = 1;
    sel[1] = 1001;
    sel[2] = 2001;
    assert_ok(vector_take(&v, sel, 3, m, &w, &err), &err);
    assert_int_equal(w.form, VECTOR_FLAT);
    vector_release(&w);
    vector_release(&v);
    test_mem_close(m);
}

static void nulls(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    for (int id = TYPE_NULL; id <= TYPE_ENUM; id++) {
        type t = type_of((type_id)id);
        vector v, w;
        bool null = false;
        assert_ok(vector_nulls(m, &t, 70, &v, &err), &err);
        assert_ok(vector_validate(&v, &err), &err);
        assert_int_equal(v.null_count, 70);
        vector_value(&v, 69, &null);
        assert_true(null);
        assert_ok(vector_flatten(&v, m, &w, &err), &err);
        assert_ok(vector_validate(&w, &err), &err);
        assert_int_equal(w.null_count, 70);
        vector_release(&w);
        vector_release(&v);
        assert_ok(vector_nulls(m, &t, 0, &v, &err), &err);
        assert_ok(vector_validate(&v, &err), &err);
        vector_release(&v);
    }
    test_mem_close(m);
}

static void heaps_are_shared_and_copied_on_write(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    type t = type_of(TYPE_UTF8);
    uint32_t what[] = {2, 7, 8};
    vector v = make_flat(m, &t, 3, what), w;
    assert_ok(vector_share(&v, &w, &err), &err);
    assert_ptr_equal(v.heaps.at, w.heaps.at);
    buffer *heap;
    int32_t index;
    assert_ok(buffer_new(m, 10, &heap, &err), &err);
    assert_ok(vector_add_heap(&w, heap, &index, &err), &err);
    buffer_unref(heap);
    assert_int_equal(index, 1);
    assert_int_equal(v.heaps.n, 1);
    assert_int_equal(w.heaps.n, 2);
    check_rows(&v, &t, 3, what);
    vector_release(&v);
    check_rows(&w, &t, 3, what);
    vector_release(&w);
    test_mem_close(m);
}

static void compaction(void **state)
{
    (void)state;
    mem *root = test_mem_open(4 << 20), *m; /* a child: the root's books hold cached blocks too */
    assert_ok(mem_child(root, "child", MEM_NO_LIMIT, &m, &err), &err);
    type t = type_of(TYPE_UTF8);
    uint32_t what[1000], want[3];
    for (uint32_t i = 0; i < 1000; i++)
        what[i] = 3 + i;
    vector v = make_flat(m, &t, 1000, what), w;
    uint16_t sel[] = {1, 500, 999};
    for (int i = 0; i < 3; i++)
        want[i] = what[sel[i]];
    assert_ok(vector_take(&v, sel, 3, m, &w, &err), &err);
    vector_release(&v);
    uint64_t before = mem_used(m);
    assert_ok(vector_compact(&w, m, &err), &err);
    check_rows(&w, &t, 3, want);
    assert_true(mem_used(m) < before / 10);
    const buffer *heap = w.heaps.at[0];
    assert_ok(vector_compact(&w, m, &err), &err);
    assert_ptr_equal(heap, w.heaps.at[0]);
    vector_release(&w);
    mem_free_account(m);
    test_mem_close(root);
}

static void broken(vector *v, const char *what)
{
    err = (nrw_error)NRW_ERROR_INIT;
    assert_int_equal(vector_validate(v, &err), NRW_E_CORRUPT);
    assert_non_null(strstr(err.message, what));
}

static void validation(void **state)
{
    (void)state;
    mem *m = test_mem_open(1 << 20);
    type t = type_of(TYPE_UTF8), b = type_of(TYPE_BOOL);
    uint32_t what[] = {2, 7, UINT32_MAX, 8, 8};
    vector v = make_flat(m, &t, 5, what);
    view *w = (view *)v.data, kept = w[0];
    w[0].heap = 1;
    broken(&v, "heap");
    w[0] = kept;
    w[0].offset = 1 << 20;
    broken(&v, "leaves its heap");
    w[0] = kept;
    w[0].prefix[0] ^= 1;
    broken(&v, "prefix");
    w[0] = kept;
    w[2].len = 1;
    broken(&v, "under a null");
    w[2].len = 0;
    v.null_count = 2;
    broken(&v, "null_count");
    v.null_count = 1;
    assert_ok(vector_validate(&v, &err), &err);
    vector_release(&v);
    v = make_runs(m, &t, 5, what, NULL);
    ((uint32_t *)v.data)[0] = 2;
    broken(&v, "rise");
    ((uint32_t *)v.data)[0] = 1;
    ((uint32_t *)v.data)[v.n_runs - 1] = 6;
    broken(&v, "end with");
    vector_release(&v);
    what[0] = what[1] = 1;
    v = make_flat(m, &b, 2, what);
    v.data[1] = 2;
    broken(&v, "boolean");
    vector_release(&v);
    vector values = make_flat(m, &t, 2, what);
    dict *d;
    assert_ok(dict_new(m, &values, &d, &err), &err);
    v = make_dict(m, &t, 2, what, d);
    ((uint32_t *)v.data)[1] = 2;
    broken(&v, "outside");
    vector_release(&v);
    dict_unref(d);
    test_mem_close(m);
}

/* Every refusal of memory leaves nothing behind. */
static void refused_memory(void **state)
{
    (void)state;
    mem *root = test_mem_open(64 << 20), *small;
    type t = type_of(TYPE_UTF8);
    uint32_t what[600];
    for (uint32_t i = 0; i < 600; i++)
        what[i] = i % 9 == 0 ? UINT32_MAX : i / 4;
    vector parts[2] = {make_flat(root, &t, 600, what), make_runs(root, &t, 600, what, NULL)};
    uint16_t sel[300];
    for (uint32_t i = 0; i < 300; i++)
        sel[i] = (uint16_t)(2 * i);
    for (uint64_t limit = 0; limit < 60000; limit += 331) {
        vector w;
        assert_ok(mem_child(root, "small", limit, &small, &err), &err);
        for (int i = 0; i < 2; i++) {
            if (vector_take(&parts[i], sel, 300, small, &w, NULL) == NRW_OK)
                vector_release(&w);
            if (vector_flatten(&parts[i], small, &w, NULL) == NRW_OK)
                vector_release(&w);
            if (vector_slice(&parts[i], 3, 500, small, &w, NULL) == NRW_OK)
                vector_release(&w);
        }
        if (vector_concat(parts, 2, small, &w, NULL) == NRW_OK)
            vector_release(&w);
        if (vector_nulls(small, &t, 5, &w, NULL) == NRW_OK)
            vector_release(&w);
        assert_int_equal(mem_used(small), 0);
        mem_free_account(small);
    }
    vector_release(&parts[0]);
    vector_release(&parts[1]);
    test_mem_close(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types),      cmocka_unit_test(take_keeps_runs_where_smaller),
        cmocka_unit_test(nulls),          cmocka_unit_test(heaps_are_shared_and_copied_on_write),
        cmocka_unit_test(compaction),     cmocka_unit_test(validation),
        cmocka_unit_test(refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
