/* The formats that can be read, and which of them a file is in. */
#ifndef FORMAT_FORMATS_H
#define FORMAT_FORMATS_H

#include "format/format.h"

/* i-th row, NULL past the end. */
const format *format_at(size_t i);
/* By the first bytes of the file, else by its extension, else the first row: whose error then says
 * what is missing. */
nrw_status format_of(io_file *f, const format **out, nrw_error *err) NRW_CHECKED;
/* Opens a file in its format; takes f, also on failure. */
nrw_status format_open(mem *m, io_file *f, const read_options *opts, reader **out,
                       nrw_error *err) NRW_CHECKED;

#endif
