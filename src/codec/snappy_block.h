/* Whole snappy blocks. Format: google/snappy, format_description.txt. */
#ifndef CODEC_SNAPPY_BLOCK_H
#define CODEC_SNAPPY_BLOCK_H

#include "codec/internal.h"

/* Fills exactly dst_len bytes or fails. */
nrw_status snappy_block_decode(span src, uint8_t *dst, size_t dst_len, nrw_error *err);

/* The same of two blocks at a time, which is faster than one after the other; false where one of
 * them fails. */
bool snappy_block_decode_two(const span src[2], uint8_t *const dst[2], const size_t dst_len[2]);

/* What the block says it holds; false where it does not even say that. */
bool snappy_block_length(span src, uint64_t *len);

#endif
