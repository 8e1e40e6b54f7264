/* Zstandard (RFC 8878), by its library with its memory on our books. */
#define ZSTD_STATIC_LINKING_ONLY /* custom allocator, frame header, estimates */
#include "codec/internal.h"
#include "codec/zstd_numbers.h"
#include <zstd.h>
#include <zstd_errors.h>

#define NAME      "zstd"
#define MIN_LEVEL (-7)

enum { MOST_PLANES = 64 };

typedef struct zstd_encoder {
    codec_heap heap;
    ZSTD_CCtx *library;
} zstd_encoder;

typedef struct zstd_decoder {
    codec_heap heap;
    ZSTD_DCtx *library;
} zstd_decoder;

typedef struct zstd_stream {
    codec_flow flow;
    zstd_decoder d;
    uint8_t head[ZSTD_FRAMEHEADERSIZE_MAX]; /* of the frame, held back until it is understood */
    size_t head_len, head_fed;
    bool known, ended; /* header understood; between frames */
    uint64_t window;
} zstd_stream;

/* Blocks of planes have headers of their own. */
static size_t zstd_bound(size_t n)
{
    return ZSTD_compressBound(n) + 3 * MOST_PLANES;
}

/* -- Whole blocks ---------------------------------------------------------------------------- */

static nrw_status encoder_open(codec_ctx *c, zstd_encoder **out, nrw_error *err)
{
    TRY(codec_state(c, &c->encoder, sizeof(zstd_encoder), err));
    zstd_encoder *e = c->encoder;
    codec_heap_enter(&e->heap, c, err);
    if (!e->library)
        e->library =
            ZSTD_createCCtx_advanced((ZSTD_customMem){codec_heap_alloc, codec_heap_free, &e->heap});
    *out = e;
    return e->library ? NRW_OK : codec_no_memory(&e->heap, NAME, err);
}

/* All parameters follow from level, size and content: the frame fits the block, no window beyond
 * it. Levels 2 to 4 look for matches in a way that pays on text and not on numbers: level 1 is 1.4
 * to 1.7 times as fast on those, and as small (within 5 % either way). */
static void configure(ZSTD_CCtx *x, const codec_hint *h, int level)
{
    ZSTD_CCtx_reset(x, ZSTD_reset_session_and_parameters);
    if (h->content != CODEC_ANY && level >= 2 && level <= 4)
        level = 1;
    ZSTD_CCtx_setParameter(x, ZSTD_c_compressionLevel, level);
}

static size_t encode_plain(ZSTD_CCtx *x, const codec_hint *h, int level, span src, uint8_t *dst,
                           size_t cap)
{
    configure(x, h, level);
    return ZSTD_compress2(x, dst, cap, src.data, src.len);
}

/* Numbers whose lower bytes are noise and whose upper ones are alike match from one to the next and
 * nowhere else: looking at every third byte finds that sooner. */
static size_t encode_noise(ZSTD_CCtx *x, const codec_hint *h, span src, uint8_t *dst, size_t cap)
{
    configure(x, h, 1);
    ZSTD_CCtx_setParameter(x, ZSTD_c_strategy, ZSTD_fast);
    ZSTD_CCtx_setParameter(x, ZSTD_c_minMatch, 5);
    ZSTD_CCtx_setParameter(x, ZSTD_c_targetLength, 2);
    return ZSTD_compress2(x, dst, cap, src.data, src.len);
}

/* How numbers are encoded: as a sample from the middle gets smallest, of equals the quickest way.
 */
enum { SAMPLE = 4096 };

static bool is_better(size_t r, size_t than)
{
    return r && !ZSTD_isError(r) && (ZSTD_isError(than) || r <= than);
}

static size_t encode_numbers(ZSTD_CCtx *x, const codec_hint *h, int level, span src, uint8_t *dst,
                             size_t cap)
{
    uint32_t low = zstd_numbers_low(src, h->skip);
    size_t middle = h->skip + ((src.len - h->skip) / 2 & ~(size_t)7), usual, r = 0;
    span part = {src.data + middle, SAMPLE};

    usual = encode_plain(x, h, 1, part, dst, cap);
    if (low && is_better(zstd_numbers_encode(x, part, 0, low, dst, cap), usual))
        r = zstd_numbers_encode(x, src, h->skip, low, dst, cap);
    if (r)
        return r;
    if (is_better(encode_noise(x, h, part, dst, cap), usual))
        return encode_noise(x, h, src, dst, cap);
    return encode_plain(x, h, level, src, dst, cap);
}

/* A block of the frame for each plane: they differ in nature, and each has its own tables. */
static size_t encode_planes(ZSTD_CCtx *x, const codec_hint *h, int level, span src, uint8_t *dst,
                            size_t cap)
{
    ZSTD_outBuffer out = {dst, cap, 0};
    ZSTD_inBuffer in = {src.data, 0, 0};
    size_t r = 0;
    configure(x, h, level);
    ZSTD_CCtx_setParameter(x, ZSTD_c_stableInBuffer, 1); /* no copies of either */
    ZSTD_CCtx_setParameter(x, ZSTD_c_stableOutBuffer, 1);
    ZSTD_CCtx_setPledgedSrcSize(x, src.len);
    for (uint32_t i = 1; i <= h->width && !ZSTD_isError(r); i++) {
        in.size = src.len / h->width * i;
        r = ZSTD_compressStream2(x, &out, &in, i == h->width ? ZSTD_e_end : ZSTD_e_flush);
    }
    return ZSTD_isError(r) ? r : out.pos;
}

static size_t encode_any(ZSTD_CCtx *x, const codec_hint *h, int level, span src, uint8_t *dst,
                         size_t cap)
{
    if (h->content == CODEC_PLANES && h->width > 1 && h->width <= MOST_PLANES && src.len &&
        src.len % h->width == 0)
        return encode_planes(x, h, level, src, dst, cap);
    if (h->content == CODEC_NUMBERS && h->width == 8 && level >= 1 && level <= 4 &&
        src.len >= h->skip + 8 * SAMPLE)
        return encode_numbers(x, h, level, src, dst, cap);
    return encode_plain(x, h, level, src, dst, cap);
}

static nrw_status zstd_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap,
                              size_t *n, nrw_error *err)
{
    zstd_encoder *e;
    *n = 0;
    if (level < MIN_LEVEL || level > ZSTD_maxCLevel())
        return err_set(err, NRW_E_ARG, "zstd has the levels %d to %d, not %d", MIN_LEVEL,
                       ZSTD_maxCLevel(), level);
    TRY(encoder_open(c, &e, err));
    size_t r = encode_any(e->library, &c->hint, level, src, dst, cap);
    /* also where another way of encoding needed less: bytes do not follow memory */
    if (e->heap.st < 0 || ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
        return codec_no_memory(&e->heap, NAME, err);
    if (!ZSTD_isError(r)) {
        *n = r;
        return NRW_OK;
    }
    return err_set(err, NRW_E_ARG, "zstd does not encode the block: %s", ZSTD_getErrorName(r));
}

static nrw_status decoder_open(codec_ctx *c, zstd_decoder *d, nrw_error *err)
{
    codec_heap_enter(&d->heap, c, err);
    if (!d->library)
        d->library =
            ZSTD_createDCtx_advanced((ZSTD_customMem){codec_heap_alloc, codec_heap_free, &d->heap});
    return d->library ? NRW_OK : codec_no_memory(&d->heap, NAME, err);
}

static nrw_status decode_error(const zstd_decoder *d, size_t r, uint64_t want, nrw_error *err)
{
    switch (ZSTD_getErrorCode(r)) {
    case ZSTD_error_memory_allocation: return codec_no_memory(&d->heap, NAME, err);
    case ZSTD_error_dstSize_tooSmall: return codec_wrong_size(NAME, want + 1, want, err);
    case ZSTD_error_dictionary_wrong:
        return err_set(err, NRW_E_UNSUPPORTED, "the zstd data need a dictionary");
    default:
        return err_set(err, NRW_E_CORRUPT, "the zstd data are damaged: %s", ZSTD_getErrorName(r));
    }
}

static nrw_status zstd_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len, nrw_error *err)
{
    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    if (src.len == 0)
        return codec_wrong_size(NAME, 0, dst_len, err);
    TRY(codec_state(c, &c->decoder, sizeof(zstd_decoder), err));
    zstd_decoder *d = c->decoder;
    TRY(decoder_open(c, d, err));
    size_t r = ZSTD_decompressDCtx(d->library, dst, dst_len, src.data, src.len);
    if (ZSTD_isError(r))
        return decode_error(d, r, dst_len, err);
    return r == dst_len ? NRW_OK : codec_wrong_size(NAME, r, dst_len, err);
}

static nrw_status zstd_within(codec_ctx *c, span src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    *n = 0;
    TRY(codec_state(c, &c->decoder, sizeof(zstd_decoder), err));
    zstd_decoder *d = c->decoder;
    TRY(decoder_open(c, d, err));
    size_t r = ZSTD_decompressDCtx(d->library, dst, cap, src.data, src.len);
    if (ZSTD_isError(r))
        return ZSTD_getErrorCode(r) == ZSTD_error_dstSize_tooSmall
                   ? NRW_END
                   : decode_error(d, r, CODEC_SIZE_UNKNOWN, err);
    *n = r;
    return NRW_OK;
}

/* -- Streams --------------------------------------------------------------------------------- */

static void stream_free(codec_ctx *c)
{
    zstd_stream *s = c->stream;
    if (!s)
        return;
    codec_heap_enter(&s->d.heap, c, NULL);
    ZSTD_freeDCtx(s->d.library);
    codec_state_free(c, &c->stream, sizeof *s);
}

static nrw_status stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    stream_free(c);
    TRY(codec_state(c, &c->stream, sizeof(zstd_stream), err));
    zstd_stream *s = c->stream;
    s->flow = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    s->ended = true;
    nrw_status st = decoder_open(c, &s->d, err);
    if (st < 0)
        stream_free(c);
    else /* the account decides, not the library */
        ZSTD_DCtx_setParameter(s->d.library, ZSTD_d_windowLogMax, ZSTD_WINDOWLOG_MAX);
    return st;
}

/* What the frame will take, asked for before any of it is decoded. */
static nrw_status check_frame(zstd_stream *s, const ZSTD_frameHeader *h, nrw_error *err)
{
    uint64_t left = s->flow.dst_len - s->flow.out;
    s->window = h->windowSize;
    if (h->frameType == ZSTD_skippableFrame)
        return NRW_OK;
    if (h->frameContentSize != ZSTD_CONTENTSIZE_UNKNOWN && h->frameContentSize > left)
        return codec_wrong_size(NAME, s->flow.dst_len + 1, s->flow.dst_len, err);
    if (h->windowSize > (uint64_t)1 << ZSTD_WINDOWLOG_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "the zstd window of %llu bytes is too large",
                       (unsigned long long)h->windowSize);
    uint64_t need = ZSTD_estimateDStreamSize((size_t)h->windowSize);
    uint64_t room = mem_room(s->d.heap.ctx->m) + ZSTD_sizeof_DCtx(s->d.library);
    if (need <= room)
        return NRW_OK;
    err_next(err, "give at least %llu bytes more memory", (unsigned long long)(need - room));
    return err_set(err, NRW_E_MEMLIMIT,
                   "a zstd window of %llu bytes takes %llu bytes of memory, %llu are left",
                   (unsigned long long)h->windowSize, (unsigned long long)need,
                   (unsigned long long)room);
}

/* Collects the bytes of a frame's header. */
static nrw_status read_head(zstd_stream *s, span *src, nrw_error *err)
{
    ZSTD_frameHeader h;
    while (!s->known && src->len > 0) {
        s->head[s->head_len++] = *src->data++;
        src->len--;
        size_t r = ZSTD_getFrameHeader(&h, s->head, s->head_len);
        if (ZSTD_isError(r))
            return decode_error(&s->d, r, s->flow.dst_len, err);
        if (r == 0) {
            TRY(check_frame(s, &h, err));
            s->known = true;
        }
    }
    return NRW_OK;
}

static nrw_status feed(zstd_stream *s, span *src, uint8_t *dst, size_t cap, size_t *n,
                       nrw_error *err)
{
    ZSTD_inBuffer in = {src->data, src->len, 0};
    ZSTD_outBuffer out = {dst, cap, 0};
    size_t r = ZSTD_decompressStream(s->d.library, &out, &in);
    *n += out.pos;
    span_skip(src, in.pos);
    if (ZSTD_isError(r))
        return decode_error(&s->d, r, s->flow.dst_len, err);
    if (r == 0) { /* the frame is over */
        s->ended = true;
        s->known = false;
        s->head_len = s->head_fed = 0;
    }
    return NRW_OK;
}

static nrw_status pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    zstd_stream *s = state;
    if (s->ended && src->len == 0)
        return NRW_OK;
    s->ended = false;
    TRY(read_head(s, src, err));
    if (!s->known)
        return NRW_OK;
    if (s->head_fed < s->head_len) {
        span head = {s->head + s->head_fed, s->head_len - s->head_fed};
        size_t before = head.len;
        nrw_status st = feed(s, &head, dst, cap, n, err);
        if (st < 0 || s->ended)
            return st;
        s->head_fed += before - head.len;
        if (head.len > 0)
            return codec_damaged(NAME, err);
    }
    return feed(s, src, dst + *n, cap - *n, n, err);
}

static nrw_status stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    zstd_stream *s = c->stream;
    codec_heap_enter(&s->d.heap, c, err);
    return codec_flow_step(&s->flow, NAME, pull, s, src, dst, cap, n, err);
}

static nrw_status stream_end(codec_ctx *c, nrw_error *err)
{
    zstd_stream *s = c->stream;
    nrw_status st = codec_flow_end(&s->flow, NAME, s->ended && s->flow.in > 0, err);
    stream_free(c);
    return st;
}

/* -- The row --------------------------------------------------------------------------------- */

static void zstd_free(codec_ctx *c)
{
    zstd_encoder *e = c->encoder;
    zstd_decoder *d = c->decoder;
    stream_free(c);
    if (e) {
        codec_heap_enter(&e->heap, c, NULL);
        ZSTD_freeCCtx(e->library);
        codec_state_free(c, &c->encoder, sizeof *e);
    }
    if (d) {
        codec_heap_enter(&d->heap, c, NULL);
        ZSTD_freeDCtx(d->library);
        codec_state_free(c, &c->decoder, sizeof *d);
    }
}

/* Parameters come in tiers of block size, and a smaller block may take the dearer ones. */
static uint64_t zstd_encode_mem(int level, size_t block_len)
{
    static const size_t tiers[] = {SIZE_MAX, 256 << 10, 128 << 10, 16 << 10};
    uint64_t most = 0;
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
        size_t n = size_max(size_min(block_len, tiers[i]), 1);
        size_t bytes = ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(level, n, 0));
        most = bytes > most ? bytes : most;
    }
    return codec_rounded(most);
}

static uint64_t zstd_frame_mem(codec_ctx *c, span head)
{
    ZSTD_frameHeader h;

    (void)c;
    if (ZSTD_getFrameHeader(&h, head.data, head.len) != 0 || h.frameType == ZSTD_skippableFrame ||
        h.windowSize > (uint64_t)1 << ZSTD_WINDOWLOG_MAX)
        return 0;
    return codec_rounded(ZSTD_estimateDStreamSize((size_t)h.windowSize));
}

static uint64_t zstd_decode_mem(size_t block_len)
{
    return codec_rounded(ZSTD_estimateDStreamSize(size_max(block_len, 1024)));
}

const codec codec_row_zstd = {
    .name = NAME,
    .parquet_id = CODEC_ZSTD,
    .default_level = 3,
    .min_level = MIN_LEVEL,
    .max_level = 22,
    .bound = zstd_bound,
    .decode = zstd_decode,
    .decode_within = zstd_within,
    .encode = zstd_encode,
    .stream_begin = stream_begin,
    .stream_step = stream_step,
    .stream_end = stream_end,
    .encode_mem = zstd_encode_mem,
    .decode_mem = zstd_decode_mem,
    .frame_mem = zstd_frame_mem,
    .ctx_free = zstd_free,
};
