/* Bloom filters of kept chunks: bytes of the input in the writer's list of filters. */
#include "format/parquet/bloom_block.h"
#include "format/parquet/keep_own.h"
#include "format/parquet/prune.h"

enum { WINDOW = 32 << 10 };

static nrw_status copy_bytes(pq_keep_chunk *c, io_file *f, uint64_t at, uint64_t len,
                             nrw_error *err)
{
    pq_writer *w = c->w;
    size_t step = (size_t)(len < WINDOW ? len : WINDOW);
    nrw_status st = NRW_OK;
    void *window;
    TRY(mem_alloc(c->m, step, &window, err));
    for (uint64_t n = 0; st == NRW_OK && n < len; n += step) {
        size_t part = (size_t)(len - n < step ? len - n : step);
        st = file_read(f, at + n, window, part, err);
        if (st == NRW_OK)
            st = pq_log_append(&w->file_env, &w->blooms, (span){window, part}, err);
    }
    mem_free(c->m, window, step);
    return st;
}

nrw_status pq_keep_bloom(pq_keep_chunk *c, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    uint64_t at, len;
    pq_bloom from;
    if (c->from.bloom_at < 0)
        return NRW_OK;
    nrw_status st = pq_bloom_open(c->meta, &c->from, &from, &why);
    if (st < 0)
        return pq_keep_if_readable(st, &why, err);
    at = (uint64_t)c->from.bloom_at;
    len = from.at - at + (uint64_t)from.blocks * PQ_BLOOM_BLOCK;
    c->at.bloom_len = (uint32_t)len;
    return copy_bytes(c, c->file, at, len, err);
}
