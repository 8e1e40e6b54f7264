/* Row groups while they are filled, and how they leave: pages get a slot in the column's turn, are
 * compressed by anybody, and move to their chunk in order. A complete row group is spliced to the
 * target chunk by chunk, dictionary first, each by whoever has a moment: a thread that spliced it
 * whole would keep its morsel's columns from the others meanwhile. */
#include "format/parquet/bloom_write.h"
#include "format/parquet/index_write.h"
#include "format/parquet/size_stats.h"
#include "format/parquet/writer_own.h"

static void release_slots(pq_writer *w, pq_wchunk *c)
{
    for (uint32_t i = 0; i < c->n_slots; i++) {
        pq_part_release(&w->env, &c->slots[i].part);
        mem_free(w->m, c->slots[i].small, c->slots[i].small_len);
        mem_free(w->m, c->slots[i].record, c->slots[i].record_len);
    }
    mem_free(w->m, c->slots, c->cap_slots * sizeof *c->slots);
    c->slots = NULL;
    c->n_slots = c->cap_slots = 0;
}

static void release_chunk(pq_writer *w, uint32_t leaf, pq_wchunk *c)
{
    uint32_t counts = pq_level_counts(&w->leaves.at[leaf]);
    release_slots(w, c);
    pq_log_release(&w->env, &c->data);
    pq_log_release(&w->env, &c->records);
    pq_log_release(&w->env, &c->hashes);
    pq_part_release(&w->env, &c->dictionary);
    mem_free(w->m, c->stats, c->stats_len);
    mem_free(w->m, c->level_counts, counts * sizeof *c->level_counts);
    *c = (pq_wchunk){0};
}

void pq_groups_release(pq_writer *w)
{
    for (int i = 0; i < PQ_GROUPS; i++) {
        pq_wgroup *g = &w->groups[i];
        for (uint32_t c = 0; g->chunks && c < w->leaves.n; c++)
            release_chunk(w, c, &g->chunks[c]);
        mem_free(w->m, g->chunks, w->cap_leaves * sizeof *g->chunks);
        g->chunks = NULL;
    }
}

/* ---- pages ---- */

nrw_status pq_count_encoding(pq_wchunk *c, pq_encoding e, nrw_error *err)
{
    uint8_t i = 0;
    while (i < c->n_encodings && c->encodings[i] != e)
        i++;
    if (i == PQ_ENCODINGS)
        return err_set(err, NRW_E_CORRUPT, "a column chunk of more than %d encodings",
                       PQ_ENCODINGS);
    if (i == c->n_encodings)
        c->encodings[c->n_encodings++] = (uint8_t)e;
    c->pages[i]++;
    return NRW_OK;
}

static nrw_status add_slot(pq_writer *w, pq_wchunk *c, uint8_t *record, uint32_t record_len,
                           nrw_error *err)
{
    if (c->n_slots == c->cap_slots) {
        uint32_t cap = c->cap_slots ? 2 * c->cap_slots : 2;
        void *at = c->slots;
        TRY(mem_realloc(w->m, &at, c->cap_slots * sizeof *c->slots, cap * sizeof *c->slots, err));
        c->slots = at;
        c->cap_slots = cap;
    }
    c->slots[c->n_slots++] = (pq_slot){.record = record, .record_len = record_len};
    return NRW_OK;
}

/* Sizes of a page join those of its chunk. Under the lock. */
static nrw_status add_sizes(pq_writer *w, pq_wchunk *c, const pq_page_out *p, nrw_error *err)
{
    const uint32_t *counts = (const uint32_t *)(const void *)p->levels.data;
    size_t n = p->levels.len / sizeof *counts;
    c->text_bytes += p->text_bytes;
    if (n && !c->level_counts) {
        void *at = NULL;
        TRY(mem_zalloc(w->m, n * sizeof *c->level_counts, &at, err));
        c->level_counts = at;
    }
    for (size_t i = 0; i < n; i++)
        c->level_counts[i] += counts[i];
    return NRW_OK;
}

/* In pieces that can be read back one at a time; large ones become parts outside of the lock. */
static nrw_status keep_hashes(pq_writer *w, pq_wchunk *c, const pq_page_out *p, nrw_error *err)
{
    size_t len = p->hashes ? p->hashes->len : 0, n;
    for (size_t at = 0; at < len; at += n) {
        n = size_min(len - at, PQ_BLOOM_PIECE);
        span piece = {p->hashes->data + at, n};
        bool large = n >= w->env.tail_max / 2;
        pq_part part = {0};
        if (large)
            TRY(pq_part_new(&w->env, piece, &part, err));
        pthread_mutex_lock(&w->lock);
        nrw_status st = large ? pq_log_adopt(&w->env, &c->hashes, &part, err)
                              : pq_log_append(&w->env, &c->hashes, piece, err);
        pthread_mutex_unlock(&w->lock);
        TRY(st);
    }
    return NRW_OK;
}

nrw_status pq_group_reserve(pq_writer *w, uint64_t group, uint32_t leaf, const pq_page_out *p,
                            uint32_t *slot, nrw_error *err)
{
    pq_wgroup *g = pq_group_at(w, group);
    pq_wchunk *c = &g->chunks[leaf];
    *slot = 0;
    if (p->type == PQ_DICTIONARY_PAGE) {
        pthread_mutex_lock(&w->lock);
        c->dictionary_encoding = (uint8_t)p->encoding;
        g->pending++;
        pthread_mutex_unlock(&w->lock);
        return NRW_OK;
    }
    uint8_t *record = NULL;
    uint32_t len = 0;
    TRY(keep_hashes(w, c, p, err));
    if (w->opts->page_index)
        TRY(pq_page_record_new(w->m, pq_leaf_type(w, leaf), w->opts->statistics_truncate, p,
                               &record, &len, err));
    pthread_mutex_lock(&w->lock);
    nrw_status st = pq_count_encoding(c, p->encoding, err);
    if (st == NRW_OK)
        st = add_sizes(w, c, p, err);
    if (st == NRW_OK)
        st = add_slot(w, c, record, len, err);
    if (st == NRW_OK) {
        *slot = c->first_slot + c->n_slots - 1;
        c->rows += p->records;
        c->values += p->rows;
        g->pending++;
    }
    pthread_mutex_unlock(&w->lock);
    if (st < 0)
        mem_free(w->m, record, len);
    return st;
}

/* Moves what is done at the head of the slots into the chunk's logs. */
static nrw_status drain(pq_writer *w, pq_wchunk *c, nrw_error *err)
{
    uint32_t n = 0;
    nrw_status st = NRW_OK;
    for (; n < c->n_slots && c->slots[n].done && st == NRW_OK; n++) {
        pq_slot *s = &c->slots[n];
        if (s->part.len)
            st = pq_log_adopt(&w->env, &c->data, &s->part, err);
        else if (s->small)
            st = pq_log_append(&w->env, &c->data, (span){s->small, s->small_len}, err);
        if (st == NRW_OK && s->record)
            st = pq_log_append(&w->env, &c->records, (span){s->record, s->record_len}, err);
        mem_free(w->m, s->small, s->small_len);
        mem_free(w->m, s->record, s->record_len);
    }
    c->first_slot += n;
    c->n_slots -= n;
    memmove(c->slots, c->slots + n, c->n_slots * sizeof *c->slots);
    if (!c->n_slots)
        release_slots(w, c);
    return st;
}

/* Small pages go to the log as bytes, so that they share parts: at once where it is their turn,
 * else from a copy in the slot. Others become parts of their own, outside of the lock. */
static nrw_status keep_page(pq_writer *w, pq_wchunk *c, uint32_t slot, span page, nrw_error *err)
{
    if (page.len >= w->env.tail_max / 2) {
        pq_part part;
        pthread_mutex_unlock(&w->lock);
        nrw_status st = pq_part_new(&w->env, page, &part, err);
        pthread_mutex_lock(&w->lock);
        if (st == NRW_OK)
            c->slots[slot - c->first_slot].part = part;
        return st;
    }
    if (slot == c->first_slot)
        return pq_log_append(&w->env, &c->data, page, err);
    void *copy = NULL;
    TRY(mem_alloc(w->m, page.len, &copy, err));
    memcpy(copy, page.data, page.len);
    c->slots[slot - c->first_slot].small = copy;
    c->slots[slot - c->first_slot].small_len = (uint32_t)page.len;
    return NRW_OK;
}

static nrw_status store_data(pq_writer *w, pq_wchunk *c, uint32_t slot, span page, nrw_error *err)
{
    TRY(keep_page(w, c, slot, page, err));
    pq_slot *s = &c->slots[slot - c->first_slot];
    s->done = true;
    if (s->record)
        store_u32(s->record, (uint32_t)page.len);
    return drain(w, c, err);
}

nrw_status pq_group_store(pq_writer *w, const pq_pending *p, span page, uint32_t header_len,
                          nrw_error *err)
{
    pq_wgroup *g = pq_group_at(w, p->group);
    pq_wchunk *c = &g->chunks[p->leaf];
    pq_part dictionary = {0};
    nrw_status st = NRW_OK;
    if (p->page.type == PQ_DICTIONARY_PAGE)
        TRY(pq_part_new(&w->env, page, &dictionary, err));
    pthread_mutex_lock(&w->lock);
    if (p->page.type == PQ_DICTIONARY_PAGE)
        c->dictionary = dictionary;
    else
        st = store_data(w, c, p->slot, page, err);
    if (st == NRW_OK) {
        c->compressed += page.len;
        c->encoded += p->page.body->len;
        c->uncompressed += header_len + p->page.body->len;
        g->pending--;
    }
    pthread_mutex_unlock(&w->lock);
    return st;
}

nrw_status pq_group_chunk_done(pq_writer *w, uint64_t group, uint32_t leaf, pq_chunk_stats *stats,
                               nrw_error *err)
{
    pq_wgroup *g = pq_group_at(w, group);
    pq_wchunk *c = &g->chunks[leaf];
    nrw_status st = NRW_OK;
    if (stats->rows != c->rows)
        st = err_set(err, NRW_E_CORRUPT, "%lld rows in the pages of a chunk of %lld",
                     (long long)c->rows, (long long)stats->rows);
    if (st == NRW_OK)
        st = pq_footer_statistics(w, leaf, stats, &c->stats, &c->stats_len, err);
    bytes_release(&stats->min);
    bytes_release(&stats->max);
    if (st < 0)
        return st;
    pthread_mutex_lock(&w->lock);
    c->distinct = stats->distinct;
    g->finished++;
    if (w->queue.sleepers) /* it may be complete now, all its pages stored before */
        pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return NRW_OK;
}

/* ---- splicing ---- */

nrw_status pq_write_indexes(pq_writer *w, uint32_t leaf, const pq_wchunk *c, pq_chunk_place *at,
                            nrw_error *err)
{
    if (!w->opts->page_index)
        return NRW_OK;
    pq_index_source s = {.env = &w->env, .records = &c->records, .m = w->m};
    for (uint8_t i = 0; i < c->n_encodings; i++)
        s.n_pages += c->pages[i];
    const type *t = pq_leaf_type(w, leaf);
    if (pq_leaf_options(w, leaf)->statistics && !c->pages_unsized) {
        s.texts = type_is_view(t);
        s.n_rep = pq_rep_counts(&w->leaves.at[leaf]);
        s.n_def = pq_def_counts(&w->leaves.at[leaf]);
    }
    if (pq_leaf_options(w, leaf)->statistics && pq_bounds_wanted(t, w->opts->statistics_truncate))
        s.order = pq_order_of(t);
    TRY(pq_column_index_write(&s, &w->file_env, &w->column_indexes, &at->column_index_len, err));
    return pq_offset_index_write(&s, at->data, &w->file_env, &w->offset_indexes,
                                 &at->offset_index_len, err);
}

static nrw_status write_bloom(pq_writer *w, uint32_t leaf, const pq_wchunk *c, pq_chunk_place *at,
                              nrw_error *err)
{
    pq_bloom_source s = {.env = &w->env,
                         .hashes = &c->hashes,
                         .distinct = c->distinct,
                         .ratio = pq_leaf_options(w, leaf)->bloom,
                         .m = w->m,
                         .window = (uint32_t)w->room->shares.bloom_window};
    if (!c->hashes.len)
        return NRW_OK;
    return pq_bloom_write(&s, &w->file_env, &w->blooms, &at->bloom_len, err);
}

static nrw_status splice_chunk(pq_writer *w, uint32_t leaf, const pq_wchunk *c, nrw_error *err)
{
    int64_t start = (int64_t)(target_size(w->target) - w->base_size);
    pq_chunk_place at = {.start = start, .data = start, .dictionary = -1};
    if (c->dictionary.len) {
        TRY(pq_part_to_target(&w->env, &c->dictionary, w->target, err));
        at.dictionary = start;
        at.data = start + c->dictionary.len;
    }
    TRY(pq_log_to_target(&w->env, &c->data, w->target, err));
    uint64_t end = target_size(w->target) - w->base_size;
    if (end - (uint64_t)start != c->compressed)
        return err_set(err, NRW_E_IO, "%llu bytes of a column chunk written, %llu stored",
                       (unsigned long long)(end - (uint64_t)start),
                       (unsigned long long)c->compressed);
    TRY(write_bloom(w, leaf, c, &at, err));
    TRY(pq_write_indexes(w, leaf, c, &at, err));
    return pq_footer_chunk(w, leaf, c, &at, err);
}

/* The next chunk of the row group that leaves. */
static nrw_status splice_next(pq_writer *w, pq_wgroup *g, nrw_error *err)
{
    pq_wchunk *c = &g->chunks[g->spliced];
    nrw_status st = NRW_OK;
    if (!g->spliced) {
        TRY(pq_file_begin(w, err));
        g->start = (int64_t)(target_size(w->target) - w->base_size);
        g->rows = c->rows;
        g->uncompressed = g->compressed = 0;
    }
    if (c->rows != g->rows)
        st = err_set(err, NRW_E_CORRUPT, "%lld rows in a chunk, %lld in the first one",
                     (long long)c->rows, (long long)g->rows);
    if (st == NRW_OK)
        st = splice_chunk(w, g->spliced, c, err);
    if (st < 0) {
        err_at_column(err, w->leaves.at[g->spliced].name);
        return st;
    }
    g->uncompressed += c->uncompressed;
    g->compressed += c->compressed;
    w->encoded += c->encoded;
    release_chunk(w, g->spliced, c);
    if (++g->spliced < w->leaves.n)
        return NRW_OK;
    w->file_rows += g->rows;
    w->row_groups++;
    TRY(pq_footer_group(w, g->rows, g->start, g->uncompressed, g->compressed, err));
    return pq_file_group(w, g->compressed, err);
}

bool pq_group_ready(pq_writer *w)
{
    const pq_wgroup *g = pq_group_at(w, w->groups_gone);
    return !w->splicing && !w->stopped && g->finished == w->leaves.n && !g->pending;
}

nrw_status pq_group_leave(pq_writer *w, bool *any, nrw_error *err)
{
    pthread_mutex_lock(&w->lock);
    *any = pq_group_ready(w);
    if (!*any) {
        pthread_mutex_unlock(&w->lock);
        return NRW_OK;
    }
    pq_wgroup *g = pq_group_at(w, w->groups_gone);
    w->splicing = g->leaving = true;
    pthread_mutex_unlock(&w->lock);
    nrw_status st = splice_next(w, g, err);
    if (st < 0) { /* stays marked: nobody may try what was half done again */
        err_at_row_group(err, (int32_t)w->groups_gone);
        return st;
    }
    pthread_mutex_lock(&w->lock);
    w->splicing = false;
    if (g->spliced == w->leaves.n) {
        g->leaving = false;
        g->finished = g->spliced = 0;
        w->groups_gone++;
        pq_cut_group_gone(&w->cut);
    }
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return NRW_OK;
}
