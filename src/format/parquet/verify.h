/* Verification: everything a file says of itself against what is in it. */
#ifndef PARQUET_VERIFY_H
#define PARQUET_VERIFY_H

#include "format/parquet/meta.h"
#include "io/spill.h"

typedef struct pq_verify_counts {
    int64_t chunks, pages;
    int64_t crcs;   /* pages whose checksum was there and was computed */
    int64_t values; /* decoded and compared with the statistics */
    int64_t faults;
    uint64_t bytes; /* of pages */
} pq_verify_counts;

/* Structure of every page, checksums, counts, both page indexes, and (with `data`) the statistics
 * against the decoded values, and of nested columns whether the levels make rows and all leaves the
 * same ones. Each fault goes to the callback as an error with its place; the walk
 * goes on after it where it can, unless the callback fails. NRW_OK: all was looked at, out->faults
 * says what was found. Errors are of the walk itself (memory, cancelled, the file changed). */
nrw_status pq_verify(pq_meta *p, io_file *f, spill *s, mem *m, bool data,
                     nrw_status (*fault)(void *self, const nrw_error *what, nrw_error *err),
                     void *self, pq_verify_counts *out, nrw_error *err);

#endif
