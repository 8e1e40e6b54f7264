/* The next sixteen bytes of a stream, for loops that go on by a few bytes at a time, where a call
 * through the table of kernels would cost more than what it saves. */
#ifndef KERNEL_WINDOW_H
#define KERNEL_WINDOW_H

#include "base/span.h"
#include <stdbool.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bit i: the highest bit of byte i of the eight. */
static inline unsigned high_bits_8(uint64_t x)
{
    return (unsigned)(((x & UINT64_C(0x8080808080808080)) * UINT64_C(0x0002040810204081)) >> 56);
}

static inline unsigned high_bits_16_scalar(const uint8_t *p)
{
    return high_bits_8(load_u64(p)) | high_bits_8(load_u64(p + 8)) << 8;
}

/* The same of sixteen bytes. */
static inline unsigned high_bits_16(const uint8_t *p)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)p));
#else
    return high_bits_16_scalar(p);
#endif
}

/* The same of 64 bytes. */
static inline uint64_t high_bits_64(const uint8_t *p)
{
    return high_bits_16(p) | (uint64_t)high_bits_16(p + 16) << 16 |
           (uint64_t)high_bits_16(p + 32) << 32 | (uint64_t)high_bits_16(p + 48) << 48;
}

/* 12 bytes that stay, then 16 that go. */
static const uint8_t window_keep[28] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

static inline bool short_view_scalar(const uint8_t *p, size_t len, uint8_t *to)
{
    const uint8_t *mask = window_keep + 12 - len;
    uint64_t first = load_u64(p) & load_u64(mask);
    uint64_t last = load_u32(p + 8) & load_u32(mask + 8);

    store_u64(to, len | first << 32);
    store_u64(to + 8, first >> 32 | last << 32);
    return ((first | last) & UINT64_C(0x8080808080808080)) == 0;
}

/* The view of a text of up to twelve bytes at p, of sixteen that can be read: its length in four
 * bytes, then the text and zeros, to the sixteen bytes at `to`. Whether it is all ASCII. */
static inline bool short_view(const uint8_t *p, size_t len, uint8_t *to)
{
#ifdef __SSE2__
    const __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(window_keep + 12 - len));
    const __m128i text = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)p), mask);
    const __m128i head = _mm_cvtsi32_si128((int)len);

    _mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(_mm_slli_si128(text, 4), head));
    return _mm_movemask_epi8(text) == 0;
#else
    return short_view_scalar(p, len, to);
#endif
}

#endif
