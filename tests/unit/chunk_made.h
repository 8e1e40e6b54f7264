/* Column chunks made by hand, for tests and the fuzz target: page headers in thrift's compact
 * protocol before bodies that the caller gives. */
#ifndef CHUNK_MADE_H
#define CHUNK_MADE_H

#include "codec/codec.h"
#include "format/parquet/meta.h"

#include <stdlib.h>
#include <string.h>

typedef struct made {
    uint8_t *p;
    size_t n, cap;
} made;

static inline void made_put(made *c, const void *data, size_t n)
{
    if (c->n + n > c->cap) {
        c->cap = (c->n + n) * 2;
        uint8_t *p = malloc(c->cap);
        if (!p)
            __builtin_trap();
        if (c->n)
            memcpy(p, c->p, c->n);
        free(c->p);
        c->p = p;
    }
    if (n)
        memcpy(c->p + c->n, data, n);
    c->n += n;
}

static inline void made_byte(made *c, unsigned b)
{
    uint8_t v = (uint8_t)b;
    made_put(c, &v, 1);
}

static inline void made_varint(made *c, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        made_byte(c, 0x80 | (v & 0x7f));
    made_byte(c, (unsigned)v);
}

static inline void made_zigzag(made *c, int64_t v)
{
    made_varint(c, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static inline void made_u32(made *c, uint32_t v)
{
    made_put(c, &v, 4);
}

/* A field of type i32, `step` ids behind the last one. */
static inline void made_i32(made *c, int step, int32_t v)
{
    made_byte(c, (unsigned)step << 4 | 5);
    made_zigzag(c, v);
}

typedef struct made_page {
    pq_page_type type;
    int32_t n_values;
    pq_encoding encoding, def_encoding;
    int32_t uncompressed;     /* 0: as long as the body */
    int32_t n_nulls, def_len; /* v2 */
    int32_t n_rows, rep_len;  /* v2, of lists; 0 rows: as many as values */
    pq_encoding rep_encoding; /* v1; PQ_PLAIN (0) stands for PQ_RLE */
    bool crc, bad_crc, v2_compressed;
} made_page;

static inline void made_add(made *c, const made_page *h, const made *body)
{
    made_i32(c, 1, h->type);
    made_i32(c, 1, h->uncompressed ? h->uncompressed : (int32_t)body->n);
    made_i32(c, 1, (int32_t)body->n);
    if (h->crc)
        made_i32(c, 1, (int32_t)(codec_crc32(0, body->p, body->n) ^ (h->bad_crc ? 1 : 0)));
    if (h->type == PQ_DATA_PAGE) {
        made_byte(c, (h->crc ? 1u : 2u) << 4 | 12);
        made_i32(c, 1, h->n_values);
        made_i32(c, 1, h->encoding);
        made_i32(c, 1, h->def_encoding);
        made_i32(c, 1, h->rep_encoding ? h->rep_encoding : PQ_RLE);
    } else if (h->type == PQ_DICTIONARY_PAGE) {
        made_byte(c, (h->crc ? 3u : 4u) << 4 | 12);
        made_i32(c, 1, h->n_values);
        made_i32(c, 1, h->encoding);
    } else {
        made_byte(c, (h->crc ? 4u : 5u) << 4 | 12);
        made_i32(c, 1, h->n_values);
        made_i32(c, 1, h->n_nulls);
        made_i32(c, 1, h->n_rows ? h->n_rows : h->n_values);
        made_i32(c, 1, h->encoding);
        made_i32(c, 1, h->def_len);
        made_i32(c, 1, h->rep_len);
        made_byte(c, 1u << 4 | (h->v2_compressed ? 1 : 2));
    }
    made_byte(c, 0);
    made_byte(c, 0);
    made_put(c, body->p, body->n);
}

static inline void made_free(made *c)
{
    free(c->p);
    *c = (made){0};
}

#endif
