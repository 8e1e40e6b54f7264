/* Bytes that somebody else owns and their order, checked arithmetic on sizes that data name,
 * unaligned loads. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct span {
    const uint8_t *data;
    size_t len;
} span;

/* The characters of a text that ends in 0. */
static inline span span_of(const char *text)
{
    return (span){(const uint8_t *)text, strlen(text)};
}

static inline bool span_equal(span a, span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool span_is(span s, const char *text)
{
    return span_equal(s, span_of(text));
}

#define SPAN(array) ((span){(const uint8_t *)(array), sizeof(array)})

static inline uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* The same, whatever the case of ASCII letters. */
static inline bool span_alike(span a, span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

/* Whether s is this word, whatever the case of ASCII letters. */
static inline bool span_is_word(span s, const char *word)
{
    return span_alike(s, span_of(word));
}

/* < 0, 0, > 0: byte by byte, unsigned; what begins like another one and is longer comes behind. */
static inline int span_compare(span a, span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;

    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* Behind its last byte; of an empty one, which may have no address, where it begins. */
static inline const uint8_t *span_end(span s)
{
    return s.len ? s.data + s.len : s.data;
}

/* Without its first n bytes. Of an empty one, which may have no address, none are. */
static inline void span_skip(span *s, size_t n)
{
    if (n) {
        s->data += n;
        s->len -= n;
    }
}

static inline bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline uint32_t load_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store_u32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void store_u64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

#endif
