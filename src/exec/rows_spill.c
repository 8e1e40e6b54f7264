#include "exec/rows_spill.h"

/* Fewer bytes of rows are not worth packing; more of them are a block with a row that is larger
 * than blocks are, which is held once alone. So who reads a block knows by its length whether it
 * may be packed. */
#define PACK_FROM 1024u
#define PACK_MOST (128u << 10)

nrw_status rows_spill(const row_layout *l, span rows, bool again, spill *s, bytes *scratch,
                      spill_block *out, nrw_error *err)
{
    scratch->len = 0;
    if (rows.len >= PACK_FROM && rows.len <= PACK_MOST &&
        rows_pack(l, rows, scratch, NULL) == NRW_OK && scratch->len < rows.len)
        return spill_write(s, (span){scratch->data, scratch->len}, again, out, err);
    return spill_write(s, rows, true, out, err);
}

nrw_status rows_spill_to(const row_layout *l, span rows, bool again, spill *s, bytes *scratch,
                         spill_chain *to, nrw_error *err)
{
    spill_block b;
    nrw_status st;

    TRY(rows_spill(l, rows, again, s, scratch, &b, err));
    st = spill_chain_add(to, s, &b, err);
    if (st < 0)
        spill_free(s, &b);
    return st;
}

nrw_status rows_fetch(spill *s, const spill_block *b, bytes *scratch, uint32_t *len, nrw_error *err)
{
    *len = (uint32_t)b->len;
    if (b->len > PACK_MOST)
        return NRW_OK;
    scratch->len = 0;
    TRY(bytes_reserve(scratch, b->len + PACK_SLACK, err));
    TRY(spill_read(s, b, scratch->data, err));
    if (rows_packed(scratch->data))
        *len = rows_packed(scratch->data);
    return NRW_OK;
}

nrw_status rows_place(const row_layout *l, spill *s, const spill_block *b, const bytes *scratch,
                      uint8_t *dst, nrw_error *err)
{
    if (b->len > PACK_MOST)
        return spill_read(s, b, dst, err);
    if (rows_packed(scratch->data))
        rows_unpack(l, scratch->data, dst);
    else
        memcpy(dst, scratch->data, b->len);
    return NRW_OK;
}

nrw_status rows_read(const row_layout *l, spill *s, const spill_block *b, bytes *scratch, rows *to,
                     span *out, nrw_error *err)
{
    uint32_t len;
    uint8_t *data;

    TRY(rows_fetch(s, b, scratch, &len, err));
    TRY(rows_new(to, len, &data, err));
    TRY(rows_place(l, s, b, scratch, data, err));
    *out = (span){data, len};
    return NRW_OK;
}
