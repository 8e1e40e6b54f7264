/* Whole snappy blocks. Format: google/snappy, format_description.txt. */
#ifndef CODEC_SNAPPY_BLOCK_H
#define CODEC_SNAPPY_BLOCK_H

#include "codec/internal.h"

/* Fills exactly dst_len bytes or fails. */
nrw_status snappy_block_decode(span src, uint8_t *dst, size_t dst_len, nrw_error *err);

/* The same of several blocks, one behind the other in dst, several at a time, which is faster than
 * one after the other; false where one of them fails. */
bool snappy_block_decode_beside(const span *src, size_t count, uint8_t *dst, const size_t *dst_len);

/* What the block says it holds; false where it does not even say that. */
bool snappy_block_length(span src, uint64_t *len);

#endif
