#include "format/parquet/bloom_write.h"

#include "format/parquet/bloom_block.h"
#include "format/parquet/thrift.h"

#include <math.h>

uint32_t pq_bloom_bytes(uint64_t distinct, double ratio)
{
    /* A value is found by chance where eight bits are set: (1 - e^(-8 n / bits))^8. */
    double bits = -8 * (double)distinct / log(1 - pow(ratio, 0.125));
    uint32_t bytes = PQ_BLOOM_LEAST;

    while (bytes < PQ_BLOOM_MOST && 8.0 * bytes < bits)
        bytes *= 2;
    return bytes;
}

/* ---- how many differ ---- */

/* HyperLogLog: of the hashes that share their first bits, the most zeros that one has behind them.
 * The standard error is 1.04 / sqrt(REGISTERS): 1 %. */
enum { REGISTER_BITS = 13, REGISTERS = 1 << REGISTER_BITS };

static nrw_status count_hashes(void *self, span piece, nrw_error *err)
{
    uint8_t *most = self;

    (void)err;
    for (size_t i = 0; i + 8 <= piece.len; i += 8) {
        uint64_t hash = load_u64(piece.data + i), rest = hash << REGISTER_BITS | 1;
        uint8_t zeros = (uint8_t)(1 + __builtin_clzll(rest)), *at;
        at = &most[hash >> (64 - REGISTER_BITS)];
        *at = zeros > *at ? zeros : *at;
    }
    return NRW_OK;
}

/* With few values the registers that saw none tell more. */
static uint64_t estimate(const uint8_t *most)
{
    const double n = REGISTERS, alpha = 0.7213 / (1 + 1.079 / n);
    double sum = 0, raw;
    uint32_t empty = 0;

    for (uint32_t i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -most[i]);
        empty += most[i] == 0;
    }
    raw = alpha * n * n / sum;
    return (uint64_t)(raw <= 2.5 * n && empty ? n * log(n / empty) : raw);
}

/* Rather a little more than there are. */
static nrw_status count_distinct(const pq_bloom_source *s, uint64_t *out, nrw_error *err)
{
    const uint64_t all = s->hashes->len / 8;
    void *most;
    nrw_status st;

    *out = s->distinct >= 0 ? (uint64_t)s->distinct : all;
    if (s->distinct >= 0)
        return NRW_OK;
    TRY(mem_zalloc(s->m, REGISTERS, &most, err));
    st = pq_log_walk(s->env, s->hashes, count_hashes, most, err);
    if (st == NRW_OK) {
        uint64_t about = estimate(most);
        about += about / 50;
        *out = about < all ? about : all;
    }
    mem_free(s->m, most, REGISTERS);
    return st;
}

/* ---- the filter ---- */

/* Blocks [first, first + n) of a filter of `blocks`. */
typedef struct window {
    uint8_t *bits;
    uint32_t blocks, first, n;
} window;

static nrw_status set_hashes(void *self, span piece, nrw_error *err)
{
    const window *w = self;

    (void)err;
    for (size_t i = 0; i + 8 <= piece.len; i += 8) {
        uint64_t hash = load_u64(piece.data + i);
        uint32_t block = pq_bloom_block(hash, w->blocks) - w->first;
        if (block < w->n)
            pq_bloom_set(w->bits + (size_t)block * PQ_BLOOM_BLOCK, hash);
    }
    return NRW_OK;
}

static nrw_status write_bits(const pq_bloom_source *s, uint32_t bytes, const pq_log_env *to_env,
                             pq_log *to, nrw_error *err)
{
    uint32_t step = bytes < s->window ? bytes : s->window / PQ_BLOOM_BLOCK * PQ_BLOOM_BLOCK;
    window w = {.blocks = bytes / PQ_BLOOM_BLOCK};
    nrw_status st = NRW_OK;
    void *bits;

    TRY(mem_alloc(s->m, step, &bits, err));
    w.bits = bits;
    for (; st == NRW_OK && w.first < w.blocks; w.first += w.n) {
        uint32_t left = w.blocks - w.first, n = step / PQ_BLOOM_BLOCK;
        w.n = n < left ? n : left;
        memset(bits, 0, step);
        st = pq_log_walk(s->env, s->hashes, set_hashes, &w, err);
        if (st == NRW_OK)
            st = pq_log_append(to_env, to, (span){bits, (size_t)w.n * PQ_BLOOM_BLOCK}, err);
    }
    mem_free(s->m, bits, step);
    return st;
}

/* BloomFilterHeader: unions of which the first alternative is the only one. */
static nrw_status write_header(bytes *b, uint32_t size, nrw_error *err)
{
    thrift_out o = thrift_out_init(b);

    TRY(thrift_begin(&o, err));
    TRY(thrift_write_field_i32(&o, 1, (int32_t)size, err));
    for (int16_t id = 2; id <= 4; id++) { /* BLOCK, XXHASH, UNCOMPRESSED */
        TRY(thrift_write_field_struct(&o, id, err));
        TRY(thrift_write_field_empty(&o, 1, err));
        TRY(thrift_end(&o, err));
    }
    return thrift_end(&o, err);
}

nrw_status pq_bloom_write(const pq_bloom_source *s, const pq_log_env *to_env, pq_log *to,
                          uint32_t *len, nrw_error *err)
{
    bytes head = bytes_init(s->m, 256);
    uint64_t distinct;
    nrw_status st;

    *len = 0;
    TRY(count_distinct(s, &distinct, err));
    uint32_t size = pq_bloom_bytes(distinct, s->ratio);
    st = write_header(&head, size, err);
    if (st == NRW_OK)
        st = pq_log_append(to_env, to, (span){head.data, head.len}, err);
    if (st == NRW_OK)
        st = write_bits(s, size, to_env, to, err);
    *len = (uint32_t)head.len + size;
    bytes_release(&head);
    return st;
}
