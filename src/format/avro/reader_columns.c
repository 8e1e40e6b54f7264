/* Batches of a run: its columns are decoded together, when the first is touched, or where how many
 * rows come is not known beforehand. */
#include "format/avro/reader_own.h"

static nrw_status decode_on(av_reader *r, morsel *m, uint32_t rows, nrw_error *err)
{
    nrw_status st = av_piece_next(&m->piece, rows, &m->n, err);

    m->decoded = st >= 0;
    if (st == NRW_END) /* all that was left is lost */
        m->n = 0;
    if (st < 0)
        err_at_object(err, r->base.file->name);
    return st;
}

/* The batch ends where what is decoded at once does. */
static nrw_status columns_begin(void *self, batch *b, nrw_error *err)
{
    av_reader *r = self;
    morsel *m = b->source_state;

    if (!m)
        return NRW_OK;
    if (b->offset >= m->first + m->n) {
        m->first = b->offset;
        m->decoded = false;
        m->n = b->rows;
        if (r->eager || m->end - m->at > r->shape.stored_max || b->rows > r->shape.rows_max)
            TRY(decode_on(r, m, b->rows, err));
    }
    b->rows -= (uint32_t)m->piece.lost;
    if (b->rows > m->first + m->n - b->offset) {
        b->rows = m->first + m->n - b->offset;
        b->last = false;
    }
    return NRW_OK;
}

/* How many of `rows` rows of column `tag` take about max_bytes. */
static uint32_t rows_within(av_piece *p, uint32_t tag, uint32_t rows, size_t max_bytes)
{
    size_t each, n;

    if (p->vector_sizes[tag] == 0)
        p->vector_sizes[tag] = vector_bytes(&p->vectors[tag]);
    each = p->vector_sizes[tag] / p->vectors[tag].len + 1;
    n = max_bytes / each;
    return n >= rows ? rows : n ? (uint32_t)n : 1;
}

static nrw_status columns_read(void *self, batch *b, uint32_t tag, uint32_t first,
                               uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                               uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    av_reader *r = self;
    morsel *ms = b->source_state;
    const vector *v;
    uint32_t from = b->offset - ms->first + first, n;
    uint16_t shifted[1024];

    *out = (vector){0};
    if (!ms->decoded)
        TRY(decode_on(r, ms, ms->n, err));
    v = &ms->piece.vectors[tag];
    if (!sel) {
        n = max_rows < b->rows - first ? max_rows : b->rows - first;
        n = rows_within(&ms->piece, tag, n, max_bytes);
        if (from == 0 && n == v->len)
            return vector_share(v, out, err);
        return vector_slice(v, from, n, m, out, err);
    }
    n = rows_within(&ms->piece, tag, n_sel, max_bytes);
    if (b->offset == ms->first)
        return vector_take(v, sel, n, m, out, err);
    n = n > 1024 ? 1024 : n;
    for (uint32_t i = 0; i < n; i++)
        shifted[i] = (uint16_t)(sel[i] + (b->offset - ms->first));
    return vector_take(v, shifted, n, m, out, err);
}

static void columns_done(void *self, batch *b, uint32_t tag)
{
    morsel *m = b->source_state;

    (void)tag;
    if (--m->columns_left == 0)
        av_morsel_give(self, m);
}

const column_source av_column_source = {
    .begin = columns_begin, .read = columns_read, .done = columns_done};
