#ifndef ARROW_VERIFY_H
#define ARROW_VERIFY_H

#include "format/arrow/dictionary.h"

/* What a file or stream has said of itself. */
typedef struct ipc_contents {
    io_file *f;
    ipc_walk begin;
    uint32_t n;
    const arrow_layout *layouts;
    arrow_places places;
} ipc_contents;

/* As reader_class.verify: all columns that have a counterpart, of all record batches. */
nrw_status ipc_verify(const ipc_contents *c, spill *sp, mem *m, fault_found fault, void *self,
                      verify_counts *out, nrw_error *err);

#endif
