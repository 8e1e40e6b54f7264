/* The RLE / bit-packing hybrid (parquet-format, Encodings.md, "RLE"): dictionary indices, booleans
 * and definition levels; and the deprecated BIT_PACKED levels. */
#ifndef PARQUET_DEC_RLE_H
#define PARQUET_DEC_RLE_H

#include "format/parquet/body.h"

typedef struct rle {
    cursor c;
    uint32_t width;   /* bits of a value, at most 32 */
    uint32_t value;   /* of the repeated run */
    uint64_t left;    /* values left in the current run */
    bool packed;      /* the current run is bit-packed: c.p is at the group that holds the next */
    uint8_t in_group; /* values of that group of eight that were consumed */
} rle;

/* Runs over bytes [from, to) of b. */
void rle_open(rle *r, mem *m, const body *b, size_t from, size_t to, uint32_t width);

/* Sees to it that a run is at hand (left > 0): NRW_E_CORRUPT where the bytes are at an end. */
nrw_status rle_run(rle *r, nrw_error *err) NRW_CHECKED;
/* The next n values; dst has 64 bytes of slack. */
nrw_status rle_read(rle *r, uint32_t n, uint32_t *dst, nrw_error *err) NRW_CHECKED;
nrw_status rle_skip(rle *r, uint64_t n, nrw_error *err) NRW_CHECKED;
/* The next n values of width 1 as bits of dst from bit `off`; *ones += set bits. */
nrw_status rle_read_bits(rle *r, uint32_t n, uint8_t *dst, size_t off, uint32_t *ones,
                         nrw_error *err) NRW_CHECKED;

/* Definition levels of a column without lists: which rows are there. Of one inside of structs, that
 * are rows whose level is the greatest one. */
#define LEVELS_BLOCK 2048

typedef struct levels {
    bool none;     /* required column, or a page that says it has no nulls: all rows are there */
    bool unpacked; /* BIT_PACKED: most significant bit first, no runs */
    uint8_t max;   /* the level at which a value is there */
    rle r;
    /* What was looked at and not yet consumed: either a constant stretch, or bits. */
    uint64_t run; /* rows of the constant stretch */
    bool run_there;
    uint32_t bit_at, bit_n; /* bits [bit_at, bit_n) of `bits` */
    uint8_t bits[LEVELS_BLOCK / 8 + 2 * BUFFER_SLACK];
} levels;

typedef struct level_span {
    uint32_t rows;       /* at most what was asked for */
    uint32_t there;      /* of these */
    const uint8_t *bits; /* where 0 < there < rows: bit off + i says whether row i is there */
    size_t off;
} level_span;

/* Looks at the next rows, at most max (> 0); consumes nothing. */
nrw_status levels_peek(levels *l, uint32_t max, level_span *out, nrw_error *err) NRW_CHECKED;
/* Consumes rows that were looked at. */
void levels_take(levels *l, uint32_t rows);
/* Consumes n rows; *there: how many of them are there. */
nrw_status levels_skip(levels *l, uint64_t n, uint64_t *there, nrw_error *err) NRW_CHECKED;

#endif
