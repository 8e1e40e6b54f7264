/* Object container files: header, blocks, sync markers, codecs ("Object Container Files" of the
 * specification). Internal to the Avro folder. */
#ifndef AVRO_CONTAINER_H
#define AVRO_CONTAINER_H

#include "base/arena.h"
#include "base/buffer.h"
#include "codec/codec.h"
#include "io/file.h"

#define AV_SYNC 16

typedef struct av_key_value {
    const char *key;
    span value;
} av_key_value;

typedef struct av_header {
    span schema;            /* JSON */
    const char *codec_name; /* as the file spells it; "null" where it says nothing */
    const codec *codec;
    bool crc; /* a CRC-32 of the plain bytes stands behind each block */
    uint8_t sync[AV_SYNC];
    uint64_t end; /* file offset of the first block */
    uint32_t n;   /* key-value pairs, all of them */
    av_key_value *at;
} av_header;

/* A codec by its name in avro.codec; NULL: it has none. */
const codec *av_codec_named(const char *avro, bool *crc);
/* The name in avro.codec; NULL: it is not one of Avro's. */
const char *av_codec_name(const codec *c);

/* All in the arena. NRW_E_CORRUPT: not an Avro file, or a broken header; NRW_E_UNSUPPORTED: a codec
 * that is not known, or keys and values of more than 16 MiB. */
nrw_status av_header_read(arena *a, io_file *f, av_header *out, nrw_error *err) NRW_CHECKED;

typedef struct av_block {
    int64_t number;
    uint64_t at;   /* of its two numbers in the file */
    uint64_t data; /* of its bytes, `size` of them; the marker is behind them */
    uint64_t size;
    int64_t rows;
    bool cut; /* it announces more bytes: a marker, or the end of the file, comes before */
} av_block;

/* Walks the blocks: only their headers and the markers in front of them are read. */
typedef struct av_walk {
    io_file *file;
    const av_header *header;
    uint64_t at; /* of the marker in front of the next block */
    int64_t number;
    span seen; /* bytes of the file at `seen_at`, which need not be read once more */
    uint64_t seen_at;
} av_walk;
av_walk av_walk_init(io_file *f, const av_header *h);
/* NRW_END behind the last block, once its marker was checked. Sizes lie in the file, rows are at
 * most INT32_MAX. */
nrw_status av_walk_next(av_walk *w, av_block *out, nrw_error *err) NRW_CHECKED;
/* After a failure: goes to the next marker behind `from`. NRW_END: there is none. */
nrw_status av_walk_resync(av_walk *w, uint64_t from, nrw_error *err) NRW_CHECKED;
/* The block at `at`, whatever stands in front of it. */
nrw_status av_block_at(const av_walk *w, uint64_t at, av_block *out, nrw_error *err) NRW_CHECKED;
/* Whether the file has its marker there. */
nrw_status av_marker_at(const av_walk *w, uint64_t at, bool *is, nrw_error *err) NRW_CHECKED;
/* A block's numbers at the start of `head`: bytes they take; 0: there is no whole valid pair. */
size_t av_block_numbers(span head, int64_t *rows, int64_t *size);

/* Bytes of a whole block as stored, to *n plain ones; NRW_END: they are more than cap. */
nrw_status av_unpack(const av_header *h, codec_ctx *c, span stored, uint8_t *dst, size_t cap,
                     size_t *n, nrw_error *err) NRW_CHECKED;

/* The same of up to CODEC_BESIDE blocks, one behind the other. False: they are to be unpacked
 * alone, which may tell what is wrong. */
bool av_unpack_beside(const av_header *h, const codec *c, const span *stored, size_t count,
                      uint8_t *dst, size_t cap, size_t *n);

/* A block by stream. All zero is a closed one. */
typedef struct av_stream {
    mem *m;
    io_file *file;
    const av_header *header;
    codec_ctx *codec;
    uint64_t at, left; /* in the file */
    uint8_t *room;
    span in;
    uint32_t crc;
    bool ended;
} av_stream;
nrw_status av_stream_open(av_stream *s, mem *m, io_file *f, const av_header *h, codec_ctx *c,
                          const av_block *b, nrw_error *err) NRW_CHECKED;
/* Up to cap plain bytes; *n == 0 at the end, once the checksum was checked. */
nrw_status av_stream_fill(av_stream *s, uint8_t *dst, size_t cap, size_t *n,
                          nrw_error *err) NRW_CHECKED;
/* Nothing more is to come: as at the end. */
void av_stream_stop(av_stream *s);
void av_stream_close(av_stream *s);
#define AV_STREAM_ROOM ((size_t)64 << 10)

#endif
