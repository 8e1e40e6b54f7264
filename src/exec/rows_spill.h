/* Blocks of rows on their way to the spill file and back: packed (rows_pack.h) where that makes
 * them smaller, else as they are. Who reads a block fetches it, which tells how many bytes its rows
 * take, finds room for them, and has them put there. */
#ifndef EXEC_ROWS_SPILL_H
#define EXEC_ROWS_SPILL_H

#include "exec/rows_pack.h"
#include "io/spill_chain.h"

/* Writes rows that lie one after another. `again`: texts near to each other are alike, so a packed
 * block goes through LZ4, too. `scratch` is overwritten; where it cannot grow, the rows are not
 * packed. */
nrw_status rows_spill(const row_layout *l, span rows, bool again, spill *s, bytes *scratch,
                      spill_block *out, nrw_error *err) NRW_CHECKED;
/* The same, as a block of `to`. */
nrw_status rows_spill_to(const row_layout *l, span rows, bool again, spill *s, bytes *scratch,
                         spill_chain *to, nrw_error *err) NRW_CHECKED;
/* *len: what the rows of b take. b stays. */
nrw_status rows_fetch(spill *s, const spill_block *b, bytes *scratch, uint32_t *len,
                      nrw_error *err) NRW_CHECKED;
/* The rows of b, which was fetched into `scratch` last, to dst. */
nrw_status rows_place(const row_layout *l, spill *s, const spill_block *b, const bytes *scratch,
                      uint8_t *dst, nrw_error *err) NRW_CHECKED;
/* Both, into memory of `to`, which keeps it: whole rows, one behind the other. */
nrw_status rows_read(const row_layout *l, spill *s, const spill_block *b, bytes *scratch, rows *to,
                     span *out, nrw_error *err) NRW_CHECKED;

#endif
