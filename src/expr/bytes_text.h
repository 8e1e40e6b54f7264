/* Bytes written as text, in conditions and in casts. */
#ifndef EXPR_BYTES_TEXT_H
#define EXPR_BYTES_TEXT_H

#include "base/span.h"

/* 32 hexadecimal digits; hyphens may stand behind every second byte. False: it is none. */
bool read_uuid(span s, uint8_t out[16]);
/* ASCII as it is, \xAA for any byte: *n bytes, at most s.len. */
bool read_blob(span s, uint8_t *out, size_t *n);

#endif
