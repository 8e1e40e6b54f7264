/* Values as bytes: "Binary Encoding" of the specification, from vectors. Internal to the Avro
 * folder. */
#ifndef AVRO_WRITE_VALUE_H
#define AVRO_WRITE_VALUE_H

#include "base/buffer.h"
#include "column/vector.h"

/* Row `row` of v, a vector of any form, behind what is in out, as the schema of av_schema_write has
 * f. NRW_E_VALUE: Avro's type has not the value; the column is the caller's to name. */
nrw_status av_put(bytes *out, const field *f, const vector *v, uint32_t row,
                  nrw_error *err) NRW_CHECKED;
/* A count or a size. */
nrw_status av_put_long(bytes *out, int64_t x, nrw_error *err) NRW_CHECKED;
/* The same into room for 10 bytes; how many they are. */
size_t av_long(uint8_t *to, int64_t x);

#endif
