#include "format/parquet/chunk_priv.h"

static nrw_status check_chunk(const io_file *f, const pq_chunk *c, int64_t rows, nrw_error *err)
{
    if (c->start < 0 || c->end < c->start || (uint64_t)c->end > f->size)
        return err_set(err, NRW_E_CORRUPT, "the column chunk lies outside of the file");
    if (c->n_values != rows)
        return err_set(err, NRW_E_CORRUPT,
                       "the column chunk has %lld values, its row group %lld rows",
                       (long long)c->n_values, (long long)rows);
    return NRW_OK;
}

static nrw_status open_failed(const io_file *f, const pq_leaf *leaf, int32_t row_group,
                              nrw_status st, nrw_error *err)
{
    err_at_object(err, f->name);
    err_at_row_group(err, row_group);
    err_at_column(err, leaf->path);
    return st;
}

static void start_chunk(pq_chunk_reader *r, const pq_chunk *c, int32_t row_group, int64_t rows)
{
    r->chunk = c;
    r->row_group = row_group;
    r->rows = rows;
    r->pages.at = (uint64_t)c->start;
    r->pages.end = r->pages.ahead_end = (uint64_t)c->end;
    r->until = rows;
    r->pages.codec_id = c->codec;
}

nrw_status pq_chunk_open(mem *m, spill *s, io_file *f, const pq_leaf *leaf, const pq_chunk *c,
                         int32_t row_group, int64_t rows, const pq_chunk_options *opts,
                         pq_chunk_reader **out, nrw_error *err)
{
    pq_chunk_reader *r;
    convert conv;
    void *p;
    nrw_status st;

    *out = NULL;
    if (leaf->max_rep > 0 || leaf->max_def > 1)
        st = err_set(err, NRW_E_UNSUPPORTED, "the column is nested");
    else
        st = convert_choose(leaf, &conv, err);
    if (st >= 0)
        st = check_chunk(f, c, rows, err);
    if (st >= 0)
        st = mem_zalloc(m, sizeof **out, &p, err);
    if (st < 0)
        return open_failed(f, leaf, row_group, st, err);
    r = p;
    *r = (pq_chunk_reader){.m = m, .f = f, .leaf = leaf, .opts = *opts, .conv = conv};
    r->opts.read_ahead = size_max(size_min(opts->read_ahead, (size_t)1 << 20), (size_t)4 << 10);
    r->pages = (page_reader){.m = m,
                             .s = s,
                             .f = f,
                             .verify_crc = opts->verify_crc,
                             .read_ahead = r->opts.read_ahead,
                             .headroom = size_max(opts->headroom, PAGE_HEADROOM)};
    start_chunk(r, c, row_group, rows);
    *out = r;
    return NRW_OK;
}

void pq_chunk_rest(pq_chunk_reader *r)
{
    chunk_unload(r);
    dict_close(&r->dict);
    arena_free(r->places_arena);
    r->places_arena = NULL;
    r->places = NULL;
    r->n_places = 0;
    r->no_places = r->must_jump = false;
    r->dict_id = r->dict_at = 0;
    r->walk = (page_walk){0};
    r->counts = (reader_counts){0};
    r->pages.decompressed = 0;
    r->rows = 0;
    r->chunk = NULL;
}

nrw_status pq_chunk_reopen(pq_chunk_reader *r, const pq_chunk *c, int32_t row_group, int64_t rows,
                           nrw_error *err)
{
    nrw_status st = check_chunk(r->f, c, rows, err);

    pq_chunk_rest(r);
    if (st < 0)
        return open_failed(r->f, r->leaf, row_group, st, err);
    if (r->pages.codec_id != c->codec)
        page_park(&r->pages);
    start_chunk(r, c, row_group, rows);
    return NRW_OK;
}

void pq_chunk_park(pq_chunk_reader *r)
{
    chunk_unload(r);
    if (r->page) {
        body_release(&r->page->body);
        chunk_close_windows(r->page);
        mem_free(r->m, r->page, sizeof *r->page);
        r->page = NULL;
    }
    dict_close(&r->dict);
    page_park(&r->pages);
    if (r->runs)
        mem_free(r->m, r->runs, (size_t)r->runs_cap * 2 * sizeof *r->runs);
    r->runs = NULL;
    r->runs_cap = 0;
}

void pq_chunk_close(pq_chunk_reader *r)
{
    if (!r)
        return;
    pq_chunk_park(r);
    arena_free(r->places_arena);
    mem_free(r->m, r, sizeof *r);
}

void pq_chunk_counts(const pq_chunk_reader *r, reader_counts *out)
{
    *out = r->counts;
    out->bytes_decompressed = r->pages.decompressed;
}

void pq_chunk_lost(const pq_chunk_reader *r, int64_t *first, int64_t *n)
{
    *first = r->lost_first;
    *n = r->lost_n;
}

size_t pq_chunk_least(void)
{
    /* window, page piece, spilled page's windows (lengths, lengths, bytes), dictionary blocks and
     * rooms of values; a codec's own window comes on top where its stream names one */
    return ((size_t)16 << 10) + 3 * (CURSOR_WINDOW_MIN + BUFFER_SLACK) + ((size_t)32 << 10) +
           PAGE_HEADROOM + sizeof(pq_chunk_reader) + sizeof(page_state);
}

/* ---- one read ---- */

/* The rows that are wanted: [first, first + n), or those that sel names. */
typedef struct want {
    int64_t row; /* sel: of sel value `base` */
    const uint16_t *sel;
    uint32_t n, at; /* rows in all, taken */
    uint32_t base;
} want;

static int64_t want_row(const want *w, uint32_t i)
{
    return w->sel ? w->row + ((int64_t)w->sel[i] - w->base) : w->row + i;
}

/* How many of n rising numbers follow each other from the first on: s[i] - i never falls, so the
 * end can be searched for. */
static uint32_t stretch_of(const uint16_t *s, uint32_t n)
{
    uint32_t lo = 0, hi = 1;

    while (hi < n && (uint32_t)(s[hi] - s[0]) == hi) {
        lo = hi;
        hi = hi * 2 < n ? hi * 2 : n;
    }
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if ((uint32_t)(s[mid] - s[0]) == mid)
            lo = mid;
        else
            hi = mid;
    }
    return lo + 1;
}

/* How many of the next wanted rows follow each other, before row `end`. */
static uint32_t want_stretch(const want *w, int64_t end)
{
    int64_t first = want_row(w, w->at), most = end - first;
    uint32_t n = w->n - w->at;

    if (most < n)
        n = (uint32_t)most;
    if (!w->sel)
        return n;
    return stretch_of(w->sel + w->at, n);
}

/* Wanted rows from w->at on that lie before row `end`. */
static uint32_t want_before(const want *w, int64_t end)
{
    uint32_t lo = w->at, hi = w->n;

    if (!w->sel) {
        int64_t most = end - want_row(w, w->at);
        return most < w->n - w->at ? (uint32_t)most : w->n - w->at;
    }
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (want_row(w, mid) < end)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo - w->at;
}

#define SHORT_STRETCH 16 /* wanted rows in a stretch, below which a gather is faster */
#define SPARSE        16 /* rows for one wanted one, above which skipping is faster */

/* Whether the k next wanted rows, all in one page, are better taken from the whole span. */
static bool scattered(const want *w, uint32_t k)
{
    const uint16_t *s;
    uint32_t stretches = 0;

    if (!w->sel || k < SHORT_STRETCH)
        return false;
    s = w->sel + w->at;
    if ((uint32_t)(s[k - 1] - s[0]) >= (k - 1) * SPARSE)
        return false;
    for (uint32_t i = 0; i < k && stretches * SHORT_STRETCH <= k; stretches++)
        i += stretch_of(s + i, k - i);
    return stretches * SHORT_STRETCH > k;
}

/* The k next wanted rows of the current page: the span is decoded, then they are taken. */
static nrw_status read_scattered(pq_chunk_reader *r, want *w, uint32_t k, size_t max_bytes, mem *m,
                                 vector *out, nrw_error *err)
{
    const uint16_t *sel = w->sel + w->at;
    uint32_t span = sel[k - 1] - sel[0] + 1u, n = 0;
    uint16_t *local = NULL;
    void *p = NULL;
    vector whole = {0};
    build b;
    nrw_status st;

    build_open(&b, r, m, span, max_bytes, false);
    TRY_OUT(build_append(&b, span, err));
    TRY_OUT(build_finish(&b, &whole, err));
    TRY_OUT(mem_alloc(m, k * sizeof *local, &p, err));
    local = p;
    while (n < k && (uint32_t)(sel[n] - sel[0]) < whole.len) {
        local[n] = (uint16_t)(sel[n] - sel[0]);
        n++;
    }
    TRY_OUT(vector_take(&whole, local, n, m, out, err));
    w->at += n;
out:
    if (p)
        mem_free(m, p, k * sizeof *local);
    vector_release(&whole);
    build_drop(&b);
    return st;
}

/* Whether the wanted rows are so few that their text is better copied than the page pinned. */
static bool copies_pay(const want *w)
{
    return w->sel && (uint64_t)(w->sel[w->n - 1] - w->sel[0]) / 4 > w->n;
}

/* Appends the wanted rows of one page after the other. *mark: the state before the last page. */
static nrw_status append_pages(pq_chunk_reader *r, want *w, build *b, build_mark *mark,
                               uint32_t *mark_at, nrw_error *err)
{
    while (w->at < w->n && !b->full && (b->form == BUILD_NONE || b->len < b->cap)) {
        uint32_t k;
        *mark = build_at(b);
        *mark_at = w->at;
        TRY(chunk_seek(r, want_row(w, w->at), err));
        k = want_before(w, chunk_page_end(r));
        if (!build_accepts(b) || (b->len && scattered(w, k)))
            break;
        while (k && !b->full && (b->form == BUILD_NONE || b->len < b->cap)) {
            uint32_t n = want_stretch(w, chunk_page_end(r)), had = b->len;
            TRY(chunk_seek(r, want_row(w, w->at), err));
            TRY(build_append(b, n, err));
            w->at += b->len - had;
            k -= b->len - had;
        }
    }
    return NRW_OK;
}

static nrw_status read_rows(pq_chunk_reader *r, want *w, size_t max_bytes, mem *m, vector *out,
                            nrw_error *err)
{
    build_mark mark = {0};
    uint32_t mark_at = 0, k;
    build b;
    nrw_status st;

    TRY(chunk_seek(r, want_row(w, 0), err));
    k = want_before(w, chunk_page_end(r));
    if (scattered(w, k))
        return read_scattered(r, w, k, max_bytes, m, out, err);
    build_open(&b, r, m, w->n, max_bytes, copies_pay(w));
    st = append_pages(r, w, &b, &mark, &mark_at, err);
    if (st == NRW_E_CORRUPT && r->opts.quarantine && mark.len) {
        /* the rows before the damage come now, the error with the next read */
        build_cut(&b, mark);
        w->at = mark_at;
        chunk_unload(r);
        st = NRW_OK;
    }
    if (st >= 0)
        st = build_finish(&b, out, err);
    build_drop(&b);
    return st;
}

/* Back to where the call began, so that it can be made again. */
static void restore(pq_chunk_reader *r, const page_walk *saved, const reader_counts *counts)
{
    chunk_unload(r);
    r->walk = *saved;
    r->pages.at = saved->at;
    r->counts = *counts;
}

static void set_lost(pq_chunk_reader *r, int64_t row)
{
    int64_t first = row > r->walk.first ? row : r->walk.first;

    r->must_jump = !r->walk.in_page;
    r->lost_first = first;
    r->lost_n = chunk_resume(r, first) - first;
}

static void set_place(const pq_chunk_reader *r, nrw_error *err)
{
    err_at_object(err, r->f->name);
    err_at_row_group(err, r->row_group);
    err_at_column(err, r->leaf->path);
    err_at_page(err, r->walk.number);
    err_at_offset(err, (int64_t)r->pages.at);
}

nrw_status pq_chunk_read(pq_chunk_reader *r, int64_t row, uint32_t max_rows, size_t max_bytes,
                         const uint16_t *sel, uint32_t n_sel, uint32_t sel_base, mem *m,
                         vector *out, nrw_error *err)
{
    want w = {.row = row, .sel = sel, .n = max_rows, .base = sel_base};
    page_walk saved = r->walk;
    reader_counts counts = r->counts;
    nrw_status st;

    *out = (vector){0};
    r->lost_n = 0;
    saved.at = r->pages.at;
    if (sel && n_sel < w.n)
        w.n = n_sel;
    if (!sel && r->rows - row < w.n)
        w.n = row < r->rows ? (uint32_t)(r->rows - row) : 0;
    if (w.n > BATCH_MAX_ROWS)
        w.n = BATCH_MAX_ROWS;
    if (w.n == 0 || want_row(&w, w.n - 1) >= r->rows || want_row(&w, 0) < 0)
        return err_set(err, NRW_E_ARG, "rows from %lld of a row group of %lld", (long long)row,
                       (long long)r->rows);
    st = read_rows(r, &w, max_bytes, m, out, err);
    if (st >= 0 && w.at == w.n && want_row(&w, w.n - 1) == r->rows - 1)
        st = chunk_check_end(r, err);
    if (r->runs_cap > 1024) {
        mem_free(r->m, r->runs, (size_t)r->runs_cap * 2 * sizeof *r->runs);
        r->runs = NULL;
        r->runs_cap = 0;
    }
    if (st < 0) {
        vector_release(out);
        set_place(r, err);
        if (st == NRW_E_CORRUPT && r->opts.quarantine)
            set_lost(r, want_row(&w, 0));
        restore(r, &saved, &counts);
    }
    return st;
}
