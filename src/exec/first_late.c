#include "exec/dense.h"
#include "exec/first_own.h"

static uint32_t n_keys(const first_spec *s)
{
    return s->n_per + s->n_of;
}

static uint32_t key_column(const first_spec *s, uint32_t i)
{
    return i < s->n_per ? s->per[i] : s->of[i - s->n_per];
}

/* ---- rows come ---- */

/* Some late rows of a batch, by their keys. */
typedef struct asking {
    uint16_t sel[FIRST_KEYS];
    uint32_t taken[FIRST_KEYS];
    uint32_t n;
    vector *cols;
    const vector **at;
} asking;

static nrw_status ask_column(first_late *l, batch *b, uint32_t c, const asking *k, vector *out,
                             nrw_error *err)
{
    const vector *all;
    vector some;
    nrw_status st;

    TRY(batch_hold(b, c, SIZE_MAX, &all, err));
    TRY(vector_take(all, k->sel, k->n, l->m, &some, err));
    st = vector_expand(&some, l->m, out, err);
    vector_release(&some);
    return st;
}

static nrw_status ask_some(first_late *l, batch *b, asking *k, nrw_error *err)
{
    const uint32_t n = n_keys(&l->of->spec);
    nrw_status st = NRW_OK;

    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        st = ask_column(l, b, key_column(&l->of->spec, i), k, &k->cols[i], err);
        k->at[i] = &k->cols[i];
    }
    if (st >= 0)
        st = first_keys_put(&l->keys, k->at, k->n, k->taken, err);
    for (uint32_t i = 0; i < n; i++)
        vector_release(&k->cols[i]);
    k->n = 0;
    return st;
}

static nrw_status ask_all(first_late *l, batch *b, const picking *p, asking *k, nrw_error *err)
{
    for (uint32_t i = 0; i < p->n; i++) {
        const uint32_t row = p->out[i];
        if (!bit_get(p->late, row))
            continue;
        k->sel[k->n] = (uint16_t)row;
        k->taken[k->n++] = p->taken ? p->taken[row] : 0;
        if (k->n == FIRST_KEYS)
            TRY(ask_some(l, b, k, err));
    }
    return k->n ? ask_some(l, b, k, err) : NRW_OK;
}

nrw_status first_late_ask(first_late *l, batch *b, const picking *p, uint64_t *number,
                          nrw_error *err)
{
    const uint32_t n = n_keys(&l->of->spec);
    const size_t bytes = sizeof(asking) + n * (sizeof(vector) + sizeof(vector *));
    asking *k;
    nrw_status st;

    *number = l->n;
    l->n += p->n;
    if (!p->late)
        return NRW_OK;
    TRY(mem_zalloc(l->m, bytes, (void **)&k, err));
    k->cols = (vector *)(k + 1);
    k->at = (const vector **)(void *)(k->cols + n);
    st = ask_all(l, b, p, k, err);
    mem_free(l->m, k, bytes);
    return st;
}

nrw_status first_late_take(first_late *l, batch *b, const uint8_t *late, uint64_t number,
                           nrw_error *err)
{
    const uint32_t n = l->of->spec.n_columns;
    vector *all;
    nrw_status st;

    if (batch_alive(b) == 0) {
        for (uint32_t c = 0; c < b->n_cols; c++)
            batch_drop(b, c);
        return NRW_OK;
    }
    TRY(mem_zalloc(b->m, n * sizeof *all, (void **)&all, err));
    st = batch_take(b, NULL, n, l->of->spec.held, all, err);
    if (st >= 0)
        st = first_wait_put(&l->waits[b->worker], all, number, b->sel, late, b->m, err);
    for (uint32_t c = 0; c < n; c++)
        vector_release(&all[c]);
    mem_free(b->m, all, n * sizeof *all);
    return st;
}

/* ---- rows leave ---- */

static first_late *late_of(source *s)
{
    return (first_late *)(void *)((char *)s - offsetof(first_late, source));
}

/* All have come: what is not written yet is, which gives memory back for what follows. */
static nrw_status all_came(first_late *l, nrw_error *err)
{
    for (uint32_t i = 0; i < l->of->spec.workers; i++)
        TRY(first_wait_end(&l->waits[i], err));
    TRY(first_late_decide(l, err));
    for (uint32_t i = 0; i < l->of->spec.workers; i++)
        TRY(first_wait_begin(&l->waits[i], err));
    return NRW_OK;
}

/* The worker whose row is next, and where that of another one is. NULL: there is none. */
static first_wait *next_wait(first_late *l, uint64_t *end)
{
    first_wait *best = NULL;

    *end = UINT64_MAX;
    for (uint32_t i = 0; i < l->of->spec.workers; i++) {
        first_wait *w = &l->waits[i];
        if (!w->row)
            continue;
        if (!best || w->number < best->number) {
            *end = best ? best->number : *end;
            best = w;
        } else if (w->number < *end) {
            *end = w->number;
        }
    }
    return best;
}

static nrw_status leave_row(first_late *l, first_leaving *to, first_wait *w, nrw_error *err)
{
    const first_spec *f = &l->of->spec;
    bool stays = true;
    uint64_t hash;
    uint8_t *copy;

    if (w->late) {
        TRY(first_wait_hash(w, f->per, f->n_per, l->m, &hash, err));
        TRY(first_answers_next(&l->answers, first_part_of(hash), &stays, err));
    }
    if (!stays)
        return NRW_OK;
    TRY(rows_new(&to->rows, row_bytes(w->row), &copy, err));
    memcpy(copy, w->row, row_bytes(w->row));
    to->at[to->n++] = copy;
    return NRW_OK;
}

static nrw_status leave_rows(first_late *l, first_leaving *to, nrw_error *err)
{
    const uint64_t most = rows_bytes_at_once(&l->layout, ROWS_BLOCK - ROWS_BLOCK / 4);
    first_wait *w;
    uint64_t end;

    rows_clear(&to->rows);
    if (!to->at)
        TRY(mem_alloc(l->m, FIRST_LEAVE_ROWS * sizeof *to->at, (void **)&to->at, err));
    for (to->n = 0; (w = next_wait(l, &end));) {
        while (w->row && w->number < end) {
            if (to->n == FIRST_LEAVE_ROWS || to->rows.bytes >= most)
                return NRW_OK;
            TRY(leave_row(l, to, w, err));
            TRY(first_wait_next(w, err));
        }
        TRY(op_check(&l->of->base, err));
    }
    return NRW_OK;
}

static nrw_status rest_next(source *s, batch *b, nrw_error *err)
{
    first_late *l = late_of(s);

    if (l->n == 0)
        return NRW_END;
    if (!l->decided)
        TRY(all_came(l, err));
    l->decided = true;
    TRY(leave_rows(l, &l->leaving[b->worker], err));
    if (l->leaving[b->worker].n == 0)
        return NRW_END;
    b->morsel = l->morsel++;
    return NRW_OK;
}

static nrw_status rest_fill(source *s, batch *b, nrw_error *err)
{
    first_late *l = late_of(s);
    const first_leaving *of = &l->leaving[b->worker];
    vector v;

    b->rows = of->n;
    b->last = true;
    for (uint32_t c = 0; c < l->layout.n; c++) {
        TRY(rows_column(&l->layout, (const uint8_t *const *)of->at, of->n, c, b->m, &v, err));
        TRY(dense_put(b, c, &v, err));
    }
    return NRW_OK;
}

static const source_class rest_class = {
    "first, late rows", rest_next, rest_fill, NULL, NULL, NULL, NULL, false};

source *op_first_rest(op *o)
{
    return &((op_first *)o)->late.source;
}

/* ---- life ---- */

/* Groups come first in batches of keys, then ids. */
static nrw_status open_keys(arena *a, first_late *l, spill *s, nrw_error *err)
{
    const first_spec *f = &l->of->spec;
    const uint32_t n = n_keys(f);
    uint32_t *columns;
    row_layout layout;
    type *types;

    TRY(arena_alloc(a, n * sizeof *columns + 1, (void **)&columns, err));
    TRY(arena_alloc(a, n * sizeof *types + 1, (void **)&types, err));
    for (uint32_t i = 0; i < n; i++) {
        columns[i] = i;
        types[i] = f->types[key_column(f, i)];
    }
    TRY(row_layout_new(a, types, n, 0, &layout, err));
    l->keys = first_keys_of(&layout, f->n_per, first_late_keys(f->late, f->workers), l->m, s);
    l->asked = *f;
    l->asked.per = columns;
    l->asked.of = columns + f->n_per;
    l->asked.n_columns = n;
    return NRW_OK;
}

static nrw_status open_workers(first_late *l, spill *s, nrw_error *err)
{
    const uint32_t n = l->of->spec.workers;

    TRY(mem_alloc(l->m, n * sizeof *l->waits, (void **)&l->waits, err));
    for (uint32_t i = 0; i < n; i++)
        l->waits[i] = first_wait_of(&l->layout, l->m, s);
    TRY(mem_zalloc(l->m, n * sizeof *l->leaving, (void **)&l->leaving, err));
    for (uint32_t i = 0; i < n; i++)
        l->leaving[i].rows.m = l->m;
    return NRW_OK;
}

nrw_status first_late_open(arena *a, op_first *o, spill *s, nrw_error *err)
{
    const first_spec *f = &o->spec;
    first_late *l = &o->late;

    *l = (first_late){.of = o, .source = {&rest_class, f->n_columns, false}};
    if (!f->late)
        return NRW_OK;
    TRY(mem_child(o->m, "rows that wait", f->late, &l->m, err));
    TRY(row_layout_new(a, f->types, f->n_columns, 0, &l->layout, err));
    TRY(open_keys(a, l, s, err));
    if (f->n_of)
        TRY(mem_alloc(l->m, BATCH_MAX_ROWS * sizeof *l->taken, (void **)&l->taken, err));
    return open_workers(l, s, err);
}

void first_late_close(first_late *l)
{
    const uint32_t n = l->of ? l->of->spec.workers : 0;

    if (!l->m)
        return;
    for (uint32_t i = 0; l->waits && i < n; i++)
        first_wait_release(&l->waits[i]);
    for (uint32_t i = 0; l->leaving && i < n; i++) {
        rows_release(&l->leaving[i].rows);
        mem_free(l->m, l->leaving[i].at,
                 l->leaving[i].at ? FIRST_LEAVE_ROWS * sizeof *l->leaving[i].at : 0);
    }
    mem_free(l->m, l->waits, l->waits ? n * sizeof *l->waits : 0);
    mem_free(l->m, l->leaving, l->leaving ? n * sizeof *l->leaving : 0);
    mem_free(l->m, l->taken, l->taken ? BATCH_MAX_ROWS * sizeof *l->taken : 0);
    if (l->keys.m)
        first_keys_release(&l->keys);
    if (l->marks.m)
        first_marks_release(&l->marks);
    if (l->answers.m)
        first_answers_release(&l->answers);
    mem_free_account(l->m);
    l->m = NULL;
}
