/* Opening: the file's tail, one walk through the footer, and what was kept of it
 * (parquet.thrift, FileMetaData and RowGroup). */
#include "format/parquet/meta_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRAILER = 8, LEAST_FILE = 12 };

nrw_status pq_meta_fail(const pq_meta *p, nrw_status st, nrw_error *err)
{
    if (st < 0)
        err_at_object(err, p->f->name);
    if (st == NRW_E_MEMLIMIT)
        err_next(err, "its metadata take so much; give --memory more");
    return st;
}

nrw_status pq_walk_open(const pq_meta *p, uint64_t at, uint64_t len, size_t cap, pq_walk *out,
                        nrw_error *err)
{
    *out = (pq_walk){.m = p->m};
    if (p->footer && at >= p->footer_at && at + len <= p->footer_at + p->footer_len) {
        span s = {p->footer + (at - p->footer_at), (size_t)len};
        out->in = thrift_in_bytes(s, at);
        return NRW_OK;
    }
    void *window;
    out->cap = len < cap ? size_max((size_t)len, 1) : cap;
    nrw_status st = mem_alloc(p->m, out->cap, &window, err);
    if (st < 0) {
        *out = (pq_walk){0};
        return st;
    }
    out->window = window;
    out->in = thrift_in_file(p->f, at, at + len, out->window, out->cap);
    return NRW_OK;
}

void pq_walk_close(pq_walk *w)
{
    mem_free(w->m, w->window, w->cap);
    *w = (pq_walk){0};
}

nrw_status pq_check_range(const pq_meta *p, const char *what, int64_t at, int64_t len,
                          nrw_error *err)
{
    if (at >= 4 && len >= 0 && (uint64_t)at <= p->footer_at &&
        (uint64_t)len <= p->footer_at - (uint64_t)at)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT,
                   "%s is said to lie at byte %lld, %lld bytes long, outside of the pages' part of "
                   "the file (bytes 4 to %llu)",
                   what, (long long)at, (long long)len, (unsigned long long)p->footer_at);
}

/* ---- the tail ---- */
static nrw_status not_parquet(io_file *f, nrw_error *err)
{
    char start[4];
    err_at_offset(err, (int64_t)f->size - 4);
    TRY(file_read(f, 0, start, 4, err));
    if (!memcmp(start, "PAR1", 4))
        return err_set(err, NRW_E_CORRUPT,
                       "starts as a Parquet file but does not end with PAR1: it was cut short or "
                       "is still being written");
    return err_set(err, NRW_E_CORRUPT, "is not a Parquet file: it does not end with PAR1");
}

/* Checks the trailer and finds the footer. */
static nrw_status read_trailer(pq_meta *p, const uint8_t *trailer, nrw_error *err)
{
    uint64_t size = p->f->size;
    if (!memcmp(trailer + 4, "PARE", 4))
        return err_set(err, NRW_E_UNSUPPORTED,
                       "the footer is encrypted, encrypted Parquet files cannot be read");
    if (memcmp(trailer + 4, "PAR1", 4))
        return not_parquet(p->f, err);
    p->footer_len = load_u32(trailer);
    err_at_offset(err, (int64_t)size - TRAILER);
    if (p->footer_len == 0)
        return err_set(err, NRW_E_CORRUPT, "the footer is empty");
    if (p->footer_len > size - LEAST_FILE)
        return err_set(err, NRW_E_CORRUPT,
                       "the footer is said to have %llu bytes, there is room for %llu",
                       (unsigned long long)p->footer_len, (unsigned long long)(size - LEAST_FILE));
    p->footer_at = size - TRAILER - p->footer_len;
    return NRW_OK;
}

/* A footer beyond the first read is kept, so that it is read once, where it is this small and
 * memory has room for so many of its size. A larger one would be felt in the peak of a long file:
 * of that a window is read for each row group. */
#define KEPT_MOST ((uint64_t)512 << 10)
enum { KEPT_PART = 32 };

static nrw_status keep_footer(pq_meta *p, const uint8_t *tail, size_t tail_len, nrw_error *err)
{
    const size_t len = (size_t)p->footer_len, behind = tail_len - TRAILER;
    const size_t there = size_min(len, behind);
    void *kept;
    if (len > behind && (len > KEPT_MOST || len > mem_room(p->m) / KEPT_PART))
        return NRW_OK;
    TRY(mem_alloc(p->m, len, &kept, err));
    p->footer = kept;
    memcpy(p->footer + (len - there), tail + (behind - there), there);
    return len > there ? file_read(p->f, p->footer_at, p->footer, len - there, err) : NRW_OK;
}

/* One read of the last bytes, which hold the whole footer of all but big files. */
static nrw_status read_tail(pq_meta *p, nrw_error *err)
{
    uint64_t size = p->f->size;
    void *tail;
    if (size < LEAST_FILE)
        return err_set(err, NRW_E_CORRUPT,
                       "is not a Parquet file: it has %llu bytes, the least is %d",
                       (unsigned long long)size, LEAST_FILE);
    size_t len = size < PQ_WINDOW ? (size_t)size : PQ_WINDOW;
    TRY(mem_alloc(p->m, len, &tail, err));
    nrw_error tried = NRW_ERROR_INIT;
    nrw_status st = file_read(p->f, size - len, tail, len, err);
    if (st >= 0) {
        st = read_trailer(p, (uint8_t *)tail + len - TRAILER, &tried);
        if (st < 0 && err)
            *err = tried;
    }
    if (st >= 0)
        st = keep_footer(p, tail, len, err);
    mem_free(p->m, tail, len);
    return st;
}

/* ---- the footer ---- */
typedef struct footer_seen {
    bool version, schema, rows, groups, orders;
} footer_seen;

static nrw_status skip_columns(const pq_meta *p, thrift_in *in, thrift_field f, bool *seen,
                               nrw_error *err)
{
    uint8_t type;
    uint32_t n;
    if (f.type != THRIFT_LIST)
        return thrift_skip(in, f.type, err);
    *seen = true;
    TRY(thrift_read_list(in, &type, &n, err));
    if (p->n_nodes && n != p->n_leaves)
        return thrift_corrupt(in, err, "the row group has %u columns, the schema %u", n,
                              p->n_leaves);
    while (n--)
        TRY(thrift_skip_element(in, type, err));
    return NRW_OK;
}

/* RowGroup: the columns are skipped over, their count must be the schema's. */
static nrw_status read_group(const pq_meta *p, thrift_in *in, group_pos *g, int64_t *rows,
                             nrw_error *err)
{
    int16_t last;
    thrift_field f;
    bool columns = false, seen_rows = false, seen_bytes = false;
    *g = (group_pos){.compressed_bytes = -1};
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1: TRY(skip_columns(p, in, f, &columns, err)); continue;
        case 2: TRY(thrift_get_i64(in, f, &g->total_bytes, &seen_bytes, err)); continue;
        case 3: TRY(thrift_get_i64(in, f, rows, &seen_rows, err)); continue;
        case 6: TRY(thrift_get_i64(in, f, &g->compressed_bytes, NULL, err)); continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    const char *lacks = !columns      ? "columns"
                        : !seen_rows  ? "num_rows"
                        : !seen_bytes ? "total_byte_size"
                                      : NULL;
    if (lacks)
        return thrift_corrupt(in, err, "row group lacks %s", lacks);
    if (*rows < 0)
        return thrift_corrupt(in, err, "row group of %lld rows", (long long)*rows);
    return NRW_OK;
}

static nrw_status grow_groups(pq_meta *p, uint32_t most, nrw_error *err)
{
    void *list = p->groups;
    uint32_t more = p->cap_groups ? p->cap_groups + p->cap_groups / 2 + 1 : 16;
    if (more > most || more < p->cap_groups)
        more = most;
    TRY(mem_realloc(p->m, &list, p->cap_groups * sizeof(group_pos), more * sizeof(group_pos), err));
    p->groups = list;
    p->cap_groups = more;
    return NRW_OK;
}

static nrw_status read_groups(pq_meta *p, thrift_in *in, int64_t *sum, nrw_error *err)
{
    uint8_t type;
    uint32_t n;
    TRY(thrift_read_list(in, &type, &n, err));
    if (n && type != THRIFT_STRUCT)
        return thrift_corrupt(in, err, "the list of row groups has elements of type %d", type);
    if (n > INT32_MAX)
        return thrift_corrupt(in, err, "%u row groups", n);
    for (uint32_t i = 0; i < n; i++) {
        int64_t rows = 0;
        if (i == p->cap_groups)
            TRY(grow_groups(p, n, err));
        group_pos *g = &p->groups[i];
        uint64_t at = thrift_offset(in);
        nrw_status st = read_group(p, in, g, &rows, err);
        if (st >= 0 && __builtin_add_overflow(*sum, rows, sum))
            st = thrift_corrupt(in, err, "more rows than can be counted");
        if (st < 0) {
            err_at_row_group(err, (int32_t)i);
            return st;
        }
        g->first_row = *sum - rows;
        g->at = (uint32_t)(at - p->footer_at);
        g->len = (uint32_t)(thrift_offset(in) - at);
        p->n_groups = i + 1;
    }
    return NRW_OK;
}

/* Union ColumnOrder: bounds are meant only where one of the known orders (1 by type, 2 IEEE 754
 * total order) is named. */
static nrw_status read_orders(pq_meta *p, thrift_in *in, nrw_error *err)
{
    uint8_t type;
    uint32_t n;
    void *ordered;
    TRY(thrift_read_list(in, &type, &n, err));
    bool fits = type == THRIFT_STRUCT && n == p->n_leaves;
    TRY(arena_alloc(p->a, size_max(p->n_leaves, 1), &ordered, err));
    for (uint32_t i = 0; i < n; i++) {
        if (!fits) {
            TRY(thrift_skip_element(in, type, err));
            continue;
        }
        int16_t last;
        thrift_field f;
        TRY(thrift_enter(in, &last, err));
        for (;;) {
            TRY(thrift_read_field(in, &last, &f, err));
            if (f.type == THRIFT_STOP)
                break;
            if (f.id == 1 || f.id == 2)
                ((bool *)ordered)[i] = true;
            TRY(thrift_skip(in, f.type, err));
        }
    }
    p->ordered = ordered;
    return NRW_OK;
}

static nrw_status read_list_field(pq_meta *p, thrift_in *in, thrift_field f, footer_seen *seen,
                                  int64_t *sum, nrw_error *err)
{
    bool *once = f.id == 2 ? &seen->schema : f.id == 4 ? &seen->groups : &seen->orders;
    if (f.type != THRIFT_LIST)
        return thrift_skip(in, f.type, err);
    if (*once)
        return thrift_corrupt(in, err, "field %d stands twice in the footer", f.id);
    *once = true;
    if (f.id == 2)
        return pq_schema_read(p, in, err);
    return f.id == 4 ? read_groups(p, in, sum, err) : read_orders(p, in, err);
}

static nrw_status read_footer(pq_meta *p, thrift_in *in, footer_seen *seen, int64_t *sum,
                              nrw_error *err)
{
    int16_t last;
    thrift_field f;
    size_t len;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: return NRW_OK;
        case 1: TRY(thrift_get_i32(in, f, &p->version, &seen->version, err)); break;
        case 3: TRY(thrift_get_i64(in, f, &p->rows, &seen->rows, err)); break;
        case 2:
        case 4:
        case 7: TRY(read_list_field(p, in, f, seen, sum, err)); break;
        case 5:
            if (f.type == THRIFT_LIST)
                p->kv_at = thrift_offset(in);
            TRY(thrift_skip(in, f.type, err));
            break;
        case 6: TRY(thrift_get_binary(in, f, p->a, &p->created_by, &len, NULL, err)); break;
        default: TRY(thrift_skip(in, f.type, err));
        }
    }
}

/* parquet-mr before 1.2.9 did not count the dictionary page's header in the chunk's size
 * (PARQUET-816); the oldest did not say their version. */
static bool chunk_sizes_short(const char *created_by)
{
    static const char name[] = "parquet-mr", version[] = " version ";
    if (!created_by || strncmp(created_by, name, sizeof name - 1))
        return false;
    const char *at = created_by + sizeof name - 1;
    if (strncmp(at, version, sizeof version - 1))
        return *at == 0;
    char *end;
    long major = strtol(at + sizeof version - 1, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, &end, 10) : 0;
    long patch = *end == '.' ? strtol(end + 1, &end, 10) : 0;
    return major < 1 || (major == 1 && (minor < 2 || (minor == 2 && patch < 9)));
}

static nrw_status check_footer(pq_meta *p, const footer_seen *seen, int64_t sum, nrw_error *err)
{
    const char *lacks = !seen->schema    ? "schema"
                        : !seen->rows    ? "num_rows"
                        : !seen->groups  ? "row_groups"
                        : !seen->version ? "version"
                                         : NULL;
    if (lacks)
        return err_set(err, NRW_E_CORRUPT, "the footer lacks %s", lacks);
    if (p->rows < 0)
        return err_set(err, NRW_E_CORRUPT, "the footer says the file has %lld rows",
                       (long long)p->rows);
    /* Old writers left 0 there (repeated_no_annotation.parquet of parquet-testing). */
    if (p->rows == 0)
        p->rows = sum;
    if (p->rows != sum)
        return err_set(err, NRW_E_CORRUPT,
                       "the footer says the file has %lld rows, its %u row groups have %lld",
                       (long long)p->rows, p->n_groups, (long long)sum);
    return NRW_OK;
}

static nrw_status walk_footer(pq_meta *p, nrw_error *err)
{
    pq_walk w;
    footer_seen seen = {0};
    int64_t sum = 0;
    TRY(pq_walk_open(p, p->footer_at, p->footer_len, PQ_WINDOW, &w, err));
    nrw_status st = read_footer(p, &w.in, &seen, &sum, err);
    pq_walk_close(&w);
    if (st >= 0)
        st = check_footer(p, &seen, sum, err);
    if (st < 0) {
        bool file = st == NRW_E_CORRUPT || st == NRW_E_UNSUPPORTED;
        if (file && err && !err->column[0])
            err_at_offset(err, (int64_t)p->footer_at); /* where nothing closer is known */
        return st;
    }
    p->pad_chunks = chunk_sizes_short(p->created_by);
    p->known_orders = p->created_by && !strncmp(p->created_by, "DuckDB", 6);
    TRY(pq_tree_make(p, err));
    /* Rooms for growth are given back. */
    void *list = p->groups;
    if (p->n_groups < p->cap_groups) {
        TRY(mem_realloc(p->m, &list, p->cap_groups * sizeof(group_pos),
                        p->n_groups * sizeof(group_pos), err));
        p->groups = list;
        p->cap_groups = p->n_groups;
    }
    return NRW_OK;
}

nrw_status pq_meta_open(mem *m, io_file *f, const pq_read_options *opts, pq_meta **out,
                        nrw_error *err)
{
    void *mem;
    *out = NULL;
    TRY(mem_zalloc(m, sizeof(pq_meta), &mem, err));
    pq_meta *p = mem;
    p->m = m;
    p->f = f;
    p->int96_us = opts && opts->int96_us;
    p->first_nested = UINT32_MAX;
    for (int i = 0; i < MARKED_GROUPS; i++)
        p->marks[i].rg = -1;
    pthread_mutex_init(&p->lock, NULL);
    nrw_status st = arena_new(m, &p->a, err);
    if (st >= 0)
        st = read_tail(p, err);
    if (st >= 0)
        st = walk_footer(p, err);
    if (st < 0) {
        st = pq_meta_fail(p, st, err);
        pq_meta_close(p);
        return st;
    }
    p->mark_step = p->n_leaves / MARKS + 1;
    *out = p;
    return NRW_OK;
}

void pq_meta_close(pq_meta *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    arena_free(p->a);
    if (p->footer)
        mem_free(p->m, p->footer, (size_t)p->footer_len);
    mem_free(p->m, p->groups, p->cap_groups * sizeof(group_pos));
    mem_free(p->m, p, sizeof *p);
}

/* ---- what was kept ---- */
int64_t pq_meta_rows(const pq_meta *p)
{
    return p->rows;
}

int32_t pq_meta_row_groups(const pq_meta *p)
{
    return (int32_t)p->n_groups;
}

uint32_t pq_meta_leaves(const pq_meta *p)
{
    return p->n_leaves;
}

const pq_leaf *pq_meta_leaf(const pq_meta *p, uint32_t leaf)
{
    return &p->leaves[leaf];
}

bool pq_meta_is_flat(const pq_meta *p)
{
    return p->first_nested == UINT32_MAX;
}

bool pq_meta_arrow_damaged(const pq_meta *p)
{
    return p->arrow_damaged;
}

const schema *pq_meta_schema(const pq_meta *p)
{
    return &p->schema;
}

const pq_node *pq_meta_column(const pq_meta *p, uint32_t column)
{
    return &p->columns[column];
}

nrw_status pq_meta_row_group(const pq_meta *p, int32_t rg, pq_row_group *out, nrw_error *err)
{
    *out = (pq_row_group){0};
    if (rg < 0 || (uint32_t)rg >= p->n_groups)
        return err_set(err, NRW_E_ARG, "row group %d of %u", rg, p->n_groups);
    const group_pos *g = &p->groups[rg];
    int64_t end = (uint32_t)rg + 1 < p->n_groups ? g[1].first_row : p->rows;
    *out = (pq_row_group){.rows = end - g->first_row,
                          .total_bytes = g->total_bytes,
                          .compressed_bytes = g->compressed_bytes,
                          .first_row = g->first_row,
                          .at = (int64_t)(p->footer_at + g->at),
                          .len = g->len};
    return NRW_OK;
}
