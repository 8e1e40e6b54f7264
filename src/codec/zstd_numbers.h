/* Frames of numbers whose upper bytes are all alike: see zstd_numbers.c. */
#ifndef CODEC_ZSTD_NUMBERS_H
#define CODEC_ZSTD_NUMBERS_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* ZSTD_CCtx, so that this header does without zstd.h. */
typedef struct ZSTD_CCtx_s zstd_library;

/* How many lower bytes differ between the 8-byte numbers that stand behind the first `skip` bytes,
 * where such a frame suits them: the others are alike and worth a match, and few values come twice.
 * 0: it does not. */
uint32_t zstd_numbers_low(span src, size_t skip);
/* The frame for so many lower bytes, in dst, which has room for the library's bound of src; its
 * size. 0: the library did something unexpected, and dst holds nothing. */
size_t zstd_numbers_encode(zstd_library *x, span src, size_t skip, uint32_t low, uint8_t *dst,
                           size_t cap);

#endif
