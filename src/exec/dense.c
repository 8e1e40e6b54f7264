#include "exec/dense.h"

nrw_status dense_new(const batch *like, uint32_t n, uint32_t rows, batch *out, nrw_error *err)
{
    *out = (batch){.morsel = like->morsel,
                   .offset = like->offset,
                   .last = like->last,
                   .worker = like->worker,
                   .first_row = like->first_row,
                   .rows = rows,
                   .n_cols = n,
                   .m = like->m};
    TRY(mem_zalloc(like->m, n * sizeof *out->cols, (void **)&out->cols, err));
    for (uint32_t c = 0; c < n; c++)
        out->cols[c].state = COLUMN_TAKEN;
    return NRW_OK;
}

nrw_status dense_put(batch *b, uint32_t c, vector *v, nrw_error *err)
{
    void *held;
    nrw_status st = mem_alloc(b->m, sizeof *v, &held, err);

    if (st < 0) {
        vector_release(v);
        return st;
    }
    *(vector *)held = *v;
    *v = (vector){0};
    b->cols[c] = (batch_column){.state = COLUMN_HELD, .tag = c, .held = held};
    return NRW_OK;
}

void dense_free(batch *b, uint32_t n)
{
    batch_release(b);
    mem_free(b->m, b->cols, n * sizeof *b->cols);
}

nrw_status dense_pass_none(op *o, const batch *like, uint32_t n, nrw_error *err)
{
    batch none;
    nrw_status st;

    TRY(dense_new(like, n, 0, &none, err));
    st = op_pass(o, &none, err);
    dense_free(&none, n);
    return st;
}
