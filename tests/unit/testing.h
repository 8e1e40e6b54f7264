/* What every unit test includes: cmocka, and an account that must be at zero afterwards. */
#ifndef TESTING_H
#define TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/piece.h"
#include "base/span.h"

/* Fails with the error's sentence where the status is not the one wanted. */
#define assert_status(want, expr, error)                                                           \
    do {                                                                                           \
        nrw_status got_ = (expr);                                                                  \
        if (got_ != (want)) {                                                                      \
            char text_[1200];                                                                      \
            nrw_error_print((error), text_, sizeof text_);                                         \
            fail_msg("%s: status %d, wanted %d: %s", #expr, got_, (int)(want), text_);             \
        }                                                                                          \
    } while (0)

#define assert_ok(expr, error) assert_status(NRW_OK, expr, error)

/* How often something random is tried. Sanitizers take ten times as long: there it is less often,
 * the build without them does it all. */
#ifdef NARROWS_SANITIZED
#define ROUNDS(n) ((n) / 4 + 1)
#else
#define ROUNDS(n) (n)
#endif

static inline mem *test_mem_open(uint64_t limit)
{
    mem *m = NULL;
    nrw_error err = NRW_ERROR_INIT;
    assert_ok(mem_root(limit, &m, &err), &err);
    return m;
}

/* Every byte must have come back. */
static inline void test_mem_close(mem *m)
{
    piece_end(m);
    mem_trim();
    assert_int_equal(mem_used(m), 0);
    mem_free_account(m);
}

/* The bytes in a block of exactly their size, so that the address sanitizer sees every overrun. */
static inline uint8_t *exact(const void *data, size_t n)
{
    uint8_t *p = malloc(n ? n : 1);
    assert_non_null(p);
    if (n > 0)
        memcpy(p, data, n);
    return p;
}

#endif
