/* Bloom filters, read: of a filter only the block that a value can be in. */
#include "format/parquet/prune.h"

#include "base/hash.h"
#include "format/parquet/bloom_block.h"
#include "format/parquet/meta_priv.h"

enum { BLOCK = PQ_BLOOM_BLOCK, HEADER_MOST = 256 };

/* A union of which only the first alternative is known. */
static nrw_status first_of(thrift_in *in, thrift_field f, bool *is, nrw_error *err)
{
    int16_t last;

    *is = false;
    if (f.type != THRIFT_STRUCT)
        return thrift_skip(in, f.type, err);
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return NRW_OK;
        *is |= f.id == 1;
        TRY(thrift_skip(in, f.type, err));
    }
}

static nrw_status read_header(thrift_in *in, int32_t *bytes, nrw_error *err)
{
    bool block = false, hash = false, plain = false;
    int16_t last;
    thrift_field f;

    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        switch (f.type == THRIFT_STOP ? -1 : f.id) {
        case -1: break;
        case 1: TRY(thrift_get_i32(in, f, bytes, NULL, err)); continue;
        case 2: TRY(first_of(in, f, &block, err)); continue;
        case 3: TRY(first_of(in, f, &hash, err)); continue;
        case 4: TRY(first_of(in, f, &plain, err)); continue;
        default: TRY(thrift_skip(in, f.type, err)); continue;
        }
        break;
    }
    if (block && hash && plain)
        return NRW_OK;
    return err_set(err, NRW_E_UNSUPPORTED,
                   "the bloom filter is not of uncompressed blocks over XXH64");
}

nrw_status pq_bloom_open(pq_meta *p, const pq_chunk *c, pq_bloom *out, nrw_error *err)
{
    uint8_t head[HEADER_MOST];
    int32_t bytes = 0;
    size_t len;
    thrift_in in;

    *out = (pq_bloom){0};
    if (c->bloom_at < 0)
        return err_set(err, NRW_E_NOTFOUND, "the column chunk has no bloom filter");
    TRY(pq_check_range(p, "the bloom filter", c->bloom_at, 1, err));
    len = size_min(HEADER_MOST, (size_t)(p->footer_at - (uint64_t)c->bloom_at));
    TRY(file_read(p->f, (uint64_t)c->bloom_at, head, len, err));
    in = thrift_in_bytes((span){head, len}, (uint64_t)c->bloom_at);
    TRY(read_header(&in, &bytes, err));
    out->at = thrift_offset(&in);
    if (bytes < BLOCK || bytes % BLOCK || (uint64_t)bytes > p->footer_at - out->at)
        return err_set(err, NRW_E_CORRUPT, "the bloom filter is said to have %d bytes", bytes);
    /* the chunk's metadata say the length, too, header included */
    if (c->bloom_len > 0 &&
        out->at - (uint64_t)c->bloom_at + (uint64_t)bytes != (uint64_t)c->bloom_len)
        return err_set(err, NRW_E_CORRUPT, "the bloom filter is said to have %d and %d bytes",
                       bytes, c->bloom_len);
    out->blocks = (uint32_t)bytes / BLOCK;
    return NRW_OK;
}

nrw_status pq_bloom_may_have(pq_meta *p, const pq_bloom *b, span plain, bool *may, nrw_error *err)
{
    uint64_t hash = hash_xxh64(plain.data, plain.len);
    uint64_t block = pq_bloom_block(hash, b->blocks);
    uint8_t bits[BLOCK];

    TRY(file_read(p->f, b->at + block * BLOCK, bits, BLOCK, err));
    *may = pq_bloom_has(bits, hash);
    return NRW_OK;
}
