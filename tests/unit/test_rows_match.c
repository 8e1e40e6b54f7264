/* Keys beside rows: those that match are those with equal values, whatever the type and where the
 * nulls are. */
#include "testing.h"

#include "exec/rows.h"
#include "random.h"

#define ROWS  600u
#define PAIRS 2u /* columns of a key */

static nrw_error err = NRW_ERROR_INIT;
static uint64_t seed = 11;

/* Few values, so that many are equal, some of them in all but their last bytes. */
static uint64_t value_of(uint32_t i)
{
    return i % 3 ? UINT64_C(0x0102030405060708) * (i % 5) : (uint64_t)(i % 4) << 56;
}

static void put_text(view *v, buffer *heap, int32_t index, uint32_t i)
{
    static const uint32_t lengths[] = {0, 1, 3, 4, 7, 8, 12, 13, 16, 17, 40};
    const uint32_t len = lengths[next_random(&seed) % (sizeof lengths / sizeof *lengths)];
    uint8_t *to = heap->data + heap->len;

    memset(to, 'a', len);
    if (len) /* unlike in one place, the last one as well */
        to[(next_random(&seed) & 1) * (len - 1)] = (uint8_t)('a' + i % 2);
    *v = view_make(to, (int32_t)len, index, (int32_t)heap->len);
    heap->len += len;
}

static vector make_column(mem *m, const type *t, bool nulls)
{
    vector v;
    buffer *heap;
    int32_t index;

    assert_ok(vector_flat(m, t, ROWS, &v, &err), &err);
    v.len = ROWS;
    assert_ok(buffer_new(m, ROWS * 40, &heap, &err), &err);
    if (type_is_view(t))
        assert_ok(vector_add_heap(&v, heap, &index, &err), &err);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t x = value_of((uint32_t)next_random(&seed) % 60);
        if (type_is_view(t))
            put_text((view *)(void *)v.data + i, heap, index, i);
        else
            for (uint32_t at = 0; at < t->width; at += 8)
                memcpy(v.data + (size_t)i * t->width + at, &x, size_min(8, t->width - at));
    }
    if (nulls)
        assert_ok(vector_add_validity(&v, &err), &err);
    for (uint32_t i = 0; nulls && i < ROWS; i += 1 + (uint32_t)next_random(&seed) % 4) {
        bit_clear(v.validity, i); /* what lies there stays */
        v.null_count++;
    }
    buffer_unref(heap);
    return v;
}

static bool alike(const vector *v, uint32_t i, uint32_t k)
{
    bool x, y;
    span a = vector_value(v, i, &x), b = vector_value(v, k, &y);

    return x == y && (x || span_equal(a, b));
}

static void check(mem *m, const type *types, bool nulls, arena *a)
{
    rows r = {.m = m};
    row_layout l;
    vector columns[PAIRS];
    const vector *at[PAIRS];
    uint8_t *row[ROWS], *some[ROWS];
    uint32_t matched = 0;

    assert_ok(row_layout_new(a, types, PAIRS, 24, &l, &err), &err);
    for (uint32_t c = 0; c < PAIRS; c++) {
        columns[c] = make_column(m, &types[c], nulls);
        at[c] = &columns[c];
    }
    assert_ok(rows_add(&r, &l, at, ROWS, NULL, m, row, &err), &err);
    for (uint32_t step = 0; step < 40; step++) {
        for (uint32_t i = 0; i < ROWS; i++)
            some[i] = i % 11 == 5 ? NULL : row[(i + step) % ROWS];
        assert_ok(rows_match(&l, at, ROWS, m, some, &err), &err);
        for (uint32_t i = 0; i < ROWS; i++) {
            const uint32_t k = (i + step) % ROWS;
            bool want = i % 11 != 5;
            for (uint32_t c = 0; c < PAIRS; c++)
                want &= alike(&columns[c], i, k);
            assert_ptr_equal(some[i], want ? row[k] : NULL);
            matched += want && step;
        }
    }
    assert_true(matched > 100);
    for (uint32_t c = 0; c < PAIRS; c++)
        vector_release(&columns[c]);
    rows_release(&r);
}

static void all_types(void **state)
{
    static const type_id ids[] = {TYPE_INT8,   TYPE_INT16, TYPE_INT32,   TYPE_INT64,
                                  TYPE_INT128, TYPE_UTF8,  TYPE_FLOAT64, TYPE_DATE};
    mem *m = test_mem_open(64u << 20);

    (void)state;
    for (uint32_t k = 0; k < sizeof ids / sizeof *ids; k++)
        for (uint32_t nulls = 0; nulls < 2; nulls++) {
            const type types[PAIRS] = {type_of(ids[k]), type_of(TYPE_INT8)};
            arena *a;
            assert_ok(arena_new(m, &a, &err), &err);
            check(m, types, nulls, a);
            arena_free(a);
        }
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_types)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
