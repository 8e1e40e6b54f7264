#include "exec/agg_value.h"

#include "base/piece.h"
#include "exec/agg_gather.h"

static void let_go(value_state *s)
{
    if (s->len > VALUE_INLINE)
        piece_free(s->piece);
    s->len = 0;
}

static size_t piece_bytes(size_t len)
{
    return sizeof(value_piece) + len;
}

nrw_status value_set(value_state *s, span value, mem *m, nrw_error *err)
{
    value_piece *piece;

    if (value.len <= VALUE_INLINE) {
        uint8_t copy[VALUE_INLINE];
        memcpy(copy, value.data, value.len); /* which may lie in the piece */
        let_go(s);
        memcpy(s->inlined, copy, value.len);
    } else if (s->len > VALUE_INLINE &&
               piece_room(piece_bytes(s->len)) == piece_room(piece_bytes(value.len))) {
        memmove(s->piece->data, value.data, value.len);
    } else {
        TRY(piece_new(m, piece_bytes(value.len), (void **)&piece, err));
        memcpy(piece->data, value.data, value.len);
        let_go(s);
        s->piece = piece;
    }
    s->len = (uint32_t)value.len;
    s->there = 1;
    return NRW_OK;
}

void value_move(value_state *s, value_state *from)
{
    let_go(s);
    *s = *from;
    *from = (value_state){0};
}

void value_drop(const aggregate *g, uint8_t *state, mem *m)
{
    (void)g;
    (void)m;
    let_go((value_state *)(void *)state);
}

uint64_t value_bulk(const aggregate *g, const uint8_t *state)
{
    (void)g;
    return ((const value_state *)(const void *)state)->len;
}

nrw_status value_save(const aggregate *g, uint8_t *state, size_t most, bytes *out, bool *more,
                      nrw_error *err)
{
    const value_state *s = (const value_state *)(void *)state;
    span v = value_of(s);

    (void)g;
    (void)most;
    *more = false;
    TRY(bytes_append(out, &s->there, 1, err));
    TRY(bytes_append(out, &s->ordinal, sizeof s->ordinal, err));
    return bytes_append(out, v.data, v.len, err);
}

nrw_status value_load(const aggregate *g, span saved, uint8_t *state, mem *m, nrw_error *err)
{
    value_state *s = (value_state *)(void *)state;

    (void)g;
    if (saved.len < 9)
        return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
    TRY(value_set(s, (span){saved.data + 9, saved.len - 9}, m, err));
    s->there = saved.data[0];
    memcpy(&s->ordinal, saved.data + 1, sizeof s->ordinal);
    return NRW_OK;
}

nrw_status value_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                        nrw_error *err)
{
    gathered *at;
    nrw_status st;

    (void)g;
    TRY(mem_alloc(out->m, n * sizeof *at, (void **)&at, err));
    for (uint32_t i = 0; i < n; i++) {
        const value_state *s = (const value_state *)(const void *)states[i];
        span v = value_of(s);
        bool null = s->there != 1;
        at[i] = (gathered){0, v.data, null ? 0 : (uint32_t)v.len, null};
    }
    st = gather_column(at, n, out, err);
    mem_free(out->m, at, n * sizeof *at);
    return st;
}
