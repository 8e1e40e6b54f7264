#include "base/utf8.h"

#include "base/span.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Bytes of ASCII at the front, in steps of eight; up to seven may be left over. */
static size_t ascii_prefix(const uint8_t *p, size_t len)
{
    size_t at = 0;

    while (len - at >= 32 && !((load_u64(p + at) | load_u64(p + at + 8) | load_u64(p + at + 16) |
                                load_u64(p + at + 24)) &
                               HIGH_BITS))
        at += 32;
    while (len - at >= 8 && !(load_u64(p + at) & HIGH_BITS))
        at += 8;
    return at;
}

static bool follows(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the character at p, 0 if there is none (Unicode standard, table 3-7). */
static size_t char_len(const uint8_t *p, size_t len)
{
    uint8_t first = p[0], low = 0x80, high = 0xbf;

    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4 || len < 2)
        return 0;
    if (first < 0xe0)
        return follows(p[1]) ? 2 : 0;
    if (first == 0xe0)
        low = 0xa0; /* else overlong */
    else if (first == 0xed)
        high = 0x9f; /* else a surrogate */
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f; /* else above U+10FFFF */
    if (p[1] < low || p[1] > high || len < 3 || !follows(p[2]))
        return 0;
    if (first < 0xf0)
        return 3;
    return len >= 4 && follows(p[3]) ? 4 : 0;
}

size_t utf8_valid_prefix(const void *text, size_t len)
{
    const uint8_t *p = text;
    size_t at = 0;

    while (at < len) {
        size_t n;
        if (p[at] < 0x80 && len - at >= 8)
            at += ascii_prefix(p + at, len - at);
        if (at == len)
            break;
        n = char_len(p + at, len - at);
        if (!n)
            break;
        at += n;
    }
    return at;
}

size_t utf8_put(uint32_t code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (code & 63));
    return 4;
}

size_t utf8_cut(const void *text, size_t len, size_t max)
{
    const uint8_t *p = text;

    if (len <= max)
        return len;
    while (max > 0 && follows(p[max]))
        max--;
    return max;
}
