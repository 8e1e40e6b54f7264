/* What the headers of a file or stream say, for inspect: as the functions of reader_class that are
 * called so. Messages are walked, bodies are not read. */
#ifndef ARROW_INSPECT_H
#define ARROW_INSPECT_H

#include "format/arrow/verify.h"

nrw_status ipc_facts(const ipc_contents *c, mem *m, facts *out, nrw_error *err) NRW_CHECKED;
nrw_status ipc_columns(const ipc_contents *c, mem *m, column_told told, void *self,
                       nrw_error *err) NRW_CHECKED;
nrw_status ipc_stretches(const ipc_contents *c, mem *m, stretch_told told, void *self,
                         nrw_error *err) NRW_CHECKED;

#endif
