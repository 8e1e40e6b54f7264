/* Row groups copied as they are: chunk by chunk, in the order of the columns that are written, each
 * by windows, so that memory follows neither page nor row group. The writer's books (statistics,
 * page indexes, footer) are kept as for rows that were pushed. */
#include "format/parquet/keep_own.h"
#include "format/parquet/size_stats.h"

enum { WINDOW_LEAST = 64 << 10, WINDOW_MOST = 1 << 20 };

struct pq_keeper {
    const pq_keep *rule;
    pq_writer *w;
    pq_reader *r;
    mem *m;
    int32_t next;
};

budget parquet_keep_budget(const pq_keep *k)
{
    /* decoded, an index has six times its bytes at most; the footer of one file, other than the
     * first; window, header and a page's record, or a window for a bloom filter */
    const uint64_t fixed = (256 << 10) + 2 * WINDOW_LEAST + (64 << 10);
    budget b = {.least = fixed + 6 * k->index_bytes + k->stream, .spill = UINT64_MAX};
    b.wish = b.least + 4 * (uint64_t)WINDOW_MOST;
    return b;
}

pq_write_options parquet_keep_options(const pq_write_options *o)
{
    pq_write_options kept = *o;
    kept.page_bytes = kept.page_rows = 1024;
    kept.dictionary_bytes = 0;
    return kept;
}

nrw_status parquet_keep_open(const pq_keep *k, writer *w, reader *r, mem *grant, pq_keeper **out,
                             nrw_error *err)
{
    void *p;
    *out = NULL;
    TRY(mem_zalloc(grant, sizeof **out, &p, err));
    *out = p;
    **out = (pq_keeper){.rule = k, .w = (pq_writer *)w, .r = (pq_reader *)r, .m = grant};
    return NRW_OK;
}

void parquet_keep_close(pq_keeper *k)
{
    if (k)
        mem_free(k->m, k, sizeof *k);
}

/* ---- a chunk ---- */

static page_reader pages_of(const pq_keeper *k, const pq_chunk *c)
{
    size_t room = (size_t)(mem_room(k->m) / 4);
    return (page_reader){.m = k->m,
                         .s = k->w->spill,
                         .f = k->r->base.file,
                         .verify_crc = true,
                         .ahead_end = (uint64_t)c->end,
                         .read_ahead = size_max(WINDOW_LEAST, size_min(room, WINDOW_MOST)),
                         .headroom = PAGE_HEADROOM,
                         .at = (uint64_t)c->start,
                         .end = (uint64_t)c->end,
                         .codec_id = c->codec};
}

static nrw_status check_rows(const pq_keep_chunk *c, nrw_error *err)
{
    uint64_t end = target_size(c->w->target) - c->w->base_size;
    if (end - (uint64_t)c->at.start != c->to.compressed)
        return err_set(err, NRW_E_IO, "%llu bytes of a column chunk written, %llu copied",
                       (unsigned long long)(end - (uint64_t)c->at.start),
                       (unsigned long long)c->to.compressed);
    if (c->to.rows == c->rows)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT, "%lld rows in the pages of a row group of %lld",
                   (long long)c->to.rows, (long long)c->rows);
}

/* From the first page to the footer's entry. */
static nrw_status copy_chunk(pq_keeper *k, pq_keep_chunk *c, arena *a, nrw_error *err)
{
    pq_writer *w = k->w;
    TRY(pq_keep_index(c, a, err));
    page_reader pages = pages_of(k, &c->from);
    c->at.start = (int64_t)(target_size(w->target) - w->base_size);
    c->at.dictionary = -1;
    nrw_status st = pq_keep_pages(c, &pages, err);
    page_park(&pages);
    TRY(st);
    TRY(check_rows(c, err));
    c->at.data = c->at.start + c->to.dictionary.len;
    if (c->to.dictionary.len)
        c->at.dictionary = c->at.start;
    TRY(pq_keep_statistics(c, err));
    TRY(pq_keep_sizes(c, err));
    TRY(pq_keep_bloom(c, err));
    TRY(pq_write_indexes(w, c->out, &c->to, &c->at, err));
    return pq_footer_chunk(w, c->out, &c->to, &c->at, err);
}

static nrw_status keep_chunk(pq_keeper *k, uint32_t leaf, uint32_t out, pq_wgroup *g,
                             uint64_t *pages, nrw_error *err)
{
    pq_writer *w = k->w;
    pq_keep_chunk c = {.w = w,
                       .meta = k->r->meta,
                       .file = k->r->base.file,
                       .m = k->m,
                       .leaf = pq_meta_leaf(k->r->meta, leaf),
                       .out = out,
                       .rows = g->rows,
                       .to.unsized = true,
                       .to.pages_unsized = true};
    arena *a = NULL;
    TRY(arena_new(k->m, &a, err));
    nrw_status st = pq_meta_chunk(k->r->meta, k->next, leaf, a, &c.from, err);
    if (st >= 0)
        st = copy_chunk(k, &c, a, err);
    g->uncompressed += c.to.uncompressed;
    g->compressed += c.to.compressed;
    w->encoded += c.to.encoded;
    *pages += (uint64_t)c.pages;
    pq_log_release(&w->env, &c.to.records);
    mem_free(w->m, c.to.stats, c.to.stats_len);
    mem_free(w->m, c.to.level_counts,
             pq_level_counts(&w->leaves.at[out]) * sizeof *c.to.level_counts);
    arena_free(a);
    return st;
}

/* ---- a row group ---- */

static nrw_status keep_columns(pq_keeper *k, pq_wgroup *g, uint64_t *pages, nrw_error *err)
{
    pq_writer *w = k->w;
    for (uint32_t i = 0; i < w->n_columns; i++) {
        const pq_node *n = pq_meta_column(k->r->meta, k->rule->cols[i]);
        for (uint32_t j = 0; j < n->n_leaves; j++) {
            nrw_status st =
                keep_chunk(k, n->first_leaf + j, w->leaves.first[i] + j, g, &pages[i], err);
            if (st >= 0)
                continue;
            err_at_object(err, k->r->base.file->name);
            err_at_row_group(err, k->next);
            err_at_column(err, n->field.name);
            return st;
        }
    }
    return NRW_OK;
}

nrw_status parquet_keep_group(pq_keeper *k, int64_t *rows, uint64_t *pages, nrw_error *err)
{
    pq_writer *w = k->w;
    pq_row_group from;
    pq_wgroup g = {.start = (int64_t)(target_size(w->target) - w->base_size)};
    if (k->next >= pq_meta_row_groups(k->r->meta))
        return NRW_END;
    TRY(pq_meta_row_group(k->r->meta, k->next, &from, err));
    g.rows = *rows = from.rows;
    TRY(keep_columns(k, &g, pages, err));
    TRY(pq_footer_group(w, g.rows, g.start, g.uncompressed, g.compressed, err));
    w->rows += g.rows;
    w->file_rows += g.rows;
    w->row_groups++;
    k->next++;
    return NRW_OK;
}
