/* Arrow schemas as messages of Arrow's IPC format (Message.fbs, Schema.fbs): what Parquet files
 * keep in their footer, and what Arrow files and streams begin with. */
#ifndef COLUMN_ARROW_SCHEMA_H
#define COLUMN_ARROW_SCHEMA_H

#include "column/flatbuf.h"
#include "column/note.h"

/* Fields of the message with all they hold in `a`. What the types do not say is in notes; types
 * without a counterpart are TYPE_NULL with the form ARROW_UNKNOWN. NRW_E_CORRUPT where it is no
 * such message. Bytes behind the message are not looked at. */
nrw_status arrow_schema_read(span message, arena *a, schema *out, nrw_error *err) NRW_CHECKED;

/* The schema's table in such a message. */
nrw_status arrow_schema_table(span message, flat_table *out, nrw_error *err) NRW_CHECKED;
/* The fields of such a message, and what arrow_schema_read makes of them. */
nrw_status arrow_schema_fields(span message, flat_vector *out, nrw_error *err) NRW_CHECKED;
nrw_status arrow_fields_read(const flat_vector *fields, arena *a, schema *out,
                             nrw_error *err) NRW_CHECKED;
/* Metadata of a schema, whose table is `t`, as a whole. */
nrw_status arrow_pairs_read(const flat_table *t, arena *a, note_pair **out, uint32_t *n,
                            nrw_error *err) NRW_CHECKED;

/* Whether a reader of the other format's schema alone would miss something that these fields say:
 * durations, zones, dictionaries, layouts, metadata. */
bool arrow_schema_wanted(const schema *s);
/* Arrow's types beside Parquet's, which has none of intervals, say what is in the Parquet file;
 * alone they say what follows in Arrow's own format. */
typedef enum arrow_use { ARROW_IN_PARQUET, ARROW_ALONE } arrow_use;
/* The message, with its length in front, ready to be followed by another one; `pairs` are metadata
 * of the schema as a whole. `out` is cleared first. */
nrw_status arrow_schema_write(const schema *s, const note_pair *pairs, uint32_t n_pairs,
                              arrow_use use, bytes *out, nrw_error *err) NRW_CHECKED;
/* The table that the reference at `at` of a flatbuffer then leads to. */
nrw_status arrow_schema_put(const schema *s, const note_pair *pairs, uint32_t n_pairs,
                            arrow_use use, bytes *out, uint32_t at, nrw_error *err) NRW_CHECKED;
/* A message's table, in an empty flatbuffer: the reference to its header, of the kind that is said,
 * is told. `out` is cleared first. */
nrw_status arrow_message_begin(bytes *out, uint8_t kind, uint64_t body_len, uint32_t *header,
                               nrw_error *err) NRW_CHECKED;
/* The framing of a message whose flatbuffer `out` holds: padded, and its length in front. */
nrw_status arrow_message_frame(bytes *out, nrw_error *err) NRW_CHECKED;

#endif
