/* The first ids of every group through the whole pipeline, beside a plain reference. */
#include "base/turn.h"
#include "column/key.h"
#include "dataset/gen.h"
#include "exec/op_first.h"
#include "exec/op_write.h"
#include "exec/pipeline.h"
#include "testing.h"

#include <pthread.h>
#include <stdlib.h>

/* A sink that keeps each row as the key bytes of all its columns, in order. */
typedef struct rows {
    writer base;
    turn turn;
    mem *m;
    bytes data;
    uint32_t n_cols;
    int64_t n;
} rows;

static nrw_status rows_push(writer *w, batch *b, nrw_error *err)
{
    rows *r = (rows *)w;
    vector v[8];

    TRY(turn_wait(&r->turn, b->morsel));
    for (uint32_t c = 0; b->rows && c < r->n_cols; c++) {
        const vector *held;
        TRY(batch_hold(b, c, SIZE_MAX, &held, err));
        TRY(vector_flatten(held, r->m, &v[c], err));
    }
    for (uint32_t i = 0; i < batch_alive(b); i++) {
        for (uint32_t c = 0; c < r->n_cols; c++)
            TRY(key_append(&r->data, &v[c], b->sel ? b->sel[i] : i, err));
        r->n++;
    }
    for (uint32_t c = 0; b->rows && c < r->n_cols; c++)
        vector_release(&v[c]);
    if (b->last)
        turn_done(&r->turn, b->morsel);
    return NRW_OK;
}

static void rows_stop(writer *w)
{
    turn_stop(&((rows *)w)->turn);
}

static const writer_class rows_class = {.name = "rows", .push = rows_push, .stop = rows_stop};

static nrw_status open_gen(const void *self, mem *m, reader **out, nrw_error *err)
{
    return gen_open(m, self, out, err);
}

typedef struct question {
    gen_options gen;
    uint32_t first;
    uint32_t of[2], n_of, per[2], n_per;
    uint32_t workers;
    size_t remember;
    uint64_t memory, late; /* 0: enough */
} question;

static op *new_first(arena *a, mem *m, const question *q, const type *types, spill *s)
{
    nrw_error err = NRW_ERROR_INIT;
    const first_spec spec = {.first = q->first,
                             .of = q->of,
                             .n_of = q->n_of,
                             .per = q->per,
                             .n_per = q->n_per,
                             .n_columns = q->gen.n_columns,
                             .types = types,
                             .workers = q->workers,
                             .memory = q->memory ? q->memory : 64 << 20,
                             .late = q->late,
                             .remember = q->remember,
                             .held = 1 << 20};
    op *o;

    assert_ok(op_first_new(a, m, &spec, s, &o, &err), &err);
    return o;
}

/* The pipeline behind the first one. */
static void run_waiting(pipeline *p, op *o, op *to)
{
    nrw_error err = NRW_ERROR_INIT;

    p->source = op_first_rest(o);
    p->first = to;
    p->first_morsel = p->morsels;
    assert_ok(pipeline_run(p, &err), &err);
}

static void answer(mem *m, const question *q, bool filter, rows *out)
{
    const scan_input in = {"gen", open_gen, &q->gen};
    const batch_shape shape = {q->workers > 1 ? 501 : 65536, 1 << 20, 0, 2, NULL};
    uint32_t cols[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    nrw_error err = NRW_ERROR_INIT;
    pipeline p = {.limit = -1, .workers = q->workers, .batches = m};
    source_scan from;
    op_write to;
    type types[8];
    scan *in_scan;
    op *o = NULL;
    arena *a;
    spill *s;

    *out = (rows){.base.class = &rows_class,
                  .m = m,
                  .data = bytes_init(m, 64 << 20),
                  .n_cols = q->gen.n_columns};
    turn_init(&out->turn);
    assert_ok(scan_open(m, &in, 1, &(scan_options){0}, &in_scan, &err), &err);
    assert_ok(scan_start(in_scan, cols, q->gen.n_columns, &shape, m, NULL, &err), &err);
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(spill_new(m, NULL, 64 << 20, &s, &err), &err);
    for (uint32_t c = 0; c < q->gen.n_columns; c++)
        types[c] = scan_schema(in_scan)->fields[c].type;
    if (filter)
        o = new_first(a, m, q, types, s);
    from = source_scan_of(in_scan, q->gen.n_columns);
    to = op_write_of(&out->base);
    p.source = &from.base;
    if (o)
        pipeline_add(&p, o);
    pipeline_add(&p, &to.base);
    assert_ok(pipeline_run(&p, &err), &err);
    if (o && q->late)
        run_waiting(&p, o, &to.base);
    if (o)
        assert_int_equal(o->rows_in - o->rows_filtered, out->n);
    op_close(o);
    scan_close(in_scan);
    spill_close(s);
    arena_free(a);
}

/* Length of the key of one value at p: see key_append. */
static size_t value_len(const type *t, const uint8_t *p)
{
    if (!p[0])
        return 1;
    return type_is_view(t) ? 5 + load_u32(p + 1) : 1 + t->width;
}

typedef struct known {
    span group, id;
} known;

static span part(const question *q, const span *cols, const uint32_t *which, uint32_t n,
                 uint8_t *room)
{
    size_t len = 0;

    (void)q;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(room + len, cols[which[i]].data, cols[which[i]].len);
        len += cols[which[i]].len;
    }
    return (span){room, len};
}

static bool same(span a, span b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The plain way: for every row look through all (group, id) pairs seen so far. */
static void reference(const question *q, const rows *all, bytes *out)
{
    static known seen[20000];
    static uint8_t heap[4 << 20];
    size_t used = 0, n = 0;
    const uint8_t *p = all->data.data;
    nrw_error err = NRW_ERROR_INIT;

    for (int64_t row = 0; row < all->n; row++) {
        span cols[8], group, id;
        uint8_t a[256], b[256];
        const uint8_t *start = p;
        uint32_t rank = 0;
        bool in = false;
        for (uint32_t c = 0; c < q->gen.n_columns; c++) {
            cols[c] = (span){p, value_len(&q->gen.columns[c].type, p)};
            p += cols[c].len;
        }
        group = part(q, cols, q->per, q->n_per, a);
        id = part(q, cols, q->of, q->n_of, b);
        for (size_t i = 0; i < n && !in; i++)
            if (same(seen[i].group, group)) {
                rank++;
                in = q->n_of && same(seen[i].id, id);
            }
        if (!in && rank < q->first) {
            memcpy(heap + used, group.data, group.len);
            memcpy(heap + used + group.len, id.data, id.len);
            seen[n++] = (known){{heap + used, group.len}, {heap + used + group.len, id.len}};
            used += group.len + id.len;
            in = true;
        }
        if (in)
            assert_ok(bytes_append(out, start, (size_t)(p - start), &err), &err);
    }
}

/* A state that is full at once, after some keys, late or never, and much or little memory for what
 * waits then: the same rows in the same order. */
static void waiting(mem *m, const question *asked, const bytes *want)
{
    static const uint32_t kib[] = {1, 17, 45, 75, 140, 1000};
    question q = *asked;

    for (size_t i = 0; i < sizeof kib / sizeof *kib; i++) {
        rows got;
        q.workers = 1 + i % 3;
        q.remember = i % 2 ? 512 : 0;
        q.late = i % 2 ? 4 << 20 : 3 << 19;
        q.memory = q.late + (kib[i] << 10);
        answer(m, &q, true, &got);
        assert_int_equal(got.data.len, want->len);
        assert_memory_equal(got.data.data, want->data, want->len);
        bytes_release(&got.data);
    }
}

static void check(const char *const *defs, uint32_t n, const char *nulls, question q)
{
    mem *m = test_mem_open(256 << 20);
    nrw_error err = NRW_ERROR_INIT;
    gen_column columns[8];
    arena *a;

    assert_ok(arena_new(m, &a, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        assert_ok(gen_column_parse(a, defs[i] + 1, defs[i][0] == '*', &columns[i], &err), &err);
    assert_ok(gen_nulls_parse(columns, n, nulls, &err), &err);
    q.gen.columns = columns;
    q.gen.n_columns = n;
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        rows all;
        bytes want = bytes_init(m, 64 << 20);
        q.gen.shuffle = shuffle;
        q.workers = 1;
        answer(m, &q, false, &all);
        reference(&q, &all, &want);
        for (q.workers = 1; q.workers <= 4; q.workers *= 2) {
            rows got;
            /* all dictionaries, small ones, none: codes save time and change nothing */
            q.remember = q.workers == 1 ? 1 << 20 : q.workers == 2 ? 128 : 0;
            answer(m, &q, true, &got);
            assert_int_equal(got.data.len, want.len);
            assert_memory_equal(got.data.data, want.data, want.len);
            bytes_release(&got.data);
        }
        waiting(m, &q, &want);
        bytes_release(&want);
        bytes_release(&all.data);
    }
    arena_free(a);
    test_mem_close(m);
}

static void integers(void **state)
{
    static const char *const defs[] = {"*group=13", "*id=30", "*row=20"};

    (void)state;
    check(defs, 3, "0", (question){.first = 10, .of = {1}, .n_of = 1, .per = {0}, .n_per = 1});
    check(defs, 3, "0.2", (question){.first = 10, .of = {1}, .n_of = 1, .per = {0}, .n_per = 1});
    check(defs, 3, "0", (question){.first = 3, .of = {2}, .n_of = 1, .per = {1}, .n_per = 1});
}

static void every_key_type(void **state)
{
    static const char *const types[] = {"boolean",       "tinyint", "uint16",  "double",    "float",
                                        "decimal(30,2)", "date",    "time",    "timestamp", "uuid",
                                        "string",        "binary",  "interval"};
    char group[40], id[40];
    const char *defs[] = {group, id, "*row=9"};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        bool two = strcmp(types[i], "boolean") == 0;
        snprintf(group, sizeof group, "*group=%d:%s", two ? 2 : 11, types[i]);
        snprintf(id, sizeof id, "*id=%d:%s", two ? 2 : 25, types[i]);
        check(defs, 3, "0.1", (question){.first = 4, .of = {1}, .n_of = 1, .per = {0}, .n_per = 1});
    }
}

static void several_columns_none_and_values(void **state)
{
    static const char *const defs[] = {"*a=5", "*b=6:string", "*c=7", "*d=8", "+x=tinyint"};

    (void)state;
    check(defs, 5, "0.05",
          (question){.first = 2, .of = {2, 3}, .n_of = 2, .per = {0, 1}, .n_per = 2});
    check(defs, 5, "0", (question){.first = 5, .per = {0}, .n_per = 1});
    check(defs, 5, "0", (question){.first = 100});
    check(defs, 5, "0", (question){.first = 3, .of = {4}, .n_of = 1});
    check(defs, 5, "0.3", (question){.first = 2, .of = {0}, .n_of = 1, .per = {4}, .n_per = 1});
}

/* Parts that have no room for the ids of a single group, either: it takes several passes. */
static void more_ids_of_a_group_than_fit(void **state)
{
    static const char *const one[] = {"*id=6000", "*row=2"}, *const three[] = {
                                                                 "*group=3", "*id=2500", "*row=2"};

    (void)state;
    check(one, 2, "0", (question){.first = 5000, .of = {0}, .n_of = 1});
    check(three, 3, "0.1", (question){.first = 2000, .of = {1}, .n_of = 1, .per = {0}, .n_per = 1});
}

static void state_that_does_not_fit_is_an_error(void **state)
{
    gen_column columns[2] = {{.name = "g", .type = type_of(TYPE_INT64), .range = 3000000},
                             {.name = "i", .type = type_of(TYPE_INT64), .range = 2}};
    question q = {.gen = {columns, 2, 0, false, 0},
                  .first = 1,
                  .of = {1},
                  .n_of = 1,
                  .per = {0},
                  .n_per = 1,
                  .workers = 2};
    const scan_input in = {"gen", open_gen, &q.gen};
    const batch_shape shape = {65536, 1 << 20, 0, 2, NULL};
    const uint32_t cols[] = {0, 1};
    mem *m = test_mem_open(64 << 20), *small;
    nrw_error err = NRW_ERROR_INIT;
    rows out = {.base.class = &rows_class, .m = m, .data = bytes_init(m, 256 << 20), .n_cols = 0};
    pipeline p = {.limit = -1, .workers = 2, .batches = m};
    source_scan from;
    op_write to = op_write_of(&out.base);
    scan *in_scan;
    arena *a;
    op *o;

    (void)state;
    turn_init(&out.turn);
    assert_ok(mem_child(m, "first", 4 << 20, &small, &err), &err);
    assert_ok(arena_new(m, &a, &err), &err);
    q.memory = 4 << 20;
    assert_ok(scan_open(m, &in, 1, &(scan_options){0}, &in_scan, &err), &err);
    assert_ok(scan_start(in_scan, cols, 2, &shape, m, NULL, &err), &err);
    o = new_first(a, small, &q, NULL, NULL);
    from = source_scan_of(in_scan, 2);
    p.source = &from.base;
    pipeline_add(&p, o);
    pipeline_add(&p, &to.base);
    assert_int_equal(pipeline_run(&p, &err), NRW_E_MEMLIMIT);
    assert_non_null(strstr(err.message, "groups"));
    assert_true(mem_peak(small) <= 4 << 20);
    op_close(o);
    scan_close(in_scan);
    bytes_release(&out.data);
    mem_free_account(small);
    arena_free(a);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(every_key_type),
        cmocka_unit_test(several_columns_none_and_values),
        cmocka_unit_test(more_ids_of_a_group_than_fit),
        cmocka_unit_test(state_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests_name("first", tests, NULL, NULL);
}
