/* What BYTE_STREAM_SPLIT would come to: parquet-format, Encodings.md. Only an estimate is made
 * here; the encoding itself is a kernel. */
#include "format/parquet/enc_page.h"

#include <string.h>

/* 256 times log2 of v > 0, linear between powers of two: whole numbers give the same answer on
 * every machine. */
static uint64_t log2_256(uint64_t v)
{
    unsigned e = 63 - (unsigned)__builtin_clzll(v);
    return 256 * (uint64_t)e + ((v << 8) >> e) - 256;
}

uint64_t enc_split_estimate(const uint8_t *values, size_t n, unsigned width)
{
    uint32_t count[8][256];
    uint64_t sum = 0; /* of bits, times 256 */
    if (!n || width > 8)
        return (uint64_t)n * width;
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < width; k++)
            count[k][values[i * width + k]]++;
    for (unsigned k = 0; k < width; k++)
        for (unsigned b = 0; b < 256; b++)
            if (count[k][b])
                sum += count[k][b] * (log2_256(n) - log2_256(count[k][b]));
    return sum / (8 * 256);
}
