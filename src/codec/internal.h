/* What the codecs share: rows, memory given to the libraries, bookkeeping of streams. */
#ifndef CODEC_INTERNAL_H
#define CODEC_INTERNAL_H

#include "codec/codec.h"

extern const codec codec_row_none, codec_row_snappy, codec_row_gzip, codec_row_zstd,
    codec_row_brotli, codec_row_lz4, codec_row_lz4_raw, codec_row_lz4_frame, codec_row_deflate,
    codec_row_bzip2, codec_row_xz;

/* -- Errors, all NRW_E_CORRUPT --------------------------------------------------------------- */
nrw_status codec_damaged(const char *name, nrw_error *err);
/* The block holds `got` bytes, not `want`; got > want stands for "more". */
nrw_status codec_wrong_size(const char *name, uint64_t got, uint64_t want, nrw_error *err);

/* -- A codec's own state in one of the context's slots, zeroed when new ---------------------- */
nrw_status codec_state(codec_ctx *c, void **slot, size_t bytes, nrw_error *err) NRW_CHECKED;
void codec_state_free(codec_ctx *c, void **slot, size_t bytes);

/* -- Memory for libraries that take an allocator. The heap lies inside of a state (it must not move
 * while the library holds it) and is entered before each call of the library; a refusal is kept
 * in st and err, for the library itself only says "no memory". ----------------------------------
 */
typedef struct codec_heap {
    codec_ctx *ctx;
    nrw_error *err;
    nrw_status st;
} codec_heap;

void codec_heap_enter(codec_heap *h, codec_ctx *c, nrw_error *err);
/* For "no memory" by the library: what was refused, or that it had none of its own. */
nrw_status codec_no_memory(const codec_heap *h, const char *name, nrw_error *err);
void *codec_heap_alloc(void *heap, size_t bytes);
void codec_heap_free(void *heap, void *p);

/* -- Streams --------------------------------------------------------------------------------- */
typedef struct codec_flow {
    uint64_t src_len, dst_len; /* as announced; dst_len may be CODEC_SIZE_UNKNOWN */
    uint64_t in, out;          /* so far */
} codec_flow;

/* Takes from *src and writes up to cap bytes; no progress at all means that src is empty or that
 * the stream has ended. */
typedef nrw_status (*codec_pull)(void *state, span *src, uint8_t *dst, size_t cap, size_t *n,
                                 nrw_error *err);

/* Pulls until cap bytes are there or src is empty. Never more than dst_len bytes come out in all;
 * behind them only what belongs to the stream's end may follow. */
nrw_status codec_flow_step(codec_flow *f, const char *name, codec_pull pull, void *state, span *src,
                           uint8_t *dst, size_t cap, size_t *n, nrw_error *err);
/* `complete`: the codec saw its end mark (or has none). */
nrw_status codec_flow_end(const codec_flow *f, const char *name, bool complete, nrw_error *err);

/* A whole block by the codec's own stream, of `announced` bytes or CODEC_SIZE_UNKNOWN; NRW_END: it
 * has more than cap. */
nrw_status codec_by_stream(codec_ctx *c, span src, uint64_t announced, uint8_t *dst, size_t cap,
                           size_t *n, nrw_error *err) NRW_CHECKED;
/* codec.decode of codecs whose library has nothing faster for whole blocks. */
nrw_status codec_decode_by_stream(codec_ctx *c, span src, uint8_t *dst, size_t dst_len,
                                  nrw_error *err) NRW_CHECKED;

/* An empty page is stored as no bytes at all by some writers, whatever its codec. */
static inline bool codec_nothing(uint64_t src_len, uint64_t dst_len)
{
    return src_len == 0 && dst_len == 0;
}

/* What `bytes` may take in an account: its allocator rounds up by at most an eighth. */
static inline uint64_t codec_rounded(uint64_t bytes)
{
    return bytes + bytes / 8 + (16 << 10);
}

#endif
