/* The output of a Lempel-Ziv stream on its way out: the last 64 KiB, which copies may refer to, and
 * what was not handed on yet. Twice the history, so that it slides once in 64 KiB. */
#ifndef CODEC_WINDOW_H
#define CODEC_WINDOW_H

#include "base/span.h"

#define WINDOW_HISTORY ((size_t)64 << 10)
#define WINDOW_SIZE    (2 * WINDOW_HISTORY)

typedef struct window {
    uint8_t *buf; /* WINDOW_SIZE bytes */
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
    src->data += n;
    src->len -= n;
    *left -= n;
}

/* Up to *left bytes from `offset` back, which lies in the window (checked by the caller). */
static inline void window_copy(window *w, size_t offset, uint64_t *left)
{
    size_t n = window_room(w);
    if (n > *left)
        n = (size_t)*left;
    uint8_t *to = w->buf + w->pos;
    if (offset >= n)
        memcpy(to, to - offset, n);
    else
        for (size_t i = 0; i < n; i++)
            to[i] = to[i - offset];
    w->pos += n;
    *left -= n;
}

#endif
