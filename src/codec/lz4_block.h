/* LZ4 blocks, decoded whole and in cuts by the same rules. Format: lz4/doc/lz4_Block_format.md; its
 * "end of block conditions" are enforced as the library does, an offset of 0 is refused. */
#ifndef CODEC_LZ4_BLOCK_H
#define CODEC_LZ4_BLOCK_H

#include "codec/internal.h"
#include "codec/window.h"

/* Fills at most cap bytes, *n of them. */
nrw_status lz4_block_decode(span src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err);

/* One block of in_left bytes that gives at most out_left ones. */
typedef struct lz4_block {
    uint64_t in_left, out_left;
    uint64_t produced;
    uint64_t left; /* of the literals or the match in progress */
    uint32_t offset;
    uint8_t part, token;
    bool half, last, done;
} lz4_block;

void lz4_block_begin(lz4_block *b, uint64_t in_len, uint64_t out_cap);
/* Decodes from *src into the window until it is full, the input is used up, or the block is done.
 */
nrw_status lz4_block_fill(lz4_block *b, window *w, span *src, nrw_error *err);

#endif
