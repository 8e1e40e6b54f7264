/* Times every codec on 1 MiB of a made-up integer column (or of the file given): MB/s of plain
 * bytes encoded, decoded whole, decoded by stream in pieces of 64 KiB. */
#include "codec/codec.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static nrw_status by_stream(codec_ctx *c, span src, uint8_t *dst, size_t len, nrw_error *err)
{
    size_t out = 0, n = 0;
    TRY(c->codec->stream_begin(c, src.len, len, err));
    while (src.len > 0 || out < len) {
        span piece = {src.data, size_min(src.len, 65536)};
        size_t given = piece.len;
        TRY(c->codec->stream_step(c, &piece, dst + out, size_min(len - out, 65536), &n, err));
        src.data += given - piece.len;
        src.len -= given - piece.len;
        out += n;
        if (n == 0 && given == piece.len)
            break;
    }
    return c->codec->stream_end(c, err);
}

typedef enum way { ENCODE, WHOLE, STREAM } way;

static double rate(codec_ctx *c, way how, int level, span plain, uint8_t *packed, size_t *len,
                   uint8_t *out)
{
    double best = 0, until = now() + 0.3;
    do {
        nrw_error err = NRW_ERROR_INIT;
        double start = now();
        nrw_status st;
        if (how == ENCODE)
            st = c->codec->encode(c, level, plain, packed, c->codec->bound(plain.len), len, &err);
        else if (how == WHOLE)
            st = c->codec->decode(c, (span){packed, *len}, out, plain.len, &err);
        else
            st = by_stream(c, (span){packed, *len}, out, plain.len, &err);
        if (st < 0) {
            fprintf(stderr, "%s: %s\n", c->codec->name, err.message);
            exit(1);
        }
        double speed = (double)plain.len / (now() - start) / 1e6;
        best = speed > best ? speed : best;
    } while (now() < until);
    return best;
}

static uint8_t *load(const char *path, size_t *n)
{
    uint8_t *p = malloc((size_t)1 << 24);
    *n = (size_t)1 << 20;
    if (!p)
        exit(1);
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (f) {
        *n = fread(p, 1, (size_t)1 << 24, f);
        fclose(f);
        return p;
    }
    uint64_t r = 1, v = 1000;
    for (size_t i = 0; i < *n; i += 8) {
        r = r * 6364136223846793005u + 1442695040888963407u;
        v += r >> 58;
        store_u64(p + i, v);
    }
    return p;
}

int main(int argc, char **argv)
{
    mem *m;
    size_t n, len = 0;
    uint8_t *data = load(argc > 1 ? argv[1] : NULL, &n), *out = malloc(n);
    if (!out || mem_root(MEM_NO_LIMIT, &m, NULL) < 0)
        return 1;
    printf("%-10s %5s %8s %10s %10s %10s\n", "codec", "level", "ratio", "encode", "whole",
           "stream");
    for (size_t i = 0; codec_at(i); i++) {
        codec_ctx c = codec_ctx_init(codec_at(i), m);
        int level = codec_at(i)->default_level;
        uint8_t *packed = malloc(codec_at(i)->bound(n));
        if (!packed)
            return 1;
        double e = rate(&c, ENCODE, level, (span){data, n}, packed, &len, out);
        double w = rate(&c, WHOLE, level, (span){data, n}, packed, &len, out);
        double s = rate(&c, STREAM, level, (span){data, n}, packed, &len, out);
        printf("%-10s %5d %8.3f %10.0f %10.0f %10.0f\n", codec_at(i)->name, level,
               (double)len / (double)n, e, w, s);
        free(packed);
        codec_ctx_release(&c);
    }
    return 0;
}
