#include "format/parquet/dict_read.h"

#include <stdlib.h>

#define BLOCK_BYTES ((size_t)16 << 10)
#define BLOCKS_MOST 64

/* ---- blocks of a body that is not in memory ---- */

static nrw_status cache_open(block_cache *c, const pq_dict *d, const body *b, nrw_error *err)
{
    size_t n = BLOCKS_MOST, each = BLOCK_BYTES + sizeof *c->tag;
    mem *m = d->m;
    void *p = NULL;

    *c = (block_cache){.b = b, .m = m};
    if (b->kind == BODY_MEMORY)
        return NRW_OK;
    while (n > (b->len + BLOCK_BYTES - 1) / BLOCK_BYTES && n > 1)
        n /= 2;
    for (; n > 1; n /= 2)
        if (mem_room(m) / 8 >= n * each + d->headroom / 8 && (p = mem_try_alloc(m, n * each)))
            break;
    if (!p)
        TRY(mem_alloc(m, each, &p, err));
    c->n = (uint32_t)n;
    c->bytes = n * each;
    c->blocks = p;
    c->tag = (size_t *)(void *)(c->blocks + n * BLOCK_BYTES);
    memset(c->tag, 0, n * sizeof *c->tag);
    return NRW_OK;
}

static void cache_sleep(block_cache *c)
{
    if (c->blocks)
        mem_free(c->m, c->blocks, c->bytes);
    c->blocks = NULL;
    c->n = 0;
}

static void cache_close(block_cache *c)
{
    cache_sleep(c);
    *c = (block_cache){0};
}

static nrw_status cache_block(block_cache *c, size_t block, const uint8_t **out, nrw_error *err)
{
    size_t at = block % c->n, from = block * BLOCK_BYTES;
    uint8_t *p = c->blocks + at * BLOCK_BYTES;

    if (c->tag[at] != block + 1) {
        c->tag[at] = 0;
        TRY(body_read(c->b, from, p, size_min(BLOCK_BYTES, c->b->len - from), err));
        c->tag[at] = block + 1;
    }
    *out = p;
    return NRW_OK;
}

static nrw_status cache_read(block_cache *c, size_t pos, void *dst, size_t n, nrw_error *err)
{
    uint8_t *to = dst;

    if (c->n == 0 || n >= BLOCK_BYTES || pos > c->b->len || n > c->b->len - pos)
        return body_read(c->b, pos, dst, n, err);
    while (n) {
        const uint8_t *p;
        size_t in = pos % BLOCK_BYTES, k = size_min(n, BLOCK_BYTES - in);
        TRY(cache_block(c, pos / BLOCK_BYTES, &p, err));
        memcpy(to, p + in, k);
        to += k;
        pos += k;
        n -= k;
    }
    return NRW_OK;
}

/* ---- where entries of varying length begin ---- */

typedef struct index_writer {
    pq_dict *d;
    uint32_t *piece;
    size_t cap, n; /* entries */
    uint64_t at;   /* bytes written to the region */
} index_writer;

static nrw_status index_flush(index_writer *w, nrw_error *err)
{
    span s = {(const uint8_t *)w->piece, w->n * 4};

    if (w->d->index.kind != BODY_REGION || w->n == 0)
        return NRW_OK;
    TRY(spill_region_write(w->d->index.s, w->d->index.at + w->at, s, err));
    w->at += s.len;
    w->n = 0;
    return NRW_OK;
}

static nrw_status index_fill(index_writer *w, cursor *c, nrw_error *err)
{
    for (uint32_t i = 0; i < w->d->n; i++) {
        uint8_t head[4];
        if (w->n == w->cap)
            TRY(index_flush(w, err));
        w->piece[w->n++] = (uint32_t)cursor_pos(c);
        TRY(cursor_copy(c, head, 4, err));
        TRY(cursor_skip(c, load_u32(head), err));
    }
    return index_flush(w, err);
}

static nrw_status index_build(pq_dict *d, spill *s, nrw_error *err)
{
    size_t bytes = (size_t)d->n * 4;
    index_writer w = {.d = d};
    cursor c = {0};
    void *piece = NULL;
    nrw_status st = NRW_OK;

    if (mem_room(d->m) / 4 >= bytes + d->headroom / 4) {
        buffer *b = buffer_try_new(d->m, bytes);
        if (b)
            d->index = body_memory(b, b->data, bytes);
    }
    if (d->index.kind == BODY_MEMORY) {
        w.piece = (uint32_t *)(void *)d->index.buf->data;
        w.cap = d->n;
    } else {
        uint64_t at;
        if (!s)
            return err_set(err, NRW_E_MEMLIMIT, "no room for an index of %u entries", d->n);
        TRY(spill_region(s, bytes, &at, err));
        d->index = body_region(s, at, bytes);
        TRY(mem_alloc(d->m, CURSOR_WINDOW_MIN, &piece, err));
        w.piece = piece;
        w.cap = CURSOR_WINDOW_MIN / 4;
    }
    cursor_open(&c, d->m, &d->page, 0, d->page.len);
    st = index_fill(&w, &c, err);
    cursor_close(&c);
    if (piece)
        mem_free(d->m, piece, CURSOR_WINDOW_MIN);
    return st;
}

/* ---- loading ---- */

/* All entries as a flat vector that pins the page. */
static nrw_status flat_entries(pq_dict *d, const convert *c, vector *out, nrw_error *err)
{
    decoder dec = {0};
    convert_room room = {.m = d->m};
    uint32_t bad = 0, got = 0;
    nrw_status st = vector_flat(d->m, &d->leaf->field.type, d->n, out, err);

    if (st < 0)
        return st;
    TRY_OUT(dec_open(&dec, d->m, d->leaf, PQ_PLAIN, &d->page, 0, d->n, err));
    if (c->views) {
        view_sink s = {.v = out, .max_bytes = SIZE_MAX};
        TRY_OUT(dec_views(&dec, d->n, &s, (view *)(void *)out->data, &got, err));
    } else {
        st = dec_typed(&dec, c, &room, d->n, out->data, &bad, err);
        if (st == NRW_E_VALUE)
            err_wrap(err, st, "entry %u", bad);
        TRY_OUT(st);
    }
    out->len = d->n;
out:
    convert_room_release(&room);
    dec_close(&dec);
    if (st < 0)
        vector_release(out);
    return st;
}

/* Numbers that lie in the page as in a vector, in a buffer of about its size: no copy is made. */
static bool entries_in_place(const pq_dict *d, const convert *c, vector *out)
{
    const body *p = &d->page;

    if (c->fn || c->views || c->from_views || c->null_type || d->leaf->physical == PQ_BOOLEAN ||
        !d->n || (c->out != 4 && c->out != 8) || p->kind != BODY_MEMORY ||
        p->data != p->buf->data || p->buf->cap > p->len + p->len / 4)
        return false;
    *out = (vector){.type = d->leaf->field.type,
                    .form = VECTOR_FLAT,
                    .len = d->n,
                    .data = p->buf->data,
                    .data_buf = buffer_ref(p->buf),
                    .m = d->m};
    return true;
}

/* Whether entries of so many bytes may be kept beside their page, as long as vectors want them. */
static bool fits(const pq_dict *d, uint64_t bytes)
{
    uint64_t room = mem_room(d->m);

    if (d->page.kind != BODY_MEMORY && d->page.len)
        return false;
    return room >= d->headroom && room - d->headroom >= bytes;
}

/* Of entries that lie there already, or have room; else d->shared stays NULL. */
static nrw_status share(pq_dict *d, const convert *c, uint64_t id, nrw_error *err)
{
    nrw_status st = NRW_OK;
    vector v;

    if (!fits(d, 0))
        return NRW_OK;
    if (!entries_in_place(d, c, &v))
        st = fits(d, (uint64_t)d->n * c->out) ? flat_entries(d, c, &v, err) : NRW_E_MEMLIMIT;
    if (st >= 0)
        st = dict_new(d->m, &v, &d->shared, err);
    if (st < 0)
        return st == NRW_E_MEMLIMIT ? NRW_OK : st;
    if (id)
        d->shared->id = id;
    return NRW_OK;
}

static nrw_status check_entries(const pq_dict *d, const pq_page *h, nrw_error *err)
{
    uint64_t least = d->leaf->physical == PQ_BOOLEAN ? ((uint64_t)d->n + 7) / 8
                     : d->leaf->physical == PQ_BYTE_ARRAY
                         ? (uint64_t)d->n * 4
                         : (uint64_t)d->n * pq_physical_width(d->leaf);

    if (h->encoding != PQ_PLAIN && h->encoding != PQ_PLAIN_DICTIONARY)
        return err_set(err, NRW_E_CORRUPT, "a dictionary page in encoding %s",
                       pq_encoding_name(h->encoding));
    if (least > d->page.len)
        return err_set(err, NRW_E_CORRUPT, "a dictionary of %u entries in %zu bytes", d->n,
                       d->page.len);
    return NRW_OK;
}

nrw_status dict_load(pq_dict *d, page_reader *p, const pq_page *h, const pq_leaf *leaf,
                     const convert *c, uint64_t id, nrw_error *err)
{
    nrw_status st = NRW_OK;

    *d = (pq_dict){
        .m = p->m, .headroom = page_keeps_free(p), .leaf = leaf, .n = (uint32_t)h->n_values};
    if (h->n_values < 0)
        return err_set(err, NRW_E_CORRUPT, "a dictionary of %d entries", h->n_values);
    TRY(page_body(p, h, &d->page, err));
    TRY_OUT(check_entries(d, h, err));
    TRY_OUT(share(d, c, id, err));
    if (d->shared) {
        page_recycle(p, &d->page);
    } else {
        if (leaf->physical == PQ_BYTE_ARRAY) {
            TRY_OUT(index_build(d, p->s, err));
            TRY_OUT(cache_open(&d->index_blocks, d, &d->index, err));
        }
        TRY_OUT(cache_open(&d->page_blocks, d, &d->page, err));
    }
    d->loaded = true;
out:
    if (st < 0)
        dict_close(d);
    return st;
}

void dict_close(pq_dict *d)
{
    dict_unref(d->shared);
    cache_close(&d->page_blocks);
    cache_close(&d->index_blocks);
    body_release(&d->page);
    body_release(&d->index);
    *d = (pq_dict){0};
}

void dict_sleep(pq_dict *d)
{
    if (d->page.kind != BODY_REGION ||
        (d->index.kind == BODY_MEMORY && body_spill(&d->index, d->page.s, NULL) < 0)) {
        dict_close(d);
        return;
    }
    cache_sleep(&d->page_blocks);
    cache_sleep(&d->index_blocks);
}

nrw_status dict_wake(pq_dict *d, nrw_error *err)
{
    if (d->index_blocks.b && !d->index_blocks.blocks) /* its body may have moved */
        TRY(cache_open(&d->index_blocks, d, &d->index, err));
    if (d->page_blocks.b && !d->page_blocks.blocks)
        TRY(cache_open(&d->page_blocks, d, &d->page, err));
    return NRW_OK;
}

/* ---- entries one by one ---- */

static nrw_status entry(pq_dict *d, uint32_t i, size_t *pos, uint32_t *len, nrw_error *err)
{
    uint8_t head[4];

    TRY(cache_read(&d->index_blocks, (size_t)i * 4, head, 4, err));
    *pos = load_u32(head);
    TRY(cache_read(&d->page_blocks, *pos, head, 4, err));
    *pos += 4;
    *len = load_u32(head);
    if (*len > d->page.len - *pos)
        return err_set(err, NRW_E_CORRUPT, "entry %u passes the end of the dictionary", i);
    return NRW_OK;
}

nrw_status dict_views(pq_dict *d, const uint32_t *index, uint32_t n, view_sink *s, view *dst,
                      uint32_t *got, nrw_error *err)
{
    uint32_t i = 0;

    s->ascii = false;
    do {
        size_t pos;
        uint32_t len;
        if (i && index[i] == index[i - 1]) { /* repeated: the same bytes serve again */
            dst[i] = dst[i - 1];
            s->bytes += sizeof(view);
            continue;
        }
        TRY(entry(d, index[i], &pos, &len, err));
        if (len <= VIEW_INLINE) {
            dst[i] = (view){.len = (int32_t)len};
            TRY(cache_read(&d->page_blocks, pos, dst[i].inlined, len, err));
        } else {
            uint8_t *p;
            int32_t heap, offset;
            TRY(sink_room(s, len, &p, &heap, &offset, err));
            TRY(cache_read(&d->page_blocks, pos, p, len, err));
            dst[i] = view_long(p, len, heap, offset);
        }
        s->bytes += len + sizeof(view);
    } while (++i < n && !sink_full(s));
    *got = i;
    return sink_check_text(s, d->leaf, dst, i, err);
}

#define SORTED 256 /* entries that are fetched in the order of their places */

static int by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static nrw_status raw_entry(pq_dict *d, size_t width, uint32_t index, uint8_t *to, nrw_error *err)
{
    if (d->leaf->physical != PQ_BOOLEAN)
        return cache_read(&d->page_blocks, index * width, to, width, err);
    TRY(cache_read(&d->page_blocks, index / 8, to, 1, err));
    *to = *to >> (index % 8) & 1;
    return NRW_OK;
}

/* Raw values of n entries. Where few blocks are at hand, each is read once for all its entries. */
static nrw_status raw_entries(pq_dict *d, const uint32_t *index, uint32_t n, uint8_t *to,
                              nrw_error *err)
{
    size_t width = d->leaf->physical == PQ_BOOLEAN ? 1 : pq_physical_width(d->leaf);
    uint64_t order[SORTED];

    for (uint32_t from = 0, k; from < n; from += k) {
        k = n - from < SORTED ? n - from : SORTED;
        for (uint32_t i = 0; i < k; i++)
            order[i] = (uint64_t)index[from + i] << 32 | (from + i);
        if (d->page_blocks.n)
            qsort(order, k, sizeof *order, by_place);
        for (uint32_t i = 0; i < k; i++)
            TRY(raw_entry(d, width, (uint32_t)(order[i] >> 32), to + (uint32_t)order[i] * width,
                          err));
    }
    return NRW_OK;
}

static nrw_status gather_numbers(pq_dict *d, const convert *c, convert_room *room,
                                 const uint32_t *index, uint32_t n, uint8_t *dst, uint32_t *bad,
                                 nrw_error *err)
{
    vector v = {.m = d->m, .type = type_of(TYPE_BINARY)};
    view_sink s = {.v = &v, .max_bytes = SIZE_MAX};
    convert with = *c;
    nrw_status st = NRW_OK;
    uint32_t step = convert_step(c);

    with.heaps = &v.heaps;
    for (uint32_t i = 0, k, fit; i < n; i += k) {
        k = n - i < step ? n - i : step;
        if (c->from_views)
            TRY_OUT(dict_views(d, index + i, k, &s, (view *)(void *)room->raw, &k, err));
        else
            TRY_OUT(raw_entries(d, index + i, k, room->raw, err));
        fit = c->fn(&with, room->raw, k, dst + (size_t)i * c->out);
        if (fit < k) {
            *bad = i + fit;
            st = convert_failed(c, d->leaf, err);
            goto out;
        }
    }
out:
    vector_release(&v);
    return st;
}

nrw_status dict_gather(pq_dict *d, const convert *c, convert_room *room, const uint32_t *index,
                       uint32_t n, uint8_t *dst, uint32_t *bad, nrw_error *err)
{
    if (!c->fn)
        return raw_entries(d, index, n, dst, err);
    TRY(convert_room_get(room, &room->raw, err));
    return gather_numbers(d, c, room, index, n, dst, bad, err);
}
