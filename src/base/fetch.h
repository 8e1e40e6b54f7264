/* Asking for memory ahead of its use. */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* For functions that do nothing else. To gcc they are without effect: a call that is not inlined is
 * dropped, prefetches and all. */
#define FETCHES static inline __attribute__((always_inline)) void

#define FETCH_LINE 64u

/* The cache lines of p[0..bytes), bytes > 0: as many calls wherever p lies, so that their number
 * can be foreseen. */
FETCHES fetch_bytes(const uint8_t *p, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += FETCH_LINE)
        __builtin_prefetch(p + at);
    __builtin_prefetch(p + bytes - 1);
}

#endif
