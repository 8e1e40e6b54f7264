/* Asking for memory ahead of its use. */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* For functions that do nothing else. To gcc they are without effect: a call that is not inlined is
 * dropped, prefetches and all. */
#define FETCHES static inline __attribute__((always_inline)) void

#define FETCH_LINE 64u

/* The cache lines of p[0..bytes). */
FETCHES fetch_bytes(const uint8_t *p, size_t bytes)
{
    for (const uint8_t *at = p - ((uintptr_t)p & (FETCH_LINE - 1)); at < p + bytes;
         at += FETCH_LINE)
        __builtin_prefetch(at);
}

#endif
