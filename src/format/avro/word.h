/* Numbers and lengths taken from whole words. Each function reads up to AV_AHEAD bytes behind p,
 * also where they are not used. Internal to the Avro folder. */
#ifndef AVRO_WORD_H
#define AVRO_WORD_H

#include "base/span.h"
#include "kernel/window.h"

#define AV_AHEAD 24 /* bytes that can be read at the start of a step */

#define AV_HIGH_BITS UINT64_C(0x8080808080808080)

/* A varint of five to eight bytes, as it is. NULL: it has more. */
static inline const uint8_t *av_long_number(const uint8_t *p, uint64_t *out)
{
    uint64_t x = load_u64(p), stops = ~x & AV_HIGH_BITS;

    if (stops == 0)
        return NULL;
    x &= stops ^ (stops - 1);
    x &= ~AV_HIGH_BITS; /* eight times 7 bits, four times 14, twice 28, 56 */
    x = (x & UINT64_C(0x007F007F007F007F)) | (x & UINT64_C(0x7F007F007F007F00)) >> 1;
    x = (x & UINT64_C(0x00003FFF00003FFF)) | (x & UINT64_C(0x3FFF00003FFF0000)) >> 2;
    *out = (x & UINT64_C(0x000000000FFFFFFF)) | (x & UINT64_C(0x0FFFFFFF00000000)) >> 4;
    return p + (unsigned)__builtin_ctzll(stops) / 8 + 1;
}

/* A varint of up to eight bytes, as it is. NULL: it has more. */
static inline const uint8_t *av_number(const uint8_t *p, uint64_t *out)
{
    uint32_t x, stops;

    if (*p < 128) {
        *out = *p;
        return p + 1;
    }
    x = load_u32(p);
    stops = ~x & (uint32_t)AV_HIGH_BITS;
    if (stops == 0)
        return av_long_number(p, out);
    x &= (stops ^ (stops - 1)) & 0x7F7F7F7F;
    x -= (x & 0x7F007F00) >> 1; /* four times 7 bits, twice 14, 28 */
    *out = (x & 0x3FFF) | (x >> 2 & 0x0FFFC000);
    return p + (unsigned)__builtin_ctz(stops) / 8 + 1;
}

/* Behind a varint of up to eight bytes. NULL: it has more. */
static inline const uint8_t *av_pass_number(const uint8_t *p)
{
    uint64_t stops;

    if (*p < 128)
        return p + 1;
    stops = ~load_u64(p) & AV_HIGH_BITS;
    return stops ? p + (__builtin_ctzll(stops) + 1) / 8 : NULL;
}

/* Behind n numbers: the n-th byte of the next sixteen that ends one. NULL: they are longer, or one
 * of them may be too long. */
static inline const uint8_t *av_pass_numbers(const uint8_t *p, uint32_t n)
{
    unsigned going_on = high_bits_16(p), ends = ~going_on & 0xFFFF;

    going_on &= going_on >> 1;
    going_on &= going_on >> 2;
    if (going_on & going_on >> 4) /* eight bytes in a row */
        return NULL;
    for (; n > 1; n--)
        ends &= ends - 1;
    return ends ? p + __builtin_ctz(ends) + 1 : NULL;
}

/* Behind n bytes, where they are there. */
static inline const uint8_t *av_pass_fixed(const uint8_t *p, const uint8_t *end, uint32_t n)
{
    return n <= (size_t)(end - p) ? p + n : NULL;
}

/* A length as zigzag has it: negative ones are huge. */
static inline uint64_t av_unsigned(uint64_t x)
{
    return x >> 1 | x << 63;
}

/* Behind a length; so many bytes are there. NULL: they are not. */
static inline const uint8_t *av_length(const uint8_t *p, const uint8_t *end, size_t *len)
{
    uint64_t x;

    p = av_number(p, &x);
    if (!p || av_unsigned(x) > (uint64_t)(end - p))
        return NULL;
    *len = (size_t)av_unsigned(x);
    return p;
}

#endif
