#include "column/batch_own.h"

static void free_held(batch *b, batch_column *col)
{
    if (!col->held)
        return;
    vector_release(col->held);
    mem_free(b->m, col->held, sizeof(vector));
    col->held = NULL;
}

void batch_drop(batch *b, uint32_t c)
{
    batch_column *col = &b->cols[c];
    if (col->state == COLUMN_TAKEN)
        return;
    free_held(b, col);
    col->state = COLUMN_TAKEN;
    if (b->last && b->source && b->source->done)
        b->source->done(b->source_self, b, col->tag);
}

void batch_release(batch *b)
{
    for (uint32_t c = 0; c < b->n_cols; c++)
        batch_drop(b, c);
    batch_select(b, NULL, 0);
}

void batch_abandon(batch *b)
{
    if (!b->last) { /* nobody has given up a turn yet */
        b->last = true;
        for (uint32_t c = 0; c < b->n_cols; c++)
            if (b->cols[c].state == COLUMN_TAKEN)
                b->cols[c].state = COLUMN_LAZY;
    }
    batch_release(b);
}

/* ---- walking ---- */

column_walk batch_walk(batch *b, uint32_t c)
{
    return (column_walk){.b = b, .column = c};
}

/* How many rows from `at` on make about max_bytes. */
static uint32_t piece_rows(const vector *v, uint32_t left, size_t max_bytes)
{
    size_t bytes = vector_bytes(v);
    size_t row = bytes / (v->len ? v->len : 1) + 1;
    size_t rows = size_max(max_bytes / row, 1);
    return rows < left ? (uint32_t)rows : left;
}

static nrw_status next_held(column_walk *w, uint32_t left, size_t max_bytes, vector *out,
                            nrw_error *err)
{
    batch *b = w->b;
    const vector *v = b->cols[w->column].held;
    uint32_t n = piece_rows(v, left, max_bytes);
    if (b->sel)
        return vector_take(v, b->sel + w->at, n, b->m, out, err);
    return vector_slice(v, w->at, n, b->m, out, err);
}

nrw_status column_next(column_walk *w, size_t max_bytes, vector *out, nrw_error *err)
{
    batch *b = w->b;
    batch_column *col = &b->cols[w->column];
    uint32_t alive = batch_alive(b);
    uint32_t until = w->until && w->until < alive ? w->until : alive;
    *out = (vector){0};
    if (w->at >= alive) {
        batch_drop(b, w->column);
        return NRW_END;
    }
    if (w->at >= until)
        return NRW_END;
    b->fixed = true; /* something comes of its rows */
    if (col->state == COLUMN_TAKEN)
        return err_set(err, NRW_E_ARG, "column %u of the batch was taken already", w->column);
    if (col->ahead && col->state == COLUMN_LAZY) {
        const vector *held;
        TRY(batch_hold(b, w->column, max_bytes, &held, err));
    }
    if (col->state == COLUMN_HELD)
        TRY(next_held(w, until - w->at, max_bytes, out, err));
    else
        TRY(batch_read_from(b, w->column, true, w->at, until - w->at, max_bytes, out, err));
    w->at += out->len;
    if (w->at == alive)
        batch_drop(b, w->column);
    return NRW_OK;
}
