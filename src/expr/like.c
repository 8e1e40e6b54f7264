/* LIKE: % is any text, _ one character. There is no escape character. */
#include "expr/own.h"

like like_of(span pattern)
{
    like l = {.pattern = pattern, .prefix = {pattern.data, 0}};

    while (l.prefix.len < pattern.len && pattern.data[l.prefix.len] != '%' &&
           pattern.data[l.prefix.len] != '_')
        l.prefix.len++;
    l.exact = l.prefix.len == pattern.len;
    l.tail = l.prefix.len + 1 == pattern.len && pattern.data[l.prefix.len] == '%';
    return l;
}

/* Bytes of the character at the start of s, at most what there is. */
static size_t character(const uint8_t *s, size_t len)
{
    size_t n = 1;

    while (n < len && (s[n] & 0xC0) == 0x80)
        n++;
    return n;
}

/* Goes forward; at a mismatch the last % takes one character more. */
static bool matches(const uint8_t *p, size_t n, const uint8_t *s, size_t len)
{
    size_t i = 0, j = 0, after = SIZE_MAX, from = 0;

    while (j < len) {
        if (i < n && p[i] == '%') {
            after = ++i;
            from = j;
        } else if (i < n && p[i] == '_') {
            i++;
            j += character(s + j, len - j);
        } else if (i < n && p[i] == s[j]) {
            i++;
            j++;
        } else if (after != SIZE_MAX) {
            i = after;
            j = from += character(s + from, len - from);
        } else {
            return false;
        }
    }
    while (i < n && p[i] == '%')
        i++;
    return i == n;
}

bool like_matches(const like *l, span text)
{
    size_t n = l->prefix.len;

    if (text.len < n || memcmp(text.data, l->prefix.data, n) != 0)
        return false;
    if (l->exact)
        return text.len == n;
    return l->tail || matches(l->pattern.data + n, l->pattern.len - n, text.data + n, text.len - n);
}
