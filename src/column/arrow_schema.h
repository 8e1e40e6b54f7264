/* Arrow schemas as messages of Arrow's IPC format (Message.fbs, Schema.fbs): what Parquet files
 * keep in their footer, and what Arrow files and streams begin with. */
#ifndef COLUMN_ARROW_SCHEMA_H
#define COLUMN_ARROW_SCHEMA_H

#include "base/buffer.h"
#include "column/note.h"

/* Fields of the message with all they hold in `a`. What the types do not say is in notes; types
 * without a counterpart are TYPE_NULL with the form ARROW_UNKNOWN. NRW_E_CORRUPT where it is no
 * such message. Bytes behind the message are not looked at. */
nrw_status arrow_schema_read(span message, arena *a, schema *out, nrw_error *err) NRW_CHECKED;

/* Whether a reader of the other format's schema alone would miss something that these fields say:
 * durations, zones, dictionaries, layouts, metadata. */
bool arrow_schema_wanted(const schema *s);
/* The message, with its length in front, ready to be followed by another one; `pairs` are metadata
 * of the schema as a whole. `out` is cleared first. */
nrw_status arrow_schema_write(const schema *s, const note_pair *pairs, uint32_t n_pairs, bytes *out,
                              nrw_error *err) NRW_CHECKED;

#endif
