/* Reference-counted byte buffers, charged to an account while they live, not written after they
 * were shared; and a growing byte buffer with a stated maximum. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/mem.h"
#include "base/span.h"
#include <stdatomic.h>

typedef struct buffer {
    _Atomic uint32_t refs;
    uint8_t *data;
    size_t len;     /* bytes in use, at most cap */
    size_t cap;     /* at least 64 readable bytes of slack lie behind cap, for wide loads */
    size_t dropped; /* bytes in front of data (buffer_drop_front) */
    mem *m;
} buffer;

#define BUFFER_SLACK 64

nrw_status buffer_new(mem *m, size_t cap, buffer **out, nrw_error *err) NRW_CHECKED;
/* NULL instead of an error when the grant is used up. */
buffer *buffer_try_new(mem *m, size_t cap);
/* Another capacity for a buffer that nobody else holds; large ones grow without a copy. *b stays
 * valid on failure. */
nrw_status buffer_resize(buffer **b, size_t cap, nrw_error *err) NRW_CHECKED;
/* The first n bytes are no longer its content, nor counted by its capacity; n at most len. Nobody
 * else holds it. */
void buffer_drop_front(buffer *b, size_t n);
/* What a buffer of this capacity takes in the books. */
uint64_t buffer_cost(size_t cap);
buffer *buffer_ref(buffer *b);
void buffer_unref(buffer *b); /* NULL is fine */

/* Growing bytes. All zero is a valid empty one once `m` and `max` are set. */
typedef struct bytes {
    uint8_t *data;
    size_t len, cap, max;
    mem *m;
} bytes;

static inline bytes bytes_init(mem *m, size_t max)
{
    return (bytes){.m = m, .max = max};
}
/* Room for `more` bytes behind len; fails at max or at the grant. */
nrw_status bytes_reserve(bytes *b, size_t more, nrw_error *err) NRW_CHECKED;
nrw_status bytes_append(bytes *b, const void *data, size_t len, nrw_error *err) NRW_CHECKED;
/* Between quotes, those in the text doubled. */
nrw_status bytes_quote(bytes *b, span text, char quote, nrw_error *err) NRW_CHECKED;
nrw_status bytes_printf(bytes *b, nrw_error *err, const char *fmt, ...) PRINTF_LIKE(3, 4);
void bytes_clear(bytes *b); /* len = 0, keeps the memory */
void bytes_release(bytes *b);

#endif
