/* What reading takes, by the first row group. */
#include "codec/codec.h"
#include "format/parquet/chunk_needs.h"
#include "format/parquet/meta_priv.h"
#include "format/parquet/page_walk.h"
#include "format/parquet/reader_own.h"

/* Headers are looked at if pages may be so large: less is not worth a read. */
#define LOOK_BYTES ((uint64_t)128 << 10)

/* A page of so many bytes as it lies in the file. */
static uint64_t stored_page(const pq_chunk *c, uint64_t page)
{
    double part = c->uncompressed > 0 ? (double)c->compressed / (double)c->uncompressed : 1;

    return part > 0 && part < 1 ? (uint64_t)((double)page * part) : page;
}

/* Their bytes where all pages are alike: texts have pages of any size, and so has a chunk that gave
 * its dictionary up. What cannot be read is taken for large: who reads the chunk will tell. */
static void look_at(const pq_reader *r, const pq_chunk *c, pq_first_pages *out)
{
    pq_page_walk walk;
    pq_page_at at;

    out->dictionary = out->page = UINT64_MAX / 4;
    if (pq_page_walk_open(r->m, r->meta->f, c, &walk, NULL) < 0)
        return;
    while (pq_page_walk_next(&walk, &at, NULL) == NRW_OK) {
        uint64_t bytes = (uint64_t)at.page.uncompressed;
        if (at.page.type != PQ_DICTIONARY_PAGE) {
            out->page = bytes;
            break;
        }
        out->dictionary = bytes;
        out->entries = at.page.n_values > 0 ? (uint64_t)at.page.n_values : 0;
    }
    pq_page_walk_close(&walk);
}

/* Plans ask more than once, and so does the start. */
pq_first_pages pq_first_pages_of(pq_reader *r, uint32_t leaf, const pq_chunk *c)
{
    pq_first_pages found = {.leaf = leaf};

    for (uint32_t i = 0; i < r->n_looked; i++)
        if (r->looked[i].leaf == leaf)
            return r->looked[i];
    look_at(r, c, &found);
    if (r->n_looked < PQ_LOOKED_AT)
        r->looked[r->n_looked++] = found;
    return found;
}

static bool is_text(const pq_reader *r, uint32_t leaf)
{
    return type_is_view(&pq_meta_leaf(r->meta, leaf)->field.type);
}

/* Texts of a dictionary that may be large, and views of them; as a whole they save a copy of a text
 * for each row. */
static uint64_t texts_of(pq_reader *r, uint32_t leaf, const pq_chunk *c)
{
    const uint64_t most = 8 << 20;
    const pq_first_pages first = pq_first_pages_of(r, leaf, c);
    const uint64_t bytes = first.dictionary + first.entries * sizeof(view);

    return first.entries && bytes <= most ? bytes : 0;
}

/* look: the headers of its first pages may be read. */
static void need_leaf(pq_reader *r, pq_needs *out, uint32_t leaf, const pq_chunk *c, bool look,
                      uint64_t least)
{
    const uint64_t most = 1 << 20, most_seen = 4 << 20;
    const bool text = is_text(r, leaf);
    const uint64_t large = pq_large_page(c), all = size_min(pq_chunk_bytes(c), most);
    uint64_t page = size_min(large, all), dictionary = pq_usual_dictionary(c, all);

    out->widest = size_max(out->widest, pq_stream_memory(c) + least);
    if (look && !text && page > LOOK_BYTES &&
        (c->dictionary_page_offset < 0 || c->dictionary_only)) {
        const pq_first_pages first = pq_first_pages_of(r, leaf, c);
        page = size_min(size_min(large, size_max(first.page, (size_t)32 << 10)), most_seen);
        dictionary = size_min(dictionary, 4 * first.dictionary); /* its values as views */
        page += stored_page(c, page);
    }
    if (look && text && dictionary == all && pq_chunk_bytes(c) > most)
        dictionary = size_max(dictionary, texts_of(r, leaf, c));
    if (look && large > most) {
        const pq_first_pages first = pq_first_pages_of(r, leaf, c);
        out->large |= first.page > most_seen || first.dictionary > size_max(dictionary, most);
    }
    out->open += page + dictionary;
    out->pages += 2 * page + dictionary;
    out->kept += sizeof(pq_chunk) + 1024;
}

static nrw_status need_column(pq_reader *r, const pq_node *n, arena *a, pq_needs *out,
                              nrw_error *err)
{
    uint64_t least = pq_node_is_leaf(n) ? pq_chunk_least() : pq_nested_least(n);
    pq_chunk c;

    out->kept += sizeof(pq_rcolumn);
    out->leaves += n->n_leaves;
    for (uint32_t i = 0; i < n->n_leaves; i++) {
        const uint32_t leaf = n->first_leaf + i;
        TRY(pq_meta_chunk(r->meta, 0, leaf, a, &c, err));
        need_leaf(r, out, leaf, &c, out->leaves <= PQ_LOOKED_AT, least);
    }
    return NRW_OK;
}

nrw_status pq_find_needs(pq_reader *r, const uint32_t *cols, uint32_t n, pq_needs *out,
                         nrw_error *err)
{
    nrw_status st = NRW_OK;
    arena *a = NULL;

    *out = (pq_needs){.widest = pq_chunk_least()};
    for (uint32_t i = 0; i < n; i++) {
        const pq_node *node = pq_meta_column(r->meta, cols[i]);
        if (!node->no_leaf)
            continue;
        err_at_column(err, node->field.name);
        return err_set(err, NRW_E_UNSUPPORTED, "a group without fields cannot be read");
    }
    if (pq_meta_row_groups(r->meta) == 0 || n == 0) {
        out->kept = n * (sizeof(pq_rcolumn) + sizeof(pq_chunk) + 1024);
        return NRW_OK;
    }
    TRY(arena_new(r->m, &a, err));
    for (uint32_t i = 0; i < n && st >= 0; i++)
        st = need_column(r, pq_meta_column(r->meta, cols[i]), a, out, err);
    arena_free(a);
    return st;
}

/* What a column at work can use: its window, a page, a dictionary and the values of that. */
#define AT_WORK ((uint64_t)6 << 20)

uint64_t pq_windows_room(const pq_needs *need)
{
    return need->leaves * (uint64_t)(pq_chunk_least() + (16 << 10));
}

uint64_t pq_columns_room(const pq_needs *need)
{
    return pq_windows_room(need) + need->open;
}

/* So many threads are at columns where so many row groups are read at a time: each may have to
 * decode a page by stream. */
static uint64_t at_work(uint32_t n, uint64_t lanes, uint32_t workers)
{
    return n * lanes < workers ? n * lanes : workers;
}

uint64_t pq_lanes_room(const pq_needs *need, uint32_t n, uint32_t lanes, uint32_t workers)
{
    return at_work(n, lanes, workers) * need->widest;
}

/* What more row groups than one take beside it: as many as workers, if a quarter of memory does. */
static uint64_t more_lanes(const pq_reader *r, const pq_needs *need, uint32_t n, uint32_t workers)
{
    const uint64_t row_groups = (uint64_t)pq_meta_row_groups(r->meta);
    const uint32_t lanes = row_groups < workers ? (uint32_t)row_groups : workers;
    uint64_t more;

    if (lanes < 2)
        return 0;
    more = (lanes - 1) * need->pages + pq_lanes_room(need, n, lanes, workers) -
           pq_lanes_room(need, n, 1, workers);
    return need->pages + more <= mem_room(r->m) / 4 ? more : 0;
}

nrw_status pq_reader_budget(const reader *base, const uint32_t *cols, uint32_t n, uint32_t workers,
                            budget *out, nrw_error *err)
{
    pq_reader *r = (pq_reader *)(uintptr_t)base;
    const uint64_t busy = at_work(n, 1, workers);
    pq_needs need;

    TRY(pq_find_needs(r, cols, n, &need, err));
    /* a column keeps its bookkeeping; those at work, one for each thread, what decoding takes */
    out->least = need.kept + pq_lanes_room(&need, n, 1, workers) + (64 << 10);
    /* where not all can be held, strips serve those that are parked: memory does more elsewhere */
    if (pq_columns_room(&need) > mem_room(r->m) / 2)
        need.pages = busy * AT_WORK;
    out->wish = out->least + need.pages + busy * ((uint64_t)1 << 20);
    out->wish += more_lanes(r, &need, n, workers);
    out->spill = UINT64_MAX;
    out->large = need.large;
    return NRW_OK;
}

uint32_t pq_reader_lanes(const pq_needs *need, uint32_t n, uint64_t room, uint32_t workers)
{
    const uint64_t open = pq_columns_room(need);
    uint32_t lanes = 1;

    while (open && lanes < workers &&
           (lanes + 1) * open + pq_lanes_room(need, n, lanes + 1, workers) <= room)
        lanes++;
    return lanes;
}

/* What the indexes of a row group may take while it is decided what to read of it. Pages leave it
 * free (headroom), so that it is there whenever a row group is cut; little beside what keeps
 * columns open between morsels, more where there is more. */
uint64_t pq_prune_room(uint64_t room, uint64_t columns)
{
    const uint64_t least = 128 << 10, most = 2 << 20;
    uint64_t more = room > columns ? (room - columns) / 4 : 0;

    return more > most ? most : more < least ? least : more;
}
