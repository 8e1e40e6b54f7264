/* Gzip (RFC 1952), zlib's wrapper (RFC 1950) on input, and bare deflate (RFC 1951): whole blocks by
 * libdeflate, streams by zlib. */
#include "codec/internal.h"
#include <libdeflate.h>
#include <zlib.h>

/* What libdeflate takes by its own malloc, as measured and rounded up. */
#define INFLATE_MEM ((uint64_t)12 << 10)

static uint64_t deflate_mem(int level)
{
    if (level <= 0)
        return 8 << 10;
    if (level == 1)
        return 204 << 10;
    return level < 10 ? 664 << 10 : 8960 << 10;
}

typedef struct gzip_encoder {
    struct libdeflate_compressor *library;
    int level;
    uint64_t charged;
} gzip_encoder;

typedef struct gzip_decoder {
    struct libdeflate_decompressor *library;
    uint64_t charged;
} gzip_decoder;

typedef struct gzip_stream {
    codec_flow flow;
    codec_heap heap;
    z_stream z;
    bool open, ended, zlib, bare;
    size_t tail; /* bytes behind bare data */
} gzip_stream;

static bool is_bare(const codec_ctx *c)
{
    return c->codec == &codec_row_deflate;
}

static size_t gzip_bound(size_t n)
{
    return libdeflate_gzip_compress_bound(NULL, n);
}

/* -- Whole blocks ---------------------------------------------------------------------------- */

static void encoder_close(codec_ctx *c, gzip_encoder *e)
{
    libdeflate_free_compressor(e->library);
    mem_release(c->m, e->charged);
    c->charged -= e->charged;
    *e = (gzip_encoder){0};
}

static nrw_status encoder_open(codec_ctx *c, gzip_encoder *e, int level, nrw_error *err)
{
    if (e->library && e->level == level)
        return NRW_OK;
    if (e->library)
        encoder_close(c, e);
    TRY(mem_reserve(c->m, deflate_mem(level), err));
    struct libdeflate_compressor *library = libdeflate_alloc_compressor(level);
    if (!library) {
        mem_release(c->m, deflate_mem(level));
        return err_set(err, NRW_E_NOMEM, "no memory for a gzip encoder of level %d", level);
    }
    *e = (gzip_encoder){library, level, deflate_mem(level)};
    c->charged += e->charged;
    return NRW_OK;
}

static nrw_status gzip_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap,
                              size_t *n, nrw_error *err)
{
    *n = 0;
    if (level < 0 || level > 12)
        return err_set(err, NRW_E_ARG, "gzip has the levels 0 to 12, not %d", level);
    TRY(codec_state(c, &c->encoder, sizeof(gzip_encoder), err));
    gzip_encoder *e = c->encoder;
    TRY(encoder_open(c, e, level, err));
    size_t len = is_bare(c) ? libdeflate_deflate_compress(e->library, src.data, src.len, dst, cap)
                            : libdeflate_gzip_compress(e->library, src.data, src.len, dst, cap);
    if (len == 0)
        return err_set(err, NRW_E_ARG, "too little room for a %s block", c->codec->name);
    *n = len;
    return NRW_OK;
}

static nrw_status decoder_open(codec_ctx *c, gzip_decoder *d, nrw_error *err)
{
    if (d->library)
        return NRW_OK;
    TRY(mem_reserve(c->m, INFLATE_MEM, err));
    d->library = libdeflate_alloc_decompressor();
    if (!d->library) {
        mem_release(c->m, INFLATE_MEM);
        return err_set(err, NRW_E_NOMEM, "no memory for a gzip decoder");
    }
    d->charged = INFLATE_MEM;
    c->charged += INFLATE_MEM;
    return NRW_OK;
}

/* RFC 1950, 2.2: method 8, and both header bytes together a multiple of 31. Never true of gzip. */
static bool zlib_wrapped(const uint8_t *p)
{
    return (p[0] & 15) == 8 && (p[0] << 8 | p[1]) % 31 == 0;
}

static nrw_status gzip_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len, nrw_error *err)
{
    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    if (src.len < 2)
        return codec_damaged("gzip", err);
    TRY(codec_state(c, &c->decoder, sizeof(gzip_decoder), err));
    gzip_decoder *d = c->decoder;
    TRY(decoder_open(c, d, err));
    bool zlib = zlib_wrapped(src.data);
    size_t out = 0;
    while (src.len > 0) { /* members, RFC 1952, 2.2 */
        size_t in = 0, got = 0;
        enum libdeflate_result r =
            zlib ? libdeflate_zlib_decompress_ex(d->library, src.data, src.len, dst + out,
                                                 dst_len - out, &in, &got)
                 : libdeflate_gzip_decompress_ex(d->library, src.data, src.len, dst + out,
                                                 dst_len - out, &in, &got);
        if (r == LIBDEFLATE_INSUFFICIENT_SPACE)
            return codec_wrong_size("gzip", (uint64_t)dst_len + 1, dst_len, err);
        if (r != LIBDEFLATE_SUCCESS)
            return codec_damaged("gzip", err);
        out += got;
        src.data += in;
        src.len -= in;
        if (zlib && src.len > 0)
            return err_set(err, NRW_E_CORRUPT, "bytes follow the end of the zlib data");
    }
    return out == dst_len ? NRW_OK : codec_wrong_size("gzip", out, dst_len, err);
}

/* Writers that cut zlib's wrapper off leave bytes of its checksum behind the bare data. */
enum { BARE_TAIL = 4 };

static nrw_status deflate_within(codec_ctx *c, span src, uint8_t *dst, size_t cap, size_t *n,
                                 nrw_error *err)
{
    size_t in = 0, out = 0;

    *n = 0;
    TRY(codec_state(c, &c->decoder, sizeof(gzip_decoder), err));
    gzip_decoder *d = c->decoder;
    TRY(decoder_open(c, d, err));
    enum libdeflate_result r =
        libdeflate_deflate_decompress_ex(d->library, src.data, src.len, dst, cap, &in, &out);
    if (r == LIBDEFLATE_INSUFFICIENT_SPACE)
        return NRW_END;
    if (r != LIBDEFLATE_SUCCESS)
        return codec_damaged("deflate", err);
    if (src.len - in > BARE_TAIL)
        return err_set(err, NRW_E_CORRUPT, "%zu bytes follow the end of the deflate data",
                       src.len - in);
    *n = out;
    return NRW_OK;
}

static nrw_status deflate_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len,
                                 nrw_error *err)
{
    size_t n;
    nrw_status st;

    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    st = deflate_within(c, src, dst, dst_len, &n, err);
    if (st == NRW_END)
        return codec_wrong_size("deflate", (uint64_t)dst_len + 1, dst_len, err);
    return st < 0 || n == dst_len ? st : codec_wrong_size("deflate", n, dst_len, err);
}

/* -- Streams --------------------------------------------------------------------------------- */

static voidpf z_alloc(voidpf heap, uInt items, uInt size)
{
    size_t bytes;
    return size_mul(items, size, &bytes) ? codec_heap_alloc(heap, bytes) : NULL;
}

static void z_free(voidpf heap, voidpf p)
{
    codec_heap_free(heap, p);
}

static void stream_free(codec_ctx *c)
{
    gzip_stream *s = c->stream;
    if (!s)
        return;
    codec_heap_enter(&s->heap, c, NULL);
    if (s->open)
        inflateEnd(&s->z);
    codec_state_free(c, &c->stream, sizeof *s);
}

#define DETECT_WRAPPER (15 + 32) /* gzip or zlib, any window */

static nrw_status stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    stream_free(c);
    TRY(codec_state(c, &c->stream, sizeof(gzip_stream), err));
    gzip_stream *s = c->stream;
    s->flow = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    codec_heap_enter(&s->heap, c, err);
    s->z.zalloc = z_alloc;
    s->z.zfree = z_free;
    s->z.opaque = &s->heap;
    s->bare = is_bare(c);
    int r = inflateInit2(&s->z, s->bare ? -15 : DETECT_WRAPPER);
    s->open = r == Z_OK;
    if (s->open)
        return NRW_OK;
    nrw_status st = s->heap.st;
    stream_free(c);
    return st < 0 ? st : err_set(err, NRW_E_NOMEM, "no memory for a gzip decoder");
}

static nrw_status pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    gzip_stream *s = state;
    if (s->ended && src->len > 0) { /* a further member; zlib's wrapper has none */
        if (s->bare && s->tail + src->len <= BARE_TAIL) {
            s->tail += src->len;
            *src = (span){src->data + src->len, 0};
        }
        if (s->zlib || s->bare)
            return NRW_OK;
        inflateReset2(&s->z, DETECT_WRAPPER - 16); /* gzip only */
        s->ended = false;
    }
    if (s->ended)
        return NRW_OK;
    if (s->z.total_in == 0 && src->len > 0 && s->flow.in == 0)
        s->zlib = (src->data[0] & 15) == 8;
    uInt in = (uInt)size_min(src->len, UINT32_MAX), out = (uInt)size_min(cap, UINT32_MAX);
    s->z.next_in = (z_const Bytef *)src->data;
    s->z.avail_in = in;
    s->z.next_out = dst;
    s->z.avail_out = out;
    int r = inflate(&s->z, Z_NO_FLUSH);
    if (s->heap.st < 0)
        return s->heap.st;
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
        return codec_damaged(s->bare ? "deflate" : "gzip", err);
    s->ended = r == Z_STREAM_END;
    span_skip(src, in - s->z.avail_in);
    *n = out - s->z.avail_out;
    return NRW_OK;
}

static nrw_status stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    gzip_stream *s = c->stream;
    codec_heap_enter(&s->heap, c, err);
    return codec_flow_step(&s->flow, c->codec->name, pull, s, src, dst, cap, n, err);
}

static nrw_status stream_end(codec_ctx *c, nrw_error *err)
{
    gzip_stream *s = c->stream;
    nrw_status st = codec_flow_end(&s->flow, c->codec->name, s->ended, err);
    stream_free(c);
    return st;
}

/* -- The row --------------------------------------------------------------------------------- */

static void gzip_free(codec_ctx *c)
{
    gzip_encoder *e = c->encoder;
    gzip_decoder *d = c->decoder;
    stream_free(c);
    if (e) {
        encoder_close(c, e);
        codec_state_free(c, &c->encoder, sizeof *e);
    }
    if (d) {
        libdeflate_free_decompressor(d->library);
        mem_release(c->m, d->charged);
        c->charged -= d->charged;
        codec_state_free(c, &c->decoder, sizeof *d);
    }
}

static uint64_t gzip_encode_mem(int level, size_t block_len)
{
    (void)block_len;
    return deflate_mem(level) + 128;
}

/* libdeflate's decoder, or zlib's with its window of 32 KiB. */
static uint64_t gzip_decode_mem(size_t block_len)
{
    (void)block_len;
    return 64 << 10;
}

const codec codec_row_gzip = {
    .name = "gzip",
    .parquet_id = CODEC_GZIP,
    .default_level = 6,
    .min_level = 0,
    .max_level = 12,
    .bound = gzip_bound,
    .decode = gzip_decode,
    .encode = gzip_encode,
    .stream_begin = stream_begin,
    .stream_step = stream_step,
    .stream_end = stream_end,
    .encode_mem = gzip_encode_mem,
    .decode_mem = gzip_decode_mem,
    .ctx_free = gzip_free,
};

static size_t deflate_bound(size_t n)
{
    return libdeflate_deflate_compress_bound(NULL, n);
}

const codec codec_row_deflate = {
    .name = "deflate",
    .parquet_id = CODEC_NOT_PARQUET,
    .default_level = 6,
    .min_level = 0,
    .max_level = 12,
    .bound = deflate_bound,
    .decode = deflate_decode,
    .decode_within = deflate_within,
    .encode = gzip_encode,
    .stream_begin = stream_begin,
    .stream_step = stream_step,
    .stream_end = stream_end,
    .encode_mem = gzip_encode_mem,
    .decode_mem = gzip_decode_mem,
    .ctx_free = gzip_free,
};
