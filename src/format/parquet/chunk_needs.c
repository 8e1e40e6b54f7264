#include "format/parquet/chunk_needs.h"

#include "codec/codec.h"

static uint64_t power_of_two(uint64_t least)
{
    uint64_t n = 1;

    while (n < least)
        n *= 2;
    return n;
}

uint64_t pq_chunk_bytes(const pq_chunk *c)
{
    return c->uncompressed < 0 ? UINT64_MAX : (uint64_t)c->uncompressed;
}

/* An entry of an offset index has at most 20 bytes. */
uint64_t pq_large_page(const pq_chunk *c)
{
    uint64_t all = pq_chunk_bytes(c);
    uint64_t pages = c->offset_index_at < 0 ? 0 : (uint64_t)c->offset_index_len / 20;

    return pages < 4 ? all : size_max(all / pages * 2, (size_t)64 << 10);
}

uint64_t pq_usual_dictionary(const pq_chunk *c, uint64_t most)
{
    int64_t stored = c->data_page_offset - c->dictionary_page_offset;

    if (c->dictionary_page_offset < 0)
        return 0;
    if (stored <= 0 || (uint64_t)stored >= most / 8)
        return most;
    return (uint64_t)stored * 8;
}

uint64_t pq_stream_memory(const pq_chunk *c)
{
    const uint64_t kib = 1 << 10;
    uint64_t window, page = size_max(pq_large_page(c), pq_usual_dictionary(c, pq_chunk_bytes(c)));

    switch (c->codec) {
    case CODEC_NONE: return 0;
    case CODEC_ZSTD: window = 2048 * kib; break;
    case CODEC_BROTLI: window = 4096 * kib; break;
    default: return 160 * kib;
    }
    window = page < window ? page : window;
    if (c->codec == CODEC_ZSTD)
        return size_max(320 * kib + window, codec_by_id(c->codec)->decode_mem(window));
    /* brotli's ring, and prefix codes, which come to less than they could */
    return 320 * kib + power_of_two(window) + (window < 3072 * kib ? window : 3072 * kib);
}
