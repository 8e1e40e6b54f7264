/* Messages: a length, a flatbuffer, a body; and the order in which a file or stream has them. */
#ifndef ARROW_MESSAGE_H
#define ARROW_MESSAGE_H

#include "column/arrow_own.h"
#include "column/flatbuf.h"
#include "format/format.h"

typedef struct ipc_message {
    uint8_t kind; /* ARROW_HEADER_* */
    uint64_t at;  /* of its length */
    span meta;    /* lies in the bytes given, behind its length */
    flat_table root, header;
    uint64_t body, body_len; /* in the file, and known to be there */
    uint64_t next;
} ipc_message;

/* The message at `at`. NRW_END: the end of the stream. `meta` is cleared first. */
nrw_status ipc_message_read(io_file *f, uint64_t at, bytes *meta, ipc_message *out,
                            nrw_error *err) NRW_CHECKED;

typedef struct ipc_blocks {
    uint64_t at; /* in the file, 24 bytes each */
    uint32_t n;
} ipc_blocks;

/* Dictionaries and record batches, in the order they count: of a stream as they come, of a file as
 * its footer says, dictionaries first. */
typedef struct ipc_walk {
    io_file *f;
    bool footer;
    uint64_t at; /* stream: of the next message; the beginning of the first one */
    ipc_blocks dictionaries, batches;
    uint32_t i; /* blocks so far */
} ipc_walk;

/* Whether a file or stream begins so. */
bool ipc_is_file(span head);
bool ipc_is_stream(span head);
/* Finds the first message and, of a file, the footer's lists. The walk is at the schema: read it
 * with ipc_message_read at w->at, then go behind it with ipc_walk_begin. */
nrw_status ipc_walk_open(io_file *f, ipc_walk *out, nrw_error *err) NRW_CHECKED;
/* The schema as the footer has it, whose bytes go to `meta`. */
nrw_status ipc_footer_schema(const ipc_walk *w, bytes *meta, flat_table *out, uint64_t *at,
                             nrw_error *err) NRW_CHECKED;
void ipc_walk_begin(ipc_walk *w, const ipc_message *schema);
/* NRW_END behind the last one. */
nrw_status ipc_walk_next(ipc_walk *w, bytes *meta, ipc_message *out, nrw_error *err) NRW_CHECKED;

#endif
