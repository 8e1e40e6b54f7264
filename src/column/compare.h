/* The order of values: integers, decimals, dates and times by number; floats by number with NaN
 * behind all others (-0 equals 0, NaN equals NaN); false before true; text, binary and uuid byte
 * by byte, unsigned; intervals by length, a month being 30 days. */
#ifndef COLUMN_COMPARE_H
#define COLUMN_COMPARE_H

#include "column/type.h"

/* < 0, 0, > 0. Values as flat_span gives them. */
int value_compare(const type *t, span a, span b);

/* The length of an interval in what its type counts: microseconds (UNIT_US) or milliseconds. */
static inline __int128 value_interval(const type *t, const uint8_t *p)
{
    if (t->unit == UNIT_US) {
        int64_t days = (int64_t)(int32_t)load_u32(p) * 30 + (int32_t)load_u32(p + 4);
        return (__int128)days * 86400000000 + (int64_t)load_u64(p + 8);
    }
    uint64_t days = (uint64_t)load_u32(p) * 30 + load_u32(p + 4);
    return days * 86400000 + load_u32(p + 8);
}

#endif
