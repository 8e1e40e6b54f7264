/* The Parquet reader: cuts row groups into morsels, and serves their columns lazily.
 *
 * A morsel is a range of rows inside one row group. Cutting it costs nothing: no page is looked at.
 * Each chosen column owns a turn and one chunk reader, which moves forward through the column's
 * chunk. The thread that carries morsel k waits for the column's turn, reads the morsel's rows and
 * lets morsel k + 1 go on; meanwhile other threads are at other columns, or compress. So a row
 * group is decoded once, in order, by all threads together, and holds one page and one dictionary
 * per column however large it is.
 *
 * Where the grant is small for the number of columns, a chunk reader is parked (page and dictionary
 * dropped) whenever a morsel is done with it. */
#include "base/turn.h"
#include "codec/codec.h"
#include "format/parquet/chunk_read.h"
#include "format/parquet/nested_read.h"
#include "format/parquet/parquet.h"
#include "format/parquet/prune.h"

#include <pthread.h>
#include <stdlib.h>

/* What the morsels of one row group share; the cutter holds a reference, and each morsel one. */
typedef struct open_group {
    _Atomic uint32_t refs;
    int32_t index;
    int64_t rows;
    arena *a;
    pq_chunk *chunks; /* one per chosen leaf */
} open_group;

typedef struct morsel {
    uint64_t seq; /* in this reader */
    int64_t row0; /* in the row group */
    uint32_t rows;
    bool last;     /* of its row group */
    int64_t until; /* end of the stretch of rows that is read, in the row group */
    open_group *group;
    struct morsel *next_free;
    _Atomic uint32_t columns_left;
} morsel;

typedef struct column {
    turn turn;
    const pq_node *node;
    uint32_t place; /* of its first leaf among the chosen ones; the others follow */
    /* under the turn: */
    pq_chunk_reader *chunk; /* of a column that is one leaf */
    pq_nested *nested;      /* of any other */
    open_group *group;      /* of these */
    reader_counts closed;   /* of chunks already closed */
} column;

typedef struct pq_reader {
    reader base;
    mem *m;     /* books of the metadata */
    mem *grant; /* of reading */
    pq_meta *meta;
    spill *spill;
    uint32_t n;
    column *cols;
    uint32_t n_leaves;
    uint32_t *leaves; /* of the columns, rising, each once */
    uint32_t room;    /* for so many */
    batch_shape shape;
    pq_chunk_options chunk_options;
    bool park;
    bool counting; /* counters may be read: start succeeded */

    /* the cutter; one thread at a time */
    open_group *group;
    int32_t next_group;
    int64_t at, end;   /* rows in the group: the stretch being cut */
    int64_t first_row; /* of the group */
    pq_prune *prune;   /* NULL: all rows are read */
    pq_rows all_rows;
    pq_row_set all;
    const pq_row_set *stretches; /* of the group; `stretch` of them are begun */
    uint32_t stretch;
    uint32_t cut_rows;
    uint64_t seq;

    pthread_mutex_t lock; /* free list, counters of closed chunks */
    morsel *free;
} pq_reader;

static const column_source parquet_columns;

static const schema *reader_schema(const reader *base)
{
    return pq_meta_schema(((const pq_reader *)base)->meta);
}

static int64_t reader_rows(const reader *base)
{
    return pq_meta_rows(((const pq_reader *)base)->meta);
}

static void group_unref(pq_reader *r, open_group *g)
{
    if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) != 1)
        return;
    mem_free(r->grant, g->chunks, r->room * sizeof *g->chunks);
    arena_free(g->a);
    mem_free(r->grant, g, sizeof *g);
}

static nrw_status group_open(pq_reader *r, int32_t index, open_group **out, nrw_error *err)
{
    open_group *g = NULL;
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

/* Bytes of one decoded value of a column, on average; views count with their text. */
static double decoded_width(const pq_reader *r, const open_group *g, uint32_t i)
{
    const column *c = &r->cols[i];
    const pq_chunk *chunk = &g->chunks[c->place];
    const pq_leaf *l = pq_meta_leaf(r->meta, c->node->first_leaf);
    double per_row = g->rows > 0 ? (double)chunk->uncompressed / (double)g->rows : 0;
    double fixed = l->field.type.width;

    if (!pq_node_is_leaf(c->node))
        return pq_nested_width(pq_meta_leaf(r->meta, 0), c->node, chunk, g->rows);

    if (type_is_view(&l->field.type))
        return per_row + fixed;
    return fixed < 1 ? 1 : fixed;
}

/* Rows of a morsel of this group, so that the consumer's bounds hold on average. */
static uint32_t rows_for(const pq_reader *r, const open_group *g)
{
    double widest = 1, sum = 1, rows;

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
    return rows < 1 ? 1 : (uint32_t)rows;
}

/* Bytes of a large page of the chunk: where an offset index tells about how many there are (an
 * entry has at most 20 bytes), twice the mean, else the whole chunk. */
static uint64_t large_page(const pq_chunk *c)
{
    uint64_t all = c->uncompressed < 0 ? UINT64_MAX : (uint64_t)c->uncompressed;
    uint64_t pages = c->offset_index_at < 0 ? 0 : (uint64_t)c->offset_index_len / 20;

    return pages < 4 ? all : size_max(all / pages * 2, (size_t)64 << 10);
}

/* What decoding a page of the chunk by stream takes: the decoder's own window (each frame says how
 * large; writers' usual choice is assumed, and never more than a page). */
static uint64_t stream_memory(const pq_chunk *c)
{
    const uint64_t kib = 1 << 10;
    uint64_t window, page = large_page(c);

    switch (c->codec) {
    case CODEC_NONE: return 0;
    case CODEC_ZSTD: window = 2048 * kib; break;
    case CODEC_BROTLI: window = 4096 * kib; break;
    default: return 160 * kib;
    }
    window = page < window ? page : window;
    if (c->codec == CODEC_ZSTD)
        return size_max(320 * kib + window, codec_by_id(c->codec)->decode_mem(window));
    /* brotli's ring, and prefix codes, which come to less than they could */
    return 320 * kib + window + (window < 3072 * kib ? window : 3072 * kib);
}

/* What columns need, by the first row group. */
typedef struct needs {
    uint64_t widest; /* of one column at work */
    uint64_t pages;  /* of all: their pages and dictionaries, as far as they are usual */
    uint64_t kept;   /* bookkeeping of all */
    uint32_t leaves; /* how many they have */
} needs;

static void need_leaf(needs *out, const pq_chunk *c, uint64_t least)
{
    uint64_t page = 1 << 20;

    if (stream_memory(c) + least > out->widest)
        out->widest = stream_memory(c) + least;
    if (c->uncompressed >= 0 && (uint64_t)c->uncompressed < page)
        page = (uint64_t)c->uncompressed;
    out->pages += 2 * page + (c->dictionary_page_offset >= 0 ? page : 0);
    out->kept += sizeof(pq_chunk) + 1024;
}

static nrw_status need_column(const pq_reader *r, const pq_node *n, arena *a, needs *out,
                              nrw_error *err)
{
    uint64_t least = pq_node_is_leaf(n) ? pq_chunk_least() : pq_nested_least(n);
    pq_chunk c;

    out->kept += sizeof(column);
    out->leaves += n->n_leaves;
    for (uint32_t i = 0; i < n->n_leaves; i++) {
        TRY(pq_meta_chunk(r->meta, 0, n->first_leaf + i, a, &c, err));
        need_leaf(out, &c, least);
    }
    return NRW_OK;
}

static nrw_status find_needs(const pq_reader *r, const uint32_t *cols, uint32_t n, needs *out,
                             nrw_error *err)
{
    nrw_status st = NRW_OK;
    arena *a = NULL;

    *out = (needs){.widest = pq_chunk_least()};
    for (uint32_t i = 0; i < n; i++) {
        const pq_node *node = pq_meta_column(r->meta, cols[i]);
        if (!node->no_leaf)
            continue;
        err_at_column(err, node->field.name);
        return err_set(err, NRW_E_UNSUPPORTED, "a group without fields cannot be read");
    }
    if (pq_meta_row_groups(r->meta) == 0 || n == 0) {
        out->kept = n * (sizeof(column) + sizeof(pq_chunk) + 1024);
        return NRW_OK;
    }
    TRY(arena_new(r->m, &a, err));
    for (uint32_t i = 0; i < n && st >= 0; i++)
        st = need_column(r, pq_meta_column(r->meta, cols[i]), a, out, err);
    arena_free(a);
    return st;
}

/* What a column at work can use: its window, a page, a dictionary and the values of that. */
#define AT_WORK ((uint64_t)6 << 20)

/* All columns stay open between morsels with so much; `pages` as find_needs says. */
static uint64_t columns_room(uint32_t n, uint64_t pages)
{
    return n * (uint64_t)(pq_chunk_least() + (16 << 10)) + pages / 2;
}

static nrw_status reader_budget(const reader *base, const uint32_t *cols, uint32_t n,
                                uint32_t workers, budget *out, nrw_error *err)
{
    const pq_reader *r = (const pq_reader *)base;
    uint64_t busy = n < workers ? n : workers;
    needs need;

    TRY(find_needs(r, cols, n, &need, err));
    /* a column keeps its bookkeeping; those at work, one for each thread, what decoding takes */
    out->least = need.kept + busy * need.widest + (64 << 10);
    /* where not all can be held, strips serve those that are parked: memory does more elsewhere */
    if (columns_room(need.leaves, need.pages) > mem_room(r->m) / 2)
        need.pages = busy * AT_WORK;
    out->wish = out->least + need.pages + busy * ((uint64_t)1 << 20);
    out->spill = UINT64_MAX;
    return NRW_OK;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Metadata are walked in the file's order, whatever the order of the columns. */
static nrw_status sort_leaves(pq_reader *r, nrw_error *err)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n; i++)
        if (__builtin_add_overflow(r->room, r->cols[i].node->n_leaves, &r->room))
            return err_set(err, NRW_E_ARG, "too many columns are chosen");
    TRY(mem_alloc(r->grant, r->room * sizeof *r->leaves, (void **)&r->leaves, err));
    for (uint32_t i = 0; i < r->n; i++)
        for (uint32_t k = 0; k < r->cols[i].node->n_leaves; k++)
            r->leaves[n++] = r->cols[i].node->first_leaf + k;
    qsort(r->leaves, n, sizeof *r->leaves, by_number);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || r->leaves[i] != r->leaves[r->n_leaves - 1])
            r->leaves[r->n_leaves++] = r->leaves[i];
    for (uint32_t i = 0; i < r->n; i++) {
        const uint32_t *at = bsearch(&r->cols[i].node->first_leaf, r->leaves, r->n_leaves,
                                     sizeof *r->leaves, by_number);
        r->cols[i].place = (uint32_t)(at - r->leaves);
    }
    return NRW_OK;
}

/* What the indexes of a row group may take while it is decided what to read of it. Pages leave it
 * free (headroom), so that it is there whenever a row group is cut; little beside what keeps
 * columns open between morsels, more where there is more. */
static uint64_t prune_room(uint64_t room, uint64_t columns)
{
    const uint64_t least = 128 << 10, most = 2 << 20;
    uint64_t more = room > columns ? (room - columns) / 4 : 0;

    return more > most ? most : more < least ? least : more;
}

static nrw_status reader_start(reader *base, const uint32_t *cols, uint32_t n,
                               const batch_shape *shape, mem *grant, spill *s, nrw_error *err)
{
    pq_reader *r = (pq_reader *)base;
    uint64_t share, at_work, open, pruning = 0;
    needs need;

    TRY(find_needs(r, cols, n, &need, err));
    r->grant = grant;
    r->spill = s;
    r->shape = *shape;
    TRY(mem_zalloc(grant, n * sizeof *r->cols, (void **)&r->cols, err));
    r->n = n;
    for (uint32_t i = 0; i < n; i++) {
        r->cols[i].node = pq_meta_column(r->meta, cols[i]);
        turn_init(&r->cols[i].turn);
    }
    TRY(sort_leaves(r, err));
    at_work = (n < shape->workers ? n : shape->workers) * need.widest;
    open = columns_room(r->n_leaves, need.pages);
    if (shape->filter) {
        pruning = prune_room(mem_room(grant), open + at_work);
        TRY(pq_prune_new(grant, r->meta, shape->filter, pruning, &r->prune, err));
    }
    share = mem_room(grant) / (r->n_leaves ? r->n_leaves : 1);
    r->chunk_options.meta = r->meta;
    /* columns stay open between morsels where all of them, with their pages, have room */
    r->park = mem_room(grant) < open;
    r->chunk_options.verify_crc = true;
    r->chunk_options.headroom = (size_t)(at_work + pruning);
    r->chunk_options.read_ahead = share / 8 > (256 << 10)  ? 256 << 10
                                  : share / 8 < (16 << 10) ? 16 << 10
                                                           : share / 8;
    r->counting = true;
    return NRW_OK;
}

static morsel *morsel_take(pq_reader *r, nrw_error *err)
{
    morsel *m;

    pthread_mutex_lock(&r->lock);
    m = r->free;
    if (m)
        r->free = m->next_free;
    pthread_mutex_unlock(&r->lock);
    if (!m && mem_alloc(r->grant, sizeof *m, (void **)&m, err) < 0)
        return NULL;
    return m;
}

static void morsel_free(pq_reader *r, morsel *m)
{
    group_unref(r, m->group);
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

static nrw_status next_group(pq_reader *r, nrw_error *err)
{
    group_unref(r, r->group);
    r->group = NULL;
    do {
        if (r->next_group >= pq_meta_row_groups(r->meta))
            return NRW_END;
        TRY(stretches_of(r, r->next_group++, err));
    } while (r->stretches->n == 0);
    TRY(group_open(r, r->next_group - 1, &r->group, err));
    r->cut_rows = rows_for(r, r->group);
    next_stretch(r);
    return NRW_OK;
}

static nrw_status reader_next(reader *base, batch *b, nrw_error *err)
{
    pq_reader *r = (pq_reader *)base;
    morsel *m;

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
    *m = (morsel){.seq = r->seq++, .row0 = r->at, .group = r->group};
    m->rows = (uint32_t)(r->end - r->at < r->cut_rows ? r->end - r->at : r->cut_rows);
    m->until = r->end;
    m->last = r->at + m->rows == r->end && r->stretch == r->stretches->n;
    atomic_init(&m->columns_left, r->n);
    atomic_fetch_add_explicit(&r->group->refs, 1, memory_order_relaxed);
    b->rows = m->rows;
    b->first_row = r->first_row + r->at;
    b->source = &parquet_columns;
    b->source_self = r;
    b->source_state = m;
    r->at += m->rows;
    if (r->n == 0) /* no column will ever say that it is done */
        morsel_free(r, m);
    return NRW_OK;
}

/* ---- a column's reader, of either kind ---- */

static void column_park(column *c)
{
    if (c->chunk)
        pq_chunk_park(c->chunk);
    if (c->nested)
        pq_nested_park(c->nested);
}

static void column_close(column *c)
{
    pq_chunk_close(c->chunk);
    pq_nested_close(c->nested);
    c->chunk = NULL;
    c->nested = NULL;
}

static void column_rest(column *c, reader_counts *n)
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

static nrw_status column_open(pq_reader *r, column *c, const open_group *g, nrw_error *err)
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
static void column_leave(pq_reader *r, column *c)
{
    reader_counts n;

    if (!c->group)
        return;
    column_rest(c, &n);
    pthread_mutex_lock(&r->lock);
    c->closed.pages_decompressed += n.pages_decompressed;
    c->closed.pages_skipped += n.pages_skipped;
    c->closed.bytes_decompressed += n.bytes_decompressed;
    pthread_mutex_unlock(&r->lock);
    if (r->park)
        column_close(c);
    group_unref(r, c->group);
    c->group = NULL;
}

/* The column's reader stands in the morsel's row group afterwards. */
static nrw_status column_enter(pq_reader *r, column *c, const morsel *m, nrw_error *err)
{
    if (c->group == m->group)
        return NRW_OK;
    column_leave(r, c);
    TRY(column_open(r, c, m->group, err));
    c->group = m->group;
    atomic_fetch_add_explicit(&c->group->refs, 1, memory_order_relaxed);
    return NRW_OK;
}

/* Columns that this morsel holds the turn of are this thread's alone: when memory is short, those
 * that are not at work give up their pages. Every thread does so before it reads, so what a column
 * at work needs (the headroom) is always there. */
static void park_others(pq_reader *r, const morsel *ms, uint32_t tag)
{
    for (uint32_t i = 0; i < r->n; i++) {
        column *c = &r->cols[i];
        if (i != tag && atomic_load_explicit(&c->turn.next, memory_order_acquire) == ms->seq)
            column_park(c);
    }
}

/* Where reading ahead stops: at the end of the stretch, or where the rows that are wanted end well
 * before the batch does. */
static int64_t read_until(const pq_reader *r, const morsel *ms, const batch *b, const uint16_t *sel,
                          uint32_t n_sel)
{
    uint32_t rows = n_sel ? sel[n_sel - 1] + 1u : b->rows;

    if (!r->prune || !sel || b->rows - rows < b->rows / 16)
        return ms->until;
    return ms->row0 + b->offset + rows;
}

static nrw_status columns_read(void *self, batch *b, uint32_t tag, uint32_t first,
                               uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                               uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    pq_reader *r = self;
    morsel *ms = b->source_state;
    column *c = &r->cols[tag];
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
        pq_chunk_ahead(c->chunk, r->park && !r->prune && b->offset + b->rows == ms->rows);
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
    morsel *ms = b->source_state;
    column *c = &r->cols[tag];

    /* who reads nothing of a column still has to let the others pass in order; a stopped turn
     * means the job has failed, and nobody waits any more */
    if (turn_wait(&c->turn, ms->seq) == NRW_OK) {
        if (c->group && r->park)
            column_park(c);
        if (ms->last && c->group == ms->group)
            column_leave(r, c);
        turn_done(&c->turn, ms->seq);
    }
    if (atomic_fetch_sub_explicit(&ms->columns_left, 1, memory_order_acq_rel) == 1)
        morsel_free(r, ms);
}

static const column_source parquet_columns = {.read = columns_read, .done = columns_done};

static void reader_counts_of(const reader *base, uint32_t col, reader_counts *out)
{
    const pq_reader *r = (const pq_reader *)base;

    *out = r->counting ? r->cols[col].closed : (reader_counts){0};
}

static void reader_pruned(const reader *base, prune_counts *out)
{
    const pq_reader *r = (const pq_reader *)base;

    *out = (prune_counts){0};
    if (r->prune)
        pq_prune_counts(r->prune, out);
}

static void reader_stop(reader *base)
{
    pq_reader *r = (pq_reader *)base;

    for (uint32_t i = 0; i < r->n; i++)
        turn_stop(&r->cols[i].turn);
}

static void reader_close(reader *base)
{
    pq_reader *r = (pq_reader *)base;

    if (!r)
        return;
    for (uint32_t i = 0; i < r->n; i++) {
        column_leave(r, &r->cols[i]);
        column_close(&r->cols[i]);
    }
    group_unref(r, r->group);
    while (r->free) {
        morsel *m = r->free;
        r->free = m->next_free;
        mem_free(r->grant, m, sizeof *m);
    }
    if (r->cols)
        mem_free(r->grant, r->cols, r->n * sizeof *r->cols);
    mem_free(r->grant, r->leaves, r->leaves ? r->room * sizeof *r->leaves : 0);
    pq_prune_free(r->prune);
    pq_meta_close(r->meta);
    file_close(r->base.file);
    pthread_mutex_destroy(&r->lock);
    mem_free(r->m, r, sizeof *r);
}

static const reader_class parquet_reader_class = {
    .name = "parquet",
    .schema = reader_schema,
    .rows = reader_rows,
    .budget = reader_budget,
    .start = reader_start,
    .next = reader_next,
    .counts = reader_counts_of,
    .pruned = reader_pruned,
    .describe = parquet_describe,
    .stop = reader_stop,
    .close = reader_close,
    .carries = parquet_carries,
    .bounds = parquet_bounds,
    .estimate = parquet_estimate,
    .find_damage = parquet_find_damage,
    .verify = parquet_verify,
    .spelled = parquet_spelled,
};

nrw_status parquet_open(mem *m, io_file *f, const pq_read_options *opts, reader **out,
                        nrw_error *err)
{
    pq_reader *r = NULL;
    nrw_status st;

    *out = NULL;
    st = mem_zalloc(m, sizeof *r, (void **)&r, err);
    if (st < 0) {
        file_close(f);
        return st;
    }
    r->base.class = &parquet_reader_class;
    r->base.file = f;
    r->m = m;
    pthread_mutex_init(&r->lock, NULL);
    st = pq_meta_open(m, f, opts, &r->meta, err);
    if (st < 0) {
        err_at_object(err, f->name);
        reader_close(&r->base);
        return st;
    }
    *out = &r->base;
    return NRW_OK;
}

pq_meta *parquet_reader_meta(reader *base)
{
    return ((pq_reader *)base)->meta;
}
