/* Batches that are cut short: what is left comes again, no row is lost or comes twice. */
#include "batch_made.h"
#include "random.h"

/* ---- holding ---- */

/* A stretch of long values in the second column, then in the third. */
static void later_columns_cut(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(1000, 10);
    carried k;
    bool cut[3] = {false};
    widen(f, 1, 300, 350, 2000);
    widen(f, 4, 600, 700, 3000);
    carry_open(&k, f, m);
    do {
        const vector *v[3];
        const uint32_t in[] = {2, 1, 4};
        carry_begin(&k);
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t rows = k.b.rows;
            bool last = k.b.last;
            v[i] = hold(&k, in[i], 32 << 10);
            cut[i] |= k.b.rows < rows;
            assert_int_equal(k.b.last, last && k.b.rows == rows);
            for (uint32_t j = 0; j <= i; j++) { /* what was held is cut with it */
                assert_ptr_equal(v[j], k.cols[in[j]].held);
                check_all(&k.b, f, v[j], in[j]);
            }
        }
        hold(&k, 0, 32 << 10);
    } while (carry_on(&k));
    assert_true(cut[1] && cut[2]);
    assert_int_equal(f->begins, 1);
    assert_true(k.batches >= 8);
    carry_close(&k);
    test_mem_close(m);
}

/* The first column, where no operator has counted: the next batch begins like any other. */
static void first_column_cuts(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    for (int counting = 0; counting < 2; counting++) {
        fake *f = fake_new(1000, 10);
        carried k;
        uint32_t counted = 0;
        carry_open(&k, f, m);
        do {
            carry_begin(&k);
            if (counting && batch_counts(&k.b))
                counted += k.b.rows;
            hold(&k, 2, 4096);
            assert_true(k.b.rows < 300);
            hold(&k, 0, 4096);
        } while (carry_on(&k));
        assert_true(k.batches >= 5);
        assert_int_equal(f->begins, counting ? 1 : k.batches);
        assert_int_equal(counted, counting ? 1000 : 0);
        carry_close(&k);
    }
    test_mem_close(m);
}

/* Each column is wider than the one before: four cuts, and the next one reads all that is left. */
static void cut_so_often_at_most(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(ROWS, 10);
    carried k;
    static const uint32_t in[] = {0, 1, 2, 4, 5, 6}, widths[] = {8, 24, 100, 300, 1000, 3000};
    f->piece = ROWS;
    for (uint32_t i = 1; i < 6; i++)
        widen(f, in[i], 0, ROWS, widths[i]);
    carry_open(&k, f, m);
    do {
        carry_begin(&k);
        for (uint32_t i = 0; i < 6; i++) {
            uint32_t rows = k.b.rows, cuts = k.b.n_behind;
            hold(&k, in[i], 16000);
            assert_true(k.b.n_behind <= BATCH_CUTS);
            assert_int_equal(k.b.n_behind, cuts + (k.b.rows < rows));
            if (cuts == BATCH_CUTS)
                assert_int_equal(k.b.rows, rows);
            if (k.batches == 1)
                assert_int_equal(k.b.n_behind, i < 5 ? i : BATCH_CUTS);
        }
        if (k.batches == 1) /* of the widest one more than its share was read */
            assert_true(k.b.rows * widths[5] > 2 * 16000);
    } while (carry_on(&k));
    assert_int_equal(k.b.n_behind, 0);
    assert_int_equal(f->begins, 1);
    carry_close(&k);
    test_mem_close(m);
}

static void not_cut(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    for (int taken = 0; taken < 2; taken++) {
        fake *f = fake_new(500, 1000);
        carried k;
        const uint32_t cols[] = {1, 2, 3};
        carry_open(&k, f, m);
        carry_begin(&k);
        if (taken)
            batch_drop(&k.b, 0);
        else
            k.b.fixed = true;
        hold(&k, 4, 4096);
        assert_int_equal(k.b.rows, 500);
        take(&k, cols, 3, 4096);
        assert_int_equal(k.b.rows, 500);
        assert_false(carry_on(&k));
        carry_close(&k);
    }
    test_mem_close(m);
}

/* A batch that is fixed goes on with what was read ahead, and the one behind it is not fixed. */
static void fixed_behind_a_cut(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(500, 300);
    carried k;
    const uint32_t cols[] = {1, 2, 0};
    carry_open(&k, f, m);
    do {
        carry_begin(&k);
        assert_false(k.b.fixed);
        hold(&k, 0, 4096);
        hold(&k, 1, 4096);
        uint32_t rows = k.b.rows;
        k.b.fixed = true;
        take(&k, cols, 3, 1024);
        assert_int_equal(k.b.rows, rows);
    } while (carry_on(&k));
    assert_true(k.batches > 5);
    carry_close(&k);
    test_mem_close(m);
}

/* ---- taking ---- */

static bool even_below_300(uint32_t row, uint64_t how)
{
    (void)how;
    return row >= 300 || row % 2 == 0;
}

/* Narrow values were read ahead of alive rows; the next batches have no selection. */
static void take_ahead_then_all_alive(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(1000, 12);
    carried k;
    const uint32_t cols[] = {2, 1, 0, 3};
    uint32_t without = 0;
    widen(f, 1, 400, 500, 4000);
    carry_open(&k, f, m);
    do {
        carry_begin(&k);
        hold(&k, 0, 64 << 10);
        select_by(&k, 0, even_below_300, 0);
        assert_int_equal(k.b.sel != NULL, k.batches == 1);
        if (!k.b.sel && k.cols[2].ahead) {
            assert_true(k.cols[2].ahead->alive);
            without++;
        }
        take(&k, cols, 4, 64 << 10);
    } while (carry_on(&k));
    assert_true(without >= 3);
    assert_int_equal(f->begins, 1);
    carry_close(&k);
    test_mem_close(m);
}

static bool not_between(uint32_t row, uint64_t how)
{
    (void)how;
    return row < 300 ? row % 2 == 0 : row < 450 || (row >= 800 && row % 3 == 0);
}

/* A column that a filter could do without in the first batch cuts the next one; of the one behind
 * that no row is alive, and what was read ahead is for the one after it. */
static void take_ahead_then_none_alive(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(1000, 12);
    carried k;
    const uint32_t cols[] = {2, 1, 0};
    uint32_t none = 0, kept = 0, counts[2] = {0};
    widen(f, 1, 400, 500, 4000);
    widen(f, 5, 0, 1000, 700);
    carry_open(&k, f, m);
    do {
        carry_begin(&k);
        hold(&k, 0, 64 << 10);
        if (k.batches > 1)
            hold(&k, 5, 64 << 10);
        for (uint32_t i = 0; i < 2; i++) /* behind that cut, too, what was counted is */
            counts[i] += batch_counts(&k.b) ? k.b.rows : 0;
        select_by(&k, 0, not_between, 0);
        if (batch_alive(&k.b)) {
            kept += none && k.cols[2].ahead && k.cols[2].ahead->alive;
            take(&k, cols, 3, 64 << 10);
        } else {
            none++;
        }
    } while (carry_on(&k));
    assert_true(none > 0 && kept > 0);
    assert_int_equal(counts[0], 1000);
    assert_int_equal(counts[1], 1000);
    carry_close(&k);
    test_mem_close(m);
}

/* No varying column is taken: the first one of the others may still cut. */
static void take_of_fixed_width(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(1000, 12);
    carried k;
    const uint32_t cols[] = {3, 0};
    carry_open(&k, f, m);
    do {
        carry_begin(&k);
        take(&k, cols, 2, 1600);
    } while (carry_on(&k));
    assert_int_equal(f->begins, k.batches);
    assert_true(k.batches >= 4);
    carry_close(&k);
    test_mem_close(m);
}

/* ---- counting ---- */

/* Three operators before one that takes: each counts every row that comes to it once, wherever
 * the batch is cut. */
static void rows_are_counted_once(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    for (uint32_t cutter = 0; cutter < 3; cutter++) {
        fake *f = fake_new(1000, 12);
        carried k;
        const uint32_t held[] = {0, 1, 2}, cols[] = {4, 5};
        uint32_t counts[3] = {0}, alive = 0;
        if (cutter)
            widen(f, held[cutter], 100, 800, 900);
        widen(f, 5, 500, 900, 1200);
        carry_open(&k, f, m);
        do {
            carry_begin(&k);
            for (uint32_t i = 0; i < 3; i++) {
                hold(&k, held[i], 32 << 10);
                uint32_t before = batch_alive(&k.b);
                if (i == 0)
                    select_by(&k, 0, even_below_300, 0);
                if (batch_counts(&k.b))
                    counts[i] += before;
            }
            take(&k, cols, 2, 32 << 10);
            alive += batch_alive(&k.b);
        } while (carry_on(&k));
        assert_int_equal(alive, 850);
        assert_int_equal(counts[0], 1000);
        assert_int_equal(counts[1], 850);
        assert_int_equal(counts[2], 850);
        carry_close(&k);
    }
    test_mem_close(m);
}

/* ---- memory ---- */

/* A source that has no room for large pieces gives smaller ones: the batch is cut. */
static void short_of_memory(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    for (int alive = 0; alive < 2; alive++) {
        fake *f = fake_new(1000, 100);
        carried k;
        const uint32_t cols[] = {1, 2, 3};
        f->piece = ROWS;
        f->most[1] = 20000;
        carry_open(&k, f, m);
        do {
            carry_begin(&k);
            hold(&k, 0, 64 << 10);
            if (alive) {
                select_by(&k, 0, even_below_300, 0);
                take(&k, cols, 3, 64 << 10);
            } else {
                hold(&k, 1, 64 << 10);
            }
        } while (carry_on(&k));
        assert_true(k.batches > 2);
        carry_close(&k);
    }
    test_mem_close(m);
}

/* Memory is short at a later piece: what was read until there is kept. */
static void short_of_memory_later(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(1000, 20);
    carried k;
    f->short_from[1] = 500;
    carry_open(&k, f, m);
    carry_begin(&k);
    hold(&k, 0, 64 << 10);
    hold(&k, 1, 64 << 10);
    assert_int_equal(k.b.rows, 500);
    assert_int_equal(err.status, NRW_OK);
    assert_true(carry_on(&k));
    assert_int_equal(k.b.rows, 500);
    assert_true(k.b.last);
    hold(&k, 0, 64 << 10);
    hold(&k, 1, 64 << 10);
    assert_false(carry_on(&k));
    carry_close(&k);
    test_mem_close(m);
}

/* What cannot be read again, or not be cut, is an error. */
static void errors_come_through(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    for (int how = 0; how < 5; how++) {
        fake *f = fake_new(1000, 100);
        carried k;
        vector out[2];
        const vector *v;
        nrw_error e = NRW_ERROR_INIT;
        nrw_status st;
        const uint32_t cols[] = {1, 2};
        f->tears = how == 0 || how == 1 || how == 2;
        if (how == 1)
            f->short_from[2] = 500;
        else
            f->most[2] = how == 4 ? 50 : 20000;
        f->piece = how == 1 ? 64 : ROWS;
        carry_open(&k, f, m);
        carry_begin(&k);
        hold(&k, 0, 256 << 10);
        k.b.fixed = how == 3;
        st = how == 2 ? batch_take(&k.b, cols, 2, 256 << 10, out, &e)
                      : batch_hold(&k.b, 2, 256 << 10, &v, &e);
        assert_int_equal(st, NRW_E_MEMLIMIT);
        assert_int_equal(e.status, NRW_E_MEMLIMIT);
        if (f->tears || k.b.fixed) /* it is not tried with less */
            assert_int_equal(f->failed, 1);
        batch_abandon(&k.b);
        carry_close(&k);
    }
    test_mem_close(m);
}

/* A morsel that fails behind a cut: its columns end once, what was read ahead is freed. */
static void fails_behind_a_cut(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    fake *f = fake_new(1000, 20);
    carried k;
    const vector *v;
    const uint32_t cols[] = {1, 2};
    widen(f, 2, 0, 1000, 500);
    carry_open(&k, f, m);
    carry_begin(&k);
    hold(&k, 0, 32 << 10);
    take(&k, cols, 2, 32 << 10);
    assert_false(k.b.last);
    assert_true(carry_on(&k));
    carry_begin(&k);
    hold(&k, 0, 32 << 10);
    f->tears = true;
    f->most[2] = 1;
    assert_int_equal(batch_hold(&k.b, 2, 32 << 10, &v, NULL), NRW_E_MEMLIMIT);
    batch_abandon(&k.b);
    carry_close(&k);
    test_mem_close(m);
}

/* ---- at random ---- */

/* Stretches of rows are kept as a whole, in part, or not at all. */
static bool at_random(uint32_t row, uint64_t how)
{
    uint64_t of_stretch = how + row / (1 + (how >> 8) % 97);
    uint64_t kind = next_random(&of_stretch) % 4;
    return kind == 0 ? false : kind == 1 ? true : (row * 2654435761u >> 16) % 4 < kind;
}

typedef struct plan {
    uint32_t n_filters, held[3], n_taken, taken[COLUMNS];
    uint64_t how[3];
    bool skips; /* as op_where: filters hold nothing where no row is alive */
    enum { END_TAKE, END_TAKE_ALL, END_WALK, END_HOLD, ENDS } end;
    bool end_is_fixed;
    size_t max_bytes;
    uint32_t counts[3], alive;
} plan;

static uint32_t below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(next_random(seed) % n);
}

static plan plan_new(uint64_t *seed)
{
    plan p = {.n_filters = below(seed, 4),
              .skips = below(seed, 2),
              .end = below(seed, ENDS),
              .end_is_fixed = below(seed, 8) == 0,
              .max_bytes = (size_t)1 << (8 + below(seed, 9))};
    uint32_t order[COLUMNS];
    for (uint32_t i = 0; i < COLUMNS; i++) {
        uint32_t j = below(seed, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    p.n_taken = 1 + below(seed, COLUMNS);
    memcpy(p.taken, order, sizeof order);
    for (uint32_t i = 0; i < 3; i++) {
        p.held[i] = below(seed, COLUMNS);
        p.how[i] = next_random(seed);
    }
    return p;
}

static fake *fake_at_random(uint64_t *seed)
{
    fake *f = fake_new(1 + below(seed, 400), 8);
    f->piece = 1 + below(seed, below(seed, 2) ? 10 : 200);
    for (uint32_t c = 0; c < COLUMNS; c++)
        for (uint32_t i = 0; i < f->rows;) {
            uint32_t n = 1 + below(seed, 80), most = 8u << below(seed, 8);
            for (; n && i < f->rows; n--)
                f->width[c][i++] = (uint16_t)(8 + below(seed, most));
        }
    for (uint32_t c = 0; c < COLUMNS; c++)
        if (below(seed, 6) == 0)
            f->short_from[c] = 1 + below(seed, f->rows);
    return f;
}

static nrw_status filters(carried *k, plan *p)
{
    for (uint32_t i = 0; i < p->n_filters; i++) {
        const vector *v;
        if (p->skips && batch_alive(&k->b) == 0)
            continue;
        TRY(batch_hold(&k->b, p->held[i], p->max_bytes, &v, &err));
        check_all(&k->b, k->f, v, p->held[i]);
        uint32_t before = batch_alive(&k->b);
        TRY(narrow(k, p->held[i], at_random, p->how[i]));
        if (batch_counts(&k->b))
            p->counts[i] += before;
    }
    return NRW_OK;
}

static nrw_status walk_one(carried *k, const plan *p, uint32_t c)
{
    column_walk w = batch_walk(&k->b, c);
    nrw_status st;
    vector v;
    while ((st = column_next(&w, p->max_bytes, &v, &err)) == NRW_OK) {
        for (uint32_t i = 0; i < v.len; i++) {
            uint32_t at = w.at - v.len + i;
            check_value(k->f, &v, c, i, k->b.offset + (k->b.sel ? k->b.sel[at] : at));
        }
        vector_release(&v);
    }
    return st == NRW_END ? NRW_OK : st;
}

static nrw_status finish(carried *k, plan *p)
{
    const bool named = p->end == END_TAKE;
    const uint32_t n = named ? p->n_taken : COLUMNS;
    vector out[COLUMNS];
    const vector *v;
    k->b.fixed |= p->end_is_fixed;
    for (uint32_t i = 0; p->end == END_WALK && i < p->n_taken; i++)
        TRY(walk_one(k, p, p->taken[i]));
    for (uint32_t i = 0; p->end == END_HOLD && i < p->n_taken; i++)
        TRY(batch_hold(&k->b, p->taken[i], p->max_bytes, &v, &err));
    for (uint32_t i = 0; p->end == END_HOLD && i < p->n_taken; i++)
        check_all(&k->b, k->f, k->cols[p->taken[i]].held, p->taken[i]);
    if (p->end == END_WALK || p->end == END_HOLD)
        return NRW_OK;
    TRY(batch_take(&k->b, named ? p->taken : NULL, n, p->max_bytes, out, &err));
    for (uint32_t i = 0; i < n; i++) {
        check_alive(&k->b, k->f, &out[i], named ? p->taken[i] : i);
        vector_release(&out[i]);
    }
    return NRW_OK;
}

/* What each filter is to see, and what is left behind them. */
static void check_counts(const plan *p, uint32_t rows)
{
    uint32_t counts[3] = {0}, alive = 0;
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t i = 0;
        for (; i < p->n_filters; i++) {
            counts[i]++;
            if (!at_random(row, p->how[i]))
                break;
        }
        alive += i == p->n_filters;
    }
    assert_int_equal(p->alive, alive);
    assert_memory_equal(p->counts, counts, sizeof counts);
}

/* Batches of the morsel, 0 where it has failed. */
static uint32_t carry_plan(carried *k, plan *p)
{
    bool more = true;
    while (more) {
        nrw_status st;
        carry_begin(k);
        st = filters(k, p);
        if (st >= 0 && batch_alive(&k->b))
            st = finish(k, p);
        if (st < 0) {
            assert_int_equal(st, NRW_E_MEMLIMIT);
            err = (nrw_error)NRW_ERROR_INIT;
            batch_abandon(&k->b);
            return 0;
        }
        p->alive += batch_alive(&k->b);
        more = carry_on(k);
    }
    check_counts(p, k->f->rows);
    return k->batches;
}

static void random_rounds(void **state)
{
    (void)state;
    mem *m = test_mem_open(64 << 20);
    uint64_t seed = 77;
    uint32_t several = 0, many = 0, failed = 0, rounds = ROUNDS(8000);
    for (uint32_t round = 0; round < rounds; round++) {
        fake *f = fake_at_random(&seed);
        plan p = plan_new(&seed);
        carried k;
        mem *own;
        /* selections take 128 KiB each, two at a time; little is left beside them */
        const bool narrow = below(&seed, 4) == 0;
        assert_ok(mem_child(m, "own", narrow ? (260 << 10) + below(&seed, 200 << 10) : 32 << 20,
                            &own, &err),
                  &err);
        carry_open(&k, f, own);
        k.b.share = below(&seed, 3) ? 0 : below(&seed, 1 << 20);
        /* a fixed batch of a source that is short of memory fails, as it does anywhere */
        bool may_fail = narrow;
        for (uint32_t c = 0; c < COLUMNS; c++)
            may_fail |= f->short_from[c] > 0;
        uint32_t batches = carry_plan(&k, &p);
        assert_true(batches || may_fail);
        failed += !batches;
        several += batches > 1;
        many += batches > 5;
        carry_close(&k);
        mem_free_account(own);
    }
    assert_true(several > rounds / 4);
    assert_true(many > rounds / 10);
    assert_true(failed < rounds / 3);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_columns_cut),          cmocka_unit_test(first_column_cuts),
        cmocka_unit_test(cut_so_often_at_most),       cmocka_unit_test(not_cut),
        cmocka_unit_test(fixed_behind_a_cut),         cmocka_unit_test(take_ahead_then_all_alive),
        cmocka_unit_test(take_ahead_then_none_alive), cmocka_unit_test(take_of_fixed_width),
        cmocka_unit_test(rows_are_counted_once),      cmocka_unit_test(short_of_memory),
        cmocka_unit_test(short_of_memory_later),      cmocka_unit_test(errors_come_through),
        cmocka_unit_test(fails_behind_a_cut),         cmocka_unit_test(random_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
