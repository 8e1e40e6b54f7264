/* Reading encoded values: "Binary Encoding" of the specification. Internal to the Avro folder. */
#ifndef AVRO_CURSOR_H
#define AVRO_CURSOR_H

#include "base/varint.h"

#include <stdbool.h>

/* A zigzag varint of at most 64 bits at *p. 1: read; 0: it goes on behind `end`; -1: too long. */
static inline int av_varint(const uint8_t **p, const uint8_t *end, int64_t *out)
{
    uint64_t x;
    const int got = varint_get(p, end, &x);

    if (got == 1)
        *out = unzigzag(x);
    return got;
}

#endif
