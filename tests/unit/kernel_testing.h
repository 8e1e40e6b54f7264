/* What the tests of the kernels share: arrays at odd addresses with exactly the slack that the
 * contract gives, and the levels of this CPU beside the scalar one. */
#ifndef KERNEL_TESTING_H
#define KERNEL_TESTING_H

#include "random.h"
#include "testing.h"

#include "kernel/kernel.h"

#define SLACK 64
#define MAX_N 300

/* `n` bytes and slack, the end of the slack being the end of the block. */
typedef struct room {
    uint8_t *base, *at;
    size_t n;
} room;

static inline room room_new(size_t n, uint64_t *seed)
{
    room r = {.n = n};
    size_t odd = next_random(seed) % 9;
    r.base = malloc(odd + n + SLACK);
    assert_non_null(r.base);
    r.at = r.base + odd;
    for (size_t i = 0; i < odd + n + SLACK; i++)
        r.base[i] = (uint8_t)next_random(seed);
    return r;
}

static inline room room_copy(const room *of, uint64_t *seed)
{
    room r = room_new(of->n, seed);
    memcpy(r.at, of->at, of->n);
    return r;
}

static inline void room_free(room *r)
{
    free(r->base);
}

static inline bool bit(const uint8_t *p, size_t i)
{
    return p[i / 8] >> (i % 8) & 1;
}

/* The i-th level above scalar that this CPU has, NULL behind the last. */
static inline const kernels *level_at(int i)
{
    return i + 1 < KERNEL_LEVELS ? kernels_at((kernel_level)(i + 1)) : NULL;
}

static inline const kernels *scalar(void)
{
    return kernels_at(KERNEL_SCALAR);
}

#define SAME(level, what, n, a, b, bytes)                                                          \
    do {                                                                                           \
        if (memcmp(a, b, bytes) != 0)                                                              \
            fail_msg("%s %s differs at n = %zu", (level)->name, what, (size_t)(n));                \
    } while (0)

#define EQUAL(level, what, n, a, b)                                                                \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            fail_msg("%s %s: %lld instead of %lld at n = %zu", (level)->name, what,                \
                     (long long)(a), (long long)(b), (size_t)(n));                                 \
    } while (0)

#endif
