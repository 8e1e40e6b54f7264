/* What the tests of the kernels share: arrays at odd addresses with exactly the slack that the
 * contract gives, between pages that nobody may touch, and the levels of this CPU beside the scalar
 * one. */
#ifndef KERNEL_TESTING_H
#define KERNEL_TESTING_H

#include "random.h"
#include "testing.h"

#include "kernel/kernel.h"

#include <sys/mman.h>

#define SLACK 64
#define MAX_N 300
#define PLACE ((size_t)64 << 10) /* of a place, a multiple of every system's page */

/* `n` bytes and, as a rule, slack: they end where the place ends, or, one in four, begin where it
 * begins. What lies beyond is not mapped. */
typedef struct room {
    uint8_t *base, *at;
    size_t n;
} room;

/* Places are used again, so that few are made. */
static uint8_t *spare_places[16];
static size_t n_spare_places;

static inline uint8_t *place_new(void)
{
    if (n_spare_places > 0)
        return spare_places[--n_spare_places];
    uint8_t *p = mmap(NULL, 3 * PLACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    assert_int_equal(mprotect(p + PLACE, PLACE, PROT_READ | PROT_WRITE), 0);
    return p + PLACE;
}

static inline void fill_random(uint8_t *p, size_t n, uint64_t *seed)
{
    for (; n >= 8; n -= 8, p += 8)
        store_u64(p, next_random(seed));
    for (uint64_t r = next_random(seed); n > 0; n--, r >>= 8)
        *p++ = (uint8_t)r;
}

static inline room room_with(size_t n, size_t slack, uint64_t *seed)
{
    assert_true(n + slack <= PLACE);
    room r = {.base = place_new(), .n = n};
    r.at = next_random(seed) % 4 == 0 ? r.base : r.base + PLACE - slack - n;
    fill_random(r.at, n + slack, seed);
    return r;
}

static inline room room_new(size_t n, uint64_t *seed)
{
    return room_with(n, SLACK, seed);
}

static inline room room_copy(const room *of, uint64_t *seed)
{
    room r = room_new(of->n, seed);
    memcpy(r.at, of->at, of->n);
    return r;
}

static inline void room_free(room *r)
{
    assert_true(n_spare_places < sizeof spare_places / sizeof *spare_places);
    spare_places[n_spare_places++] = r->base;
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
