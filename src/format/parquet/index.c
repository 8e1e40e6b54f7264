/* What else lies in or before the footer and is read when asked for: key-value metadata, sorting
 * columns, offset index and column index (parquet.thrift; PageIndex.md). */
#include "format/parquet/meta_priv.h"

/* Element counts are checked against the bytes left; this is how few bytes one can have. */
enum { LEAST_PLACE = 7 };

/* ---- key-value metadata ---- */
static nrw_status read_key_value(thrift_in *in, arena *a, pq_key_value *kv, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    char *key = NULL, *value = NULL;
    size_t len = 0, value_len = 0;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1: TRY(thrift_get_binary(in, f, a, &key, &len, NULL, err)); continue;
        case 2: TRY(thrift_get_binary(in, f, a, &value, &value_len, NULL, err)); continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    if (!key)
        return thrift_corrupt(in, err, "key-value metadata without a key");
    *kv = (pq_key_value){key, value, value_len};
    return NRW_OK;
}

static nrw_status read_key_values(thrift_in *in, arena *a, uint32_t *n, pq_key_value **out,
                                  nrw_error *err)
{
    uint8_t type;
    uint32_t count;
    void *list;
    TRY(thrift_read_list(in, &type, &count, err));
    if (count && type != THRIFT_STRUCT)
        return thrift_corrupt(in, err, "key-value metadata of type %d", type);
    TRY(arena_alloc(a, count * sizeof(pq_key_value), &list, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(read_key_value(in, a, (pq_key_value *)list + i, err));
    *n = count;
    *out = list;
    return NRW_OK;
}

nrw_status pq_meta_key_values(pq_meta *p, arena *a, uint32_t *n, pq_key_value **out, nrw_error *err)
{
    pq_walk w;
    *n = 0;
    *out = NULL;
    if (!p->kv_at)
        return NRW_OK;
    uint64_t len = p->footer_at + p->footer_len - p->kv_at;
    TRY(pq_walk_open(p, p->kv_at, len, PQ_WINDOW, &w, err));
    nrw_status st = read_key_values(&w.in, a, n, out, err);
    pq_walk_close(&w);
    return pq_meta_fail(p, st, err);
}

/* ---- sorting columns ---- */
static nrw_status read_sorting_column(thrift_in *in, pq_sorting *s, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    *s = (pq_sorting){.column = -1};
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1: TRY(thrift_get_i32(in, f, &s->column, NULL, err)); break;
        case 2: TRY(thrift_get_bool(in, f, &s->descending, NULL, err)); break;
        case 3: TRY(thrift_get_bool(in, f, &s->nulls_first, NULL, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

static nrw_status read_sorting(const pq_meta *p, thrift_in *in, arena *a, uint32_t *n,
                               pq_sorting **out, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    uint8_t type;
    uint32_t count;
    void *list;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return NRW_OK;
        if (f.id == 4 && f.type == THRIFT_LIST)
            break;
        TRY(thrift_skip(in, f.type, err));
    }
    TRY(thrift_read_list(in, &type, &count, err));
    if (count > p->n_leaves || (count && type != THRIFT_STRUCT))
        return thrift_corrupt(in, err, "%u sorting columns of %u columns", count, p->n_leaves);
    TRY(arena_alloc(a, count * sizeof(pq_sorting), &list, err));
    for (uint32_t i = 0; i < count; i++) {
        pq_sorting *s = (pq_sorting *)list + i;
        TRY(read_sorting_column(in, s, err));
        if (s->column < 0 || (uint32_t)s->column >= p->n_leaves)
            return thrift_corrupt(in, err, "sorting column %d of %u", s->column, p->n_leaves);
    }
    *n = count;
    *out = list;
    return NRW_OK;
}

nrw_status pq_meta_sorting(pq_meta *p, int32_t rg, arena *a, uint32_t *n, pq_sorting **out,
                           nrw_error *err)
{
    pq_row_group g;
    pq_walk w;
    *n = 0;
    *out = NULL;
    TRY(pq_meta_row_group(p, rg, &g, err));
    TRY(pq_walk_open(p, (uint64_t)g.at, (uint64_t)g.len, PQ_WINDOW, &w, err));
    nrw_status st = read_sorting(p, &w.in, a, n, out, err);
    pq_walk_close(&w);
    if (st < 0)
        err_at_row_group(err, rg);
    return pq_meta_fail(p, st, err);
}

/* ---- offset index ---- */
static nrw_status read_place(thrift_in *in, pq_page_place *out, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    bool offset = false, size = false, row = false;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1: TRY(thrift_get_i64(in, f, &out->offset, &offset, err)); continue;
        case 2: TRY(thrift_get_i32(in, f, &out->compressed, &size, err)); continue;
        case 3: TRY(thrift_get_i64(in, f, &out->first_row, &row, err)); continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    if (!offset || !size || !row)
        return thrift_corrupt(in, err, "a page of the offset index lacks its %s",
                              !offset ? "offset"
                              : !size ? "size"
                                      : "first row");
    return NRW_OK;
}

/* Pages lie one behind the other inside the chunk, their first rows rise from 0. */
static nrw_status check_place(const pq_chunk *c, int64_t rows, const pq_page_place *at, uint32_t i,
                              nrw_error *err)
{
    int64_t from = i ? at[-1].offset + at[-1].compressed : c->start;
    if (at->compressed <= 0 || at->offset < from || at->offset > c->end ||
        at->compressed > c->end - at->offset)
        return err_set(err, NRW_E_CORRUPT,
                       "the offset index says page %u lies at byte %lld, %d bytes long, it can lie "
                       "in bytes %lld to %lld",
                       i, (long long)at->offset, at->compressed, (long long)from,
                       (long long)c->end);
    int64_t least = i ? at[-1].first_row : 0;
    if (at->first_row < least || (i == 0 && at->first_row > 0) || at->first_row > rows)
        return err_set(err, NRW_E_CORRUPT,
                       "the offset index says page %u starts at row %lld, %lld to %lld is possible",
                       i, (long long)at->first_row, (long long)least, (long long)(i ? rows : 0));
    return NRW_OK;
}

static nrw_status read_places(thrift_in *in, const pq_chunk *c, int64_t rows, arena *a, uint32_t *n,
                              pq_page_place **out, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    uint8_t type;
    uint32_t count;
    void *list;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return thrift_corrupt(in, err, "the offset index lacks page_locations");
        if (f.id == 1 && f.type == THRIFT_LIST)
            break;
        TRY(thrift_skip(in, f.type, err));
    }
    TRY(thrift_read_list(in, &type, &count, err));
    if (count && (type != THRIFT_STRUCT || count > thrift_left(in) / LEAST_PLACE))
        return thrift_corrupt(in, err, "the offset index says %u pages in %llu bytes", count,
                              (unsigned long long)thrift_left(in));
    TRY(arena_alloc(a, count * sizeof(pq_page_place), &list, err));
    pq_page_place *at = list;
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_place(in, &at[i], err));
        TRY(check_place(c, rows, &at[i], i, err));
    }
    *n = count;
    *out = at;
    return NRW_OK;
}

nrw_status pq_offset_index(pq_meta *p, const pq_chunk *c, int64_t rows, arena *a, uint32_t *n,
                           pq_page_place **out, nrw_error *err)
{
    pq_walk w;
    *n = 0;
    *out = NULL;
    if (c->offset_index_at < 0)
        return err_set(err, NRW_E_NOTFOUND, "the column chunk has no offset index");
    nrw_status st =
        pq_check_range(p, "the offset index", c->offset_index_at, c->offset_index_len, err);
    if (st < 0)
        return pq_meta_fail(p, st, err);
    TRY(pq_walk_open(p, (uint64_t)c->offset_index_at, (uint64_t)c->offset_index_len, PQ_WINDOW, &w,
                     err));
    st = read_places(&w.in, c, rows, a, n, out, err);
    pq_walk_close(&w);
    return pq_meta_fail(p, st, err);
}

/* ---- column index ---- */
/* Takes the list's count as the number of pages, or checks that it is the same as before. */
static nrw_status index_list(thrift_in *in, pq_column_index *x, uint8_t want, const char *what,
                             nrw_error *err)
{
    uint8_t type;
    uint32_t n;
    TRY(thrift_read_list(in, &type, &n, err));
    bool boolean = want == THRIFT_TRUE && type == THRIFT_FALSE;
    if (n && type != want && !boolean)
        return thrift_corrupt(in, err, "%s of the column index have type %d", what, type);
    bool first = !x->null_page && !x->min && !x->max && !x->null_counts;
    if (!first && n != x->n)
        return thrift_corrupt(in, err, "%s of the column index are of %u pages, others of %u", what,
                              n, x->n);
    x->n = n;
    return NRW_OK;
}

static nrw_status read_null_pages(thrift_in *in, arena *a, pq_column_index *x, nrw_error *err)
{
    void *list;
    TRY(index_list(in, x, THRIFT_TRUE, "null_pages", err));
    TRY(arena_alloc(a, size_max(x->n, 1), &list, err));
    x->null_page = list;
    for (uint32_t i = 0; i < x->n; i++)
        TRY(thrift_read_bool(in, &x->null_page[i], err));
    return NRW_OK;
}

static nrw_status read_index_bounds(thrift_in *in, arena *a, pq_column_index *x, span **out,
                                    const char *what, nrw_error *err)
{
    void *list;
    TRY(index_list(in, x, THRIFT_BINARY, what, err));
    TRY(arena_alloc(a, size_max(x->n, 1) * sizeof(span), &list, err));
    *out = list;
    for (uint32_t i = 0; i < x->n; i++) {
        char *value;
        size_t len;
        TRY(thrift_read_binary(in, a, &value, &len, err));
        (*out)[i] = (span){(const uint8_t *)value, len};
    }
    return NRW_OK;
}

static nrw_status read_null_counts(thrift_in *in, arena *a, pq_column_index *x, nrw_error *err)
{
    void *list;
    TRY(index_list(in, x, THRIFT_I64, "null_counts", err));
    TRY(arena_alloc(a, size_max(x->n, 1) * sizeof(int64_t), &list, err));
    x->null_counts = list;
    x->has_null_counts = true;
    for (uint32_t i = 0; i < x->n; i++)
        TRY(thrift_read_i64(in, &x->null_counts[i], err));
    return NRW_OK;
}

static nrw_status read_index_list(thrift_in *in, thrift_field f, arena *a, pq_column_index *x,
                                  nrw_error *err)
{
    if (f.type != THRIFT_LIST)
        return thrift_skip(in, f.type, err);
    switch (f.id) {
    case 1: return read_null_pages(in, a, x, err);
    case 2: return read_index_bounds(in, a, x, &x->min, "min_values", err);
    case 3: return read_index_bounds(in, a, x, &x->max, "max_values", err);
    default: return read_null_counts(in, a, x, err);
    }
}

static nrw_status read_column_index(thrift_in *in, arena *a, pq_column_index *x, nrw_error *err)
{
    int16_t last;
    thrift_field f;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1:
        case 2:
        case 3:
        case 5: TRY(read_index_list(in, f, a, x, err)); continue;
        case 4: TRY(thrift_get_i32(in, f, &x->boundary_order, NULL, err)); continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    if (!x->null_page || !x->min || !x->max)
        return thrift_corrupt(in, err, "the column index lacks %s",
                              !x->null_page ? "null_pages"
                              : !x->min     ? "min_values"
                                            : "max_values");
    return NRW_OK;
}

nrw_status pq_column_index_read(pq_meta *p, const pq_chunk *c, arena *a, pq_column_index *out,
                                nrw_error *err)
{
    pq_walk w;
    *out = (pq_column_index){0};
    if (c->column_index_at < 0)
        return err_set(err, NRW_E_NOTFOUND, "the column chunk has no column index");
    nrw_status st =
        pq_check_range(p, "the column index", c->column_index_at, c->column_index_len, err);
    if (st < 0)
        return pq_meta_fail(p, st, err);
    TRY(pq_walk_open(p, (uint64_t)c->column_index_at, (uint64_t)c->column_index_len, PQ_WINDOW, &w,
                     err));
    st = read_column_index(&w.in, a, out, err);
    pq_walk_close(&w);
    if (st < 0)
        *out = (pq_column_index){0};
    return pq_meta_fail(p, st, err);
}
