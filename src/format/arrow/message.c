#include "format/arrow/message.h"

#define MAGIC     "ARROW1"
#define MAGIC_LEN 6

enum { BLOCK = 24, CONTINUES = 4 };

static nrw_status damaged(nrw_error *err, uint64_t at, const char *what)
{
    err_at_offset(err, (int64_t)at);
    return err_set(err, NRW_E_CORRUPT, "%s", what);
}

static nrw_status read_u32(io_file *f, uint64_t at, uint32_t *out, nrw_error *err)
{
    uint8_t b[4];

    TRY(file_read(f, at, b, 4, err));
    *out = load_u32(b);
    return NRW_OK;
}

/* Behind the mark of the end nothing comes any more, of what is read once. */
static nrw_status at_end(io_file *f, uint64_t at, nrw_error *err)
{
    nrw_status st;

    if (!file_is_live(f))
        return NRW_END;
    TRY(st = file_expect(f, at, 1, err));
    return st == NRW_END ? st : damaged(err, at, "something follows the end of the Arrow stream");
}

/* Length of the flatbuffer at *at, behind which *at then is. Old writers put no mark in front. */
static nrw_status read_length(io_file *f, uint64_t *at, uint32_t *len, nrw_error *err)
{
    const uint64_t start = *at;
    nrw_status st;

    TRY(st = file_expect(f, start, 1, err));
    if (st == NRW_END) /* the mark of the end is left out by some */
        return st;
    TRY(file_expect(f, start, 4, err));
    TRY(read_u32(f, *at, len, err));
    *at += 4;
    if (*len == UINT32_MAX) {
        TRY(file_expect(f, start, 8, err));
        TRY(read_u32(f, *at, len, err));
        *at += 4;
    }
    return *len ? NRW_OK : at_end(f, *at, err);
}

static nrw_status read_header(ipc_message *m, nrw_error *err)
{
    int16_t version;
    int64_t body;
    bool has;

    if (!flat_root(m->meta, &m->root) || !flat_i16(&m->root, ARROW_MESSAGE_VERSION, 0, &version) ||
        !flat_u8(&m->root, ARROW_MESSAGE_HEADER_ID, 0, &m->kind) ||
        !flat_child(&m->root, ARROW_MESSAGE_HEADER, &has, &m->header) || !has ||
        !flat_i64(&m->root, ARROW_MESSAGE_BODY, 0, &body) || body < 0)
        return damaged(err, m->at, "the header of an Arrow message is damaged");
    if (version != ARROW_VERSION_4 && version != ARROW_VERSION_5) {
        err_at_offset(err, (int64_t)m->at);
        return err_set(err, NRW_E_UNSUPPORTED,
                       "Arrow messages of version V%d are not read, V4 and V5 are", version + 1);
    }
    m->body_len = (uint64_t)body;
    return NRW_OK;
}

nrw_status ipc_message_read(io_file *f, uint64_t at, bytes *meta, ipc_message *out, nrw_error *err)
{
    nrw_status st;
    uint32_t len;

    *out = (ipc_message){.at = at};
    bytes_clear(meta);
    TRY(st = read_length(f, &at, &len, err));
    if (st == NRW_END)
        return st;
    if (len > INT32_MAX)
        return damaged(err, out->at, "the length of an Arrow message is damaged");
    TRY(st = file_expect(f, out->at, at - out->at + len, err));
    if (st == NRW_END)
        return damaged(err, out->at, "an Arrow message is longer than what is left of the file");
    TRY(bytes_reserve(meta, (size_t)len + 4, err));
    store_u32(meta->data, len);
    TRY(file_read(f, at, meta->data + 4, len, err));
    meta->len = (size_t)len + 4;
    out->meta = (span){meta->data + 4, len};
    out->body = at + len;
    TRY(read_header(out, err));
    if (out->body_len > FILE_LIVE_SIZE - out->body)
        return damaged(err, out->at, "the body of an Arrow message is cut off");
    TRY(st = file_expect(f, out->at, out->body + out->body_len - out->at, err));
    if (st == NRW_END)
        return damaged(err, out->at, "the body of an Arrow message is cut off");
    out->next = out->body + ((out->body_len + 7) & ~(uint64_t)7);
    TRY(st = file_expect(f, out->at, out->next - out->at, err));
    if (st == NRW_END) /* the last one may lack what fills it up */
        out->next = out->body + out->body_len;
    return NRW_OK;
}

/* ---- where messages are ---- */

bool ipc_is_file(span head)
{
    return head.len >= 8 && memcmp(head.data, MAGIC, MAGIC_LEN) == 0;
}

/* A mark and a length, or a length alone, which is small, and a root in it. */
bool ipc_is_stream(span head)
{
    uint32_t len, root;
    size_t at = 0;

    if (head.len < 12)
        return false;
    if (load_u32(head.data) == UINT32_MAX)
        at = 4;
    len = load_u32(head.data + at);
    root = load_u32(head.data + at + 4);
    return len > 8 && len < 1u << 24 && len % 4 == 0 && root >= 4 && root < len && root < 1u << 16;
}

/* The footer is looked at in place: its lists grow with the file. */
typedef struct footer {
    io_file *f;
    uint64_t at, len;
} footer;

static nrw_status footer_read(const footer *t, uint64_t at, void *dst, size_t n, nrw_error *err)
{
    if (at > t->len || n > t->len - at)
        return damaged(err, t->at, "the footer is damaged");
    return file_read(t->f, t->at + at, dst, n, err);
}

static nrw_status footer_u32(const footer *t, uint64_t at, uint32_t *out, nrw_error *err)
{
    uint8_t b[4];

    TRY(footer_read(t, at, b, 4, err));
    *out = load_u32(b);
    return NRW_OK;
}

/* Where field `id` of the root table leads to; 0: it is not there. */
static nrw_status footer_field(const footer *t, uint32_t id, uint64_t *to, nrw_error *err)
{
    uint32_t root, back, distance;
    uint8_t head[4], entry[2] = {0};
    int64_t vtable;

    *to = 0;
    TRY(footer_u32(t, 0, &root, err));
    TRY(footer_u32(t, root, &back, err));
    vtable = (int64_t)root - (int32_t)back;
    if (vtable < 0)
        return damaged(err, t->at, "the footer is damaged");
    TRY(footer_read(t, (uint64_t)vtable, head, 4, err));
    if (4u + 2 * id + 2 <= (uint32_t)(head[0] | head[1] << 8))
        TRY(footer_read(t, (uint64_t)vtable + 4 + 2 * id, entry, 2, err));
    if (!(entry[0] | entry[1]))
        return NRW_OK;
    *to = (uint64_t)root + (uint64_t)(entry[0] | entry[1] << 8);
    TRY(footer_u32(t, *to, &distance, err));
    *to += distance;
    return NRW_OK;
}

static nrw_status footer_blocks(const footer *t, uint32_t id, ipc_blocks *out, nrw_error *err)
{
    uint64_t to;

    *out = (ipc_blocks){0};
    TRY(footer_field(t, id, &to, err));
    if (!to)
        return NRW_OK;
    TRY(footer_u32(t, to, &out->n, err));
    out->at = t->at + to + 4;
    if (out->n > (t->len - to - 4) / BLOCK)
        return damaged(err, t->at + to, "the footer has more blocks than room for them");
    return NRW_OK;
}

static nrw_status find_footer(io_file *f, footer *t, nrw_error *err)
{
    uint8_t end[4 + MAGIC_LEN];
    const uint64_t size = f->size;

    t->f = f;
    if (size < 8 + sizeof end)
        return damaged(err, size, "the Arrow file is cut off");
    TRY(file_read(f, size - sizeof end, end, sizeof end, err));
    t->len = load_u32(end);
    if (memcmp(end + 4, MAGIC, MAGIC_LEN) != 0)
        return damaged(err, size - MAGIC_LEN, "the Arrow file has no end mark: it is cut off");
    if (t->len > size - 8 - sizeof end || t->len < 8)
        return damaged(err, size - sizeof end, "the length of the footer is damaged");
    t->at = size - sizeof end - t->len;
    return NRW_OK;
}

static nrw_status open_file(ipc_walk *w, nrw_error *err)
{
    footer t;

    w->at = 8;
    TRY(find_footer(w->f, &t, err));
    TRY(footer_blocks(&t, 2, &w->dictionaries, err));
    return footer_blocks(&t, 3, &w->batches, err);
}

nrw_status ipc_footer_schema(const ipc_walk *w, bytes *meta, flat_table *out, uint64_t *at,
                             nrw_error *err)
{
    flat_table root;
    bool has;
    footer t;

    TRY(find_footer(w->f, &t, err));
    *at = t.at;
    bytes_clear(meta);
    TRY(bytes_reserve(meta, (size_t)t.len, err));
    TRY(file_read(w->f, t.at, meta->data, (size_t)t.len, err));
    meta->len = (size_t)t.len;
    if (!flat_root((span){meta->data, meta->len}, &root) || !flat_child(&root, 1, &has, out) ||
        !has)
        return damaged(err, t.at, "the footer has no schema");
    return NRW_OK;
}

static nrw_status not_arrow(io_file *f, span head, nrw_error *err)
{
    err_at_offset(err, 0);
    if (head.len >= 4 && memcmp(head.data, "FEA1", 4) == 0) {
        err_next(err, "write it anew as Feather V2, which is the Arrow IPC format");
        return err_set(err, NRW_E_UNSUPPORTED, "is a Feather file of version 1, which is not read");
    }
    return err_set(err, NRW_E_CORRUPT,
                   file_is_live(f) && !head.len ? "gave nothing, an Arrow stream is wanted"
                   : f->size                    ? "is neither an Arrow file nor an Arrow stream"
                                                : "is empty");
}

nrw_status ipc_walk_open(io_file *f, ipc_walk *out, nrw_error *err)
{
    uint8_t bytes[16];
    span head = {bytes, size_min(sizeof bytes, (size_t)f->size)};
    nrw_status st;

    *out = (ipc_walk){.f = f};
    TRY(st = file_expect(f, 0, 1, err));
    if (st == NRW_END)
        return not_arrow(f, (span){0}, err);
    TRY(st = file_expect(f, 0, head.len, err));
    if (st == NRW_END)
        return not_arrow(f, (span){bytes, 1}, err);
    TRY(file_read(f, 0, bytes, head.len, err));
    out->footer = ipc_is_file(head);
    if (out->footer && file_is_live(f))
        return err_set(err, NRW_E_UNSUPPORTED, "is an Arrow file, a stream is wanted");
    if (out->footer)
        return open_file(out, err);
    return ipc_is_stream(head) ? NRW_OK : not_arrow(f, head, err);
}

void ipc_walk_begin(ipc_walk *w, const ipc_message *schema)
{
    w->at = schema->next;
    w->i = 0;
}

static nrw_status next_block(ipc_walk *w, bytes *meta, ipc_message *out, nrw_error *err)
{
    bool dictionary = w->i < w->dictionaries.n;
    uint32_t i = dictionary ? w->i : w->i - w->dictionaries.n;
    const ipc_blocks *b = dictionary ? &w->dictionaries : &w->batches;
    uint8_t block[BLOCK];
    nrw_status st;
    uint64_t at;

    if (i >= b->n)
        return NRW_END;
    TRY(file_read(w->f, b->at + (uint64_t)i * BLOCK, block, BLOCK, err));
    at = load_u64(block);
    if (at >= w->f->size)
        return damaged(err, b->at + (uint64_t)i * BLOCK, "a block of the footer lies nowhere");
    w->i++;
    TRY(st = ipc_message_read(w->f, at, meta, out, err));
    if (st == NRW_END || out->kind != (dictionary ? ARROW_HEADER_DICTIONARY : ARROW_HEADER_BATCH))
        return damaged(err, at, "a block of the footer is not what it should be");
    return NRW_OK;
}

nrw_status ipc_walk_next(ipc_walk *w, bytes *meta, ipc_message *out, nrw_error *err)
{
    nrw_status st;

    if (w->footer)
        return next_block(w, meta, out, err);
    TRY(st = ipc_message_read(w->f, w->at, meta, out, err));
    if (st == NRW_END)
        return st;
    if (out->kind != ARROW_HEADER_DICTIONARY && out->kind != ARROW_HEADER_BATCH)
        return damaged(err, out->at, "an Arrow message is neither a dictionary nor a record batch");
    w->at = out->next;
    return NRW_OK;
}
