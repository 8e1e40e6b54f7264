#include "format/parquet/page_read.h"

#define HEADER_GUESS ((size_t)4 << 10)

/* ---- the window ---- */

static bool held_by_others(const buffer *b)
{
    return atomic_load_explicit(&((buffer *)(uintptr_t)b)->refs, memory_order_acquire) != 1;
}

uint64_t page_keeps_free(const page_reader *p)
{
    const codec *c = codec_by_id(p->codec_id);
    uint64_t tables;

    if (p->codec_id == CODEC_NONE || !c || (p->has_ctx && p->ctx.charged))
        return p->headroom;
    tables = c->decode_mem(0);
    return p->headroom + (p->decode_most && p->decode_most < tables ? p->decode_most : tables);
}

static bool has_room(const page_reader *p, size_t bytes)
{
    uint64_t room = mem_room(p->m), keep = page_keeps_free(p);

    return room >= keep && room - keep >= bytes;
}

static buffer *room_for(page_reader *p, size_t bytes)
{
    if (!has_room(p, bytes))
        return NULL;
    return buffer_try_new(p->m, bytes);
}

/* Bytes of the window from file offset `off`. */
static size_t in_window(const page_reader *p, uint64_t off)
{
    if (!p->window || off < p->window_at || off >= p->window_at + p->window->len)
        return 0;
    return (size_t)(p->window_at + p->window->len - off);
}

/* A window of at least `need`, better `want` bytes, with the bytes from `off` that the old one
 * has. False where there is no room. `must`: headroom or not. */
static bool replace_window(page_reader *p, uint64_t off, size_t need, size_t want, bool must)
{
    buffer *b = room_for(p, want);
    size_t keep;

    if (!b && p->window) { /* rather read again than fail */
        buffer_unref(p->window);
        p->window = NULL;
        b = room_for(p, want);
    }
    if (!b && want > need)
        b = room_for(p, need);
    if (!b && must)
        b = buffer_try_new(p->m, need);
    if (!b)
        return false;
    keep = in_window(p, off);
    b->len = 0;
    if (keep) {
        memcpy(b->data, p->window->data + (off - p->window_at), keep);
        b->len = keep;
    }
    buffer_unref(p->window);
    p->window = b;
    p->window_at = off;
    return true;
}

/* Sees to it that file bytes [off, off + need) are in the window, and as many more, up to `want`
 * in all, as a read brings. *fits is false where there is no room for them; `must`: even if
 * headroom is used up. off + need must lie in the chunk. */
static nrw_status window_fill(page_reader *p, uint64_t off, size_t need, size_t want, bool must,
                              bool *fits, nrw_error *err)
{
    size_t have = in_window(p, off), total;
    nrw_status st;

    *fits = true;
    if (have >= need)
        return NRW_OK;
    total = (size_t)(p->end - off < want ? p->end - off : want);
    if (off < p->ahead_end && p->ahead_end - off < total)
        total = (size_t)(p->ahead_end - off);
    total = size_max(total, need);
    if (!p->window || p->window->cap < total || held_by_others(p->window) ||
        p->window->cap > size_max(total, p->read_ahead) * 8) {
        size_t cap = size_max(total, size_min(p->read_ahead, (size_t)(p->end - off)));
        *fits = replace_window(p, off, need, cap, must);
        if (!*fits)
            return NRW_OK;
        have = p->window->len;
        total = size_min(total, p->window->cap);
    } else {
        if (have)
            memmove(p->window->data, p->window->data + (off - p->window_at), have);
        p->window->len = have;
        p->window_at = off;
    }
    st = file_read(p->f, off + have, p->window->data + have, total - have, err);
    if (st < 0) {
        p->window->len = 0;
        return st;
    }
    p->window->len = total;
    return NRW_OK;
}

static span window_span(const page_reader *p, uint64_t off, size_t len)
{
    return (span){p->window->data + (off - p->window_at), len};
}

/* ---- headers ---- */

nrw_status page_header(page_reader *p, size_t hint, pq_page *out, nrw_error *err)
{
    size_t need = size_min(hint ? hint : p->read_ahead, HEADER_GUESS);

    if (p->at >= p->end)
        return NRW_END;
    for (;;) {
        size_t have = in_window(p, p->at);
        nrw_status st;
        bool fits;
        if (have) {
            st = pq_page_parse(window_span(p, p->at, have), out, err);
            if (st < 0)
                return st;
            if (st == NRW_OK)
                break;
            if (have >= p->end - p->at)
                return err_set(err, NRW_E_CORRUPT, "the page header is cut off by the chunk's end");
            if (have >= PQ_PAGE_HEADER_MAX)
                return err_set(err, NRW_E_CORRUPT, "the page header is longer than %d bytes",
                               PQ_PAGE_HEADER_MAX);
            need = size_max(need, have * 2);
        }
        need = (size_t)(p->end - p->at < need ? p->end - p->at : need);
        TRY(window_fill(p, p->at, need, size_max(need, hint), true, &fits, err));
        if (!fits)
            return err_set(err, NRW_E_MEMLIMIT, "no room for a page header of %zu bytes", need);
    }
    if (out->header_len > p->end - p->at ||
        (uint64_t)out->compressed > p->end - p->at - out->header_len)
        return err_set(err, NRW_E_CORRUPT, "a page of %d bytes passes the end of its chunk",
                       out->compressed);
    return NRW_OK;
}

void page_pass(page_reader *p, const pq_page *h)
{
    p->at += h->header_len + (uint64_t)h->compressed;
}

/* ---- bodies ---- */

/* How the bytes of a page lie: `raw` ones as they are, then compressed ones. */
typedef struct layout {
    uint64_t at;   /* in the file */
    size_t packed; /* all bytes of the page there */
    size_t raw;    /* v2 levels; the whole page where nothing is compressed */
    size_t len;    /* of the body */
    bool compressed;
} layout;

static nrw_status layout_of(const page_reader *p, const pq_page *h, layout *l, nrw_error *err)
{
    bool v2 = h->type == PQ_DATA_PAGE_V2;

    *l = (layout){.at = p->at + h->header_len,
                  .packed = (size_t)h->compressed,
                  .len = (size_t)h->uncompressed};
    l->compressed = p->codec_id != CODEC_NONE && !(v2 && !h->v2_compressed);
    if (!l->compressed) {
        l->raw = l->len = l->packed;
    } else if (v2) {
        if (h->def_len < 0 || h->rep_len < 0 ||
            __builtin_add_overflow((size_t)h->def_len, (size_t)h->rep_len, &l->raw) ||
            l->raw > l->packed || l->raw > l->len)
            return err_set(err, NRW_E_CORRUPT, "levels of %d and %d bytes in a page of %d",
                           h->rep_len, h->def_len, h->compressed);
    }
    if (l->compressed && !codec_by_id(p->codec_id))
        return err_set(err, NRW_E_UNSUPPORTED, "codec %s is not supported",
                       codec_id_name(p->codec_id));
    return NRW_OK;
}

nrw_status page_check_crc(const pq_page *h, uint32_t crc, nrw_error *err)
{
    if (crc == h->crc)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT, "the page's CRC is %08x, its header says %08x", crc, h->crc);
}

static codec_ctx *context(page_reader *p)
{
    if (!p->has_ctx) {
        p->ctx = codec_ctx_init(codec_by_id(p->codec_id), p->m);
        p->has_ctx = true;
    }
    return &p->ctx;
}

/* A buffer for a body of len bytes, NULL where there is no room. */
static buffer *body_buffer(page_reader *p, size_t len)
{
    buffer *b = p->spare;

    p->spare = NULL;
    if (b && (b->cap < len || b->cap / 8 > size_max(len, HEADER_GUESS) || held_by_others(b))) {
        buffer_unref(b);
        b = NULL;
    }
    if (!b) /* pages of a chunk differ little in size: some room more, and it fits the next ones */
        b = room_for(p, size_max(len + len / 16, HEADER_GUESS));
    if (!b)
        b = room_for(p, len);
    if (b)
        b->len = len;
    return b;
}

/* The whole page is at `src`, and there is a buffer for it. */
static nrw_status decode_whole(page_reader *p, const layout *l, span src, buffer *b, body *out,
                               nrw_error *err)
{
    span packed = {src.data + l->raw, src.len - l->raw};
    nrw_status st = NRW_OK;

    if (l->raw)
        memcpy(b->data, src.data, l->raw);
    if (l->len > l->raw)
        st = context(p)->codec->decode(context(p), packed, b->data + l->raw, l->len - l->raw, err);
    if (st < 0) {
        buffer_unref(b);
        return st;
    }
    *out = body_memory(b, b->data, l->len);
    return NRW_OK;
}

void page_recycle(page_reader *p, body *b)
{
    if (b->kind == BODY_MEMORY && b->buf != p->window && !p->spare && !held_by_others(b->buf)) {
        p->spare = b->buf;
        *b = (body){0};
        return;
    }
    body_release(b);
}

void page_park(page_reader *p)
{
    buffer_unref(p->window);
    buffer_unref(p->spare);
    p->window = p->spare = NULL;
    if (p->has_ctx)
        codec_ctx_release(&p->ctx);
    p->has_ctx = false;
}

/* ---- pages that do not fit ---- */

/* The page's stored bytes, front to back, in pieces, with their CRC. */
typedef struct feed {
    page_reader *p;
    const layout *l;
    size_t at; /* fed so far */
    uint32_t crc;
    bool want_crc;
} feed;

static nrw_status feed_next(feed *f, span *out, nrw_error *err)
{
    page_reader *p = f->p;
    uint64_t off = f->l->at + f->at;
    size_t left = f->l->packed - f->at, have = in_window(p, off);
    bool fits;

    if (have == 0) {
        size_t least = size_min(left, HEADER_GUESS);
        TRY(window_fill(p, off, least, size_min(left, p->read_ahead), true, &fits, err));
        if (!fits)
            return err_set(err, NRW_E_MEMLIMIT, "no room for a window of %zu bytes", least);
        have = in_window(p, off);
    }
    *out = window_span(p, off, size_min(have, left));
    if (f->want_crc)
        f->crc = codec_crc32(f->crc, out->data, out->len);
    f->at += out->len;
    return NRW_OK;
}

nrw_status page_stored(page_reader *p, const pq_page *h, page_visit visit, void *self,
                       uint32_t *crc, nrw_error *err)
{
    layout l;
    bool fits;

    TRY(layout_of(p, h, &l, err));
    TRY(window_fill(p, l.at, l.packed, size_max(l.packed, p->read_ahead), false, &fits, err));
    feed f = {.p = p, .l = &l, .want_crc = true};
    while (f.at < l.packed) {
        span piece;
        TRY(feed_next(&f, &piece, err));
        if (visit)
            TRY(visit(self, piece, err));
    }
    *crc = f.crc;
    return NRW_OK;
}

/* Where a streamed body goes: a buffer, or a spill region through a piece of memory. */
typedef struct drain {
    page_reader *p;
    buffer *b;
    uint64_t region;
    bool has_region;
    size_t len, at; /* of the body; come so far */
    uint8_t *piece;
    size_t cap, n;
} drain;

static nrw_status drain_open(drain *d, page_reader *p, size_t len, nrw_error *err)
{
    void *piece = NULL;

    *d = (drain){.p = p, .len = len};
    d->b = body_buffer(p, len);
    if (d->b)
        return NRW_OK;
    if (!p->s)
        return err_set(err, NRW_E_MEMLIMIT,
                       "a page of %zu bytes does not fit, and there is nowhere to spill it", len);
    for (d->cap = CURSOR_WINDOW; !piece && d->cap > CURSOR_WINDOW_MIN; d->cap /= 4)
        if (has_room(p, d->cap) && (piece = mem_try_alloc(p->m, d->cap)))
            break;
    if (!piece)
        TRY(mem_alloc(p->m, d->cap, &piece, err));
    d->piece = piece;
    TRY(spill_region(p->s, len, &d->region, err));
    d->has_region = true;
    return NRW_OK;
}

static void drain_close(drain *d)
{
    if (d->piece)
        mem_free(d->p->m, d->piece, d->cap);
    d->piece = NULL;
}

static void drain_drop(drain *d)
{
    buffer_unref(d->b);
    if (d->has_region)
        spill_region_free(d->p->s, d->region, d->len);
    drain_close(d);
}

static nrw_status drain_flush(drain *d, nrw_error *err)
{
    if (d->b || d->n == 0)
        return NRW_OK;
    TRY(spill_region_write(d->p->s, d->region + d->at - d->n, (span){d->piece, d->n}, err));
    d->n = 0;
    return NRW_OK;
}

/* Where the next bytes can be put, at most *cap. */
static nrw_status drain_room(drain *d, uint8_t **to, size_t *cap, nrw_error *err)
{
    if (d->b) {
        *to = d->b->data + d->at;
        *cap = d->len - d->at;
        return NRW_OK;
    }
    if (d->n == d->cap)
        TRY(drain_flush(d, err));
    *to = d->piece + d->n;
    *cap = size_min(d->cap - d->n, d->len - d->at);
    return NRW_OK;
}

static void drain_put(drain *d, size_t n)
{
    d->at += n;
    if (!d->b)
        d->n += n;
}

static nrw_status stream_raw(feed *f, drain *d, size_t raw, span *in, nrw_error *err)
{
    while (raw) {
        uint8_t *to;
        size_t cap, k;
        if (in->len == 0)
            TRY(feed_next(f, in, err));
        TRY(drain_room(d, &to, &cap, err));
        k = size_min(size_min(raw, cap), in->len);
        memcpy(to, in->data, k);
        in->data += k;
        in->len -= k;
        raw -= k;
        drain_put(d, k);
    }
    return NRW_OK;
}

static nrw_status stream_step(feed *f, drain *d, codec_ctx *ctx, span *in, nrw_error *err)
{
    while (d->at < d->len) {
        uint8_t *to;
        size_t cap, n, before;
        if (in->len == 0 && f->at < f->l->packed)
            TRY(feed_next(f, in, err));
        before = in->len;
        TRY(drain_room(d, &to, &cap, err));
        TRY(ctx->codec->stream_step(ctx, in, to, cap, &n, err));
        if (n > cap || (n == 0 && in->len == before && (in->len || f->at == f->l->packed)))
            return err_set(err, NRW_E_CORRUPT,
                           "%s data end after %zu bytes, the page header says %zu",
                           ctx->codec->name, d->at, d->len);
        drain_put(d, n);
    }
    return drain_flush(d, err);
}

/* What may follow the last byte of output: checksums, end marks. */
static nrw_status stream_tail(feed *f, codec_ctx *ctx, span *in, nrw_error *err)
{
    for (;;) {
        uint8_t beyond[16];
        size_t n, before;
        if (in->len == 0 && f->at == f->l->packed)
            return NRW_OK;
        if (in->len == 0)
            TRY(feed_next(f, in, err));
        before = in->len;
        TRY(ctx->codec->stream_step(ctx, in, beyond, 1, &n, err));
        if (n || in->len == before)
            return err_set(err, NRW_E_CORRUPT, "%s data go on behind the page's %zu bytes",
                           ctx->codec->name, f->l->len);
    }
}

static nrw_status stream_codec(feed *f, drain *d, span *in, nrw_error *err)
{
    const layout *l = f->l;
    codec_ctx *ctx = context(f->p);
    nrw_status st, end;

    if (l->len == l->raw) {
        while (f->at < l->packed)
            TRY(feed_next(f, in, err));
        return drain_flush(d, err);
    }
    TRY(ctx->codec->stream_begin(ctx, l->packed - l->raw, l->len - l->raw, err));
    st = stream_step(f, d, ctx, in, err);
    if (st >= 0)
        st = stream_tail(f, ctx, in, err);
    end = ctx->codec->stream_end(ctx, st < 0 ? NULL : err);
    return st < 0 ? st : end;
}

static nrw_status stream_body(page_reader *p, const pq_page *h, const layout *l, body *out,
                              nrw_error *err)
{
    feed f = {.p = p, .l = l, .want_crc = p->verify_crc && h->has_crc};
    span in = {0};
    drain d;
    nrw_status st = drain_open(&d, p, l->len, err);

    if (st >= 0)
        st = stream_raw(&f, &d, l->raw, &in, err);
    if (st >= 0)
        st = stream_codec(&f, &d, &in, err);
    if (st >= 0 && f.want_crc)
        st = page_check_crc(h, f.crc, err);
    if (st < 0) {
        drain_drop(&d);
        return st;
    }
    *out = d.b ? body_memory(d.b, d.b->data, l->len) : body_region(p->s, d.region, l->len);
    drain_close(&d);
    return NRW_OK;
}

/* Not compressed and too large: stays where it is. */
static nrw_status body_in_file(page_reader *p, const pq_page *h, const layout *l, body *out,
                               nrw_error *err)
{
    feed f = {.p = p, .l = l, .want_crc = true};
    span in;

    if (p->verify_crc && h->has_crc) {
        while (f.at < l->packed)
            TRY(feed_next(&f, &in, err));
        TRY(page_check_crc(h, f.crc, err));
    }
    *out = body_file(p->f, l->at, l->packed);
    return NRW_OK;
}

nrw_status page_body(page_reader *p, const pq_page *h, body *out, nrw_error *err)
{
    layout l;
    span src;
    bool fits;

    *out = (body){0};
    TRY(layout_of(p, h, &l, err));
    p->decompressed += l.len;
    TRY(window_fill(p, l.at, l.packed, size_max(l.packed, p->read_ahead), false, &fits, err));
    if (!fits)
        return l.compressed ? stream_body(p, h, &l, out, err) : body_in_file(p, h, &l, out, err);
    if (l.packed == 0) {
        *out = (body){.kind = BODY_FILE, .f = p->f, .at = l.at};
        return NRW_OK;
    }
    src = window_span(p, l.at, l.packed);
    if (p->verify_crc && h->has_crc)
        TRY(page_check_crc(h, codec_crc32(0, src.data, src.len), err));
    if (l.compressed) {
        buffer *b = body_buffer(p, l.len);
        if (b)
            return decode_whole(p, &l, src, b, out, err);
        return stream_body(p, h, &l, out, err);
    }
    *out = body_memory(buffer_ref(p->window), src.data, src.len);
    return NRW_OK;
}
