/* The next sixteen bytes of a stream, for loops that go on by a few bytes at a time, where a call
 * through the table of kernels would cost more than what it saves. */
#ifndef KERNEL_WINDOW_H
#define KERNEL_WINDOW_H

#include "base/span.h"
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

#endif
