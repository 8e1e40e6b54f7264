/* Values of any type as JSON text, spelled as DuckDB's COPY writes them: lists as arrays, structs
 * as objects, maps as objects whose names are the keys as text (a nested key: its JSON), bytes as
 * \xAA escapes, dates and the like as strings, decimals as numbers, NaN and Infinity as they are.
 */
#ifndef COLUMN_JSON_VALUE_H
#define COLUMN_JSON_VALUE_H

#include "base/buffer.h"
#include "column/vector.h"

/* Where the text goes. Once `out` holds `soft` bytes, `drain` is asked to take them out, so that a
 * long value needs little memory; what it returns other than NRW_OK ends the printing and is
 * returned. NULL: all of it is gathered in `out`. */
typedef struct json_sink {
    bytes *out;
    size_t soft;
    nrw_status (*drain)(void *self, bytes *out, nrw_error *err);
    void *self;
} json_sink;

/* Row `row` of a vector of any form and type. */
nrw_status json_value(const json_sink *s, const vector *v, uint32_t row, nrw_error *err);

/* A float or a decimal as a JSON number at out (room for PRINT_MAX); returns the length. */
size_t json_number(const type *t, const uint8_t *value, char *out);

#endif
