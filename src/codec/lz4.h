/* The three things that Parquet's codec LZ4 turned out to be, and its streams. */
#ifndef CODEC_LZ4_H
#define CODEC_LZ4_H

#include "codec/lz4_block.h"

typedef enum lz4_kind {
    LZ4_KIND_BLOCK,  /* a bare block: codec LZ4_RAW, and some writers' LZ4 */
    LZ4_KIND_HADOOP, /* frames of Hadoop: size, then chunks each with its own size, big-endian */
    LZ4_KIND_FRAME   /* the LZ4 frame format, lz4/doc/lz4_Frame_format.md */
} lz4_kind;

#define LZ4_MAX_LEVEL 12

/* How much of the start lz4_detect looks at. */
#define LZ4_HEAD 8
lz4_kind lz4_detect(const uint8_t *head, uint64_t src_len, uint64_t dst_len);

static inline uint32_t lz4_big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

nrw_status lz4_check_level(int level, nrw_error *err);
/* A bare block; dst has the room that raw ones need. */
nrw_status lz4_encode_block(codec_ctx *c, int level, span src, uint8_t *dst, size_t *n,
                            nrw_error *err);
uint64_t lz4_encode_mem(int level, size_t block_len);
void lz4_free(codec_ctx *c);

nrw_status lz4_stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err);
nrw_status lz4_stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                           nrw_error *err);
nrw_status lz4_stream_end(codec_ctx *c, nrw_error *err);
void lz4_stream_free(codec_ctx *c);
uint64_t lz4_stream_mem(size_t block_len);

#endif
