#include "exec/hash_parts.h"

hash_out hash_out_of(mem *m)
{
    return (hash_out){bytes_init(m, UINT32_MAX), bytes_init(m, UINT32_MAX)};
}

void hash_out_release(hash_out *o)
{
    bytes_release(&o->rows);
    bytes_release(&o->scratch);
}

uint32_t hash_parts_bits(uint64_t memory)
{
    uint32_t bits = 4;

    while (bits < HASH_PARTS_BITS && memory >> (bits + 1) >= HASH_PART_BLOCK)
        bits++;
    return bits;
}

nrw_status hash_parts_open(hash_parts *p, const row_layout *l, mem *m, spill *s, uint64_t memory,
                           const cancel_flag *cancel, nrw_error *err)
{
    *p = (hash_parts){
        .m = m, .spill = s, .layout = l, .bits = hash_parts_bits(memory), .cancel = cancel};
    TRY(mem_zalloc(m, sizeof *p->at << p->bits, (void **)&p->at, err));
    pthread_mutex_init(&p->lock, NULL);
    return NRW_OK;
}

void hash_parts_close(hash_parts *p)
{
    if (!p->at)
        return;
    for (uint32_t i = 0; i < 1u << p->bits; i++)
        hash_part_free(p, &p->at[i]);
    mem_free(p->m, p->at, sizeof *p->at << p->bits);
    p->at = NULL;
    pthread_mutex_destroy(&p->lock);
}

void hash_part_free(const hash_parts *p, hash_part *part)
{
    spill_chain_free(&part->blocks, p->spill);
    *part = (hash_part){0};
}

/* ---- out ---- */

/* So many rows, in `out`, as a block of `part`. */
static nrw_status write_block(hash_parts *p, hash_part *part, bytes *out, uint64_t rows,
                              bytes *scratch, nrw_error *err)
{
    spill_block b;
    nrw_status st;

    if (out->len == 0)
        return NRW_OK;
    TRY(cancel_check(p->cancel, err));
    TRY(rows_spill(p->layout, (span){out->data, out->len}, false, p->spill, scratch, &b, err));
    pthread_mutex_lock(&p->lock);
    st = spill_chain_add(&part->blocks, p->spill, &b, err);
    if (st >= 0) {
        part->bytes += out->len;
        part->rows += rows;
    }
    pthread_mutex_unlock(&p->lock);
    if (st < 0)
        spill_free(p->spill, &b);
    out->len = 0;
    return st;
}

/* Row pointers into the order of their parts, in place: each goes to where its part has come to,
 * until all have (a radix exchange). */
static void order_by_part(uint8_t **rows, uint64_t n, uint32_t bits, uint64_t *ends)
{
    uint32_t shift = 64 - bits, parts = 1u << bits;
    uint64_t next[1u << HASH_PARTS_BITS], sum = 0;

    memset(ends, 0, parts * sizeof *ends);
    for (uint64_t i = 0; i < n; i++)
        ends[row_hash(rows[i]) >> shift]++;
    for (uint32_t k = 0; k < parts; k++) {
        next[k] = sum;
        sum += ends[k];
        ends[k] = sum;
    }
    for (uint32_t k = 0; k < parts; k++)
        while (next[k] < ends[k]) {
            uint8_t *row = rows[next[k]];
            uint64_t to = row_hash(row) >> shift;
            if (to == k) {
                next[k]++;
                continue;
            }
            rows[next[k]] = rows[next[to]];
            rows[next[to]++] = row;
        }
}

nrw_status hash_parts_add(hash_parts *p, uint8_t **rows, uint64_t n, hash_out *out, nrw_error *err)
{
    uint64_t ends[1u << HASH_PARTS_BITS], i = 0;
    bytes *block = &out->rows;

    order_by_part(rows, n, p->bits, ends);
    block->len = 0;
    for (uint32_t k = 0; k < 1u << p->bits; k++) {
        uint64_t from = i;
        for (; i < ends[k]; i++) {
            TRY(bytes_append(block, rows[i], row_bytes(rows[i]), err));
            if (block->len < HASH_PART_BLOCK)
                continue;
            TRY(write_block(p, &p->at[k], block, i + 1 - from, &out->scratch, err));
            from = i + 1;
        }
        TRY(write_block(p, &p->at[k], block, i - from, &out->scratch, err));
    }
    return NRW_OK;
}

/* ---- back ---- */

nrw_status hash_part_row(span block, size_t *at, uint8_t **row, nrw_error *err)
{
    size_t left = block.len - *at;

    if (left < ROW_HEAD || row_bytes(block.data + *at) > left ||
        row_bytes(block.data + *at) < ROW_HEAD)
        return err_set(err, NRW_E_IO, "a block of the spill file does not hold what was written");
    *row = (uint8_t *)(uintptr_t)block.data + *at;
    *at += row_bytes(*row);
    return NRW_OK;
}

/* Parts under construction. */
typedef struct cut {
    hash_part *to;
    bytes rows[1u << HASH_PARTS_SPLIT];
    uint64_t n[1u << HASH_PARTS_SPLIT];
    bytes scratch;
} cut;

static nrw_status cut_block(hash_parts *p, span block, uint32_t shift, cut *c, nrw_error *err)
{
    size_t at = 0;
    uint8_t *row = NULL;

    while (at < block.len) {
        uint32_t k;
        TRY(hash_part_row(block, &at, &row, err));
        k = (uint32_t)(row_hash(row) >> shift) & ((1u << HASH_PARTS_SPLIT) - 1);
        TRY(bytes_append(&c->rows[k], row, row_bytes(row), err));
        c->n[k]++;
        if (c->rows[k].len < HASH_PART_BLOCK / 4) /* 16 of them are open */
            continue;
        TRY(write_block(p, &c->to[k], &c->rows[k], c->n[k], &c->scratch, err));
        c->n[k] = 0;
    }
    return NRW_OK;
}

static nrw_status cut_blocks(hash_parts *p, hash_part *part, uint32_t shift, rows *read, cut *c,
                             nrw_error *err)
{
    nrw_status st;
    spill_block b;
    span block;

    while ((st = spill_chain_take(&part->blocks, p->spill, &b, err)) == NRW_OK) {
        rows_clear(read);
        st = rows_read(p->layout, p->spill, &b, &c->scratch, read, &block, err);
        spill_free(p->spill, &b);
        TRY(st);
        TRY(cut_block(p, block, shift, c, err));
    }
    TRY(st);
    for (uint32_t k = 0; k < 1u << HASH_PARTS_SPLIT; k++)
        TRY(write_block(p, &c->to[k], &c->rows[k], c->n[k], &c->scratch, err));
    return NRW_OK;
}

nrw_status hash_part_split(hash_parts *p, hash_part *part, uint32_t bits, mem *m, hash_part *out,
                           nrw_error *err)
{
    cut c = {.to = out, .scratch = bytes_init(m, UINT32_MAX)};
    rows read = {.m = m};
    nrw_status st;

    for (uint32_t k = 0; k < 1u << HASH_PARTS_SPLIT; k++)
        c.rows[k] = bytes_init(m, UINT32_MAX);
    st = cut_blocks(p, part, 64 - bits - HASH_PARTS_SPLIT, &read, &c, err);
    for (uint32_t k = 0; k < 1u << HASH_PARTS_SPLIT; k++)
        bytes_release(&c.rows[k]);
    bytes_release(&c.scratch);
    rows_release(&read);
    hash_part_free(p, part);
    return st;
}
