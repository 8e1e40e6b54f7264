/* Left rows of a join that spills: those that may meet somebody, or all, go to their parts with
 * their places in the input. */
#include "exec/join_own.h"

#define TAKE_ROWS 2048u

nrw_status join_left_open(op_build *o, nrw_error *err)
{
    const uint32_t n = o->spec.workers;

    TRY(hash_parts_open(&o->left, &o->left_layout, o->m, o->spill, o->spec.memory / n,
                        o->base.cancel, err));
    TRY(mem_zalloc(o->m, n * sizeof *o->left_rows, (void **)&o->left_rows, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(join_rows_open(&o->left_rows[i], o->m, MEM_NO_LIMIT, err));
    return NRW_OK;
}

void join_left_close(op_build *o)
{
    for (uint32_t i = 0; o->left_rows && i < o->spec.workers; i++)
        join_rows_close(&o->left_rows[i]);
    mem_free(o->m, o->left_rows, o->left_rows ? o->spec.workers * sizeof *o->left_rows : 0);
    o->left_rows = NULL;
    hash_parts_close(&o->left);
}

nrw_status join_left_finish(op_build *o, nrw_error *err)
{
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        TRY(join_rows_flush(&o->left_rows[i], &o->left, err));
        join_rows_empty(&o->left_rows[i]);
    }
    join_filter_close(&o->filter, o->m);
    return NRW_OK;
}

/* Of n left rows from `first` on those that may meet somebody, or all. */
static uint32_t worth_taking(const op_build *o, const meeting *t, uint32_t first, uint32_t n,
                             uint32_t *picked)
{
    uint32_t some = 0;

    for (uint32_t i = first; i < first + n; i++)
        if (join_filter_has(&o->filter, t->hashes[i]))
            picked[some++] = i;
    return some;
}

static nrw_status keep_left(op_build *o, join_rows *w, const meeting *t, const uint32_t *picked,
                            uint32_t n, vector *columns, nrw_error *err)
{
    const uint64_t share = o->spec.memory / o->spec.workers * 3 / 4;
    const uint64_t place = t->b->morsel << 32 | t->b->offset;
    const vector *at[o->spec.n_left + 1];
    uint64_t hashes[TAKE_ROWS];
    uint8_t **made;

    for (uint32_t c = 0; c < o->spec.n_left; c++)
        at[c] = &columns[c];
    for (uint32_t i = 0; i < n; i++)
        hashes[i] = t->hashes[picked[i]];
    if (w->n &&
        mem_used(w->m) + join_rows_need(w, &o->left_layout, columns, o->spec.n_left, n) > share)
        TRY(join_rows_flush(w, &o->left, err));
    TRY(join_rows_add(w, &o->left_layout, at, n, hashes, t->b->m, &made, err));
    for (uint32_t i = 0; i < n; i++)
        store_u64(row_extra(made[i]), place + picked[i]);
    return NRW_OK;
}

static nrw_status take_stretch(op_build *o, join_rows *w, const meeting *t, uint32_t first,
                               uint32_t n, vector *columns, nrw_error *err)
{
    uint32_t picked[TAKE_ROWS], some = worth_taking(o, t, first, n, picked);
    nrw_status st = NRW_OK;

    for (uint32_t c = 0; st >= 0 && some && c < o->spec.n_left; c++)
        st = some == n ? vector_slice(&t->columns[c], first, n, t->b->m, &columns[c], err)
                       : vector_pick(&t->columns[c], picked, some, t->b->m, &columns[c], err);
    if (st >= 0 && some)
        st = keep_left(o, w, t, picked, some, columns, err);
    for (uint32_t c = 0; c < o->spec.n_left; c++) {
        vector_release(&columns[c]);
        columns[c] = (vector){0};
    }
    return st;
}

nrw_status join_left_take(op_build *o, meeting *t, nrw_error *err)
{
    join_rows *w = &o->left_rows[t->b->worker];
    size_t bytes = o->spec.n_left * sizeof(vector) + 1;
    uint32_t some;
    vector *columns;
    nrw_status st = NRW_OK;

    TRY(mem_zalloc(t->b->m, bytes, (void **)&columns, err));
    some = rows_that_fit(&o->left_layout, t->columns, o->spec.n_left,
                         o->spec.memory / o->spec.workers / 8, TAKE_ROWS);
    for (uint32_t at = 0; st >= 0 && at < t->rows; at += some)
        st = take_stretch(o, w, t, at, t->rows - at < some ? t->rows - at : some, columns, err);
    mem_free(t->b->m, columns, bytes);
    return st;
}
