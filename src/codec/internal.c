#include "codec/internal.h"

nrw_status codec_damaged(const char *name, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "the %s data are damaged", name);
}

nrw_status codec_wrong_size(const char *name, uint64_t got, uint64_t want, nrw_error *err)
{
    if (got > want)
        return err_set(err, NRW_E_CORRUPT, "the %s data hold more than the %llu bytes announced",
                       name, (unsigned long long)want);
    return err_set(err, NRW_E_CORRUPT, "the %s data hold %llu bytes instead of %llu", name,
                   (unsigned long long)got, (unsigned long long)want);
}

nrw_status codec_state(codec_ctx *c, void **slot, size_t bytes, nrw_error *err)
{
    if (*slot)
        return NRW_OK;
    TRY(mem_zalloc(c->m, bytes, slot, err));
    c->charged += bytes;
    return NRW_OK;
}

void codec_state_free(codec_ctx *c, void **slot, size_t bytes)
{
    if (!*slot)
        return;
    mem_free(c->m, *slot, bytes);
    c->charged -= bytes;
    *slot = NULL;
}

void codec_heap_enter(codec_heap *h, codec_ctx *c, nrw_error *err)
{
    h->ctx = c;
    h->err = err;
    h->st = NRW_OK;
}

nrw_status codec_no_memory(const codec_heap *h, const char *name, nrw_error *err)
{
    return h->st < 0 ? h->st : err_set(err, NRW_E_NOMEM, "no memory for %s", name);
}

/* The size stands before the block, because free is not told; 16 bytes keep the alignment. */
#define HEAD 16

void *codec_heap_alloc(void *heap, size_t bytes)
{
    codec_heap *h = heap;
    size_t all;
    void *p = NULL;
    nrw_status st;
    if (!size_add(bytes, HEAD, &all))
        st = err_set(h->err, NRW_E_NOMEM, "a codec asks for %zu bytes", bytes);
    else
        st = mem_alloc(h->ctx->m, all, &p, h->err);
    if (st < 0) { /* stays: the library may ask for more before it gives up */
        h->st = st;
        return NULL;
    }
    h->ctx->charged += all;
    store_u64(p, all);
    return (uint8_t *)p + HEAD;
}

void codec_heap_free(void *heap, void *p)
{
    codec_heap *h = heap;
    if (!p)
        return;
    uint8_t *block = (uint8_t *)p - HEAD;
    uint64_t all = load_u64(block);
    h->ctx->charged -= all;
    mem_free(h->ctx->m, block, all);
}

/* Behind the last byte of output: whatever is still decoded is too much. */
static nrw_status flow_tail(codec_flow *f, const char *name, codec_pull pull, void *state,
                            span *src, nrw_error *err)
{
    while (src->len > 0) {
        size_t before = src->len, n = 0;
        uint8_t probe;
        TRY(pull(state, src, &probe, 1, &n, err));
        f->in += before - src->len;
        if (n > 0)
            return codec_wrong_size(name, f->dst_len + 1, f->dst_len, err);
        if (src->len == before)
            return err_set(err, NRW_E_CORRUPT, "bytes follow the end of the %s data", name);
    }
    return NRW_OK;
}

static nrw_status flow_step(codec_flow *f, const char *name, codec_pull pull, void *state,
                            span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    if (cap > f->dst_len - f->out)
        cap = (size_t)(f->dst_len - f->out);
    while (*n < cap) {
        size_t before = src->len, got = 0;
        TRY(pull(state, src, dst + *n, cap - *n, &got, err));
        f->in += before - src->len;
        f->out += got;
        *n += got;
        if (got > 0 || src->len != before)
            continue;
        if (src->len == 0 || f->dst_len == CODEC_SIZE_UNKNOWN)
            break;
        return codec_wrong_size(name, f->out, f->dst_len, err);
    }
    return f->out == f->dst_len ? flow_tail(f, name, pull, state, src, err) : NRW_OK;
}

nrw_status codec_flow_step(codec_flow *f, const char *name, codec_pull pull, void *state, span *src,
                           uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    *n = 0;
    if (src->len > f->src_len - f->in)
        return err_set(err, NRW_E_ARG, "more input than announced was given to a %s stream", name);
    nrw_status st = flow_step(f, name, pull, state, src, dst, cap, n, err);
    if (st < 0)
        *n = 0;
    return st;
}

nrw_status codec_flow_end(const codec_flow *f, const char *name, bool complete, nrw_error *err)
{
    if (f->in != f->src_len)
        return err_set(err, NRW_E_CORRUPT, "%llu bytes follow the end of the %s data",
                       (unsigned long long)(f->src_len - f->in), name);
    if (f->out != f->dst_len && f->dst_len != CODEC_SIZE_UNKNOWN)
        return codec_wrong_size(name, f->out, f->dst_len, err);
    if (!complete && !codec_nothing(f->src_len, f->dst_len))
        return err_set(err, NRW_E_CORRUPT, "the %s data end too early", name);
    return NRW_OK;
}

static nrw_status step_through(codec_ctx *c, span src, uint8_t *dst, size_t cap, size_t *n,
                               nrw_error *err)
{
    uint8_t probe;
    size_t got;

    do {
        bool full = *n == cap;
        TRY(c->codec->stream_step(c, &src, full ? &probe : dst + *n, full ? 1 : cap - *n, &got,
                                  err));
        if (full && got > 0)
            return NRW_END;
        *n += got;
    } while (got > 0);
    return NRW_OK;
}

nrw_status codec_by_stream(codec_ctx *c, span src, uint64_t announced, uint8_t *dst, size_t cap,
                           size_t *n, nrw_error *err)
{
    nrw_status st, end;

    *n = 0;
    TRY(c->codec->stream_begin(c, src.len, announced, err));
    st = step_through(c, src, dst, cap, n, err);
    end = c->codec->stream_end(c, st == NRW_OK ? err : NULL); /* frees the stream in any case */
    return st == NRW_OK ? end : st;
}

nrw_status codec_decode_by_stream(codec_ctx *c, span src, uint8_t *dst, size_t dst_len,
                                  nrw_error *err)
{
    size_t n;

    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    return codec_by_stream(c, src, dst_len, dst, dst_len, &n, err);
}
