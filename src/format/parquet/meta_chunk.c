/* A column chunk's metadata, read from the footer when it is asked for (parquet.thrift,
 * ColumnChunk, ColumnMetaData, Statistics). */
#include "format/parquet/meta_priv.h"

enum { CHUNK_WINDOW = 8 << 10, PAD = 100 };

typedef struct chunk_seen {
    bool page_encodings; /* by page: encoding_stats */
    bool meta, encrypted, type, codec, n_values, uncompressed, compressed, data_page;
    int32_t physical;
    int64_t index_page;
} chunk_seen;

/* ---- statistics ---- */
typedef struct bounds {
    span min, max;         /* min_value, max_value */
    span old_min, old_max; /* fields 1 and 2 of before column orders */
    bool has_min, has_max, has_old_min, has_old_max;
} bounds;

static nrw_status read_bound(thrift_in *in, thrift_field f, arena *a, span *out, bool *seen,
                             nrw_error *err)
{
    if (f.type != THRIFT_BINARY || !a)
        return thrift_skip(in, f.type, err);
    size_t len;
    void *p;
    TRY(thrift_read_length(in, &len, err));
    if (len > PQ_BOUND_MAX)
        return thrift_skip_raw(in, len, err);
    TRY(arena_alloc(a, size_max(len, 1), &p, err));
    TRY(thrift_read_raw(in, p, len, err));
    *out = (span){p, len};
    *seen = true;
    return NRW_OK;
}

static bool is_nan(const pq_leaf *l, span v)
{
    if (l->physical == PQ_FLOAT) {
        float f;
        memcpy(&f, v.data, sizeof f);
        return f != f;
    }
    if (l->physical == PQ_DOUBLE) {
        double d;
        memcpy(&d, v.data, sizeof d);
        return d != d;
    }
    if (l->field.type.id != TYPE_FLOAT16)
        return false;
    unsigned bits = v.data[0] | (unsigned)v.data[1] << 8;
    return (bits & 0x7fff) > 0x7c00;
}

static bool is_bound(const pq_leaf *l, span v)
{
    size_t width = pq_value_width(l);
    return (!width || v.len == width) && !is_nan(l, v);
}

static bool is_signed_number(const pq_meta *p, uint32_t leaf)
{
    pq_physical physical = p->leaves[leaf].physical;
    return p->order[leaf] == PQ_ORDER_SIGNED && physical != PQ_BYTE_ARRAY &&
           physical != PQ_FIXED_LEN_BYTE_ARRAY;
}

bool pq_meta_ordered(const pq_meta *p, uint32_t leaf)
{
    if (p->order[leaf] == PQ_ORDER_NONE)
        return false;
    return p->ordered ? p->ordered[leaf] : is_signed_number(p, leaf) || p->known_orders;
}

/* Which bounds can be believed. min_value and max_value are defined where the footer names the
 * column's order; where it names none, numbers in signed order and the files of DuckDB, which does
 * not write orders, are believed too. The old fields were made with signed comparison by all
 * writers, so they hold for numbers in signed order and for nothing of bytes (PARQUET-251,
 * PARQUET-686). */
static void choose_bounds(const pq_meta *p, uint32_t leaf, const bounds *b, pq_statistics *s)
{
    const pq_leaf *l = &p->leaves[leaf];
    if (p->order[leaf] == PQ_ORDER_NONE)
        return;
    bool old = is_signed_number(p, leaf), ordered = pq_meta_ordered(p, leaf);
    bool use_min = ordered && b->has_min, use_max = ordered && b->has_max;
    s->has_min = use_min || (old && b->has_old_min);
    s->has_max = use_max || (old && b->has_old_max);
    s->min = use_min ? b->min : b->old_min;
    s->max = use_max ? b->max : b->old_max;
    s->has_min = s->has_min && is_bound(l, s->min);
    s->has_max = s->has_max && is_bound(l, s->max);
    if (!s->has_min)
        s->min = (span){0};
    if (!s->has_max)
        s->max = (span){0};
}

static nrw_status read_statistics(const pq_meta *p, thrift_in *in, uint32_t leaf, arena *a,
                                  pq_statistics *s, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    bounds b = {0};
    *s = (pq_statistics){0};
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1: TRY(read_bound(in, f, a, &b.old_max, &b.has_old_max, err)); continue;
        case 2: TRY(read_bound(in, f, a, &b.old_min, &b.has_old_min, err)); continue;
        case 3: TRY(thrift_get_i64(in, f, &s->null_count, &s->has_null_count, err)); continue;
        case 4: TRY(thrift_get_i64(in, f, &s->distinct_count, &s->has_distinct, err)); continue;
        case 5: TRY(read_bound(in, f, a, &b.max, &b.has_max, err)); continue;
        case 6: TRY(read_bound(in, f, a, &b.min, &b.has_min, err)); continue;
        case 7: TRY(thrift_get_bool(in, f, &s->max_exact, NULL, err)); continue;
        case 8: TRY(thrift_get_bool(in, f, &s->min_exact, NULL, err)); continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    s->has_null_count = s->has_null_count && s->null_count >= 0;
    s->has_distinct = s->has_distinct && s->distinct_count >= 0;
    choose_bounds(p, leaf, &b, s);
    return NRW_OK;
}

/* ---- the chunk ---- */
static nrw_status read_encodings(thrift_in *in, thrift_field f, pq_chunk *c, nrw_error *err)
{
    uint8_t type;
    uint32_t n;
    if (f.type != THRIFT_LIST)
        return thrift_skip(in, f.type, err);
    TRY(thrift_read_list(in, &type, &n, err));
    while (n--) {
        int32_t e = 0;
        if (type != THRIFT_I32) {
            TRY(thrift_skip_element(in, type, err));
            continue;
        }
        TRY(thrift_read_i32(in, &e, err));
        if (e >= 0 && e < 32)
            c->encodings |= 1u << e;
    }
    return NRW_OK;
}

static void note_pages(pq_chunk *c, int32_t page, int32_t encoding, int32_t count)
{
    if (count <= 0 || (page != PQ_DATA_PAGE && page != PQ_DATA_PAGE_V2))
        return;
    c->data_pages += count;
    if (encoding >= 0 && encoding < 32)
        c->data_encodings |= 1u << encoding;
}

/* One of PageEncodingStats. */
static nrw_status read_page_encoding(thrift_in *in, pq_chunk *c, nrw_error *err)
{
    int32_t page = -1, encoding = -1, count = 1;
    int16_t last;
    thrift_field f;

    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1: TRY(thrift_get_i32(in, f, &page, NULL, err)); continue;
        case 2: TRY(thrift_get_i32(in, f, &encoding, NULL, err)); continue;
        case 3: TRY(thrift_get_i32(in, f, &count, NULL, err)); continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    note_pages(c, page, encoding, count);
    if (page != PQ_DICTIONARY_PAGE && page != PQ_INDEX_PAGE && count != 0 &&
        encoding != PQ_PLAIN_DICTIONARY && encoding != PQ_RLE_DICTIONARY)
        c->dictionary_only = false;
    return NRW_OK;
}

static nrw_status read_encoding_stats(thrift_in *in, thrift_field f, pq_chunk *c, chunk_seen *seen,
                                      nrw_error *err)
{
    uint8_t type;
    uint32_t n;

    if (f.type != THRIFT_LIST)
        return thrift_skip(in, f.type, err);
    TRY(thrift_read_list(in, &type, &n, err));
    seen->page_encodings = n > 0;
    c->dictionary_only = n > 0;
    for (uint32_t i = 0; i < n; i++) {
        if (type == THRIFT_STRUCT)
            TRY(read_page_encoding(in, c, err));
        else
            TRY(thrift_skip_element(in, type, err));
    }
    c->dictionary_only &= type == THRIFT_STRUCT;
    return NRW_OK;
}

/* A list of counts, kept where it is one for this leaf's levels. */
static nrw_status read_counts(thrift_in *in, thrift_field f, uint32_t want, arena *a, uint32_t *n,
                              int64_t **out, nrw_error *err)
{
    uint8_t type;
    uint32_t count;
    void *at = NULL;

    if (f.type != THRIFT_LIST)
        return thrift_skip(in, f.type, err);
    TRY(thrift_read_list(in, &type, &count, err));
    if (a && count == want && type == THRIFT_I64)
        TRY(arena_alloc(a, count * sizeof **out, &at, err));
    for (uint32_t i = 0; i < count; i++)
        if (at)
            TRY(thrift_read_i64(in, (int64_t *)at + i, err));
        else
            TRY(thrift_skip_element(in, type, err));
    *out = at;
    *n = at ? count : 0;
    return NRW_OK;
}

static nrw_status read_sizes(const pq_leaf *l, thrift_in *in, arena *a, pq_chunk *c, nrw_error *err)
{
    const uint32_t want[] = {l->max_rep + 1u, l->max_def + 1u};
    int16_t last;
    thrift_field f;

    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return NRW_OK;
        if (f.id == 1)
            TRY(thrift_get_i64(in, f, &c->text_bytes, NULL, err));
        else if (f.id == 2 || f.id == 3)
            TRY(read_counts(in, f, want[f.id - 2], a, &c->n_level_counts[f.id - 2],
                            &c->level_counts[f.id - 2], err));
        else
            TRY(thrift_skip(in, f.type, err));
    }
}

static nrw_status read_column_meta(const pq_meta *p, thrift_in *in, uint32_t leaf, arena *a,
                                   pq_chunk *c, chunk_seen *seen, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1: TRY(thrift_get_i32(in, f, &seen->physical, &seen->type, err)); break;
        case 2: TRY(read_encodings(in, f, c, err)); break;
        case 4: TRY(thrift_get_i32(in, f, &c->codec, &seen->codec, err)); break;
        case 5: TRY(thrift_get_i64(in, f, &c->n_values, &seen->n_values, err)); break;
        case 6: TRY(thrift_get_i64(in, f, &c->uncompressed, &seen->uncompressed, err)); break;
        case 7: TRY(thrift_get_i64(in, f, &c->compressed, &seen->compressed, err)); break;
        case 9: TRY(thrift_get_i64(in, f, &c->data_page_offset, &seen->data_page, err)); break;
        case 10: TRY(thrift_get_i64(in, f, &seen->index_page, NULL, err)); break;
        case 11: TRY(thrift_get_i64(in, f, &c->dictionary_page_offset, NULL, err)); break;
        case 12:
            if (f.type == THRIFT_STRUCT)
                TRY(read_statistics(p, in, leaf, a, &c->stats, err));
            else
                TRY(thrift_skip(in, f.type, err));
            break;
        case 13: TRY(read_encoding_stats(in, f, c, seen, err)); break;
        case 14: TRY(thrift_get_i64(in, f, &c->bloom_at, NULL, err)); break;
        case 15: TRY(thrift_get_i32(in, f, &c->bloom_len, NULL, err)); break;
        case 16:
            if (f.type == THRIFT_STRUCT)
                TRY(read_sizes(&p->leaves[leaf], in, a, c, err));
            else
                TRY(thrift_skip(in, f.type, err));
            break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

/* Without counts by page, the way old writers name encodings tells: PLAIN stands for data pages
 * where the dictionary is PLAIN_DICTIONARY. */
static bool only_dictionary(const pq_chunk *c)
{
    const uint32_t levels = 1u << PQ_RLE | 1u << PQ_BIT_PACKED;

    return (c->encodings & ~levels) == 1u << PQ_PLAIN_DICTIONARY;
}

static nrw_status read_file_path(thrift_in *in, thrift_field f, nrw_error *err)
{
    size_t len;
    char name[200] = {0};
    if (f.type != THRIFT_BINARY)
        return thrift_skip(in, f.type, err);
    TRY(thrift_read_length(in, &len, err));
    if (len == 0)
        return NRW_OK;
    TRY(thrift_read_raw(in, name, size_min(len, sizeof name - 1), err));
    return err_set(err, NRW_E_UNSUPPORTED, "the column's pages lie in another file, %s", name);
}

static nrw_status read_chunk_fields(const pq_meta *p, thrift_in *in, uint32_t leaf, arena *a,
                                    pq_chunk *c, chunk_seen *seen, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1: TRY(read_file_path(in, f, err)); break;
        case 3:
            if (f.type == THRIFT_STRUCT) {
                seen->meta = true;
                TRY(read_column_meta(p, in, leaf, a, c, seen, err));
            } else {
                TRY(thrift_skip(in, f.type, err));
            }
            break;
        case 4: TRY(thrift_get_i64(in, f, &c->offset_index_at, NULL, err)); break;
        case 5: TRY(thrift_get_i32(in, f, &c->offset_index_len, NULL, err)); break;
        case 6: TRY(thrift_get_i64(in, f, &c->column_index_at, NULL, err)); break;
        case 7: TRY(thrift_get_i32(in, f, &c->column_index_len, NULL, err)); break;
        case 8:
        case 9:
            seen->encrypted = true;
            TRY(thrift_skip(in, f.type, err));
            break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

static nrw_status check_fields(const pq_leaf *l, const pq_chunk *c, const chunk_seen *seen,
                               nrw_error *err)
{
    if (seen->encrypted)
        return err_set(err, NRW_E_UNSUPPORTED,
                       "the column is encrypted, encrypted columns cannot be read");
    const char *lacks = !seen->meta           ? "meta_data"
                        : !seen->type         ? "type"
                        : !seen->codec        ? "codec"
                        : !seen->n_values     ? "num_values"
                        : !seen->uncompressed ? "total_uncompressed_size"
                        : !seen->compressed   ? "total_compressed_size"
                        : !seen->data_page    ? "data_page_offset"
                                              : NULL;
    if (lacks)
        return err_set(err, NRW_E_CORRUPT, "the column chunk's metadata lack %s", lacks);
    if (seen->physical != (int32_t)l->physical)
        return err_set(err, NRW_E_CORRUPT, "the column chunk has type %s, the schema %s",
                       pq_physical_name(seen->physical), pq_physical_name(l->physical));
    if (c->n_values < 0 || c->compressed < 0)
        return err_set(err, NRW_E_CORRUPT,
                       "the column chunk is said to have %lld values, %lld bytes",
                       (long long)c->n_values, (long long)c->compressed);
    return NRW_OK;
}

/* Writers differ in what they say of the dictionary: nothing, 0, or the data page offset points to
 * it. Pages start at the least of the offsets that can be one. The end is where the walk of pages
 * must stop at the latest. */
static nrw_status find_pages(const pq_meta *p, pq_chunk *c, nrw_error *err)
{
    int64_t limit = (int64_t)p->footer_at, start = c->data_page_offset;
    bool none = c->n_values == 0 && (start < 4 || start > limit);
    if (c->dictionary_page_offset < 4 || c->dictionary_page_offset >= limit)
        c->dictionary_page_offset = -1;
    else if (none || c->dictionary_page_offset < start)
        start = c->dictionary_page_offset;
    if (none && c->dictionary_page_offset < 0) {
        c->start = c->end = 4;
        return NRW_OK;
    }
    if (start < 4 || start > limit || (start == limit && c->n_values))
        return err_set(err, NRW_E_CORRUPT,
                       "the column's pages are said to start at byte %lld, they can lie in bytes 4 "
                       "to %lld",
                       (long long)start, (long long)limit);
    int64_t room = limit - start, len = c->compressed;
    if (p->pad_chunks && len <= INT64_MAX - PAD)
        len += PAD;
    c->start = start;
    c->end = start + (len < room ? len : room);
    return NRW_OK;
}

static nrw_status read_chunk(const pq_meta *p, thrift_in *in, uint32_t leaf, arena *a,
                             pq_chunk *out, nrw_error *err)
{
    chunk_seen seen = {0};
    *out = (pq_chunk){.data_page_offset = -1,
                      .dictionary_page_offset = -1,
                      .offset_index_at = -1,
                      .column_index_at = -1,
                      .bloom_at = -1,
                      .bloom_len = -1,
                      .text_bytes = -1};
    TRY(read_chunk_fields(p, in, leaf, a, out, &seen, err));
    TRY(check_fields(&p->leaves[leaf], out, &seen, err));
    if (!seen.page_encodings)
        out->dictionary_only = only_dictionary(out);
    if (out->uncompressed < 0)
        out->uncompressed = 0;
    if (!pq_meta_right_sizes(p, out->encodings))
        out->text_bytes = -1;
    if (out->offset_index_len <= 0 || out->offset_index_at < 4)
        out->offset_index_at = -1;
    if (out->column_index_len <= 0 || out->column_index_at < 4)
        out->column_index_at = -1;
    if (out->bloom_at < 4)
        out->bloom_at = -1;
    return find_pages(p, out, err);
}

/* ---- finding it ---- */
static void remember(pq_meta *p, int32_t rg, uint32_t column, uint64_t at)
{
    uint32_t i = column / p->mark_step;
    if (column % p->mark_step || i >= MARKS)
        return;
    pthread_mutex_lock(&p->lock);
    group_marks *g = NULL;
    for (int k = 0; k < MARKED_GROUPS; k++)
        if (p->marks[k].rg == rg)
            g = &p->marks[k];
    if (!g) {
        g = &p->marks[p->mark_next++ % MARKED_GROUPS];
        g->rg = rg;
        g->n = 0;
    }
    if (i == g->n) {
        g->at[i] = at;
        g->n++;
    }
    pthread_mutex_unlock(&p->lock);
}

/* The last known position at or before `column`. */
static bool recall(pq_meta *p, int32_t rg, uint32_t column, uint32_t *from, uint64_t *at)
{
    bool found = false;
    pthread_mutex_lock(&p->lock);
    for (int k = 0; k < MARKED_GROUPS; k++) {
        const group_marks *g = &p->marks[k];
        if (g->rg != rg || g->n == 0)
            continue;
        uint32_t i = column / p->mark_step;
        if (i >= g->n)
            i = g->n - 1;
        *from = i * p->mark_step;
        *at = g->at[i];
        found = true;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* From a row group's start into its list of columns. */
static nrw_status enter_columns(const pq_meta *p, thrift_in *in, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    uint8_t type;
    uint32_t n;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return thrift_corrupt(in, err, "the row group lacks columns");
        if (f.id == 1 && f.type == THRIFT_LIST)
            break;
        TRY(thrift_skip(in, f.type, err));
    }
    TRY(thrift_read_list(in, &type, &n, err));
    if (n != p->n_leaves || (n && type != THRIFT_STRUCT))
        return thrift_corrupt(in, err, "the row group has %u columns, the schema %u", n,
                              p->n_leaves);
    return NRW_OK;
}

static nrw_status walk_chunks(pq_meta *p, int32_t rg, thrift_in *in, uint32_t column,
                              const uint32_t *leaves, uint32_t n, arena *a, pq_chunk *out,
                              nrw_error *err)
{
    for (uint32_t i = 0; i < n; column++) {
        remember(p, rg, column, thrift_offset(in));
        if (column < leaves[i]) {
            TRY(thrift_skip(in, THRIFT_STRUCT, err));
            continue;
        }
        nrw_status st = read_chunk(p, in, column, a, &out[i], err);
        if (st < 0) {
            err_at_column(err, p->leaves[column].path);
            return st;
        }
        i++;
    }
    return NRW_OK;
}

static nrw_status check_leaves(const pq_meta *p, const uint32_t *leaves, uint32_t n, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++)
        if (leaves[i] >= p->n_leaves || (i && leaves[i] <= leaves[i - 1]))
            return err_set(err, NRW_E_ARG, "column %u of %u, or not in rising order", leaves[i],
                           p->n_leaves);
    return NRW_OK;
}

nrw_status pq_meta_chunks(pq_meta *p, int32_t rg, const uint32_t *leaves, uint32_t n, arena *a,
                          pq_chunk *out, nrw_error *err)
{
    pq_row_group g;
    pq_walk w;
    memset(out, 0, n * sizeof *out);
    TRY(pq_meta_row_group(p, rg, &g, err));
    TRY(check_leaves(p, leaves, n, err));
    if (n == 0)
        return NRW_OK;
    uint32_t column = 0;
    uint64_t at = (uint64_t)g.at;
    bool known = recall(p, rg, leaves[0], &column, &at);
    uint64_t len = (uint64_t)(g.at + g.len) - at;
    TRY(pq_walk_open(p, at, len, n > 1 ? PQ_WINDOW : CHUNK_WINDOW, &w, err));
    nrw_status st = known ? NRW_OK : enter_columns(p, &w.in, err);
    if (st >= 0)
        st = walk_chunks(p, rg, &w.in, column, leaves, n, a, out, err);
    pq_walk_close(&w);
    if (st < 0) {
        memset(out, 0, n * sizeof *out);
        err_at_row_group(err, rg);
    }
    return pq_meta_fail(p, st, err);
}

nrw_status pq_meta_chunk(pq_meta *p, int32_t rg, uint32_t leaf, arena *a, pq_chunk *out,
                         nrw_error *err)
{
    return pq_meta_chunks(p, rg, &leaf, 1, a, out, err);
}
