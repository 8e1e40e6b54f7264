/* Bytes as they are. */
#include "codec/internal.h"

static size_t none_bound(size_t n)
{
    return n;
}

static nrw_status none_decode(codec_ctx *c, span src, uint8_t *dst, size_t dst_len, nrw_error *err)
{
    (void)c;
    if (src.len != dst_len)
        return codec_wrong_size("uncompressed", src.len, dst_len, err);
    if (dst_len > 0)
        memcpy(dst, src.data, dst_len);
    return NRW_OK;
}

static nrw_status none_encode(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap,
                              size_t *n, nrw_error *err)
{
    (void)c;
    (void)level;
    *n = 0;
    if (cap < src.len)
        return err_set(err, NRW_E_ARG, "too little room for %zu bytes", src.len);
    if (src.len > 0)
        memcpy(dst, src.data, src.len);
    *n = src.len;
    return NRW_OK;
}

static nrw_status none_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    TRY(codec_state(c, &c->stream, sizeof(codec_flow), err));
    *(codec_flow *)c->stream = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    return NRW_OK;
}

static nrw_status none_pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n,
                            nrw_error *err)
{
    (void)state;
    (void)err;
    *n = size_min(src->len, cap);
    if (*n > 0)
        memcpy(dst, src->data, *n);
    span_skip(src, *n);
    return NRW_OK;
}

static nrw_status none_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                            nrw_error *err)
{
    return codec_flow_step(c->stream, "uncompressed", none_pull, NULL, src, dst, cap, n, err);
}

static void none_free(codec_ctx *c)
{
    codec_state_free(c, &c->stream, sizeof(codec_flow));
}

static nrw_status none_end(codec_ctx *c, nrw_error *err)
{
    nrw_status st = codec_flow_end(c->stream, "uncompressed", true, err);
    none_free(c);
    return st;
}

static uint64_t none_encode_mem(int level, size_t block_len)
{
    (void)level;
    (void)block_len;
    return 0;
}

static uint64_t none_decode_mem(size_t block_len)
{
    (void)block_len;
    return 64;
}

const codec codec_row_none = {
    .name = "none",
    .parquet_id = CODEC_NONE,
    .bound = none_bound,
    .decode = none_decode,
    .encode = none_encode,
    .stream_begin = none_begin,
    .stream_step = none_step,
    .stream_end = none_end,
    .encode_mem = none_encode_mem,
    .decode_mem = none_decode_mem,
    .ctx_free = none_free,
};
