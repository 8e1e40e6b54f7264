/* Decoder of raw snappy blocks in any cuts. Format: google/snappy, format_description.txt. */
#ifndef CODEC_SNAPPY_STREAM_H
#define CODEC_SNAPPY_STREAM_H

#include "codec/internal.h"

#define SNAPPY_STREAM_MEM ((size_t)160 << 10)

nrw_status snappy_stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err);
nrw_status snappy_stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err);
nrw_status snappy_stream_end(codec_ctx *c, nrw_error *err);
void snappy_stream_free(codec_ctx *c);

#endif
