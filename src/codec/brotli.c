/* Brotli (RFC 7932), by its library with its memory on our books. */
#include "codec/slab.h"
#include <brotli/decode.h>
#include <brotli/encode.h>

#define NAME "brotli"

typedef struct brotli_stream {
    codec_flow flow;
    codec_heap heap;
    BrotliDecoderState *library;
} brotli_stream;

/* -- Encoding -------------------------------------------------------------------------------- */

#define STORED_BLOCK ((size_t)65536)

/* The library's own bound holds for what it stores by itself; ours for store() below. */
static size_t brotli_bound(size_t n)
{
    size_t library = BrotliEncoderMaxCompressedSize(n), own = n + 3 * (n / STORED_BLOCK + 1) + 1;
    return size_max(library, own);
}

/* Uncompressed meta-blocks (RFC 7932, 9.2), for a block that the library makes larger than bound:
 * one bit of stream header (a window of 16 bits), then per block ISLAST 0, MNIBBLES 4, MLEN - 1 in
 * 16 bits, ISUNCOMPRESSED 1; at the end ISLAST and ISLASTEMPTY. */
static size_t store(span src, uint8_t *dst)
{
    uint8_t *p = dst;
    unsigned header_bits = 1; /* only of the first block */
    while (src.len > 0) {
        size_t n = size_min(src.len, STORED_BLOCK);
        uint32_t head = (uint32_t)((n - 1) << 3 | (size_t)1 << 19) << header_bits;
        header_bits = 0;
        *p++ = (uint8_t)head;
        *p++ = (uint8_t)(head >> 8);
        *p++ = (uint8_t)(head >> 16);
        memcpy(p, src.data, n);
        p += n;
        src.data += n;
        src.len -= n;
    }
    *p++ = (uint8_t)(3 << header_bits);
    return (size_t)(p - dst);
}

/* A window that holds the block, at most the format's default. */
static uint32_t window_bits(size_t n)
{
    uint32_t bits = BROTLI_MIN_WINDOW_BITS;
    while (bits < 22 && ((size_t)1 << bits) - 16 < n)
        bits++;
    return bits;
}

/* By quality: hash tables and the like, bytes per byte of the block, and the block size from which
 * on it takes no more. Above what was measured on random, repetitive and mixed blocks. */
static uint64_t slab_need(int level, size_t block_len)
{
    static const struct {
        uint32_t fixed_kib;
        uint32_t per_byte_tenths;
        uint32_t most_kib;
    } by_quality[] = {{160, 21, 4096},    {1300, 21, 4096},   {700, 70, 4096},   {700, 70, 4096},
                      {1600, 120, 3072},  {2300, 125, 4096},  {3400, 130, 4800}, {9800, 125, 4096},
                      {18200, 125, 4096}, {36500, 130, 4096}, {2400, 480, 1664}, {2700, 860, 1024}};
    size_t q = level < 0 ? 0 : size_min((size_t)level, 11);
    uint64_t n = size_min(block_len, (size_t)by_quality[q].most_kib << 10);
    uint64_t bytes =
        ((uint64_t)by_quality[q].fixed_kib << 10) + n * by_quality[q].per_byte_tenths / 10;
    return bytes + bytes / 16 + (16 << 10); /* pieces do not lie without gaps */
}

/* The library's encoder ends the process when it is refused memory, so all of it is taken before:
 * brotli_encode_mem is above what was ever measured, and the account stands behind it. */
typedef struct brotli_encoder {
    slab slab;
    codec_heap heap;
} brotli_encoder;

static void *encoder_alloc(void *opaque, size_t bytes)
{
    brotli_encoder *e = opaque;
    void *p = slab_alloc(&e->slab, bytes);
    return p ? p : codec_heap_alloc(&e->heap, bytes);
}

static void encoder_free(void *opaque, void *p)
{
    brotli_encoder *e = opaque;
    if (p && !slab_free(&e->slab, p))
        codec_heap_free(&e->heap, p);
}

static nrw_status encoder_open(codec_ctx *c, int level, size_t n, brotli_encoder **out,
                               nrw_error *err)
{
    TRY(codec_state(c, &c->encoder, sizeof(brotli_encoder), err));
    *out = c->encoder;
    codec_heap_enter(&(*out)->heap, c, err);
    return slab_prepare(c, &(*out)->slab, (size_t)slab_need(level, n), err);
}

static nrw_status brotli_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap,
                                size_t *n, nrw_error *err)
{
    brotli_encoder *e;
    *n = 0;
    if (level < BROTLI_MIN_QUALITY || level > BROTLI_MAX_QUALITY)
        return err_set(err, NRW_E_ARG, "brotli has the levels 0 to 11, not %d", level);
    if (cap < brotli_bound(src.len))
        return err_set(err, NRW_E_ARG, "too little room for a brotli block");
    TRY(encoder_open(c, level, src.len, &e, err));
    BrotliEncoderState *lib = BrotliEncoderCreateInstance(encoder_alloc, encoder_free, e);
    if (!lib)
        return codec_no_memory(&e->heap, NAME, err);
    BrotliEncoderSetParameter(lib, BROTLI_PARAM_QUALITY, (uint32_t)level);
    BrotliEncoderSetParameter(lib, BROTLI_PARAM_LGWIN, window_bits(src.len));
    uint32_t hint = src.len > (size_t)1 << 30 ? (uint32_t)1 << 30 : (uint32_t)src.len;
    BrotliEncoderSetParameter(lib, BROTLI_PARAM_SIZE_HINT, hint);
    size_t in = src.len, room = brotli_bound(src.len), total = 0;
    const uint8_t *from = src.data;
    uint8_t *to = dst;
    bool ok =
        BrotliEncoderCompressStream(lib, BROTLI_OPERATION_FINISH, &in, &from, &room, &to, &total);
    bool finished = ok && BrotliEncoderIsFinished(lib);
    BrotliEncoderDestroyInstance(lib);
    if (!ok)
        return codec_no_memory(&e->heap, NAME, err);
    *n = finished ? total : store(src, dst);
    return NRW_OK;
}

/* -- Decoding -------------------------------------------------------------------------------- */

static nrw_status decode_error(const codec_heap *h, BrotliDecoderState *d, nrw_error *err)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(d);
    if (h->st < 0)
        return h->st;
    return err_set(err, NRW_E_CORRUPT, "the brotli data are damaged: %s",
                   BrotliDecoderErrorString(code));
}

static nrw_status finish(const codec_heap *h, BrotliDecoderState *d, BrotliDecoderResult r,
                         size_t left, size_t out, size_t dst_len, nrw_error *err)
{
    if (r == BROTLI_DECODER_RESULT_ERROR)
        return decode_error(h, d, err);
    if (r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
        return codec_wrong_size(NAME, (uint64_t)dst_len + 1, dst_len, err);
    if (r == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
        return err_set(err, NRW_E_CORRUPT, "the brotli data end too early");
    if (left > 0)
        return err_set(err, NRW_E_CORRUPT, "bytes follow the end of the brotli data");
    return out == dst_len ? NRW_OK : codec_wrong_size(NAME, out, dst_len, err);
}

static nrw_status brotli_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len,
                                nrw_error *err)
{
    codec_heap heap;
    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    codec_heap_enter(&heap, c, err);
    BrotliDecoderState *d = BrotliDecoderCreateInstance(codec_heap_alloc, codec_heap_free, &heap);
    if (!d)
        return codec_no_memory(&heap, NAME, err);
    size_t in = src.len, room = dst_len, total = 0;
    BrotliDecoderResult r = BrotliDecoderDecompressStream(d, &in, &src.data, &room, &dst, &total);
    nrw_status st = finish(&heap, d, r, in, total, dst_len, err);
    BrotliDecoderDestroyInstance(d);
    return st;
}

static void stream_free(codec_ctx *c)
{
    brotli_stream *s = c->stream;
    if (!s)
        return;
    codec_heap_enter(&s->heap, c, NULL);
    if (s->library)
        BrotliDecoderDestroyInstance(s->library);
    codec_state_free(c, &c->stream, sizeof *s);
}

static nrw_status stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    stream_free(c);
    TRY(codec_state(c, &c->stream, sizeof(brotli_stream), err));
    brotli_stream *s = c->stream;
    s->flow = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    codec_heap_enter(&s->heap, c, err);
    s->library = BrotliDecoderCreateInstance(codec_heap_alloc, codec_heap_free, &s->heap);
    if (s->library)
        return NRW_OK;
    nrw_status st = codec_no_memory(&s->heap, NAME, err);
    stream_free(c);
    return st;
}

static nrw_status pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    brotli_stream *s = state;
    size_t room = cap;
    if (BrotliDecoderIsFinished(s->library))
        return NRW_OK;
    BrotliDecoderResult r =
        BrotliDecoderDecompressStream(s->library, &src->len, &src->data, &room, &dst, NULL);
    *n = cap - room;
    if (r != BROTLI_DECODER_RESULT_ERROR)
        return NRW_OK;
    if (s->heap.st < 0)
        err_wrap(err, s->heap.st, "the window or the tables of the brotli data");
    return decode_error(&s->heap, s->library, err);
}

static nrw_status stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    brotli_stream *s = c->stream;
    codec_heap_enter(&s->heap, c, err);
    return codec_flow_step(&s->flow, NAME, pull, s, src, dst, cap, n, err);
}

static nrw_status stream_end(codec_ctx *c, nrw_error *err)
{
    brotli_stream *s = c->stream;
    bool complete = BrotliDecoderIsFinished(s->library);
    nrw_status st = codec_flow_end(&s->flow, NAME, complete, err);
    stream_free(c);
    return st;
}

/* -- The row --------------------------------------------------------------------------------- */

static uint64_t brotli_encode_mem(int level, size_t block_len)
{
    return codec_rounded(slab_need(level, block_len)) + sizeof(brotli_encoder);
}

/* The ring, a power of two up to the format's 16 MiB, and prefix codes: at most 256 of each of
 * three kinds. */
static uint64_t brotli_decode_mem(size_t block_len)
{
    uint64_t ring = (uint64_t)size_min(block_len, (size_t)8 << 20) * 2;
    return codec_rounded(ring + ((uint64_t)5 << 20));
}

static void brotli_free(codec_ctx *c)
{
    brotli_encoder *e = c->encoder;
    stream_free(c);
    if (e) {
        slab_release(c, &e->slab);
        codec_state_free(c, &c->encoder, sizeof *e);
    }
}

const codec codec_row_brotli = {
    .name = NAME,
    .parquet_id = CODEC_BROTLI,
    .default_level = 5,
    .min_level = BROTLI_MIN_QUALITY,
    .max_level = BROTLI_MAX_QUALITY,
    .bound = brotli_bound,
    .decode = brotli_decode,
    .encode = brotli_encode,
    .stream_begin = stream_begin,
    .stream_step = stream_step,
    .stream_end = stream_end,
    .encode_mem = brotli_encode_mem,
    .decode_mem = brotli_decode_mem,
    .ctx_free = brotli_free,
};
