/* md5, sha1, sha256: OpenSSL's, loaded when first asked for, so that who needs none pays nothing.
 */
#ifndef EXPR_DIGEST_H
#define EXPR_DIGEST_H

#include "base/error.h"
#include "base/span.h"

#define DIGEST_MAX 32

/* The digest of s by that name, *n bytes. NRW_E_UNSUPPORTED where the library is not there. Any
 * thread. */
nrw_status digest(const char *name, span s, uint8_t out[DIGEST_MAX], uint32_t *n,
                  nrw_error *err) NRW_CHECKED;

#endif
