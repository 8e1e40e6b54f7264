/* FileMetaData (parquet.thrift), made in pieces: a chunk's ColumnMetaData is encoded when its row
 * group leaves and waits in a log; at the end the footer is put together piece by piece, since
 * thrift lists need only their count in front. */
#include "format/parquet/index_write.h"
#include "format/parquet/schema_write.h"
#include "format/parquet/size_stats.h"
#include "format/parquet/thrift.h"
#include "format/parquet/writer_own.h"

enum { FLUSH = 16384 };

/* ---- while row groups leave ---- */

nrw_status pq_footer_statistics(pq_writer *w, uint32_t leaf, const pq_chunk_stats *s, uint8_t **out,
                                uint32_t *len, nrw_error *err)
{
    const type *t = pq_leaf_type(w, leaf);
    uint32_t limit = w->opts->statistics_truncate;
    *out = NULL;
    *len = 0;
    if (!pq_leaf_options(w, leaf)->statistics)
        return NRW_OK;
    bytes b = bytes_init(w->m, SIZE_MAX / 4), bound = b;
    thrift_out o = thrift_out_init(&b);
    nrw_status st = NRW_OK;
    void *copy = NULL;
    TRY_OUT(thrift_begin(&o, err));
    TRY_OUT(thrift_write_field_i64(&o, 3, s->nulls, err));
    if (s->has_bounds && pq_bounds_wanted(t, limit)) {
        bool max_exact, min_exact;
        TRY_OUT(
            pq_bound_cut(t, (span){s->max.data, s->max.len}, limit, true, &bound, &max_exact, err));
        TRY_OUT(thrift_write_field_binary(&o, 5, (span){bound.data, bound.len}, err));
        TRY_OUT(pq_bound_cut(t, (span){s->min.data, s->min.len}, limit, false, &bound, &min_exact,
                             err));
        TRY_OUT(thrift_write_field_binary(&o, 6, (span){bound.data, bound.len}, err));
        TRY_OUT(thrift_write_field_bool(&o, 7, max_exact && !s->max_cut, err));
        TRY_OUT(thrift_write_field_bool(&o, 8, min_exact && !s->min_cut, err));
    }
    TRY_OUT(mem_alloc(w->m, b.len, &copy, err));
    memcpy(copy, b.data, b.len);
    *out = copy;
    *len = (uint32_t)b.len;
out:
    bytes_release(&b);
    bytes_release(&bound);
    return st;
}

static nrw_status append_span(bytes *b, const void *data, size_t len, nrw_error *err)
{
    return len ? bytes_append(b, data, len, err) : NRW_OK;
}

/* The set of encodings used in the chunk, levels and dictionary included. */
static nrw_status write_encodings(thrift_out *o, const pq_wleaf *l, const pq_wchunk *c,
                                  nrw_error *err)
{
    uint32_t set = l->max_def || l->max_rep ? 1u << PQ_RLE : 0;
    if (c->dictionary.len)
        set |= 1u << c->dictionary_encoding;
    for (uint8_t i = 0; i < c->n_encodings; i++)
        set |= 1u << c->encodings[i];
    TRY(thrift_write_field_list(o, 2, THRIFT_I32, (uint32_t)__builtin_popcount(set), err));
    for (int e = 0; set >> e; e++) {
        if (set >> e & 1)
            TRY(thrift_write_i32(o, e, err));
    }
    return NRW_OK;
}

static nrw_status encoding_stat(thrift_out *o, int page_type, int encoding, uint32_t n,
                                nrw_error *err)
{
    TRY(thrift_begin(o, err));
    TRY(thrift_write_field_i32(o, 1, page_type, err));
    TRY(thrift_write_field_i32(o, 2, encoding, err));
    TRY(thrift_write_field_i32(o, 3, (int32_t)n, err));
    return thrift_end(o, err);
}

static nrw_status write_encoding_stats(thrift_out *o, bool v2, const pq_wchunk *c, nrw_error *err)
{
    uint32_t n = c->n_encodings + (c->dictionary.len ? 1u : 0);
    int data = v2 ? PQ_DATA_PAGE_V2 : PQ_DATA_PAGE;
    TRY(thrift_write_field_list(o, 13, THRIFT_STRUCT, n, err));
    if (c->dictionary.len)
        TRY(encoding_stat(o, PQ_DICTIONARY_PAGE, c->dictionary_encoding, 1, err));
    for (uint8_t i = 0; i < c->n_encodings; i++)
        TRY(encoding_stat(o, data, c->encodings[i], c->pages[i], err));
    return NRW_OK;
}

static nrw_status write_path(thrift_out *o, const pq_wleaf *l, nrw_error *err)
{
    const char *const *path = l->n_path ? l->path : &l->field->name;
    uint32_t n = l->n_path ? l->n_path : 1;
    TRY(thrift_write_field_list(o, 3, THRIFT_BINARY, n, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(thrift_write_binary(o, (span){(const uint8_t *)path[i], strlen(path[i])}, err));
    return NRW_OK;
}

static nrw_status column_meta(pq_writer *w, uint32_t leaf, const pq_wchunk *c,
                              const pq_chunk_place *at, bytes *b, nrw_error *err)
{
    const pq_wleaf *l = &w->leaves.at[leaf];
    thrift_out o = thrift_out_init(b);
    TRY(thrift_begin(&o, err));
    TRY(thrift_write_field_i32(&o, 1, pq_written_type_of(&l->field->type).physical, err));
    TRY(write_encodings(&o, l, c, err));
    TRY(write_path(&o, l, err));
    TRY(thrift_write_field_i32(&o, 4, pq_leaf_options(w, leaf)->codec, err));
    TRY(thrift_write_field_i64(&o, 5, c->values, err));
    TRY(thrift_write_field_i64(&o, 6, (int64_t)c->uncompressed, err));
    TRY(thrift_write_field_i64(&o, 7, (int64_t)c->compressed, err));
    TRY(thrift_write_field_i64(&o, 9, at->data, err));
    if (at->dictionary >= 0)
        TRY(thrift_write_field_i64(&o, 11, at->dictionary, err));
    if (c->stats_len) {
        TRY(thrift_write_field_struct(&o, 12, err));
        TRY(append_span(b, c->stats, c->stats_len, err));
        TRY(thrift_end(&o, err));
    }
    TRY(write_encoding_stats(&o, pq_pages_v2(w->opts), c, err));
    if (!pq_leaf_options(w, leaf)->statistics || c->unsized)
        return NRW_OK;
    return pq_size_stats_write(&o, l, c->text_bytes, c->level_counts, err);
}

/* In the log: lengths of blob, column index, offset index and bloom filter, 32 bits each; the blob,
 * which is ColumnMetaData up to BLOB_LAST without its stop byte. */
enum { CHUNK_HEAD = 16, BLOB_LAST = 16 };

nrw_status pq_footer_chunk(pq_writer *w, uint32_t leaf, const pq_wchunk *c,
                           const pq_chunk_place *at, nrw_error *err)
{
    bytes b = bytes_init(w->m, SIZE_MAX / 4);
    uint8_t head[CHUNK_HEAD] = {0};
    nrw_status st = bytes_append(&b, head, sizeof head, err);
    if (st == NRW_OK)
        st = column_meta(w, leaf, c, at, &b, err);
    if (st == NRW_OK) {
        store_u32(b.data, (uint32_t)(b.len - CHUNK_HEAD));
        store_u32(b.data + 4, at->column_index_len);
        store_u32(b.data + 8, at->offset_index_len);
        store_u32(b.data + 12, at->bloom_len);
        st = pq_log_append(&w->file_env, &w->metadata, (span){b.data, b.len}, err);
    }
    bytes_release(&b);
    return st;
}

/* Behind the chunks of a row group: rows, start, sizes, 64 bits each. */
enum { GROUP_LEN = 32 };

nrw_status pq_footer_group(pq_writer *w, int64_t rows, int64_t start, uint64_t uncompressed,
                           uint64_t compressed, nrw_error *err)
{
    uint8_t tail[GROUP_LEN];
    store_u64(tail, (uint64_t)rows);
    store_u64(tail + 8, (uint64_t)start);
    store_u64(tail + 16, uncompressed);
    store_u64(tail + 24, compressed);
    return pq_log_append(&w->file_env, &w->metadata, SPAN(tail), err);
}

/* ---- the end ---- */

typedef struct footer {
    pq_writer *w;
    bytes buf;
    thrift_out o;
    uint32_t leaf;   /* next chunk of the row group; n_main: its tail */
    uint32_t n_main; /* chunks that the row group left with; leaves behind these came later */
    int64_t group;
    pq_bench *bench;  /* for chunks of these */
    int64_t nulls_at; /* where the next one lies */
    uint64_t bloom_at, column_index_at, offset_index_at;
    uint64_t len;
    int64_t rows;
    bool collects; /* row groups go to the list of files, with the file's path */
} footer;

static nrw_status flush(footer *f, size_t above, nrw_error *err)
{
    if (f->buf.len <= above)
        return NRW_OK;
    span piece = {f->buf.data, f->buf.len};
    nrw_status st = f->collects ? pq_footers_piece(f->w->files->footers, piece, err)
                                : target_write(f->w->target, piece, err);
    f->len += f->buf.len;
    bytes_clear(&f->buf);
    return st;
}

static nrw_status chunk_in_footer(footer *f, span *piece, nrw_error *err)
{
    uint32_t blob = load_u32(piece->data);
    uint32_t column_index = load_u32(piece->data + 4), offset_index = load_u32(piece->data + 8);
    uint32_t bloom = load_u32(piece->data + 12);
    thrift_out *o = &f->o;
    if (f->leaf == 0) {
        TRY(thrift_begin(o, err));
        TRY(thrift_write_field_list(o, 1, THRIFT_STRUCT, f->w->leaves.n, err));
    }
    TRY(thrift_begin(o, err));
    if (f->collects)
        TRY(thrift_write_field_string(o, 1, f->w->path, err));
    TRY(thrift_write_field_i64(o, 2, 0, err)); /* as the format asks: no copy of the metadata */
    TRY(thrift_write_field_struct(o, 3, err));
    TRY(append_span(&f->buf, piece->data + CHUNK_HEAD, blob, err));
    thrift_go_on(o, BLOB_LAST);
    if (bloom) {
        TRY(thrift_write_field_i64(o, 14, (int64_t)f->bloom_at, err));
        TRY(thrift_write_field_i32(o, 15, (int32_t)bloom, err));
    }
    TRY(thrift_end(o, err));
    if (offset_index) {
        TRY(thrift_write_field_i64(o, 4, (int64_t)f->offset_index_at, err));
        TRY(thrift_write_field_i32(o, 5, (int32_t)offset_index, err));
    }
    if (column_index) {
        TRY(thrift_write_field_i64(o, 6, (int64_t)f->column_index_at, err));
        TRY(thrift_write_field_i32(o, 7, (int32_t)column_index, err));
    }
    TRY(thrift_end(o, err));
    f->bloom_at += bloom;
    f->offset_index_at += offset_index;
    f->column_index_at += column_index;
    f->leaf++;
    size_t n = CHUNK_HEAD + blob;
    *piece = (span){piece->data + n, piece->len - n};
    return flush(f, FLUSH, err);
}

static nrw_status write_sorting(footer *f, nrw_error *err)
{
    const pq_write_options *opts = f->w->opts;
    if (!opts->n_sorting)
        return NRW_OK;
    TRY(thrift_write_field_list(&f->o, 4, THRIFT_STRUCT, opts->n_sorting, err));
    for (uint32_t i = 0; i < opts->n_sorting; i++) {
        TRY(thrift_begin(&f->o, err));
        int32_t leaf = (int32_t)f->w->leaves.first[opts->sorting[i].column];
        TRY(thrift_write_field_i32(&f->o, 1, leaf, err));
        TRY(thrift_write_field_bool(&f->o, 2, opts->sorting[i].descending, err));
        TRY(thrift_write_field_bool(&f->o, 3, opts->sorting[i].nulls_first, err));
        TRY(thrift_end(&f->o, err));
    }
    return NRW_OK;
}

/* A chunk that was written as the file ended. */
static nrw_status nulls_in_footer(footer *f, uint32_t leaf, int64_t rows, uint64_t *uncompressed,
                                  uint64_t *compressed, nrw_error *err)
{
    pq_writer *w = f->w;
    pq_chunk_place at = {.start = f->nulls_at, .data = f->nulls_at, .dictionary = -1};
    pq_wchunk c;
    span page;
    nrw_status st = pq_null_chunk(w, leaf, rows, f->bench, &c, &page, err);
    TRY_OUT(st);
    TRY_OUT(thrift_begin(&f->o, err));
    TRY_OUT(thrift_write_field_i64(&f->o, 2, 0, err));
    TRY_OUT(thrift_write_field_struct(&f->o, 3, err));
    TRY_OUT(column_meta(w, leaf, &c, &at, &f->buf, err));
    TRY_OUT(thrift_end(&f->o, err));
    TRY_OUT(thrift_end(&f->o, err));
    f->nulls_at += (int64_t)c.compressed;
    *uncompressed += c.uncompressed;
    *compressed += c.compressed;
    st = flush(f, FLUSH, err);
out:
    mem_free(w->m, c.stats, c.stats_len);
    return st;
}

static nrw_status group_in_footer(footer *f, span *piece, nrw_error *err)
{
    int64_t rows = (int64_t)load_u64(piece->data);
    uint64_t uncompressed = load_u64(piece->data + 16), compressed = load_u64(piece->data + 24);
    for (uint32_t l = f->n_main; l < f->w->leaves.n; l++)
        TRY(nulls_in_footer(f, l, rows, &uncompressed, &compressed, err));
    TRY(thrift_write_field_i64(&f->o, 2, (int64_t)uncompressed, err));
    TRY(thrift_write_field_i64(&f->o, 3, rows, err));
    TRY(write_sorting(f, err));
    TRY(thrift_write_field_i64(&f->o, 5, (int64_t)load_u64(piece->data + 8), err));
    TRY(thrift_write_field_i64(&f->o, 6, (int64_t)compressed, err));
    if (f->group <= INT16_MAX)
        TRY(thrift_write_field_i16(&f->o, 7, (int16_t)f->group, err));
    TRY(thrift_end(&f->o, err));
    f->rows += rows;
    f->group++;
    f->leaf = 0;
    *piece = (span){piece->data + GROUP_LEN, piece->len - GROUP_LEN};
    return NRW_OK;
}

/* Leaves whose chunks the row group at hand has in the log. */
static void count_main(footer *f)
{
    while (f->n_main < f->w->leaves.n && f->w->actor[f->n_main].since <= (uint64_t)f->group)
        f->n_main++;
}

static nrw_status visit(void *self, span piece, nrw_error *err)
{
    footer *f = self;
    while (piece.len) {
        count_main(f);
        if (f->leaf < f->n_main)
            TRY(chunk_in_footer(f, &piece, err));
        else
            TRY(group_in_footer(f, &piece, err));
    }
    return NRW_OK;
}

/* ---- chunks of columns that came later ---- */

static nrw_status write_nulls(footer *f, int64_t rows, nrw_error *err)
{
    pq_writer *w = f->w;
    for (uint32_t l = f->n_main; l < w->leaves.n; l++) {
        pq_wchunk c;
        span page;
        nrw_status st = pq_null_chunk(w, l, rows, f->bench, &c, &page, err);
        if (st == NRW_OK)
            st = target_write(w->target, page, err);
        mem_free(w->m, c.stats, c.stats_len);
        TRY(st);
    }
    return NRW_OK;
}

/* Row group by row group, what lacks in it. */
static nrw_status visit_nulls(void *self, span piece, nrw_error *err)
{
    footer *f = self;
    while (piece.len) {
        size_t n = GROUP_LEN;
        count_main(f);
        if (f->leaf < f->n_main) {
            n = CHUNK_HEAD + load_u32(piece.data);
            f->leaf++;
        } else {
            TRY(write_nulls(f, (int64_t)load_u64(piece.data), err));
            f->leaf = 0;
            f->group++;
        }
        piece = (span){piece.data + n, piece.len - n};
    }
    return NRW_OK;
}

static nrw_status late_chunks(footer *f, nrw_error *err)
{
    pq_writer *w = f->w;
    footer pass = {.w = w, .bench = f->bench};
    f->nulls_at = (int64_t)(target_size(w->target) - w->base_size);
    return pq_log_walk(&w->file_env, &w->metadata, visit_nulls, &pass, err);
}

static nrw_status write_key_values(footer *f, nrw_error *err)
{
    const pq_write_options *opts = f->w->opts;
    if (!opts->n_key_values)
        return NRW_OK;
    TRY(thrift_write_field_list(&f->o, 5, THRIFT_STRUCT, opts->n_key_values, err));
    for (uint32_t i = 0; i < opts->n_key_values; i++) {
        const pq_key_value *kv = &opts->key_values[i];
        TRY(thrift_begin(&f->o, err));
        TRY(thrift_write_field_string(&f->o, 1, kv->key, err));
        if (kv->value)
            TRY(thrift_write_field_binary(&f->o, 2,
                                          (span){(const uint8_t *)kv->value, kv->value_len}, err));
        TRY(thrift_end(&f->o, err));
        TRY(flush(f, FLUSH, err));
    }
    return NRW_OK;
}

static nrw_status write_created_by(footer *f, nrw_error *err)
{
    if (f->w->opts->created_by)
        return thrift_write_field_string(&f->o, 6, f->w->opts->created_by, err);
    bytes b = bytes_init(f->w->m, 256);
    nrw_status st = bytes_printf(&b, err, "narrows version %s", nrw_version());
    if (st == NRW_OK)
        st = thrift_write_field_binary(&f->o, 6, (span){b.data, b.len}, err);
    bytes_release(&b);
    return st;
}

static nrw_status write_orders(footer *f, nrw_error *err)
{
    TRY(thrift_write_field_list(&f->o, 7, THRIFT_STRUCT, f->w->leaves.n, err));
    for (uint32_t i = 0; i < f->w->leaves.n; i++) {
        TRY(thrift_begin(&f->o, err)); /* union ColumnOrder: TYPE_ORDER */
        TRY(thrift_write_field_empty(&f->o, 1, err));
        TRY(thrift_end(&f->o, err));
        TRY(flush(f, FLUSH, err));
    }
    return NRW_OK;
}

static nrw_status listed(void *self, span piece, nrw_error *err)
{
    footer *f = self;
    TRY(append_span(&f->buf, piece.data, piece.len, err));
    return flush(f, FLUSH, err);
}

static nrw_status row_groups(footer *f, nrw_error *err)
{
    pq_writer *w = f->w;
    if (!w->list)
        return pq_log_walk(&w->file_env, &w->metadata, visit, f, err);
    f->rows = w->file_rows;
    f->group = w->row_groups;
    return pq_footers_pieces(w->list, listed, f, err);
}

static nrw_status file_meta(footer *f, nrw_error *err)
{
    pq_writer *w = f->w;
    thrift_out *o = &f->o;
    TRY(thrift_begin(o, err));
    TRY(thrift_write_field_i32(o, 1, w->opts->version >= 2 ? 2 : 1, err));
    uint32_t elements = 1;
    for (uint32_t i = 0; i < w->n_columns; i++)
        elements += pq_schema_elements(&w->schema->fields[i].type);
    TRY(thrift_write_field_list(o, 2, THRIFT_STRUCT, elements, err));
    TRY(pq_schema_root(o, w->n_columns, err));
    for (uint32_t i = 0; i < w->n_columns; i++) {
        TRY(pq_schema_field(o, &w->schema->fields[i], err));
        TRY(flush(f, FLUSH, err));
    }
    TRY(thrift_write_field_i64(o, 3, w->file_rows, err));
    if (w->row_groups > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "%lld row groups, more than a file can have",
                       (long long)w->row_groups);
    TRY(thrift_write_field_list(o, 4, THRIFT_STRUCT, (uint32_t)w->row_groups, err));
    TRY(row_groups(f, err));
    TRY(write_key_values(f, err));
    TRY(write_created_by(f, err));
    TRY(write_orders(f, err));
    TRY(thrift_end(o, err));
    return flush(f, 0, err);
}

static nrw_status put_together(footer *f, nrw_error *err)
{
    pq_writer *w = f->w;
    f->bloom_at = target_size(w->target) - w->base_size;
    TRY(pq_log_to_target(&w->file_env, &w->blooms, w->target, err));
    f->column_index_at = w->indexes_at = target_size(w->target) - w->base_size;
    TRY(pq_log_to_target(&w->file_env, &w->column_indexes, w->target, err));
    f->offset_index_at = target_size(w->target) - w->base_size;
    TRY(pq_log_to_target(&w->file_env, &w->offset_indexes, w->target, err));
    TRY(file_meta(f, err));
    if (f->rows != w->file_rows || f->group != w->row_groups)
        return err_set(err, NRW_E_CORRUPT, "the footer has %lld rows of %lld", (long long)f->rows,
                       (long long)w->file_rows);
    if (f->len > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a footer of %llu bytes; make larger row groups",
                       (unsigned long long)f->len);
    uint8_t end[8];
    store_u32(end, (uint32_t)f->len);
    memcpy(end + 4, "PAR1", 4);
    return target_write(w->target, SPAN(end), err);
}

nrw_status pq_footer_collect(pq_writer *w, nrw_error *err)
{
    footer f = {.w = w, .buf = bytes_init(w->m, SIZE_MAX / 4), .collects = true};
    f.o = thrift_out_init(&f.buf);
    f.bloom_at = w->indexes_at - w->blooms.len;
    f.column_index_at = w->indexes_at;
    f.offset_index_at = w->indexes_at + w->column_indexes.len;
    nrw_status st = pq_log_walk(&w->file_env, &w->metadata, visit, &f, err);
    if (st == NRW_OK)
        st = flush(&f, 0, err);
    bytes_release(&f.buf);
    return st;
}

nrw_status pq_footer_write(pq_writer *w, nrw_error *err)
{
    footer f = {.w = w, .buf = bytes_init(w->m, SIZE_MAX / 4)};
    f.o = thrift_out_init(&f.buf);
    nrw_status st = NRW_OK;
    if (w->actor[w->leaves.n - 1].since) {
        TRY(pq_bench_take(w->room, 0, &f.bench, err));
        st = late_chunks(&f, err);
    }
    if (st == NRW_OK)
        st = put_together(&f, err);
    pq_bench_give(w->room, f.bench);
    bytes_release(&f.buf);
    return st;
}
