/* Aggregate functions: however the rows are split over states, in whatever order they come and
 * whether states went to a spill file, the answer is the same, and all memory comes back. */
#include "column/key.h"
#include "exec/aggregate.h"
#include "testing.h"

#include <math.h>

#define ROWS  9u
#define SPLIT (1u << ROWS)

typedef struct call {
    const char *name;
    const char *types;    /* of its columns: d double, i integer, s text, t timestamp, b boolean,
                             n decimal, w a wide one */
    const char *constant; /* a text as one more argument */
    double fraction;      /* a number as one more argument; 0: none */
    bool ordered, distinct;
} call;

static const call calls[] = {
    {.name = "count", .types = "s"},
    {.name = "count_if", .types = "b"},
    {.name = "sum", .types = "d"},
    {.name = "sum", .types = "i"},
    {.name = "sum", .types = "n"},
    {.name = "fsum", .types = "i"},
    {.name = "avg", .types = "d"},
    {.name = "avg", .types = "t"},
    {.name = "favg", .types = "n"},
    {.name = "min", .types = "s"},
    {.name = "max", .types = "d"},
    {.name = "min", .types = "d"},
    {.name = "max", .types = "i"},
    {.name = "min", .types = "t"},
    {.name = "max", .types = "b"},
    {.name = "min", .types = "n"},
    {.name = "first", .types = "s"},
    {.name = "last", .types = "i"},
    {.name = "any_value", .types = "s"},
    {.name = "bool_and", .types = "b"},
    {.name = "bool_or", .types = "b"},
    {.name = "var_samp", .types = "d"},
    {.name = "stddev_pop", .types = "i"},
    {.name = "sem", .types = "d"},
    {.name = "skewness", .types = "d"},
    {.name = "kurtosis", .types = "d"},
    {.name = "kurtosis_pop", .types = "d"},
    {.name = "covar_samp", .types = "dd"},
    {.name = "corr", .types = "di"},
    {.name = "regr_slope", .types = "di"},
    {.name = "regr_intercept", .types = "di"},
    {.name = "regr_r2", .types = "di"},
    {.name = "regr_count", .types = "di"},
    {.name = "median", .types = "d"},
    {.name = "median", .types = "s"},
    {.name = "quantile_cont", .types = "n", .fraction = 0.3},
    {.name = "quantile_disc", .types = "t", .fraction = 0.7},
    {.name = "quantile_disc", .types = "s", .fraction = 0.7},
    {.name = "approx_quantile", .types = "i", .fraction = 0.4},
    {.name = "mad", .types = "d"},
    {.name = "mad", .types = "t"},
    {.name = "string_agg", .types = "s", .constant = "; "},
    {.name = "string_agg", .types = "s", .ordered = true},
    {.name = "string_agg", .types = "s", .distinct = true},
    {.name = "list", .types = "i"},
    {.name = "list", .types = "s"},
    {.name = "list", .types = "s", .ordered = true},
    {.name = "list", .types = "i", .distinct = true},
    {.name = "first", .types = "s", .ordered = true},
    {.name = "sum", .types = "d", .distinct = true},
    {.name = "count", .types = "s", .distinct = true},
    {.name = "corr", .types = "di", .distinct = true},
    {.name = "median", .types = "i", .distinct = true},
    {.name = "mad", .types = "w"},
    {.name = "quantile_disc", .types = "w", .fraction = 0.2},
    {.name = "mode", .types = "d"},
    {.name = "arg_min", .types = "sd"},
    {.name = "arg_max", .types = "is"},
    {.name = "arg_max_null", .types = "si"},
    {.name = "mode", .types = "i"},
    {.name = "mode", .types = "s"},
    {.name = "entropy", .types = "i"},
    {.name = "histogram", .types = "s"},
    {.name = "approx_count_distinct", .types = "d"},
    {.name = "bit_and", .types = "i"},
    {.name = "bit_or", .types = "i"},
    {.name = "bit_xor", .types = "i"},
    {.name = "product", .types = "d"},
};

/* ---- columns ---- */

static const double doubles[ROWS] = {1e16, 1, -1e16, 0.1, 3.5, 1e-9, -0.1, 7, 1e16};
static const int32_t integers[ROWS] = {3, 1, 2, 3, 7, -5, 2, 9, 0};
static const char *const texts[ROWS] = {
    "b", "a",  "a text that is longer than what is kept inline",       "b",
    "",  "zz", "another text that is longer than what is kept inline", "c",
    "a"};

static type type_for(char c)
{
    return c == 'w'   ? type_decimal(30, 2)
           : c == 'd' ? type_of(TYPE_FLOAT64)
           : c == 'i' ? type_of(TYPE_INT32)
           : c == 's' ? type_of(TYPE_UTF8)
           : c == 't' ? type_timestamp(UNIT_US, false)
           : c == 'b' ? type_of(TYPE_BOOL)
                      : type_decimal(18, 2);
}

static void fill(char c, vector *v)
{
    nrw_error err = NRW_ERROR_INIT;
    buffer *heap;
    int32_t at, used = 0;

    if (c == 's') {
        assert_ok(buffer_new(v->m, 512, &heap, &err), &err);
        assert_ok(vector_add_heap(v, heap, &at, &err), &err);
        for (uint32_t i = 0; i < ROWS; i++) {
            int32_t n = (int32_t)strlen(texts[i]);
            memcpy(heap->data + used, texts[i], (size_t)n);
            ((view *)(void *)v->data)[i] = view_make(heap->data + used, n, at, used);
            used += n;
        }
        buffer_unref(heap);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        if (c == 'd')
            ((double *)(void *)v->data)[i] = doubles[i];
        else if (c == 'i')
            ((int32_t *)(void *)v->data)[i] = integers[i];
        else if (c == 't' || c == 'n')
            ((int64_t *)(void *)v->data)[i] = integers[i] * 1000001;
        else if (c == 'w')
            ((__int128 *)(void *)v->data)[i] = integers[i] * ((__int128)1 << 70);
        else if (c == 'b')
            v->data[i] = integers[i] > 0;
    }
}

static void column_of(mem *m, char c, uint32_t null_row, vector *v)
{
    nrw_error err = NRW_ERROR_INIT;
    const type t = type_for(c);

    assert_ok(vector_flat(m, &t, ROWS, v, &err), &err);
    v->len = ROWS;
    assert_ok(vector_add_validity(v, &err), &err);
    fill(c, v);
    bit_clear(v->validity, null_row);
    v->null_count = 1;
}

/* ---- results as bytes ---- */

static void append(bytes *out, const vector *v, uint32_t from, uint32_t to)
{
    nrw_error err = NRW_ERROR_INIT;

    for (uint32_t i = from; i < to; i++) {
        const uint32_t *at = vector_offsets(v);
        uint8_t there = vector_is_valid(v, i);
        if (!type_is_nested(&v->type)) {
            assert_ok(key_append(out, v, i, &err), &err);
            continue;
        }
        assert_ok(bytes_append(out, &there, 1, &err), &err);
        for (uint32_t c = 0; c < v->n_children; c++)
            append(out, &v->children[c], at[i], at[i + 1]);
    }
}

static void result_of(const aggregate *g, uint8_t *state, mem *m, bytes *out)
{
    nrw_error err = NRW_ERROR_INIT;
    vector v;

    assert_ok(aggregate_finish(g, &state, 1, m, &v, &err), &err);
    assert_ok(vector_validate(&v, &err), &err);
    append(out, &v, 0, 1);
    vector_release(&v);
}

/* ---- states ---- */

typedef struct bench {
    aggregate g;
    mem *m;
    vector columns[2];
    _Alignas(16) uint8_t states[2][1024];
} bench;

static void add_row(bench *b, uint32_t row, uint8_t *state)
{
    nrw_error err = NRW_ERROR_INIT;
    vector one[AGGREGATE_ARGS] = {0};
    const vector *args[AGGREGATE_ARGS];
    uint64_t ordinal = row * 10;

    for (uint32_t k = 0; k < b->g.n_args; k++) {
        assert_ok(vector_slice(&b->columns[b->g.args[k]->column], row, 1, b->m, &one[k], &err),
                  &err);
        args[k] = &one[k];
    }
    assert_ok(b->g.class->add(&b->g,
                              &(aggregate_rows){.n = 1,
                                                .states = &state,
                                                .args = args,
                                                .one = true,
                                                .ordinals = &ordinal,
                                                .m = b->m,
                                                .scratch = b->m},
                              &err),
              &err);
    for (uint32_t k = 0; k < b->g.n_args; k++)
        vector_release(&one[k]);
}

static void drop(bench *b, uint8_t *state)
{
    if (b->g.class->drop)
        b->g.class->drop(&b->g, state, b->m);
    memset(state, 0, b->g.state_bytes);
}

/* The state as it comes back from a spill file, in pieces of about so many bytes. */
static void send_pieces(bench *b, uint8_t *state, size_t most)
{
    nrw_error err = NRW_ERROR_INIT;
    bytes saved = bytes_init(b->m, SIZE_MAX / 2);
    uint8_t back[256] __attribute__((aligned(16))) = {0},
                      piece[sizeof back] __attribute__((aligned(16))) = {0};
    bool more;

    if (!b->g.class->save)
        return;
    assert_true(b->g.state_bytes <= sizeof back);
    do {
        saved.len = 0;
        assert_ok(b->g.class->save(&b->g, state, most, &saved, &more, &err), &err);
        assert_ok(b->g.class->load(&b->g, (span){saved.data, saved.len}, piece, b->m, &err), &err);
        assert_ok(b->g.class->merge(&b->g, back, piece, b->m, &err), &err);
        drop(b, piece);
    } while (more);
    drop(b, state);
    memcpy(state, back, b->g.state_bytes);
    bytes_release(&saved);
}

static void send_away(bench *b, uint8_t *state)
{
    send_pieces(b, state, 1);
    send_pieces(b, state, SIZE_MAX / 2);
}

/* Rows of `mask` to one state, the others to the other; the two merged. */
static void split_result(bench *b, uint32_t mask, bytes *out)
{
    nrw_error err = NRW_ERROR_INIT;
    uint32_t into = mask >> 1 & 1;

    out->len = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t row = mask & 1 ? ROWS - 1 - i : i;
        add_row(b, row, b->states[mask >> row & 1]);
    }
    send_away(b, b->states[mask >> 2 & 1]);
    assert_ok(b->g.class->merge(&b->g, b->states[into], b->states[!into], b->m, &err), &err);
    drop(b, b->states[!into]);
    if (mask & 8)
        send_away(b, b->states[into]);
    result_of(&b->g, b->states[into], b->m, out);
    drop(b, b->states[into]);
}

/* ---- without loading ---- */

#define PIECES 64u

typedef struct pieces {
    agg_saved saved;
    bytes data[PIECES];
    uint32_t n, at;
} pieces;

static nrw_status next_piece(agg_saved *saved, span *piece, nrw_error *err)
{
    pieces *p = (pieces *)(void *)saved;

    (void)err;
    if (p->at == p->n) {
        p->at = 0;
        return NRW_END;
    }
    *piece = (span){p->data[p->at].data, p->data[p->at].len};
    p->at++;
    return NRW_OK;
}

static void save_pieces(bench *b, uint8_t *state, size_t most, pieces *p)
{
    nrw_error err = NRW_ERROR_INIT;
    bool more = true;

    while (more) {
        assert_true(p->n < PIECES);
        p->data[p->n] = bytes_init(b->m, SIZE_MAX / 2);
        assert_ok(b->g.class->save(&b->g, state, most, &p->data[p->n++], &more, &err), &err);
    }
    drop(b, state);
}

/* Rows of `mask` in one state, the others in the other; the result of what was saved of them, in
 * so little memory that sets are dealt out as far as hashes go. */
static void saved_result(bench *b, uint32_t mask, spill *file, bytes *out)
{
    nrw_error err = NRW_ERROR_INIT;
    pieces p = {.saved = {next_piece, b->m, 64, file}};
    vector v;

    out->len = 0;
    for (uint32_t row = 0; row < ROWS; row++)
        add_row(b, row, b->states[mask >> row & 1]);
    save_pieces(b, b->states[0], 1, &p);
    save_pieces(b, b->states[1], mask & 2 ? 20 : SIZE_MAX / 2, &p);
    assert_ok(aggregate_finish_saved(&b->g, &p.saved, b->m, &v, &err), &err);
    assert_ok(vector_validate(&v, &err), &err);
    append(out, &v, 0, 1);
    vector_release(&v);
    for (uint32_t i = 0; i < p.n; i++)
        bytes_release(&p.data[i]);
}

static void check_saved(bench *b, const call *c, const bytes *want)
{
    nrw_error err = NRW_ERROR_INIT;
    bytes got = bytes_init(b->m, SIZE_MAX / 2);
    spill *file;

    if (!b->g.class->finish_saved)
        return;
    assert_ok(spill_new(b->m, NULL, 1u << 20, &file, &err), &err);
    for (uint32_t mask = 0; mask < SPLIT; mask += 19) {
        saved_result(b, mask, file, &got);
        if (got.len != want->len || memcmp(got.data, want->data, got.len) != 0)
            fail_msg("%s of %s: rows %x saved", c->name, c->types, mask);
    }
    assert_int_equal(spill_used(file), 0);
    spill_close(file);
    bytes_release(&got);
}

static void bind(const call *c, arena *a, aggregate *g)
{
    nrw_error err = NRW_ERROR_INIT;
    const expr *args[4];
    uint32_t n = 0;
    char digits[32];

    for (; c->types[n]; n++) {
        const type t = type_for(c->types[n]);
        assert_ok(expr_column(a, n, &t, &args[n], &err), &err);
    }
    if (c->constant)
        assert_ok(expr_text(a, (span){(const uint8_t *)c->constant, strlen(c->constant)},
                            &args[n++], &err),
                  &err);
    if (c->fraction > 0) {
        snprintf(digits, sizeof digits, "%g", c->fraction);
        assert_ok(expr_number(a, (span){(const uint8_t *)digits, strlen(digits)}, &args[n++], &err),
                  &err);
    }
    assert_ok(aggregate_bind(a, c->name, args, n, g, &err), &err);
    if (c->ordered) {
        const sort_order down = {.descending = true};
        assert_ok(aggregate_make_ordered(a, g, args, &down, 1, &err), &err);
    }
    g->distinct = c->distinct;
    if (c->distinct)
        assert_ok(aggregate_make_distinct(a, g, &err), &err);
}

/* Arguments that were cast are columns of what they were cast to. */
static void evaluate(bench *b, arena *a, const vector *given)
{
    nrw_error err = NRW_ERROR_INIT;
    const vector *at[2] = {&given[0], &given[1]};

    for (uint32_t k = 0; k < b->g.n_args; k++) {
        const expr *e = b->g.args[k];
        uint32_t to = k < 2 ? k : 1;
        if (b->columns[to].len == 0)
            assert_ok(expr_eval(e, at, ROWS, b->m, &b->columns[to], &err), &err);
        assert_ok(expr_column(a, to, &e->type, &b->g.args[k], &err), &err);
    }
}

static void check(const call *c)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(64u << 20);
    arena *a;
    bench b = {.m = m};
    bytes want = bytes_init(m, SIZE_MAX / 2), got = want;
    vector given[2];

    assert_ok(arena_new(m, &a, &err), &err);
    column_of(m, c->types[0], 4, &given[0]);
    column_of(m, c->types[1] ? c->types[1] : 'i', 6, &given[1]);
    bind(c, a, &b.g);
    assert_true(b.g.state_bytes <= sizeof b.states[0]);
    evaluate(&b, a, given);
    split_result(&b, 0, &want);
    for (uint32_t mask = 1; mask < SPLIT; mask++) {
        split_result(&b, mask, &got);
        if (got.len != want.len || memcmp(got.data, want.data, got.len) != 0)
            fail_msg("%s of %s: rows %x apart", c->name, c->types, mask);
    }
    check_saved(&b, c, &want);
    for (uint32_t k = 0; k < 2; k++) {
        vector_release(&given[k]);
        vector_release(&b.columns[k]);
    }
    bytes_release(&want);
    bytes_release(&got);
    arena_free(a);
    test_mem_close(m);
}

static void splits_and_orders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        check(&calls[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_and_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
