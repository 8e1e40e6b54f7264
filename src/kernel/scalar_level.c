/* Scalar reference: levels, a byte each, text, and the checksum. */
#include "base/span.h"
#include "kernel/level.h"

void kernel_scalar_unpack_u8(const uint8_t *src, unsigned width, size_t n, uint8_t *dst)
{
    unsigned mask = (1u << width) - 1;
    size_t at = 0;
    for (size_t i = 0; i < n; i++, at += width) {
        unsigned two = src[at >> 3] | (unsigned)src[(at >> 3) + 1] << 8;
        dst[i] = (uint8_t)(two >> (at & 7) & mask);
    }
}

size_t kernel_scalar_levels_from_u8(const uint8_t *levels, size_t n, uint8_t least, uint8_t *dst)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i += 8) {
        unsigned byte = 0;
        for (size_t k = 0; k < size_min(8, n - i); k++)
            byte |= (unsigned)(levels[i + k] >= least) << k;
        dst[i >> 3] = (uint8_t)byte;
        count += (size_t)__builtin_popcount(byte);
    }
    return count;
}

size_t kernel_scalar_level_entries_u8(const uint8_t *levels, size_t n, uint8_t least, uint8_t max,
                                      uint8_t *dst)
{
    unsigned byte = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (levels[i] < least)
            continue;
        byte |= (unsigned)(levels[i] == max) << (k & 7);
        if ((++k & 7) == 0) {
            dst[(k >> 3) - 1] = (uint8_t)byte;
            byte = 0;
        }
    }
    if (k & 7)
        dst[k >> 3] = (uint8_t)byte;
    return k;
}

bool kernel_scalar_levels_agree_u8(const uint8_t *a, const uint8_t *b, size_t n, uint8_t top)
{
    unsigned differ = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t x = a[i] < top ? a[i] : top, y = b[i] < top ? b[i] : top;
        differ |= x ^ y;
    }
    return differ == 0;
}

bool kernel_scalar_ascii(const uint8_t *text, size_t n)
{
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++)
        seen |= text[i];
    return seen < 0x80;
}

uint32_t kernel_scalar_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}
