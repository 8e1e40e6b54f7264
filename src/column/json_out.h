/* Small emitters of JSON into a byte buffer: for reports, and for rows as JSON. */
#ifndef COLUMN_JSON_OUT_H
#define COLUMN_JSON_OUT_H

#include "base/buffer.h"

/* A string of n bytes of UTF-8 with its quotes. Quote, backslash and control characters are
 * escaped, all else goes as it is. */
nrw_status json_string(bytes *out, const char *s, size_t n, nrw_error *err) NRW_CHECKED;
nrw_status json_i64(bytes *out, int64_t x, nrw_error *err) NRW_CHECKED;
nrw_status json_u64(bytes *out, uint64_t x, nrw_error *err) NRW_CHECKED;
/* As print_json_f64; NaN and infinities become null, which every parser reads. */
nrw_status json_f64(bytes *out, double x, nrw_error *err) NRW_CHECKED;

/* How many bytes at the start of p stand for themselves inside a JSON string. */
size_t json_plain_prefix(const uint8_t *p, size_t n);
/* Escapes n bytes (without quotes) into out, which has room for 6 * n; returns the length. */
size_t json_escape(const uint8_t *p, size_t n, char *out);

/* Writes the JSON text p[0..n) without its white space into out (room for n). False where it is
 * not one valid JSON value (or nests deeper than 512): out's content then means nothing. */
bool json_minify(const uint8_t *p, size_t n, char *out, size_t *len);

#endif
