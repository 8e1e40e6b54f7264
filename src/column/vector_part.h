/* Moving rows between vectors: shared by taking, slicing, expanding and concatenating. */
#ifndef COLUMN_VECTOR_PART_H
#define COLUMN_VECTOR_PART_H

#include "column/vector.h"

/* dst[i] = src[at[i]] for values of `width` bytes. */
void part_gather16(uint8_t *dst, const uint8_t *src, const uint16_t *at, uint32_t n,
                   uint32_t width);
void part_gather32(uint8_t *dst, const uint8_t *src, const uint32_t *at, uint32_t n,
                   uint32_t width);
/* n times the value at src. */
void part_fill(uint8_t *dst, const uint8_t *src, uint32_t n, uint32_t width);
/* Zeros the values whose bit is 0 (8 bytes may be read behind the bitmap). */
void part_clear_nulls(uint8_t *data, const uint8_t *validity, uint32_t n, uint32_t width);
/* Sets bits [at, at + n) to `on`. */
void part_set_bits(uint8_t *bits, size_t at, size_t n, bool on);
/* dst[at + i] = src[from + i]; returns how many of them are 0. */
uint32_t part_copy_bits(uint8_t *dst, size_t at, const uint8_t *src, size_t from, size_t n);

/* An empty vector with the form of v (flat or dict), its dictionary and its heaps, and room for
 * `rows`; with a bitmap (not filled) where v has one. */
nrw_status part_like(const vector *v, uint32_t rows, mem *m, vector *out, nrw_error *err);
static inline uint32_t part_width(const vector *v)
{
    return v->form == VECTOR_FLAT ? v->type.width : (uint32_t)sizeof(uint32_t);
}
/* Are values i and j of a flat or dict vector the same, byte by byte (or both null)? */
bool part_same(const vector *a, uint32_t i, const vector *b, uint32_t j);
/* vector_take and vector_concat of nested vectors (vector_nested.c); n >= 1. */
nrw_status part_take_nested(const vector *v, const uint16_t *sel, uint32_t n, mem *m, vector *out,
                            nrw_error *err);
nrw_status part_concat_nested(const vector *parts, uint32_t n, uint32_t rows, mem *m, vector *out,
                              nrw_error *err);
/* An array of one heap that lies in the arena, as does b. */
nrw_status heaps_in_arena(arena *a, buffer *b, heaps *out, nrw_error *err);
/* Drops a bitmap without zeros. */
void part_trim_validity(vector *v);

#endif
