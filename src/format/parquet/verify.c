/* One column chunk after the other, one page after the other: header, checksum, indexes, then the
 * page's rows through the reader. */
#include "format/parquet/verify.h"

#include "codec/codec.h"
#include "format/parquet/chunk_needs.h"
#include "format/parquet/chunk_read.h"
#include "format/parquet/meta_priv.h"
#include "format/parquet/nested_read.h"
#include "format/parquet/page_walk.h"
#include "format/parquet/verify_range.h"

#include <stdarg.h>
#include <stdio.h>

enum { PIECE = 64 << 10, VALUES_LEAST = 64 << 10, VALUES_MOST = 1 << 20 };

typedef struct verifier {
    pq_meta *p;
    io_file *f;
    spill *s;
    mem *m;
    bool data;
    nrw_status (*fault)(void *self, const nrw_error *what, nrw_error *err);
    void *self;
    pq_verify_counts *counts;
    uint8_t *piece; /* PIECE bytes */
    size_t values;  /* bytes of those that are looked at at a time */
} verifier;

/* A column chunk under verification. */
typedef struct chunk_check {
    verifier *v;
    int32_t rg;
    uint32_t leaf;
    const pq_leaf *l;
    pq_leaf as_read; /* what the reader gets: INT96 as microseconds, in which all of them fit */
    int64_t rows;
    pq_chunk c;
    arena *a;
    pq_page_place *places;
    pq_column_index index;
    uint32_t n_places;
    bool has_places, has_index;
    pq_chunk_reader *reader; /* NULL: values are not looked at */
    bool all_decoded;
    pq_range range, page_range; /* of the chunk, of the page at hand */
    int64_t bodies, headers;    /* bytes */
    bool seen_dictionary;
} chunk_check;

/* ---- faults ---- */
static nrw_status give(verifier *v, nrw_error *what, nrw_error *err)
{
    err_at_object(what, v->f->name);
    v->counts->faults++;
    return v->fault(v->self, what, err);
}

/* A fault of the chunk at hand; page and offset -1 where there is none. */
static nrw_status PRINTF_LIKE(5, 6)
    fault(chunk_check *k, int64_t page, int64_t offset, nrw_error *err, const char *fmt, ...)
{
    nrw_error what = NRW_ERROR_INIT;
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_at_row_group(&what, k->rg);
    err_at_column(&what, k->l->path);
    what.page = page;
    what.offset = offset;
    (void)err_set(&what, NRW_E_CORRUPT, "%s", text);
    return give(k->v, &what, err);
}

/* A failure of a reader is a fault of the file, unless it says that nothing can go on. */
static nrw_status caught(verifier *v, nrw_status st, nrw_error *what, nrw_error *err)
{
    if (st == NRW_E_CORRUPT || st == NRW_E_UNSUPPORTED || st == NRW_E_VALUE || st == NRW_E_IO)
        return give(v, what, err);
    if (err)
        *err = *what;
    return st;
}

static void print_bound(const pq_leaf *l, span v, char out[48])
{
    size_t n = pq_value_print(l, v, out, 48);
    if (n >= 48)
        memcpy(out + 44, "...", 4);
}

/* ---- metadata ---- */
static nrw_status check_chunk_statistics(chunk_check *k, nrw_error *err)
{
    const pq_statistics *t = &k->c.stats;
    char min[48], max[48];
    if (t->has_null_count && t->null_count > k->c.n_values)
        TRY(fault(k, -1, -1, err, "the statistics say %lld nulls of %lld values",
                  (long long)t->null_count, (long long)k->c.n_values));
    if (!t->has_min || !t->has_max || pq_value_compare(k->l, t->min, t->max) <= 0)
        return NRW_OK;
    print_bound(k->l, t->min, min);
    print_bound(k->l, t->max, max);
    return fault(k, -1, -1, err, "the statistics say least value %s, greatest %s", min, max);
}

static nrw_status load_indexes(chunk_check *k, nrw_error *err)
{
    if (k->c.offset_index_at >= 0) {
        nrw_error what = NRW_ERROR_INIT;
        nrw_status st =
            pq_offset_index(k->v->p, &k->c, k->rows, k->a, &k->n_places, &k->places, &what);
        k->has_places = st >= 0;
        if (st < 0) {
            err_at_row_group(&what, k->rg);
            err_at_column(&what, k->l->path);
            TRY(caught(k->v, st, &what, err));
        }
    }
    if (k->c.column_index_at >= 0) {
        nrw_error what = NRW_ERROR_INIT;
        nrw_status st = pq_column_index_read(k->v->p, &k->c, k->a, &k->index, &what);
        k->has_index = st >= 0;
        if (st < 0) {
            err_at_row_group(&what, k->rg);
            err_at_column(&what, k->l->path);
            TRY(caught(k->v, st, &what, err));
        }
    }
    if (k->has_places && k->has_index && k->n_places != k->index.n)
        return fault(k, -1, -1, err, "the offset index has %u pages, the column index %u",
                     k->n_places, k->index.n);
    return NRW_OK;
}

static bool has_order(const chunk_check *k)
{
    return k->v->p->order[k->leaf] != PQ_ORDER_NONE;
}

static nrw_status check_index_widths(chunk_check *k, nrw_error *err)
{
    size_t width = pq_value_width(k->l);
    for (uint32_t i = 0; width && k->has_index && i < k->index.n; i++) {
        if (k->index.null_page[i] || (k->index.min[i].len == width && k->index.max[i].len == width))
            continue;
        k->has_index = false;
        return fault(k, i, -1, err, "bounds of the column index have %zu and %zu bytes, not %zu",
                     k->index.min[i].len, k->index.max[i].len, width);
    }
    return NRW_OK;
}

/* Bounds of pages must rise or fall as the column index says (PageIndex.md, boundary_order). */
static nrw_status check_boundary_order(chunk_check *k, nrw_error *err)
{
    const pq_column_index *x = &k->index;
    int want = x->boundary_order == 1 ? 1 : x->boundary_order == 2 ? -1 : 0;
    uint32_t last = UINT32_MAX;
    if (!k->has_index || !want || !has_order(k))
        return NRW_OK;
    for (uint32_t i = 0; i < x->n; i++) {
        if (x->null_page[i])
            continue;
        if (last != UINT32_MAX && (pq_value_compare(k->l, x->min[i], x->min[last]) * want < 0 ||
                                   pq_value_compare(k->l, x->max[i], x->max[last]) * want < 0))
            return fault(k, i, -1, err, "the column index says bounds are %s, they are not here",
                         want > 0 ? "ascending" : "descending");
        last = i;
    }
    return NRW_OK;
}

/* ---- one page ---- */
static nrw_status check_crc(chunk_check *k, const pq_page_at *at, bool *damaged, nrw_error *err)
{
    uint32_t crc = 0;
    int64_t left = at->page.compressed, from = at->body;
    *damaged = false;
    if (!at->page.has_crc)
        return NRW_OK;
    while (left > 0) {
        size_t n = left < PIECE ? (size_t)left : PIECE;
        nrw_error what = NRW_ERROR_INIT;
        nrw_status st = file_read(k->v->f, (uint64_t)from, k->v->piece, n, &what);
        if (st < 0) {
            *damaged = true;
            return caught(k->v, st, &what, err);
        }
        crc = codec_crc32(crc, k->v->piece, n);
        from += (int64_t)n;
        left -= (int64_t)n;
    }
    k->v->counts->crcs++;
    *damaged = crc != at->page.crc;
    if (*damaged)
        return fault(k, at->ordinal, at->offset, err,
                     "checksum differs: the header says %08x, the page has %08x", at->page.crc,
                     crc);
    return NRW_OK;
}

static nrw_status check_place_of(chunk_check *k, const pq_page_at *at, nrw_error *err)
{
    if (!k->has_places || at->ordinal < 0 || at->ordinal >= k->n_places)
        return NRW_OK;
    const pq_page_place *place = &k->places[at->ordinal];
    int64_t size = (int64_t)at->page.header_len + at->page.compressed;
    if (place->offset != at->offset || place->compressed != size)
        TRY(fault(k, at->ordinal, at->offset, err,
                  "the page has %lld bytes, the offset index says byte %lld and %d bytes",
                  (long long)size, (long long)place->offset, place->compressed));
    if (k->l->max_rep == 0 && place->first_row != at->first)
        TRY(fault(k, at->ordinal, at->offset, err,
                  "the page starts at row %lld, the offset index says %lld", (long long)at->first,
                  (long long)place->first_row));
    return NRW_OK;
}

static nrw_status check_header(chunk_check *k, const pq_page_at *at, nrw_error *err)
{
    const pq_page *p = &at->page;
    if (p->type == PQ_DICTIONARY_PAGE) {
        if (at->first > 0 || k->seen_dictionary || k->headers > 0)
            TRY(fault(k, -1, at->offset, err, "the dictionary is not the first page"));
        k->seen_dictionary = true;
    } else if (at->ordinal < 0) {
        TRY(fault(k, -1, at->offset, err, "page of type %d among the column's pages", p->type));
    } else if ((p->encoding == PQ_RLE_DICTIONARY || p->encoding == PQ_PLAIN_DICTIONARY) &&
               !k->seen_dictionary && p->n_values > 0) {
        TRY(fault(k, at->ordinal, at->offset, err, "the page needs a dictionary, there is none"));
    }
    if (p->type == PQ_DATA_PAGE_V2 && k->l->max_rep == 0 && p->n_rows != p->n_values)
        TRY(fault(k, at->ordinal, at->offset, err, "the page header says %d rows and %d values",
                  p->n_rows, p->n_values));
    return NRW_OK;
}

/* ---- values ---- */
/* Reads rows [first, first + n) into k->page_range. *whole: nothing was in the way. */
static nrw_status decode_rows(chunk_check *k, int64_t first, int64_t n, bool *whole, nrw_error *err)
{
    int64_t end = first + n;
    *whole = true;
    while (first < end) {
        vector v;
        nrw_error what = NRW_ERROR_INIT;
        uint32_t most = end - first < BATCH_MAX_ROWS ? (uint32_t)(end - first) : BATCH_MAX_ROWS;
        nrw_status st =
            pq_chunk_read(k->reader, first, most, k->v->values, NULL, 0, 0, k->v->m, &v, &what);
        if (st < 0) {
            *whole = k->all_decoded = false;
            if (st != NRW_E_CORRUPT) {
                pq_chunk_close(k->reader);
                k->reader = NULL;
            }
            return caught(k->v, st, &what, err);
        }
        first += v.len;
        k->v->counts->values += v.len;
        st = pq_range_add(&k->page_range, k->l, &v, err);
        vector_release(&v);
        TRY(st);
    }
    return NRW_OK;
}

static nrw_status check_bounds(chunk_check *k, const pq_page_at *at, const pq_range *r,
                               const span *min, const span *max, const char *who, nrw_error *err)
{
    char said[48], seen[48];
    int64_t page = at ? at->ordinal : -1, offset = at ? at->offset : -1;
    span least = {r->min.data, r->min.len}, greatest = {r->max.data, r->max.len};
    if (!r->any || !has_order(k))
        return NRW_OK;
    if (min && pq_value_compare(k->l, least, *min) < 0) {
        print_bound(k->l, *min, said);
        print_bound(k->l, least, seen);
        TRY(fault(k, page, offset, err, "least value is %s, %s %s", seen, who, said));
    }
    if (max && pq_value_compare(k->l, greatest, *max) > 0) {
        print_bound(k->l, *max, said);
        print_bound(k->l, greatest, seen);
        TRY(fault(k, page, offset, err, "greatest value is %s, %s %s", seen, who, said));
    }
    return NRW_OK;
}

/* Of lists some writers count what stands for an empty or null list as a null, others do not. */
static bool nulls_differ(const chunk_check *k, int64_t said, int64_t nulls)
{
    return k->l->max_rep ? said > nulls : said != nulls;
}

static nrw_status check_page_values(chunk_check *k, const pq_page_at *at, nrw_error *err)
{
    const pq_range *r = &k->page_range;
    const pq_column_index *x = &k->index;
    if (at->page.n_nulls >= 0 && at->page.n_nulls != r->nulls)
        TRY(fault(k, at->ordinal, at->offset, err, "%lld nulls, the page header says %d",
                  (long long)r->nulls, at->page.n_nulls));
    if (!k->has_index || at->ordinal >= x->n)
        return NRW_OK;
    if (x->has_null_counts && nulls_differ(k, x->null_counts[at->ordinal], r->nulls))
        TRY(fault(k, at->ordinal, at->offset, err, "%lld nulls, the column index says %lld",
                  (long long)r->nulls, (long long)x->null_counts[at->ordinal]));
    if (x->null_page[at->ordinal]) {
        if (r->nulls < r->rows)
            return fault(k, at->ordinal, at->offset, err,
                         "the column index says all values are null, %lld are not",
                         (long long)(r->rows - r->nulls));
        return NRW_OK;
    }
    return check_bounds(k, at, r, &x->min[at->ordinal], &x->max[at->ordinal],
                        "the column index says", err);
}

static nrw_status check_values(chunk_check *k, const pq_page_at *at, nrw_error *err)
{
    bool whole;
    if (!k->reader || at->ordinal < 0 || at->page.n_values == 0)
        return NRW_OK;
    if (at->first + at->page.n_values > (k->l->max_rep ? k->c.n_values : k->rows)) {
        k->all_decoded = false;
        return NRW_OK; /* told of at the end: more values than rows */
    }
    pq_range_clear(&k->page_range);
    TRY(decode_rows(k, at->first, at->page.n_values, &whole, err));
    if (!whole)
        return NRW_OK;
    TRY(check_page_values(k, at, err));
    return pq_range_join(&k->range, k->l, &k->page_range, err);
}

static nrw_status check_page(chunk_check *k, const pq_page_at *at, nrw_error *err)
{
    bool damaged;
    k->v->counts->pages++;
    TRY(check_header(k, at, err));
    k->headers += at->page.header_len;
    k->bodies += at->page.compressed;
    TRY(check_place_of(k, at, err));
    TRY(check_crc(k, at, &damaged, err));
    if (!damaged)
        return check_values(k, at, err);
    k->all_decoded = false;
    /* Nothing can be decoded without the dictionary. */
    if (at->page.type == PQ_DICTIONARY_PAGE) {
        pq_chunk_close(k->reader);
        k->reader = NULL;
    }
    return NRW_OK;
}

/* ---- one chunk ---- */
static nrw_status check_sums(chunk_check *k, const pq_page_walk *w, nrw_error *err)
{
    const pq_chunk *c = &k->c;
    /* Uncompressed sizes are left alone: writers count them in many ways. */
    int64_t compressed = k->bodies + k->headers;
    if (w->values != c->n_values)
        TRY(fault(k, -1, -1, err, "the pages have %lld values, the column chunk says %lld",
                  (long long)w->values, (long long)c->n_values));
    if (c->compressed != compressed && !k->v->p->pad_chunks)
        TRY(fault(k, -1, -1, err, "the pages have %lld bytes, the column chunk says %lld",
                  (long long)compressed, (long long)c->compressed));
    if (k->has_places && k->n_places != w->data_pages)
        TRY(fault(k, -1, -1, err, "%lld data pages, the offset index has %u",
                  (long long)w->data_pages, k->n_places));
    if (k->has_index && k->index.n != w->data_pages)
        TRY(fault(k, -1, -1, err, "%lld data pages, the column index has %u",
                  (long long)w->data_pages, k->index.n));
    return NRW_OK;
}

static nrw_status check_chunk_values(chunk_check *k, nrw_error *err)
{
    const pq_statistics *t = &k->c.stats;
    const pq_range *r = &k->range;
    char said[48], seen[48];
    if (!k->reader || !k->all_decoded)
        return NRW_OK;
    if (t->has_null_count && nulls_differ(k, t->null_count, r->nulls))
        TRY(fault(k, -1, -1, err, "%lld nulls, the statistics say %lld", (long long)r->nulls,
                  (long long)t->null_count));
    TRY(check_bounds(k, NULL, r, t->has_min ? &t->min : NULL, t->has_max ? &t->max : NULL,
                     "the statistics say", err));
    if (type_is_view(&k->l->field.type) && k->c.text_bytes != -1 && k->c.text_bytes != r->text)
        TRY(fault(k, -1, -1, err, "%lld bytes of values, the size statistics say %lld",
                  (long long)r->text, (long long)k->c.text_bytes));
    span least = {r->min.data, r->min.len}, greatest = {r->max.data, r->max.len};
    if (r->any && t->has_min && t->min_exact && pq_value_compare(k->l, least, t->min) > 0) {
        print_bound(k->l, t->min, said);
        print_bound(k->l, least, seen);
        TRY(fault(k, -1, -1, err, "least value is %s, the statistics say exactly %s", seen, said));
    }
    if (r->any && t->has_max && t->max_exact && pq_value_compare(k->l, greatest, t->max) < 0) {
        print_bound(k->l, t->max, said);
        print_bound(k->l, greatest, seen);
        TRY(fault(k, -1, -1, err, "greatest value is %s, the statistics say exactly %s", seen,
                  said));
    }
    return NRW_OK;
}

/* What pages and dictionaries leave free: for values, texts among them that grow, and for a stream
 * that decodes what is too large. */
static size_t headroom(const verifier *v, const pq_chunk *c)
{
    return 6 * v->values + pq_chunk_least() + (size_t)pq_stream_memory(c);
}

static nrw_status open_reader(chunk_check *k, nrw_error *err)
{
    verifier *v = k->v;
    const pq_chunk_options opts = {
        .read_ahead = PIECE, .quarantine = true, .slots = true, .headroom = headroom(v, &k->c)};
    bool lists = k->l->max_rep > 0;
    if (!v->data || k->rows == 0 || (lists ? k->c.n_values < k->rows : k->c.n_values != k->rows))
        return NRW_OK;
    nrw_error what = NRW_ERROR_INIT;
    k->as_read = *k->l;
    if (k->l->physical == PQ_INT96) {
        k->as_read.int96_us = true;
        k->as_read.field.type = type_timestamp(UNIT_US, false);
    }
    nrw_status st = pq_chunk_open(v->m, v->s, v->f, &k->as_read, &k->c, k->rg, k->rows, &opts,
                                  &k->reader, &what);
    if (st >= 0)
        return NRW_OK;
    err_at_row_group(&what, k->rg);
    err_at_column(&what, k->l->path);
    return caught(v, st, &what, err);
}

static nrw_status check_pages(chunk_check *k, nrw_error *err)
{
    pq_page_walk w;
    pq_page_at at;
    nrw_error what = NRW_ERROR_INIT;
    TRY(pq_page_walk_open(k->v->m, k->v->f, &k->c, &w, err));
    nrw_status st = NRW_OK;
    while (st >= 0) {
        nrw_status step = pq_page_walk_next(&w, &at, &what);
        if (step == NRW_END) {
            st = check_sums(k, &w, err);
            if (st >= 0)
                st = check_chunk_values(k, err);
            break;
        }
        if (step < 0) { /* without this header there is no way to the next */
            err_at_row_group(&what, k->rg);
            err_at_column(&what, k->l->path);
            st = caught(k->v, step, &what, err);
            break;
        }
        st = check_page(k, &at, err);
    }
    k->v->counts->bytes += (uint64_t)(k->bodies + k->headers);
    pq_page_walk_close(&w);
    return st;
}

static nrw_status check_loaded(chunk_check *k, nrw_error *err)
{
    k->all_decoded = true;
    if (k->l->max_rep ? k->c.n_values < k->rows : k->c.n_values != k->rows)
        TRY(fault(k, -1, -1, err, "the column chunk says %lld values, the row group %lld rows",
                  (long long)k->c.n_values, (long long)k->rows));
    TRY(check_chunk_statistics(k, err));
    TRY(load_indexes(k, err));
    TRY(check_index_widths(k, err));
    TRY(check_boundary_order(k, err));
    TRY(open_reader(k, err));
    return check_pages(k, err);
}

static nrw_status check_chunk(verifier *v, int32_t rg, uint32_t leaf, nrw_error *err)
{
    pq_row_group g;
    nrw_error what = NRW_ERROR_INIT;
    chunk_check k = {.v = v,
                     .rg = rg,
                     .leaf = leaf,
                     .l = pq_meta_leaf(v->p, leaf),
                     .range = pq_range_init(v->m),
                     .page_range = pq_range_init(v->m)};
    TRY(pq_meta_row_group(v->p, rg, &g, err));
    TRY(arena_new(v->m, &k.a, err));
    k.rows = g.rows;
    v->counts->chunks++;
    nrw_status st = pq_meta_chunk(v->p, rg, leaf, k.a, &k.c, &what);
    st = st < 0 ? caught(v, st, &what, err) : check_loaded(&k, err);
    pq_chunk_close(k.reader);
    pq_range_release(&k.range);
    pq_range_release(&k.page_range);
    arena_free(k.a);
    return st;
}

/* ---- nested columns ---- */
/* The column's leaves together: their levels give lists and structs, the same ones, and as many
 * rows as the row group has. Stops at the first fault. */
static nrw_status check_rows(verifier *v, pq_nested *r, int64_t rows, nrw_error *err)
{
    for (int64_t row = 0; row < rows;) {
        vector x;
        nrw_error what = NRW_ERROR_INIT;
        uint32_t most = rows - row < BATCH_MAX_ROWS ? (uint32_t)(rows - row) : BATCH_MAX_ROWS;
        nrw_status st = pq_nested_read(r, row, most, v->values, NULL, 0, 0, v->m, &x, &what);
        if (st < 0)
            return caught(v, st, &what, err);
        row += x.len;
        vector_release(&x);
    }
    return NRW_OK;
}

static nrw_status check_nested(verifier *v, int32_t rg, const pq_node *n, nrw_error *err)
{
    pq_chunk_options opts = {.read_ahead = PIECE};
    size_t bytes = n->n_leaves * sizeof(pq_chunk);
    pq_nested *r = NULL;
    nrw_error what = NRW_ERROR_INIT;
    pq_row_group g;
    void *chunks;
    arena *a;
    nrw_status st = NRW_OK;
    TRY(pq_meta_row_group(v->p, rg, &g, err));
    TRY(arena_new(v->m, &a, err));
    TRY_OUT(arena_alloc(a, bytes, &chunks, err));
    for (uint32_t i = 0; i < n->n_leaves && st >= 0; i++) {
        pq_chunk *c = (pq_chunk *)chunks + i;
        st = pq_meta_chunk(v->p, rg, n->first_leaf + i, NULL, c, &what);
        if (st >= 0)
            opts.headroom = size_max(opts.headroom, headroom(v, c));
    }
    if (st >= 0)
        st = pq_nested_open(v->m, v->s, v->f, pq_meta_leaf(v->p, 0), n, chunks, rg, g.rows, &opts,
                            &r, &what);
    if (st < 0) {
        err_at_row_group(&what, rg);
        err_at_column(&what, n->field.name);
        st = caught(v, st, &what, err);
    } else {
        st = check_rows(v, r, g.rows, err);
    }
out:
    pq_nested_close(r);
    arena_free(a);
    return st;
}

/* Where its leaves have no fault of their own. */
static nrw_status check_column(verifier *v, int32_t rg, const pq_node *n, nrw_error *err)
{
    int64_t faults = v->counts->faults;
    for (uint32_t i = 0; i < n->n_leaves; i++)
        TRY(check_chunk(v, rg, n->first_leaf + i, err));
    if (n->n_children == 0 || n->no_leaf || !v->data || v->counts->faults != faults)
        return NRW_OK;
    return check_nested(v, rg, n, err);
}

static nrw_status check_start(verifier *v, nrw_error *err)
{
    char magic[4];
    nrw_error what = NRW_ERROR_INIT;
    nrw_status st = file_read(v->f, 0, magic, sizeof magic, &what);
    if (st < 0)
        return caught(v, st, &what, err);
    if (!memcmp(magic, "PAR1", sizeof magic))
        return NRW_OK;
    err_at_offset(&what, 0);
    (void)err_set(&what, NRW_E_CORRUPT, "the file does not start with PAR1");
    return give(v, &what, err);
}

static nrw_status check_file(verifier *v, nrw_error *err)
{
    TRY(check_start(v, err));
    for (int32_t rg = 0; rg < pq_meta_row_groups(v->p); rg++)
        for (uint32_t i = 0; i < pq_meta_schema(v->p)->n_fields; i++)
            TRY(check_column(v, rg, pq_meta_column(v->p, i), err));
    return file_check(v->f, err);
}

nrw_status pq_verify(pq_meta *p, io_file *f, spill *s, mem *m, bool data,
                     nrw_status (*fault_)(void *self, const nrw_error *what, nrw_error *err),
                     void *self, pq_verify_counts *out, nrw_error *err)
{
    void *piece;
    *out = (pq_verify_counts){0};
    TRY(mem_alloc(m, PIECE, &piece, err));
    verifier v = {.p = p,
                  .f = f,
                  .s = s,
                  .m = m,
                  .data = data,
                  .fault = fault_,
                  .self = self,
                  .counts = out,
                  .piece = piece,
                  .values = size_max(VALUES_LEAST, size_min(mem_room(m) / 16, VALUES_MOST))};
    nrw_status st = check_file(&v, err);
    mem_free(m, piece, PIECE);
    return st;
}
