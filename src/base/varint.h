/* Whole numbers in as few bytes as they need, seven bits a byte, the lowest first (LEB128); signed
 * ones by turns (zigzag: 0, -1, 1, -2, ...), so that small ones are short. */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define VARINT_MOST 10u /* bytes */

static inline uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* How many of the bytes at `to`, where VARINT_MOST have room, it takes. */
static inline size_t varint_put(uint8_t *to, uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        to[n++] = (uint8_t)(v | 0x80);
    to[n++] = (uint8_t)v;
    return n;
}

/* The one at *p, which moves behind it. 1: read; 0: it goes on behind `end`; -1: it has more than
 * 64 bits. */
static inline int varint_get(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    const uint8_t *q = *p;
    uint64_t x = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (q == end)
            return 0;
        uint8_t b = *q++;
        x |= (uint64_t)(b & 127) << shift;
        if (b & 128)
            continue;
        if (shift == 63 && b > 1)
            return -1;
        *p = q;
        *out = x;
        return 1;
    }
    return -1;
}

#endif
