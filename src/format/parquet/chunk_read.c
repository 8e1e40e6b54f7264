/* One read: the rows that are wanted, by pages, or from a strip. */
#include "format/parquet/chunk_priv.h"

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

#define SAMPLE 1024 /* wanted rows that speak for the others of their page */

/* Whether the k next wanted rows, all in one page, are better taken from the whole span. */
static bool scattered(const want *w, uint32_t k)
{
    const uint16_t *s;
    uint32_t stretches = 0, look = k < SAMPLE ? k : SAMPLE;

    if (!w->sel || k < SHORT_STRETCH)
        return false;
    s = w->sel + w->at;
    if ((uint32_t)(s[k - 1] - s[0]) >= (k - 1) * SPARSE)
        return false;
    for (uint32_t i = 0; i < look && stretches * SHORT_STRETCH <= look; stretches++)
        i += stretch_of(s + i, look - i);
    return stretches * SHORT_STRETCH > look;
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

/* Decodes the wanted rows; on failure all is as it was. */
static nrw_status decode_rows(pq_chunk_reader *r, want *w, size_t max_bytes, mem *m, vector *out,
                              nrw_error *err)
{
    page_walk saved = r->walk;
    reader_counts counts = r->counts;
    nrw_status st;

    *out = (vector){0};
    saved.at = r->pages.at;
    st = read_rows(r, w, max_bytes, m, out, err);
    if (st >= 0 && w->at == w->n && want_row(w, w->n - 1) == r->rows - 1)
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
            set_lost(r, want_row(w, 0));
        restore(r, &saved, &counts);
    }
    return st;
}

/* ---- strips ---- */

/* Decoding is worth a strip where it takes this many times the bytes that are asked for. */
#define STRIP_TIMES 4
#define STRIP_BYTES ((uint64_t)1 << 20)
#define STRIP_MOST  ((uint64_t)16 << 20)

/* Bytes to be decoded for `row` that were decoded before: page and dictionary given up by a park.
 */
static uint64_t again_bytes(const pq_chunk_reader *r, int64_t row)
{
    uint64_t bytes = r->dict.loaded ? 0 : r->dict_bytes;

    if (r->walk.in_page && r->walk.counted && !r->loaded && row < chunk_page_end(r))
        bytes += (uint64_t)r->walk.head.uncompressed;
    return bytes;
}

/* Where the column will be parked before it is read on: bytes just decoded for `row`, which would
 * be decoded again. */
static uint64_t ahead_bytes(pq_chunk_reader *r, int64_t row)
{
    bool dict = r->dict.loaded;

    if (!r->opts.ahead || r->loaded || chunk_seek(r, row, NULL) < 0)
        return 0;
    return (uint64_t)r->walk.head.uncompressed + (r->by_index && !dict ? r->dict_bytes : 0);
}

/* What decoding the n rows takes where a strip spares it the next time; 0 where none is made. */
static uint64_t strip_saves(pq_chunk_reader *r, int64_t row, uint32_t n)
{
    uint64_t least = (uint64_t)n * r->leaf->field.type.width * STRIP_TIMES, bytes;

    if (!r->pages.s || r->no_strip || r->opts.quarantine || !least || row + n >= r->rows)
        return 0;
    if (r->opts.keep && type_is_view(&r->leaf->field.type)) /* of texts the page takes less */
        return 0;
    bytes = again_bytes(r, row);
    if (bytes <= least)
        bytes = ahead_bytes(r, row);
    return bytes > least ? bytes : 0;
}

/* Decodes from `row` on into the strip, as far as it reaches and nothing is in the way. */
static void strip_rows(pq_chunk_reader *r, int64_t row, size_t max_bytes, mem *m)
{
    uint32_t step =
        (uint32_t)size_min(size_max(max_bytes / r->leaf->field.type.width, 1), BATCH_MAX_ROWS);

    while (row < r->rows) {
        want w = {.row = row, .n = r->rows - row < step ? (uint32_t)(r->rows - row) : step};
        page_walk saved = r->walk;
        reader_counts counts = r->counts;
        vector v, flat = {0};
        bool added;
        saved.at = r->pages.at;
        if (decode_rows(r, &w, max_bytes, m, &v, NULL) < 0)
            return;
        added = vector_flatten(&v, m, &flat, NULL) >= 0 && strip_add(&r->strip, &flat, m);
        row += v.len;
        vector_release(&flat);
        vector_release(&v);
        if (!added) {
            restore(r, &saved, &counts);
            return;
        }
    }
}

/* Lays the rows from `row` on, as many as make about `bytes`, in a strip, if that can be done. Page
 * and dictionary have done their work then. */
static void strip_make(pq_chunk_reader *r, int64_t row, uint64_t bytes, size_t max_bytes, mem *m)
{
    const type *t = &r->leaf->field.type;
    uint64_t all = (uint64_t)(r->rows - row) * (t->width + 1);

    bytes = bytes < STRIP_BYTES ? STRIP_BYTES : bytes < STRIP_MOST ? bytes : STRIP_MOST;
    if (!type_is_view(t) && all + STRIP_BYTES / 16 < bytes)
        bytes = all + STRIP_BYTES / 16;
    if (spill_spare(r->pages.s, bytes) &&
        strip_open(&r->strip, r->pages.s, bytes, row, NULL) >= 0) {
        strip_rows(r, row, max_bytes, m);
        strip_seal(&r->strip);
    }
    r->no_strip = !r->strip.s;
    if (r->strip.s)
        pq_chunk_park(r);
}

nrw_status pq_chunk_read(pq_chunk_reader *r, int64_t row, uint32_t max_rows, size_t max_bytes,
                         const uint16_t *sel, uint32_t n_sel, uint32_t sel_base, mem *m,
                         vector *out, nrw_error *err)
{
    want w = {.row = row, .sel = sel, .n = max_rows, .base = sel_base};
    uint64_t saves;

    *out = (vector){0};
    r->lost_n = 0;
    if (sel && n_sel < w.n)
        w.n = n_sel;
    if (!sel && r->rows - row < w.n)
        w.n = row < r->rows ? (uint32_t)(r->rows - row) : 0;
    if (w.n > BATCH_MAX_ROWS)
        w.n = BATCH_MAX_ROWS;
    if (w.n == 0 || want_row(&w, w.n - 1) >= r->rows || want_row(&w, 0) < 0)
        return err_set(err, NRW_E_ARG, "rows from %lld of a row group of %lld", (long long)row,
                       (long long)r->rows);
    if (r->strip.s && want_row(&w, 0) >= r->strip.rows_end)
        strip_close(&r->strip);
    if (!r->strip.s && !sel && (saves = strip_saves(r, row, w.n)))
        strip_make(r, row, saves, max_bytes, m);
    if (!r->strip.s)
        return decode_rows(r, &w, max_bytes, m, out, err);
    return strip_read(&r->strip, &r->leaf->field.type, want_row(&w, 0), w.n, max_bytes, sel, w.n, m,
                      out, err);
}
