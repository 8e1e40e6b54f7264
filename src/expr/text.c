#include "expr/text.h"

size_t char_put(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

size_t text_chars(span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += (s.data[i] & 0xc0) != 0x80;
    return n;
}

size_t text_byte_of(span s, size_t n)
{
    size_t at = 0;

    for (; n > 0 && at < s.len; n--)
        at += char_len(text_from(s, at));
    return at;
}

size_t text_find(span s, span needle)
{
    const void *p;

    if (needle.len == 0)
        return 0;
    p = memmem(s.data, s.len, needle.data, needle.len);
    return p ? (size_t)((const uint8_t *)p - s.data) : SIZE_MAX;
}
