/* Bounds, null counts and rows of kept pages: carried over from the input's page index, else from
 * the page headers, or, where a chunk has one data page, from its statistics. What the input does
 * not say, or says of other pages than there are, is not said of the copy. */
#include "format/parquet/index_write.h"
#include "format/parquet/keep_own.h"
#include "format/parquet/size_stats.h"

/* Damage of what speaks of the data is not damage of them. */
nrw_status pq_keep_if_readable(nrw_status st, const nrw_error *why, nrw_error *err)
{
    if (st >= 0 || st == NRW_E_CORRUPT || st == NRW_E_UNSUPPORTED)
        return NRW_OK;
    if (err)
        *err = *why;
    return st;
}

static nrw_status read_bounds(pq_keep_chunk *c, arena *a, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    if (c->from.column_index_at < 0)
        return NRW_OK;
    nrw_status st = pq_column_index_read(c->meta, &c->from, a, &c->bounds, &why);
    if (st < 0 || c->bounds.n != c->from.data_pages)
        c->bounds = (pq_column_index){0};
    return pq_keep_if_readable(st, &why, err);
}

static nrw_status read_places(pq_keep_chunk *c, arena *a, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    if (c->from.offset_index_at < 0 || !c->leaf->max_rep)
        return NRW_OK;
    nrw_status st = pq_offset_index(c->meta, &c->from, c->rows, a, &c->n_places, &c->places, &why);
    if (st < 0)
        c->n_places = 0;
    return pq_keep_if_readable(st, &why, err);
}

nrw_status pq_keep_index(pq_keep_chunk *c, arena *a, nrw_error *err)
{
    if (c->w->opts->page_index)
        TRY(read_bounds(c, a, err));
    return read_places(c, a, err);
}

nrw_status pq_keep_rows(const pq_keep_chunk *c, const pq_page *p, uint32_t *rows, nrw_error *err)
{
    int64_t i = c->pages, end;
    if (!c->leaf->max_rep || p->type == PQ_DATA_PAGE_V2) {
        *rows = (uint32_t)(c->leaf->max_rep ? p->n_rows : p->n_values);
        return NRW_OK;
    }
    if (i >= c->n_places) {
        err_next(err, "--no-keep-pages decodes them");
        return err_set(err, NRW_E_CORRUPT, "the offset index does not say the rows of this page");
    }
    end = i + 1 < c->n_places ? c->places[i + 1].first_row : c->rows;
    *rows = (uint32_t)(end - c->places[i].first_row);
    return NRW_OK;
}

/* For reading only. */
static bytes as_bytes(span s)
{
    return (bytes){.data = (uint8_t *)(uintptr_t)s.data, .len = s.len};
}

/* False: it is not known how many values of the page are not there. */
static bool nulls_of(const pq_keep_chunk *c, const pq_page *p, int64_t *nulls)
{
    const pq_column_index *x = &c->bounds;
    const pq_statistics *s = &c->from.stats;
    *nulls = 0;
    if (!c->leaf->max_def)
        return true;
    if (p->type == PQ_DATA_PAGE_V2)
        *nulls = p->n_nulls;
    else if (x->n && x->has_null_counts)
        *nulls = x->null_counts[c->pages];
    else if (x->n && x->null_page[c->pages])
        *nulls = p->n_values;
    else if (p->null_count >= 0)
        *nulls = p->null_count;
    else if (c->from.data_pages == 1 && s->has_null_count)
        *nulls = s->null_count;
    else
        return false;
    return *nulls >= 0 && *nulls <= p->n_values;
}

/* Bounds of a width that values of the column cannot have are none. */
static void set_bounds(const pq_keep_chunk *c, span min, span max, pq_page_out *out)
{
    size_t width = pq_value_width(c->leaf);
    out->has_bounds = !width || (min.len == width && max.len == width);
    out->min = as_bytes(min);
    out->max = as_bytes(max);
}

static void bounds_of(const pq_keep_chunk *c, const pq_page *p, pq_page_out *out)
{
    const pq_column_index *x = &c->bounds;
    const pq_statistics *s = &c->from.stats;
    int64_t i = c->pages;
    if (x->n && !x->null_page[i])
        set_bounds(c, x->min[i], x->max[i], out);
    else if (!x->n && p->has_min && p->has_max)
        set_bounds(c, p->min, p->max, out);
    else if (!x->n && c->from.data_pages == 1 && s->has_min && s->has_max)
        set_bounds(c, s->min, s->max, out);
}

nrw_status pq_keep_record_new(const pq_keep_chunk *c, const pq_page *p, uint32_t rows,
                              uint8_t **record, uint32_t *len, nrw_error *err)
{
    pq_page_out out = {.rows = (uint32_t)p->n_values, .records = rows};
    int64_t nulls;
    *record = NULL;
    *len = 0;
    if (!c->w->opts->page_index)
        return NRW_OK;
    if (nulls_of(c, p, &nulls)) {
        out.nulls = (uint32_t)nulls;
        bounds_of(c, p, &out);
    }
    return pq_page_record_new(c->m, pq_leaf_type(c->w, c->out), c->w->opts->statistics_truncate,
                              &out, record, len, err);
}

nrw_status pq_keep_statistics(pq_keep_chunk *c, nrw_error *err)
{
    const pq_statistics *s = &c->from.stats;
    pq_chunk_stats out = {.rows = c->rows,
                          .nulls = s->has_null_count ? s->null_count : 0,
                          .has_bounds = s->has_min && s->has_max,
                          .min = as_bytes(s->min),
                          .max = as_bytes(s->max),
                          .min_cut = !s->min_exact,
                          .max_cut = !s->max_exact,
                          .distinct = -1};
    if (out.nulls > c->values)
        return err_set(err, NRW_E_CORRUPT, "%lld nulls are said to be among %lld values",
                       (long long)out.nulls, (long long)c->values);
    return pq_footer_statistics(c->w, c->out, &out, &c->to.stats, &c->to.stats_len, err);
}

static bool sums_to(const int64_t *counts, uint32_t n, int64_t values)
{
    for (uint32_t i = 0; i < n && values >= 0; i++)
        values = counts[i] < 0 ? -1 : values - counts[i];
    return values == 0;
}

static bool sizes_said(const pq_keep_chunk *c, const uint32_t n[2])
{
    for (int kind = 0; kind < 2; kind++)
        if (n[kind] && (c->from.n_level_counts[kind] != n[kind] ||
                        !sums_to(c->from.level_counts[kind], n[kind], c->values)))
            return false;
    return c->from.text_bytes >= 0 || !type_is_view(pq_leaf_type(c->w, c->out));
}

nrw_status pq_keep_sizes(pq_keep_chunk *c, nrw_error *err)
{
    const pq_wleaf *l = &c->w->leaves.at[c->out];
    const uint32_t n[2] = {pq_rep_counts(l), pq_def_counts(l)};
    uint64_t *to;
    void *at;
    if (!sizes_said(c, n))
        return NRW_OK;
    c->to.unsized = false;
    c->to.text_bytes = c->from.text_bytes < 0 ? 0 : (uint64_t)c->from.text_bytes;
    if (!pq_level_counts(l))
        return NRW_OK;
    TRY(mem_alloc(c->w->m, pq_level_counts(l) * sizeof *to, &at, err));
    c->to.level_counts = to = at;
    for (int kind = 0; kind < 2; to += n[kind++])
        if (n[kind])
            memcpy(to, c->from.level_counts[kind], n[kind] * sizeof *to);
    return NRW_OK;
}
