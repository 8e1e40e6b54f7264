/* Rows through a column writer, in any cut and form, parked now and then; and all of these beside
 * each other. */
#ifndef COLUMN_FEED_H
#define COLUMN_FEED_H

#include "column_check.h"

static inline pq_write_options small_options(int version)
{
    return (pq_write_options){.page_bytes = 2048,
                              .page_rows = 300,
                              .dictionary_bytes = 4096,
                              .version = version,
                              .statistics_truncate = 16};
}

static inline pq_column_options by_rule(void)
{
    return (pq_column_options){.encoding = -1, .dictionary = true, .statistics = true};
}

/* How rows are given. */
typedef struct feeding {
    uint32_t cut;
    rows_form form;
    spill *park;       /* park and unpark after some of the vectors */
    uint64_t *encoded; /* by rows given; UINT64_MAX: not known yet */
} feeding;

static inline nrw_status feed_one(pq_column_writer *w, const rows *r, mem *m, dict **d,
                                  const feeding *f, uint32_t first, uint32_t n, chunk_out *out,
                                  nrw_error *err)
{
    uint32_t before = first < 3 ? first : 3, behind = r->n - first - n < 5 ? r->n - first - n : 5;
    vector v;
    nrw_status st = rows_vector(r, m, d, f->form, first - before, before + n + behind, &v, err);

    if (st < 0)
        return st;
    st = pq_column_append(w, &v, before, n, &out->pages, err);
    vector_release(&v);
    return st;
}

static inline nrw_status park_now_and_then(pq_column_writer *w, const feeding *f, nrw_error *err)
{
    if (!f->park || rows_random() % (f->cut == 1 ? 50 : 2))
        return NRW_OK;
    uint64_t encoded = pq_column_encoded(w);
    TRY(pq_column_park(w, f->park, err));
    assert_true(pq_column_memory(w) < 900);
    TRY(pq_column_unpark(w, err));
    assert_int_equal(encoded, pq_column_encoded(w));
    return NRW_OK;
}

static inline nrw_status feed(pq_column_writer *w, const rows *r, mem *m, const feeding *f,
                              chunk_out *out, nrw_error *err)
{
    dict *d = NULL;
    nrw_status st = NRW_OK;

    *out = (chunk_out){.pages.m = m};
    for (uint32_t row = 0; row < r->n && st == NRW_OK; row += f->cut) {
        uint32_t n = r->n - row < f->cut ? r->n - row : f->cut;
        st = feed_one(w, r, m, &d, f, row, n, out, err);
        if (st == NRW_OK && f->encoded) {
            uint64_t *known = &f->encoded[row + n], now = pq_column_encoded(w);
            if (*known != UINT64_MAX)
                assert_int_equal(*known, now);
            *known = now;
        }
        if (st == NRW_OK)
            st = park_now_and_then(w, f, err);
    }
    dict_unref(d);
    if (st == NRW_OK)
        st = pq_column_finish(w, &out->pages, &out->stats, err);
    return st;
}

static inline chunk_out write_rows(const rows *r, mem *m, const pq_write_options *opts,
                                   const pq_column_options *col, const feeding *f)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_column_writer *w;
    pq_wleaf leaf = pq_flat_leaf(&r->f);
    chunk_out out;

    assert_ok(pq_column_writer_new(m, &leaf, opts, col, &w, &err), &err);
    assert_ok(feed(w, r, m, f, &out, &err), &err);
    pq_column_writer_free(w);
    return out;
}

/* All cuts and forms against one that is checked value by value. */
static inline void check_column(const rows *r, mem *m, const pq_write_options *opts,
                                const pq_column_options *col, spill *s)
{
    static const uint32_t cuts[] = {1, 7, 100, 1000, 65536};
    uint64_t *encoded = malloc((r->n + 1) * sizeof *encoded);
    feeding f = {.cut = 65536, .form = ROWS_FLAT, .encoded = encoded};
    chunk_out want;

    memset(encoded, 0xff, (r->n + 1) * sizeof *encoded);
    want = write_rows(r, m, opts, col, &f);
    check_chunk(&want, r, opts, col);
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++)
        for (int form = 0; form < ROWS_FORMS; form++) {
            chunk_out got;
            if (form == ROWS_DICTS && cuts[c] < 100 && r->n_vids > 100)
                continue; /* a large dictionary a row takes long */
#ifdef NARROWS_SANITIZED
            if (cuts[c] == 1 && r->n > 1000)
                continue; /* so many pieces take long there */
#endif
            f.cut = cuts[c];
            f.form = (rows_form)form;
            f.park = form % 2 || cuts[c] == 100 ? s : NULL;
            got = write_rows(r, m, opts, col, &f);
            check_same(&want, &got);
            chunk_release(&got);
        }
    chunk_release(&want);
    free(encoded);
}

typedef struct shape {
    uint32_t n, vids, nulls, run;
} shape;

static const shape shapes[] = {
    {1500, 12, 0, 1},    {1500, 12, 100, 1}, {2000, 40, 30, 60}, {900, 900, 0, 1},
    {1500, 700, 300, 2}, {700, 1, 0, 1},     {700, 3, 1000, 1},  {1300, 650, 10, 3},
    {2500, 9, 500, 400}, {1, 1, 0, 1},       {310, 310, 900, 1},
};

static inline void check_shapes(type t, const pq_write_options *opts, const pq_column_options *col)
{
    mem *m = test_mem_open(MEM_NO_LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    spill *s;

    assert_ok(spill_new(m, NULL, UINT64_MAX, &s, &err), &err);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *h = &shapes[i];
        bool nullable = h->nulls > 0 || i % 2 || t.id == TYPE_NULL;
        rows r = rows_make((field){.name = "c", .type = t, .nullable = nullable}, h->n, h->vids,
                           h->nulls, h->run);
        check_column(&r, m, opts, col, s);
        rows_free(&r);
    }
    assert_int_equal(spill_used(s), 0);
    spill_close(s);
    test_mem_close(m);
}

#endif
