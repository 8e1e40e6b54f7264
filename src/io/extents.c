#include "io/extents.h"

#define EXTENT_MIN ((uint64_t)256 << 10)

void extents_init(extents *x)
{
    *x = (extents){.size = EXTENT_MIN};
}

static uint64_t *slot(extents *x, uint64_t extent)
{
    return &x->live[extent % EXTENTS];
}

/* Two extents become one. An odd first one is joined by its dead neighbour. */
static void double_size(extents *x)
{
    uint64_t merged[EXTENTS / 2 + 1] = {0}, base = x->first / 2;

    for (uint64_t i = x->first; i < x->first + EXTENTS; i++) {
        merged[i / 2 - base] += *slot(x, i);
        *slot(x, i) = 0;
    }
    x->size *= 2;
    x->first = base;
    for (uint64_t i = 0; i <= EXTENTS / 2; i++)
        *slot(x, base + i) = merged[i];
}

/* Adds `len` bytes at `offset` to their extents, or takes them out. */
static void count(extents *x, uint64_t offset, uint64_t len, bool add)
{
    while (len) {
        uint64_t room = x->size - offset % x->size, n = len < room ? len : room;
        *slot(x, offset / x->size) += add ? n : -n;
        offset += n;
        len -= n;
    }
}

uint64_t extents_take(extents *x, uint64_t len)
{
    uint64_t offset = x->end;

    while ((offset + len) / x->size >= x->first + EXTENTS) {
        while (x->first < offset / x->size && !*slot(x, x->first))
            x->first++;
        if ((offset + len) / x->size >= x->first + EXTENTS)
            double_size(x);
    }
    count(x, offset, len, true);
    x->end += len;
    return offset;
}

bool extents_give(extents *x, uint64_t offset, uint64_t len, uint64_t *from, uint64_t *to)
{
    uint64_t low = offset / x->size, high = (offset + len + x->size - 1) / x->size;
    uint64_t sealed = x->end / x->size;

    if (!len)
        return false;
    count(x, offset, len, false);
    /* only the outermost two can still hold something else */
    if (*slot(x, low) || low >= sealed)
        low++;
    if (high > low && (high > sealed || *slot(x, high - 1)))
        high--;
    if (high > sealed)
        high = sealed;
    *from = low * x->size;
    *to = high * x->size;
    return high > low;
}

static bool is_dead(extents *x, uint64_t extent)
{
    return extent < x->first || !*slot(x, extent);
}

bool extents_dead(extents *x, uint64_t at, uint64_t *from, uint64_t *to)
{
    uint64_t i = (at + x->size - 1) / x->size, sealed = x->end / x->size;

    while (i < sealed && !is_dead(x, i))
        i++;
    *from = i * x->size;
    while (i < sealed && is_dead(x, i))
        i++;
    *to = i * x->size;
    return *to > *from;
}
