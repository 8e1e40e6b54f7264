/* Bzip2, by its library with its memory on our books. */
#include "codec/internal.h"
#include <bzlib.h>

#define NAME "bzip2"

typedef struct bzip2_stream {
    codec_flow flow;
    codec_heap heap;
    bz_stream z;
    bool open, ended;
} bzip2_stream;

static void *z_alloc(void *heap, int items, int size)
{
    size_t bytes;

    return size_mul((size_t)items, (size_t)size, &bytes) ? codec_heap_alloc(heap, bytes) : NULL;
}

/* -- Streams --------------------------------------------------------------------------------- */

static void stream_free(codec_ctx *c)
{
    bzip2_stream *s = c->stream;

    if (!s)
        return;
    codec_heap_enter(&s->heap, c, NULL);
    if (s->open)
        BZ2_bzDecompressEnd(&s->z);
    codec_state_free(c, &c->stream, sizeof *s);
}

static nrw_status open_decoder(codec_ctx *c, bzip2_stream *s, nrw_error *err)
{
    codec_heap_enter(&s->heap, c, err);
    s->z = (bz_stream){.bzalloc = z_alloc, .bzfree = codec_heap_free, .opaque = &s->heap};
    s->open = BZ2_bzDecompressInit(&s->z, 0, 0) == BZ_OK;
    return s->open ? NRW_OK : codec_no_memory(&s->heap, NAME, err);
}

static nrw_status stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    nrw_status st;

    stream_free(c);
    TRY(codec_state(c, &c->stream, sizeof(bzip2_stream), err));
    bzip2_stream *s = c->stream;
    s->flow = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    st = open_decoder(c, s, err);
    if (st < 0)
        stream_free(c);
    return st;
}

/* Streams may follow each other. */
static nrw_status pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    bzip2_stream *s = state;
    unsigned in = (unsigned)size_min(src->len, UINT32_MAX / 2);
    unsigned out = (unsigned)size_min(cap, UINT32_MAX / 2);
    int r;

    if (s->ended && src->len > 0) {
        codec_ctx *c = s->heap.ctx;
        BZ2_bzDecompressEnd(&s->z);
        s->open = s->ended = false;
        TRY(open_decoder(c, s, err));
    }
    if (s->ended)
        return NRW_OK;
    s->z.next_in = (char *)(uintptr_t)src->data;
    s->z.avail_in = in;
    s->z.next_out = (char *)dst;
    s->z.avail_out = out;
    r = BZ2_bzDecompress(&s->z);
    if (r == BZ_MEM_ERROR)
        return codec_no_memory(&s->heap, NAME, err);
    if (r != BZ_OK && r != BZ_STREAM_END)
        return codec_damaged(NAME, err);
    s->ended = r == BZ_STREAM_END;
    span_skip(src, in - s->z.avail_in);
    *n = out - s->z.avail_out;
    return NRW_OK;
}

static nrw_status stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    bzip2_stream *s = c->stream;

    codec_heap_enter(&s->heap, c, err);
    return codec_flow_step(&s->flow, NAME, pull, s, src, dst, cap, n, err);
}

static nrw_status stream_end(codec_ctx *c, nrw_error *err)
{
    bzip2_stream *s = c->stream;
    nrw_status st = codec_flow_end(&s->flow, NAME, s->ended, err);

    stream_free(c);
    return st;
}

/* -- Whole blocks ---------------------------------------------------------------------------- */

/* Its manual: 1 % and 600 bytes more, at most. */
static size_t bound(size_t n)
{
    return n + n / 100 + 600;
}

/* The level is the block size in 100 kB; no larger than what is there asks for. */
static int block_size(int level, size_t len)
{
    size_t need = len / 100000 + 1;

    return need < (size_t)level ? (int)need : level;
}

static nrw_status encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap, size_t *n,
                         nrw_error *err)
{
    codec_heap heap;
    bz_stream z = {.bzalloc = z_alloc, .bzfree = codec_heap_free, .opaque = &heap};
    int r;

    *n = 0;
    if (level < 1 || level > 9)
        return err_set(err, NRW_E_ARG, "bzip2 has the levels 1 to 9, not %d", level);
    if (src.len > INT32_MAX || cap > UINT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a block of %zu bytes is too large for bzip2",
                       src.len);
    codec_heap_enter(&heap, c, err);
    if (BZ2_bzCompressInit(&z, block_size(level, src.len), 0, 0) != BZ_OK)
        return codec_no_memory(&heap, NAME, err);
    z.next_in = (char *)(uintptr_t)src.data;
    z.avail_in = (unsigned)src.len;
    z.next_out = (char *)dst;
    z.avail_out = (unsigned)cap;
    r = BZ2_bzCompress(&z, BZ_FINISH);
    *n = cap - z.avail_out;
    BZ2_bzCompressEnd(&z);
    if (r == BZ_STREAM_END)
        return NRW_OK;
    *n = 0;
    return err_set(err, NRW_E_ARG, "too little room for a bzip2 block");
}

/* -- The row --------------------------------------------------------------------------------- */

/* Its manual: 400 k and eight times the block size; decoding 100 k and four times it, of blocks by
 * anybody of 900 k. */
static uint64_t encode_mem(int level, size_t block_len)
{
    return codec_rounded(400000 + (uint64_t)block_size(level, block_len) * 800000);
}

static uint64_t decode_mem(size_t block_len)
{
    (void)block_len;
    return codec_rounded(100000 + 4 * 900000);
}

const codec codec_row_bzip2 = {
    .name = NAME,
    .parquet_id = CODEC_NOT_PARQUET,
    .default_level = 9,
    .min_level = 1,
    .max_level = 9,
    .bound = bound,
    .decode = codec_decode_by_stream,
    .encode = encode,
    .stream_begin = stream_begin,
    .stream_step = stream_step,
    .stream_end = stream_end,
    .encode_mem = encode_mem,
    .decode_mem = decode_mem,
    .ctx_free = stream_free,
};
