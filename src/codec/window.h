/* The output of a Lempel-Ziv stream on its way out: the last 64 KiB, which copies may refer to, and
 * what was not handed on yet. Twice the history, so that it slides once in 64 KiB. */
#ifndef CODEC_WINDOW_H
#define CODEC_WINDOW_H

#include "base/span.h"

#define WINDOW_HISTORY ((size_t)64 << 10)
#define WINDOW_SIZE    (2 * WINDOW_HISTORY)
/* Behind it, for copies in whole steps. */
#define WINDOW_PAD   ((size_t)64)
#define WINDOW_BYTES (WINDOW_SIZE + WINDOW_PAD)

typedef struct window {
    uint8_t *buf; /* WINDOW_BYTES */
    size_t pos;   /* end of what was decoded */
    size_t out;   /* end of what was handed on */
} window;

static inline size_t window_room(const window *w)
{
    return WINDOW_SIZE - w->pos;
}

/* Moves up to cap bytes out; makes room once all are out. */
static inline size_t window_drain(window *w, uint8_t *dst, size_t cap)
{
    size_t n = size_min(cap, w->pos - w->out);
    if (n > 0)
        memcpy(dst, w->buf + w->out, n);
    w->out += n;
    if (w->pos == WINDOW_SIZE && w->out == w->pos) {
        memcpy(w->buf, w->buf + WINDOW_HISTORY, WINDOW_HISTORY);
        w->pos = w->out = WINDOW_HISTORY;
    }
    return n;
}

/* Up to *left bytes from src; all three shrink. */
static inline void window_literal(window *w, span *src, uint64_t *left)
{
    size_t n = size_min(src->len, window_room(w));
    if (n > *left)
        n = (size_t)*left;
    if (n > 0)
        memcpy(w->buf + w->pos, src->data, n);
    w->pos += n;
    span_skip(src, n);
    *left -= n;
}

/* n bytes from `offset` back, in whole steps: up to 15 more are written. */
static inline void copy_back(uint8_t *to, size_t offset, size_t n)
{
    const uint8_t *from = to - offset;
    if (offset >= 16) {
        for (size_t i = 0; i < n; i += 16)
            memcpy(to + i, from + i, 16);
        return;
    }
    /* A pattern shorter than a step is doubled until it is long enough: `from` stays, the distance
     * to it grows by multiples of the period. */
    while (offset < 8 && n > 0) {
        size_t step = size_min(offset, n);
        for (size_t i = 0; i < step; i++)
            to[i] = from[i];
        to += step;
        n -= step;
        offset += offset;
    }
    for (size_t i = 0; i < n; i += 8)
        memcpy(to + i, from + i, 8);
}

/* Up to *left bytes from `offset` back, which lies in the window (checked by the caller). */
static inline void window_copy(window *w, size_t offset, uint64_t *left)
{
    size_t n = window_room(w);
    if (n > *left)
        n = (size_t)*left;
    copy_back(w->buf + w->pos, offset, n);
    w->pos += n;
    *left -= n;
}

#endif
