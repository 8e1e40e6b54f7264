/* Base64 of RFC 4648, section 4. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"

/* Appends the text of `data`, padded with '='. */
nrw_status base64_encode(span data, bytes *out, nrw_error *err) NRW_CHECKED;
/* Decodes into `out`, which has room for text.len / 4 * 3 + 3 bytes and may be the text itself.
 * Blanks and line ends are passed over, padding may be left out; false where it is not base64. */
bool base64_decode(span text, uint8_t *out, size_t *len);

#endif
