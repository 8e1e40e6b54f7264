/* How the Parquet reader cuts morsels: row groups opened in turn, ranges of rows in them that a
 * filter leaves over, a length that keeps the consumer's bounds on average; or, where nobody behind
 * waits for rows that come before, whole stretches for one thread. */
#include "format/parquet/chunk_needs.h"
#include "format/parquet/reader_own.h"

/* Rows of a morsel for one thread: where it is the last one, others wait for no more than that. */
#define MORSEL_MOST (4 * (int64_t)BATCH_MAX_ROWS)

void pq_group_unref(pq_reader *r, pq_open_group *g)
{
    if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) != 1)
        return;
    mem_free(r->grant, g->chunks, r->room * sizeof *g->chunks);
    arena_free(g->a);
    mem_free(r->grant, g, sizeof *g);
}

static nrw_status group_open(pq_reader *r, int32_t index, pq_open_group **out, nrw_error *err)
{
    pq_open_group *g = NULL;
    pq_row_group info;
    nrw_status st;

    *out = NULL;
    TRY(pq_meta_row_group(r->meta, index, &info, err));
    TRY(mem_zalloc(r->grant, sizeof *g, (void **)&g, err));
    atomic_init(&g->refs, 1);
    g->index = index;
    g->rows = info.rows;
    TRY_OUT(arena_new(r->grant, &g->a, err));
    TRY_OUT(mem_zalloc(r->grant, r->room * sizeof *g->chunks, (void **)&g->chunks, err));
    st = pq_meta_chunks(r->meta, index, r->leaves, r->n_leaves, g->a, g->chunks, err);
out:
    if (st < 0) {
        mem_free(r->grant, g->chunks, g->chunks ? r->room * sizeof *g->chunks : 0);
        arena_free(g->a);
        mem_free(r->grant, g, sizeof *g);
        return st;
    }
    *out = g;
    return NRW_OK;
}

/* What texts take beside their views, on average. Where memory has no room for a dictionary each
 * value is a copy of its entry: entries are taken for equally frequent where nothing tells. */
static double text_width(pq_reader *r, const pq_chunk *chunk, uint32_t leaf, int64_t rows)
{
    const double in_file = rows > 0 ? (double)chunk->uncompressed / (double)rows : 0;
    const uint64_t room = mem_room(r->grant);
    const uint64_t keep = r->chunk_options.headroom + pq_stream_memory(chunk);
    uint64_t dictionary = pq_usual_dictionary(chunk, pq_chunk_bytes(chunk));
    pq_first_pages first = {0};

    if (dictionary && r->n_leaves <= PQ_LOOKED_AT)
        first = pq_first_pages_of(r, leaf, chunk);
    if (first.entries)
        dictionary = first.dictionary;
    if (!dictionary || (dictionary < room / 8 && keep + 4 * dictionary < room))
        return in_file;
    if (chunk->text_bytes >= 0 && rows > 0)
        return (double)chunk->text_bytes / (double)rows;
    if (!first.entries || first.dictionary / first.entries < in_file)
        return in_file;
    return (double)first.dictionary / (double)first.entries;
}

/* Bytes of one decoded value of a column, on average; views count with their text. */
static double decoded_width(pq_reader *r, const pq_open_group *g, uint32_t i)
{
    const pq_rcolumn *c = &r->cols[i];
    const pq_chunk *chunk = &g->chunks[c->place];
    const pq_leaf *l = pq_meta_leaf(r->meta, c->node->first_leaf);
    double fixed = l->field.type.width;

    if (!pq_node_is_leaf(c->node))
        return pq_nested_width(pq_meta_leaf(r->meta, 0), c->node, chunk, g->rows);

    if (type_is_view(&l->field.type))
        return text_width(r, chunk, c->node->first_leaf, g->rows) + fixed;
    return fixed < 1 ? 1 : fixed;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* In pieces of about the same length. The first piece has the dictionaries to load, and where order
 * counts threads take pieces in turn: their number lets another thread have the next first one. */
static uint32_t even_rows(const pq_reader *r, const pq_open_group *g, uint32_t most)
{
    uint64_t n = ((uint64_t)g->rows + most - 1) / most;

    if (n < 2)
        return most;
    while (!r->shape.any_order && common_divisor(n, r->shape.workers) > 1)
        n++;
    return (uint32_t)(((uint64_t)g->rows + n - 1) / n);
}

/* Rows of a morsel of this group, so that the consumer's bounds hold on average. */
static uint32_t rows_for(pq_reader *r, const pq_open_group *g)
{
    double widest = 1, sum = 1 + (double)r->shape.row_bytes, rows;

    for (uint32_t i = 0; i < r->n; i++) {
        double w = decoded_width(r, g, i);
        sum += w;
        widest = w > widest ? w : widest;
    }
    rows = (double)r->shape.column_bytes / widest;
    if (r->shape.batch_bytes && (double)r->shape.batch_bytes / sum < rows)
        rows = (double)r->shape.batch_bytes / sum;
    if (rows > r->shape.max_rows)
        rows = r->shape.max_rows;
    return even_rows(r, g, rows < 1 ? 1 : (uint32_t)rows);
}

static pq_morsel *morsel_take(pq_reader *r, nrw_error *err)
{
    pq_morsel *m;

    pthread_mutex_lock(&r->lock);
    m = r->free;
    if (m)
        r->free = m->next_free;
    pthread_mutex_unlock(&r->lock);
    if (!m && mem_alloc(r->grant, sizeof *m, (void **)&m, err) < 0)
        return NULL;
    return m;
}

void pq_morsel_free(pq_reader *r, pq_morsel *m)
{
    atomic_fetch_sub_explicit(&m->group->lane->under_way, 1, memory_order_relaxed);
    pq_group_unref(r, m->group);
    pthread_mutex_lock(&r->lock);
    m->next_free = r->free;
    r->free = m;
    pthread_mutex_unlock(&r->lock);
}

/* The stretches of a row group that are read: all of it where there is no filter. */
static nrw_status stretches_of(pq_reader *r, int32_t index, nrw_error *err)
{
    pq_row_group info;

    TRY(pq_meta_row_group(r->meta, index, &info, err));
    r->first_row = info.first_row;
    r->stretch = 0;
    if (r->prune)
        return pq_prune_group(r->prune, index, &r->stretches, err);
    r->all_rows = (pq_rows){0, info.rows};
    r->all = (pq_row_set){.n = info.rows > 0, .at = &r->all_rows};
    r->stretches = &r->all;
    return NRW_OK;
}

static void next_stretch(pq_reader *r)
{
    const pq_rows *rows = &r->stretches->at[r->stretch++];

    r->at = rows->from;
    r->end = rows->to;
}

/* One that nobody is in, or else the one after the last row group's. */
static pq_lane *next_lane(pq_reader *r, const pq_lane *last)
{
    uint32_t next = last ? ((uint32_t)(last - r->lanes) + 1) % r->n_lanes : 0;

    for (uint32_t i = 0; i < r->n_lanes; i++) {
        pq_lane *l = &r->lanes[(next + i) % r->n_lanes];
        if (!atomic_load_explicit(&l->under_way, memory_order_relaxed))
            return l;
    }
    return &r->lanes[next];
}

static nrw_status next_group(pq_reader *r, nrw_error *err)
{
    const pq_lane *last = r->group ? r->group->lane : NULL;

    pq_group_unref(r, r->group);
    r->group = NULL;
    do {
        if (r->next_group >= pq_meta_row_groups(r->meta))
            return NRW_END;
        TRY(stretches_of(r, r->next_group++, err));
    } while (r->stretches->n == 0);
    TRY(group_open(r, r->next_group - 1, &r->group, err));
    r->group->batch_rows = rows_for(r, r->group);
    r->group->lane = next_lane(r, last);
    next_stretch(r);
    return NRW_OK;
}

/* Rows of the next morsel: a whole stretch, which one thread reads in batches, where threads need
 * not stay close to each other and there is a row group for each of them behind this one. */
static uint32_t morsel_rows(const pq_reader *r)
{
    const int64_t left = r->end - r->at, most = r->group->batch_rows;
    bool whole = r->shape.any_order && r->n_lanes == r->shape.workers && left <= MORSEL_MOST &&
                 pq_meta_row_groups(r->meta) - r->next_group >= (int32_t)r->n_lanes;

    return (uint32_t)(whole || left < most ? left : most);
}

nrw_status pq_reader_next(reader *base, batch *b, nrw_error *err)
{
    pq_reader *r = (pq_reader *)base;
    pq_morsel *m;

    if (r->group && r->at >= r->end && r->stretch < r->stretches->n)
        next_stretch(r);
    if (!r->group || r->at >= r->end) {
        nrw_status st = next_group(r, err);
        if (st != NRW_OK)
            return st;
    }
    m = morsel_take(r, err);
    if (!m)
        return err ? err->status : NRW_E_NOMEM;
    *m = (pq_morsel){.seq = r->group->lane->cut++, .row0 = r->at, .group = r->group};
    m->rows = morsel_rows(r);
    m->until = r->end;
    m->last = r->at + m->rows == r->end && r->stretch == r->stretches->n;
    atomic_init(&m->columns_left, r->n);
    atomic_fetch_add_explicit(&r->group->refs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->group->lane->under_way, 1, memory_order_relaxed);
    b->rows = m->rows;
    b->first_row = r->first_row + r->at;
    b->source = &pq_reader_columns;
    b->source_self = r;
    b->source_state = m;
    r->at += m->rows;
    if (r->n == 0) /* no column will ever say that it is done */
        pq_morsel_free(r, m);
    return NRW_OK;
}
