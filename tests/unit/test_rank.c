/* Which value stands where, of many: what is found is what sorting gives, whether values lie in a
 * state or in what was saved of one. */
#include "column/compare.h"
#include "exec/agg_rank.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>

#define MANY 150000u

typedef enum shape { RANDOM, RISING, FEW_VALUES, ONE_VALUE, TAILED } shape;

static const char *const shape_names[] = {"random", "rising", "few values", "one value", "tailed"};

static uint64_t number(shape s, uint64_t i)
{
    uint64_t h = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    h ^= h >> 32;
    return s == RANDOM       ? h
           : s == RISING     ? i * 3
           : s == FEW_VALUES ? h % 5
           : s == ONE_VALUE  ? 7
                             : (h % 100 ? h % 1000 : h);
}

/* Value i as its bytes; returns their number. */
static uint32_t value_of(const type *t, shape s, uint64_t i, uint8_t *out)
{
    uint64_t x = number(s, i);
    __int128 wide = (__int128)(int64_t)x * 1000003;
    double d = (double)(int64_t)x / 3;

    if (t->id == TYPE_UTF8)
        return (uint32_t)sprintf((char *)out, "%*s%llx", (int)(x % 7), "t", (unsigned long long)x);
    if (t->id == TYPE_DECIMAL)
        memcpy(out, &wide, sizeof wide);
    else if (t->id == TYPE_FLOAT64)
        memcpy(out, &d, sizeof d);
    else
        memcpy(out, &x, t->width);
    return t->width;
}

typedef struct bench {
    mem *m;
    type t;
    gather_state s;
    uint8_t (*sorted)[32]; /* a length, then the value */
} bench;

static int by_value(const void *a, const void *b, void *t)
{
    const uint8_t *x = a, *y = b;
    span u = {x + 1, x[0]}, v = {y + 1, y[0]};
    int c = value_compare(t, u, v);

    return c ? c : span_compare(u, v);
}

static void open_bench(bench *b, type t, shape s)
{
    nrw_error err = NRW_ERROR_INIT;
    uint8_t value[32];

    *b = (bench){.m = test_mem_open(256u << 20), .t = t};
    b->sorted = calloc(MANY, sizeof *b->sorted);
    assert_non_null(b->sorted);
    for (uint64_t i = 0; i < MANY; i++) {
        uint32_t n = value_of(&t, s, i, value);
        b->sorted[i][0] = (uint8_t)n;
        memcpy(b->sorted[i] + 1, value, n);
        if (type_is_view(&t))
            assert_ok(gather_put(&b->s, i, (span){value, n}, false, b->m, &err), &err);
        else
            assert_ok(gather_put_bare(&b->s, value, n, b->m, &err), &err);
    }
    qsort_r(b->sorted, MANY, sizeof *b->sorted, by_value, &b->t);
}

static void find_all(bench *b, const rank_values *values, const char *what)
{
    static const uint64_t places[] = {0,        1,        777,     MANY / 3, MANY / 2 - 1,
                                      MANY / 2, MANY - 2, MANY - 1};
    nrw_error err = NRW_ERROR_INIT;
    ranking r = {.t = &b->t, .m = b->m, .from = *values};
    bytes out = bytes_init(b->m, UINT32_MAX);

    assert_int_equal(values->n, MANY);
    if (!type_is_view(&b->t))
        assert_ok(rank_begin(&r, values, NULL, &err), &err);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const uint8_t *want = b->sorted[places[i]];
        uint8_t got[16];
        out.len = 0;
        assert_ok(rank_any(&r, places[i], &out, &err), &err);
        if (!span_equal((span){out.data, out.len}, (span){want + 1, want[0]}))
            fail_msg("%s: the value at %llu by passes", what, (unsigned long long)places[i]);
        if (type_is_view(&b->t))
            continue;
        assert_ok(rank_value(&r, places[i], got, &err), &err);
        if (memcmp(got, want + 1, want[0]) != 0)
            fail_msg("%s: the value at %llu", what, (unsigned long long)places[i]);
    }
    rank_end(&r);
    bytes_release(&out);
}

/* ---- saved ---- */

typedef struct pieces {
    agg_saved saved;
    bytes all; /* a length, then a piece */
    size_t at;
} pieces;

static nrw_status next_piece(agg_saved *saved, span *piece, nrw_error *err)
{
    pieces *p = (pieces *)(void *)saved;
    bool over = p->at == p->all.len;

    (void)err;
    if (over) {
        p->at = 0;
        return NRW_END;
    }
    *piece = (span){p->all.data + p->at + 8, (size_t)load_u64(p->all.data + p->at)};
    p->at += 8 + piece->len;
    return NRW_OK;
}

static void save_all(bench *b, pieces *p)
{
    nrw_error err = NRW_ERROR_INIT;
    uint8_t *state = (uint8_t *)&b->s;
    const uint64_t none = 0;
    bool more = true;

    *p = (pieces){{next_piece, b->m, 1u << 20, NULL}, bytes_init(b->m, SIZE_MAX / 2), 0};
    while (more) {
        size_t at = p->all.len;
        assert_ok(bytes_append(&p->all, &none, 8, &err), &err);
        if (type_is_view(&b->t))
            assert_ok(gather_save(NULL, state, 60000, &p->all, &more, &err), &err);
        else
            assert_ok(gather_save_bare(state, b->t.width, 60000, &p->all, &more, &err), &err);
        store_u64(p->all.data + at, p->all.len - at - 8);
    }
}

static void finds(void **state)
{
    const type types[] = {type_of(TYPE_INT64), type_of(TYPE_INT16), type_of(TYPE_FLOAT64),
                          type_decimal(38, 2), type_of(TYPE_UTF8)};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (shape s = RANDOM; s <= TAILED; s++) {
            nrw_error err = NRW_ERROR_INIT;
            rank_values values;
            pieces p;
            bench b;
            open_bench(&b, types[i], s);
            values = rank_values_of(&b.s);
            find_all(&b, &values, shape_names[s]);
            save_all(&b, &p);
            assert_ok(rank_values_saved(&p.saved, &values, &err), &err);
            find_all(&b, &values, shape_names[s]);
            gather_drop(NULL, (uint8_t *)&b.s, b.m);
            bytes_release(&p.all);
            free(b.sorted);
            test_mem_close(b.m);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
