#include "expr/text.h"

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
