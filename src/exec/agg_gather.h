/* States that keep the values of all their rows, in a chain of chunks that never move: what is put
 * goes behind what is there, and two chains become one without a copy. */
#ifndef EXEC_AGG_GATHER_H
#define EXEC_AGG_GATHER_H

#include "exec/aggregate_own.h"

typedef struct gather_chunk {
    uint16_t place; /* base/piece.h's */
    uint32_t len;   /* of data; of a chain's last one the state knows it */
    struct gather_chunk *next;
    uint8_t data[];
} gather_chunk;

/* Either values of a fixed width one behind the other (gather_put_bare), or rows of any length
 * (gather_put), of which none lies in two chunks. */
typedef struct gather_state {
    gather_chunk *first, *last;
    uint8_t *at, *end; /* room in the last one */
    uint64_t n;
} gather_state;

/* Before a row's bytes: its ordinal and their number. */
#define GATHER_HEAD 12u
#define GATHER_NULL UINT32_MAX

/* A row of gather_put; its bytes are the state's. */
typedef struct gathered {
    uint64_t ordinal;
    const uint8_t *data;
    uint32_t len;
    bool null;
} gathered;

static inline gather_state *gather_of(uint8_t *state)
{
    return (gather_state *)(void *)state;
}

static inline uint32_t gather_len(const gather_state *s, const gather_chunk *c)
{
    return c == s->last ? (uint32_t)(s->at - c->data) : c->len;
}

/* The value at p: of `width` bytes, or, 0, the row's that gather_put put. The next one is right
 * behind it. */
static inline span gather_span(const uint8_t *p, uint32_t width)
{
    uint32_t len;

    if (width)
        return (span){p, width};
    len = load_u32(p + 8);
    return (span){p + GATHER_HEAD, len == GATHER_NULL ? 0 : len};
}

/* One chunk more, with room for `bytes` at least. */
nrw_status gather_grow(gather_state *s, size_t bytes, mem *m, nrw_error *err);

static inline nrw_status gather_put_bare(gather_state *s, const void *value, uint32_t width, mem *m,
                                         nrw_error *err)
{
    if ((size_t)(s->end - s->at) < width)
        TRY(gather_grow(s, width, m, err));
    memcpy(s->at, value, width);
    s->at += width;
    s->n++;
    return NRW_OK;
}

/* All valid rows of argument 0, of a fixed width. */
nrw_status gather_add_bare(const aggregate_rows *r, nrw_error *err);
nrw_status gather_put(gather_state *s, uint64_t ordinal, span value, bool null, mem *m,
                      nrw_error *err);
/* The same of all rows of argument 0, or all but nulls; where rows have no ordinals, of 0. */
nrw_status gather_add(const aggregate_rows *r, bool nulls, nrw_error *err);

nrw_status gather_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m, nrw_error *err);
void gather_drop(const aggregate *g, uint8_t *state, mem *m);
/* Of what gather_put put; of values of `width` bytes each. */
nrw_status gather_save(const aggregate *g, uint8_t *state, size_t most, bytes *out, bool *more,
                       nrw_error *err);
nrw_status gather_save_bare(uint8_t *state, uint32_t width, size_t most, bytes *out, bool *more,
                            nrw_error *err);
nrw_status gather_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err);
/* aggregate_class.bulk: the values in order, and the column made of them. */
uint64_t gather_bulk(const aggregate *g, const uint8_t *state);

typedef int (*gather_compare)(const gathered *x, const gathered *y, const void *context);
/* What gather_put put, into at[0..s->n), ordered by `compare`, then by the ordinal; NULL: by the
 * ordinal alone. */
nrw_status gather_sorted(const gather_state *s, gather_compare compare, const void *context, mem *m,
                         gathered *at, nrw_error *err);
/* The order of values; the context is their type. */
int gather_by_value(const gathered *x, const gathered *y, const void *t);
/* Rows [0, n) of a flat vector that has room for them. */
nrw_status gather_column(const gathered *at, uint32_t n, vector *out, nrw_error *err);

#endif
