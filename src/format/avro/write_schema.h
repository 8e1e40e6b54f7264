/* The schema of a file that is written, derived from its columns. Internal to the Avro folder. */
#ifndef AVRO_WRITE_SCHEMA_H
#define AVRO_WRITE_SCHEMA_H

#include "base/buffer.h"
#include "column/type.h"

/* JSON of a record with a field for each column of s. NRW_E_UNSUPPORTED names the column whose type
 * or name Avro has not, and the next step. */
nrw_status av_schema_write(mem *m, const schema *s, bytes *out, nrw_error *err) NRW_CHECKED;

/* Maps whose keys are text are maps of Avro; others are arrays of records of key and value. */
bool av_is_map(const type *t);

#endif
