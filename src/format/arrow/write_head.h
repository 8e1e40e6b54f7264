/* The headers of record batches and dictionaries: what nodes and buffers a body has, and where. */
#ifndef ARROW_WRITE_HEAD_H
#define ARROW_WRITE_HEAD_H

#include "base/buffer.h"

/* Lists as the header has them: nodes and buffers 16 bytes each, counts of views' buffers 8. */
typedef struct ipc_head {
    bytes nodes, buffers, views;
    int codec; /* as Message.fbs numbers it; -1: none */
} ipc_head;

ipc_head ipc_head_init(mem *m);
void ipc_head_release(ipc_head *h);
nrw_status ipc_head_node(ipc_head *h, uint64_t rows, uint64_t nulls, nrw_error *err) NRW_CHECKED;
nrw_status ipc_head_buffer(ipc_head *h, uint64_t at, uint64_t len, nrw_error *err) NRW_CHECKED;
nrw_status ipc_head_views(ipc_head *h, uint64_t buffers, nrw_error *err) NRW_CHECKED;

typedef struct dictionary_head {
    int64_t id;
    bool adds;
} dictionary_head;

/* The message, framed; of a dictionary where d is not NULL. `meta` is cleared first. */
nrw_status ipc_head_write(const ipc_head *h, uint64_t rows, uint64_t body_len,
                          const dictionary_head *d, bytes *meta, nrw_error *err) NRW_CHECKED;

#endif
