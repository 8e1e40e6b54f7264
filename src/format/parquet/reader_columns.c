/* Columns of the Parquet reader: one chunk reader a column, moved forward in the column's turn. */
#include "format/parquet/reader_own.h"

static void column_park(pq_rcolumn *c)
{
    if (c->chunk)
        pq_chunk_park(c->chunk);
    if (c->nested)
        pq_nested_park(c->nested);
}

void pq_rcolumn_close(pq_rcolumn *c)
{
    pq_chunk_close(c->chunk);
    pq_nested_close(c->nested);
    c->chunk = NULL;
    c->nested = NULL;
}

void pq_counts_add(reader_counts *to, const reader_counts *n)
{
    to->pages_decompressed += n->pages_decompressed;
    to->pages_skipped += n->pages_skipped;
    to->bytes_decompressed += n->bytes_decompressed;
}

static void column_rest(pq_rcolumn *c, reader_counts *n)
{
    if (c->nested) {
        pq_nested_count_rest(c->nested);
        pq_nested_counts(c->nested, n);
        pq_nested_rest(c->nested);
        return;
    }
    pq_chunk_count_rest(c->chunk);
    pq_chunk_counts(c->chunk, n);
    pq_chunk_rest(c->chunk);
}

static nrw_status column_open(pq_reader *r, pq_rcolumn *c, const pq_open_group *g, nrw_error *err)
{
    const pq_chunk *chunk = &g->chunks[c->place];

    if (pq_node_is_leaf(c->node)) {
        if (c->chunk)
            return pq_chunk_reopen(c->chunk, chunk, g->index, g->rows, err);
        return pq_chunk_open(r->grant, r->spill, r->base.file,
                             pq_meta_leaf(r->meta, c->node->first_leaf), chunk, g->index, g->rows,
                             &r->chunk_options, &c->chunk, err);
    }
    if (c->nested)
        return pq_nested_reopen(c->nested, chunk, g->index, g->rows, err);
    return pq_nested_open(r->grant, r->spill, r->base.file, pq_meta_leaf(r->meta, 0), c->node,
                          chunk, g->index, g->rows, &r->chunk_options, &c->nested, err);
}

/* The chunks are done with; the column's reader stays for the next ones where memory is not short.
 */
void pq_rcolumn_leave(pq_reader *r, pq_rcolumn *c)
{
    reader_counts n;

    if (!c->group)
        return;
    column_rest(c, &n);
    pthread_mutex_lock(&r->lock);
    pq_counts_add(&c->closed, &n);
    pthread_mutex_unlock(&r->lock);
    if (r->park)
        pq_rcolumn_close(c);
    pq_group_unref(r, c->group);
    c->group = NULL;
}

/* The column's reader stands in the morsel's row group afterwards. */
static nrw_status column_enter(pq_reader *r, pq_rcolumn *c, const pq_morsel *m, nrw_error *err)
{
    if (c->group == m->group)
        return NRW_OK;
    pq_rcolumn_leave(r, c);
    TRY(column_open(r, c, m->group, err));
    c->group = m->group;
    atomic_fetch_add_explicit(&c->group->refs, 1, memory_order_relaxed);
    return NRW_OK;
}

/* Columns that this morsel holds the turn of are this thread's alone: when memory is short, those
 * that are not at work give up their pages. Every thread does so before it reads, so what a column
 * at work needs (the headroom) is always there. */
static void park_others(pq_reader *r, const pq_morsel *ms, uint32_t tag)
{
    for (uint32_t i = 0; i < r->n; i++) {
        pq_rcolumn *c = &ms->group->lane->cols[i];
        if (i != tag && atomic_load_explicit(&c->turn.next, memory_order_acquire) == ms->seq)
            column_park(c);
    }
}

/* Where reading ahead stops: at the end of the stretch, or where the rows that are wanted end well
 * before the batch does. */
static int64_t read_until(const pq_reader *r, const pq_morsel *ms, const batch *b,
                          const uint16_t *sel, uint32_t n_sel)
{
    uint32_t rows = n_sel ? sel[n_sel - 1] + 1u : b->rows;

    if (!r->prune || !sel || b->rows - rows < b->rows / 16)
        return ms->until;
    return ms->row0 + b->offset + rows;
}

/* A morsel for one thread is longer than a batch. */
static nrw_status columns_begin(void *self, batch *b, nrw_error *err)
{
    const pq_morsel *ms = b->source_state;

    (void)self;
    (void)err;
    if (b->rows > ms->group->batch_rows) {
        b->rows = ms->group->batch_rows;
        b->last = false;
    }
    return NRW_OK;
}

static nrw_status columns_read(void *self, batch *b, uint32_t tag, uint32_t first,
                               uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                               uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    pq_reader *r = self;
    pq_morsel *ms = b->source_state;
    pq_rcolumn *c = &ms->group->lane->cols[tag];
    nrw_status st;

    *out = (vector){0};
    TRY(turn_wait(&c->turn, ms->seq));
    if (mem_room(r->grant) < r->chunk_options.headroom)
        park_others(r, ms, tag);
    st = column_enter(r, c, ms, err);
    if (st >= 0 && c->chunk) {
        int64_t until = read_until(r, ms, b, sel, n_sel);
        pq_chunk_until(c->chunk, until);
        /* a batch that was cut short is perhaps the last one: see --limit */
        pq_chunk_ahead(c->chunk, r->park && !r->chunk_options.keep && !r->prune &&
                                     b->offset + b->rows == ms->rows);
    }
    if (st >= 0 && c->nested)
        st = pq_nested_read(c->nested, ms->row0 + b->offset + first, max_rows, max_bytes, sel,
                            n_sel, first, m, out, err);
    else if (st >= 0)
        st = pq_chunk_read(c->chunk, ms->row0 + b->offset + first, max_rows, max_bytes, sel, n_sel,
                           first, m, out, err);
    if (st < 0)
        err_at_object(err, r->base.file->name);
    return st;
}

static void columns_done(void *self, batch *b, uint32_t tag)
{
    pq_reader *r = self;
    pq_morsel *ms = b->source_state;
    pq_rcolumn *c = &ms->group->lane->cols[tag];

    /* who reads nothing of a column still has to let the others pass in order; a stopped turn
     * means the job has failed, and nobody waits any more */
    if (turn_wait(&c->turn, ms->seq) == NRW_OK) {
        if (c->group && r->park)
            column_park(c);
        if (ms->last && c->group == ms->group)
            pq_rcolumn_leave(r, c);
        turn_done(&c->turn, ms->seq);
    }
    if (atomic_fetch_sub_explicit(&ms->columns_left, 1, memory_order_acq_rel) == 1)
        pq_morsel_free(r, ms);
}

const column_source pq_reader_columns = {
    .begin = columns_begin, .read = columns_read, .done = columns_done};
