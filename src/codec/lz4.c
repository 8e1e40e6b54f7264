/* LZ4: blocks encoded by the library, decoded by lz4_block.c. */
#include "codec/lz4.h"
#include <lz4.h>
#include <lz4hc.h>

#define NAME "lz4"

enum { MAX_FAST_LEVEL = 2 }; /* 3 and above: the "HC" encoder */
_Static_assert(LZ4_MAX_LEVEL == LZ4HC_CLEVEL_MAX, "the levels of the library");

static size_t block_bound(size_t n)
{
    return n + n / 255 + 16;
}

static size_t hadoop_bound(size_t n)
{
    return block_bound(n) + 8;
}

/* -- Encoding -------------------------------------------------------------------------------- */

typedef struct lz4_encoder {
    void *fast, *slow;
} lz4_encoder;

nrw_status lz4_check_level(int level, nrw_error *err)
{
    if (level >= 1 && level <= LZ4HC_CLEVEL_MAX)
        return NRW_OK;
    return err_set(err, NRW_E_ARG, "lz4 has the levels 1 to %d, not %d", LZ4HC_CLEVEL_MAX, level);
}

nrw_status lz4_encode_block(codec_ctx *c, int level, span src, uint8_t *dst, size_t *n,
                            nrw_error *err)
{
    bool fast = level <= MAX_FAST_LEVEL;
    size_t bytes = (size_t)(fast ? LZ4_sizeofState() : LZ4_sizeofStateHC());
    TRY(lz4_check_level(level, err));
    if (src.len > LZ4_MAX_INPUT_SIZE)
        return err_set(err, NRW_E_UNSUPPORTED, "a block of %zu bytes is too large for lz4",
                       src.len);
    TRY(codec_state(c, &c->encoder, sizeof(lz4_encoder), err));
    lz4_encoder *e = c->encoder;
    void **state = fast ? &e->fast : &e->slow;
    TRY(codec_state(c, state, bytes, err));
    int bound = (int)block_bound(src.len), len = (int)src.len, r;
    const char *from = (const char *)src.data;
    if (fast)
        r = LZ4_compress_fast_extState(*state, from, (char *)dst, len, bound, 1);
    else
        r = LZ4_compress_HC_extStateHC(*state, from, (char *)dst, len, bound, level);
    if (r <= 0)
        return err_set(err, NRW_E_ARG, "lz4 does not encode a block of %zu bytes", src.len);
    *n = (size_t)r;
    return NRW_OK;
}

static nrw_status raw_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap, size_t *n,
                             nrw_error *err)
{
    *n = 0;
    if (cap < block_bound(src.len))
        return err_set(err, NRW_E_ARG, "too little room for an lz4 block");
    return lz4_encode_block(c, level, src, dst, n, err);
}

static void put_big_endian(uint8_t *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static nrw_status hadoop_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap,
                                size_t *n, nrw_error *err)
{
    *n = 0;
    if (cap < hadoop_bound(src.len))
        return err_set(err, NRW_E_ARG, "too little room for an lz4 block");
    TRY(lz4_encode_block(c, level, src, dst + 8, n, err));
    put_big_endian(dst, src.len);
    put_big_endian(dst + 4, *n);
    *n += 8;
    return NRW_OK;
}

/* -- Decoding -------------------------------------------------------------------------------- */

static nrw_status raw_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len, nrw_error *err)
{
    (void)c;
    size_t n;
    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    TRY(lz4_block_decode(src, dst, dst_len, &n, err));
    return n == dst_len ? NRW_OK : codec_wrong_size(NAME, n, dst_len, err);
}

/* A bare block cannot begin with a match, for there is nothing to copy from yet; so its first
 * byte is 16 or more, unless it is the empty block of one byte. Hadoop's first byte is the highest
 * of a size. Only for sizes from 2^28 on does the second size have to decide. */
lz4_kind lz4_detect(const uint8_t *head, uint64_t src_len, uint64_t dst_len)
{
    static const uint8_t magic[4] = {0x04, 0x22, 0x4d, 0x18};
    if (src_len < 4)
        return LZ4_KIND_BLOCK;
    bool is_frame = src_len >= 7 && memcmp(head, magic, 4) == 0 && head[4] >> 6 == 1;
    uint32_t out = lz4_big_endian(head);
    uint32_t in = src_len >= LZ4_HEAD ? lz4_big_endian(head + 4) : 0;
    bool sizes_fit = src_len >= LZ4_HEAD && out <= dst_len && in <= src_len - LZ4_HEAD;
    if (is_frame && !sizes_fit)
        return LZ4_KIND_FRAME;
    if (head[0] < 16)
        return LZ4_KIND_HADOOP;
    bool exact = out == dst_len && in == src_len - LZ4_HEAD;
    return sizes_fit && (exact || in > 0) ? LZ4_KIND_HADOOP : LZ4_KIND_BLOCK;
}

static nrw_status take_size(span *src, uint64_t *size, nrw_error *err)
{
    if (src->len < 4)
        return err_set(err, NRW_E_CORRUPT, "the lz4 data end too early");
    *size = lz4_big_endian(src->data);
    span_skip(src, 4);
    return NRW_OK;
}

/* One frame: its size, then chunks until it is full. */
static nrw_status hadoop_frame(span *src, uint8_t *dst, size_t room, size_t *n, nrw_error *err)
{
    uint64_t size, chunk;
    *n = 0;
    TRY(take_size(src, &size, err));
    if (size > room)
        return codec_wrong_size(NAME, (uint64_t)room + 1, room, err);
    if (size == 0 && src->len == 0)
        return NRW_OK;
    do {
        size_t got;
        TRY(take_size(src, &chunk, err));
        if (chunk == 0 && size == 0)
            return NRW_OK;
        if (chunk > src->len)
            return codec_damaged(NAME, err);
        TRY(lz4_block_decode((span){src->data, (size_t)chunk}, dst + *n, (size_t)size - *n, &got,
                             err));
        *n += got;
        src->data += chunk;
        src->len -= (size_t)chunk;
    } while (*n < size);
    return NRW_OK;
}

static nrw_status lz4_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len, nrw_error *err)
{
    size_t out = 0;
    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    switch (lz4_detect(src.data, src.len, dst_len)) {
    case LZ4_KIND_FRAME: /* rare, with checksums and options of their own */
        return codec_decode_by_stream(c, src, dst, dst_len, err);
    case LZ4_KIND_BLOCK: return raw_decode(c, src, dst, dst_len, err);
    default: break;
    }
    while (src.len > 0) {
        size_t n;
        TRY(hadoop_frame(&src, dst + out, dst_len - out, &n, err));
        out += n;
    }
    return out == dst_len ? NRW_OK : codec_wrong_size(NAME, out, dst_len, err);
}

/* -- The rows -------------------------------------------------------------------------------- */

void lz4_free(codec_ctx *c)
{
    lz4_encoder *e = c->encoder;
    lz4_stream_free(c);
    if (!e)
        return;
    codec_state_free(c, &e->fast, (size_t)LZ4_sizeofState());
    codec_state_free(c, &e->slow, (size_t)LZ4_sizeofStateHC());
    codec_state_free(c, &c->encoder, sizeof *e);
}

uint64_t lz4_encode_mem(int level, size_t block_len)
{
    (void)block_len;
    return (level <= MAX_FAST_LEVEL ? 17 << 10 : 292 << 10) + 256;
}

const codec codec_row_lz4 = {
    .name = NAME,
    .parquet_id = CODEC_LZ4,
    .default_level = 1,
    .min_level = 1,
    .max_level = LZ4HC_CLEVEL_MAX,
    .bound = hadoop_bound,
    .decode = lz4_decode,
    .encode = hadoop_encode,
    .stream_begin = lz4_stream_begin,
    .stream_step = lz4_stream_step,
    .stream_end = lz4_stream_end,
    .encode_mem = lz4_encode_mem,
    .decode_mem = lz4_stream_mem,
    .ctx_free = lz4_free,
};

static uint64_t raw_decode_mem(size_t block_len)
{
    (void)block_len;
    return 160 << 10;
}

const codec codec_row_lz4_raw = {
    .name = "lz4_raw",
    .parquet_id = CODEC_LZ4_RAW,
    .default_level = 1,
    .min_level = 1,
    .max_level = LZ4HC_CLEVEL_MAX,
    .bound = block_bound,
    .decode = raw_decode,
    .encode = raw_encode,
    .stream_begin = lz4_stream_begin,
    .stream_step = lz4_stream_step,
    .stream_end = lz4_stream_end,
    .encode_mem = lz4_encode_mem,
    .decode_mem = raw_decode_mem,
    .ctx_free = lz4_free,
};
