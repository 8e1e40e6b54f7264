/* Status codes, the error object, version.
 *
 * Every call that can fail returns nrw_status and takes `nrw_error *err` last. NULL is allowed
 * for err everywhere. On failure the outputs of a call are zeroed and nothing is leaked. */
#ifndef NARROWS_BASE_H
#define NARROWS_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NRW_API     __attribute__((visibility("default")))
#define NRW_CHECKED __attribute__((warn_unused_result))

/* name, value, errno of the Arrow stream interface, text. Values are stable. */
#define NRW_STATUS_MAP(X)                                                                          \
    X(NRW_OK, 0, 0, "success")                                                                     \
    X(NRW_END, 1, 0, "no more rows")                                                               \
    X(NRW_REJECTED, 2, 0, "done, with rows rejected")                                              \
    X(NRW_E_ARG, -1, EINVAL, "invalid argument")                                                   \
    X(NRW_E_NOMEM, -2, ENOMEM, "the system refused memory")                                        \
    X(NRW_E_MEMLIMIT, -3, ENOMEM, "the memory ceiling would be exceeded")                          \
    X(NRW_E_IO, -4, EIO, "input or output failed")                                                 \
    X(NRW_E_NOTFOUND, -5, ENOENT, "no such object")                                                \
    X(NRW_E_CORRUPT, -6, EINVAL, "the data break their format's rules")                            \
    X(NRW_E_UNSUPPORTED, -7, ENOTSUP, "valid, but not supported")                                  \
    X(NRW_E_SCHEMA, -8, EINVAL, "types or columns do not match")                                   \
    X(NRW_E_SQL, -9, EINVAL, "the query is not valid")                                             \
    X(NRW_E_CANCELLED, -10, ECANCELED, "cancelled")                                                \
    X(NRW_E_EXISTS, -11, EEXIST, "the target exists")                                              \
    X(NRW_E_VALUE, -12, EINVAL, "a value does not fit its type")                                   \
    X(NRW_E_CHANGED, -13, EIO, "an input changed while it was read")                               \
    X(NRW_E_SERVER, -14, EIO, "a server failed")                                                   \
    X(NRW_E_PIPE, -15, EPIPE, "the reader of the output went away")

typedef enum nrw_status {
#define NRW_STATUS_ENUM(name, value, err, text) name = value,
    NRW_STATUS_MAP(NRW_STATUS_ENUM)
#undef NRW_STATUS_ENUM
} nrw_status;

/* Filled exactly once, where the fact is known. Lives on the caller's stack; holds no heap. */
typedef struct nrw_error {
    nrw_status status;
    int32_t os_errno;  /* 0: none involved */
    int32_t row_group; /* -1: not applicable */
    int64_t page;      /* data page ordinal inside the column chunk; -1: not applicable */
    int64_t offset;    /* byte in the object; -1: not applicable */
    int64_t row;       /* -1: not known */
    int64_t block;     /* of an Avro file; -1: not applicable */
    int64_t record;    /* in the block, from 0; -1: not applicable */
    char column[128];  /* empty: not applicable */
    char object[256];  /* path or URL; empty: none */
    char message[512]; /* what is wrong, one UTF-8 clause without newline or full stop */
    char next[256];    /* what to do about it: a command or option; may be empty */
} nrw_error;

#define NRW_ERROR_INIT                                                                             \
    {                                                                                              \
        .status = NRW_OK, .row_group = -1, .page = -1, .offset = -1, .row = -1, .block = -1,       \
        .record = -1                                                                               \
    }

/* "success", "no such object" ...; for unknown values a text that says so. Any thread. */
NRW_API const char *nrw_status_text(nrw_status status);

/* errno of the Arrow C stream interface for a status. Any thread. */
NRW_API int nrw_status_errno(nrw_status status);

/* Formats "OBJECT, row group 3, column amount, page 2, byte 81,203,114: MESSAGE; NEXT" into
 * `out` (always terminated). Returns the length that the whole sentence needs. Any thread. */
NRW_API size_t nrw_error_print(const nrw_error *err, char *out, size_t cap);

/* Sets status and message, a clause without a full stop, cut where it is too long; for operators
 * (arrow.h). Returns status. err may be NULL. Any thread. */
NRW_API nrw_status nrw_error_set(nrw_error *err, nrw_status status, const char *message);

/* "0.1.0" */
NRW_API const char *nrw_version(void);

#ifdef __cplusplus
}
#endif
#endif
