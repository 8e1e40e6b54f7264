/* Decoders of page values: one class an encoding, over one body, for both memory and windows.
 *
 * A decoder gives the page's non-null values in order: as values of the physical type (`fixed`) or,
 * for BYTE_ARRAY, as views (`views`). Turning physical values into those of vectors is dec_typed
 * (convert.h); putting nulls in between is the business of chunk_build. */
#ifndef PARQUET_DEC_H
#define PARQUET_DEC_H

#include "column/vector.h"
#include "format/parquet/dec_rle.h"
#include "format/parquet/meta.h"

typedef struct decoder decoder;

/* Where the bytes of views come to lie. */
typedef struct view_sink {
    vector *v;        /* its heaps are meant */
    size_t bytes;     /* of text given out so far, with 16 a value */
    size_t max_bytes; /* stop once this many are reached */
    bool copy;        /* bytes are always copied: the page would be pinned for little */
    bool ascii;       /* the values given out last were seen to be ASCII, all of them */
    const buffer *pinned;
    int32_t pinned_at; /* heap index of pinned */
    buffer *open;      /* heap that copies go to; v owns it */
    int32_t open_at;
} view_sink;

/* The heap index of b, which v then pins. */
nrw_status sink_pin(view_sink *s, buffer *b, int32_t *heap, nrw_error *err) NRW_CHECKED;
/* Room for a copy of n bytes. */
nrw_status sink_room(view_sink *s, size_t n, uint8_t **p, int32_t *heap, int32_t *offset,
                     nrw_error *err) NRW_CHECKED;
/* A view of a copy of the next n bytes of c; of bytes in memory. */
nrw_status sink_from(view_sink *s, cursor *c, size_t n, view *out, nrw_error *err) NRW_CHECKED;
nrw_status sink_bytes(view_sink *s, const uint8_t *p, size_t n, view *out,
                      nrw_error *err) NRW_CHECKED;

/* Whether the leaf's values must be UTF-8. */
static inline bool leaf_is_text(const pq_leaf *leaf)
{
    type_id id = leaf->field.type.id;

    return id == TYPE_UTF8 || id == TYPE_JSON || id == TYPE_ENUM;
}

/* NRW_E_CORRUPT where the leaf is text and one of n views is not UTF-8: a writer would have to
 * change it. Where the sink says `ascii` there is nothing to look for. */
nrw_status sink_check_text(const view_sink *s, const pq_leaf *leaf, const view *v, uint32_t n,
                           nrw_error *err) NRW_CHECKED;

extern const uint64_t view_mask[VIEW_INLINE + 1][2];

/* A view of len bytes at p, where 16 may be read; longer ones lie at `offset` of `heap`. */
static inline view view_over(const uint8_t *p, uint32_t len, int32_t heap, size_t offset)
{
    uint64_t w[2] = {len | (uint64_t)load_u32(p) << 32, 0};
    view out;

    if (len <= VIEW_INLINE) {
        w[0] &= view_mask[len][0];
        w[1] = load_u64(p + 4) & view_mask[len][1];
    } else {
        w[1] = (uint32_t)heap | (uint64_t)offset << 32;
    }
    memcpy(&out, w, sizeof out);
    return out;
}

static inline bool sink_full(const view_sink *s)
{
    return s->bytes >= s->max_bytes;
}

#define DEC_CURSORS 2

typedef struct dec_class {
    /* Called before the first value is asked for, not at all where a page has none. */
    nrw_status (*begin)(decoder *d, nrw_error *err);
    /* n values of the physical type (booleans: bytes); dst has 64 bytes of slack. */
    nrw_status (*fixed)(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err);
    /* The next n values as they lie in the page, passed over; NULL where there is no such place. */
    const uint8_t *(*direct)(decoder *d, uint32_t n);
    /* Up to n values, at least one, until the sink is full. Sets s->ascii where a look at the bytes
     * of all of them shows that. */
    nrw_status (*views)(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got,
                        nrw_error *err);
    nrw_status (*skip)(decoder *d, uint64_t n, nrw_error *err);
    /* The class's own cursors, beside the decoder's: how many. NULL: it has none. */
    size_t (*cursors)(decoder *d, cursor *out[DEC_CURSORS]);
    void (*sleep)(decoder *d); /* frees what is made again when needed; NULL: nothing */
    void (*close)(decoder *d); /* frees what the class holds beside cursors; NULL: nothing */
} dec_class;

extern const dec_class dec_plain_fixed, dec_plain_bool, dec_plain_bytes, dec_rle_bool, dec_delta,
    dec_delta_length, dec_delta_bytes, dec_split;

/* DELTA_BINARY_PACKED. */
typedef struct delta {
    cursor c;
    uint32_t per_mini, n_minis;
    uint64_t left; /* values not yet given out */
    int64_t last, min_delta;
    bool first;         /* the header's value was not yet given out */
    uint32_t mini;      /* the next miniblock of the block */
    uint32_t mini_left; /* values left in the current stretch of miniblocks of equal width */
    uint32_t width;
    uint32_t pend_at, pend_n;
    int64_t pend[8 + 8]; /* decoded, not yet given out; slack */
    uint8_t widths[256];
} delta;

#define DELTA_LENGTHS 128
typedef struct delta_lengths {
    delta d;
    uint32_t at, n;
    int32_t v[DELTA_LENGTHS + 16];
} delta_lengths;

struct decoder {
    const dec_class *class;
    const pq_leaf *leaf;
    mem *m;
    const body *b;
    size_t from;    /* the values are bytes [from, b->len) */
    uint64_t most;  /* upper bound of the number of values: the page's rows */
    uint32_t width; /* of a value of the physical type; 0: BYTE_ARRAY */
    bool begun;
    cursor c;
    union {
        uint32_t bit; /* plain_bool: bits of *c.p consumed */
        rle rle;
        delta delta;
        struct {
            delta_lengths prefix, suffix; /* delta_length: suffix alone */
            bytes last;
            bool ascii; /* all suffixes so far were seen to be */
        } text;
        struct {
            size_t n, at; /* values in the page, next one */
            uint8_t *scratch;
            size_t scratch_len;
        } split;
    } u;
};

/* Chooses the class: NRW_E_UNSUPPORTED or NRW_E_CORRUPT where the encoding does not go with the
 * type. Keeps what a decoder of the same class can use again. */
nrw_status dec_open(decoder *d, mem *m, const pq_leaf *leaf, pq_encoding e, const body *b,
                    size_t from, uint64_t most, nrw_error *err) NRW_CHECKED;
void dec_close(decoder *d);
/* Between reads, of a body that is not in memory: as cursor_sleep, and cursor_wake, have it. */
void dec_sleep(decoder *d);
nrw_status dec_wake(decoder *d, nrw_error *err) NRW_CHECKED;

nrw_status dec_fixed(decoder *d, uint32_t n, uint8_t *dst, nrw_error *err) NRW_CHECKED;
const uint8_t *dec_direct(decoder *d, uint32_t n);
nrw_status dec_views(decoder *d, uint32_t n, view_sink *s, view *dst, uint32_t *got,
                     nrw_error *err) NRW_CHECKED;
nrw_status dec_skip(decoder *d, uint64_t n, nrw_error *err) NRW_CHECKED;

/* Bytes of one value of the physical type, 0 for BYTE_ARRAY, 1 for BOOLEAN. */
uint32_t pq_physical_width(const pq_leaf *leaf);

/* Parts that decoders share. */
nrw_status delta_open(delta *d, mem *m, const body *b, size_t from, size_t to, uint64_t most,
                      nrw_error *err) NRW_CHECKED;
nrw_status delta_read_i32(delta *d, uint32_t n, int32_t *dst, nrw_error *err) NRW_CHECKED;
nrw_status delta_read_i64(delta *d, uint32_t n, int64_t *dst, nrw_error *err) NRW_CHECKED;
/* Where the encoded bytes end, from a freshly opened one, which stays as it is. */
nrw_status delta_end(const delta *d, mem *m, size_t *end, nrw_error *err) NRW_CHECKED;

#endif
