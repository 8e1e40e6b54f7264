/* What every error about a damaged file must have: a clause, and a place more exact than the file.
 */
#ifndef FUZZ_PLACED_H
#define FUZZ_PLACED_H

#include "narrows/base.h"

#include <stdio.h>
#include <string.h>

static inline void must_be_placed(nrw_status st, const nrw_error *err)
{
    char text[1000];
    if (err->message[0] && err->status == st &&
        (st != NRW_E_CORRUPT || err->offset >= 0 || err->row_group >= 0 || err->column[0] ||
         strstr(err->message, "not a Parquet file")))
        return;
    nrw_error_print(err, text, sizeof text);
    fprintf(stderr, "no place: status %d: %s\n", (int)st, text);
    __builtin_trap();
}

#endif
