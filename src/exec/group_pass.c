/* Rows that pass the table by. A table that fills with groups of one row saves nothing and costs a
 * look-up, a place in the order of hashes, and a walk all over memory: so rows go to the blocks of
 * their partitions as they come, bare (group_bare.c) or each with states of its own. Now and then a
 * table is tried again, for rows further on may be other ones. Results are the same: partitions are
 * put together later, whatever number of rows a group comes in. */
#include "exec/group_own.h"

#define PASS_TIMES 8u          /* as many rows as a table took, and twice as many the next time */
#define PASS_TWICE 3u          /* so often */
#define LEAST_PASS (16u << 10) /* bytes a block; smaller ones cost more than a table */

/* Nothing else needs much while rows pass. A block of rows has room for several of them. */
static size_t block_bytes(const op_group *o)
{
    const size_t most = group_block_bytes(o, GROUP_PARTITIONS);

    return most ? ROWS_BLOCK / ((ROWS_BLOCK + most - 1) / most) : 0;
}

void group_pass_judge(const op_group *o, group_worker *w)
{
    bool alone = w->table.n >= w->came - w->came / 4 && block_bytes(o) >= LEAST_PASS;

    w->passing = alone ? w->came * PASS_TIMES << w->alone : 0;
    w->alone = !alone ? 0 : w->alone < PASS_TWICE ? w->alone + 1 : PASS_TWICE;
    w->came = 0;
}

static nrw_status outs_new(group_worker *w, nrw_error *err)
{
    void *p;

    TRY(mem_alloc(w->m, GROUP_PARTITIONS * sizeof *w->outs, &p, err));
    w->outs = p;
    for (uint32_t k = 0; k < GROUP_PARTITIONS; k++)
        w->outs[k] = bytes_init(w->m, UINT32_MAX);
    return NRW_OK;
}

static nrw_status pass_row(op_group *o, group_worker *w, uint8_t *row, size_t block, nrw_error *err)
{
    uint32_t p = (uint32_t)(row_hash(row) >> (64 - GROUP_BITS));
    bytes *out = &w->outs[p];

    TRY(group_block_room(o, out, &o->parts[p], row_bytes(row), block, err));
    TRY(group_save_row(o, row, out, &o->parts[p], block, err));
    return group_block_room(o, out, &o->parts[p], 0, block, err);
}

/* A row that is written as it is. */
static nrw_status pass_bare(op_group *o, group_worker *w, const uint8_t *row, size_t block,
                            nrw_error *err)
{
    uint32_t p = (uint32_t)(row_hash(row) >> (64 - GROUP_BITS)), n = row_bytes(row);
    bytes *out = &w->outs[p];

    if (out->cap - out->len < n || out->len + n > block)
        TRY(group_block_room(o, out, &o->parts[p], n, block, err));
    return bytes_append(out, row, n, err);
}

nrw_status group_pass(op_group *o, group_worker *w, uint8_t *const *rows, uint32_t n,
                      nrw_error *err)
{
    size_t block = block_bytes(o);
    nrw_status st = w->outs ? NRW_OK : outs_new(w, err);

    for (uint32_t i = 0; o->shape.bares && st >= 0 && i < n; i++)
        st = pass_bare(o, w, rows[i], block, err);
    for (uint32_t i = 0; !o->shape.bares && i < n; i++) {
        if (i && rows[i] == rows[i - 1])
            continue;
        if (st >= 0)
            st = pass_row(o, w, rows[i], block, err);
        group_drop_states(&o->shape, rows[i], o->m);
    }
    w->passing -= n < w->passing ? n : w->passing;
    return st >= 0 && w->passing == 0 ? group_pass_end(o, w, err) : st;
}

nrw_status group_pass_end(op_group *o, group_worker *w, nrw_error *err)
{
    for (uint32_t p = 0; w->outs && p < GROUP_PARTITIONS; p++)
        TRY(group_write_block(o, &w->outs[p], &o->parts[p], err));
    group_pass_free(w);
    w->passing = w->came = 0;
    return NRW_OK;
}

void group_pass_free(group_worker *w)
{
    for (uint32_t p = 0; w->outs && p < GROUP_PARTITIONS; p++)
        bytes_release(&w->outs[p]);
    mem_free(w->m, w->outs, w->outs ? GROUP_PARTITIONS * sizeof *w->outs : 0);
    w->outs = NULL;
}
