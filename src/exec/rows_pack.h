/* Rows of one layout as a block for a spill file: values of a field beside each other, each in as
 * few bytes as its distance from the least of them needs, then the texts, column by column. Rows
 * come back byte for byte, at several times the speed of a general codec and mostly smaller (frame
 * of reference: Goldstein, Ramakrishnan, Shaft, "Compressing relations and indexes", 1998). */
#ifndef EXEC_ROWS_PACK_H
#define EXEC_ROWS_PACK_H

#include "base/buffer.h"
#include "exec/rows.h"

#define PACK_PARTS 7u /* of a sort's key: so many first ones may tell columns */

/* Appends a block of rows that lie one after another, 4 GiB at most. Behind out->len there are at
 * least PACK_SLACK bytes then. */
#define PACK_SLACK BUFFER_SLACK /* as kernels have it */
nrw_status rows_pack(const row_layout *l, span rows, bytes *out, nrw_error *err) NRW_CHECKED;
/* Bits that a value of a column takes in a block, at most, where all lie between these. A null is
 * zero.
 */
uint32_t rows_pack_bits(const type *t, int64_t least, int64_t greatest);
/* What the rows of a block take; 0: these are not a block but rows as they are. */
uint32_t rows_packed(const uint8_t *block);
/* Puts the rows of a block back at dst. Behind the block PACK_SLACK bytes can be read. */
void rows_unpack(const row_layout *l, const uint8_t *block, uint8_t *dst);

#endif
