#include "exec/dense.h"
#include "exec/sort_own.h"

static nrw_status sort_push(op *base, batch *b, nrw_error *err)
{
    op_sort *o = (op_sort *)base;

    return batch_alive(b) == 0 || o->spec.limit == 0 ? NRW_OK : sort_take(o, b, err);
}

/* ---- runs are merged ---- */

/* More runs than can be open at once: the first n become one. */
static nrw_status merge_some(op_sort *o, uint32_t n, nrw_error *err)
{
    run_writer out = sort_run_writer(o);
    sort_run whole = {0};
    sort_merge g = {0};
    uint8_t *row = NULL;
    nrw_status st;

    TRY_OUT(sort_merge_open(&g, &o->layout, o->m, o->spill, o->runs, n, err));
    for (uint64_t i = 0; (st = sort_merge_next(&g, &row, err)) == NRW_OK; i++) {
        TRY_OUT(run_writer_put(&out, row, err));
        if (i % SORT_LEAVE_ROWS == 0)
            TRY_OUT(op_check(&o->base, err));
    }
    if (st == NRW_END)
        st = run_writer_end(&out, &whole, err);
out:
    sort_merge_close(&g);
    run_writer_release(&out);
    if (st < 0)
        return st;
    memmove(o->runs, o->runs + n, (o->n_runs - n) * sizeof *o->runs);
    o->n_runs -= n;
    o->runs[o->n_runs++] = whole;
    return NRW_OK;
}

/* What w has is a run; where others are in the spill file, this one and all it had for rows goes
 * there, too. */
static nrw_status end_worker(op_sort *o, sort_worker *w, bool spilled, nrw_error *err)
{
    mem_set_limit(w->m, MEM_NO_LIMIT);
    if (w->n)
        TRY(spilled ? sort_spill_run(o, w, err) : sort_keep_run(o, w, err));
    if (!spilled)
        return NRW_OK;
    run_writer_release(&w->out);
    rows_release(&w->rows);
    mem_free(w->m, w->entries, w->cap * sizeof *w->entries);
    w->entries = NULL;
    w->cap = w->n = 0;
    return NRW_OK;
}

static nrw_status sort_finish(op *base, nrw_error *err)
{
    op_sort *o = (op_sort *)base;
    const uint32_t fan = sort_fan(o->spec.merging);
    const bool spilled = o->n_runs > 0;

    sort_best_free(o->best);
    o->best = NULL;
    for (uint32_t i = 0; i < o->spec.workers; i++)
        TRY(end_worker(o, &o->workers[i], spilled, err));
    TRY(op_check(base, err));
    if (mem_limit(o->m) < o->spec.merging / 2 * 3)
        mem_set_limit(o->m, o->spec.merging / 2 * 3);
    while (spilled && o->n_runs > fan)
        TRY(merge_some(o, sort_merged(o->n_runs, fan), err));
    o->merging = true;
    return sort_merge_open(&o->merge, &o->layout, o->m, o->spill, o->runs, o->n_runs, err);
}

/* ---- rows leave ---- */

static op_sort *sort_of(source *s)
{
    return (op_sort *)(void *)((char *)s - offsetof(op_sort, source));
}

/* Takes the rows of a morsel out of the merge, as copies. */
static nrw_status source_next(source *s, batch *b, nrw_error *err)
{
    op_sort *o = sort_of(s);
    sort_worker *w = &o->workers[b->worker];
    const uint64_t most =
        rows_bytes_at_once(&o->layout, sort_leave_bytes(o->spec.memory, o->spec.workers));
    nrw_status st = NRW_OK;

    rows_clear(&w->leaving);
    if (!w->left)
        TRY(mem_alloc(w->m, SORT_LEAVE_ROWS * sizeof *w->left, (void **)&w->left, err));
    for (w->n_left = 0; w->n_left < SORT_LEAVE_ROWS && o->gone < o->spec.limit; o->gone++) {
        uint8_t *copy;
        if (w->leaving.bytes > most)
            break;
        st = sort_merge_next(&o->merge, &o->row, err);
        if (st != NRW_OK)
            break;
        TRY(rows_new(&w->leaving, row_bytes(o->row), &copy, err));
        memcpy(copy, o->row, row_bytes(o->row));
        w->left[w->n_left++] = copy;
    }
    if (st < 0)
        return st;
    if (w->n_left == 0)
        return NRW_END;
    b->morsel = o->morsel++;
    return NRW_OK;
}

static nrw_status source_fill(source *s, batch *b, nrw_error *err)
{
    op_sort *o = sort_of(s);
    sort_worker *w = &o->workers[b->worker];
    vector v;

    b->rows = w->n_left;
    b->last = true;
    for (uint32_t c = 0; c < sort_columns(o); c++) {
        TRY(rows_column(&o->layout, (const uint8_t *const *)w->left, w->n_left, c + 1, b->m, &v,
                        err));
        TRY(dense_put(b, c, &v, err));
    }
    return NRW_OK;
}

static const source_class sort_source_class = {"sort", source_next, source_fill, NULL,
                                               NULL,   NULL,        NULL};

/* ---- life ---- */

static void sort_close(op *base)
{
    op_sort *o = (op_sort *)base;

    if (o->merging)
        sort_merge_close(&o->merge);
    sort_best_free(o->best);
    for (uint32_t i = 0; i < o->n_runs; i++)
        sort_run_free(&o->runs[i], o->spill);
    mem_free(o->m, o->runs, o->cap_runs * sizeof *o->runs);
    for (uint32_t i = 0; o->workers && i < o->spec.workers; i++) {
        sort_worker *w = &o->workers[i];
        rows_release(&w->rows);
        rows_release(&w->leaving);
        bytes_release(&w->keys);
        run_writer_release(&w->out);
        bytes_release(&w->last);
        mem_free(w->m, w->entries, w->cap * sizeof *w->entries);
        mem_free(w->m, w->left, w->left ? SORT_LEAVE_ROWS * sizeof *w->left : 0);
        mem_free_account(w->m);
    }
    mem_free(o->m, o->workers, o->spec.workers * sizeof *o->workers);
    pthread_mutex_destroy(&o->lock);
    mem_free_account(o->m);
}

static const op_class sort_class = {"sort", sort_push, sort_finish, NULL, sort_close};

nrw_status op_sort_new(arena *a, mem *m, const sort_spec *spec, spill *s, op **out, nrw_error *err)
{
    sort_key_parts *key;
    type *types;
    op_sort *o;
    nrw_status st;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *o, (void **)&o, err));
    *o = (op_sort){
        .base = {.class = &sort_class, .cancel = spec->cancel}, .spec = *spec, .spill = s};
    o->source = (source){&sort_source_class, sort_columns(o), false};
    TRY(arena_alloc(a, (sort_columns(o) + 1) * sizeof *types, (void **)&types, err));
    types[0] = type_of(TYPE_BINARY);
    for (uint32_t c = 0; c < sort_columns(o); c++)
        types[c + 1] = spec->types[c];
    TRY(row_layout_new(a, types, sort_columns(o) + 1, 0, &o->layout, err));
    TRY(sort_key_parts_new(a, spec->types, spec->orders, spec->n_orders, 1, sort_columns(o) + 1,
                           &key, err));
    key->place = !spec->unique;
    o->layout.key = key;
    pthread_mutex_init(&o->lock, NULL);
    TRY(mem_child(m, "sort", spec->memory, &o->m, err));
    TRY_OUT(mem_zalloc(o->m, spec->workers * sizeof *o->workers, (void **)&o->workers, err));
    for (uint32_t i = 0; i < spec->workers; i++) {
        sort_worker *w = &o->workers[i];
        TRY_OUT(mem_child(o->m, "rows of a worker", sort_account(spec->memory, spec->workers),
                          &w->m, err));
        w->rows.m = w->leaving.m = w->m;
        w->keys = w->last = bytes_init(w->m, UINT32_MAX);
        w->out = sort_run_writer(o);
    }
    if (!o->spec.unique) /* keys end with ordinals */
        TRY_OUT(sort_best_new(m, o->spec.types, o->spec.orders, o->spec.n_alike, o->spec.each,
                              o->spec.beside, &o->best, err));
    *out = &o->base;
    return NRW_OK;
out:
    sort_close(&o->base);
    return st;
}

source *op_sort_source(op *o)
{
    return &((op_sort *)o)->source;
}
