/* A chunk reader from its opening to its end: what it holds, and what a park lets go. */
#include "format/parquet/chunk_needs.h"
#include "format/parquet/chunk_priv.h"

static nrw_status check_chunk(const io_file *f, const pq_leaf *leaf, const pq_chunk *c,
                              int64_t rows, nrw_error *err)
{
    if (c->start < 0 || c->end < c->start || (uint64_t)c->end > f->size)
        return err_set(err, NRW_E_CORRUPT, "the column chunk lies outside of the file");
    if (leaf->max_rep == 0 ? c->n_values != rows : c->n_values < rows)
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
    r->rows = r->leaf->max_rep ? c->n_values : rows;
    r->group_rows = rows;
    r->pages.at = (uint64_t)c->start;
    r->pages.end = r->pages.ahead_end = (uint64_t)c->end;
    r->until = r->rows;
    r->pages.codec_id = c->codec;
    r->pages.decode_most = (uint32_t)pq_stream_memory(c); /* a few MiB */
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
    if (leaf->max_rep > 0 && !opts->slots)
        st = err_set(err, NRW_E_ARG, "the rows of a column of lists are not read by themselves");
    else
        st = convert_choose(leaf, &conv, err);
    if (st >= 0)
        st = check_chunk(f, leaf, c, rows, err);
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
    strip_close(&r->strip);
    arena_free(r->places_arena);
    r->places_arena = NULL;
    r->places = NULL;
    r->n_places = 0;
    r->no_places = r->must_jump = false;
    r->dict_id = r->dict_at = r->dict_bytes = 0;
    r->no_strip = false;
    r->walk = (page_walk){0};
    r->counts = (reader_counts){0};
    r->pages.decompressed = 0;
    r->rows = 0;
    r->chunk = NULL;
}

nrw_status pq_chunk_reopen(pq_chunk_reader *r, const pq_chunk *c, int32_t row_group, int64_t rows,
                           nrw_error *err)
{
    nrw_status st = check_chunk(r->f, r->leaf, c, rows, err);

    pq_chunk_rest(r);
    if (st < 0)
        return open_failed(r->f, r->leaf, row_group, st, err);
    if (r->pages.codec_id != c->codec)
        page_park(&r->pages);
    start_chunk(r, c, row_group, rows);
    return NRW_OK;
}

static void free_page(pq_chunk_reader *r)
{
    chunk_unload(r);
    if (r->page) {
        body_release(&r->page->body);
        chunk_close_windows(r->page);
        mem_free(r->m, r->page, sizeof *r->page);
        r->page = NULL;
    }
}

/* What lies in the spill file is not made anew where there is room for its places. */
void pq_chunk_park(pq_chunk_reader *r)
{
    if (!r->opts.keep || !chunk_sleep(r))
        free_page(r);
    if (r->opts.keep)
        dict_sleep(&r->dict);
    else
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
    r->opts.keep = false;
    pq_chunk_park(r);
    strip_close(&r->strip);
    arena_free(r->places_arena);
    mem_free(r->m, r, sizeof *r);
}

void pq_chunk_counts(const pq_chunk_reader *r, reader_counts *out)
{
    *out = r->counts;
    out->bytes_decompressed = r->pages.decompressed;
}

void pq_chunk_ahead(pq_chunk_reader *r, bool ahead)
{
    r->opts.ahead = ahead;
}

void pq_chunk_lost(const pq_chunk_reader *r, int64_t *first, int64_t *n)
{
    *first = r->lost_first;
    *n = r->lost_n;
}

size_t pq_chunk_asleep(void)
{
    return sizeof(pq_chunk_reader) + sizeof(page_state);
}

size_t pq_chunk_least(void)
{
    /* window, page piece, spilled page's windows (lengths, lengths, bytes), dictionary blocks and
     * rooms of values; a codec's own window comes on top where its stream names one */
    return ((size_t)16 << 10) + 3 * (CURSOR_WINDOW_MIN + BUFFER_SLACK) + ((size_t)32 << 10) +
           PAGE_HEADROOM + pq_chunk_asleep();
}
