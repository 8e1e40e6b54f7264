#include "exec/join_own.h"

#include "exec/dense.h"
#include "exec/hash_rows.h"

#define REST_ROWS 4096u

static nrw_status room_for(build_worker *w, uint32_t n, nrw_error *err)
{
    uint64_t cap = w->cap ? w->cap : 1024;
    void *p = w->at;

    while (cap < w->n + n)
        cap *= 2;
    if (cap == w->cap)
        return NRW_OK;
    TRY(mem_realloc(w->m, &p, w->cap * sizeof *w->at, cap * sizeof *w->at, err));
    w->at = p;
    w->cap = cap;
    return NRW_OK;
}

/* Keys in one spelling in front of the columns. */
static nrw_status add_keys(const op_build *o, batch *b, vector *columns, vector *keys,
                           const vector **at, uint64_t *hashes, uint32_t rows, nrw_error *err)
{
    memset(hashes, 0, rows * sizeof *hashes);
    for (uint32_t k = 0; k < o->spec.n_keys; k++) {
        TRY(key_canonical(&columns[o->spec.right_keys[k]], b->m, &keys[k], err));
        hash_vector(&keys[k], rows, k > 0, hashes);
        at[k] = &keys[k];
    }
    for (uint32_t c = 0; c < o->spec.n_right; c++)
        at[o->spec.n_keys + c] = &columns[c];
    return NRW_OK;
}

static nrw_status keep(op_build *o, build_worker *w, batch *b, vector *columns, uint32_t rows,
                       nrw_error *err)
{
    uint32_t n_keys = o->spec.n_keys, n_right = o->spec.n_right;
    size_t head = n_keys * sizeof(vector) + (n_keys + n_right) * sizeof(vector *) + 1;
    size_t body = rows * sizeof(uint64_t);
    uint64_t *hashes, ordinal = b->morsel << 32 | b->offset;
    vector *keys;
    const vector **at;
    nrw_status st;

    TRY(room_for(w, rows, err));
    TRY(mem_zalloc(b->m, head, (void **)&keys, err));
    at = (const vector **)(void *)(keys + n_keys);
    TRY_OUT(mem_alloc(b->m, body, (void **)&hashes, err));
    st = add_keys(o, b, columns, keys, at, hashes, rows, err);
    if (st >= 0)
        st = rows_add(&w->rows, &o->layout, at, rows, hashes, b->m, w->at + w->n, err);
    mem_free(b->m, hashes, body);
    for (uint32_t i = 0; st >= 0 && i < rows; i++)
        build_link_of(w->at[w->n + i])->ordinal = ordinal + i;
    if (st >= 0)
        w->n += rows;
out:
    for (uint32_t k = 0; k < n_keys; k++)
        vector_release(&keys[k]);
    mem_free(b->m, keys, head);
    return st;
}

static nrw_status build_push(op *base, batch *b, nrw_error *err)
{
    op_build *o = (op_build *)base;
    build_worker *w = &o->workers[b->worker];
    uint32_t n = o->spec.n_right, rows;
    vector *columns;
    nrw_status st;

    if (batch_alive(b) == 0)
        return NRW_OK;
    TRY(mem_zalloc(b->m, n * sizeof *columns + 1, (void **)&columns, err));
    st = dense_take(b, NULL, n, o->spec.held, columns, err);
    if (st >= 0) {
        rows = n ? columns[0].len : batch_alive(b);
        op_count(base, rows, 0);
        st = keep(o, w, b, columns, rows, err);
    }
    for (uint32_t c = 0; c < n; c++)
        vector_release(&columns[c]);
    mem_free(b->m, columns, n * sizeof *columns + 1);
    if (st == NRW_E_MEMLIMIT) {
        st = err_wrap(err, st, "the right side of a join does not fit: %llu rows so far",
                      (unsigned long long)atomic_load(&base->rows_in));
        err_next(err, "give more --memory, or put the smaller side to the right");
    }
    return st;
}

/* ---- the table ---- */

/* The workers' rows in the order of the input: each worker's are already. */
static nrw_status put_in_order(op_build *o, nrw_error *err)
{
    uint64_t next[o->spec.workers];

    memset(next, 0, sizeof next);
    for (uint32_t i = 0; i < o->spec.workers; i++)
        o->n += o->workers[i].n;
    TRY(mem_alloc(o->m, o->n * sizeof *o->order + 1, (void **)&o->order, err));
    for (uint64_t i = 0; i < o->n; i++) {
        uint32_t best = UINT32_MAX;
        uint64_t least = UINT64_MAX;
        for (uint32_t k = 0; k < o->spec.workers; k++) {
            const build_worker *w = &o->workers[k];
            if (next[k] == w->n)
                continue;
            uint64_t ordinal = build_link_of(w->at[next[k]])->ordinal;
            if (best == UINT32_MAX || ordinal < least) {
                best = k;
                least = ordinal;
            }
        }
        o->order[i] = o->workers[best].at[next[best]++];
    }
    return NRW_OK;
}

static bool meets_nobody(const op_build *o, const uint8_t *row)
{
    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        if (!row_has(&o->layout, row, k) && !o->spec.null_equal[k])
            return true;
    return false;
}

static nrw_status build_finish(op *base, nrw_error *err)
{
    op_build *o = (op_build *)base;

    for (uint32_t i = 0; i < o->spec.workers; i++)
        mem_set_limit(o->workers[i].m, MEM_NO_LIMIT);
    TRY(put_in_order(o, err));
    for (o->n_slots = 1024; o->n_slots < o->n * 2;)
        o->n_slots *= 2;
    if (o->spec.n_keys == 0)
        o->n_slots = 1;
    TRY(mem_zalloc(o->m, o->n_slots * sizeof *o->slots, (void **)&o->slots, err));
    for (uint64_t i = o->n; i-- > 0;) { /* backwards: each slot's list begins with the first */
        uint8_t *row = o->order[i], **slot = &o->slots[row_hash(row) & (o->n_slots - 1)];
        if (meets_nobody(o, row)) {
            o->null_key = true;
            continue;
        }
        build_link_of(row)->next = *slot;
        *slot = row;
    }
    return NRW_OK;
}

/* ---- rows that nobody met ---- */

static op_build *build_of(source *s)
{
    return (op_build *)(void *)((char *)s - offsetof(op_build, rest));
}

/* A morsel is a stretch of the right side. */
static nrw_status rest_next(source *s, batch *b, nrw_error *err)
{
    op_build *o = build_of(s);

    (void)err;
    if (o->rest_at >= o->n)
        return NRW_END;
    b->morsel = o->rest_morsel++;
    o->rest_at += REST_ROWS;
    return NRW_OK;
}

static nrw_status rest_fill(source *s, batch *b, nrw_error *err)
{
    op_build *o = build_of(s);
    uint64_t from = b->source_number * REST_ROWS;
    uint64_t to = from + REST_ROWS < o->n ? from + REST_ROWS : o->n;
    const uint8_t *rows[REST_ROWS];
    uint32_t n = 0, at = 0;
    vector v;

    for (uint64_t i = from; i < to; i++)
        if (!build_was_met(o->order[i]))
            rows[n++] = o->order[i];
    b->rows = n;
    b->last = true;
    for (uint32_t c = 0; n && c < o->spec.n_left; c++) {
        TRY(vector_nulls(b->m, &o->spec.left_types[c], n, &v, err));
        TRY(dense_put(b, at++, &v, err));
    }
    for (uint32_t c = 0; n && c < o->spec.n_right; c++) {
        TRY(rows_column(&o->layout, rows, n, o->spec.n_keys + c, b->m, &v, err));
        TRY(dense_put(b, at++, &v, err));
    }
    return NRW_OK;
}

static const source_class rest_class = {"rest", rest_next, rest_fill, NULL, NULL, NULL, NULL};

/* ---- life ---- */

static void build_close(op *base)
{
    op_build *o = (op_build *)base;

    for (uint32_t i = 0; o->workers && i < o->spec.workers; i++) {
        build_worker *w = &o->workers[i];
        rows_release(&w->rows);
        mem_free(w->m, w->at, w->cap * sizeof *w->at);
        mem_free_account(w->m);
    }
    mem_free(o->m, o->workers, o->spec.workers * sizeof *o->workers);
    mem_free(o->m, o->order, o->order ? o->n * sizeof *o->order + 1 : 0);
    mem_free(o->m, o->slots, o->slots ? o->n_slots * sizeof *o->slots : 0);
    mem_free_account(o->m);
}

static const op_class build_class = {"build", build_push, build_finish, NULL, build_close};

nrw_status op_build_new(arena *a, mem *m, const join_spec *spec, op **out, nrw_error *err)
{
    uint32_t n = spec->n_keys + spec->n_right;
    type *types;
    op_build *o;
    nrw_status st;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_build){.base.class = &build_class, .spec = *spec};
    o->rest = (source){&rest_class, spec->n_left + spec->n_right, false};
    TRY(arena_alloc(a, n * sizeof *types + 1, (void **)&types, err));
    for (uint32_t k = 0; k < spec->n_keys; k++)
        types[k] = spec->right_types[spec->right_keys[k]];
    for (uint32_t c = 0; c < spec->n_right; c++)
        types[spec->n_keys + c] = spec->right_types[c];
    TRY(row_layout_new(a, types, n, sizeof(build_link), &o->layout, err));
    TRY(mem_child(m, "join", spec->memory, &o->m, err));
    TRY_OUT(mem_zalloc(o->m, spec->workers * sizeof *o->workers, (void **)&o->workers, err));
    for (uint32_t i = 0; i < spec->workers; i++) {
        TRY_OUT(mem_child(o->m, "rows of a worker", spec->memory, &o->workers[i].m, err));
        o->workers[i].rows.m = o->workers[i].m;
    }
    *out = &o->base;
    return NRW_OK;
out:
    build_close(&o->base);
    return st;
}

source *op_build_rest(op *build)
{
    return &((op_build *)build)->rest;
}
