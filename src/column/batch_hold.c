/* Columns of a batch as whole vectors: over all rows, or over those alive. */
#include "column/batch_own.h"

/* ---- pieces ---- */

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

void pieces_release(pieces *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        vector_release(&p->at[i]);
    mem_free(p->m, p->at, p->cap * sizeof(vector));
}

nrw_status pieces_join(pieces *p, vector *out, nrw_error *err)
{
    if (p->n != 1)
        return vector_concat(p->at, p->n, p->m, out, err);
    *out = p->at[0];
    p->n = 0;
    return NRW_OK;
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

nrw_status batch_read_from(batch *b, uint32_t c, bool alive, uint32_t at, uint32_t left,
                           size_t max_bytes, vector *out, nrw_error *err)
{
    uint32_t first, last;

    if (!alive || !b->sel)
        return read_piece(b, c, at, left, max_bytes, NULL, 0, out, err);
    /* whether max_rows counts rows or selected rows, no more than `left` come */
    first = b->sel[at];
    last = b->sel[at + left - 1];
    return read_piece(b, c, first, last - first + 1, max_bytes, b->sel + at, left, out, err);
}

/* ---- how much ---- */

/* Pieces of less are not tried where memory is short. */
#define PIECE_LEAST 1024u

/* Of a column, where the batch may be cut. */
typedef struct bounds {
    size_t enough; /* bytes behind which it is cut */
    size_t most;   /* for what is read until then */
} bounds;

/* What the batch may take yet. */
static uint64_t memory_left(const batch *b)
{
    const uint64_t room = mem_room(b->m), used = mem_used(b->m);
    const uint64_t share = used < b->share ? b->share - used : 0;

    return b->share && share < room ? share : room;
}

/* The first column says how many rows there are. What is left of its bytes when a piece ends early
 * is not worth another read below an eighth. The others follow it unless they are wider by half
 * than one is on average, or take more than a third of what memory is left: pieces are joined, and
 * an operator needs some, too. An eighth of the mean is worth it in any case. */
static bounds bounds_of(const batch *b, size_t max_bytes)
{
    const bool any = max_bytes > SIZE_MAX / 2;
    size_t most = any ? max_bytes : max_bytes + max_bytes / 2;

    if (!b->sel && batch_is_lazy(b))
        return (bounds){max_bytes - max_bytes / 8, max_bytes};
    most = size_min(most, (size_t)(memory_left(b) / 3));
    most = size_max(most, any ? PIECE_LEAST : size_max(max_bytes / 8, PIECE_LEAST));
    return (bounds){most - most / 8, most};
}

/* Whether less is to be done with, as memory is short. */
static bool is_short(const batch *b, bool cut, nrw_status st)
{
    return st == NRW_E_MEMLIMIT && cut && !b->torn;
}

static void forget_error(nrw_error *err)
{
    if (err)
        *err = (nrw_error)NRW_ERROR_INIT;
}

/* Where the batch may be cut a first piece is smaller where memory is short. */
static nrw_status read_what_fits(batch *b, uint32_t c, bool alive, bool cut, uint32_t at,
                                 uint32_t left, size_t max_bytes, vector *out, nrw_error *err)
{
    for (;; max_bytes /= 4) {
        const nrw_status st = batch_read_from(b, c, alive, at, left, max_bytes, out, err);
        if (!is_short(b, cut, st) || at > 0 || max_bytes / 4 < PIECE_LEAST)
            return st;
        forget_error(err);
    }
}

nrw_status batch_read(batch *b, uint32_t c, bool alive, size_t max_bytes, pieces *p, nrw_error *err)
{
    const uint32_t rows = alive ? batch_alive(b) : b->rows;
    const bool cut = batch_may_cut(b);
    const bounds most = cut ? bounds_of(b, max_bytes) : (bounds){SIZE_MAX, SIZE_MAX};

    while (p->rows < rows) {
        const size_t bytes = size_min(max_bytes, most.most - p->bytes);
        nrw_status st;
        vector v;
        if (p->n && p->bytes >= most.enough)
            return NRW_OK;
        st = read_what_fits(b, c, alive, cut, p->rows, rows - p->rows, bytes, &v, err);
        if (p->n && is_short(b, cut, st)) {
            forget_error(err);
            return NRW_OK;
        }
        TRY(st);
        TRY(pieces_add(p, &v, err));
    }
    return NRW_OK;
}

/* ---- holding ---- */

static nrw_status read_all(batch *b, uint32_t c, size_t max_bytes, vector *out, nrw_error *err)
{
    const read_ahead *a = b->cols[c].ahead;
    pieces p = {.m = b->m};
    uint32_t rows;
    nrw_status st;

    if (a)
        return vector_slice(&a->v, a->at, b->rows, b->m, out, err);
    st = batch_read(b, c, false, max_bytes, &p, err);
    rows = p.rows;
    if (st >= 0)
        st = pieces_join(&p, out, err);
    pieces_release(&p);
    TRY(st);
    if (rows == b->rows)
        return NRW_OK;
    st = batch_cut(b, rows, err);
    if (st < 0)
        vector_release(out);
    return st;
}

nrw_status batch_hold(batch *b, uint32_t c, size_t max_bytes, const vector **out, nrw_error *err)
{
    batch_column *col = &b->cols[c];
    vector v = {0};
    nrw_status st;
    void *held;

    *out = NULL;
    if (col->state == COLUMN_HELD) {
        *out = col->held;
        return NRW_OK;
    }
    if (col->state == COLUMN_TAKEN || (col->ahead && col->ahead->alive))
        return err_set(err, NRW_E_ARG, "column %u of the batch was taken already", c);
    if (b->rows == 0)
        return err_set(err, NRW_E_ARG, "a batch without rows has nothing to hold");
    TRY(mem_alloc(b->m, sizeof(vector), &held, err));
    st = read_all(b, c, max_bytes, &v, err);
    if (st < 0) {
        mem_free(b->m, held, sizeof(vector));
        return st;
    }
    *(vector *)held = v;
    col->held = held;
    col->state = COLUMN_HELD;
    *out = col->held;
    return NRW_OK;
}
