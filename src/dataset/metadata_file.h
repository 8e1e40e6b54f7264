/* `_metadata`: the footers of a dataset's files in one file, so that none of theirs is opened
 * before it is read. */
#ifndef DATASET_METADATA_FILE_H
#define DATASET_METADATA_FILE_H

#include "dataset/scan.h"

typedef struct metadata_entry {
    char *path;    /* from where _metadata was named: its folder, and what it says */
    uint64_t end;  /* the file has more bytes than this */
    scan_said say; /* `bytes` is 0 */
} metadata_entry;

/* Is that the name of such a file? */
bool metadata_is_named(const char *path);
/* The files that the one at `path` tells of, by path; f is it, and is closed. Everything lies in
 * `a`. NRW_END: it tells of none but itself. NRW_E_CORRUPT: a path leads out of its folder. */
nrw_status metadata_entries(arena *a, const char *path, io_file *f, metadata_entry **out, size_t *n,
                            nrw_error *err) NRW_CHECKED;
/* The entry of a path; NULL: none. */
const metadata_entry *metadata_find(const metadata_entry *at, size_t n, const char *path);

#endif
