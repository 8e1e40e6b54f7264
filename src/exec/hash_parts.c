#include "exec/hash_parts.h"

nrw_status hash_parts_open(hash_parts *p, mem *m, spill *s, uint64_t memory,
                           const cancel_flag *cancel, nrw_error *err)
{
    *p = (hash_parts){.m = m, .spill = s, .bits = 4, .cancel = cancel};
    while (p->bits < HASH_PARTS_BITS && memory >> (p->bits + 1) >= HASH_PART_BLOCK)
        p->bits++;
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

void hash_part_forget(const hash_parts *p, hash_part *part, uint32_t i)
{
    if (part->blocks[i].len)
        spill_free(p->spill, &part->blocks[i]);
    part->blocks[i].len = 0;
}

void hash_part_free(const hash_parts *p, hash_part *part)
{
    for (uint32_t i = 0; i < part->n; i++)
        hash_part_forget(p, part, i);
    mem_free(p->m, part->blocks, part->cap * sizeof *part->blocks);
    *part = (hash_part){0};
}

/* ---- out ---- */

static nrw_status add_block(hash_parts *p, hash_part *part, const spill_block *b, uint64_t rows,
                            nrw_error *err)
{
    TRY(spill_list_add(p->m, &part->blocks, &part->n, &part->cap, b, err));
    part->bytes += b->len;
    part->rows += rows;
    return NRW_OK;
}

static nrw_status write_block(hash_parts *p, hash_part *part, bytes *out, uint64_t rows,
                              nrw_error *err)
{
    spill_block b;
    nrw_status st;

    if (out->len == 0)
        return NRW_OK;
    TRY(cancel_check(p->cancel, err));
    TRY(spill_write(p->spill, (span){out->data, out->len}, true, &b, err));
    out->len = 0;
    pthread_mutex_lock(&p->lock);
    st = add_block(p, part, &b, rows, err);
    pthread_mutex_unlock(&p->lock);
    if (st < 0)
        spill_free(p->spill, &b);
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

nrw_status hash_parts_add(hash_parts *p, uint8_t **rows, uint64_t n, bytes *out, nrw_error *err)
{
    uint64_t ends[1u << HASH_PARTS_BITS], i = 0;

    order_by_part(rows, n, p->bits, ends);
    out->len = 0;
    for (uint32_t k = 0; k < 1u << p->bits; k++) {
        uint64_t from = i;
        for (; i < ends[k]; i++) {
            TRY(bytes_append(out, rows[i], row_bytes(rows[i]), err));
            if (out->len < HASH_PART_BLOCK)
                continue;
            TRY(write_block(p, &p->at[k], out, i + 1 - from, err));
            from = i + 1;
        }
        TRY(write_block(p, &p->at[k], out, i - from, err));
    }
    return NRW_OK;
}

/* ---- back ---- */

nrw_status hash_part_read(const hash_parts *p, const hash_part *part, uint32_t i, rows *r,
                          span *out, nrw_error *err)
{
    const spill_block *b = &part->blocks[i];
    uint8_t *data;

    TRY(rows_new(r, (uint32_t)((b->len + 7) / 8 * 8), &data, err));
    TRY(spill_read(p->spill, b, data, err));
    *out = (span){data, b->len};
    return NRW_OK;
}

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

/* A part under construction. */
typedef struct cut {
    bytes out;
    uint64_t rows;
} cut;

static nrw_status cut_block(hash_parts *p, span block, uint32_t shift, cut *cuts, hash_part *out,
                            nrw_error *err)
{
    const uint32_t n = 1u << HASH_PARTS_SPLIT;
    size_t at = 0;
    uint8_t *row = NULL;

    while (at < block.len) {
        uint32_t k;
        TRY(hash_part_row(block, &at, &row, err));
        k = (uint32_t)(row_hash(row) >> shift) & (n - 1);
        TRY(bytes_append(&cuts[k].out, row, row_bytes(row), err));
        cuts[k].rows++;
        if (cuts[k].out.len < HASH_PART_BLOCK / 4) /* 16 of them are open */
            continue;
        TRY(write_block(p, &out[k], &cuts[k].out, cuts[k].rows, err));
        cuts[k].rows = 0;
    }
    return NRW_OK;
}

nrw_status hash_part_split(hash_parts *p, hash_part *part, uint32_t bits, mem *m, hash_part *out,
                           nrw_error *err)
{
    const uint32_t n = 1u << HASH_PARTS_SPLIT;
    cut cuts[1u << HASH_PARTS_SPLIT];
    rows read = {.m = m};
    nrw_status st = NRW_OK;

    for (uint32_t k = 0; k < n; k++)
        cuts[k] = (cut){bytes_init(m, UINT32_MAX), 0};
    for (uint32_t i = 0; st >= 0 && i < part->n; i++) {
        span block;
        rows_clear(&read);
        st = hash_part_read(p, part, i, &read, &block, err);
        if (st >= 0)
            st = cut_block(p, block, 64 - bits - HASH_PARTS_SPLIT, cuts, out, err);
        if (st >= 0)
            hash_part_forget(p, part, i);
    }
    for (uint32_t k = 0; k < n; k++) {
        if (st >= 0)
            st = write_block(p, &out[k], &cuts[k].out, cuts[k].rows, err);
        bytes_release(&cuts[k].out);
    }
    rows_release(&read);
    hash_part_free(p, part);
    return st;
}
