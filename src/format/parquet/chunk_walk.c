/* Where the chunk reader stands: pages found by their headers or by the offset index, page bodies
 * loaded, rows skipped. */
#include "format/parquet/chunk_priv.h"

#include "format/parquet/dec_level.h"

/* A jump over fewer rows than this many times the current page's is walked, as long as the offset
 * index is not at hand. */
#define JUMP_PAGES 4
/* Headers that are only passed do not need the page's bytes. */
#define SKIP_READ ((size_t)4 << 10)

/* ---- the dictionary ---- */

static nrw_status dictionary(pq_chunk_reader *r, nrw_error *err)
{
    uint64_t at = r->pages.at, ahead_end = r->pages.ahead_end;
    pq_page h;
    nrw_status st;

    if (r->dict.loaded)
        return dict_wake(&r->dict, err);
    if (r->dict_at == 0) /* no page: there may be no values but nulls */
        return NRW_OK;
    r->pages.at = r->dict_at;
    if (r->places) /* the pages behind it are not its business */
        r->pages.ahead_end = (uint64_t)r->places[0].offset;
    st = page_header(&r->pages, r->opts.read_ahead, &h, err);
    if (st == NRW_OK)
        st = dict_load(&r->dict, &r->pages, &h, r->leaf, &r->conv, r->dict_id, err);
    else if (st == NRW_END)
        st = err_set(err, NRW_E_CORRUPT, "the dictionary page is gone");
    if (st < 0)
        err_at_offset(err, (int64_t)r->dict_at);
    if (st < 0)
        err_wrap(err, st, "dictionary");
    r->pages.at = at;
    r->pages.ahead_end = ahead_end;
    if (st >= 0)
        r->dict_bytes = (uint64_t)h.uncompressed;
    if (st >= 0 && r->dict.shared)
        r->dict_id = r->dict.shared->id;
    return st;
}

/* ---- pages by their headers ---- */

static nrw_status data_header(pq_chunk_reader *r, nrw_error *err)
{
    const pq_page *h = &r->walk.head;

    if (h->n_values > r->rows - r->walk.first)
        return err_set(err, NRW_E_CORRUPT, "a page of %d values, the row group has %lld rows left",
                       h->n_values, (long long)(r->rows - r->walk.first));
    if (h->type == PQ_DATA_PAGE_V2 && !r->leaf->max_rep && h->n_rows != h->n_values)
        return err_set(err, NRW_E_CORRUPT, "a page of %d rows has %d values", h->n_rows,
                       h->n_values);
    return NRW_OK;
}

nrw_status chunk_next_page(pq_chunk_reader *r, size_t hint, bool wanted, nrw_error *err)
{
    page_walk *w = &r->walk;

    if (w->in_page) {
        w->in_page = false;
        w->first += w->head.n_values;
        w->number++;
        page_pass(&r->pages, &w->head);
    }
    for (;;) {
        pq_page h;
        nrw_status st = page_header(&r->pages, hint, &h, err);
        if (st < 0)
            return st;
        if (st == NRW_END)
            return err_set(err, NRW_E_CORRUPT, "the column chunk ends after %lld of %lld rows",
                           (long long)w->first, (long long)r->rows);
        if (h.type == PQ_DATA_PAGE || h.type == PQ_DATA_PAGE_V2) {
            w->head = h;
            if (h.n_values > 0) {
                TRY(data_header(r, err));
                w->in_page = true;
                w->counted = false;
                return NRW_OK;
            }
            w->number++;
        } else if (h.type == PQ_DICTIONARY_PAGE) {
            if (r->dict_at && r->dict_at != r->pages.at)
                return err_set(err, NRW_E_CORRUPT, "a second dictionary page in the chunk");
            r->dict_at = r->pages.at;
            /* while its bytes are at hand; what is wrong with it is said where it is needed */
            if (wanted && !r->conv.null_type)
                (void)dictionary(r, NULL);
        }
        page_pass(&r->pages, &h);
    }
}

nrw_status chunk_check_end(pq_chunk_reader *r, nrw_error *err)
{
    page_reader p = r->pages;
    pq_page h;

    if (!r->walk.in_page)
        return NRW_OK;
    /* chunks of some old writers are read beyond the length they state */
    if (r->chunk->compressed >= 0 &&
        (uint64_t)r->chunk->compressed < p.end - (uint64_t)r->chunk->start)
        p.end = (uint64_t)r->chunk->start + (uint64_t)r->chunk->compressed;
    /* only what the window already holds: the check costs no read */
    page_pass(&p, &r->walk.head);
    while (p.at < p.end && p.window && p.at >= p.window_at && p.at < p.window_at + p.window->len) {
        span s = {p.window->data + (p.at - p.window_at),
                  (size_t)(p.window_at + p.window->len - p.at)};
        if (pq_page_parse(s, &h, NULL) != NRW_OK ||
            h.header_len + (uint64_t)h.compressed > p.end - p.at)
            break;
        if ((h.type == PQ_DATA_PAGE || h.type == PQ_DATA_PAGE_V2) && h.n_values > 0)
            return err_set(err, NRW_E_CORRUPT,
                           "the column chunk has more values than the row group's %lld rows",
                           (long long)r->rows);
        page_pass(&p, &h);
    }
    return NRW_OK;
}

/* ---- pages by the offset index ---- */

static void load_places(pq_chunk_reader *r)
{
    if (r->places || r->no_places)
        return;
    r->no_places = true;
    if (!r->opts.meta || r->chunk->offset_index_at < 0 || r->chunk->offset_index_len <= 0 ||
        mem_room(r->m) / 8 < (uint64_t)r->chunk->offset_index_len ||
        arena_new(r->m, &r->places_arena, NULL) < 0)
        return;
    if (pq_offset_index(r->opts.meta, r->chunk, r->group_rows, r->places_arena, &r->n_places,
                        &r->places, NULL) < 0 ||
        r->n_places == 0) {
        arena_free(r->places_arena);
        r->places_arena = NULL;
        r->places = NULL;
        return;
    }
    r->no_places = false;
}

/* Index of the place whose page holds `row`. */
static uint32_t place_of(const pq_chunk_reader *r, int64_t row)
{
    uint32_t lo = 0, hi = r->n_places;

    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->places[mid].first_row <= row)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

void pq_chunk_until(pq_chunk_reader *r, int64_t row)
{
    uint32_t last;

    if (row == r->until)
        return;
    r->until = row;
    r->pages.ahead_end = r->pages.end;
    load_places(r);
    if (!r->places || row <= 0 || row >= r->rows)
        return;
    last = place_of(r, row - 1);
    r->pages.ahead_end = (uint64_t)(r->places[last].offset + r->places[last].compressed);
}

/* Whether the page behind the one at hand may be the one of `row`. */
static bool comes_next(const pq_chunk_reader *r, int64_t row)
{
    const page_walk *w = &r->walk;

    if (w->in_page)
        return row < chunk_page_end(r) + w->head.n_values;
    return w->number + 1 >= r->n_places || r->places[w->number + 1].first_row > row;
}

void pq_chunk_count_rest(pq_chunk_reader *r)
{
    uint64_t seen = r->counts.pages_decompressed + r->counts.pages_skipped;

    if (chunk_page_end(r) >= r->rows)
        return;
    load_places(r);
    if (r->n_places > seen)
        r->counts.pages_skipped += r->n_places - seen;
}

static void drop_places(pq_chunk_reader *r)
{
    arena_free(r->places_arena);
    r->places_arena = NULL;
    r->places = NULL;
    r->n_places = 0;
    r->no_places = true;
}

/* Moves the walk to before page i of the offset index if the page there is what the index says;
 * else everything stays. Of leaves in lists the walk's first row becomes a lower bound. */
static bool jump_to(pq_chunk_reader *r, uint32_t i)
{
    page_walk *w = &r->walk;
    uint64_t at = r->pages.at;
    int64_t end = i + 1 < r->n_places ? r->places[i + 1].first_row : r->group_rows;
    bool lists = r->leaf->max_rep > 0;
    pq_page h;

    r->pages.at = (uint64_t)r->places[i].offset;
    if (page_header(&r->pages, SKIP_READ, &h, NULL) != NRW_OK ||
        (h.type != PQ_DATA_PAGE && h.type != PQ_DATA_PAGE_V2) ||
        (!lists && h.n_values != end - r->places[i].first_row)) {
        r->pages.at = at;
        drop_places(r);
        return false;
    }
    r->counts.pages_skipped += (uint64_t)(i - w->number - (w->in_page && w->counted));
    w->in_page = false;
    w->first = lists ? w->first : r->places[i].first_row;
    w->number = i;
    return true;
}

/* Moves the walk to the page of `row` if the offset index tells its place. */
static bool jump(pq_chunk_reader *r, int64_t row)
{
    uint32_t i;

    load_places(r);
    if (!r->places)
        return false;
    i = place_of(r, row);
    if (r->places[i].offset <= (int64_t)r->pages.at || r->places[i].first_row < r->walk.first)
        return false;
    return jump_to(r, i);
}

bool chunk_jump_rows(pq_chunk_reader *r, int64_t row, int64_t *first)
{
    uint32_t i;

    load_places(r);
    if (!r->places)
        return false;
    i = place_of(r, row);
    if (r->places[i].offset <= (int64_t)r->pages.at || i <= r->walk.number || !jump_to(r, i))
        return false;
    *first = r->places[i].first_row;
    return true;
}

int64_t chunk_resume(pq_chunk_reader *r, int64_t row)
{
    uint32_t i;

    if (r->walk.in_page && row < chunk_page_end(r))
        return chunk_page_end(r);
    load_places(r);
    if (!r->places || r->leaf->max_rep)
        return r->rows;
    i = place_of(r, row);
    return i + 1 < r->n_places ? r->places[i + 1].first_row : r->rows;
}

/* ---- bodies ---- */

void chunk_close_windows(page_state *p)
{
    cursor_close(&p->lev.r.c);
    cursor_close(&p->index.c);
    dec_close(&p->dec);
}

void chunk_unload(pq_chunk_reader *r)
{
    if (r->page) {
        if (r->page->body.kind == BODY_REGION || r->page->body.kind == BODY_FILE)
            /* the next page may need the room */
            chunk_close_windows(r->page);
        page_recycle(&r->pages, &r->page->body);
        r->page->index_open = false;
    }
    r->loaded = r->asleep = false;
}

/* Pages of less are made anew. */
#define SLEEP_LEAST ((size_t)64 << 10)

bool chunk_sleep(pq_chunk_reader *r)
{
    page_state *p = r->page;
    const bool in_memory = r->loaded && p->body.kind == BODY_MEMORY;

    if (!r->loaded || p->body.kind == BODY_NONE)
        return false;
    if (in_memory && (p->body.len < SLEEP_LEAST || !r->pages.s))
        return false;
    cursor_sleep(&p->lev.r.c);
    cursor_sleep(&p->index.c);
    dec_sleep(&p->dec);
    if (in_memory && body_spill(&p->body, r->pages.s, NULL) < 0)
        return false;
    r->asleep = true;
    return true;
}

static nrw_status wake(pq_chunk_reader *r, nrw_error *err)
{
    page_state *p = r->page;

    if (r->by_index)
        TRY(dictionary(r, err));
    if (!p->lev.none)
        TRY(cursor_wake(&p->lev.r.c, err));
    if (r->by_index && p->index_open)
        TRY(cursor_wake(&p->index.c, err));
    if (!r->by_index && !r->conv.null_type)
        TRY(dec_wake(&p->dec, err));
    r->asleep = false;
    return NRW_OK;
}

/* Levels of a data page v1 lie at `from`: either kind, of at most `max`. */
static nrw_status levels_v1(pq_chunk_reader *r, pq_encoding e, uint8_t max, const char *what,
                            size_t *from, size_t *to, bool *unpacked, nrw_error *err)
{
    page_state *p = r->page;
    uint8_t head[4];
    size_t len;

    *unpacked = e == PQ_BIT_PACKED;
    if (max == 0) {
        *to = *from;
        return NRW_OK;
    }
    if (e == PQ_BIT_PACKED) {
        len = ((size_t)r->walk.head.n_values * level_width(max) + 7) / 8;
    } else if (e == PQ_RLE) {
        if (p->body.len - *from < 4)
            return err_set(err, NRW_E_CORRUPT, "the page has no room for its levels");
        TRY(body_read(&p->body, *from, head, 4, err));
        len = load_u32(head);
        *from += 4;
    } else {
        return err_set(err, NRW_E_CORRUPT, "%s levels in encoding %s", what, pq_encoding_name(e));
    }
    if (len > p->body.len - *from)
        return err_set(err, NRW_E_CORRUPT, "levels of %zu bytes in a page of %zu", len,
                       p->body.len);
    *to = *from + len;
    return NRW_OK;
}

/* Data page v1: repetition levels, definition levels, values. */
static nrw_status find_v1(pq_chunk_reader *r, level_places *at, nrw_error *err)
{
    const pq_page *h = &r->walk.head;

    TRY(levels_v1(r, h->rep_encoding, r->leaf->max_rep, "repetition", &at->rep_from, &at->rep_to,
                  &at->rep_unpacked, err));
    at->def_from = at->rep_to;
    TRY(levels_v1(r, h->def_encoding, r->leaf->max_def, "definition", &at->def_from, &at->def_to,
                  &at->def_unpacked, err));
    at->values = at->def_to;
    return NRW_OK;
}

/* Data page v2: levels first, their lengths in the header. */
static nrw_status find_v2(pq_chunk_reader *r, level_places *at, nrw_error *err)
{
    const pq_page *h = &r->walk.head;
    size_t to;

    if (h->rep_len < 0 || h->def_len < 0 ||
        __builtin_add_overflow((size_t)h->rep_len, (size_t)h->def_len, &to) ||
        to > r->page->body.len)
        return err_set(err, NRW_E_CORRUPT, "levels of %d and %d bytes in a page of %zu", h->rep_len,
                       h->def_len, r->page->body.len);
    at->rep_to = at->def_from = (size_t)h->rep_len;
    at->def_to = at->values = to;
    at->def_none = h->def_len == 0 && h->n_nulls == 0;
    return NRW_OK;
}

static nrw_status find_levels(pq_chunk_reader *r, nrw_error *err)
{
    level_places *at = &r->page->at;

    *at = (level_places){0};
    if (r->walk.head.type == PQ_DATA_PAGE_V2)
        TRY(find_v2(r, at, err));
    else
        TRY(find_v1(r, at, err));
    at->def_none |= r->leaf->max_def == 0;
    return NRW_OK;
}

static void open_levels(pq_chunk_reader *r)
{
    const level_places *at = &r->page->at;
    levels *l = &r->page->lev;

    l->max = r->leaf->max_def;
    l->none = at->def_none;
    l->unpacked = at->def_unpacked;
    l->run = 0;
    l->bit_at = l->bit_n = 0;
    if (!l->none)
        rle_open(&l->r, r->m, &r->page->body, at->def_from, at->def_to, level_width(l->max));
}

static nrw_status open_values(pq_chunk_reader *r, size_t at, nrw_error *err)
{
    const pq_page *h = &r->walk.head;
    page_state *p = r->page;
    uint8_t width;

    r->by_index = !r->conv.null_type &&
                  (h->encoding == PQ_PLAIN_DICTIONARY || h->encoding == PQ_RLE_DICTIONARY);
    if (r->conv.null_type)
        return NRW_OK;
    if (!r->by_index)
        return dec_open(&p->dec, r->m, r->leaf, h->encoding, &p->body, at, (uint64_t)h->n_values,
                        err);
    TRY(dictionary(r, err));
    p->held_at = p->held_n = 0;
    p->index_open = at < p->body.len;
    if (!p->index_open) /* nothing but nulls */
        return NRW_OK;
    TRY(body_read(&p->body, at, &width, 1, err));
    if (width > 32)
        return err_set(err, NRW_E_CORRUPT, "dictionary indices of %u bits", width);
    rle_open(&p->index, r->m, &p->body, at + 1, p->body.len, width);
    return NRW_OK;
}

static void count_page(pq_chunk_reader *r)
{
    if (!r->walk.counted)
        r->counts.pages_decompressed++;
    r->walk.counted = true;
}

nrw_status chunk_load(pq_chunk_reader *r, nrw_error *err)
{
    page_state *p = r->page;
    void *mem;

    if (!p) {
        TRY(mem_zalloc(r->m, sizeof *p, &mem, err));
        p = r->page = mem;
    }
    chunk_unload(r);
    TRY(page_body(&r->pages, &r->walk.head, &p->body, err));
    count_page(r);
    TRY(find_levels(r, err));
    open_levels(r);
    TRY(open_values(r, p->at.values, err));
    r->walk.pos = r->walk.first;
    r->loaded = true;
    return NRW_OK;
}

/* ---- rows ---- */

nrw_status chunk_skip_values(pq_chunk_reader *r, uint64_t there, nrw_error *err)
{
    if (r->by_index)
        return index_skip(r, there, err);
    return r->conv.null_type ? NRW_OK : dec_skip(&r->page->dec, there, err);
}

nrw_status chunk_skip_rows(pq_chunk_reader *r, int64_t n, nrw_error *err)
{
    uint64_t there;

    TRY(levels_skip(&r->page->lev, (uint64_t)n, &there, err));
    r->walk.pos += n;
    return chunk_skip_values(r, there, err);
}

static bool worth_a_jump(const pq_chunk_reader *r, int64_t row)
{
    const page_walk *w = &r->walk;

    return r->must_jump || (w->in_page && (row - chunk_page_end(r)) / (r->places ? 1 : JUMP_PAGES) >
                                              w->head.n_values);
}

nrw_status chunk_seek(pq_chunk_reader *r, int64_t row, nrw_error *err)
{
    page_walk *w = &r->walk;

    while (!w->in_page || row >= chunk_page_end(r)) {
        size_t hint = SKIP_READ;
        bool far = worth_a_jump(r, row), wanted;
        chunk_unload(r);
        if (!(far && jump(r, row)) && w->in_page && !w->counted) {
            r->counts.pages_skipped++;
            w->counted = true;
        }
        r->must_jump = false;
        if (comes_next(r, row))
            hint = r->opts.read_ahead;
        wanted = row == (w->in_page ? chunk_page_end(r) : w->first);
        TRY(chunk_next_page(r, hint, wanted, err));
    }
    if (!r->loaded)
        TRY(chunk_load(r, err));
    if (r->asleep)
        TRY(wake(r, err));
    if (row < w->pos)
        return err_set(err, NRW_E_ARG, "row %lld was passed already", (long long)row);
    return row > w->pos ? chunk_skip_rows(r, row - w->pos, err) : NRW_OK;
}
