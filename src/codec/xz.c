/* XZ, by liblzma with its memory on our books. */
#include "codec/internal.h"
#include <lzma.h>

#define NAME "xz"

typedef struct xz_stream {
    codec_flow flow;
    codec_heap heap;
    lzma_allocator allocator;
    lzma_stream z;
    bool asks; /* for what it would take */
    bool ended;
} xz_stream;

static void *z_alloc(void *heap, size_t items, size_t size)
{
    size_t bytes;

    return size_mul(items, size, &bytes) ? codec_heap_alloc(heap, bytes) : NULL;
}

/* -- Streams --------------------------------------------------------------------------------- */

static void stream_free(codec_ctx *c)
{
    xz_stream *s = c->stream;

    if (!s)
        return;
    codec_heap_enter(&s->heap, c, NULL);
    lzma_end(&s->z);
    codec_state_free(c, &c->stream, sizeof *s);
}

/* The library is told how much it may take, so that it says what it would take instead. */
static nrw_status begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, uint64_t room,
                        nrw_error *err)
{
    nrw_status st = NRW_OK;

    stream_free(c);
    TRY(codec_state(c, &c->stream, sizeof(xz_stream), err));
    xz_stream *s = c->stream;
    s->flow = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    s->asks = room <= 1;
    s->z = (lzma_stream)LZMA_STREAM_INIT;
    s->allocator = (lzma_allocator){z_alloc, codec_heap_free, &s->heap};
    s->z.allocator = &s->allocator;
    codec_heap_enter(&s->heap, c, err);
    if (lzma_stream_decoder(&s->z, room, LZMA_CONCATENATED) != LZMA_OK)
        st = codec_no_memory(&s->heap, NAME, err);
    if (st < 0)
        stream_free(c);
    return st;
}

static nrw_status stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    return begin(c, src_len, dst_len, mem_room(c->m), err);
}

/* A decoder that only asks what would be needed takes nothing. */
static bool may_take_more(xz_stream *s)
{
    uint64_t room = mem_room(s->heap.ctx->m);

    return !s->asks && lzma_memusage(&s->z) <= room && lzma_memlimit_set(&s->z, room) == LZMA_OK;
}

static nrw_status too_large(const xz_stream *s, nrw_error *err)
{
    uint64_t need = lzma_memusage(&s->z), room = mem_room(s->heap.ctx->m);

    err_next(err, "give at least %llu bytes more memory",
             (unsigned long long)(need > room ? need - room : 1));
    return err_set(err, NRW_E_MEMLIMIT, "an xz dictionary takes %llu bytes, %llu are left",
                   (unsigned long long)need, (unsigned long long)room);
}

static nrw_status pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    xz_stream *s = state;
    bool all = s->flow.in + src->len == s->flow.src_len;
    lzma_ret r;

    if (s->ended)
        return NRW_OK;
    s->z.next_in = src->data;
    s->z.avail_in = src->len;
    s->z.next_out = dst;
    s->z.avail_out = cap;
    r = lzma_code(&s->z, all ? LZMA_FINISH : LZMA_RUN);
    if (r == LZMA_MEMLIMIT_ERROR && may_take_more(s)) /* there is more room than at the beginning */
        r = lzma_code(&s->z, all ? LZMA_FINISH : LZMA_RUN);
    if (r == LZMA_MEMLIMIT_ERROR)
        return too_large(s, err);
    if (r == LZMA_MEM_ERROR)
        return codec_no_memory(&s->heap, NAME, err);
    if (r == LZMA_OPTIONS_ERROR)
        return err_set(err, NRW_E_UNSUPPORTED, "the xz data use a filter that is not known");
    if (r != LZMA_OK && r != LZMA_STREAM_END && r != LZMA_BUF_ERROR)
        return codec_damaged(NAME, err);
    s->ended = r == LZMA_STREAM_END;
    *n = cap - s->z.avail_out;
    *src = (span){s->z.next_in, s->z.avail_in};
    return NRW_OK;
}

static nrw_status stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    xz_stream *s = c->stream;

    codec_heap_enter(&s->heap, c, err);
    return codec_flow_step(&s->flow, NAME, pull, s, src, dst, cap, n, err);
}

static nrw_status stream_end(codec_ctx *c, nrw_error *err)
{
    xz_stream *s = c->stream;
    nrw_status st = codec_flow_end(&s->flow, NAME, s->ended, err);

    stream_free(c);
    return st;
}

/* A decoder that may take nothing says what it would have taken. */
static uint64_t frame_mem(codec_ctx *c, span head)
{
    nrw_error err = NRW_ERROR_INIT;
    uint8_t probe;
    size_t n;
    uint64_t need = 0;

    if (begin(c, CODEC_SIZE_UNKNOWN, CODEC_SIZE_UNKNOWN, 1, &err) < 0)
        return 0;
    xz_stream *s = c->stream;
    codec_heap_enter(&s->heap, c, &err);
    if (pull(s, &head, &probe, 1, &n, &err) == NRW_E_MEMLIMIT)
        need = codec_rounded(lzma_memusage(&s->z));
    stream_free(c);
    return need;
}

/* -- Whole blocks ---------------------------------------------------------------------------- */

static size_t bound(size_t n)
{
    return lzma_stream_buffer_bound(n);
}

/* A preset whose dictionary is no larger than the block asks for. */
static void options_for(int level, size_t len, lzma_options_lzma *o)
{
    uint32_t need = LZMA_DICT_SIZE_MIN;

    lzma_lzma_preset(o, (uint32_t)level);
    while (need < len && need < o->dict_size)
        need *= 2;
    if (need < o->dict_size)
        o->dict_size = need;
}

static nrw_status encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap, size_t *n,
                         nrw_error *err)
{
    codec_heap heap;
    const lzma_allocator allocator = {z_alloc, codec_heap_free, &heap};
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_ret r;

    *n = 0;
    if (level < 0 || level > 9)
        return err_set(err, NRW_E_ARG, "xz has the levels 0 to 9, not %d", level);
    options_for(level, src.len, &options);
    codec_heap_enter(&heap, c, err);
    r = lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC64, &allocator, src.data, src.len, dst, n,
                                  cap);
    if (r == LZMA_OK)
        return NRW_OK;
    *n = 0;
    return r == LZMA_MEM_ERROR ? codec_no_memory(&heap, NAME, err)
                               : err_set(err, NRW_E_ARG, "too little room for an xz block");
}

/* -- The row --------------------------------------------------------------------------------- */

static uint64_t encode_mem(int level, size_t block_len)
{
    lzma_options_lzma options;
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};

    options_for(level, block_len, &options);
    return codec_rounded(lzma_raw_encoder_memusage(filters));
}

static uint64_t decode_mem(size_t block_len)
{
    return codec_rounded(((uint64_t)96 << 10) + block_len);
}

const codec codec_row_xz = {
    .name = NAME,
    .parquet_id = CODEC_NOT_PARQUET,
    .default_level = 6,
    .min_level = 0,
    .max_level = 9,
    .bound = bound,
    .decode = codec_decode_by_stream,
    .encode = encode,
    .stream_begin = stream_begin,
    .stream_step = stream_step,
    .stream_end = stream_end,
    .encode_mem = encode_mem,
    .decode_mem = decode_mem,
    .frame_mem = frame_mem,
    .ctx_free = stream_free,
};
