/* A reader around a reader: the columns of a file as columns of a wider schema. Some are the
 * file's own, some are cast when they are read, some the file lacks: they are null, or one value
 * in all rows (a folder's key, the file's path). */
#ifndef DATASET_MAPPED_H
#define DATASET_MAPPED_H

#include "dataset/unify.h"
#include "expr/scalar.h"
#include "format/format.h"

typedef struct mapped_spec {
    const schema *all;        /* stays until the reader is closed */
    const map_entry *map;     /* an entry for each field and part of `all`; copied */
    const expr *const *added; /* constants for MAP_ADDED, by their numbers; copied */
    uint32_t n_added;
} mapped_spec;

/* Takes `inner`, also on failure. Its name, file and abilities are the inner one's; a condition of
 * the batch shape is translated: what looks at a cast column is left to who tests the rows, what
 * looks at constants is answered, maybe for the whole file. */
nrw_status mapped_open(mem *m, reader *inner, const mapped_spec *spec, reader **out,
                       nrw_error *err) NRW_CHECKED;
/* Whether r is such a reader. */
bool mapped_is(const reader *r);

#endif
