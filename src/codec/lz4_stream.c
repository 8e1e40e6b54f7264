/* Streams of LZ4: bare blocks, Hadoop's frames, LZ4 frames. */
#define LZ4F_STATIC_LINKING_ONLY /* custom allocator */
#include "codec/lz4.h"
#include <lz4frame.h>

#define NAME "lz4"

typedef struct lz4_stream {
    codec_flow flow;
    codec_heap heap;
    lz4_kind kind;
    bool known, open;       /* kind is; window or library is there */
    uint8_t head[LZ4_HEAD]; /* of the input, collected until the kind is known */
    size_t head_len, head_fed;
    uint64_t taken; /* input bytes that the kind has seen */
    window w;
    lz4_block block;
    bool in_block;
    uint8_t size[4]; /* Hadoop: the size being collected */
    size_t size_len;
    uint64_t frame_left; /* Hadoop: output of the frame in progress */
    bool in_frame;
    LZ4F_dctx *library; /* LZ4 frames */
    bool ended;         /* LZ4 frames: between two */
} lz4_stream;

void lz4_stream_free(codec_ctx *c)
{
    lz4_stream *s = c->stream;
    if (!s)
        return;
    codec_heap_enter(&s->heap, c, NULL);
    LZ4F_freeDecompressionContext(s->library);
    codec_heap_free(&s->heap, s->w.buf);
    codec_state_free(c, &c->stream, sizeof *s);
}

nrw_status lz4_stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    lz4_stream_free(c);
    TRY(codec_state(c, &c->stream, sizeof(lz4_stream), err));
    lz4_stream *s = c->stream;
    s->flow = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    s->known = c->codec->parquet_id == CODEC_LZ4_RAW || c->codec == &codec_row_lz4_frame;
    if (c->codec == &codec_row_lz4_frame)
        s->kind = LZ4_KIND_FRAME;
    s->ended = true;
    return NRW_OK;
}

/* Window or library, whichever the kind needs. */
static nrw_status open_decoder(lz4_stream *s, nrw_error *err)
{
    s->open = true;
    if (s->kind != LZ4_KIND_FRAME) {
        s->w.buf = codec_heap_alloc(&s->heap, WINDOW_BYTES);
        return s->heap.st;
    }
    s->library = LZ4F_createDecompressionContext_advanced(
        (LZ4F_CustomMem){codec_heap_alloc, NULL, codec_heap_free, &s->heap}, LZ4F_VERSION);
    if (s->heap.st < 0)
        return s->heap.st;
    return s->library ? NRW_OK : err_set(err, NRW_E_NOMEM, "no memory for lz4");
}

static bool collect_size(lz4_stream *s, span *src, uint64_t *size)
{
    while (s->size_len < sizeof s->size && src->len > 0) {
        s->size[s->size_len++] = *src->data++;
        src->len--;
        s->taken++;
    }
    if (s->size_len < sizeof s->size)
        return false;
    *size = lz4_big_endian(s->size);
    s->size_len = 0;
    return true;
}

static uint64_t input_left(const lz4_stream *s)
{
    return s->flow.src_len - s->taken;
}

static nrw_status open_block(lz4_stream *s, uint64_t in_len, uint64_t out_cap, nrw_error *err)
{
    if (in_len > input_left(s))
        return codec_damaged(NAME, err);
    lz4_block_begin(&s->block, in_len, out_cap);
    s->in_block = true;
    return NRW_OK;
}

/* Hadoop: the sizes in front of the next chunk. A frame of nothing may end with its size. */
static nrw_status hadoop_sizes(lz4_stream *s, span *src, uint64_t produced, nrw_error *err)
{
    uint64_t chunk;
    if (!s->in_frame) {
        if (!collect_size(s, src, &s->frame_left))
            return NRW_OK;
        if (s->frame_left > s->flow.dst_len - produced)
            return codec_wrong_size(NAME, s->flow.dst_len + 1, s->flow.dst_len, err);
        s->in_frame = s->frame_left > 0 || input_left(s) > 0;
    }
    if (!s->in_frame || !collect_size(s, src, &chunk))
        return NRW_OK;
    if (chunk > 0 || s->frame_left > 0)
        return open_block(s, chunk, s->frame_left, err);
    s->in_frame = false;
    return NRW_OK;
}

static nrw_status fill_block(lz4_stream *s, span *src, nrw_error *err)
{
    size_t before = src->len;
    nrw_status st = lz4_block_fill(&s->block, &s->w, src, err);
    s->taken += before - src->len;
    return st;
}

static nrw_status pull_hadoop(lz4_stream *s, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    while (s->in_block || src->len > 0) {
        if (!s->in_block)
            TRY(hadoop_sizes(s, src, s->flow.out + *n + s->w.pos - s->w.out, err));
        if (!s->in_block)
            continue;
        TRY(fill_block(s, src, err));
        if (!s->block.done)
            break;
        s->in_block = false;
        s->frame_left -= s->block.produced;
        s->in_frame = s->frame_left > 0;
    }
    *n += window_drain(&s->w, dst, cap);
    return NRW_OK;
}

static nrw_status pull_block(lz4_stream *s, span *src, uint8_t *dst, size_t cap, size_t *n,
                             nrw_error *err)
{
    if (!s->in_block)
        TRY(open_block(s, s->flow.src_len, s->flow.dst_len, err));
    TRY(fill_block(s, src, err));
    *n += window_drain(&s->w, dst, cap);
    return NRW_OK;
}

static nrw_status pull_frame(lz4_stream *s, span *src, uint8_t *dst, size_t cap, size_t *n,
                             nrw_error *err)
{
    size_t in = src->len, out = cap;
    if (in == 0 && s->ended)
        return NRW_OK;
    size_t r = LZ4F_decompress(s->library, dst, &out, src->data, &in, NULL);
    if (s->heap.st < 0)
        return s->heap.st;
    if (LZ4F_isError(r))
        return err_set(err, NRW_E_CORRUPT, "the lz4 data are damaged: %s", LZ4F_getErrorName(r));
    s->ended = r == 0;
    span_skip(src, in);
    s->taken += in;
    *n += out;
    return NRW_OK;
}

static nrw_status pull_kind(lz4_stream *s, span *src, uint8_t *dst, size_t cap, size_t *n,
                            nrw_error *err)
{
    switch (s->kind) {
    case LZ4_KIND_HADOOP: return pull_hadoop(s, src, dst, cap, n, err);
    case LZ4_KIND_FRAME: return pull_frame(s, src, dst, cap, n, err);
    default: return pull_block(s, src, dst, cap, n, err);
    }
}

/* True once enough of the input was seen to know what it is. */
static bool know_kind(lz4_stream *s, span *src)
{
    size_t want = s->flow.src_len < LZ4_HEAD ? (size_t)s->flow.src_len : LZ4_HEAD;
    while (!s->known && s->head_len < want && src->len > 0) {
        s->head[s->head_len++] = *src->data++;
        src->len--;
    }
    if (!s->known && s->head_len == want) {
        s->kind = lz4_detect(s->head, s->flow.src_len, s->flow.dst_len);
        s->known = true;
    }
    return s->known;
}

static nrw_status pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    lz4_stream *s = state;
    if (!know_kind(s, src))
        return NRW_OK;
    if (!s->open)
        TRY(open_decoder(s, err));
    if (s->head_fed < s->head_len) {
        span head = {s->head + s->head_fed, s->head_len - s->head_fed};
        TRY(pull_kind(s, &head, dst, cap, n, err));
        s->head_fed = s->head_len - head.len;
        if (head.len > 0)
            return NRW_OK;
    }
    return pull_kind(s, src, dst + *n, cap - *n, n, err);
}

nrw_status lz4_stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                           nrw_error *err)
{
    lz4_stream *s = c->stream;
    codec_heap_enter(&s->heap, c, err);
    return codec_flow_step(&s->flow, NAME, pull, s, src, dst, cap, n, err);
}

static bool complete(const lz4_stream *s)
{
    if (s->head_fed < s->head_len)
        return false;
    switch (s->kind) {
    case LZ4_KIND_HADOOP: return !s->in_block && !s->in_frame && s->size_len == 0;
    case LZ4_KIND_FRAME: return s->ended;
    default: return s->block.done;
    }
}

nrw_status lz4_stream_end(codec_ctx *c, nrw_error *err)
{
    lz4_stream *s = c->stream;
    nrw_status st = codec_flow_end(&s->flow, NAME, complete(s), err);
    lz4_stream_free(c);
    return st;
}

/* The window; or of an LZ4 frame a block of up to 4 MiB, twice, and its history. */
uint64_t lz4_stream_mem(size_t block_len)
{
    uint64_t frame = (uint64_t)size_min(block_len, (size_t)4 << 20) * 2 + 3 * WINDOW_HISTORY;
    return codec_rounded(frame + (48 << 10));
}
