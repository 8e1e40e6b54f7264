/* UTF-8 as Unicode defines it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the longest valid beginning: the place of the first wrong byte, or `len`. A
 * character cut off by the end is not part of it. */
size_t utf8_valid_prefix(const void *text, size_t len);

static inline bool utf8_valid(const void *text, size_t len)
{
    return utf8_valid_prefix(text, len) == len;
}

/* The character as UTF-8, returns its bytes: at most 4. */
size_t utf8_put(uint32_t code, uint8_t *out);

/* At most `max` bytes of valid text, cut between characters. */
size_t utf8_cut(const void *text, size_t len, size_t max);

#endif
