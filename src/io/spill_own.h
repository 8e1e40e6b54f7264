/* What a target needs of a spill beyond its contract. Internal to io. */
#ifndef IO_SPILL_OWN_H
#define IO_SPILL_OWN_H

#include "io/spill.h"

/* Takes the bytes of a block piece by piece, in order. */
typedef nrw_status (*spill_sink)(void *ctx, span piece, nrw_error *err);

/* The block through `sink`, checked against its checksum at the end, in constant memory. */
nrw_status spill_stream(spill *s, const spill_block *b, spill_sink sink, void *ctx,
                        nrw_error *err) NRW_CHECKED;

#endif
