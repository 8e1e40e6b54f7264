#include "codec/codec.h"
#include "format/parquet/column_write_parts.h"
#include "format/parquet/size_stats.h"
#include "kernel/kernel.h"

/* Bounds of types with a width of their own (decimals at most) are never cut. */
#define WIDEST_NUMBER 32

/* ---- options ---- */

static pq_encoding plain_encoding(const pq_value_type *t, bool v2)
{
    if (v2 && t->class == PQ_VALUES_BOOL)
        return PQ_RLE;
    if (v2 && (t->written.physical == PQ_INT32 || t->written.physical == PQ_INT64))
        return PQ_DELTA_BINARY_PACKED;
    if (v2 && t->written.physical == PQ_BYTE_ARRAY)
        return PQ_DELTA_LENGTH_BYTE_ARRAY;
    return PQ_PLAIN;
}

static bool codes_entropy(int32_t codec)
{
    return codec == CODEC_ZSTD || codec == CODEC_GZIP || codec == CODEC_BROTLI;
}

static nrw_status choose_encoding(pq_column_writer *w, const pq_write_options *opts,
                                  const pq_column_options *o, nrw_error *err)
{
    pq_encoding e = (pq_encoding)o->encoding;

    w->encoding = plain_encoding(&w->t, opts->version >= 2);
    w->may_split =
        o->encoding < 0 && w->encoding == PQ_DELTA_BINARY_PACKED && codes_entropy(o->codec);
    w->want_dict = o->dictionary && w->t.class != PQ_VALUES_BOOL;
    if (o->encoding >= 0) {
        if (!pq_encoding_fits(e, &w->t.type))
            return err_set(err, NRW_E_ARG, "encoding %s is not for values stored as %s",
                           pq_encoding_name(e), pq_physical_name(w->t.written.physical));
        w->force_dict = e == PQ_RLE_DICTIONARY || e == PQ_PLAIN_DICTIONARY;
        w->want_dict = w->force_dict;
        if (!w->force_dict)
            w->encoding = e;
    }
    if (w->t.class == PQ_VALUES_NONE)
        w->want_dict = w->force_dict = false;
    return NRW_OK;
}

/* Rows that end a page whatever they hold. */
static uint32_t page_limit(const pq_value_type *t, const pq_write_options *o)
{
    uint64_t limit = o->page_rows, fit = limit;

    if (t->class == PQ_VALUES_BOOL)
        fit = (uint64_t)o->page_bytes * 8;
    else if (t->width)
        fit = o->page_bytes / t->width;
    limit = fit < limit ? fit : limit;
    return limit ? (uint32_t)limit : 1;
}

/* So many indices of 16 bits fill a page; wider ones make it a little longer. */
static uint32_t index_limit(uint32_t page_limit, const pq_write_options *o)
{
    const uint32_t most = 65536;
    uint32_t fit = o->page_bytes / 2 < most ? o->page_bytes / 2 : most;

    return fit > page_limit ? fit : page_limit;
}

/* ---- life ---- */

static void begin_chunk(pq_column_writer *w)
{
    w->rows = w->nulls = 0;
    w->finished = 0;
    w->known = w->hashed = 0;
    w->has_bounds = w->judged = w->dict_used = false;
    w->indexing = w->want_dict;
    w->weigh = w->may_split;
    if (w->may_split)
        w->encoding = PQ_DELTA_BINARY_PACKED;
}

nrw_status pq_column_writer_new(mem *m, const pq_wleaf *leaf, const pq_write_options *opts,
                                const pq_column_options *column, pq_column_writer **out,
                                nrw_error *err)
{
    pq_column_writer *w;
    void *p;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *w, &p, err));
    w = p;
    w->m = m;
    w->name = leaf->name;
    w->nullable = leaf->max_def > 0;
    w->nested = pq_leaf_has_levels(leaf);
    w->max_def = leaf->max_def;
    w->max_rep = leaf->max_rep;
    if (column->statistics) {
        w->rep_counts = (uint16_t)pq_rep_counts(leaf);
        w->def_counts = (uint16_t)pq_def_counts(leaf);
    }
    w->v2 = pq_pages_v2(opts);
    w->statistics = column->statistics;
    w->bloom = column->bloom > 0;
    w->page_bytes = opts->page_bytes ? opts->page_bytes : 1;
    w->dict_bytes = opts->dictionary_bytes;
    w->row_group_rows = (uint64_t)opts->row_group_rows;
    w->keep_bound = opts->statistics_truncate
                        ? size_max(opts->statistics_truncate, WIDEST_NUMBER) + 8
                        : SIZE_MAX;
    st = pq_value_type_of(leaf->field, &w->t, err);
    w->statistics &= w->t.order != PQ_ORDER_NONE;
    if (st == NRW_OK)
        st = choose_encoding(w, opts, column, err);
    if (st == NRW_OK && w->bloom && (w->t.class == PQ_VALUES_BOOL || w->t.class == PQ_VALUES_NONE))
        st = err_set(err, NRW_E_ARG, "bloom filters are not for values stored as %s",
                     pq_physical_name(w->t.written.physical));
    if (st < 0) {
        err_at_column(err, leaf->name);
        mem_free(m, w, sizeof *w);
        return st;
    }
    w->page_limit = page_limit(&w->t, opts);
    w->index_limit = index_limit(w->page_limit, opts);
    w->remap_most = pq_dict_entries(w->t.width, opts->dictionary_bytes);
    pq_dict_init(&w->dict, m, w->t.class == PQ_VALUES_NUMBERS, w->t.width, w->dict_bytes);
    begin_chunk(w);
    *out = w;
    return NRW_OK;
}

void pq_column_writer_free(pq_column_writer *w)
{
    if (!w)
        return;
    pq_parked_release(w);
    pq_page_release(w);
    pq_dict_release(&w->dict);
    pq_words_release(w->m, &w->remap.own);
    bytes_release(&w->min);
    bytes_release(&w->max);
    mem_free(w->m, w, sizeof *w);
}

/* ---- the end of a chunk ---- */

/* The entries themselves become the page's body. */
static nrw_status push_dictionary(pq_column_writer *w, pq_page_list *out, nrw_error *err)
{
    pq_page_out p = {.type = PQ_DICTIONARY_PAGE, .encoding = PQ_PLAIN, .rows = w->dict.n};
    buffer *plain = w->dict.plain;

    if (plain->cap - plain->len > plain->len / 8 + 256)
        TRY(buffer_resize(&w->dict.plain, plain->len, err));
    p.body = w->dict.plain;
    TRY(pq_page_list_push(out, w->m, &p, err));
    w->dict.plain = NULL;
    return NRW_OK;
}

static void take_stats(pq_column_writer *w, pq_chunk_stats *s)
{
    *s = (pq_chunk_stats){.rows = w->rows,
                          .nulls = w->nulls,
                          .has_bounds = w->has_bounds,
                          .distinct = w->indexing ? (int64_t)w->known : -1};
    if (w->has_bounds) {
        s->min = w->min;
        s->max = w->max;
        w->min = w->max = (bytes){0};
    }
}

nrw_status pq_column_finish(pq_column_writer *w, pq_page_list *out, pq_chunk_stats *stats,
                            nrw_error *err)
{
    pq_words index = {0};

    *stats = (pq_chunk_stats){0};
    if (w->parked)
        return err_set(err, NRW_E_ARG, "the column is parked");
    if (w->page.rows)
        TRY(pq_page_end(w, out, err));
    if (w->dict_used)
        TRY(push_dictionary(w, out, err));
    take_stats(w, stats);
    w->dict_used = false;
    if (w->indexing) { /* as in the next chunk, most likely: the memory serves again */
        index = w->page.index;
        w->page.index = (pq_words){0};
    }
    pq_dictionary_end(w);
    w->page.index = index;
    begin_chunk(w);
    return NRW_OK;
}

/* ---- sizes ---- */

/* Of one value, without what runs of them save. */
static unsigned level_bits(const pq_column_writer *w)
{
    return enc_width(w->max_rep) + (w->page.nulls ? enc_width(w->max_def) : 0);
}

uint64_t pq_column_encoded(const pq_column_writer *w)
{
    const pq_draft *p = &w->page;
    uint64_t values = p->rows - p->nulls, bits = 0, sum = w->finished;

    if (w->nested)
        bits += p->rows * level_bits(w);
    else if (w->nullable && p->nulls)
        bits += p->rows;
    if (w->indexing) {
        bits += values * (w->known > 1 ? enc_width(w->known - 1) : 1);
        sum += pq_dict_bytes(&w->dict);
    } else {
        if (w->dict_used)
            sum += pq_dict_bytes(&w->dict);
        if (w->t.class == PQ_VALUES_BOOL)
            bits += values;
        else
            sum += p->plain;
    }
    return sum + bits / 8;
}

static uint64_t words_cost(const pq_words *w)
{
    return w->at ? mem_cost(w->cap * sizeof(uint32_t)) : 0;
}

static uint64_t bytes_cost(const bytes *b)
{
    return b->data ? mem_cost(b->cap) : 0;
}

uint64_t pq_column_memory(const pq_column_writer *w)
{
    const pq_draft *p = &w->page;

    return mem_cost(sizeof *w) + pq_dict_memory(&w->dict) + words_cost(&w->remap.own) +
           words_cost(&p->valid) + words_cost(&p->rep) + words_cost(&p->index) +
           words_cost(&p->runs) + words_cost(&p->lens) + (p->body ? buffer_cost(p->body->cap) : 0) +
           bytes_cost(&p->min) + bytes_cost(&p->max) + bytes_cost(&w->min) + bytes_cost(&w->max) +
           pq_parked_memory(w);
}

static uint64_t at_most(uint64_t x, uint64_t most)
{
    return x < most ? x : most;
}

/* Levels of a value as they come, and encoded twice: into the body and its exact copy. */
#define LEVELS_MOST 5

/* A row of a page of indices: its index, the body, its exact copy, levels. */
static uint64_t index_most(bool nested)
{
    return 12 + (nested ? LEVELS_MOST : 0);
}

/* The page in progress: body, the one it is encoded to, the exact copy of that; levels. Lengths
 * that lie apart from texts, and those encoded, are part of the first two but where texts are
 * short. */
static uint64_t page_most(const pq_value_type *t, bool nested, uint64_t rows, uint64_t page_bytes)
{
    uint64_t values = t->width ? rows * t->width : page_bytes * 33 / 32;
    uint64_t lens = t->width ? 0 : 2 * at_most(4 * rows, page_bytes);

    return 2 * values + (lens > values / 2 ? lens : values / 2) +
           (nested ? LEVELS_MOST * rows : rows);
}

static bool may_index(const pq_value_type *t)
{
    return t->class != PQ_VALUES_BOOL && t->class != PQ_VALUES_NONE;
}

uint64_t pq_column_most(const pq_wleaf *leaf, const pq_write_options *opts,
                        const pq_column_options *column)
{
    pq_value_type t;
    uint64_t rows, page, dict = 0;
    bool nested = pq_leaf_has_levels(leaf);

    if (pq_value_type_of(leaf->field, &t, NULL) < 0)
        return 0;
    rows = page_limit(&t, opts);
    page = page_most(&t, nested, rows, opts->page_bytes);
    if (column->bloom > 0)
        page += pq_hashes_most(index_limit((uint32_t)rows, opts));
    if (may_index(&t)) {
        uint64_t all = pq_dict_entries(t.width, opts->dictionary_bytes), entries = all;
        uint64_t remap = all; /* tables come for dictionaries of four times the rows */
        if (opts->rows_most && !nested) {
            entries = at_most(all, opts->rows_most);
            remap = at_most(all, 4 * entries);
        }
        dict =
            pq_dict_most(t.class == PQ_VALUES_NUMBERS, t.width, opts->dictionary_bytes, entries) +
            index_most(nested) * index_limit((uint32_t)rows, opts) + 4 * remap +
            entries; /* marks of those that a page names */
    }
    return (page + dict) * 9 / 8 + 16384;
}

uint64_t pq_column_most_after(const pq_column_writer *w, uint64_t rows)
{
    uint64_t page = page_most(&w->t, w->nested, w->page_limit, w->page_bytes), dict = 0;

    if (w->bloom)
        page += pq_hashes_most(w->index_limit);
    if (w->want_dict && may_index(&w->t)) {
        /* a row adds one entry at most; tables come for dictionaries of four times the rows */
        uint64_t entries = w->dict.n + rows, remap = 4 * (w->remap.rows + rows);
        remap = remap < w->remap_most ? remap : w->remap_most;
        dict = pq_dict_most_of(&w->dict, entries) + index_most(w->nested) * w->index_limit +
               4 * remap + entries;
    }
    return (page + dict) * 9 / 8 + 16384;
}
