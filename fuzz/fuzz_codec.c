/* Codecs. The first bytes choose: codec, mode, announced size, cuts; the rest is a compressed
 * stream (mode decode: whole and by stream must agree) or a plain block (mode round trip). */
#include "codec/codec.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUT ((size_t)1 << 16)

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static nrw_status by_stream(codec_ctx *c, span src, size_t in_cut, size_t out_cut, uint8_t *dst,
                            size_t len)
{
    size_t out = 0, given = 0, n;
    TRY(c->codec->stream_begin(c, src.len, len, NULL));
    while (given < src.len || out < len) {
        span piece = {src.data + given, size_min(in_cut, src.len - given)};
        bool moved = piece.len > 0;
        given += piece.len;
        do {
            size_t cap = size_min(out_cut, len - out);
            TRY(c->codec->stream_step(c, &piece, dst + out, cap, &n, NULL));
            check(n <= cap);
            out += n;
            moved = moved || n > 0;
        } while (piece.len > 0 || n > 0);
        if (!moved)
            break;
    }
    return c->codec->stream_end(c, NULL);
}

/* Where one way may fail and the other not: far copies of snappy; gzip and zstd, whose two decoders
 * are not the same code and differ in what damage they let pass. */
static bool may_differ(const codec *k, nrw_status whole, nrw_status stream)
{
    if (k->parquet_id == CODEC_SNAPPY)
        return whole == NRW_OK && stream == NRW_E_UNSUPPORTED;
    return k->parquet_id == CODEC_GZIP || k->parquet_id == CODEC_ZSTD;
}

/* A block beside itself: as it is alone. */
static void decode_beside(codec_ctx *c, span src, size_t count, const uint8_t *plain, size_t len,
                          bool sound)
{
    span same[CODEC_BESIDE];
    uint8_t *all = malloc(count * len + 1);
    size_t n[CODEC_BESIDE];

    check(all);
    for (size_t i = 0; i < count; i++)
        same[i] = src;
    check((c->codec->decode_beside(same, count, all, count * len, n) && n[0] == len) == sound);
    for (size_t i = 0; sound && len && i < count; i++)
        check(memcmp(all + i * len, plain, len) == 0);
    free(all);
}

static void decode(codec_ctx *c, span src, size_t len, size_t in_cut, size_t out_cut)
{
    uint8_t *packed = malloc(src.len ? src.len : 1);
    uint8_t *a = malloc(len ? len : 1), *b = malloc(len ? len : 1);
    check(packed && a && b);
    if (src.len)
        memcpy(packed, src.data, src.len);
    src.data = packed;
    nrw_status whole = c->codec->decode(c, src, a, len, NULL);
    nrw_status stream = by_stream(c, src, in_cut, out_cut, b, len);
    for (size_t n = 1; n <= CODEC_BESIDE && c->codec->decode_beside && src.len > 0; n++)
        decode_beside(c, src, n, a, len, whole == NRW_OK);
    if (whole == NRW_OK && stream == NRW_OK)
        check(len == 0 || memcmp(a, b, len) == 0);
    else if ((whole == NRW_OK) != (stream == NRW_OK))
        check(may_differ(c->codec, whole, stream));
    free(packed);
    free(a);
    free(b);
}

static void round_trip(codec_ctx *c, int level, span plain, size_t in_cut, size_t out_cut)
{
    size_t cap = c->codec->bound(plain.len), n;
    uint8_t *packed = malloc(cap ? cap : 1), *back = malloc(plain.len ? plain.len : 1);
    check(packed && back);
    check(c->codec->encode(c, level, plain, packed, cap, &n, NULL) == NRW_OK);
    check(c->codec->decode(c, (span){packed, n}, back, plain.len, NULL) == NRW_OK);
    check(plain.len == 0 || memcmp(back, plain.data, plain.len) == 0);
    check(by_stream(c, (span){packed, n}, in_cut, out_cut, back, plain.len) == NRW_OK);
    check(plain.len == 0 || memcmp(back, plain.data, plain.len) == 0);
    free(packed);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 6)
        return 0;
    mem *m;
    if (mem_root((uint64_t)64 << 20, &m, NULL) < 0)
        return 0;
    const codec *k = codec_at((data[0] & 15) % 7);
    codec_ctx c = codec_ctx_init(k, m);
    size_t len = (data[1] | (size_t)data[2] << 8) % MAX_OUT;
    size_t in_cut = 1 + data[3] * (size_t)(data[3] & 1 ? 1 : 97);
    size_t out_cut = 1 + data[4] * (size_t)(data[4] & 1 ? 1 : 97);
    span rest = {data + 6, size - 6};
    if (data[0] & 16) {
        int levels = k->max_level - k->min_level + 1;
        int level = k->min_level + data[5] % (levels > 12 ? 12 : levels);
        round_trip(&c, level, rest, in_cut, out_cut);
    } else {
        decode(&c, rest, len, in_cut, out_cut);
    }
    codec_ctx_release(&c);
    mem_trim();
    check(mem_used(m) == 0);
    mem_free_account(m);
    return 0;
}
