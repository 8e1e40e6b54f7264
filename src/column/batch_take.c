/* The alive rows of several columns, as many as there is room for of all. */
#include "column/batch_own.h"

/* Of a lazy column only the rows that are alive are read; a cut is the caller's. */
static nrw_status read_alive(batch *b, uint32_t c, size_t max_bytes, vector *out, nrw_error *err)
{
    read_ahead *a = b->cols[c].ahead;
    pieces p = {.m = b->m};
    nrw_status st;

    if (a)
        return vector_slice(&a->v, a->at, batch_alive(b), b->m, out, err);
    st = batch_read(b, c, true, max_bytes, &p, err);
    if (st >= 0)
        st = pieces_join(&p, out, err);
    pieces_release(&p);
    return st;
}

/* Whether only rows that are alive were, or are to be, read of the column. */
static bool by_alive(const batch *b, uint32_t c)
{
    const batch_column *col = &b->cols[c];

    return col->state == COLUMN_LAZY && (col->ahead ? col->ahead->alive : b->sel != NULL);
}

static nrw_status take_one(batch *b, uint32_t c, size_t max_bytes, vector *out, nrw_error *err)
{
    const vector *v;

    *out = (vector){0};
    if (by_alive(b, c))
        return read_alive(b, c, max_bytes, out, err);
    TRY(batch_hold(b, c, max_bytes, &v, err));
    if (b->sel)
        return vector_take(v, b->sel, b->n_sel, b->m, out, err);
    return vector_share(v, out, err);
}

/* v, which was taken of column c, has rows that the batch has no more. */
static nrw_status shorten(batch *b, uint32_t c, uint32_t n, vector *v, nrw_error *err)
{
    vector whole = *v;
    nrw_status st;

    if (by_alive(b, c))
        return batch_cut_alive(b, c, n, v, err);
    *v = (vector){0};
    st = vector_slice(&whole, 0, n, b->m, v, err);
    vector_release(&whole);
    return st;
}

/* The batch has no more rows than out[at] has; nor have those that were taken before. */
static nrw_status cut_to(batch *b, const uint32_t *cols, uint32_t n, uint32_t at, vector *out,
                         nrw_error *err)
{
    const uint32_t alive = out[at].len;

    for (uint32_t i = 0; i < n; i++)
        if (i != at && out[i].len > alive)
            TRY(shorten(b, cols ? cols[i] : i, alive, &out[i], err));
    if (alive < batch_alive(b))
        return batch_cut(b, b->sel ? b->sel[alive] : alive, err);
    return NRW_OK;
}

/* Column c is done with. */
static void leave(batch *b, uint32_t c)
{
    read_ahead *a = b->cols[c].ahead;

    if (a && a->alive)
        a->used = batch_alive(b);
    batch_drop(b, c);
}

static nrw_status take_varying(batch *b, const uint32_t *cols, uint32_t n, size_t max_bytes,
                               vector *out, nrw_error *err)
{
    bool some = false;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t c = cols ? cols[i] : i;
        if (!b->cols[c].varies)
            continue;
        TRY(take_one(b, c, max_bytes, &out[i], err));
        TRY(cut_to(b, cols, n, i, out, err));
        some = true;
    }
    b->fixed |= some;
    for (uint32_t i = 0; some && i < n; i++)
        if (b->cols[cols ? cols[i] : i].varies)
            leave(b, cols ? cols[i] : i);
    return NRW_OK;
}

/* How much comes of the others is known beforehand, but for the first: each is let go for the next
 * morsel as soon as it was read. */
static nrw_status take_others(batch *b, const uint32_t *cols, uint32_t n, size_t max_bytes,
                              vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t c = cols ? cols[i] : i;
        if (b->cols[c].varies)
            continue;
        TRY(take_one(b, c, max_bytes, &out[i], err));
        if (!b->fixed)
            TRY(cut_to(b, cols, n, i, out, err));
        b->fixed = true;
        leave(b, c);
    }
    return NRW_OK;
}

nrw_status batch_take(batch *b, const uint32_t *cols, uint32_t n, size_t max_bytes, vector *out,
                      nrw_error *err)
{
    nrw_status st;

    for (uint32_t i = 0; i < n; i++)
        out[i] = (vector){0};
    st = take_varying(b, cols, n, max_bytes, out, err);
    if (st >= 0)
        st = take_others(b, cols, n, max_bytes, out, err);
    for (uint32_t i = 0; st < 0 && i < n; i++)
        vector_release(&out[i]);
    TRY(st);
    for (uint32_t c = 0; c < b->n_cols; c++)
        leave(b, c);
    return NRW_OK;
}
