/* Verbs that look, one file each beyond the simplest. */
#ifndef API_LOOK_H
#define API_LOOK_H

#include "api/move.h"

/* To standard output; NRW_E_PIPE when its reader went away. */
nrw_status look_print(nrw_error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
nrw_status look_flush(nrw_error *err);
/* Is the report wanted as JSON (-f json)? NRW_E_ARG for formats that the verb does not have. */
nrw_status look_format(const nrw_job *job, bool *json, nrw_error *err);

nrw_status look_schema(nrw_job *job, nrw_error *err);

#endif
