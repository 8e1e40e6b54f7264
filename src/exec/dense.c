#include "exec/dense.h"

typedef struct parts {
    vector *at;
    uint32_t n, cap;
} parts;

static nrw_status parts_room(parts *p, mem *m, nrw_error *err)
{
    uint32_t cap = p->cap ? p->cap * 2 : 4;
    void *at = p->at;

    if (p->n < p->cap)
        return NRW_OK;
    TRY(mem_realloc(m, &at, p->cap * sizeof(vector), cap * sizeof(vector), err));
    p->at = at;
    p->cap = cap;
    return NRW_OK;
}

/* Of a lazy column only the rows that are alive are read. */
static nrw_status read_alive(batch *b, uint32_t c, size_t max_bytes, vector *out, nrw_error *err)
{
    column_walk w = batch_walk(b, c);
    parts p = {0};
    nrw_status st;

    for (;; p.n++) {
        TRY_OUT(parts_room(&p, b->m, err));
        st = column_next(&w, max_bytes, &p.at[p.n], err);
        if (st != NRW_OK)
            break;
    }
    if (st == NRW_END && p.n == 1) {
        *out = p.at[0];
        p.n = 0;
        st = NRW_OK;
    } else if (st == NRW_END) {
        st = vector_concat(p.at, p.n, b->m, out, err);
    }
out:
    for (uint32_t i = 0; i < p.n; i++)
        vector_release(&p.at[i]);
    mem_free(b->m, p.at, p.cap * sizeof(vector));
    return st;
}

static nrw_status take_one(batch *b, uint32_t c, size_t max_bytes, vector *out, nrw_error *err)
{
    const vector *v;

    if (b->sel && b->cols[c].state == COLUMN_LAZY)
        return read_alive(b, c, max_bytes, out, err);
    TRY(batch_hold(b, c, max_bytes, &v, err));
    if (b->sel)
        return vector_take(v, b->sel, b->n_sel, b->m, out, err);
    return vector_share(v, out, err);
}

nrw_status dense_take(batch *b, const uint32_t *cols, uint32_t n, size_t max_bytes, vector *out,
                      nrw_error *err)
{
    nrw_status st = NRW_OK;
    uint32_t i;

    for (i = 0; st >= 0 && i < n; i++) {
        out[i] = (vector){0};
        uint32_t c = cols ? cols[i] : i;
        st = take_one(b, c, max_bytes, &out[i], err);
        batch_drop(b, c);
    }
    if (st >= 0) {
        for (uint32_t c = 0; c < b->n_cols; c++)
            batch_drop(b, c);
        return NRW_OK;
    }
    while (i > 0)
        vector_release(&out[--i]);
    return st;
}

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
