/* Encoded values made by plain encoders, for tests of decoders: as a body in memory or in a file.
 */
#ifndef DECODE_MADE_H
#define DECODE_MADE_H

#include "chunk_made.h"
#include "format/parquet/dec.h"
#include "testing.h"

static mem *account;
static uint64_t seed = 42;

static inline int setup(void **state)
{
    (void)state;
    account = test_mem_open(64 << 20);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    test_mem_close(account);
    return 0;
}

static inline uint64_t random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1du;
}

static inline uint32_t random_below(uint32_t n)
{
    return n ? (uint32_t)((random_u64() >> 20) % n) : 0;
}

/* The bytes as a body, in memory or in a file (read through windows). */
typedef struct source {
    body b;
    io_file *f;
} source;

static inline source source_of(const made *m, bool in_file)
{
    nrw_error err = NRW_ERROR_INIT;
    source s = {0};
    if (in_file) {
        assert_ok(file_open_memory(account, "made", (span){m->p, m->n}, &s.f, &err), &err);
        s.b = body_file(s.f, 0, m->n);
    } else {
        buffer *b;
        assert_ok(buffer_new(account, m->n, &b, &err), &err);
        if (m->n)
            memcpy(b->data, m->p, m->n);
        s.b = body_memory(b, b->data, m->n);
    }
    return s;
}

static inline void source_close(source *s)
{
    body_release(&s->b);
    file_close(s->f);
}

/* ---- the run-length hybrid ---- */

static inline void pack(made *out, const uint32_t *v, uint32_t n, uint32_t width)
{
    uint64_t bits = 0;
    uint32_t have = 0;
    for (uint32_t i = 0; i < n; i++) {
        bits |= (uint64_t)v[i] << have;
        for (have += width; have >= 8; have -= 8, bits >>= 8)
            made_byte(out, bits & 0xff);
    }
}

static inline void encode_rle(made *out, uint32_t *v, uint32_t n, uint32_t width)
{
    uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;
    for (uint32_t i = 0; i < n;) {
        uint32_t k = 8 * (1 + random_below(random_below(4) ? 6 : 300));
        k = k > n - i ? (n - i) / 8 * 8 : k;
        if (random_below(2) && k) {
            for (uint32_t j = 0; j < k; j++)
                v[i + j] = (uint32_t)random_u64() & mask;
            made_varint(out, (uint64_t)(k / 8) << 1 | 1);
            pack(out, v + i, k, width);
        } else {
            uint32_t value = (uint32_t)random_u64() & mask;
            k = 1 + random_below(n - i < 700 ? n - i : 700);
            for (uint32_t j = 0; j < k; j++)
                v[i + j] = value;
            made_varint(out, (uint64_t)k << 1);
            made_put(out, &value, (width + 7) / 8);
        }
        i += k;
    }
}

static inline void pack_u64(made *out, const uint64_t *v, uint32_t n, uint32_t width)
{
    unsigned __int128 bits = 0;
    uint32_t have = 0;
    for (uint32_t i = 0; i < n; i++) {
        bits |= (unsigned __int128)v[i] << have;
        for (have += width; have >= 8; have -= 8, bits >>= 8)
            made_byte(out, (unsigned)(bits & 0xff));
    }
}

static inline void encode_delta(made *out, const int64_t *v, uint32_t n, uint32_t block,
                                uint32_t minis)
{
    uint32_t per = block / minis;
    made_varint(out, block);
    made_varint(out, minis);
    made_varint(out, n);
    made_zigzag(out, n ? v[0] : 0);
    for (uint32_t i = 1; i < n; i += block) {
        uint64_t d[512] = {0};
        int64_t least = INT64_MAX;
        uint32_t k = n - i < block ? n - i : block;
        for (uint32_t j = 0; j < k; j++) {
            d[j] = (uint64_t)v[i + j] - (uint64_t)v[i + j - 1];
            least = (int64_t)d[j] < least ? (int64_t)d[j] : least;
        }
        made_zigzag(out, least);
        uint32_t width[64] = {0};
        for (uint32_t j = 0; j < k; j++) {
            d[j] -= (uint64_t)least;
            while (width[j / per] < 64 && d[j] >> width[j / per])
                width[j / per]++;
        }
        for (uint32_t m = 0; m < minis; m++)
            made_byte(out, m * per < k ? width[m] : 7); /* of empty ones the width means nothing */
        for (uint32_t m = 0; m * per < k; m++)
            pack_u64(out, d + m * per, per, width[m]);
    }
}

#endif
