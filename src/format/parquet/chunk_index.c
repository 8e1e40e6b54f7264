/* Vectors from dictionary indices: as runs while runs are long, else as indices. */
#include "format/parquet/chunk_priv.h"

#include "kernel/kernel.h"

/* Runs pay from this many rows a run. */
#define RUN_ROWS 8
/* Before this many runs were met nothing is said about their length. */
#define RUNS_TRIED 64
#define NULL_RUN   UINT32_MAX

static nrw_status out_of_range(const pq_chunk_reader *r, uint32_t index, nrw_error *err)
{
    if (!r->dict.loaded)
        return err_set(err, NRW_E_CORRUPT, "a page of dictionary indices without a dictionary");
    return err_set(err, NRW_E_CORRUPT, "dictionary index %u, the dictionary has %u entries", index,
                   r->dict.n);
}

nrw_status index_read(pq_chunk_reader *r, uint32_t n, uint32_t *dst, nrw_error *err)
{
    page_state *p = r->page;
    uint32_t max;

    if (n == 0)
        return NRW_OK;
    if (!p->index_open)
        return err_set(err, NRW_E_CORRUPT, "the page has no dictionary indices");
    TRY(rle_read(&p->index, n, dst, err));
    if (p->index.width < 32 && (uint64_t)1 << p->index.width <= r->dict.n)
        return NRW_OK;
    max = kernels_get()->max_u32(dst, n);
    return max < r->dict.n ? NRW_OK : out_of_range(r, max, err);
}

nrw_status index_skip(pq_chunk_reader *r, uint64_t n, nrw_error *err)
{
    page_state *p = r->page;
    uint32_t held = p->held_n - p->held_at;

    if (held > n)
        held = (uint32_t)n;
    p->held_at += held;
    n -= held;
    if (n == 0)
        return NRW_OK;
    if (!p->index_open)
        return err_set(err, NRW_E_CORRUPT, "the page has no dictionary indices");
    return rle_skip(&p->index, n, err);
}

/* ---- runs ---- */

static uint32_t *run_ends(const build *b)
{
    return b->r->runs;
}

static uint32_t *run_values(const build *b)
{
    return b->r->runs + b->r->runs_cap;
}

static nrw_status grow_runs(build *b, nrw_error *err)
{
    pq_chunk_reader *r = b->r;
    uint32_t cap = r->runs_cap ? r->runs_cap * 2 : 256;
    void *p;

    TRY(mem_alloc(r->m, (size_t)cap * 2 * sizeof *r->runs, &p, err));
    if (r->runs) {
        memcpy(p, run_ends(b), b->n_runs * sizeof *r->runs);
        memcpy((uint32_t *)p + cap, run_values(b), b->n_runs * sizeof *r->runs);
        mem_free(r->m, r->runs, (size_t)r->runs_cap * 2 * sizeof *r->runs);
    }
    r->runs = p;
    r->runs_cap = cap;
    return NRW_OK;
}

/* `value` is in range, or NULL_RUN. */
static inline nrw_status add_run(build *b, uint32_t value, uint32_t n, nrw_error *err)
{
    if (b->n_runs && run_values(b)[b->n_runs - 1] == value) {
        run_ends(b)[b->n_runs - 1] = b->len += n;
        return NRW_OK;
    }
    if (b->n_runs == b->r->runs_cap)
        TRY(grow_runs(b, err));
    run_ends(b)[b->n_runs] = b->len += n;
    run_values(b)[b->n_runs++] = value;
    return NRW_OK;
}

static bool runs_too_short(const build *b)
{
    return b->cramped || b->n_runs > b->len / RUN_ROWS + RUNS_TRIED;
}

/* Room for as many runs as one step may add; where there is none, indices must do. */
static bool runs_have_room(build *b)
{
    const pq_chunk_reader *r = b->r;

    if (b->n_runs + 64 <= r->runs_cap)
        return true;
    if (r->runs_cap && mem_room(r->m) / 2 < page_keeps_free(&r->pages) / 2 + r->runs_cap * 8)
        b->cramped = true;
    else if (grow_runs(b, NULL) < 0)
        b->cramped = true;
    return !b->cramped;
}

/* The next n values of the page, none of them null; fewer where runs turn out too short. */
static nrw_status add_values(build *b, uint32_t n, uint32_t *took, nrw_error *err)
{
    rle *x = &b->r->page->index;
    uint32_t left = n;

    if (!b->r->page->index_open)
        return err_set(err, NRW_E_CORRUPT, "the page has no dictionary indices");
    while (left && runs_have_room(b) && !runs_too_short(b)) {
        uint32_t k;
        TRY(rle_run(x, err));
        if (!x->packed) {
            k = x->left < left ? (uint32_t)x->left : left;
            if (x->value >= b->r->dict.n) /* also one that looks like NULL_RUN */
                return out_of_range(b->r, x->value, err);
            TRY(add_run(b, x->value, k, err));
            x->left -= k;
        } else {
            uint32_t v[64 + 16], end = 0;
            k = x->left < left ? (uint32_t)x->left : left;
            k = k < 64 ? k : 64;
            TRY(index_read(b->r, k, v, err));
            for (uint32_t i = 0; i < k; i = end) {
                for (end = i + 1; end < k && v[end] == v[i]; end++)
                    ;
                TRY(add_run(b, v[i], end - i, err));
            }
        }
        left -= k;
    }
    *took = n - left;
    return NRW_OK;
}

/* Rows whose levels are mixed: stretches of rows that are there and that are not. */
static nrw_status add_mixed(build *b, const level_span *s, uint32_t *took, nrw_error *err)
{
    uint32_t i = 0, end, k;

    while (i < s->rows && runs_have_room(b) && !runs_too_short(b)) {
        bool there = bit_get(s->bits, s->off + i);
        for (end = i + 1; end < s->rows && bit_get(s->bits, s->off + end) == there; end++)
            ;
        if (there) {
            TRY(add_values(b, end - i, &k, err));
        } else {
            k = end - i;
            TRY(add_run(b, NULL_RUN, k, err));
            b->nulls += k;
        }
        i += k;
    }
    *took = i;
    return NRW_OK;
}

nrw_status build_runs(build *b, uint32_t n, nrw_error *err)
{
    pq_chunk_reader *r = b->r;

    while (n) {
        level_span s;
        uint32_t took = 0;
        if (!runs_have_room(b) || runs_too_short(b)) {
            TRY(build_expand(b, err));
            return build_indices(b, n, err);
        }
        TRY(levels_peek(&r->page->lev, n, &s, err));
        if (s.there == s.rows) {
            TRY(add_values(b, s.rows, &took, err));
        } else if (s.there == 0) {
            TRY(add_run(b, NULL_RUN, s.rows, err));
            b->nulls += s.rows;
            took = s.rows;
        } else {
            TRY(add_mixed(b, &s, &took, err));
        }
        levels_take(&r->page->lev, took);
        r->walk.pos += took;
        n -= took;
    }
    return NRW_OK;
}

nrw_status build_expand(build *b, nrw_error *err)
{
    const kernels *k = kernels_get();
    uint32_t at = 0;
    uint32_t *to;

    TRY(vector_dict(b->m, &b->r->leaf->field.type, b->dict, b->cap, &b->v, err));
    b->form = BUILD_INDEX;
    if (b->nulls)
        TRY(vector_add_validity(&b->v, err));
    to = (uint32_t *)(void *)b->v.data;
    for (uint32_t i = 0; i < b->n_runs; i++) {
        uint32_t n = run_ends(b)[i] - at, value = run_values(b)[i];
        k->fill_4(to + at, value == NULL_RUN ? 0 : value, n);
        if (value == NULL_RUN)
            k->fill_bits(b->v.validity, at, n, false);
        at += n;
    }
    b->n_runs = 0;
    return NRW_OK;
}

nrw_status build_finish_runs(build *b, vector *out, nrw_error *err)
{
    vector values;
    uint32_t *to;

    TRY(vector_dict(b->m, &b->r->leaf->field.type, b->dict, b->n_runs, &values, err));
    values.len = b->n_runs;
    to = (uint32_t *)(void *)values.data;
    memcpy(to, run_values(b), b->n_runs * sizeof *to);
    for (uint32_t i = 0; b->nulls && i < b->n_runs; i++) {
        if (to[i] != NULL_RUN)
            continue;
        if (!values.validity) {
            nrw_status st = vector_add_validity(&values, err);
            if (st < 0) {
                vector_release(&values);
                return st;
            }
        }
        to[i] = 0;
        bit_clear(values.validity, i);
        values.null_count++;
    }
    TRY(vector_runs(b->m, &values, b->len, out, err));
    memcpy(out->data, run_ends(b), b->n_runs * sizeof(uint32_t));
    out->null_count = b->nulls;
    return NRW_OK;
}

/* ---- indices ---- */

nrw_status build_indices(build *b, uint32_t n, nrw_error *err)
{
    pq_chunk_reader *r = b->r;

    while (n) {
        uint32_t *to = (uint32_t *)(void *)b->v.data + b->len;
        level_span s;
        TRY(levels_peek(&r->page->lev, n < 4096 ? n : 4096, &s, err));
        if (s.there == s.rows) {
            TRY(index_read(r, s.rows, to, err));
        } else if (s.there == 0) {
            memset(to, 0, s.rows * sizeof *to);
        } else {
            TRY(convert_room_get(&b->room, &b->room.typed, err));
            TRY(index_read(r, s.there, (uint32_t *)(void *)b->room.typed, err));
            kernels_get()->spread_4(b->room.typed, s.bits, s.off, s.rows, to);
        }
        TRY(build_validity(b, &s, s.rows, s.there, err));
        b->len += s.rows;
        levels_take(&r->page->lev, s.rows);
        r->walk.pos += s.rows;
        n -= s.rows;
    }
    return NRW_OK;
}
