/* Rows that are packed come back byte for byte. */
#include "temp_folder.h"

#include "exec/hash_rows.h"
#include "exec/rows_pack.h"
#include "exec/sort_key.h"
#include "random.h"

#define MIB       ((uint64_t)1 << 20)
#define N_COLUMNS 9u
#define MOST_ROWS 3000u /* several stretches */

static nrw_error err = NRW_ERROR_INIT;
static uint64_t seed;

/* How far apart the values of a field are, by turns: all alike, near to each other, anything. */
static uint64_t some_value(uint32_t spread)
{
    uint64_t r = next_random(&seed);

    return spread == 0 ? 77 : spread == 1 ? r % 300 : spread == 2 ? (uint64_t)0 - r % 70000 : r;
}

static vector fixed_column(mem *m, const type *t, uint32_t n, uint32_t spread, bool nulls)
{
    vector v;

    assert_ok(vector_flat(m, t, n, &v, &err), &err);
    v.len = n;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t at = 0; at < t->width; at += 8) {
            uint64_t value = some_value(spread);
            memcpy(v.data + (size_t)i * t->width + at, &value, size_min(8, t->width - at));
        }
    if (nulls)
        assert_ok(vector_add_validity(&v, &err), &err);
    for (uint32_t i = 0; nulls && i < n; i += 3) {
        bit_clear(v.validity, i);
        v.null_count++;
    }
    return v;
}

/* Texts of `len` bytes, or of up to as many. */
static vector text_column(mem *m, const type *t, uint32_t n, uint32_t len, bool even, bool nulls)
{
    vector v;
    buffer *heap;
    int32_t index;
    size_t at = 0;

    assert_ok(vector_flat(m, t, n, &v, &err), &err);
    v.len = n;
    assert_ok(buffer_new(m, (size_t)n * len + 1, &heap, &err), &err);
    heap->len = (size_t)n * len;
    assert_ok(vector_add_heap(&v, heap, &index, &err), &err);
    if (nulls)
        assert_ok(vector_add_validity(&v, &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size = even ? len : (uint32_t)(next_random(&seed) % (len + 1));
        for (uint32_t k = 0; k < size; k++)
            heap->data[at + k] = (uint8_t)(k < len / 2 ? 'a' : next_random(&seed));
        ((view *)(void *)v.data)[i] = view_make(heap->data + at, (int32_t)size, index, (int32_t)at);
        at += size;
        if (nulls && i % 5 == 1) {
            bit_clear(v.validity, i);
            v.null_count++;
        }
    }
    buffer_unref(heap);
    return v;
}

static void make_columns(mem *m, const type *types, uint32_t n, uint32_t spread, bool nulls,
                         vector *columns)
{
    for (uint32_t c = 0; c < N_COLUMNS; c++)
        if (!type_is_view(&types[c]))
            columns[c] = fixed_column(m, &types[c], n, spread, nulls);
        else
            columns[c] = text_column(m, &types[c], n,
                                     c == 0   ? 22
                                     : c == 4 ? 70
                                              : 11,
                                     c != 8, nulls);
}

static void there_and_back(mem *m, const row_layout *l, const vector *columns, uint32_t n,
                           bool smaller)
{
    rows r = {.m = m};
    const vector *at[N_COLUMNS];
    uint64_t hashes[MOST_ROWS];
    uint8_t **row = malloc(n * sizeof *row), *rows, *back;
    bytes packed = bytes_init(m, UINT32_MAX);
    size_t len = 0;

    for (uint32_t c = 0; c < N_COLUMNS; c++)
        at[c] = &columns[c];
    for (uint32_t i = 0; i < n; i++)
        hashes[i] = next_random(&seed);
    assert_ok(rows_add(&r, l, at, n, hashes, m, row, &err), &err);
    rows = malloc(r.bytes);
    back = malloc(r.bytes + 1);
    for (uint32_t i = 0; i < n; i++) {
        store_u32(row[i] + 4, i % 7);
        store_u64(row_extra(row[i]), next_random(&seed));
        memcpy(rows + len, row[i], row_bytes(row[i]));
        len += row_bytes(row[i]);
    }
    assert_ok(bytes_append(&packed, "head", 4, &err), &err);
    assert_ok(rows_pack(l, (span){rows, len}, &packed, &err), &err);
    assert_true(packed.cap - packed.len >= PACK_SLACK);
    if (smaller)
        assert_true(packed.len < len / 4 * 3);
    memset(back, 0xee, len + 1);
    assert_int_equal(rows_packed(packed.data + 4), len);
    assert_int_equal(rows_packed(rows), 0);
    rows_unpack(l, packed.data + 4, back);
    assert_memory_equal(rows, back, len);
    assert_int_equal(back[len], 0xee);
    bytes_release(&packed);
    rows_release(&r);
    free(rows);
    free(back);
    free(row);
}

static void rows_come_back(void **state)
{
    const type types[N_COLUMNS] = {
        type_of(TYPE_BINARY),  type_of(TYPE_INT64), type_of(TYPE_INT8),
        type_decimal(38, 2),   type_of(TYPE_UTF8),  type_of(TYPE_INT16),
        type_of(TYPE_FLOAT32), type_fixed(13),      type_of(TYPE_UTF8),
    };
    const uint32_t counts[] = {1, 2, 7, 8, 100, MOST_ROWS};
    mem *m = test_mem_open(64 * MIB);
    row_layout l;
    arena *a;

    (void)state;
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(row_layout_new(a, types, N_COLUMNS, 8, &l, &err), &err);
    for (uint32_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint32_t spread = 0; spread < 4; spread++)
            for (uint32_t nulls = 0; nulls < 2; nulls++) {
                vector columns[N_COLUMNS];
                make_columns(m, types, counts[i], spread, nulls, columns);
                there_and_back(m, &l, columns, counts[i], counts[i] == MOST_ROWS && !spread);
                for (uint32_t c = 0; c < N_COLUMNS; c++)
                    vector_release(&columns[c]);
            }
    arena_free(a);
    test_mem_close(m);
}

/* How long the rows are packed, which come back. */
static size_t packed_length(mem *m, const row_layout *l, const vector *const *columns, uint32_t n,
                            const uint64_t *hashes)
{
    rows r = {.m = m};
    uint8_t *row[MOST_ROWS], *rows, *back;
    bytes packed = bytes_init(m, UINT32_MAX);
    size_t len = 0, packed_len;

    assert_ok(rows_add(&r, l, columns, n, hashes, m, row, &err), &err);
    rows = malloc(r.bytes);
    back = malloc(r.bytes);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(rows + len, row[i], row_bytes(row[i]));
        len += row_bytes(row[i]);
    }
    assert_ok(rows_pack(l, (span){rows, len}, &packed, &err), &err);
    rows_unpack(l, packed.data, back);
    assert_memory_equal(rows, back, len);
    packed_len = packed.len;
    bytes_release(&packed);
    rows_release(&r);
    free(rows);
    free(back);
    return packed_len;
}

/* Rows of one word, with its hash each but for the row `other`. */
static size_t word_there_and_back(mem *m, const row_layout *l, const vector *v, uint32_t other)
{
    uint64_t hashes[MOST_ROWS];

    hash_vector(v, v->len, false, hashes);
    if (other < v->len)
        hashes[other]++;
    return packed_length(m, l, &v, v->len, hashes);
}

static void hashes_of_a_word(void **state)
{
    const type types[] = {type_of(TYPE_BOOL),    type_of(TYPE_INT8),    type_of(TYPE_UINT16),
                          type_of(TYPE_INT32),   type_of(TYPE_DATE),    type_of(TYPE_INT64),
                          type_of(TYPE_FLOAT32), type_of(TYPE_FLOAT64), type_decimal(12, 2)};
    mem *m = test_mem_open(64 * MIB);
    arena *a;

    (void)state;
    assert_ok(arena_new(m, &a, &err), &err);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (uint32_t nulls = 0; nulls < 2; nulls++) {
            vector v = fixed_column(m, &types[t], MOST_ROWS, 3, nulls), canonical;
            size_t all, one;
            row_layout l;
            assert_ok(key_canonical(&v, m, &canonical, &err), &err);
            assert_ok(row_layout_new(a, &types[t], 1, 0, &l, &err), &err);
            assert_ok(hash_row_layout(a, &l, NULL, 1, &err), &err);
            all = word_there_and_back(m, &l, &canonical, UINT32_MAX);
            one = word_there_and_back(m, &l, &canonical, MOST_ROWS / 2);
            /* of one stretch hashes are there then */
            assert_true(one > all + 7 * 1000 && one < all + 9 * 1100);
            vector_release(&canonical);
            vector_release(&v);
        }
    arena_free(a);
    test_mem_close(m);
}

#define KEYED 6u /* columns behind the key */

/* Keys of the rows by `orders`, with a place behind each, as a column. */
static vector key_column(mem *m, const vector *columns, const sort_order *orders, uint32_t n_orders,
                         uint32_t n)
{
    const type binary = type_of(TYPE_BINARY);
    const vector *at[KEYED];
    uint32_t ends[MOST_ROWS];
    bytes keys = bytes_init(m, UINT32_MAX);
    buffer *heap;
    int32_t index;
    vector v;

    for (uint32_t c = 0; c < KEYED; c++)
        at[c] = &columns[c];
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t place =
            __builtin_bswap64(next_random(&seed) % 200 << 32 | next_random(&seed) % 100000);
        assert_ok(sort_key_append(&keys, at, orders, n_orders, i, &err), &err);
        assert_ok(bytes_append(&keys, &place, sizeof place, &err), &err);
        ends[i] = (uint32_t)keys.len;
    }
    assert_ok(vector_flat(m, &binary, n, &v, &err), &err);
    v.len = n;
    assert_ok(buffer_new(m, keys.len, &heap, &err), &err);
    heap->len = keys.len;
    memcpy(heap->data, keys.data, keys.len);
    assert_ok(vector_add_heap(&v, heap, &index, &err), &err);
    for (uint32_t i = 0, from = 0; i < n; from = ends[i++])
        ((view *)(void *)v.data)[i] =
            view_make(heap->data + from, (int32_t)(ends[i] - from), index, (int32_t)from);
    buffer_unref(heap);
    bytes_release(&keys);
    return v;
}

static size_t keyed_there_and_back(mem *m, const row_layout *l, const vector *columns, uint32_t n)
{
    const vector *at[KEYED + 1];

    for (uint32_t c = 0; c <= KEYED; c++)
        at[c] = &columns[c];
    return packed_length(m, l, at, n, NULL);
}

/* Zero bytes inside, and what all begin and end with. */
static vector strange_texts(mem *m, uint32_t n, bool nulls)
{
    const type t = type_of(TYPE_BINARY);
    vector v = text_column(m, &t, n, 40, false, nulls);

    for (uint32_t i = 0; i < n; i++) {
        span s = view_span(&v, i);
        if (s.len > VIEW_INLINE && i % 3 == 0)
            ((uint8_t *)s.data)[s.len / 2] = ((uint8_t *)s.data)[s.len - 1] = i % 2 ? 0 : 255;
    }
    return v;
}

static void make_keyed(mem *m, const type *types, uint32_t n, bool nulls, vector *columns)
{
    for (uint32_t c = 0; c < KEYED; c++)
        columns[c] = type_is_view(&types[c]) ? strange_texts(m, n, nulls)
                                             : fixed_column(m, &types[c], n, 3, nulls);
    for (uint32_t i = 0; i < n; i++) /* no NaN, which keys do not tell */
        ((double *)(void *)columns[1].data)[i] = (double)(int64_t)next_random(&seed) / 7;
    vector_release(&columns[KEYED - 1]);
    columns[KEYED - 1] = text_column(m, &types[KEYED - 1], n, 30, false, nulls);
}

/* Columns that a sort's key tells are left out, whatever the order; those it does not are not. */
static void keys_tell_columns(void **state)
{
    const type types[KEYED] = {type_of(TYPE_INT64),  type_of(TYPE_FLOAT64), type_decimal(30, 2),
                               type_of(TYPE_UINT16), type_of(TYPE_BINARY),  type_of(TYPE_UTF8)};
    const uint32_t counts[] = {1, 9, MOST_ROWS};
    mem *m = test_mem_open(64 * MIB);
    arena *a;

    (void)state;
    assert_ok(arena_new(m, &a, &err), &err);
    for (uint32_t round = 0; round < 24; round++) {
        const uint32_t n = counts[round % 3];
        const bool nulls = round / 3 % 2;
        type kept[KEYED + 1] = {type_of(TYPE_BINARY)};
        sort_order orders[KEYED];
        vector columns[KEYED + 1];
        sort_key_parts *parts;
        row_layout l;
        size_t told, whole, zero;

        memcpy(kept + 1, types, sizeof types);
        for (uint32_t i = 0; i < KEYED - 1; i++)
            orders[i] = (sort_order){(i + round) % (KEYED - 1), next_random(&seed) % 2,
                                     next_random(&seed) % 2};
        make_keyed(m, types, n, nulls, columns + 1);
        columns[0] = key_column(m, columns + 1, orders, KEYED - 1, n);
        assert_ok(row_layout_new(a, kept, KEYED + 1, 0, &l, &err), &err);
        whole = keyed_there_and_back(m, &l, columns, n);
        assert_ok(sort_key_parts_new(a, types, orders, KEYED - 1, 1, KEYED + 1, &parts, &err),
                  &err);
        parts->place = true;
        l.key = parts;
        told = keyed_there_and_back(m, &l, columns, n);
        /* 8 + 8 + 13 + 2 bytes and the texts' 20, two thirds where nulls are */
        if (n == MOST_ROWS) {
            assert_true(told + (size_t)(nulls ? 28 : 44) * n < whole);
            ((double *)(void *)columns[2].data)[1] = -0.0;
            zero = keyed_there_and_back(m, &l, columns, n);
            assert_true(zero > told + (nulls ? 5 : 7) * 1000 && zero < told + 9 * 1100);
        }
        for (uint32_t c = 0; c <= KEYED; c++)
            vector_release(&columns[c]);
    }
    arena_free(a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(hashes_of_a_word),
        cmocka_unit_test(keys_tell_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
