#include "column/batch.h"
#include "testing.h"

static nrw_error err = NRW_ERROR_INIT;

#define COLUMNS 3

/* A source of int64 columns whose value is 1000 * column + row; gives at most `piece` rows at a
 * time and fails at row `fail_at` of column 1. */
typedef struct fake {
    column_source class;
    uint32_t piece, fail_at;
    uint32_t done[COLUMNS];
    uint32_t next[COLUMNS]; /* rows must be asked for in rising order */
} fake;

static nrw_status fake_read(void *self, batch *b, uint32_t column, uint32_t first,
                            uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                            uint32_t n_sel, mem *m, vector *out, nrw_error *e)
{
    fake *f = self;
    type t = type_of(TYPE_INT64);
    uint32_t n = 0, last = first + max_rows, at = first;
    uint32_t piece = max_bytes / 8 < f->piece ? (uint32_t)(max_bytes / 8) : f->piece;
    if (piece == 0)
        piece = 1;
    assert_true(b->offset + first >= f->next[column]);
    assert_true(last <= b->rows);
    TRY(vector_flat(m, &t, piece, out, e));
    int64_t *values = (int64_t *)out->data;
    for (uint32_t i = 0; n < piece && at < last && (!sel || i < n_sel); i++) {
        at = sel ? sel[i] : first + i;
        assert_true(at >= first);
        if (at >= last)
            break;
        if (column == 1 && b->offset + at == f->fail_at) {
            vector_release(out);
            return err_set(e, NRW_E_CORRUPT, "row %u is broken", at);
        }
        values[n++] = 1000 * (int64_t)column + b->offset + at;
        f->next[column] = b->offset + at + 1;
        at++;
    }
    out->len = n;
    return NRW_OK;
}

static void fake_done(void *self, batch *b, uint32_t column)
{
    (void)b;
    ((fake *)self)->done[column]++;
}

static fake fake_new(uint32_t piece)
{
    return (fake){
        .class = {.read = fake_read, .done = fake_done}, .piece = piece, .fail_at = UINT32_MAX};
}

static batch open_batch(fake *f, mem *m, batch_column *cols, uint32_t rows)
{
    for (uint32_t c = 0; c < COLUMNS; c++)
        cols[c] = (batch_column){.state = COLUMN_LAZY, .tag = COLUMNS - 1 - c};
    return (batch){.last = true,
                   .rows = rows,
                   .n_cols = COLUMNS,
                   .cols = cols,
                   .source = &f->class,
                   .source_self = f,
                   .m = m};
}

static void assert_done(const fake *f, uint32_t times)
{
    for (uint32_t c = 0; c < COLUMNS; c++)
        assert_int_equal(f->done[c], times);
}

static uint32_t walk(batch *b, uint32_t c, size_t max_bytes, int64_t *rows)
{
    column_walk w = batch_walk(b, c);
    vector v;
    uint32_t n = 0;
    nrw_status st;
    while ((st = column_next(&w, max_bytes, &v, &err)) == NRW_OK) {
        assert_ok(vector_validate(&v, &err), &err);
        memcpy(rows + n, v.data, v.len * sizeof *rows);
        n += v.len;
        vector_release(&v);
    }
    assert_int_equal(st, NRW_END);
    assert_int_equal(b->cols[c].state, COLUMN_TAKEN);
    return n;
}

static void keep_every(batch *b, mem *m, uint32_t step)
{
    void *p;
    uint32_t n = 0;
    assert_ok(mem_alloc(m, BATCH_MAX_ROWS * sizeof(uint16_t), &p, &err), &err);
    uint16_t *sel = p;
    for (uint32_t i = 0; i < b->rows; i += step)
        sel[n++] = (uint16_t)i;
    batch_select(b, sel, n);
}

/* Held, selected, walked: in pieces of every size. */
static void hold_select_walk(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    static const uint32_t pieces[] = {1, 7, 64, 1000};
    for (size_t p = 0; p < 4; p++)
        for (uint32_t step = 1; step < 2000; step = step * 3 + 1) {
            fake f = fake_new(pieces[p]);
            batch_column cols[COLUMNS];
            batch b = open_batch(&f, m, cols, 500);
            const vector *v, *again;
            int64_t rows[500];
            assert_ok(batch_hold(&b, 0, 1 << 20, &v, &err), &err);
            assert_int_equal(v->len, 500);
            assert_true(b.last);
            assert_ok(batch_hold(&b, 0, 1 << 20, &again, &err), &err);
            assert_ptr_equal(v, again);
            if (step > 1)
                keep_every(&b, m, step);
            for (uint32_t c = 0; c < COLUMNS; c++) {
                uint32_t n = walk(&b, c, 8 * pieces[3 - p], rows);
                assert_int_equal(n, batch_alive(&b));
                for (uint32_t i = 0; i < n; i++)
                    assert_int_equal(rows[i], 1000 * (COLUMNS - 1 - c) + i * step);
            }
            assert_done(&f, 1);
            batch_release(&b);
            assert_done(&f, 1);
        }
    test_mem_close(m);
}

/* The first held column cuts; what is left comes as further batches of the morsel. */
static void cutting(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    fake f = fake_new(30);
    batch_column cols[COLUMNS];
    batch b = open_batch(&f, m, cols, 500);
    uint32_t offset = 0, batches = 0;
    for (;;) {
        const vector *v;
        int64_t rows[500];
        assert_ok(batch_hold(&b, 0, 800, &v, &err), &err);
        assert_true(b.last || (b.rows >= 88 && b.rows <= 101));
        assert_ok(batch_hold(&b, 1, 8, &v, &err), &err); /* later ones do not cut */
        assert_int_equal(v->len, b.rows);
        assert_int_equal(walk(&b, 2, 100, rows), b.rows);
        assert_int_equal(rows[0], offset);
        batches++;
        batch_release(&b);
        assert_done(&f, b.last);
        if (b.last)
            break;
        offset += b.rows;
        b = open_batch(&f, m, cols, 500 - offset);
        b.offset = offset;
    }
    assert_int_equal(offset + b.rows, 500);
    assert_true(batches >= 5);
    test_mem_close(m);
}

static void no_cut_after_a_column_was_dropped(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    fake f = fake_new(30);
    batch_column cols[COLUMNS];
    batch b = open_batch(&f, m, cols, 500);
    const vector *v;
    batch_drop(&b, 2);
    batch_drop(&b, 2);
    assert_ok(batch_hold(&b, 0, 800, &v, &err), &err);
    assert_int_equal(v->len, 500);
    assert_true(b.last);
    vector w;
    column_walk walk = batch_walk(&b, 2);
    assert_int_equal(column_next(&walk, 100, &w, &err), NRW_E_ARG);
    assert_int_equal(batch_hold(&b, 2, 100, &v, &err), NRW_E_ARG);
    batch_release(&b);
    assert_done(&f, 1);
    test_mem_close(m);
}

static void stops_before_a_row(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    for (int held = 0; held < 2; held++)
        for (int selected = 0; selected < 2; selected++) {
            fake f = fake_new(64);
            batch_column cols[COLUMNS];
            batch b = open_batch(&f, m, cols, 400);
            const vector *h;
            vector v;
            nrw_status st;
            if (held)
                assert_ok(batch_hold(&b, 1, 1 << 20, &h, &err), &err);
            if (selected)
                keep_every(&b, m, 2);
            column_walk w = batch_walk(&b, 1);
            uint32_t all = batch_alive(&b);
            for (w.until = 30; w.until < all + 60; w.until += 30) {
                while ((st = column_next(&w, 200, &v, &err)) == NRW_OK) {
                    assert_int_equal(*(int64_t *)v.data,
                                     1000 + (int64_t)(w.at - v.len) * (selected ? 2 : 1));
                    vector_release(&v);
                }
                assert_int_equal(st, NRW_END);
                assert_int_equal(w.at, w.until < all ? w.until : all);
                assert_int_equal(f.done[1], w.at == all);
            }
            batch_release(&b);
            assert_done(&f, 1);
        }
    test_mem_close(m);
}

static void failures(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    batch_column cols[COLUMNS];
    const vector *v;
    int64_t rows[500];
    /* in the second piece of a held column */
    fake f = fake_new(30);
    f.fail_at = 40;
    batch b = open_batch(&f, m, cols, 500);
    assert_int_equal(batch_hold(&b, 1, 1 << 20, &v, &err), NRW_E_CORRUPT);
    assert_null(v);
    batch_abandon(&b);
    assert_done(&f, 1);
    /* in a batch that is not the last, after another column was taken */
    f = fake_new(30);
    f.fail_at = 40;
    b = open_batch(&f, m, cols, 500);
    assert_ok(batch_hold(&b, 0, 800, &v, &err), &err);
    assert_false(b.last);
    walk(&b, 2, 1000, rows);
    assert_int_equal(f.done[0], 0);
    assert_int_equal(batch_hold(&b, 1, 800, &v, &err), NRW_E_CORRUPT);
    batch_abandon(&b);
    assert_done(&f, 1);
    /* without memory */
    mem *small;
    for (uint64_t limit = 0; limit < 12000; limit += 500) {
        f = fake_new(30);
        assert_ok(mem_child(m, "small", limit, &small, &err), &err);
        b = open_batch(&f, small, cols, 500);
        if (batch_hold(&b, 0, 1 << 20, &v, NULL) == NRW_OK)
            walk(&b, 0, 1000, rows);
        batch_abandon(&b);
        assert_done(&f, 1);
        mem_free_account(small);
    }
    test_mem_close(m);
}

static void nobody_alive(void **state)
{
    (void)state;
    mem *m = test_mem_open(8 << 20);
    fake f = fake_new(30);
    batch_column cols[COLUMNS];
    batch b = open_batch(&f, m, cols, 500);
    int64_t rows[1];
    keep_every(&b, m, 1);
    b.n_sel = 0;
    assert_int_equal(walk(&b, 0, 1000, rows), 0);
    assert_int_equal(f.done[2], 1);
    assert_int_equal(f.next[2], 0); /* nothing was read */
    batch_release(&b);
    assert_done(&f, 1);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hold_select_walk),
        cmocka_unit_test(cutting),
        cmocka_unit_test(no_cut_after_a_column_was_dropped),
        cmocka_unit_test(stops_before_a_row),
        cmocka_unit_test(failures),
        cmocka_unit_test(nobody_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
