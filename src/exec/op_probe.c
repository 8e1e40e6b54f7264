#include "exec/join_own.h"

#include "exec/dense.h"
#include "exec/hash_rows.h"

#define EMIT_ROWS 4096u

/* Left row `row` and the right row it meets; NULL: none. */
typedef struct pair {
    uint8_t *right;
    uint32_t left;
} pair;

typedef struct probe_worker {
    pair *pairs;
    uint32_t n, cap;
    uint64_t morsel;
    uint32_t offset; /* rows of the morsel that have left */
    bool begun;
} probe_worker;

typedef struct op_probe {
    op base;
    mem *m;
    op_build *build;
    uint32_t n_out;
    probe_worker *workers;
} op_probe;

enum { UNMET, MET, OPEN };

/* A batch of the left side that is being met. */
typedef struct meeting {
    op_probe *o;
    op_build *build;
    const join_spec *spec;
    probe_worker *w;
    batch *b;
    uint32_t rows;
    vector *columns; /* of the left side */
    vector *keys;
    uint64_t *hashes;
    uint8_t *met; /* UNMET, MET or OPEN, of each row */
} meeting;

static nrw_status add_pair(meeting *t, uint32_t left, uint8_t *right, nrw_error *err)
{
    probe_worker *w = t->w;

    if (w->n == w->cap) {
        uint32_t cap = w->cap ? w->cap * 2 : EMIT_ROWS;
        void *p = w->pairs;
        TRY(mem_realloc(t->o->m, &p, (size_t)w->cap * sizeof(pair), (size_t)cap * sizeof(pair),
                        err));
        w->pairs = p;
        w->cap = cap;
    }
    w->pairs[w->n++] = (pair){right, left};
    return NRW_OK;
}

/* ---- columns of pairs ---- */

/* Columns of n pairs; only those that `wanted` names, all where it is NULL. Who met nobody is given
 * a right row that has nothing. */
static nrw_status pair_columns(const meeting *t, const pair *p, uint32_t n, const bool *wanted,
                               vector *out, nrw_error *err)
{
    const row_layout *l = &t->build->layout;
    uint32_t n_left = t->spec->n_left, *left;
    uint8_t none[l->fixed];
    const uint8_t **right;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(t->b->m, EMIT_ROWS * sizeof *right, (void **)&right, err));
    left = (uint32_t *)(void *)right; /* one side at a time */
    for (uint32_t i = 0; i < n; i++)
        left[i] = p[i].left;
    for (uint32_t c = 0; st >= 0 && c < n_left; c++)
        if (!wanted || wanted[c])
            st = vector_pick(&t->columns[c], left, n, t->b->m, &out[c], err);
    memset(none, 0, sizeof none);
    for (uint32_t i = 0; i < n; i++)
        right[i] = p[i].right ? p[i].right : none;
    for (uint32_t c = 0; st >= 0 && c < t->spec->n_right; c++)
        if (!wanted || wanted[n_left + c])
            st = rows_column(l, right, n, t->spec->n_keys + c, t->b->m, &out[n_left + c], err);
    mem_free(t->b->m, right, EMIT_ROWS * sizeof *right);
    return st;
}

/* ---- the condition ---- */

static void want(void *self, uint32_t column)
{
    ((bool *)self)[column] = true;
}

/* The condition of n pairs. */
static nrw_status test_pairs(const meeting *t, const pair *p, uint32_t n, vector *out,
                             nrw_error *err)
{
    uint32_t all = t->spec->n_left + t->spec->n_right;
    size_t bytes = all * (sizeof(vector) + sizeof(vector *) + 1) + 1;
    vector *columns, whole = {0};
    const vector **at;
    bool *wanted;
    nrw_status st;

    TRY(mem_zalloc(t->b->m, bytes, (void **)&columns, err));
    at = (const vector **)(void *)(columns + all);
    wanted = (bool *)(at + all);
    expr_columns(t->spec->condition, want, wanted);
    st = pair_columns(t, p, n, wanted, columns, err);
    for (uint32_t c = 0; c < all; c++)
        at[c] = wanted[c] ? &columns[c] : NULL;
    if (st >= 0)
        st = expr_eval(t->spec->condition, at, n, t->b->m, &whole, err);
    if (st >= 0)
        st = vector_flatten(&whole, t->b->m, out, err);
    vector_release(&whole);
    for (uint32_t c = 0; c < all; c++)
        vector_release(&columns[c]);
    mem_free(t->b->m, columns, bytes);
    return st;
}

/* Drops pairs for which the condition is not true. Where it is null the left row has not met, but
 * is not known to have met nobody. */
static nrw_status keep_true(meeting *t, nrw_error *err)
{
    probe_worker *w = t->w;
    uint32_t kept = 0;

    if (!t->spec->condition || w->n == 0)
        return NRW_OK;
    for (uint32_t at = 0; at < w->n; at += EMIT_ROWS) {
        uint32_t n = w->n - at < EMIT_ROWS ? w->n - at : EMIT_ROWS;
        vector v;
        TRY(test_pairs(t, w->pairs + at, n, &v, err));
        for (uint32_t i = 0; i < n; i++) {
            pair p = w->pairs[at + i];
            bool null = !vector_is_valid(&v, i);
            if (null && t->met[p.left] == UNMET)
                t->met[p.left] = OPEN;
            if (!null && v.data[i])
                w->pairs[kept++] = p;
        }
        vector_release(&v);
    }
    w->n = kept;
    return NRW_OK;
}

/* ---- what leaves ---- */

static nrw_status emit(meeting *t, const pair *p, uint32_t n, nrw_error *err)
{
    uint32_t n_out = t->o->n_out;
    vector *columns;
    batch out;
    nrw_status st;

    TRY(dense_new(t->b, n_out, n, &out, err));
    out.last = false;
    out.offset = t->w->offset;
    st = mem_zalloc(t->b->m, n_out * sizeof *columns + 1, (void **)&columns, err);
    if (st >= 0) {
        st = pair_columns(t, p, n, NULL, columns, err);
        for (uint32_t c = 0; c < n_out; c++)
            if (st >= 0)
                st = dense_put(&out, c, &columns[c], err);
            else
                vector_release(&columns[c]);
        mem_free(t->b->m, columns, n_out * sizeof *columns + 1);
    }
    t->w->offset += n;
    if (st >= 0)
        st = op_pass(&t->o->base, &out, err);
    dense_free(&out, n_out);
    return st;
}

static bool keeps_left(join_kind k)
{
    return k == JOIN_LEFT || k == JOIN_FULL || k == JOIN_SINGLE;
}

static bool gives_pairs(join_kind k)
{
    return k != JOIN_SEMI && k != JOIN_ANTI && k != JOIN_MARK;
}

/* Pairs of the left rows [from, to), with those that met nobody between them. */
static nrw_status emit_with_left(meeting *t, uint32_t from, uint32_t to, nrw_error *err)
{
    probe_worker *w = t->w;
    pair some[256];
    uint32_t n = 0, at = 0;

    for (uint32_t i = from; i < to; i++) {
        uint32_t before = at;
        for (; at < w->n && w->pairs[at].left == i; at++) {
            if (t->spec->kind == JOIN_SINGLE && at > before)
                return err_set(err, NRW_E_ARG,
                               "a subquery that stands for one value gave more "
                               "than one row");
            some[n++] = w->pairs[at];
            if (n == 256) {
                TRY(emit(t, some, n, err));
                n = 0;
            }
        }
        if (at == before)
            some[n++] = (pair){NULL, i};
        if (n == 256) {
            TRY(emit(t, some, n, err));
            n = 0;
        }
    }
    return n ? emit(t, some, n, err) : NRW_OK;
}

/* The pairs found so far, of the left rows [from, to), are all there is of these rows. */
static nrw_status settle(meeting *t, uint32_t from, uint32_t to, nrw_error *err)
{
    probe_worker *w = t->w;

    TRY(keep_true(t, err));
    for (uint32_t i = 0; i < w->n; i++) {
        t->met[w->pairs[i].left] = MET;
        build_meet(w->pairs[i].right);
    }
    if (keeps_left(t->spec->kind))
        TRY(emit_with_left(t, from, to, err));
    else if (gives_pairs(t->spec->kind))
        for (uint32_t at = 0; at < w->n; at += EMIT_ROWS)
            TRY(emit(t, w->pairs + at, w->n - at < EMIT_ROWS ? w->n - at : EMIT_ROWS, err));
    w->n = 0;
    return NRW_OK;
}

/* ---- meeting ---- */

static bool key_is(const meeting *t, const uint8_t *row, uint32_t i)
{
    const row_layout *l = &t->build->layout;

    for (uint32_t k = 0; k < t->spec->n_keys; k++) {
        const vector *v = &t->keys[k];
        bool here = vector_is_valid(v, i);
        span mine, theirs;
        if (here != row_has(l, row, k))
            return false;
        if (!here)
            continue;
        mine = flat_span(v, i);
        theirs = row_value(l, row, k);
        if (mine.len != theirs.len || memcmp(mine.data, theirs.data, mine.len) != 0)
            return false;
    }
    return true;
}

static bool has_null_key(const meeting *t, uint32_t i)
{
    for (uint32_t k = 0; k < t->spec->n_keys; k++)
        if (!vector_is_valid(&t->keys[k], i) && !t->spec->null_equal[k])
            return true;
    return false;
}

static nrw_status meet_rows(meeting *t, nrw_error *err)
{
    const op_build *build = t->build;
    bool one = !gives_pairs(t->spec->kind) && !t->spec->condition;
    uint32_t from = 0;

    for (uint32_t i = 0; i < t->rows; i++) {
        uint8_t *row = build->slots[t->hashes[i] & (build->n_slots - 1)];
        if (!has_null_key(t, i))
            for (; row; row = build_link_of(row)->next) {
                if (row_hash(row) != t->hashes[i] || !key_is(t, row, i))
                    continue;
                TRY(add_pair(t, i, row, err));
                if (one)
                    break;
            }
        if (t->w->n >= EMIT_ROWS) {
            TRY(settle(t, from, i + 1, err));
            from = i + 1;
        }
    }
    return settle(t, from, t->rows, err);
}

/* Whether a null leaves it open if row i has a match: a null that was compared, or a key that is
 * null, on whichever side. */
static bool is_open(const meeting *t, uint32_t i)
{
    if (!t->spec->in_nulls || t->met[i] == MET)
        return false;
    if (t->spec->condition)
        return t->met[i] == OPEN;
    return t->build->n > 0 && (t->build->null_key || has_null_key(t, i));
}

/* SEMI, ANTI: the left rows that stay, MARK: all with what was found. */
static nrw_status emit_left(meeting *t, nrw_error *err)
{
    bool mark = t->spec->kind == JOIN_MARK, want_met = t->spec->kind == JOIN_SEMI;
    const type boolean = type_of(TYPE_BOOL);
    uint32_t n = 0, n_left = t->spec->n_left;
    uint16_t *sel;
    batch out;
    vector v;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(t->b->m, t->rows * sizeof *sel + 1, (void **)&sel, err));
    for (uint32_t i = 0; i < t->rows; i++)
        if (mark || (t->met[i] == MET) == want_met)
            sel[n++] = (uint16_t)i;
    if (n)
        st = dense_new(t->b, t->o->n_out, n, &out, err);
    if (n == 0 || st < 0) {
        mem_free(t->b->m, sel, t->rows * sizeof *sel + 1);
        return st;
    }
    out.last = false;
    out.offset = t->w->offset;
    t->w->offset += n;
    for (uint32_t c = 0; st >= 0 && c < n_left; c++) {
        st = n == t->rows ? vector_share(&t->columns[c], &v, err)
                          : vector_take(&t->columns[c], sel, n, t->b->m, &v, err);
        if (st >= 0)
            st = dense_put(&out, c, &v, err);
    }
    mem_free(t->b->m, sel, t->rows * sizeof *sel + 1);
    if (st >= 0 && mark) {
        st = vector_flat(t->b->m, &boolean, n, &v, err);
        if (st >= 0)
            st = vector_add_validity(&v, err);
        v.len = n;
        for (uint32_t i = 0; st >= 0 && i < n; i++) {
            bool open = is_open(t, i);
            v.data[i] = t->met[i] == MET;
            if (open)
                bit_clear(v.validity, i);
            v.null_count += open;
        }
        if (st >= 0)
            st = dense_put(&out, n_left, &v, err);
    }
    if (st >= 0)
        st = op_pass(&t->o->base, &out, err);
    dense_free(&out, t->o->n_out);
    return st;
}

static nrw_status find_keys(meeting *t, nrw_error *err)
{
    memset(t->hashes, 0, t->rows * sizeof *t->hashes);
    for (uint32_t k = 0; k < t->spec->n_keys; k++) {
        vector canonical;
        nrw_status st;
        TRY(key_canonical(&t->columns[t->spec->left_keys[k]], t->b->m, &canonical, err));
        hash_vector(&canonical, t->rows, k > 0, t->hashes);
        st = vector_flatten(&canonical, t->b->m, &t->keys[k], err);
        vector_release(&canonical);
        TRY(st);
    }
    return NRW_OK;
}

static nrw_status meet(meeting *t, nrw_error *err)
{
    TRY(find_keys(t, err));
    TRY(meet_rows(t, err));
    return gives_pairs(t->spec->kind) ? NRW_OK : emit_left(t, err);
}

static nrw_status end_morsel(op_probe *o, batch *b, nrw_error *err)
{
    batch none;
    nrw_status st;

    TRY(dense_new(b, o->n_out, 0, &none, err));
    none.last = true;
    none.offset = o->workers[b->worker].offset;
    st = op_pass(&o->base, &none, err);
    dense_free(&none, o->n_out);
    return st;
}

static nrw_status probe_push(op *base, batch *b, nrw_error *err)
{
    op_probe *o = (op_probe *)base;
    const join_spec *spec = &o->build->spec;
    meeting t = {.o = o, .build = o->build, .spec = spec, .w = &o->workers[b->worker], .b = b};
    size_t head = (spec->n_left + spec->n_keys) * sizeof(vector) + 1, body;
    nrw_status st;

    if (!t.w->begun || t.w->morsel != b->morsel) {
        t.w->begun = true;
        t.w->morsel = b->morsel;
        t.w->offset = 0;
    }
    if (batch_alive(b) == 0)
        return b->last ? end_morsel(o, b, err) : NRW_OK;
    TRY(mem_zalloc(b->m, head, (void **)&t.columns, err));
    t.keys = t.columns + spec->n_left;
    TRY_OUT(dense_take(b, NULL, spec->n_left, spec->held, t.columns, err));
    t.rows = spec->n_left ? t.columns[0].len : batch_alive(b);
    op_count(base, t.rows, 0);
    body = t.rows * (sizeof *t.hashes + 1);
    TRY_OUT(mem_zalloc(b->m, body, (void **)&t.hashes, err));
    t.met = (uint8_t *)(t.hashes + t.rows);
    st = meet(&t, err);
    mem_free(b->m, t.hashes, body);
out:
    for (uint32_t c = 0; c < spec->n_left + spec->n_keys; c++)
        vector_release(&t.columns[c]);
    mem_free(b->m, t.columns, head);
    return st >= 0 && b->last ? end_morsel(o, b, err) : st;
}

static void probe_close(op *base)
{
    op_probe *o = (op_probe *)base;
    uint32_t n = o->build->spec.workers;

    for (uint32_t i = 0; o->workers && i < n; i++)
        mem_free(o->m, o->workers[i].pairs, (size_t)o->workers[i].cap * sizeof(pair));
    mem_free(o->m, o->workers, n * sizeof *o->workers);
}

static const op_class probe_class = {"probe", probe_push, NULL, NULL, probe_close};

nrw_status op_probe_new(arena *a, mem *m, op *build, op **out, nrw_error *err)
{
    op_build *b = (op_build *)build;
    op_probe *o;

    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_probe){.base.class = &probe_class, .m = m, .build = b};
    o->n_out = gives_pairs(b->spec.kind) ? b->spec.n_left + b->spec.n_right : b->spec.n_left;
    o->n_out += b->spec.kind == JOIN_MARK;
    TRY(mem_zalloc(m, b->spec.workers * sizeof *o->workers, (void **)&o->workers, err));
    *out = &o->base;
    return NRW_OK;
}
