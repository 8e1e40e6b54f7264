#include "format/avro/container.h"

#include "format/avro/cursor.h"

/* ---- the header ---- */

#define MOST_HEADER ((size_t)16 << 20)

/* Bytes of the file from its start; read on as they are asked for. */
typedef struct head {
    io_file *f;
    bytes b;
    size_t at;
} head;

/* At least `need` bytes from h->at on, if the file has them. */
static nrw_status head_need(head *h, size_t need, nrw_error *err)
{
    size_t more;

    if (h->b.len - h->at >= need)
        return NRW_OK;
    if (need > h->f->size - h->at) {
        err_at_offset(err, (int64_t)h->at);
        return err_set(err, NRW_E_CORRUPT, "the Avro header is cut off by the end of the file");
    }
    more = size_max(need - (h->b.len - h->at), 4096);
    more = size_min(more, (size_t)(h->f->size - h->b.len));
    if (more > MOST_HEADER - size_min(h->b.len, MOST_HEADER))
        return err_set(err, NRW_E_UNSUPPORTED, "the Avro header has more than %zu bytes",
                       MOST_HEADER);
    TRY(bytes_reserve(&h->b, more, err));
    TRY(file_read(h->f, h->b.len, h->b.data + h->b.len, more, err));
    h->b.len += more;
    return NRW_OK;
}

static nrw_status head_long(head *h, int64_t *x, nrw_error *err)
{
    size_t there = size_min((size_t)h->f->size - h->at, 10);
    const uint8_t *p;
    int got;

    TRY(head_need(h, size_max(there, 1), err));
    p = h->b.data + h->at;
    got = av_varint(&p, p + there, x);
    if (got <= 0) {
        err_at_offset(err, (int64_t)h->at);
        return err_set(err, NRW_E_CORRUPT, "the Avro header has a broken number");
    }
    h->at = (size_t)(p - h->b.data);
    return NRW_OK;
}

static nrw_status head_bytes(head *h, arena *a, char **out, size_t *len, nrw_error *err)
{
    int64_t n;

    TRY(head_long(h, &n, err));
    if (n < 0 || (uint64_t)n > h->f->size - h->at) {
        err_at_offset(err, (int64_t)h->at);
        return err_set(err, NRW_E_CORRUPT,
                       "the Avro header announces %lld bytes of metadata, %llu are left",
                       (long long)n, (unsigned long long)(h->f->size - h->at));
    }
    TRY(head_need(h, (size_t)n, err));
    *len = (size_t)n;
    TRY(arena_strndup(a, (const char *)h->b.data + h->at, *len, out, err));
    h->at += *len;
    return NRW_OK;
}

static nrw_status add_pair(head *h, arena *a, av_header *out, size_t *cap, nrw_error *err)
{
    size_t key_len, len;
    char *key, *value;

    TRY(arena_grow(a, (void **)&out->at, out->n, cap, sizeof *out->at, err));
    TRY(head_bytes(h, a, &key, &key_len, err));
    TRY(head_bytes(h, a, &value, &len, err));
    out->at[out->n++] = (av_key_value){key, {(const uint8_t *)value, len}};
    return NRW_OK;
}

static nrw_status read_pairs(head *h, arena *a, av_header *out, nrw_error *err)
{
    size_t cap = 0;
    int64_t n, size;

    for (;;) {
        TRY(head_long(h, &n, err));
        if (n == 0)
            return NRW_OK;
        if (n < 0) {
            TRY(head_long(h, &size, err));
            n = n == INT64_MIN ? INT64_MAX : -n;
        }
        for (; n > 0; n--)
            TRY(add_pair(h, a, out, &cap, err));
    }
}

static const av_key_value *value_of(const av_header *h, const char *key)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (strcmp(h->at[i].key, key) == 0)
            return &h->at[i];
    return NULL;
}

static const struct {
    const char *avro, *name;
    bool crc;
} codecs[] = {{"null", "none", false},    {"deflate", "deflate", false},
              {"snappy", "snappy", true}, {"zstandard", "zstd", false},
              {"bzip2", "bzip2", false},  {"xz", "xz", false}};

#define CODECS (sizeof codecs / sizeof *codecs)

const codec *av_codec_named(const char *avro, bool *crc)
{
    for (size_t i = 0; i < CODECS; i++) {
        if (strcmp(avro, codecs[i].avro) != 0)
            continue;
        *crc = codecs[i].crc;
        return codec_named(codecs[i].name);
    }
    return NULL;
}

const char *av_codec_name(const codec *c)
{
    for (size_t i = 0; i < CODECS; i++)
        if (c == codec_named(codecs[i].name))
            return codecs[i].avro;
    return NULL;
}

static nrw_status find_codec(av_header *h, nrw_error *err)
{
    const av_key_value *kv = value_of(h, "avro.codec");

    h->codec_name = kv && kv->value.len ? (const char *)kv->value.data : "null";
    h->codec = av_codec_named(h->codec_name, &h->crc);
    if (h->codec)
        return NRW_OK;
    return err_set(err, NRW_E_UNSUPPORTED, "the codec %.40s is not one of Avro's", h->codec_name);
}

static nrw_status read_header(head *h, arena *a, av_header *out, nrw_error *err)
{
    static const uint8_t magic[4] = {'O', 'b', 'j', 1};
    const av_key_value *schema;

    if (h->f->size < sizeof magic)
        return err_set(err, NRW_E_CORRUPT, "not an Avro file: it has %llu bytes",
                       (unsigned long long)h->f->size);
    TRY(head_need(h, sizeof magic, err));
    if (memcmp(h->b.data, magic, sizeof magic) != 0)
        return err_set(err, NRW_E_CORRUPT, "not an Avro file: it does not begin with Obj and 1");
    h->at = sizeof magic;
    TRY(read_pairs(h, a, out, err));
    TRY(head_need(h, AV_SYNC, err));
    memcpy(out->sync, h->b.data + h->at, AV_SYNC);
    out->end = h->at + AV_SYNC;
    schema = value_of(out, "avro.schema");
    if (!schema)
        return err_set(err, NRW_E_CORRUPT, "the Avro header has no avro.schema");
    out->schema = schema->value;
    return find_codec(out, err);
}

nrw_status av_header_read(arena *a, io_file *f, av_header *out, nrw_error *err)
{
    head h = {.f = f, .b = bytes_init(arena_mem(a), MOST_HEADER)};
    nrw_status st;

    *out = (av_header){0};
    st = read_header(&h, a, out, err);
    bytes_release(&h.b);
    return st;
}

/* ---- walking ---- */

av_walk av_walk_init(io_file *f, const av_header *h)
{
    return (av_walk){.file = f, .header = h, .at = h->end - AV_SYNC};
}

static nrw_status walk_read(const av_walk *w, uint64_t at, uint8_t *dst, size_t n, nrw_error *err)
{
    const uint64_t from = at - w->seen_at; /* huge in front of it */

    if (from > w->seen.len || n > w->seen.len - from)
        return file_read(w->file, at, dst, n, err);
    memcpy(dst, w->seen.data + from, n);
    return NRW_OK;
}

size_t av_block_numbers(span head, int64_t *rows, int64_t *size)
{
    const uint8_t *p = head.data, *end = span_end(head);

    if (av_varint(&p, end, rows) != 1 || av_varint(&p, end, size) != 1)
        return 0;
    return (size_t)(p - head.data);
}

static nrw_status wrong_block(const av_walk *w, uint64_t at, nrw_error *err)
{
    err_at_block(err, w->number, -1);
    err_at_offset(err, (int64_t)at);
    return NRW_E_CORRUPT;
}

static nrw_status check_block(const av_walk *w, const av_block *b, int64_t size, nrw_error *err)
{
    uint64_t left = w->file->size - b->data;

    if (b->rows < 0)
        return err_set(err, wrong_block(w, b->at, err), "the block announces %lld records",
                       (long long)b->rows);
    if (b->rows > INT32_MAX)
        return err_set(err, wrong_block(w, b->at, err), "a block of %lld records cannot be read",
                       (long long)b->rows);
    if (size < 0 || (uint64_t)size > left || left - (uint64_t)size < AV_SYNC)
        return err_set(err, wrong_block(w, b->at, err),
                       "the block announces %lld bytes, the file has %lld more", (long long)size,
                       left < AV_SYNC ? 0 : (long long)left - AV_SYNC);
    return NRW_OK;
}

/* The block whose first bytes, at `at` in the file, are `head`. */
static nrw_status read_block(const av_walk *w, uint64_t at, span head, av_block *out,
                             nrw_error *err)
{
    int64_t size = 0;
    size_t used;

    *out = (av_block){.number = w->number, .at = at};
    used = av_block_numbers(head, &out->rows, &size);
    if (used == 0)
        return err_set(err, wrong_block(w, at, err), "the block's count and size are damaged");
    out->data = at + used;
    out->size = size < 0 ? 0 : (uint64_t)size;
    return check_block(w, out, size, err);
}

nrw_status av_block_at(const av_walk *w, uint64_t at, av_block *out, nrw_error *err)
{
    uint8_t room[20];
    size_t n = size_min(sizeof room, (size_t)(w->file->size - at));

    TRY(walk_read(w, at, room, n, err));
    return read_block(w, at, (span){room, n}, out, err);
}

nrw_status av_marker_at(const av_walk *w, uint64_t at, bool *is, nrw_error *err)
{
    uint8_t room[AV_SYNC];

    *is = at <= w->file->size && w->file->size - at >= AV_SYNC;
    if (*is) {
        TRY(walk_read(w, at, room, AV_SYNC, err));
        *is = memcmp(room, w->header->sync, AV_SYNC) == 0;
    }
    return NRW_OK;
}

nrw_status av_walk_next(av_walk *w, av_block *out, nrw_error *err)
{
    uint8_t room[AV_SYNC + 20];
    size_t n = size_min(sizeof room, (size_t)(w->file->size - w->at));

    TRY(walk_read(w, w->at, room, n, err));
    if (memcmp(room, w->header->sync, AV_SYNC) != 0) {
        err_at_block(err, w->number - 1, -1);
        err_at_offset(err, (int64_t)w->at);
        return err_set(err, NRW_E_CORRUPT, "the sync marker behind the block is wrong");
    }
    if (n == AV_SYNC)
        return NRW_END;
    TRY(read_block(w, w->at + AV_SYNC, (span){room + AV_SYNC, n - AV_SYNC}, out, err));
    w->at = out->data + out->size;
    w->number++;
    return NRW_OK;
}

nrw_status av_walk_resync(av_walk *w, uint64_t from, nrw_error *err)
{
    uint8_t room[4096];

    while (from < w->file->size && w->file->size - from >= AV_SYNC) {
        size_t n = size_min(sizeof room, (size_t)(w->file->size - from));
        const uint8_t *at;
        TRY(file_read(w->file, from, room, n, err));
        at = memmem(room, n, w->header->sync, AV_SYNC);
        if (at) {
            w->at = from + (uint64_t)(at - room);
            return NRW_OK;
        }
        from += n - (AV_SYNC - 1);
    }
    return NRW_END;
}

/* ---- a block's bytes ---- */

static nrw_status wrong_crc(nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "the block's checksum differs");
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

nrw_status av_unpack(const av_header *h, codec_ctx *c, span stored, uint8_t *dst, size_t cap,
                     size_t *n, nrw_error *err)
{
    nrw_status st;

    *n = 0;
    if (h->crc && stored.len < 4)
        return err_set(err, NRW_E_CORRUPT, "the block has no checksum");
    stored.len -= h->crc ? 4 : 0;
    st = codec_decode_within(c, stored, dst, cap, n, err);
    if (st == NRW_OK && h->crc && codec_crc32(0, dst, *n) != big_endian(stored.data + stored.len))
        return wrong_crc(err);
    return st;
}

bool av_unpack_beside(const av_header *h, const codec *c, const span *stored, size_t count,
                      uint8_t *dst, size_t cap, size_t *n)
{
    const size_t tail = h->crc ? 4 : 0;
    span src[CODEC_BESIDE] = {{NULL, 0}};

    for (size_t i = 0; i < count; i++) {
        if (stored[i].len < tail)
            return false;
        src[i] = (span){stored[i].data, stored[i].len - tail};
    }
    if (!c->decode_beside(src, count, dst, cap, n))
        return false;
    for (size_t i = 0; i < count && h->crc; dst += n[i++])
        if (codec_crc32(0, dst, n[i]) != big_endian(span_end(src[i])))
            return false;
    return true;
}

nrw_status av_stream_open(av_stream *s, mem *m, io_file *f, const av_header *h, codec_ctx *c,
                          const av_block *b, nrw_error *err)
{
    uint64_t tail = h->crc ? 4 : 0;
    void *room;
    nrw_status st;

    if (b->size < tail)
        return err_set(err, NRW_E_CORRUPT, "the block has no checksum");
    TRY(mem_alloc(m, AV_STREAM_ROOM, &room, err));
    st = c->codec->stream_begin(c, b->size - tail, CODEC_SIZE_UNKNOWN, err);
    if (st < 0) {
        mem_free(m, room, AV_STREAM_ROOM);
        return st;
    }
    *s = (av_stream){.m = m,
                     .file = f,
                     .header = h,
                     .codec = c,
                     .at = b->data,
                     .left = b->size - tail,
                     .room = room};
    return NRW_OK;
}

static nrw_status stream_end(av_stream *s, nrw_error *err)
{
    uint8_t crc[4];

    s->ended = true;
    TRY(s->codec->codec->stream_end(s->codec, err));
    if (!s->header->crc)
        return NRW_OK;
    TRY(file_read(s->file, s->at, crc, sizeof crc, err));
    return big_endian(crc) == s->crc ? NRW_OK : wrong_crc(err);
}

static nrw_status more_input(av_stream *s, nrw_error *err)
{
    size_t n = size_min(AV_STREAM_ROOM, (size_t)s->left);

    TRY(file_read(s->file, s->at, s->room, n, err));
    s->in = (span){s->room, n};
    s->at += n;
    s->left -= n;
    return NRW_OK;
}

nrw_status av_stream_fill(av_stream *s, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    *n = 0;
    while (*n == 0 && cap > 0 && !s->ended) {
        size_t before;
        if (s->in.len == 0 && s->left > 0)
            TRY(more_input(s, err));
        before = s->in.len;
        TRY(s->codec->codec->stream_step(s->codec, &s->in, dst, cap, n, err));
        if (*n == 0 && s->in.len == before && s->left == 0)
            TRY(stream_end(s, err));
        else if (*n == 0 && s->in.len == before && s->in.len > 0)
            return err_set(err, NRW_E_CORRUPT, "bytes follow the end of the %s data",
                           s->codec->codec->name);
    }
    if (*n > 0 && s->header->crc)
        s->crc = codec_crc32(s->crc, dst, *n);
    return NRW_OK;
}

void av_stream_stop(av_stream *s)
{
    nrw_error ignored = NRW_ERROR_INIT;

    if (!s->ended) /* frees the decoder */
        (void)!s->codec->codec->stream_end(s->codec, &ignored);
    s->ended = true;
}

void av_stream_close(av_stream *s)
{
    if (!s->m)
        return;
    av_stream_stop(s);
    mem_free(s->m, s->room, AV_STREAM_ROOM);
    *s = (av_stream){0};
}
