#include "column/key.h"
#include "exec/first_late.h"
#include "exec/hash_parts.h"
#include "exec/rows_spill.h"

#include "base/hash.h"

/* So many parts that each fits but for keys some hundred times as large as memory; larger blocks of
 * them pack no better. */
#define BLOCK       (8u << 10)
#define BLOCK_LEAST (1u << 10)
_Static_assert(BLOCK / (ROW_HEAD + 8) <= FIRST_KEYS, "a block's rows are taken at a time");

static size_t block_of(uint64_t memory)
{
    const uint64_t block = memory / FIRST_PARTS;

    return block < BLOCK_LEAST ? BLOCK_LEAST : block < BLOCK ? (size_t)block : BLOCK;
}

first_keys first_keys_of(const row_layout *l, uint32_t n_per, uint64_t memory, mem *m, spill *s)
{
    return (first_keys){.m = m,
                        .spill = s,
                        .layout = *l,
                        .n_per = n_per,
                        .shift = 64 - FIRST_PARTS_BITS,
                        .block = block_of(memory),
                        .rows = {.m = m},
                        .scratch = bytes_init(m, UINT32_MAX),
                        .key = bytes_init(m, UINT32_MAX)};
}

static void free_task(first_keys *k, const first_task *t)
{
    spill_chain c = spill_chain_of(&t->blocks);

    spill_chain_free(&c, k->spill);
}

void first_keys_release(first_keys *k)
{
    for (uint32_t p = 0; k->parts && p < FIRST_PARTS; p++) {
        bytes_release(&k->parts[p].rows);
        spill_chain_free(&k->parts[p].blocks, k->spill);
    }
    mem_free(k->m, k->parts, k->parts ? FIRST_PARTS * sizeof *k->parts : 0);
    mem_free(k->m, k->hashes, k->hashes ? FIRST_KEYS * sizeof *k->hashes : 0);
    mem_free(k->m, k->at, k->at ? FIRST_KEYS * sizeof *k->at : 0);
    rows_release(&k->rows);
    bytes_release(&k->scratch);
    bytes_release(&k->key);
    while (k->n_tasks > 0)
        free_task(k, &k->tasks[--k->n_tasks]);
    mem_free(k->m, k->tasks, k->cap_tasks * sizeof *k->tasks);
    k->tasks = NULL;
    k->cap_tasks = 0;
    k->parts = NULL;
    k->hashes = NULL;
    k->at = NULL;
}

static nrw_status open_parts(first_keys *k, nrw_error *err)
{
    if (!k->hashes)
        TRY(mem_alloc(k->m, FIRST_KEYS * sizeof *k->hashes, (void **)&k->hashes, err));
    if (!k->at)
        TRY(mem_alloc(k->m, FIRST_KEYS * sizeof *k->at, (void **)&k->at, err));
    if (k->parts)
        return NRW_OK;
    TRY(mem_zalloc(k->m, FIRST_PARTS * sizeof *k->parts, (void **)&k->parts, err));
    for (uint32_t p = 0; p < FIRST_PARTS; p++)
        k->parts[p].rows = bytes_init(k->m, UINT32_MAX);
    return NRW_OK;
}

/* ---- to the parts ---- */

/* As keysets have them: by what makes keys equal. */
nrw_status first_keys_hash(const vector *const *cols, uint32_t n_cols, uint32_t n, bytes *key,
                           uint64_t *hashes, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        bytes_clear(key);
        for (uint32_t c = 0; c < n_cols; c++)
            TRY(key_append(key, cols[c], i, err));
        hashes[i] = hash_bytes(key->data, key->len);
    }
    return NRW_OK;
}

static nrw_status write_part(first_keys *k, first_part *p, nrw_error *err)
{
    if (p->rows.len == 0)
        return NRW_OK;
    TRY(rows_spill_to(&k->layout, (span){p->rows.data, p->rows.len}, false, k->spill, &k->scratch,
                      &p->blocks, err));
    p->rows.len = 0;
    if (p->rows.cap > k->block) /* of a row longer than blocks are */
        bytes_release(&p->rows);
    return NRW_OK;
}

static nrw_status put_row(first_keys *k, uint64_t hash, const uint8_t *row, nrw_error *err)
{
    first_part *p = &k->parts[hash >> k->shift & (FIRST_PARTS - 1)];

    if (p->rows.len + row_bytes(row) > k->block)
        TRY(write_part(k, p, err));
    if (p->rows.cap < k->block)
        TRY(bytes_reserve(&p->rows, k->block, err));
    p->n++;
    return bytes_append(&p->rows, row, row_bytes(row), err);
}

nrw_status first_keys_put(first_keys *k, const vector *const *cols, uint32_t n,
                          const uint32_t *taken, nrw_error *err)
{
    TRY(open_parts(k, err));
    TRY(first_keys_hash(cols, k->n_per, n, &k->key, k->hashes, err));
    rows_clear(&k->rows);
    TRY(rows_add(&k->rows, &k->layout, cols, n, NULL, k->m, k->at, err));
    for (uint32_t i = 0; i < n; i++) {
        store_u32(k->at[i] + 4, taken ? taken[i] : 0);
        TRY(put_row(k, k->hashes[i], k->at[i], err));
    }
    return NRW_OK;
}

nrw_status first_keys_again(first_keys *k, const vector *const *cols, uint32_t rows,
                            const uint16_t *which, uint32_t n, const uint32_t *taken,
                            nrw_error *err)
{
    if (n == 0)
        return NRW_OK;
    TRY(first_keys_hash(cols, k->n_per, rows, &k->key, k->hashes, err));
    for (uint32_t i = 0; i < n; i++) {
        store_u32(k->at[which[i]] + 4, taken ? taken[i] : 0);
        TRY(put_row(k, k->hashes[which[i]], k->at[which[i]], err));
    }
    return NRW_OK;
}

/* ---- parts ---- */

static nrw_status add_task(first_keys *k, uint32_t part, nrw_error *err)
{
    const uint32_t cap = k->cap_tasks ? 2 * k->cap_tasks : FIRST_PARTS;
    first_part *p = &k->parts[part];
    first_task t = {.shift = (k->shift - FIRST_PARTS_BITS) & 63,
                    .part = k->again ? k->part : part,
                    .all = !k->again,
                    .n = p->n};
    void *at = k->tasks;

    TRY(write_part(k, p, err));
    bytes_release(&p->rows);
    p->n = 0;
    if (spill_chain_is_empty(&p->blocks))
        return NRW_OK;
    TRY(spill_chain_turn(&p->blocks, k->spill, err));
    if (k->n_tasks == k->cap_tasks) {
        TRY(mem_realloc(k->m, &at, k->cap_tasks * sizeof t, cap * sizeof t, err));
        k->tasks = at;
        k->cap_tasks = cap;
    }
    TRY(spill_chain_fold(&p->blocks, k->spill, &t.blocks, err));
    k->tasks[k->n_tasks++] = t;
    return NRW_OK;
}

static nrw_status end_parts(first_keys *k, nrw_error *err)
{
    for (uint32_t p = 0; k->parts && p < FIRST_PARTS; p++)
        TRY(add_task(k, p, err));
    return NRW_OK;
}

nrw_status first_keys_end(first_keys *k, uint64_t memory, nrw_error *err)
{
    TRY(end_parts(k, err));
    k->block = block_of(memory);
    return NRW_OK;
}

nrw_status first_keys_part(first_keys *k, first_task *out, nrw_error *err)
{
    TRY(end_parts(k, err));
    if (k->n_tasks == 0)
        return NRW_END;
    *out = k->tasks[--k->n_tasks];
    k->shift = out->shift;
    k->part = out->part;
    k->again = true;
    return NRW_OK;
}

nrw_status first_keys_read(first_keys *k, spill_chain *part, uint32_t *n, nrw_error *err)
{
    spill_block b;
    span block;
    nrw_status st = spill_chain_take(part, k->spill, &b, err);

    *n = 0;
    if (st != NRW_OK)
        return st;
    rows_clear(&k->rows);
    st = rows_read(&k->layout, k->spill, &b, &k->scratch, &k->rows, &block, err);
    spill_free(k->spill, &b);
    TRY(st);
    for (size_t at = 0; at < block.len;)
        TRY(hash_part_row(block, &at, &k->at[(*n)++], err));
    return NRW_OK;
}
