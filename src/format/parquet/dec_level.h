/* Repetition and definition levels of nested columns, a block at a time (parquet-format,
 * README.md, "Nested Encoding"; Encodings.md, "RLE" and "BIT_PACKED"). */
#ifndef PARQUET_DEC_LEVEL_H
#define PARQUET_DEC_LEVEL_H

#include "format/parquet/dec_rle.h"

typedef struct level_in {
    rle r;
    uint8_t max;   /* greater levels are NRW_E_CORRUPT */
    bool constant; /* nothing is stored: all levels are `max` */
    bool unpacked; /* BIT_PACKED: most significant bit first, no runs */
} level_in;

/* Bits of a level. */
static inline uint32_t level_width(uint8_t max)
{
    return max ? 32u - (uint32_t)__builtin_clz(max) : 0;
}

/* The next n levels to dst (64 bytes of slack). Of BIT_PACKED n must be a multiple of 8 in all
 * calls but the last. */
nrw_status level_read(level_in *l, uint32_t n, uint8_t *dst, nrw_error *err) NRW_CHECKED;
/* How many of the n levels at p are `x`. */
uint32_t level_count(const uint8_t *p, uint32_t n, uint8_t x);
/* Are all n levels at p equal to x? */
bool level_all(const uint8_t *p, uint32_t n, uint8_t x);

#endif
