/* Snappy: encoded by the library, decoded by snappy_block.c and snappy_stream.c. */
#include "codec/snappy_block.h"
#include "codec/snappy_stream.h"
#include <snappy-c.h>

static size_t snappy_bound(size_t n)
{
    return snappy_max_compressed_length(n);
}

static nrw_status snappy_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len,
                                nrw_error *err)
{
    (void)c;
    if (codec_nothing(src.len, dst_len))
        return NRW_OK;
    return snappy_block_decode(src, dst, dst_len, err);
}

static nrw_status snappy_within(codec_ctx *c, span src, uint8_t *dst, size_t cap, size_t *n,
                                nrw_error *err)
{
    uint64_t len;

    *n = 0;
    if (!snappy_block_length(src, &len))
        return codec_damaged("snappy", err);
    if (len > cap)
        return NRW_END;
    TRY(snappy_decode(c, src, dst, (size_t)len, err));
    *n = (size_t)len;
    return NRW_OK;
}

static bool snappy_beside(const span *src, size_t count, uint8_t *dst, size_t cap, size_t *n)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t len;
        if (!snappy_block_length(src[i], &len) || len > cap)
            return false;
        n[i] = (size_t)len;
        cap -= n[i];
    }
    return snappy_block_decode_beside(src, count, dst, n);
}

/* What the library takes while it encodes: a hash table of 32 KiB, a fragment of 64 KiB and its
 * output, by its own malloc. */
#define SNAPPY_ENCODE_MEM ((uint64_t)192 << 10)

static nrw_status snappy_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap,
                                size_t *n, nrw_error *err)
{
    (void)level;
    *n = 0;
    if (src.len > UINT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a block of %zu bytes is too large for snappy",
                       src.len);
    if (cap < snappy_bound(src.len))
        return err_set(err, NRW_E_ARG, "too little room for a snappy block");
    TRY(mem_reserve(c->m, SNAPPY_ENCODE_MEM, err));
    size_t len = cap;
    snappy_status st = snappy_compress((const char *)src.data, src.len, (char *)dst, &len);
    mem_release(c->m, SNAPPY_ENCODE_MEM);
    if (st != SNAPPY_OK)
        return err_set(err, NRW_E_ARG, "snappy refuses a block of %zu bytes", src.len);
    *n = len;
    return NRW_OK;
}

static uint64_t snappy_encode_mem(int level, size_t block_len)
{
    (void)level;
    (void)block_len;
    return SNAPPY_ENCODE_MEM;
}

static uint64_t snappy_decode_mem(size_t block_len)
{
    (void)block_len;
    return SNAPPY_STREAM_MEM;
}

const codec codec_row_snappy = {
    .name = "snappy",
    .parquet_id = CODEC_SNAPPY,
    .bound = snappy_bound,
    .decode = snappy_decode,
    .decode_within = snappy_within,
    .decode_beside = snappy_beside,
    .encode = snappy_encode,
    .stream_begin = snappy_stream_begin,
    .stream_step = snappy_stream_step,
    .stream_end = snappy_stream_end,
    .encode_mem = snappy_encode_mem,
    .decode_mem = snappy_decode_mem,
    .ctx_free = snappy_stream_free,
};
