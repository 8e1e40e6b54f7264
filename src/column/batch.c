#include "column/batch.h"

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

/* ---- holding ---- */

static bool may_cut(const batch *b)
{
    if (b->sel)
        return false;
    for (uint32_t c = 0; c < b->n_cols; c++)
        if (b->cols[c].state != COLUMN_LAZY)
            return false;
    return true;
}

/* Pieces of a column on their way to one vector. */
typedef struct pieces {
    uint32_t n, cap, rows;
    size_t bytes;
    vector *at;
    mem *m;
} pieces;

static nrw_status pieces_add(pieces *p, vector *v, nrw_error *err)
{
    if (p->n == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 4;
        void *at = p->at;
        nrw_status st = mem_realloc(p->m, &at, p->cap * sizeof(vector), cap * sizeof(vector), err);
        if (st < 0) {
            vector_release(v);
            return st;
        }
        p->at = at;
        p->cap = cap;
    }
    p->rows += v->len;
    p->bytes += vector_bytes(v);
    p->at[p->n++] = *v;
    *v = (vector){0};
    return NRW_OK;
}

static void pieces_release(pieces *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        vector_release(&p->at[i]);
    mem_free(p->m, p->at, p->cap * sizeof(vector));
}

static nrw_status read_piece(batch *b, uint32_t c, uint32_t first, uint32_t max_rows,
                             size_t max_bytes, const uint16_t *sel, uint32_t n_sel, vector *out,
                             nrw_error *err)
{
    *out = (vector){0};
    TRY(b->source->read(b->source_self, b, b->cols[c].tag, first, max_rows, max_bytes, sel, n_sel,
                        b->m, out, err));
    uint32_t most = sel && n_sel < max_rows ? n_sel : max_rows;
    nrw_status st = NRW_OK;
#ifdef NARROWS_DEBUG
    st = vector_validate(out, err);
#endif
    if (st >= 0 && out->len >= 1 && out->len <= most)
        return NRW_OK;
    if (st >= 0)
        st = err_set(err, NRW_E_CORRUPT, "a source gave %u of at most %u rows", out->len, most);
    vector_release(out);
    return st;
}

/* Reads rows of c until all are there or, where the batch may be cut, max_bytes are. What is left
 * of the bytes when a piece ends early is not worth another read below an eighth. */
static nrw_status read_pieces(batch *b, uint32_t c, size_t max_bytes, bool cut, pieces *p,
                              nrw_error *err)
{
    vector v;
    while (p->rows < b->rows) {
        size_t left = max_bytes;
        if (cut && p->n) {
            if (p->bytes >= max_bytes - max_bytes / 8)
                return NRW_OK;
            left = max_bytes - p->bytes;
        }
        TRY(read_piece(b, c, p->rows, b->rows - p->rows, left, NULL, 0, &v, err));
        TRY(pieces_add(p, &v, err));
    }
    return NRW_OK;
}

static nrw_status join_pieces(batch *b, pieces *p, vector **out, nrw_error *err)
{
    void *held;
    TRY(mem_alloc(b->m, sizeof(vector), &held, err));
    nrw_status st = NRW_OK;
    if (p->n == 1) {
        *(vector *)held = p->at[0];
        p->n = 0;
    } else {
        st = vector_concat(p->at, p->n, b->m, held, err);
    }
    if (st < 0)
        mem_free(b->m, held, sizeof(vector));
    else
        *out = held;
    return st;
}

nrw_status batch_hold(batch *b, uint32_t c, size_t max_bytes, const vector **out, nrw_error *err)
{
    batch_column *col = &b->cols[c];
    *out = NULL;
    if (col->state == COLUMN_HELD) {
        *out = col->held;
        return NRW_OK;
    }
    if (col->state == COLUMN_TAKEN)
        return err_set(err, NRW_E_ARG, "column %u of the batch was taken already", c);
    if (b->rows == 0)
        return err_set(err, NRW_E_ARG, "a batch without rows has nothing to hold");
    pieces p = {.m = b->m};
    nrw_status st = read_pieces(b, c, max_bytes, may_cut(b), &p, err);
    if (st >= 0) {
        uint32_t rows = p.rows;
        st = join_pieces(b, &p, &col->held, err);
        if (st >= 0 && rows < b->rows) {
            b->rows = rows;
            b->last = false;
        }
    }
    pieces_release(&p);
    if (st < 0)
        return st;
    col->state = COLUMN_HELD;
    *out = col->held;
    return NRW_OK;
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

static nrw_status next_lazy(column_walk *w, uint32_t left, size_t max_bytes, vector *out,
                            nrw_error *err)
{
    batch *b = w->b;
    if (!b->sel)
        return read_piece(b, w->column, w->at, left, max_bytes, NULL, 0, out, err);
    /* whether max_rows counts rows or selected rows, no more than `left` come */
    uint32_t first = b->sel[w->at], last = b->sel[w->at + left - 1];
    return read_piece(b, w->column, first, last - first + 1, max_bytes, b->sel + w->at, left, out,
                      err);
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
    if (col->state == COLUMN_TAKEN)
        return err_set(err, NRW_E_ARG, "column %u of the batch was taken already", w->column);
    if (col->state == COLUMN_HELD)
        TRY(next_held(w, until - w->at, max_bytes, out, err));
    else
        TRY(next_lazy(w, until - w->at, max_bytes, out, err));
    w->at += out->len;
    if (w->at == alive)
        batch_drop(b, w->column);
    return NRW_OK;
}
