/* Reading encoded values: "Binary Encoding" of the specification. Internal to the Avro folder. */
#ifndef AVRO_CURSOR_H
#define AVRO_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

/* A zigzag varint of at most 64 bits at *p. 1: read; 0: it goes on behind `end`; -1: too long. */
static inline int av_varint(const uint8_t **p, const uint8_t *end, int64_t *out)
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
        *out = (int64_t)(x >> 1) ^ -(int64_t)(x & 1);
        return 1;
    }
    return -1;
}

#endif
