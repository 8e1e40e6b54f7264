/* Whether pages may be kept: see keep.h for the rule. Looks at footers, and at the first page of
 * each column of a file. */
#include "base/text.h"
#include "codec/codec.h"
#include "format/parquet/chunk_needs.h"
#include "format/parquet/index_write.h"
#include "format/parquet/keep.h"
#include "format/parquet/leaf_write.h"
#include "format/parquet/page_walk.h"
#include "format/parquet/reader_own.h"
#include "format/parquet/written_type.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    PAGE_FACTOR = 16,      /* pages may differ so much from what would be written */
    GROUP_FACTOR = 2,      /* row groups may be larger by this */
    GROUP_PARTS = 10,      /* and smaller by this, on average */
    DICTIONARY_FACTOR = 2, /* compressed bytes to the limit of PLAIN bytes */
    INDEX_MOST = 4 << 20,  /* bytes of a chunk's page index */
    LEVELS = 1 << PQ_RLE | 1 << PQ_BIT_PACKED,
    DICTIONARIES = 1 << PQ_PLAIN_DICTIONARY | 1 << PQ_RLE_DICTIONARY
};

typedef struct look {
    pq_keep *k;
    pq_meta *meta;
    const pq_leaves *leaves; /* of what is written */
    bool headers_say;        /* the writer puts bounds into page headers */
    io_file *file;
    int32_t rg;
} look;

__attribute__((format(printf, 2, 3))) static bool against(pq_keep *k, const char *why, ...)
{
    va_list args;
    va_start(args, why);
    vsnprintf(k->against, sizeof k->against, why, args);
    va_end(args);
    return false;
}

/* ---- columns ---- */

/* Whether levels of a column are those that the writer gives to field `to`, inside of levels `def`
 * and `rep`. */
static bool same_levels(const pq_node *n, const field *to, bool nullable, int def, int rep)
{
    def += nullable;
    if (n->field.nullable != nullable || n->def != def || n->n_children != to->type.n_children)
        return false;
    if (to->type.id == TYPE_LIST || to->type.id == TYPE_MAP) {
        def++;
        rep++;
        if (n->item_def != def || n->item_rep != rep)
            return false;
    }
    for (uint32_t i = 0; i < n->n_children; i++) {
        const field *child = &to->type.children[i];
        bool key = to->type.id == TYPE_MAP && i == 0;
        if (!same_levels(&n->children[i], child, !key && child->nullable, def, rep))
            return false;
    }
    return true;
}

static bool wants_bounds(const look *l, const pq_wleaf *to)
{
    return pq_bounds_wanted(&to->field->type, l->k->opts->statistics_truncate);
}

static bool leaf_fits(const look *l, uint32_t leaf, uint32_t out)
{
    const pq_leaf *from = pq_meta_leaf(l->meta, leaf);
    const pq_wleaf *to = &l->leaves->at[out];
    bool bounded = l->k->opts->columns[out].statistics && wants_bounds(l, to);
    pq_written_type t = pq_written_type_of(&to->field->type);
    if (from->physical != t.physical || t.factor != 1)
        return against(l->k, "column %.64s would be stored as %s, not %s", to->name,
                       pq_physical_name(t.physical), pq_physical_name(from->physical));
    if (t.physical == PQ_FIXED_LEN_BYTE_ARRAY && from->type_length != t.length)
        return against(l->k, "column %.64s would be stored in %u bytes, not %u", to->name, t.length,
                       from->type_length);
    if (from->max_def != to->max_def || from->max_rep != to->max_rep)
        return against(l->k, "column %.64s would have other levels", to->name);
    if (bounded && !pq_meta_ordered(l->meta, leaf))
        return against(l->k, "bounds of column %.64s are in an order that is not known", to->name);
    return true;
}

static bool column_fits(const look *l, uint32_t column)
{
    const pq_node *n = pq_meta_column(l->meta, l->k->cols[column]);
    const field *to = &l->k->out->fields[column];
    uint32_t first = l->leaves->first[column];
    if (n->no_leaf || n->n_leaves != l->leaves->first[column + 1] - first ||
        !same_levels(n, to, to->nullable, 0, 0))
        return against(l->k, "column %.64s would have other levels", to->name);
    for (uint32_t i = 0; i < n->n_leaves; i++)
        if (!leaf_fits(l, n->first_leaf + i, first + i))
            return false;
    return true;
}

static bool file_fits(const look *l)
{
    if (!pq_meta_right_statistics(l->meta))
        return against(l->k, "its writer is not known for right statistics");
    for (uint32_t i = 0; i < l->k->out->n_fields; i++)
        if (!column_fits(l, i))
            return false;
    return true;
}

/* ---- chunks ---- */

static uint32_t encodings_of(int version)
{
    uint32_t old = 1 << PQ_PLAIN | DICTIONARIES;
    return version < 2
               ? old
               : old | 1 << PQ_RLE | 1 << PQ_DELTA_BINARY_PACKED | 1 << PQ_DELTA_LENGTH_BYTE_ARRAY |
                     1 << PQ_DELTA_BYTE_ARRAY | 1 << PQ_BYTE_STREAM_SPLIT;
}

static bool pages_fit(const look *l, const pq_chunk *c, const char *name)
{
    const pq_write_options *o = l->k->opts;
    uint64_t mean, values;
    if (!c->data_pages)
        return against(l->k, "the file does not say how the pages of column %.64s are encoded",
                       name);
    if (c->data_encodings & ~encodings_of(o->version))
        return against(l->k, "column %.64s has encodings that version %d of the format lacks", name,
                       o->version);
    mean = (uint64_t)c->uncompressed / (uint64_t)c->data_pages;
    values = (uint64_t)c->n_values / (uint64_t)c->data_pages;
    if (mean > (uint64_t)PAGE_FACTOR * o->page_bytes)
        return against(l->k, "pages of column %.64s are too large, %llu bytes", name,
                       (unsigned long long)mean);
    if (c->data_pages > 1 && mean < o->page_bytes / PAGE_FACTOR &&
        values < o->page_rows / PAGE_FACTOR)
        return against(l->k, "pages of column %.64s are too small, %llu bytes", name,
                       (unsigned long long)mean);
    return true;
}

static bool dictionary_fits(const look *l, const pq_chunk *c, const char *name)
{
    int64_t bytes = c->data_page_offset - c->dictionary_page_offset;
    if (c->dictionary_page_offset < 0 || bytes <= 0 ||
        (uint64_t)bytes <= (uint64_t)DICTIONARY_FACTOR * l->k->opts->dictionary_bytes)
        return true;
    return against(l->k, "the dictionary of column %.64s is too large, %lld bytes", name,
                   (long long)bytes);
}

static bool is_float(const pq_leaf *leaf)
{
    return leaf->physical == PQ_FLOAT || leaf->physical == PQ_DOUBLE ||
           leaf->field.type.id == TYPE_FLOAT16;
}

/* Nulls alone have no bounds, nor has NaN. */
static bool chunk_bounds_said(const pq_leaf *leaf, const pq_chunk *c)
{
    return (c->stats.has_min && c->stats.has_max) || is_float(leaf) ||
           (c->stats.has_null_count && c->stats.null_count == c->n_values);
}

/* Whether bounds of pages are said: in the page index, by the chunk, or in the headers. A chunk
 * that has an offset index alone has a page without bounds, of NaN. */
static bool page_bounds_said(const look *l, const pq_leaf *leaf, const pq_chunk *c)
{
    return c->column_index_at >= 0 || c->data_pages == 1 || l->headers_say ||
           (is_float(leaf) && c->offset_index_at >= 0);
}

/* What is to be written of bounds and of rows of pages must be said somewhere. */
static bool said_enough(look *l, const pq_leaf *leaf, const pq_chunk *c, const pq_wleaf *to,
                        bool statistics)
{
    uint64_t bytes = (c->column_index_at < 0 ? 0 : (uint64_t)c->column_index_len) +
                     (c->offset_index_at < 0 ? 0 : (uint64_t)c->offset_index_len);
    if (statistics && leaf->max_def && !c->stats.has_null_count)
        return against(l->k, "the nulls of column %.64s are not counted", to->name);
    if (statistics && wants_bounds(l, to) && !chunk_bounds_said(leaf, c))
        return against(l->k, "column %.64s has no bounds", to->name);
    if (l->k->opts->page_index && statistics && wants_bounds(l, to) &&
        !page_bounds_said(l, leaf, c))
        return against(l->k, "column %.64s has no page index", to->name);
    if (leaf->max_rep && c->offset_index_at < 0 && l->k->opts->version < 2)
        return against(l->k, "the rows of pages of column %.64s are not said", to->name);
    if (bytes > INDEX_MOST)
        return against(l->k, "the page index of column %.64s is too large, %llu bytes", to->name,
                       (unsigned long long)bytes);
    l->k->index_bytes = bytes > l->k->index_bytes ? bytes : l->k->index_bytes;
    return true;
}

static bool chunk_fits(look *l, uint32_t from, uint32_t to, const pq_chunk *c)
{
    const pq_wleaf *leaf = &l->leaves->at[to];
    const pq_column_options *o = &l->k->opts->columns[to];
    uint64_t stream = pq_stream_memory(c);
    if (c->codec != o->codec)
        return against(l->k, "column %.64s is compressed with %s, %s is written", leaf->name,
                       codec_id_name(c->codec), codec_id_name(o->codec));
    if (c->n_values == 0)
        return against(l->k, "column %.64s has no values", leaf->name);
    l->k->bytes += (uint64_t)c->uncompressed;
    l->k->stream = stream > l->k->stream ? stream : l->k->stream;
    return pages_fit(l, c, leaf->name) && dictionary_fits(l, c, leaf->name) &&
           said_enough(l, pq_meta_leaf(l->meta, from), c, leaf, o->statistics);
}

/* What kind of pages a file has, its footer does not say reliably: parquet-cpp names DATA_PAGE for
 * all. The first data page of a chunk stands for the others. */
static nrw_status first_page_fits(look *l, uint32_t leaf, const pq_chunk *c, mem *m, bool *fits,
                                  nrw_error *err)
{
    pq_page_type want = l->k->opts->version < 2 ? PQ_DATA_PAGE : PQ_DATA_PAGE_V2;
    const pq_leaf *from = pq_meta_leaf(l->meta, leaf);
    pq_page_walk walk;
    pq_page_at at;
    nrw_status st;
    TRY(pq_page_walk_open(m, l->file, c, &walk, err));
    do
        st = pq_page_walk_next(&walk, &at, err);
    while (st == NRW_OK && at.ordinal < 0);
    pq_page_walk_close(&walk);
    TRY(st);
    *fits = st == NRW_OK && at.page.type == want;
    if (!*fits)
        against(l->k, "pages of column %.64s are of another version of the format",
                from->field.name);
    else if ((from->max_def && at.page.def_encoding != PQ_RLE) ||
             (from->max_rep && at.page.rep_encoding != PQ_RLE))
        *fits = against(l->k, "levels of column %.64s have an encoding that is no longer written",
                        from->field.name);
    return NRW_OK;
}

/* ---- row groups ---- */

static nrw_status look_at_chunks(look *l, mem *m, arena *a, bool *fits, nrw_error *err)
{
    for (uint32_t i = 0; i < l->k->out->n_fields; i++) {
        const pq_node *n = pq_meta_column(l->meta, l->k->cols[i]);
        for (uint32_t j = 0; j < n->n_leaves; j++) {
            pq_chunk c;
            TRY(pq_meta_chunk(l->meta, l->rg, n->first_leaf + j, a, &c, err));
            *fits = chunk_fits(l, n->first_leaf + j, l->leaves->first[i] + j, &c);
            if (*fits && l->rg == 0)
                TRY(first_page_fits(l, n->first_leaf + j, &c, m, fits, err));
            if (!*fits)
                return NRW_OK;
        }
    }
    return NRW_OK;
}

static nrw_status look_at_group(look *l, mem *m, bool *fits, nrw_error *err)
{
    const pq_write_options *o = l->k->opts;
    uint64_t before = l->k->bytes, most_rows = (uint64_t)o->row_group_rows,
             most_bytes = o->row_group_bytes;
    pq_row_group g;
    arena *a = NULL;
    *fits = false;
    TRY(pq_meta_row_group(l->meta, l->rg, &g, err));
    l->k->groups++;
    l->k->rows += (uint64_t)g.rows;
    if ((uint64_t)g.rows > (l->k->rows_asked ? most_rows : most_rows * GROUP_FACTOR)) {
        char n[TEXT_NUMBER];
        against(l->k, "a row group has %s rows", text_group((uint64_t)g.rows, n));
        return NRW_OK;
    }
    TRY(arena_new(m, &a, err));
    nrw_status st = look_at_chunks(l, m, a, fits, err);
    arena_free(a);
    TRY(st);
    if (*fits &&
        l->k->bytes - before > (l->k->bytes_asked ? most_bytes : most_bytes * GROUP_FACTOR))
        *fits =
            against(l->k, "a row group has %llu bytes", (unsigned long long)(l->k->bytes - before));
    return NRW_OK;
}

static nrw_status look_at_file(look *l, mem *m, nrw_error *err)
{
    bool fits = file_fits(l);
    for (int32_t rg = 0; fits && rg < pq_meta_row_groups(l->meta); rg++) {
        l->rg = rg;
        TRY(look_at_group(l, m, &fits, err));
    }
    return NRW_OK;
}

nrw_status parquet_keep_look(pq_keep *k, reader *r, mem *m, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    pq_leaves leaves;
    arena *a = NULL;
    if (k->against[0])
        return NRW_OK;
    k->file = r->file->name;
    TRY(arena_new(m, &a, err));
    nrw_status st = pq_leaves_of(k->out, a, &leaves, &why);
    look l = {.k = k, .meta = parquet_reader_meta(r), .leaves = &leaves, .file = r->file};
    l.headers_say = pq_meta_bounds_in_headers(l.meta);
    if (st >= 0)
        st = look_at_file(&l, m, &why);
    arena_free(a);
    if (st == NRW_E_CORRUPT || st == NRW_E_UNSUPPORTED || st == NRW_E_VALUE) {
        against(k, "its metadata are damaged: %.120s", why.message);
        return NRW_OK;
    }
    if (st < 0 && err)
        *err = why;
    return st;
}

bool parquet_keep_settle(pq_keep *k)
{
    const pq_write_options *o = k->opts;
    char n[TEXT_NUMBER];
    if (k->against[0])
        return false;
    if (!k->groups)
        return against(k, "there are no rows");
    if (k->groups > 1 && k->rows / k->groups < (uint64_t)o->row_group_rows / GROUP_PARTS &&
        k->bytes / k->groups < o->row_group_bytes / GROUP_PARTS)
        return against(k, "row groups are too small, %s rows on average",
                       text_group(k->rows / k->groups, n));
    return true;
}
