#include "codec/codec.h"
#include "codec/internal.h"
#include "kernel/kernel.h"
#include <libdeflate.h>
#include <strings.h>

static const codec *const rows[] = {&codec_row_none,    &codec_row_snappy,    &codec_row_gzip,
                                    &codec_row_zstd,    &codec_row_brotli,    &codec_row_lz4,
                                    &codec_row_lz4_raw, &codec_row_lz4_frame, &codec_row_deflate,
                                    &codec_row_bzip2,   &codec_row_xz};

#define N_ROWS (sizeof rows / sizeof *rows)

const codec *codec_at(size_t i)
{
    return i < N_ROWS ? rows[i] : NULL;
}

const codec *codec_by_id(int parquet_id)
{
    for (size_t i = 0; i < N_ROWS && parquet_id >= 0; i++)
        if (rows[i]->parquet_id == parquet_id)
            return rows[i];
    return NULL;
}

const codec *codec_named(const char *name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(name, rows[i]->name) == 0)
            return rows[i];
    return NULL;
}

static const struct {
    const char *name;
    int id;
} aliases[] = {{"uncompressed", CODEC_NONE}, {"null", CODEC_NONE},      {"zstandard", CODEC_ZSTD},
               {"gz", CODEC_GZIP},           {"deflate", CODEC_GZIP},   {"br", CODEC_BROTLI},
               {"zst", CODEC_ZSTD},          {"lz4_hadoop", CODEC_LZ4}, {"lz4raw", CODEC_LZ4_RAW},
               {"lz4-raw", CODEC_LZ4_RAW}};

const codec *codec_by_name(const char *name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i]->parquet_id >= 0 && strcasecmp(name, rows[i]->name) == 0)
            return rows[i];
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcasecmp(name, aliases[i].name) == 0)
            return codec_by_id(aliases[i].id);
    return NULL;
}

const char *codec_id_name(int parquet_id)
{
    const codec *c = codec_by_id(parquet_id);
    if (c)
        return c->name;
    return parquet_id == CODEC_LZO ? "lzo" : "an unknown codec";
}

codec_ctx codec_ctx_init(const codec *c, mem *m)
{
    return (codec_ctx){.codec = c, .m = m};
}

void codec_ctx_release(codec_ctx *c)
{
    if (c->codec)
        c->codec->ctx_free(c);
    *c = (codec_ctx){0};
}

nrw_status codec_decode_within(codec_ctx *c, span src, uint8_t *dst, size_t cap, size_t *n,
                               nrw_error *err)
{
    if (c->codec->decode_within)
        return c->codec->decode_within(c, src, dst, cap, n, err);
    return codec_by_stream(c, src, CODEC_SIZE_UNKNOWN, dst, cap, n, err);
}

uint32_t codec_crc32(uint32_t crc, const void *data, size_t len)
{
    const kernels *k = kernels_get();
    const size_t whole = k->level < KERNEL_AVX512_VBMI ? 0 : len - len % 64;

    if (whole > 0) /* below that level the library is faster */
        crc = k->crc32(crc, data, whole);
    return len == whole ? crc : libdeflate_crc32(crc, (const uint8_t *)data + whole, len - whole);
}
