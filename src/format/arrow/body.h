/* A buffer of a record batch: in the file as it is, or compressed there; then it is decompressed
 * when first wanted, into memory where the account has the room, else into the spill file. */
#ifndef ARROW_BODY_H
#define ARROW_BODY_H

#include "base/buffer.h"
#include "codec/codec.h"
#include "io/file.h"
#include "io/spill.h"

#include <pthread.h>

/* Contexts of one codec, and what unpacking needs besides; shared by all threads. */
typedef struct ipc_codecs {
    mem *m;
    spill *s;
    uint64_t headroom; /* what stays free for others when a buffer is unpacked into memory */
    pthread_mutex_t lock;
    struct ipc_context *free;
} ipc_codecs;

void ipc_codecs_init(ipc_codecs *c);
void ipc_codecs_release(ipc_codecs *c);

#define IPC_WINDOW ((size_t)64 << 10)

typedef enum ipc_place { PLACE_UNKNOWN, PLACE_FILE, PLACE_MEMORY, PLACE_REGION } ipc_place;

typedef struct ipc_body {
    ipc_place place;
    uint64_t at, len; /* in the file or the region */
    buffer *b;
} ipc_body;

/* Finds out where bytes [at, at + len) of the file, compressed by c, come to lie. Not thread-safe
 * on one body. */
nrw_status ipc_body_open(ipc_body *b, ipc_codecs *codecs, const codec *c, io_file *f, uint64_t at,
                         uint64_t len, nrw_error *err);
nrw_status ipc_body_read(const ipc_body *b, ipc_codecs *codecs, io_file *f, uint64_t at, void *dst,
                         size_t n, nrw_error *err);
void ipc_body_release(ipc_body *b, ipc_codecs *codecs);

#endif
