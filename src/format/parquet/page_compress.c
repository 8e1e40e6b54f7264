#include "format/parquet/page_compress.h"

nrw_status pq_bench_new(mem *m, size_t usual_body, pq_bench **out, nrw_error *err)
{
    void *p = NULL;
    *out = NULL;
    TRY(mem_zalloc(m, sizeof(pq_bench), &p, err));
    *out = p;
    (*out)->m = m;
    (*out)->usual = usual_body;
    return NRW_OK;
}

void pq_bench_free(pq_bench *b)
{
    if (!b)
        return;
    for (int i = 0; i <= CODEC_LZ4_RAW; i++) {
        if (b->ctx[i].codec)
            codec_ctx_release(&b->ctx[i]);
    }
    mem_free(b->m, b->out, b->cap);
    mem_free(b->m, b, sizeof *b);
}

/* The old content is not needed. */
static nrw_status resize(pq_bench *b, size_t cap, nrw_error *err)
{
    mem_free(b->m, b->out, b->cap);
    b->out = NULL;
    b->cap = 0;
    void *p = NULL;
    TRY(mem_alloc(b->m, cap, &p, err));
    b->out = p;
    b->cap = cap;
    return NRW_OK;
}

static nrw_status ready(pq_bench *b, const codec *k, size_t body, nrw_error *err)
{
    size_t want = PQ_HEADER_ROOM + (k ? size_max(k->bound(body), body) : body);
    size_t usual = PQ_HEADER_ROOM + (k ? size_max(k->bound(b->usual), b->usual) : b->usual);
    if (want > b->cap || (b->cap > usual && want <= usual))
        TRY(resize(b, size_max(want, usual), err));
    if (k && !b->ctx[k->parquet_id].codec)
        b->ctx[k->parquet_id] = codec_ctx_init(k, b->m);
    return NRW_OK;
}

static nrw_status page_header(bytes *to, const pq_page_out *p, span body, bool crc, bool compressed,
                              nrw_error *err)
{
    pq_page head = {.type = p->type,
                    .uncompressed = (int32_t)p->body->len,
                    .compressed = (int32_t)body.len,
                    .has_crc = crc,
                    .n_values = (int32_t)p->rows,
                    .encoding = p->encoding,
                    .n_nulls = (int32_t)p->nulls,
                    .n_rows = (int32_t)p->records,
                    .def_len = (int32_t)(p->levels_len - p->rep_len),
                    .rep_len = (int32_t)p->rep_len,
                    .v2_compressed = compressed};
    if (crc)
        head.crc = codec_crc32(0, body.data, body.len);
    return pq_page_header_write(to, &head, err);
}

/* Bytes that are compressed together with the numbers behind them: levels of version 1. */
static size_t levels_in_front(const pq_page_out *p)
{
    size_t values = (size_t)(p->rows - p->nulls) * p->width; /* of booleans more than they take */

    return p->type == PQ_DATA_PAGE && p->body->len > values ? p->body->len - values : 0;
}

static codec_hint hint_of(const pq_page_out *p)
{
    if (p->encoding == PQ_BYTE_STREAM_SPLIT && p->type == PQ_DATA_PAGE_V2)
        return (codec_hint){.content = CODEC_PLANES, .width = p->width};
    if (p->encoding == PQ_PLAIN && p->width)
        return (codec_hint){
            .content = CODEC_NUMBERS, .width = p->width, .skip = levels_in_front(p)};
    return (codec_hint){.content = p->width || p->encoding == PQ_RLE_DICTIONARY ? CODEC_NUMBERS
                                                                                : CODEC_ANY};
}

/* Levels of version 2 stay as they are, and its values, too, where compressing does not pay. */
static nrw_status pack_body(pq_bench *b, const codec *k, int level, const pq_page_out *p,
                            size_t *len, bool *compressed, nrw_error *err)
{
    uint8_t *to = b->out + PQ_HEADER_ROOM;
    size_t levels = p->type == PQ_DATA_PAGE_V2 ? p->levels_len : 0;
    span values = {p->body->data + levels, p->body->len - levels};
    if (levels)
        memcpy(to, p->body->data, levels);
    size_t n = 0;
    *compressed = k && (p->type != PQ_DATA_PAGE_V2 || values.len);
    if (*compressed) {
        size_t cap = b->cap - PQ_HEADER_ROOM - levels;
        b->ctx[k->parquet_id].hint = hint_of(p);
        TRY(k->encode(&b->ctx[k->parquet_id], level, values, to + levels, cap, &n, err));
        *compressed = p->type != PQ_DATA_PAGE_V2 || n < values.len;
    }
    if (!*compressed) {
        n = values.len;
        if (n)
            memcpy(to + levels, values.data, n);
    }
    *len = levels + n;
    return NRW_OK;
}

nrw_status pq_page_pack(pq_bench *b, const pq_column_options *c, bool crc, const pq_page_out *p,
                        span *out, uint32_t *header_len, nrw_error *err)
{
    *out = (span){0};
    *header_len = 0;
    const codec *k = c->codec == CODEC_NONE ? NULL : codec_by_id(c->codec);
    if (!k && c->codec != CODEC_NONE)
        return err_set(err, NRW_E_UNSUPPORTED, "no %s compression", codec_id_name(c->codec));
    TRY(ready(b, k, p->body->len, err));
    size_t len = 0;
    bool compressed = false;
    TRY(pack_body(b, k, c->level, p, &len, &compressed, err));
    if (p->body->len > INT32_MAX || len > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a page of %zu bytes, more than a page can have",
                       p->body->len);
    bytes head = {.data = b->header, .cap = sizeof b->header, .max = sizeof b->header, .m = b->m};
    TRY(page_header(&head, p, (span){b->out + PQ_HEADER_ROOM, len}, crc, compressed, err));
    uint8_t *start = b->out + PQ_HEADER_ROOM - head.len;
    memcpy(start, b->header, head.len);
    *out = (span){start, head.len + len};
    *header_len = (uint32_t)head.len;
    return NRW_OK;
}

uint64_t pq_bench_most(const pq_column_options *c, uint32_t n, size_t body)
{
    uint64_t contexts[CODEC_LZ4_RAW + 1] = {0}, sum = sizeof(pq_bench) + PQ_HEADER_ROOM;
    size_t out = body;
    for (uint32_t i = 0; i < n; i++) {
        const codec *k = c[i].codec == CODEC_NONE ? NULL : codec_by_id(c[i].codec);
        if (!k || (i && c[i].codec == c[i - 1].codec && c[i].level == c[i - 1].level))
            continue;
        uint64_t need = k->encode_mem(c[i].level, body);
        if (need > contexts[k->parquet_id])
            contexts[k->parquet_id] = need;
        out = size_max(out, k->bound(body));
    }
    for (int i = 0; i <= CODEC_LZ4_RAW; i++)
        sum += contexts[i];
    return sum + out;
}
