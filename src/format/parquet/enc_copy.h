/* Copying many short byte strings: both sides have 64 bytes of slack, so whole words may move. */
#ifndef PARQUET_ENC_COPY_H
#define PARQUET_ENC_COPY_H

#include "base/span.h"

/* Returns the end of what was written; up to 48 bytes behind it are overwritten. */
static inline uint8_t *enc_copy(uint8_t *dst, const uint8_t *src, size_t len)
{
    if (__builtin_expect(len <= 48, 1)) { /* one branch for most texts, whatever their lengths */
        memcpy(dst, src, 16);
        memcpy(dst + 16, src + 16, 16);
        memcpy(dst + 32, src + 32, 16);
    } else if (len <= 128) {
        for (size_t at = 0; at < len; at += 32) {
            memcpy(dst + at, src + at, 16);
            memcpy(dst + at + 16, src + at + 16, 16);
        }
    } else {
        memcpy(dst, src, len);
    }
    return dst + len;
}

#endif
