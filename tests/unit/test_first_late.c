/* Rows of a sample that wait: in the spill file and back, keys in parts, marks. */
#include "temp_folder.h"

#include "exec/first_late.h"

#define ROWS 5000u

static nrw_error err = NRW_ERROR_INIT;

typedef struct late_case {
    mem *m;
    arena *a;
    spill *s;
    temp_folder folder;
    type types[2];
    row_layout layout;
} late_case;

static void open_case(late_case *c)
{
    c->m = test_mem_open(64 << 20);
    c->types[0] = type_of(TYPE_INT64);
    c->types[1] = type_of(TYPE_UTF8);
    temp_folder_make(&c->folder);
    assert_ok(arena_new(c->m, &c->a, &err), &err);
    assert_ok(spill_new(c->m, c->folder.path, 1 << 30, &c->s, &err), &err);
    assert_ok(row_layout_new(c->a, c->types, 2, 0, &c->layout, &err), &err);
}

static void close_case(late_case *c)
{
    assert_int_equal(spill_used(c->s), 0);
    spill_close(c->s);
    arena_free(c->a);
    temp_folder_remove(&c->folder);
    test_mem_close(c->m);
}

/* Rows of the values [from, from + n) and a text of as many bytes as the value has units; every
 * ninth value is null. */
static void make_columns(late_case *c, int64_t from, uint32_t n, vector *out)
{
    for (uint32_t i = 0; i < 2; i++) {
        assert_ok(vector_flat(c->m, &c->types[i], n, &out[i], &err), &err);
        out[i].len = n;
    }
    assert_ok(vector_add_validity(&out[0], &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        ((int64_t *)(void *)out[0].data)[i] = from + i;
        ((view *)(void *)out[1].data)[i] =
            view_make((const uint8_t *)"xxxxxxxxxx", (int32_t)((from + i) % 10), 0, 0);
        if ((from + i) % 9 == 0)
            bit_clear((uint8_t *)out[0].validity, i);
    }
    vector_count_nulls(&out[0]);
}

static void check_row(const late_case *c, const uint8_t *row, int64_t value)
{
    assert_int_equal(row_has(&c->layout, row, 0), value % 9 != 0);
    if (value % 9)
        assert_int_equal(load_u64(row_value(&c->layout, row, 0).data), value);
    assert_int_equal(row_value(&c->layout, row, 1).len, value % 10);
}

/* Batches with gaps between their numbers, some very wide; selections; late rows, or none. */
static void rows_wait_and_come_back(void **state)
{
    static const uint64_t gaps[] = {0, 1, 70000, (uint64_t)5 << 32, 3};
    uint16_t sel[ROWS];
    uint8_t late[ROWS / 4];
    uint64_t number = 0, row = 0;
    late_case c;
    first_wait w;

    (void)state;
    open_case(&c);
    w = first_wait_of(&c.layout, c.m, c.s);
    for (uint32_t i = 0; i < ROWS; i++)
        sel[i] = (uint16_t)(i * 2 + 1);
    for (uint32_t i = 0; i < sizeof late; i++)
        late[i] = (uint8_t)(i * 37);
    for (size_t k = 0; k < sizeof gaps / sizeof *gaps; k++) {
        vector columns[2];
        number += gaps[k];
        make_columns(&c, (int64_t)(k * ROWS), ROWS, columns);
        assert_ok(
            first_wait_put(&w, columns, number, k % 2 ? sel : NULL, k % 3 ? late : NULL, c.m, &err),
            &err);
        number += ROWS;
        vector_release(&columns[0]);
        vector_release(&columns[1]);
    }
    assert_ok(first_wait_end(&w, &err), &err);
    assert_ok(first_wait_begin(&w, &err), &err);
    number = 0;
    for (size_t k = 0; k < sizeof gaps / sizeof *gaps; k++) {
        number += gaps[k];
        for (uint32_t i = 0; i < ROWS; i++, row++, number++) {
            assert_non_null(w.row);
            check_row(&c, w.row, (int64_t)row);
            assert_int_equal(w.number, number);
            assert_int_equal(w.late, k % 3 ? bit_get(late, k % 2 ? sel[i] : i) : 0);
            assert_ok(first_wait_next(&w, &err), &err);
        }
    }
    assert_null(w.row);
    first_wait_release(&w);
    close_case(&c);
}

/* Where the row of the number was put among those of its part. */
static uint32_t place[4 * ROWS];
static uint32_t part_of[4 * ROWS];

/* All that was put, each once, in every part as it came; `more`: as often again. Those that were
 * there before come with their places, and before another part does. */
static void take_parts(late_case *c, first_keys *k, uint32_t put, uint32_t more, uint8_t *seen)
{
    uint32_t all = 0, n, last_part = UINT32_MAX;
    first_task t;
    nrw_status st;

    while ((st = first_keys_part(k, &t, &err)) == NRW_OK) {
        spill_chain part = spill_chain_of(&t.blocks);
        uint64_t before = 0, rows = 0;
        assert_int_equal(t.all, t.part != last_part);
        last_part = t.part;
        while ((st = first_keys_read(k, &part, &n, &err)) == NRW_OK) {
            uint16_t again[FIRST_KEYS];
            uint32_t taken[FIRST_KEYS], some = 0;
            vector columns[2];
            for (uint32_t i = 0; i < n; i++, all++) {
                /* texts and values tell the number; null ones do by their place */
                const uint64_t at = t.all ? rows++ : row_hash(k->at[i]);
                uint64_t number = 0;
                while (part_of[number] != t.part || place[number] != at)
                    number++;
                check_row(c, k->at[i], (int64_t)number);
                assert_int_equal(load_u32(k->at[i] + 4), seen[number]);
                assert_true(number >= before);
                before = number;
                store_u64(k->at[i] + 8, at);
                if (seen[number] == more)
                    continue;
                taken[some] = ++seen[number];
                again[some++] = (uint16_t)i;
            }
            for (uint32_t col = 0; col < 2; col++)
                assert_ok(rows_column(&c->layout, (const uint8_t *const *)k->at, n, col, c->m,
                                      &columns[col], &err),
                          &err);
            assert_ok(first_keys_again(k, (const vector *const[]){&columns[0], &columns[1]}, n,
                                       again, some, taken, &err),
                      &err);
            vector_release(&columns[0]);
            vector_release(&columns[1]);
        }
        assert_int_equal(st, NRW_END);
        assert_true(!t.all || rows == t.n);
    }
    assert_int_equal(st, NRW_END);
    assert_int_equal(all, put * (more + 1));
}

/* With so many rounds that the bits of the hash are used up and begin anew. */
static void keys_come_back_by_parts(void **state)
{
    static const uint64_t memory[] = {0, 1 << 20, 64 << 20};
    static uint8_t seen[4 * ROWS];
    late_case c;

    (void)state;
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        uint32_t rows[FIRST_PARTS] = {0};
        first_keys k;
        open_case(&c);
        memset(seen, 0, sizeof seen);
        k = first_keys_of(&c.layout, 2, memory[i], c.m, c.s);
        for (uint64_t at = 0; at < sizeof seen; at += FIRST_KEYS / 2) {
            const uint32_t n =
                sizeof seen - at < FIRST_KEYS / 2 ? (uint32_t)(sizeof seen - at) : FIRST_KEYS / 2;
            uint64_t hashes[FIRST_KEYS / 2];
            bytes key = bytes_init(c.m, UINT32_MAX);
            vector columns[2];
            make_columns(&c, (int64_t)at, n, columns);
            assert_ok(first_keys_put(&k, (const vector *const[]){&columns[0], &columns[1]}, n, NULL,
                                     &err),
                      &err);
            assert_ok(first_keys_hash((const vector *const[]){&columns[0], &columns[1]}, 2, n, &key,
                                      hashes, &err),
                      &err);
            for (uint32_t j = 0; j < n; j++) {
                part_of[at + j] = first_part_of(hashes[j]);
                place[at + j] = rows[part_of[at + j]]++;
            }
            bytes_release(&key);
            vector_release(&columns[0]);
            vector_release(&columns[1]);
        }
        assert_ok(first_keys_end(&k, memory[i] / 2, &err), &err);
        take_parts(&c, &k, sizeof seen, i ? 1 : 9, seen);
        first_keys_release(&k);
        close_case(&c);
    }
}

/* One bitmap, some buckets, and as many as there may be. */
static void marks_stay(void **state)
{
    enum { N = 3000000, PARTS = 7 };
    static const uint64_t memory[] = {1 << 20, 100000, 1000, 0};
    static uint8_t want[N / 8 + 1];
    late_case c;

    (void)state;
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        uint64_t r = 12345;
        first_marks f;
        open_case(&c);
        memset(want, 0, sizeof want);
        assert_ok(first_marks_open(&f, N, memory[i], c.m, c.s, &err), &err);
        assert_int_equal(f.buckets == NULL, i == 0);
        for (uint32_t part = 0; part < PARTS; part++)
            for (uint64_t at = part; at < N; at += PARTS) {
                r = r * 6364136223846793005u + 1442695040888963407u;
                if (r >> 61 == 0 || (at > N / 2 && at < N / 4 * 3)) /* few, or none */
                    continue;
                if (r >> 60 == 3 || at % 1000 < 500) {
                    bit_set(want, at);
                    assert_ok(first_marks_put(&f, at, &err), &err);
                }
            }
        for (uint64_t at = 0; at < N; at++) {
            bool has;
            if (at % 100000 > 90000) /* nobody asks for all */
                continue;
            assert_ok(first_marks_has(&f, at, &has, &err), &err);
            assert_int_equal(has, bit_get(want, at));
        }
        first_marks_release(&f);
        close_case(&c);
    }
}

/* Parts of no rows, of less than a block's bits, and of some blocks, asked by turns. */
static void answers_stay(void **state)
{
    static const uint64_t rows[] = {0, 5, 1024, 9000};
    static const uint64_t memory[] = {0, 1 << 20};
    late_case c;

    (void)state;
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        first_answers a;
        uint32_t asked = 0;
        open_case(&c);
        assert_ok(first_answers_open(&a, memory[i], c.m, c.s, &err), &err);
        for (uint32_t p = 0; p < FIRST_PARTS; p++) {
            first_marks f;
            assert_ok(first_marks_open(&f, rows[p % 4], 100, c.m, c.s, &err), &err);
            for (uint64_t at = p % 3; at < rows[p % 4]; at += p % 7 + 1)
                assert_ok(first_marks_put(&f, at, &err), &err);
            assert_ok(first_answers_put(&a, p, &f, rows[p % 4], &err), &err);
            first_marks_release(&f);
        }
        for (uint64_t at = 0; at < 9000; at++)
            for (uint32_t p = 0; p < FIRST_PARTS; p++) {
                bool yes;
                if (at >= rows[p % 4] || (p == 3 && at > 20)) /* nobody asks for all of one */
                    continue;
                assert_ok(first_answers_next(&a, p, &yes, &err), &err);
                assert_int_equal(yes, at >= p % 3 && (at - p % 3) % (p % 7 + 1) == 0);
                asked++;
            }
        assert_int_equal(asked, FIRST_PARTS / 4 * (5 + 1024 + 9000) - (9000 - 21));
        first_answers_release(&a);
        close_case(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_wait_and_come_back),
        cmocka_unit_test(keys_come_back_by_parts),
        cmocka_unit_test(marks_stay),
        cmocka_unit_test(answers_stay),
    };
    return cmocka_run_group_tests_name("first_late", tests, NULL, NULL);
}
