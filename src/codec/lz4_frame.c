/* LZ4 frames, as the command lz4 and Arrow have them (lz4_Frame_format.md, 1.6.2): written with
 * independent blocks of 256 KiB and neither sizes nor checksums; read by the library. */
#include "codec/lz4.h"

#define BLOCK_MOST ((size_t)256 << 10)
#define AS_IS      0x80000000u

/* Magic, flags (version 1, independent blocks), block size, and the checksum of these two. */
static const uint8_t frame_head[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x50, 0xfb};

static size_t frame_bound(size_t n)
{
    size_t blocks = n / BLOCK_MOST + 1;

    return n + n / 255 + blocks * (16 + 4) + sizeof frame_head + 4;
}

/* A block that does not become smaller stays as it is. */
static nrw_status put_block(codec_ctx *c, int level, span src, uint8_t *dst, size_t *n,
                            nrw_error *err)
{
    size_t len;

    TRY(lz4_encode_block(c, level, src, dst + 4, &len, err));
    if (len >= src.len) {
        memcpy(dst + 4, src.data, src.len);
        store_u32(dst, AS_IS | (uint32_t)src.len);
        len = src.len;
    } else {
        store_u32(dst, (uint32_t)len);
    }
    *n = len + 4;
    return NRW_OK;
}

static nrw_status frame_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap,
                               size_t *n, nrw_error *err)
{
    *n = 0;
    TRY(lz4_check_level(level, err));
    if (cap < frame_bound(src.len))
        return err_set(err, NRW_E_ARG, "too little room for an lz4 frame");
    memcpy(dst, frame_head, sizeof frame_head);
    size_t out = sizeof frame_head;
    for (size_t at = 0; at < src.len; at += BLOCK_MOST) {
        span block = {src.data + at, size_min(BLOCK_MOST, src.len - at)};
        size_t len;
        TRY(put_block(c, level, block, dst + out, &len, err));
        out += len;
    }
    store_u32(dst + out, 0);
    *n = out + 4;
    return NRW_OK;
}

/* The library holds a block as stored and one decoded, and a window of 64 KiB or two. */
static uint64_t blocks_of(size_t block)
{
    return codec_rounded(2 * (uint64_t)block + (192 << 10));
}

static uint64_t frame_decode_mem(size_t block_len)
{
    (void)block_len;
    return blocks_of(BLOCK_MOST);
}

/* Block sizes are 64 KiB, 256 KiB, 1 MiB and 4 MiB. */
static uint64_t frame_mem(codec_ctx *c, span head)
{
    (void)c;
    if (head.len < sizeof frame_head || memcmp(head.data, frame_head, 4) != 0)
        return 0;
    return blocks_of((size_t)1 << (8 + 2 * (head.data[5] >> 4 & 7)));
}

const codec codec_row_lz4_frame = {
    .name = "lz4_frame",
    .parquet_id = CODEC_NOT_PARQUET,
    .default_level = 1,
    .min_level = 1,
    .max_level = LZ4_MAX_LEVEL,
    .bound = frame_bound,
    .decode = codec_decode_by_stream,
    .encode = frame_encode,
    .stream_begin = lz4_stream_begin,
    .stream_step = lz4_stream_step,
    .stream_end = lz4_stream_end,
    .encode_mem = lz4_encode_mem,
    .decode_mem = frame_decode_mem,
    .frame_mem = frame_mem,
    .ctx_free = lz4_free,
};
