/* Schemas of Arrow's C data interface and those of its IPC format, one from the other: what is
 * Arrow's stays Arrow's, so types of ours are met in one place alone (arrow_schema.h).
 * Source: Arrow's CDataInterface.rst. */
#ifndef COLUMN_ARROW_C_SCHEMA_H
#define COLUMN_ARROW_C_SCHEMA_H

#include "column/flatbuf.h"
#include "narrows/arrow.h"

/* A schema message (as arrow_schema_write makes it) as a struct of its fields. Its memory
 * is in books of its own, and the taker's until it calls release. */
nrw_status arrow_c_schema_export(span message, struct ArrowSchema *out, nrw_error *err) NRW_CHECKED;
/* The other way; s stays the caller's. NRW_E_SCHEMA: it is no struct. NRW_E_UNSUPPORTED: a format
 * that is not known. `out` is cleared first. */
nrw_status arrow_c_schema_import(const struct ArrowSchema *s, bytes *out,
                                 nrw_error *err) NRW_CHECKED;

#endif
