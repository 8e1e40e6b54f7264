/* Batches that are cut short, and what was read behind the cut. */
#include "column/batch_own.h"

bool batch_is_lazy(const batch *b)
{
    for (uint32_t c = 0; c < b->n_cols; c++)
        if (b->cols[c].state != COLUMN_LAZY || b->cols[c].ahead)
            return false;
    return true;
}

bool batch_may_cut(const batch *b)
{
    if (b->fixed || !b->source || b->n_behind == BATCH_CUTS)
        return false;
    for (uint32_t c = 0; c < b->n_cols; c++)
        if (b->cols[c].state == COLUMN_TAKEN)
            return false;
    return true;
}

static void drop_ahead(batch *b, batch_column *col)
{
    if (!col->ahead)
        return;
    vector_release(&col->ahead->v);
    mem_free(b->m, col->ahead, sizeof *col->ahead);
    col->ahead = NULL;
}

void batch_forget_ahead(batch *b)
{
    for (uint32_t c = 0; c < b->n_cols; c++)
        drop_ahead(b, &b->cols[c]);
    b->n_behind = 0;
}

/* v, of all rows or of those alive, is read ahead but for its first n values, which it becomes. */
static nrw_status keep_ahead(batch *b, batch_column *col, bool alive, uint32_t n, vector *v,
                             nrw_error *err)
{
    void *p;

    if (col->ahead) { /* it has all of them */
        vector_release(v);
        return vector_slice(&col->ahead->v, col->ahead->at, n, b->m, v, err);
    }
    TRY(mem_alloc(b->m, sizeof *col->ahead, &p, err));
    col->ahead = p;
    *col->ahead = (read_ahead){.v = *v, .rows = b->rows, .alive = alive};
    *v = (vector){0};
    return vector_slice(&col->ahead->v, 0, n, b->m, v, err);
}

nrw_status batch_cut_alive(batch *b, uint32_t c, uint32_t n, vector *v, nrw_error *err)
{
    return keep_ahead(b, &b->cols[c], true, n, v, err);
}

/* Rows of a selection in front of physical row `rows`. */
static uint32_t alive_before(const batch *b, uint32_t rows)
{
    uint32_t lo = 0, hi = b->n_sel;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (b->sel[mid] < rows)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

nrw_status batch_cut(batch *b, uint32_t rows, nrw_error *err)
{
    /* else the next batch begins like any other */
    if (b->counting || b->n_behind || !batch_is_lazy(b)) {
        if (b->n_behind == 0)
            b->behind_last = b->last;
        b->behind[b->n_behind].rows = b->rows - rows;
        b->behind[b->n_behind++].counted = b->counting > b->counted ? b->counting : b->counted;
    }
    for (uint32_t c = 0; c < b->n_cols; c++)
        if (b->cols[c].state == COLUMN_HELD)
            TRY(keep_ahead(b, &b->cols[c], false, rows, b->cols[c].held, err));
    if (b->sel)
        b->n_sel = alive_before(b, rows);
    b->rows = rows;
    b->last = false;
    return NRW_OK;
}

static void pass_ahead(batch *b, batch_column *col)
{
    read_ahead *a = col->ahead;

    if (!a)
        return;
    a->at += a->alive ? a->used : b->rows;
    a->rows -= b->rows;
    a->used = 0;
    if (a->rows == 0)
        drop_ahead(b, col);
}

bool batch_move_on(batch *b, uint32_t left)
{
    const bool again = b->n_behind > 0;

    for (uint32_t c = 0; c < b->n_cols; c++) {
        pass_ahead(b, &b->cols[c]);
        b->cols[c].state = COLUMN_LAZY;
    }
    b->offset += b->rows;
    b->first_row += b->rows;
    b->rows = left;
    b->last = true;
    b->fixed = b->torn = false;
    b->counting = b->counted = 0;
    if (again) {
        b->n_behind--;
        b->rows = b->behind[b->n_behind].rows;
        b->counted = b->behind[b->n_behind].counted;
        b->last = b->behind_last && b->n_behind == 0;
    }
    return again;
}
