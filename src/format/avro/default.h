/* Defaults of fields. Internal to the Avro folder. */
#ifndef AVRO_DEFAULT_H
#define AVRO_DEFAULT_H

#include "format/avro/schema.h"

/* A default, as the schema has it in JSON, encoded as a value of t behind what is in out.
 * NRW_E_SCHEMA: it is not one. */
nrw_status av_default_encode(const av_type *t, const json_node *j, bytes *out,
                             nrw_error *err) NRW_CHECKED;

#endif
