/* Verification: markers, block headers, checksums, and every value decoded. Internal to the Avro
 * folder. */
#ifndef AVRO_VERIFY_H
#define AVRO_VERIFY_H

#include "format/avro/whole.h"

/* As reader_class.verify. Behind a fault it goes on with the next block, or where no header can be
 * trusted behind the next marker. */
nrw_status av_verify(io_file *f, const av_header *h, const av_columns *c, mem *m, fault_found fault,
                     void *self, verify_counts *out, nrw_error *err) NRW_CHECKED;

#endif
