#include "format/arrow/body.h"

typedef struct ipc_context {
    codec_ctx ctx;
    struct ipc_context *next;
} ipc_context;

void ipc_codecs_init(ipc_codecs *c)
{
    *c = (ipc_codecs){0};
    pthread_mutex_init(&c->lock, NULL);
}

void ipc_codecs_release(ipc_codecs *c)
{
    while (c->free) {
        ipc_context *x = c->free;
        c->free = x->next;
        codec_ctx_release(&x->ctx);
        mem_free(c->m, x, sizeof *x);
    }
    pthread_mutex_destroy(&c->lock);
}

static nrw_status take_context(ipc_codecs *c, const codec *codec, ipc_context **out, nrw_error *err)
{
    ipc_context **at;
    void *p;

    pthread_mutex_lock(&c->lock);
    for (at = &c->free; *at && (*at)->ctx.codec != codec;)
        at = &(*at)->next;
    *out = *at;
    if (*at)
        *at = (*at)->next;
    pthread_mutex_unlock(&c->lock);
    if (*out)
        return NRW_OK;
    TRY(mem_zalloc(c->m, sizeof **out, &p, err));
    *out = p;
    (*out)->ctx = codec_ctx_init(codec, c->m);
    return NRW_OK;
}

static void give_context(ipc_codecs *c, ipc_context *x)
{
    pthread_mutex_lock(&c->lock);
    x->next = c->free;
    c->free = x;
    pthread_mutex_unlock(&c->lock);
}

/* One buffer on its way. */
typedef struct unpacking {
    ipc_codecs *codecs;
    codec_ctx *ctx;
    io_file *f;
    uint64_t at, len; /* compressed */
    ipc_body *body;
    uint8_t *in, *out; /* windows */
} unpacking;

/* Into memory, whole. NRW_END: there is no room. */
static nrw_status unpack_whole(unpacking *u, nrw_error *err)
{
    mem *m = u->codecs->m;
    uint64_t need = buffer_cost((size_t)u->body->len) + buffer_cost((size_t)u->len);
    nrw_status st;
    buffer *from;

    if (u->body->len > SIZE_MAX / 4 || mem_room(m) < need + u->codecs->headroom)
        return NRW_END;
    from = buffer_try_new(m, (size_t)u->len);
    u->body->b = from ? buffer_try_new(m, (size_t)u->body->len) : NULL;
    st = u->body->b ? file_read(u->f, u->at, from->data, (size_t)u->len, err) : NRW_END;
    if (st == NRW_OK)
        st = u->ctx->codec->decode(u->ctx, (span){from->data, (size_t)u->len}, u->body->b->data,
                                   (size_t)u->body->len, err);
    buffer_unref(from);
    if (st == NRW_OK)
        u->body->place = PLACE_MEMORY;
    return st;
}

/* All that comes of one window. */
static nrw_status drain(unpacking *u, span *src, uint64_t *done, nrw_error *err)
{
    const codec *c = u->ctx->codec;
    size_t n;

    do {
        TRY(c->stream_step(u->ctx, src, u->out, IPC_WINDOW, &n, err));
        TRY(spill_region_write(u->codecs->s, u->body->at + *done, (span){u->out, n}, err));
        *done += n;
    } while (n || src->len);
    return NRW_OK;
}

static nrw_status unpack_windows(unpacking *u, nrw_error *err)
{
    uint64_t done = 0;

    for (uint64_t at = 0; at < u->len;) {
        span src = {u->in, size_min(IPC_WINDOW, (size_t)(u->len - at))};
        TRY(file_read(u->f, u->at + at, u->in, src.len, err));
        at += src.len;
        TRY(drain(u, &src, &done, err));
    }
    return NRW_OK;
}

static nrw_status unpack_stream(unpacking *u, nrw_error *err)
{
    const codec *c = u->ctx->codec;
    nrw_status st, end;

    TRY(c->stream_begin(u->ctx, u->len, u->body->len, err));
    st = unpack_windows(u, err);
    end = c->stream_end(u->ctx, st < 0 ? NULL : err); /* frees the stream in any case */
    return st < 0 ? st : end;
}

/* Through windows into the spill file. */
static nrw_status unpack_spilled(unpacking *u, nrw_error *err)
{
    nrw_status st;
    void *p;

    TRY(mem_alloc(u->codecs->m, 2 * IPC_WINDOW, &p, err));
    u->in = p;
    u->out = u->in + IPC_WINDOW;
    st = spill_region(u->codecs->s, u->body->len, &u->body->at, err);
    if (st >= 0) {
        u->body->place = PLACE_REGION;
        st = unpack_stream(u, err);
    }
    mem_free(u->codecs->m, p, 2 * IPC_WINDOW);
    return st;
}

static nrw_status unpack(unpacking *u, nrw_error *err)
{
    ipc_context *x;
    nrw_status st;

    TRY(take_context(u->codecs, u->ctx->codec, &x, err));
    u->ctx = &x->ctx;
    st = unpack_whole(u, err);
    if (st == NRW_END) {
        buffer_unref(u->body->b);
        u->body->b = NULL;
        st = unpack_spilled(u, err);
    }
    give_context(u->codecs, x);
    return st;
}

nrw_status ipc_body_open(ipc_body *b, ipc_codecs *codecs, const codec *c, io_file *f, uint64_t at,
                         uint64_t len, nrw_error *err)
{
    codec_ctx wanted = {.codec = c};
    unpacking u = {.codecs = codecs, .ctx = &wanted, .f = f, .body = b};
    uint8_t head[8];
    nrw_status st;

    if (!len) {
        *b = (ipc_body){.place = PLACE_FILE, .at = at};
        return NRW_OK;
    }
    if (len < 8) {
        err_at_offset(err, (int64_t)at);
        return err_set(err, NRW_E_CORRUPT, "a compressed buffer of %d bytes", (int)len);
    }
    TRY(file_read(f, at, head, 8, err));
    *b = (ipc_body){.place = PLACE_UNKNOWN, .len = load_u64(head)};
    if (b->len == UINT64_MAX) { /* it was not worth it */
        *b = (ipc_body){.place = PLACE_FILE, .at = at + 8, .len = len - 8};
        return NRW_OK;
    }
    u.at = at + 8;
    u.len = len - 8;
    if (b->len > INT64_MAX)
        st = err_set(err, NRW_E_CORRUPT, "the size of a compressed buffer is negative");
    else
        st = unpack(&u, err);
    if (st < 0) {
        err_at_offset(err, (int64_t)at);
        ipc_body_release(b, codecs);
    }
    return st;
}

nrw_status ipc_body_read(const ipc_body *b, ipc_codecs *codecs, io_file *f, uint64_t at, void *dst,
                         size_t n, nrw_error *err)
{
    if (b->place == PLACE_FILE)
        return file_read(f, b->at + at, dst, n, err);
    if (b->place == PLACE_REGION)
        return spill_region_read(codecs->s, b->at + at, dst, n, err);
    memcpy(dst, b->b->data + at, n);
    return NRW_OK;
}

void ipc_body_release(ipc_body *b, ipc_codecs *codecs)
{
    if (b->place == PLACE_REGION)
        spill_region_free(codecs->s, b->at, b->len);
    buffer_unref(b->b);
    *b = (ipc_body){0};
}
