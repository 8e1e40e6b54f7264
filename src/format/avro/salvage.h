/* Walking over damage: which blocks of a damaged file can still be read. Internal to the Avro
 * folder. */
#ifndef AVRO_SALVAGE_H
#define AVRO_SALVAGE_H

#include "format/avro/container.h"
#include "format/format.h"

/* Whether a failure is one of the file's data, which can be left out. */
static inline bool av_is_damage(nrw_status st)
{
    return st == NRW_E_CORRUPT || st == NRW_E_VALUE;
}

/* As av_walk_next, but from a place whose marker was checked or given up, and on over damage, which
 * goes to `found`: a wrong marker is passed where a sound block or the end of the file stands
 * behind it; else the walk goes on at the next marker. A block whose bytes end early comes with
 * `cut`. `row`: ordinal in the file of the next block's first row. */
nrw_status av_salvage_next(av_walk *w, int64_t row, damage_found found, void *self, av_block *out,
                           nrw_error *err) NRW_CHECKED;

#endif
