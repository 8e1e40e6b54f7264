/* Sums without rounding: of integers of any width and of floating point numbers, with their
 * squares. Additions may come in any order, in any batches, and be merged: the result is the same
 * number. Rounding happens once, when mean and deviation are asked for. */
#ifndef COLUMN_EXACT_H
#define COLUMN_EXACT_H

#include "base/mem.h"

#define EXACT_INT_SUM       6 /* words: 256-bit values, 2^64 of them, a sign */
#define EXACT_INT_SQUARES   10
#define EXACT_FLOAT_SUM     70  /* digits of 32 bits, from 2^-1074 up */
#define EXACT_FLOAT_SQUARES 138 /* from 2^-2148 up */

/* Integers. Two's complement words, lowest first. */
typedef struct exact_int {
    uint64_t sum[EXACT_INT_SUM];
    uint64_t squares[EXACT_INT_SQUARES];
} exact_int;

/* `count` times x. */
void exact_int_add(exact_int *e, int64_t x, uint64_t count);
void exact_int_add_u64(exact_int *e, uint64_t x, uint64_t count);
/* x of `width` bytes (16 or 32), little-endian two's complement. */
void exact_int_add_wide(exact_int *e, const uint8_t *x, uint32_t width, uint64_t count);
/* The values x[0..n), each once. */
void exact_int_add_many(exact_int *e, const int64_t *x, size_t n);
void exact_int_merge(exact_int *e, const exact_int *other);
long double exact_int_mean(const exact_int *e, uint64_t n);
/* Of a sample: the sum of squared distances through n - 1. n >= 2. */
long double exact_int_variance(const exact_int *e, uint64_t n);
/* sum * factor / n, the nearest whole number, halves towards 0; saturates at the borders of
 * int64. */
int64_t exact_int_whole_mean(const exact_int *e, uint64_t n, uint64_t factor);

/* Floating point; infinities and NaN are the caller's. Digits with carries left in them. */
typedef struct exact_float {
    int64_t sum[EXACT_FLOAT_SUM];
    int64_t squares[EXACT_FLOAT_SQUARES];
    uint32_t adds; /* since the carries were moved on */
} exact_float;

void exact_float_add(exact_float *e, double x, uint32_t count);
void exact_float_merge(exact_float *e, const exact_float *other);
long double exact_float_mean(const exact_float *e, uint64_t n);
long double exact_float_variance(const exact_float *e, uint64_t n);

#endif
