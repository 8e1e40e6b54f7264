#include "format/parquet/index_write.h"

#include "format/parquet/thrift.h"

/* ---- bounds ---- */

static bool is_text(const type *t)
{
    return t->id == TYPE_UTF8 || t->id == TYPE_JSON || t->id == TYPE_ENUM;
}

bool pq_bounds_wanted(const type *t, uint32_t limit)
{
    if (t->id == TYPE_FIXED && t->width > limit)
        return false;
    return pq_order_of(t) != PQ_ORDER_NONE;
}

/* Start of the code point that ends at `end`, or end - 1 where it is none. */
static size_t point_start(const uint8_t *s, size_t end)
{
    size_t i = end - 1;
    for (int back = 0; back < 3 && i && (s[i] & 0xc0) == 0x80; back++)
        i--;
    return i;
}

/* Bytes of the code point at p by its first byte; 0: none starts there. */
static size_t point_len(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static uint32_t point_value(const uint8_t *p, size_t n)
{
    uint32_t v = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        v = v << 6 | (p[i] & 0x3f);
    return v;
}

static size_t point_put(uint8_t *p, uint32_t v)
{
    size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; v >>= 6)
        p[i] = (uint8_t)(0x80 | (v & 0x3f));
    p[0] = n == 1 ? (uint8_t)v : (uint8_t)(v | (0xf00u >> n));
    return n;
}

/* Longest prefix of at most `limit` bytes that ends between code points. */
static size_t text_prefix(span v, size_t limit)
{
    size_t n = limit;
    while (n && (v.data[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* The next text of its prefix: its last code point that has a successor, incremented. False where
 * there is none, or the text is not UTF-8. */
static bool text_successor(uint8_t *s, size_t *len)
{
    size_t end = *len;
    while (end) {
        size_t at = point_start(s, end), n = point_len(s[at]);
        if (n != end - at)
            return false;
        uint32_t v = point_value(s + at, n) + 1;
        if (v == 0xd800)
            v = 0xe000; /* no surrogates in UTF-8 */
        if (v <= 0x10ffff) {
            *len = at + point_put(s + at, v);
            return true;
        }
        end = at;
    }
    return false;
}

static bool bytes_successor(uint8_t *s, size_t *len)
{
    size_t end = *len;
    while (end && s[end - 1] == 0xff)
        end--;
    if (!end)
        return false;
    s[end - 1]++;
    *len = end;
    return true;
}

nrw_status pq_bound_cut(const type *t, span v, uint32_t limit, bool upper, bytes *out, bool *exact,
                        nrw_error *err)
{
    bytes_clear(out);
    *exact = !type_is_view(t) || v.len <= limit;
    if (*exact)
        return bytes_append(out, v.data, v.len, err);
    size_t n = is_text(t) ? text_prefix(v, limit) : limit;
    TRY(bytes_reserve(out, n + 4, err)); /* an incremented code point may be a byte longer */
    memcpy(out->data, v.data, n);
    bool found = !upper;
    if (upper)
        found = is_text(t) ? text_successor(out->data, &n) : bytes_successor(out->data, &n);
    if (found) {
        out->len = n;
        return NRW_OK;
    }
    *exact = true;
    return bytes_append(out, v.data, v.len, err);
}

/* ---- records ---- */

/* size, records, values, nulls, min_len, max_len, number of level counts as 32 bits each, text
 * bytes as 64, a byte of flags, min, max, level counts */
enum { RECORD_HEAD = 37, HAS_BOUNDS = 1 };

typedef struct record {
    uint32_t size, records, values, nulls;
    bool has_bounds;
    span min, max;
    uint64_t text_bytes;
    const uint8_t *levels; /* counts, 32 bits each */
} record;

nrw_status pq_page_record_new(mem *m, const type *t, uint32_t limit, const pq_page_out *p,
                              uint8_t **out, uint32_t *len, nrw_error *err)
{
    bytes min = bytes_init(m, SIZE_MAX / 4), max = min;
    bool has = p->has_bounds && pq_bounds_wanted(t, limit), exact;
    nrw_status st = NRW_OK;
    void *r = NULL;
    *out = NULL;
    *len = 0;
    if (has) {
        TRY_OUT(pq_bound_cut(t, (span){p->min.data, p->min.len}, limit, false, &min, &exact, err));
        TRY_OUT(pq_bound_cut(t, (span){p->max.data, p->max.len}, limit, true, &max, &exact, err));
    }
    size_t n = RECORD_HEAD + min.len + max.len + p->levels.len;
    TRY_OUT(mem_alloc(m, n, &r, err));
    *out = r;
    *len = (uint32_t)n;
    store_u32(*out, 0);
    store_u32(*out + 4, p->records);
    store_u32(*out + 8, p->rows);
    store_u32(*out + 12, p->nulls);
    store_u32(*out + 16, (uint32_t)min.len);
    store_u32(*out + 20, (uint32_t)max.len);
    store_u32(*out + 24, (uint32_t)(p->levels.len / 4));
    store_u64(*out + 28, p->text_bytes);
    (*out)[36] = has ? HAS_BOUNDS : 0;
    if (min.len)
        memcpy(*out + RECORD_HEAD, min.data, min.len);
    if (max.len)
        memcpy(*out + RECORD_HEAD + min.len, max.data, max.len);
    if (p->levels.len)
        memcpy(*out + RECORD_HEAD + min.len + max.len, p->levels.data, p->levels.len);
out:
    bytes_release(&min);
    bytes_release(&max);
    return st;
}

static record take_record(span *piece)
{
    const uint8_t *p = piece->data;
    record r = {.size = load_u32(p),
                .records = load_u32(p + 4),
                .values = load_u32(p + 8),
                .nulls = load_u32(p + 12)};
    r.min = (span){p + RECORD_HEAD, load_u32(p + 16)};
    r.max = (span){r.min.data + r.min.len, load_u32(p + 20)};
    r.text_bytes = load_u64(p + 28);
    r.levels = r.max.data + r.max.len;
    r.has_bounds = p[36] & HAS_BOUNDS;
    size_t n = RECORD_HEAD + r.min.len + r.max.len + (size_t)4 * load_u32(p + 24);
    *piece = (span){p + n, piece->len - n};
    return r;
}

/* ---- indexes ---- */

enum { FLUSH = 8192 };

typedef enum index_part {
    NULL_PAGES,
    MIN_VALUES,
    MAX_VALUES,
    NULL_COUNTS,
    REP_LEVELS,
    DEF_LEVELS,
    PLACES,
    TEXT_BYTES
} index_part;

/* Goes once over the records for every list of an index. */
typedef struct index_pass {
    const pq_index_source *source;
    const pq_log_env *to_env;
    pq_log *to;
    index_part part;
    thrift_out o;
    bytes buf;
    uint64_t len;
    bool lacks_bounds, ascending, descending;
    bytes last_min, last_max;
    bool has_last;
    int64_t offset, row;
} index_pass;

static nrw_status flush(index_pass *p, nrw_error *err)
{
    nrw_status st = pq_log_append(p->to_env, p->to, (span){p->buf.data, p->buf.len}, err);
    p->len += p->buf.len;
    bytes_clear(&p->buf);
    return st;
}

/* Keeps both orders as long as the pages seen allow them; null pages do not count. */
static nrw_status follow_order(index_pass *p, const record *r, nrw_error *err)
{
    if (p->has_last) {
        pq_order o = p->source->order;
        span min = {p->last_min.data, p->last_min.len}, max = {p->last_max.data, p->last_max.len};
        int a = pq_order_compare(o, min, r->min), b = pq_order_compare(o, max, r->max);
        p->ascending = p->ascending && a <= 0 && b <= 0;
        p->descending = p->descending && a >= 0 && b >= 0;
    }
    p->has_last = true;
    bytes_clear(&p->last_min);
    bytes_clear(&p->last_max);
    TRY(bytes_append(&p->last_min, r->min.data, r->min.len, err));
    return bytes_append(&p->last_max, r->max.data, r->max.len, err);
}

static nrw_status place(index_pass *p, const record *r, nrw_error *err)
{
    TRY(thrift_begin(&p->o, err));
    TRY(thrift_write_field_i64(&p->o, 1, p->offset, err));
    TRY(thrift_write_field_i32(&p->o, 2, (int32_t)r->size, err));
    TRY(thrift_write_field_i64(&p->o, 3, p->row, err));
    p->offset += r->size;
    p->row += r->records;
    return thrift_end(&p->o, err);
}

static nrw_status put_counts(index_pass *p, const uint8_t *counts, uint32_t n, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++)
        TRY(thrift_write_i64(&p->o, load_u32(counts + 4 * (size_t)i), err));
    return NRW_OK;
}

static nrw_status visit(void *self, span piece, nrw_error *err)
{
    index_pass *p = self;
    const pq_index_source *s = p->source;
    while (piece.len) {
        record r = take_record(&piece);
        bool null_page = r.nulls == r.values;
        switch (p->part) {
        case NULL_PAGES:
            p->lacks_bounds |= !null_page && !r.has_bounds;
            if (!null_page && r.has_bounds)
                TRY(follow_order(p, &r, err));
            TRY(thrift_write_bool(&p->o, null_page, err));
            break;
        case MIN_VALUES: TRY(thrift_write_binary(&p->o, null_page ? (span){0} : r.min, err)); break;
        case MAX_VALUES: TRY(thrift_write_binary(&p->o, null_page ? (span){0} : r.max, err)); break;
        case NULL_COUNTS: TRY(thrift_write_i64(&p->o, r.nulls, err)); break;
        case REP_LEVELS: TRY(put_counts(p, r.levels, s->n_rep, err)); break;
        case DEF_LEVELS: TRY(put_counts(p, r.levels + 4 * (size_t)s->n_rep, s->n_def, err)); break;
        case PLACES: TRY(place(p, &r, err)); break;
        case TEXT_BYTES: TRY(thrift_write_i64(&p->o, (int64_t)r.text_bytes, err)); break;
        }
        if (p->buf.len >= FLUSH && p->part != NULL_PAGES)
            TRY(flush(p, err));
    }
    return NRW_OK;
}

/* A list of `each` elements a page. */
static nrw_status lists(index_pass *p, index_part part, int16_t id, uint8_t of, uint32_t each,
                        nrw_error *err)
{
    uint64_t n = (uint64_t)p->source->n_pages * each;
    if (!each)
        return NRW_OK;
    if (n > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a page index of %llu counts; make larger pages",
                       (unsigned long long)n);
    p->part = part;
    TRY(thrift_write_field_list(&p->o, id, of, (uint32_t)n, err));
    return pq_log_walk(p->source->env, p->source->records, visit, p, err);
}

static nrw_status list(index_pass *p, index_part part, int16_t id, uint8_t of, nrw_error *err)
{
    return lists(p, part, id, of, 1, err);
}

static index_pass pass_over(const pq_index_source *s, const pq_log_env *to_env, pq_log *to)
{
    bytes b = bytes_init(s->m, SIZE_MAX / 4);
    return (index_pass){.source = s,
                        .to_env = to_env,
                        .to = to,
                        .buf = b,
                        .last_min = b,
                        .last_max = b,
                        .ascending = true,
                        .descending = true};
}

static nrw_status pass_end(index_pass *p, nrw_status st, uint32_t *len, nrw_error *err)
{
    bytes_release(&p->buf);
    bytes_release(&p->last_min);
    bytes_release(&p->last_max);
    if (st < 0)
        return st;
    if (p->len > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a page index of %llu bytes; make larger pages",
                       (unsigned long long)p->len);
    *len = (uint32_t)p->len;
    return NRW_OK;
}

/* Nothing is flushed before the first list is whole: only then is known that there is an index. */
static nrw_status column_index(index_pass *p, nrw_error *err)
{
    p->o = thrift_out_init(&p->buf);
    TRY(thrift_begin(&p->o, err));
    TRY(list(p, NULL_PAGES, 1, THRIFT_TRUE, err));
    if (p->lacks_bounds)
        return NRW_OK;
    TRY(list(p, MIN_VALUES, 2, THRIFT_BINARY, err));
    TRY(list(p, MAX_VALUES, 3, THRIFT_BINARY, err));
    TRY(thrift_write_field_i32(&p->o, 4, p->ascending ? 1 : p->descending ? 2 : 0, err));
    TRY(list(p, NULL_COUNTS, 5, THRIFT_I64, err));
    TRY(lists(p, REP_LEVELS, 6, THRIFT_I64, p->source->n_rep, err));
    TRY(lists(p, DEF_LEVELS, 7, THRIFT_I64, p->source->n_def, err));
    TRY(thrift_end(&p->o, err));
    return flush(p, err);
}

nrw_status pq_column_index_write(const pq_index_source *s, const pq_log_env *to_env, pq_log *to,
                                 uint32_t *len, nrw_error *err)
{
    *len = 0;
    if (s->order == PQ_ORDER_NONE || !s->n_pages)
        return NRW_OK;
    index_pass p = pass_over(s, to_env, to);
    return pass_end(&p, column_index(&p, err), len, err);
}

static nrw_status offset_index(index_pass *p, nrw_error *err)
{
    p->o = thrift_out_init(&p->buf);
    TRY(thrift_begin(&p->o, err));
    TRY(list(p, PLACES, 1, THRIFT_STRUCT, err));
    TRY(lists(p, TEXT_BYTES, 2, THRIFT_I64, p->source->texts, err));
    TRY(thrift_end(&p->o, err));
    return flush(p, err);
}

nrw_status pq_offset_index_write(const pq_index_source *s, int64_t offset, const pq_log_env *to_env,
                                 pq_log *to, uint32_t *len, nrw_error *err)
{
    *len = 0;
    index_pass p = pass_over(s, to_env, to);
    p.offset = offset;
    return pass_end(&p, offset_index(&p, err), len, err);
}
