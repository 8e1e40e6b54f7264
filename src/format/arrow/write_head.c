#include "format/arrow/write_head.h"

#include "column/arrow_own.h"
#include "column/arrow_schema.h"

#define MOST ((size_t)1 << 40)

ipc_head ipc_head_init(mem *m)
{
    const bytes none = bytes_init(m, MOST);

    return (ipc_head){.nodes = none, .buffers = none, .views = none, .codec = -1};
}

void ipc_head_release(ipc_head *h)
{
    bytes_release(&h->nodes);
    bytes_release(&h->buffers);
    bytes_release(&h->views);
}

static nrw_status put_u64(bytes *b, uint64_t v, nrw_error *err)
{
    return bytes_append(b, &v, sizeof v, err);
}

nrw_status ipc_head_node(ipc_head *h, uint64_t rows, uint64_t nulls, nrw_error *err)
{
    TRY(put_u64(&h->nodes, rows, err));
    return put_u64(&h->nodes, nulls, err);
}

nrw_status ipc_head_buffer(ipc_head *h, uint64_t at, uint64_t len, nrw_error *err)
{
    TRY(put_u64(&h->buffers, at, err));
    return put_u64(&h->buffers, len, err);
}

nrw_status ipc_head_views(ipc_head *h, uint64_t buffers, nrw_error *err)
{
    return put_u64(&h->views, buffers, err);
}

static nrw_status put_structs(bytes *out, uint32_t at, const bytes *from, uint32_t each,
                              nrw_error *err)
{
    TRY(flat_put_structs(out, at, (uint32_t)(from->len / each), err));
    return bytes_append(out, from->data, from->len, err);
}

/* The table RecordBatch. */
static nrw_status put_batch(const ipc_head *h, bytes *out, uint32_t at, uint64_t rows,
                            nrw_error *err)
{
    flat_field f[5] = {{.id = 0, .bytes = 8, .value = (int64_t)rows}, {.id = 1}, {.id = 2}};
    uint32_t n = 3;

    if (h->codec >= 0)
        f[n++] = (flat_field){.id = 3};
    if (h->views.len)
        f[n++] = (flat_field){.id = 4};
    TRY(flat_put_table(out, at, f, n, err));
    TRY(put_structs(out, f[1].at, &h->nodes, 16, err));
    TRY(put_structs(out, f[2].at, &h->buffers, 16, err));
    if (h->codec >= 0) {
        flat_field c[] = {{.id = 0, .bytes = 1, .value = h->codec}, {.id = 1, .bytes = 1}};
        TRY(flat_put_table(out, f[3].at, c, 2, err));
    }
    return h->views.len ? put_structs(out, f[n - 1].at, &h->views, 8, err) : NRW_OK;
}

nrw_status ipc_head_write(const ipc_head *h, uint64_t rows, uint64_t body_len,
                          const dictionary_head *d, bytes *meta, nrw_error *err)
{
    uint32_t header;

    TRY(arrow_message_begin(meta, d ? ARROW_HEADER_DICTIONARY : ARROW_HEADER_BATCH, body_len,
                            &header, err));
    if (d) {
        flat_field f[] = {{.id = 0, .bytes = 8, .value = d->id},
                          {.id = 1},
                          {.id = 2, .bytes = 1, .value = d->adds}};
        TRY(flat_put_table(meta, header, f, 3, err));
        TRY(put_batch(h, meta, f[1].at, rows, err));
    } else {
        TRY(put_batch(h, meta, header, rows, err));
    }
    return arrow_message_frame(meta, err);
}
