/* Values of Parquet's physical types to those of vectors, for a whole leaf chosen once. */
#ifndef PARQUET_DEC_CONVERT_H
#define PARQUET_DEC_CONVERT_H

#include "format/parquet/dec.h"

typedef struct convert convert;

/* src: n values of c->in bytes (views: BYTE_ARRAY decimals). Returns n, or the index of the first
 * value that does not fit. dst has 64 bytes of slack, src 64 readable ones. */
typedef uint32_t (*convert_fn)(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst);

struct convert {
    convert_fn fn;    /* NULL: the bytes stay as they are */
    uint32_t in, out; /* bytes of a value; in: 16 where these are views */
    bool from_views;  /* the decoder gives views, the vector holds numbers */
    bool views;       /* the vector holds views */
    bool null_type;   /* there are no values */
    bool is_unsigned;
    bool int96_us;
    const heaps *heaps; /* from_views: where long ones lie; set before each call */
};

/* NRW_E_UNSUPPORTED where the leaf's types do not go together. */
nrw_status convert_choose(const pq_leaf *leaf, convert *out, nrw_error *err) NRW_CHECKED;

/* The error for a value that did not fit. */
nrw_status convert_failed(const convert *c, const pq_leaf *leaf, nrw_error *err);

/* Room for values that are on their way, at most CONVERT_BLOCK bytes a side; made when needed. */
#define CONVERT_BLOCK ((size_t)16 << 10)
typedef struct convert_room {
    mem *m;
    uint8_t *raw, *typed;
} convert_room;
nrw_status convert_room_get(convert_room *r, uint8_t **side, nrw_error *err) NRW_CHECKED;
void convert_room_release(convert_room *r);

/* How many values go through a room at a time. */
static inline uint32_t convert_step(const convert *c)
{
    size_t n = CONVERT_BLOCK / size_max(size_max(c->in, c->out), 1);
    return n > LEVELS_BLOCK ? LEVELS_BLOCK : n ? (uint32_t)n : 1;
}

/* The next n values of a fixed-width vector type, dense, to dst (64 bytes of slack). On NRW_E_VALUE
 * *bad is the index of the value. */
nrw_status dec_typed(decoder *d, const convert *c, convert_room *room, uint32_t n, uint8_t *dst,
                     uint32_t *bad, nrw_error *err) NRW_CHECKED;

#endif
