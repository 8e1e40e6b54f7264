/* Runs of blocks, by their headers and markers alone; small blocks are read for that. */
#include "format/avro/reader_own.h"

#include "format/avro/salvage.h"

static nrw_status look_ahead(av_reader *r, nrw_error *err)
{
    nrw_status st;

    if (r->has_ahead)
        return NRW_OK;
    do
        st = r->shape.damaged ? av_salvage_next(&r->walk, r->cut_row, r->shape.damaged,
                                                r->shape.damaged_self, &r->ahead, err)
                              : av_walk_next(&r->walk, &r->ahead, err);
    while (st == NRW_OK && r->ahead.rows == 0 && (r->ahead.size == 0 || r->ahead.cut));
    if (st == NRW_OK)
        r->cut_row += r->ahead.rows;
    r->has_ahead = st == NRW_OK;
    if (st < 0)
        err_at_object(err, r->base.file->name);
    return st;
}

/* What a block is likely to unpack to. */
static uint64_t expected(const av_reader *r, uint64_t stored)
{
    uint64_t seen = atomic_load_explicit(&r->stored_seen, memory_order_relaxed);
    uint64_t raw = atomic_load_explicit(&r->raw_seen, memory_order_relaxed);

    if (r->header.codec == codec_named("none"))
        return stored;
    return seen ? (uint64_t)((double)stored * ((double)raw / (double)seen)) : stored * 4;
}

/* Of small blocks the numbers lie so close together that all of a run is read to get at them. */
#define SMALL_BLOCK (32 << 10)

/* Reads what the run that begins with the block ahead is likely to have; else it is read when it
 * is decoded. */
static nrw_status read_run(av_reader *r, morsel *m, nrw_error *err)
{
    const uint64_t at = r->ahead.at;
    const size_t n = size_min((size_t)r->run_bytes, (size_t)(r->base.file->size - at));
    av_piece *p = &m->piece;
    nrw_status st;

    buffer_unref(p->stored); /* of an empty block in front */
    p->stored = NULL;
    r->walk.seen = (span){0};
    if (!r->eager || file_is_live(r->base.file) || r->ahead.cut || n <= r->ahead.size ||
        r->ahead.size > SMALL_BLOCK)
        return NRW_OK;
    if (r->run_most < n) /* all of one size: the memory of one is that of the next */
        r->run_most = n;
    p->stored = buffer_try_new(r->grant, r->run_most);
    if (!p->stored)
        return NRW_OK;
    st = file_read(r->base.file, at, p->stored->data, n, err);
    if (st < 0) {
        err_at_object(err, r->base.file->name);
        return st;
    }
    p->stored->len = n;
    p->stored_at = at;
    r->walk.seen = (span){p->stored->data, n};
    r->walk.seen_at = at;
    return NRW_OK;
}

/* Where what was read of a run ends. */
static uint64_t seen_end(const av_reader *r)
{
    return r->walk.seen.len ? r->walk.seen_at + r->walk.seen.len : UINT64_MAX;
}

static void forget_run(av_reader *r, morsel *m)
{
    const uint64_t run = m->end - m->at, end = r->ahead.data + r->ahead.size + AV_SYNC;

    r->run_bytes = run + (r->has_ahead ? end - r->ahead.at : 0); /* a little more than this one */
    if (end > seen_end(r))                                       /* what was read was too little */
        r->run_bytes += run / 64;
    if (r->run_bytes > r->shape.stored_max)
        r->run_bytes = r->shape.stored_max;
    if (m->end > seen_end(r)) {
        buffer_unref(m->piece.stored);
        m->piece.stored = NULL;
    }
    r->walk.seen = (span){0};
}

/* Blocks of a run unpack to so much at most: stored, unpacked and decoded they then stay in the
 * cache. */
#define RUN_RAW ((size_t)384 << 10)

/* Whether the block ahead still fits behind what the run has, without a gap. */
static bool joins(const av_reader *r, const morsel *m, uint64_t raw)
{
    const av_block *b = &r->ahead;

    return !b->cut && b->at == m->end && b->data + b->size + AV_SYNC <= seen_end(r) &&
           m->rows + b->rows <= r->shape.rows_max &&
           b->data + b->size + AV_SYNC - m->at <= r->shape.stored_max &&
           raw + expected(r, b->size) <= size_min(r->shape.raw_max, RUN_RAW);
}

static void take_block(av_reader *r, morsel *m, uint64_t *raw)
{
    m->rows += (uint32_t)r->ahead.rows;
    m->end = r->ahead.data + r->ahead.size + AV_SYNC;
    m->cut = r->ahead;
    *raw += expected(r, r->ahead.size);
    r->has_ahead = false;
}

static nrw_status cut_blocks(av_reader *r, morsel *m, nrw_error *err)
{
    uint64_t raw = 0;
    nrw_status st;

    m->rows = 0;
    do { /* a run has rows: an empty block goes with its neighbour */
        TRY(st = look_ahead(r, err));
        if (st == NRW_END)
            return m->rows ? NRW_OK : NRW_END;
        if (m->rows == 0) {
            m->at = r->ahead.at;
            m->block = r->ahead.number;
            TRY(read_run(r, m, err));
        } else if (!joins(r, m, raw)) {
            return NRW_OK;
        }
        take_block(r, m, &raw);
    } while (m->end - m->at <= r->shape.stored_max && !m->cut.cut);
    return NRW_OK;
}

static nrw_status cut_run(av_reader *r, morsel *m, nrw_error *err)
{
    nrw_status st = cut_blocks(r, m, err);

    forget_run(r, m);
    return st;
}

static morsel *morsel_take(av_reader *r, nrw_error *err)
{
    morsel *m;

    pthread_mutex_lock(&r->lock);
    m = r->free;
    if (m)
        r->free = m->next_free;
    pthread_mutex_unlock(&r->lock);
    if (m)
        return m;
    if (mem_zalloc(r->grant, sizeof *m, (void **)&m, err) < 0)
        return NULL;
    if (av_piece_init(&m->piece, &r->shape, err) >= 0)
        return m;
    av_piece_free(&m->piece);
    mem_free(r->grant, m, sizeof *m);
    return NULL;
}

void av_morsel_give(av_reader *r, morsel *m)
{
    av_piece *p = &m->piece;

    atomic_fetch_add_explicit(&r->stored_seen, p->stored_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->raw_seen, p->raw_bytes, memory_order_relaxed);
    p->stored_bytes = p->raw_bytes = 0;
    av_piece_drop(p);
    pthread_mutex_lock(&r->lock);
    m->next_free = r->free;
    r->free = m;
    pthread_mutex_unlock(&r->lock);
}

void av_morsels_free(av_reader *r)
{
    while (r->free) {
        morsel *m = r->free;
        r->free = m->next_free;
        av_piece_free(&m->piece);
        mem_free(r->grant, m, sizeof *m);
    }
}

/* No column is wanted: rows by the headers. */
static nrw_status cut_rows(av_reader *r, batch *b, nrw_error *err)
{
    nrw_status st;

    while (r->left == 0) {
        TRY(st = look_ahead(r, err));
        if (st == NRW_END)
            return st;
        r->left = (uint32_t)r->ahead.rows;
        r->has_ahead = false;
    }
    b->rows = r->left < BATCH_MAX_ROWS ? r->left : BATCH_MAX_ROWS;
    r->left -= b->rows;
    return NRW_OK;
}

#define ASKED_MORE ((uint64_t)1 << 20)

/* What is read next is asked for beforehand; the system keeps it, not this process. Where nobody
 * says how much, some more at a time: asking costs as much as reading a block does. */
static void fetch_ahead(av_reader *r, uint64_t end)
{
    const uint64_t blocks = r->ahead.data + r->ahead.size - r->ahead.at;
    const uint64_t left = r->base.file->size - size_min(end, r->base.file->size);
    const bool told = r->buffer_bytes || r->buffer_blocks;
    uint64_t want = r->buffer_bytes ? r->buffer_bytes : r->shape.stored_max;

    if (r->buffer_blocks)
        want = r->buffer_blocks * (blocks + AV_SYNC);
    if (end + size_min(want, left) <= r->asked_for)
        return;
    want = size_min(told ? want : want + ASKED_MORE, left);
    if (r->asked_for < end)
        r->asked_for = end;
    file_will_read(r->base.file, r->asked_for, end + want - r->asked_for);
    r->asked_for = end + want;
}

nrw_status av_reader_next(reader *base, batch *b, nrw_error *err)
{
    av_reader *r = (av_reader *)base;
    morsel *m = NULL;
    nrw_status st;

    if (r->n == 0) {
        st = cut_rows(r, b, err);
    } else {
        m = morsel_take(r, err);
        if (!m)
            return err ? err->status : NRW_E_NOMEM;
        st = cut_run(r, m, err);
    }
    if (st != NRW_OK) {
        if (m)
            av_morsel_give(r, m);
        return st;
    }
    if (m) {
        b->rows = m->rows;
        m->first = m->n = 0;
        m->decoded = false;
        m->columns_left = r->n;
        if (m->cut.cut)
            av_piece_start_cut(&m->piece, &m->cut, r->row);
        else
            av_piece_start(&m->piece, m->at, m->end, m->block, r->row);
        fetch_ahead(r, m->end);
    }
    b->first_row = r->row;
    b->source = &av_column_source;
    b->source_self = r;
    b->source_state = m;
    r->row += b->rows;
    return NRW_OK;
}
