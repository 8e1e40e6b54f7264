/* The encodings of page bodies (parquet-format, Encodings.md), each over an array of values in
 * PLAIN form. Encoders write at most their bound and, as kernels do, up to 64 bytes of anything
 * behind it; they return the length and cannot fail. What they write depends on the values alone.
 */
#ifndef PARQUET_ENC_PAGE_H
#define PARQUET_ENC_PAGE_H

#include "base/span.h"

/* ---- RLE and bit packing (RLE = 3) ----
 * Groups of eight are bit-packed; a run begins at a group's start where at least as many equal
 * values follow as pay (rle_least), or where nothing but equal values is left. So runs and single
 * values give the same bytes. */
typedef struct enc_run {
    uint32_t value, count;
} enc_run;

/* Bits that hold 0..max. */
unsigned enc_width(uint32_t max);
size_t enc_rle_bound(size_t n, unsigned width);
size_t enc_rle_u32(const uint32_t *values, size_t n, unsigned width, uint8_t *dst);
/* The same from bytes, of at most 8 bits: levels. */
size_t enc_rle_u8(const uint8_t *values, size_t n, unsigned width, uint8_t *dst);
/* n times one value: what the others make of them. */
size_t enc_rle_repeat(uint32_t value, size_t n, unsigned width, uint8_t *dst);
/* `runs`: neighbours differ. */
size_t enc_rle_runs_bound(size_t n_runs, unsigned width);
size_t enc_rle_runs(const enc_run *runs, size_t n_runs, unsigned width, uint8_t *dst);

/* Single bits from a bitmap (levels, booleans); runs begin and end at whole bytes of it. */
size_t enc_rle_bits_bound(size_t n);
size_t enc_rle_bits(const uint8_t *bits, size_t n, uint8_t *dst);
/* n ones: what enc_rle_bits makes of them. */
size_t enc_rle_ones(size_t n, uint8_t *dst);

/* ---- DELTA_BINARY_PACKED (5): blocks of 128, four miniblocks; differences wrap ---- */
size_t enc_delta_bound(size_t n, unsigned width /* 4 or 8 */);
size_t enc_delta_i32(const uint8_t *values, size_t n, uint8_t *dst);
size_t enc_delta_i64(const uint8_t *values, size_t n, uint8_t *dst);

/* ---- BYTE_STREAM_SPLIT (9) ---- */
/* About how many bytes an entropy coder makes of n split numbers: order-0 entropy of each plane. */
uint64_t enc_split_estimate(const uint8_t *values, size_t n, unsigned width);

/* ---- DELTA_BYTE_ARRAY (7): n PLAIN `values` (length, bytes) of `len` bytes in all; fixed > 0:
 * of that length, without lengths; scratch: 2 n uint32. DELTA_LENGTH_BYTE_ARRAY (6) is
 * enc_delta_i32 of all lengths, then all bytes ---- */
size_t enc_delta_bytes_bound(size_t n, size_t len);
size_t enc_delta_bytes(const uint8_t *values, size_t n, uint32_t fixed, uint32_t *scratch,
                       uint8_t *dst);

#endif
