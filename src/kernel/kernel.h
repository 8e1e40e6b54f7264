/* Kernels: the inner loops over arrays, one table per CPU level.
 *
 * The level is chosen once: the best that the CPU has, or, with its name in NARROWS_CPU (scalar,
 * avx2, avx512, avx512_vbmi), that one, or the best below it where the CPU lacks it. Every level
 * gives the same result, byte for byte, over the bytes that a kernel promises.
 *
 * Unless said otherwise:
 * - inputs are little-endian, need no alignment, and 64 bytes behind them may be read;
 * - outputs need no alignment, and up to 64 bytes behind them may be overwritten with anything;
 * - input and output do not overlap;
 * - n may be 0, pointers are then not followed;
 * - bitmaps are LSB first; `off` is the number of bits to skip from `bits`.
 * Kernels never fail; those that check return what they found. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum kernel_level {
    KERNEL_SCALAR,
    KERNEL_AVX2,        /* Haswell: AVX2, BMI2 */
    KERNEL_AVX512,      /* Skylake-X: F, BW, DQ, VL */
    KERNEL_AVX512_VBMI, /* Ice Lake: and VBMI, VBMI2, VPCLMULQDQ */
    KERNEL_LEVELS
} kernel_level;

typedef struct kernels {
    const char *name;
    kernel_level level;

    /* -- Bit packing: value i lies in bits [i * width, (i + 1) * width), LSB first --------------
     */
    void (*unpack_u32)(const uint8_t *src, unsigned width /* 0..32 */, size_t n, uint32_t *dst);
    void (*unpack_u64)(const uint8_t *src, unsigned width /* 0..64 */, size_t n, uint64_t *dst);
    /* Bits above `width` of a value are ignored; the last byte is filled up with zero bits. */
    void (*pack_u32)(const uint32_t *values, unsigned width, size_t n, uint8_t *dst);
    void (*pack_u64)(const uint64_t *values, unsigned width, size_t n, uint8_t *dst);

    /* -- Bitmaps; fill_bits and copy_bits touch no bit outside of their range -------------------
     */
    size_t (*popcount_bits)(const uint8_t *bits, size_t off, size_t n);
    void (*fill_bits)(uint8_t *bits, size_t off, size_t n, bool value);
    void (*copy_bits)(const uint8_t *src, size_t src_off, uint8_t *dst, size_t dst_off, size_t n);
    /* For each one among the first n bits of `at`: dst = first + the ones of `of` before it.
     * Returns how many there are. */
    size_t (*ranks)(const uint8_t *at, const uint8_t *of, size_t n, uint32_t first, uint32_t *dst);
    void (*bits_to_bytes)(const uint8_t *bits, size_t off, size_t n, uint8_t *dst /* 0, 1 */);
    /* Bit i = byte i is not 0; from bit 0 of dst; the last byte is filled up with zeros. */
    void (*bytes_to_bits)(const uint8_t *src, size_t n, uint8_t *dst);
    /* Bit i = bit index[i] of the 256 of `set`, as above. */
    void (*bits_of_256)(const uint8_t *set, const uint32_t *index, size_t n, uint8_t *dst);
    /* Bit i = (level i == max), as above; returns the count of ones. */
    size_t (*levels_to_bits_u8)(const uint8_t *levels, size_t n, uint8_t max, uint8_t *dst);
    size_t (*levels_to_bits_u32)(const uint32_t *levels, size_t n, uint32_t max, uint8_t *dst);

    /* -- Levels, a byte each -------------------------------------------------------------------
     */
    /* As unpack_u32, width 0..8. */
    void (*unpack_u8)(const uint8_t *src, unsigned width, size_t n, uint8_t *dst);
    /* Bit i = (level i >= least), as levels_to_bits_u8. */
    size_t (*levels_from_u8)(const uint8_t *levels, size_t n, uint8_t least, uint8_t *dst);
    /* Of the levels that are at least `least`, one behind the other, bit = (level == max). Returns
     * how many these are. */
    size_t (*level_entries_u8)(const uint8_t *levels, size_t n, uint8_t least, uint8_t max,
                               uint8_t *dst);
    /* Whether all pairs are equal where levels above `top` count as it. */
    bool (*levels_agree_u8)(const uint8_t *a, const uint8_t *b, size_t n, uint8_t top);

    /* -- Text ---------------------------------------------------------------------------------- */
    /* Whether no byte has its highest bit set. */
    bool (*ascii)(const uint8_t *text, size_t n);

    /* -- Moving values ------------------------------------------------------------------------- */
    void (*fill_4)(void *dst, uint32_t value, size_t n);
    void (*fill_8)(void *dst, uint64_t value, size_t n);
    /* The largest, 0 of none: check dictionary indices with it before a gather. */
    uint32_t (*max_u32)(const uint32_t *values, size_t n);
    /* dst[i] = dict[index[i]]; every index in range and below 2^31. No slack of dict is read. */
    void (*gather_4)(const void *dict, const uint32_t *index, size_t n, void *dst);
    void (*gather_8)(const void *dict, const uint32_t *index, size_t n, void *dst);
    void (*gather_16)(const void *dict, const uint32_t *index, size_t n, void *dst);
    /* As gather_4, from a dictionary of so many entries: a small one stays in registers. */
    void (*look_up_4)(const void *dict, size_t entries, const uint32_t *index, size_t n, void *dst);
    void (*gather_any)(const void *dict, size_t width, const uint32_t *index, size_t n, void *dst);
    /* dst[i] = src[i] + (src[i] < split ? below : above), wrapping. dst == src is fine. */
    void (*shift_u32)(const uint32_t *src, size_t n, uint32_t split, uint32_t below, uint32_t above,
                      uint32_t *dst);
    /* dst[i] = src[sel[i]]. */
    void (*take_1)(const void *src, const uint16_t *sel, size_t n, void *dst);
    void (*take_2)(const void *src, const uint16_t *sel, size_t n, void *dst);
    void (*take_4)(const void *src, const uint16_t *sel, size_t n, void *dst);
    void (*take_8)(const void *src, const uint16_t *sel, size_t n, void *dst);
    void (*take_16)(const void *src, const uint16_t *sel, size_t n, void *dst);
    /* The next value of src at each of the n places whose bit is 1, zero at the others. Returns
     * how many were taken. */
    size_t (*spread_1)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*spread_2)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*spread_4)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*spread_8)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*spread_16)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    /* The inverse: the values whose bit is 1, densely. Returns how many. */
    size_t (*compress_1)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*compress_2)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*compress_4)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*compress_8)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    size_t (*compress_16)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);
    /* Neighbours that differ: one less than the number of runs (0 for n = 0). */
    size_t (*changes_4)(const void *values, size_t n);
    size_t (*changes_8)(const void *values, size_t n);
    /* How many values at the start equal the first. */
    size_t (*equal_prefix_4)(const void *values, size_t n);
    size_t (*equal_prefix_8)(const void *values, size_t n);
    /* Where the first whole eight begin that are all equal, counted in eights from the start;
     * n - n % 8 where there are none. */
    size_t (*equal_eight_4)(const void *values, size_t n);

    /* -- Encodings ----------------------------------------------------------------------------- */
    /* DELTA_BINARY_PACKED: dst[i] = *running += min_delta + deltas[i], wrapping. dst == deltas is
     * fine. */
    void (*delta_decode_i32)(const uint32_t *deltas, size_t n, int32_t min_delta, int32_t *running,
                             int32_t *dst);
    void (*delta_decode_i64)(const uint64_t *deltas, size_t n, int64_t min_delta, int64_t *running,
                             int64_t *dst);
    /* BYTE_STREAM_SPLIT: byte k of value i is src[k * stride + i] (decode), dst[k * stride + i]
     * (encode, which writes no byte outside of its n per stream); stride >= n. Any width >= 1. */
    void (*split_decode)(const uint8_t *src, size_t stride, size_t width, size_t n, uint8_t *dst);
    void (*split_encode)(const uint8_t *src, size_t width, size_t n, uint8_t *dst, size_t stride);

    /* -- Least and greatest; false (outputs untouched) where there is none ----------------------
     */
    bool (*minmax_i8)(const int8_t *v, size_t n, int8_t *min, int8_t *max);
    bool (*minmax_i16)(const int16_t *v, size_t n, int16_t *min, int16_t *max);
    bool (*minmax_i32)(const int32_t *v, size_t n, int32_t *min, int32_t *max);
    bool (*minmax_i64)(const int64_t *v, size_t n, int64_t *min, int64_t *max);
    bool (*minmax_u8)(const uint8_t *v, size_t n, uint8_t *min, uint8_t *max);
    bool (*minmax_u16)(const uint16_t *v, size_t n, uint16_t *min, uint16_t *max);
    bool (*minmax_u32)(const uint32_t *v, size_t n, uint32_t *min, uint32_t *max);
    bool (*minmax_u64)(const uint64_t *v, size_t n, uint64_t *min, uint64_t *max);
    /* NaN is passed over; a least zero is -0, a greatest zero +0, as Parquet's statistics ask. */
    bool (*minmax_f32)(const float *v, size_t n, float *min, float *max);
    bool (*minmax_f64)(const double *v, size_t n, double *min, double *max);

    /* -- Hashes: out[i] = kernel_hash_u64(v[i]) of the value's bits, 16 bytes: kernel_hash_u128 -
     */
    void (*hash_4)(const void *values, size_t n, uint64_t *out);
    void (*hash_8)(const void *values, size_t n, uint64_t *out);
    void (*hash_16)(const void *values, size_t n, uint64_t *out);

    /* -- Conversions --------------------------------------------------------------------------- */
    /* Truncates and returns whether every value fitted. dst == src is fine. */
    bool (*narrow_i32_i8)(const int32_t *src, size_t n, int8_t *dst);
    bool (*narrow_i32_i16)(const int32_t *src, size_t n, int16_t *dst);
    bool (*narrow_i32_u8)(const int32_t *src, size_t n, uint8_t *dst);
    bool (*narrow_i32_u16)(const int32_t *src, size_t n, uint16_t *dst);
    void (*widen_i8_i32)(const int8_t *src, size_t n, int32_t *dst);
    void (*widen_i16_i32)(const int16_t *src, size_t n, int32_t *dst);
    void (*widen_u8_i32)(const uint8_t *src, size_t n, int32_t *dst);
    void (*widen_u16_i32)(const uint16_t *src, size_t n, int32_t *dst);
    void (*widen_i32_i64)(const int32_t *src, size_t n, int64_t *dst);
    void (*widen_u32_u64)(const uint32_t *src, size_t n, uint64_t *dst);
    /* dst[i] = src[i] * factor, wrapping; whether none overflowed. factor > 0; dst == src is
     * fine. */
    bool (*mul_i64)(const int64_t *src, size_t n, int64_t factor, int64_t *dst);
    /* dst[i] = the product of the lower 32 bits of x[i] and y[i], signed. seen[0], seen[1]: the
     * bits of all x and of all y put together, of negative ones inverted: below 2^31 where all fit.
     */
    void (*products_i64)(const int64_t *x, const int64_t *y, size_t n, int64_t *dst,
                         uint64_t seen[2]);
    /* Big-endian two's complement of len bytes (1..32) to little-endian of width bytes (4, 8, 16,
     * 32) and back. Sign-extends or truncates; returns whether every value fitted. */
    bool (*be_to_le)(const uint8_t *src, size_t len, size_t n, size_t width, uint8_t *dst);
    bool (*le_to_be)(const uint8_t *src, size_t width, size_t n, size_t len, uint8_t *dst);

    /* -- Checksums -----------------------------------------------------------------------------
     */
    /* The CRC-32 of zlib of what had `crc` (0: nothing) with n bytes behind it, a multiple of 64;
     * nothing behind them is read. */
    uint32_t (*crc32)(uint32_t crc, const uint8_t *p, size_t n);
} kernels;

extern _Atomic(const kernels *) kernels_chosen;
const kernels *kernels_choose(void);

/* The table in use: a load, then one indirect call per array. */
static inline const kernels *kernels_get(void)
{
    const kernels *k = atomic_load_explicit(&kernels_chosen, memory_order_relaxed);
    return k ? k : kernels_choose();
}

/* The table of one level, NULL where the CPU lacks it: for tests and measurements. */
const kernels *kernels_at(kernel_level level);

/* Hash of one value, the same as the arrays': multiply and mix, all 64 bits usable. */
static inline uint64_t kernel_hash_u64(uint64_t x)
{
    x ^= x >> 32;
    x *= 0x9fb21c651e98df25u;
    x ^= x >> 29;
    x *= 0xd1342543de82ef95u;
    x ^= x >> 32;
    return x;
}
static inline uint64_t kernel_hash_u128(uint64_t lo, uint64_t hi)
{
    return kernel_hash_u64(kernel_hash_u64(lo) + hi * 0x9e3779b97f4a7c15u);
}

#endif
