/* What the tests of the codecs share: made-up blocks, decoding by stream in given cuts. */
#ifndef CODEC_TESTING_H
#define CODEC_TESTING_H

#include "random.h"
#include "testing.h"

#include "codec/codec.h"

enum { BLOCK_RANDOM, BLOCK_ZERO, BLOCK_WORDS, BLOCK_MIXED, BLOCK_KINDS };

static inline void make_block(int kind, uint8_t *p, size_t n)
{
    static const char words[] = "narrow streams of columns run through small windows of memory ";
    uint64_t seed = (uint64_t)kind * 1000 + n;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next_random(&seed);
        if (kind == BLOCK_RANDOM)
            p[i] = (uint8_t)r;
        else if (kind == BLOCK_ZERO)
            p[i] = 0;
        else if (kind == BLOCK_WORDS)
            p[i] = (uint8_t)words[(i + (r % 61 == 0 ? r >> 8 : 0)) % (sizeof words - 1)];
        else
            p[i] = (uint8_t)(i / 4096 % 2 ? r : (i % 8 ? 0 : i >> 3));
    }
}

/* Decodes src by stream, in_cut and out_cut bytes at a time. */
static inline nrw_status stream_decode(codec_ctx *c, span src, size_t in_cut, size_t out_cut,
                                       uint8_t *dst, size_t dst_len, nrw_error *err)
{
    size_t out = 0, given = 0;
    nrw_status st = c->codec->stream_begin(c, src.len, dst_len, err);
    if (st < 0)
        return st;
    while (given < src.len || out < dst_len) {
        size_t piece = size_min(in_cut, src.len - given), n;
        uint8_t *copy = exact(src.data + given, piece);
        span in = {copy, piece};
        bool moved = piece > 0;
        given += piece;
        do {
            size_t cap = size_min(out_cut, dst_len - out), before = in.len;
            uint8_t *to = exact("", 0);
            to = realloc(to, cap ? cap : 1);
            st = c->codec->stream_step(c, &in, to, cap, &n, err);
            if (st >= 0)
                assert_true(n <= cap && in.len <= before);
            if (st >= 0 && n > 0)
                memcpy(dst + out, to, n);
            free(to);
            out += n;
            moved = moved || n > 0;
        } while (st >= 0 && (in.len > 0 || n > 0));
        free(copy);
        if (st < 0)
            return st;
        if (!moved)
            break;
    }
    return c->codec->stream_end(c, err);
}

#endif
