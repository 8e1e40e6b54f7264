/* Tables over the metadata. Columns are taken in blocks, each with one pass over all row groups,
 * so that neither many columns nor many row groups cost memory or repeated walks. */
#include "format/parquet/inspect.h"

#include "format/parquet/meta_priv.h"
#include "format/parquet/page_walk.h"

enum { BLOCK = 1024 };

/* ---- blocks of columns ---- */
typedef struct block {
    uint32_t n;
    uint32_t leaves[BLOCK];
    pq_chunk chunks[BLOCK];
} block;

static void block_of(block *b, uint32_t first, uint32_t n_leaves)
{
    b->n = n_leaves - first < BLOCK ? n_leaves - first : BLOCK;
    for (uint32_t i = 0; i < b->n; i++)
        b->leaves[i] = first + i;
}

static nrw_status block_new(mem *m, block **out, nrw_error *err)
{
    void *p;
    *out = NULL;
    TRY(mem_zalloc(m, sizeof(block), &p, err));
    *out = p;
    return NRW_OK;
}

static bool has_index(int64_t at)
{
    return at >= 0;
}

static uint32_t codec_bit(const pq_chunk *c)
{
    return c->codec >= 0 && c->codec < 32 ? 1u << c->codec : 0;
}

/* ---- file ---- */
static void add_to_file(pq_file_info *out, const pq_chunk *c)
{
    out->codecs |= codec_bit(c);
    out->compressed += c->compressed;
    out->uncompressed += c->uncompressed;
    out->offset_indexes += has_index(c->offset_index_at);
    out->column_indexes += has_index(c->column_index_at);
    out->bloom_filters += has_index(c->bloom_at);
}

static nrw_status sum_file(pq_meta *p, block *b, pq_file_info *out, nrw_error *err)
{
    for (int32_t rg = 0; rg < (int32_t)p->n_groups; rg++)
        for (uint32_t first = 0; first < p->n_leaves; first += b->n) {
            block_of(b, first, p->n_leaves);
            TRY(pq_meta_chunks(p, rg, b->leaves, b->n, NULL, b->chunks, err));
            for (uint32_t i = 0; i < b->n; i++)
                add_to_file(out, &b->chunks[i]);
        }
    return NRW_OK;
}

nrw_status pq_inspect_file(pq_meta *p, mem *m, pq_file_info *out, nrw_error *err)
{
    block *b;
    *out = (pq_file_info){.name = p->f->name,
                          .bytes = p->f->size,
                          .footer_bytes = p->footer_len,
                          .rows = p->rows,
                          .row_groups = (int32_t)p->n_groups,
                          .version = p->version,
                          .columns = p->n_leaves,
                          .created_by = p->created_by};
    nrw_status st = block_new(m, &b, err);
    if (st >= 0)
        st = sum_file(p, b, out, err);
    mem_free(m, b, sizeof(block));
    if (st < 0)
        *out = (pq_file_info){0};
    return st;
}

/* ---- columns ---- */
typedef struct column_sum {
    pq_column_info info;
    bytes min, max;
    bytes counts[2];                     /* of levels */
    bool lost_min, lost_max, lost_nulls; /* a row group did not say it */
    bool lost_text, lost_counts[2];
} column_sum;

typedef struct column_block {
    mem *m;
    block b;
    column_sum sums[BLOCK];
} column_block;

static nrw_status take_bound(bytes *kept, bool *has, span v, bool better, nrw_error *err)
{
    if (*has && !better)
        return NRW_OK;
    bytes_clear(kept);
    TRY(bytes_append(kept, v.data, v.len, err));
    *has = true;
    return NRW_OK;
}

static nrw_status add_bounds(column_sum *s, const pq_chunk *c, nrw_error *err)
{
    const pq_statistics *t = &c->stats;
    const pq_leaf *l = s->info.column;
    /* A chunk of nulls alone has no bounds and needs none. */
    if (c->n_values == 0 || (t->has_null_count && t->null_count == c->n_values))
        return NRW_OK;
    s->lost_min = s->lost_min || !t->has_min;
    s->lost_max = s->lost_max || !t->has_max;
    if (t->has_min && !s->lost_min) {
        span now = {s->min.data, s->min.len};
        bool better = s->info.has_min && pq_value_compare(l, t->min, now) < 0;
        TRY(take_bound(&s->min, &s->info.has_min, t->min, better, err));
    }
    if (t->has_max && !s->lost_max) {
        span now = {s->max.data, s->max.len};
        bool better = s->info.has_max && pq_value_compare(l, t->max, now) > 0;
        TRY(take_bound(&s->max, &s->info.has_max, t->max, better, err));
    }
    return NRW_OK;
}

static nrw_status add_counts(column_sum *s, const pq_chunk *c, int kind, nrw_error *err)
{
    uint32_t n = c->n_level_counts[kind];
    bytes *to = &s->counts[kind];
    if (!n)
        s->lost_counts[kind] = true;
    if (!n || s->lost_counts[kind])
        return NRW_OK;
    if (!to->len)
        return bytes_append(to, c->level_counts[kind], n * sizeof(int64_t), err);
    uint64_t *sums = (uint64_t *)(void *)to->data;
    for (uint32_t i = 0; i < n; i++) /* counts may be lies that pass all bounds */
        sums[i] += (uint64_t)c->level_counts[kind][i];
    return NRW_OK;
}

static nrw_status add_sizes(column_sum *s, const pq_chunk *c, nrw_error *err)
{
    s->lost_text |= c->text_bytes < 0;
    if (!s->lost_text)
        s->info.text_bytes = (int64_t)((uint64_t)s->info.text_bytes + (uint64_t)c->text_bytes);
    TRY(add_counts(s, c, 0, err));
    return add_counts(s, c, 1, err);
}

static nrw_status add_chunk(column_sum *s, const pq_chunk *c, nrw_error *err)
{
    pq_column_info *i = &s->info;
    i->codecs |= codec_bit(c);
    i->encodings |= c->encodings;
    i->compressed += c->compressed;
    i->uncompressed += c->uncompressed;
    i->values += c->n_values;
    i->offset_indexes += has_index(c->offset_index_at);
    i->column_indexes += has_index(c->column_index_at);
    i->bloom_filters += has_index(c->bloom_at);
    if (c->stats.has_null_count)
        i->nulls += c->stats.null_count;
    else if (i->column->max_def > 0)
        s->lost_nulls = true;
    TRY(add_sizes(s, c, err));
    return add_bounds(s, c, err);
}

static nrw_status sum_block(pq_meta *p, column_block *cb, nrw_error *err)
{
    for (int32_t rg = 0; rg < (int32_t)p->n_groups; rg++) {
        arena *a;
        TRY(arena_new(cb->m, &a, err));
        nrw_status st = pq_meta_chunks(p, rg, cb->b.leaves, cb->b.n, a, cb->b.chunks, err);
        for (uint32_t i = 0; st >= 0 && i < cb->b.n; i++)
            st = add_chunk(&cb->sums[i], &cb->b.chunks[i], err);
        arena_free(a);
        TRY(st);
    }
    return NRW_OK;
}

static nrw_status give_block(const pq_meta *p, column_block *cb,
                             nrw_status (*row)(void *self, const pq_column_info *c, nrw_error *err),
                             void *self, nrw_error *err)
{
    for (uint32_t i = 0; i < cb->b.n; i++) {
        column_sum *s = &cb->sums[i];
        s->info.has_min = s->info.has_min && !s->lost_min;
        s->info.has_max = s->info.has_max && !s->lost_max;
        s->info.min = (span){s->min.data, s->min.len};
        s->info.max = (span){s->max.data, s->max.len};
        if (s->lost_nulls)
            s->info.nulls = -1;
        if (s->lost_text || p->n_groups == 0)
            s->info.text_bytes = -1;
        for (int k = 0; k < 2; k++) {
            s->info.n_level_counts[k] =
                s->lost_counts[k] ? 0 : (uint32_t)(s->counts[k].len / sizeof(int64_t));
            s->info.level_counts[k] = (int64_t *)(void *)s->counts[k].data;
        }
        TRY(row(self, &s->info, err));
    }
    return NRW_OK;
}

static void start_block(pq_meta *p, column_block *cb, uint32_t first)
{
    block_of(&cb->b, first, p->n_leaves);
    for (uint32_t i = 0; i < cb->b.n; i++) {
        const bytes empty = bytes_init(cb->m, PQ_BOUND_MAX);
        cb->sums[i] = (column_sum){.min = empty, .max = empty, .counts = {empty, empty}};
        cb->sums[i].info.leaf = first + i;
        cb->sums[i].info.column = &p->leaves[first + i];
    }
}

static void end_block(column_block *cb)
{
    for (uint32_t i = 0; i < cb->b.n; i++) {
        bytes_release(&cb->sums[i].min);
        bytes_release(&cb->sums[i].max);
        bytes_release(&cb->sums[i].counts[0]);
        bytes_release(&cb->sums[i].counts[1]);
    }
}

nrw_status pq_inspect_columns(pq_meta *p, mem *m,
                              nrw_status (*row)(void *self, const pq_column_info *c,
                                                nrw_error *err),
                              void *self, nrw_error *err)
{
    void *block;
    nrw_status st = NRW_OK;
    TRY(mem_zalloc(m, sizeof(column_block), &block, err));
    column_block *cb = block;
    cb->m = m;
    for (uint32_t first = 0; st >= 0 && first < p->n_leaves; first += BLOCK) {
        start_block(p, cb, first);
        st = sum_block(p, cb, err);
        if (st >= 0)
            st = give_block(p, cb, row, self, err);
        end_block(cb);
    }
    mem_free(m, cb, sizeof *cb);
    return st;
}

/* ---- row groups ---- */
static void add_to_group(pq_group_info *g, const pq_chunk *c)
{
    g->codecs |= codec_bit(c);
    g->encodings |= c->encodings;
    g->compressed += c->compressed;
    g->uncompressed += c->uncompressed;
    if (c->end <= c->start)
        return;
    if (g->start < 0 || c->start < g->start)
        g->start = c->start;
    if (c->end > g->end)
        g->end = c->end;
}

static nrw_status sum_group(pq_meta *p, int32_t rg, block *b, arena *a, pq_group_info *g,
                            nrw_error *err)
{
    pq_row_group pos;
    pq_sorting *sorting;
    TRY(pq_meta_row_group(p, rg, &pos, err));
    *g = (pq_group_info){.row_group = rg,
                         .rows = pos.rows,
                         .first_row = pos.first_row,
                         .total_bytes = pos.total_bytes,
                         .start = -1,
                         .end = -1};
    for (uint32_t first = 0; first < p->n_leaves; first += b->n) {
        block_of(b, first, p->n_leaves);
        TRY(pq_meta_chunks(p, rg, b->leaves, b->n, NULL, b->chunks, err));
        for (uint32_t i = 0; i < b->n; i++)
            add_to_group(g, &b->chunks[i]);
    }
    TRY(pq_meta_sorting(p, rg, a, &g->n_sorting, &sorting, err));
    g->sorting = sorting;
    return NRW_OK;
}

nrw_status pq_inspect_groups(pq_meta *p, mem *m,
                             nrw_status (*row)(void *self, const pq_group_info *g, nrw_error *err),
                             void *self, nrw_error *err)
{
    block *b;
    nrw_status st = NRW_OK;
    TRY(block_new(m, &b, err));
    for (int32_t rg = 0; st >= 0 && rg < (int32_t)p->n_groups; rg++) {
        pq_group_info g;
        arena *a;
        st = arena_new(m, &a, err);
        if (st < 0)
            break;
        st = sum_group(p, rg, b, a, &g, err);
        if (st >= 0)
            st = row(self, &g, err);
        arena_free(a);
    }
    mem_free(m, b, sizeof(block));
    return st;
}

/* ---- pages ---- */
typedef struct page_table {
    pq_meta *p;
    mem *m;
    nrw_status (*row)(void *self, const pq_page_info *i, nrw_error *err);
    void *self;
} page_table;

static nrw_status hand_on(nrw_error *err, const nrw_error *what)
{
    if (err)
        *err = *what;
    return what->status;
}

/* What the indexes say of a data page; a damaged index is left out, verify tells of it. */
typedef struct page_indexes {
    pq_column_index columns;
    pq_page_place *places;
    uint32_t n_places;
} page_indexes;

static nrw_status read_indexes(const page_table *t, const pq_chunk *c, int64_t rows, arena *a,
                               page_indexes *out, nrw_error *err)
{
    nrw_status st;
    *out = (page_indexes){0};
    if (c->column_index_at >= 0) {
        nrw_error what = NRW_ERROR_INIT;
        st = pq_column_index_read(t->p, c, a, &out->columns, &what);
        if (st < 0 && st != NRW_E_CORRUPT)
            return hand_on(err, &what);
    }
    if (c->offset_index_at >= 0) {
        nrw_error what = NRW_ERROR_INIT;
        st = pq_offset_index(t->p, c, rows, a, &out->n_places, &out->places, &what);
        if (st < 0 && st != NRW_E_CORRUPT)
            return hand_on(err, &what);
    }
    return NRW_OK;
}

static void fill_from_indexes(const page_indexes *x, pq_page_info *i)
{
    if (i->ordinal < 0)
        return;
    const pq_column_index *c = &x->columns;
    if (i->ordinal < x->n_places)
        i->first_row = x->places[i->ordinal].first_row;
    if (i->ordinal >= c->n)
        return;
    if (c->has_null_counts && i->nulls < 0)
        i->nulls = c->null_counts[i->ordinal];
    if (c->null_page[i->ordinal])
        return;
    i->has_min = i->has_max = true;
    i->min = c->min[i->ordinal];
    i->max = c->max[i->ordinal];
}

static nrw_status chunk_pages(const page_table *t, int32_t rg, uint32_t leaf, const pq_chunk *c,
                              const page_indexes *x, nrw_error *err)
{
    pq_page_walk w;
    pq_page_at at;
    const pq_leaf *l = &t->p->leaves[leaf];
    nrw_status st;
    TRY(pq_page_walk_open(t->m, t->p->f, c, &w, err));
    while ((st = pq_page_walk_next(&w, &at, err)) == NRW_OK) {
        pq_page_info i = {.row_group = rg,
                          .leaf = leaf,
                          .column = l,
                          .ordinal = at.ordinal,
                          .offset = at.offset,
                          .page = at.page,
                          .first_row = at.ordinal >= 0 && l->max_rep == 0 ? at.first : -1,
                          .nulls = at.ordinal < 0 ? -1 : at.page.n_nulls};
        if (i.nulls < 0 && at.ordinal >= 0 && l->max_def == 0)
            i.nulls = 0;
        fill_from_indexes(x, &i);
        st = t->row(t->self, &i, err);
        if (st < 0)
            break;
    }
    pq_page_walk_close(&w);
    if (st < 0) {
        err_at_row_group(err, rg);
        err_at_column(err, l->path);
        return st;
    }
    return NRW_OK;
}

static nrw_status column_pages(const page_table *t, int32_t rg, uint32_t leaf, nrw_error *err)
{
    pq_row_group g;
    pq_chunk c;
    page_indexes x;
    arena *a;
    TRY(pq_meta_row_group(t->p, rg, &g, err));
    TRY(arena_new(t->m, &a, err));
    nrw_status st = pq_meta_chunk(t->p, rg, leaf, a, &c, err);
    if (st >= 0) {
        st = read_indexes(t, &c, g.rows, a, &x, err);
        if (st >= 0)
            st = chunk_pages(t, rg, leaf, &c, &x, err);
    }
    arena_free(a);
    return st;
}

nrw_status pq_inspect_pages(pq_meta *p, mem *m,
                            nrw_status (*row)(void *self, const pq_page_info *i, nrw_error *err),
                            void *self, nrw_error *err)
{
    page_table t = {p, m, row, self};
    for (int32_t rg = 0; rg < (int32_t)p->n_groups; rg++)
        for (uint32_t leaf = 0; leaf < p->n_leaves; leaf++)
            TRY(column_pages(&t, rg, leaf, err));
    return NRW_OK;
}
