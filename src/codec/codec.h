/* Compression codecs: one table over the libraries. A codec is a row; adding one is a file and a
 * row in codec.c.
 *
 * All calls are thread-safe on different contexts. A context (codec_ctx) keeps what the library
 * wants to keep between calls (zstd's tables), charged to the account given; it belongs to one
 * thread at a time and serves one codec. */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include "base/mem.h"
#include "base/span.h"

typedef struct codec codec;
typedef struct codec_ctx codec_ctx;

/* Parquet's ids (format/parquet.thrift, CompressionCodec) */
enum {
    CODEC_NONE = 0,
    CODEC_SNAPPY = 1,
    CODEC_GZIP = 2,
    CODEC_LZO = 3, /* not in the table */
    CODEC_BROTLI = 4,
    CODEC_LZ4 = 5, /* Hadoop frames, or bare blocks and LZ4 frames that some writers put there */
    CODEC_ZSTD = 6,
    CODEC_LZ4_RAW = 7,
    CODEC_NOT_PARQUET = -1 /* of rows that Parquet has no number for */
};

/* For streams whose decoded size nobody says. */
#define CODEC_SIZE_UNKNOWN UINT64_MAX

/* What a block holds, for encoders to which that makes a difference. */
typedef enum codec_content {
    CODEC_ANY,
    CODEC_NUMBERS, /* of `width` bytes each, or packed bits (width 0) */
    CODEC_PLANES   /* the first bytes of all numbers of `width` bytes, then all second ones ... */
} codec_content;

typedef struct codec_hint {
    codec_content content;
    uint32_t width;
    size_t skip; /* bytes in front of the numbers, at most the block's */
} codec_hint;

#define CODEC_BESIDE 4 /* blocks that may be decoded at a time */

struct codec {
    const char *name; /* "zstd" */
    int parquet_id;
    int default_level, min_level, max_level; /* equal: levels are ignored */
    /* Largest encoded size of n bytes. */
    size_t (*bound)(size_t n);
    /* Whole block, decoded size known: fills exactly dst_len bytes or fails NRW_E_CORRUPT. */
    nrw_status (*decode)(codec_ctx *c, span src, uint8_t *dst, size_t dst_len, nrw_error *err);
    /* Whole block whose decoded size is not known: *n bytes, at most cap. NRW_END: it has more.
     * NULL: see codec_decode_within. */
    nrw_status (*decode_within)(codec_ctx *c, span src, uint8_t *dst, size_t cap, size_t *n,
                                nrw_error *err);
    /* Up to CODEC_BESIDE blocks as decode_within has each, one behind the other, in less time than
     * one after the other. False: one of them fails, or there is too little room; they are then
     * tried alone. NULL: the codec has no such way. */
    bool (*decode_beside)(const span *src, size_t count, uint8_t *dst, size_t cap, size_t *n);
    /* cap >= bound(src.len). The result depends on src, level and the context's hint alone. Windows
     * never exceed src.len. */
    nrw_status (*encode)(codec_ctx *c, int level, span src, uint8_t *dst, size_t cap, size_t *n,
                         nrw_error *err);
    /* Decoding by stream, in any cuts, for blocks that do not fit in memory. What the window
     * takes is charged when it is known; a window over the grant is NRW_E_MEMLIMIT that names
     * the size. begin resets. step consumes from *src (advancing it) and writes up to cap bytes,
     * never more than dst_len in all; *n == 0 with src empty means: give more. The caller steps
     * until src_len bytes were given and dst_len bytes came out (a stream's end mark may lie
     * behind its last byte: cap may be 0 then); end says whether all was there and nothing
     * followed, and frees the stream's memory. With dst_len CODEC_SIZE_UNKNOWN the stream's own end
     * counts; the caller then steps until nothing more comes. After a failed step only end (for the
     * memory), begin or release may follow. */
    nrw_status (*stream_begin)(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err);
    nrw_status (*stream_step)(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err);
    nrw_status (*stream_end)(codec_ctx *c, nrw_error *err);
    /* Bytes that encode / decode / a stream of this codec charge at most at `level` for blocks of
     * block_len (decode: of foreign blocks whose window is at most block_len). For plan. */
    uint64_t (*encode_mem)(int level, size_t block_len);
    uint64_t (*decode_mem)(size_t block_len);
    /* What decoding a block with these first bytes (64 will do) takes at most; 0: they do not tell.
     * NULL: it does not depend on the block. */
    uint64_t (*frame_mem)(codec_ctx *c, span head);
    void (*ctx_free)(codec_ctx *c);
};

struct codec_ctx {
    const codec *codec;
    mem *m;
    codec_hint hint;                  /* of the block to be encoded; the caller's to set */
    void *encoder, *decoder, *stream; /* the codec's own, created when first used */
    uint64_t charged;
};

const codec *codec_by_id(int parquet_id); /* NULL: not supported */
/* As decode_within; of codecs that lack it by stream. */
nrw_status codec_decode_within(codec_ctx *c, span src, uint8_t *dst, size_t cap, size_t *n,
                               nrw_error *err) NRW_CHECKED;
/* A row by its exact name: deflate, bzip2 and xz, too, which Parquet lacks. */
const codec *codec_named(const char *name);
/* Of those that Parquet has. Also uncompressed, null, zstandard, lz4_raw ...; case ignored. */
const codec *codec_by_name(const char *name);
/* "snappy", "zstd" ... of any Parquet id, also unsupported ones ("lzo"); "codec 9" is never NULL */
const char *codec_id_name(int parquet_id);
/* i-th row, NULL past the end: for help texts. */
const codec *codec_at(size_t i);

codec_ctx codec_ctx_init(const codec *c, mem *m);
void codec_ctx_release(codec_ctx *c);

/* CRC-32 (IEEE, as gzip): Parquet pages, spill frames. */
uint32_t codec_crc32(uint32_t crc, const void *data, size_t len);

#endif
