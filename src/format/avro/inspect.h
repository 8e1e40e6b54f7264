/* What a file is like, by its headers and its first blocks. Internal to the Avro folder. */
#ifndef AVRO_INSPECT_H
#define AVRO_INSPECT_H

#include "format/avro/whole.h"

/* As reader_class.facts: all block headers are walked, and the first records decoded. What they
 * take in memory the others are thought to take, too. */
nrw_status av_facts(io_file *f, const av_header *h, const av_columns *c, mem *m, facts *out,
                    nrw_error *err) NRW_CHECKED;

#endif
